//! Real time for an engine that wants time as an argument.

use order_manager_core::unit::Timestamp;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// Wall clock at the start plus what has elapsed since: it never goes back, whatever is done to the wall clock.
#[derive(Clone, Copy, Debug)]
pub(super) struct Clock {
    start: Timestamp,
    started: Instant,
}

impl Clock {
    pub(super) fn start() -> Self {
        let wall = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Self { start: Timestamp(micros(wall)), started: Instant::now() }
    }

    pub(super) fn now(&self) -> Timestamp {
        Timestamp(self.start.0.saturating_add(micros(self.started.elapsed())))
    }

    /// How long until `at`; nothing where it has passed.
    pub(super) fn until(&self, at: Timestamp) -> Duration {
        Duration::from_micros(at.since(self.now()).0)
    }
}

fn micros(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}
