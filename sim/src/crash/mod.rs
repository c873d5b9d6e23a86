//! Every crash that a scenario can have: at each effect boundary, with each loss, down for a moment and for longer.
//!
//! The scenario is acted out once without a cut, and its boundaries are counted. Then once for each case: the process
//! dies exactly there, starts again, the scenario goes on to its end, everything heals, and every oracle judges. What
//! the scenario itself expects is not judged: a crash may well make another story of it, but never a wrong one.

mod sweep;

pub use sweep::{Sweep, Swept};

use crate::oracle::{Broken, Set};
use crate::scenario::{Link, Loss, Scenario, ScenarioError};
use crate::world::{Cut, Staging, World, act_out_with};
use order_manager_core::unit::{Span, Timestamp};
use std::fmt;

/// What is still to fill, settle and be told is given this long: an exit that was never sent is given up after 900 s.
const HEALING: Span = Span::secs(1_000);
/// The same where the process dies once more in that time.
const HEALING_TWICE: Span = Span::secs(1_600);
/// Before the first step. What happens on the account before the manager has ever come up is not its history, so it
/// has time to come up though it dies at its first start and again.
const WARM_UP: Span = Span::secs(60);
/// How long the process stays down: so short that answers of its old life still come, and longer than any of them.
pub const RESTARTS: [Span; 2] = [Span::millis(100), Span::secs(10)];
/// Where the recovery is cut: boundaries of the new life, the first is the one before its first batch is stored.
pub const AGAIN: [u64; 6] = [0, 1, 2, 4, 8, 16];
/// A process that has lived has checkpoints, as every start keeps one: before the scenario begins it is killed at these
/// boundaries. What is cut up to the last of them is a process that never started before. Where a checkpoint is lost, two
/// more were taken since, so that the one that is left, or none, is another past than the one that is lost.
const PAST: [u64; 2] = [3, 7];

/// One crash.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Case {
    /// The boundary at which the process dies, from 0.
    pub at: u64,
    /// What its store keeps.
    pub loss: Loss,
    /// The boundary of its next life at which it dies again, for [`Loss::InRecovery`] only.
    pub again: Option<u64>,
    /// How long it stays down, each time.
    pub restart: Span,
}

impl Case {
    /// Every case at a boundary.
    pub fn all_at(at: u64) -> impl Iterator<Item = Self> {
        let losses = Loss::ALL.into_iter().filter(|loss| *loss != Loss::InRecovery).map(|loss| (loss, None));
        let recoveries = AGAIN.into_iter().map(|again| (Loss::InRecovery, Some(again)));
        let ways = losses.chain(recoveries);
        ways.flat_map(move |(loss, again)| RESTARTS.map(|restart| Self { at, loss, again, restart }))
    }

    fn cuts(self) -> Vec<Cut> {
        let Self { at, loss, again, restart } = self;
        let mut cuts = if at > PAST[1] { past() } else { Vec::new() };
        match again {
            None => cuts.push(Cut { at, loss, restart }),
            Some(again) => {
                let loss = Loss::Kill;
                cuts.extend([Cut { at, loss, restart }, Cut { at: at + 1 + again, loss, restart }]);
            }
        }
        cuts
    }

    /// Boundaries after which checkpoints are taken: half the way from the past to the cut, and three quarters.
    fn checkpoints(self) -> Vec<u64> {
        let is_lost = matches!(self.loss, Loss::OldCheckpoint | Loss::NoCheckpoint) && self.at > PAST[1];
        let half = PAST[1].midpoint(self.at);
        if is_lost { vec![half, half.midpoint(self.at)] } else { Vec::new() }
    }
}

fn past() -> Vec<Cut> {
    PAST.map(|at| Cut { at, loss: Loss::Kill, restart: RESTARTS[0] }).to_vec()
}

/// As the command line takes it.
impl fmt::Display for Case {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "--at {} --loss {}", self.at, self.loss.as_str())?;
        if let Some(again) = self.again {
            write!(f, " --again {again}")?;
        }
        write!(f, " --restart {}ms", self.restart.as_millis())
    }
}

/// A scenario that is not cut.
#[derive(Clone, Debug)]
pub struct Uncut {
    /// When each effect boundary up to its end is passed.
    pub boundaries: Vec<Timestamp>,
    /// Inputs of the whole, its healing too.
    pub inputs: u64,
    /// What does not hold in it.
    pub broken: Option<Broken>,
}

impl Uncut {
    /// Acts a scenario out without a cut of its own.
    ///
    /// # Errors
    /// A `[config]` or `[exchange]` section that cannot be read.
    pub fn of(scenario: &Scenario) -> Result<Self, ScenarioError> {
        let unhealed = act(scenario, past(), vec![], None, false)?;
        let healed = act(scenario, past(), vec![], Some(HEALING), false)?;
        let boundaries = unhealed.boundary_times().to_vec();
        Ok(Self { boundaries, inputs: healed.inputs, broken: healed.broken().cloned() })
    }
}

/// Acts one case out and judges it; the story is told where it is wanted.
///
/// # Errors
/// A `[config]` or `[exchange]` section that cannot be read.
pub fn act_out_case(scenario: &Scenario, case: Case, trace: bool) -> Result<World, ScenarioError> {
    let healing = if case.again.is_some() { HEALING_TWICE } else { HEALING };
    act(scenario, case.cuts(), case.checkpoints(), Some(healing), trace)
}

fn act(
    scenario: &Scenario,
    cuts: Vec<Cut>,
    checkpoints: Vec<u64>,
    heal: Option<Span>,
    trace: bool,
) -> Result<World, ScenarioError> {
    let stage = Staging {
        config: scenario.rules()?,
        exchange: scenario.exchange_as()?,
        link: scenario.link.unwrap_or(Link::Typed),
        seed: scenario.seed,
        trace,
        oracles: Set::all(),
    };
    let mut healed = scenario.clone();
    healed.heal = heal.map(|heal| heal.max(scenario.heal.unwrap_or_default()));
    let (world, _) = act_out_with(&healed, stage, WARM_UP, |world| {
        world.note_boundaries();
        world.checkpoint_every(1);
        world.plan_cuts(cuts);
        world.plan_checkpoints(checkpoints);
    });
    Ok(world)
}

#[cfg(test)]
mod tests;
