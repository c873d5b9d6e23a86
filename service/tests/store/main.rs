//! The store against real runs: what is committed comes back, whatever happens in between.

mod reads;
mod writes;

use order_manager_core::config::Config;
use order_manager_core::journal::{self, Digest};
use order_manager_core::rows::{Projector, Rows};
use order_manager_core::unit::{Ratio, Symbol};
use order_manager_service::store::{Store, StoredStep};
use order_manager_sim::exchange::ExchangeConfig;
use order_manager_sim::month::{Month, read_signals};
use order_manager_sim::scenario::Link;
use order_manager_sim::world::World;
use order_manager_sim::{generate, prices};
use sqlx::{Connection as _, SqliteConnection};
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

/// An empty folder of this test's own.
pub(crate) fn folder(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("store").join(name);
    if folder.exists() {
        std::fs::remove_dir_all(&folder).expect("the folder of an earlier run");
    }
    std::fs::create_dir_all(&folder).expect("a folder");
    folder
}

/// Two days of signals, acted out once for all tests.
pub(crate) fn world() -> &'static World {
    static WORLD: OnceLock<World> = OnceLock::new();
    WORLD.get_or_init(|| {
        let made = generate::generate(5, 2, &folder("market")).expect("a generated market");
        let mut signals = read_signals(&std::fs::read_to_string(&made.signals).expect("signals"));
        let mut letter = signals[0].clone();
        letter.body = b"\xff no signal".to_vec();
        signals.insert(1, letter);
        let bars = prices::read_bars(&made.prices).expect("bars");
        let config = Config { market_order_spread_threshold: Ratio::default(), ..Config::default() };
        let (symbol, exchange) = (Symbol::clipped("BTCUSDT"), ExchangeConfig::default());
        Month { symbol, bars, signals, config, exchange, seed: 3, link: Link::Typed, keep_messages: true }.run()
    })
}

pub(crate) fn steps() -> &'static [StoredStep] {
    static STEPS: OnceLock<Vec<StoredStep>> = OnceLock::new();
    STEPS.get_or_init(|| {
        let step = |(bytes, digest): (&[u8], Digest)| {
            let record = journal::read_record(bytes).expect("a record");
            StoredStep { seq: record.seq, at: record.at, record: bytes.to_vec(), digest, events: record.events }
        };
        world().life.store.records().map(step).collect()
    })
}

pub(crate) fn rows(steps: &[StoredStep]) -> Rows {
    let (mut projector, mut rows) = (Projector::default(), Rows::default());
    steps.iter().for_each(|step| projector.follow_record(step.seq, step.at, &step.events, &mut rows));
    rows
}

pub(crate) async fn filled(name: &str, steps: &[StoredStep]) -> (PathBuf, Store) {
    let path = folder(name).join("om.sqlite");
    let mut store = Store::open(&path).await.expect("a store");
    for batch in steps.chunks(500) {
        store.commit(batch).await.expect("a commit");
    }
    (path, store)
}

pub(crate) async fn raw(path: &Path) -> SqliteConnection {
    let options = sqlx::sqlite::SqliteConnectOptions::new().filename(path).create_if_missing(true);
    SqliteConnection::connect_with(&options).await.expect("a connection")
}

pub(crate) async fn execute(path: &Path, text: &'static str) {
    let mut connection = raw(path).await;
    sqlx::raw_sql(text).execute(&mut connection).await.expect(text);
    connection.close().await.expect("closed");
}

/// Everything in the tables but the journal and the checkpoint, as text.
pub(crate) async fn dump(path: &Path) -> Vec<String> {
    let mut connection = raw(path).await;
    let tables = [
        "SELECT quote(id) || quote(order_id) || quote(signal_id) || side || order_type || quantity || quote(price) || status \
         || filled_quantity || quote(average_price) || quote(fees) || created_at || updated_at || quote(executed_at) \
         || quote(trace_id) || quote(rejection_reason) FROM orders ORDER BY id",
        "SELECT id || signal_id || order_id || quote(allocation_amount) || quote(allocation_quantity) || created_at \
         FROM signal_order_relationships ORDER BY id",
        "SELECT id || symbol || raw_response || created_at || updated_at FROM instrument_info ORDER BY id",
        "SELECT order_link_id || id || state || since || quote(evidence) || quote(order_id) || reason || quote(remainder) \
         FROM order_manager_orders_own ORDER BY order_link_id",
        "SELECT signal_id || state || quote(outcome) || quote(code) || text || tries || updated_at || verdicts || notes \
         || cancelled || quote(fingerprint) FROM order_manager_signals ORDER BY signal_id",
        "SELECT exec_id || quote(order_link_id) || quantity || price || fee || evidence FROM order_manager_executions \
         ORDER BY exec_id",
        "SELECT seq || ' ' || idx || reason || quote(body) FROM order_manager_dead_letters ORDER BY seq, idx",
        "SELECT id || ' ' || seq || ' ' || idx || event_id || body FROM order_manager_messages ORDER BY id",
    ];
    let mut lines = Vec::new();
    for text in tables {
        let rows: Vec<String> = sqlx::query_scalar(text).fetch_all(&mut connection).await.expect(text);
        lines.extend(rows);
    }
    lines
}
