//! A world as the neighbours live through it: each committed record changes rows and publishes messages.

use super::order::{bad_moments, increments, tells_in_order};
use order_manager_core::config::Config;
use order_manager_core::event::Change;
use order_manager_core::journal::{self, Record};
use order_manager_core::order::Order;
use order_manager_core::outcome::Outcome as Settled;
use order_manager_core::refusal::Code;
use order_manager_core::report::{OrderEvent, OrderId, row_id};
use order_manager_core::rows::{Projector, Rows};
use order_manager_core::unit::{Decimal, SignalId, Symbol, Timestamp};
use order_manager_sim::neighbours::{
    Outcome, Poison, PositionManager, Reading, Validation, computed, mutes, order_complaints, read_execution,
    relationship_complaints,
};
use order_manager_sim::oracle::Set;
use order_manager_sim::scenario::Action;
use order_manager_sim::swarm::{Drawn, run};
use order_manager_sim::world::{Trace, World};
use std::collections::BTreeSet;

/// A drawn world that is over.
pub(crate) struct Lived {
    pub(crate) world: World,
    pub(crate) config: Config,
    /// Did anybody else move the position?
    pub(crate) manual: bool,
    story: Vec<String>,
}

impl Lived {
    pub(crate) fn of(drawn: &Drawn, trace: bool) -> Self {
        let (world, _) = run(drawn, Set::NONE, trace);
        let steps = &drawn.scenario.steps;
        let manual = steps.iter().any(|step| matches!(step.action, Action::Manual(_)));
        let story = steps.iter().map(|step| format!("{}: {:?}", step.at, step.action)).collect();
        Self { world, config: drawn.config.clone(), manual, story }
    }
}

/// A world, what it left in the tables and at Position Manager, and all that is wrong with that.
pub(crate) struct Scene {
    pub(crate) lived: Lived,
    pub(crate) rows: Rows,
    pub(crate) manager: PositionManager,
    /// The message that never leaves Position Manager's queue, where there is one (N7).
    pub(crate) stuck: Option<Box<OrderEvent>>,
    pub(crate) found: Vec<String>,
}

impl Scene {
    /// A world that is over. `spoil` may falsify what each record publishes and writes.
    pub(crate) fn of(lived: Lived, spoil: impl Fn(&mut Rows)) -> Self {
        Self::of_spelt(lived, spoil, |_| {})
    }

    /// The same; `misspell` may falsify each message's text on its way.
    pub(crate) fn of_spelt(lived: Lived, spoil: impl Fn(&mut Rows), misspell: impl Fn(&mut String)) -> Self {
        let (rows, manager) = (Rows::default(), PositionManager::default());
        let mut scene = Self { lived, rows, manager, stuck: None, found: Vec::new() };
        let records: Vec<Record> = {
            let stored = scene.lived.world.life.store.records();
            stored.map(|(bytes, _)| journal::read_record(bytes).expect("a record")).collect()
        };
        let mut projector = Projector::default();
        for record in &records {
            let mut changed = Rows::default();
            projector.follow_record(record.seq, record.at, &record.events, &mut changed);
            spoil(&mut changed);
            scene.follow(changed, record.at, &misspell);
        }
        scene.judge();
        scene
    }

    /// One record: its rows are there before its messages are.
    fn follow(&mut self, mut changed: Rows, at: Timestamp, misspell: impl Fn(&mut String)) {
        self.found.extend(changed.orders.values().flat_map(order_complaints));
        self.found.extend(changed.relationships.values().flat_map(relationship_complaints));
        let assets: BTreeSet<Symbol> = changed.orders.values().map(|row| row.asset).collect();
        let messages = std::mem::take(&mut changed.messages);
        self.rows.absorb(changed);
        for (place, message) in messages {
            let mut body = serde_json::to_string(&message).expect("JSON");
            misspell(&mut body);
            self.publish(&message, body.as_bytes(), at);
            self.rows.messages.insert(place, message);
        }
        if self.stuck.is_some() {
            return; // Position Manager stands still
        }
        for asset in assets {
            // Whenever its validator comes by, it finds nothing to overwrite.
            let validation = self.manager.validate(asset.as_str(), self.rows.orders.values());
            if validation != Validation::Agrees {
                self.found.push(format!("{asset}: messages and rows differ: {validation:?}"));
            }
        }
    }

    fn publish(&mut self, message: &OrderEvent, body: &[u8], at: Timestamp) {
        let moments = bad_moments(&serde_json::from_slice(body).expect("JSON"));
        self.found.extend(moments.iter().map(|moment| format!("N5: {moment} in {message:?}")));
        // Who wrote the signal's timestamp has a clock that shows at least that, whatever ours does (S6).
        let signalled = message.signal.as_ref().map(|signal| signal.timestamp.0);
        let reading = read_execution(body, signalled.map_or(at, |signalled| signalled.max(at)));
        if matches!(reading, Reading::Accepted(_)) != (message.event_type == Change::Filled) {
            self.found.push(format!("model service: {reading:?} of {message:?}"));
        }
        if self.stuck.is_some() {
            return;
        }
        let is_fill = matches!(message.event_type, Change::Filled | Change::PartiallyFilled);
        match self.manager.take(body) {
            Outcome::Applied if is_fill => {}
            Outcome::Discarded(_) if !is_fill => {}
            Outcome::Poisoned(Poison::Average(_)) if self.lived.config.allow_short || self.lived.manual => {
                self.stuck = Some(Box::new(message.clone()));
            }
            other => self.found.push(format!("position manager: {other:?} of {message:?}")),
        }
    }

    /// Everything that a neighbour would have wrong at the end.
    fn judge(&mut self) {
        let mut found = std::mem::take(&mut self.found);
        self.hold_positions(&mut found);
        self.hold_open_orders(&mut found);
        self.hold_orders(&mut found);
        self.hold_signals(&mut found);
        self.found = found;
    }

    /// Position Manager's positions and its validator's sums are the exchange's.
    fn hold_positions(&self, found: &mut Vec<String>) {
        let exchange = &self.lived.world.exchange;
        let symbols: BTreeSet<Symbol> = exchange.truth().executions.iter().map(|e| e.symbol).collect();
        for symbol in &symbols {
            let truth = exchange.position(*symbol).map_or(Decimal::ZERO, |position| position.size.0);
            let held = self.manager.position(symbol.as_str()).map_or(Decimal::ZERO, |position| position.size.value());
            if held != truth && self.stuck.is_none() {
                found.push(format!("{symbol}: {held} by our messages, {truth} at the exchange"));
            }
            let size = computed(symbol.as_str(), self.rows.orders.values()).size;
            if size != truth {
                found.push(format!("{symbol}: {size} by our rows, {truth} at the exchange"));
            }
        }
        let strangers = self.manager.assets().filter(|asset| symbols.iter().all(|symbol| symbol.as_str() != *asset));
        found.extend(strangers.map(|asset| format!("{asset} was never traded")));
    }

    /// What mutes the model is what lives at the exchange.
    fn hold_open_orders(&self, found: &mut Vec<String>) {
        let truth = self.lived.world.exchange.truth();
        let assets: BTreeSet<&str> = self.rows.orders.values().map(|row| row.asset.as_str()).collect();
        let muting = assets.into_iter().flat_map(|asset| mutes(asset, self.rows.orders.values()));
        let muting: BTreeSet<SignalId> = muting.map(|row| row.id).collect();
        let live = truth.links.keys().filter(|link| truth.order_of(**link).is_some_and(|order| !order.is_closed()));
        let live: BTreeSet<SignalId> = live.map(|link| row_id(*link)).collect();
        for id in muting.symmetric_difference(&live) {
            found.push(format!("open in our table or at the exchange, not in both: {:?}", self.rows.orders.get(id)));
        }
    }

    fn hold_orders(&self, found: &mut Vec<String>) {
        let mut ids = BTreeSet::new();
        let twice = self.rows.messages.values().filter(|message| !ids.insert(message.event_id));
        found.extend(twice.map(|message| format!("E3: an event id twice: {message:?}")));
        for order in self.lived.world.ledger.books.book.iter() {
            let messages = self.messages_of(order);
            let truth = self.lived.world.exchange.truth().order_of(order.spec.link).map(|order| order.state);
            found.extend(increments(order, &messages, truth));
            found.extend(tells_in_order(order, &messages, self.rows.signals[&order.spec.intent.signal].tries));
        }
    }

    /// Grafana joins a signal with its orders through the relationships; a rejected one shows why.
    fn hold_signals(&self, found: &mut Vec<String>) {
        for (id, account) in &self.lived.world.ledger.signals {
            let related = self.rows.relationships.values().filter(|row| row.signal_id == *id);
            let orders: Vec<_> = related.filter_map(|row| self.rows.orders.get(&row.order_id)).collect();
            if orders.is_empty() {
                found.push(format!("signal {id} has no order for Grafana: {account:?}"));
            }
            if matches!(account.outcome, Some(Settled::Rejected(_))) && account.orders.is_empty() {
                let name = format!("REJECTED-{id}");
                let rejected = self.rows.messages.values().filter(|message| message.event_type == Change::Rejected);
                let told = rejected.filter(|message| message.order.order_id == OrderId::Rejected(*id)).count();
                let rows = orders.iter().filter(|row| row.order_id == name).count();
                // What is no usable signal is told once and never tried, and nothing else is never tried.
                let tries = match (account.outcome, usize::from(self.rows.signals[id].tries)) {
                    (Some(Settled::Rejected(Code::Validation)), tries) => usize::from(tries == 0),
                    (_, tries) => tries,
                };
                if rows != 1 || !(1..=tries).contains(&told) {
                    found.push(format!("signal {id} of {tries} tries is told rejected {told} times: {orders:?}"));
                }
            }
        }
    }

    fn messages_of(&self, order: &Order) -> Vec<&OrderEvent> {
        let id = row_id(order.spec.link);
        self.rows.messages.values().filter(|message| message.order.id == id).collect()
    }

    /// Every complaint, the first one's order with its messages, and all that was drawn.
    pub(crate) fn text(&self, seed: u64) -> String {
        let first = self.found.first().map_or("", String::as_str);
        let named = |order: &&Order| first.contains(order.spec.link.as_str());
        let story = self.lived.world.ledger.books.book.iter().find(named).map(|order| {
            let told: Vec<String> = self.messages_of(order).iter().map(|m| format!("  {m:?}")).collect();
            format!("{order:#?}\n{}", told.join("\n"))
        });
        let (found, drawn) = (self.found.join("\n  "), self.lived.story.join("\n  "));
        let trace = self.lived.world.trace.as_ref().map_or("", Trace::text);
        format!("seed {seed}:\n  {found}\n{}\ndrawn:\n  {drawn}\n{trace}", story.unwrap_or_default())
    }
}
