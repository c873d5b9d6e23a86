//! The store: a journal of records, the rows that they change and the messages that they publish, in a PostgreSQL
//! database or one SQLite file. One process writes (spec A5), any number of readers read.
//!
//! What is written and asked is here, once; `sqlite` and `postgres` carry it to a database.

mod batch;
mod database;
mod error;
mod journal;
mod outbox;
mod place;
mod postgres;
mod query;
mod reader;
mod rows;
mod shown;
mod sqlite;
mod table;
mod takeover;
mod value;
mod view;

pub use error::StoreError;
pub use journal::Verified;
pub use outbox::CursorKeeper;
pub use place::Place;
pub use postgres::{Migrated, Server, migrate};
pub use reader::Reader;
pub use takeover::left_open;
pub use view::{
    Cursor, DeadLetterView, ExecutionView, InstrumentView, OrderFilter, OrderView, OutboxMessage, Page, PositionView,
    SignalView, SortBy, SortOrder, StoredRecord,
};

use database::{Batch, Failed, Writer};
use journal::PAGE;
use order_manager_core::event::{Event, Seq};
use order_manager_core::input::Prior;
use order_manager_core::journal::{self as records, Digest};
use order_manager_core::rows::{DeadLetterRow, Projector, Rows};
use order_manager_core::unit::{Bytes, SignalId, Timestamp};
use query::Query;
use std::collections::{BTreeMap, BTreeSet};
use value::{Row, Value};

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

/// The writer. There is one in all processes: it holds a lock on the store.
#[derive(Debug)]
pub struct Store {
    place: Place,
    writer: Box<dyn Writer>,
    reader: Reader,
    /// As of the last committed record; none after a failure, until it is made again.
    projector: Option<Projector>,
    last: Last,
}

/// The end of what is committed.
#[derive(Clone, Copy, Debug, Default)]
struct Last {
    seq: Seq,
    event_id: i64,
    sha256: [u8; 32],
}

impl Store {
    /// Opens the store, or makes it: a file's folder must be there, and in a database the shared tables.
    ///
    /// # Errors
    /// The store or its lock cannot be had, it is no store, or its schema is newer than this program.
    pub async fn open(place: impl Into<Place>) -> Result<Self, StoreError> {
        let place = place.into();
        let writer = place.open_writer().await?;
        let reader = Reader { pool: place.readers() };
        let mut store = Self { place, writer, reader, projector: None, last: Last::default() };
        store.projector = Some(store.take_projector().await?);
        Ok(store)
    }

    /// Makes what is committed easy to copy, before the process ends: a file is then whole without those beside it.
    ///
    /// # Errors
    /// The store cannot be written.
    pub async fn settle(&mut self) -> Result<(), StoreError> {
        self.writer.settle().await
    }

    /// The last checkpoint and every record after it. A commit that was cut short has landed before or never will.
    /// While another process writes there is nothing to restore: the lease is asked for as for a write.
    ///
    /// # Errors
    /// The store cannot be read, or is another's.
    pub async fn restore(&mut self) -> Result<Restored, StoreError> {
        let last = self.end().await?;
        if last.seq != self.last.seq {
            self.projector = None;
        }
        self.projector = Some(self.take_projector().await?);
        let (seq, checkpoint) =
            self.reader.checkpoint().await?.map_or((Seq(0), None), |(seq, state)| (seq, Some(state)));
        self.records_after(seq, checkpoint).await
    }

    /// Every record, for a program that cannot read the checkpoint: that is an optimisation, safe to leave out.
    pub async fn restore_whole(&mut self) -> Result<Restored, StoreError> {
        self.projector = Some(self.take_projector().await?);
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
    /// Nothing of the batch was written then, or all of it where only the answer was lost; a restore says which. The
    /// manager's memory is ahead of the disk: restore another.
    pub async fn commit(&mut self, steps: &[StoredStep]) -> Result<Committed, StoreError> {
        self.commit_without(steps, &Aside::new()).await
    }

    /// The same, but a step whose rows the database refuses costs those rows of the shared tables alone: what the
    /// exchange said is true whether or not a row can say so. They become a dead letter, and the next state of the
    /// same row is written again. Steps of `answered` still fail the batch: whoever brought them is to be told.
    ///
    /// # Errors
    /// As [`Store::commit`].
    pub async fn commit_or_set_aside(
        &mut self,
        steps: &[StoredStep],
        answered: &BTreeSet<Seq>,
    ) -> Result<Committed, StoreError> {
        let mut aside = Aside::new();
        loop {
            match self.commit_without(steps, &aside).await {
                Err(StoreError::Data { seq, what }) if !answered.contains(&seq) && !aside.contains_key(&seq) => {
                    tracing::error!(record = seq.0, what, "rows are refused by the database and set aside");
                    aside.insert(seq, what);
                }
                done => return done,
            }
        }
    }

    async fn commit_without(&mut self, steps: &[StoredStep], aside: &Aside) -> Result<Committed, StoreError> {
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
        steps.iter().for_each(|step| rows.absorb(rows_of(&mut projector, step, aside)));
        let records = steps.iter().map(|step| (step.seq.0, step.digest, step.record.as_slice()));
        let sha256 = batch::close(self.last.sha256, records);
        let mut batch = batch::of_rows(self.reader.pool.dialect(), &rows, self.last.event_id.saturating_add(1))?;
        batch.rows.insert(0, batch::of_journal(steps, sha256));
        match self.writer.write(batch).await {
            Ok(()) => {}
            Err(Failed::Other(error)) => return Err(error),
            Err(Failed::Data(what)) => return Err(self.blame(steps, what, aside).await?),
        }
        let event_id = self.last.event_id.saturating_add(count(&rows));
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
        let row = vec![
            Value::Number(1),
            Value::Number(rows::number(seq)),
            Value::Bytes(bytes.to_vec()),
            Value::Number(ROWS_VERSION),
            Value::Number(rows::number(self.last.seq)),
            Value::Bytes(state),
        ];
        let batch = Batch { rows: vec![(&table::CHECKPOINT, vec![row])], then: None };
        self.writer.write(batch).await.map_err(|failed| match failed {
            Failed::Other(error) => error,
            Failed::Data(what) => StoreError::unavailable(what, "this is a defect, report it"),
        })
    }

    /// For HTTP, explain and export.
    #[must_use]
    pub fn reader(&self) -> Reader {
        self.reader.clone()
    }

    /// For whoever follows the messages.
    #[must_use]
    pub fn cursor_keeper(&self) -> CursorKeeper {
        CursorKeeper::on(self.place.keeper())
    }

    /// What the rows of the next events need. After a commit that failed, or whose caller did not wait for its end,
    /// the disk says what is committed.
    async fn take_projector(&mut self) -> Result<Projector, StoreError> {
        if let Some(projector) = self.projector.take() {
            return Ok(projector);
        }
        self.last = self.end().await?;
        self.reader.projector().await
    }

    /// The end of what is committed, as the database says.
    async fn end(&mut self) -> Result<Last, StoreError> {
        let end = "SELECT seq, sha256, (SELECT coalesce(max(id), 0) FROM order_manager.messages) \
                   FROM order_manager.journal ORDER BY seq DESC LIMIT 1";
        let end = self.writer.fetch(Query::new(self.reader.pool.dialect(), end)).await?.pop();
        Ok(end.map(|values| Last::of(values.into())).transpose()?.unwrap_or_default())
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

    /// Which step's rows the database refuses: each is written by itself, and nothing is kept.
    async fn blame(&mut self, steps: &[StoredStep], what: String, aside: &Aside) -> Result<StoreError, StoreError> {
        let mut projector = self.reader.projector().await?;
        let mut next = self.last.event_id.saturating_add(1);
        let mut batches = Vec::with_capacity(steps.len());
        for step in steps {
            let rows = rows_of(&mut projector, step, aside);
            batches.push(batch::of_rows(self.reader.pool.dialect(), &rows, next)?);
            next = next.saturating_add(count(&rows));
        }
        // Refused as a whole and not one by one: that is no step's rows.
        let Some((index, what)) = self.writer.refused(batches).await? else {
            return Ok(StoreError::unavailable(what, "this is a defect, report it with the journal"));
        };
        let seq = steps.get(index).map_or(self.last.seq, |step| step.seq);
        Ok(StoreError::Data { seq, what })
    }
}

impl Last {
    fn of(mut row: Row) -> Result<Self, StoreError> {
        let (seq, sha256, event_id) = (Seq(row.count()?), row.maybe_bytes()?, row.number()?);
        Ok(Self { seq, event_id, sha256: sha256.and_then(|bytes| bytes.try_into().ok()).unwrap_or_default() })
    }
}

/// Steps whose rows of the shared tables the database refuses, and its words.
type Aside = BTreeMap<Seq, String>;

/// A step's rows; of one that is set aside, those of our own tables and a dead letter.
fn rows_of(projector: &mut Projector, step: &StoredStep, aside: &Aside) -> Rows {
    let mut rows = Rows::default();
    projector.follow_record(step.seq, step.at, &step.events, &mut rows);
    if let Some(what) = aside.get(&step.seq) {
        let reason = format!("rows of record {} are refused by the database: {what}", step.seq.0);
        let letter = DeadLetterRow { at: step.at, reason, body: Bytes(step.record.clone()) };
        let after_its_events = u32::try_from(step.events.len()).unwrap_or(u32::MAX);
        rows.dead_letters.insert((step.seq, after_its_events), letter);
        rows.orders.clear();
        rows.relationships.clear();
        rows.instruments.clear();
    }
    rows
}

/// Messages of some rows.
fn count(rows: &Rows) -> i64 {
    i64::try_from(rows.messages.len()).unwrap_or(i64::MAX)
}
