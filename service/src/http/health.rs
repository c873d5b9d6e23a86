//! Health for Grafana, liveness and readiness for whoever starts and stops us (wire-contracts.md 2.2). No key.

use super::ApiState;
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde::Serialize;

/// Grafana's five keys.
#[derive(Serialize)]
pub(super) struct HealthBody {
    status: &'static str,
    service: &'static str,
    database_connected: bool,
    queue_connected: bool,
    timestamp: String,
}

/// Always 200: Grafana shows nothing else. Without a broker there is no queue that could be away.
pub(super) async fn health(State(api): State<ApiState>) -> Json<HealthBody> {
    let health = api.desk.health();
    Json(HealthBody {
        status: if health.store && health.accepting && health.broker.unwrap_or(true) { "healthy" } else { "unhealthy" },
        service: "order-manager",
        database_connected: health.store,
        queue_connected: health.broker.unwrap_or(true),
        timestamp: super::now().to_string(),
    })
}

#[derive(Serialize)]
pub(super) struct LiveBody {
    status: &'static str,
    timestamp: String,
}

/// The process answers.
pub(super) async fn live() -> Json<LiveBody> {
    Json(LiveBody { status: "healthy", timestamp: super::now().to_string() })
}

#[derive(Serialize)]
pub(super) struct ReadyBody {
    status: &'static str,
    timestamp: String,
    dependencies: Dependencies,
}

/// The predecessor's four, then ours.
#[derive(Serialize)]
struct Dependencies {
    database: &'static str,
    rabbitmq: &'static str,
    bybit_api: &'static str,
    ws_gateway: &'static str,
    private_stream: &'static str,
    intake: &'static str,
}

/// 200 once signals can be carried out, else 503 (spec T1, T6).
pub(super) async fn ready(State(api): State<ApiState>) -> (StatusCode, Json<ReadyBody>) {
    let health = api.desk.health();
    let word = |good: bool| if good { "available" } else { "unavailable" };
    let (code, status) = match health.ready && health.store && health.broker.unwrap_or(true) {
        true => (StatusCode::OK, "ready"),
        false => (StatusCode::SERVICE_UNAVAILABLE, "not_ready"),
    };
    let dependencies = Dependencies {
        database: word(health.store),
        rabbitmq: health.broker.map_or("not_configured", word),
        bybit_api: word(health.exchange),
        ws_gateway: health.gateway.map_or("not_configured", word),
        private_stream: word(health.stream),
        intake: word(health.accepting),
    };
    (code, Json(ReadyBody { status, timestamp: super::now().to_string(), dependencies }))
}
