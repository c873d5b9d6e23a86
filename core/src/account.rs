//! What risk reads: the wallet, the position, and the worst that the orders out there may still do (spec K1).

use crate::unit::{Money, Price, Quantity, Ratio, Side, Symbol};
use alloc::vec::Vec;
use serde::{Deserialize, Serialize};

/// What the operator lets through (spec K4).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Trading {
    /// Everything.
    #[default]
    Active,
    /// Only what reduces a position.
    Reducing,
    /// Nothing but verified reduce-only exits.
    Halted,
}

/// Another name for [`Trading`].
pub type TradingState = Trading;

/// An order that may yet fill: open, unknown, in flight, or foreign (spec K1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Resting {
    /// Instrument.
    pub symbol: Symbol,
    /// Buy or sell.
    pub side: Side,
    /// What may yet fill, base units, not negative.
    pub remaining: Quantity,
    /// Limit price; for a market order the worst it may fill at.
    pub price: Price,
    /// May only reduce.
    pub reduce_only: bool,
}

/// The largest positions that may result, base units, none negative.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Worst {
    /// If every buy fills and no sell does.
    pub long: Quantity,
    /// If every sell fills and no buy does.
    pub short: Quantity,
}

impl Worst {
    /// The larger of the two.
    #[must_use]
    pub fn largest(self) -> Quantity {
        self.long.max(self.short)
    }
    /// The one that a fill on `side` makes larger.
    #[must_use]
    pub fn on(self, side: Side) -> Quantity {
        match side {
            Side::Buy => self.long,
            Side::Sell => self.short,
        }
    }
}

/// The worst position of one symbol, each way, from a signed `position` and the orders of that symbol.
/// Reduce-only orders count for nothing: they never grow a position. Nothing where the figures overflow.
pub fn worst_case(position: Quantity, orders: impl Iterator<Item = Resting>) -> Option<Worst> {
    let (mut long, mut short) = (position, Quantity::ZERO.sub(position)?);
    for order in orders.filter(|o| !o.reduce_only) {
        match order.side {
            Side::Buy => long = long.add(order.remaining)?,
            Side::Sell => short = short.add(order.remaining)?,
        }
    }
    Some(Worst { long: long.max(Quantity::ZERO), short: short.max(Quantity::ZERO) })
}

/// What the worst position of one symbol would be worth, each way, quote units, none negative.
///
/// The position is valued at `reference`; an order at its own price where that is higher, because a sell
/// can only fill there, and at `reference` where it is lower, because a position is worth what it can be sold for.
pub fn worst_notional(
    position: Quantity,
    orders: impl Iterator<Item = Resting>,
    reference: Price,
) -> Option<WorstNotional> {
    let held = reference.times(position)?;
    let (mut long, mut short) = (held, Money::ZERO.sub(held)?);
    for order in orders.filter(|o| !o.reduce_only) {
        let value = order.price.max(reference).times(order.remaining)?;
        match order.side {
            Side::Buy => long = long.add(value)?,
            Side::Sell => short = short.add(value)?,
        }
    }
    Some(WorstNotional { long: long.max(Money::ZERO), short: short.max(Money::ZERO) })
}

/// [`Worst`] in quote units.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct WorstNotional {
    /// If every buy fills and no sell does.
    pub long: Money,
    /// If every sell fills and no buy does.
    pub short: Money,
}

impl WorstNotional {
    /// The larger of the two: what this symbol adds to the exposure.
    #[must_use]
    pub fn largest(self) -> Money {
        self.long.max(self.short)
    }
    /// The one that a fill on `side` makes larger.
    #[must_use]
    pub fn on(self, side: Side) -> Money {
        match side {
            Side::Buy => self.long,
            Side::Sell => self.short,
        }
    }
}

/// What risk reads about the account for one symbol. All of it is fresh, or the caller asks first (spec K2).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Account {
    /// What a new order may use as margin. The caller has taken off what is in flight and not yet in the
    /// exchange's figure.
    pub available: Money,
    /// Leverage that the symbol is set to.
    pub leverage: Ratio,
    /// Signed position: the stricter of own executions and the exchange's (spec K1).
    pub position: Quantity,
    /// Orders of this symbol that may yet fill. Leave out what the plan cancels; before sending, when the
    /// cancels are proven, decide again with what is left (spec D1).
    pub resting: Vec<Resting>,
    /// Worst-case notional of all other symbols.
    pub other_exposure: Money,
}
