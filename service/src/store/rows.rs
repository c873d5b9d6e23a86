//! What a row of the core puts into its table's columns, in their order.

use super::StoreError;
use super::value::Value::{self, Null};
use super::value::Values;
use order_manager_core::bybit::{ExecType, OrderKind, TimeInForce};
use order_manager_core::event::Seq;
use order_manager_core::report::{OrderEvent, side_word};
use order_manager_core::rows::{
    DeadLetterRow, ExecutionRow, Figure, InstrumentRow, OrderRow, OwnRow, PositionRow, RelationshipRow, SignalRow,
    SnapshotRow, moment,
};
use order_manager_core::unit::{ExchangeTime, Timestamp};
use std::fmt::Display;

fn text(value: impl Display) -> Value {
    Value::Text(value.to_string())
}
fn maybe(value: Option<impl Display>) -> Value {
    value.map_or(Null, text)
}
fn at(value: Timestamp) -> Value {
    Value::Text(moment(value))
}
fn flag(value: bool) -> Value {
    Value::Number(i64::from(value))
}
/// A record's number as a database holds it; past its 63 bits there is no record.
pub(super) fn number(seq: Seq) -> i64 {
    i64::try_from(seq.0).unwrap_or(i64::MAX)
}
fn json(value: &impl serde::Serialize) -> Result<Value, StoreError> {
    Ok(Value::Text(serde_json::to_string(value)?))
}

pub(super) fn order(row: &OrderRow) -> Values {
    vec![
        text(row.id),
        text(&row.order_id),
        text(row.signal_id),
        text(row.asset),
        text(row.side_word()),
        text(row.type_word()),
        text(row.quantity),
        maybe(row.price),
        text(row.status_word()),
        text(row.filled_quantity),
        maybe(row.average_price),
        maybe(row.fees),
        at(row.created_at),
        at(row.updated_at),
        row.executed_at.map_or(Null, at),
        maybe(row.trace_id),
        flag(false),
        maybe(row.rejection_reason.as_ref()),
    ]
}

pub(super) fn relationship(row: &RelationshipRow) -> Values {
    vec![
        text(row.id),
        text(row.signal_id),
        text(row.order_id),
        text("one_to_one"),
        maybe(row.allocation_amount),
        maybe(row.allocation_quantity),
        at(row.created_at),
    ]
}

pub(super) fn instrument(row: &InstrumentRow) -> Result<Values, StoreError> {
    let rules = &row.rules;
    Ok(vec![
        text(row.id),
        text(rules.symbol),
        text(rules.base),
        text(rules.quote),
        text(row.status_word()),
        text(Figure::of(rules.quantity_step.0)),
        text(Figure::of(rules.min_quantity.0)),
        text(Figure::of(rules.max_limit_quantity.0)),
        text(Figure::of(rules.min_notional.0)),
        text(Figure::of(rules.tick_size.0)),
        maybe(Figure::positive(rules.price_limit_ratio_x.0)),
        maybe(Figure::positive(rules.price_limit_ratio_y.0)),
        json(rules)?,
        at(row.created_at),
        at(row.updated_at),
    ])
}

pub(super) fn own(row: &OwnRow) -> Values {
    let spec = &row.spec;
    let time_in_force = match spec.kind {
        OrderKind::Limit { time_in_force: TimeInForce::Gtc, .. } => "GTC",
        OrderKind::Limit { time_in_force: TimeInForce::Fok, .. } => "FOK",
        OrderKind::Limit { time_in_force: TimeInForce::PostOnly, .. } => "PostOnly",
        OrderKind::Limit { time_in_force: TimeInForce::Ioc, .. } | OrderKind::Market { .. } => "IOC",
    };
    vec![
        text(spec.link),
        text(row.id),
        text(spec.intent.signal),
        Value::Number(i64::from(spec.intent.leg)),
        Value::Number(i64::from(spec.intent.attempt)),
        maybe(row.order_id),
        text(Figure::of(spec.quantity.0)),
        text(spec.price),
        text(time_in_force),
        flag(spec.reduce_only),
        text(row.state_word()),
        text(row.certainty()),
        at(row.since),
        row.evidence.map_or(Null, |seq| Value::Number(number(seq))),
        row.signed_at.map_or(Null, |ExchangeTime(ms)| Value::Number(i64::try_from(ms).unwrap_or(i64::MAX))),
        maybe(row.cancel.map(order_manager_core::order::CancelReason::as_str)),
        text(&row.reason),
        maybe(row.remainder.as_ref()),
    ]
}

pub(super) fn signal(row: &SignalRow) -> Result<Values, StoreError> {
    let planned = row.planned.as_ref();
    let mut values = vec![
        text(row.id),
        text(row.symbol),
        text(row.side),
        text(row.trace),
        text(row.stage_word()),
        maybe(row.outcome_word()),
        maybe(row.code()),
        text(&row.text),
        Value::Number(i64::from(row.tries)),
        at(row.received_at),
        at(row.updated_at),
        row.settled_at.map_or(Null, at),
        json(&planned.map(|plan| plan.verdicts.as_slice()).unwrap_or_default())?,
        json(&planned.map(|plan| plan.notes.as_slice()).unwrap_or_default())?,
        json(&row.cancelled)?,
        maybe(planned.map(|plan| plan.quantity)),
        maybe(planned.map(|plan| plan.price)),
        maybe(planned.and_then(|plan| plan.drift)),
    ];
    let signal = row.signal.as_ref();
    values.extend([
        signal.map_or(Null, |signal| Value::Bytes(signal.fingerprint.to_be_bytes().to_vec())),
        maybe(signal.map(|signal| signal.amount.normalize())),
        maybe(signal.map(|signal| signal.confidence)),
        signal.map_or(Null, |signal| at(signal.timestamp)),
        maybe(signal.map(|signal| signal.strategy_id)),
        maybe(signal.and_then(|signal| signal.model_version)),
        signal.map_or(Null, |signal| flag(signal.is_warmup)),
        maybe(signal.and_then(|signal| signal.snapshot.price)),
        maybe(signal.and_then(|signal| signal.snapshot.spread)),
        maybe(signal.and_then(|signal| signal.snapshot.volume_24h)),
        maybe(signal.and_then(|signal| signal.snapshot.volatility)),
        signal.map_or(Null, |signal| flag(signal.urgent)),
        signal.map_or(Null, |signal| flag(signal.is_exit)),
    ]);
    Ok(values)
}

pub(super) fn execution(row: &ExecutionRow) -> Values {
    let fill = &row.fill;
    let exec_type = match &fill.exec_type {
        ExecType::Other(word) => word.to_string(),
        known => format!("{known:?}"),
    };
    vec![
        text(fill.exec_id),
        text(fill.order_id),
        maybe(row.link),
        text(fill.symbol),
        text(side_word(fill.side)),
        text(exec_type),
        text(fill.quantity),
        text(fill.price),
        text(fill.value),
        text(fill.fee),
        text(fill.fee_coin),
        flag(fill.is_maker),
        at(Timestamp(fill.time.0.saturating_mul(1_000))),
        Value::Number(number(row.evidence)),
    ]
}

pub(super) fn dead_letter((seq, index): (Seq, u32), row: &DeadLetterRow) -> Values {
    let place = [Value::Number(number(seq)), Value::Number(i64::from(index))];
    place.into_iter().chain([at(row.at), text(&row.reason), Value::Bytes(row.body.0.clone())]).collect()
}

pub(super) fn message(id: i64, (seq, index): (Seq, u32), event: &OrderEvent) -> Result<Values, StoreError> {
    let place = [Value::Number(number(seq)), Value::Number(i64::from(index))];
    let head = [Value::Number(id), text(event.event_id)];
    // The kind's word is the one that the event itself says.
    let kind = serde_json::to_value(event.event_type)?;
    let about = [text(event.order.asset), text(kind.as_str().unwrap_or_default()), text(event.trace_id), json(event)?];
    Ok(head.into_iter().chain(place).chain(about).collect())
}

pub(super) fn position(row: &PositionRow) -> Values {
    let mut values = held(row);
    values.extend([at(row.created_at), at(row.updated_at), row.closed_at.map_or(Null, at)]);
    values
}

pub(super) fn snapshot(row: &SnapshotRow) -> Values {
    [text(row.id)].into_iter().chain(held(&row.position)).chain([at(row.at)]).collect()
}

/// What a position and a snapshot of it have in common.
fn held(row: &PositionRow) -> Values {
    vec![
        text(row.asset),
        text(row.size),
        maybe(row.average_entry_price),
        text(row.realized_pnl),
        text(row.fees),
        maybe(row.unexplained.as_ref()),
    ]
}
