//! A batch on its way into the tables: few statements, each of many rows.

use super::StoreError;
use super::table::{self, Table, Value, Values};
use super::{Digest, StoredStep};
use order_manager_core::rows::Rows;
use order_manager_core::unit::SignalId;
use sha2::{Digest as _, Sha256};
use sqlx::SqliteConnection;
use std::collections::BTreeMap;
use std::sync::Arc;

/// How many rows a statement may carry, largest first: few sizes, so that few statements are prepared and all of
/// them stay so.
const SIZES: [usize; 4] = [64, 16, 4, 1];

/// The texts of the statements, made once.
#[derive(Debug, Default)]
pub(super) struct Statements(BTreeMap<(&'static str, bool, usize), Arc<str>>);

/// Why a statement failed.
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

impl From<sqlx::Error> for Failed {
    fn from(error: sqlx::Error) -> Self {
        /// Primary result codes of SQLite that blame the data: TOOBIG, CONSTRAINT, MISMATCH.
        const DATA: [u32; 3] = [18, 19, 20];
        let code = error.as_database_error().and_then(|error| error.code()?.parse::<u32>().ok());
        if code.is_some_and(|code| DATA.contains(&(code & 0xff))) {
            return Self::Data(error.to_string());
        }
        Self::Other(super::unavailable(&error))
    }
}

impl Statements {
    /// Writes the last state of every row. `next_event_id` is the id of the first message.
    pub(super) async fn rows(
        &mut self,
        connection: &mut SqliteConnection,
        rows: &Rows,
        next_event_id: i64,
    ) -> Result<(), Failed> {
        let all = |rows: Vec<Result<Values, StoreError>>| rows.into_iter().collect::<Result<Vec<_>, _>>();
        let (foreign, ours): (Vec<_>, Vec<_>) =
            rows.orders.values().partition(|row| row.signal_id == SignalId::default());
        self.write(connection, &table::ORDERS, ours.into_iter().map(table::order).collect()).await?;
        self.write(connection, &table::FOREIGN_ORDERS, foreign.into_iter().map(table::order).collect()).await?;
        let relationships: Vec<Values> = rows.relationships.values().map(table::relationship).collect();
        self.write(connection, &table::RELATIONSHIPS, relationships).await?;
        let instruments = all(rows.instruments.values().map(table::instrument).collect())?;
        self.write(connection, &table::INSTRUMENTS, instruments).await?;
        self.write(connection, &table::OWN, rows.own.values().map(table::own).collect()).await?;
        let signals = all(rows.signals.values().map(table::signal).collect())?;
        self.write(connection, &table::SIGNALS, signals).await?;
        let executions: Vec<Values> = rows.executions.values().map(table::execution).collect();
        self.write(connection, &table::EXECUTIONS, executions).await?;
        let letters = rows.dead_letters.iter().map(|(place, row)| table::dead_letter(*place, row)).collect();
        self.write(connection, &table::DEAD_LETTERS, letters).await?;
        let numbered = (next_event_id..).zip(&rows.messages);
        let messages = all(numbered.map(|(id, (place, event))| table::message(id, *place, event)).collect())?;
        self.write(connection, &table::MESSAGES, messages).await
    }

    /// Writes the records of a batch; the last one carries the hash that closes it.
    pub(super) async fn journal(
        &mut self,
        connection: &mut SqliteConnection,
        steps: &[StoredStep],
        closing: [u8; 32],
    ) -> Result<(), Failed> {
        let last = steps.len().saturating_sub(1);
        let row = |(index, step): (usize, &StoredStep)| {
            vec![
                Value::Number(table::number(step.seq)),
                Value::Number(i64::try_from(step.at.0).unwrap_or(i64::MAX)),
                Value::Bytes(step.record.clone()),
                Value::Bytes(step.digest.0.to_be_bytes().to_vec()),
                if index == last { Value::Bytes(closing.to_vec()) } else { Value::Null },
            ]
        };
        self.write(connection, &table::JOURNAL, steps.iter().enumerate().map(row).collect()).await
    }

    async fn write(
        &mut self,
        connection: &mut SqliteConnection,
        table: &Table,
        mut rows: Vec<Values>,
    ) -> Result<(), Failed> {
        let mut left = rows.drain(..);
        while left.len() > 0 {
            let size = SIZES.into_iter().find(|size| *size <= left.len()).unwrap_or(1);
            let text =
                self.0.entry((table.name, table.yields.is_some(), size)).or_insert_with(|| upsert(table, size).into());
            let mut query = sqlx::query(sqlx::AssertSqlSafe(Arc::clone(text)));
            for value in left.by_ref().take(size).flatten() {
                query = match value {
                    Value::Null => query.bind(None::<String>),
                    Value::Number(number) => query.bind(number),
                    Value::Text(text) => query.bind(text),
                    Value::Bytes(bytes) => query.bind(bytes),
                };
            }
            query.execute(&mut *connection).await?;
        }
        Ok(())
    }
}

/// `INSERT` of so many rows.
fn upsert(table: &Table, rows: usize) -> String {
    let width = table.columns.len();
    let places = |row: usize| {
        let numbers: Vec<String> = (1..=width).map(|column| format!("${}", row * width + column)).collect();
        format!("({})", numbers.join(", "))
    };
    let values: Vec<String> = (0..rows).map(places).collect();
    let mut text = format!("INSERT INTO {} ({}) VALUES {}", table.name, table.columns.join(", "), values.join(", "));
    if !table.key.is_empty() {
        let changed = table.columns.iter().filter(|column| !table.key.split(", ").any(|key| key == **column));
        let set: Vec<String> = changed.map(|column| format!("{column} = excluded.{column}")).collect();
        text += &format!(" ON CONFLICT ({}) DO UPDATE SET {}", table.key, set.join(", "));
    }
    if let Some(column) = table.yields {
        text += &format!(" ON CONFLICT ({column}) DO NOTHING");
    }
    text
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
