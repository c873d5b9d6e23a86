//! A scenario acted out: its steps at their times, its expectations judged.

use super::{Message, Setup, Trace, World};
use crate::exchange::ExchangeConfig;
use crate::judge;
use crate::oracle::Set;
use crate::scenario::{Action, EventWord, Expect, Link, OrderWord, Scenario, ScenarioError, SignalWord, signal_json};
use order_manager_core::config::Config;
use order_manager_core::event::Change;
use order_manager_core::manager::{Durable, Stage};
use order_manager_core::order::{State, Status};
use order_manager_core::outcome::Outcome;
use order_manager_core::unit::{Price, SignalId, Span, Text, Timestamp};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Debug;
use std::iter::repeat_n;

/// 2024-01-01T00:00:00Z: when every scenario begins.
pub const START: Timestamp = Timestamp(1_704_067_200_000_000);
/// The manager has this long to start before the first step.
const WARM_UP: Span = Span::secs(2);

/// An expectation that did not hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// Line of the step in the scenario's file.
    pub line: usize,
    /// When, since the first step.
    pub at: Span,
    /// What was expected and what is.
    pub what: String,
}

/// What a scenario is acted out with.
#[derive(Clone, Debug)]
pub struct Staging {
    /// The manager's rules.
    pub config: Config,
    /// The exchange.
    pub exchange: ExchangeConfig,
    /// How both talk.
    pub link: Link,
    /// Seed of what the scenario leaves open.
    pub seed: u64,
    /// Is the story told, line by line?
    pub trace: bool,
    /// Which oracles watch.
    pub oracles: Set,
}

/// Acts a scenario out with its story told and every oracle watching. `link` and `seed` win over its own.
///
/// # Errors
/// A `[config]` or `[exchange]` section that cannot be read.
pub fn run_script(
    scenario: &Scenario,
    link: Option<Link>,
    seed: Option<u64>,
) -> Result<(World, Vec<Failure>), ScenarioError> {
    run_script_under(scenario, link, seed, Set::all())
}

/// The same with only these oracles watching.
///
/// # Errors
/// A `[config]` or `[exchange]` section that cannot be read.
pub fn run_script_under(
    scenario: &Scenario,
    link: Option<Link>,
    seed: Option<u64>,
    oracles: Set,
) -> Result<(World, Vec<Failure>), ScenarioError> {
    let stage = Staging {
        config: scenario.rules()?,
        exchange: scenario.exchange_as()?,
        link: link.or(scenario.link).unwrap_or(Link::Typed),
        seed: seed.unwrap_or(scenario.seed),
        trace: true,
        oracles,
    };
    Ok(act_out(scenario, stage))
}

/// Acts a scenario out on this stage, its own sections unread. Where an oracle does not hold it ends there:
/// [`World::broken`].
#[must_use]
pub fn act_out(scenario: &Scenario, stage: Staging) -> (World, Vec<Failure>) {
    act_out_with(scenario, stage, WARM_UP, |_| {})
}

/// The same in a world that is made ready before anything happens in it, with so much time before the first step.
#[must_use]
pub fn act_out_with(
    scenario: &Scenario,
    stage: Staging,
    warm_up: Span,
    ready: impl FnOnce(&mut World),
) -> (World, Vec<Failure>) {
    let Staging { config, exchange, link, seed, trace, oracles } = stage;
    let prefix = config.link_id_prefix;
    let start = Timestamp(START.0 - warm_up.0);
    let mut world = World::new(Setup { config, exchange, link, start, seed, keep_messages: trace, oracles });
    if trace {
        let aliases = scenario.steps.iter().filter_map(|step| match &step.action {
            Action::Signal(signal) => Some((signal.id, signal.alias.clone())),
            _ => None,
        });
        world.trace = Some(Trace::new(START, prefix, aliases.collect()));
    }
    ready(&mut world);
    world.set_price(scenario.prices.symbol, scenario.prices.start);
    world.run_to(START);
    let again = scenario.steps.iter().filter_map(|step| match &step.action {
        Action::Again(alias) => Some(alias.as_str()),
        _ => None,
    });
    let mut script = Script { scenario, again: again.collect(), messages: BTreeMap::new(), failures: Vec::new() };
    for step in &scenario.steps {
        world.run_to(START.after(step.at));
        if world.broken().is_some() {
            return (world, script.failures);
        }
        script.act(&mut world, step.line, &step.action);
    }
    world.run_to(START.after(scenario.duration));
    if let (Some(heal), None) = (scenario.heal, world.broken()) {
        world.heal();
        world.run_to(world.now.after(heal));
        world.judge_healed();
    }
    (world, script.failures)
}

struct Script<'a> {
    scenario: &'a Scenario,
    /// Signals that are sent again.
    again: BTreeSet<&'a str>,
    /// Those of them that were sent.
    messages: BTreeMap<&'a str, Message>,
    failures: Vec<Failure>,
}

impl<'a> Script<'a> {
    fn act(&mut self, world: &mut World, line: usize, action: &'a Action) {
        world.watch.scripted(action);
        match action {
            Action::Signal(signal) => {
                let current = world.exchange.last_price(signal.symbol).unwrap_or(Price::ZERO);
                let message = Message::of(&signal_json(signal, world.now, current), world.wire.kind());
                if self.again.contains(signal.alias.as_str()) {
                    self.messages.insert(&signal.alias, message.clone());
                }
                repeat_n(message, signal.deliveries as usize).for_each(|message| world.bring_message(message));
            }
            Action::Raw(raw) => (0..raw.deliveries).for_each(|_| world.bring(raw.body.clone())),
            Action::Again(alias) => {
                if let Some(message) = self.messages.get(alias.as_str()) {
                    world.bring_message(message.clone());
                }
            }
            Action::Price(prices) => prices.iter().for_each(|(symbol, price)| {
                if !world.set_price(*symbol, *price) {
                    self.fail(world, line, format!("the exchange does not list {symbol}"));
                }
            }),
            Action::Fault(fault) => world.wire.add_fault(*fault),
            Action::StreamDown => world.stream_down(),
            Action::StreamUp => world.stream_up(),
            Action::ExchangeDown => world.exchange_down(),
            Action::ExchangeUp => world.exchange_up(),
            Action::StoreDown => world.store_down(),
            Action::StoreUp => world.store_up(),
            Action::Crash(crash) => world.plan_crash(*crash),
            Action::Silence(silence) => world.wire.silence(world.now, *silence),
            Action::Ban(length) => world.wire.ban(world.now, *length),
            Action::Reconnect(reconnect) => world.reconnect(*reconnect),
            Action::Broker(broker) => world.broker(*broker),
            Action::Commit(commit) => world.plan_commits(*commit),
            Action::Checkpoint => world.plan_checkpoint(),
            Action::CheckpointEvery(records) => world.checkpoint_every(*records),
            Action::Clock(clock) => world.clock(*clock),
            Action::Pause(length) => world.pause(*length),
            Action::Manual(manual) => {
                let now = world.now;
                if world.exchange.manual_order(now, manual.symbol, manual.side, manual.quantity).is_none() {
                    self.fail(world, line, format!("the exchange does not list {}", manual.symbol));
                }
            }
            Action::Touch(symbol) => _ = world.touch(*symbol),
            Action::Quirk(quirk) => {
                if !world.quirk(quirk) {
                    self.fail(world, line, format!("{}: the exchange does not list its symbol", quirk.name()));
                }
            }
            Action::Liquidity(liquidity) => world.exchange.set_liquidity(liquidity.symbol, liquidity.at_best),
            Action::RejectNext => {
                world.exchange.knobs_mut().reject_next_after_ack.push_back(Text::clipped("EC_Others"));
            }
            Action::Expect(expect) => self.expect(world, line, expect),
        }
    }

    fn fail(&mut self, world: &World, line: usize, what: String) {
        self.failures.push(Failure { line, at: world.now.since(START), what });
    }

    fn check<T: PartialEq + Debug>(&mut self, world: &World, line: usize, name: &str, wanted: &Option<T>, is: T) {
        if let Some(wanted) = wanted.as_ref().filter(|wanted| **wanted != is) {
            self.fail(world, line, format!("{name}: expected {wanted:?}, is {is:?}"));
        }
    }

    fn expect(&mut self, world: &World, line: usize, expect: &Expect) {
        let Some(manager) = world.life.manager() else {
            return self.fail(world, line, "the process is down".into());
        };
        let durable = manager.durable();
        let truth = world.exchange.truth();
        let ours = truth.orders.iter().filter(|order| order.is_ours());
        let count = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
        let open = ours.clone().filter(|order| !order.is_closed()).count();
        self.check(world, line, "orders", &expect.orders, count(ours.count()));
        self.check(world, line, "open", &expect.open, count(open));
        let fills = truth.executions.iter().filter(|e| e.is_ours(truth)).count();
        self.check(world, line, "fills", &expect.fills, count(fills));
        let book = &world.ledger.books.book;
        let with = |status: Status| count(book.iter().filter(|order| order.status() == status).count());
        self.check(world, line, "cancelled", &expect.cancelled, with(Status::Cancelled));
        let told_rejected = world.ledger.published.iter().filter(|change| **change == Change::Rejected).count();
        self.check(world, line, "rejected", &expect.rejected, count(told_rejected));
        let unknown = durable.book.iter().filter(|order| order.state == State::Unknown).count();
        self.check(world, line, "unknown", &expect.unknown, count(unknown));
        self.check(world, line, "dead_letters", &expect.dead_letters, world.ledger.dead_letters);
        self.check(world, line, "duplicates", &expect.duplicates, world.ledger.duplicates);
        self.check(world, line, "conflicts", &expect.conflicts, world.ledger.conflicts);
        self.check(world, line, "settled", &expect.settled, durable.lanes.is_empty());
        let last =
            durable.book.iter().max_by_key(|order| (order.spec.at, order.spec.intent)).map(|order| order.status());
        self.check(world, line, "status", &expect.status.map(Some), last.map(order_word));
        let events: Vec<EventWord> = world.ledger.published.iter().map(|change| event_word(*change)).collect();
        self.check(world, line, "events", &expect.events, events);
        for (symbol, wanted) in &expect.position {
            let theirs = world.exchange.position(*symbol).map(|p| p.size).unwrap_or_default();
            let own = durable.positions.get(symbol).map(|p| p.size).unwrap_or_default();
            self.check(world, line, &format!("position of {symbol} at the exchange"), &Some(*wanted), theirs);
            self.check(world, line, &format!("position of {symbol} with us"), &Some(*wanted), own);
        }
        self.expect_signals(world, line, expect, durable);
        if let Some(wanted) = expect.consistent {
            let differences = judge::differences(&world.ledger.books, &world.exchange);
            if differences.is_empty() != wanted {
                self.fail(world, line, format!("consistent: expected {wanted}: {}", differences.join("; ")));
            }
        }
    }

    fn expect_signals(&mut self, world: &World, line: usize, expect: &Expect, durable: &Durable) {
        for (alias, wanted) in &expect.signal {
            let is = self.id_of(alias).and_then(|id| signal_word(world, durable, id));
            self.check(world, line, &format!("signal {alias}"), &Some(Some(*wanted)), is);
        }
        for (alias, wanted) in &expect.code {
            let account = self.id_of(alias).and_then(|id| world.ledger.signals.get(&id));
            let is = account.and_then(|account| account.outcome).map(|outcome| match outcome {
                Outcome::Placed => "placed".to_string(),
                Outcome::Rejected(code) => code.to_string(),
            });
            self.check(world, line, &format!("code of {alias}"), &Some(Some(wanted.clone())), is);
        }
    }

    fn id_of(&self, alias: &str) -> Option<SignalId> {
        self.scenario.steps.iter().find_map(|step| match &step.action {
            Action::Signal(signal) if signal.alias == alias => Some(signal.id),
            _ => None,
        })
    }
}

fn signal_word(world: &World, durable: &Durable, id: SignalId) -> Option<SignalWord> {
    let unknown = || durable.book.live().any(|o| o.spec.intent.signal == id && o.state == State::Unknown);
    match durable.signals.get(&id).map(|state| &state.stage) {
        Some(Stage::Waiting) => Some(SignalWord::Waiting),
        Some(Stage::Active(_)) if unknown() => Some(SignalWord::Unknown),
        Some(Stage::Active(_)) => Some(SignalWord::Working),
        Some(Stage::Settled { .. }) | None => match world.ledger.signals.get(&id)?.outcome? {
            Outcome::Placed => Some(SignalWord::Accepted),
            Outcome::Rejected(_) => Some(SignalWord::Rejected),
        },
    }
}

const fn order_word(status: Status) -> OrderWord {
    match status {
        Status::Pending => OrderWord::Pending,
        Status::PartiallyFilled => OrderWord::PartiallyFilled,
        Status::Filled => OrderWord::Filled,
        Status::Cancelled => OrderWord::Cancelled,
        Status::Rejected => OrderWord::Rejected,
    }
}

const fn event_word(change: Change) -> EventWord {
    match change {
        Change::Created => EventWord::Created,
        Change::Modified => EventWord::Modified,
        Change::PartiallyFilled => EventWord::PartiallyFilled,
        Change::Filled => EventWord::Filled,
        Change::Cancelled => EventWord::Cancelled,
        Change::Rejected => EventWord::Rejected,
    }
}
