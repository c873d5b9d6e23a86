//! Limit price, reference price of a market order, and drift (spec D5, D6).

use super::{Scene, kind::spread_absolute};
use crate::refusal::{Code, Refusal};
use crate::unit::{Price, Ratio, Side};

/// How often a PostOnly order that would have crossed is priced anew (spec D5).
pub const REPRICES_MAX: u8 = 2;

/// A limit price, and whether the exchange's band moved it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Limit {
    pub(super) price: Price,
    pub(super) moved: bool,
}

/// How far the latest price lies from the signal's, as a share of the signal's; nothing without a signal price.
/// An opening order over the maximum is refused.
pub(super) fn drift(scene: &Scene<'_>, opens: bool) -> Result<Option<Ratio>, Refusal> {
    let last = scene.quote.last;
    if !last.is_positive() {
        return Err(Refusal::new(Code::NoPrice, format_args!("the latest price of {} is {last}", scene.signal.symbol)));
    }
    let Some(price) = scene.signal.snapshot.price else { return Ok(None) };
    let max = scene.config.max_price_drift_ratio;
    let drift = price.drift_to(last).ok_or_else(|| Refusal::overflow(Code::PriceDrift, "drift"))?;
    if opens && drift > max {
        return Err(Refusal::new(
            Code::PriceDrift,
            format_args!("price {last} is {} away from the signal's {price}, the limit is {max}", short(drift)),
        ));
    }
    Ok(Some(drift))
}

/// Price of the limit order: the signal's, a share of the spread to our side of it, on the tick and in the band.
/// On re-pricing no closer to the market than the best price of our own side, so that it rests.
pub(super) fn limit(scene: &Scene<'_>) -> Result<Limit, Refusal> {
    let (side, base) = (scene.signal.side, scene.signal_price());
    let wanted = wanted(scene).ok_or_else(|| {
        let spread = scene.signal.snapshot.spread.unwrap_or_default();
        Refusal::new(Code::NoPrice, format_args!("no limit price comes of price {base} and spread {spread}"))
    })?;
    let price = scene.instrument.limit_price(side, wanted, scene.quote).ok_or_else(|| {
        let (min, max) = (scene.instrument.min_price, scene.instrument.max_price);
        let symbol = scene.signal.symbol;
        Refusal::new(Code::NoPrice, format_args!("{symbol}: {side} at {wanted} has no tick between {min} and {max}"))
    })?;
    if scene.reprice > 0 {
        hold_to_drift(scene, price)?;
    }
    let tick = scene.instrument.tick_size;
    let on_tick = match side {
        Side::Buy => wanted.floor_to(tick),
        Side::Sell => wanted.ceil_to(tick),
    };
    Ok(Limit { price, moved: on_tick != Some(price) })
}

fn wanted(scene: &Scene<'_>) -> Option<Price> {
    let offset = match spread_absolute(scene) {
        Some(spread) => Price(spread.0.checked_mul(scene.config.limit_order_price_offset_ratio.0)?),
        None if scene.signal.snapshot.spread.is_none() => Price::ZERO,
        None => return None,
    };
    let base = scene.signal_price();
    let price = match scene.signal.side {
        Side::Buy => base.minus(offset)?,
        Side::Sell => base.plus(offset)?,
    };
    if scene.reprice == 0 {
        return price.is_positive().then_some(price);
    }
    let quote = scene.quote;
    let resting = match scene.signal.side {
        Side::Buy => price.min(quote.bid.unwrap_or(quote.last)),
        Side::Sell => price.max(quote.ask.unwrap_or(quote.last)),
    };
    resting.is_positive().then_some(resting)
}

/// A re-priced order may not follow the market further than the drift bound, nor more often than twice.
fn hold_to_drift(scene: &Scene<'_>, price: Price) -> Result<(), Refusal> {
    let (base, max) = (scene.signal_price(), scene.config.max_price_drift_ratio);
    if scene.reprice > REPRICES_MAX {
        let crossed = "a PostOnly order would have crossed";
        return Err(Refusal::new(Code::NotExecuted, format_args!("{crossed} {} times", scene.reprice)));
    }
    if base.drift_to(price).is_none_or(|drift| drift > max) {
        return Err(Refusal::new(
            Code::NotExecuted,
            format_args!("the price that would rest is {price}, further than {max} from the signal's {base}"),
        ));
    }
    Ok(())
}

/// What a market order is reckoned at: a buy at the dearest it may fill at, slippage included; a sell at the
/// highest price it may fill at, because a short is worth the most there. On the tick, away from the market.
pub(super) fn market_reference(scene: &Scene<'_>) -> Option<Price> {
    let quote = scene.quote;
    let price = match scene.signal.side {
        Side::Buy => quote.ask.unwrap_or(quote.last).max(quote.last).moved_by(scene.config.market_slippage())?,
        Side::Sell => quote.bid.unwrap_or(quote.last).max(quote.last),
    };
    price.ceil_to(scene.instrument.tick_size)
}

/// A ratio that a person can read: four decimals.
fn short(ratio: Ratio) -> Ratio {
    Ratio(ratio.0.round_dp(4))
}
