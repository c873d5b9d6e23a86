//! What the simulator's speed is measured by: whole worlds of the swarm, each from its start to its rest, with digests,
//! journal and every oracle.

use order_manager_sim::choice::Choices;
use order_manager_sim::oracle::Set;
use order_manager_sim::scenario::Link;
use order_manager_sim::swarm::{draw, run as run_one};
use std::ops::Range;

/// Each way to the exchange, by its name.
pub(crate) const LINKS: [(&str, Link); 2] = [("typed", Link::Typed), ("bytes", Link::Bytes)];

/// Runs the worlds of these seeds over this link; how many inputs their managers took.
pub(crate) fn run(link: Link, seeds: Range<u64>) -> u64 {
    let world = |seed| {
        let mut drawn = draw(&mut Choices::seeded(seed));
        drawn.link = link;
        run_one(&drawn, Set::all(), false).1.inputs
    };
    seeds.map(world).sum()
}
