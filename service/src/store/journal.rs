//! Reads of the journal and of what a restore begins with.

use super::reader::Reader;
use super::value::{Kind, Row};
use super::view::StoredRecord;
use super::{ROWS_VERSION, StoreError, batch, rows};
use order_manager_core::event::Seq;
use order_manager_core::input::Prior;
use order_manager_core::journal::{self, Digest};
use order_manager_core::outcome::Outcome;
use order_manager_core::refusal::Code;
use order_manager_core::rows::{Projector, Rows};
use order_manager_core::unit::{Fingerprint, SignalId, Timestamp};

/// Records that are read at once.
pub(super) const PAGE: u32 = 1_000;

/// What a check of the journal's chain found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Verified {
    /// Records that were read.
    pub records: u64,
    /// Batches whose hash holds.
    pub batches: u64,
    /// The first record whose batch does not hash to what is stored: changed since it was committed.
    pub broken_at: Option<Seq>,
}

impl Reader {
    /// Records from number `from` on, at most `limit`.
    pub async fn journal(&self, from: Seq, limit: u32) -> Result<Vec<StoredRecord>, StoreError> {
        Ok(self.hashed(from, limit).await?.into_iter().map(|(stored, _)| stored).collect())
    }

    /// Reads the journal whole and hashes it anew. Proves that no record was changed since its batch was
    /// committed, as far as the last hash is known from elsewhere.
    pub async fn verify(&self) -> Result<Verified, StoreError> {
        let mut found = Verified { records: 0, batches: 0, broken_at: None };
        let (mut before, mut open) = ([0; 32], Vec::<StoredRecord>::new());
        let mut from = Seq(0);
        loop {
            let page = self.hashed(from, PAGE).await?;
            let Some((last, _)) = page.last() else { break };
            from = Seq(last.seq.0.saturating_add(1));
            for (stored, sha256) in page {
                found.records = found.records.saturating_add(1);
                open.push(stored);
                let Some(sha256) = sha256 else { continue };
                let records = open.iter().map(|stored| (stored.seq.0, stored.digest, stored.record.as_slice()));
                let whole = batch::close(before, records);
                if whole.as_slice() != sha256 {
                    found.broken_at = open.first().map(|stored| stored.seq);
                    return Ok(found);
                }
                (before, found.batches) = (whole, found.batches.saturating_add(1));
                open.clear();
            }
        }
        found.broken_at = open.first().map(|stored| stored.seq); // a batch without its end
        Ok(found)
    }

    async fn hashed(&self, from: Seq, limit: u32) -> Result<Vec<(StoredRecord, Option<Vec<u8>>)>, StoreError> {
        let query = self.query("SELECT seq, at, record, digest, sha256 FROM order_manager.journal WHERE seq >= ");
        let query = query.number(rows::number(from)).push(" ORDER BY seq LIMIT ").number(i64::from(limit));
        self.rows(query).await?.into_iter().map(|mut row| Ok((stored(&mut row)?, row.maybe_bytes()?))).collect()
    }

    /// The last checkpoint and the record that it stands after.
    pub(super) async fn checkpoint(&self) -> Result<Option<(Seq, Vec<u8>)>, StoreError> {
        let row = self.rows(self.query("SELECT seq, state FROM order_manager.checkpoint")).await?.pop();
        row.map(|mut row| Ok((Seq(row.count()?), row.bytes()?))).transpose()
    }

    /// What the rows of the next events need: the stored one, and every record since. One of another version is
    /// made again from the first record.
    pub(super) async fn projector(&self) -> Result<Projector, StoreError> {
        let text = "SELECT rows_seq, rows_state FROM order_manager.checkpoint WHERE rows_version = ";
        let stored = match self.rows(self.query(text).number(ROWS_VERSION)).await?.pop() {
            Some(mut row) => Some((Seq(row.count()?), row.bytes()?)),
            None => None,
        };
        // What cannot be read is made again.
        let stored = stored.and_then(|(seq, bytes)| Some((seq, journal::read(&bytes).ok()?)));
        let (mut last, mut projector) = stored.unwrap_or((Seq(0), Projector::default()));
        loop {
            let next = Seq(last.0.saturating_add(1));
            let page = self.journal(next, PAGE).await?;
            match page.first() {
                None => return Ok(projector),
                Some(first) if first.seq != next => {
                    let what = format!("the journal begins at record {}, and {} is needed", first.seq.0, next.0);
                    return Err(StoreError::unavailable(what, "restore a backup"));
                }
                Some(_) => {}
            }
            let mut rows = Rows::default(); // they are in the tables already
            for stored in page {
                let record = journal::read_record(&stored.record)?;
                projector.follow_record(record.seq, record.at, &record.events, &mut rows);
                last = record.seq;
            }
        }
    }

    /// What is known of a signal that was taken once (spec S7).
    pub(super) async fn prior(&self, id: SignalId) -> Result<Option<Prior>, StoreError> {
        let text = "SELECT fingerprint, outcome, code, tries FROM order_manager.signals \
                    WHERE signal_id = ";
        let Some(mut row) = self.rows(self.query(text).text(Kind::Uuid, id.to_string())).await?.pop() else {
            return self.done_before_us(id).await;
        };
        let Some(fingerprint) = row.maybe_bytes()? else { return Ok(Some(Prior::INVALID)) };
        let (outcome, code, tries) = (row.maybe_text()?, row.maybe_text()?, row.small()?);
        let fingerprint =
            Fingerprint(u128::from_be_bytes(fingerprint.try_into().map_err(|_| damaged("a fingerprint"))?));
        let outcome = match (outcome.as_deref(), code) {
            (Some("rejected"), Some(code)) => {
                let known = Code::ALL.iter().find(|known| known.as_str() == code);
                Outcome::Rejected(*known.ok_or_else(|| damaged("a refusal's code"))?)
            }
            // One that is not settled is remembered by the core itself, which does not ask.
            _ => Outcome::Placed,
        };
        Ok(Some(Prior { fingerprint, outcome, tries }))
    }

    /// A signal that the service before us made an order of, and whose message comes again because that service did
    /// not live to acknowledge it. What it said is not known, so it is no copy of any message: never a new order.
    async fn done_before_us(&self, id: SignalId) -> Result<Option<Prior>, StoreError> {
        let text = "SELECT o.order_id FROM orders o WHERE NOT EXISTS \
                    (SELECT 1 FROM order_manager.signals s WHERE s.signal_id = o.signal_id) AND o.signal_id = ";
        let done = self.rows(self.query(text).text(Kind::Uuid, id.to_string()).push(" LIMIT 1")).await?;
        let prior = Prior { fingerprint: Fingerprint(0), outcome: Outcome::Placed, tries: 1 };
        Ok((!done.is_empty()).then_some(prior))
    }
}

fn stored(row: &mut Row) -> Result<StoredRecord, StoreError> {
    let (seq, at) = (Seq(row.count()?), Timestamp(row.count()?));
    let (record, digest) = (row.bytes()?, row.bytes()?);
    let digest = Digest(u128::from_be_bytes(digest.try_into().map_err(|_| damaged("a digest"))?));
    Ok(StoredRecord { seq, at, record, digest })
}

fn damaged(what: &str) -> StoreError {
    StoreError::unavailable(format!("{what} in the store is not what was written"), "restore a backup")
}
