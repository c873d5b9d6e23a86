//! What the laws remember: the journal's events folded a second time, by other code than the manager's.

use order_manager_core::bybit::{Operation, Reply, rest};
use order_manager_core::command::{Command, Outgoing};
use order_manager_core::config::Config;
use order_manager_core::event::{CreateAnswer, Event, Seq, Told};
use order_manager_core::input::{Answer, Input, Prior, Stream, Tag};
use order_manager_core::manager::Durable;
use order_manager_core::order::Totals;
use order_manager_core::outcome::Outcome;
use order_manager_core::unit::{
    ClockOffset, ExchangeTime, ExecId, Fingerprint, Money, OrderLinkId, Quantity, Side, SignalId, Span, Symbol,
    Timestamp,
};
use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// One step as the laws see it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Frame<'a> {
    pub(super) seq: Seq,
    pub(super) at: Timestamp,
    /// What the exchange's clock shows at `at`.
    pub(super) exchange: ExchangeTime,
    pub(super) input: &'a Input,
    pub(super) events: &'a [Event],
    pub(super) commands: &'a [Command],
    pub(super) record: &'a [u8],
    /// The request that a reply answers, where one is out under this tag.
    pub(super) answered: Option<&'a Outgoing>,
    /// The manager's state after it.
    pub(super) durable: &'a Durable,
    pub(super) wake: Option<Timestamp>,
    pub(super) ready: bool,
}

/// A symbol's queue.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Queue {
    pub(super) waiting: VecDeque<SignalId>,
    pub(super) active: Option<SignalId>,
    pub(super) passing: Option<SignalId>,
}

/// Where a signal stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stand {
    Waiting,
    Active,
    Settled,
}

/// What happened under one order link id.
#[derive(Clone, Debug, Default)]
pub(super) struct Track {
    /// Creates that went out.
    pub(super) creates: u32,
    /// The last create may have reached the exchange.
    pub(super) may_exist: bool,
    /// The exchange showed it, ever.
    pub(super) shown: bool,
    pub(super) signed_at: Option<ExchangeTime>,
    pub(super) created: bool,
    pub(super) told: Totals,
    pub(super) ended: bool,
    pub(super) named: BTreeSet<ExecId>,
    pub(super) cancel_wanted: bool,
    /// The service before us placed it.
    pub(super) inherited: bool,
}

/// An answer that was taken.
#[derive(Clone, Copy, Debug)]
pub(super) struct Answered {
    pub(super) tag: Tag,
    /// When its question was signed; none where no question was out.
    pub(super) signed_at: Option<ExchangeTime>,
    /// It is a page without a row.
    pub(super) empty: bool,
}

/// All of it.
#[derive(Clone, Debug, Default)]
pub(super) struct Past {
    /// The fold of the events so far.
    pub(super) shadow: Durable,
    pub(super) config: Config,
    pub(super) lanes: BTreeMap<Symbol, Queue>,
    pub(super) signals: BTreeMap<SignalId, Stand>,
    pub(super) orders: BTreeMap<OrderLinkId, Track>,
    /// Size and fees by what was told and by foreign executions.
    pub(super) booked: BTreeMap<Symbol, (Quantity, Money)>,
    /// Up to when a position is the exchange's word.
    pub(super) adopted: BTreeMap<Symbol, ExchangeTime>,
    pub(super) answers: BTreeMap<Seq, Answered>,
    pub(super) sends: BTreeMap<Operation, VecDeque<Timestamp>>,
    /// What a store answers of signals that the manager has forgotten (spec S7).
    pub(super) store: BTreeMap<SignalId, Prior>,
    pub(super) stream_up: bool,
    /// Every order, fill and position was asked for since the stream came up.
    pub(super) reconciled: bool,
    pub(super) at: Timestamp,
}

impl Past {
    /// Before a step's events: what its input alone changes.
    pub(super) fn begin(&mut self, frame: &Frame<'_>) {
        self.at = frame.at;
        match frame.input {
            Input::Started(started) => {
                (self.stream_up, self.reconciled) = (false, false);
                self.config = started.config.clone();
            }
            Input::Checkpointed(resumed) => (self.stream_up, self.reconciled) = (resumed.stream_up, false),
            Input::Stream(stream) => match &**stream {
                Stream::Up => (self.stream_up, self.reconciled) = (true, false),
                Stream::Down => (self.stream_up, self.reconciled) = (false, false),
                Stream::Frame(_) | Stream::Gateway(_) | Stream::Typed(_) => {}
            },
            Input::Reply { tag, answer } => {
                let signed_at = frame.answered.map(|outgoing| outgoing.signed_at);
                self.answers.insert(frame.seq, Answered { tag: *tag, signed_at, empty: is_empty(*tag, answer) });
            }
            Input::Woke
            | Input::Stopping
            | Input::Signal(_)
            | Input::TypedSignal(_)
            | Input::Refused(_)
            | Input::Inherited(_)
            | Input::Doubted(_) => {}
        }
    }

    /// Folds one event.
    pub(super) fn fold(&mut self, event: &Event) {
        self.shadow.apply(event);
        match event {
            Event::SignalAccepted { signal, .. } => {
                self.signals.insert(signal.id, Stand::Waiting);
                self.lanes.entry(signal.symbol).or_default().waiting.push_back(signal.id);
            }
            Event::SignalStarted { signal } => {
                self.signals.insert(*signal, Stand::Active);
                if let Some(queue) = self.lanes.values_mut().find(|queue| queue.waiting.contains(signal)) {
                    queue.waiting.retain(|waiting| waiting != signal);
                    let place = if queue.active.is_none() { &mut queue.active } else { &mut queue.passing };
                    *place = Some(*signal);
                }
            }
            Event::SignalSettled { signal, outcome, .. } => self.settle(*signal, *outcome),
            Event::SignalInvalid { bad, .. } => {
                self.store.extend(bad.known.map(|known| (known.id, Prior::INVALID)));
            }
            Event::SignalForgotten { signal } => _ = self.signals.remove(signal),
            Event::OrderIntended { spec } => {
                let track = self.orders.entry(spec.link).or_default();
                let known = Track { creates: track.creates, shown: track.shown, ..Track::default() };
                *track = known;
            }
            Event::OrderInherited { link, order } => self.track(*link, |track| {
                (track.inherited, track.created, track.told) = (true, true, order.totals());
                track.signed_at = Some(order.created_at.at_exchange(ClockOffset(0)));
            }),
            Event::OrderSent { link, signed_at } => self.track(*link, |track| {
                track.creates += 1;
                track.may_exist = true;
                track.signed_at = Some(*signed_at);
            }),
            Event::OrderAnswered { link, answer: CreateAnswer::NotSent { .. }, .. }
            | Event::OrderAbsent { link, .. } => {
                self.track(*link, |track| track.may_exist = false);
            }
            Event::OrderSeen { link, .. } | Event::OrderNoticed { link, .. } | Event::OrderExecuted { link, .. } => {
                self.track(*link, |track| track.shown = true);
            }
            Event::CancelWanted { link, .. } => self.track(*link, |track| track.cancel_wanted = true),
            Event::OrderTold(told) => self.tell(told),
            Event::ForeignExecuted { row, .. }
                if self.adopted.get(&row.symbol).is_none_or(|as_of| row.time > *as_of) =>
            {
                self.book(row.symbol, row.side, row.quantity, row.fee);
            }
            Event::PositionAdopted { symbol, size, as_of, .. } => {
                self.adopted.insert(*symbol, *as_of);
                self.booked.entry(*symbol).or_default().0 = *size;
            }
            Event::Reconciled { .. } => self.reconciled = true,
            _ => {}
        }
    }

    /// After a step's laws: what its commands spend.
    pub(super) fn end(&mut self, frame: &Frame<'_>) {
        for command in frame.commands {
            let Command::Send(outgoing) = command else { continue };
            let sends = self.sends.entry(outgoing.request.operation()).or_default();
            sends.push_back(frame.at);
            while sends.front().is_some_and(|first| frame.at.since(*first) >= Span::secs(1)) {
                sends.pop_front();
            }
        }
    }

    fn settle(&mut self, signal: SignalId, outcome: Outcome) {
        self.signals.insert(signal, Stand::Settled);
        if let Some(state) = self.shadow.signals.get(&signal) {
            let fingerprint = Fingerprint(state.signal.fingerprint);
            self.store.insert(signal, Prior { fingerprint, outcome, tries: state.tries });
        }
        self.lanes.retain(|_, queue| {
            queue.waiting.retain(|waiting| *waiting != signal);
            queue.passing = queue.passing.filter(|passing| *passing != signal);
            queue.active = queue.active.filter(|active| *active != signal).or_else(|| queue.passing.take());
            queue.active.is_some() || !queue.waiting.is_empty()
        });
    }

    fn track(&mut self, link: OrderLinkId, change: impl FnOnce(&mut Track)) {
        change(self.orders.entry(link).or_default());
    }

    fn tell(&mut self, told: &Told) {
        self.track(told.link, |track| {
            track.created |= told.change == order_manager_core::event::Change::Created;
            track.told = told.totals;
            track.ended |= told.last;
            track.named.extend(told.exec_ids.iter().copied());
        });
        if let Some(order) = self.shadow.book.get(told.link) {
            let (symbol, side) = (order.spec.symbol, order.spec.side);
            self.book(symbol, side, told.increment.quantity, told.increment.fee);
        }
    }

    fn book(&mut self, symbol: Symbol, side: Side, quantity: Quantity, fee: Money) {
        let (size, fees) = self.booked.entry(symbol).or_default();
        *size = size.plus(side.signed(quantity)).unwrap_or(*size);
        *fees = fees.plus(fee).unwrap_or(*fees);
    }
}

/// Is it an answer that shows nothing at all?
fn is_empty(tag: Tag, answer: &Answer) -> bool {
    let Tag::Inquiry { source, .. } = tag else { return false };
    let no_rows = |reply: &Reply| match reply {
        Reply::Orders(page) => page.is_empty(),
        Reply::Executions(page) => page.is_empty(),
        _ => false,
    };
    match answer {
        Answer::Typed(reply) => reply.result.as_ref().is_ok_and(no_rows),
        Answer::Http { status, limits, body } => {
            rest::decode(source.operation(), *status, *limits, &body.0).result.as_ref().is_ok_and(no_rows)
        }
        Answer::NotSent { .. } | Answer::Lost { .. } => false,
    }
}
