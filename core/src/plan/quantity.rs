//! How much: what the amount buys, floored to the step, within the exchange's limits or refused (spec D7).

use super::{Scene, direction::Direction};
use crate::config::SellAmountUnit;
use crate::refusal::{Code, Refusal};
use crate::unit::{Decimal, Money, Price, Quantity, Side, decimal};
use alloc::{format, string::String};

/// Sizes that many times over a limit are a mistake in the signal, not a wish to be cut down (spec D7).
const IMPLAUSIBLE_TIMES: Decimal = Decimal::from_parts(3, 0, 0, false, 0);

/// A quantity, and what was asked for where that was more than may be reduced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Size {
    pub(super) quantity: Quantity,
    pub(super) beyond: Option<Quantity>,
}

/// The order's quantity at `price`.
pub(super) fn quantity(
    scene: &Scene<'_>,
    direction: Direction,
    is_market: bool,
    price: Price,
) -> Result<Size, Refusal> {
    let unit = amount_unit(scene);
    let asked = read(scene, unit, price)
        .ok_or_else(|| Refusal::overflow(Code::ImplausibleSize, "the quantity that the amount buys"))?;
    let size = match direction {
        Direction::Opens => {
            refuse_implausible(scene, asked, price)?;
            Size { quantity: asked, beyond: None }
        }
        Direction::Reduces(cap) => {
            let step = scene.instrument.quantity_step;
            let cap = cap.floor_to(step).unwrap_or_default();
            Size { quantity: asked.min(cap), beyond: asked.minus(cap).filter(|over| over.is_positive()) }
        }
    };
    let limits = Limits { opens: direction == Direction::Opens, is_market, price };
    if let Err(misfit) = fits(scene, size.quantity, limits) {
        return Err(explain(scene, misfit, unit, size, limits));
    }
    Ok(size)
}

/// Buys are always in quote currency.
fn amount_unit(scene: &Scene<'_>) -> SellAmountUnit {
    match scene.signal.side {
        Side::Buy => SellAmountUnit::Quote,
        Side::Sell => scene.config.sell_amount_unit,
    }
}

fn read(scene: &Scene<'_>, unit: SellAmountUnit, price: Price) -> Option<Quantity> {
    let amount = scene.signal.amount;
    match unit {
        SellAmountUnit::Quote => scene.instrument.quantity_for(Money(amount), price),
        SellAmountUnit::Base => Quantity(amount).floor_to(scene.instrument.quantity_step),
    }
}

fn refuse_implausible(scene: &Scene<'_>, asked: Quantity, price: Price) -> Result<(), Refusal> {
    let config = scene.config;
    let overflow = || Refusal::overflow(Code::ImplausibleSize, "the order's size");
    let notional = price.times(asked).ok_or_else(overflow)?.0;
    let order_max = config.max_order_notional().ok_or_else(overflow)?.0;
    let position_max = config.max_position_notional.map_or(order_max, |limit| limit.0);
    for (figure, limit, name) in [
        (notional, order_max, "MAX_EXPOSURE * MAX_ORDER_SIZE_RATIO"),
        (asked.0, config.max_position_size.0, "MAX_POSITION_SIZE"),
        (notional, position_max, "MAX_POSITION_NOTIONAL"),
    ] {
        if limit.checked_mul(IMPLAUSIBLE_TIMES).is_some_and(|most| decimal::compare(figure, most).is_gt()) {
            let figure = figure.round_dp(8).normalize();
            return Err(Refusal::new(
                Code::ImplausibleSize,
                format_args!(
                    "{figure} is over three times {name} = {}: is the amount's unit right?",
                    limit.normalize()
                ),
            ));
        }
    }
    Ok(())
}

#[derive(Clone, Copy)]
struct Limits {
    opens: bool,
    is_market: bool,
    price: Price,
}

/// Which of the exchange's limits a quantity does not meet.
#[derive(Clone, Copy)]
enum Misfit {
    Quantity,
    Notional(Money),
    Maximum(Quantity),
}

fn fits(scene: &Scene<'_>, quantity: Quantity, limits: Limits) -> Result<(), Misfit> {
    let rules = scene.instrument;
    if !quantity.is_positive() || quantity < rules.min_quantity {
        return Err(Misfit::Quantity);
    }
    // A market order is reckoned at its dearest; whether it is worth enough shows at the latest price.
    let price = if limits.is_market { limits.price.min(scene.quote.last) } else { limits.price };
    let notional = price.times(quantity).unwrap_or_default();
    if limits.opens && notional < rules.min_notional {
        return Err(Misfit::Notional(notional));
    }
    let max = if limits.is_market { rules.max_market_quantity } else { rules.max_limit_quantity };
    if quantity > max { Err(Misfit::Maximum(max)) } else { Ok(()) }
}

fn explain(scene: &Scene<'_>, misfit: Misfit, unit: SellAmountUnit, size: Size, limits: Limits) -> Refusal {
    let (symbol, rules, quantity) = (scene.signal.symbol, scene.instrument, size.quantity);
    let capped = if size.beyond.is_some() { ", all that there is to reduce," } else { "" };
    let mut refusal = match misfit {
        Misfit::Quantity => {
            let (min, step) = (rules.min_quantity, rules.quantity_step);
            let text = format_args!("{quantity} {symbol}{capped} is below minOrderQty {min} (step {step})");
            Refusal::new(Code::BelowMinimum, text)
        }
        Misfit::Notional(notional) => {
            let (min, notional) = (rules.min_notional, Money(notional.0.round_dp(8)));
            let text = format_args!("{quantity} {symbol} is worth {notional}, below minNotionalValue {min}");
            Refusal::new(Code::BelowMinimum, text)
        }
        Misfit::Maximum(max) => {
            let name = if limits.is_market { "maxMktOrderQty" } else { "maxOrderQty" };
            Refusal::new(Code::AboveMaximum, format_args!("{quantity} {symbol} is above {name} {max}"))
        }
    };
    if scene.signal.side == Side::Sell && size.beyond.is_none() {
        refusal.text.push_str(&other_unit(scene, unit, limits));
    }
    refusal
}

/// Says so where the amount would fit in the other unit (spec D7).
fn other_unit(scene: &Scene<'_>, unit: SellAmountUnit, limits: Limits) -> String {
    let (other, name) = match unit {
        SellAmountUnit::Quote => (SellAmountUnit::Base, "base"),
        SellAmountUnit::Base => (SellAmountUnit::Quote, "quote"),
    };
    match read(scene, other, limits.price) {
        Some(quantity) if fits(scene, quantity, limits).is_ok() => {
            format!("; with SELL_AMOUNT_UNIT={name} it would be {quantity}, which fits")
        }
        _ => String::new(),
    }
}
