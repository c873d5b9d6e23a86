//! What a view showed, for views that are behind.

use super::Timestamp;
use order_manager_core::unit::Span;
use std::collections::VecDeque;

/// What was shown and since when, oldest first. Empty while nothing is behind.
#[derive(Clone, Debug)]
pub(super) struct Past<T>(VecDeque<(Timestamp, T)>);

impl<T> Default for Past<T> {
    fn default() -> Self {
        Self(VecDeque::new())
    }
}

impl<T> Past<T> {
    /// From now on this is shown. Forgets what nobody sees any more who is `lag` behind.
    pub(super) fn note(&mut self, now: Timestamp, lag: Span, shown: T) {
        let seen = Timestamp(now.0.saturating_sub(lag.0));
        while self.0.get(1).is_some_and(|(since, _)| *since <= seen) {
            self.0.pop_front();
        }
        self.0.push_back((now, shown));
    }

    /// What was shown at that moment, or first of all.
    pub(super) fn at(&self, moment: Timestamp) -> Option<&T> {
        let last = self.0.iter().rev().find(|(since, _)| *since <= moment);
        last.or(self.0.front()).map(|(_, shown)| shown)
    }

    pub(super) fn clear(&mut self) {
        self.0.clear();
    }
}
