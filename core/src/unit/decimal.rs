//! Exact decimals: parsed as written or refused, never rounded in silence.

use core::cmp::Ordering;
use core::fmt;
use rust_decimal::Decimal;
use serde::{Deserialize, Deserializer, Serializer, de};

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
    short(text.as_bytes()).map_or_else(|| parse_any(text), Ok)
}

/// Most are digits with a point among them at most, and 64 bits hold these.
fn short(text: &[u8]) -> Option<Decimal> {
    let is_digit = |byte: Option<&u8>| byte.is_some_and(u8::is_ascii_digit);
    if text.len() > 19 || !is_digit(text.first()) || !is_digit(text.last()) {
        return None;
    }
    let (mut digits, mut scale, mut has_point) = (0_u64, 0_u32, false);
    for byte in text {
        match byte {
            b'0'..=b'9' => {
                digits = digits.wrapping_mul(10).wrapping_add(u64::from(byte & 0xf));
                scale = if has_point { scale.wrapping_add(1) } else { 0 };
            }
            b'.' if !has_point => has_point = true,
            _ => return None,
        }
    }
    Decimal::try_from_i128_with_scale(digits.into(), scale).ok().map(normal)
}

fn parse_any(text: &str) -> Result<Decimal, NotDecimal> {
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
    shift(normal(value), exponent).ok_or(NotDecimal::TooPrecise)
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

/// Powers of ten that 64 bits hold.
const POWERS: [u64; 20] = {
    let mut powers = [1; 20];
    let mut rest: &mut [u64] = &mut powers;
    while let [power, tail @ ..] = rest {
        if let Some(next) = tail.first_mut() {
            *next = power.saturating_mul(10);
        }
        rest = tail;
    }
    powers
};

/// Which of two is larger, as `Decimal` has it. Where their places are not far apart, 128 bits hold both of them as
/// integers.
#[must_use]
pub fn compare(one: Decimal, other: Decimal) -> Ordering {
    let (digits, others) = (one.mantissa(), other.mantissa());
    let (places, other_places) = (one.scale(), other.scale());
    if places == other_places {
        return digits.cmp(&others);
    }
    // 96 bits and the 30 of a thousand million.
    match power(places.abs_diff(other_places)).filter(|power| *power <= 1_000_000_000) {
        Some(power) if places < other_places => digits.wrapping_mul(power.into()).cmp(&others),
        Some(power) => digits.cmp(&others.wrapping_mul(power.into())),
        None => one.cmp(&other),
    }
}

fn power(of_ten: u32) -> Option<u64> {
    POWERS.get(usize::try_from(of_ten).ok()?).copied()
}

/// Largest multiple of `step` that is not above `value` (both not negative), without zeros at its end: what comes of a
/// division has 28 digits, and all that is reckoned with it would carry them on. `step` of zero gives nothing.
#[must_use]
pub fn floor_to(value: Decimal, step: Decimal) -> Option<Decimal> {
    let places = value.scale().max(step.scale());
    let whole = |value: Decimal| {
        let power = power(places.checked_sub(value.scale())?)?;
        u64::try_from(value.mantissa()).ok()?.checked_mul(power)
    };
    let floor = match (whole(value), whole(step)) {
        (Some(digits), Some(step)) => {
            let digits = digits.checked_sub(digits.checked_rem(step)?)?;
            Decimal::try_from_i128_with_scale(digits.into(), places).ok()?
        }
        _ => value.checked_sub(value.checked_rem(step)?)?,
    };
    Some(normal(floor))
}

/// Smallest multiple of `step` that is not below `value` (both not negative).
#[must_use]
pub fn ceil_to(value: Decimal, step: Decimal) -> Option<Decimal> {
    let floor = floor_to(value, step)?;
    if floor == value { Some(floor) } else { floor.checked_add(step) }
}

/// Serde: text for people; a number for the journal, its lowest byte the sign and the places behind the point, then the
/// digits. The same value always gives the same number.
pub fn serialize<S: Serializer>(value: &Decimal, s: S) -> Result<S::Ok, S::Error> {
    if s.is_human_readable() {
        return s.collect_str(&normal(*value));
    }
    let (digits, scale) = shortest(*value);
    let first = scale | if value.is_sign_negative() && digits > 0 { MINUS } else { 0 };
    s.serialize_u128(digits << 8 | u128::from(first))
}

/// Set in the lowest byte where the decimal is below zero.
const MINUS: u32 = 0x80;

/// Without zeros behind the point, as [`Decimal::normalize`] has it.
#[must_use]
pub fn normal(value: Decimal) -> Decimal {
    let (digits, scale) = shortest(value);
    if scale == value.scale() && digits > 0 {
        return value;
    }
    let signed =
        i128::try_from(digits).map(|digits| if value.is_sign_negative() { digits.wrapping_neg() } else { digits });
    signed.ok().and_then(|digits| Decimal::try_from_i128_with_scale(digits, scale).ok()).unwrap_or(value)
}

/// The digits of a decimal and how many of them are behind the point, without zeros at their end there. `Decimal` divides
/// 96 bits by ten for each zero, and products have many of them; this takes several at once, of 64 bits where they do.
#[inline]
fn shortest(value: Decimal) -> (u128, u32) {
    let (digits, scale) = (value.mantissa().unsigned_abs(), value.scale());
    match u64::try_from(digits) {
        Ok(few) if scale == 0 || !few.is_multiple_of(10) => (digits, scale),
        _ => without_zeros(digits, scale),
    }
}

fn without_zeros(mut digits: u128, mut scale: u32) -> (u128, u32) {
    for (zeros, power) in [(8, 100_000_000), (4, 10_000), (1, 10)] {
        while digits > u128::from(u64::MAX) && scale >= zeros && digits.is_multiple_of(power) {
            digits = digits.checked_div(power).unwrap_or_default();
            scale = scale.saturating_sub(zeros);
        }
    }
    let Ok(mut few) = u64::try_from(digits) else { return (digits, scale) };
    if few == 0 {
        return (0, 0);
    }
    for (zeros, power) in [(8, 100_000_000), (4, 10_000), (2, 100), (1, 10)] {
        while scale >= zeros && few.is_multiple_of(power) {
            few = few.checked_div(power).unwrap_or_default();
            scale = scale.saturating_sub(zeros);
        }
    }
    (few.into(), scale)
}

/// Shows a decimal with all its places, as `Decimal` does itself; what 64 bits hold without the general formatter, where
/// nothing special is asked for.
pub struct Shown(pub Decimal);

impl fmt::Display for Shown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(value) = self;
        match u64::try_from(value.mantissa().unsigned_abs()) {
            Ok(digits) if f.precision().is_none() && f.width().is_none() && !f.sign_plus() => {
                let (text, start) = written(digits, value.scale(), value.is_sign_negative());
                let text = text.get(start..).and_then(|text| core::str::from_utf8(text).ok());
                f.write_str(text.unwrap_or_default())
            }
            _ => fmt::Display::fmt(value, f),
        }
    }
}

/// These digits, so many of them behind the point, at the end of the bytes; and where they begin.
fn written(mut digits: u64, scale: u32, is_negative: bool) -> ([u8; 32], usize) {
    let mut text = [b'0'; 32];
    let mut start = text.len();
    let mut slots = text.iter_mut().rev();
    let mut push = |byte| {
        if let Some(slot) = slots.next() {
            *slot = byte;
            start = start.saturating_sub(1);
        }
    };
    for _ in 0..scale {
        push(last_digit(&mut digits));
    }
    if scale > 0 {
        push(b'.');
    }
    push(last_digit(&mut digits));
    while digits > 0 {
        push(last_digit(&mut digits));
    }
    if is_negative {
        push(b'-');
    }
    (text, start)
}

/// Takes the last digit off.
fn last_digit(digits: &mut u64) -> u8 {
    let digit = u8::try_from(*digits % 10).unwrap_or_default();
    *digits /= 10;
    b'0' | digit
}

/// Serde: the inverse of [`serialize`]. From people whole numbers are taken too; one with a point must be
/// quoted, for an unquoted one has been through a binary float before it comes here.
pub fn deserialize<'de, D: Deserializer<'de>>(d: D) -> Result<Decimal, D::Error> {
    if d.is_human_readable() { d.deserialize_any(FromPeople) } else { d.deserialize_u128(FromJournal) }
}

struct FromJournal;

impl<'de> de::Visitor<'de> for FromJournal {
    type Value = Decimal;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the number of a decimal")
    }
    fn visit_u128<E: de::Error>(self, bits: u128) -> Result<Decimal, E> {
        let first = u32::try_from(bits & 0xff).unwrap_or_default();
        let digits = i128::try_from(bits >> 8).map_err(E::custom)?;
        let digits = if first & MINUS == 0 { digits } else { digits.wrapping_neg() };
        Decimal::try_from_i128_with_scale(digits, first & !MINUS).map_err(E::custom)
    }
    /// Journals of version 1 have sixteen numbers.
    fn visit_seq<A: de::SeqAccess<'de>>(self, numbers: A) -> Result<Decimal, A::Error> {
        <[u8; 16]>::deserialize(de::value::SeqAccessDeserializer::new(numbers)).map(Decimal::deserialize)
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
    use crate::journal;
    use crate::unit::Bytes;
    use alloc::format;
    use alloc::string::ToString;
    use alloc::vec::Vec;
    use proptest::prelude::*;

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

    proptest! {
        #[test]
        fn compares_and_floors_as_the_general_code_does(
            one in prop_oneof![0_i128..99, 0_i128..1 << 70, -(1_i128 << 95)..1 << 95],
            other in prop_oneof![0_i128..99, 0_i128..1 << 70, -(1_i128 << 95)..1 << 95],
            scales in prop_oneof![(0_u32..4, 0_u32..4), (0_u32..=28, 0_u32..=28)],
        ) {
            let (one, other) = (Decimal::from_i128_with_scale(one, scales.0), Decimal::from_i128_with_scale(other, scales.1));
            prop_assert_eq!(compare(one, other), one.cmp(&other));
            let floor = one.checked_rem(other).and_then(|over| one.checked_sub(over));
            prop_assert_eq!(floor_to(one, other).map(|floor| floor.serialize()), floor.map(|floor| floor.normalize().serialize()));
        }
    }

    proptest! {
        #[test]
        fn a_short_text_is_read_as_any_other(text in prop_oneof!["[0-9]{0,20}\\.?[0-9]{0,20}", "[0-9.e-]{0,8}", "0{0,9}\\.?0{0,9}"]) {
            let (read, general) = (parse(&text), parse_any(&text));
            prop_assert_eq!(read.map(|value| value.serialize()), general.map(|value| value.serialize()));
        }

        #[test]
        fn normal_is_normalized(mantissa in prop_oneof![any::<i64>().prop_map(i128::from), -(1_i128 << 95)..1 << 95], zeros in 0_u32..12, scale in 0_u32..=28) {
            let zeros = 10_i128.saturating_pow(zeros);
            let mantissa = mantissa.saturating_sub(mantissa.checked_rem(zeros).unwrap_or_default());
            let value = Decimal::from_i128_with_scale(mantissa, scale);
            prop_assert_eq!(normal(value).serialize(), value.normalize().serialize());
        }
    }

    proptest! {
        #[test]
        fn is_written_as_the_general_formatter_does(mantissa in prop_oneof![any::<i64>().prop_map(i128::from), -(1_i128 << 95)..1 << 95, -3_i128..2000], scale in 0_u32..=28) {
            let value = crate::unit::Money(Decimal::from_i128_with_scale(mantissa, scale));
            let general = value.0.normalize();
            prop_assert_eq!(format!("{value}"), format!("{general}"));
            prop_assert_eq!(format!("{value:>40}|{value:+}|{value:012}"), format!("{general:>40}|{general:+}|{general:012}"));
            prop_assert_eq!(format!("{value:.2}"), format!("{general:.2}"));
            prop_assert_eq!(format!("{}", Shown(value.0)), format!("{}", value.0));
        }
    }

    proptest! {
        #[test]
        fn a_journal_gives_back_the_value_and_version_1_too(mantissa in prop_oneof![any::<i64>().prop_map(i128::from), -(1_i128 << 95)..1 << 95, -3_i128..2000], scale in 0_u32..=28) {
            let value = crate::unit::Money(Decimal::from_i128_with_scale(mantissa, scale));
            let (mut ours, mut before) = (Vec::new(), Vec::new());
            journal::write(&value, &mut ours).unwrap();
            journal::write(&value.0.serialize(), &mut before).unwrap();
            prop_assert_eq!(journal::read(&ours), Ok(value));
            prop_assert_eq!(journal::read(&before), Ok(value));
            prop_assert!(ours.len() <= 14, "{ours:?}");
        }

        #[test]
        fn any_bytes_are_a_decimal_or_an_error(bytes in proptest::collection::vec(any::<u8>(), 0..20)) {
            let (mut written, mut again) = (Vec::new(), Vec::new());
            journal::write(&Bytes(bytes), &mut written).unwrap();
            if let Ok(value) = journal::read::<crate::unit::Money>(&written) {
                journal::write(&value, &mut again).unwrap();
                prop_assert_eq!(journal::read(&again), Ok(value));
            }
        }
    }

    #[test]
    fn bytes_that_are_no_decimal_are_refused() {
        let read = |bytes: &[u8]| {
            let mut written = Vec::new();
            journal::write(&Bytes(bytes.to_vec()), &mut written).unwrap();
            journal::read::<crate::unit::Money>(&written)
        };
        assert_eq!(read(&[0x81, 5]), Ok(crate::unit::Money(parse("-0.5").unwrap())));
        for bytes in [&[][..], &[29, 1], &[0; 17], &[0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1]] {
            assert!(read(bytes).is_err(), "{bytes:?}");
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
