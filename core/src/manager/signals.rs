//! A signal's way in: decode, known already?, too old?, into its lane (spec S1 to S7).

use super::durable::{Durable, SignalState, Stage};
use super::turn::Turn;
use crate::command::Receipt;
use crate::config::SellAmountUnit;
use crate::event::Event;
use crate::input::{Delivery, DeliveryId, Prior, RefusedDelivery, TypedDelivery};
use crate::intake::{self, BadSignal, Fault, Signal, Timing};
use crate::outcome::Outcome;
use crate::refusal::Refusal;
use crate::timer::Why;
use crate::unit::{Bytes, Fingerprint, Intent, OrderLinkId, Side, SignalId, Span, Symbol, Text, Timestamp};
use alloc::boxed::Box;
use alloc::vec::Vec;

/// Tries of one signal id, fresh copies after transient failures included (spec S7).
const TRIES_MAX: u8 = 3;
/// A settled signal is remembered this much longer than the oldest copy that could still be taken.
const SIGNAL_MARGIN: Span = Span::secs(600);

/// What is known of a signal id.
enum Known {
    Nothing,
    Same { outcome: Option<Outcome>, tries: u8 },
    Other,
}

/// What a delivery says beside its content.
#[derive(Clone, Copy)]
struct Cover {
    id: DeliveryId,
    prior: Option<Prior>,
}

impl Turn<'_> {
    pub(super) fn signal(&mut self, delivery: &Delivery) {
        let Delivery { id, trace, prior, body } = delivery;
        let cover = Cover { id: *id, prior: *prior };
        match intake::decode(&body.0, trace.as_ref().map(Text::as_str)) {
            Ok(signal) => self.good_signal(cover, &signal),
            Err(bad) => self.bad_signal(cover, bad, body),
        }
    }

    pub(super) fn typed_signal(&mut self, delivery: &TypedDelivery) {
        let TypedDelivery { id, prior, signal } = delivery;
        self.good_signal(Cover { id: *id, prior: *prior }, signal);
    }

    fn bad_signal(&mut self, delivery: Cover, bad: intake::BadSignal, body: &Bytes) {
        let (at, faults) = (self.now(), bad.faults.clone());
        let Some(known) = &bad.known else {
            self.emit(Event::DeadLettered { at, bad: Box::new(bad), body: body.clone() });
            return self.receipt(delivery.id, Receipt::DeadLettered(faults));
        };
        let id = known.id;
        let (invalid, outcome) = (self.m.durable.invalid.contains_key(&id), Outcome::INVALID);
        if invalid || delivery.prior.is_some_and(|prior| prior.outcome == outcome) {
            self.emit(Event::SignalRepeated { signal: id, conflict: false });
            return self.receipt(delivery.id, Receipt::Duplicate(id, Some(outcome)));
        }
        if self.m.durable.signals.contains_key(&id) || delivery.prior.is_some() {
            return self.conflict(delivery, id);
        }
        self.emit(Event::SignalInvalid { at, bad: Box::new(bad) });
        self.remember_signal(id);
        self.receipt(delivery.id, Receipt::Rejected(id, faults));
    }

    /// The store refused a row that this message led to: it is kept as it came, and nothing else of it is (spec S4).
    pub(super) fn refused(&mut self, refused: &RefusedDelivery) {
        let at = self.now();
        let reason = Text::clipped(&alloc::format!("is refused by the database: {}", refused.why));
        let faults = alloc::vec![Fault { field: Text::clipped("body"), value: Text::EMPTY, reason }];
        let bad = Box::new(BadSignal { known: None, faults: faults.clone() });
        self.emit(Event::DeadLettered { at, bad, body: refused.body.clone() });
        self.receipt(refused.id, Receipt::DeadLettered(faults));
    }

    fn conflict(&mut self, delivery: Cover, signal: SignalId) {
        self.emit(Event::SignalRepeated { signal, conflict: true });
        self.receipt(delivery.id, Receipt::Conflict(signal));
    }

    fn good_signal(&mut self, delivery: Cover, signal: &Signal) {
        let tries = match self.known(delivery, signal) {
            Known::Nothing => 1,
            Known::Other => return self.conflict(delivery, signal.id),
            Known::Same { outcome: Some(outcome), tries }
                if outcome.may_be_tried_again() && tries < TRIES_MAX && !self.has_an_order(signal.id) =>
            {
                tries.saturating_add(1)
            }
            Known::Same { outcome, .. } => {
                self.emit(Event::SignalRepeated { signal: signal.id, conflict: false });
                return self.receipt(delivery.id, Receipt::Duplicate(signal.id, outcome));
            }
        };
        if self.is_full(signal) {
            self.emit(Event::IntakePaused { symbol: signal.symbol });
            return self.receipt(delivery.id, Receipt::Paused);
        }
        let (at, timing) = (self.now(), self.judge_at_intake(signal));
        let ahead = match timing {
            Ok(Timing::Ahead(span)) => Some(span),
            Ok(Timing::Good) | Err(_) => None,
        };
        let out_of_order = self.last_in_lane(signal.symbol).is_some_and(|last| signal.timestamp < last);
        let mut accepted = Box::new(*signal);
        accepted.in_base = signal.side == Side::Sell && self.m.config.sell_amount_unit == SellAmountUnit::Base;
        self.emit(Event::SignalAccepted { signal: accepted, at, tries, ahead, out_of_order });
        self.receipt(delivery.id, Receipt::Accepted(signal.id));
        if let Err(refusal) = timing {
            self.reject(signal.id, refusal);
        }
    }

    fn last_in_lane(&self, symbol: Symbol) -> Option<Timestamp> {
        let lane = self.m.durable.lanes.get(&symbol)?;
        let last = lane.waiting.back().copied().or(lane.active)?;
        self.m.durable.signals.get(&last).map(|state| state.signal.timestamp)
    }

    fn known(&self, delivery: Cover, signal: &Signal) -> Known {
        if self.m.durable.invalid.contains_key(&signal.id) {
            return Known::Other;
        }
        if self.m.durable.done_before.contains_key(&signal.id) {
            return Known::Same { outcome: Some(Outcome::Placed), tries: 1 };
        }
        let fingerprint = Fingerprint(signal.fingerprint);
        let (same, outcome, tries) = match (self.m.durable.signals.get(&signal.id), delivery.prior) {
            (Some(SignalState { signal: first, tries, stage, .. }), _) => {
                let outcome = match stage {
                    Stage::Settled { outcome, .. } => Some(*outcome),
                    Stage::Waiting | Stage::Active(_) => None,
                };
                (first.fingerprint == signal.fingerprint, outcome, *tries)
            }
            (None, Some(prior)) => (prior.fingerprint == fingerprint, Some(prior.outcome), prior.tries),
            (None, None) => return Known::Nothing,
        };
        if same { Known::Same { outcome, tries } } else { Known::Other }
    }

    /// Whatever its outcome was: does an order of it live, or has one filled? Then another one would be its second.
    fn has_an_order(&self, signal: SignalId) -> bool {
        let prefix = self.m.config.link_id_prefix;
        let link = |attempt| OrderLinkId::of(prefix, Intent { signal, leg: 0, attempt });
        let mut orders = (0..u8::MAX).map_while(|attempt| self.m.durable.book.get(link(attempt)));
        orders.any(|order| order.state.may_fill() || !order.facts.totals().quantity.is_zero())
    }

    fn is_full(&self, signal: &Signal) -> bool {
        let lanes = &self.m.durable.lanes;
        let waiting = |max: u32, count: usize| count >= usize::try_from(max).unwrap_or(usize::MAX);
        let lane = lanes.get(&signal.symbol).map_or(0, |lane| lane.waiting.len());
        let all = lanes.values().map(|lane| lane.waiting.len()).fold(0_usize, usize::saturating_add);
        waiting(self.m.config.lane_max, lane) || waiting(self.m.config.waiting_max, all)
    }

    /// Age and confidence, as far as intake can judge them: both are judged again when the signal's turn comes. Without the
    /// exchange's clock only then.
    fn judge_at_intake(&self, signal: &Signal) -> Result<Timing, Refusal> {
        let reducing = self.is_reducing(signal);
        let age = self.exchange_now().map(|now| intake::judge_age(signal, now, reducing, &self.m.config));
        let timing = age.transpose()?.unwrap_or(Timing::Good);
        intake::judge_confidence(signal, reducing, &self.m.config)?;
        Ok(timing)
    }

    /// Does it take risk away? An exit does, a sell where shorts are not allowed, and whatever goes against the
    /// position that is held.
    pub(super) fn is_reducing(&self, signal: &Signal) -> bool {
        let position = self.own_position(signal.symbol);
        let against = match signal.side {
            Side::Buy => position < crate::unit::Quantity::ZERO,
            Side::Sell => position.is_positive(),
        };
        signal.is_exit || against || (signal.side == Side::Sell && !self.m.config.allow_short)
    }

    pub(super) fn reject(&mut self, signal: SignalId, refusal: Refusal) {
        self.settle_signal(signal, Outcome::Rejected(refusal.code), refusal.text);
    }

    pub(super) fn settle_signal(&mut self, signal: SignalId, outcome: Outcome, text: Text<200>) {
        let Some(state) = self.m.durable.signals.get(&signal) else { return };
        let symbol = state.signal.symbol;
        let cancelled: Vec<OrderLinkId> = match &state.stage {
            Stage::Active(active) => active.cancelled.clone(),
            Stage::Waiting | Stage::Settled { .. } => Vec::new(),
        };
        let at = self.now();
        let text = match (outcome, cancelled.as_slice()) {
            (Outcome::Rejected(_), [_, ..]) => Text::clipped(&alloc::format!("{text}; had cancelled {cancelled:?}")),
            _ => text,
        };
        self.emit(Event::SignalSettled { signal, outcome, at, text, cancelled });
        self.m.observed.timers.disarm(Why::SignalExpires(signal));
        self.m.observed.unusable.remove(&symbol);
        self.remember_signal(signal);
    }

    /// Sets the time at which a settled signal may be forgotten: once the last word of each of its orders was told, and
    /// nobody wakes for it before.
    pub(super) fn remember_signal(&mut self, signal: SignalId) {
        if !self.has_open_order(signal) {
            let after = self.signal_memory();
            self.arm(Why::ForgetSignal(signal), after);
        }
    }

    /// Is there still something to be told of its orders?
    pub(super) fn has_open_order(&self, signal: SignalId) -> bool {
        self.m.durable.book.live().any(|order| order.spec.intent.signal == signal && !order.told.ended)
    }

    /// How long after its end a signal is remembered.
    pub(super) fn signal_memory(&self) -> Span {
        Span(self.m.config.exit_signal_max_age().0.saturating_add(SIGNAL_MARGIN.0))
    }

    /// From now on the store answers for this id (spec S7). Not while one of its orders lives.
    pub(super) fn forget_signal(&mut self, signal: SignalId) {
        let lives = self.m.durable.book.live().any(|order| order.spec.intent.signal == signal);
        if self.has_settled(signal) && !lives {
            self.emit(Event::SignalForgotten { signal });
        } else {
            self.remember_signal(signal);
        }
    }

    /// The last word of an order was told: its signal may be forgotten in its time.
    pub(super) fn order_ended(&mut self, signal: SignalId) {
        if self.has_settled(signal) {
            self.remember_signal(signal);
        }
    }

    fn has_settled(&self, signal: SignalId) -> bool {
        let Durable { signals, invalid, done_before, .. } = &self.m.durable;
        match signals.get(&signal) {
            Some(state) => matches!(state.stage, Stage::Settled { .. }),
            None => invalid.contains_key(&signal) || done_before.contains_key(&signal),
        }
    }
}
