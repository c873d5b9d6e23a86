//! Ids. An order link id is a pure function of (prefix, signal, leg, attempt): spec O1.

use super::text::Text;
use core::fmt;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// An instrument's name, upper case: `BTCUSDT`.
pub type Symbol = Text<20>;
/// A coin's name: `USDT`.
pub type Coin = Text<16>;
/// An order's id as Bybit gave it.
pub type ExchangeOrderId = Text<64>;
/// An execution's id as Bybit gave it: the key that keeps a fill from being booked twice.
pub type ExecId = Text<64>;
/// One id that follows a signal through logs, rows, requests and events (spec S9).
pub type TraceId = Text<100>;

/// A signal's UUID; its 128 bits are the key, not its text (spec S3).
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct SignalId(pub u128);

/// Not a UUID.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("is not a UUID")]
pub struct NotUuid;

impl SignalId {
    /// Parses 32 hex digits with or without hyphens in the usual places, any case.
    pub fn parse(text: &str) -> Result<Self, NotUuid> {
        let hyphens = text.len() == 36;
        if !hyphens && text.len() != 32 {
            return Err(NotUuid);
        }
        let mut bits: u128 = 0;
        for (i, byte) in text.bytes().enumerate() {
            if hyphens && matches!(i, 8 | 13 | 18 | 23) {
                if byte != b'-' {
                    return Err(NotUuid);
                }
                continue;
            }
            let digit = char::from(byte).to_digit(16).ok_or(NotUuid)?;
            bits = bits.wrapping_shl(4) | u128::from(digit);
        }
        Ok(Self(bits))
    }
}
impl fmt::Display for SignalId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(Text::from(*self).as_str())
    }
}
impl fmt::Debug for SignalId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
impl From<SignalId> for Text<36> {
    fn from(id: SignalId) -> Self {
        let digit = |value: u8| if value < 10 { b'0' | value } else { (b'a' - 10).wrapping_add(value) };
        let (mut text, mut bits) = ([b'-'; 36], id.0);
        for (place, slot) in text.iter_mut().enumerate() {
            if !matches!(place, 8 | 13 | 18 | 23) {
                *slot = digit(u8::try_from(bits >> 124).unwrap_or_default());
                bits = bits.wrapping_shl(4);
            }
        }
        Text::literal(text)
    }
}
/// Text for people, 16 bytes in the journal.
impl Serialize for SignalId {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        if s.is_human_readable() { Text::from(*self).serialize(s) } else { s.serialize_bytes(&self.0.to_be_bytes()) }
    }
}
impl<'de> Deserialize<'de> for SignalId {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        struct Reader;
        impl de::Visitor<'_> for Reader {
            type Value = SignalId;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a UUID")
            }
            fn visit_bytes<E: de::Error>(self, bytes: &[u8]) -> Result<SignalId, E> {
                let bits = bytes.try_into().map_err(|_| E::invalid_length(bytes.len(), &self))?;
                Ok(SignalId(u128::from_be_bytes(bits)))
            }
            /// Journals of version 1 have the text too.
            fn visit_str<E: de::Error>(self, text: &str) -> Result<SignalId, E> {
                SignalId::parse(text).map_err(E::custom)
            }
        }
        if d.is_human_readable() { d.deserialize_str(Reader) } else { d.deserialize_any(Reader) }
    }
}

/// Which part of a signal an order carries out, and which try of it this is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Intent {
    /// The signal.
    pub signal: SignalId,
    /// Leg, from 0.
    pub leg: u8,
    /// Try, from 0; rises only after a definite refusal (spec O1).
    pub attempt: u8,
}

/// 1 to 4 letters or digits that mark our orders among all orders of the account (`LINK_ID_PREFIX`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(into = "Text<4>", try_from = "Text<4>")]
pub struct LinkPrefix(Text<4>);

/// A prefix that is not 1 to 4 of `[A-Za-z0-9]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must be 1 to 4 letters or digits")]
pub struct BadPrefix;

impl LinkPrefix {
    /// `om`.
    pub const DEFAULT: Self = Self(Text::literal(*b"om"));
    /// Checks the prefix.
    pub fn new(text: &str) -> Result<Self, BadPrefix> {
        let good = !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric());
        if good { Text::new(text).map(Self).map_err(|_| BadPrefix) } else { Err(BadPrefix) }
    }
    /// The prefix.
    #[must_use]
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }
}
impl From<LinkPrefix> for Text<4> {
    fn from(prefix: LinkPrefix) -> Self {
        prefix.0
    }
}
impl TryFrom<Text<4>> for LinkPrefix {
    type Error = BadPrefix;
    fn try_from(text: Text<4>) -> Result<Self, BadPrefix> {
        Self::new(text.as_str())
    }
}

/// Our own id of an order at the exchange: at most 36 of `[A-Za-z0-9_-]` (bybit-v5.md 2.2).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct OrderLinkId(Text<36>);

const BASE62: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
const SIGNAL_DIGITS: usize = 22;
const TAIL_DIGITS: usize = 26; // signal 22, leg 2, attempt 2

impl OrderLinkId {
    /// The one id of this intent under this prefix.
    #[must_use]
    pub fn of(prefix: LinkPrefix, intent: Intent) -> Self {
        let mut tail = [b'0'; TAIL_DIGITS];
        let (signal, rest) = tail.split_at_mut(SIGNAL_DIGITS);
        let (leg, attempt) = rest.split_at_mut(2);
        write_base62(signal, intent.signal.0);
        write_base62(leg, intent.leg.into());
        write_base62(attempt, intent.attempt.into());
        let mut text = Text::EMPTY;
        text.push_str(prefix.as_str());
        text.push_str(core::str::from_utf8(&tail).unwrap_or_default());
        Self(text)
    }

    /// The test of ownership: is this text an id of ours under this prefix, and of which intent?
    #[must_use]
    pub fn parse(prefix: LinkPrefix, text: impl AsRef<[u8]>) -> Option<(Self, Intent)> {
        let text = text.as_ref();
        let tail = text.strip_prefix(prefix.0.as_bytes()).filter(|tail| tail.len() == TAIL_DIGITS)?;
        let (signal, rest) = tail.split_at_checked(SIGNAL_DIGITS)?;
        let (leg, attempt) = rest.split_at_checked(2)?;
        let signal = SignalId(read_base62(signal)?);
        let leg = u8::try_from(read_base62(leg)?).ok()?;
        let attempt = u8::try_from(read_base62(attempt)?).ok()?;
        Some((Self(Text::of_utf8(text).ok()?), Intent { signal, leg, attempt }))
    }

    /// The name of an order that was placed without an id of ours: Bybit's own id, where it has an id's shape.
    #[must_use]
    pub fn inherited(order_id: ExchangeOrderId) -> Option<Self> {
        let text = order_id.as_str();
        let good = !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'));
        Text::new(text).ok().filter(|_| good).map(Self)
    }

    /// The id as it goes over the wire.
    #[must_use]
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }
}
impl fmt::Display for OrderLinkId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
impl fmt::Debug for OrderLinkId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

/// So many digits are read and written at once, for 64 bits hold them and 128 are slow to divide.
const AT_ONCE: usize = 10;
const OF_TEN: u128 = 62_u128.pow(10);

fn write_base62(digits: &mut [u8], mut value: u128) {
    for part in digits.rchunks_mut(AT_ONCE) {
        let mut low = u64::try_from(value % OF_TEN).unwrap_or_default();
        value /= OF_TEN;
        for slot in part.iter_mut().rev() {
            *slot = usize::try_from(low % 62).ok().and_then(|d| BASE62.get(d)).copied().unwrap_or(b'0');
            low /= 62;
        }
    }
}

fn read_base62(digits: &[u8]) -> Option<u128> {
    digits.chunks(AT_ONCE).try_fold(0_u128, |sum, part| {
        let (mut value, mut times, mut seen) = (0_u64, 1_u64, 0);
        for byte in part {
            let digit = VALUES.get(usize::from(*byte)).copied().unwrap_or(NO_DIGIT);
            value = value.wrapping_mul(62).wrapping_add(digit.into());
            times = times.wrapping_mul(62);
            seen |= digit;
        }
        if seen & NO_DIGIT == 0 { sum.checked_mul(times.into())?.checked_add(value.into()) } else { None }
    })
}

/// A bit that no digit's value has.
const NO_DIGIT: u8 = 0x80;

/// The value of each byte as a digit.
static VALUES: [u8; 256] = {
    let mut values = [NO_DIGIT; 256];
    let (mut rest, mut byte): (&mut [u8], u8) = (&mut values, 0);
    while let [value, tail @ ..] = rest {
        *value = match byte {
            b'0'..=b'9' => byte.wrapping_sub(b'0'),
            b'A'..=b'Z' => byte.wrapping_sub(b'A').wrapping_add(10),
            b'a'..=b'z' => byte.wrapping_sub(b'a').wrapping_add(36),
            _ => NO_DIGIT,
        };
        (rest, byte) = (tail, byte.wrapping_add(1));
    }
    values
};

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn o1_a_link_id_is_ours_and_names_its_intent(signal: u128, leg: u8, attempt: u8, prefix in "[A-Za-z0-9]{1,4}") {
            let prefix = LinkPrefix::new(&prefix).unwrap();
            let intent = Intent { signal: SignalId(signal), leg, attempt };
            let id = OrderLinkId::of(prefix, intent);
            prop_assert!(id.as_str().len() <= 36);
            prop_assert!(id.as_str().bytes().all(|b| b.is_ascii_alphanumeric()));
            prop_assert_eq!(OrderLinkId::parse(prefix, id.as_str()), Some((id, intent)));
        }

        #[test]
        fn s3_a_uuid_is_its_bits(bits: u128) {
            let id = SignalId(bits);
            let text = alloc::format!("{id}");
            prop_assert_eq!(SignalId::parse(&text), Ok(id));
            prop_assert_eq!(SignalId::parse(&text.to_uppercase()), Ok(id));
        }
    }

    #[test]
    fn what_is_not_ours_is_not_ours() {
        let prefix = LinkPrefix::new("om").unwrap();
        for text in
            ["", "om", "1616024329462743809", "omABC", "OM00000000000000000000000000", "om7zzzzzzzzzzzzzzzzzzzzzzzzzz"]
        {
            assert_eq!(OrderLinkId::parse(prefix, text), None, "{text}");
        }
        assert!(LinkPrefix::new("o-m").is_err());
        assert!(LinkPrefix::new("").is_err());
    }
}
