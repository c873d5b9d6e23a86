//! The clocks of the manager's host, which may be set, may drift, and may stand still for the process that they serve.
//! The exchange keeps true time.

use super::{Happening, World};
use crate::scenario::Clock;
use order_manager_core::unit::{Span, Timestamp};

/// Millionths.
const MILLION: i128 = 1_000_000;

/// What the host's clocks show, as a function of true time. `now` for the manager is the wall clock at its start plus
/// monotonic time since (design: Time): a wall clock that is set does not show before the next start, a drift does.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct HostClock {
    /// True time at which the offsets held.
    since: Timestamp,
    /// How far the process is ahead of true time, microseconds.
    own: i64,
    /// How far the wall clock is.
    wall: i64,
    /// How much both gain, millionths.
    drift: i32,
}

impl HostClock {
    /// What the process takes for now.
    pub(super) fn own(&self, now: Timestamp) -> Timestamp {
        if self.own == 0 && self.drift == 0 {
            return now;
        }
        moved(now, self.own.saturating_add(self.gained(now)))
    }

    /// The first true moment at which the process takes it to be `own`, or later.
    pub(super) fn when(&self, own: Timestamp) -> Timestamp {
        if self.own == 0 && self.drift == 0 {
            return own;
        }
        let run = i128::from(own.0) - i128::from(self.own) - i128::from(self.since.0);
        let rate = MILLION + i128::from(self.drift);
        // A clock that gains shows it earlier; half a microsecond is never shown, so that the whole one above counts.
        let elapsed = (run.max(0) * MILLION + rate - 1).div_euclid(rate);
        let mut when = Timestamp(self.since.0.saturating_add(u64::try_from(elapsed).unwrap_or(u64::MAX)));
        while self.own(when) < own {
            when = when.after(Span(1));
        }
        when
    }

    /// A process starts that knows of the moment `floor`: it reads the wall clock, but never starts before that.
    pub(super) fn start(&mut self, now: Timestamp, floor: Timestamp) {
        self.settle(now);
        let ahead = i128::from(floor.0) - i128::from(now.0);
        self.own = self.wall.max(i64::try_from(ahead).unwrap_or(0));
    }

    fn change(&mut self, now: Timestamp, change: Clock) {
        self.settle(now);
        match change {
            Clock::Step(us) => self.wall = self.wall.saturating_add(us),
            Clock::Drift(ppm) => self.drift = ppm,
        }
    }

    /// What was gained until now becomes part of the offsets.
    fn settle(&mut self, now: Timestamp) {
        let gained = self.gained(now);
        (self.own, self.wall) = (self.own.saturating_add(gained), self.wall.saturating_add(gained));
        self.since = now;
    }

    fn gained(&self, now: Timestamp) -> i64 {
        let elapsed = i128::from(now.since(self.since).0);
        i64::try_from((elapsed * i128::from(self.drift)).div_euclid(MILLION)).unwrap_or(0)
    }
}

fn moved(at: Timestamp, us: i64) -> Timestamp {
    Timestamp(at.0.saturating_add_signed(us))
}

/// A process that stands still, as a host under memory pressure or a stopped container does.
#[derive(Debug, Default)]
pub(super) struct Pause {
    until: Option<Timestamp>,
    /// What the process itself would have noticed meanwhile.
    pub(super) missed: Vec<Happening>,
}

impl World {
    /// The clock of the manager's host goes wrong.
    pub fn clock(&mut self, change: Clock) {
        self.host.change(self.now, change);
    }

    /// The process stands still for so long: it handles nothing and its timers do not fire; what comes in waits in its
    /// sockets. A process that is down cannot stand still.
    pub fn pause(&mut self, length: Span) {
        if !self.life.is_up() {
            return;
        }
        let until = self.pause.until.unwrap_or(self.now).max(self.now.after(length));
        self.pause.until = Some(until);
        self.at(until, Happening::Resumes);
        if let Some(trace) = &mut self.trace {
            trace.note(self.now, "x the process stands still");
        }
    }

    /// Does the process stand still?
    pub(super) fn is_paused(&self) -> bool {
        self.pause.until.is_some()
    }

    /// Does the process miss this? What only a running one notices waits until it runs again.
    pub(super) fn is_missed(&self, happening: &Happening) -> bool {
        use Happening::{Committed, Connected, TimesOut};
        self.is_paused() && matches!(happening, TimesOut { .. } | Connected { .. } | Committed { .. })
    }

    /// The process runs again, unless another pause lasts longer: first comes what waits in its sockets, then its
    /// timers find that their time has passed.
    pub(super) fn resumes(&mut self) {
        if self.pause.until.is_none_or(|until| until > self.now) {
            return;
        }
        self.judge.resumed(self.now);
        let missed = std::mem::take(&mut self.pause).missed;
        missed.into_iter().for_each(|happening| self.at(self.now, happening));
        self.work_on();
    }

    /// Its clock drifts no more; how far it is off by now it stays. It stands still no longer.
    pub(super) fn heal_clock(&mut self) {
        self.host.change(self.now, Clock::Drift(0));
        if self.is_paused() {
            self.pause.until = Some(self.now);
            self.resumes();
        }
    }

    /// Another process is not the one that stood still.
    pub(super) fn forget_pause(&mut self) {
        self.pause = Pause::default();
    }

    /// When the manager's own timer fires, in true time.
    pub(super) fn wakes_at(&self) -> Option<Timestamp> {
        if self.is_paused() {
            return None;
        }
        self.life.wakes_at().map(|at| self.host.when(at))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const START: Timestamp = Timestamp(1_704_067_200_000_000);

    #[test]
    fn a_clock_that_is_set_shows_at_the_next_start() {
        let mut clock = HostClock::default();
        clock.start(START, Timestamp(0));
        clock.change(START, Clock::Step(-3_000_000));
        let later = START.after(Span::secs(10));
        assert_eq!(clock.own(later), later, "the process goes on by its monotonic clock");
        clock.start(later, START);
        assert_eq!(clock.own(later), Timestamp(later.0 - 3_000_000));
        clock.start(later, later);
        assert_eq!(clock.own(later), later, "not before the journal's last moment");
        clock.change(later, Clock::Step(7_000_000));
        clock.start(later, later);
        assert_eq!(clock.own(later), later.after(Span::secs(4)));
    }

    #[test]
    fn a_drift_adds_up_and_stays() {
        let mut clock = HostClock::default();
        clock.change(START, Clock::Drift(200));
        let hour = START.after(Span::secs(3_600));
        assert_eq!(clock.own(hour), hour.after(Span::millis(720)));
        clock.change(hour, Clock::Drift(0));
        let day = START.after(Span::secs(86_400));
        assert_eq!(clock.own(day), day.after(Span::millis(720)));
    }

    proptest! {
        #[test]
        fn a_timer_fires_at_the_first_moment(
            own in -1_000_000_000_i64..1_000_000_000,
            drift in -100_000_i32..=100_000,
            at in 0_u64..10_000_000_000,
        ) {
            let clock = HostClock { since: START, own, wall: own, drift };
            let wanted = moved(START.after(Span(at)), own);
            let when = clock.when(wanted);
            prop_assert!(clock.own(when) >= wanted);
            prop_assert!(when == START || clock.own(Timestamp(when.0 - 1)) < wanted);
        }
    }
}
