//! The order book as everybody sees it (bybit-v5.md 6.2).

use super::refusal::{self, say};
use super::{Exchange, Market};
use order_manager_core::bybit::ApiError;
use order_manager_core::unit::{Category, Decimal, Price, Quantity, Side, Symbol};
use std::collections::BTreeMap;

/// What may be asked for at once, prices a side.
const MAX_DEPTH: u32 = 1_000;

/// Both sides, best price first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Book {
    /// Instrument.
    pub symbol: Symbol,
    /// What buyers offer: price and base units, falling.
    pub bids: Vec<(Price, Quantity)>,
    /// What sellers offer, rising.
    pub asks: Vec<(Price, Quantity)>,
    /// Cross sequence of the last match.
    pub seq: i64,
}

impl Exchange {
    /// The book of a symbol, at most `depth` prices a side: what stands around the last price together with the
    /// account's own resting orders.
    ///
    /// # Errors
    /// An unknown symbol, or a depth that is not 1 to 1000.
    pub fn book(&self, category: Category, symbol: Symbol, depth: u32) -> Result<Book, ApiError> {
        let market = &self.markets[self.market_of(category, symbol)?];
        if !(1..=MAX_DEPTH).contains(&depth) {
            return Err(say(refusal::LIMIT));
        }
        let side = |side| self.side_of_book(market, side, depth as usize);
        Ok(Book { symbol, bids: side(Side::Buy), asks: side(Side::Sell), seq: market.seq })
    }

    fn side_of_book(&self, market: &Market, side: Side, depth: usize) -> Vec<(Price, Quantity)> {
        let (taker, furthest) = match side {
            Side::Buy => (Side::Sell, Price::ZERO),
            Side::Sell => (Side::Buy, market.rules.max_price),
        };
        let sign = if side == Side::Buy { -Decimal::ONE } else { Decimal::ONE };
        let mut prices: BTreeMap<Decimal, Decimal> = BTreeMap::new();
        for (price, quantity) in market.levels(taker, furthest).take(depth) {
            *prices.entry(sign * price.0).or_default() += quantity.0;
        }
        for ((price, _), number) in &market.rests(side).book {
            *prices.entry(*price).or_default() += self.truth.order(*number).leaves().0;
        }
        let rows = prices.into_iter().map(|(price, quantity)| (Price(sign * price), Quantity(quantity)));
        rows.take(depth).collect()
    }
}
