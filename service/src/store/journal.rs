//! Reads of the journal and of what a restore begins with.

use super::reader::Reader;
use super::view::StoredRecord;
use super::{ROWS_VERSION, StoreError, table, unavailable, write};
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

type Row = (i64, i64, Vec<u8>, Vec<u8>, Option<Vec<u8>>);

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
                let whole = write::close(before, records);
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
        let text = "SELECT seq, at, record, digest, sha256 FROM order_manager_journal \
                    WHERE seq >= $1 ORDER BY seq LIMIT $2";
        let query = sqlx::query_as::<_, Row>(text).bind(table::number(from)).bind(i64::from(limit));
        let rows = query.fetch_all(&self.pool).await.map_err(|error| unavailable(&error))?;
        rows.into_iter()
            .map(|(seq, at, record, digest, sha256)| Ok((stored(seq, at, record, digest)?, sha256)))
            .collect()
    }

    /// The last checkpoint and the record that it stands after.
    pub(super) async fn checkpoint(&self) -> Result<Option<(Seq, Vec<u8>)>, StoreError> {
        let text = "SELECT seq, state FROM order_manager_checkpoint";
        let row = sqlx::query_as::<_, (i64, Vec<u8>)>(text).fetch_optional(&self.pool).await;
        Ok(row.map_err(|error| unavailable(&error))?.map(|(seq, state)| (Seq(seq.unsigned_abs()), state)))
    }

    /// What the rows of the next events need: the stored one, and every record since. One of another version is
    /// made again from the first record.
    pub(super) async fn projector(&self) -> Result<Projector, StoreError> {
        let text = "SELECT rows_seq, rows_state FROM order_manager_checkpoint WHERE rows_version = $1";
        let row = sqlx::query_as::<_, (i64, Vec<u8>)>(text).bind(ROWS_VERSION).fetch_optional(&self.pool).await;
        let stored = row.map_err(|error| unavailable(&error))?;
        let stored = stored.and_then(|(seq, bytes)| Some((Seq(seq.unsigned_abs()), journal::read(&bytes).ok()?)));
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
        let text = "SELECT fingerprint, outcome, code, tries FROM order_manager_signals \
                    WHERE signal_id = $1 AND fingerprint IS NOT NULL";
        let query = sqlx::query_as::<_, (Vec<u8>, Option<String>, Option<String>, i64)>(text).bind(id.to_string());
        let row = query.fetch_optional(&self.pool).await.map_err(|error| unavailable(&error))?;
        let Some((fingerprint, outcome, code, tries)) = row else { return Ok(None) };
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
        Ok(Some(Prior { fingerprint, outcome, tries: u8::try_from(tries).unwrap_or(u8::MAX) }))
    }
}

fn stored(seq: i64, at: i64, record: Vec<u8>, digest: Vec<u8>) -> Result<StoredRecord, StoreError> {
    let digest = digest.try_into().map_err(|_| damaged("a digest"))?;
    let (seq, at) = (Seq(seq.unsigned_abs()), Timestamp(at.unsigned_abs()));
    Ok(StoredRecord { seq, at, record, digest: Digest(u128::from_be_bytes(digest)) })
}

fn damaged(what: &str) -> StoreError {
    StoreError::unavailable(format!("{what} in the store is not what was written"), "restore a backup")
}
