//! What happened in all rounds, as it is printed at the end.

use super::fault::{Fault, Struck};
use anyhow::ensure;
use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;
use tokio::time::Instant;

/// From so many rounds on an event must have been repeated: in fewer no fault may have hit its window.
const ROUNDS_OF_REPEATS: usize = 200;

#[derive(Debug)]
pub(crate) struct Tally {
    pub(crate) seed: u64,
    rounds: usize,
    begun: Instant,
    faults: BTreeMap<Fault, (usize, Duration)>,
    cut: usize,
    /// Signals that were published again because no confirmation came.
    pub(crate) resent: usize,
    pub(crate) signals: usize,
    pub(crate) letters: usize,
    pub(crate) copies: usize,
    /// By outcome, the rejected ones by code.
    pub(crate) outcomes: BTreeMap<String, usize>,
    pub(crate) orders: BTreeMap<String, usize>,
    pub(crate) events: usize,
    pub(crate) fills: usize,
    /// Deliveries of an event beyond its first, without the broker's mark.
    pub(crate) repeats: usize,
    /// Deliveries with the broker's mark.
    pub(crate) redelivered: usize,
    pub(crate) counted: i64,
    pub(crate) validations: usize,
    /// Reducing orders that went ahead of an opening order of an earlier signal.
    pub(crate) passed: usize,
    pub(crate) steps: u64,
}

impl Tally {
    pub(crate) fn new(seed: u64, rounds: usize) -> Self {
        Self {
            seed,
            rounds,
            begun: Instant::now(),
            faults: BTreeMap::new(),
            cut: 0,
            resent: 0,
            signals: 0,
            letters: 0,
            copies: 0,
            outcomes: BTreeMap::new(),
            orders: BTreeMap::new(),
            events: 0,
            fills: 0,
            repeats: 0,
            redelivered: 0,
            counted: 0,
            validations: 0,
            passed: 0,
            steps: 0,
        }
    }

    pub(crate) fn add(&mut self, fault: Fault, Struck { cut, recovery }: Struck) {
        let (count, slowest) = self.faults.entry(fault).or_default();
        *count += 1;
        *slowest = recovery.max(*slowest);
        self.cut += cut;
    }

    /// What the load and the faults must have been for the rest to mean anything.
    pub(crate) fn is_enough(&self) -> anyhow::Result<()> {
        let placed = self.outcomes.get("placed").copied().unwrap_or_default();
        ensure!(self.signals >= 5 * self.rounds && placed >= 2 * self.rounds, "too few signals");
        ensure!(self.fills >= self.rounds && self.copies > 0 && self.letters > 0, "too little load");
        ensure!(self.cut >= self.rounds / 4, "too few cuts of open connections");
        ensure!(self.repeats > 0 || self.rounds < ROUNDS_OF_REPEATS, "no event was repeated");
        Ok(())
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let words = |counts: &BTreeMap<String, usize>| {
            counts.iter().map(|(word, count)| format!("{count} {word}")).collect::<Vec<_>>().join(", ")
        };
        writeln!(f, "seed {}: {} rounds in {:.0?}", self.seed, self.rounds, self.begun.elapsed())?;
        for fault in Fault::ALL {
            let (count, slowest) = self.faults.get(&fault).copied().unwrap_or_default();
            writeln!(f, "  {fault:?}: {count}, slowest until ready {slowest:.1?}")?;
        }
        writeln!(f, "{} open connections cut", self.cut)?;
        let Self { signals, letters, copies, resent, .. } = self;
        writeln!(
            f,
            "signals: {signals} confirmed by the broker, {copies} sent twice on purpose, {resent} again for want of a \
             confirmation, {letters} more that are none"
        )?;
        writeln!(f, "outcomes: {}", words(&self.outcomes))?;
        writeln!(f, "orders: {}; {} reducing ones went first", words(&self.orders), self.passed)?;
        writeln!(f, "events: {} and {} repeats, of the first {} fills", self.events, self.repeats, self.fills)?;
        if self.repeats == 0 {
            writeln!(f, "  no fault fell between an event's arrival and its confirmation")?;
        }
        writeln!(
            f,
            "  {} counted as repeated, {} validations asked for, {} given out again by the broker",
            self.counted, self.validations, self.redelivered
        )?;
        write!(f, "journal: {} steps, the same when replayed", self.steps)
    }
}
