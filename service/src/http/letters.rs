//! Messages of which no signal could be made (spec S4).

use super::ApiState;
use super::error::ApiError;
use super::orders::{Pagination, page};
use super::ports::BooksError;
use super::query::{Faults, Params};
use super::views::DeadLetterView;
use axum::Json;
use axum::extract::State;
use axum::http::Uri;
use serde::Serialize;

#[derive(Serialize)]
pub(super) struct Letters {
    dead_letters: Vec<DeadLetterView>,
    pagination: Pagination,
}

/// A page of dead letters, the latest first.
pub(super) async fn list(State(api): State<ApiState>, uri: Uri) -> Result<Json<Letters>, ApiError> {
    let mut faults = Faults::default();
    let (page, page_size) = page(&Params::of(&uri), &mut faults);
    faults.none()?;
    let page = api.books.dead_letters(page, page_size).await.map_err(unreadable)?;
    Ok(Json(Letters { pagination: Pagination::of(&page), dead_letters: page.items }))
}

/// The log gets the store's own words, the caller gets when to come back.
pub(super) fn unreadable(error: BooksError) -> ApiError {
    tracing::warn!(%error, "a read failed");
    ApiError::store_down()
}
