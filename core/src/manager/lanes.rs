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
        let mut moved = false;
        let mut next = self.m.durable.lanes.keys().next().copied();
        while let Some(symbol) = next {
            moved |= self.advance(symbol);
            let mut rest = self.m.durable.lanes.range((Excluded(symbol), Unbounded));
            next = rest.next().map(|(symbol, _)| *symbol);
        }
        moved
    }

    fn advance(&mut self, symbol: Symbol) -> bool {
        let Some(lane) = self.m.durable.lanes.get(&symbol) else { return false };
        let (active, passing, next) = (lane.active, lane.passing, lane.waiting.front().copied());
        let starts = match (active, next) {
            (None, Some(next)) => Some(next),
            (Some(active), Some(next)) if passing.is_none() && self.may_pass(next, active) => Some(next),
            _ => None,
        };
        if let Some(signal) = starts.filter(|_| !self.m.observed.stopping) {
            self.start_signal(signal);
            return true;
        }
        let mut moved = false;
        for signal in active.into_iter().chain(passing) {
            moved |= self.advance_signal(signal);
        }
        moved
    }

    /// What can only reduce does not wait for the proof of an opening order that is Unknown (spec S5).
    fn may_pass(&self, next: SignalId, active: SignalId) -> bool {
        let signals = &self.m.durable.signals;
        let unknown = match signals.get(&active).map(|state| &state.stage) {
            Some(Stage::Active(Active { order: Some(link), .. })) => {
                self.m.durable.book.get(*link).is_some_and(is_unknown)
            }
            _ => false,
        };
        unknown && signals.get(&next).is_some_and(|state| self.can_only_reduce(&state.signal))
    }

    fn start_signal(&mut self, id: SignalId) {
        let Some(state) = self.m.durable.signals.get(&id) else { return };
        let (signal, waited_for) = (state.signal.clone(), self.lane_last(state.signal.symbol));
        self.emit(Event::SignalStarted { signal: id });
        if let Err(refusal) = self.judge_turn(&signal, waited_for) {
            return self.reject(id, refusal);
        }
        self.arm_expiry(&signal);
    }

    fn lane_last(&self, symbol: Symbol) -> Option<OrderLinkId> {
        self.m.durable.lanes.get(&symbol).and_then(|lane| lane.last)
    }

    /// The age again, now that its turn has come (spec S6).
    fn judge_turn(&self, signal: &Signal, waited_for: Option<OrderLinkId>) -> Result<(), Refusal> {
        let Some(now) = self.exchange_now() else { return Ok(()) };
        intake::judge_age(signal, now, self.is_reducing(signal), &self.m.config).map(|_| ()).map_err(|late| {
            match waited_for {
                Some(link) => {
                    Refusal::new(Code::ExpiredWaiting, format_args!("{} while it waited for order {link}", late.text))
                }
                None => late,
            }
        })
    }

    /// A timer at the end of the signal's time, so that it does not wait for ever for an answer.
    fn arm_expiry(&mut self, signal: &Signal) {
        let Some(now) = self.exchange_now() else { return };
        let config = &self.m.config;
        let max = if self.is_reducing(signal) { config.exit_signal_max_age() } else { config.signal_max_age() };
        let end = calendar::to_exchange(signal.timestamp).after(max).after(Span::millis(1));
        self.arm(Why::SignalExpires(signal.id), end.since(now));
    }

    fn advance_signal(&mut self, id: SignalId) -> bool {
        let Some(SignalState { signal, stage: Stage::Active(active), .. }) = self.m.durable.signals.get(&id) else {
            return false;
        };
        match active.order.and_then(|link| self.m.durable.book.get(link)) {
            Some(order) => match outcome_of(order) {
                Some(outcome) => self.settle_placed(id, order.clone(), outcome),
                None => false,
            },
            None => {
                let (signal, active) = (signal.clone(), active.clone());
                self.advance_deciding(&signal, &active)
            }
        }
    }

    fn settle_placed(&mut self, id: SignalId, order: Order, outcome: Result<&'static str, Code>) -> bool {
        match outcome {
            Ok(word) => {
                let text = Text::clipped(&alloc::format!("order {} {word}", order.spec.link));
                self.settle_signal(id, Outcome::Placed, text);
            }
            Err(code) => {
                let why = self.ending_words(&order);
                self.reject(id, Refusal::new(code, format_args!("order {}: {why}", order.spec.link)));
            }
        }
        true
    }

    fn ending_words(&self, order: &Order) -> Text<160> {
        match (order.refusal, order.facts.ending) {
            (Some(refused), _) => refused.text,
            (None, Some(ending)) => Text::clipped(&alloc::format!("{} {}", ending.cancel_type, ending.reject_reason)),
            (None, None) if order.state == State::Expired => Text::clipped("never sent before its signal expired"),
            (None, None) => Text::clipped("no trace of it at the exchange"),
        }
    }

    fn advance_deciding(&mut self, signal: &Signal, active: &Active) -> bool {
        if self.m.observed.stopping {
            return false; // the next life decides
        }
        if active.crossed > REPRICES_MAX {
            let text = format_args!("would have taken at {} prices in a row", active.crossed);
            self.reject(signal.id, Refusal::new(Code::NotExecuted, text));
            return true;
        }
        if let Err(late) = self.judge_turn(signal, None) {
            let code = if self.m.observed.synced { Code::DataStale } else { Code::ExchangeUnavailable };
            self.reject(signal.id, Refusal::new(code, format_args!("no decision in time: {}", late.text)));
            return true;
        }
        if let Some(refusal) = self.m.observed.unusable.get(&signal.symbol).copied() {
            self.reject(signal.id, refusal);
            return true;
        }
        let waits = self.waits_for_orders(signal) || self.waits_for_its_turn(signal);
        if !self.m.observed.synced || waits || !self.fresh(signal) {
            if !self.m.observed.timers.is_armed(Why::SignalExpires(signal.id)) {
                self.arm_expiry(signal);
            }
            return false;
        }
        self.decide(signal, active)
    }

    /// One that passed the active signal because it could only reduce, and cannot any more: the position is another one
    /// than when it started. It opens when the active one is settled, as it would have without passing.
    fn waits_for_its_turn(&self, signal: &Signal) -> bool {
        self.passes(signal) && !self.can_only_reduce(signal)
    }

    fn passes(&self, signal: &Signal) -> bool {
        self.m.durable.lanes.get(&signal.symbol).is_some_and(|lane| lane.passing == Some(signal.id))
    }

    /// Orders of the symbol whose state is not certain, or whose cancel is not proven yet (spec D2).
    fn waits_for_orders(&self, signal: &Signal) -> bool {
        let passes = self.passes(signal);
        self.m.durable.book.live_of(signal.symbol).filter(|order| !(passes && is_unknown(order))).any(|order| {
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
        let useless = order.cancel.is_none() || !order.state.may_fill() || self.m.observed.out.contains_key(&tag);
        if !useless {
            let (category, symbol) = (crate::unit::Category::Linear, order.spec.symbol);
            self.queue(
                Urgency::Cancel,
                tag,
                Request::Cancel(crate::bybit::Cancel { category, symbol, link, order_id }),
            );
        }
    }

    /// An intended order goes (again), until its signal's time is over (spec O2).
    pub(super) fn retry_create(&mut self, link: OrderLinkId) {
        if self.exchange_now().is_none() {
            self.ask(Tag::Clock);
            return self.arm(Why::RetryCreate(link), Span::millis(200));
        }
        if !self.may_go(link) {
            return;
        }
        if let Some(create) = self.m.durable.book.get(link).map(|order| order.spec.create()) {
            let urgency = if create.reduce_only { Urgency::Reduce } else { Urgency::Open };
            self.queue(urgency, Tag::Create(link), Request::Create(create));
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

/// "Reduce-only cannot apply" means that there is nothing left to reduce: never sent again without the flag
/// (spec D9, failures.md F67).
fn already_flat(order: &Order) -> bool {
    order.spec.reduce_only && order.told.ended && order.refusal.is_some_and(|refused| refused.code == 110_017)
}

/// An opening order of which nobody knows whether it exists.
fn is_unknown(order: &Order) -> bool {
    order.state == State::Unknown && !order.spec.reduce_only
}
