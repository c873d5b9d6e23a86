//! Orders of the service that stood here before us (spec T1).

use super::{Facts, Order, Spec, State, Told, Totals};
use crate::bybit::{OrderKind, TimeInForce};
use crate::unit::{
    ClockOffset, ExchangeOrderId, Intent, Money, OrderLinkId, Price, Quantity, Side, SignalId, Symbol, Timestamp,
    TraceId,
};
use serde::{Deserialize, Serialize};

/// An order that the predecessor placed and left open, as its row in `orders` tells it (wire-contracts.md 5.1).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct InheritedOrder {
    /// The row's own id: it stays.
    pub id: SignalId,
    /// Bybit's id: the predecessor gave its orders none of its own.
    pub order_id: ExchangeOrderId,
    /// The signal.
    pub signal: SignalId,
    /// Instrument.
    pub symbol: Symbol,
    /// Buy or sell.
    pub side: Side,
    /// Of a limit order, its price.
    pub limit: Option<Price>,
    /// Base units.
    pub quantity: Quantity,
    /// What the row says of its fills: Position Manager was told of these.
    pub filled: Quantity,
    /// Their average price.
    pub average_price: Option<Price>,
    /// Their fees.
    pub fees: Money,
    /// When it was placed.
    pub created_at: Timestamp,
    /// The signal's trace id.
    pub trace: TraceId,
}

impl InheritedOrder {
    /// What the world was told of its fills; a price that its row left out is reckoned as the limit.
    #[must_use]
    pub fn totals(&self) -> Totals {
        let price = self.average_price.or(self.limit).unwrap_or_default();
        Totals { quantity: self.filled, value: price.times(self.filled).unwrap_or_default(), fee: self.fees }
    }

    /// What it is in our words. Whether it may only reduce nobody wrote down: it counts as one that opens.
    #[must_use]
    pub fn spec(&self, link: OrderLinkId) -> Spec {
        let kind = match self.limit {
            Some(price) => OrderKind::Limit { price, time_in_force: TimeInForce::Gtc },
            None => OrderKind::Market { slippage: None },
        };
        Spec {
            link,
            intent: Intent { signal: self.signal, leg: 0, attempt: 0 },
            symbol: self.symbol,
            side: self.side,
            kind,
            quantity: self.quantity,
            reduce_only: false,
            price: self.limit.or(self.average_price).unwrap_or_default(),
            at: self.created_at,
        }
    }

    /// The order as it lives on with us: Bybit took it, and the world was told what its row tells.
    #[must_use]
    pub fn order(&self, link: OrderLinkId) -> Order {
        let facts = Facts { order_id: Some(self.order_id), ..Facts::default() };
        let told = Told { created: true, totals: self.totals(), ..Told::default() };
        let placed = self.created_at.at_exchange(ClockOffset(0));
        let signed_at = Some(placed);
        Order { state: State::Acked, signed_at, facts, told, inherited: true, ..Order::new(self.spec(link)) }
    }
}
