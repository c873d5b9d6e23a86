use super::bench::{Bench, PATIENCE, until};
use super::proxy::Weather;
use crate::broker::{Running, start};
use crate::exchange::Heard;
use crate::publish::tests::message;
use crate::publish::{Outbox, OutboxError, Publisher};
use crate::store::{Cursor, OutboxMessage};
use lapin::types::{AMQPValue, FieldTable};
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
            assert_eq!(
                properties.message_id().as_ref().map(|text| text.as_str()),
                Some("00000000-0000-0000-0000-000000000001")
            );
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

/// What arrived, by asset in order, repeats included.
#[derive(Default)]
struct Arrived {
    by_asset: BTreeMap<String, Vec<i64>>,
    times: BTreeMap<i64, u64>,
}

impl Arrived {
    async fn all(bench: &Bench, asset_of: impl Fn(i64) -> String) -> Self {
        let mut this = Self::default();
        let mut waiting = bench.waiting().await;
        bench
            .take_until(|delivery| {
                let id: i64 = String::from_utf8_lossy(&delivery.data).parse().expect("an id");
                let times = this.times.entry(id).or_default();
                *times += 1;
                if *times == 1 {
                    this.by_asset.entry(asset_of(id)).or_default().push(id);
                }
                waiting -= 1;
                waiting == 0
            })
            .await;
        this
    }

    fn duplicates(&self) -> u64 {
        self.times.values().map(|times| times - 1).sum()
    }

    /// Everything came, and what came first of each asset came in order.
    fn check(&self, last: i64) {
        let ids: Vec<i64> = self.times.keys().copied().collect();
        assert_eq!(ids, (1..=last).collect::<Vec<_>>(), "every event arrives");
        for (asset, ids) in &self.by_asset {
            assert!(ids.is_sorted(), "{asset} out of order: {ids:?}");
        }
    }
}

const ASSETS: [&str; 3] = ["BTCUSDT", "ETHUSDT", "SOLUSDT"];

fn asset_of(id: i64) -> String {
    ASSETS[usize::try_from(id % 7 % 3).expect("small")].into()
}

fn event(id: i64) -> OutboxMessage {
    let kind = ["created", "partially_filled", "filled", "cancelled"][usize::try_from(id % 4).expect("small")];
    message(id, &asset_of(id), kind)
}

/// Cuts whenever another forty events or so are confirmed, at whatever moment that is.
#[tokio::test]
async fn e3_fifty_cuts_lose_no_event_keep_each_assets_order_and_count_what_is_repeated() {
    const ALL: i64 = 2_000;
    let bench = Bench::new().await;
    let publishing = Publishing::start(&bench, Memory::default());
    publishing.add((1..=ALL).map(event).collect());
    let mut cuts = 0;
    while cuts < 50 {
        let (memory, from) = (&publishing.memory, publishing.memory.cursor().position);
        until("it goes on", async || memory.cursor().position >= (from + 31).min(ALL)).await;
        // Somewhere in the next run, or in its confirms.
        for _ in 0..cuts * 7 % 97 {
            tokio::task::yield_now().await;
        }
        bench.proxy.cut();
        cuts += 1;
    }
    publishing.published(ALL).await;
    let (cursor, doubted) = (publishing.memory.cursor(), publishing.doubted.clone());
    publishing.end().await;
    let arrived = Arrived::all(&bench, asset_of).await;
    arrived.check(ALL);
    let duplicates = arrived.duplicates();
    assert!(cursor.repeated >= duplicates, "{} counted, {duplicates} arrived", cursor.repeated);
    let fills = arrived.times.iter().filter(|(id, times)| **times > 1 && matches!(*id % 4, 1 | 2));
    let mut twice: BTreeMap<String, u64> = BTreeMap::new();
    fills.for_each(|(id, _)| *twice.entry(asset_of(*id)).or_default() += 1);
    let doubted = doubted.lock().unwrap().clone();
    for (asset, twice) in &twice {
        assert!(doubted.get(asset).is_some_and(|told| told >= twice), "{asset}: {twice} fills twice, told {doubted:?}");
    }
    bench.delete().await;
}

#[tokio::test]
async fn e3_a_restart_goes_on_at_the_cursor_and_doubts_only_what_may_have_been_sent() {
    let bench = Bench::new().await;
    let memory = Memory::default();
    memory.0.lock().unwrap().messages = (1..=100).map(event).collect();
    memory.0.lock().unwrap().cursor = Cursor { position: 40, repeated: 3 };
    let publishing = Publishing::start(&bench, memory.clone());
    publishing.published(100).await;
    publishing.add((101..=110).map(event).collect());
    publishing.published(110).await;
    publishing.end().await;
    assert_eq!(memory.cursor(), Cursor { position: 110, repeated: 3 + 32 }, "one window, and not what came later");
    let arrived = Arrived::all(&bench, asset_of).await;
    assert_eq!(arrived.times.into_iter().collect::<Vec<_>>(), (41..=110).map(|id| (id, 1)).collect::<Vec<_>>());
    bench.delete().await;
}

#[tokio::test]
async fn e3_a_queue_that_is_deleted_is_declared_again_and_its_events_are_sent_again() {
    let bench = Bench::new().await;
    let publishing = Publishing::start(&bench, Memory::default());
    publishing.add((1..=10).map(event).collect());
    publishing.published(10).await;
    bench.delete().await;
    publishing.add((11..=60).map(event).collect());
    publishing.published(60).await;
    let cursor = publishing.memory.cursor();
    publishing.end().await;
    let arrived = Arrived::all(&bench, asset_of).await;
    assert_eq!(arrived.times.into_iter().collect::<Vec<_>>(), (11..=60).map(|id| (id, 1)).collect::<Vec<_>>());
    assert_eq!(cursor.repeated, 0, "what found no queue did not arrive");
    bench.delete().await;
}

#[tokio::test]
async fn e3_while_the_store_is_away_nothing_is_skipped() {
    let bench = Bench::new().await;
    let publishing = Publishing::start(&bench, Memory::default());
    publishing.add((1..=5).map(event).collect());
    publishing.published(5).await;
    publishing.memory.0.lock().unwrap().down = true;
    publishing.add((6..=50).map(event).collect());
    let running = &publishing.running;
    assert!(*running.up.borrow(), "the broker stays");
    publishing.memory.0.lock().unwrap().down = false;
    publishing.published(50).await;
    let saves = publishing.memory.0.lock().unwrap().saves;
    assert!(saves < 50, "{saves} saves: they are for runs, not for single events");
    publishing.end().await;
    Arrived::all(&bench, asset_of).await.check(50);
    bench.delete().await;
}

#[tokio::test]
async fn e3_a_broker_that_is_away_is_waited_for() {
    let bench = Bench::new().await;
    let mut publishing = Publishing::start(&bench, Memory::default());
    publishing.running.up.wait_for(|up| *up).await.expect("connected");
    bench.proxy.set(Weather::Refusing);
    bench.proxy.cut();
    publishing.running.up.wait_for(|up| !up).await.expect("noticed");
    publishing.add((1..=10).map(event).collect());
    bench.proxy.set(Weather::Fair);
    publishing.published(10).await;
    publishing.end().await;
    Arrived::all(&bench, asset_of).await.check(10);
    bench.delete().await;
}

/// A queue that refuses what it has no room for, as no queue of ours does: the broker answers with a nack.
#[tokio::test]
async fn e3_what_the_broker_refuses_is_sent_again_until_it_is_taken() {
    let bench = Bench::new().await;
    let mut table = FieldTable::default();
    table.insert("x-max-length".into(), AMQPValue::LongInt(5));
    table.insert("x-overflow".into(), AMQPValue::LongString("reject-publish".into()));
    bench.declare(table).await;
    let publishing = Publishing::start(&bench, Memory::default());
    publishing.add((1..=20).map(event).collect());
    // Nobody takes any out before some of them were refused.
    until("some were refused", async || publishing.memory.cursor().repeated > 0).await;
    let mut times = BTreeMap::<i64, u64>::new();
    bench
        .take_until(|delivery| {
            *times.entry(String::from_utf8_lossy(&delivery.data).parse().expect("an id")).or_default() += 1;
            times.len() == 20
        })
        .await;
    publishing.published(20).await;
    let repeated = publishing.memory.cursor().repeated;
    let duplicates: u64 = times.values().map(|times| times - 1).sum();
    assert!(repeated > 0 && repeated >= duplicates, "{repeated} counted, {duplicates} arrived");
    publishing.end().await;
    bench.delete().await;
}

#[tokio::test]
async fn a5_what_another_process_committed_is_not_published() {
    let bench = Bench::new().await;
    let publishing = Publishing::start(&bench, Memory::default());
    let theirs = (3..=5).map(|id| message(id, "ETHUSDT", "filled"));
    publishing
        .memory
        .0
        .lock()
        .unwrap()
        .messages
        .extend((1..=2).map(|id| message(id, "BTCUSDT", "created")).chain(theirs));
    publishing.committed.send_replace(2);
    publishing.published(2).await;
    publishing.committed.send_replace(3);
    publishing.published(3).await;
    assert_eq!(bench.waiting().await, 3);
    let memory = publishing.memory.clone();
    publishing.end().await;
    assert_eq!((memory.cursor().position, bench.waiting().await), (3, 3));
    bench.delete().await;
}

/// It led, lost the store to another process, and leads again: what the other one has published is not sent again.
#[tokio::test]
async fn a5_what_another_process_published_is_not_sent_again() {
    let bench = Bench::new().await;
    let publishing = Publishing::start(&bench, Memory::default());
    publishing.add((1..=2).map(event).collect());
    publishing.published(2).await;
    publishing.memory.0.lock().unwrap().cursor = Cursor { position: 5, repeated: 1 };
    publishing.add((3..=6).map(event).collect());
    publishing.published(6).await;
    assert_eq!((bench.waiting().await, publishing.memory.cursor().repeated), (3, 1));
    publishing.end().await;
    bench.delete().await;
}

#[tokio::test]
async fn e3_what_goes_out_once_is_not_doubted() {
    let bench = Bench::new().await;
    let publishing = Publishing::start(&bench, Memory::default());
    publishing.add((1..=20).map(event).collect());
    publishing.published(20).await;
    let doubted = publishing.doubted.clone();
    publishing.end().await;
    assert!(doubted.lock().unwrap().is_empty(), "{doubted:?}");
    bench.delete().await;
}
