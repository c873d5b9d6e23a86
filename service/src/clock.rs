//! The one clock: wall time at start plus monotonic time since, so that a stepped wall clock never shows.

use order_manager_core::unit::Timestamp;
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use tokio::time::Instant;

/// Gives `now` in integer microseconds, never less than it gave before, nor than the journal's last.
#[derive(Clone, Copy, Debug)]
pub struct Clock {
    started: Instant,
    wall: Timestamp,
}

impl Clock {
    /// A clock that starts now, not before `floor`: the journal's last moment.
    #[must_use]
    pub fn start(floor: Timestamp) -> Self {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let wall = Timestamp(u64::try_from(since.as_micros()).unwrap_or(u64::MAX)).max(floor);
        Self { started: Instant::now(), wall }
    }

    /// Now.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        let elapsed = u64::try_from(self.started.elapsed().as_micros()).unwrap_or(u64::MAX);
        Timestamp(self.wall.0.saturating_add(elapsed))
    }

    /// When the runtime's clock will show `at`.
    #[must_use]
    pub fn instant_of(&self, at: Timestamp) -> Instant {
        self.started + Duration::from_micros(at.0.saturating_sub(self.wall.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_never_shows_less_than_the_journal() {
        let far = Timestamp(u64::MAX / 4);
        let clock = Clock::start(far);
        assert!(clock.now() >= far);
        assert_eq!(clock.instant_of(far), clock.started);
    }
}
