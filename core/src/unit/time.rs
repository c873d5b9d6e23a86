//! Two clocks, two types: ours and the exchange's. They never mix but through [`Timestamp::at_exchange`].

use core::fmt;
use serde::{Deserialize, Serialize};

/// A moment on our clock: microseconds since 1970-01-01 UTC. Never goes back.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Timestamp(pub u64);

/// A length of time in microseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Span(pub u64);

/// A moment on the exchange's clock: milliseconds since 1970-01-01 UTC, as Bybit speaks it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ExchangeTime(pub u64);

/// Exchange clock minus our clock, in microseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ClockOffset(pub i64);

impl Span {
    /// No time at all.
    pub const ZERO: Self = Self(0);
    /// `n` milliseconds.
    #[must_use]
    pub const fn millis(n: u64) -> Self {
        Self(n.saturating_mul(1_000))
    }
    /// `n` seconds.
    #[must_use]
    pub const fn secs(n: u64) -> Self {
        Self(n.saturating_mul(1_000_000))
    }
    /// Whole milliseconds.
    #[must_use]
    pub const fn as_millis(self) -> u64 {
        self.0 / 1_000
    }
    /// This much, `n` times.
    #[must_use]
    pub const fn times(self, n: u64) -> Self {
        Self(self.0.saturating_mul(n))
    }
}

impl Timestamp {
    /// `span` later.
    #[must_use]
    pub const fn after(self, span: Span) -> Self {
        Self(self.0.saturating_add(span.0))
    }
    /// Time since `earlier`; none where `earlier` is later.
    #[must_use]
    pub const fn since(self, earlier: Self) -> Span {
        Span(self.0.saturating_sub(earlier.0))
    }
    /// What the exchange's clock shows at this moment.
    #[must_use]
    pub const fn at_exchange(self, offset: ClockOffset) -> ExchangeTime {
        ExchangeTime(self.0.saturating_add_signed(offset.0) / 1_000)
    }
}

impl ExchangeTime {
    /// `span` later.
    #[must_use]
    pub const fn after(self, span: Span) -> Self {
        Self(self.0.saturating_add(span.as_millis()))
    }
    /// `span` earlier.
    #[must_use]
    pub const fn before(self, span: Span) -> Self {
        Self(self.0.saturating_sub(span.as_millis()))
    }
    /// Time since `earlier`; none where `earlier` is later.
    #[must_use]
    pub const fn since(self, earlier: Self) -> Span {
        Span::millis(self.0.saturating_sub(earlier.0))
    }
}

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ms", self.as_millis())
    }
}
impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        super::calendar::write(f, self.0)
    }
}
impl fmt::Display for ExchangeTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        super::calendar::write(f, self.0.saturating_mul(1_000))
    }
}
