//! Our own schema, brought up to date; the shared tables, looked at, and made only where somebody asked for it.

use super::server::Server;
use super::{StoreError, session, unavailable, within};
use crate::store::table::{self, Table};
use sqlx::Row as _;
use sqlx::postgres::PgConnection;

/// Every version's statements, in order; the versions that were applied stand in `order_manager.version`.
const MIGRATIONS: &[&str] = &[include_str!("../../../../migrations/postgres/0001_init.sql")];
/// The shared tables, each with its indexes.
const SHARED: &str = include_str!("../../../../migrations/postgres/shared.sql");
/// The shared tables that we write.
const WRITTEN: [&Table; 3] = [&table::ORDERS, &table::RELATIONSHIPS, &table::INSTRUMENTS];

/// What a migration did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Migrated {
    /// Shared tables that were not there and were made.
    pub made: Vec<String>,
    /// The version of our own schema before; 0 where there was none.
    pub from: i64,
    /// Its version now.
    pub to: i64,
}

/// Brings our own schema up to date, and with `bootstrap_shared` makes the shared tables that are not there.
///
/// # Errors
/// A service runs on this database, its schema is newer than this program, or the server refuses.
pub async fn migrate(server: &Server, bootstrap_shared: bool) -> Result<Migrated, StoreError> {
    let mut session = session::connect(server, server.writing()).await?;
    session::lock(&mut session, server).await?;
    let made = if bootstrap_shared { bootstrap(&mut session, server).await? } else { Vec::new() };
    check_shared(&mut session, server).await?;
    let (from, to) = update(&mut session, server).await?;
    Ok(Migrated { made, from, to })
}

/// The version of our own schema, if this program can work with it; none where there is none.
pub(super) async fn version(session: &mut PgConnection, server: &Server) -> Result<Option<i64>, StoreError> {
    let there = sqlx::query_scalar::<_, bool>("SELECT to_regclass('order_manager.version') IS NOT NULL");
    if !within(there.fetch_one(&mut *session)).await? {
        return Ok(None);
    }
    let version = sqlx::query_scalar::<_, i64>("SELECT coalesce(max(version), 0) FROM order_manager.version");
    let version = within(version.fetch_one(session)).await?;
    let known = i64::try_from(MIGRATIONS.len()).unwrap_or(i64::MAX);
    if version > known {
        let what = format!(
            "{server} was written by a newer order-manager: its schema is {version}, this program knows up to {known}"
        );
        return Err(StoreError::unavailable(what, "run that version, or give another database with POSTGRES_DB"));
    }
    Ok(Some(version))
}

/// Applies what is not applied yet; says the version before and now.
pub(super) async fn update(session: &mut PgConnection, server: &Server) -> Result<(i64, i64), StoreError> {
    let before = version(session, server).await?.unwrap_or_default();
    let there = sqlx::query_scalar::<_, bool>("SELECT to_regnamespace('order_manager') IS NOT NULL");
    // Not `IF NOT EXISTS`, which asks for the right to make one even where it is there.
    let begin = if within(there.fetch_one(&mut *session)).await? { "" } else { "CREATE SCHEMA order_manager;" };
    let mut to = before;
    for (number, statements) in (1..).zip(MIGRATIONS).skip_while(|(number, _)| *number <= before) {
        // One transaction with its own number: a crash leaves the version before it, whole.
        let made = if number == 1 { begin } else { "" };
        let text = format!(
            "BEGIN; {made} {statements}\nINSERT INTO order_manager.version (version) VALUES ({number}); COMMIT;"
        );
        let applied = sqlx::raw_sql(sqlx::AssertSqlSafe(text)).execute(&mut *session).await;
        applied.map_err(|error| {
            let what = format!("the schema order_manager of {server} cannot be brought to version {number}: {error}");
            let remedy = "let the database's owner run: order-manager migrate";
            StoreError::unavailable(what, remedy)
        })?;
        to = number;
    }
    Ok((before, to))
}

/// Are the shared tables that we write there, with every column that we write?
pub(super) async fn check_shared(session: &mut PgConnection, server: &Server) -> Result<(), StoreError> {
    for table in WRITTEN {
        let there = columns(session, table.name).await?;
        if there.is_empty() {
            let what = format!("{server} has no table {}", table.name);
            let remedy = "run ws-gateway's migrations, or, in a database of this program's own: \
                          order-manager migrate --bootstrap-shared";
            return Err(StoreError::unavailable(what, remedy));
        }
        let needed = table.columns.iter().map(|(name, _)| *name);
        let missing: Vec<&str> = needed.filter(|name| !there.iter().any(|there| there == name)).collect();
        if !missing.is_empty() {
            let what = format!("the table {} of {server} has no column {}", table.name, missing.join(", "));
            return Err(StoreError::unavailable(what, "run ws-gateway's migrations: this program does not alter it"));
        }
    }
    Ok(())
}

/// The columns of a shared table; none where there is no such table.
async fn columns(session: &mut PgConnection, table: &str) -> Result<Vec<String>, StoreError> {
    let text = "SELECT attname::text FROM pg_attribute \
                WHERE attrelid = to_regclass('public.' || $1) AND attnum > 0 AND NOT attisdropped";
    let rows = within(sqlx::query(text).bind(table.to_owned()).fetch_all(session)).await?;
    rows.iter().map(|row| row.try_get(0)).collect::<sqlx::Result<_>>().map_err(|error| unavailable(&error))
}

/// Makes each shared table that is not there; says which.
async fn bootstrap(session: &mut PgConnection, server: &Server) -> Result<Vec<String>, StoreError> {
    const MARK: &str = "\nCREATE TABLE ";
    let mut made = Vec::new();
    for part in SHARED.split(MARK).skip(1) {
        let name = part.split_whitespace().next().unwrap_or_default();
        if !columns(session, name).await?.is_empty() {
            continue;
        }
        let text = format!("BEGIN; {MARK}{part}; COMMIT;");
        let done = sqlx::raw_sql(sqlx::AssertSqlSafe(text)).execute(&mut *session).await;
        done.map_err(|error| {
            let what = format!("the shared table {name} cannot be made in {server}: {error}");
            StoreError::unavailable(what, "let the database's owner do it, or run ws-gateway's migrations")
        })?;
        made.push(name.to_owned());
    }
    Ok(made)
}
