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
//! Times are whole numbers with a unit: `500us`, `250ms`, `10s`, `2m`, `1h`. Beside `steps` a file may say `about`,
//! `seed`, `link`, `duration`, `heal`, `sockets` and the tables `[prices]`, `[config]` and `[exchange]`.
//!
//! A scenario may also be made in code ([`Scenario::made`]); [`write()`] gives the file of it.
//!
//! A step does one thing. Words that it does not know are errors that name the nearest known one.
//!
//! | step | example | what happens |
//! |---|---|---|
//! | `signal` | `{ id = "s-1", side = "buy", amount = "500" }` | a signal is delivered; `{ raw = ".." }`: any body |
//! | | `{ id = "s-2", .., age = "90s" }` | its timestamp is older, or `ahead` of the moment at which it comes |
//! | `again` | `"s-1"` | an earlier signal is delivered again, as it came |
//! | `price` | `{ BTCUSDT = "50100" }` | the market moves; `{ touch = "BTCUSDT" }`: to our oldest resting order |
//! | `manual` | `{ side = "sell", quantity = "0.1" }` | another hand on the account trades |
//! | `liquidity` | `{ at_best = "0.5" }` | the book becomes this deep |
//! | `reject_next` | `true` | the next order is acknowledged, then rejected by the engine |
//! | `quirk` | `{ name = ".." }` | the exchange does something odd: see [`crate::exchange::Quirk`] |
//! | `fault` | `{ drop = "reply", of = "create", count = 2 }` | messages go wrong: see below |
//! | `silence` | `{ of = "order", length = "20s" }` | pushes vanish on a stream that stays up |
//! | `ban` | `"10m"` | the exchange answers 403 to everything |
//! | `stream` | `"down"`, `"up"` | the private stream is kept down |
//! | `reconnect` | `{ fails = 3, every = "1s" }` | it breaks, and comes back after attempts that fail |
//! | `exchange` | `"down"`, `"up"` | nothing goes there or comes from there |
//! | `broker` | `{ do = "redeliver" }` | all that nobody acknowledged comes again; also `duplicate`, `lose-ack`, `reorder` |
//! | `store` | `"down"`, `"up"` | nothing can be written or read |
//! | `commit` | `{ do = "slow", by = "3s", count = 2 }` | the next commits take long, or `fail` |
//! | `checkpoint` | `true` | one is taken; `checkpoint_every = 100`: at each start that has 100 records to read |
//! | `crash` | `{ at = "after-persist", on = "create", loss = "torn" }` | the process dies in the next step that fits |
//! | `clock` | `{ step = "-3s" }`, `{ drift = 200 }` | the host's wall clock jumps; its clocks run fast (millionths) |
//! | `pause` | `"40s"` | the process stands still; then all that came in comes at once |
//! | `expect` | `{ orders = 1, status = "filled" }` | something must be true now |
//!
//! A `fault` is one of `drop`, `delay` (`by`), `duplicate`, `reorder` (at most `by`), each of a `"request"`, `"reply"`
//! or `"push"`; `reset` of a `"request"` (never carried out; with `by`: so much later all the same) or `"reply"`;
//! `refuse = "request"`; `answer` with a retCode or an HTTP status (`executed`: carried out all the same);
//! `push_first = true`. `of` says which requests or which topic, `count` how many. A `crash` is `at` before-persist,
//! after-persist or after-request, `on` signal, reply, push, request or one request's word; its `loss` is kill,
//! unsynced, torn, twice, old-checkpoint, no-checkpoint or in-recovery.

mod around;
mod crash;
mod expect;
mod fault;
mod problem;
mod quirk;
mod raw;
mod read;
mod signal;
mod word;
mod write;

pub use around::{Broker, Clock, Commit, CommitTrouble, Messages, Reconnect, Silence};
pub use crash::{Crash, CrashMoment, CrashOn, Loss};
pub use expect::{EventWord, Expect, OrderWord, SignalWord};
pub use fault::{Answer, Effect, Fault, FaultKind, Message, Path, Pushes, Requests, Topic};
pub use problem::{Problem, ScenarioError, nearest};
pub use quirk::write as write_quirk;
pub use signal::{RawStep, SignalStep, signal_body, signal_id, signal_json};
pub use write::write;

use crate::exchange::Quirk;
use order_manager_core::config::{Config, ConfigFault};
use order_manager_core::unit::{Decimal, Price, Quantity, Side, SignalId, Span, Symbol};
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
    /// After `duration` all faults end, no signal comes, and that long passes before what must hold at last is
    /// judged. Default none: nothing heals by itself.
    pub heal: Option<Span>,
    /// Table `[config]`: the core's configuration, unread. See [`Scenario::rules`].
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

impl Link {
    /// The word as a scenario spells it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Typed => "typed",
            Self::Bytes => "bytes",
        }
    }
}

/// What the market trades at first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Prices {
    /// The symbol of all steps that name none. Default BTCUSDT.
    pub symbol: Symbol,
    /// Its first price. Default 50000.
    pub start: Price,
}

impl Default for Prices {
    fn default() -> Self {
        Self { symbol: Symbol::clipped("BTCUSDT"), start: Price(Decimal::from(50_000)) }
    }
}

/// One thing at one moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// When, after the start.
    pub at: Span,
    /// Its first line in the file, from 1; 0 where there is no file.
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
    /// An earlier signal, by alias, is delivered again as it came.
    Again(String),
    /// The market moves: new prices by symbol.
    Price(BTreeMap<Symbol, Price>),
    /// The price comes just as far as an order of ours that rests, the oldest one; nowhere where none does.
    Touch(Symbol),
    /// The exchange does something odd by itself.
    Quirk(Quirk),
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
    /// Pushes vanish for a while, on a stream that stays up.
    Silence(Silence),
    /// The exchange bans our address for so long: it answers 403 to everything, and carries nothing out.
    Ban(Span),
    /// The private stream breaks and comes back by itself.
    Reconnect(Reconnect),
    /// The broker of the signals misbehaves.
    Broker(Broker),
    /// Commits go wrong.
    Commit(Commit),
    /// A checkpoint is taken, as soon as nothing is being written.
    Checkpoint,
    /// From now on a process that starts and has so many records to read takes one, as the service does.
    CheckpointEvery(u32),
    /// The clock of the manager's host goes wrong.
    Clock(Clock),
    /// The process stands still for so long: it handles nothing, its timers do not fire, and what comes in waits.
    Pause(Span),
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

/// After the last step, where nothing else is said.
const AFTERWARDS: Span = Span::secs(30);

impl Scenario {
    /// A scenario that no file holds: nothing happens in it yet.
    #[must_use]
    pub fn made(name: &str) -> Self {
        Self {
            name: name.to_string(),
            about: String::new(),
            seed: 1,
            sockets: false,
            link: None,
            duration: AFTERWARDS,
            heal: None,
            config: toml::Table::new(),
            exchange: toml::Table::new(),
            prices: Prices::default(),
            steps: Vec::new(),
            path: format!("{name}.toml"),
            text: String::new(),
        }
    }

    /// When a run with these steps ends, where nothing else is said.
    #[must_use]
    pub fn usual_duration(steps: &[Step]) -> Span {
        Span(steps.last().map_or(0, |step| step.at.0).saturating_add(AFTERWARDS.0))
    }

    /// `[config]` read as the caller's type; problems point into the file.
    pub fn config_as<T: DeserializeOwned + Default>(&self) -> Result<T, ScenarioError> {
        #[derive(serde::Deserialize)]
        struct Only<T> {
            #[serde(rename = "config")]
            _config: T,
        }
        self.section(&self.config, |text| toml::from_str::<Only<T>>(text).err())
    }

    /// The core's configuration, every value of it in its range.
    ///
    /// # Errors
    /// What cannot be read, or is out of its range.
    pub fn rules(&self) -> Result<Config, ScenarioError> {
        let config: Config = self.config_as()?;
        let problem = |fault: ConfigFault| {
            let span =
                self.text.find(&format!("\n{} ", fault.name)).map_or(0..0, |at| at + 1..at + 1 + fault.name.len());
            let help = format!("it may be {}: {}", fault.range, fault.remedy);
            Problem { span, message: format!("{} is {}", fault.name, fault.value), label: "out of range".into(), help }
        };
        config.validate().map_err(|faults| {
            let problems = faults.into_iter().map(problem).collect();
            ScenarioError { path: self.path.clone(), text: self.text.clone(), problems }
        })?;
        Ok(config)
    }

    /// `[exchange]` read as the caller's type; problems point into the file.
    pub fn exchange_as<T: DeserializeOwned + Default>(&self) -> Result<T, ScenarioError> {
        #[derive(serde::Deserialize)]
        struct Only<T> {
            #[serde(rename = "exchange")]
            _exchange: T,
        }
        self.section(&self.exchange, |text| toml::from_str::<Only<T>>(text).err())
    }

    /// What the table says. Where it cannot be read a text shows the place: the file's, else the one that would be
    /// written of it.
    fn section<T: DeserializeOwned + Default>(
        &self,
        table: &toml::Table,
        problem_in: impl Fn(&str) -> Option<toml::de::Error>,
    ) -> Result<T, ScenarioError> {
        if table.is_empty() {
            return Ok(T::default());
        }
        table.clone().try_into().map_err(|unplaced| {
            let path = self.path.clone();
            for text in [self.text.clone(), write(self)] {
                if let Some(placed) = problem_in(&text).filter(|placed| placed.message() == unplaced.message()) {
                    return ScenarioError { path, text, problems: vec![Problem::of_toml(&placed)] };
                }
            }
            ScenarioError { path, text: String::new(), problems: vec![Problem::of_toml(&unplaced)] }
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

/// Reads the text of a scenario; `path` is its name in problems, `stem` what its `name` must be.
///
/// # Errors
/// Everything that is wrong with it.
pub fn parse(path: &str, stem: &str, text: &str) -> Result<Scenario, ScenarioError> {
    read::read(path, stem, text)
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
