//! JSON as a signal needs it: bounded before it is read, numbers as written, no member seen twice unnoticed.

mod reader;

pub(super) use self::reader::why_not;
use self::reader::{Member, unescaped};
use super::decode::Fault;
use crate::unit::{Decimal, Text, decimal};
use alloc::borrow::Cow;
use alloc::vec::Vec;
use core::fmt;

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

/// A body that is an object.
pub(super) struct Body<'a>(Vec<Member<'a>>);

impl<'a> Body<'a> {
    /// Takes a body apart, if it is an object and nests no deeper than this.
    pub(super) fn read(text: &'a str, deepest: u32) -> Option<Self> {
        let members = reader::members(text, deepest)?;
        Object { path: "", members: &members }.has_names().then_some(Self(members))
    }

    pub(super) fn object(&self) -> Object<'_> {
        Object { path: "", members: &self.0 }
    }
}

/// A value as written, and the members of all objects in it.
#[derive(Clone, Copy)]
pub(super) struct Json<'a> {
    pub(super) text: &'a str,
    inside: &'a [Member<'a>],
}

/// An object, whose fields are named after its path in faults.
#[derive(Clone, Copy)]
pub(super) struct Object<'a> {
    path: &'static str,
    members: &'a [Member<'a>],
}

impl<'a> Object<'a> {
    /// The object that this value is.
    pub(super) fn of(json: Json<'a>, path: &'static str) -> Result<Self, Reason> {
        let object = Self { path, members: json.inside };
        let is_one = json.text.starts_with('{') && object.has_names();
        if is_one { Ok(object) } else { Err(reason(format_args!("must be an object"))) }
    }

    fn has_names(self) -> bool {
        self.members().all(|(member, _)| member.has_name())
    }

    fn members(self) -> impl Iterator<Item = (&'a Member<'a>, Json<'a>)> {
        let mut rest = self.members;
        core::iter::from_fn(move || {
            let (member, behind) = rest.split_first()?;
            let (inside, behind) = behind.split_at_checked(member.inside)?;
            rest = behind;
            Some((member, Json { text: member.text, inside }))
        })
    }

    /// The first member of this name, whether there are more, and whether all of them are null.
    fn find(self, name: &str) -> Found<'a> {
        let mut found = Found { first: None, has_more: false, is_null: true };
        let mut rest = self.members;
        while let [member, behind @ ..] = rest {
            let (inside, behind) = behind.split_at_checked(member.inside).unwrap_or_default();
            rest = behind;
            if member.is(name) {
                found.has_more = found.first.is_some();
                found.is_null &= member.text == "null";
                found.first.get_or_insert(Json { text: member.text, inside });
            }
        }
        found
    }

    /// Reports strings with a NUL, in whatever field: no store of ours can hold them (spec S3).
    pub(super) fn refuse_nul(self, faults: &mut Faults) {
        let named = self.members().map(|(member, json)| (member.name().unwrap_or_default(), json.text));
        let bad = named.filter(|(name, text)| name.contains('\0') || has_nul(text));
        for (name, text) in bad.take(NUL_FAULTS_MAX) {
            faults.add(self.path, &name.replace('\0', "\\0"), text, reason(format_args!("holds a NUL character")));
        }
    }

    /// A member that must be there.
    pub(super) fn required<T>(
        self,
        name: &str,
        faults: &mut Faults,
        parse: impl FnOnce(Json<'a>) -> Result<T, Reason>,
    ) -> Option<T> {
        let found = self.find(name);
        if found.is_null {
            faults.add(self.path, name, "", reason(format_args!("is required")));
            return None;
        }
        self.parsed(name, found, faults, parse)
    }

    /// A member that may be missing or null.
    pub(super) fn optional<T>(
        self,
        name: &str,
        faults: &mut Faults,
        parse: impl FnOnce(Json<'a>) -> Result<T, Reason>,
    ) -> Option<T> {
        self.parsed(name, self.find(name), faults, parse)
    }

    /// One that comes twice is a fault: which of the two was meant?
    fn parsed<T>(
        self,
        name: &str,
        found: Found<'a>,
        faults: &mut Faults,
        parse: impl FnOnce(Json<'a>) -> Result<T, Reason>,
    ) -> Option<T> {
        let json = found.first?;
        if found.has_more {
            faults.add(self.path, name, json.text, reason(format_args!("is there more than once")));
            return None;
        }
        if found.is_null {
            return None;
        }
        parse(json).map_err(|why| faults.add(self.path, name, json.text, why)).ok()
    }
}

struct Found<'a> {
    first: Option<Json<'a>>,
    has_more: bool,
    is_null: bool,
}

/// A string.
pub(super) fn string(json: Json<'_>) -> Result<Cow<'_, str>, Reason> {
    let quoted = json.text.strip_prefix('"').and_then(|text| text.strip_suffix('"'));
    quoted.and_then(unescaped).ok_or_else(|| reason(format_args!("must be a string")))
}

/// A string of 1 to `N` bytes.
pub(super) fn text<const N: usize>(json: Json<'_>) -> Result<Text<N>, Reason> {
    let text = string(json)?;
    if text.is_empty() {
        return Err(reason(format_args!("must not be empty")));
    }
    Text::new(&text).map_err(|e| reason(format_args!("{e}")))
}

/// True or false.
pub(super) fn boolean(json: Json<'_>) -> Result<bool, Reason> {
    match json.text {
        "true" => Ok(true),
        "false" => Ok(false),
        _ => Err(reason(format_args!("must be true or false"))),
    }
}

/// A decimal, written as a number or as a string, taken exactly (spec S2).
pub(super) fn number(json: Json<'_>) -> Result<Decimal, Reason> {
    let text = if json.text.starts_with('"') { string(json)? } else { Cow::Borrowed(json.text) };
    decimal::parse(&text).map_err(|e| reason(format_args!("{e}")))
}

/// A decimal that is not negative.
pub(super) fn not_negative(json: Json<'_>) -> Result<Decimal, Reason> {
    let value = number(json)?;
    if value < Decimal::ZERO { Err(reason(format_args!("must not be negative"))) } else { Ok(value) }
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
