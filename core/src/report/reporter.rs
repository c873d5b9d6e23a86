//! Which events of the journal are published, and as what.

use super::message::{Conditions, Details, FillPart, OrderEvent, OrderPart, SignalPart};
use super::spelling::{Naive, OrderId, OrderType, Percent, Reason, Seconds};
use super::{UNUSABLE, event_id, id_of, row_id};
use crate::bybit::ExecutionRow;
use crate::event::{Change, Event, Seq, Told};
use crate::intake::{BadSignal, Signal};
use crate::order::{Spec, Status};
use crate::outcome::Outcome;
use crate::refusal::Refusal;
use crate::unit::{OrderLinkId, Quantity, Side, SignalId, Symbol, Timestamp, TraceId};
use alloc::boxed::Box;
use alloc::collections::BTreeMap;
use serde::{Deserialize, Serialize};

/// Follows the journal and tells what is to be published. What it remembers can be stored with a checkpoint.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(from = "Stored")]
pub struct Reporter {
    signals: BTreeMap<SignalId, Box<Signal>>,
    orders: BTreeMap<OrderLinkId, Spec>,
    /// Orders of the service before us keep the ids of their rows, and their traces.
    inherited: BTreeMap<OrderLinkId, (SignalId, TraceId)>,
    /// How many of `orders` each signal has, where it has any.
    #[serde(skip_serializing)]
    counts: BTreeMap<SignalId, u32>,
}

impl Reporter {
    /// Takes the `index`th event of record `seq`; gives what it publishes.
    pub fn follow(&mut self, seq: Seq, index: u32, event: &Event) -> Option<OrderEvent> {
        self.remember(event);
        let id = || event_id(seq, index);
        match event {
            Event::SignalInvalid { at, bad } => invalid(id(), *at, bad),
            Event::ForeignExecuted { row, at, .. } => Some(foreign(id(), row, *at)),
            Event::OrderTold(told) => self.order_event(id(), told),
            Event::SignalSettled { signal, outcome: Outcome::Rejected(code), at, text, .. } => {
                self.rejected(id(), *signal, *at, Refusal { code: *code, text: *text })
            }
            _ => None,
        }
    }

    fn remember(&mut self, event: &Event) {
        match event {
            Event::SignalAccepted { signal, .. } => _ = self.signals.insert(signal.id, signal.clone()),
            Event::SignalForgotten { signal } => _ = self.signals.remove(signal),
            Event::OrderIntended { spec } => self.add(**spec),
            Event::OrderInherited { link, order } => {
                self.add(order.spec(*link));
                self.inherited.insert(*link, (order.id, order.trace));
            }
            Event::OrderForgotten { link } => {
                self.remove(*link);
                self.inherited.remove(link);
            }
            _ => {}
        }
    }

    fn add(&mut self, spec: Spec) {
        self.remove(spec.link);
        let count = self.counts.entry(spec.intent.signal).or_default();
        *count = count.saturating_add(1);
        self.orders.insert(spec.link, spec);
    }

    fn remove(&mut self, link: OrderLinkId) {
        let Some(spec) = self.orders.remove(&link) else { return };
        let signal = spec.intent.signal;
        if let Some(count) = self.counts.get_mut(&signal) {
            *count = count.saturating_sub(1);
            if *count == 0 {
                self.counts.remove(&signal);
            }
        }
    }

    fn order_event(&self, id: SignalId, told: &Told) -> Option<OrderEvent> {
        let spec = self.orders.get(&told.link)?;
        let (signal, inherited) = (self.signal(spec.intent.signal), self.inherited.get(&told.link));
        let trace = signal.map(|signal| signal.trace).or(inherited.map(|(_, trace)| *trace));
        let (is_fill, now) = (!told.increment.quantity.is_zero(), Naive(told.at));
        let (fee, average_price) = (told.increment.fee, told.increment.average_price());
        let order = OrderPart {
            id: inherited.map_or_else(|| row_id(told.link), |(row, _)| *row),
            order_id: told.order_id.map_or(OrderId::Link(told.link), OrderId::Exchange),
            signal_id: spec.intent.signal,
            asset: spec.symbol,
            side: spec.side,
            order_type: if spec.is_limit() { OrderType::Limit } else { OrderType::Market },
            quantity: told.quantity,
            price: told.price.filter(|_| spec.is_limit()),
            status: told.status,
            filled_quantity: told.increment.quantity,
            average_price,
            fees: Some(fee).filter(|fee| is_fill && !fee.is_zero()),
            created_at: Naive(spec.at),
            updated_at: now,
            executed_at: Some(now).filter(|_| told.change == Change::Filled),
            is_dry_run: false,
        };
        let details = Details {
            execution_latency_seconds: is_fill.then(|| Seconds(told.at.since(spec.at))),
            fill_percentage: Percent { part: told.totals.quantity, whole: told.quantity },
            remaining_quantity: told.quantity.minus(told.totals.quantity).unwrap_or_default(),
        };
        let reason = |of| Some(told.reason).filter(|reason| told.change == of && !reason.is_empty());
        Some(OrderEvent {
            event_id: id,
            event_type: told.change,
            timestamp: now,
            trace_id: trace.unwrap_or_default(),
            order,
            execution_details: Some(details),
            fill: is_fill.then(|| FillPart {
                quantity: told.increment.quantity,
                price: average_price,
                fee,
                exec_ids: told.exec_ids.clone(),
            }),
            totals: Some(told.totals.into()),
            rejection_reason: reason(Change::Rejected).map(Reason::Told),
            cancel_reason: reason(Change::Cancelled),
            market_conditions: signal.and_then(Conditions::of),
            signal: signal.map(SignalPart::from),
        })
    }

    /// A signal that is remembered.
    #[must_use]
    pub fn signal(&self, id: SignalId) -> Option<&Signal> {
        self.signals.get(&id).map(Box::as_ref)
    }

    /// A signal that is remembered, unless an order of it is: that has told the story already.
    #[must_use]
    pub fn without_order(&self, id: SignalId) -> Option<&Signal> {
        self.signal(id).filter(|_| !self.counts.contains_key(&id))
    }

    /// A signal that ends without any order of its own (spec S4: exactly one `rejected` event).
    fn rejected(&self, id: SignalId, signal: SignalId, at: Timestamp, why: Refusal) -> Option<OrderEvent> {
        let signal = self.without_order(signal)?;
        let order = rejected_order(signal.id, signal.symbol, signal.side, signal.row_quantity(), at);
        Some(OrderEvent {
            market_conditions: Conditions::of(signal),
            signal: Some(signal.into()),
            ..rejection(id, at, signal.trace, order, Reason::Refused(why))
        })
    }
}

/// What is stored of a [`Reporter`].
#[derive(Deserialize)]
struct Stored {
    signals: BTreeMap<SignalId, Box<Signal>>,
    orders: BTreeMap<OrderLinkId, Spec>,
    inherited: BTreeMap<OrderLinkId, (SignalId, TraceId)>,
}

impl From<Stored> for Reporter {
    fn from(Stored { signals, orders, inherited }: Stored) -> Self {
        let mut reporter = Self { signals, inherited, ..Self::default() };
        orders.into_values().for_each(|spec| reporter.add(spec));
        reporter
    }
}

/// A message of which only id, symbol and side could be read (spec S4).
fn invalid(id: SignalId, at: Timestamp, bad: &BadSignal) -> Option<OrderEvent> {
    let known = bad.known.as_ref()?;
    let order = rejected_order(known.id, known.symbol, known.side, UNUSABLE, at);
    Some(rejection(id, at, known.trace, order, Reason::Invalid(bad.clone())))
}

/// A fill of an order that is not ours: by hand, ADL, a liquidation. It moves the account's position, so whoever adds
/// the fills up must hear of it; under the exchange's id and the nil signal, as its row (spec O4).
fn foreign(event_id: SignalId, row: &ExecutionRow, came_at: Timestamp) -> OrderEvent {
    // Never ahead of our clock: the model service drops what was executed in its future (wire-contracts.md 1.5.3).
    let at = Naive(Timestamp(row.time.0.saturating_mul(1_000)).min(came_at));
    let (price, fee) = (Some(row.price), row.settle_fee());
    let order = OrderPart {
        id: id_of(row.order_id.as_str().as_bytes()),
        order_id: OrderId::Exchange(row.order_id),
        signal_id: SignalId::default(),
        asset: row.symbol,
        side: row.side,
        order_type: OrderType::Market,
        quantity: row.quantity,
        price: None,
        status: Status::Filled,
        filled_quantity: row.quantity,
        average_price: price,
        fees: Some(fee).filter(|fee| !fee.is_zero()),
        created_at: at,
        updated_at: at,
        executed_at: Some(at),
        is_dry_run: false,
    };
    OrderEvent {
        event_id,
        event_type: Change::Filled,
        timestamp: at,
        trace_id: TraceId::EMPTY,
        order,
        execution_details: None,
        fill: Some(FillPart { quantity: row.quantity, price, fee, exec_ids: alloc::vec![row.exec_id] }),
        totals: None,
        rejection_reason: None,
        cancel_reason: None,
        market_conditions: None,
        signal: None,
    }
}

fn rejection(id: SignalId, at: Timestamp, trace: TraceId, order: OrderPart, why: Reason) -> OrderEvent {
    OrderEvent {
        event_id: id,
        event_type: Change::Rejected,
        timestamp: Naive(at),
        trace_id: trace,
        order,
        execution_details: None,
        fill: None,
        totals: None,
        rejection_reason: Some(why),
        cancel_reason: None,
        market_conditions: None,
        signal: None,
    }
}

fn rejected_order(signal: SignalId, symbol: Symbol, side: Side, quantity: Quantity, at: Timestamp) -> OrderPart {
    OrderPart {
        id: signal,
        order_id: OrderId::Rejected(signal),
        signal_id: signal,
        asset: symbol,
        side,
        order_type: OrderType::Market,
        quantity,
        price: None,
        status: Status::Rejected,
        filled_quantity: Quantity::ZERO,
        average_price: None,
        fees: None,
        created_at: Naive(at),
        updated_at: Naive(at),
        executed_at: None,
        is_dry_run: false,
    }
}
