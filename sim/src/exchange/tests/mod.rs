//! A desk to trade from, and pushes in the notation of bybit-v5.md 3.7.

mod accept;
mod conservation;
mod effects;
mod query;
mod quirks;
mod refuse;
mod scripts;

use super::*;
use order_manager_core::bybit::{
    Amend, Cancel, Create, ExecutionQuery, OrderKind, OrderQuery, OrderRow, PushRows, TimeInForce,
};
use order_manager_core::unit::{Decimal, OrderLinkId, Quantity, Ratio, Side, Span, decimal};

pub(super) const T0: Timestamp = Timestamp(1_700_000_000_000_000);

/// An exchange, a clock and a stack of pushes that came in.
pub(super) struct Desk {
    pub(super) exchange: Exchange,
    pub(super) now: Timestamp,
    pub(super) pushes: Vec<Outbound>,
}

pub(super) fn q(text: &str) -> Quantity {
    Quantity(decimal::parse(text).unwrap())
}
pub(super) fn px(text: &str) -> Price {
    Price(decimal::parse(text).unwrap())
}
pub(super) fn usd(text: &str) -> Money {
    Money(decimal::parse(text).unwrap())
}
pub(super) fn btc() -> Symbol {
    Symbol::new("BTCUSDT").unwrap()
}
pub(super) fn link(text: &str) -> OrderLinkId {
    link_id(text).unwrap()
}

pub(super) fn limit(name: &str, side: Side, quantity: &str, price: &str, time_in_force: TimeInForce) -> Create {
    Create { kind: OrderKind::Limit { price: px(price), time_in_force }, ..market(name, side, quantity) }
}
pub(super) fn market(name: &str, side: Side, quantity: &str) -> Create {
    Create {
        category: Category::Linear,
        symbol: btc(),
        side,
        kind: OrderKind::Market { slippage: None },
        quantity: q(quantity),
        reduce_only: false,
        position_idx: 0,
        link: link(name),
    }
}
pub(super) fn orders_of(name: Option<&str>) -> OrderQuery {
    OrderQuery {
        category: Category::Linear,
        symbol: Some(btc()),
        settle_coin: None,
        link: name.map(link),
        order_id: None,
        start: None,
        end: None,
        limit: 50,
        cursor: None,
    }
}
pub(super) fn executions_of(name: Option<&str>) -> ExecutionQuery {
    ExecutionQuery {
        category: Category::Linear,
        symbol: Some(btc()),
        link: name.map(link),
        order_id: None,
        start: None,
        end: None,
        limit: 100,
        cursor: None,
    }
}

impl Desk {
    /// Default rules; ample budgets, so that only the test of budgets meets them.
    pub(super) fn new() -> Self {
        Self::with(|_| {})
    }
    pub(super) fn with(change: impl FnOnce(&mut ExchangeConfig)) -> Self {
        // The examples of the reference are at ten times leverage.
        let mut config = ExchangeConfig { leverage: Ratio(Decimal::TEN), ..ExchangeConfig::default() };
        let budgets = &mut config.budgets;
        for budget in [&mut budgets.create, &mut budgets.cancel, &mut budgets.amend, &mut budgets.open_orders] {
            *budget = 100_000;
        }
        change(&mut config);
        Self { exchange: Exchange::new(config), now: T0, pushes: Vec::new() }
    }
    /// A book with these quantities at the best price and at each further one, and per touch.
    pub(super) fn thin(best: &str, level: &str, touch: &str) -> Self {
        let quantities = Liquidity { best: q(best), level: q(level), level_ticks: 1, touch: q(touch) };
        Self::with(|config| config.liquidity = quantities)
    }

    pub(super) fn ask(&mut self, request: Request) -> Result<Reply, ApiError> {
        let signed = Signed { timestamp: clock(self.now), recv_window_ms: 5_000 };
        self.exchange.handle(self.now, signed, &request).result
    }
    pub(super) fn create(&mut self, create: Create) -> Result<Reply, ApiError> {
        self.ask(Request::Create(create))
    }
    pub(super) fn cancel(&mut self, name: &str) -> Result<Reply, ApiError> {
        self.ask(Request::Cancel(Cancel {
            category: Category::Linear,
            symbol: btc(),
            link: link(name),
            order_id: None,
        }))
    }
    pub(super) fn amend(&mut self, name: &str, price: Option<&str>, quantity: Option<&str>) -> Result<Reply, ApiError> {
        let (price, quantity) = (price.map(px), quantity.map(q));
        self.ask(Request::Amend(Amend { category: Category::Linear, symbol: btc(), link: link(name), price, quantity }))
    }
    /// The refusal's code, or 0.
    pub(super) fn code(&mut self, request: Request) -> i64 {
        match self.ask(request) {
            Ok(_) => 0,
            Err(ApiError::Code { code, .. }) => code,
            Err(other) => panic!("{other}"),
        }
    }
    pub(super) fn orders(&mut self, request: Request) -> Page<OrderRow> {
        match self.ask(request) {
            Ok(Reply::Orders(page)) => page,
            other => panic!("{other:?}"),
        }
    }
    pub(super) fn price(&mut self, price: &str) {
        assert!(self.exchange.set_price(self.now, btc(), px(price)));
    }

    /// Lets time pass, stopping wherever the exchange has something to do.
    pub(super) fn wait(&mut self, ms: u64) {
        let end = self.now.after(Span::millis(ms));
        while let Some(due) = self.exchange.next_due().filter(|due| *due <= end) {
            self.now = due;
            self.exchange.poll(due, &mut self.pushes);
        }
        self.now = end;
    }

    /// Waits for all that is under way and gives it in short notation.
    pub(super) fn heard(&mut self) -> Vec<String> {
        self.wait(20);
        self.pushes.drain(..).flat_map(|out| notation(&out.push)).collect()
    }
    /// The same without positions and wallets.
    pub(super) fn news(&mut self) -> Vec<String> {
        self.heard().into_iter().filter(|line| !line.starts_with(['P', 'W'])).collect()
    }
}

use order_manager_core::bybit::Page;

fn notation(push: &Push) -> Vec<String> {
    match &push.rows {
        PushRows::Orders(rows) => rows.iter().map(order_line).collect(),
        PushRows::Executions(rows) => rows
            .iter()
            .map(|e| format!("E({}@{} {})", e.quantity, e.price, if e.is_maker { "m" } else { "t" }))
            .collect(),
        PushRows::Positions(rows) => rows.iter().map(|p| format!("P({})", p.signed_size())).collect(),
        PushRows::Wallets(rows) => rows.iter().map(|w| format!("W({})", w.coins[0].wallet_balance)).collect(),
        PushRows::Nothing { what } => vec![format!("nothing: {what}")],
    }
}

/// Status, filled of total, price; the two words only where they say something.
fn order_line(row: &OrderRow) -> String {
    let words = match (row.cancel_type.as_str(), row.reject_reason.as_str()) {
        ("UNKNOWN", "EC_NoError") => String::new(),
        (by, why) => format!("; {by}/{why}"),
    };
    let price = row.price.unwrap_or_default();
    format!("O({:?} {} of {}@{price}{words})", row.status, row.cum_quantity, row.quantity)
}
