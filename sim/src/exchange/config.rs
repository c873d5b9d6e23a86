//! What a fake exchange is made from. Every figure has Bybit's value as its default.

use order_manager_core::bybit::InstrumentRow;
use order_manager_core::unit::{Category, Coin, Decimal, Money, Price, Quantity, Ratio, Symbol, Text};
use serde::{Deserialize, Serialize};

/// The whole exchange.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ExchangeConfig {
    /// Another number, other ids of orders and executions, and matches counted on from it: as of an exchange that goes
    /// on where another one ended.
    pub era: u64,
    /// What can be traded.
    pub instruments: Vec<InstrumentConfig>,
    /// USDT in the wallet at the start.
    pub wallet: Money,
    /// Leverage of every symbol.
    pub leverage: Ratio,
    /// Fees (9.1).
    pub fees: Fees,
    /// Best bid and ask lie this many ticks from the last price.
    pub half_spread_ticks: u32,
    /// What the book offers to those who take.
    pub liquidity: Liquidity,
    /// Delays (10.2).
    pub delays: Delays,
    /// Rate limits (1.5).
    pub budgets: Budgets,
    /// Hours for which history keeps orders that ended without a fill (2.8).
    pub zero_fill_retention_h: u64,
    /// Closed orders that realtime still finds by id (2.7).
    pub closed_cache: u64,
    /// What happens to a limit price outside the band (5.3).
    pub price_band: PriceBand,
    /// Whether a link id may be used again (2.2).
    pub link_reuse: LinkReuse,
    /// What happens to a market order that finds an empty book (Q14).
    pub no_liquidity: NoLiquidity,
    /// Are reduce-only orders free of the minimum notional value (5.1)?
    pub reduce_only_below_minimum: bool,
    /// Open orders a symbol may have (2.1).
    pub max_open_orders: usize,
    /// Does the last page carry a cursor too (2.10)?
    pub cursor_on_last_page: bool,
}

/// One instrument (5.1).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct InstrumentConfig {
    /// Name.
    pub symbol: Symbol,
    /// Product; only linear is traded.
    #[serde(default)]
    pub category: Category,
    /// Is its status `Trading`?
    #[serde(default = "yes")]
    pub trading: bool,
    /// Base coin.
    pub base: Coin,
    /// Quote coin.
    #[serde(default = "usdt")]
    pub quote: Coin,
    /// Last price at the start.
    pub price: Price,
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

/// Shares of an execution's value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Fees {
    /// For taking.
    pub taker: Ratio,
    /// For resting.
    pub maker: Ratio,
}

/// The book that stands around the last price. It is refilled after every order: two takers in a row
/// find the same quantities.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Liquidity {
    /// Base units at the best price; 0 is an empty book.
    pub best: Quantity,
    /// Base units at each further price; 0 ends the book at the best price.
    pub level: Quantity,
    /// Ticks from one price to the next.
    pub level_ticks: u32,
    /// Base units that resting orders get each time the price reaches theirs without going through.
    pub touch: Quantity,
}

/// Milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Delays {
    /// From the acknowledgement to the engine's decision.
    pub engine_ms: u64,
    /// From the decision to the order push.
    pub order_push_ms: u64,
    /// From the decision to the execution push.
    pub execution_push_ms: u64,
    /// From the decision to the position push.
    pub position_push_ms: u64,
    /// From the decision to the wallet push.
    pub wallet_push_ms: u64,
    /// From the decision until `order/realtime` shows it.
    pub realtime_ms: u64,
    /// From the end of an order until `order/history` shows it.
    pub history_ms: u64,
    /// From an execution until `execution/list` shows it.
    pub executions_ms: u64,
}

/// Requests a second, per endpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Budgets {
    /// `order/create`
    pub create: u32,
    /// `order/cancel`
    pub cancel: u32,
    /// `order/amend`
    pub amend: u32,
    /// `order/realtime`
    pub open_orders: u32,
    /// `order/history`
    pub order_history: u32,
    /// `execution/list`
    pub executions: u32,
    /// `account/wallet-balance`
    pub wallet: u32,
    /// `position/list`
    pub positions: u32,
}

/// What happens to a limit price outside the band (`lpaPerp`, 5.3).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PriceBand {
    /// It is moved to the nearest allowed price in silence.
    #[default]
    Adjust,
    /// It is refused.
    Reject,
}

/// Whether a link id may be used again (2.2, Q38).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LinkReuse {
    /// Never.
    #[default]
    Never,
    /// When the order that had it has ended. A client that relies on the duplicate check executes twice.
    AfterEnd,
}

/// What happens to a market order that finds an empty book (Q14).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NoLiquidity {
    /// It is acknowledged, then cancelled.
    #[default]
    Cancel,
    /// It is refused with 10001 `[..]buy: [..] invalid`.
    Refuse,
}

impl Default for ExchangeConfig {
    fn default() -> Self {
        Self {
            era: 0,
            instruments: vec![InstrumentConfig::btcusdt(), InstrumentConfig::ethusdt()],
            wallet: Money(Decimal::from(100_000)),
            leverage: Ratio(Decimal::from(5)),
            fees: Fees::default(),
            half_spread_ticks: 1,
            liquidity: Liquidity::default(),
            delays: Delays::default(),
            budgets: Budgets::default(),
            zero_fill_retention_h: 24,
            closed_cache: 500,
            price_band: PriceBand::default(),
            link_reuse: LinkReuse::default(),
            no_liquidity: NoLiquidity::default(),
            reduce_only_below_minimum: true,
            max_open_orders: 500,
            cursor_on_last_page: true,
        }
    }
}

impl Default for Fees {
    fn default() -> Self {
        Self { taker: Ratio(Decimal::new(55, 5)), maker: Ratio(Decimal::new(2, 4)) }
    }
}

impl Default for Liquidity {
    fn default() -> Self {
        let ample = Quantity(Decimal::from(1_000_000));
        Self { best: ample, level: ample, level_ticks: 1, touch: ample }
    }
}

impl Default for Delays {
    fn default() -> Self {
        Self {
            engine_ms: 2,
            order_push_ms: 3,
            execution_push_ms: 3,
            position_push_ms: 3,
            wallet_push_ms: 3,
            realtime_ms: 5,
            history_ms: 500,
            executions_ms: 500,
        }
    }
}

impl Default for Budgets {
    fn default() -> Self {
        Self {
            create: 10,
            cancel: 10,
            amend: 10,
            open_orders: 50,
            order_history: 50,
            executions: 50,
            wallet: 50,
            positions: 50,
        }
    }
}

impl InstrumentConfig {
    /// BTCUSDT as the documentation shows it.
    #[must_use]
    pub fn btcusdt() -> Self {
        Self {
            symbol: Text::clipped("BTCUSDT"),
            category: Category::Linear,
            trading: true,
            base: Text::clipped("BTC"),
            quote: usdt(),
            price: Price(Decimal::from(60_000)),
            tick_size: Price(Decimal::new(1, 1)),
            min_price: Price(Decimal::new(1, 1)),
            max_price: Price(Decimal::new(19_999_998, 1)),
            quantity_step: Quantity(Decimal::new(1, 3)),
            min_quantity: Quantity(Decimal::new(1, 3)),
            max_limit_quantity: Quantity(Decimal::from(1_190)),
            max_market_quantity: Quantity(Decimal::from(500)),
            min_notional: Money(Decimal::from(5)),
            price_limit_ratio_x: Ratio(Decimal::new(1, 2)),
            price_limit_ratio_y: Ratio(Decimal::new(2, 2)),
            max_leverage: Ratio(Decimal::from(100)),
        }
    }

    /// ETHUSDT; its figures are indicative (5.1).
    #[must_use]
    pub fn ethusdt() -> Self {
        Self {
            symbol: Text::clipped("ETHUSDT"),
            base: Text::clipped("ETH"),
            price: Price(Decimal::from(3_000)),
            tick_size: Price(Decimal::new(1, 2)),
            min_price: Price(Decimal::new(1, 2)),
            max_price: Price(Decimal::new(19_999_998, 2)),
            quantity_step: Quantity(Decimal::new(1, 2)),
            min_quantity: Quantity(Decimal::new(1, 2)),
            max_limit_quantity: Quantity(Decimal::from(7_240)),
            max_market_quantity: Quantity(Decimal::from(1_500)),
            ..Self::btcusdt()
        }
    }

    /// Its rules, as a client reads them.
    #[must_use]
    pub fn rules(&self) -> InstrumentRow {
        InstrumentRow {
            symbol: self.symbol,
            trading: self.trading,
            base: self.base,
            quote: self.quote,
            tick_size: self.tick_size,
            min_price: self.min_price,
            max_price: self.max_price,
            quantity_step: self.quantity_step,
            min_quantity: self.min_quantity,
            max_limit_quantity: self.max_limit_quantity,
            max_market_quantity: self.max_market_quantity,
            min_notional: self.min_notional,
            price_limit_ratio_x: self.price_limit_ratio_x,
            price_limit_ratio_y: self.price_limit_ratio_y,
            max_leverage: self.max_leverage,
        }
    }
}

fn yes() -> bool {
    true
}

fn usdt() -> Coin {
    Text::clipped("USDT")
}
