//! All cases of a scenario, side by side.

use super::{Case, Uncut, act_out_case};
use crate::oracle::{Broken, When, caught};
use crate::scenario::{Loss, Scenario, ScenarioError};
use crate::world::{START, World};
use order_manager_core::unit::{Span, Timestamp};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

/// Which cases.
#[derive(Clone, Debug)]
pub struct Sweep {
    /// So much work for a scenario's boundaries that are cut in every way, counted in inputs: where all of them would be
    /// more, they are first those within two seconds of a step, then others evenly spread. The rest, evenly spread where
    /// that would be more than as much again, are cut in one way each, the next one in the next way. No limit where there
    /// is none.
    pub inputs_max: Option<u64>,
    /// Only this boundary.
    pub at: Option<u64>,
    /// Only this loss.
    pub loss: Option<Loss>,
    /// Only this boundary of the recovery.
    pub again: Option<u64>,
    /// Only this time down.
    pub restart: Option<Span>,
    /// Threads.
    pub jobs: usize,
}

/// What came of a scenario.
#[derive(Clone, Debug, Default)]
pub struct Swept {
    /// Its effect boundaries.
    pub boundaries: u64,
    /// Those at which it was cut in every way.
    pub whole: u64,
    /// Those at which it was cut in one.
    pub once: u64,
    /// Cases acted out.
    pub cases: usize,
    /// Those in which every oracle held.
    pub converged: usize,
    /// Cases whose world never came to the boundary: they prove nothing.
    pub missed: Vec<Case>,
    /// What did not hold without any cut; then there are no cases.
    pub uncut: Option<Broken>,
    /// What did not hold, in the order of the cases.
    pub failures: Vec<(Case, Broken)>,
}

/// Boundaries of a scenario that are cut in any case.
const LEAST: u64 = 20;
/// What a step causes at once happens within this.
const NEAR: Span = Span::secs(2);

/// At most `most` of them, evenly spread.
fn spread(all: &[u64], most: usize) -> Vec<u64> {
    let count = all.len().min(most);
    (0..count).filter_map(|n| all.get(n * all.len() / count)).copied().collect()
}

enum Ended {
    Well,
    Missed,
    Broken(Broken),
}

impl Ended {
    fn of(world: &World) -> Self {
        match world.broken() {
            Some(broken) => Self::Broken(broken.clone()),
            None if world.cuts_to_come() > 0 => Self::Missed,
            None => Self::Well,
        }
    }
}

impl Swept {
    /// Did an oracle of the steps fail?
    #[must_use]
    pub fn broke_a_step(&self) -> bool {
        self.broken().any(|broken| broken.oracle.when() == When::Step)
    }

    /// Did something not heal?
    #[must_use]
    pub fn did_not_heal(&self) -> bool {
        self.broken().any(|broken| broken.oracle.when() == When::Healed)
    }

    fn broken(&self) -> impl Iterator<Item = &Broken> {
        self.failures.iter().map(|(_, broken)| broken).chain(&self.uncut)
    }
}

impl Sweep {
    /// Acts a scenario's cases out. The same cases give the same result whatever the number of jobs.
    ///
    /// # Errors
    /// A `[config]` or `[exchange]` section that cannot be read.
    ///
    /// # Panics
    /// Never: a world that panics breaks `no-defect`.
    pub fn run(&self, scenario: &Scenario) -> Result<Swept, ScenarioError> {
        let uncut = match caught(|| Uncut::of(scenario)) {
            Ok(uncut) => uncut?,
            Err(panicked) => return Ok(Swept { uncut: Some(panicked), ..Swept::default() }),
        };
        let all = uncut.boundaries.len();
        let mut swept = Swept { boundaries: all as u64, uncut: uncut.broken.clone(), ..Swept::default() };
        if swept.uncut.is_some() {
            return Ok(swept);
        }
        let whole = self.whole(scenario, &uncut);
        let once = self.once(&uncut, &whole);
        (swept.whole, swept.once) = (whole.len() as u64, once.len() as u64);
        let mut cases: Vec<Case> = whole.iter().flat_map(|at| self.ways(*at)).collect();
        cases.extend(self.in_turn(&once));
        swept.cases = cases.len();
        for (case, ended) in self.judge(scenario, &cases)? {
            match ended {
                Ended::Well => swept.converged += 1,
                Ended::Missed => swept.missed.push(case),
                Ended::Broken(broken) => swept.failures.push((case, broken)),
            }
        }
        Ok(swept)
    }

    /// How each case ended, in their order.
    fn judge(&self, scenario: &Scenario, cases: &[Case]) -> Result<Vec<(Case, Ended)>, ScenarioError> {
        let next = AtomicUsize::new(0);
        let work = || {
            let mut ended = Vec::new();
            loop {
                let index = next.fetch_add(1, Ordering::Relaxed);
                let Some(case) = cases.get(index) else { return Ok(ended) };
                let end = match caught(|| act_out_case(scenario, *case, false)) {
                    Ok(world) => Ended::of(&world?),
                    Err(panicked) => Ended::Broken(panicked),
                };
                ended.push((index, *case, end));
            }
        };
        let mut ended = Vec::new();
        thread::scope(|scope| {
            let threads: Vec<_> = (0..self.jobs.max(1)).map(|_| scope.spawn(work)).collect();
            for thread in threads {
                match thread.join() {
                    Ok(some) => ended.extend(some?),
                    Err(panic) => std::panic::resume_unwind(panic),
                }
            }
            Ok(())
        })?;
        ended.sort_by_key(|(index, ..)| *index);
        Ok(ended.into_iter().map(|(_, case, ended)| (case, ended)).collect())
    }

    /// Of the boundaries that are not cut in every way those that are cut in one.
    fn once(&self, uncut: &Uncut, whole: &[u64]) -> Vec<u64> {
        if self.at.is_some() {
            return Vec::new();
        }
        let all = 0..uncut.boundaries.len() as u64;
        let rest: Vec<u64> = all.filter(|at| whole.binary_search(at).is_err()).collect();
        let most = self.inputs_max.map_or(u64::MAX, |inputs| inputs / uncut.inputs.max(1)).max(LEAST);
        spread(&rest, most as usize)
    }

    /// A case of each of these boundaries, the next one in the next way.
    pub(super) fn in_turn(&self, boundaries: &[u64]) -> impl Iterator<Item = Case> {
        let ways = self.ways(0).count().max(1);
        boundaries.iter().enumerate().filter_map(move |(turn, at)| self.ways(*at).nth(turn % ways))
    }

    fn ways(&self, at: u64) -> impl Iterator<Item = Case> + use<'_> {
        Case::all_at(at).filter(|case| self.wants(case))
    }

    /// Boundaries that are cut in every way, in their order.
    fn whole(&self, scenario: &Scenario, uncut: &Uncut) -> Vec<u64> {
        let times = &uncut.boundaries;
        if let Some(at) = self.at {
            return (at < times.len() as u64).then_some(at).into_iter().collect();
        }
        let ways = self.ways(0).count() as u64;
        let most = self.inputs_max.map_or(u64::MAX, |inputs| inputs / (uncut.inputs * ways).max(1)).max(LEAST) as usize;
        if times.len() <= most {
            return (0..times.len() as u64).collect();
        }
        let near = |time: Timestamp| {
            let after = |at: Span| time >= START.after(at) && time < START.after(at).after(NEAR);
            scenario.steps.iter().any(|step| after(step.at)) || time < START
        };
        let (near, far): (Vec<u64>, Vec<u64>) =
            (0..times.len()).map(|n| n as u64).partition(|n| near(times[*n as usize]));
        let mut chosen = spread(&near, most);
        chosen.extend(spread(&far, most - chosen.len()));
        chosen.sort_unstable();
        chosen
    }

    fn wants(&self, case: &Case) -> bool {
        self.loss.is_none_or(|loss| loss == case.loss)
            && self.again.is_none_or(|again| Some(again) == case.again)
            && self.restart.is_none_or(|restart| restart == case.restart)
    }
}
