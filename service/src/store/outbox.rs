//! What the publisher follows: the messages in their order, and how far it has come.

use super::database::Pool;
use super::query::Query;
use super::reader::Reader;
use super::value::{Kind, Row};
use super::view::{Cursor, OutboxMessage};
use super::{StoreError, table};
use order_manager_core::unit::SignalId;
use std::sync::Arc;

impl Reader {
    /// Messages after `id` in order, at most `limit`, with what their envelope needs.
    pub async fn outbox(&self, id: i64, limit: u32) -> Result<Vec<OutboxMessage>, StoreError> {
        let columns = &["id", "event_id", "asset", "event_type", "trace_id", "body"];
        let query = Query::select(self.pool.dialect(), &table::MESSAGES, "m", columns).push(" WHERE m.id > ");
        let query = query.number(id).push(" ORDER BY m.id LIMIT ").number(i64::from(limit));
        self.views(query, message).await
    }

    /// How far the follower of this name has come.
    pub async fn cursor(&self, name: &str) -> Result<Cursor, StoreError> {
        let query = self.query("SELECT position, repeated FROM order_manager.cursor WHERE name = ");
        let mut found = self.rows(query.text(Kind::Text, name)).await?;
        let cursor = |mut row: Row| Ok(Cursor { position: row.number()?, repeated: row.count()? });
        found.pop().map_or(Ok(Cursor::default()), cursor)
    }
}

fn message(row: &mut Row) -> Result<OutboxMessage, StoreError> {
    let id = row.number()?;
    let event_id = row.text()?;
    let event_id = SignalId::parse(&event_id).map_err(|_| {
        StoreError::unavailable(format!("message {id} in the store has the event id {event_id}"), "restore a backup")
    })?;
    let (asset, event_type, trace_id, body) = (row.text()?, row.text()?, row.text()?, row.text()?);
    Ok(OutboxMessage { id, event_id, asset, event_type, trace_id, body })
}

/// Writes down how far somebody who follows the messages has come: on a connection of its own, so that it waits for
/// no batch and no batch for it.
#[derive(Clone, Debug)]
pub struct CursorKeeper {
    pool: Arc<dyn Pool>,
}

impl CursorKeeper {
    pub(super) fn on(pool: Arc<dyn Pool>) -> Self {
        Self { pool }
    }

    /// The first time that anybody follows: from `position` on. Where a cursor is kept already it stays.
    ///
    /// # Errors
    /// The store does not work.
    pub async fn begin(&self, name: &str, position: i64) -> Result<(), StoreError> {
        let query =
            Query::new(self.pool.dialect(), "INSERT INTO order_manager.cursor (name, position, repeated) VALUES (");
        let query = query.text(Kind::Text, name).push(", ").number(position);
        self.pool.fetch(query.push(", 0) ON CONFLICT (name) DO NOTHING RETURNING position")).await?;
        Ok(())
    }

    /// Keeps the cursor. It never goes back: a process that was overtaken by another one cannot undo what that did.
    ///
    /// # Errors
    /// The store does not work, or a position further on is kept already.
    pub async fn save(&self, name: &str, position: i64, repeated: u64) -> Result<(), StoreError> {
        let query = Query::new(
            self.pool.dialect(),
            "INSERT INTO order_manager.cursor AS kept (name, position, repeated) VALUES (",
        );
        let repeated = i64::try_from(repeated).unwrap_or(i64::MAX);
        let query = query.text(Kind::Text, name).push(", ").number(position).push(", ").number(repeated);
        let query = query.push(
            ") ON CONFLICT (name) DO UPDATE SET position = excluded.position, repeated = excluded.repeated \
             WHERE kept.position <= excluded.position RETURNING position",
        );
        if self.pool.fetch(query).await?.is_empty() {
            let what = format!("the cursor {name} stands further on than {position}");
            return Err(StoreError::unavailable(what, "another process follows too: stop one"));
        }
        Ok(())
    }
}
