//! Our requests as Bybit wants them (bybit-v5.md 2): POST bodies as JSON, GET parameters as a query.

use super::{HttpRequest, Method};
use crate::bybit::request::{Amend, Cancel, Create, ExecutionQuery, OrderKind, OrderQuery, Request, TimeInForce};
use crate::unit::{Category, Coin, Decimal, ExchangeTime, Ratio, Symbol, Text};
use alloc::string::{String, ToString as _};
use core::fmt::Display;
use rust_decimal::RoundingStrategy;

/// Encodes a request. Numbers go as text; what is absent or Bybit's default is left out, `positionIdx` and
/// the time in force excepted.
#[must_use]
pub fn encode(request: &Request) -> HttpRequest {
    match request {
        Request::Create(create) => post("/v5/order/create", create_body(create)),
        Request::Cancel(cancel) => post("/v5/order/cancel", cancel_body(cancel)),
        Request::Amend(amend) => post("/v5/order/amend", amend_body(amend)),
        Request::OpenOrders(query) => get("/v5/order/realtime", orders(query, false)),
        Request::OrderHistory(query) => get("/v5/order/history", orders(query, true)),
        Request::Executions(query) => get("/v5/execution/list", executions(query)),
        Request::Instrument { category, symbol } => get("/v5/market/instruments-info", of_symbol(*category, symbol)),
        Request::Wallet => get("/v5/account/wallet-balance", Query::default().with("accountType", "UNIFIED")),
        Request::Positions { category, symbol, settle_coin, cursor } => {
            let query = scope(*category, symbol.as_ref(), settle_coin.as_ref());
            get("/v5/position/list", query.cursor(cursor.as_deref()).with("limit", 200))
        }
        Request::Ticker { category, symbol } => get("/v5/market/tickers", of_symbol(*category, symbol)),
        Request::ServerTime => get("/v5/market/time", Query::default()),
    }
}

fn post(path: &'static str, body: Body) -> HttpRequest {
    HttpRequest { method: Method::Post, path, query: String::new(), body: body.close() }
}

fn get(path: &'static str, query: Query) -> HttpRequest {
    HttpRequest { method: Method::Get, path, query: query.0, body: String::new() }
}

fn create_body(create: &Create) -> Body {
    let Create { category, symbol, side, kind, quantity, reduce_only, position_idx, link } = create;
    let body = Body::new(*category, symbol).text("side", side.as_str());
    let body = match kind {
        OrderKind::Market { slippage } => {
            let body = body.text("orderType", "Market").text("qty", quantity);
            // Without it a spot market buy spends `qty` in quote units (2.1); ours are base units.
            let body = if *category == Category::Spot { body.text("marketUnit", "baseCoin") } else { body };
            let body = body.text("timeInForce", "IOC");
            match slippage {
                Some(slippage) => {
                    body.text("slippageToleranceType", "Percent").text("slippageTolerance", slippage_percent(*slippage))
                }
                None => body,
            }
        }
        OrderKind::Limit { price, time_in_force } => body
            .text("orderType", "Limit")
            .text("qty", quantity)
            .text("price", price)
            .text("timeInForce", time_in_force_word(*time_in_force)),
    };
    // Spot has neither positions nor reduce-only.
    let body = match category {
        Category::Linear if *reduce_only => body.raw("positionIdx", position_idx).raw("reduceOnly", "true"),
        Category::Linear => body.raw("positionIdx", position_idx),
        Category::Spot => body,
    };
    body.text("orderLinkId", link)
}

fn cancel_body(cancel: &Cancel) -> Body {
    let body = Body::new(cancel.category, &cancel.symbol);
    match cancel.order_id {
        Some(id) => body.text("orderId", id),
        None => body.text("orderLinkId", cancel.link),
    }
}

fn amend_body(amend: &Amend) -> Body {
    let mut body = Body::new(amend.category, &amend.symbol).text("orderLinkId", amend.link);
    if let Some(quantity) = amend.quantity {
        body = body.text("qty", quantity);
    }
    if let Some(price) = amend.price {
        body = body.text("price", price);
    }
    body
}

fn orders(query: &OrderQuery, history: bool) -> Query {
    let mut out = scope(query.category, query.symbol.as_ref(), query.settle_coin.as_ref());
    out = match (query.order_id, query.link) {
        (Some(id), _) => out.with("orderId", id),
        (None, Some(link)) => out.with("orderLinkId", link),
        (None, None) => out,
    };
    if history {
        out = out.time("startTime", query.start).time("endTime", query.end);
    }
    out.cursor(query.cursor.as_deref()).with("limit", query.limit)
}

fn executions(query: &ExecutionQuery) -> Query {
    let mut out = scope(query.category, query.symbol.as_ref(), None);
    out = match (query.order_id, query.link) {
        (Some(id), _) => out.with("orderId", id),
        (None, Some(link)) => out.with("orderLinkId", link),
        (None, None) => out,
    };
    out = out.time("startTime", query.start).time("endTime", query.end);
    out.cursor(query.cursor.as_deref()).with("limit", query.limit)
}

/// Category, and the symbol or else the settle coin: the symbol wins where both are sent (2.7, 6.4), and
/// spot knows no settle coin.
fn scope(category: Category, symbol: Option<&Symbol>, settle_coin: Option<&Coin>) -> Query {
    match (symbol, settle_coin) {
        (Some(symbol), _) => of_symbol(category, symbol),
        (None, Some(coin)) if category == Category::Linear => {
            Query::default().with("category", category.as_str()).with("settleCoin", coin)
        }
        (None, _) => Query::default().with("category", category.as_str()),
    }
}

fn of_symbol(category: Category, symbol: &Symbol) -> Query {
    Query::default().with("category", category.as_str()).with("symbol", symbol)
}

const fn time_in_force_word(time_in_force: TimeInForce) -> &'static str {
    match time_in_force {
        TimeInForce::Gtc => "GTC",
        TimeInForce::Ioc => "IOC",
        TimeInForce::Fok => "FOK",
        TimeInForce::PostOnly => "PostOnly",
    }
}

/// A share as the percent Bybit takes: two places, cut (never a wider tolerance than was asked for), and
/// held to 0.01 .. 10, outside of which the order would be refused (110108, 110109).
fn slippage_percent(slippage: Ratio) -> String {
    let percent = slippage.0.checked_mul(Decimal::ONE_HUNDRED).unwrap_or(Decimal::TEN);
    let cut = percent.round_dp_with_strategy(2, RoundingStrategy::ToZero);
    let held = cut.clamp(Decimal::new(1, 2), Decimal::TEN);
    alloc::format!("{held:.2}")
}

/// A JSON object being written, still without its closing brace.
struct Body(String);

impl Body {
    fn new(category: Category, symbol: &Symbol) -> Self {
        Self(String::from("{")).text("category", category.as_str()).text("symbol", symbol)
    }

    fn text(self, name: &str, value: impl Display) -> Self {
        let mut quoted = String::from("\"");
        for c in value.to_string().chars() {
            match c {
                '"' | '\\' => quoted.extend(['\\', c]),
                '\0'..'\x20' => quoted.push_str(&alloc::format!("\\u{:04x}", u32::from(c))),
                _ => quoted.push(c),
            }
        }
        quoted.push('"');
        self.raw(name, quoted)
    }

    fn close(mut self) -> String {
        self.0.push('}');
        self.0
    }

    /// A number or a boolean, or a text that is quoted already. Names need no escape: they are ours.
    fn raw(mut self, name: &str, value: impl Display) -> Self {
        let comma = if self.0.len() > 1 { "," } else { "" };
        self.0.push_str(&alloc::format!("{comma}\"{name}\":{value}"));
        self
    }
}

/// A query being written.
#[derive(Default)]
struct Query(String);

impl Query {
    fn with(self, name: &str, value: impl Display) -> Self {
        self.encoded(name, &percent(&value.to_string()))
    }

    fn time(self, name: &str, at: Option<ExchangeTime>) -> Self {
        match at {
            Some(at) => self.with(name, at.0),
            None => self,
        }
    }

    /// A cursor comes percent-encoded and goes as it came (2.10); one that came plain is encoded.
    fn cursor(self, cursor: Option<&Text<512>>) -> Self {
        match cursor.map(Text::as_str) {
            None | Some("") => self,
            Some(cursor) if is_encoded(cursor) => self.encoded("cursor", cursor),
            Some(cursor) => self.encoded("cursor", &percent(cursor)),
        }
    }

    fn encoded(mut self, name: &str, value: &str) -> Self {
        let ampersand = if self.0.is_empty() { "" } else { "&" };
        self.0.push_str(&alloc::format!("{ampersand}{name}={value}"));
        self
    }
}

const fn is_unreserved(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~')
}

/// RFC 3986: everything but the unreserved characters.
fn percent(value: &str) -> String {
    let mut out = String::with_capacity(value.len());
    for byte in value.bytes() {
        if is_unreserved(byte) {
            out.push(char::from(byte));
        } else {
            out.push_str(&alloc::format!("%{byte:02X}"));
        }
    }
    out
}

/// Could this stand in a query as it is?
fn is_encoded(value: &str) -> bool {
    let mut parts = value.split('%');
    let plain = |part: &str| part.bytes().all(is_unreserved);
    let head = parts.next().unwrap_or_default();
    plain(head)
        && parts.all(|part| part.get(..2).is_some_and(|hex| hex.bytes().all(|b| b.is_ascii_hexdigit())) && plain(part))
}
