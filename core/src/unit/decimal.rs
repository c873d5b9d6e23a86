//! Exact decimals: parsed as written or refused, never rounded in silence.

use core::fmt;
use rust_decimal::Decimal;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// Why a text is not one of our decimals.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotDecimal {
    /// Not a number at all.
    #[error("is not a decimal number")]
    Malformed,
    /// A number that 96 bits and 28 places cannot hold exactly.
    #[error("has more digits than can be held exactly (28)")]
    TooPrecise,
}

/// Parses a decimal exactly as written, an exponent included (spec S2). At most 64 bytes.
pub fn parse(text: &str) -> Result<Decimal, NotDecimal> {
    if text.len() > 64 {
        return Err(NotDecimal::TooPrecise);
    }
    let (digits, exponent) = match text.split_once(['e', 'E']) {
        Some((digits, exponent)) => (digits, exponent.parse::<i32>().map_err(|_| NotDecimal::Malformed)?),
        None => (text, 0),
    };
    let body = digits.strip_prefix(['-', '+']).unwrap_or(digits);
    let plain = body.bytes().all(|b| b.is_ascii_digit() || b == b'.');
    if !plain || !body.bytes().any(|b| b.is_ascii_digit()) {
        return Err(NotDecimal::Malformed);
    }
    let value = Decimal::from_str_exact(digits).map_err(|e| match e {
        rust_decimal::Error::Underflow | rust_decimal::Error::ScaleExceedsMaximumPrecision(_) => NotDecimal::TooPrecise,
        rust_decimal::Error::ExceedsMaximumPossibleValue => NotDecimal::TooPrecise,
        _ => NotDecimal::Malformed,
    })?;
    shift(value.normalize(), exponent).ok_or(NotDecimal::TooPrecise)
}

/// `value * 10^exponent`, exactly, or nothing.
fn shift(value: Decimal, exponent: i32) -> Option<Decimal> {
    if exponent == 0 || value.is_zero() {
        return Some(value);
    }
    let scale = i64::from(value.scale()).checked_sub(i64::from(exponent))?;
    if let Ok(scale) = u32::try_from(scale) {
        return Decimal::try_from_i128_with_scale(value.mantissa(), scale).ok();
    }
    let zeros = u32::try_from(scale.checked_neg()?).ok()?;
    let mantissa = value.mantissa().checked_mul(10_i128.checked_pow(zeros)?)?;
    Decimal::try_from_i128_with_scale(mantissa, 0).ok()
}

/// Largest multiple of `step` that is not above `value` (both not negative). `step` of zero gives nothing.
#[must_use]
pub fn floor_to(value: Decimal, step: Decimal) -> Option<Decimal> {
    value.checked_sub(value.checked_rem(step)?)
}

/// Smallest multiple of `step` that is not below `value` (both not negative).
#[must_use]
pub fn ceil_to(value: Decimal, step: Decimal) -> Option<Decimal> {
    let floor = floor_to(value, step)?;
    if floor == value { Some(floor) } else { floor.checked_add(step) }
}

/// Serde: text for people, 16 exact bytes for the journal; the same value always gives the same bytes.
pub fn serialize<S: Serializer>(value: &Decimal, s: S) -> Result<S::Ok, S::Error> {
    let value = value.normalize();
    if s.is_human_readable() { s.collect_str(&value) } else { value.serialize().serialize(s) }
}

/// Serde: the inverse of [`serialize`]. From people whole numbers are taken too; one with a point must be
/// quoted, for an unquoted one has been through a binary float before it comes here.
pub fn deserialize<'de, D: Deserializer<'de>>(d: D) -> Result<Decimal, D::Error> {
    if d.is_human_readable() {
        d.deserialize_any(FromPeople)
    } else {
        <[u8; 16]>::deserialize(d).map(Decimal::deserialize)
    }
}

struct FromPeople;

impl de::Visitor<'_> for FromPeople {
    type Value = Decimal;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a decimal in quotes, like \"0.5\", or a whole number")
    }
    fn visit_str<E: de::Error>(self, text: &str) -> Result<Decimal, E> {
        parse(text).map_err(|why| E::custom(format_args!("`{text}` {why}")))
    }
    fn visit_u64<E: de::Error>(self, number: u64) -> Result<Decimal, E> {
        Ok(Decimal::from(number))
    }
    fn visit_i64<E: de::Error>(self, number: i64) -> Result<Decimal, E> {
        Ok(Decimal::from(number))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString;

    #[test]
    fn parses_exactly_or_not_at_all() {
        for (text, value) in [
            ("0.10", "0.1"),
            ("1e-7", "0.0000001"),
            ("2.5E3", "2500"),
            ("-1", "-1"),
            ("0.1234567890123456789", "0.1234567890123456789"),
        ] {
            assert_eq!(parse(text).unwrap().to_string(), value);
        }
        for text in ["", "abc", "1_000", "0x1", "1e", "--1", "NaN", "1.2.3", ".", "1e99999999999"] {
            assert_eq!(parse(text), Err(NotDecimal::Malformed), "{text}");
        }
        for text in ["1e-29", "1e40", "0.12345678901234567890123456789"] {
            assert_eq!(parse(text), Err(NotDecimal::TooPrecise), "{text}");
        }
    }

    #[test]
    fn rounds_to_multiples_not_to_digits() {
        let d = |t| parse(t).unwrap();
        assert_eq!(floor_to(d("49999.98"), d("0.5")), Some(d("49999.5")));
        assert_eq!(ceil_to(d("49999.98"), d("0.5")), Some(d("50000")));
        assert_eq!(floor_to(d("1"), d("0")), None);
    }
}
