//! The JSON/HTTP face: bytes in, bytes out, as Bybit sends them (bybit-v5.md 1, 2, 4). Still without I/O:
//! the byte link of the simulator and a real server call the same two functions.

mod auth;
mod json;
mod market;
mod params;
mod push;
mod read;
mod rows;
mod write;

#[cfg(test)]
mod tests;

pub use auth::Credentials;
pub use market::ticker_text;
pub use push::{push_text, push_text_as, push_text_of, topic};

use super::{Exchange, Timestamp};
use order_manager_core::bybit::{ApiError, LimitHeaders, Operation};

/// One HTTP request, as it came.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct WireRequest {
    /// `GET` or `POST`.
    pub method: String,
    /// Path, without host and query.
    pub path: String,
    /// What stands after the `?`, exactly as sent; empty where there is none.
    pub query: String,
    /// Body, exactly as sent.
    pub body: Vec<u8>,
    /// The headers that matter.
    pub headers: WireHeaders,
}

/// The four headers of a signed request (1.2).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct WireHeaders {
    /// `X-BAPI-API-KEY`
    pub api_key: Option<String>,
    /// `X-BAPI-TIMESTAMP`, milliseconds.
    pub timestamp: Option<String>,
    /// `X-BAPI-RECV-WINDOW`, milliseconds; 5000 where it is absent.
    pub recv_window: Option<String>,
    /// `X-BAPI-SIGN`, lower-case hex.
    pub sign: Option<String>,
}

/// One HTTP reply.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WireReply {
    /// HTTP status.
    pub status: u16,
    /// The `X-Bapi-Limit*` headers.
    pub limits: LimitHeaders,
    /// Body.
    pub body: Vec<u8>,
}

/// Answers one HTTP request that arrives now. Business errors come with HTTP 200 (1.3); what is not even a
/// request of the API comes with 400, 401, 403 or 404 and no JSON (1.4).
pub fn serve(exchange: &mut Exchange, now: Timestamp, wire: &WireRequest, credentials: &Credentials) -> WireReply {
    if exchange.turns_away_banned(now) {
        return plain(403);
    }
    if (wire.method.as_str(), wire.path.as_str()) == ("GET", "/v5/market/orderbook") {
        return if wire.body.is_empty() { market::orderbook(exchange, now, wire) } else { plain(403) };
    }
    let operation = match route(wire) {
        Ok(operation) => operation,
        Err(status) => return plain(status),
    };
    if let Some(refused) = exchange.front(now, operation) {
        return match refused.result {
            Err(ApiError::Status(status)) => plain(status),
            _ => write::envelope(exchange, operation, &refused),
        };
    }
    let signed = match auth::check(wire, operation, credentials, now) {
        Ok(signed) => signed,
        Err(ApiError::Status(status)) => return plain(status),
        Err(error) => {
            let refused = exchange.reply(now, LimitHeaders::default(), Err(error));
            return write::envelope(exchange, operation, &refused);
        }
    };
    let request = read::request(wire, operation);
    if let Ok((request, _)) = &request {
        exchange.note(request);
    }
    let answer = exchange
        .admitted(now, signed, operation, |it| request.and_then(|(request, refine)| it.answer(now, &request, &refine)));
    write::envelope(exchange, operation, &answer)
}

/// The endpoint of a request, where the order manager knows it too.
#[must_use]
pub fn operation(wire: &WireRequest) -> Option<Operation> {
    route(wire).ok()
}

/// The endpoint of a request, or the HTTP status that says there is none.
fn route(wire: &WireRequest) -> Result<Operation, u16> {
    let operation = match (wire.method.as_str(), wire.path.as_str()) {
        ("POST", "/v5/order/create") => Operation::Create,
        ("POST", "/v5/order/cancel") => Operation::Cancel,
        ("POST", "/v5/order/amend") => Operation::Amend,
        ("GET", "/v5/order/realtime") => Operation::OpenOrders,
        ("GET", "/v5/order/history") => Operation::OrderHistory,
        ("GET", "/v5/execution/list") => Operation::Executions,
        ("GET", "/v5/market/instruments-info") => Operation::Instruments,
        ("GET", "/v5/account/wallet-balance") => Operation::Wallet,
        ("GET", "/v5/position/list") => Operation::Positions,
        ("GET", "/v5/market/tickers") => Operation::Tickers,
        ("GET", "/v5/market/time") => Operation::ServerTime,
        ("GET" | "POST", _) => return Err(404),
        _ => return Err(400),
    };
    if wire.method == "GET" && !wire.body.is_empty() { Err(403) } else { Ok(operation) }
}

fn plain(status: u16) -> WireReply {
    let body = match status {
        403 => b"<html><body>403 Forbidden</body></html>".to_vec(),
        503 => b"<html><body>503 Service Unavailable</body></html>".to_vec(),
        _ => Vec::new(),
    };
    WireReply { status, limits: LimitHeaders::default(), body }
}
