//! Worlds that are broken on purpose: by an exchange that no client can be safe with, and by too little time to heal.

use super::*;
use crate::choice::Choices;
use crate::exchange::{Delays, ExchangeConfig, LinkReuse};
use crate::oracle::Set;
use crate::scenario::{Action, Effect, Fault, FaultKind, Link, Path, Requests, SignalStep, Step, signal_id};
use crate::swarm::{draw, run};
use order_manager_core::bybit::Operation;
use order_manager_core::config::Config;
use order_manager_core::unit::{Decimal, Side, Span, Symbol};
use std::collections::BTreeSet;

/// An exchange that takes a link id again once its order has ended, and a network that brings requests twice.
fn doubled(seed: u64) -> Drawn {
    let mut drawn = draw(&mut Choices::seeded(seed));
    drawn.scenario.name = "doubled".into();
    drawn.scenario.about = format!("seed {seed}");
    drawn.exchange.link_reuse = LinkReuse::AfterEnd;
    drawn.exchange.delays.engine_ms = 0;
    drawn.exchange.delays.wallet_push_ms = 17;
    drawn.config.lane_max = 77;
    drawn.link = Link::Bytes;
    let path = Path::Request(Requests::One(Operation::Create));
    let fault = Fault { kind: FaultKind::Carry { path, effect: Effect::Duplicate }, count: 9 };
    drawn.scenario.steps.insert(0, Step { at: Span::ZERO, line: 0, action: Action::Fault(fault) });
    drawn
}

fn first(broken: impl Fn(u64) -> Drawn, oracle: Oracle) -> Drawn {
    let mut worlds = (0..50).map(broken);
    worlds.find(|drawn| run(drawn, Set::only(oracle), false).1.broken.is_some()).expect("a world that breaks")
}

#[test]
fn what_is_left_is_what_matters() {
    let small = minimise(&first(doubled, Oracle::OneOrderAnIntent), Oracle::OneOrderAnIntent, RUNS).expect("breaks");
    assert!(small.is_fixpoint);
    assert_eq!(small.doubt, None);
    let Drawn { scenario, config, exchange, link, .. } = &small.drawn;
    let [Step { at: Span::ZERO, action: Action::Fault(fault), .. }, Step { at: Span::ZERO, action, .. }] =
        scenario.steps.as_slice()
    else {
        panic!("more than the fault and one signal: {}", small.text);
    };
    assert!(matches!(action, Action::Signal(SignalStep { deliveries: 1, price: None, .. })), "{action:?}");
    assert_eq!((fault.count, config, link), (1, &Config::default(), &Link::Typed));
    let mut least = ExchangeConfig { link_reuse: LinkReuse::AfterEnd, ..ExchangeConfig::default() };
    least.delays.engine_ms = 0;
    assert_eq!((exchange, scenario.heal), (&least, None));
    let comment = "# one-order-an-intent does not hold: a second order under one intent is money nobody meant";
    assert!(
        small.text.starts_with(comment) && small.text.contains("\n# order-sim run doubled.toml\n"),
        "{}",
        small.text
    );
}

#[test]
fn an_oracle_of_the_end_keeps_its_healing() {
    let unhealed = |seed| {
        let mut drawn = draw(&mut Choices::seeded(seed));
        drawn.scenario.heal = Some(Span::millis(1));
        drawn.scenario.name = "unhealed".into();
        drawn
    };
    let small = minimise(&first(unhealed, Oracle::LanesEmpty), Oracle::LanesEmpty, RUNS).expect("breaks");
    assert_eq!(small.drawn.scenario.heal, Some(Span::millis(1)));
    assert_eq!(small.doubt, None);
    assert!(small.steps <= 2, "{}", small.text);
}

#[test]
fn the_same_world_shrinks_the_same_way_and_no_further() {
    let drawn = first(doubled, Oracle::OneOrderAnIntent);
    let shrunk = |drawn| minimise(drawn, Oracle::OneOrderAnIntent, RUNS).expect("breaks");
    let (one, two) = (shrunk(&drawn), shrunk(&drawn));
    assert_eq!((&one.text, one.runs), (&two.text, two.runs));
    let again = shrunk(&one.drawn);
    assert_eq!(file::plain_text(&again.drawn), file::plain_text(&one.drawn));
}

#[test]
fn each_pass_keeps_the_oracle() {
    let oracle = Oracle::OneOrderAnIntent;
    let mut hunt = Hunt::start(first(doubled, oracle), oracle, RUNS).expect("breaks");
    for (number, pass) in PASSES.iter().enumerate() {
        let before = file::plain_text(hunt.best()).len();
        pass(&mut hunt);
        let broken = run(hunt.best(), Set::only(oracle), false).1.broken;
        assert_eq!(broken.as_ref(), Some(hunt.broken()), "pass {number}");
        assert!(file::plain_text(hunt.best()).len() <= before, "pass {number} made it longer");
    }
}

#[test]
fn a_world_that_holds_is_not_shrunk() {
    assert!(minimise(&draw(&mut Choices::seeded(1)), Oracle::OneOrderAnIntent, RUNS).is_none());
}

#[test]
fn the_runs_are_bounded() {
    let small = minimise(&first(doubled, Oracle::OneOrderAnIntent), Oracle::OneOrderAnIntent, 10).expect("breaks");
    assert!(small.runs <= 10 && !small.is_fixpoint && small.doubt.is_none());
}

#[test]
fn what_belongs_together_goes_together() {
    let signal = |alias: &str, same: &str| {
        let side = Side::Buy;
        let mut signal = SignalStep::plain(alias, Symbol::clipped("BTCUSDT"), side, Decimal::from(500));
        signal.id = signal_id(same);
        Action::Signal(signal)
    };
    let mut drawn = draw(&mut Choices::from_tape(&[]));
    let actions = [
        signal("a", "a"),
        Action::StreamDown,
        Action::Again("a".into()),
        signal("b", "a"),
        Action::Again("b".into()),
        Action::StreamUp,
        signal("c", "c"),
    ];
    drawn.scenario.steps = actions.into_iter().map(|action| Step { at: Span::ZERO, line: 0, action }).collect();
    let left = |gone: &[usize]| {
        let smaller = steps::without(&drawn, &BTreeSet::from_iter(gone.iter().copied()));
        smaller.scenario.steps.len()
    };
    assert_eq!([left(&[]), left(&[0]), left(&[1]), left(&[3]), left(&[5]), left(&[6])], [7, 3, 5, 5, 6, 6]);
}

#[test]
fn a_file_says_only_what_differs() {
    let mut drawn = doubled(3);
    drawn.scenario.steps.clear();
    drawn.config = Config { lane_max: 77, ..Config::default() };
    let delays = Delays { engine_ms: 0, wallet_push_ms: 17, ..Delays::default() };
    drawn.exchange = ExchangeConfig { link_reuse: LinkReuse::AfterEnd, delays, ..ExchangeConfig::default() };
    let text = file::plain_text(&drawn);
    assert!(text.contains("[config]\nlane_max = 77\n"), "{text}");
    assert!(text.contains("[exchange]\nlink_reuse = \"after_end\"\n"), "{text}");
    assert!(text.contains("[exchange.delays]\nengine_ms = 0\nwallet_push_ms = 17\n"), "{text}");
    let back = drawn_of(&crate::scenario::parse("doubled.toml", "doubled", &text).expect("reads")).expect("reads");
    assert_eq!((back.config, back.exchange, back.link), (drawn.config, drawn.exchange, drawn.link));
}
