//! What can go wrong around the exchange, word by word: each fault does what it says, and the manager is right in the
//! end.

mod link;
mod process;
mod signals;

use order_manager_sim::judge;
use order_manager_sim::scenario::{self, Scenario};
use order_manager_sim::world::{World, run_script};

/// A world after these steps: each a moment and what happens then, as a file says it.
struct Story {
    world: World,
    told: String,
}

fn scenario(steps: &[(&str, &str)]) -> Scenario {
    let steps: String = steps.iter().map(|(at, what)| format!("[[steps]]\nat = \"{at}\"\n{what}\n")).collect();
    scenario::parse("t.toml", "t", &format!("name = \"t\"\n{steps}")).unwrap_or_else(|error| panic!("{error}"))
}

/// Acts the steps out and sees that the books agree with the exchange afterwards, whatever its messages do.
fn story(steps: &[(&str, &str)]) -> Story {
    let scenario = scenario(steps);
    for seed in 2..12 {
        act(&scenario, seed);
    }
    act(&scenario, 0)
}

fn act(scenario: &Scenario, seed: u64) -> Story {
    let (world, failures) = run_script(scenario, None, Some(seed)).unwrap_or_else(|error| panic!("{error}"));
    let told = world.trace.as_ref().map(|trace| trace.text().to_string()).unwrap_or_default();
    assert!(failures.is_empty(), "seed {seed}: {failures:#?}\n{told}");
    assert!(world.broken().is_none(), "seed {seed}: {:?}\n{told}", world.broken());
    let differences = judge::differences(&world.ledger.books, &world.exchange);
    assert!(differences.is_empty(), "seed {seed}: {differences:#?}\n{told}");
    Story { world, told }
}

impl Story {
    /// When something is told first, milliseconds after the start.
    fn at(&self, what: &str) -> u64 {
        let line = self.told.lines().find(|line| line.contains(what));
        let line = line.unwrap_or_else(|| panic!("nothing says {what:?}:\n{}", self.told));
        line.split_whitespace().next().and_then(|at| at.parse().ok()).unwrap_or_else(|| panic!("{line}"))
    }

    fn count(&self, what: &str) -> usize {
        self.told.lines().filter(|line| line.contains(what)).count()
    }
}

const BUY: &str = "signal = { id = \"s-1\", side = \"buy\", amount = \"500\" }";
const FILLED: &str = "expect = { orders = 1, status = \"filled\", signal = { s-1 = \"accepted\" }, consistent = true }";
