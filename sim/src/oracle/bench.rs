//! Where verdicts are given: the first failure of an oracle that is on is kept.

use super::{Broken, Oracle, Set};
use crate::exchange::Exchange;
use order_manager_core::unit::{ExchangeTime, Timestamp};

/// One verdict: nothing, or what was found.
pub(super) type Verdict = Result<(), String>;

/// The true state of things at a moment.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Scene<'a> {
    pub(crate) now: Timestamp,
    pub(crate) exchange: &'a Exchange,
}

impl Scene<'_> {
    /// What the exchange's clock shows: it is exact.
    pub(super) const fn clock(self) -> ExchangeTime {
        ExchangeTime(self.now.0 / 1_000)
    }
}

#[derive(Clone, Debug, Default)]
pub(super) struct Bench {
    on: Set,
    now: Timestamp,
    broken: Option<Broken>,
}

impl Bench {
    pub(super) fn new(on: Set) -> Self {
        Self { on, ..Self::default() }
    }

    pub(super) const fn on(&self) -> Set {
        self.on
    }

    pub(super) const fn broken(&self) -> Option<&Broken> {
        self.broken.as_ref()
    }

    /// Verdicts from here on are of this moment.
    pub(super) const fn at(&mut self, now: Timestamp) {
        self.now = now;
    }

    /// Does anybody still want to know?
    pub(super) const fn asks(&self, oracle: Oracle) -> bool {
        self.broken.is_none() && self.on.has(oracle)
    }

    /// Keeps the first failure.
    pub(super) fn rule(&mut self, oracle: Oracle, verdict: Verdict) {
        if let Err(what) = verdict
            && self.asks(oracle)
        {
            self.broken = Some(Broken { oracle, at: self.now, what });
        }
    }

    /// The same, the words made only where they are needed.
    pub(super) fn must(&mut self, oracle: Oracle, holds: bool, what: impl FnOnce() -> String) {
        if !holds && self.asks(oracle) {
            self.rule(oracle, Err(what()));
        }
    }
}
