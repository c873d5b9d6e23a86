//! The file and its schema: how it is opened, made, brought up to date, or refused.

use super::lock::cannot_open;
use crate::store::StoreError;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous};
use sqlx::{Connection as _, SqliteConnection};
use std::path::Path;
use std::time::Duration;

/// Says that a SQLite file is ours: `PRAGMA application_id`, `OMgr`.
const APPLICATION: i64 = 0x4f4d_6772;
/// Every version's statements, in order; the number of those applied is `PRAGMA user_version`.
const MIGRATIONS: &[&str] = &[include_str!("../../../../migrations/sqlite/0001_init.sql")];
/// How long a lock of SQLite's own is waited for: a backup, a person with the command line tool.
const BUSY: Duration = Duration::from_secs(5);

/// How every connection is made. FULL: a commit that was reported survives a loss of power.
pub(super) fn options(path: &Path) -> SqliteConnectOptions {
    plain(path).journal_mode(SqliteJournalMode::Wal).synchronous(SqliteSynchronous::Full).foreign_keys(true)
}

/// How a connection is made that never writes; the file must be there.
pub(super) fn read_only(path: &Path) -> SqliteConnectOptions {
    plain(path).read_only(true)
}

fn plain(path: &Path) -> SqliteConnectOptions {
    SqliteConnectOptions::new().filename(path).busy_timeout(BUSY).statement_cache_capacity(256)
}

/// Opens the file for writing, makes it where it is not there, and brings its schema up to date.
pub(super) async fn open(path: &Path) -> Result<SqliteConnection, StoreError> {
    let failed = |error: sqlx::Error| StoreError::unavailable(cannot_open(path, &error), super::REMEDY);
    // Looked at before anything is set: a file of another program stays as it is.
    if path.exists() {
        let mut connection = SqliteConnection::connect_with(&plain(path)).await.map_err(failed)?;
        version(&mut connection, path).await?;
        connection.close().await.map_err(failed)?;
    }
    let options = options(path).create_if_missing(true);
    let mut connection = SqliteConnection::connect_with(&options).await.map_err(failed)?;
    let version = version(&mut connection, path).await?;
    for (number, statements) in (1..).zip(MIGRATIONS).skip_while(|(number, _)| *number <= version) {
        // One transaction with its own number: a crash leaves the version before it, whole.
        let text = format!(
            "BEGIN IMMEDIATE; {statements}\nPRAGMA application_id = {APPLICATION}; PRAGMA user_version = {number}; COMMIT;"
        );
        sqlx::raw_sql(sqlx::AssertSqlSafe(text)).execute(&mut connection).await.map_err(failed)?;
    }
    Ok(connection)
}

/// The schema's version, if this program can work with it: 0 of an empty file.
pub(super) async fn version(connection: &mut SqliteConnection, path: &Path) -> Result<i64, StoreError> {
    let failed = |error: sqlx::Error| StoreError::unavailable(cannot_open(path, &error), super::REMEDY);
    let mut number = async |pragma: &'static str| {
        sqlx::query_scalar::<_, i64>(pragma).fetch_one(&mut *connection).await.map_err(failed)
    };
    let version = number("PRAGMA user_version").await?;
    let application = number("PRAGMA application_id").await?;
    let tables = number("SELECT count(*) FROM sqlite_master").await?;
    if tables > 0 && application != APPLICATION {
        let what = format!("{} is a database of another program", path.display());
        return Err(StoreError::unavailable(what, super::REMEDY));
    }
    let known = i64::try_from(MIGRATIONS.len()).unwrap_or(i64::MAX);
    if version > known {
        let what = format!(
            "{} was written by a newer order-manager: its schema is {version}, this program knows up to {known}",
            path.display()
        );
        return Err(StoreError::unavailable(what, "run that version, or give another file with ORDERMANAGER_STORE"));
    }
    Ok(version)
}
