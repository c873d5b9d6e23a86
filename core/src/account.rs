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

/// The largest position that may result, each way, none negative: base units, or what they are worth in quote units.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Worst<T> {
    /// If every buy fills and no sell does.
    pub long: T,
    /// If every sell fills and no buy does.
    pub short: T,
}

impl<T: Ord + Copy> Worst<T> {
    /// The larger of the two.
    #[must_use]
    pub fn largest(self) -> T {
        self.long.max(self.short)
    }
    /// The one that a fill on `side` makes larger.
    #[must_use]
    pub fn on(self, side: Side) -> T {
        match side {
            Side::Buy => self.long,
            Side::Sell => self.short,
        }
    }
    /// On `side` the larger of this and `other`, on the other side this.
    #[must_use]
    pub fn at_least(self, side: Side, other: Self) -> Self {
        match side {
            Side::Buy => Self { long: self.long.max(other.long), ..self },
            Side::Sell => Self { short: self.short.max(other.short), ..self },
        }
    }
}

/// A symbol's position, signed, and who says so.
///
/// A reduce-only order never grows a position, but it may fill first and take away what stood between another order and a
/// position of its own: long 1, a reduce-only sell of 1 and a sell of 1 end short 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Held {
    /// The exchange, or Position Manager: what only reduces stops at zero.
    Told(Quantity),
    /// The executions that we heard of. Orders that are open as far as we know may have filled unheard, and what only
    /// reduces before others did: where that sell was heard of and left us flat, we are short 1.
    Heard(Quantity),
}

impl Held {
    const fn size(self) -> Quantity {
        match self {
            Self::Told(size) | Self::Heard(size) => size,
        }
    }
}

/// The worst position of one symbol, each way, from what is held and the orders of that symbol.
/// Nothing where the figures overflow.
#[cfg(test)]
pub(crate) fn worst_case(held: Held, orders: impl Iterator<Item = Resting>) -> Option<Worst<Quantity>> {
    let Worst { long, short } = Reach::in_quantity(orders)?.worst(held)?;
    Some(Worst { long: Quantity(long.0), short: Quantity(short.0) })
}

/// What the worst position of one symbol would be worth, each way, quote units, none negative.
#[cfg(test)]
pub(crate) fn worst_notional(
    held: Held,
    orders: impl Iterator<Item = Resting>,
    reference: Price,
) -> Option<Worst<Money>> {
    Reach::of(orders, reference)?.worst(held)
}

/// What the orders of one symbol may yet do to its position, each way.
///
/// The position is valued at `reference`; an order at its own price where that is higher, because a sell
/// can only fill there, and at `reference` where it is lower, because a position is worth what it can be sold for. What
/// a reduce-only order that filled unheard may have made of the position counts at the higher of `reference` and its own
/// price; the caller sees to it that no fill that it may consist of was dearer.
#[derive(Clone, Copy)]
pub struct Reach {
    reference: Price,
    long: OneWay,
    short: OneWay,
}

impl Reach {
    /// Of these orders, and a position that is worth `reference`. Nothing where the figures overflow.
    pub fn of(mut orders: impl Iterator<Item = Resting>, reference: Price) -> Option<Self> {
        let none = OneWay { opening: Money::ZERO, reducing: Quantity::ZERO, dearest: reference };
        orders.try_fold(Self { reference, long: none, short: none }, Self::and)
    }

    /// The same in base units: at a price of one, money is quantity.
    pub fn in_quantity(orders: impl Iterator<Item = Resting>) -> Option<Self> {
        let price = Price(Decimal::ONE);
        Self::of(orders.map(|order| Resting { price, ..order }), price)
    }

    /// With one more order.
    #[must_use]
    pub fn and(mut self, order: Resting) -> Option<Self> {
        let way = match order.side {
            Side::Buy => &mut self.long,
            Side::Sell => &mut self.short,
        };
        if order.reduce_only {
            way.reducing = way.reducing.plus(order.remaining)?;
            way.dearest = way.dearest.max(order.price);
        } else {
            way.opening = way.opening.plus(order.price.max(self.reference).times(order.remaining)?)?;
        }
        Some(self)
    }

    /// May any of them only reduce? Where none does, only how much is held makes a difference, and not who says so.
    #[must_use]
    pub fn reduces(&self) -> bool {
        self.long.reducing.is_positive() || self.short.reducing.is_positive()
    }

    /// The worst that they may make of what is held. Nothing where the figures overflow.
    #[must_use]
    pub fn worst(&self, held: Held) -> Option<Worst<Money>> {
        let long = self.long.worst(held, held.size(), self.reference)?;
        Some(Worst { long, short: self.short.worst(held, held.size().negated(), self.reference)? })
    }
}

/// What may be filled one way.
#[derive(Clone, Copy)]
struct OneWay {
    opening: Money,
    reducing: Quantity,
    /// Of `reducing`, and `reference` at least.
    dearest: Price,
}

impl OneWay {
    /// `held`: that way; negative is the other way.
    fn worst(&self, from: Held, held: Quantity, reference: Price) -> Option<Money> {
        let reduced = held.plus(self.reducing)?;
        let (base, price) = match from {
            Held::Told(_) => (reduced.min(held.max(Quantity::ZERO)), reference),
            Held::Heard(_) if reduced.is_positive() && self.reducing.is_positive() => (reduced, self.dearest),
            Held::Heard(_) => (reduced, reference),
        };
        Some(price.times(base)?.plus(self.opening)?.max(Money::ZERO))
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
    /// Signed position: the strictest of own executions, the exchange's and Position Manager's (spec K1).
    pub position: Quantity,
    /// Signed position by own executions.
    pub own: Quantity,
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
        let held = Held::Told(quantity("1"));
        let worst = worst_case(held, orders.into_iter()).unwrap();
        assert_eq!(worst, Worst { long: quantity("3"), short: quantity("5") });
        // long: 1 held and 2 bought, all valued at 100; short: 5 sold at 110, the 1 held is sold by then
        let notional = worst_notional(held, orders.into_iter(), price("100")).unwrap();
        assert_eq!(notional, Worst { long: money("300"), short: money("550") });
    }

    fn heard(size: &str) -> Held {
        Held::Heard(quantity(size))
    }

    /// The fill of an order that could only reduce was not heard of, then a sell was (a campaign's seed 10096530). The
    /// exchange itself knows what filled.
    #[test]
    fn k1_what_could_reduce_may_have_filled_unheard() {
        let exit = || core::iter::once(order(Side::Sell, "0.06", "3000", true));
        let worst = |held| worst_case(held, exit()).unwrap();
        assert_eq!(worst(heard("0.06")), Worst { long: quantity("0.06"), short: Quantity::ZERO });
        assert_eq!(worst(heard("0")), Worst { long: Quantity::ZERO, short: quantity("0.06") });
        assert_eq!(worst(heard("-0.01")).short, quantity("0.07"));
        assert_eq!(worst(Held::Told(Quantity::ZERO)), Worst::default());
        assert_eq!(worst(Held::Told(quantity("-0.01"))).short, quantity("0.01"));
    }

    /// Where we look flat nothing but the orders tells what the position would be worth.
    #[test]
    fn k1_what_filled_unheard_is_worth_what_it_cost_at_most() {
        let short = |held, reference| {
            let exit = core::iter::once(order(Side::Sell, "2", "3000", true));
            worst_notional(held, exit, price(reference)).unwrap().short
        };
        assert_eq!(short(heard("0"), "0"), money("6000"));
        assert_eq!(short(heard("1"), "3100"), money("3100"));
        assert_eq!(short(heard("2"), "3100"), Money::ZERO);
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
        /// Whichever orders fill, in whatever order, heard of or not, no position on the way is beyond the worst case,
        /// by what was heard; nor by what the exchange tells, where all was heard.
        #[test]
        fn k1_no_sequence_of_fills_is_worse_than_the_worst_case(
            position in thousandths(-5_000..5_000),
            orders in proptest::collection::vec((any_side(), thousandths(1..5_000), any::<bool>()), 0..6),
            filled in proptest::collection::vec((any::<proptest::sample::Index>(), any::<bool>()), 0..6),
        ) {
            let at = price("100");
            let mut left: Vec<_> = orders.into_iter().map(|(side, remaining, reduce_only)| {
                (Resting { remaining: Quantity(remaining), ..order(side, "0", "100", reduce_only) }, false)
            }).collect();
            let (mut now, mut known) = (Quantity(position), Quantity(position));
            let mut all_heard = true;
            for (index, hears) in filled {
                let open = left.iter().copied().filter(|(_, filled)| !*filled).map(|(order, _)| order);
                let told = worst_case(Held::Told(now), open).unwrap();
                let may_fill = || left.iter().map(|(order, _)| *order); // as far as we know
                let held = Held::Heard(known);
                let worst = worst_case(held, may_fill()).unwrap();
                let notional = worst_notional(held, may_fill(), at).unwrap();
                prop_assert!(now <= worst.long && now.negated() <= worst.short, "{now} {known} {left:?}");
                prop_assert!(now <= told.long && now.negated() <= told.short);
                prop_assert!(at.times(now.abs()).unwrap() <= notional.largest());
                prop_assert!(!all_heard || (told.long <= worst.long && told.short <= worst.short));
                if left.is_empty() { break; }
                let place = index.index(left.len());
                let (order, filled) = left[place];
                let before = now;
                if !filled { now = fill(now, &order); }
                all_heard &= hears;
                if hears {
                    if !filled { known = known.plus(now.minus(before).unwrap()).unwrap(); left.remove(place); }
                } else {
                    left[place].1 = true;
                }
            }
        }
    }
}
