//! What the API needs of the rest of the service. Tests put fakes here.

use super::views::{DeadLetterView, OrderFilter, OrderView, Page, PositionView, SignalView};
use crate::desk::{DeskError, Health};
use order_manager_core::command::Receipt;
use order_manager_core::unit::{SignalId, TraceId};
use std::pin::Pin;
use tokio::sync::watch;

/// An answer that comes later. Boxed, so that the API is not generic over its ports.
pub type Later<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// The way to the driver.
pub trait Desk: Send + Sync + 'static {
    /// Brings a signal's message as it came, with the trace id of its header; answers when its intake is durable
    /// (spec S1). A caller that stops waiting takes nothing back.
    fn bring(&self, trace: Option<TraceId>, body: Vec<u8>) -> Later<'_, Result<Receipt, DeskError>>;
    /// What works right now.
    fn health(&self) -> Health;
    /// The id of the last committed message; from the start, that of the store. Must notify after every commit, even where the id did not change,
    /// and close when the driver ends: waiting calls and event streams then end too.
    fn committed(&self) -> watch::Receiver<i64>;
}

/// The store could not be read. The text is for the log, not for the caller.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the store cannot be read: {0}")]
pub struct BooksError(pub String);

/// What is committed, to read.
pub trait Books: Send + Sync + 'static {
    /// A page of orders.
    fn orders(&self, filter: OrderFilter) -> Later<'_, Result<Page<OrderView>, BooksError>>;
    /// One order by Bybit's id, our order link id or `REJECTED-<signal_id>`, for ever (spec O4).
    fn order(&self, id: String) -> Later<'_, Result<Option<OrderView>, BooksError>>;
    /// One signal with its orders.
    fn signal(&self, id: SignalId) -> Later<'_, Result<Option<SignalView>, BooksError>>;
    /// Messages after `id` in order, at most `limit`: their ids, which grow, and the JSON of an order event.
    fn events_after(&self, id: i64, limit: u32) -> Later<'_, Result<Vec<(i64, String)>, BooksError>>;
    /// Our own positions by symbol, flat ones included; only that of `asset` where it is given.
    fn positions(&self, asset: Option<String>) -> Later<'_, Result<Vec<PositionView>, BooksError>>;
    /// A page of dead letters, the latest first.
    fn dead_letters(&self, page: u32, page_size: u32) -> Later<'_, Result<Page<DeadLetterView>, BooksError>>;
}
