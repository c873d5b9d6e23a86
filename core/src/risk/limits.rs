//! The table of limits, in the order of spec K2. One row, one function; a row knows nothing of the others.

use super::RiskScene;
use crate::account::{Account, Held, Reach, Resting, Trading, Worst, order_cost};
use crate::plan::Plan;
use crate::refusal::{Code, Refusal};
use crate::unit::{Decimal, Money, Price, Quantity, Side, decimal};
use alloc::boxed::Box;

/// What a limit says about a plan.
pub(super) enum Outcome {
    /// It does not apply, or has no figures to show.
    Pass,
    /// `figure <= limit`.
    Within(Figures),
    /// `figure > limit`, and no smaller order would change that.
    Over(Figures),
    /// `figure > limit`; an order of `room` would be within it. Zero where none would.
    Oversize(Figures, Quantity),
    /// Closed, whatever the figures. In a box, for most limits say nothing as long as a text.
    Closed(Box<Refusal>),
}

/// What the order would lead to, and what is allowed, in one unit.
#[derive(Clone, Copy)]
pub(super) struct Figures {
    pub(super) figure: Decimal,
    pub(super) limit: Decimal,
}

/// One row.
pub(super) struct Limit {
    /// The code of its refusals.
    pub(super) code: Code,
    /// What the operator sets to change it, for the text.
    pub(super) name: &'static str,
    /// Reducing orders pass it (spec K3).
    pub(super) spares_reducing: bool,
    /// Judges; nothing where the figures overflow.
    pub(super) judge: fn(&Plan, &RiskScene<'_>) -> Option<Outcome>,
}

/// Every limit, in the order of spec K2.
pub(super) const LIMITS: [Limit; 9] = [
    Limit { code: Code::TradingHalted, name: "trading state", spares_reducing: true, judge: trading },
    Limit { code: Code::NothingToSell, name: "position", spares_reducing: false, judge: reduces },
    Limit { code: Code::SymbolNotTrading, name: "symbol", spares_reducing: false, judge: listed },
    Limit { code: Code::Leverage, name: "MAX_LEVERAGE", spares_reducing: true, judge: leverage },
    Limit { code: Code::InsufficientBalance, name: "the free balance", spares_reducing: true, judge: balance },
    Limit {
        code: Code::OrderSize,
        name: "MAX_EXPOSURE * MAX_ORDER_SIZE_RATIO",
        spares_reducing: true,
        judge: order_size,
    },
    Limit { code: Code::PositionSize, name: "MAX_POSITION_SIZE", spares_reducing: true, judge: position_size },
    Limit {
        code: Code::PositionNotional,
        name: "MAX_POSITION_NOTIONAL",
        spares_reducing: true,
        judge: position_notional,
    },
    Limit { code: Code::Exposure, name: "MAX_EXPOSURE", spares_reducing: true, judge: exposure },
];

fn trading(plan: &Plan, scene: &RiskScene<'_>) -> Option<Outcome> {
    let symbol = plan.symbol;
    let refusal = match scene.trading {
        Trading::Halted => Refusal::new(Code::TradingHalted, format_args!("trading is HALTED")),
        Trading::Reducing => {
            Refusal::new(Code::ReducingOnly, format_args!("trading is REDUCING: nothing opens on {symbol}"))
        }
        Trading::Active if scene.symbol_halted => {
            Refusal::new(Code::TradingHalted, format_args!("opening is halted on {symbol}"))
        }
        Trading::Active => return Some(Outcome::Pass),
    };
    Some(closed(refusal))
}

/// A plan that says it reduces must: that is what lets it past the other limits (spec K4).
fn reduces(plan: &Plan, scene: &RiskScene<'_>) -> Option<Outcome> {
    let position = scene.account.position;
    let held = match plan.side {
        Side::Sell => position,
        Side::Buy => position.negated(),
    };
    if !plan.reduce_only || plan.quantity <= held {
        return Some(Outcome::Pass);
    }
    let (side, quantity) = (plan.side, plan.quantity);
    let text = format_args!("reduce-only {side} of {quantity} against a position of {position}");
    Some(closed(Refusal::new(Code::NothingToSell, text)))
}

fn listed(plan: &Plan, scene: &RiskScene<'_>) -> Option<Outcome> {
    let symbol = plan.symbol;
    if symbol != scene.instrument.symbol {
        let other = scene.instrument.symbol;
        let text = format_args!("the rules at hand are of {other}, not of {symbol}");
        return Some(closed(Refusal::new(Code::UnknownSymbol, text)));
    }
    if scene.instrument.trading {
        return Some(Outcome::Pass);
    }
    let text = format_args!("the exchange does not list {symbol} as Trading");
    Some(closed(Refusal::new(Code::SymbolNotTrading, text)))
}

fn leverage(_: &Plan, scene: &RiskScene<'_>) -> Option<Outcome> {
    let leverage = scene.account.leverage;
    if !leverage.is_positive() {
        let text = format_args!("the leverage of {} is not known ({leverage})", scene.instrument.symbol);
        return Some(closed(Refusal::new(Code::Leverage, text)));
    }
    Some(fixed(leverage.0, scene.config.max_leverage.0))
}

/// Margin and fees (spec K2).
fn balance(plan: &Plan, scene: &RiskScene<'_>) -> Option<Outcome> {
    if !scene.config.enable_balance_check {
        return Some(Outcome::Pass);
    }
    let notional = plan.price.times(plan.quantity)?;
    let needed = order_cost(plan.side, notional, scene.account.leverage, scene.config.taker_fee_rate)?;
    Some(fixed(needed.0, scene.account.available.0))
}

fn order_size(plan: &Plan, scene: &RiskScene<'_>) -> Option<Outcome> {
    let notional = plan.price.times(plan.quantity)?;
    let limit = scene.config.max_order_notional()?;
    sized(notional.0, limit.0, || bought(limit, plan, scene))
}

fn position_size(plan: &Plan, scene: &RiskScene<'_>) -> Option<Outcome> {
    let without = Reach::in_quantity(scene.account.resting.iter().copied())?;
    let order = Resting { price: Price(Decimal::ONE), ..as_resting(plan) };
    let after = worst(plan, scene, &without.and(order)?)?;
    let limit = Money(scene.config.max_position_size.0);
    sized(after.largest().0, limit.0, || {
        let before = worst(plan, scene, &without)?;
        if before.on(plan.side.opposite()) > limit {
            return Some(Quantity::ZERO);
        }
        Some(Quantity(limit.minus(before.on(plan.side))?.max(Money::ZERO).0))
    })
}

fn position_notional(plan: &Plan, scene: &RiskScene<'_>) -> Option<Outcome> {
    match scene.config.max_position_notional {
        Some(limit) => notional_within(plan, scene, Money::ZERO, limit),
        None => Some(Outcome::Pass),
    }
}

fn exposure(plan: &Plan, scene: &RiskScene<'_>) -> Option<Outcome> {
    notional_within(plan, scene, scene.account.other_exposure, scene.config.max_exposure)
}

/// `elsewhere` and the worst of this symbol, this order included, against `limit`.
fn notional_within(plan: &Plan, scene: &RiskScene<'_>, elsewhere: Money, limit: Money) -> Option<Outcome> {
    let without = Reach::of(scene.account.resting.iter().copied(), plan.price)?;
    let after = worst(plan, scene, &without.and(as_resting(plan))?)?;
    let here = limit.minus(elsewhere)?;
    sized(after.largest().plus(elsewhere)?.0, limit.0, || {
        let before = worst(plan, scene, &without)?;
        if before.on(plan.side.opposite()) > here {
            return Some(Quantity::ZERO);
        }
        bought(here.minus(before.on(plan.side))?, plan, scene)
    })
}

/// The worst of this symbol. What we have not heard of counts on the order's side alone: on the other one the order takes
/// of it.
fn worst(plan: &Plan, scene: &RiskScene<'_>, reach: &Reach) -> Option<Worst<Money>> {
    let Account { position, own, .. } = *scene.account;
    let told = reach.worst(Held::Told(position))?;
    if own == position && !reach.reduces() {
        return Some(told);
    }
    Some(told.at_least(plan.side, reach.worst(Held::Heard(own))?))
}

/// The order as one of those that may yet fill.
fn as_resting(plan: &Plan) -> Resting {
    let Plan { symbol, side, quantity, price, reduce_only, .. } = *plan;
    Resting { symbol, side, remaining: quantity, price, reduce_only }
}

/// What `money` buys at the plan's price; nothing at all where there is none left.
fn bought(money: Money, plan: &Plan, scene: &RiskScene<'_>) -> Option<Quantity> {
    if money.is_positive() { scene.instrument.quantity_for(money, plan.price) } else { Some(Quantity::ZERO) }
}

fn closed(refusal: Refusal) -> Outcome {
    Outcome::Closed(Box::new(refusal))
}

fn is_within(Figures { figure, limit }: Figures) -> bool {
    decimal::compare(figure, limit).is_le()
}

fn fixed(figure: Decimal, limit: Decimal) -> Outcome {
    let figures = Figures { figure, limit };
    if is_within(figures) { Outcome::Within(figures) } else { Outcome::Over(figures) }
}

fn sized(figure: Decimal, limit: Decimal, room: impl FnOnce() -> Option<Quantity>) -> Option<Outcome> {
    let figures = Figures { figure, limit };
    Some(if is_within(figures) { Outcome::Within(figures) } else { Outcome::Oversize(figures, room()?) })
}
