//! The fake Bybit of the tests that run the service as a process, and the clock that both go by.
#![allow(dead_code, reason = "each test crate uses its part")]

use order_manager_core::unit::Timestamp;
use order_manager_sim::exchange::{ExchangeConfig, InstrumentConfig};
use order_manager_sim::serve::{self, Prices, ServeConfig, Served};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Opens it: prices walk, so that resting orders fill.
pub(crate) async fn open(seed: u64) -> std::io::Result<Served> {
    let prices = Prices::Walk { every: Duration::from_millis(10) };
    serve::spawn(ServeConfig { exchange: exchange(), prices, seed, ..Default::default() }).await
}

/// Several symbols, so that one that waits for a proof of absence leaves the others at work.
pub(crate) fn exchange() -> ExchangeConfig {
    let mut config = ExchangeConfig::default();
    let more = ["SOLUSDT", "XRPUSDT", "ADAUSDT", "DOGEUSDT"];
    config.instruments.extend(more.map(|name| InstrumentConfig {
        symbol: order_manager_core::unit::Text::clipped(name),
        base: order_manager_core::unit::Text::clipped(name.trim_end_matches("USDT")),
        ..InstrumentConfig::ethusdt()
    }));
    config
}

/// Wall time.
pub(crate) fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp(u64::try_from(since.as_micros()).unwrap_or(u64::MAX))
}
