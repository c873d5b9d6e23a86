//! A batch on its way into the file: few statements, each of many rows.

use super::lock::Lock;
use super::{bound, prepared, schema, unavailable, values};
use crate::store::StoreError;
use crate::store::database::{Batch, Failed, Later, Writer};
use crate::store::query::{Dialect, Query};
use crate::store::table::Table;
use crate::store::value::Values;
use sqlx::{Connection as _, Sqlite, SqliteConnection, Transaction};
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

/// How many rows a statement may carry, largest first: few sizes, so that few statements are prepared and all of
/// them stay so.
const SIZES: [usize; 4] = [64, 16, 4, 1];

/// Takes the lock, and opens the file or makes it. The folder must be there.
pub(in crate::store) async fn open(path: &Path) -> Result<Box<dyn Writer>, StoreError> {
    let lock = Lock::take(path)?;
    let connection = schema::open(path).await?;
    Ok(Box::new(File { connection, statements: Statements::default(), _lock: lock }))
}

#[derive(Debug)]
struct File {
    connection: SqliteConnection,
    statements: Statements,
    _lock: Lock,
}

/// The texts of the statements, made once.
#[derive(Debug, Default)]
struct Statements(BTreeMap<(&'static str, bool, usize), Arc<str>>);

fn failed(error: sqlx::Error) -> Failed {
    /// Primary result codes of SQLite that blame the data: TOOBIG, CONSTRAINT, MISMATCH.
    const DATA: [u32; 3] = [18, 19, 20];
    let code = error.as_database_error().and_then(|error| error.code()?.parse::<u32>().ok());
    if code.is_some_and(|code| DATA.contains(&(code & 0xff))) {
        return Failed::Data(error.to_string());
    }
    Failed::Other(unavailable(&error))
}

impl Writer for File {
    /// A commit that is still under way on this connection, and which nobody waits for any more, ends before.
    fn fetch(&mut self, query: Query) -> Later<'_, Result<Vec<Values>, StoreError>> {
        Box::pin(async move {
            let mut transaction = begin(&mut self.connection).await.map_err(|error| unavailable(&error))?;
            let rows = prepared(query).fetch_all(&mut *transaction).await.map_err(|error| unavailable(&error))?;
            transaction.commit().await.map_err(|error| unavailable(&error))?;
            rows.iter().map(values).collect::<sqlx::Result<_>>().map_err(|error| unavailable(&error))
        })
    }

    fn write(&mut self, batch: Batch) -> Later<'_, Result<(), Failed>> {
        Box::pin(async move {
            let mut transaction = begin(&mut self.connection).await.map_err(failed)?;
            match self.statements.batch(&mut transaction, batch).await {
                Ok(()) => transaction.commit().await.map_err(failed),
                Err(failed) => {
                    transaction.rollback().await.map_err(|error| unavailable(&error))?;
                    Err(failed)
                }
            }
        })
    }

    fn refused(&mut self, batches: Vec<Batch>) -> Later<'_, Result<Option<(usize, String)>, StoreError>> {
        Box::pin(async move {
            let mut transaction = begin(&mut self.connection).await.map_err(|error| unavailable(&error))?;
            let mut refused = None;
            for (index, batch) in batches.into_iter().enumerate() {
                match self.statements.batch(&mut transaction, batch).await {
                    Ok(()) => {}
                    Err(Failed::Other(error)) => return Err(error),
                    Err(Failed::Data(words)) => {
                        refused = Some((index, words));
                        break;
                    }
                }
            }
            transaction.rollback().await.map_err(|error| unavailable(&error))?;
            Ok(refused)
        })
    }

    /// Moves what stands in the write-ahead file into the store's own file, so that a copy of that one file is a
    /// whole backup. A reader that is still looking may prevent it; nothing is lost then.
    fn settle(&mut self) -> Later<'_, Result<(), StoreError>> {
        Box::pin(async move {
            let moved = sqlx::query("PRAGMA wal_checkpoint(TRUNCATE)").fetch_one(&mut self.connection).await;
            moved.map(|_| ()).map_err(|error| unavailable(&error))
        })
    }
}

async fn begin(connection: &mut SqliteConnection) -> sqlx::Result<Transaction<'_, Sqlite>> {
    connection.begin_with("BEGIN IMMEDIATE").await
}

impl Statements {
    async fn batch(&mut self, connection: &mut SqliteConnection, batch: Batch) -> Result<(), Failed> {
        for (table, rows) in batch.rows {
            self.write(connection, table, rows).await?;
        }
        if let Some(query) = batch.then {
            prepared(query).execute(&mut *connection).await.map_err(failed)?;
        }
        Ok(())
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
            let query = sqlx::query(sqlx::AssertSqlSafe(Arc::clone(text)));
            let query = left.by_ref().take(size).flatten().fold(query, bound);
            query.execute(&mut *connection).await.map_err(failed)?;
        }
        Ok(())
    }
}

/// `INSERT` of so many rows.
fn upsert(table: &Table, rows: usize) -> String {
    let names: Vec<&str> = table.columns.iter().map(|(name, _)| *name).collect();
    let places = |row: usize| {
        let numbers: Vec<String> = (1..=names.len()).map(|column| format!("${}", row * names.len() + column)).collect();
        format!("({})", numbers.join(", "))
    };
    let values: Vec<String> = (0..rows).map(places).collect();
    let name = Dialect::Sqlite.words(table.name);
    let mut text = format!("INSERT INTO {name} ({}) VALUES {}", names.join(", "), values.join(", "));
    if !table.key.is_empty() {
        let set: Vec<String> = table.changed().map(|column| format!("{column} = excluded.{column}")).collect();
        text += &format!(" ON CONFLICT ({}) DO UPDATE SET {}", table.key, set.join(", "));
    }
    if let Some(column) = table.yields {
        text += &format!(" ON CONFLICT ({column}) DO NOTHING");
    }
    text
}
