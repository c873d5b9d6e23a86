//! One step in the making: emit events, arm timers, send what may be sent.

use super::Manager;
use super::Step;
use super::observed::{Clock, Observed};
use crate::bybit::Request;
use crate::command::{Command, Outgoing, Receipt};
use crate::event::{CreateAnswer, Event};
use crate::input::{Budgets, DeliveryId, Question, Resumed, Started, Tag};
use crate::order::State;
use crate::pace::{Pace, Urgency};
use crate::timer::Why;
use crate::unit::{ExchangeTime, OrderLinkId, Span, Symbol, Text, Timestamp};
use alloc::boxed::Box;
use alloc::vec::Vec;

/// Rounds of "timers, lanes, requests" that one step may take: far more than any input can cause.
const ROUNDS_MAX: u32 = 10_000;
/// Longer than any adapter waits for an answer.
const ANSWER_MAX: Span = Span::secs(15);

pub(super) struct Turn<'a> {
    pub(super) m: &'a mut Manager,
    pub(super) out: &'a mut Step,
}

impl Turn<'_> {
    pub(super) fn now(&self) -> Timestamp {
        self.m.now
    }

    /// Adds an event and folds it in at once: so the fold of events is the state, by construction.
    pub(super) fn emit(&mut self, event: Event) {
        self.m.durable.apply(&event);
        self.out.events.push(event);
    }

    pub(super) fn defect(&mut self, symbol: Option<Symbol>, what: &str) {
        self.emit(Event::Defect { symbol, what: Text::clipped(what) });
    }

    pub(super) fn receipt(&mut self, delivery: DeliveryId, receipt: Receipt) {
        self.out.commands.push(Command::Settle { delivery, receipt });
    }

    pub(super) fn arm(&mut self, why: Why, after: Span) {
        let at = self.now().after(after);
        self.m.observed.timers.arm(why, at);
    }

    /// Exchange time now, where the clock is known.
    pub(super) fn exchange_now(&self) -> Option<ExchangeTime> {
        self.m.observed.clock.map(|Clock { offset, .. }| self.now().at_exchange(offset))
    }

    /// A life begins: what was observed is forgotten but for what was spent, what was being sent is Unknown, everything is
    /// asked for.
    pub(super) fn started(&mut self, started: &Started) {
        self.m.config = started.config.clone();
        self.emit(Event::Started { life: started.life });
        let why = Text::clipped("the process ended before the answer came");
        let at = self.now();
        for (link, state) in self.live_orders() {
            if state == State::Sending {
                self.emit(Event::OrderAnswered { link, answer: CreateAnswer::Unknown { why }, at });
            }
        }
        let spent = self.m.spent().clone();
        self.resume(&[], Pace::resumed(Budgets { spent, ..Budgets::default() }));
    }

    /// The volatile state is dropped; requests that are out may still be answered.
    pub(super) fn checkpointed(&mut self, resumed: &Resumed) {
        self.m.config = resumed.config.clone();
        let budgets = Budgets { spent: self.m.spent().clone(), ..resumed.budgets.clone() };
        self.resume(&resumed.out, Pace::resumed(budgets));
        if resumed.stream_up {
            self.stream_up();
        }
    }

    /// Takes up the work anew from the durable state and the budgets alone.
    fn resume(&mut self, out: &[(Tag, Timestamp)], pace: Pace) {
        let epoch = u32::try_from(self.m.seq.0 & u64::from(u32::MAX)).unwrap_or(u32::MAX);
        self.m.observed = Observed { epoch, touched: self.now(), pace, ..Observed::default() };
        for (tag, asked_at) in out {
            self.m.observed.out.sent(*tag, *asked_at);
            self.m.observed.timers.arm(Why::Overdue(*tag), asked_at.after(ANSWER_MAX));
        }
        for (link, state) in self.live_orders() {
            if self.m.durable.book.get(link).is_some_and(|order| order.cancel.is_some()) {
                self.arm(Why::RetryCancel(link), Span::ZERO);
            }
            match state {
                State::Intended => self.arm(Why::RetryCreate(link), Span::ZERO),
                State::Sending => self.arm(Why::Overdue(Tag::Create(link)), ANSWER_MAX), // its answer may be on its way
                State::Unknown => self.start_inquiry(link),
                _ => self.tell(link),
            }
        }
        let unexplained: Vec<OrderLinkId> = self.m.durable.book.unexplained().map(|order| order.spec.link).collect();
        unexplained.into_iter().for_each(|link| self.start_inquiry(link));
        self.rearm_memory();
        self.doubt_still();
        self.arm_note();
        self.ask(Tag::Clock);
    }

    /// Something happened to an order of this symbol: readings from before are stale.
    pub(super) fn touch(&mut self, symbol: Symbol) {
        self.m.observed.touched = self.now();
        self.m.observed.touched_on.insert(symbol, self.m.now);
    }

    pub(super) fn touch_order(&mut self, link: OrderLinkId) {
        if let Some(symbol) = self.m.durable.book.get(link).map(|order| order.spec.symbol) {
            self.touch(symbol);
        }
    }

    pub(super) fn live_orders(&self) -> Vec<(OrderLinkId, State)> {
        self.m.durable.book.live().map(|order| (order.spec.link, order.state)).collect()
    }

    /// Works until nothing more follows: timers that are due, lanes that can move, requests that have room.
    pub(super) fn settle(&mut self) {
        for _ in 0..ROUNDS_MAX {
            let timer = self.m.observed.timers.pop_due(self.now());
            let progress = match timer {
                Some(why) => {
                    self.due(why);
                    true
                }
                None => self.advance_lanes(),
            };
            if !progress && !self.pump() {
                return;
            }
        }
        self.defect(None, "a step did not come to rest");
    }

    fn due(&mut self, why: Why) {
        match why {
            Why::Pace => {} // lanes and requests are looked at in every step
            Why::SignalExpires(signal) => self.expire_create(signal),
            Why::Inquire(link) => self.start_inquiry(link),
            Why::NextRound(link) => self.next_round(link),
            Why::Explain(link) => self.explain_overdue(link),
            Why::RetryCancel(link) => self.send_cancel(link),
            Why::RetryCreate(link) => self.retry_create(link),
            Why::RetryAsk(tag) => self.retry_ask(tag),
            Why::Overdue(tag) => self.arm(Why::Lost(tag), ANSWER_MAX),
            Why::Lost(tag) => self.lost(tag),
            Why::Sweep | Why::ExplainPosition => self.start_sweep(),
            Why::NotePositions => self.note_positions(),
            Why::ForgetSignal(signal) => self.forget_signal(signal),
            Why::ForgetOrder(link) => self.forget_order(link),
        }
    }

    pub(super) fn queue(&mut self, urgency: Urgency, tag: Tag, request: Request) {
        self.m.observed.pace.queue(urgency, tag, request);
    }

    /// Sends what the budgets allow. Nothing that is signed goes before the exchange's clock is known, but for cancels
    /// where it was known once. True where an order waited here for too long: its lane can move.
    fn pump(&mut self) -> bool {
        if self.m.observed.clock.is_none() {
            self.send_clock_question();
            self.send_cancels_in_doubt();
            return false;
        }
        let (now, mut expired) = (self.now(), false);
        while let Some((tag, request)) = self.m.observed.pace.take(now) {
            match tag {
                Tag::Create(link) if !self.may_go(link) => expired = true,
                _ => self.send(tag, request),
            }
        }
        match self.m.observed.pace.next(now) {
            Some(at) => self.m.observed.timers.arm(Why::Pace, at),
            None => self.m.observed.timers.disarm(Why::Pace),
        }
        expired
    }

    fn send_clock_question(&mut self) {
        let (now, pace) = (self.now(), &mut self.m.observed.pace);
        if !pace.is_waiting(Tag::Clock) {
            return;
        }
        let open_at = pace.open_at(now);
        if open_at > now {
            return self.m.observed.timers.arm(Why::Pace, open_at);
        }
        pace.withdraw(Tag::Clock);
        self.send(Tag::Clock, Request::ServerTime);
    }

    /// A cancel does no harm whenever it arrives. Where the last reading of the exchange's clock is in doubt, and a better
    /// one may be long in coming, it goes by that: at worst it is refused again.
    fn send_cancels_in_doubt(&mut self) {
        if self.m.observed.doubted_clock.is_none() {
            return;
        }
        let now = self.now();
        while let Some((tag, request)) = self.m.observed.pace.take_cancel(now) {
            self.send(tag, request);
        }
        if let Some(at) = self.m.observed.pace.next_cancel(now) {
            self.m.observed.timers.arm(Why::Pace, at);
        }
    }

    fn send(&mut self, tag: Tag, request: Request) {
        let clock = self.m.observed.clock.or(self.m.observed.doubted_clock);
        let signed_at = clock.map(|clock| self.now().at_exchange(clock.offset)).unwrap_or_default();
        if let Tag::Create(link) = tag {
            self.emit(Event::OrderSent { link, signed_at });
            self.touch_order(link);
        }
        if let Tag::Inquiry { link, .. } = tag {
            self.inquiry_sent(link, signed_at);
        }
        self.m.observed.pace.spend(request.operation(), self.m.now);
        self.m.observed.out.sent(tag, self.m.now);
        self.arm(Why::Overdue(tag), ANSWER_MAX);
        let recv_window_ms = u32::try_from(self.m.config.recv_window_ms).unwrap_or(u32::MAX);
        self.out.commands.push(Command::Send(Outgoing { tag, signed_at, recv_window_ms, request }));
    }

    /// Asks Position Manager: no budget and no clock stand in the way.
    pub(super) fn consult(&mut self, question: Question) {
        let tag = Tag::Consult(question);
        self.m.observed.out.sent(tag, self.m.now);
        self.arm(Why::Overdue(tag), ANSWER_MAX);
        self.out.commands.push(Command::Consult(question));
    }

    /// An adapter that never answered: the request counts as lost. It may have left long after it was decided, where the
    /// disk was slow or the process stood still; but whoever finds it overdue is at work again, and from then on it has
    /// the adapter's whole time. An answer that came after this would pass for the answer to the next question.
    fn lost(&mut self, tag: Tag) {
        let answer = crate::input::Answer::Lost { why: Text::clipped("no answer in time") };
        self.reply(tag, &Box::new(answer));
    }
}
