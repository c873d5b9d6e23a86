//! One drawn world, acted out and judged.

use super::{Drawn, Marks};
use crate::oracle::{Broken, Set, caught};
use crate::world::{Staging, World, act_out};
use order_manager_core::journal::Digest;
use order_manager_core::unit::Span;

/// What came of a world.
#[derive(Clone, Debug, Default)]
pub struct Outcome {
    /// The first oracle that did not hold.
    pub broken: Option<Broken>,
    /// How long it was, true time.
    pub lasted: Span,
    /// Inputs that the manager was given.
    pub inputs: u64,
    /// What it came through.
    pub marks: Marks,
    /// Orders of ours at the exchange.
    pub orders: usize,
    /// Chain of the step digests.
    pub chain: Digest,
}

/// Acts a drawn world out under these oracles; of one that panics it is known that it did.
#[must_use]
pub fn judged(drawn: &Drawn, oracles: Set) -> Outcome {
    let panicked = |broken| Outcome { broken: Some(broken), ..Outcome::default() };
    caught(|| run(drawn, oracles, false).1).unwrap_or_else(panicked)
}

/// Acts a drawn world out under these oracles.
#[must_use]
pub fn run(drawn: &Drawn, oracles: Set, trace: bool) -> (World, Outcome) {
    let stage = Staging {
        config: drawn.config.clone(),
        exchange: drawn.exchange.clone(),
        link: drawn.link,
        seed: drawn.scenario.seed,
        trace,
        oracles,
    };
    let (world, _) = act_out(&drawn.scenario, stage);
    let mut marks = world.watch.marks.clone();
    marks.add(world.wire.acted());
    marks.add(world.exchange.acted());
    let outcome = Outcome {
        marks,
        broken: world.broken().cloned(),
        lasted: world.elapsed(),
        inputs: world.inputs,
        orders: world.exchange.truth().links.len(),
        chain: world.life.manager().map(order_manager_core::Manager::digest).unwrap_or_default(),
    };
    (world, outcome)
}
