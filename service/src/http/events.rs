//! Order events as server-sent events (spec E1): first what the store has after the caller's last id, then what is
//! committed from then on. The ids are the store's, so a caller that comes back misses nothing and gets nothing
//! twice.

use super::ApiState;
use super::error::ApiError;
use super::keys::Key;
use super::letters::unreadable;
use super::ports::{Books, BooksError};
use super::query::{Faults, Params};
use axum::extract::State;
use axum::http::header::CACHE_CONTROL;
use axum::http::{HeaderMap, HeaderName, StatusCode, Uri};
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use futures_util::stream::{self, Stream};
use serde_json::Value;
use std::collections::VecDeque;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, watch};

/// Messages that are read from the store at a time.
const BATCH: u32 = 100;
/// Browsers send it when they come back. It wins over `after`, which stands in the address for ever.
const LAST_EVENT_ID: HeaderName = HeaderName::from_static("last-event-id");

/// The stream, after `Last-Event-ID`, else `?after=`, else from now on; `after=0` is everything.
pub(super) async fn stream(
    State(api): State<ApiState>,
    headers: HeaderMap,
    uri: Uri,
) -> Result<impl IntoResponse, ApiError> {
    let keys = api.keys.watch();
    let permit = Arc::clone(&api.streams).try_acquire_owned().map_err(|_| too_many(api.limits.streams_max))?;
    let mut committed = api.desk.committed();
    let last = *committed.borrow_and_update();
    let after = match asked(&headers, &uri)? {
        Some(after) => known(&*api.books, after, last).await?,
        None => last,
    };
    let waiting = api.books.events_after(after, BATCH).await.map_err(unreadable)?.into();
    let follower = Follower { books: api.books, committed, keys, cursor: after, waiting, _permit: permit };
    let events = stream::unfold(follower, |mut follower| async move {
        let (id, json) = follower.next().await?;
        Some((Ok::<_, Infallible>(Event::default().id(id.to_string()).data(cumulative(json))), follower))
    });
    Ok(respond(events, api.limits.keep_alive))
}

fn respond(events: impl Stream<Item = Result<Event, Infallible>> + Send + 'static, keep_alive: Duration) -> Response {
    let keep_alive = KeepAlive::new().interval(keep_alive).text("keep-alive");
    // Proxies that buffer would hold events back.
    let headers = [(CACHE_CONTROL, "no-store"), (HeaderName::from_static("x-accel-buffering"), "no")];
    (headers, Sse::new(events).keep_alive(keep_alive)).into_response()
}

/// The id that the caller has seen last.
fn asked(headers: &HeaderMap, uri: &Uri) -> Result<Option<i64>, ApiError> {
    let mut faults = Faults::default();
    let after = match headers.get(LAST_EVENT_ID).map(|value| value.to_str().unwrap_or("(not ASCII)").trim()) {
        Some(text) if !text.is_empty() => {
            let id = text.parse().ok().filter(|id| *id >= 0);
            if id.is_none() {
                faults.unprocessable(LAST_EVENT_ID.as_str(), text, "must be the id of an event");
            }
            id
        }
        _ => faults.number(&Params::of(uri), "after", 0..=i64::MAX),
    };
    faults.none().map(|()| after)
}

/// An id that this store never gave: it was restored from a backup, or the caller knows another. Waiting for its
/// numbers to grow beyond it would skip events in silence.
async fn known(books: &dyn Books, after: i64, last: i64) -> Result<i64, ApiError> {
    if after <= last {
        return Ok(after);
    }
    let found = books.events_after(after - 1, 1).await.map_err(unreadable)?;
    if found.first().is_some_and(|(id, _)| *id == after) {
        return Ok(after); // committed, and the news of it is on its way
    }
    let message = format!("event {after} is unknown here: the last one is {last}");
    let remedy = "compare what you have with GET /api/v1/orders, then start again with after=<last id> or after=0";
    Err(ApiError::new(StatusCode::UNPROCESSABLE_ENTITY, "event_unknown", message, remedy).field("after"))
}

fn too_many(max: usize) -> ApiError {
    let message = format!("{max} event streams are open already");
    let remedy = "close one, or share one among your programs";
    ApiError::new(StatusCode::SERVICE_UNAVAILABLE, "too_many_streams", message, remedy)
        .retry_after(Duration::from_secs(10))
}

/// One caller's place in the messages. Reads on only when what it read was taken, so a slow caller costs one batch.
struct Follower {
    books: Arc<dyn Books>,
    committed: watch::Receiver<i64>,
    keys: watch::Receiver<Vec<Key>>,
    cursor: i64,
    waiting: VecDeque<(i64, String)>,
    _permit: OwnedSemaphorePermit,
}

impl Follower {
    /// The next message; none when the caller has to come back: the driver ended, the keys changed, or the store
    /// cannot be read.
    async fn next(&mut self) -> Option<(i64, String)> {
        loop {
            if self.keys.has_changed().unwrap_or(true) {
                return None;
            }
            if let Some((id, json)) = self.waiting.pop_front() {
                self.cursor = id;
                return Some((id, json));
            }
            self.committed.borrow_and_update(); // before the read: a commit during it wakes us again
            self.waiting = self.read().await?.into();
            if self.waiting.is_empty() {
                tokio::select! {
                    changed = self.committed.changed() => changed.ok()?,
                    _ = self.keys.changed() => return None,
                }
            }
        }
    }

    async fn read(&self) -> Option<Vec<(i64, String)>> {
        let read = self.books.events_after(self.cursor, BATCH).await;
        read.inspect_err(|error: &BooksError| tracing::warn!(%error, after = self.cursor, "an event stream ends")).ok()
    }
}

/// The stored message is the queue's, where an order's filled quantity, price and fees are the increment; here
/// `order` is cumulative (spec E2), and `fill` keeps the increment.
fn cumulative(json: String) -> String {
    let Ok(Value::Object(mut event)) = serde_json::from_str(&json) else {
        tracing::error!("a stored event is not a JSON object");
        return json;
    };
    let totals = event.get("totals").and_then(Value::as_object).cloned();
    if let (Some(totals), Some(Value::Object(order))) = (totals, event.get_mut("order")) {
        let of_totals = ["filled_quantity", "average_price", "fees"];
        order.extend(totals.into_iter().filter(|(key, _)| of_totals.contains(&key.as_str())));
    }
    Value::Object(event).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn e2_the_order_of_a_streamed_event_is_cumulative() {
        let stored = r#"{"event_id":"e","order":{"id":"o","filled_quantity":"0.4","average_price":"99","fees":"0.1"},
            "fill":{"quantity":"0.4"},"totals":{"filled_quantity":"1.0","average_price":"100.5","fees":"0.25"}}"#;
        let shown: Value = serde_json::from_str(&cumulative(stored.to_owned())).unwrap();
        let order = serde_json::json!({"id":"o","filled_quantity":"1.0","average_price":"100.5","fees":"0.25"});
        assert_eq!((&shown["order"], &shown["fill"]["quantity"]), (&order, &Value::from("0.4")));
        let rejected = r#"{"order":{"filled_quantity":"0"},"totals":null}"#;
        assert_eq!(cumulative(rejected.to_owned()), rejected);
    }
}
