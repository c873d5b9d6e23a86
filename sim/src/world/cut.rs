//! Cuts: the process dies at one effect boundary, counted from the beginning of the world.
//!
//! A boundary lies wherever a crash finds another state of disk and exchange: before a batch is stored, after it is
//! stored, and after each of its commands. So does each of the recovery after an earlier cut.

use super::World;
use crate::scenario::{Crash, CrashMoment, CrashOn, Loss};
use order_manager_core::Step;
use order_manager_core::input::Input;
use order_manager_core::unit::{Span, Timestamp};
use std::collections::VecDeque;

/// Where the process dies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cut {
    /// The number of the boundary, from 0.
    pub at: u64,
    /// What the store keeps.
    pub loss: Loss,
    /// How long the process stays down.
    pub restart: Span,
}

/// The boundaries of a world.
#[derive(Clone, Debug, Default)]
pub(super) struct Boundaries {
    passed: u64,
    /// When each was passed, where somebody wants to know.
    times: Option<Vec<Timestamp>>,
    cuts: VecDeque<Cut>,
    /// Where checkpoints are taken.
    checkpoints: VecDeque<u64>,
}

impl World {
    /// How many effect boundaries this world has passed.
    #[must_use]
    pub const fn boundaries(&self) -> u64 {
        self.boundaries.passed
    }

    /// From now on it is noted when each boundary is passed.
    pub fn note_boundaries(&mut self) {
        self.boundaries.times.get_or_insert_default();
    }

    /// When each boundary was passed, in their order, from when it was noted on.
    #[must_use]
    pub fn boundary_times(&self) -> &[Timestamp] {
        self.boundaries.times.as_deref().unwrap_or_default()
    }

    /// Cuts that are still to come: the world has not passed their boundaries.
    #[must_use]
    pub fn cuts_to_come(&self) -> usize {
        self.boundaries.cuts.len()
    }

    /// The process dies there, and there again; earlier cuts first.
    pub fn plan_cuts(&mut self, cuts: impl IntoIterator<Item = Cut>) {
        self.boundaries.cuts.extend(cuts);
    }

    /// Checkpoints are taken as soon as one can be after these boundaries; earlier ones first.
    pub fn plan_checkpoints(&mut self, at: impl IntoIterator<Item = u64>) {
        self.boundaries.checkpoints.extend(at);
    }

    /// An effect boundary is reached: does the process die at it?
    /// `under_way` is what the store had not confirmed.
    pub(super) fn cut_here(&mut self, moment: CrashMoment, under_way: &[(Input, Step)]) -> bool {
        let here = self.boundaries.passed;
        self.boundaries.passed += 1;
        if let Some(times) = &mut self.boundaries.times {
            times.push(self.now);
        }
        self.checkpoint_wanted |= self.boundaries.checkpoints.pop_front_if(|at| *at <= here).is_some();
        let Some(cut) = self.boundaries.cuts.front().filter(|cut| cut.at == here).copied() else { return false };
        self.boundaries.cuts.pop_front();
        self.crash_now(Crash { moment, on: CrashOn::Any, restart: cut.restart, loss: cut.loss }, under_way);
        true
    }
}
