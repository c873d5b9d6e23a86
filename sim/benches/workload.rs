//! What the simulator's speed is measured by: whole worlds of the swarm, each from its start to its rest, with digests,
//! journal and oracles.

use order_manager_sim::choice::Choices;
use order_manager_sim::oracle::{Oracle, Set, When};
use order_manager_sim::scenario::Link;
use order_manager_sim::swarm::{draw, run as run_one};
use std::ops::Range;

/// Each way to the exchange, by its name.
pub(crate) const LINKS: [(&str, Link); 2] = [("typed", Link::Typed), ("bytes", Link::Bytes)];

/// Those that are judged at every step.
pub(crate) fn step_oracles() -> Set {
    Oracle::ALL.iter().filter(|oracle| oracle.when() == When::Step).fold(Set::NONE, |set, oracle| set.with(*oracle))
}

/// Runs the worlds of these seeds over this link; how many inputs their managers took.
pub(crate) fn run(link: Link, oracles: Set, seeds: Range<u64>) -> u64 {
    let world = |seed| {
        let mut drawn = draw(&mut Choices::seeded(seed));
        drawn.link = link;
        run_one(&drawn, oracles, false).1.inputs
    };
    seeds.map(world).sum()
}
