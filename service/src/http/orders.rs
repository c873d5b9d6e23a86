//! Orders, cumulative, as the rows have them (wire-contracts.md 2.2).

use super::ApiState;
use super::error::ApiError;
use super::letters::unreadable;
use super::query::{Faults, Params};
use super::views::{OrderFilter, OrderView, Page, SortBy, SortOrder};
use axum::Json;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::http::{StatusCode, Uri};
use order_manager_core::unit::SignalId;
use serde::Serialize;

const STATUSES: [&str; 6] = ["pending", "partially_filled", "filled", "cancelled", "rejected", "dry_run"];

/// Which page this is.
#[derive(Serialize)]
pub(super) struct Pagination {
    page: u32,
    page_size: u32,
    total_items: u64,
    total_pages: u64,
}

impl Pagination {
    pub(super) const fn of<T>(page: &Page<T>) -> Self {
        let Page { page, page_size, total_items, total_pages, .. } = page;
        Self { page: *page, page_size: *page_size, total_items: *total_items, total_pages: *total_pages }
    }
}

#[derive(Serialize)]
pub(super) struct Orders {
    orders: Vec<OrderView>,
    pagination: Pagination,
}

/// A page of orders.
pub(super) async fn list(State(api): State<ApiState>, uri: Uri) -> Result<Json<Orders>, ApiError> {
    let page = api.books.orders(filter(&Params::of(&uri))?).await.map_err(unreadable)?;
    Ok(Json(Orders { pagination: Pagination::of(&page), orders: page.items }))
}

/// One order, bare.
pub(super) async fn one(
    State(api): State<ApiState>,
    id: Result<Path<String>, PathRejection>,
) -> Result<Json<OrderView>, ApiError> {
    let unknown = |id: &str| {
        let remedy = "give Bybit's order id or the order link id; GET /api/v1/orders lists both";
        ApiError::new(StatusCode::NOT_FOUND, "order_not_found", format!("Order not found: {id}"), remedy)
            .field("order_id")
    };
    let Path(id) = id.map_err(|_| unknown("(not UTF-8)"))?;
    let order = api.books.order(id.clone()).await.map_err(unreadable)?;
    order.map(Json).ok_or_else(|| unknown(&id))
}

/// Page and size of a list.
pub(super) fn page(params: &Params, faults: &mut Faults) -> (u32, u32) {
    let page = faults.number(params, "page", 1..=u32::MAX).unwrap_or(1);
    (page, faults.number(params, "page_size", 1..=100).unwrap_or(20))
}

/// Reads every filter; all that is wrong is told at once.
fn filter(params: &Params) -> Result<OrderFilter, ApiError> {
    let mut faults = Faults::default();
    let (page, page_size) = page(params, &mut faults);
    let lower = |name: &str| params.get(name).map(str::to_lowercase);
    let status = lower("status");
    if let Some(status) = status.as_deref().filter(|status| !STATUSES.contains(status)) {
        faults.bad("status", status, &format!("must be one of {}", STATUSES.join(", ")));
    }
    let signal_id = params.get("signal_id").and_then(|text| {
        let id = SignalId::parse(text).map_err(|not| faults.bad("signal_id", text, &not.to_string()));
        id.ok()
    });
    let side = lower("side");
    if let Some(side) = side.as_deref().filter(|side| !matches!(*side, "buy" | "sell")) {
        faults.bad("side", side, "Invalid side. Must be 'Buy' or 'Sell'");
    }
    let sort_by = match params.get("sort_by") {
        None | Some("created_at") => SortBy::CreatedAt,
        Some("updated_at") => SortBy::UpdatedAt,
        Some("executed_at") => SortBy::ExecutedAt,
        Some(other) => {
            faults.bad("sort_by", other, "must be created_at, updated_at or executed_at");
            SortBy::default()
        }
    };
    let sort_order = match lower("sort_order").as_deref() {
        None | Some("desc") => SortOrder::Descending,
        Some("asc") => SortOrder::Ascending,
        Some(other) => {
            faults.bad("sort_order", other, "must be asc or desc");
            SortOrder::default()
        }
    };
    let filter = OrderFilter {
        asset: params.get("asset").map(str::to_uppercase),
        status,
        signal_id,
        order_id: params.get("order_id").map(str::to_owned),
        side,
        date_from: faults.moment(params, "date_from"),
        date_to: faults.moment(params, "date_to"),
        page,
        page_size,
        sort_by,
        sort_order,
    };
    faults.none().map(|()| filter)
}
