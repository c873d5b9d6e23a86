//! Position Manager's API (wire-contracts.md 3.2) over figures that a test sets.

use super::server::{Server, json};
use axum::Router;
use axum::extract::{Path, Query, State};
use axum::response::Response;
use axum::routing::{get, post};
use serde_json::{Value, json as value};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

/// The key that it knows.
pub(crate) const KEY: &str = "position-key";
pub(crate) const LIST: &str = "GET /api/v1/positions";
pub(crate) const EXPOSURE: &str = "GET /api/v1/portfolio/exposure";

/// What it says. A model of it can be put here as well as fixed figures.
pub(crate) trait Figures: Send + 'static {
    /// Every position, as [`position`] makes them.
    fn positions(&self) -> Vec<Value>;
    /// `total_exposure_usdt`: a number, or a text.
    fn exposure(&self) -> Value;
    /// It reckons a position anew: was it right, and if not, why?
    fn validate(&mut self, asset: &str) -> (bool, Option<String>);
}

/// Figures that stay as they are set.
#[derive(Debug)]
pub(crate) struct Fixed {
    pub(crate) positions: Vec<Value>,
    pub(crate) exposure: Value,
    pub(crate) validated: Vec<String>,
}

impl Default for Fixed {
    fn default() -> Self {
        Self { positions: Vec::new(), exposure: 0.into(), validated: Vec::new() }
    }
}

impl Figures for Fixed {
    fn positions(&self) -> Vec<Value> {
        self.positions.clone()
    }
    fn exposure(&self) -> Value {
        self.exposure.clone()
    }
    fn validate(&mut self, asset: &str) -> (bool, Option<String>) {
        self.validated.push(asset.to_owned());
        (true, None)
    }
}

/// A position in the sixteen keys of its API.
pub(crate) fn position(asset: &str, mode: &str, size: &str, average_entry_price: Option<&str>) -> Value {
    value!({
        "id": format!("00000000-0000-4000-8000-{:012}", asset.len()), "asset": asset, "mode": mode, "size": size,
        "average_entry_price": average_entry_price, "current_price": null, "unrealized_pnl": "0E-8",
        "realized_pnl": "12.50000000", "long_size": null, "short_size": null, "version": 3,
        "last_updated": "2026-01-01T00:00:00.000005Z", "closed_at": null, "created_at": "2026-01-01T00:00:00Z",
        "unrealized_pnl_pct": null, "time_held_minutes": 5,
    })
}

/// The fake.
#[derive(Debug)]
pub(crate) struct PositionManager<F> {
    /// Its socket.
    pub(crate) server: Server,
    /// What it says from now on.
    pub(crate) figures: Arc<Mutex<F>>,
}

impl<F: Figures> PositionManager<F> {
    /// Starts with these figures.
    pub(crate) async fn start(figures: F) -> Self {
        let figures = Arc::new(Mutex::new(figures));
        let router = Router::new()
            .route("/api/v1/positions", get(list::<F>))
            .route("/api/v1/positions/{asset}", get(one::<F>))
            .route("/api/v1/positions/{asset}/validate", post(validate::<F>))
            .route("/api/v1/portfolio/exposure", get(exposure::<F>))
            .with_state(Arc::clone(&figures));
        let unauthorized = r#"{"detail":"Invalid or missing API key"}"#;
        Self { server: Server::start(router, KEY, unauthorized).await, figures }
    }
}

type Shared<F> = State<Arc<Mutex<F>>>;
type Parameters = Query<BTreeMap<String, String>>;

/// The mode that was asked for, or the 400 for it.
fn mode(parameters: &Parameters) -> Result<Option<String>, Box<Response>> {
    let mode = parameters.get("mode").map(|mode| mode.to_lowercase());
    match mode.as_deref() {
        None | Some("one-way" | "hedge") => Ok(mode),
        Some(_) => {
            let body = r#"{"detail":"Invalid mode. Must be 'one-way' or 'hedge'"}"#;
            Err(Box::new(json(400, body.to_owned())))
        }
    }
}

async fn list<F: Figures>(State(figures): Shared<F>, parameters: Parameters) -> Response {
    let mode = match mode(&parameters) {
        Ok(mode) => mode,
        Err(refused) => return *refused,
    };
    let mut positions = figures.lock().unwrap().positions();
    positions.retain(|position| {
        let asset = parameters.get("asset").is_none_or(|asset| position["asset"] == **asset);
        asset && mode.as_ref().is_none_or(|mode| position["mode"] == **mode)
    });
    json(200, value!({ "count": positions.len(), "positions": positions }).to_string())
}

async fn one<F: Figures>(State(figures): Shared<F>, Path(asset): Path<String>, parameters: Parameters) -> Response {
    let mode = match mode(&parameters) {
        Ok(mode) => mode.unwrap_or_else(|| "one-way".to_owned()),
        Err(refused) => return *refused,
    };
    let positions = figures.lock().unwrap().positions();
    match positions.iter().find(|position| position["asset"] == *asset && position["mode"] == *mode) {
        Some(position) => json(200, position.to_string()),
        None => {
            let detail = format!("Position not found for asset: {asset}, mode: {mode}");
            json(404, value!({ "detail": detail }).to_string())
        }
    }
}

async fn validate<F: Figures>(State(figures): Shared<F>, Path(asset): Path<String>) -> Response {
    let mut figures = figures.lock().unwrap();
    let (is_valid, error_message) = figures.validate(&asset);
    let updated = figures.positions().into_iter().find(|position| position["asset"] == *asset);
    let body = value!({ "is_valid": is_valid, "error_message": error_message, "updated_position": updated });
    json(200, body.to_string())
}

async fn exposure<F: Figures>(State(figures): Shared<F>) -> Response {
    let total = figures.lock().unwrap().exposure();
    json(200, value!({ "total_exposure_usdt": total, "calculated_at": "2026-01-01T00:00:00.000005" }).to_string())
}
