//! Instruments (bybit-v5.md 5.1), whose linear and spot rows name the same rules differently, and
//! tickers (6.1).

use crate::bybit::json::{Fields, Unreadable, missing, required};
use crate::bybit::reply::{InstrumentRow, TickerRow};
use crate::unit::{Decimal, Money, Price, Quantity, Ratio};
use alloc::borrow::Cow;

/// The highest price of an instrument that names none (spot): no signal's price is above it (spec S3).
const PRICE_MAX: Decimal = Decimal::from_parts(1_410_065_408, 2, 0, false, 0); // 10^10

/// One instrument.
pub(in crate::bybit) fn instrument(row: &Fields<'_>) -> Result<InstrumentRow, Unreadable> {
    let price = part(row, "priceFilter")?;
    let lot = part(row, "lotSizeFilter")?;
    let band = part(row, "riskParameters")?;
    let leverage = row.object("leverageFilter")?;
    let tick = first(&price, &["tickSize"])?;
    let step = first(&lot, &["qtyStep", "basePrecision"])?;
    // Spot has no leverage but one, and its lower price bound is the tick.
    let max_leverage = leverage.map(|l| l.positive("maxLeverage")).transpose()?.flatten();
    Ok(InstrumentRow {
        symbol: row.name("symbol")?,
        trading: row.name::<32>("status")?.as_str() == "Trading",
        base: row.name("baseCoin")?,
        quote: row.name("quoteCoin")?,
        tick_size: Price(tick),
        min_price: Price(price.positive("minPrice")?.unwrap_or(tick)),
        max_price: Price(price.positive("maxPrice")?.unwrap_or(PRICE_MAX)),
        quantity_step: Quantity(step),
        min_quantity: Quantity(lot.positive("minOrderQty")?.unwrap_or(step)),
        max_limit_quantity: Quantity(first(&lot, &["maxLimitOrderQty", "maxOrderQty"])?),
        max_market_quantity: Quantity(first(&lot, &["maxMktOrderQty", "maxMarketOrderQty"])?),
        min_notional: Money(min_notional(&lot)?),
        price_limit_ratio_x: Ratio(first(&band, &["priceLimitRatioX"])?),
        price_limit_ratio_y: Ratio(first(&band, &["priceLimitRatioY"])?),
        max_leverage: Ratio(max_leverage.unwrap_or(Decimal::ONE)),
    })
}

/// One ticker. On a thin book bid and ask are empty or zero; spot has neither mark nor index.
pub(in crate::bybit) fn ticker(row: &Fields<'_>) -> Result<TickerRow, Unreadable> {
    Ok(TickerRow {
        symbol: row.name("symbol")?,
        last: Price(required("lastPrice", row.positive("lastPrice")?)?),
        mark: row.positive("markPrice")?.map(Price),
        index: row.positive("indexPrice")?.map(Price),
        bid: row.positive("bid1Price")?.map(Price),
        ask: row.positive("ask1Price")?.map(Price),
    })
}

/// Zero is a rule here: no minimum.
fn min_notional(lot: &Fields<'_>) -> Result<Decimal, Unreadable> {
    let value = match lot.amount("minNotionalValue")? {
        Some(value) => Some(value),
        None => lot.amount("minOrderAmt")?,
    };
    required("minNotionalValue", value)
}

fn part<'a, 'b>(row: &'b Fields<'a>, name: &str) -> Result<Cow<'b, Fields<'a>>, Unreadable> {
    required(name, row.object(name)?)
}

/// The first of `names` that holds a number above zero: an instrument without one of these rules would
/// let anything through.
fn first(fields: &Fields<'_>, names: &[&str]) -> Result<Decimal, Unreadable> {
    for name in names {
        if let Some(value) = fields.positive(name)? {
            return Ok(value);
        }
    }
    Err(missing(names.first().copied().unwrap_or_default()))
}
