//! Every scenario of `scenarios/`: its expectations hold, on both links it ends in the same state, its journal
//! replays digest by digest, and its story is the golden trace that stands beside it.
//!
//! After a change that is meant: `INSTA_UPDATE=always cargo test --test scenarios`, then read the difference.

use order_manager_sim::judge;
use order_manager_sim::replay::{Verdict, replay};
use order_manager_sim::scenario::{self, Link, Scenario};
use order_manager_sim::summary::Summary;
use order_manager_sim::world::{Trace, World, run_script};
use std::path::Path;

fn act(scenario: &Scenario, link: Link, seed: u64) -> World {
    let (world, failures) = run_script(scenario, Some(link), Some(seed)).unwrap_or_else(|error| panic!("{error}"));
    assert!(failures.is_empty(), "{} over {link:?}, seed {seed}: {failures:#?}", scenario.name);
    assert_eq!(world.broken(), None, "{} over {link:?}, seed {seed}", scenario.name);
    let differences = judge::differences(&world.ledger.books, &world.exchange);
    assert!(differences.is_empty(), "{} over {link:?}, seed {seed}: {differences:#?}", scenario.name);
    world
}

fn assert_replays(world: &World, name: &str) {
    let journal = world.life.store.journal().expect("a journal");
    match replay(&journal).unwrap_or_else(|error| panic!("{name}: {error:#}")) {
        Verdict::Same { steps, .. } => assert_eq!(steps as usize, world.life.store.len(), "{name}"),
        verdict => panic!("{name}: {verdict}"),
    }
}

#[test]
fn every_scenario_holds_on_both_links_and_tells_its_golden_story() {
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path("../scenarios");
    settings.set_prepend_module_to_snapshot(false);
    settings.set_snapshot_suffix("trace");
    settings.set_omit_expression(true);
    let _bound = settings.bind_to_scope();
    let scenarios = scenario::load_dir(Path::new("scenarios")).unwrap_or_else(|error| panic!("{error}"));
    assert!(scenarios.len() >= 14, "only {} scenarios", scenarios.len());
    for scenario in scenarios {
        let scenario = scenario.unwrap_or_else(|error| panic!("{error}"));
        let name = scenario.name.as_str();
        let typed = act(&scenario, Link::Typed, scenario.seed);
        let bytes = act(&scenario, Link::Bytes, scenario.seed);
        assert_replays(&typed, name);
        assert_replays(&bytes, name);
        assert_eq!(Summary::of(&typed).digest, Summary::of(&bytes).digest, "{name}: the links differ");
        let story = |world: &World| world.trace.as_ref().map(|t: &Trace| t.text().to_string()).unwrap_or_default();
        assert_eq!(story(&typed), story(&bytes), "{name}: the links tell different stories");
        insta::assert_snapshot!(name, story(&typed));
    }
}

/// A story must not hang on how long its messages take.
#[test]
fn every_scenario_holds_however_its_messages_overtake_each_other() {
    let scenarios = scenario::load_dir(Path::new("scenarios")).unwrap_or_else(|error| panic!("{error}"));
    for scenario in scenarios {
        let scenario = scenario.unwrap_or_else(|error| panic!("{error}"));
        (100..140).for_each(|seed| _ = act(&scenario, Link::Typed, seed));
    }
}
