//! One-way position arithmetic (bybit-v5.md 9.3): size, entry, realised profit and fees from fills.

use crate::unit::{Decimal, Money, Price, Quantity, Side};
use serde::{Deserialize, Serialize};

/// The position of one symbol.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Position {
    /// Base units; plus is long.
    pub size: Quantity,
    /// Average entry price; zero when flat.
    pub entry: Price,
    /// Realised profit without fees, all time.
    pub realised: Money,
    /// Fees paid, all time.
    pub fees: Money,
}

impl Position {
    /// This position after a fill. Nothing where a figure leaves a decimal's range.
    #[must_use]
    pub fn after(&self, side: Side, price: Price, quantity: Quantity, fee: Money) -> Option<Self> {
        let change = side.signed(quantity);
        let size = self.size.add(change)?;
        let fees = self.fees.add(fee)?;
        let grows = self.size.is_zero() || (self.size.is_positive() == change.is_positive());
        if grows {
            let cost = self.entry.times(self.size.abs())?.add(price.times(quantity)?)?;
            let entry = if size.is_zero() { Price::ZERO } else { cost.per(size.abs())? };
            return Some(Self { size, entry, realised: self.realised, fees });
        }
        let closed = quantity.min(self.size.abs());
        let sign = if self.size.is_positive() { Decimal::ONE } else { Decimal::NEGATIVE_ONE };
        let gain = price.sub(self.entry)?.times(closed)?.0.checked_mul(sign)?;
        let realised = self.realised.add(Money(gain))?;
        let entry = if size.is_zero() {
            Price::ZERO
        } else if quantity > self.size.abs() {
            price
        } else {
            self.entry
        };
        Some(Self { size, entry, realised, fees })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::unit::decimal;

    fn d(text: &str) -> Decimal {
        decimal::parse(text).unwrap()
    }

    #[test]
    fn the_worked_example_of_bybit_9_3() {
        let steps = [
            (Side::Buy, "60000", "0.3", "9.90", "0.3", "60000", "0"),
            (Side::Buy, "61000", "0.1", "1.22", "0.4", "60250", "0"),
            (Side::Sell, "62000", "0.15", "5.115", "0.25", "60250", "262.5"),
            (Side::Sell, "59000", "0.4", "12.98", "-0.15", "59000", "-50"),
        ];
        let mut position = Position::default();
        for (side, price, quantity, fee, size, entry, realised) in steps {
            position = position.after(side, Price(d(price)), Quantity(d(quantity)), Money(d(fee))).unwrap();
            assert_eq!((position.size.0, position.entry.0, position.realised.0), (d(size), d(entry), d(realised)));
        }
        assert_eq!(position.fees.0, d("29.215"));
    }
}
