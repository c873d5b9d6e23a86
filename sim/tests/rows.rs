//! Table rows are a pure function of the journal (spec O4): made again from it they are the rows that were written
//! batch by batch, each fits the shared schema, and they say what the books say.

use order_manager_core::config::Config;
use order_manager_core::event::{Change, Event};
use order_manager_core::journal::{self, Record};
use order_manager_core::order::Status;
use order_manager_core::report::{OrderEvent, OrderId};
use order_manager_core::rows::{Figure, Projector, Rows, Stage};
use order_manager_core::unit::{Ratio, SignalId, Symbol};
use order_manager_sim::exchange::ExchangeConfig;
use order_manager_sim::month::{Month, read_signals};
use order_manager_sim::neighbours::{order_complaints, relationship_complaints};
use order_manager_sim::oracle::rows_as_booked;
use order_manager_sim::scenario::{self, Link};
use order_manager_sim::world::{World, run_script};
use order_manager_sim::{generate, prices};
use std::collections::BTreeSet;
use std::path::Path;

/// A few days, acted out: mostly limit orders, which are replaced, cancelled and filled in parts.
fn world(name: &str, days: u32) -> World {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    let made = generate::generate(11, days, &folder).expect("a generated market");
    let mut signals = read_signals(&std::fs::read_to_string(&made.signals).expect("signals"));
    let (first, mut bad) = (signals[0].clone(), signals[1].clone());
    let text = String::from_utf8(bad.body).expect("text");
    bad.body = text.replace("\"amount\"", "\"amounts\"").into_bytes(); // attributable, and no signal
    signals.insert(1, bad);
    signals.insert(2, order_manager_sim::month::Message { body: b"\xff{".to_vec(), ..first });
    let bars = prices::read_bars(&made.prices).expect("bars");
    let config = Config { market_order_spread_threshold: Ratio::default(), ..Config::default() };
    let (symbol, exchange) = (Symbol::clipped("BTCUSDT"), ExchangeConfig::default());
    Month { symbol, bars, signals, config, exchange, seed: 3, link: Link::Typed, keep_messages: true }.run()
}

fn records(world: &World) -> Vec<Record> {
    world.life.store.records().map(|(bytes, _)| journal::read_record(bytes).expect("a record")).collect()
}

fn follow(projector: &mut Projector, records: &[Record]) -> Rows {
    let mut rows = Rows::default();
    records.iter().for_each(|record| projector.follow_record(record.seq, record.at, &record.events, &mut rows));
    rows
}

#[test]
fn rows_made_again_from_the_journal_are_the_rows_written_batch_by_batch() {
    let records = records(&world("rows-batches", 3));
    let whole = follow(&mut Projector::default(), &records);
    for (size, restarts) in [(1, false), (7, false), (64, true), (1_000, true)] {
        let (mut projector, mut written) = (Projector::default(), Rows::default());
        for batch in records.chunks(size) {
            written.absorb(follow(&mut projector, batch));
            if restarts {
                // What is remembered goes to the disk and back.
                let mut bytes = Vec::new();
                journal::write(&projector, &mut bytes).expect("a projector as bytes");
                projector = journal::read(&bytes).expect("a projector again");
            }
        }
        assert!(written == whole, "batches of {size}");
    }
}

/// Follows the run record by record: what stands in the tables after each must fit.
fn assert_always_fits(world: &World, seen: &mut BTreeSet<Status>) {
    let (mut projector, mut own_ids) = (Projector::default(), BTreeSet::new());
    for record in &records(world) {
        let rows = follow(&mut projector, std::slice::from_ref(record));
        for row in rows.orders.values() {
            assert_eq!(order_complaints(row), [""; 0]);
            seen.insert(row.status);
            own_ids.insert(row.id);
        }
        for row in rows.relationships.values() {
            assert_eq!(relationship_complaints(row), [""; 0]);
            assert!(own_ids.contains(&row.order_id), "its foreign key: {row:?}");
        }
        for row in rows.signals.values() {
            assert_eq!(row.stage == Stage::Settled, row.outcome.is_some(), "{row:?}");
            assert_eq!(row.outcome_word() == Some("rejected"), row.code().is_some(), "{row:?}");
        }
    }
}

#[test]
fn o4_every_row_at_every_moment_fits_the_shared_schema() {
    let mut seen = BTreeSet::new();
    assert_always_fits(&world("rows-fit", 3), &mut seen);
    let all = [Status::Pending, Status::Filled, Status::Cancelled, Status::Rejected];
    assert!(all.iter().all(|status| seen.contains(status)), "a run that shows less proves less: {seen:?}");
}

/// Lost replies, crashes, late fills, trades by hand, and messages that overtake each other.
#[test]
fn o4_every_row_of_every_scenario_fits_the_shared_schema() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../scenarios");
    let (mut seen, mut foreign) = (BTreeSet::new(), 0);
    for scenario in scenario::load_dir(&folder).unwrap_or_else(|error| panic!("{error}")) {
        let scenario = scenario.unwrap_or_else(|error| panic!("{error}"));
        for seed in [scenario.seed, 101, 102, 103] {
            let (world, _) = run_script(&scenario, Some(Link::Typed), Some(seed)).unwrap_or_else(|e| panic!("{e}"));
            assert_always_fits(&world, &mut seen);
            let rows = assert_books(&world);
            let of_others: Vec<_> = rows.executions.values().filter(|row| row.link.is_none()).collect();
            for fill in &of_others {
                let row = rows.orders.values().find(|row| row.order_id == fill.fill.order_id.as_str());
                let row = row.unwrap_or_else(|| panic!("{}: O4: no row of {fill:?}", scenario.name));
                assert_eq!((row.signal_id, row.status), (SignalId::default(), Status::Filled));
            }
            foreign += of_others.len();
        }
    }
    assert!(seen.contains(&Status::PartiallyFilled) && foreign > 0, "{seen:?}, {foreign}");
}

#[test]
fn o4_rows_say_what_the_books_say() {
    let world = world("rows-books", 4);
    let rows = assert_books(&world);
    assert_eq!(rows.dead_letters.len(), 1);
    let invalid = rows.signals.values().find(|row| row.signal.is_none()).expect("the invalid one");
    assert_eq!(rows.orders[&invalid.id].quantity, Figure::LEAST, "S4");
    assert_eq!(rows.orders[&invalid.id].order_id, format!("REJECTED-{}", invalid.id));
    assert_eq!(rows.instruments.len(), 1);
    assert!(rows.messages.values().eq(world.ledger.messages.as_ref().expect("messages")), "E3: the same story");
}

fn assert_books(world: &World) -> Rows {
    let rows = rows_as_booked(world).unwrap_or_else(|what| panic!("{what}"));
    assert_eq!(rows.own.len(), world.ledger.books.book.iter().count());
    assert_eq!(rows.signals.len(), world.ledger.signals.len());
    rows
}

/// A rejection is told in a message exactly where it makes a row, under the same id.
#[test]
fn s4_a_rejected_row_has_its_message() {
    let records = records(&world("rows-rejected", 3));
    let rows = follow(&mut Projector::default(), &records);
    let rejected = |id: &SignalId| rows.orders[id].order_id.starts_with("REJECTED-");
    let of_rows: BTreeSet<SignalId> = rows.orders.keys().filter(|id| rejected(id)).copied().collect();
    let is_told =
        |m: &&OrderEvent| m.event_type == Change::Rejected && matches!(m.order.order_id, OrderId::Rejected(_));
    let told = rows.messages.values().filter(is_told);
    assert_eq!(of_rows, told.map(|message| message.order.id).collect());
    assert!(!of_rows.is_empty());
    let events = records.iter().flat_map(|record| &record.events);
    assert!(events.filter(|event| matches!(event, Event::OrderIntended { .. })).count() > 10);
}
