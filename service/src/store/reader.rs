//! Reads for the API, the event stream, `explain` and `export`. Never waits for the writer (WAL).

use super::StoreError;
use super::view::{
    DeadLetterView, ExecutionView, InstrumentView, OrderFilter, OrderView, Page, SignalView, StoredRecord,
};
use order_manager_core::event::Seq;
use order_manager_core::unit::{OrderLinkId, SignalId};
use sqlx::SqlitePool;

/// Reads what is committed. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Reader {
    pub(super) pool: SqlitePool,
}

type Result<T> = std::result::Result<T, StoreError>;

impl Reader {
    /// Orders by filter, with the count of all that fit it.
    pub async fn orders(&self, filter: &OrderFilter) -> Result<Page<OrderView>> {
        todo!("{filter:?}")
    }
    /// One order, by Bybit's id, our order link id, or `REJECTED-<signal_id>`.
    pub async fn order(&self, id: &str) -> Result<Option<OrderView>> {
        todo!("{id:?}")
    }
    /// Orders whose fate is unknown, or that are on their way (spec O2).
    pub async fn uncertain(&self) -> Result<Vec<OrderView>> {
        todo!()
    }
    /// One signal with its orders.
    pub async fn signal(&self, id: SignalId) -> Result<Option<SignalView>> {
        todo!("{id:?}")
    }
    /// Published events after `id`, in order, at most `limit`: their ids and their JSON.
    pub async fn events_after(&self, id: i64, limit: u32) -> Result<Vec<(i64, String)>> {
        todo!("{id} {limit}")
    }
    /// The id of the last published event; 0 where there is none.
    pub async fn last_event_id(&self) -> Result<i64> {
        todo!()
    }
    /// Dead letters, the latest first.
    pub async fn dead_letters(&self, page: u32, page_size: u32) -> Result<Page<DeadLetterView>> {
        todo!("{page} {page_size}")
    }
    /// An order's fills, in the order of their times.
    pub async fn executions(&self, link: OrderLinkId) -> Result<Vec<ExecutionView>> {
        todo!("{link:?}")
    }
    /// The rules of every symbol in use.
    pub async fn instruments(&self) -> Result<Vec<InstrumentView>> {
        todo!()
    }
    /// Records from number `from` on, at most `limit`.
    pub async fn journal(&self, from: Seq, limit: u32) -> Result<Vec<StoredRecord>> {
        todo!("{from:?} {limit}")
    }
}
