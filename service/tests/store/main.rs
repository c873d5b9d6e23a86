//! The store against real runs: what is committed comes back, whatever happens in between. On a file and on a
//! PostgreSQL server, alike.

mod alike;
mod files;
mod home;
mod outbox;
mod reads;
mod servers;
mod writes;

use home::{Home, folder};
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
use std::sync::OnceLock;

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

/// A store with these steps in it.
pub(crate) async fn filled(home: &Home, steps: &[StoredStep]) -> Store {
    let mut store = home.open().await;
    for batch in steps.chunks(500) {
        store.commit(batch).await.expect("a commit");
    }
    store
}
