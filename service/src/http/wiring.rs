//! The real driver and the real store behind the API's ports.

use super::ports::{Books, BooksError, Desk, Later};
use super::views::{DeadLetterView, OrderFilter, OrderView, Page, PositionView, SignalView};
use crate::desk::{self, DeskError, Health};
use crate::store::{Reader, StoreError};
use order_manager_core::command::Receipt;
use order_manager_core::unit::{SignalId, Symbol, TraceId};
use tokio::sync::watch;

impl Desk for desk::Desk {
    fn bring(&self, trace: Option<TraceId>, body: Vec<u8>) -> Later<'_, Result<Receipt, DeskError>> {
        Box::pin(self.bring(trace, body))
    }
    fn health(&self) -> Health {
        self.health()
    }
    fn committed(&self) -> watch::Receiver<i64> {
        self.committed()
    }
}

fn told(error: StoreError) -> BooksError {
    BooksError(error.to_string())
}

impl Books for Reader {
    fn orders(&self, filter: OrderFilter) -> Later<'_, Result<Page<OrderView>, BooksError>> {
        Box::pin(async move { self.orders(&filter).await.map_err(told) })
    }
    fn order(&self, id: String) -> Later<'_, Result<Option<OrderView>, BooksError>> {
        Box::pin(async move { self.order(&id).await.map_err(told) })
    }
    fn signal(&self, id: SignalId) -> Later<'_, Result<Option<SignalView>, BooksError>> {
        Box::pin(async move { self.signal(id).await.map_err(told) })
    }
    fn events_after(&self, id: i64, limit: u32) -> Later<'_, Result<Vec<(i64, String)>, BooksError>> {
        Box::pin(async move { self.events_after(id, limit).await.map_err(told) })
    }
    fn positions(&self, asset: Option<String>) -> Later<'_, Result<Vec<PositionView>, BooksError>> {
        Box::pin(async move {
            match asset {
                Some(asset) => self.position(Symbol::clipped(&asset)).await.map(|found| found.into_iter().collect()),
                None => self.positions().await,
            }
            .map_err(told)
        })
    }
    fn dead_letters(&self, page: u32, page_size: u32) -> Later<'_, Result<Page<DeadLetterView>, BooksError>> {
        Box::pin(async move { self.dead_letters(page, page_size).await.map_err(told) })
    }
}
