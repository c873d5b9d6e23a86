//! A PostgreSQL database, written by one session. The shared tables are in `public`, our own in `order_manager`.

mod schema;
mod server;
mod session;
mod statement;
mod writer;

pub use schema::{Migrated, migrate};
pub use server::Server;
pub(super) use writer::open;

use super::StoreError;
use super::database::{Later, Pool};
use super::query::{Dialect, Query};
use super::value::{Value, Values};
use sqlx::postgres::{PgArguments, PgPoolOptions, PgRow};
use sqlx::query::Query as Prepared;
use sqlx::{PgPool, Postgres, Row as _, TypeInfo as _, ValueRef as _};
use std::time::Duration;

/// Connections for reading.
const READERS: u32 = 4;
/// How long a question waits for a connection, and how long a connection may take to be made.
const CONNECT_MAX: Duration = Duration::from_secs(5);
/// How long a question may take: longer than the server's own limit, which says more. It ends what waits for a server
/// that is gone without a word.
const ANSWER_MAX: Duration = Duration::from_secs(20);

/// Sessions beside the writer's.
#[derive(Debug)]
pub(super) struct Connections(PgPool);

impl Connections {
    /// For reading.
    pub(super) fn readers(server: &Server) -> Self {
        let options = PgPoolOptions::new().max_connections(READERS).acquire_timeout(CONNECT_MAX);
        Self(options.connect_lazy_with(server.reading()))
    }

    /// One that writes what is not of the writer's transactions.
    pub(super) fn keeper(server: &Server) -> Self {
        let options = PgPoolOptions::new().max_connections(1).acquire_timeout(CONNECT_MAX);
        Self(options.connect_lazy_with(server.writing()))
    }

    /// For reading the shared tables, and whether a store of ours stands beside them.
    pub(super) async fn before_us(server: &Server) -> Result<(Self, bool), StoreError> {
        let mut session = session::connect(server, server.reading()).await?;
        schema::check_shared(&mut session, server).await?;
        let ours = schema::version(&mut session, server).await?;
        Ok((Self::readers(server), ours.is_some()))
    }

    /// For reading a store that is there.
    pub(super) async fn open(server: &Server) -> Result<Self, StoreError> {
        let mut session = session::connect(server, server.reading()).await?;
        match schema::version(&mut session, server).await? {
            Some(_) => Ok(Self::readers(server)),
            None => {
                let what = format!("{server} has no schema order_manager");
                Err(StoreError::unavailable(what, "start the service once, or run: order-manager migrate"))
            }
        }
    }
}

impl Pool for Connections {
    fn dialect(&self) -> Dialect {
        Dialect::Postgres
    }
    fn fetch(&self, query: Query) -> Later<'_, Result<Vec<Values>, StoreError>> {
        Box::pin(async move {
            let rows = within(async { prepared(query).fetch_all(&self.0).await }).await?;
            rows.iter().map(values).collect::<sqlx::Result<_>>().map_err(|error| unavailable(&error))
        })
    }
}

/// Waits for an answer, but not for ever.
async fn within<T>(answer: impl Future<Output = sqlx::Result<T>>) -> Result<T, StoreError> {
    match tokio::time::timeout(ANSWER_MAX, answer).await {
        Ok(answer) => answer.map_err(|error| unavailable(&error)),
        Err(_) => Err(silent()),
    }
}

fn prepared(query: Query) -> Prepared<'static, Postgres, PgArguments> {
    query.values.into_iter().fold(sqlx::query(sqlx::AssertSqlSafe(query.text)), |query, value| match value {
        Value::Null => query.bind(None::<String>),
        Value::Number(number) => query.bind(number),
        Value::Text(text) => query.bind(text),
        Value::Bytes(bytes) => query.bind(bytes),
    })
}

fn values(row: &PgRow) -> sqlx::Result<Values> {
    (0..row.len())
        .map(|column| {
            let raw = row.try_get_raw(column)?;
            if raw.is_null() {
                return Ok(Value::Null);
            }
            match raw.type_info().name() {
                "INT8" => row.try_get(column).map(Value::Number),
                "BYTEA" => row.try_get(column).map(Value::Bytes),
                _ => row.try_get(column).map(Value::Text),
            }
        })
        .collect()
}

fn silent() -> StoreError {
    let what = format!("the PostgreSQL server did not answer within {} seconds", ANSWER_MAX.as_secs());
    StoreError::unavailable(what, REMEDY)
}

/// What a person can do about a server that does not do what it should.
const REMEDY: &str = "check the server (POSTGRES_HOST, POSTGRES_PORT), its log and its disk";

fn unavailable(error: &sqlx::Error) -> StoreError {
    StoreError::unavailable(format!("the store does not work: {error}"), REMEDY)
}
