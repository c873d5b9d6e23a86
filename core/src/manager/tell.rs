//! What the world is told of an order, and when (spec E1, E2): created at the first evidence of acceptance,
//! each fill as an increment, then the end. Positions are booked from exactly what is told.

use super::durable::{Durable, Stage};
use super::turn::Turn;
use crate::bybit::{OrderKind, TimeInForce};
use crate::event::{Change, Event, Told};
use crate::input::Tag;
use crate::order::{Order, State, Status, Totals};
use crate::timer::Why;
use crate::unit::{ExecId, OrderLinkId, SignalId, Span, Text, Timestamp};
use alloc::boxed::Box;
use alloc::collections::BTreeMap;
use alloc::vec::Vec;

/// How long executions may follow after the row that reports them, before the row alone is booked.
const EXECUTIONS_GRACE: Span = Span::millis(250);
/// An ended order is remembered at least this long: late fills find it.
const ORDER_MEMORY: Span = Span::secs(25 * 3_600);
/// While the exchange cannot be asked nothing is forgotten; it is tried again this much later.
const FORGET_AGAIN: Span = Span::secs(600);
/// What should have been forgotten while nobody was there goes this long after a start, and so far apart.
const OVERDUE_AFTER: Span = Span::secs(5);
const OVERDUE_EVERY: Span = Span::millis(10);
/// `rejectReason` of a PostOnly order that would have taken (bybit-v5.md 2.1).
const CROSSED: &str = "EC_PostOnlyWillTakeLiquidity";

impl Turn<'_> {
    pub(super) fn tell(&mut self, link: OrderLinkId) {
        while let Some(told) = self.next_to_tell(link) {
            let (last, crossed) = (told.last, told.crossed);
            let Some(order) = self.m.durable.book.get(link) else { return };
            let (symbol, signal) = (order.spec.symbol, order.spec.intent.signal);
            self.emit(Event::OrderTold(Box::new(told)));
            self.touch(symbol);
            if last {
                self.arm(Why::ForgetOrder(link), ORDER_MEMORY);
                self.order_ended(signal);
            }
            if crossed {
                self.m.observed.quotes.remove(&symbol); // it led across; the next price is made of a new one
            }
        }
    }

    fn next_to_tell(&mut self, link: OrderLinkId) -> Option<Told> {
        let order = self.m.durable.book.get(link)?;
        let accepted = order.facts.order_id.is_some() || order.state == State::AgedOut;
        if accepted && !order.told.created {
            return Some(self.told(order, Change::Created, false, Totals::default()));
        }
        let totals = order.facts.totals();
        if totals.quantity > order.told.totals.quantity {
            let graced = self.m.observed.overdue_executions.contains(&link);
            if !order.facts.explained() && !graced {
                if !self.m.observed.timers.is_armed(Why::Explain(link)) {
                    self.arm(Why::Explain(link), EXECUTIONS_GRACE);
                }
                return None;
            }
            let whole = order.is_filled_whole();
            let change = if whole { Change::Filled } else { Change::PartiallyFilled };
            return Some(self.told(order, change, whole, order.untold()));
        }
        if order.state.may_fill() || order.told.ended {
            return None;
        }
        let change = match order.status() {
            Status::Rejected => Change::Rejected,
            // The exchange made it smaller, and its fills were told as parts of the larger one: nothing was cancelled.
            Status::Filled if order.is_filled_whole() => Change::Modified,
            _ => Change::Cancelled,
        };
        Some(self.told(order, change, true, Totals::default()))
    }

    fn told(&self, order: &Order, change: Change, last: bool, increment: Totals) -> Told {
        let by_rows = order.inherited && !increment.quantity.is_zero();
        let totals = if by_rows { order.facts.totals() } else { order.told.totals.plus(increment) };
        let exec_ids = if increment.quantity.is_zero() { Vec::new() } else { self.unnamed_executions(order) };
        let post_only = matches!(order.spec.kind, OrderKind::Limit { time_in_force: TimeInForce::PostOnly, .. });
        let crossed_word = order.facts.ending.is_some_and(|e| e.reject_reason.as_str() == CROSSED);
        Told {
            link: order.spec.link,
            change,
            status: order.status(),
            order_id: order.order_id(),
            quantity: order.quantity(),
            price: order.facts.terms.map_or(Some(order.spec.price), |terms| terms.price),
            increment,
            exec_ids,
            totals,
            reason: if matches!(change, Change::Cancelled | Change::Rejected) { reason(order) } else { Text::EMPTY },
            last,
            crossed: change == Change::Cancelled && post_only && crossed_word && totals.quantity.is_zero(),
            at: self.now(),
        }
    }

    /// Executions that no earlier event named, in the order of their ids.
    fn unnamed_executions(&self, order: &Order) -> Vec<ExecId> {
        order.facts.fills.keys().filter(|id| !order.told.named.contains(*id)).copied().collect()
    }

    /// The grace is over: the row is booked as it stands, and the executions are asked for.
    pub(super) fn explain_overdue(&mut self, link: OrderLinkId) {
        if self.m.durable.book.get(link).is_some_and(|order| !order.facts.explained()) {
            self.m.observed.overdue_executions.insert(link);
            self.start_inquiry(link);
        }
        self.tell(link);
        self.m.observed.overdue_executions.remove(&link);
    }

    /// After a restart or a checkpoint: when what is remembered may be forgotten. Reckoned from the durable moment at
    /// which it ended, so that lives shorter than memory is long forget too.
    pub(super) fn rearm_memory(&mut self) {
        let Durable { book, signals, invalid, done_before, .. } = &self.m.durable;
        let orders = book.iter().filter(|order| order.told.ended).map(|order| {
            let ended = order.ended_at.unwrap_or(order.spec.at);
            (ended.after(ORDER_MEMORY), Why::ForgetOrder(order.spec.link))
        });
        let mut ends: BTreeMap<SignalId, Timestamp> = BTreeMap::new();
        for order in book.iter().filter(|order| order.told.ended) {
            let end = ends.entry(order.spec.intent.signal).or_default();
            *end = order.ended_at.unwrap_or(order.spec.at).max(*end);
        }
        let end_of = |id: &SignalId| ends.get(id).copied().unwrap_or_default();
        let settled = signals.iter().filter_map(|(id, state)| match state.stage {
            Stage::Settled { at, .. } if !self.has_open_order(*id) => Some((*id, at.max(end_of(id)))),
            Stage::Settled { .. } | Stage::Waiting | Stage::Active(_) => None,
        });
        let others = invalid.iter().chain(done_before).map(|(id, at)| (*id, *at));
        let signals = settled.chain(others).map(|(id, at)| (at.after(self.signal_memory()), Why::ForgetSignal(id)));
        let mut all: Vec<(Timestamp, Why)> = orders.chain(signals).collect();
        all.sort_unstable();
        // What is overdue goes one after another once everything has been asked for, and not all in one step.
        let mut earliest = self.now().after(OVERDUE_AFTER);
        for (at, why) in all {
            let at = at.max(earliest);
            self.m.observed.timers.arm(why, at);
            earliest = earliest.max(if at == earliest { at.after(OVERDUE_EVERY) } else { earliest });
        }
    }

    /// Forgets an ended order, but not before every execution of its time has been asked for.
    pub(super) fn forget_order(&mut self, link: OrderLinkId) {
        if !self.m.observed.synced {
            return self.arm(Why::ForgetOrder(link), FORGET_AGAIN); // the gap may hold a fill of it
        }
        let Some(order) = self.m.durable.book.get(link) else { return };
        let last_fill = order.facts.fills.values().map(|fill| fill.time).max().max(order.signed_at);
        let reconciled = last_fill <= self.m.durable.reconciled_until;
        let over = order.told.ended && !order.state.may_fill(); // told whole by its fills, it may still show as open
        if over && order.facts.explained() && reconciled {
            self.emit(Event::OrderForgotten { link });
            [Tag::Create(link), Tag::Cancel(link)].iter().for_each(|tag| _ = self.m.observed.failures.remove(tag));
        } else {
            self.arm(Why::ForgetOrder(link), ORDER_MEMORY);
        }
    }
}

/// Why an order ended without filling whole, for people.
fn reason(order: &Order) -> Text<160> {
    let text = match (order.state, order.facts.ending, order.cancel) {
        (State::Refused, ..) => return order.refusal.map(|refused| refused.text).unwrap_or_default(),
        (State::Absent, ..) => "proven absent at the exchange",
        (State::AgedOut, ..) => "closed outside the exchange's memory, without a fill",
        (State::Expired, ..) => "never sent before its signal expired",
        (_, Some(ending), asked) => {
            let why = asked.map_or("", crate::order::CancelReason::as_str);
            let words = Text::<160>::written(format_args!("{} {} {why}", ending.cancel_type, ending.reject_reason));
            return Text::clipped(words.as_str().trim());
        }
        _ => "",
    };
    Text::clipped(text)
}
