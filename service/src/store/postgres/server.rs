//! Which database, and what every session with it agrees on.

use super::StoreError;
use secrecy::{ExposeSecret as _, SecretString};
use sqlx::postgres::PgConnectOptions;
use std::fmt;
use std::str::FromStr as _;

/// How sessions of ours are called in `pg_stat_activity`.
const APPLICATION: &str = "order-manager";

/// Settings of every session. Our statements take milliseconds: one that takes this long waits for somebody.
const SETTINGS: &[(&str, &str)] = &[("search_path", "public"), ("TimeZone", "UTC"), ("statement_timeout", "15s")];
/// Settings of those that write. What holds a lock and does not go on is ended, and a host that is gone is noticed.
/// A statement is planned once: the plan of an `INSERT` does not depend on what is inserted.
const WRITING: &[(&str, &str)] = &[
    ("plan_cache_mode", "force_generic_plan"),
    ("lock_timeout", "5s"),
    ("idle_in_transaction_session_timeout", "30s"),
    ("tcp_keepalives_idle", "10"),
    ("tcp_keepalives_interval", "5"),
    ("tcp_keepalives_count", "3"),
];
const READING: &[(&str, &str)] = &[("default_transaction_read_only", "on")];

/// A database on a PostgreSQL server. Shows no password.
#[derive(Clone)]
pub struct Server(Box<PgConnectOptions>);

impl Server {
    /// By its parts. TLS is used where the server offers it; `PGSSLMODE` and `PGSSLROOTCERT` ask for more.
    #[must_use]
    pub fn new(host: &str, port: u16, database: &str, user: &str, password: Option<&SecretString>) -> Self {
        let options = PgConnectOptions::new_without_pgpass().host(host).port(port).database(database).username(user);
        Self(Box::new(match password {
            Some(password) => options.password(password.expose_secret()),
            None => options,
        }))
    }

    /// `postgres://user:password@host:port/database`.
    pub(in crate::store) fn parse(url: &str) -> Result<Self, StoreError> {
        // The parser's own words may quote what it read.
        let options = PgConnectOptions::from_str(url).map_err(|_| {
            StoreError::unavailable(
                "the store's address is no PostgreSQL address",
                "write postgres://user@host:5432/name",
            )
        })?;
        Ok(Self(Box::new(options)))
    }

    pub(super) fn reading(&self) -> PgConnectOptions {
        self.with(READING)
    }
    pub(super) fn writing(&self) -> PgConnectOptions {
        self.with(WRITING)
    }
    fn with(&self, more: &[(&str, &str)]) -> PgConnectOptions {
        let settings = SETTINGS.iter().chain(more).copied();
        PgConnectOptions::clone(&self.0).application_name(APPLICATION).options(settings).statement_cache_capacity(256)
    }
}

impl fmt::Display for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (user, host, port) = (self.0.get_username(), self.0.get_host(), self.0.get_port());
        write!(f, "postgres://{user}@{host}:{port}/{}", self.0.get_database().unwrap_or(user))
    }
}
impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
