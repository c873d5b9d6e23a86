//! The wallet (bybit-v5.md 6.3, 4.8) and positions (6.4, 4.7).

use super::order::position_idx;
use crate::bybit::json::{Fields, Shown, Unreadable, required, why};
use crate::bybit::reply::{CoinBalance, PositionRow, WalletRow};
use crate::unit::{Money, Price, Quantity, Ratio, Side};

/// The account's totals, which isolated margin leaves empty, and its coins. A coin that cannot be read is
/// set aside: it then counts as not held, which lets no order grow.
pub(in crate::bybit) fn wallet(row: &Fields<'_>) -> Result<WalletRow, Unreadable> {
    let (coins, bad) = super::read(&row.list("coin")?, coin);
    Ok(WalletRow {
        total_equity: row.decimal("totalEquity")?.map(Money),
        total_available: row.decimal("totalAvailableBalance")?.map(Money),
        coins,
        bad,
    })
}

fn coin(row: &Fields<'_>) -> Result<CoinBalance, Unreadable> {
    Ok(CoinBalance {
        coin: row.name("coin")?,
        wallet_balance: Money(required("walletBalance", row.decimal("walletBalance")?)?),
        equity: Money(required("equity", row.decimal("equity")?)?),
        order_margin: row.decimal("totalOrderIM")?.map(Money),
        position_margin: row.decimal("totalPositionIM")?.map(Money),
    })
}

/// One position; the query calls the entry price `avgPrice`, the push `entryPrice`.
pub(in crate::bybit) fn position(row: &Fields<'_>) -> Result<PositionRow, Unreadable> {
    let size = Quantity(required("size", row.amount("size")?)?);
    let average = match row.positive("avgPrice")? {
        Some(price) => Some(price),
        None => row.positive("entryPrice")?,
    };
    Ok(PositionRow {
        symbol: row.name("symbol")?,
        position_idx: position_idx(row)?,
        side: side(row, size)?,
        size,
        average_price: average.map(Price),
        leverage: row.positive("leverage")?.map(Ratio),
        unrealised_pnl: row.decimal("unrealisedPnl")?.map(Money),
        seq: row.integer("seq")?.unwrap_or(-1),
        updated: row.time("updatedTime")?.unwrap_or_default(),
    })
}

/// Flat has no side. A size without one must not pass for flat.
fn side(row: &Fields<'_>, size: Quantity) -> Result<Option<Side>, Unreadable> {
    let word = row.scalar("side")?;
    match word.as_deref().unwrap_or_default() {
        _ if size.is_zero() => Ok(None),
        "Buy" => Ok(Some(Side::Buy)),
        "Sell" => Ok(Some(Side::Sell)),
        other => Err(why("side", format_args!("is neither Buy nor Sell on a size of {size}: {}", Shown(other)))),
    }
}
