//! Order events out (spec E3): the store's messages, in order, each confirmed by the broker before the cursor passes
//! it. A crash may repeat some under their ids, and says so; it loses none.

mod channel;
mod window;

use crate::broker::{End, Failed, Link, Queue, Session, told};
use crate::exchange::{Ear, Heard, Kept};
use crate::store::{Cursor, CursorKeeper, OutboxMessage, Reader, Store, StoreError};
use channel::{Answered, Confirming};
use order_manager_core::unit::Symbol;
use std::time::Duration;
use tokio::sync::watch;
use window::{WINDOW, Window};

/// Between two tries to save the cursor, or to tell the driver.
const AGAIN: Duration = Duration::from_millis(500);

/// The cursor's name in the store.
const CURSOR: &str = "order-manager.order_events";

/// Does Position Manager add its quantity up (wire-contracts.md 1.5.1)?
fn is_fill(message: &OutboxMessage) -> bool {
    matches!(message.event_type.as_str(), "filled" | "partially_filled")
}

/// The store cannot be read or written now.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the store: {0}")]
pub(crate) struct OutboxError(pub(crate) String);

/// The messages to publish, and how far that has come.
pub(crate) trait Outbox: Send + Sync {
    /// Messages after `id` in order, at most `limit`.
    fn after(&self, id: i64, limit: u32) -> impl Future<Output = Result<Vec<OutboxMessage>, OutboxError>> + Send;
    /// The cursor as it was saved last.
    fn load(&self) -> impl Future<Output = Result<Cursor, OutboxError>> + Send;
    /// Makes the cursor durable.
    fn save(&mut self, cursor: Cursor) -> impl Future<Output = Result<(), OutboxError>> + Send;
}

/// The first process that has a broker publishes from here on. What a store of long ago tells had its readers, and
/// Position Manager would add all of it up once more.
///
/// # Errors
/// The store does not work.
pub(crate) async fn begin(store: &Store) -> Result<(), StoreError> {
    let last = store.reader().last_event_id().await?;
    store.cursor_keeper().begin(CURSOR, last).await
}

/// The messages and the cursor in the store.
pub(crate) struct Stored {
    reader: Reader,
    keeper: CursorKeeper,
}

impl Stored {
    pub(crate) fn new(reader: Reader, keeper: CursorKeeper) -> Self {
        Self { reader, keeper }
    }
}

impl From<StoreError> for OutboxError {
    fn from(error: StoreError) -> Self {
        Self(error.to_string())
    }
}

impl Outbox for Stored {
    async fn after(&self, id: i64, limit: u32) -> Result<Vec<OutboxMessage>, OutboxError> {
        Ok(self.reader.outbox(id, limit).await?)
    }
    async fn load(&self) -> Result<Cursor, OutboxError> {
        Ok(self.reader.cursor(CURSOR).await?)
    }
    async fn save(&mut self, cursor: Cursor) -> Result<(), OutboxError> {
        Ok(self.keeper.save(CURSOR, cursor.position, cursor.repeated).await?)
    }
}

/// The session of the publisher. It outlives its channels.
pub(crate) struct Publisher<O> {
    queue: Queue,
    outbox: O,
    ear: Ear,
    /// The id of the last message in the store.
    committed: watch::Receiver<i64>,
    finish: watch::Receiver<bool>,
    cursor: Option<Cursor>,
    window: Window,
    /// What an earlier process may have sent ends here.
    doubtful: i64,
}

impl<O: Outbox> Publisher<O> {
    /// Publishes to `queue` what `committed` tells of, until `finish` is told and nothing is left.
    pub(crate) fn new(
        queue: Queue,
        outbox: O,
        ear: Ear,
        committed: watch::Receiver<i64>,
        finish: watch::Receiver<bool>,
    ) -> Self {
        let doubtful = *committed.borrow();
        Self { queue, outbox, ear, committed, finish, cursor: None, window: Window::default(), doubtful }
    }

    async fn publish(&mut self, link: &Link, progress: &mut bool) -> Result<(), Failed> {
        let mut cursor = self.cursor().await?;
        let mut confirming = Confirming::open(&self.queue, link).await?;
        loop {
            if self.window.open.is_empty() {
                cursor = self.catch_up(cursor).await?;
                let mut messages = self.outbox.after(cursor.position, WINDOW).await?;
                // What this process did not commit is another one's, which has taken over and publishes it: not twice.
                let committed = *self.committed.borrow();
                messages.retain(|message| message.id <= committed);
                self.window = Window::begin(messages, self.doubtful);
            }
            if self.window.open.is_empty() {
                if self.wait(link, cursor).await? {
                    return Ok(());
                }
                continue;
            }
            // Looked at before they go: from then on each may be there.
            let again = self.window.fills_again();
            if !again.is_empty() && self.ear.is_closed() {
                // Nobody is left to hear of the doubt: the next process sends it, and tells.
                return Ok(());
            }
            let repeats = self.window.repeats();
            if repeats > 0 {
                // Counted before they go, so that a crash does not forget that they went.
                cursor.repeated = cursor.repeated.saturating_add(repeats);
                cursor = self.save(cursor).await;
                tracing::info!(repeats, all = cursor.repeated, "order events are sent again: they may have arrived");
            }
            let answered = confirming.send(link, &mut self.window).await;
            let Answered { confirmed, failed } = answered;
            *progress |= !confirmed.is_empty();
            let doubted = confirmed.iter().filter(|open| again.contains(&open.message.id));
            let doubted: Vec<String> = doubted.map(|open| open.message.asset.clone()).collect();
            if !self.tell(&doubted).await {
                return Ok(());
            }
            let position = self.window.position(cursor);
            if position > cursor.position {
                cursor.position = position;
                cursor = self.save(cursor).await;
            }
            if let Some(failed) = failed {
                return Err(failed);
            }
        }
    }

    async fn cursor(&mut self) -> Result<Cursor, OutboxError> {
        if let Some(cursor) = self.cursor {
            return Ok(cursor);
        }
        let cursor = self.outbox.load().await?;
        // No more than a window was ever unconfirmed.
        self.doubtful = self.doubtful.min(cursor.position.saturating_add(i64::from(WINDOW)));
        Ok(*self.cursor.insert(cursor))
    }

    /// Another process may have led and published in the meantime: what it has kept is not sent again.
    async fn catch_up(&mut self, cursor: Cursor) -> Result<Cursor, OutboxError> {
        let kept = self.outbox.load().await?;
        if kept.position > cursor.position {
            tracing::warn!(from = cursor.position, to = kept.position, "another process has published in between");
            self.cursor = Some(kept);
            return Ok(kept);
        }
        Ok(cursor)
    }

    /// Until there is more to publish; says whether it is time to go.
    async fn wait(&mut self, link: &Link, cursor: Cursor) -> Result<bool, Failed> {
        let (committed, finish) = (&mut self.committed, &mut self.finish);
        let more = async {
            if committed.wait_for(|last| *last > cursor.position).await.is_err() {
                // The driver is gone, and whoever ended it says so.
                std::future::pending::<()>().await;
            }
        };
        tokio::select! {
            biased;
            () = more => Ok(false),
            () = told(finish) => Ok(true),
            () = link.lost() => Err(Failed { why: "the connection ended".into(), progress: false }),
        }
    }

    /// Makes the cursor durable, however long the store is away: until then nothing more is sent, so that a crash
    /// repeats no more than a window. What is kept then: another process may be further on.
    async fn save(&mut self, cursor: Cursor) -> Cursor {
        self.cursor = Some(cursor);
        while let Err(error) = self.outbox.save(cursor).await {
            tracing::warn!(%error, position = cursor.position, "how far events are published cannot be kept");
            if let Ok(kept) = self.catch_up(cursor).await
                && kept != cursor
            {
                return kept;
            }
            tokio::time::sleep(AGAIN).await;
        }
        cursor
    }

    /// Fills of these assets went out twice, perhaps: the manager must know before the cursor passes them. Says
    /// whether it does; it does not where it is gone.
    async fn tell(&self, assets: &[String]) -> bool {
        for asset in assets {
            let Ok(symbol) = Symbol::new(asset) else {
                tracing::error!(asset, "an event's asset is no symbol: this is a defect, report it");
                continue;
            };
            loop {
                let (kept, is_kept) = Kept::pair();
                if self.ear.send(Heard::Doubted { symbol, kept }).await.is_err() {
                    return false;
                }
                if is_kept.await.is_ok() {
                    break;
                }
                tokio::time::sleep(AGAIN).await;
            }
        }
        true
    }
}

impl From<OutboxError> for Failed {
    fn from(error: OutboxError) -> Self {
        Self { why: error.to_string(), progress: false }
    }
}

impl<O: Outbox> Session for Publisher<O> {
    fn role(&self) -> &str {
        "order-events"
    }

    async fn run(&mut self, link: &Link) -> End {
        let mut progress = false;
        match self.publish(link, &mut progress).await {
            Ok(()) => End::Stopped,
            Err(failed) => End::Failed(Failed { progress, ..failed }),
        }
    }
}

#[cfg(test)]
pub(crate) mod tests;
