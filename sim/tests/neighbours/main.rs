//! The neighbours' word against the exchange's (spec E1, E2, O4; wire-contracts.md 1.5): worlds of partial fills,
//! cancels, redeliveries and crashes, and afterwards Position Manager's positions, its validator's and the model
//! service's reading of our messages and rows must be the truth. `NEIGHBOUR_SEEDS=from..to` chooses others.

mod order;
mod scene;
mod seen;

use order_manager_core::event::Change;
use order_manager_core::order::Status;
use order_manager_core::report::{Naive, OrderEvent};
use order_manager_core::rows::Rows;
use order_manager_core::unit::{Side, calendar};
use order_manager_sim::choice::Choices;
use order_manager_sim::neighbours::{Outcome, PositionManager, Validation};
use order_manager_sim::swarm::{Family, Profile, draw_of};
use scene::{Lived, Scene};
use seen::Seen;

/// Enough worlds for 10,000 orders.
const SEEDS: (u64, u64) = (0, 440);

fn lived(seed: u64, profile: &Profile, trace: bool) -> Lived {
    Lived::of(&draw_of(&mut Choices::seeded(seed), profile), trace)
}

/// All worlds of these seeds, shared among the processors. Fails with the story of the first that is wrong.
fn worlds(seeds: (u64, u64), profile: &Profile) -> Seen {
    let workers = std::thread::available_parallelism().map_or(1, std::num::NonZero::get) as u64;
    let is_single = seeds.1 == seeds.0 + 1;
    let work = |worker: u64| {
        let (mut seen, mut failures) = (Seen::default(), Vec::new());
        for seed in (seeds.0..seeds.1).filter(|seed| seed % workers == worker) {
            let scene = Scene::of(lived(seed, profile, is_single), |_| {});
            seen = seen.plus(Seen::of(&scene));
            if !scene.found.is_empty() {
                failures.push((seed, scene.text(seed)));
            }
        }
        (seen, failures)
    };
    let parts: Vec<_> = std::thread::scope(|scope| {
        let handles: Vec<_> = (0..workers).map(|worker| scope.spawn(move || work(worker))).collect();
        handles.into_iter().map(|handle| handle.join().expect("a worker that ends")).collect()
    });
    let mut failures: Vec<_> = parts.iter().flat_map(|(_, failures)| failures).collect();
    failures.sort();
    if let Some((_, first)) = failures.first() {
        let seeds: Vec<u64> = failures.iter().map(|(seed, _)| *seed).collect();
        panic!("worlds {seeds:?} left a neighbour with a wrong picture; the first:\n{first}");
    }
    parts.into_iter().fold(Seen::default(), |sum, (seen, _)| sum.plus(seen))
}

fn chosen() -> Option<(u64, u64)> {
    let text = std::env::var("NEIGHBOUR_SEEDS").ok()?;
    let (from, to) = text.split_once("..").expect("from..to");
    Some((from.parse().expect("a number"), to.parse().expect("a number")))
}

#[test]
fn n1_to_n8_the_neighbours_positions_are_the_exchanges() {
    let seen = worlds(chosen().unwrap_or(SEEDS), &Profile::thin());
    println!("{seen:?}");
    let is_enough = seen.orders >= 10_000
        && seen.partial_fills >= 5_000
        && seen.multi_fill_orders >= 1_000
        && seen.cancels >= 3_000
        && seen.cancels_with_fills >= 1_000
        && seen.redelivered >= 1_000
        && seen.crashes >= 1_000
        && seen.rejected >= 1_000;
    assert!(is_enough || chosen().is_some(), "a set of worlds that shows less proves less: {seen:?}");
    assert_eq!(seen.stuck, 0, "nobody sold short");
}

/// Fills of others' orders move the account's position, so they are told too. A sale by hand can make a short
/// position, on which Position Manager gets stuck as on one of ours.
#[test]
fn o4_trades_by_hand_are_told_to_the_neighbours() {
    let seen = worlds((1_000, 1_060), &Profile::thin().with(Family::Manual));
    println!("{seen:?}");
    assert!(seen.by_hand > 500 && seen.stuck < 30, "a set of worlds that shows less proves less: {seen:?}");
}

/// Position Manager's own fault, and the only one: what it can take before is right, our rows stay right.
#[test]
fn n7_short_positions_stop_position_manager_and_nothing_else() {
    let seen = worlds((0, 40), &Profile { shorts: true, sells: &[450], ..Profile::thin() });
    println!("{seen:?}");
    assert!(seen.stuck > 5, "a set of worlds that shows less proves less: {seen:?}");
}

/// A publisher that dies may send a fill again under its id. Position Manager counts it twice (N6); its validator puts
/// that right where it comes by after the second one was read, and not where it comes before.
#[test]
fn e3_a_repeated_fill_is_healed_by_a_validation_that_comes_after_it() {
    let scene = Scene::of(lived(0, &Profile::thin(), false), |_| {});
    let fills = scene.rows.messages.values().filter(|message| message.fill.is_some());
    for repeated in fills {
        let asset = repeated.order.asset.as_str();
        let truth = scene.manager.position(asset).expect("it was traded").size;
        let mut manager = scene.manager.clone();
        let validate = |manager: &mut PositionManager| manager.validate(asset, scene.rows.orders.values());
        assert_eq!(validate(&mut manager), Validation::Agrees, "too early");
        let taken = manager.take(&serde_json::to_vec(repeated).expect("JSON"));
        assert_eq!(taken, Outcome::Applied, "{repeated:?}");
        assert_ne!(manager.position(asset).map(|position| position.size), Some(truth));
        assert!(matches!(validate(&mut manager), Validation::Overwritten { .. }));
        assert_eq!(manager.position(asset).map(|position| position.size), Some(truth));
    }
}

/// What is planted in the messages or rows of a world that is right is found.
#[test]
fn a_planted_fault_is_found() {
    let found = |what: &str, spoil: &dyn Fn(&mut Rows)| {
        let found = Scene::of(lived(0, &Profile::thin(), false), spoil).found;
        assert!(found.iter().any(|complaint| complaint.contains(what)), "{what}: {found:#?}");
    };
    let messages = |spoil: fn(&mut OrderEvent)| move |rows: &mut Rows| rows.messages.values_mut().for_each(spoil);
    assert_eq!(Scene::of(lived(0, &Profile::thin(), false), |_| {}).found, [""; 0]);
    found(
        "N1, N2", // cumulative figures, as the predecessor published them
        &messages(|message| {
            if let (Some(_), Some(totals)) = (&message.fill, &message.totals) {
                message.order.filled_quantity = totals.filled_quantity;
                message.order.average_price = totals.average_price;
            }
        }),
    );
    found("messages and rows differ", &messages(|message| message.order.side = Side::Buy));
    found("by our messages", &|rows| (rows.messages.clear(), rows.orders.clear()).0);
    found(
        "model service",
        &messages(|message| message.order.executed_at = calendar::parse("2099-01-01T00:00:00").map(Naive)),
    );
    let with_offset = |body: &mut String| {
        let (head, tail) = body.split_once("\",\"trace_id\"").expect("a moment, then the trace");
        *body = format!("{head}+00:00\",\"trace_id\"{tail}");
    };
    let offset = Scene::of_spelt(lived(0, &Profile::thin(), false), |_| {}, with_offset).found;
    assert!(offset.iter().any(|complaint| complaint.contains("Offset")), "{offset:#?}");
    let first = std::cell::Cell::new(true);
    found("messages and rows differ", &|rows| {
        let lost = rows.messages.iter().find(|(_, m)| m.event_type == Change::Filled).map(|(place, _)| *place);
        if let Some(place) = lost.filter(|_| first.replace(false)) {
            rows.messages.remove(&place);
        }
    });
    let orders = |spoil: fn(&mut order_manager_core::rows::OrderRow)| {
        move |rows: &mut Rows| rows.orders.values_mut().for_each(spoil)
    };
    found(
        "by our rows", // ended with fills, and called cancelled
        &orders(|row| {
            if row.status == Status::Filled {
                row.status = Status::Cancelled;
            }
        }),
    );
    found(
        "not in both", // stuck
        &orders(|row| {
            if row.status == Status::Cancelled {
                row.status = Status::Pending;
            }
        }),
    );
    found("no order for Grafana", &|rows| rows.relationships.clear());
    found("told rejected", &|rows| rows.messages.retain(|_, message| message.event_type != Change::Rejected));
}
