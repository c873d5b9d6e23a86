//! What we ask of the exchange, typed. Unsigned and without a clock: both join in the adapter.

use super::code::Operation;
use crate::unit::{
    Category, Coin, ExchangeOrderId, ExchangeTime, OrderLinkId, Price, Quantity, Ratio, Side, Symbol, Text,
};
use alloc::boxed::Box;
use serde::{Deserialize, Serialize};

/// How long an order may rest (bybit-v5.md 3.2). Market orders are always immediate-or-cancel.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum TimeInForce {
    /// Rests until cancelled.
    Gtc,
    /// Fills what crosses, the rest is cancelled.
    Ioc,
    /// All or nothing.
    Fok,
    /// Never takes; cancelled where it would.
    PostOnly,
}

/// Market or limit, with what belongs to each.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum OrderKind {
    /// Immediate-or-cancel at the market, no further than the tolerance from the best price.
    Market {
        /// Share of the best price (0.005 = 0.5 %); sent as `slippageTolerance` in percent, 0.01 to 10, two places.
        slippage: Option<Ratio>,
    },
    /// At this price or better.
    Limit {
        /// A multiple of the tick size.
        price: Price,
        /// How long it may rest.
        time_in_force: TimeInForce,
    },
}

/// `POST /v5/order/create` (bybit-v5.md 2.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Create {
    /// Product.
    pub category: Category,
    /// Instrument.
    pub symbol: Symbol,
    /// Buy or sell.
    pub side: Side,
    /// Market or limit.
    pub kind: OrderKind,
    /// Base units, a multiple of the quantity step.
    pub quantity: Quantity,
    /// May only reduce a position.
    pub reduce_only: bool,
    /// 0 one-way, 1 hedge long side, 2 hedge short side.
    pub position_idx: u8,
    /// Our id.
    pub link: OrderLinkId,
}

/// `POST /v5/order/cancel` (2.4), by our own id but for orders that have none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cancel {
    /// Product.
    pub category: Category,
    /// Instrument.
    pub symbol: Symbol,
    /// Our id.
    pub link: OrderLinkId,
    /// Bybit's id, where that alone names the order; wins over `link`.
    pub order_id: Option<ExchangeOrderId>,
}

/// `POST /v5/order/amend` (2.3). Absent means unchanged; the quantity is the new total.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Amend {
    /// Product.
    pub category: Category,
    /// Instrument.
    pub symbol: Symbol,
    /// Our id.
    pub link: OrderLinkId,
    /// New price.
    pub price: Option<Price>,
    /// New total quantity, the filled part included.
    pub quantity: Option<Quantity>,
}

/// Where a page ended, exactly as it came. Rare and long, so it is kept apart from what moves about.
pub type Cursor = Box<Text<512>>;

/// `GET /v5/order/realtime` (2.7) and `GET /v5/order/history` (2.8).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OrderQuery {
    /// Product.
    pub category: Category,
    /// One instrument, or none for all that settle in `settle_coin`.
    pub symbol: Option<Symbol>,
    /// Realtime needs it where no symbol is named.
    pub settle_coin: Option<Coin>,
    /// One order by our id.
    pub link: Option<OrderLinkId>,
    /// One order by Bybit's id; wins over `link`.
    pub order_id: Option<ExchangeOrderId>,
    /// History only.
    pub start: Option<ExchangeTime>,
    /// History only.
    pub end: Option<ExchangeTime>,
    /// Rows a page, 1 to 50.
    pub limit: u32,
    /// Where the last page ended, exactly as it came.
    pub cursor: Option<Cursor>,
}

/// `GET /v5/execution/list` (2.9).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExecutionQuery {
    /// Product.
    pub category: Category,
    /// One instrument, or all.
    pub symbol: Option<Symbol>,
    /// Executions of one order by our id; then the times are ignored by Bybit.
    pub link: Option<OrderLinkId>,
    /// The same by Bybit's id; wins over `link`.
    pub order_id: Option<ExchangeOrderId>,
    /// From this moment on.
    pub start: Option<ExchangeTime>,
    /// Up to this moment; at most 7 days after `start`.
    pub end: Option<ExchangeTime>,
    /// Rows a page, 1 to 100.
    pub limit: u32,
    /// Where the last page ended, exactly as it came.
    pub cursor: Option<Cursor>,
}

/// One request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Request {
    /// Place an order.
    Create(Create),
    /// Cancel an order.
    Cancel(Cancel),
    /// Change an order.
    Amend(Amend),
    /// Open and recently closed orders.
    OpenOrders(OrderQuery),
    /// Closed orders.
    OrderHistory(OrderQuery),
    /// Fills.
    Executions(ExecutionQuery),
    /// `GET /v5/market/instruments-info` (5.1) of one symbol.
    Instrument {
        /// Product.
        category: Category,
        /// Instrument.
        symbol: Symbol,
    },
    /// `GET /v5/account/wallet-balance` (6.3), account type UNIFIED.
    Wallet,
    /// `GET /v5/position/list` (6.4) of one symbol, or of all that settle in `settle_coin`.
    Positions {
        /// Product.
        category: Category,
        /// Instrument; rows come even when flat.
        symbol: Option<Symbol>,
        /// Used where no symbol is named; only open positions come.
        settle_coin: Option<Coin>,
        /// Where the last page ended.
        cursor: Option<Cursor>,
    },
    /// `GET /v5/market/tickers` (6.1) of one symbol.
    Ticker {
        /// Product.
        category: Category,
        /// Instrument.
        symbol: Symbol,
    },
    /// `GET /v5/market/time` (1.6).
    ServerTime,
}

impl Request {
    /// Which endpoint this is.
    #[must_use]
    pub fn operation(&self) -> Operation {
        match self {
            Self::Create(_) => Operation::Create,
            Self::Cancel(_) => Operation::Cancel,
            Self::Amend(_) => Operation::Amend,
            Self::OpenOrders(_) => Operation::OpenOrders,
            Self::OrderHistory(_) => Operation::OrderHistory,
            Self::Executions(_) => Operation::Executions,
            Self::Instrument { .. } => Operation::Instruments,
            Self::Wallet => Operation::Wallet,
            Self::Positions { .. } => Operation::Positions,
            Self::Ticker { .. } => Operation::Tickers,
            Self::ServerTime => Operation::ServerTime,
        }
    }
}
