//! One position: fills in, profit out (bybit-v5.md 9.3). Exact: entry values are summed, not averaged,
//! so that all profits together are all exits minus all entries to the last digit.

use order_manager_core::unit::{Decimal, Money, Price, Quantity, Ratio, Side, Timestamp};

/// A linear position.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Position {
    /// Size with its sign: plus is long.
    pub size: Quantity,
    /// What the size cost to enter, without sign.
    pub entry_value: Money,
    /// Fees paid to open what is open.
    pub open_fees: Money,
    /// Realised since the position was last flat, fees deducted.
    pub current_realised: Money,
    /// Realised ever, fees deducted.
    pub realised: Money,
    /// Cross sequence of the last fill; -1 = never traded.
    pub seq: i64,
    /// When it was opened; zero when flat.
    pub opened: Timestamp,
    /// When it last changed.
    pub updated: Timestamp,
}

/// What a fill did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Effect {
    /// Profit realised, fees not counted (`execPnl`).
    pub pnl: Money,
    /// Base units closed (`closedSize`).
    pub closed: Quantity,
    /// Profit realised, the fees of opening and closing deducted (`closedPnl`).
    pub closed_pnl: Money,
}

impl Default for Position {
    fn default() -> Self {
        Self {
            size: Quantity::ZERO,
            entry_value: Money::ZERO,
            open_fees: Money::ZERO,
            current_realised: Money::ZERO,
            realised: Money::ZERO,
            seq: -1,
            opened: Timestamp(0),
            updated: Timestamp(0),
        }
    }
}

impl Position {
    /// Books a fill. A fill larger than an opposite position flips it.
    pub fn fill(&mut self, side: Side, quantity: Quantity, price: Price, fee: Money) -> Effect {
        let (size, q) = (self.size.0.abs(), quantity.0);
        let opposite = !size.is_zero() && self.side() != Some(side);
        let closed = if opposite { size.min(q) } else { Decimal::ZERO };
        let mut effect = Effect::default();
        let close_fee = share(fee.0, closed, q);
        if opposite {
            let entry = share(self.entry_value.0, closed, size);
            let open_fee = share(self.open_fees.0, closed, size);
            let exit = price.0 * closed;
            let pnl = if self.size.0.is_sign_negative() { entry - exit } else { exit - entry };
            self.entry_value.0 -= entry;
            self.open_fees.0 -= open_fee;
            effect =
                Effect { pnl: Money(pnl), closed: Quantity(closed), closed_pnl: Money(pnl - open_fee - close_fee) };
        }
        let opened = q - closed;
        if !opened.is_zero() {
            self.entry_value.0 += price.0 * opened;
            self.open_fees.0 += fee.0 - close_fee;
        }
        self.book_realised(size, closed, effect.pnl.0, fee.0, close_fee);
        self.size.0 += side.signed(quantity).0;
        effect
    }

    /// Direction; none when flat.
    #[must_use]
    pub fn side(&self) -> Option<Side> {
        match self.size.0 {
            size if size.is_zero() => None,
            size if size.is_sign_negative() => Some(Side::Sell),
            _ => Some(Side::Buy),
        }
    }

    /// How much an order of this side can take off it, base units.
    #[must_use]
    pub fn reducible(&self, side: Side) -> Quantity {
        if self.side() == Some(side.opposite()) { self.size.abs() } else { Quantity::ZERO }
    }

    /// Average entry price; none when flat.
    #[must_use]
    pub fn average(&self) -> Option<Price> {
        self.entry_value.per(self.size.abs()).map(|price| Price(price.0.round_dp(12).normalize()))
    }

    /// What it would gain at this price.
    #[must_use]
    pub fn unrealised(&self, mark: Price) -> Money {
        let value = mark.0 * self.size.0.abs();
        let gain = value - self.entry_value.0;
        Money(if self.size.0.is_sign_negative() { -gain } else { gain })
    }

    /// What it holds of the wallet: mark value by leverage, and the fee of closing at bankruptcy (9.4).
    #[must_use]
    pub fn margin(&self, mark: Price, leverage: Ratio, taker: Ratio) -> Money {
        let Some(side) = self.side() else { return Money::ZERO };
        let value = mark.0 * self.size.0.abs();
        Money((value / leverage.0 + bankruptcy(self.entry_value.0, side, leverage) * taker.0).round_dp(8))
    }

    fn book_realised(&mut self, size: Decimal, closed: Decimal, pnl: Decimal, fee: Decimal, close_fee: Decimal) {
        self.realised.0 += pnl - fee;
        if closed == size {
            // Flat before or flat (or flipped) now: the count starts again with the fees of what was opened.
            self.current_realised.0 = close_fee - fee;
        } else {
            self.current_realised.0 += pnl - fee;
        }
    }
}

/// What a value becomes where the margin is used up: long loses a leverage's share, short gains it.
pub(super) fn bankruptcy(value: Decimal, side: Side, leverage: Ratio) -> Decimal {
    let share = value / leverage.0;
    if side == Side::Buy { value - share } else { value + share }
}

/// `part` of `whole` of an amount, to 8 digits; the whole amount for the whole.
fn share(amount: Decimal, part: Decimal, whole: Decimal) -> Decimal {
    if part == whole {
        amount
    } else if part.is_zero() {
        Decimal::ZERO
    } else {
        (amount * part / whole).round_dp(8)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use order_manager_core::unit::decimal::parse;

    fn d(text: &str) -> Decimal {
        parse(text).unwrap()
    }

    /// The worked example of bybit-v5.md 9.3, every column of it.
    #[test]
    fn the_worked_example_of_9_3() {
        let mut position = Position::default();
        let mut wallet = d("10000");
        let steps = [
            (Side::Buy, "0.3", "60000", "9.90", "0", "0.3", "60000", "0", "9990.10"),
            (Side::Buy, "0.1", "61000", "1.22", "0", "0.4", "60250", "0", "9988.88"),
            (Side::Sell, "0.15", "62000", "5.115", "262.50", "0.25", "60250", "253.215", "10246.265"),
            (Side::Sell, "0.4", "59000", "12.98", "-312.50", "-0.15", "59000", "-327.5625", "9920.785"),
        ];
        for (side, quantity, price, fee, pnl, size, average, closed_pnl, after) in steps {
            let effect = position.fill(side, Quantity(d(quantity)), Price(d(price)), Money(d(fee)));
            wallet += effect.pnl.0 - d(fee);
            assert_eq!(effect.pnl.0, d(pnl));
            assert_eq!(position.size.0, d(size));
            assert_eq!(position.average(), Some(Price(d(average))));
            assert_eq!(effect.closed_pnl.0, d(closed_pnl));
            assert_eq!(wallet, d(after));
        }
        let (mark, leverage, taker) = (Price(d("58800")), Ratio(d("10")), Ratio(d("0.00055")));
        assert_eq!(position.unrealised(mark).0, d("30"));
        assert_eq!(position.margin(mark, leverage, taker).0, d("887.35425"));
        assert_eq!(wallet + d("30") - d("887.35425"), d("9063.43075"));
    }

    #[test]
    fn a_third_of_a_position_leaves_no_dust() {
        let mut position = Position::default();
        position.fill(Side::Buy, Quantity(d("3")), Price(d("100.01")), Money(d("0.1")));
        position.fill(Side::Buy, Quantity(d("4")), Price(d("33.33")), Money(d("0.1")));
        let mut pnl = Decimal::ZERO;
        for _ in 0..7 {
            pnl += position.fill(Side::Sell, Quantity(d("1")), Price(d("50")), Money(d("0.1"))).pnl.0;
        }
        assert_eq!(position.entry_value, Money::ZERO);
        assert_eq!(position.open_fees, Money::ZERO);
        assert_eq!(pnl, d("350") - d("300.03") - d("133.32"));
        assert_eq!(position.side(), None);
    }
}
