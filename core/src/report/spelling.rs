//! Values that the published events spell in a way of their own.

use crate::intake::BadSignal;
use crate::refusal::{Code, Refusal};
use crate::unit::{Decimal, ExchangeOrderId, OrderLinkId, Quantity, Side, SignalId, Span, Text, Timestamp, decimal};
use alloc::string::ToString;
use core::fmt;
use serde::{Serialize, Serializer};

/// A naive ISO moment: Position Manager cannot read an offset (N5).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Naive(pub Timestamp);

impl fmt::Display for Naive {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = self.0.to_string();
        f.write_str(text.strip_suffix('Z').unwrap_or(&text))
    }
}
impl fmt::Debug for Naive {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
impl Serialize for Naive {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.collect_str(self)
    }
}

/// A length of time in seconds, as text of a decimal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Seconds(pub Span);

impl Serialize for Seconds {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        let seconds = Decimal::try_from_i128_with_scale(self.0.0.into(), 6);
        decimal::serialize(&seconds.unwrap_or_default(), s)
    }
}

/// A share in percent, worked out where it is written; null where the whole is nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Percent {
    /// The share.
    pub part: Quantity,
    /// What it is a share of.
    pub whole: Quantity,
}

impl Serialize for Percent {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        let share = self.part.0.checked_div(self.whole.0);
        match share.and_then(|share| share.checked_mul(Decimal::ONE_HUNDRED)) {
            Some(percent) => decimal::serialize(&percent.round_dp(8), s),
            None => s.serialize_none(),
        }
    }
}

/// What an order is called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OrderId {
    /// By Bybit.
    Exchange(ExchangeOrderId),
    /// By us, until Bybit's id is known.
    Link(OrderLinkId),
    /// There is no order: `REJECTED-` and the signal's id (spec S4).
    Rejected(SignalId),
}

impl fmt::Display for OrderId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Exchange(id) => id.fmt(f),
            Self::Link(link) => link.fmt(f),
            Self::Rejected(signal) => write!(f, "REJECTED-{signal}"),
        }
    }
}
impl Serialize for OrderId {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.collect_str(self)
    }
}

/// `Market` or `Limit`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum OrderType {
    /// At the market.
    Market,
    /// At a price or better.
    Limit,
}

/// Why something was rejected.
#[derive(Clone, Debug, PartialEq)]
pub enum Reason {
    /// An order, in the words of whoever refused it.
    Told(Text<160>),
    /// A signal that went no further.
    Refused(Refusal),
    /// A message that is no signal.
    Invalid(BadSignal),
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Told(text) => text.fmt(f),
            Self::Refused(refusal) => refusal.fmt(f),
            Self::Invalid(bad) => write!(f, "{}: {bad}", Code::Validation),
        }
    }
}
impl Serialize for Reason {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.collect_str(self)
    }
}

/// A side as the shared tables and the published events spell it (wire-contracts.md 4).
#[must_use]
pub const fn side_word(side: Side) -> &'static str {
    match side {
        Side::Buy => "Buy",
        Side::Sell => "SELL",
    }
}

/// Serde: [`side_word`].
pub(super) fn as_word<S: Serializer>(side: &Side, s: S) -> Result<S::Ok, S::Error> {
    s.serialize_str(side_word(*side))
}

/// Serde: `buy` or `sell`, as signals have it.
pub(super) fn as_signals<S: Serializer>(side: &Side, s: S) -> Result<S::Ok, S::Error> {
    s.collect_str(side)
}
