//! The same scenario files at three depths: the core alone, the simulator, and the real binary over sockets
//! (scenarios that say `sockets = true`). What is published of each order is the same at all of them, but for
//! times and for what the exchange chooses.

#[path = "../support/mod.rs"]
mod support;

mod expect;
mod real;
mod told;

use order_manager_sim::replay::{Verdict, replay};
use order_manager_sim::scenario::{self, Scenario};
use order_manager_sim::world::run_script;
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

/// All of them together, each in a thread of its own.
const WITHIN: Duration = Duration::from_secs(60);

#[test]
fn each_socket_scenario_tells_the_same_at_three_depths() {
    let began = Instant::now();
    let scenarios = scenario::load_dir(Path::new("scenarios")).unwrap_or_else(|error| panic!("{error}"));
    let scenarios = scenarios.into_iter().map(|scenario| scenario.unwrap_or_else(|error| panic!("{error}")));
    let scenarios: Vec<Scenario> = scenarios.filter(|scenario| scenario.sockets).collect();
    assert!(scenarios.len() >= 3, "only {} scenarios say `sockets = true`", scenarios.len());
    thread::scope(|scope| {
        for scenario in &scenarios {
            thread::Builder::new().name(scenario.name.clone()).spawn_scoped(scope, || compare(scenario)).unwrap();
        }
    });
    assert!(began.elapsed() < WITHIN, "took {:?}", began.elapsed());
}

fn compare(scenario: &Scenario) {
    let name = &scenario.name;
    let (world, failures) = run_script(scenario, None, None).unwrap_or_else(|error| panic!("{error}"));
    assert!(failures.is_empty(), "{name} in the simulator: {failures:#?}");
    let simulated = told::of_messages(world.ledger.messages.as_deref().unwrap_or_default());
    assert!(!simulated.is_empty(), "{name}: nothing was told in the simulator");

    let journal = world.life.store.journal().unwrap();
    assert_replays(name, "simulator", &journal);
    let core = told::of_messages(told::ledger_of(&journal).messages.as_deref().unwrap_or_default());
    assert_eq!(core, simulated, "{name}: the core alone | the simulator");

    let end = real::run(scenario);
    assert_eq!(told::of_values(&end.events), simulated, "{name}: the real binary | the simulator");
    assert_replays(name, "binary", &end.journal);
    let core = told::of_messages(told::ledger_of(&end.journal).messages.as_deref().unwrap_or_default());
    assert_eq!(core, simulated, "{name}: the core over the binary's journal | the simulator");
}

fn assert_replays(name: &str, of: &str, journal: &[u8]) {
    match replay(journal).unwrap_or_else(|error| panic!("{name}, journal of the {of}: {error:#}")) {
        Verdict::Same { steps, .. } => assert!(steps > 0, "{name}: the journal of the {of} is empty"),
        verdict => panic!("{name}, journal of the {of}: {verdict}"),
    }
}
