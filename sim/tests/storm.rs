//! After a storm, when everything has healed, the books must equal the exchange's. Each seed is a world of its own;
//! `STORM_SEEDS=from..to` chooses others.

use order_manager_core::Manager;
use order_manager_core::Step;
use order_manager_core::journal::{self, Digest};
use order_manager_core::order::{Order, State};
use order_manager_core::unit::{Decimal, Symbol};
use order_manager_sim::judge;
use order_manager_sim::replay::{Verdict, replay};
use order_manager_sim::storm::{Storm, Weather};
use order_manager_sim::world::Trace;

/// Everything that is not as it should be.
fn faults(storm: &Storm) -> Vec<String> {
    let mut found = judge::differences(&storm.world.ledger.books, &storm.world.exchange);
    let Some(manager) = storm.world.life.manager() else { return vec!["the process is down".into()] };
    let durable = manager.durable();
    if !manager.is_ready() {
        found.push("not ready".into());
    }
    if storm.world.unacknowledged() > 0 {
        found.push(format!("{} deliveries unacknowledged", storm.world.unacknowledged()));
    }
    for (symbol, lane) in &durable.lanes {
        found.push(format!("lane {symbol} is stuck: {lane:?}"));
    }
    found.extend(durable.halted.iter().map(|(symbol, why)| format!("{symbol} is halted: {why}")));
    if durable.counts.defects > 0 {
        found.push(format!("{} defects", durable.counts.defects));
    }
    for order in storm.world.ledger.books.book.iter() {
        found.extend(wrong(order).map(|what| format!("{}: {what}: {:?}", order.spec.link, order.state)));
    }
    for (id, account) in &storm.world.ledger.signals {
        if !storm.world.ledger.is_accounted_for(*id) {
            found.push(format!("signal {id} has no account: {account:?}"));
        }
        let truth = storm.world.exchange.truth();
        let theirs = |link| truth.links.get(link).is_some_and(|record| record.creates_accepted > 0);
        let made: Vec<_> = account.orders.iter().filter(|link| theirs(*link)).collect();
        if made.len() > 1 && !storm.config.limit_post_only {
            found.push(format!("signal {id} has {} orders at the exchange", made.len()));
        }
        let refused = matches!(account.outcome, Some(order_manager_core::outcome::Outcome::Rejected(_)));
        if refused && account.filled {
            found.push(format!("signal {id} is rejected and filled: {}", account.text));
        }
    }
    if storm.world.inputs > 30_000 {
        found.push(format!("{} inputs: a busy loop", storm.world.inputs));
    }
    positions(storm, &mut found);
    published(storm, &mut found);
    replays(storm, &mut found);
    found
}

/// No short without leave, and no position beyond its limit, at any time.
fn positions(storm: &Storm, found: &mut Vec<String>) {
    let mut sizes = std::collections::BTreeMap::<Symbol, Decimal>::new();
    for e in &storm.world.exchange.truth().executions {
        let size = sizes.entry(e.symbol).or_default();
        *size += e.side.signed(e.quantity).0;
        let short = size.is_sign_negative() && !size.is_zero() && !storm.config.allow_short;
        if !storm.manual && (short || size.abs() > storm.config.max_position_size.0) {
            found.push(format!("position {} of {} at {}", size, e.symbol, e.time));
        }
    }
}

/// E2: published increments sum up, and every execution is named once.
fn published(storm: &Storm, found: &mut Vec<String>) {
    let d = |text: &str| text.parse::<Decimal>().expect("a decimal");
    for order in storm.world.ledger.books.book.iter() {
        let id = order_manager_core::report::row_id(order.spec.link);
        let messages = storm.world.ledger.messages.iter().flatten().filter(|m| m.order.id == id);
        let fills: Vec<_> = messages.filter_map(|m| m.fill.as_ref()).collect();
        let sum: Decimal = fills.iter().map(|fill| d(&fill.quantity)).sum();
        let named: usize = fills.iter().map(|fill| fill.exec_ids.len()).sum();
        if sum != order.facts.totals().quantity.0 {
            found.push(format!("{}: {sum} published of {}", order.spec.link, order.facts.totals().quantity));
        }
        if named > order.facts.fills.len() {
            found.push(format!("{}: {named} executions named", order.spec.link));
        }
    }
}

fn replays(storm: &Storm, found: &mut Vec<String>) {
    let store = &storm.world.life.store;
    match replay(&store.journal().expect("a journal")).expect("a readable journal") {
        Verdict::Same { .. } => {}
        Verdict::Differs(difference) => found.push(format!("replay differs: {difference}")),
    }
    let records: Vec<(&[u8], Digest)> = store.records().collect();
    if let Some((place, bytes)) = &storm.checkpoint {
        let mut manager = Manager::restore(Some(bytes), []).expect("a checkpoint");
        let mut step = Step::default();
        for (record, digest) in &records[*place..] {
            let record = journal::read_record(record).expect("a record");
            manager.step(record.at, &record.input, &mut step).expect("a step");
            if step.digest != *digest {
                return found.push(format!("replay from the checkpoint differs at {}", record.seq.0));
            }
        }
    }
}

fn wrong(order: &Order) -> Option<&'static str> {
    let told = order.told.ended;
    match order.state {
        State::Intended | State::Sending | State::Unknown | State::Acked => Some("is not settled"),
        State::Open if !order.spec.is_limit() => Some("a market order rests"),
        State::Open if order.cancel.is_some() => Some("its cancel never came"),
        State::Open => None,
        _ if !told => Some("its end was not told"),
        _ if !order.facts.explained() => Some("its executions are missing"),
        _ => None,
    }
}

#[test]
fn every_storm_ends_in_agreement() {
    let text = std::env::var("STORM_SEEDS").unwrap_or_else(|_| "0..300".into());
    let (from, to) = text.split_once("..").expect("from..to");
    let (from, to): (u64, u64) = (from.parse().expect("a number"), to.parse().expect("a number"));
    let mut failures = 0;
    for seed in from..to {
        let mut storm = Storm::new(seed, Weather::mixed(), to == from + 1);
        storm.run();
        let found = faults(&storm);
        if !found.is_empty() {
            failures += 1;
            let (drawn, trace) = (storm.story.join("\n  "), storm.world.trace.as_ref().map_or("", Trace::text));
            println!("seed {seed}:\n  {}\ndrawn:\n  {drawn}\n{trace}", found.join("\n  "));
        }
    }
    assert!(
        failures == 0,
        "{failures} of {} storms left something wrong; a single one, STORM_SEEDS=7..8, shows its trace",
        to - from
    );
}
