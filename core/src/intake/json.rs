//! JSON as a signal needs it: bounded before it is read, numbers as written, no member seen twice unnoticed.

use super::decode::Fault;
use crate::unit::{Decimal, Text, decimal};
use alloc::borrow::{Cow, ToOwned};
use alloc::vec::Vec;
use core::fmt;
use serde::de::{self, Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

/// Why a value is no good.
pub(super) type Reason = Text<120>;

/// A reason from a literal or a formatted text.
pub(super) fn reason(text: fmt::Arguments<'_>) -> Reason {
    Text::clipped(&alloc::fmt::format(text))
}

/// Do arrays and objects nest deeper than this? Few brackets cannot; else the depth is counted.
pub(super) fn is_deeper(body: &[u8], max: u32) -> bool {
    // Added up rather than counted: the compiler takes many bytes at once.
    let brackets = body.iter().fold(0_u32, |sum, byte| sum.wrapping_add(u32::from(matches!(byte, b'{' | b'['))));
    brackets > max && depth(body) > max
}

/// How deep arrays and objects nest. Walks the bytes without recursion, so that no body can exhaust a stack;
/// it may misjudge what is not JSON, which is refused anyway.
fn depth(body: &[u8]) -> u32 {
    let (mut open, mut deepest) = (0_u32, 0_u32);
    let (mut in_string, mut escaped) = (false, false);
    for byte in body {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_string => escaped = true,
            b'"' => in_string = !in_string,
            b'{' | b'[' if !in_string => open = open.saturating_add(1),
            b'}' | b']' if !in_string => open = open.saturating_sub(1),
            _ => {}
        }
        deepest = deepest.max(open);
    }
    deepest
}

/// Does any string in this JSON text hold a NUL? JSON can only write it as an escape.
fn has_nul(json: &str) -> bool {
    let mut rest = json;
    while let Some((_, escape)) = rest.split_once('\\') {
        if escape.starts_with("u0000") {
            return true;
        }
        let mut after = escape.chars();
        after.next();
        rest = after.as_str();
    }
    false
}

/// All that has been found wrong so far.
#[derive(Default)]
pub(super) struct Faults(pub(super) Vec<Fault>);

impl Faults {
    pub(super) fn add(&mut self, path: &str, name: &str, value: &str, reason: Reason) {
        let mut field = Text::clipped(path);
        field.push_str(name);
        self.0.push(Fault { field, value: Text::clipped(value), reason });
    }
}

/// Faults about NUL that one object may report; more of them say nothing new.
const NUL_FAULTS_MAX: usize = 8;

/// An object's members in the order they came, each value as written.
pub(super) struct Object<'a> {
    path: &'static str,
    members: Vec<(Cow<'a, str>, &'a RawValue)>,
}

impl<'a> Object<'a> {
    /// Reads an object whose fields are named after `path` in faults.
    pub(super) fn read(text: &'a str, path: &'static str) -> Result<Self, serde_json::Error> {
        let Members(members) = serde_json::from_str(text)?;
        Ok(Self { path, members })
    }

    /// Reports strings with a NUL, in whatever field: no store of ours can hold them (spec S3).
    pub(super) fn refuse_nul(&self, faults: &mut Faults) {
        let bad = self.members.iter().filter(|(name, raw)| name.contains('\0') || has_nul(raw.get()));
        for (name, raw) in bad.take(NUL_FAULTS_MAX) {
            faults.add(self.path, &name.replace('\0', "\\0"), raw.get(), reason(format_args!("holds a NUL character")));
        }
    }

    /// A member that must be there.
    pub(super) fn required<T>(
        &self,
        name: &str,
        faults: &mut Faults,
        parse: impl FnOnce(&'a RawValue) -> Result<T, Reason>,
    ) -> Option<T> {
        if !self.members.iter().any(|(n, raw)| n.as_ref() == name && raw.get() != "null") {
            faults.add(self.path, name, "", reason(format_args!("is required")));
            return None;
        }
        self.optional(name, faults, parse)
    }

    /// A member that may be missing or null. One that comes twice is a fault: which of the two was meant?
    pub(super) fn optional<T>(
        &self,
        name: &str,
        faults: &mut Faults,
        parse: impl FnOnce(&'a RawValue) -> Result<T, Reason>,
    ) -> Option<T> {
        let mut found = self.members.iter().filter(|(n, _)| n.as_ref() == name).map(|(_, raw)| *raw);
        let raw = found.next()?;
        if found.next().is_some() {
            faults.add(self.path, name, raw.get(), reason(format_args!("is there more than once")));
            return None;
        }
        if raw.get() == "null" {
            return None;
        }
        parse(raw).map_err(|why| faults.add(self.path, name, raw.get(), why)).ok()
    }
}

/// A string.
pub(super) fn string(raw: &RawValue) -> Result<Cow<'_, str>, Reason> {
    let plain = raw.get().strip_prefix('"').and_then(|text| text.strip_suffix('"')).filter(|text| !text.contains('\\'));
    if let Some(plain) = plain {
        return Ok(Cow::Borrowed(plain)); // what is no escape stands for itself
    }
    let Name(text) = serde_json::from_str(raw.get()).map_err(|_| reason(format_args!("must be a string")))?;
    Ok(text)
}

/// A string of 1 to `N` bytes.
pub(super) fn text<const N: usize>(raw: &RawValue) -> Result<Text<N>, Reason> {
    let text = string(raw)?;
    if text.is_empty() {
        return Err(reason(format_args!("must not be empty")));
    }
    Text::new(&text).map_err(|e| reason(format_args!("{e}")))
}

/// True or false.
pub(super) fn boolean(raw: &RawValue) -> Result<bool, Reason> {
    match raw.get() {
        "true" => Ok(true),
        "false" => Ok(false),
        _ => Err(reason(format_args!("must be true or false"))),
    }
}

/// A decimal, written as a number or as a string, taken exactly (spec S2).
pub(super) fn number(raw: &RawValue) -> Result<Decimal, Reason> {
    let written = raw.get();
    let text = if written.starts_with('"') { string(raw)? } else { Cow::Borrowed(written) };
    decimal::parse(&text).map_err(|e| reason(format_args!("{e}")))
}

/// A decimal that is not negative.
pub(super) fn not_negative(raw: &RawValue) -> Result<Decimal, Reason> {
    let value = number(raw)?;
    if value < Decimal::ZERO { Err(reason(format_args!("must not be negative"))) } else { Ok(value) }
}

/// A text that is copied only where it holds escapes.
struct Name<'a>(Cow<'a, str>);

impl<'de> Deserialize<'de> for Name<'de> {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        struct Reader;
        impl<'de> Visitor<'de> for Reader {
            type Value = Name<'de>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a string")
            }
            fn visit_borrowed_str<E: de::Error>(self, text: &'de str) -> Result<Name<'de>, E> {
                Ok(Name(Cow::Borrowed(text)))
            }
            fn visit_str<E: de::Error>(self, text: &str) -> Result<Name<'de>, E> {
                Ok(Name(Cow::Owned(text.to_owned())))
            }
        }
        d.deserialize_str(Reader)
    }
}

struct Members<'a>(Vec<(Cow<'a, str>, &'a RawValue)>);

/// Members that most signals have no more of.
const MEMBERS: usize = 16;

impl<'de> Deserialize<'de> for Members<'de> {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        struct Reader;
        impl<'de> Visitor<'de> for Reader {
            type Value = Members<'de>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }
            fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<Members<'de>, M::Error> {
                let mut members = Vec::with_capacity(MEMBERS);
                while let Some((Name(name), value)) = map.next_entry()? {
                    members.push((name, value));
                }
                Ok(Members(members))
            }
        }
        d.deserialize_map(Reader)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn s2_depth_counts_brackets_outside_of_strings() {
        for (body, expected) in [("1", 0), ("[[]]", 2), (r#"{"a":["[[[","\"[",{}]}"#, 3), ("]]][", 1)] {
            assert_eq!(depth(body.as_bytes()), expected, "{body}");
        }
    }

    #[test]
    fn s3_a_nul_is_an_escape_that_is_not_itself_escaped() {
        for (json, expected) in [
            (r#""\u0000""#, true),
            (r#""\\u0000""#, false),
            (r#""\\\u0000""#, true),
            (r#""\n\u0001""#, false),
            (r#"{"a":["x","\u0000"]}"#, true),
        ] {
            assert_eq!(has_nul(json), expected, "{json}");
        }
    }
}
