//! What a batch of steps writes.

use super::database::Batch;
use super::query::{Dialect, Query};
use super::rows as row;
use super::table::{self, Table};
use super::value::{Kind, Value, Values};
use super::{StoreError, StoredStep};
use order_manager_core::journal::Digest;
use order_manager_core::rows::{Rows, moment};
use order_manager_core::unit::{SignalId, Span, Timestamp};
use sha2::{Digest as _, Sha256};

/// Snapshots of positions are kept this long (wire-contracts.md 5.4), seen from the last one.
const SNAPSHOTS_KEPT: Span = Span::secs(365 * 86_400);

/// The last state of every row, in an order in which a row comes before those that name it. `next_event_id` is the
/// id of the first message.
pub(super) fn of_rows(dialect: Dialect, rows: &Rows, next_event_id: i64) -> Result<Batch, StoreError> {
    let all = |rows: Vec<Result<Values, StoreError>>| rows.into_iter().collect::<Result<Vec<_>, _>>();
    let (foreign, ours): (Vec<_>, Vec<_>) = rows.orders.values().partition(|row| row.signal_id == SignalId::default());
    let numbered = (next_event_id..).zip(&rows.messages);
    let letters = rows.dead_letters.iter().map(|(place, letter)| row::dead_letter(*place, letter));
    let mut batch: Vec<(&'static Table, Vec<Values>)> = vec![
        (&table::ORDERS, ours.into_iter().map(row::order).collect()),
        (&table::FOREIGN_ORDERS, foreign.into_iter().map(row::order).collect()),
        (&table::RELATIONSHIPS, rows.relationships.values().map(row::relationship).collect()),
        (&table::INSTRUMENTS, all(rows.instruments.values().map(row::instrument).collect())?),
        (&table::OWN, rows.own.values().map(row::own).collect()),
        (&table::SIGNALS, all(rows.signals.values().map(row::signal).collect())?),
        (&table::EXECUTIONS, rows.executions.values().map(row::execution).collect()),
        (&table::DEAD_LETTERS, letters.collect()),
        (&table::POSITIONS, rows.positions.values().map(row::position).collect()),
        (&table::SNAPSHOTS, rows.snapshots.values().map(row::snapshot).collect()),
        (&table::MESSAGES, all(numbered.map(|(id, (place, event))| row::message(id, *place, event)).collect())?),
    ];
    batch.retain(|(_, rows)| !rows.is_empty());
    let then = rows.snapshots.values().map(|row| row.at).max().map(|last| forget_snapshots(dialect, last));
    Ok(Batch { rows: batch, then })
}

fn forget_snapshots(dialect: Dialect, last: Timestamp) -> Query {
    let before = Timestamp(last.0.saturating_sub(SNAPSHOTS_KEPT.0));
    let text = format!("DELETE FROM {} WHERE snapshot_timestamp < ", table::SNAPSHOTS.name);
    Query::new(dialect, &text).text(Kind::Moment, moment(before))
}

/// The records of a batch; the last one carries the hash that closes it.
pub(super) fn of_journal(steps: &[StoredStep], closing: [u8; 32]) -> (&'static Table, Vec<Values>) {
    let last = steps.len().saturating_sub(1);
    let row = |(index, step): (usize, &StoredStep)| {
        vec![
            Value::Number(row::number(step.seq)),
            Value::Number(i64::try_from(step.at.0).unwrap_or(i64::MAX)),
            Value::Bytes(step.record.clone()),
            Value::Bytes(step.digest.0.to_be_bytes().to_vec()),
            if index == last { Value::Bytes(closing.to_vec()) } else { Value::Null },
        ]
    };
    (&table::JOURNAL, steps.iter().enumerate().map(row).collect())
}

/// The hash that closes a batch: of the one before, then of each record's number, digest and bytes.
pub(super) fn close<'a>(before: [u8; 32], records: impl IntoIterator<Item = (u64, Digest, &'a [u8])>) -> [u8; 32] {
    let mut hash = Sha256::new_with_prefix(before);
    for (seq, digest, record) in records {
        hash.update(seq.to_be_bytes());
        hash.update(digest.0.to_be_bytes());
        hash.update(record);
    }
    hash.finalize().into()
}
