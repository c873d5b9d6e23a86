//! What the adapter waits for.

use crate::agenda::Turn;
use order_manager_core::input::Tag;
use order_manager_core::unit::Timestamp;
use std::collections::VecDeque;

/// Requests that are out, each known by the number of its sending.
#[derive(Debug, Default)]
pub(super) struct Waiting {
    open: Vec<(u64, Tag)>,
    /// When it is no longer waited for which, in the order of their sending: all are waited for equally long. Those
    /// that were answered are passed over.
    limits: VecDeque<Limit>,
}

/// The end of a waiting.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limit {
    pub(super) turn: Turn,
    pub(super) tag: Tag,
    pub(super) sent: u64,
}

impl Waiting {
    /// A request leaves; it takes the place of one with the same tag.
    pub(super) fn begin(&mut self, tag: Tag, sent: u64) {
        self.open.retain(|(_, other)| *other != tag);
        self.open.push((sent, tag));
    }

    /// It is waited for until then.
    pub(super) fn limit(&mut self, limit: Limit) {
        self.limits.push_back(limit);
    }

    /// Is its answer still waited for? Not any more after that.
    pub(super) fn end(&mut self, sent: u64) -> bool {
        let place = self.open.iter().position(|(other, _)| *other == sent);
        let Some(place) = place else { return false };
        self.open.remove(place);
        while self.limits.pop_front_if(|limit| self.open.iter().all(|(sent, _)| *sent != limit.sent)).is_some() {}
        true
    }

    /// When the next waiting ends.
    pub(super) fn next(&self) -> Option<Turn> {
        self.limits.front().map(|limit| limit.turn)
    }

    pub(super) fn take_due(&mut self, now: Timestamp) -> Option<Limit> {
        self.limits.pop_front_if(|limit| limit.turn.0 <= now)
    }

    /// Nothing is waited for any more.
    pub(super) fn clear(&mut self) {
        self.open.clear();
        self.limits.clear();
    }
}
