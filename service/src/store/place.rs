//! Where a store is.

use super::StoreError;
use super::database::{Pool, Writer};
use super::postgres::{self, Server};
use super::sqlite;
use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::Arc;

/// Where a store is. Shows no password.
#[derive(Clone, Debug)]
pub enum Place {
    /// A SQLite file.
    File(PathBuf),
    /// A PostgreSQL database.
    Server(Server),
}

impl From<&Path> for Place {
    fn from(path: &Path) -> Self {
        Self::File(path.into())
    }
}

impl From<&PathBuf> for Place {
    fn from(path: &PathBuf) -> Self {
        Self::File(path.into())
    }
}

impl From<&Self> for Place {
    fn from(place: &Self) -> Self {
        place.clone()
    }
}

/// `postgres://user@host:port/database`, or the path of a file.
impl FromStr for Place {
    type Err = StoreError;
    fn from_str(text: &str) -> Result<Self, StoreError> {
        if text.starts_with("postgres://") || text.starts_with("postgresql://") {
            return Server::parse(text).map(Self::Server);
        }
        Ok(Self::File(text.into()))
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => path.display().fmt(f),
            Self::Server(server) => server.fmt(f),
        }
    }
}

impl Place {
    pub(super) async fn open_writer(&self) -> Result<Box<dyn Writer>, StoreError> {
        match self {
            Self::File(path) => sqlite::open(path).await,
            Self::Server(server) => postgres::open(server).await,
        }
    }

    /// For reading the shared tables, and whether our own stand beside them.
    pub(super) async fn open_before_us(&self) -> Result<(Arc<dyn Pool>, bool), StoreError> {
        match self {
            Self::File(_) => Ok((self.open_readers().await?, true)),
            Self::Server(server) => {
                let (pool, beside_ours) = postgres::Connections::before_us(server).await?;
                Ok((Arc::new(pool), beside_ours))
            }
        }
    }

    /// Connections for reading a store that is there.
    pub(super) async fn open_readers(&self) -> Result<Arc<dyn Pool>, StoreError> {
        match self {
            Self::File(path) => Ok(Arc::new(sqlite::Connections::open(path).await?)),
            Self::Server(server) => Ok(Arc::new(postgres::Connections::open(server).await?)),
        }
    }

    /// Connections for reading a store whose writer is open.
    pub(super) fn readers(&self) -> Arc<dyn Pool> {
        match self {
            Self::File(path) => Arc::new(sqlite::Connections::readers(path)),
            Self::Server(server) => Arc::new(postgres::Connections::readers(server)),
        }
    }

    /// One connection that writes what is not of the writer's transactions.
    pub(super) fn keeper(&self) -> Arc<dyn Pool> {
        match self {
            Self::File(path) => Arc::new(sqlite::Connections::keeper(path)),
            Self::Server(server) => Arc::new(postgres::Connections::keeper(server)),
        }
    }
}
