//! Rows as the API shows them. Each function takes the columns of the list beside it, in its order.

use super::StoreError;
use super::query::Dialect;
use super::table;
use super::value::Row;
use super::view::{DeadLetterView, ExecutionView, InstrumentView, OrderView, PositionView, SignalView};
use serde_json::value::RawValue;

type Result<T> = std::result::Result<T, StoreError>;

/// An order's two rows.
pub(super) const FROM_ORDERS: &str = " FROM orders o LEFT JOIN order_manager.orders_own w ON w.id = o.id";
const OURS: &[&str] =
    &["order_link_id", "requested_quantity", "leg", "attempt", "state", "certainty", "since", "evidence", "remainder"];

/// `SELECT` of all that [`order`] takes.
pub(super) fn orders(dialect: Dialect) -> String {
    let names: Vec<&str> = table::ORDERS.columns.iter().map(|(name, _)| *name).collect();
    let (shared, ours) = (table::ORDERS.shown(dialect, "o", &names), table::OWN.shown(dialect, "w", OURS));
    format!("SELECT {shared}, {ours}{FROM_ORDERS}")
}

pub(super) fn order(row: &mut Row) -> Result<OrderView> {
    Ok(OrderView {
        id: row.text()?,
        order_id: row.text()?,
        signal_id: row.text()?,
        asset: row.text()?,
        side: row.text()?,
        order_type: row.text()?,
        quantity: row.text()?,
        price: row.maybe_text()?,
        status: row.text()?,
        filled_quantity: row.text()?,
        average_price: row.maybe_text()?,
        fees: row.maybe_text()?,
        created_at: row.zulu()?,
        updated_at: row.zulu()?,
        executed_at: row.maybe_zulu()?,
        trace_id: row.maybe_text()?,
        is_dry_run: row.flag()?,
        rejection_reason: row.maybe_text()?,
        order_link_id: row.maybe_text()?,
        requested_quantity: row.maybe_text()?,
        leg: row.maybe_small()?,
        attempt: row.maybe_small()?,
        state: row.maybe_text()?,
        certainty: row.maybe_text()?,
        since: row.maybe_zulu()?,
        evidence: row.maybe_number()?.map(i64::unsigned_abs),
        remainder: row.maybe_text()?,
    })
}

pub(super) const SIGNAL: &[&str] = &[
    "signal_id",
    "state",
    "outcome",
    "code",
    "text",
    "tries",
    "asset",
    "side",
    "amount",
    "confidence",
    "strategy_id",
    "model_version",
    "is_warmup",
    "price",
    "timestamp",
    "trace_id",
    "received_at",
    "settled_at",
    "verdicts",
    "notes",
    "cancelled",
];

pub(super) fn signal(row: &mut Row, orders: Vec<OrderView>) -> Result<SignalView> {
    Ok(SignalView {
        signal_id: row.text()?,
        state: row.text()?,
        outcome: row.maybe_text()?,
        code: row.maybe_text()?,
        text: Some(row.text()?).filter(|text| !text.is_empty()),
        tries: row.small()?,
        asset: row.text()?,
        signal_type: row.text()?,
        amount: row.maybe_text()?,
        confidence: row.maybe_text()?,
        strategy_id: row.maybe_text()?,
        model_version: row.maybe_text()?,
        is_warmup: row.maybe_flag()?,
        price: row.maybe_text()?,
        timestamp: row.maybe_zulu()?,
        trace_id: row.text()?,
        received_at: row.zulu()?,
        settled_at: row.maybe_zulu()?,
        verdicts: RawValue::from_string(row.text()?)?,
        notes: RawValue::from_string(row.text()?)?,
        cancelled: RawValue::from_string(row.text()?)?,
        orders,
    })
}

pub(super) fn dead_letter(row: &mut Row) -> Result<DeadLetterView> {
    let (id, received_at, reason, body) = (row.number()?, row.zulu()?, row.text()?, row.bytes()?);
    let body_hex = std::str::from_utf8(&body).is_err().then(|| hex::encode(&body));
    let body = String::from_utf8_lossy(&body).into_owned();
    Ok(DeadLetterView { id, received_at, reason, body, body_hex })
}

pub(super) const EXECUTION: &[&str] = &[
    "exec_id",
    "order_id",
    "order_link_id",
    "asset",
    "side",
    "quantity",
    "price",
    "value",
    "fee",
    "fee_coin",
    "is_maker",
    "executed_at",
    "evidence",
];

pub(super) fn execution(row: &mut Row) -> Result<ExecutionView> {
    Ok(ExecutionView {
        exec_id: row.text()?,
        order_id: row.text()?,
        order_link_id: row.maybe_text()?,
        asset: row.text()?,
        side: row.text()?,
        quantity: row.text()?,
        price: row.text()?,
        value: row.text()?,
        fee: row.text()?,
        fee_coin: row.text()?,
        is_maker: row.flag()?,
        executed_at: row.zulu()?,
        evidence: row.count()?,
    })
}

pub(super) const INSTRUMENT: &[&str] = &[
    "symbol",
    "base_coin",
    "quote_coin",
    "status",
    "lot_size",
    "min_order_qty",
    "max_order_qty",
    "min_order_value",
    "price_tick_size",
    "updated_at",
];

pub(super) fn instrument(row: &mut Row) -> Result<InstrumentView> {
    Ok(InstrumentView {
        symbol: row.text()?,
        base_coin: row.text()?,
        quote_coin: row.text()?,
        status: row.text()?,
        lot_size: row.text()?,
        min_order_qty: row.text()?,
        max_order_qty: row.text()?,
        min_order_value: row.text()?,
        price_tick_size: row.text()?,
        updated_at: row.zulu()?,
    })
}

pub(super) const POSITION: &[&str] = &[
    "asset",
    "size",
    "average_entry_price",
    "realized_pnl",
    "fees",
    "unexplained",
    "created_at",
    "updated_at",
    "closed_at",
];

pub(super) fn position(row: &mut Row) -> Result<PositionView> {
    Ok(PositionView {
        asset: row.text()?,
        size: row.text()?,
        average_entry_price: row.maybe_text()?,
        realized_pnl: row.text()?,
        fees: row.text()?,
        unexplained: row.maybe_text()?,
        created_at: row.zulu()?,
        updated_at: row.zulu()?,
        closed_at: row.maybe_zulu()?,
    })
}
