//! Open orders that are not ours, as the manager was shown them: from then on they count as filled (spec K1).

use super::bench::Scene;
use crate::exchange::{Order, Truth};
use order_manager_core::Step;
use order_manager_core::bybit::{Operation, OrderRow, Push, PushRows, Reply, push, rest};
use order_manager_core::event::Event;
use order_manager_core::input::{Answer, Input, Stream, Tag};
use order_manager_core::unit::{Decimal, ExchangeOrderId, ExchangeTime, Quantity, Span, Timestamp};
use std::collections::BTreeMap;

/// Two reconciles that began so far apart, and did not list an order, may be believed: what filled of it last is in the views
/// of the position by then.
const MISSED: Span = Span::secs(60);
/// When a reconcile began is told as well as the exchange's clock is known.
const UNSURE: Span = Span::secs(1);

#[derive(Clone, Debug, Default)]
pub(super) struct Strangers {
    /// Has anybody else ever placed an order here? Until then nothing is read.
    any: bool,
    shown: BTreeMap<ExchangeOrderId, Shown>,
}

/// What was shown of one.
#[derive(Clone, Debug)]
struct Shown {
    /// Since when it counts.
    since: Timestamp,
    /// Since when it does not any more: it was shown to have ended, or missed twice.
    until: Option<Timestamp>,
    /// When it was last shown, and in which reconcile.
    last: (ExchangeTime, Option<u32>),
    /// When the first reconcile began that did not list it since.
    missed: Option<ExchangeTime>,
    /// What of it had filled, as it was shown then.
    filled: Vec<(Timestamp, Quantity)>,
}

impl Strangers {
    /// An order of another was placed.
    pub(super) const fn placed(&mut self) {
        self.any = true;
    }

    /// What was observed is gone.
    pub(super) fn forget(&mut self) {
        self.shown.clear();
    }

    /// Takes what this step was shown.
    pub(super) fn stepped(&mut self, scene: Scene<'_>, input: &Input, step: &Step) {
        if !self.any {
            return;
        }
        let run = match input {
            Input::Reply { tag: Tag::Sweep { run, .. }, .. } => Some(*run),
            Input::Checkpointed(_) => return self.forget(),
            _ => None,
        };
        rows(input, |row| self.row(scene, run, row));
        for event in &step.events {
            if let (Event::Reconciled { until, .. }, Some(run)) = (event, run) {
                self.reconciled(scene.now, run, *until);
            }
        }
    }

    fn row(&mut self, scene: Scene<'_>, run: Option<u32>, row: &OrderRow) {
        let order = scene.exchange.truth().order_by_id(row.order_id);
        if order.is_none_or(Order::is_ours) {
            return;
        }
        let (now, last) = (scene.now, (scene.clock(), run));
        let new = Shown { since: now, until: None, last, missed: None, filled: Vec::new() };
        let shown = self.shown.entry(row.order_id).or_insert(new);
        if shown.until.take().is_some() {
            shown.since = now; // it was believed to be gone
        }
        shown.filled.push((now, row.cum_quantity));
        shown.until = row.status.is_terminal().then_some(now);
        (shown.last, shown.missed) = (last, None);
    }

    /// A reconcile ended that had begun at `began` or a little later.
    fn reconciled(&mut self, now: Timestamp, run: u32, began: ExchangeTime) {
        for shown in self.shown.values_mut().filter(|shown| shown.until.is_none()) {
            let (at, by) = shown.last;
            if by != Some(run) && at < began.after(UNSURE) {
                let missed = *shown.missed.get_or_insert(began);
                shown.until = (began.after(UNSURE).since(missed) >= MISSED).then_some(now);
            }
        }
    }

    /// Did the manager know of this order when it decided then?
    pub(super) fn counts(&self, order: &Order, decided: Timestamp) -> bool {
        let shown = self.shown.get(&order.id());
        shown.is_some_and(|shown| shown.since < decided && shown.until.is_none_or(|until| until > decided))
    }

    /// When its order's row first told of this trade.
    pub(super) fn told(&self, truth: &Truth, trade: u64) -> Option<Timestamp> {
        let order = truth.orders.get(truth.executions.get(trade as usize)?.order as usize)?;
        let until_then = truth.executions_of(order).take_while(|of| of.number <= trade);
        let filled: Decimal = until_then.map(|of| of.quantity.0).sum();
        let shown = self.shown.get(&order.id())?;
        shown.filled.iter().find(|(_, cum)| cum.0 >= filled).map(|(at, _)| *at)
    }
}

/// Every row of an order in it that can be read.
fn rows(input: &Input, mut each: impl FnMut(&OrderRow)) {
    match input {
        Input::Stream(stream) => match &**stream {
            Stream::Typed(push) => pushed(push, each),
            Stream::Frame(bytes) if names_orders(&bytes.0) => {
                if let Ok(push) = push::decode(&bytes.0) {
                    pushed(&push, each);
                }
            }
            _ => {}
        },
        Input::Reply { tag: Tag::Sweep { .. }, answer } => {
            let decoded;
            let reply = match &**answer {
                Answer::Typed(reply) => reply,
                Answer::Http { status, limits, body } if names_orders(&body.0) => {
                    decoded = rest::decode(Operation::OpenOrders, *status, *limits, &body.0);
                    &decoded
                }
                _ => return,
            };
            if let Ok(Reply::Orders(page)) = &reply.result {
                page.rows.iter().for_each(&mut each);
            }
        }
        _ => {}
    }
}

fn pushed(push: &Push, each: impl FnMut(&OrderRow)) {
    if let PushRows::Orders(rows) = &push.rows {
        rows.iter().for_each(each);
    }
}

/// Rows of orders alone tell a status.
fn names_orders(bytes: &[u8]) -> bool {
    String::from_utf8_lossy(bytes).contains("\"orderStatus\"")
}
