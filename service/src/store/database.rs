//! What a database does for a store: it takes a batch whole or not at all, and answers questions. Which rows and
//! which questions is the same for every database and stands beside this.

use super::StoreError;
use super::query::{Dialect, Query};
use super::table::Table;
use super::value::Values;
use std::fmt::Debug;
use std::pin::Pin;

/// An answer that comes later. Boxed, so that the store is not generic over its database.
pub(super) type Later<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// Rows on their way to the disk, in the order in which they are written.
#[derive(Debug, Default)]
pub(super) struct Batch {
    pub(super) rows: Vec<(&'static Table, Vec<Values>)>,
    /// What is forgotten with it.
    pub(super) then: Option<Query>,
}

/// Why a batch was not written. Nothing of it was.
#[derive(Debug)]
pub(super) enum Failed {
    /// The data: the same again would fail again.
    Data(String),
    /// Anything else.
    Other(StoreError),
}

impl From<StoreError> for Failed {
    fn from(error: StoreError) -> Self {
        Self::Other(error)
    }
}

/// The one connection that writes. There is one in all processes.
pub(super) trait Writer: Debug + Send + Sync {
    /// Reads as a writer does: whatever was begun before, by whomever, has come to its end or never will.
    fn fetch(&mut self, query: Query) -> Later<'_, Result<Vec<Values>, StoreError>>;
    /// Writes a batch in ONE transaction.
    fn write(&mut self, batch: Batch) -> Later<'_, Result<(), Failed>>;
    /// Which of these the database refuses because of its data, the first, and its words. They are written in one
    /// transaction, which is taken back.
    fn refused(&mut self, batches: Vec<Batch>) -> Later<'_, Result<Option<(usize, String)>, StoreError>>;
    /// Makes what is committed easy to copy, before the process ends.
    fn settle(&mut self) -> Later<'_, Result<(), StoreError>>;
}

/// Connections beside the writer.
pub(super) trait Pool: Debug + Send + Sync {
    fn dialect(&self) -> Dialect;
    fn fetch(&self, query: Query) -> Later<'_, Result<Vec<Values>, StoreError>>;
}
