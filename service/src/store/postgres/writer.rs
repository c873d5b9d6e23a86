//! The session that writes. One on which something did not end well is not used again: it is ended at the server
//! before the next one reads the end, so that nothing can land behind its back.

use super::server::Server;
use super::session::{self, Name};
use super::{ANSWER_MAX, prepared, schema, silent, statement, unavailable, values, within};
use crate::store::StoreError;
use crate::store::database::{Batch, Failed, Later, Writer};
use crate::store::query::Query;
use crate::store::table::Table;
use crate::store::value::Values;
use sqlx::Connection as _;
use sqlx::postgres::PgConnection;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Takes the lock and brings our own schema up to date. The shared tables must be there.
pub(in crate::store) async fn open(server: &Server) -> Result<Box<dyn Writer>, StoreError> {
    let mut leader = Leader { server: server.clone(), session: None, last: None, statements: Statements::default() };
    let mut session = leader.take().await?;
    schema::check_shared(&mut session, server).await?;
    schema::update(&mut session, server).await?;
    leader.session = Some(session);
    Ok(Box::new(leader))
}

#[derive(Debug)]
struct Leader {
    server: Server,
    /// Holds the lock. None while it is used, and after it was lost.
    session: Option<PgConnection>,
    /// The session that was made last.
    last: Option<Name>,
    statements: Statements,
}

/// The texts of the statements, made once.
#[derive(Debug, Default)]
struct Statements(BTreeMap<Vec<(&'static str, bool)>, Arc<str>>);

/// Rows that one statement writes.
type Part = Vec<(&'static Table, Vec<Values>)>;

/// A table that comes twice in a batch is written by two statements: the second looks at what the first wrote.
fn parts(rows: Vec<(&'static Table, Vec<Values>)>) -> Vec<Part> {
    let mut parts = vec![Part::new()];
    for (table, rows) in rows {
        match parts.last_mut() {
            Some(part) if part.iter().all(|(other, _)| other.name != table.name) => part.push((table, rows)),
            _ => parts.push(vec![(table, rows)]),
        }
    }
    parts.retain(|part| !part.is_empty());
    parts
}

/// Data is what the same again would fail with again (spec S4): SQLSTATE classes 22 and 23.
fn failed(error: sqlx::Error) -> Failed {
    let code = error.as_database_error().and_then(|error| error.code()).unwrap_or_default();
    if code.starts_with("22") || code.starts_with("23") {
        return Failed::Data(error.to_string());
    }
    Failed::Other(unavailable(&error))
}

impl Leader {
    /// The session that holds the lock. Whoever takes it gives it back when all went well.
    async fn take(&mut self) -> Result<PgConnection, StoreError> {
        if let Some(session) = self.session.take() {
            return Ok(session);
        }
        let mut session = session::connect(&self.server, self.server.writing()).await?;
        let name = session::name(&mut session).await?;
        if let Some(lost) = &self.last {
            session::end(&mut session, lost).await?;
        }
        self.last = Some(name);
        session::lock(&mut session, &self.server).await?;
        Ok(session)
    }
}

impl Writer for Leader {
    fn fetch(&mut self, query: Query) -> Later<'_, Result<Vec<Values>, StoreError>> {
        Box::pin(async move {
            let mut session = self.take().await?;
            let rows = within(prepared(query).fetch_all(&mut session)).await?;
            self.session = Some(session);
            rows.iter().map(values).collect::<sqlx::Result<_>>().map_err(|error| unavailable(&error))
        })
    }

    fn write(&mut self, batch: Batch) -> Later<'_, Result<(), Failed>> {
        Box::pin(async move {
            let mut session = self.take().await?;
            let written = tokio::time::timeout(ANSWER_MAX, self.statements.commit(&mut session, batch)).await;
            let written = written.unwrap_or_else(|_| Err(silent().into()));
            if let Ok(()) | Err(Failed::Data(_)) = written {
                self.session = Some(session);
            }
            written
        })
    }

    fn refused(&mut self, batches: Vec<Batch>) -> Later<'_, Result<Option<(usize, String)>, StoreError>> {
        Box::pin(async move {
            let mut session = self.take().await?;
            let refused = self.statements.refused(&mut session, batches);
            let refused = tokio::time::timeout(ANSWER_MAX, refused).await.map_err(|_| silent())??;
            self.session = Some(session);
            Ok(refused)
        })
    }

    /// The server keeps what is committed by itself. The lock goes with the session, which says goodbye.
    fn settle(&mut self) -> Later<'_, Result<(), StoreError>> {
        Box::pin(async move {
            match self.session.take() {
                Some(session) => within(session.close()).await,
                None => Ok(()),
            }
        })
    }
}

impl Statements {
    async fn commit(&mut self, session: &mut PgConnection, batch: Batch) -> Result<(), Failed> {
        let mut parts = parts(batch.rows);
        // A statement by itself is a transaction, and one round trip.
        if let (1, None) = (parts.len(), &batch.then) {
            return self.part(session, parts.remove(0)).await;
        }
        let mut transaction = session.begin().await.map_err(failed)?;
        match self.all(&mut transaction, parts, batch.then).await {
            Ok(()) => transaction.commit().await.map_err(failed),
            Err(failed) => {
                transaction.rollback().await.map_err(|error| unavailable(&error))?;
                Err(failed)
            }
        }
    }

    async fn refused(
        &mut self,
        session: &mut PgConnection,
        batches: Vec<Batch>,
    ) -> Result<Option<(usize, String)>, StoreError> {
        let mut transaction = session.begin().await.map_err(|error| unavailable(&error))?;
        let mut refused = None;
        for (index, batch) in batches.into_iter().enumerate() {
            match self.all(&mut transaction, parts(batch.rows), batch.then).await {
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
    }

    async fn all(&mut self, session: &mut PgConnection, parts: Vec<Part>, then: Option<Query>) -> Result<(), Failed> {
        for part in parts {
            self.part(session, part).await?;
        }
        if let Some(query) = then {
            prepared(query).execute(session).await.map_err(failed)?;
        }
        Ok(())
    }

    async fn part(&mut self, session: &mut PgConnection, part: Part) -> Result<(), Failed> {
        let key: Vec<_> = part.iter().map(|(table, _)| (table.name, table.yields.is_some())).collect();
        let text = self.0.entry(key);
        let text = text.or_insert_with(|| statement::upserts(part.iter().map(|(table, _)| *table)).into());
        let query = sqlx::query(sqlx::AssertSqlSafe(Arc::clone(text)));
        let query = part.into_iter().fold(query, |query, (table, rows)| statement::bind(query, table, rows));
        query.execute(session).await.map_err(failed).map(|_| ())
    }
}
