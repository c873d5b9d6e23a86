use super::bench::{Bench, PATIENCE, until};
use crate::broker::{Running, start};
use crate::exchange::Heard;
use crate::publish::{Cursor, Outbox, OutboxError, OutboxMessage, Publisher};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use tokio::sync::{mpsc, watch};
use tokio::time::timeout;

/// The store's messages and cursor in memory.
#[derive(Clone, Default)]
struct Memory(Arc<Mutex<Books>>);

#[derive(Default)]
struct Books {
    messages: Vec<OutboxMessage>,
    cursor: Cursor,
    down: bool,
    saves: u32,
}

impl Outbox for Memory {
    async fn after(&self, id: i64, limit: u32) -> Result<Vec<OutboxMessage>, OutboxError> {
        let books = self.0.lock().unwrap();
        match books.down {
            true => Err(OutboxError("away".into())),
            false => Ok(books.messages.iter().filter(|m| m.id > id).take(limit as usize).cloned().collect()),
        }
    }
    async fn load(&self) -> Result<Cursor, OutboxError> {
        Ok(self.0.lock().unwrap().cursor)
    }
    async fn save(&mut self, cursor: Cursor) -> Result<(), OutboxError> {
        let mut books = self.0.lock().unwrap();
        if books.down {
            return Err(OutboxError("away".into()));
        }
        assert!(cursor.position >= books.cursor.position && cursor.repeated >= books.cursor.repeated, "never back");
        (books.cursor, books.saves) = (cursor, books.saves + 1);
        Ok(())
    }
}

impl Memory {
    fn cursor(&self) -> Cursor {
        self.0.lock().unwrap().cursor
    }
}

fn message(id: i64, asset: &str, event_type: &str) -> OutboxMessage {
    OutboxMessage {
        id,
        event_id: format!("event-{id}"),
        asset: asset.into(),
        event_type: event_type.into(),
        trace_id: format!("trace-{id}"),
        body: format!("{id}"),
    }
}

/// A publisher at work.
struct Publishing {
    memory: Memory,
    committed: watch::Sender<i64>,
    finish: watch::Sender<bool>,
    running: Running,
    doubted: Arc<Mutex<BTreeMap<String, u64>>>,
}

impl Publishing {
    fn start(bench: &Bench, memory: Memory) -> Self {
        let last = memory.0.lock().unwrap().messages.last().map_or(0, |last| last.id);
        let (committed, watching) = watch::channel(last);
        let (finish, finished) = watch::channel(false);
        let (ear, mut heard) = mpsc::channel(8);
        let doubted = Arc::new(Mutex::new(BTreeMap::new()));
        let told = doubted.clone();
        tokio::spawn(async move {
            while let Some(Heard::Doubted { symbol, kept }) = heard.recv().await {
                *told.lock().unwrap().entry(symbol.to_string()).or_default() += 1;
                kept.fire();
            }
        });
        let publisher = Publisher::new(bench.queue.clone(), memory.clone(), ear, watching, finished.clone());
        Self { memory, committed, finish, running: start(&bench.broker, publisher, finished), doubted }
    }

    fn add(&self, messages: Vec<OutboxMessage>) {
        let last = messages.last().expect("one").id;
        self.memory.0.lock().unwrap().messages.extend(messages);
        self.committed.send_replace(last);
    }

    async fn published(&self, id: i64) {
        until("all is confirmed", async || self.memory.cursor().position >= id).await;
    }

    async fn end(self) {
        self.finish.send_replace(true);
        timeout(PATIENCE, self.running.task).await.expect("it ends in time").expect("no panic");
    }
}

#[tokio::test]
async fn e3_an_event_goes_out_persistent_with_its_id_and_its_trace_id() {
    let bench = Bench::new().await;
    let publishing = Publishing::start(&bench, Memory::default());
    publishing.add(vec![message(1, "BTCUSDT", "created")]);
    publishing.published(1).await;
    publishing.end().await;
    bench
        .take_until(|delivery| {
            let properties = &delivery.properties;
            assert_eq!((delivery.exchange.as_str(), delivery.data.as_slice()), ("", b"1".as_slice()));
            assert_eq!(*properties.delivery_mode(), Some(2));
            assert_eq!(properties.content_type().as_ref().map(|text| text.as_str()), Some("application/json"));
            assert_eq!(properties.message_id().as_ref().map(|text| text.as_str()), Some("event-1"));
            assert!(properties.timestamp().is_some());
            let headers = properties.headers().as_ref().expect("headers").inner();
            assert_eq!(
                headers.get("trace_id").and_then(|id| id.as_long_string()).map(|id| id.to_string()),
                Some("trace-1".into())
            );
            true
        })
        .await;
    bench.delete().await;
}
