//! Cancels that are wanted go, and go again, until the order has ended.

use super::bench::{Bench, Scene};
use super::list::Oracle;
use super::memory::Memory;
use order_manager_core::unit::{OrderLinkId, Span, Timestamp};

/// While the exchange can be reached, a live order whose cancel is wanted is cancelled at least this often: the
/// longest wait between two tries, rounds of asking in between, each of them lost once. Time in which the store takes
/// long over a commit does not count: nothing may leave before its step is durable (S1).
const PATIENCE: Span = Span::secs(60);

#[derive(Clone, Debug, Default)]
pub(super) struct Cancels {
    /// Wanted, and when it was last tried or could not be.
    wanted: Vec<(OrderLinkId, Timestamp)>,
    troubled: bool,
}

impl Cancels {
    pub(super) fn wanted(&mut self, now: Timestamp, link: OrderLinkId) {
        if !self.wanted.iter().any(|(known, _)| *known == link) {
            self.wanted.push((link, now));
        }
    }

    pub(super) fn tried(&mut self, now: Timestamp, link: OrderLinkId) {
        self.wanted.iter_mut().filter(|(known, _)| *known == link).for_each(|(_, at)| *at = now);
    }

    /// The process was down or stood still, or the exchange cannot be reached (and that lasts), or can again.
    pub(super) fn trouble(&mut self, now: Timestamp, lasts: Option<bool>) {
        self.troubled = lasts.unwrap_or(self.troubled);
        self.wanted.iter_mut().for_each(|(_, at)| *at = now);
    }

    /// Nothing may be sent before this.
    pub(super) fn excused(&mut self, until: Timestamp) {
        self.wanted.iter_mut().for_each(|(_, at)| *at = until.max(*at));
    }

    /// A commit takes so much longer than usual.
    pub(super) fn writes_slowly(&mut self, by: Span) {
        self.wanted.iter_mut().for_each(|(_, at)| *at = at.after(by));
    }

    pub(super) fn stepped(&mut self, bench: &mut Bench, scene: Scene<'_>, memory: &mut Memory) {
        if self.wanted.is_empty() || self.troubled {
            return;
        }
        let orders = &scene.exchange.truth().orders;
        self.wanted.retain(|(link, _)| {
            let number = memory.track(*link).number;
            number.and_then(|number| orders.get(number as usize)).is_none_or(|order| !order.is_closed())
        });
        for (link, since) in &self.wanted {
            let track = memory.track(*link);
            let lives = track.number.is_some() && track.shown;
            bench.must(Oracle::CancelsNotStarved, !lives || scene.now.since(*since) <= PATIENCE, || {
                format!("{link} lives, its cancel was last tried at {since}")
            });
        }
    }
}
