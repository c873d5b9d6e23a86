//! One file, written by one process.

mod lock;
mod schema;
mod writer;

pub(super) use writer::open;

use super::StoreError;
use super::database::{Later, Pool};
use super::query::{Dialect, Query};
use super::value::{Value, Values};
use sqlx::query::Query as Prepared;
use sqlx::sqlite::{SqliteArguments, SqlitePoolOptions, SqliteRow};
use sqlx::{Row as _, Sqlite, SqlitePool, TypeInfo as _, ValueRef as _};
use std::path::Path;
use std::time::Duration;

/// What a person can do about a file that cannot be used.
const REMEDY: &str = "name a file in a writable folder with ORDERMANAGER_STORE";
/// Connections for reading.
const READERS: u32 = 4;
/// How long a question waits for a connection.
const WAIT: Duration = Duration::from_secs(5);

/// Connections to the file beside the writer's. Never wait for it (WAL).
#[derive(Debug)]
pub(super) struct Connections(SqlitePool);

impl Connections {
    /// For reading.
    pub(super) fn readers(path: &Path) -> Self {
        let options = SqlitePoolOptions::new().max_connections(READERS).acquire_timeout(WAIT);
        Self(options.connect_lazy_with(schema::read_only(path)))
    }

    /// One that writes what is not of the writer's transactions.
    pub(super) fn keeper(path: &Path) -> Self {
        let options = SqlitePoolOptions::new().max_connections(1).acquire_timeout(WAIT);
        Self(options.connect_lazy_with(schema::options(path)))
    }

    /// For reading a file that is there.
    pub(super) async fn open(path: &Path) -> Result<Self, StoreError> {
        const REMEDY: &str = "name the store's file with ORDERMANAGER_STORE or --store";
        if !path.is_file() {
            return Err(StoreError::unavailable(lock::cannot_open(path, &"there is no such file"), REMEDY));
        }
        let connections = Self::readers(path);
        let failed = |error: sqlx::Error| StoreError::unavailable(lock::cannot_open(path, &error), REMEDY);
        let mut connection = connections.0.acquire().await.map_err(failed)?;
        schema::version(&mut connection, path).await?;
        drop(connection);
        Ok(connections)
    }
}

impl Pool for Connections {
    fn dialect(&self) -> Dialect {
        Dialect::Sqlite
    }
    fn fetch(&self, query: Query) -> Later<'_, Result<Vec<Values>, StoreError>> {
        Box::pin(async move {
            let rows = prepared(query).fetch_all(&self.0).await.map_err(|error| unavailable(&error))?;
            rows.iter().map(values).collect::<sqlx::Result<_>>().map_err(|error| unavailable(&error))
        })
    }
}

fn prepared(query: Query) -> Prepared<'static, Sqlite, SqliteArguments> {
    query.values.into_iter().fold(sqlx::query(sqlx::AssertSqlSafe(query.text)), bound)
}

fn bound(query: Prepared<'_, Sqlite, SqliteArguments>, value: Value) -> Prepared<'_, Sqlite, SqliteArguments> {
    match value {
        Value::Null => query.bind(None::<String>),
        Value::Number(number) => query.bind(number),
        Value::Text(text) => query.bind(text),
        Value::Bytes(bytes) => query.bind(bytes),
    }
}

fn values(row: &SqliteRow) -> sqlx::Result<Values> {
    (0..row.len())
        .map(|column| {
            let raw = row.try_get_raw(column)?;
            if raw.is_null() {
                return Ok(Value::Null);
            }
            match raw.type_info().name() {
                "INTEGER" => row.try_get(column).map(Value::Number),
                "BLOB" => row.try_get(column).map(Value::Bytes),
                _ => row.try_get(column).map(Value::Text),
            }
        })
        .collect()
}

fn unavailable(error: &sqlx::Error) -> StoreError {
    let what = format!("the store does not work: {error}");
    StoreError::unavailable(what, "check the disk's space and rights; nothing of this batch was written")
}
