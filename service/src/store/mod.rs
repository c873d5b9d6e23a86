//! The store: a journal of records, the rows that they change and the messages that they publish, in one SQLite
//! file. One process writes (spec A5), any number of readers read.

mod error;
mod reader;
mod view;

pub use error::StoreError;
pub use reader::Reader;
pub use view::{
    DeadLetterView, ExecutionView, InstrumentView, OrderFilter, OrderView, Page, SignalView, SortBy, SortOrder,
    StoredRecord,
};

use order_manager_core::event::{Event, Seq};
use order_manager_core::input::Prior;
use order_manager_core::journal::Digest;
use order_manager_core::unit::{SignalId, Timestamp};
use std::path::Path;

/// One step on its way to the disk.
#[derive(Clone, Debug, PartialEq)]
pub struct StoredStep {
    /// Its number.
    pub seq: Seq,
    /// Its `now`.
    pub at: Timestamp,
    /// The record's bytes.
    pub record: Vec<u8>,
    /// The digest after it.
    pub digest: Digest,
    /// What its rows and messages are made of.
    pub events: Vec<Event>,
}

/// What a manager is restored from: `Manager::restore(checkpoint, steps)`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Restored {
    /// The last checkpoint, if one was saved.
    pub checkpoint: Option<Vec<u8>>,
    /// Every record after it with the digest after that.
    pub steps: Vec<(Vec<u8>, Digest)>,
}

/// What is durable now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Committed {
    /// The id of the last published event; 0 where there is none.
    pub last_event_id: i64,
}

/// The writer. There is one in all processes: it holds a lock beside the file.
#[derive(Debug)]
pub struct Store {
    reader: Reader,
}

impl Store {
    /// Opens the file, or makes it.
    ///
    /// # Errors
    /// The file or its lock cannot be had, or its schema is newer than this program.
    pub async fn open(path: &Path) -> Result<Self, StoreError> {
        todo!("{path:?}")
    }
    /// The last checkpoint and every record after it.
    pub async fn restore(&self) -> Result<Restored, StoreError> {
        todo!()
    }
    /// Writes a batch in ONE transaction: records, the last state of every row that they change, messages.
    ///
    /// # Errors
    /// Nothing of the batch was written then. The manager's memory is ahead of the disk: restore another.
    pub async fn commit(&mut self, steps: &[StoredStep]) -> Result<Committed, StoreError> {
        todo!("{steps:?}")
    }
    /// What is known of a signal that the core has forgotten (spec S7).
    pub async fn prior(&self, id: SignalId) -> Result<Option<Prior>, StoreError> {
        todo!("{id:?}")
    }
    /// Keeps the durable state as of record `seq`, which must be committed: the next restore begins there.
    pub async fn save_checkpoint(&mut self, seq: Seq, bytes: &[u8]) -> Result<(), StoreError> {
        todo!("{seq:?} {bytes:?}")
    }
    /// For HTTP, explain and export.
    #[must_use]
    pub fn reader(&self) -> Reader {
        self.reader.clone()
    }
}
