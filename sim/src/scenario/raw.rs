//! The shape of a scenario file, before its words are read. Unknown fields are errors; every value keeps
//! its place in the text, so that later problems can point at it.

use serde::Deserialize;
use std::collections::BTreeMap;
use toml::{Spanned, Table};

/// A text with its place.
pub(super) type Word = Spanned<String>;
/// `{ BTCUSDT = "50100" }`.
pub(super) type Words = BTreeMap<Word, Word>;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawScenario {
    pub name: Word,
    pub about: Option<String>,
    pub seed: Option<u64>,
    #[serde(default)]
    pub sockets: bool,
    pub link: Option<Word>,
    pub duration: Option<Word>,
    pub heal: Option<Word>,
    #[serde(default)]
    pub config: Table,
    #[serde(default)]
    pub exchange: Table,
    #[serde(default)]
    pub prices: RawPrices,
    #[serde(default)]
    pub steps: Vec<Spanned<RawStep>>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawPrices {
    pub start: Option<Word>,
    pub symbol: Option<Word>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawStep {
    pub at: Word,
    pub signal: Option<Spanned<RawSignal>>,
    pub again: Option<Word>,
    pub price: Option<Spanned<Words>>,
    pub fault: Option<Spanned<RawFault>>,
    pub stream: Option<Word>,
    pub exchange: Option<Word>,
    pub store: Option<Word>,
    pub crash: Option<Spanned<RawCrash>>,
    pub silence: Option<Spanned<RawSilence>>,
    pub ban: Option<Word>,
    pub reconnect: Option<Spanned<RawReconnect>>,
    pub broker: Option<Spanned<RawBroker>>,
    pub commit: Option<Spanned<RawCommit>>,
    pub checkpoint: Option<Spanned<bool>>,
    pub checkpoint_every: Option<Spanned<u32>>,
    pub clock: Option<Spanned<RawClock>>,
    pub pause: Option<Word>,
    pub manual: Option<Spanned<RawManual>>,
    pub liquidity: Option<Spanned<RawLiquidity>>,
    pub reject_next: Option<Spanned<bool>>,
    pub quirk: Option<Spanned<RawQuirk>>,
    pub expect: Option<Spanned<RawExpect>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawSignal {
    pub id: Option<Word>,
    pub same_id_as: Option<Word>,
    pub symbol: Option<Word>,
    pub side: Option<Word>,
    pub amount: Option<Word>,
    pub confidence: Option<Word>,
    pub price: Option<Word>,
    pub spread: Option<Word>,
    pub age: Option<Word>,
    pub ahead: Option<Word>,
    pub urgency: Option<bool>,
    pub exit: Option<bool>,
    pub warmup: Option<bool>,
    pub strategy: Option<Word>,
    pub trace: Option<Word>,
    pub raw: Option<Word>,
    pub raw_hex: Option<Word>,
    pub deliveries: Option<Spanned<u32>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawFault {
    pub drop: Option<Word>,
    pub delay: Option<Word>,
    pub duplicate: Option<Word>,
    pub answer: Option<Spanned<i64>>,
    pub push_first: Option<Spanned<bool>>,
    pub reset: Option<Word>,
    pub refuse: Option<Word>,
    pub reorder: Option<Word>,
    pub of: Option<Word>,
    pub by: Option<Word>,
    pub count: Option<Spanned<u32>>,
    pub executed: Option<Spanned<bool>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawCrash {
    pub at: Word,
    pub on: Option<Word>,
    pub restart: Option<Word>,
    pub loss: Option<Word>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawSilence {
    pub of: Option<Word>,
    pub length: Word,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawReconnect {
    pub fails: Option<Spanned<u32>>,
    pub every: Option<Word>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawBroker {
    #[serde(rename = "do")]
    pub what: Word,
    pub count: Option<Spanned<u32>>,
    pub by: Option<Word>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawCommit {
    #[serde(rename = "do")]
    pub what: Word,
    pub count: Option<Spanned<u32>>,
    pub by: Option<Word>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawClock {
    pub step: Option<Word>,
    pub drift: Option<Spanned<i32>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawManual {
    pub side: Word,
    pub symbol: Option<Word>,
    pub quantity: Word,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawQuirk {
    pub name: Word,
    pub lag: Option<Word>,
    pub length: Option<Word>,
    pub count: Option<Spanned<u32>>,
    pub symbol: Option<Word>,
    pub side: Option<Word>,
    pub quantity: Option<Word>,
    pub rate: Option<Word>,
    pub away: Option<Word>,
    pub link: Option<Word>,
    pub reduce_only: Option<Spanned<bool>>,
    pub leverage: Option<Word>,
    pub tick: Option<Word>,
    pub step: Option<Word>,
    pub by: Option<Word>,
    pub ratio: Option<Word>,
    pub way: Option<Word>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawLiquidity {
    pub at_best: Word,
    pub symbol: Option<Word>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawExpect {
    pub orders: Option<u32>,
    pub open: Option<u32>,
    pub status: Option<Word>,
    #[serde(default)]
    pub signal: Words,
    #[serde(default)]
    pub code: Words,
    #[serde(default)]
    pub position: Words,
    pub fills: Option<u32>,
    pub rejected: Option<u32>,
    pub cancelled: Option<u32>,
    pub unknown: Option<u32>,
    pub dead_letters: Option<u32>,
    pub duplicates: Option<u32>,
    pub conflicts: Option<u32>,
    pub events: Option<Vec<Word>>,
    pub settled: Option<bool>,
    pub consistent: Option<bool>,
}
