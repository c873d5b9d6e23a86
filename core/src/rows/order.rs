//! An order's rows: what was intended, what is known of its life, what was told.

use super::Rows;
use super::figure::Figure;
use super::row::{ExecutionRow, Foreign, OrderRow, OwnRow, RelationshipRow};
use crate::bybit;
use crate::event::{Change, CreateAnswer, Event, Seq, Told};
use crate::order::{InheritedOrder, Spec, State, Status, Stimulus, Totals, Verdict};
use crate::report;
use crate::unit::{Decimal, Price, Quantity, SignalId, Timestamp, TraceId};
use alloc::format;
use alloc::string::{String, ToString};
use serde::{Deserialize, Serialize};

/// An order that is remembered, with both of its rows as they stand.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Tracked {
    pub(super) row: OrderRow,
    pub(super) own: OwnRow,
}

impl Tracked {
    pub(super) fn intended(spec: &Spec, trace: Option<TraceId>) -> Self {
        let row = OrderRow {
            id: report::row_id(spec.link),
            order_id: spec.link.to_string(),
            signal_id: spec.intent.signal,
            asset: spec.symbol,
            side: spec.side,
            is_limit: spec.is_limit(),
            quantity: quantity(spec.quantity, Figure::LEAST),
            price: spec.is_limit().then(|| limit_price(None, spec.price)),
            status: Status::Pending,
            filled_quantity: Figure::ZERO,
            average_price: None,
            fees: None,
            created_at: spec.at,
            updated_at: spec.at,
            executed_at: None,
            trace_id: trace,
            rejection_reason: None,
        };
        let own = OwnRow {
            id: row.id,
            spec: *spec,
            order_id: None,
            state: State::Intended,
            since: spec.at,
            evidence: None,
            signed_at: None,
            cancel: None,
            ended: false,
            reason: String::new(),
            remainder: None,
            filled_at: None,
        };
        Self { row, own }
    }

    /// As its row stands in the shared table (spec T1): what we learn is written over it.
    pub(super) fn inherited(spec: &Spec, order: &InheritedOrder) -> Self {
        let mut this = Self::intended(spec, Some(order.trace).filter(|trace| !trace.is_empty()));
        let totals = order.totals();
        let filled = Figure::of(totals.quantity.0).max(Figure::ZERO);
        let Self { row, own } = &mut this;
        (row.id, own.id) = (order.id, order.id);
        row.order_id = clean(order.order_id.as_str());
        row.quantity = quantity(order.quantity, filled);
        row.filled_quantity = filled;
        row.status = if filled == Figure::ZERO { Status::Pending } else { Status::PartiallyFilled };
        (row.average_price, row.fees) = averages(&totals);
        own.order_id = Some(order.order_id);
        own.state = State::Acked;
        // Nobody told us when; should no fill follow, its making is the one moment that is known.
        own.filled_at = (filled > Figure::ZERO).then_some(order.created_at);
        this
    }

    /// Both of its rows change.
    pub(super) fn write(&self, rows: &mut Rows) {
        rows.orders.insert(self.row.id, self.row.clone());
        rows.own.insert(self.own.spec.link, self.own.clone());
    }

    /// Takes an event of this order, but for what is told of it; true where it changes its own row.
    pub(super) fn take(&mut self, event: &Event, seq: Seq, at: Timestamp) -> bool {
        let own = &mut self.own;
        let stimulus = match event {
            Event::OrderSent { signed_at, .. } => {
                own.signed_at = Some(*signed_at);
                Stimulus::Sent
            }
            Event::OrderAnswered { answer, .. } => match answer {
                CreateAnswer::Accepted { order_id } => {
                    own.order_id = own.order_id.or(Some(*order_id));
                    own.evidence = Some(seq);
                    Stimulus::Acked
                }
                CreateAnswer::Refused { .. } => {
                    own.evidence = Some(seq);
                    Stimulus::Refused
                }
                CreateAnswer::NotSent { .. } => Stimulus::NotSent,
                CreateAnswer::Unknown { .. } => Stimulus::Lost,
            },
            Event::OrderSeen { row, evidence, .. } => {
                own.order_id = own.order_id.or(Some(row.order_id));
                own.evidence = Some(*evidence);
                if row.status.is_terminal() { Stimulus::SeenClosed } else { Stimulus::SeenOpen }
            }
            Event::OrderNoticed { order_id, evidence, .. } => {
                own.order_id = own.order_id.or(*order_id);
                own.evidence = Some(*evidence);
                Stimulus::Acked
            }
            Event::OrderExecuted { row, evidence, .. } => {
                own.order_id = own.order_id.or(Some(row.order_id));
                own.evidence = Some(*evidence);
                Stimulus::Filled
            }
            Event::OrderAbsent { proof, .. } => {
                own.evidence = proof.answers.iter().map(|(_, seq)| *seq).max().or(own.evidence);
                if proof.aged_out { Stimulus::AgedOut } else { Stimulus::ProvenAbsent }
            }
            Event::OrderExpired { .. } => Stimulus::Expired,
            Event::CancelWanted { reason, .. } => {
                own.cancel = own.cancel.or(Some(*reason));
                return true;
            }
            _ => return false,
        };
        if let Verdict::To(next) | Verdict::Contradicts(next) = own.state.on(stimulus) {
            own.state = next;
            own.since = at;
        }
        true
    }

    /// Takes what is told of it (spec O4): both rows change.
    pub(super) fn tell(&mut self, told: &Told) {
        let Self { row, own } = self;
        let is_fill = !told.increment.quantity.is_zero();
        own.order_id = told.order_id.or(own.order_id);
        own.ended |= told.last;
        own.filled_at = if is_fill { Some(told.at) } else { own.filled_at };
        if told.last {
            own.reason = clean(told.reason.as_str());
            let why = Some(own.reason.as_str()).filter(|why| !why.is_empty()).unwrap_or("no reason given");
            let cut = told.change == Change::Cancelled && told.status == Status::Filled;
            own.remainder = cut.then(|| format!("remainder cancelled: {why}"));
        }
        if let Some(order_id) = told.order_id {
            row.order_id = clean(order_id.as_str());
        }
        let filled = Figure::of(told.totals.quantity.0).max(Figure::ZERO);
        row.status = public(told, own.ended, filled);
        let whole = row.status == Status::Filled;
        row.quantity = if whole { filled } else { quantity(told.quantity, filled) };
        row.price = row.is_limit.then(|| limit_price(told.price, own.spec.price));
        row.filled_quantity = filled;
        (row.average_price, row.fees) = averages(&told.totals);
        row.updated_at = told.at;
        row.executed_at = own.filled_at.filter(|_| whole);
        let why = if own.reason.is_empty() { "rejected by the exchange" } else { &own.reason };
        row.rejection_reason = (row.status == Status::Rejected).then(|| why.to_string());
    }
}

/// The status that the told figures bear out: an order that the exchange shows filled is told in two events or
/// more, and until the last of them a row that says `filled` would have to say so without its fills.
fn public(told: &Told, ended: bool, filled: Figure) -> Status {
    match told.status {
        Status::PartiallyFilled | Status::Filled if filled == Figure::ZERO => Status::Pending,
        Status::Filled if !ended => Status::PartiallyFilled,
        status => status,
    }
}

fn averages(totals: &Totals) -> (Option<Figure>, Option<Figure>) {
    let average = totals.average_price().and_then(|price| Figure::positive(price.0));
    (average, (!totals.quantity.is_zero()).then(|| Figure::of(totals.fee.0)))
}

/// The relationship of a signal and the order that it led to.
pub(super) fn relationship(
    signal: SignalId,
    order: SignalId,
    amount: Option<Decimal>,
    quantity: Option<Decimal>,
    at: Timestamp,
) -> RelationshipRow {
    let mut name = signal.0.to_be_bytes().to_vec();
    name.extend_from_slice(&order.0.to_be_bytes());
    RelationshipRow {
        id: report::id_of(&name),
        signal_id: signal,
        order_id: order,
        allocation_amount: amount.and_then(Figure::positive),
        allocation_quantity: quantity.and_then(Figure::positive),
        created_at: at,
    }
}

/// A fill of an order of ours.
pub(super) fn execution(event: &Event) -> Option<ExecutionRow> {
    match event {
        Event::OrderExecuted { link, row, evidence, .. } => {
            Some(ExecutionRow { fill: **row, link: Some(*link), evidence: *evidence })
        }
        Event::ForeignExecuted { row, evidence, .. } => {
            Some(ExecutionRow { fill: **row, link: None, evidence: *evidence })
        }
        _ => None,
    }
}

/// The row of an order that is not ours, under the exchange's id with the nil signal id (spec O4): filled with
/// what is known of its fills. None where nothing is.
pub(super) fn foreign(fill: &bybit::ExecutionRow, known: &Foreign, at: Timestamp) -> Option<OrderRow> {
    let filled = Figure::positive(known.totals.quantity.0)?;
    let (average_price, fees) = averages(&known.totals);
    let order_id = clean(fill.order_id.as_str());
    Some(OrderRow {
        id: report::id_of(order_id.as_bytes()),
        order_id,
        signal_id: SignalId::default(),
        asset: fill.symbol,
        side: fill.side,
        is_limit: false,
        quantity: filled,
        price: None,
        status: Status::Filled,
        filled_quantity: filled,
        average_price,
        fees,
        created_at: known.first_at,
        updated_at: at,
        executed_at: Some(at),
        trace_id: None,
        rejection_reason: None,
    })
}

/// A quantity that a row can show: above zero, and not below what is filled.
fn quantity(shown: Quantity, filled: Figure) -> Figure {
    Figure::positive(shown.0).unwrap_or(Figure::LEAST).max(filled)
}

/// A limit order's price as a row can show it: above zero.
fn limit_price(shown: Option<Price>, intended: Price) -> Figure {
    let positive = |price: Price| Figure::positive(price.0);
    shown.and_then(positive).or_else(|| positive(intended)).unwrap_or(Figure::LEAST)
}

/// Text from outside without NUL, which PostgreSQL's text cannot hold.
pub(super) fn clean(text: &str) -> String {
    text.replace('\0', "")
}
