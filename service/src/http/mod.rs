//! The API (spec A1, wire-contracts.md 2). Reads the committed books, brings signals to the desk, decides nothing.
//!
//! | route | role | answers |
//! |---|---|---|
//! | `POST /api/v1/signals[?wait=ms]` | signal | 202 taken; 200 with the outcome: waited for, or a duplicate's first; 409, 413, 422, 503 |
//! | `GET /api/v1/signals/{signal_id}` | read | state, verdicts, orders |
//! | `GET /api/v1/orders` | read | a page |
//! | `GET /api/v1/orders/{order_id}` | read | by Bybit's id or the order link id, for ever |
//! | `GET /api/v1/positions[?asset&mode]` | read | all of them; 502, 503 where Position Manager owns them |
//! | `GET /api/v1/positions/{asset}[?mode]` | read | one of them |
//! | `GET /api/v1/dead-letters` | read | a page |
//! | `GET /api/v1/events` | read | server-sent events, resumable |
//! | `GET /health` `/live` `/ready` | none | always 200; always 200; 200 or 503 |
//!
//! Layers, outermost first: trace (trace id, log line, envelope of errors), admission (a key for all of `/api`, so 401
//! comes before 404), the role of a route, its deadline. There are no CORS headers: no web page of another origin has
//! any business with orders.

mod auth;
mod error;
mod events;
mod health;
mod keys;
mod letters;
mod listen;
mod orders;
pub mod ports;
mod positions;
mod query;
mod signals;
mod trace;
pub mod views;
mod wiring;

#[cfg(test)]
mod tests;

pub use keys::{BadKey, BindRefused, Key, Keys, NoKeyLeft, NotRole, Role, check_bind};
pub use listen::{BindError, bind, serve};

use crate::neighbours::PositionManager;
use axum::Router;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::middleware::{Next, from_fn, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use error::ApiError;
use order_manager_core::unit::Timestamp;
use ports::{Books, Desk};
use std::sync::Arc;
use std::time::{Duration, SystemTime};
use tokio::sync::Semaphore;

/// The bounds of the API.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// How long the store and the desk may take to answer.
    pub answer: Duration,
    /// Longest `?wait=` of a signal.
    pub wait_max: Duration,
    /// Calls that wait for an outcome at the same time; one more is answered without waiting.
    pub waits_max: usize,
    /// Event streams at the same time; one more is refused with 503.
    pub streams_max: usize,
    /// How often a silent event stream says that it lives.
    pub keep_alive: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            answer: Duration::from_secs(15),
            wait_max: Duration::from_secs(60),
            waits_max: 256,
            streams_max: 64,
            keep_alive: Duration::from_secs(15),
        }
    }
}

/// What the routes share.
#[derive(Clone)]
pub struct ApiState {
    desk: Arc<dyn Desk>,
    books: Arc<dyn Books>,
    position_manager: Option<PositionManager>,
    keys: Keys,
    limits: Limits,
    waits: Arc<Semaphore>,
    streams: Arc<Semaphore>,
}

impl ApiState {
    /// With the default [`Limits`].
    #[must_use]
    pub fn new(desk: Arc<dyn Desk>, books: Arc<dyn Books>, keys: Keys) -> Self {
        Self::with_limits(desk, books, keys, Limits::default())
    }

    /// With these limits.
    #[must_use]
    pub fn with_limits(desk: Arc<dyn Desk>, books: Arc<dyn Books>, keys: Keys, limits: Limits) -> Self {
        let [waits, streams] = [limits.waits_max, limits.streams_max].map(|max| Arc::new(Semaphore::new(max)));
        Self { desk, books, position_manager: None, keys, limits, waits, streams }
    }

    /// Positions are this one's; without, they are those of the books (spec T4).
    #[must_use]
    pub fn positions_of(mut self, manager: PositionManager) -> Self {
        self.position_manager = Some(manager);
        self
    }
}

/// The whole API as a service.
pub fn router(state: ApiState) -> Router {
    let role = |role| from_fn_with_state(role, auth::require);
    let read = Router::new()
        .route("/api/v1/orders", get(orders::list))
        .route("/api/v1/orders/{order_id}", get(orders::one))
        .route("/api/v1/signals/{signal_id}", get(signals::one))
        .route("/api/v1/positions", get(positions::list))
        .route("/api/v1/positions/{asset}", get(positions::one))
        .route("/api/v1/dead-letters", get(letters::list))
        .route("/api/v1/events", get(events::stream))
        .route_layer(from_fn_with_state(state.clone(), deadline))
        .route_layer(role(Role::Read));
    let signal = Router::new().route("/api/v1/signals", post(signals::bring)).route_layer(role(Role::Signal));
    let open = Router::new()
        .route("/health", get(health::health))
        .route("/live", get(health::live))
        .route("/ready", get(health::ready));
    read.merge(signal)
        .merge(open)
        .fallback(|| async { not_found() })
        .method_not_allowed_fallback(|| async { method_not_allowed() })
        .layer(from_fn_with_state(state.clone(), auth::admit))
        .layer(from_fn(trace::follow))
        .with_state(state)
}

/// Bounds how long a read may take until its first byte.
async fn deadline(State(api): State<ApiState>, request: Request, next: Next) -> Response {
    let limit = api.limits.answer;
    match tokio::time::timeout(limit, next.run(request)).await {
        Ok(response) => response,
        Err(_) => ApiError::timeout(limit, "try again").into_response(),
    }
}

fn not_found() -> ApiError {
    let message = "Not Found".to_owned();
    ApiError::new(StatusCode::NOT_FOUND, "no_such_route", message, "look the path up in the list of routes")
}

fn method_not_allowed() -> ApiError {
    let message = "Method Not Allowed".to_owned();
    ApiError::new(StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed", message, "use a method of the header Allow")
}

/// For what is shown to people; nothing is decided by it.
fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    Timestamp(u64::try_from(since.as_micros()).unwrap_or(u64::MAX))
}
