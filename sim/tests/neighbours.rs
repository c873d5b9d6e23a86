//! The neighbours' word against the exchange's (spec E1, E2, O4; wire-contracts.md 1.5): storms of partial fills,
//! cancels, redeliveries and crashes, and afterwards Position Manager's positions, its validator's and the model
//! service's reading of our messages and rows must be the truth. `NEIGHBOUR_SEEDS=from..to` chooses other storms.

use order_manager_core::event::Change;
use order_manager_core::journal;
use order_manager_core::order::Order;
use order_manager_core::outcome::Outcome as Settled;
use order_manager_core::report::{OrderEvent, row_id};
use order_manager_core::rows::{Projector, Rows};
use order_manager_core::unit::{Decimal, SignalId, Symbol, calendar, decimal};
use order_manager_sim::neighbours::{
    Outcome, PositionManager, Reading, Validation, computed, mutes, order_complaints, read_execution,
    relationship_complaints,
};
use order_manager_sim::storm::{Storm, Weather};
use std::collections::{BTreeMap, BTreeSet};

/// Half of the last digit of a NUMERIC(20,8).
const HALF_DIGIT: Decimal = Decimal::from_parts(5, 0, 0, false, 9);
/// Enough storms for 10,000 orders.
const SEEDS: (u64, u64) = (0, 400);

/// What a set of storms was made of; a set that shows less proves less.
#[derive(Clone, Copy, Debug, Default)]
struct Seen {
    orders: usize,
    fills: usize,
    partial_fills: usize,
    multi_fill_orders: usize,
    cancels: usize,
    cancels_with_fills: usize,
    redelivered: u64,
    crashes: u64,
    rejected: usize,
}

impl Seen {
    fn plus(self, other: Self) -> Self {
        Self {
            orders: self.orders + other.orders,
            fills: self.fills + other.fills,
            partial_fills: self.partial_fills + other.partial_fills,
            multi_fill_orders: self.multi_fill_orders + other.multi_fill_orders,
            cancels: self.cancels + other.cancels,
            cancels_with_fills: self.cancels_with_fills + other.cancels_with_fills,
            redelivered: self.redelivered + other.redelivered,
            crashes: self.crashes + other.crashes,
            rejected: self.rejected + other.rejected,
        }
    }
}

/// One storm, what was published in it and what stands in the tables.
struct Scene {
    storm: Storm,
    messages: Vec<OrderEvent>,
    rows: Rows,
    found: Vec<String>,
}

impl Scene {
    fn of(seed: u64, weather: Weather) -> Self {
        let mut storm = Storm::new(seed, weather, false);
        storm.run();
        let messages = storm.world.ledger.messages.clone().expect("kept");
        let (mut projector, mut rows, mut found) = (Projector::default(), Rows::default(), Vec::new());
        for (bytes, _) in storm.world.life.store.records() {
            let record = journal::read_record(bytes).expect("a record");
            let mut changed = Rows::default();
            projector.follow_record(record.seq, record.at, &record.events, &mut changed);
            found.extend(changed.orders.values().flat_map(order_complaints));
            found.extend(changed.relationships.values().flat_map(relationship_complaints));
            rows.absorb(changed);
        }
        Self { storm, messages, rows, found }
    }

    /// Everything that a neighbour would have wrong.
    fn judge(&mut self) {
        let mut found = std::mem::take(&mut self.found);
        let truth = self.storm.world.exchange.truth();
        let executions = truth.executions.iter();
        let symbols: BTreeSet<Symbol> = executions.map(|e| e.symbol).collect();
        self.follow_messages(&symbols, &mut found);
        self.hold_rows(&symbols, &mut found);
        for order in self.storm.world.ledger.books.book.iter() {
            let of_order = self.messages_of(order);
            found.extend(increments(order, &of_order, &self.storm));
            found.extend(tells_in_order(order, &of_order));
        }
        self.hold_signals(&mut found);
        self.found = found;
    }

    fn size(&self, symbol: Symbol) -> Decimal {
        self.storm.world.exchange.position(symbol).map_or(Decimal::ZERO, |position| position.size.0)
    }

    /// Position Manager's positions are the exchange's, and no message is lost on any reader.
    fn follow_messages(&self, symbols: &BTreeSet<Symbol>, found: &mut Vec<String>) {
        let (mut manager, mut ids) = (PositionManager::default(), BTreeSet::new());
        for message in &self.messages {
            let body = serde_json::to_vec(message).expect("JSON");
            let is_fill = matches!(message.event_type, Change::Filled | Change::PartiallyFilled);
            let fits = match manager.take(&body) {
                Outcome::Applied => is_fill,
                Outcome::Discarded(_) => !is_fill,
                Outcome::Poisoned(_) => false,
            };
            if !fits {
                found.push(format!("position manager: {:?} of {message:?}", manager.clone().take(&body)));
            }
            let now = calendar::parse(&message.timestamp).expect("a moment");
            let reading = read_execution(&body, now);
            if matches!(reading, Reading::Accepted(_)) != (message.event_type == Change::Filled) {
                found.push(format!("model service: {reading:?} of {message:?}"));
            }
            if !ids.insert(message.event_id) {
                found.push(format!("event id {} twice", message.event_id));
            }
            found.extend(bad_moments(&body).map(|moment| format!("N5: {moment} in {message:?}")));
        }
        for symbol in symbols {
            let held = manager.position(symbol.as_str()).map_or(Decimal::ZERO, |position| position.size.value());
            if held != self.size(*symbol) {
                found.push(format!("{symbol}: {held} by our messages, {} at the exchange", self.size(*symbol)));
            }
            let validation = manager.validate(symbol.as_str(), self.rows.orders.values());
            if validation != Validation::Agrees {
                found.push(format!("{symbol}: messages and rows differ: {validation:?}"));
            }
        }
        let strangers = manager.assets().filter(|asset| !symbols.iter().any(|symbol| symbol.as_str() == *asset));
        found.extend(strangers.map(|asset| format!("{asset} was never traded")));
    }

    /// The validator's sums are the exchange's, and only what lives there mutes the model.
    fn hold_rows(&self, symbols: &BTreeSet<Symbol>, found: &mut Vec<String>) {
        for symbol in symbols {
            let size = computed(symbol.as_str(), self.rows.orders.values()).size;
            if size != self.size(*symbol) {
                found.push(format!("{symbol}: {size} by our rows, {} at the exchange", self.size(*symbol)));
            }
        }
        let truth = self.storm.world.exchange.truth();
        let assets: BTreeSet<&str> = self.rows.orders.values().map(|row| row.asset.as_str()).collect();
        let muting = assets.into_iter().flat_map(|asset| mutes(asset, self.rows.orders.values()));
        let muting: BTreeSet<SignalId> = muting.map(|row| row.id).collect();
        let live = truth.links.keys().filter(|link| truth.order_of(**link).is_some_and(|order| !order.is_closed()));
        let live: BTreeSet<SignalId> = live.map(|link| row_id(*link)).collect();
        for id in muting.symmetric_difference(&live) {
            found.push(format!("open in the table or at the exchange, not in both: {:?}", self.rows.orders.get(id)));
        }
    }

    /// Grafana joins a signal with its orders through the relationships; a rejected one shows why.
    fn hold_signals(&self, found: &mut Vec<String>) {
        for (id, account) in &self.storm.world.ledger.signals {
            let related = self.rows.relationships.values().filter(|row| row.signal_id == *id);
            let orders: Vec<_> = related.filter_map(|row| self.rows.orders.get(&row.order_id)).collect();
            if orders.is_empty() {
                found.push(format!("signal {id} has no order for Grafana: {account:?}"));
            }
            if matches!(account.outcome, Some(Settled::Rejected(_))) && account.orders.is_empty() {
                let name = format!("REJECTED-{id}");
                let told =
                    self.messages.iter().filter(|m| m.event_type == Change::Rejected && m.order.order_id == name);
                if orders.iter().filter(|row| row.order_id == name).count() != 1 || told.count() != 1 {
                    found.push(format!("signal {id} is rejected without its one row and message: {orders:?}"));
                }
            }
        }
    }

    fn messages_of(&self, order: &Order) -> Vec<&OrderEvent> {
        let id = row_id(order.spec.link);
        self.messages.iter().filter(|message| message.order.id == id).collect()
    }

    fn seen(&self) -> Seen {
        let ledger = &self.storm.world.ledger;
        let of = |change| self.messages.iter().filter(move |message| message.event_type == change).count();
        let mut fills = BTreeMap::<SignalId, usize>::new();
        for message in self.messages.iter().filter(|message| message.fill.is_some()) {
            *fills.entry(message.order.id).or_default() += 1;
        }
        let cancelled = self.messages.iter().filter(|message| message.event_type == Change::Cancelled);
        let manager = self.storm.world.life.manager().expect("a process that runs");
        Seen {
            orders: ledger.books.book.len(),
            fills: fills.values().sum(),
            partial_fills: of(Change::PartiallyFilled),
            multi_fill_orders: fills.values().filter(|fills| **fills > 1).count(),
            cancels: of(Change::Cancelled),
            cancels_with_fills: cancelled.filter(|message| fills.contains_key(&message.order.id)).count(),
            redelivered: u64::from(ledger.duplicates),
            crashes: u64::from(manager.durable().life) - 1,
            rejected: of(Change::Rejected),
        }
    }

    /// Every complaint, with what was published of the orders and all that was drawn.
    fn text(&self, seed: u64) -> String {
        let first = self.found.first().map_or("", String::as_str);
        let named = |order: &&Order| first.contains(order.spec.link.as_str());
        let story = self.storm.world.ledger.books.book.iter().find(named).map(|order| {
            let told: Vec<String> = self.messages_of(order).iter().map(|m| format!("  {m:?}")).collect();
            format!("{order:#?}\n{}", told.join("\n"))
        });
        let (found, drawn) = (self.found.join("\n  "), self.storm.story.join("\n  "));
        format!("seed {seed}:\n  {found}\n{}\ndrawn:\n  {drawn}", story.unwrap_or_default())
    }
}

fn d(text: &str) -> Decimal {
    decimal::parse(text).unwrap_or_else(|error| panic!("{text:?} {error}"))
}

/// N1, N2: what is told of an order in steps is what it filled, was paid and cost.
fn increments(order: &Order, messages: &[&OrderEvent], storm: &Storm) -> Vec<String> {
    let (mut quantity, mut value, mut fees, mut slack) = (Decimal::ZERO, Decimal::ZERO, Decimal::ZERO, HALF_DIGIT);
    let mut found = Vec::new();
    for message in messages.iter().filter(|m| matches!(m.event_type, Change::Filled | Change::PartiallyFilled)) {
        let filled = d(&message.order.filled_quantity);
        let price = message.order.average_price.as_deref().map_or(Decimal::ZERO, d);
        if filled <= Decimal::ZERO || price <= Decimal::ZERO {
            found.push(format!("N4: {}: {message:?}", order.spec.link));
        }
        quantity += filled;
        value += filled * price;
        fees += message.order.fees.as_deref().map_or(Decimal::ZERO, d);
        slack += filled * HALF_DIGIT;
    }
    let truth = storm.world.exchange.truth().order_of(order.spec.link).map(|order| order.state);
    let (true_quantity, true_value, true_fees) =
        truth.map_or_else(Default::default, |state| (state.cum_quantity.0, state.cum_value.0, state.cum_fee.0));
    if quantity != true_quantity || (value - true_value).abs() > slack || (fees - true_fees).abs() > HALF_DIGIT {
        found.push(format!(
            "N1, N2: {}: {quantity} for {value}, fees {fees} told; {true_quantity} for {true_value}, {true_fees} there",
            order.spec.link
        ));
    }
    found
}

/// E1, E2: `created` first and once where the exchange took it, then fills, then one end; after a cancel with fills
/// the fills were told before.
fn tells_in_order(order: &Order, messages: &[&OrderEvent]) -> Option<String> {
    let changes: Vec<Change> = messages.iter().map(|message| message.event_type).collect();
    let ends = |change: &Change| matches!(change, Change::Filled | Change::Cancelled | Change::Rejected);
    let created = changes.iter().filter(|change| **change == Change::Created).count();
    let first = changes.first().is_none_or(|first| matches!(first, Change::Created | Change::Rejected));
    let last = changes.iter().position(ends).is_none_or(|place| place + 1 == changes.len());
    let ended = changes.iter().filter(|change| ends(change)).count();
    let is_right = created <= 1 && first && last && ended == usize::from(order.told.ended);
    (!is_right).then(|| format!("E1: {}: {changes:?}", order.spec.link))
}

/// Moments that Position Manager or Python's reader would not take: everything that a key says is one.
fn bad_moments(body: &[u8]) -> impl Iterator<Item = String> + use<> {
    fn walk(key: &str, value: &serde_json::Value, bad: &mut Vec<String>) {
        match value {
            serde_json::Value::Object(members) => members.iter().for_each(|(key, value)| walk(key, value, bad)),
            serde_json::Value::String(text) if key == "timestamp" || key.ends_with("_at") => {
                let shape = text.trim_end_matches('Z');
                let fraction = shape.split_once('.').map_or("", |(_, fraction)| fraction);
                let is_naive =
                    shape.get(10..).is_some_and(|clock| clock.starts_with('T') && !clock.contains(['+', '-']));
                if !is_naive || fraction.len() > 6 || calendar::parse(shape).is_none() {
                    bad.push(text.clone());
                }
            }
            _ => {}
        }
    }
    let mut bad = Vec::new();
    walk("", &serde_json::from_slice(body).expect("JSON"), &mut bad);
    bad.into_iter()
}

/// All storms of these seeds, shared among the processors; what they were made of, and what is wrong.
fn storms(seeds: (u64, u64), weather: Weather) -> (Seen, Vec<String>) {
    let workers = std::thread::available_parallelism().map_or(1, std::num::NonZero::get) as u64;
    let work = |worker: u64| {
        let (mut seen, mut failures) = (Seen::default(), Vec::new());
        for seed in (seeds.0..seeds.1).filter(|seed| seed % workers == worker) {
            let mut scene = Scene::of(seed, weather);
            scene.judge();
            seen = seen.plus(scene.seen());
            if !scene.found.is_empty() {
                failures.push(scene.text(seed));
            }
        }
        (seen, failures)
    };
    std::thread::scope(|scope| {
        let handles: Vec<_> = (0..workers).map(|worker| scope.spawn(move || work(worker))).collect();
        let parts = handles.into_iter().map(|handle| handle.join().expect("a worker that ends"));
        parts.fold((Seen::default(), Vec::new()), |(seen, mut failures), (part, more)| {
            failures.extend(more);
            (seen.plus(part), failures)
        })
    })
}

fn seeds() -> (u64, u64) {
    let Ok(text) = std::env::var("NEIGHBOUR_SEEDS") else { return SEEDS };
    let (from, to) = text.split_once("..").expect("from..to");
    (from.parse().expect("a number"), to.parse().expect("a number"))
}

#[test]
fn n1_to_n8_the_neighbours_positions_are_the_exchanges() {
    let (seen, failures) = storms(seeds(), Weather::thin());
    println!("{seen:?}");
    failures.iter().take(3).for_each(|failure| println!("{failure}"));
    assert!(failures.is_empty(), "{} storms left a neighbour with a wrong picture: {seen:?}", failures.len());
    let enough = seeds() != SEEDS || seen.orders >= 10_000;
    assert!(enough, "a set of storms that shows less proves less: {seen:?}");
}
