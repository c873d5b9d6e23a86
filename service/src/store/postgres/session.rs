//! One leader for each database (spec A5): a session that holds an advisory lock, which the server lifts when the
//! session ends, however it ends. A session that was lost is ended before another one writes (fencing).

use super::server::Server;
use super::{CONNECT_MAX, REMEDY, StoreError, unavailable, within};
use sqlx::postgres::{PgConnectOptions, PgConnection};
use sqlx::{Connection as _, Row as _};

/// Names the lock in this database.
const LOCK: i64 = i64::from_be_bytes(*b"om-write");
/// The oldest server that this program is made for.
const VERSION_MIN: i32 = 150_000;
/// How long the server may take to end a lost session, milliseconds.
const END_MAX_MS: i64 = 5_000;
/// `lock_not_available`: the lock was not to be had in time.
const HELD: &str = "55P03";

/// Names a session for ever: a process id may come again, with another start.
#[derive(Clone, Debug)]
pub(super) struct Name {
    pid: i32,
    started: String,
}

/// A session with a server, which must not be older than what this program is made for.
pub(super) async fn connect(server: &Server, options: PgConnectOptions) -> Result<PgConnection, StoreError> {
    let failed =
        |error: &dyn std::fmt::Display| StoreError::unavailable(format!("cannot connect to {server}: {error}"), REMEDY);
    let session = PgConnection::connect_with(&options);
    let mut session = match tokio::time::timeout(CONNECT_MAX, session).await {
        Ok(session) => session.map_err(|error| failed(&error))?,
        Err(_) => return Err(failed(&format_args!("no answer within {} seconds", CONNECT_MAX.as_secs()))),
    };
    let version = sqlx::query_scalar::<_, i32>("SELECT current_setting('server_version_num')::int");
    let version = within(version.fetch_one(&mut session)).await?;
    if version < VERSION_MIN {
        let what = format!("{server} is PostgreSQL {}", version / 10_000);
        return Err(StoreError::unavailable(what, "this program needs PostgreSQL 15 or newer"));
    }
    Ok(session)
}

/// What a session is called, before it takes the lock.
pub(super) async fn name(session: &mut PgConnection) -> Result<Name, StoreError> {
    let text = "SELECT pid, backend_start::text FROM pg_stat_activity WHERE pid = pg_backend_pid()";
    let row = within(sqlx::query(text).fetch_one(session)).await?;
    let read = || Ok(Name { pid: row.try_get(0)?, started: row.try_get(1)? });
    read().map_err(|error: sqlx::Error| unavailable(&error))
}

/// Ends a lost session: what it has begun and not committed never lands, and what it has committed is there to read.
pub(super) async fn end(session: &mut PgConnection, lost: &Name) -> Result<(), StoreError> {
    let text = "SELECT pg_terminate_backend(pid, $3) FROM pg_stat_activity \
                WHERE pid = $1 AND backend_start::text = $2 AND pid <> pg_backend_pid()";
    let query = sqlx::query_scalar::<_, bool>(text).bind(lost.pid).bind(lost.started.clone()).bind(END_MAX_MS);
    match within(query.fetch_optional(session)).await? {
        None | Some(true) => Ok(()),
        // It would hold the lock, so nothing can be written beside it.
        Some(false) => {
            let what = format!("the lost session {} does not end", lost.pid);
            Err(StoreError::unavailable(what, REMEDY))
        }
    }
}

/// Takes the lock. A session that is just about to end is waited for.
pub(super) async fn lock(session: &mut PgConnection, server: &Server) -> Result<(), StoreError> {
    let taken = sqlx::query("SELECT pg_advisory_lock($1)").bind(LOCK).execute(&mut *session);
    let taken = tokio::time::timeout(super::ANSWER_MAX, taken).await.map_err(|_| super::silent())?;
    match taken {
        Ok(_) => {}
        Err(error) if error.as_database_error().and_then(|error| error.code()).as_deref() == Some(HELD) => {
            return Err(held(session, server).await?);
        }
        Err(error) => return Err(unavailable(&error)),
    }
    // A commit that is reported survives the server's end, whatever this server's habit is.
    let text =
        "SELECT set_config('synchronous_commit', 'on', false) WHERE current_setting('synchronous_commit') = 'off'";
    within(sqlx::query(text).execute(session)).await?;
    Ok(())
}

async fn held(session: &mut PgConnection, server: &Server) -> Result<StoreError, StoreError> {
    let text = "SELECT a.pid, coalesce(a.application_name, ''), coalesce(host(a.client_addr), 'its own host') \
                FROM pg_locks l JOIN pg_stat_activity a ON a.pid = l.pid \
                JOIN pg_database d ON d.oid = l.database AND d.datname = current_database() \
                WHERE l.locktype = 'advisory' AND l.granted AND l.objsubid = 1 \
                AND (l.classid::bigint << 32) + l.objid::bigint = $1";
    let row = within(sqlx::query_as::<_, (i32, String, String)>(text).bind(LOCK).fetch_optional(session)).await?;
    let who = row.map(|(pid, name, from)| format!(" (server process {pid}, {name}, from {from})")).unwrap_or_default();
    let what = format!("{server} is in use by another order-manager{who}");
    Ok(StoreError::unavailable(what, "stop it first, or give this one a database of its own with POSTGRES_DB"))
}
