//! Positions (wire-contracts.md 2.2): Position Manager's where there is one, else our own (spec T4).

use super::ApiState;
use super::error::ApiError;
use super::letters::unreadable;
use super::query::{Faults, Params};
use super::trace::{Adopted, Subject};
use super::views::PositionView;
use crate::neighbours::positions::{PositionsError, ToldPosition};
use crate::trace_id;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::http::{StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use order_manager_core::unit::{SignalId, TraceId};
use serde::Serialize;
use sha2::{Digest, Sha256};

/// The only mode of our own books.
const ONE_WAY: &str = "one-way";

/// Thirteen keys that every reader knows.
#[derive(Serialize)]
struct Position {
    id: String,
    asset: String,
    size: String,
    average_entry_price: Option<String>,
    unrealized_pnl: Option<String>,
    realized_pnl: Option<String>,
    mode: String,
    long_size: Option<String>,
    short_size: Option<String>,
    long_avg_price: Option<String>,
    short_avg_price: Option<String>,
    last_updated: Option<String>,
    last_snapshot_at: Option<String>,
}

#[derive(Serialize)]
struct Positions {
    positions: Vec<Position>,
}

/// Every position, flat ones included.
pub(super) async fn list(
    State(api): State<ApiState>,
    Extension(Adopted(adopted)): Extension<Adopted>,
    uri: Uri,
) -> Response {
    let trace = adopted.unwrap_or_else(trace_id::fresh);
    let found = all(&api, &uri, trace).await;
    traced(trace, found.map(|positions| Json(Positions { positions })))
}

/// One position, bare.
pub(super) async fn one(
    State(api): State<ApiState>,
    Extension(Adopted(adopted)): Extension<Adopted>,
    asset: Result<Path<String>, PathRejection>,
    uri: Uri,
) -> Response {
    let trace = adopted.unwrap_or_else(trace_id::fresh);
    let asset = asset.map(|Path(asset)| asset).unwrap_or_default();
    traced(trace, single(&api, &asset, &uri, trace).await.map(Json))
}

/// The reply carries the trace id under which Position Manager was asked.
fn traced(trace: TraceId, answer: Result<impl IntoResponse, ApiError>) -> Response {
    let mut response = answer.into_response();
    response.extensions_mut().insert(Subject { trace: Some(trace), signal: None });
    response
}

async fn all(api: &ApiState, uri: &Uri, trace: TraceId) -> Result<Vec<Position>, ApiError> {
    let (params, mut faults) = (Params::of(uri), Faults::default());
    let asset = params.get("asset").map(|text| asset(text, &mut faults));
    let mode = mode(&params, &mut faults);
    faults.none()?;
    if let Some(manager) = &api.position_manager {
        let told = manager.positions(asset.as_deref(), mode.as_deref(), trace.as_str()).await.map_err(untold)?;
        return Ok(told.into_iter().map(Position::from).collect());
    }
    if mode.is_some_and(|mode| mode != ONE_WAY) {
        return Ok(Vec::new());
    }
    let views = api.books.positions(asset).await.map_err(unreadable)?;
    Ok(views.into_iter().map(Position::from).collect())
}

async fn single(api: &ApiState, text: &str, uri: &Uri, trace: TraceId) -> Result<Position, ApiError> {
    let mut faults = Faults::default();
    let asset = asset(text, &mut faults);
    let mode = mode(&Params::of(uri), &mut faults).unwrap_or_else(|| ONE_WAY.to_owned());
    faults.none()?;
    let found = match &api.position_manager {
        Some(manager) => manager.position(&asset, &mode, trace.as_str()).await.map_err(untold)?.map(Position::from),
        None if mode == ONE_WAY => {
            let mut views = api.books.positions(Some(asset.clone())).await.map_err(unreadable)?;
            views.pop().map(Position::from)
        }
        None => None,
    };
    found.ok_or_else(|| {
        let message = format!("Position not found for asset: {asset}, mode: {mode}");
        let remedy = "GET /api/v1/positions lists those that there are; a symbol that was never traded has none";
        ApiError::new(StatusCode::NOT_FOUND, "position_not_found", message, remedy).field("asset")
    })
}

/// Upper case, as the rows have it; it goes into another service's address, so it is a symbol and nothing else.
fn asset(text: &str, faults: &mut Faults) -> String {
    if !(1..=20).contains(&text.len()) || !text.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
        faults.bad("asset", text, "must be a symbol of 1 to 20 letters and digits, such as BTCUSDT");
    }
    text.to_uppercase()
}

fn mode(params: &Params, faults: &mut Faults) -> Option<String> {
    let mode = params.get("mode")?.to_lowercase();
    if !matches!(mode.as_str(), ONE_WAY | "hedge") {
        faults.bad("mode", &mode, "Invalid mode. Must be 'one-way' or 'hedge'");
    }
    Some(mode)
}

/// The log gets all of it; the caller gets what to do.
fn untold(error: PositionsError) -> ApiError {
    tracing::warn!(%error, "Position Manager's positions cannot be told");
    let message = error.to_string();
    match error {
        PositionsError::Unavailable { retry_after, .. } => {
            let remedy = "wait for Retry-After and try again; orders and signals do not need it";
            let status = StatusCode::SERVICE_UNAVAILABLE;
            ApiError::new(status, "position_manager_unavailable", message, remedy).retry_after(retry_after)
        }
        PositionsError::Key(_) => {
            let remedy = "set POSITION_MANAGER_API_KEY to the key that Position Manager knows, and restart";
            ApiError::new(StatusCode::BAD_GATEWAY, "position_manager_key", message, remedy)
        }
        PositionsError::Refused { status, .. } => {
            let status = StatusCode::from_u16(status).unwrap_or(StatusCode::BAD_REQUEST);
            ApiError::new(status, "position_manager_refused", message, "correct what it names")
        }
        PositionsError::Broken(_) => {
            let remedy = "look into Position Manager's log; does POSITION_MANAGER_HOST and _PORT lead to it?";
            ApiError::new(StatusCode::BAD_GATEWAY, "position_manager_failed", message, remedy)
        }
    }
}

impl From<ToldPosition> for Position {
    /// Three of the keys Position Manager has none of.
    fn from(told: ToldPosition) -> Self {
        Self {
            id: told.id,
            asset: told.asset,
            size: told.size,
            average_entry_price: told.average_entry_price,
            unrealized_pnl: told.unrealized_pnl,
            realized_pnl: told.realized_pnl,
            mode: told.mode,
            long_size: told.long_size,
            short_size: told.short_size,
            long_avg_price: None,
            short_avg_price: None,
            last_updated: told.last_updated,
            last_snapshot_at: None,
        }
    }
}

impl From<PositionView> for Position {
    /// Nobody tells us prices all the time, so there is no unrealized profit that would be true when it is read.
    fn from(view: PositionView) -> Self {
        Self {
            id: id(&view.asset),
            asset: view.asset,
            size: view.size,
            average_entry_price: view.average_entry_price,
            unrealized_pnl: None,
            realized_pnl: Some(view.realized_pnl),
            mode: ONE_WAY.to_owned(),
            long_size: None,
            short_size: None,
            long_avg_price: None,
            short_avg_price: None,
            last_updated: Some(view.updated_at),
            last_snapshot_at: None,
        }
    }
}

/// Our own positions are known by their symbol. Readers want a UUID: one of version 8, made of that.
fn id(asset: &str) -> String {
    let hash = Sha256::digest(format!("position {asset}"));
    let bits = hash.iter().take(16).fold(0_u128, |bits, byte| bits << 8 | u128::from(*byte));
    SignalId(bits & !(0xf000 << 64) & !(0xc << 60) | 0x8000 << 64 | 0x8 << 60).to_string()
}
