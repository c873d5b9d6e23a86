//! The store: a journal of records, the rows that they change and the messages that they publish, in one SQLite
//! file. One process writes (spec A5), any number of readers read.

mod error;
mod journal;
mod lock;
mod reader;
mod schema;
mod table;
mod view;
mod write;

pub use error::StoreError;
pub use journal::Verified;
pub use reader::Reader;
pub use view::{
    DeadLetterView, ExecutionView, InstrumentView, OrderFilter, OrderView, Page, PositionView, SignalView, SortBy,
    SortOrder, StoredRecord,
};

use journal::PAGE;
use lock::Lock;
use order_manager_core::event::{Event, Seq};
use order_manager_core::input::Prior;
use order_manager_core::journal::{self as records, Digest};
use order_manager_core::rows::{Projector, Rows};
use order_manager_core::unit::{SignalId, Timestamp};
use sqlx::{Connection as _, Sqlite, SqliteConnection, Transaction};
use std::path::Path;
use write::{Failed, Statements};

/// What a person can do about a file that cannot be used.
const REMEDY: &str = "name a file in a writable folder with ORDERMANAGER_STORE";
/// The meaning of a stored [`Projector`]: another number, and it is made again from the journal.
const ROWS_VERSION: i64 = 1;

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
    writer: SqliteConnection,
    reader: Reader,
    statements: Statements,
    /// As of the last committed record; none after a failure, until it is made again.
    projector: Option<Projector>,
    last: Last,
    _lock: Lock,
}

/// The end of what is committed.
#[derive(Clone, Copy, Debug, Default)]
struct Last {
    seq: Seq,
    event_id: i64,
    sha256: [u8; 32],
}

impl Store {
    /// Opens the file, or makes it. The folder must be there.
    ///
    /// # Errors
    /// The file or its lock cannot be had, it is no store, or its schema is newer than this program.
    pub async fn open(path: &Path) -> Result<Self, StoreError> {
        let lock = Lock::take(path)?;
        let mut writer = schema::open(path).await?;
        let last = last(&mut writer).await.map_err(|error| unavailable(&error))?;
        let reader = Reader::on(path);
        let projector = Some(reader.projector().await?);
        Ok(Self { writer, reader, statements: Statements::default(), projector, last, _lock: lock })
    }

    /// Moves what stands in the write-ahead file into the store's own file, so that a copy of that one file is a
    /// whole backup. A reader that is still looking may prevent it; nothing is lost then.
    ///
    /// # Errors
    /// The file cannot be written.
    pub async fn settle(&mut self) -> Result<(), StoreError> {
        let moved = sqlx::query("PRAGMA wal_checkpoint(TRUNCATE)").fetch_one(&mut self.writer).await;
        moved.map(|_| ()).map_err(|error| unavailable(&error))
    }

    /// The last checkpoint and every record after it.
    pub async fn restore(&self) -> Result<Restored, StoreError> {
        let (seq, checkpoint) =
            self.reader.checkpoint().await?.map_or((Seq(0), None), |(seq, state)| (seq, Some(state)));
        self.records_after(seq, checkpoint).await
    }

    /// Every record, for a program that cannot read the checkpoint: that is an optimisation, safe to leave out.
    pub async fn restore_whole(&self) -> Result<Restored, StoreError> {
        self.records_after(Seq(0), None).await
    }

    async fn records_after(&self, seq: Seq, checkpoint: Option<Vec<u8>>) -> Result<Restored, StoreError> {
        let (mut steps, mut from) = (Vec::new(), Seq(seq.0.saturating_add(1)));
        loop {
            let page = self.reader.journal(from, PAGE).await?;
            let Some(last) = page.last() else { return Ok(Restored { checkpoint, steps }) };
            from = Seq(last.seq.0.saturating_add(1));
            steps.extend(page.into_iter().map(|stored| (stored.record, stored.digest)));
        }
    }

    /// Writes a batch in ONE transaction: records, the last state of every row that they change, messages.
    ///
    /// # Errors
    /// Nothing of the batch was written then. The manager's memory is ahead of the disk: restore another.
    pub async fn commit(&mut self, steps: &[StoredStep]) -> Result<Committed, StoreError> {
        let mut projector = self.take_projector().await?;
        if let Err(error) = self.follows(steps) {
            self.projector = Some(projector);
            return Err(error);
        }
        if steps.is_empty() {
            self.projector = Some(projector);
            return Ok(Committed { last_event_id: self.last.event_id });
        }
        let mut rows = Rows::default();
        steps.iter().for_each(|step| projector.follow_record(step.seq, step.at, &step.events, &mut rows));
        let records = steps.iter().map(|step| (step.seq.0, step.digest, step.record.as_slice()));
        let sha256 = write::close(self.last.sha256, records);
        match self.write(steps, &rows, sha256).await {
            Ok(()) => {}
            Err(Failed::Other(error)) => return Err(error),
            Err(Failed::Data(what)) => return Err(self.blame(steps, what).await?),
        }
        let published = i64::try_from(rows.messages.len()).unwrap_or(i64::MAX);
        let event_id = self.last.event_id.saturating_add(published);
        self.last = Last { seq: steps.last().map_or(self.last.seq, |end| end.seq), event_id, sha256 };
        self.projector = Some(projector);
        Ok(Committed { last_event_id: event_id })
    }

    /// What is known of a signal that the core has forgotten (spec S7).
    pub async fn prior(&self, id: SignalId) -> Result<Option<Prior>, StoreError> {
        self.reader.prior(id).await
    }

    /// Keeps the durable state as of record `seq`, which must be committed: the next restore begins there.
    pub async fn save_checkpoint(&mut self, seq: Seq, bytes: &[u8]) -> Result<(), StoreError> {
        let projector = self.take_projector().await?;
        let mut state = Vec::new();
        records::write(&projector, &mut state)?;
        self.projector = Some(projector);
        if seq > self.last.seq {
            let what = format!("a checkpoint at record {} of {} committed ones", seq.0, self.last.seq.0);
            return Err(StoreError::unavailable(what, "commit first: this is a defect, report it"));
        }
        let text = "INSERT INTO order_manager_checkpoint (id, seq, state, rows_version, rows_seq, rows_state) \
                    VALUES (1, $1, $2, $3, $4, $5) ON CONFLICT (id) DO UPDATE SET seq = excluded.seq, \
                    state = excluded.state, rows_version = excluded.rows_version, rows_seq = excluded.rows_seq, \
                    rows_state = excluded.rows_state";
        let query = sqlx::query(text).bind(table::number(seq)).bind(bytes.to_vec()).bind(ROWS_VERSION);
        let query = query.bind(table::number(self.last.seq)).bind(state);
        query.execute(&mut self.writer).await.map_err(|error| unavailable(&error))?;
        Ok(())
    }

    /// For HTTP, explain and export.
    #[must_use]
    pub fn reader(&self) -> Reader {
        self.reader.clone()
    }

    /// What the rows of the next events need. After a commit that failed, or whose caller did not wait for its end,
    /// the disk says what is committed.
    async fn take_projector(&mut self) -> Result<Projector, StoreError> {
        if let Some(projector) = self.projector.take() {
            return Ok(projector);
        }
        self.last = last(&mut self.writer).await.map_err(|error| unavailable(&error))?;
        self.reader.projector().await
    }

    /// Do the records follow on the last committed one without a gap?
    fn follows(&self, steps: &[StoredStep]) -> Result<(), StoreError> {
        let expected = (self.last.seq.0.saturating_add(1)..).zip(steps);
        match expected.into_iter().find(|(number, step)| step.seq.0 != *number) {
            None => Ok(()),
            Some((number, step)) => {
                let what = format!("record {} comes where {number} is due", step.seq.0);
                Err(StoreError::unavailable(what, "restore the manager from the store"))
            }
        }
    }

    async fn write(&mut self, steps: &[StoredStep], rows: &Rows, sha256: [u8; 32]) -> Result<(), Failed> {
        let next = self.last.event_id.saturating_add(1);
        let mut transaction = self.writer.begin_with("BEGIN IMMEDIATE").await?;
        let written = async {
            self.statements.journal(&mut transaction, steps, sha256).await?;
            self.statements.rows(&mut transaction, rows, next).await
        };
        finish(written.await, transaction).await
    }

    /// Which step's rows the database refuses: each is written by itself, and nothing is kept.
    async fn blame(&mut self, steps: &[StoredStep], mut what: String) -> Result<StoreError, StoreError> {
        let mut projector = self.reader.projector().await?;
        let mut next = self.last.event_id.saturating_add(1);
        let mut transaction = self.writer.begin_with("BEGIN IMMEDIATE").await.map_err(|error| unavailable(&error))?;
        let mut seq = steps.last().map_or(self.last.seq, |step| step.seq);
        for step in steps {
            let mut rows = Rows::default();
            projector.follow_record(step.seq, step.at, &step.events, &mut rows);
            match self.statements.rows(&mut transaction, &rows, next).await {
                Ok(()) => next = next.saturating_add(i64::try_from(rows.messages.len()).unwrap_or(i64::MAX)),
                Err(Failed::Other(error)) => return Err(error),
                Err(Failed::Data(words)) => {
                    (seq, what) = (step.seq, words);
                    break;
                }
            }
        }
        transaction.rollback().await.map_err(|error| unavailable(&error))?;
        Ok(StoreError::Data { seq, what })
    }
}

/// Commits what went well and takes back what did not.
async fn finish(written: Result<(), Failed>, transaction: Transaction<'_, Sqlite>) -> Result<(), Failed> {
    match written {
        Ok(()) => Ok(transaction.commit().await?),
        Err(failed) => {
            transaction.rollback().await?;
            Err(failed)
        }
    }
}

/// Reads the end as a writer would: a commit that is still under way on a connection which nobody waits for any
/// more comes to its end before.
async fn last(writer: &mut SqliteConnection) -> Result<Last, sqlx::Error> {
    let mut writer = writer.begin_with("BEGIN IMMEDIATE").await?;
    let event_id = "SELECT coalesce(max(id), 0) FROM order_manager_messages";
    let event_id = sqlx::query_scalar::<_, i64>(event_id).fetch_one(&mut *writer).await?;
    let end = "SELECT seq, sha256 FROM order_manager_journal ORDER BY seq DESC LIMIT 1";
    let end = sqlx::query_as::<_, (i64, Option<Vec<u8>>)>(end).fetch_optional(&mut *writer).await?;
    writer.commit().await?;
    let Some((seq, sha256)) = end else { return Ok(Last { event_id, ..Last::default() }) };
    let sha256 = sha256.and_then(|bytes| bytes.try_into().ok()).unwrap_or_default();
    Ok(Last { seq: Seq(seq.unsigned_abs()), event_id, sha256 })
}

fn unavailable(error: &sqlx::Error) -> StoreError {
    let what = format!("the store does not work: {error}");
    StoreError::unavailable(what, "check the disk's space and rights; nothing of this batch was written")
}
