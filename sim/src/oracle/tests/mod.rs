//! Each oracle is broken on purpose: a true world is told one thing that is not so, and that oracle, alone, must say
//! so. The worlds are true up to there: with every oracle on, nothing is found.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test")]

mod decisions;
mod door;
mod fills;
mod healed;
mod lanes;
mod limits;
mod published;
mod pulse;
mod sent;

use super::{Oracle, Scene, Set};
use crate::exchange::{LinkReuse, Signed};
use crate::scenario::{Link, parse};
use crate::world::{Staging, World, act_out};
use order_manager_core::Step;
use order_manager_core::bybit::{Create, Request};
use order_manager_core::command::{Command, Outgoing};
use order_manager_core::config::Config;
use order_manager_core::event::{Change, Event, Told};
use order_manager_core::input::{Input, Tag};
use order_manager_core::journal;
use order_manager_core::order::Spec;
use order_manager_core::unit::{Decimal, Intent, OrderLinkId, Quantity, SignalId, Span};
use std::collections::BTreeSet;

/// One market order that filled, and one limit order that rests.
pub(super) const TWO_ORDERS: &str = r#"
name = "two-orders"
[[steps]]
at = "0ms"
signal = { id = "s-1", symbol = "BTCUSDT", side = "buy", amount = "520" }
[[steps]]
at = "10s"
signal = { id = "s-2", symbol = "BTCUSDT", side = "buy", amount = "520", confidence = "0.7", spread = "100" }
[[steps]]
at = "20s"
price = { BTCUSDT = "50000" }
"#;

pub(super) fn acted(text: &str, oracles: Set) -> World {
    let scenario = parse("two-orders.toml", "two-orders", text).unwrap();
    let mut exchange = scenario.exchange_as::<crate::exchange::ExchangeConfig>().unwrap();
    exchange.link_reuse = LinkReuse::AfterEnd;
    let config = scenario.config_as().unwrap();
    let stage = Staging { config, exchange, link: Link::Typed, seed: 1, trace: true, oracles };
    let (world, failures) = act_out(&scenario, stage);
    assert!(failures.is_empty(), "{failures:?}");
    assert_eq!(world.broken(), None);
    world
}

/// The world of two orders, watched by one oracle.
pub(super) fn watched(oracle: Oracle) -> World {
    acted(TWO_ORDERS, Set::only(oracle))
}

#[track_caller]
pub(super) fn found(world: &World, oracle: Oracle) {
    assert_eq!(world.broken().map(|broken| broken.oracle), Some(oracle));
}

/// Every durable event.
pub(super) fn events(world: &World) -> Vec<Event> {
    let records = world.life.store.records().map(|(bytes, _)| journal::read_record(bytes).unwrap());
    records.flat_map(|record| record.events).collect()
}

pub(super) fn event(world: &World, wanted: impl Fn(&Event) -> bool) -> Event {
    events(world).into_iter().find(|event| wanted(event)).expect("it happened")
}

pub(super) fn told(world: &World, change: Change) -> Told {
    match event(world, |event| matches!(event, Event::OrderTold(told) if told.change == change)) {
        Event::OrderTold(told) => *told,
        other => panic!("{other:?}"),
    }
}

/// The intents: of the order that filled, and of the one that rests.
pub(super) fn specs(world: &World) -> (Spec, Spec) {
    let intents = events(world).into_iter().filter_map(|event| match event {
        Event::OrderIntended { spec } => Some(*spec),
        _ => None,
    });
    let all: Vec<Spec> = intents.collect();
    assert_eq!(all.len(), 2);
    (all[0], all[1])
}

/// A link id of ours that nobody has used.
pub(super) fn unused() -> OrderLinkId {
    OrderLinkId::of(Config::default().link_id_prefix, Intent { signal: SignalId(7), leg: 0, attempt: 0 })
}

/// This is durable.
pub(super) fn tell(world: &mut World, event: &Event) {
    let World { judge, exchange, now, .. } = world;
    judge.follows(Scene { now: *now, exchange }, event, None);
}

/// A step that makes these.
pub(super) fn step(world: &mut World, input: &Input, events: Vec<Event>, commands: Vec<Command>, record: Vec<u8>) {
    let mut manager = world.life.manager().unwrap().clone();
    let mut step = Step::default();
    manager.step(world.now, &Input::Woke, &mut step).unwrap(); // so that it is now for it too
    (step.seq, step.events, step.commands, step.record) = (manager.seq(), events, commands, record);
    let World { judge, exchange, now, .. } = world;
    judge.stepped(Scene { now: *now, exchange }, input, &step, &manager);
}

pub(super) fn made(world: &mut World, events: Vec<Event>) {
    step(world, &Input::Woke, events, vec![], vec![]);
}

pub(super) fn create(world: &World, create: Create) -> Outgoing {
    let signed_at = Scene { now: world.now, exchange: &world.exchange }.clock();
    Outgoing { tag: Tag::Create(create.link), signed_at, recv_window_ms: 5_000, request: Request::Create(create) }
}

pub(super) fn send(world: &mut World, outgoing: &Outgoing) {
    let World { judge, exchange, now, .. } = world;
    judge.sends(Scene { now: *now, exchange }, outgoing);
}

/// The exchange takes this from nobody of ours, and a second goes by.
pub(super) fn arrive(world: &mut World, create: Create) {
    let signed =
        Signed { timestamp: Scene { now: world.now, exchange: &world.exchange }.clock(), recv_window_ms: 5_000 };
    let reply = world.exchange.handle(world.now, signed, &Request::Create(create));
    assert!(reply.result.is_ok(), "{reply:?}");
    let World { judge, exchange, now, .. } = &mut *world;
    judge.exchange(Scene { now: *now, exchange });
    if world.broken().is_none() {
        world.run_to(world.now.after(Span::secs(1)));
    }
}

pub(super) fn quantity(text: &str) -> Quantity {
    Quantity(text.parse::<Decimal>().unwrap())
}

#[test]
fn what_is_true_is_found_true_by_all() {
    let mut world = acted(TWO_ORDERS, Set::thorough());
    world.run_to(world.now.after(Span::secs(400)));
    world.judge_healed();
    assert_eq!(world.broken(), None);
}

#[test]
fn every_oracle_has_a_name_of_its_own_and_a_reason() {
    let names: BTreeSet<_> = Oracle::ALL.iter().map(|oracle| oracle.name()).collect();
    assert_eq!(names.len(), Oracle::ALL.len());
    for oracle in Oracle::ALL {
        assert_eq!(Oracle::named(oracle.name()), Some(*oracle));
        assert!(oracle.why().len() > 30, "{oracle}");
        assert!(Set::only(*oracle).has(*oracle) && !Set::NONE.has(*oracle));
    }
}

/// What panics ends its own world, and says so.
#[test]
fn a_panic_is_a_defect_of_its_world() {
    let broken = super::caught(|| panic!("{} of {}", 1, 2)).map(|()| "no panic");
    let broken = broken.map_err(|broken| (broken.oracle, broken.what));
    assert_eq!(broken, Err((Oracle::NoDefect, "a panic: 1 of 2".to_string())));
    assert_eq!(super::caught(|| 7).ok(), Some(7));
}
