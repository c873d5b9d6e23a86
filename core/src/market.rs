//! What planning reads: an instrument's rules, the latest prices, the band that a limit must lie in.

use crate::bybit::{InstrumentRow, TickerRow};
use crate::refusal::{Code, Refusal};
use crate::unit::{Coin, Decimal, Money, Price, Quantity, Ratio, Side, Symbol, Text, Timestamp};
use serde::{Deserialize, Serialize};

/// One instrument's rules, checked: made by [`Instrument::from_row`] only (bybit-v5.md 5.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Instrument {
    /// Instrument.
    pub symbol: Symbol,
    /// Is its status `Trading`?
    pub trading: bool,
    /// Base coin.
    pub base: Coin,
    /// Quote coin.
    pub quote: Coin,
    /// Prices are multiples of it; above zero.
    pub tick_size: Price,
    /// Lowest price.
    pub min_price: Price,
    /// Highest price.
    pub max_price: Price,
    /// Quantities are multiples of it; above zero.
    pub quantity_step: Quantity,
    /// Smallest order, base units.
    pub min_quantity: Quantity,
    /// Largest limit order, base units.
    pub max_limit_quantity: Quantity,
    /// Largest market order, base units.
    pub max_market_quantity: Quantity,
    /// Smallest order value, quote units.
    pub min_notional: Money,
    /// Price band, near ratio; zero is none.
    pub price_limit_ratio_x: Ratio,
    /// Price band, far ratio; zero is none.
    pub price_limit_ratio_y: Ratio,
    /// Highest leverage the exchange allows.
    pub max_leverage: Ratio,
}

/// Rules that no order can be made by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
pub enum RuleFault {
    /// Finer than our rows can hold (spec T5).
    #[error("{symbol}: {field} {value} is finer than 8 decimals")]
    TooFine {
        /// Instrument.
        symbol: Symbol,
        /// Which rule.
        field: Text<24>,
        /// Its value.
        value: Ratio,
    },
    /// Not above zero where it must be, or a minimum above its maximum.
    #[error("{symbol}: {field} {value} makes no sense")]
    Nonsense {
        /// Instrument.
        symbol: Symbol,
        /// Which rule.
        field: Text<24>,
        /// Its value.
        value: Ratio,
    },
}

impl From<RuleFault> for Refusal {
    fn from(fault: RuleFault) -> Self {
        let code = match fault {
            RuleFault::TooFine { .. } => Code::SymbolTooFine,
            RuleFault::Nonsense { .. } => Code::UnknownSymbol,
        };
        Self::new(code, format_args!("{fault}"))
    }
}

/// Decimals of a NUMERIC(20,8) column (wire-contracts 5.1).
pub const ROW_DECIMALS: u32 = 8;

impl Instrument {
    /// Takes the exchange's row, or names the rule that cannot be worked with.
    pub fn from_row(row: &InstrumentRow) -> Result<Self, RuleFault> {
        let symbol = row.symbol;
        let nonsense = |field, value| RuleFault::Nonsense { symbol, field: Text::clipped(field), value: Ratio(value) };
        for (field, step) in [("tick_size", row.tick_size.0), ("quantity_step", row.quantity_step.0)] {
            if step <= Decimal::ZERO {
                return Err(nonsense(field, step));
            }
            if step.normalize().scale() > ROW_DECIMALS {
                return Err(RuleFault::TooFine { symbol, field: Text::clipped(field), value: Ratio(step) });
            }
        }
        let (price, quantity) = (row.max_price.0, row.min_quantity.0);
        for (good, field, value) in [
            (row.min_price.0 >= Decimal::ZERO, "min_price", row.min_price.0),
            (price > Decimal::ZERO && price >= row.min_price.0, "max_price", price),
            (quantity >= Decimal::ZERO, "min_quantity", quantity),
            (usable_maximum(row.max_limit_quantity, quantity), "max_limit_quantity", row.max_limit_quantity.0),
            (usable_maximum(row.max_market_quantity, quantity), "max_market_quantity", row.max_market_quantity.0),
            (row.min_notional.0 >= Decimal::ZERO, "min_notional", row.min_notional.0),
            (row.price_limit_ratio_x.0 >= Decimal::ZERO, "price_limit_ratio_x", row.price_limit_ratio_x.0),
            (row.price_limit_ratio_y.0 >= Decimal::ZERO, "price_limit_ratio_y", row.price_limit_ratio_y.0),
        ] {
            if !good {
                return Err(nonsense(field, value));
            }
        }
        Ok(Self {
            symbol,
            trading: row.trading,
            base: row.base,
            quote: row.quote,
            tick_size: row.tick_size,
            min_price: row.min_price,
            max_price: row.max_price,
            quantity_step: row.quantity_step,
            min_quantity: row.min_quantity,
            max_limit_quantity: row.max_limit_quantity,
            max_market_quantity: row.max_market_quantity,
            min_notional: row.min_notional,
            price_limit_ratio_x: row.price_limit_ratio_x,
            price_limit_ratio_y: row.price_limit_ratio_y,
            max_leverage: row.max_leverage,
        })
    }

    /// How far from the mark price a limit may lie (bybit-v5.md 5.2, futures, a = 1, P = 0). Without a mark
    /// price the last one stands in for it; a ratio of zero is no band.
    #[must_use]
    pub fn band(&self, quote: &Quote) -> Band {
        self.try_band(quote).unwrap_or(Band { max_buy: self.max_price, min_sell: self.min_price })
    }

    fn try_band(&self, quote: &Quote) -> Option<Band> {
        let (x, y) = (self.price_limit_ratio_x, self.price_limit_ratio_y);
        if x.is_zero() || y.is_zero() {
            return None;
        }
        let mark = quote.mark.unwrap_or(quote.last);
        let index = quote.index.unwrap_or(mark);
        let down = |ratio: Ratio| mark.moved_by(Ratio::ZERO.minus(ratio)?);
        Some(Band {
            max_buy: mark.moved_by(y)?.min(index.max(mark.moved_by(x)?)),
            min_sell: down(y)?.max(index.min(down(x)?)),
        })
    }

    /// The price nearest to `wanted` that the exchange takes and that is no worse for us: buys go down, sells
    /// up, to a multiple of the tick inside the band (spec D5). Nothing where there is no such price.
    #[must_use]
    pub fn limit_price(&self, side: Side, wanted: Price, quote: &Quote) -> Option<Price> {
        let band = self.band(quote);
        let price = match side {
            Side::Buy => wanted.min(band.max_buy).min(self.max_price).floor_to(self.tick_size)?,
            Side::Sell => wanted.max(band.min_sell).max(self.min_price).ceil_to(self.tick_size)?,
        };
        (price.is_positive() && price >= self.min_price && price <= self.max_price).then_some(price)
    }

    /// The most that `money` buys at `price`, a multiple of the step (spec D7). Nothing at a price of zero or
    /// where the figures overflow.
    #[must_use]
    pub fn quantity_for(&self, money: Money, price: Price) -> Option<Quantity> {
        let quantity = money.buys_at(price)?.floor_to(self.quantity_step)?;
        // The quotient is rounded at its 28th digit, so it may have come up to a step that it does not reach.
        if price.times(quantity)? > money { quantity.minus(self.quantity_step) } else { Some(quantity) }
    }
}

fn usable_maximum(maximum: Quantity, minimum: Decimal) -> bool {
    maximum.is_positive() && maximum.0 >= minimum
}

/// Highest buy and lowest sell that the exchange takes as they are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Band {
    /// No buy above it.
    pub max_buy: Price,
    /// No sell below it.
    pub min_sell: Price,
}

/// The latest prices of a symbol, and when they were asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Quote {
    /// Price of the last trade.
    pub last: Price,
    /// Mark price.
    pub mark: Option<Price>,
    /// Index price.
    pub index: Option<Price>,
    /// Best bid; none on an empty book.
    pub bid: Option<Price>,
    /// Best ask; none on an empty book.
    pub ask: Option<Price>,
    /// When it came, on our clock.
    pub at: Timestamp,
}

impl Quote {
    /// Takes a ticker that came `at`.
    #[must_use]
    pub fn from_row(row: &TickerRow, at: Timestamp) -> Self {
        Self { last: row.last, mark: row.mark, index: row.index, bid: row.bid, ask: row.ask, at }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::{
        any_instrument, instrument, instrument_row, money, price, quantity, quote, ratio, thousandths,
    };
    use proptest::prelude::*;

    #[test]
    fn t5_a_symbol_finer_than_our_rows_is_refused_by_name() {
        let row = InstrumentRow { tick_size: price("0.000000001"), ..instrument_row() };
        let fault = Instrument::from_row(&row).unwrap_err();
        assert_eq!(alloc::format!("{fault}"), "BTCUSDT: tick_size 0.000000001 is finer than 8 decimals");
        assert_eq!(Refusal::from(fault).code, Code::SymbolTooFine);
        let row = InstrumentRow { quantity_step: quantity("0.0000000010"), ..instrument_row() };
        assert!(matches!(Instrument::from_row(&row), Err(RuleFault::TooFine { .. })));
        let row = InstrumentRow { tick_size: price("0.000000010"), ..instrument_row() };
        assert!(Instrument::from_row(&row).is_ok());
    }

    #[test]
    fn t5_rules_that_make_no_sense_are_refused_by_name() {
        let base = instrument_row();
        for (row, field) in [
            (InstrumentRow { tick_size: price("0"), ..base }, "tick_size"),
            (InstrumentRow { quantity_step: quantity("-1"), ..base }, "quantity_step"),
            (InstrumentRow { min_price: price("3"), max_price: price("2"), ..base }, "max_price"),
            (InstrumentRow { max_market_quantity: quantity("0.0001"), ..base }, "max_market_quantity"),
            (InstrumentRow { max_limit_quantity: quantity("0"), ..base }, "max_limit_quantity"),
            (InstrumentRow { min_notional: money("-1"), ..base }, "min_notional"),
        ] {
            match Instrument::from_row(&row) {
                Err(RuleFault::Nonsense { field: named, .. }) => assert_eq!(named.as_str(), field),
                other => panic!("{field}: {other:?}"),
            }
        }
    }

    /// The figures are bybit-v5.md 5.2 worked by hand.
    #[test]
    fn d5_the_band_follows_mark_and_index() {
        let band = |mark, index| {
            let quote = Quote { mark: Some(price(mark)), index: Some(price(index)), ..quote() };
            let Band { max_buy, min_sell } = instrument().band(&quote);
            (max_buy, min_sell)
        };
        assert_eq!(band("50000", "50000"), (price("50500"), price("49500")));
        assert_eq!(band("50000", "50800"), (price("50800"), price("49500")));
        assert_eq!(band("50000", "60000"), (price("51000"), price("49500")));
        assert_eq!(band("50000", "40000"), (price("50500"), price("49000")));
        let unbanded = Instrument { price_limit_ratio_x: ratio("0"), ..instrument() };
        assert_eq!(unbanded.band(&quote()), Band { max_buy: price("1999999.8"), min_sell: price("0.1") });
    }

    #[test]
    fn d5_a_price_that_the_exchange_cannot_take_is_none() {
        let rules = instrument();
        assert_eq!(rules.limit_price(Side::Buy, price("60000"), &quote()), Some(price("50500")));
        assert_eq!(rules.limit_price(Side::Sell, price("40000"), &quote()), Some(price("49500")));
        assert_eq!(rules.limit_price(Side::Buy, price("0.05"), &quote()), None);
        assert_eq!(rules.limit_price(Side::Sell, price("2000000"), &quote()), None);
    }

    /// A third of it is 0.99999999999999999999999999997, which 28 decimals can only hold as 1.
    #[test]
    fn d7_a_quotient_that_rounds_up_to_a_step_does_not_buy_it() {
        let rules = Instrument { quantity_step: quantity("1"), ..instrument() };
        let amount = money("2.9999999999999999999999999999");
        assert_eq!(rules.quantity_for(amount, price("3")), Some(Quantity::ZERO));
        assert_eq!(rules.quantity_for(money("3"), price("3")), Some(quantity("1")));
    }

    proptest! {
        #[test]
        fn d5_limit_prices_lie_on_tick_in_the_band_and_on_our_side(
            rules in any_instrument(), wanted in thousandths(1..100_000_000), mark in thousandths(1_000..100_000_000),
        ) {
            let (wanted, mark) = (Price(wanted), Price(mark));
            let quote = Quote { last: mark, mark: Some(mark), index: None, ..quote() };
            let band = rules.band(&quote);
            for side in [Side::Buy, Side::Sell] {
                let Some(price) = rules.limit_price(side, wanted, &quote) else { continue };
                prop_assert_eq!(price.floor_to(rules.tick_size), Some(price));
                prop_assert!(price >= rules.min_price && price <= rules.max_price);
                match side {
                    Side::Buy => prop_assert!(price <= wanted && price <= band.max_buy),
                    Side::Sell => prop_assert!(price >= wanted && price >= band.min_sell),
                }
            }
        }

        #[test]
        fn d7_a_quantity_is_the_most_that_the_money_buys(
            rules in any_instrument(), amount in thousandths(1..1_000_000_000), price in thousandths(1..100_000_000),
        ) {
            let (amount, price) = (Money(amount), Price(price));
            let quantity = rules.quantity_for(amount, price).unwrap();
            let more = quantity.plus(rules.quantity_step).unwrap();
            prop_assert_eq!(quantity.floor_to(rules.quantity_step), Some(quantity));
            prop_assert!(price.times(quantity).unwrap() <= amount);
            prop_assert!(price.times(more).unwrap() > amount);
        }
    }
}
