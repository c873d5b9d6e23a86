//! Scenarios: TOML that a person writes, read into steps that a world carries out.
//!
//! ```toml
//! # A reply is lost after Bybit accepted the order.
//! name = "lost-reply"                  # the name of the file
//!
//! [[steps]]
//! at = "0ms"                           # ms, s, m or h after the start
//! signal = { id = "s-1", side = "buy", amount = "500" }
//!
//! [[steps]]
//! at = "0ms"
//! fault = { drop = "reply", of = "create" }
//!
//! [[steps]]
//! at = "10s"
//! expect = { orders = 1, status = "filled" }
//! ```
//!
//! A step does one thing: `signal`, `again`, `price`, `fault`, `stream`, `exchange`, `store`, `crash`, `manual`,
//! `liquidity`, `reject_next` or `expect`. Words that it does not know are errors that name the nearest known one.

mod expect;
mod fault;
mod problem;
mod raw;
mod read;
mod signal;
mod word;

pub use expect::{EventWord, Expect, OrderWord, SignalWord};
pub use fault::{Answer, Crash, CrashMoment, CrashOn, Effect, Fault, FaultKind, Path, Pushes, Requests, Topic};
pub use problem::{Problem, ScenarioError, nearest};
pub use signal::{RawStep, SignalStep, signal_body, signal_id};

use order_manager_core::unit::{Price, Quantity, Side, SignalId, Span, Symbol};
use serde::de::DeserializeOwned;
use std::collections::BTreeMap;
use std::fs;

/// One story: a world, what happens in it, and what must come of it.
#[derive(Clone, Debug)]
pub struct Scenario {
    /// The stem of its file's name.
    pub name: String,
    /// What it tells, for people: `about`, else the file's leading comment.
    pub about: String,
    /// Seed of everything that the file leaves open. Default 1.
    pub seed: u64,
    /// Must it also run over real sockets?
    pub sockets: bool,
    /// The link that it needs, where it needs one.
    pub link: Option<Link>,
    /// When the run ends. Default 30 s after the last step.
    pub duration: Span,
    /// Table `[config]`: the core's configuration, unread. See [`Scenario::config_as`].
    pub config: toml::Table,
    /// Table `[exchange]`: the exchange's configuration, unread. See [`Scenario::exchange_as`].
    pub exchange: toml::Table,
    /// What the market trades at first.
    pub prices: Prices,
    /// Steps by moment; those of one moment in the order of the file.
    pub steps: Vec<Step>,
    path: String,
    text: String,
}

/// How the simulated exchange is spoken to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Link {
    /// Typed values.
    Typed,
    /// JSON, headers and signatures.
    Bytes,
}

/// What the market trades at first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Prices {
    /// The symbol of all steps that name none. Default BTCUSDT.
    pub symbol: Symbol,
    /// Its first price. Default 50000.
    pub start: Price,
}

/// One thing at one moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// When, after the start.
    pub at: Span,
    /// Its first line in the file, from 1.
    pub line: usize,
    /// What.
    pub action: Action,
}

/// What happens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// A signal is delivered.
    Signal(SignalStep),
    /// A body that need not be a signal is delivered.
    Raw(RawStep),
    /// The bytes of an earlier signal, by alias, are delivered again.
    Again(String),
    /// The market moves: new prices by symbol.
    Price(BTreeMap<Symbol, Price>),
    /// Something goes wrong from now on.
    Fault(Fault),
    /// The private stream is cut.
    StreamDown,
    /// The private stream comes back.
    StreamUp,
    /// Nothing reaches the exchange, and nothing comes from there.
    ExchangeDown,
    /// It can be reached again.
    ExchangeUp,
    /// Nothing can be written or read.
    StoreDown,
    /// The store works again.
    StoreUp,
    /// The process dies in the next step that fits.
    Crash(Crash),
    /// Somebody else trades on the account.
    Manual(Manual),
    /// The book becomes this deep.
    Liquidity(Liquidity),
    /// The exchange acknowledges the next create, then its matching engine rejects the order.
    RejectNext,
    /// Something must be true now.
    Expect(Expect),
}

/// A market order of the account that is not ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Manual {
    /// Buy or sell.
    pub side: Side,
    /// Instrument.
    pub symbol: Symbol,
    /// Base units.
    pub quantity: Quantity,
}

/// Depth of the book.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Liquidity {
    /// Instrument.
    pub symbol: Symbol,
    /// What can be traded at each new best price, base units.
    pub at_best: Quantity,
}

impl Scenario {
    /// `[config]` read as the caller's type; problems point into the file.
    pub fn config_as<T: DeserializeOwned + Default>(&self) -> Result<T, ScenarioError> {
        #[derive(serde::Deserialize)]
        #[serde(bound = "T: DeserializeOwned + Default")]
        struct Only<T> {
            #[serde(default)]
            config: T,
        }
        self.section(|only: Only<T>| only.config)
    }

    /// `[exchange]` read as the caller's type; problems point into the file.
    pub fn exchange_as<T: DeserializeOwned + Default>(&self) -> Result<T, ScenarioError> {
        #[derive(serde::Deserialize)]
        #[serde(bound = "T: DeserializeOwned + Default")]
        struct Only<T> {
            #[serde(default)]
            exchange: T,
        }
        self.section(|only: Only<T>| only.exchange)
    }

    fn section<W: DeserializeOwned, T>(&self, open: impl Fn(W) -> T) -> Result<T, ScenarioError> {
        toml::from_str(&self.text).map(open).map_err(|e| ScenarioError {
            path: self.path.clone(),
            text: self.text.clone(),
            problems: vec![Problem::of_toml(&e)],
        })
    }

    /// The file, as it was named.
    #[must_use]
    pub fn path(&self) -> &str {
        &self.path
    }

    /// The alias of a signal, for traces; the first one where several share an id.
    #[must_use]
    pub fn alias_of(&self, id: SignalId) -> Option<&str> {
        self.steps.iter().find_map(|step| match &step.action {
            Action::Signal(signal) if signal.id == id => Some(signal.alias.as_str()),
            _ => None,
        })
    }
}

/// Reads one scenario file.
pub fn load(path: &std::path::Path) -> Result<Scenario, ScenarioError> {
    let shown = path.display().to_string();
    let stem = path.file_stem().unwrap_or_default().to_string_lossy();
    match fs::read_to_string(path) {
        Ok(text) => read::read(&shown, &stem, &text),
        Err(e) => Err(ScenarioError::unreadable(shown, &e)),
    }
}

/// Reads what happens in one step from a JSON object of the step's own words: of
/// `{"fault": {"drop": "reply", "of": "create"}}` the fault. The one grammar serves files and requests.
///
/// # Errors
/// What is wrong with it, each with the nearest word that is right.
pub fn action_of(name: &str, value: &serde_json::Value) -> Result<Action, ScenarioError> {
    let mut text = format!("name = \"step\"\n\n[[steps]]\nat = \"0ms\"\n{name} = ");
    word::write_toml(&mut text, value);
    let mut scenario = read::read("step", "step", &text)?;
    let step = scenario.steps.pop();
    step.map(|step| step.action).ok_or_else(|| ScenarioError { path: "step".into(), text, problems: Vec::new() })
}

/// Reads every `*.toml` of a folder, by name. Each file is read for itself: one broken file does not hide
/// the others.
pub fn load_dir(path: &std::path::Path) -> Result<Vec<Result<Scenario, ScenarioError>>, ScenarioError> {
    let unreadable = |e| ScenarioError::unreadable(path.display().to_string(), &e);
    let mut files = Vec::new();
    for entry in fs::read_dir(path).map_err(unreadable)? {
        let file = entry.map_err(unreadable)?.path();
        if file.extension().is_some_and(|extension| extension == "toml") {
            files.push(file);
        }
    }
    files.sort();
    Ok(files.iter().map(|file| load(file)).collect())
}

#[cfg(test)]
mod tests;
