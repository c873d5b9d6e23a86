//! ws-gateway's REST side (wire-contracts.md 3.1): its table of subscriptions, its health, its balance sync.

use super::server::{Server, json};
use axum::Router;
use axum::extract::{Query, State};
use axum::response::Response;
use axum::routing::{get, post};
use serde_json::{Value, json as value};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard};

/// The key that it knows.
pub(crate) const KEY: &str = "gateway-key";
/// Its routes, as [`Server`] counts and plans them.
pub(crate) const SUBSCRIBE: &str = "POST /api/v1/subscriptions";
pub(crate) const LIST: &str = "GET /api/v1/subscriptions";
pub(crate) const HEALTH: &str = "GET /health";
pub(crate) const SYNC: &str = "POST /api/v1/balances/sync";

const CHANNELS: [&str; 9] =
    ["trades", "ticker", "orderbook", "order", "balance", "position", "kline", "liquidation", "funding"];
/// Channels whose rows must have no symbol; all others must have one.
const WITHOUT_SYMBOL: [&str; 3] = ["balance", "position", "liquidation"];
const AT: &str = "2026-01-01T00:00:00";

/// What it knows.
#[derive(Debug)]
pub(crate) struct Known {
    /// The table `subscriptions`.
    pub(crate) rows: Vec<Value>,
    /// Its socket to Bybit.
    pub(crate) websocket: bool,
    /// Its database.
    pub(crate) database: bool,
    /// Its broker.
    pub(crate) queue: bool,
}

/// The fake.
#[derive(Debug)]
pub(crate) struct Gateway {
    /// Its socket.
    pub(crate) server: Server,
    known: Arc<Mutex<Known>>,
}

impl Gateway {
    /// Starts with no subscription and in good health.
    pub(crate) async fn start() -> Self {
        let known = Known { rows: Vec::new(), websocket: true, database: true, queue: true };
        let known = Arc::new(Mutex::new(known));
        let router = Router::new()
            .route("/api/v1/subscriptions", get(list).post(subscribe))
            .route("/api/v1/balances/sync", post(sync))
            .route("/health", get(health))
            .with_state(Arc::clone(&known));
        let unauthorized = r#"{"error":"Invalid API key","code":"AUTHENTICATION_FAILED","details":{"reason":"invalid_or_missing_api_key"}}"#;
        Self { server: Server::start(router, KEY, unauthorized).await, known }
    }

    /// What it knows, to look at and to change.
    pub(crate) fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap()
    }

    /// Somebody cancels every subscription.
    pub(crate) fn cancel_all(&self) {
        self.known().rows.iter_mut().for_each(|row| row["is_active"] = false.into());
    }

    /// Does it forward order events to anybody now?
    pub(crate) fn forwards(&self) -> bool {
        let known = self.known();
        known.websocket && known.rows.iter().any(|row| row["topic"] == "order" && row["is_active"] == true)
    }
}

fn refused(status: u16, code: &str, error: &str) -> Response {
    json(status, value!({ "detail": { "error": error, "code": code, "details": {} } }).to_string())
}

async fn subscribe(State(known): State<Arc<Mutex<Known>>>, body: String) -> Response {
    let asked: Value = serde_json::from_str(&body).unwrap_or_default();
    let text = |name: &str| asked[name].as_str();
    let (Some(channel), Some(service)) = (text("channel_type"), text("requesting_service")) else {
        let missing = value!({ "detail": [{ "loc": ["body"], "msg": "field required", "type": "missing" }] });
        return json(422, missing.to_string());
    };
    if !CHANNELS.contains(&channel) {
        return refused(400, "VALIDATION_ERROR", &format!("Invalid channel type: {channel}"));
    }
    let symbol = text("symbol");
    if symbol.is_none() != WITHOUT_SYMBOL.contains(&channel) || symbol.is_some_and(|symbol| symbol.len() > 20) {
        return json(500, "Internal Server Error".to_owned()); // a check of its table
    }
    let mut known = known.lock().unwrap();
    let topic = match channel {
        "order" => "order".to_owned(),
        other => format!("{other}.{}", symbol.unwrap_or_default()),
    };
    let same =
        |row: &&Value| row["topic"] == *topic && row["requesting_service"] == service && row["is_active"] == true;
    if let Some(row) = known.rows.iter().find(same) {
        return json(200, row.to_string());
    }
    let row = value!({
        "id": format!("00000000-0000-4000-8000-{:012}", known.rows.len() + 1), "channel_type": channel,
        "symbol": symbol, "topic": topic, "requesting_service": service, "is_active": true,
        "created_at": AT, "updated_at": AT, "last_event_at": null,
    });
    known.rows.push(row.clone());
    json(200, row.to_string())
}

async fn list(State(known): State<Arc<Mutex<Known>>>, Query(filter): Query<BTreeMap<String, String>>) -> Response {
    let fits = |row: &&Value| {
        ["requesting_service", "channel_type", "is_active"].iter().all(|name| {
            let text = row[*name].as_str().map_or_else(|| row[*name].to_string(), str::to_owned);
            filter.get(*name).is_none_or(|wanted| *wanted == text)
        })
    };
    let found: Vec<Value> = known.lock().unwrap().rows.iter().filter(fits).cloned().collect();
    json(200, value!({ "total": found.len(), "subscriptions": found }).to_string())
}

async fn sync() -> Response {
    json(200, r#"{"updated_coins":["USDT"],"updated_count":1}"#.to_owned())
}

/// Always 200.
async fn health(State(known): State<Arc<Mutex<Known>>>) -> Response {
    let known = known.lock().unwrap();
    let active = known.rows.iter().filter(|row| row["is_active"] == true).count();
    let body = value!({
        "status": if known.websocket { "healthy" } else { "unhealthy" }, "service": "ws-gateway",
        "websocket_connected": known.websocket,
        "websocket_status": if known.websocket { "connected" } else { "disconnected" },
        "database_connected": known.database, "queue_connected": known.queue, "active_subscriptions": active,
    });
    json(200, body.to_string())
}
