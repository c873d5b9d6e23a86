use super::*;
use crate::clock::Clock;
use crate::desk::{Desk, Line};
use crate::exchange::Account;
use order_manager_core::event::Seq;
use order_manager_core::journal;
use order_manager_core::unit::Timestamp;
use secrecy::SecretString;
use sqlx::{Connection as _, SqliteConnection};
use std::path::{Path, PathBuf};
use tokio::task::JoinHandle;

const PATIENCE: Duration = Duration::from_secs(15);

/// A driver at work over a real store; nobody listens where its exchange should be.
struct Bench {
    folder: tempfile::TempDir,
    path: PathBuf,
    desk: Desk,
    ear: Ear,
    stop: watch::Sender<bool>,
    driver: JoinHandle<Result<Store, StoreError>>,
}

impl Bench {
    async fn start() -> Self {
        Self::with(Config::default()).await
    }

    async fn with(config: Config) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("store.db");
        let (ear, stop, desk, driver) = start_with(&path, config).await;
        let this = Self { folder, path, desk, ear, stop, driver };
        this.until("the store works", |desk| desk.health().store).await;
        this
    }

    async fn until(&self, what: &str, is: impl Fn(&Desk) -> bool) {
        until(what, || is(&self.desk)).await;
    }

    async fn execute(&self, text: &'static str) {
        let url = format!("sqlite://{}", self.path.display());
        let mut connection = SqliteConnection::connect(&url).await.expect("a connection");
        sqlx::query(text).execute(&mut connection).await.expect(text);
    }

    /// Ends the driver; the store stays.
    async fn end(self) -> (PathBuf, tempfile::TempDir) {
        self.stop.send_replace(true);
        self.driver.await.expect("no panic").expect("a good end");
        (self.path, self.folder)
    }

    /// Takes the journal away, and makes the driver notice.
    async fn store_down(&self) {
        self.execute("ALTER TABLE order_manager_journal RENAME TO away").await;
        self.ear.send(Heard::Stream(Stream::Down)).await.expect("heard");
        self.until("the store is down", |desk| !desk.health().store).await;
    }
}

async fn until(what: &str, is: impl Fn() -> bool) {
    let mut looks = tokio::time::interval(Duration::from_millis(10));
    let seen = async {
        while !is() {
            looks.tick().await;
        }
    };
    assert!(tokio::time::timeout(PATIENCE, seen).await.is_ok(), "not in time: {what}");
}

type AtWork = (Ear, watch::Sender<bool>, Desk, JoinHandle<Result<Store, StoreError>>);

async fn start(path: &Path) -> AtWork {
    start_with(path, Config::default()).await
}

async fn start_with(path: &Path, config: Config) -> AtWork {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let store = Store::open(path).await.expect("a store");
    let (ear, heard) = mpsc::channel(HEARD_MAX);
    let (desk, back) = Desk::pair(0);
    let (stop, stopped) = watch::channel(false);
    let account = Account {
        rest: "http://127.0.0.1:9".into(),
        stream: String::new(),
        key: "k".into(),
        secret: SecretString::from("s".to_string()),
    };
    let rest = Rest::new(account).expect("a client");
    let position_manager = None;
    let driver = Driver {
        store,
        config,
        rest,
        position_manager,
        balances: None,
        ear: ear.clone(),
        heard,
        back,
        stop: stopped,
        given: None,
    };
    (ear, stop, desk, tokio::spawn(driver.run()))
}

#[tokio::test]
async fn t6_a_stream_that_comes_up_while_the_store_is_down_is_up_afterwards() {
    let bench = Bench::start().await;
    bench.store_down().await;
    bench.ear.send(Heard::Stream(Stream::Up)).await.expect("heard");
    bench.until("it is heard", |_| bench.ear.capacity() == HEARD_MAX).await;
    bench.execute("ALTER TABLE away RENAME TO order_manager_journal").await;
    bench.until("the store is back", |desk| desk.health().store).await;
    let reader = crate::store::Reader::open(&bench.path).await.expect("a reader");
    let records = reader.journal(Seq(1), 1_000).await.expect("the journal");
    let inputs: Vec<Input> =
        records.iter().map(|stored| journal::read_record(&stored.record).expect("a record").input).collect();
    let begun = inputs.iter().rposition(|input| matches!(input, Input::Started(_))).expect("a life");
    let up = |input: &Input| matches!(input, Input::Stream(stream) if **stream == Stream::Up);
    assert!(begun > 0, "another life began");
    assert!(inputs[begun..].iter().any(up), "the new manager does not know that the stream is up");
}

#[tokio::test]
async fn t6_a_store_that_cannot_be_asked_for_a_signal_is_down() {
    let bench = Bench::start().await;
    bench.execute("ALTER TABLE order_manager_signals RENAME TO away").await;
    assert_eq!(bench.desk.bring(None, signal(1, "BTCUSDT")).await, Err(DeskError::StoreDown));
    bench.until("the store is down", |desk| !desk.health().store && !desk.health().accepting).await;
    bench.execute("ALTER TABLE away RENAME TO order_manager_signals").await;
    bench.until("the store is back", |desk| desk.health().store).await;
    let taken = bench.desk.bring(None, signal(1, "BTCUSDT")).await;
    assert!(matches!(taken, Ok(Receipt::Accepted(_))), "{taken:?}");
    bench.end().await;
}

#[tokio::test]
async fn o2_an_answer_to_a_manager_that_is_gone_is_not_the_next_ones() {
    let bench = Bench::start().await;
    bench.store_down().await;
    bench.execute("ALTER TABLE away RENAME TO order_manager_journal").await;
    bench.until("the store is back", |desk| desk.health().store).await;
    let wallet = |life: u32| {
        let answer = Box::new(Answer::Lost { why: order_manager_core::unit::Text::clipped("late") });
        Heard::Answered { life, tag: order_manager_core::input::Tag::Wallet, answer }
    };
    for life in [1, 2] {
        bench.ear.send(wallet(life)).await.expect("heard");
    }
    bench.until("both are heard", |_| bench.ear.capacity() == HEARD_MAX).await;
    let (path, _folder) = bench.end().await;
    let reader = crate::store::Reader::open(&path).await.expect("a reader");
    let records = reader.journal(Seq(1), 1_000).await.expect("the journal");
    let late = |input: &Input| matches!(input, Input::Reply { tag: order_manager_core::input::Tag::Wallet, .. });
    let inputs = records.iter().map(|stored| journal::read_record(&stored.record).expect("a record").input);
    assert_eq!(inputs.filter(late).count(), 1, "only the answer to the manager that lives");
}

#[tokio::test]
async fn a5_the_process_ends_when_told_while_the_store_is_down() {
    let bench = Bench::start().await;
    bench.store_down().await;
    bench.stop.send_replace(true);
    let ended = tokio::time::timeout(PATIENCE, bench.driver).await.expect("it ends").expect("no panic");
    assert!(ended.is_err(), "the exit must say that the store does not work");
}

#[tokio::test]
async fn s4_a_row_that_the_store_refuses_does_not_end_the_service() {
    let bench = Bench::start().await;
    bench
        .execute(
            "CREATE TRIGGER refuse BEFORE INSERT ON order_manager_dead_letters \
             BEGIN SELECT RAISE(ABORT, 'refused'); END",
        )
        .await;
    assert_eq!(bench.desk.bring(None, b"x".to_vec()).await, Err(DeskError::StoreDown));
    bench.execute("DROP TRIGGER refuse").await;
    bench.until("signals are taken again", |desk| desk.health().accepting).await;
    let taken = bench.desk.bring(None, b"x".to_vec()).await;
    assert!(matches!(taken, Ok(Receipt::DeadLettered(_))), "{taken:?}");
}

/// Steps until the journal is long, then looks what a restore reads; and once more beside a checkpoint that this
/// build cannot read.
#[tokio::test]
async fn t1_a_long_journal_is_folded_once_and_a_checkpoint_is_safe_to_lose() {
    let bench = Bench::start().await;
    for _ in 0..CHECKPOINT_MIN {
        bench.ear.send(Heard::Stream(Stream::Frame(Bytes(b"{}".to_vec())))).await.expect("heard");
    }
    bench.until("all is committed", |_| bench.ear.capacity() == HEARD_MAX).await;
    let (path, _folder) = bench.end().await;

    let (_ear, stop, desk, driver) = start(&path).await;
    until("it takes signals", || desk.health().accepting).await;
    stop.send_replace(true);
    driver.await.expect("no panic").expect("a good end");
    let mut store = Store::open(&path).await.expect("a store");
    let restored = store.restore().await.expect("restored");
    assert!(restored.checkpoint.is_some() && restored.steps.len() < 100, "{} records", restored.steps.len());
    let whole = store.restore_whole().await.expect("restored");
    let (short, long) = (fold(&restored).expect("folded"), fold(&whole).expect("folded"));
    assert_eq!((short.seq(), short.now(), short.digest()), (long.seq(), long.now(), long.digest()));
    assert_eq!(short.durable(), long.durable());
    drop(store);

    let mut store = Store::open(&path).await.expect("a store");
    store.save_checkpoint(short.seq(), b"of another build").await.expect("saved");
    drop(store);
    let (_ear, stop, desk, driver) = start(&path).await;
    until("it lives without its checkpoint", || desk.health().accepting).await;
    stop.send_replace(true);
    driver.await.expect("no panic").expect("a good end");
}

fn signal(number: u32, asset: &str) -> Vec<u8> {
    let now = Clock::start(Timestamp(0)).now();
    format!(
        r#"{{"signal_id":"00000000-0000-4000-8000-{number:012}","signal_type":"buy","asset":"{asset}","amount":1000,
        "confidence":0.95,"timestamp":"{now}","strategy_id":"s","market_data_snapshot":{{"price":50000}}}}"#
    )
    .into_bytes()
}

/// Brings signals at once in one line, and waits for what each is told.
async fn bring_in_line(desk: &Desk, signals: Vec<Vec<u8>>) -> Vec<Result<Receipt, DeskError>> {
    let (line, mut receipts) = (Line::default(), Vec::new());
    for body in signals {
        receipts.push(desk.bring_in_line(&line, None, body).await.expect("the desk is open"));
    }
    let mut told = Vec::new();
    for receipt in receipts {
        told.push(tokio::time::timeout(PATIENCE, receipt).await.expect("in time").expect("an answer"));
    }
    told
}

#[tokio::test]
async fn s5_behind_a_signal_without_room_none_of_its_line_is_taken_not_even_of_another_symbol() {
    let bench = Bench::with(Config { lane_max: 2, ..Config::default() }).await;
    // The exchange's clock is not known: none is at work, two wait, and the lane is full.
    let signals = [(1, "BTCUSDT"), (2, "BTCUSDT"), (3, "BTCUSDT"), (4, "ETHUSDT"), (5, "BTCUSDT")];
    let told = bring_in_line(&bench.desk, signals.map(|(number, asset)| signal(number, asset)).into()).await;
    assert!(matches!(told[..2], [Ok(Receipt::Accepted(_)), Ok(Receipt::Accepted(_))]), "{told:?}");
    assert_eq!(told[2..], [Err(DeskError::Full { max: 2 }), Err(DeskError::StoreDown), Err(DeskError::StoreDown)]);
    let again = bring_in_line(&bench.desk, vec![signal(4, "ETHUSDT")]).await;
    assert!(matches!(again[0], Ok(Receipt::Accepted(_))), "on another line: {again:?}");
}

#[tokio::test]
async fn s4_a_signal_whose_row_the_store_refuses_is_set_aside_and_only_it() {
    let bench = Bench::start().await;
    bench
        .execute(
            "CREATE TRIGGER refuse BEFORE INSERT ON order_manager_signals WHEN NEW.asset = 'XRPUSDT' \
             BEGIN SELECT RAISE(ABORT, 'refused'); END",
        )
        .await;
    let signals = [(1, "BTCUSDT"), (2, "XRPUSDT"), (3, "BTCUSDT")];
    let told = bring_in_line(&bench.desk, signals.map(|(number, asset)| signal(number, asset)).into()).await;
    assert!(matches!(told[1], Ok(Receipt::DeadLettered(_))), "its caller is told: {told:?}");
    bench.until("signals are taken again", |desk| desk.health().accepting).await;
    // Those beside it were taken, or come again; nothing else of them is lost.
    let again: Vec<_> = [0, 2].into_iter().filter(|at| told[*at].is_err()).map(|at| signals[at]).collect();
    let bodies = again.iter().map(|(number, asset)| signal(*number, asset)).collect();
    let told = bring_in_line(&bench.desk, bodies).await;
    assert!(told.iter().all(|told| matches!(told, Ok(Receipt::Accepted(_)))), "{told:?}");
    let reader = crate::store::Reader::open(&bench.path).await.expect("a reader");
    let letters = reader.dead_letters(1, 10).await.expect("dead letters");
    assert_eq!(letters.total_items, 1);
    assert!(letters.items[0].body.contains("XRPUSDT"), "{letters:?}");
}
