//! The smallest world so far, and the law by which another takes its place.

use super::file;
use crate::choice::fnv1a;
use crate::oracle::{Broken, Oracle, Set};
use crate::swarm::{Drawn, judged};
use std::collections::BTreeSet;

pub(super) struct Hunt {
    best: Drawn,
    broken: Broken,
    runs: u32,
    runs_max: u32,
    taken: u32,
    /// Files of the worlds that were tried, hashed: none is run twice.
    tried: BTreeSet<u64>,
}

impl Hunt {
    /// Begins with a world, if the oracle does not hold in it.
    pub(super) fn start(drawn: Drawn, oracle: Oracle, runs_max: u32) -> Option<Self> {
        let broken = breaks(&drawn, oracle)?;
        Some(Self { best: drawn, broken, runs: 1, runs_max, taken: 0, tried: BTreeSet::new() })
    }

    pub(super) fn best(&self) -> &Drawn {
        &self.best
    }

    /// What does not hold in the best world.
    pub(super) fn broken(&self) -> &Broken {
        &self.broken
    }

    /// Takes `candidate` as the best world if it breaks the same oracle.
    pub(super) fn offer(&mut self, candidate: Drawn) -> bool {
        if self.is_spent() || !self.tried.insert(fnv1a(file::plain_text(&candidate).as_bytes())) {
            return false;
        }
        self.runs += 1;
        let Some(broken) = breaks(&candidate, self.broken.oracle) else { return false };
        self.best = candidate;
        self.broken = broken;
        self.taken += 1;
        true
    }

    /// How many candidates became the best.
    pub(super) fn taken(&self) -> u32 {
        self.taken
    }

    pub(super) fn is_spent(&self) -> bool {
        self.runs >= self.runs_max
    }

    pub(super) fn end(self) -> (Drawn, Broken, u32) {
        (self.best, self.broken, self.runs)
    }
}

/// How this oracle, with all others off, does not hold.
fn breaks(drawn: &Drawn, oracle: Oracle) -> Option<Broken> {
    judged(drawn, Set::only(oracle)).broken.filter(|broken| broken.oracle == oracle)
}
