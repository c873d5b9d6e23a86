//! Backoff without randomness: the jitter is a hash of what is tried and how often (spec O5).

use crate::unit::Span;

/// What an exit or a cancel waits for goes again after this long and a quarter at most, however often it failed: once the
/// exchange is well again nothing that takes risk away waits half a minute more.
pub const IMPATIENT: Span = Span::secs(5);

/// Base, ceiling and factor of an exponential backoff.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Backoff {
    /// The first wait.
    pub base: Span,
    /// No wait is longer.
    pub max: Span,
    /// Each wait is this many times the last.
    pub multiplier: u32,
}

impl Backoff {
    /// The wait before try `attempt` (from 0), at most a quarter longer by a hash of `key` and `attempt`.
    #[must_use]
    pub fn wait(&self, key: &[u8], attempt: u32) -> Span {
        let factor = u64::from(self.multiplier).saturating_pow(attempt.min(32));
        let wait = self.base.times(factor).min(self.max);
        let hash = xxhash_rust::xxh3::xxh3_64_with_seed(key, u64::from(attempt));
        let quarter = (wait.0 / 4).max(1);
        Span(wait.0.saturating_add(hash.checked_rem(quarter).unwrap_or(0)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn o5_waits_grow_to_the_ceiling_and_are_the_same_every_time() {
        let backoff = Backoff { base: Span::secs(1), max: Span::secs(30), multiplier: 2 };
        let waits: [u64; 8] = core::array::from_fn(|i| backoff.wait(b"om1", i as u32).0 / 1_000_000);
        assert!(waits.windows(2).all(|w| w[0] <= w[1] + 7), "{waits:?}");
        assert!((30..=37).contains(&waits[7]));
        assert_eq!(backoff.wait(b"om1", 3), backoff.wait(b"om1", 3));
        assert_ne!(backoff.wait(b"om1", 3), backoff.wait(b"om2", 3));
    }
}
