//! What the exchange answers, typed. Every number it may leave out is an `Option`.

use crate::unit::{Coin, ExchangeOrderId, ExchangeTime, ExecId, Money, Price, Quantity, Ratio, Side, Symbol, Text};
use alloc::vec::Vec;
use serde::{Deserialize, Serialize};

/// An order's status (bybit-v5.md 3.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum OrderStatus {
    /// Resting, no fill.
    New,
    /// Resting, with fills.
    PartiallyFilled,
    /// Conditional, waiting.
    Untriggered,
    /// Conditional, between waiting and resting; not an end.
    Triggered,
    /// Refused by the matching engine.
    Rejected,
    /// Done.
    Filled,
    /// Ended; on derivatives it may have fills.
    Cancelled,
    /// Spot: the remainder was cancelled after fills.
    PartiallyFilledCanceled,
    /// A conditional order cancelled before its trigger.
    Deactivated,
    /// A word this build does not know: the record is quarantined and asked about (spec O4).
    Other(Text<32>),
}

impl OrderStatus {
    /// Does the order's life end with it?
    #[must_use]
    pub const fn is_terminal(self) -> bool {
        matches!(
            self,
            Self::Rejected | Self::Filled | Self::Cancelled | Self::PartiallyFilledCanceled | Self::Deactivated
        )
    }
}

/// One order as a query or a push tells it (2.7, 4.4). Only ids, symbol, side, quantity, status,
/// cumulative quantity and update time are required of Bybit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OrderRow {
    /// Bybit's id.
    pub order_id: ExchangeOrderId,
    /// The link id as it came; empty is none. May be another client's.
    pub link: Option<Text<64>>,
    /// Instrument.
    pub symbol: Symbol,
    /// Buy or sell.
    pub side: Side,
    /// Total quantity asked for (base units on linear).
    pub quantity: Quantity,
    /// Limit price; a market order's is its slippage bound, or its trigger where it waits for one (2.1), or absent.
    pub price: Option<Price>,
    /// Is it a market order?
    pub is_market: bool,
    /// Status.
    pub status: OrderStatus,
    /// Quantity filled so far.
    pub cum_quantity: Quantity,
    /// Quote value filled so far.
    pub cum_value: Money,
    /// Fees paid so far (positive = paid).
    pub cum_fee: Money,
    /// Why it was cancelled, in Bybit's word; empty where it does not say.
    pub cancel_type: Text<48>,
    /// Why it was rejected, in Bybit's word.
    pub reject_reason: Text<48>,
    /// May only reduce.
    pub reduce_only: bool,
    /// 0 one-way, 1 hedge long, 2 hedge short.
    pub position_idx: u8,
    /// When it was made.
    pub created: ExchangeTime,
    /// When it last changed.
    pub updated: ExchangeTime,
}

/// What kind of execution it is (3.6). Only some of them move a position.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum ExecType {
    /// An ordinary fill.
    Trade,
    /// Auto-deleveraging.
    AdlTrade,
    /// Liquidation.
    BustTrade,
    /// Delivery.
    Delivery,
    /// Settlement.
    Settle,
    /// Block trade.
    BlockTrade,
    /// A position moved between accounts.
    MovePosition,
    /// Funding: cash, never quantity.
    Funding,
    /// A word this build does not know.
    Other(Text<32>),
}

impl ExecType {
    /// Does it change the position's size?
    #[must_use]
    pub const fn moves_position(self) -> bool {
        !matches!(self, Self::Funding | Self::Other(_))
    }
}

/// One execution (2.9, 4.5).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExecutionRow {
    /// Unique per fill and side: the key of deduplication.
    pub exec_id: ExecId,
    /// Bybit's id of the order.
    pub order_id: ExchangeOrderId,
    /// The order's link id as it came; empty is none.
    pub link: Option<Text<64>>,
    /// Instrument.
    pub symbol: Symbol,
    /// Buy or sell.
    pub side: Side,
    /// Kind.
    pub exec_type: ExecType,
    /// Price of the fill.
    pub price: Price,
    /// Quantity of the fill, base units.
    pub quantity: Quantity,
    /// Quote value of the fill.
    pub value: Money,
    /// Fee, positive = paid, in `fee_coin` (empty = settle coin).
    pub fee: Money,
    /// Coin of the fee.
    pub fee_coin: Coin,
    /// Did it rest in the book?
    pub is_maker: bool,
    /// When.
    pub time: ExchangeTime,
    /// Cross sequence of the match: the position that it led to bears the same one (4.6). None where none is given.
    #[serde(default)]
    pub seq: Option<i64>,
}

impl ExecutionRow {
    /// What of the fee was paid in the settle coin, which is part of the symbol's name. A fee in another coin (MNT,
    /// 8.2 Q28) is no money of the wallet that the books follow.
    #[must_use]
    pub fn settle_fee(&self) -> Money {
        let in_settle_coin = self.symbol.as_bytes().ends_with(self.fee_coin.as_bytes());
        if in_settle_coin { self.fee } else { Money::ZERO }
    }
}

/// One instrument's rules (5.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct InstrumentRow {
    /// Instrument.
    pub symbol: Symbol,
    /// Is its status `Trading`?
    pub trading: bool,
    /// Base coin.
    pub base: Coin,
    /// Quote coin.
    pub quote: Coin,
    /// Prices are multiples of it.
    pub tick_size: Price,
    /// Lowest price.
    pub min_price: Price,
    /// Highest price.
    pub max_price: Price,
    /// Quantities are multiples of it.
    pub quantity_step: Quantity,
    /// Smallest order, base units.
    pub min_quantity: Quantity,
    /// Largest limit order.
    pub max_limit_quantity: Quantity,
    /// Largest market order.
    pub max_market_quantity: Quantity,
    /// Smallest order value, quote units.
    pub min_notional: Money,
    /// Price band, near ratio (5.2).
    pub price_limit_ratio_x: Ratio,
    /// Price band, far ratio (5.2).
    pub price_limit_ratio_y: Ratio,
    /// Highest leverage.
    pub max_leverage: Ratio,
}

/// One coin of the wallet (6.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CoinBalance {
    /// Coin.
    pub coin: Coin,
    /// Cash, unrealised profit not counted.
    pub wallet_balance: Money,
    /// Cash and unrealised profit.
    pub equity: Money,
    /// Held by open derivative orders.
    pub order_margin: Option<Money>,
    /// Held by positions.
    pub position_margin: Option<Money>,
}

/// The account's wallet (6.3).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WalletRow {
    /// Equity of the account in USD.
    pub total_equity: Option<Money>,
    /// What new orders may use (cross margin); absent in isolated margin.
    pub total_available: Option<Money>,
    /// Coins.
    pub coins: Vec<CoinBalance>,
    /// Coins that could not be read; `index` counts within the coins.
    #[serde(default)]
    pub bad: Vec<BadRow>,
}

/// One position row (6.4, 4.7). Flat: no side, size 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PositionRow {
    /// Instrument.
    pub symbol: Symbol,
    /// 0 one-way, 1 hedge long, 2 hedge short.
    pub position_idx: u8,
    /// Direction; none when flat.
    pub side: Option<Side>,
    /// Size without sign, base units.
    pub size: Quantity,
    /// Average entry price; none when flat.
    pub average_price: Option<Price>,
    /// Leverage of the symbol.
    pub leverage: Option<Ratio>,
    /// Unrealised profit.
    pub unrealised_pnl: Option<Money>,
    /// Cross sequence: a smaller one per symbol is older; -1 = never traded.
    pub seq: i64,
    /// When it last changed.
    pub updated: ExchangeTime,
}

impl PositionRow {
    /// Size with its sign: plus is long.
    #[must_use]
    pub fn signed_size(&self) -> Quantity {
        self.side.map_or(Quantity::ZERO, |side| side.signed(self.size))
    }
}

/// One ticker (6.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TickerRow {
    /// Instrument.
    pub symbol: Symbol,
    /// Price of the last trade.
    pub last: Price,
    /// Mark price; spot has none.
    pub mark: Option<Price>,
    /// Index price; spot has none.
    pub index: Option<Price>,
    /// Best bid; none on an empty book.
    pub bid: Option<Price>,
    /// Best ask; none on an empty book.
    pub ask: Option<Price>,
}

/// A row that could not be read: set aside by itself, the others of its page still count (spec O4).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BadRow {
    /// Its place in the list, from 0.
    pub index: u32,
    /// The field and what is wrong with it.
    pub why: Text<160>,
    /// The link id, where at least that could be read.
    pub link: Option<Text<64>>,
}

/// One page of rows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Page<T> {
    /// The rows that could be read.
    pub rows: Vec<T>,
    /// The rows that could not.
    pub bad: Vec<BadRow>,
    /// Where the next page starts, exactly as it came; none or empty at the end. A last page may have one too.
    pub cursor: Option<super::request::Cursor>,
}

impl<T> Default for Page<T> {
    fn default() -> Self {
        Self { rows: Vec::new(), bad: Vec::new(), cursor: None }
    }
}

impl<T> Page<T> {
    /// Rows on the page, read or not.
    #[must_use]
    pub fn len(&self) -> usize {
        self.rows.len().saturating_add(self.bad.len())
    }
    /// Has the page no row?
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// A success (`retCode` 0), by endpoint.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Reply {
    /// Create, cancel or amend: the request was taken. It does not say that the order lives, changed or ended.
    Ack {
        /// Bybit's id; an envelope without one is no acknowledgement.
        order_id: ExchangeOrderId,
        /// The link id as echoed.
        link: Option<Text<64>>,
    },
    /// Realtime or history.
    Orders(Page<OrderRow>),
    /// Fills.
    Executions(Page<ExecutionRow>),
    /// Instruments.
    Instruments(Page<InstrumentRow>),
    /// Wallet.
    Wallet(WalletRow),
    /// Positions.
    Positions(Page<PositionRow>),
    /// Tickers.
    Tickers(Page<TickerRow>),
    /// Server time in microseconds since 1970.
    ServerTime(u64),
}

/// A refusal: `retCode` other than 0, or an HTTP status other than 200.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
pub enum ApiError {
    /// `retCode` and `retMsg`.
    #[error("{code}: {message}")]
    Code {
        /// `retCode`.
        code: i64,
        /// `retMsg`, clipped.
        message: Text<160>,
    },
    /// An HTTP status other than 200.
    #[error("HTTP {0}")]
    Status(u16),
    /// HTTP 200 whose body is not what the endpoint answers; the text says which field.
    #[error("unreadable reply: {0}")]
    Unreadable(Text<160>),
}

/// The rate-limit headers of a reply (1.5).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LimitHeaders {
    /// `X-Bapi-Limit`: requests a second.
    pub limit: Option<u32>,
    /// `X-Bapi-Limit-Status`: what is left of them.
    pub remaining: Option<u32>,
    /// `X-Bapi-Limit-Reset-Timestamp`.
    pub reset: Option<ExchangeTime>,
}

/// One whole answer, decoded.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ApiReply {
    /// What it says.
    pub result: Result<Reply, ApiError>,
    /// The envelope's `time`, where it has one.
    pub time: Option<ExchangeTime>,
    /// Budgets.
    pub limits: LimitHeaders,
}
