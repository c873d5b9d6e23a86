//! Lanes: one signal of a symbol at a time, to its end (spec S5).

use super::durable::{Active, SignalState, Stage};
use super::turn::Turn;
use crate::bybit::Request;
use crate::event::Event;
use crate::input::Tag;
use crate::intake::{self, Signal};
use crate::order::{Order, State};
use crate::outcome::Outcome;
use crate::pace::Urgency;
use crate::refusal::{Code, Refusal};
use crate::timer::Why;
use crate::unit::{OrderLinkId, SignalId, Span, Symbol, Text, calendar};
use core::ops::Bound::{Excluded, Unbounded};

/// A PostOnly order that would have taken is priced anew this often (spec D5).
pub(super) const REPRICES_MAX: u8 = 2;

impl Turn<'_> {
    /// Moves what can move; true where anything did.
    pub(super) fn advance_lanes(&mut self) -> bool {
        let (mut moved, mut rest) = (false, Unbounded);
        while let Some((symbol, lane)) = self.m.durable.lanes.range((rest, Unbounded)).next() {
            rest = Excluded(*symbol);
            moved |= self.advance(lane.active, lane.passing, lane.waiting.front().copied());
        }
        moved
    }

    fn advance(&mut self, active: Option<SignalId>, passing: Option<SignalId>, next: Option<SignalId>) -> bool {
        let next = next.filter(|_| !self.m.observed.stopping);
        if let (None, Some(next)) = (active, next) {
            if self.exchange_now().is_none() {
                self.ask(Tag::Clock); // its age is not judged by a clock that nobody has looked at
                return false;
            }
            self.start_signal(next);
            return true;
        }
        let may_pass = next.filter(|_| passing.is_none());
        let mut moved = false;
        for (signal, behind) in active.map(|id| (id, may_pass)).into_iter().chain(passing.map(|id| (id, None))) {
            moved |= self.advance_signal(signal, behind);
        }
        moved
    }

    fn start_signal(&mut self, id: SignalId) {
        let Some(SignalState { signal, .. }) = self.m.durable.signals.get(&id) else { return };
        let judged = self.judge_turn(signal, self.lane_last(signal.symbol));
        self.emit(Event::SignalStarted { signal: id });
        match judged {
            Ok(()) => self.arm_expiry(id),
            Err(refusal) => self.reject(id, refusal),
        }
    }

    fn lane_last(&self, symbol: Symbol) -> Option<OrderLinkId> {
        self.m.durable.lanes.get(&symbol).and_then(|lane| lane.last)
    }

    /// The age again, now that its turn has come (spec S6).
    fn judge_turn(&self, signal: &Signal, waited_for: Option<OrderLinkId>) -> Result<(), Refusal> {
        let Some(now) = self.exchange_now() else { return Ok(()) };
        intake::judge_age(signal, now, self.is_reducing(signal), &self.m.config).map(|_| ()).map_err(|late| {
            match waited_for {
                Some(link) if late.code == Code::SignalExpired => {
                    Refusal::new(Code::ExpiredWaiting, format_args!("{} while it waited for order {link}", late.text))
                }
                _ => late,
            }
        })
    }

    /// A timer at the end of the signal's time, so that it does not wait for ever for an answer.
    fn arm_expiry(&mut self, id: SignalId) {
        let Some(now) = self.exchange_now() else { return };
        let Some(SignalState { signal, .. }) = self.m.durable.signals.get(&id) else { return };
        let config = &self.m.config;
        let max = if self.is_reducing(signal) { config.exit_signal_max_age() } else { config.signal_max_age() };
        let end = calendar::to_exchange(signal.timestamp).after(max).after(Span::millis(1));
        self.arm(Why::SignalExpires(id), end.since(now));
    }

    fn advance_signal(&mut self, id: SignalId, behind: Option<SignalId>) -> bool {
        let Some(SignalState { signal, stage: Stage::Active(active), .. }) = self.m.durable.signals.get(&id) else {
            return false;
        };
        match active.order.and_then(|link| self.m.durable.book.get(link)) {
            Some(order) => match outcome_of(order) {
                Some(outcome) => {
                    let (outcome, text) = in_words(order, outcome);
                    self.settle_signal(id, outcome, text);
                    true
                }
                None if is_unknown(order) => behind.is_some_and(|next| self.pass(next)),
                None => false,
            },
            None if self.m.observed.stopping => false, // the next life decides
            None => match self.refuses(signal, active) {
                Some(refusal) => {
                    self.reject(id, refusal);
                    true
                }
                None => self.advance_deciding(id),
            },
        }
    }

    /// What can only reduce does not wait for the proof of an opening order that is Unknown (spec S5).
    fn pass(&mut self, next: SignalId) -> bool {
        let reduces = self.m.durable.signals.get(&next).is_some_and(|state| self.can_only_reduce(&state.signal));
        let reduces = reduces && self.exchange_now().is_some();
        if reduces {
            self.start_signal(next);
        }
        reduces
    }

    /// Why it comes to no decision.
    fn refuses(&self, signal: &Signal, active: &Active) -> Option<Refusal> {
        if active.crossed > REPRICES_MAX {
            let text = format_args!("would have taken at {} prices in a row", active.crossed);
            return Some(Refusal::new(Code::NotExecuted, text));
        }
        if let Err(late) = self.judge_turn(signal, None) {
            let code = match late.code {
                Code::SignalExpired if self.m.observed.synced => Code::DataStale,
                Code::SignalExpired => Code::ExchangeUnavailable,
                _ => return Some(late),
            };
            return Some(Refusal::new(code, format_args!("no decision in time: {}", late.text)));
        }
        self.m.observed.unusable.get(&signal.symbol).copied()
    }

    fn advance_deciding(&mut self, id: SignalId) -> bool {
        if self.is_ready(id)
            && let Some(SignalState { signal, stage: Stage::Active(active), .. }) =
                self.m.durable.signals.get(&id).cloned()
        {
            return self.decide(&signal, &active);
        }
        if !self.m.observed.timers.is_armed(Why::SignalExpires(id)) {
            self.arm_expiry(id);
        }
        false
    }

    /// Is there nothing that it must wait for? Asks for what it lacks.
    fn is_ready(&mut self, id: SignalId) -> bool {
        let known = self.m.durable.signals.get(&id).filter(|_| self.m.observed.synced);
        let Some(SignalState { signal, .. }) = known else { return false };
        let (symbol, opens) = (signal.symbol, !self.can_only_reduce(signal));
        !self.waits(signal, opens) && self.fresh(symbol, opens)
    }

    /// For orders, or for its turn: one that passed the active signal because it could only reduce, and cannot any more, as
    /// the position is another one than when it started, opens when the active one is settled, as without passing.
    fn waits(&self, signal: &Signal, opens: bool) -> bool {
        let passes = self.passes(signal);
        passes && opens || self.waits_for_orders(signal.symbol, passes)
    }

    fn passes(&self, signal: &Signal) -> bool {
        self.m.durable.lanes.get(&signal.symbol).is_some_and(|lane| lane.passing == Some(signal.id))
    }

    /// Orders of the symbol whose state is not certain, or whose cancel is not proven yet (spec D2).
    fn waits_for_orders(&self, symbol: Symbol, passes: bool) -> bool {
        self.m.durable.book.live_of(symbol).filter(|order| !(passes && is_unknown(order))).any(|order| {
            let certain = match order.state {
                State::Open | State::Acked => order.cancel.is_none(),
                _ => !order.state.may_fill() && order.told.ended,
            };
            !certain || self.m.observed.inquiries.contains_key(&order.spec.link)
        })
    }

    pub(super) fn send_cancel(&mut self, link: OrderLinkId) {
        let Some(order) = self.m.durable.book.get(link) else { return };
        let (tag, order_id) = (Tag::Cancel(link), order.only_by());
        let useless = order.cancel.is_none() || !order.state.may_fill() || self.m.observed.out.holds(tag);
        if !useless {
            let (category, symbol) = (crate::unit::Category::Linear, order.spec.symbol);
            self.queue(
                Urgency::Cancel,
                tag,
                Request::Cancel(crate::bybit::Cancel { category, symbol, link, order_id }),
            );
        }
    }

    /// An intended order goes (again), until its signal's time is over (spec O2); once the exchange's clock is known.
    pub(super) fn retry_create(&mut self, link: OrderLinkId) {
        if self.exchange_now().is_none() {
            return self.ask(Tag::Clock);
        }
        if !self.may_go(link) {
            return;
        }
        if let Some(create) = self.m.durable.book.get(link).map(|order| order.spec.create()) {
            let urgency = if create.reduce_only { Urgency::Reduce } else { Urgency::Open };
            self.queue(urgency, Tag::Create(link), Request::Create(create));
        }
    }

    /// The exchange's clock is known: what waited for nothing else goes on.
    pub(super) fn creates_go_on(&mut self) {
        for (link, state) in self.live_orders() {
            if state == State::Intended && !self.m.observed.timers.is_armed(Why::RetryCreate(link)) {
                self.arm(Why::RetryCreate(link), Span::ZERO);
            }
        }
    }

    /// The time of a signal is over: its create may wait where nothing goes, and then nobody else looks.
    pub(super) fn expire_create(&mut self, signal: SignalId) {
        let Some(SignalState { stage: Stage::Active(active), .. }) = self.m.durable.signals.get(&signal) else {
            return;
        };
        if let Some(link) = active.order {
            self.may_go(link);
        }
    }

    /// May this order be sent now? Asked again at the last moment: it may have waited for its budget. One whose
    /// signal's time is over expires.
    pub(super) fn may_go(&mut self, link: OrderLinkId) -> bool {
        if self.m.observed.stopping {
            return false;
        }
        let Some(order) = self.m.durable.book.get(link).filter(|o| o.state == State::Intended) else { return false };
        let Some(now) = self.exchange_now() else { return false };
        let signal = self.m.durable.signals.get(&order.spec.intent.signal).map(|state| &state.signal);
        let late = signal.is_none_or(|s| intake::judge_age(s, now, order.spec.reduce_only, &self.m.config).is_err());
        if late {
            let at = self.now();
            self.emit(Event::OrderExpired { link, at });
            self.tell(link);
        }
        !late
    }
}

/// What an order on its way makes of its signal: settled once it is accepted, refused, ended or proven absent.
fn outcome_of(order: &Order) -> Option<Result<&'static str, Code>> {
    Some(match order.state {
        State::Intended | State::Sending | State::Unknown | State::Acked => return None,
        State::Open if order.spec.is_limit() => Ok("rests"),
        State::Open => return None, // a market order does not rest: its end is near
        State::Closed | State::AgedOut if !order.told.ended => return None,
        State::Closed | State::AgedOut if order.told.totals.quantity.is_positive() => Ok("filled"),
        State::Closed if order.status() == crate::order::Status::Rejected => Err(Code::ExchangeRefused),
        State::Closed | State::AgedOut => Err(Code::NotExecuted),
        State::Refused if already_flat(order) => Err(Code::NothingToSell),
        State::Refused if order.told.ended => Err(Code::ExchangeRefused),
        State::Absent => Err(Code::ProvenAbsent),
        State::Expired => Err(Code::ExpiredUnsent),
        State::Refused => return None,
    })
}

fn in_words(order: &Order, outcome: Result<&'static str, Code>) -> (Outcome, Text<200>) {
    let link = order.spec.link;
    match outcome {
        Ok(word) => (Outcome::Placed, Text::clipped(&alloc::format!("order {link} {word}"))),
        Err(code) => {
            let refusal = Refusal::new(code, format_args!("order {link}: {}", ending_words(order)));
            (Outcome::Rejected(refusal.code), refusal.text)
        }
    }
}

fn ending_words(order: &Order) -> Text<160> {
    match (order.refusal, order.facts.ending) {
        (Some(refused), _) => refused.text,
        (None, Some(ending)) => Text::clipped(&alloc::format!("{} {}", ending.cancel_type, ending.reject_reason)),
        (None, None) if order.state == State::Expired => Text::clipped("never sent before its signal expired"),
        (None, None) => Text::clipped("no trace of it at the exchange"),
    }
}

/// "Reduce-only cannot apply" means that there is nothing left to reduce: never sent again without the flag
/// (spec D9, failures.md F67).
fn already_flat(order: &Order) -> bool {
    order.spec.reduce_only && order.told.ended && order.refusal.is_some_and(|refused| refused.code == 110_017)
}

/// An opening order of which nobody knows whether it exists.
fn is_unknown(order: &Order) -> bool {
    order.state == State::Unknown && !order.spec.reduce_only
}
