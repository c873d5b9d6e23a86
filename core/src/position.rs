//! One-way position arithmetic (bybit-v5.md 9.3): size, entry, realised profit and fees from fills.

use crate::order::Totals;
use crate::unit::{Money, Price, Quantity, Side};
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
    /// This position after fills of one side. Nothing where a figure leaves a decimal's range.
    #[must_use]
    pub fn after(&self, side: Side, fills: Totals) -> Option<Self> {
        let change = side.signed(fills.quantity);
        let size = self.size.add(change)?;
        let fees = self.fees.add(fills.fee)?;
        let held = self.size.abs();
        let entry_value = self.entry.times(held)?;
        if self.size.is_zero() || self.size.is_positive() == change.is_positive() {
            let entry = if size.is_zero() { Price::ZERO } else { entry_value.add(fills.value)?.per(size.abs())? };
            return Some(Self { size, entry, realised: self.realised, fees });
        }
        let (closed_value, entry) = if fills.quantity > held {
            let price = fills.value.per(fills.quantity)?;
            (price.times(held)?.sub(entry_value)?, price)
        } else {
            let entry = if size.is_zero() { Price::ZERO } else { self.entry };
            (fills.value.sub(self.entry.times(fills.quantity)?)?, entry)
        };
        let gain = if self.size.is_positive() { closed_value } else { Money::ZERO.sub(closed_value)? };
        Some(Self { size, entry, realised: self.realised.add(gain)?, fees })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::unit::{Decimal, decimal};

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
            let quantity = Quantity(d(quantity));
            let fills = Totals { quantity, value: Price(d(price)).times(quantity).unwrap(), fee: Money(d(fee)) };
            position = position.after(side, fills).unwrap();
            assert_eq!((position.size.0, position.entry.0, position.realised.0), (d(size), d(entry), d(realised)));
        }
        assert_eq!(position.fees.0, d("29.215"));
    }
}
