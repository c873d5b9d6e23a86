//! Many seeds, judged side by side. What comes of a seed is its own affair: the same seeds give the same tally
//! whatever the number of jobs.

use super::{Drawn, Family, Marks, Outcome, Profile, draw_of, judged};
use crate::choice::Choices;
use crate::oracle::{Broken, Oracle, Set};
use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// What to judge.
#[derive(Clone, Debug)]
pub struct Campaign {
    /// Which seeds.
    pub seeds: Range<u64>,
    /// What kind of worlds.
    pub profile: Profile,
    /// Threads.
    pub jobs: usize,
    /// No seed is begun after this.
    pub time: Option<Duration>,
    /// Which oracles watch.
    pub oracles: Set,
    /// Does the first failure end it? Else all seeds are judged.
    pub until_failure: bool,
}

/// A seed whose world broke an oracle.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fallen {
    /// The seed.
    pub seed: u64,
    /// Milliseconds of true time after the world began.
    pub at_ms: u64,
    /// What broke.
    pub broken: Broken,
    /// The families that it has.
    pub families: Vec<Family>,
}

/// What came of a campaign.
#[derive(Clone, Debug, Default)]
pub struct Tally {
    /// Seeds judged.
    pub seeds: u64,
    /// Inputs that their managers were given.
    pub inputs: u64,
    /// The seeds that fell, by number.
    pub fallen: BTreeMap<u64, Fallen>,
    /// How many seeds had each family.
    pub families: BTreeMap<Family, u64>,
    /// How many seeds had so many orders of ours at the exchange.
    pub orders: Spread,
    /// In how many seeds so many faults took effect.
    pub faults: Spread,
    /// What they came through.
    pub marks: Marks,
    /// How many seeds had so many inputs.
    pub lengths: Spread,
}

/// How often each figure came up.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Spread(BTreeMap<u64, u64>);

impl Spread {
    fn count(&mut self, figure: u64) {
        *self.0.entry(figure).or_default() += 1;
    }

    fn add(&mut self, other: &Self) {
        for (figure, times) in &other.0 {
            *self.0.entry(*figure).or_default() += times;
        }
    }

    /// The figure that half of all reach; 0 of none.
    #[must_use]
    pub fn median(&self) -> u64 {
        let half = self.0.values().sum::<u64>() / 2;
        let mut seen = 0;
        let middle = self.0.iter().find(|(_, times)| {
            seen += **times;
            seen > half
        });
        middle.map_or(0, |(figure, _)| *figure)
    }
}

impl Tally {
    /// How many of the seeds that broke this oracle had each family, and how many would have by chance.
    #[must_use]
    pub fn suspects(&self, oracle: Oracle) -> Vec<(Family, u64, u64)> {
        let fallen: Vec<&Fallen> = self.fallen.values().filter(|fallen| fallen.broken.oracle == oracle).collect();
        let fell = |family: Family| fallen.iter().filter(|fallen| fallen.families.contains(&family)).count();
        let share = |seeds: u64| seeds * fallen.len() as u64 / self.seeds.max(1);
        let all = self.families.iter().map(|(family, seeds)| (*family, fell(*family) as u64, share(*seeds)));
        let mut all: Vec<_> = all.filter(|(_, fell, expected)| fell > expected).collect();
        all.sort_by_key(|(_, fell, expected)| std::cmp::Reverse(fell - expected));
        all
    }

    fn count(&mut self, seed: u64, families: Vec<Family>, outcome: Outcome) {
        self.seeds += 1;
        self.inputs += outcome.inputs;
        self.orders.count(outcome.orders as u64);
        self.lengths.count(outcome.inputs);
        self.faults.count(outcome.marks.faults());
        self.marks.add(&outcome.marks);
        families.iter().for_each(|family| *self.families.entry(*family).or_default() += 1);
        if let Some(broken) = outcome.broken {
            let at_ms = outcome.lasted.as_millis();
            self.fallen.insert(seed, Fallen { seed, at_ms, broken, families });
        }
    }

    fn add(&mut self, other: Self) {
        self.seeds += other.seeds;
        self.inputs += other.inputs;
        self.orders.add(&other.orders);
        self.lengths.add(&other.lengths);
        self.faults.add(&other.faults);
        self.marks.add(&other.marks);
        self.fallen.extend(other.fallen);
        for (family, seeds) in other.families {
            *self.families.entry(family).or_default() += seeds;
        }
    }
}

/// What is told on the way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress {
    /// So many seeds are judged.
    Done(u64),
    /// This seed broke this oracle.
    Fell(u64, Oracle),
}

impl Campaign {
    /// Judges the seeds. `progress` is told of each seed that falls, by which oracle, and now and then how many are done.
    ///
    /// # Panics
    /// Where `progress` does.
    pub fn run(&self, progress: impl Fn(Progress) + Sync) -> Tally {
        let (next, done) = (AtomicU64::new(self.seeds.start), AtomicU64::new(0));
        let stop = AtomicBool::new(false);
        let began = Instant::now();
        let work = || {
            let mut tally = Tally::default();
            loop {
                let late = self.time.is_some_and(|time| began.elapsed() >= time);
                if late || stop.load(Ordering::Relaxed) {
                    break tally;
                }
                let seed = next.fetch_add(1, Ordering::Relaxed);
                if seed >= self.seeds.end {
                    break tally;
                }
                let drawn = self.drawn(seed);
                let outcome = judged(&drawn, self.oracles);
                if let Some(broken) = &outcome.broken {
                    progress(Progress::Fell(seed, broken.oracle));
                    stop.fetch_or(self.until_failure, Ordering::Relaxed);
                }
                tally.count(seed, drawn.families, outcome);
                let done = done.fetch_add(1, Ordering::Relaxed) + 1;
                if done.is_multiple_of(1_000) {
                    progress(Progress::Done(done));
                }
            }
        };
        std::thread::scope(|scope| {
            let threads: Vec<_> = (0..self.jobs.max(1)).map(|_| scope.spawn(work)).collect();
            threads.into_iter().fold(Tally::default(), |mut all, thread| {
                match thread.join() {
                    Ok(tally) => all.add(tally),
                    Err(panic) => std::panic::resume_unwind(panic),
                }
                all
            })
        })
    }

    /// What is drawn of a seed.
    #[must_use]
    pub fn drawn(&self, seed: u64) -> Drawn {
        draw_of(&mut Choices::seeded(seed), &self.profile)
    }
}
