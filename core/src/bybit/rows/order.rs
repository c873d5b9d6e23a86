//! Orders (bybit-v5.md 2.7, 4.4) and executions (2.9, 4.5).

use super::link;
use crate::bybit::json::{Fields, Shown, Unreadable, missing, required, why};
use crate::bybit::reply::{ExecType, ExecutionRow, OrderRow, OrderStatus};
use crate::unit::{Decimal, Money, Price, Quantity, Side, Symbol, Text};

/// One order. Needs ids, symbol, side, quantity, status, cumulative quantity and update time (2.7).
pub(in crate::bybit) fn order(row: &Fields<'_>) -> Result<OrderRow, Unreadable> {
    let symbol = row.name("symbol")?;
    let status = status(&row.name::<32>("orderStatus")?);
    let updated = required("updatedTime", row.time("updatedTime")?)?;
    let price = match row.positive("price")? {
        None => row.positive("triggerPrice")?,
        price => price,
    };
    Ok(OrderRow {
        order_id: row.name("orderId")?,
        link: link(row)?,
        symbol,
        side: side(row)?,
        quantity: Quantity(required("qty", row.amount("qty")?)?),
        price: price.map(Price),
        is_market: row.words::<16>("orderType")?.as_str() == "Market",
        status,
        cum_quantity: Quantity(cum_quantity(row, status)?),
        cum_value: Money(row.amount("cumExecValue")?.unwrap_or_default()),
        cum_fee: Money(cum_fee(row, &symbol)?),
        cancel_type: row.words("cancelType")?,
        reject_reason: row.words("rejectReason")?,
        reduce_only: row.flag("reduceOnly")?,
        position_idx: position_idx(row)?,
        created: row.time("createdTime")?.unwrap_or(updated),
        updated,
    })
}

/// One execution. `execType` tells fills from funding and must be there (failures F33).
pub(in crate::bybit) fn execution(row: &Fields<'_>) -> Result<ExecutionRow, Unreadable> {
    let exec_type = exec_type(&row.name::<32>("execType")?);
    let (price, quantity) = (row.amount("execPrice")?, row.amount("execQty")?);
    // Rows that move no quantity (funding) may come without price or quantity.
    let number = |name, value: Option<Decimal>| match value {
        None if !exec_type.moves_position() => Ok(Decimal::ZERO),
        value => required(name, value),
    };
    let (price, quantity) = (Price(number("execPrice", price)?), Quantity(number("execQty", quantity)?));
    let value = match row.amount("execValue")? {
        Some(value) => Money(value),
        None => price.times(quantity).ok_or_else(|| why("execValue", "is missing and too large to work out"))?,
    };
    Ok(ExecutionRow {
        exec_id: row.name("execId")?,
        order_id: row.name("orderId")?,
        link: link(row)?,
        symbol: row.name("symbol")?,
        side: side(row)?,
        exec_type,
        price,
        quantity,
        value,
        fee: Money(row.decimal("execFee")?.unwrap_or_default()),
        fee_coin: row.words("feeCurrency")?,
        is_maker: row.flag("isMaker")?,
        time: required("execTime", row.time("execTime")?)?,
        seq: row.integer("seq").unwrap_or_default(), // no fill is given up for it
    })
}

/// 0, 1 or 2; absent is 0 (one-way).
pub(super) fn position_idx(row: &Fields<'_>) -> Result<u8, Unreadable> {
    match row.integer("positionIdx")? {
        None => Ok(0),
        Some(idx @ 0..=2) => Ok(idx),
        Some(idx) => Err(why("positionIdx", format_args!("is {idx}, neither 0, 1 nor 2"))),
    }
}

fn side(row: &Fields<'_>) -> Result<Side, Unreadable> {
    match row.scalar("side")?.ok_or_else(|| missing("side"))?.as_ref() {
        "Buy" => Ok(Side::Buy),
        "Sell" => Ok(Side::Sell),
        other => Err(why("side", format_args!("is neither Buy nor Sell: {}", Shown(other)))),
    }
}

/// Bybit writes zero as `""` too (8.2 Q20), but not on an order that has fills; and a row without the
/// field at all would read as "no fills", which is more than it says.
fn cum_quantity(row: &Fields<'_>, status: OrderStatus) -> Result<Decimal, Unreadable> {
    let has_fills =
        matches!(status, OrderStatus::PartiallyFilled | OrderStatus::Filled | OrderStatus::PartiallyFilledCanceled);
    match row.amount("cumExecQty")? {
        Some(value) => Ok(value),
        None if has_fills => Err(why("cumExecQty", "is empty on an order with fills")),
        None if row.has("cumExecQty") => Ok(Decimal::ZERO),
        None => Err(missing("cumExecQty")),
    }
}

/// `cumExecFee`, or where it is missing (deprecated, 4.4) or in another coin, the quote coin's entry of
/// `cumFeeDetail`. Fees in other coins (MNT, a spot buy's base coin) are no money of ours: the executions
/// name them with their coin.
fn cum_fee(row: &Fields<'_>, symbol: &Symbol) -> Result<Decimal, Unreadable> {
    let is_quote = |coin: &str| symbol.as_str().ends_with(coin);
    let in_quote = row.scalar("feeCurrency")?.is_none_or(|coin| is_quote(&coin));
    if let Some(fee) = row.decimal("cumExecFee")?.filter(|_| in_quote) {
        return Ok(fee);
    }
    // Comes as an object, as "", as null or not at all (10.1).
    let Some(detail) = row.object("cumFeeDetail")? else { return Ok(Decimal::ZERO) };
    let quote = detail.names().find(|coin| !coin.is_empty() && is_quote(coin));
    quote.map_or(Ok(Decimal::ZERO), |coin| Ok(detail.decimal(coin)?.unwrap_or_default()))
}

/// The status, or the word itself where this build does not know it.
fn status(word: &Text<32>) -> OrderStatus {
    match word.as_str() {
        "New" => OrderStatus::New,
        "PartiallyFilled" => OrderStatus::PartiallyFilled,
        "Untriggered" => OrderStatus::Untriggered,
        "Triggered" => OrderStatus::Triggered,
        "Rejected" => OrderStatus::Rejected,
        "Filled" => OrderStatus::Filled,
        "Cancelled" => OrderStatus::Cancelled,
        "PartiallyFilledCanceled" => OrderStatus::PartiallyFilledCanceled,
        "Deactivated" => OrderStatus::Deactivated,
        _ => OrderStatus::Other(*word),
    }
}

/// The kind of execution, or the word itself where this build does not know it.
fn exec_type(word: &Text<32>) -> ExecType {
    match word.as_str() {
        "Trade" => ExecType::Trade,
        "AdlTrade" => ExecType::AdlTrade,
        "BustTrade" => ExecType::BustTrade,
        "Delivery" => ExecType::Delivery,
        "Settle" => ExecType::Settle,
        "BlockTrade" => ExecType::BlockTrade,
        "MovePosition" => ExecType::MovePosition,
        "Funding" => ExecType::Funding,
        _ => ExecType::Other(*word),
    }
}
