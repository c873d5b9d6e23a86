//! Each table's columns, and what a row puts into them.

use super::StoreError;
use order_manager_core::bybit::{ExecType, OrderKind, TimeInForce};
use order_manager_core::event::Seq;
use order_manager_core::report::{OrderEvent, side_word};
use order_manager_core::rows::{
    DeadLetterRow, ExecutionRow, Figure, InstrumentRow, OrderRow, OwnRow, RelationshipRow, SignalRow, moment,
};
use order_manager_core::unit::{ExchangeTime, Timestamp};
use std::fmt::Display;

/// A table that rows are written to.
#[derive(Clone, Copy)]
pub(super) struct Table {
    pub(super) name: &'static str,
    pub(super) columns: &'static [&'static str],
    /// The columns that say which row it is: a known row takes the new state. None: every row is new.
    pub(super) key: &'static str,
    /// A column whose value may be another row's: then that row stays, and the new one is left out.
    pub(super) yields: Option<&'static str>,
}

/// What one column takes.
pub(super) enum Value {
    Null,
    Number(i64),
    Text(String),
    Bytes(Vec<u8>),
}
use Value::Null;

pub(super) type Values = Vec<Value>;

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
/// A record's number as SQLite holds it; past its 63 bits there is no record.
pub(super) fn number(seq: Seq) -> i64 {
    i64::try_from(seq.0).unwrap_or(i64::MAX)
}
fn json(value: &impl serde::Serialize) -> Result<Value, StoreError> {
    Ok(Value::Text(serde_json::to_string(value)?))
}

pub(super) const ORDERS: Table = Table {
    name: "orders",
    columns: &[
        "id",
        "order_id",
        "signal_id",
        "asset",
        "side",
        "order_type",
        "quantity",
        "price",
        "status",
        "filled_quantity",
        "average_price",
        "fees",
        "created_at",
        "updated_at",
        "executed_at",
        "trace_id",
        "is_dry_run",
        "rejection_reason",
    ],
    key: "id",
    yields: None,
};

/// Orders of others. Should one turn out to be known under its exchange id, then what we know of it stays, and its
/// fill is told by `order_manager_executions` alone.
pub(super) const FOREIGN_ORDERS: Table = Table { yields: Some("order_id"), ..ORDERS };

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

pub(super) const RELATIONSHIPS: Table = Table {
    name: "signal_order_relationships",
    columns: &[
        "id",
        "signal_id",
        "order_id",
        "relationship_type",
        "allocation_amount",
        "allocation_quantity",
        "created_at",
    ],
    key: "id",
    yields: None,
};

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

pub(super) const INSTRUMENTS: Table = Table {
    name: "instrument_info",
    columns: &[
        "id",
        "symbol",
        "base_coin",
        "quote_coin",
        "status",
        "lot_size",
        "min_order_qty",
        "max_order_qty",
        "min_order_value",
        "price_tick_size",
        "price_limit_ratio_x",
        "price_limit_ratio_y",
        "raw_response",
        "created_at",
        "updated_at",
    ],
    key: "id",
    yields: None,
};

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

pub(super) const OWN: Table = Table {
    name: "order_manager_orders_own",
    columns: &[
        "order_link_id",
        "id",
        "signal_id",
        "leg",
        "attempt",
        "order_id",
        "requested_quantity",
        "price",
        "time_in_force",
        "reduce_only",
        "state",
        "certainty",
        "since",
        "evidence",
        "signed_at",
        "cancel_reason",
        "reason",
        "remainder",
    ],
    key: "order_link_id",
    yields: None,
};

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
        text(order_manager_core::report::row_id(spec.link)),
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

pub(super) const SIGNALS: Table = Table {
    name: "order_manager_signals",
    columns: &[
        "signal_id",
        "asset",
        "side",
        "trace_id",
        "state",
        "outcome",
        "code",
        "text",
        "tries",
        "received_at",
        "updated_at",
        "settled_at",
        "verdicts",
        "notes",
        "cancelled",
        "planned_quantity",
        "planned_price",
        "drift",
        "fingerprint",
        "amount",
        "confidence",
        "timestamp",
        "strategy_id",
        "model_version",
        "is_warmup",
        "price",
        "spread",
        "volume_24h",
        "volatility",
        "is_urgent",
        "is_exit",
    ],
    key: "signal_id",
    yields: None,
};

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

pub(super) const EXECUTIONS: Table = Table {
    name: "order_manager_executions",
    columns: &[
        "exec_id",
        "order_id",
        "order_link_id",
        "asset",
        "side",
        "exec_type",
        "quantity",
        "price",
        "value",
        "fee",
        "fee_coin",
        "is_maker",
        "executed_at",
        "evidence",
    ],
    key: "exec_id",
    yields: None,
};

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

pub(super) const DEAD_LETTERS: Table = Table {
    name: "order_manager_dead_letters",
    columns: &["seq", "idx", "received_at", "reason", "body"],
    key: "seq, idx",
    yields: None,
};

pub(super) fn dead_letter((seq, index): (Seq, u32), row: &DeadLetterRow) -> Values {
    let place = [Value::Number(number(seq)), Value::Number(i64::from(index))];
    place.into_iter().chain([at(row.at), text(&row.reason), Value::Bytes(row.body.0.clone())]).collect()
}

pub(super) const MESSAGES: Table = Table {
    name: "order_manager_messages",
    columns: &["id", "event_id", "seq", "idx", "asset", "body"],
    key: "id",
    yields: None,
};

pub(super) fn message(id: i64, (seq, index): (Seq, u32), event: &OrderEvent) -> Result<Values, StoreError> {
    let place = [Value::Number(number(seq)), Value::Number(i64::from(index))];
    let head = [Value::Number(id), text(event.event_id)];
    Ok(head.into_iter().chain(place).chain([text(&event.order.asset), json(event)?]).collect())
}

pub(super) const JOURNAL: Table = Table {
    name: "order_manager_journal",
    columns: &["seq", "at", "record", "digest", "sha256"],
    key: "",
    yields: None,
};
