//! What risk reads: the wallet, the position, and the worst that the orders out there may still do (spec K1).

use crate::unit::{Decimal, Money, Price, Quantity, Ratio, Side, Symbol};
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
/// Nothing where the figures overflow.
///
/// A reduce-only order never grows a position, but it may fill first and take away what stood between
/// another order and a position of its own: long 1, a reduce-only sell of 1 and a sell of 1 end short 1. It may have done so
/// already, unheard: where we are flat after that sell, and the reduce-only one is open as far as we know, we may be short 1.
pub fn worst_case(position: Quantity, orders: impl Iterator<Item = Resting>) -> Option<Worst> {
    // At a price of one, money is quantity.
    let one = Price(Decimal::ONE);
    let WorstNotional { long, short } = worst_notional(position, orders.map(|o| Resting { price: one, ..o }), one)?;
    Some(Worst { long: Quantity(long.0), short: Quantity(short.0) })
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
    let mut long = OneWay { held: position, opening: Money::ZERO, reducing: Quantity::ZERO };
    let mut short = OneWay { held: position.negated(), ..long };
    for order in orders {
        let way = match order.side {
            Side::Buy => &mut long,
            Side::Sell => &mut short,
        };
        if order.reduce_only {
            way.reducing = way.reducing.plus(order.remaining)?;
        } else {
            way.opening = way.opening.plus(order.price.max(reference).times(order.remaining)?)?;
        }
    }
    Some(WorstNotional { long: long.worst(reference)?, short: short.worst(reference)? })
}

/// One direction: what is held that way (negative: the other way) and what may be filled that way.
#[derive(Clone, Copy)]
struct OneWay {
    held: Quantity,
    opening: Money,
    reducing: Quantity,
}

impl OneWay {
    fn worst(self, reference: Price) -> Option<Money> {
        let base = self.held.plus(self.reducing)?;
        Some(reference.times(base)?.plus(self.opening)?.max(Money::ZERO))
    }
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

/// What an order may hold of the balance until it is closed again, quote units: its margin, the fee of getting in, and
/// the fee of getting out where the margin is used up (bybit-v5.md 9.4). For a long that is taken at the price of getting
/// in, which is a little more. Nothing where the figures overflow, or without leverage.
#[must_use]
pub fn order_cost(side: Side, notional: Money, leverage: Ratio, taker_fee_rate: Ratio) -> Option<Money> {
    let margin = notional.divided(leverage)?;
    let out = match side {
        Side::Buy => notional,
        Side::Sell => notional.plus(margin)?,
    };
    margin.plus(notional.plus(out)?.scaled(taker_fee_rate)?)
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::{any_side, money, price, quantity, thousandths};
    use proptest::prelude::*;

    fn order(side: Side, remaining: &str, at: &str, reduce_only: bool) -> Resting {
        let symbol = Symbol::new("BTCUSDT").unwrap();
        Resting { symbol, side, remaining: quantity(remaining), price: price(at), reduce_only }
    }

    #[test]
    fn k1_the_worst_case_is_taken_long_and_short() {
        let orders = [
            order(Side::Buy, "2", "90", false),
            order(Side::Sell, "5", "110", false),
            order(Side::Sell, "1", "110", true),
        ];
        let worst = worst_case(quantity("1"), orders.into_iter()).unwrap();
        assert_eq!(worst, Worst { long: quantity("3"), short: quantity("5") });
        // long: 1 held and 2 bought, all valued at 100; short: 5 sold at 110, the 1 held is sold by then
        let notional = worst_notional(quantity("1"), orders.into_iter(), price("100")).unwrap();
        assert_eq!(notional, WorstNotional { long: money("300"), short: money("550") });
    }

    /// The fill of an order that could only reduce was not heard of, then a sell was (a campaign's seed 10096530).
    #[test]
    fn k1_what_could_reduce_may_have_filled_unheard() {
        let exit = || core::iter::once(order(Side::Sell, "0.06", "3000", true));
        let worst = |position| worst_case(quantity(position), exit()).unwrap();
        assert_eq!(worst("0.06"), Worst { long: quantity("0.06"), short: Quantity::ZERO });
        assert_eq!(worst("0"), Worst { long: Quantity::ZERO, short: quantity("0.06") });
        assert_eq!(worst("-0.01").short, quantity("0.07"));
    }

    /// What a fill does, reduce-only capped as the exchange caps it (bybit-v5.md 9.5).
    fn fill(position: Quantity, order: &Resting) -> Quantity {
        let room = match order.side {
            Side::Buy => position.negated(),
            Side::Sell => position,
        };
        let fills = if order.reduce_only { order.remaining.min(room.max(Quantity::ZERO)) } else { order.remaining };
        position.plus(order.side.signed(fills)).unwrap()
    }

    proptest! {
        /// Whichever orders fill, in whatever order, no position on the way is beyond the worst case.
        #[test]
        fn k1_no_sequence_of_fills_is_worse_than_the_worst_case(
            position in thousandths(-5_000..5_000),
            orders in proptest::collection::vec((any_side(), thousandths(1..5_000), any::<bool>()), 0..6),
            filled in proptest::collection::vec(any::<proptest::sample::Index>(), 0..6),
        ) {
            let position = Quantity(position);
            let orders: Vec<_> = orders.into_iter().map(|(side, remaining, reduce_only)| {
                Resting { remaining: Quantity(remaining), ..order(side, "0", "100", reduce_only) }
            }).collect();
            let worst = worst_case(position, orders.iter().copied()).unwrap();
            let notional = worst_notional(position, orders.iter().copied(), price("100")).unwrap();
            let mut left = orders;
            let mut now = position;
            for index in filled {
                if left.is_empty() { break; }
                now = fill(now, &left.remove(index.index(left.len())));
                prop_assert!(now <= worst.long && now.negated() <= worst.short);
                prop_assert!(price("100").times(now.abs()).unwrap() <= notional.largest());
            }
        }
    }
}
