//! JSON as a signal needs it: bounded before it is read, numbers as written, no member seen twice unnoticed.

use super::decode::Fault;
use crate::unit::{Decimal, Text, decimal};
use alloc::borrow::ToOwned;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;
use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

/// Why a value is no good.
pub(super) type Reason = Text<120>;

/// A reason from a literal or a formatted text.
pub(super) fn reason(text: fmt::Arguments<'_>) -> Reason {
    Text::clipped(&alloc::fmt::format(text))
}

/// How deep arrays and objects nest. Walks the bytes without recursion, so that no body can exhaust a stack;
/// it may misjudge what is not JSON, which is refused anyway.
pub(super) fn depth(body: &[u8]) -> u32 {
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
    members: Vec<(String, &'a RawValue)>,
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
        if !self.members.iter().any(|(n, raw)| n == name && raw.get() != "null") {
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
        let mut found = self.members.iter().filter(|(n, _)| n == name).map(|(_, raw)| *raw);
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
pub(super) fn string(raw: &RawValue) -> Result<String, Reason> {
    serde_json::from_str(raw.get()).map_err(|_| reason(format_args!("must be a string")))
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
    serde_json::from_str(raw.get()).map_err(|_| reason(format_args!("must be true or false")))
}

/// A decimal, written as a number or as a string, taken exactly (spec S2).
pub(super) fn number(raw: &RawValue) -> Result<Decimal, Reason> {
    let written = raw.get();
    let text = if written.starts_with('"') { string(raw)? } else { written.to_owned() };
    decimal::parse(&text).map_err(|e| reason(format_args!("{e}")))
}

/// A decimal that is not negative.
pub(super) fn not_negative(raw: &RawValue) -> Result<Decimal, Reason> {
    let value = number(raw)?;
    if value < Decimal::ZERO { Err(reason(format_args!("must not be negative"))) } else { Ok(value) }
}

struct Members<'a>(Vec<(String, &'a RawValue)>);

impl<'de> Deserialize<'de> for Members<'de> {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        struct Reader;
        impl<'de> Visitor<'de> for Reader {
            type Value = Members<'de>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }
            fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<Members<'de>, M::Error> {
                let mut members = Vec::new();
                while let Some(member) = map.next_entry()? {
                    members.push(member);
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
