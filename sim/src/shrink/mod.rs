//! From a world that breaks an oracle to a smaller one that breaks the same: what is left is what matters, written as
//! a scenario that a person can read.
//!
//! A candidate counts only where *this* oracle does not hold; the others are off, so that none of them ends the run
//! before it. The passes follow the structure of a world: the end, faults by their cause, signals with all that
//! belongs to them, steps in chunks, idle time, values. They repeat until none finds anything, or until the runs are
//! used up. There is no chance in it: the same world shrinks the same way.
//!
//! The passes over values work on the file's words, not on types: a word that a scenario learns is shrunk from then
//! on, and what comes out can always be written.

mod file;
mod hunt;
mod steps;
mod tamer;
mod time;
mod values;

pub use file::{drawn_of, scenario_of, write_to};

use crate::oracle::{Broken, Oracle};
use crate::swarm::Drawn;
use hunt::Hunt;

/// Enough for a world of some sixty steps.
pub const RUNS: u32 = 6_000;

/// What a world was shrunk to.
#[derive(Clone, Debug)]
pub struct Minimised {
    /// The small world. Its scenario is called as the large one was; what the large one says in `about` stands in the
    /// file's comment as where it comes from.
    pub drawn: Drawn,
    /// What does not hold in it.
    pub broken: Broken,
    /// Its steps.
    pub steps: usize,
    /// Worlds that were run.
    pub runs: u32,
    /// Was there nothing left to try? Else the runs were used up.
    pub is_fixpoint: bool,
    /// The scenario file.
    pub text: String,
    /// Does the file, read back and run, break the same oracle? Where it does not, the simulator has a bug: in words.
    pub doubt: Option<String>,
}

/// Shrinks a world in which `oracle` does not hold, in at most `runs_max` runs. None where it holds.
#[must_use]
pub fn minimise(drawn: &Drawn, oracle: Oracle, runs_max: u32) -> Option<Minimised> {
    let mut hunt = Hunt::start(drawn.clone(), oracle, runs_max)?;
    let mut is_fixpoint = false;
    while !is_fixpoint && !hunt.is_spent() {
        let before = hunt.taken();
        for pass in PASSES {
            pass(&mut hunt);
        }
        is_fixpoint = hunt.taken() == before && !hunt.is_spent();
    }
    values::rename(&mut hunt);
    let (drawn, broken, runs) = hunt.end();
    let text = file::text_of(&drawn, &broken);
    let doubt = file::doubt(&drawn.scenario.name, &text, oracle);
    Some(Minimised { steps: drawn.scenario.steps.len(), drawn, broken, runs, is_fixpoint, text, doubt })
}

/// In this order: what takes away most comes first.
const PASSES: &[fn(&mut Hunt)] = &[
    steps::cut_the_end,
    steps::drop_groups,
    steps::drop_signals,
    steps::drop_chunks,
    time::shorten_gaps,
    time::shorten_the_end,
    values::one_symbol,
    values::tame,
];

#[cfg(test)]
mod tests;
