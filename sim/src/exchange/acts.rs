//! What others do to the account: a hand on the app, the exchange's own people.

use super::engine::BY_ADMIN;
use super::order::Origin;
use super::{Exchange, Timestamp};
use order_manager_core::unit::{Category, ExchangeOrderId, OrderLinkId, Quantity, Side, Symbol};

impl Exchange {
    /// A market order by hand, without a link id (Q25). It is decided at once and asks for no margin.
    /// None where the symbol is unknown or the quantity is not positive.
    pub fn manual_order(
        &mut self,
        now: Timestamp,
        symbol: Symbol,
        side: Side,
        quantity: Quantity,
    ) -> Option<ExchangeOrderId> {
        self.run(now);
        let market = self.place_of(Category::Linear, symbol)?;
        if !quantity.is_positive() {
            return None;
        }
        let number = self.foreign(now, market, Origin::Other, side, quantity);
        self.enter(now, number);
        Some(self.truth.order(number).id())
    }

    /// The exchange cancels an order (`CancelByAdmin`, Q63). False where it is not open.
    pub fn cancel_by_admin(&mut self, now: Timestamp, link: OrderLinkId) -> bool {
        self.run(now);
        let number = self.truth.links.get(&link).and_then(|record| record.order);
        let Some(number) = number.filter(|number| !self.truth.order(*number).is_closed()) else { return false };
        self.finish(now, number, BY_ADMIN);
        self.tell_order(now, number);
        true
    }

    /// From now on the book of a symbol offers so much at the best price and nothing further, and resting
    /// orders get so much a touch. An unknown symbol changes nothing.
    pub fn set_liquidity(&mut self, symbol: Symbol, at_best: Quantity) {
        if let Some(market) = self.place_of(Category::Linear, symbol) {
            let liquidity = &mut self.markets[market].liquidity;
            (liquidity.best, liquidity.level, liquidity.touch) = (at_best, Quantity::ZERO, at_best);
        }
    }

    /// The exchange restarts its order service: realtime forgets every closed order, history does not (Q46).
    pub fn clear_closed_cache(&mut self) {
        self.closed_from = self.closed;
        self.recent.clear();
    }
}
