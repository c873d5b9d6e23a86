//! Reads JSON once, however deep it nests, and keeps where its members are.

use alloc::borrow::Cow;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::fmt;
use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, Visitor};

/// A member of any object in a body.
pub(super) struct Member<'a> {
    name: Quoted<'a>,
    pub(super) text: &'a str,
    /// So many of the members behind this one are in its value.
    pub(super) inside: usize,
}

impl Member<'_> {
    /// Nothing where its escapes make no text.
    pub(super) fn name(&self) -> Option<Cow<'_, str>> {
        if self.name.has_escapes { unescaped(self.name.text) } else { Some(Cow::Borrowed(self.name.text)) }
    }

    pub(super) fn has_name(&self) -> bool {
        !self.name.has_escapes || self.name().is_some()
    }

    pub(super) fn is(&self, name: &str) -> bool {
        if self.name.has_escapes { self.name().is_some_and(|own| own == name) } else { self.name.text == name }
    }
}

/// What is between quotes, as written.
struct Quoted<'a> {
    text: &'a str,
    has_escapes: bool,
}

/// Members that most bodies have no more of, those of inner objects counted too.
const MEMBERS: usize = 32;

/// All members of a body that is an object and nests no deeper than this, in the order in which they came.
pub(super) fn members(body: &str, deepest: u32) -> Option<Vec<Member<'_>>> {
    let mut reader =
        Reader { text: body, rest: body.as_bytes(), deeper: deepest, members: Vec::with_capacity(MEMBERS) };
    reader.body()?;
    Some(reader.members)
}

/// Goes through a body once; nothing where it is no JSON.
struct Reader<'a> {
    text: &'a str,
    rest: &'a [u8],
    /// So many levels more may be opened.
    deeper: u32,
    members: Vec<Member<'a>>,
}

impl<'a> Reader<'a> {
    fn body(&mut self) -> Option<()> {
        self.space();
        self.object()?;
        self.space();
        self.rest.is_empty().then_some(())
    }

    fn value(&mut self) -> Option<()> {
        match self.peek()? {
            b'{' => self.object(),
            b'[' => self.array(),
            b'"' => self.string().map(|_| ()),
            b't' => self.word("true"),
            b'f' => self.word("false"),
            b'n' => self.word("null"),
            _ => self.number(),
        }
    }

    fn object(&mut self) -> Option<()> {
        self.items(b'{', b'}', |reader| {
            let name = reader.string()?;
            reader.space();
            reader.must(b':')?;
            reader.space();
            let (start, place) = (reader.at(), reader.members.len());
            reader.members.push(Member { name, text: "", inside: 0 });
            reader.value()?;
            let inside = reader.members.len().saturating_sub(place).saturating_sub(1);
            let text = reader.text.get(start..reader.at())?;
            let member = reader.members.get_mut(place)?;
            (member.text, member.inside) = (text, inside);
            Some(())
        })
    }

    fn array(&mut self) -> Option<()> {
        self.items(b'[', b']', Self::value)
    }

    fn items(&mut self, open: u8, close: u8, mut item: impl FnMut(&mut Self) -> Option<()>) -> Option<()> {
        self.must(open)?;
        self.deeper = self.deeper.checked_sub(1)?;
        self.space();
        while !self.takes(close) {
            item(self)?;
            self.space();
            if self.takes(b',') {
                self.space();
                (self.peek()? != close).then_some(())?;
            } else {
                (self.peek()? == close).then_some(())?;
            }
        }
        self.deeper = self.deeper.saturating_add(1);
        Some(())
    }

    fn string(&mut self) -> Option<Quoted<'a>> {
        self.must(b'"')?;
        let (start, mut has_escapes) = (self.at(), false);
        loop {
            self.skip(plain(self.rest));
            let end = self.at();
            if self.takes(b'"') {
                return Some(Quoted { text: self.text.get(start..end)?, has_escapes });
            }
            self.must(b'\\')?;
            self.escape()?;
            has_escapes = true;
        }
    }

    /// What follows a backslash.
    fn escape(&mut self) -> Option<()> {
        let (escape, rest) = self.rest.split_first()?;
        self.rest = rest;
        match escape {
            b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't' => Some(()),
            b'u' => {
                let digits = self.rest.first_chunk::<4>()?;
                digits.iter().all(u8::is_ascii_hexdigit).then(|| self.skip(4))
            }
            _ => None,
        }
    }

    fn number(&mut self) -> Option<()> {
        self.takes(b'-');
        if !self.takes(b'0') {
            self.digits()?;
        }
        if self.takes(b'.') {
            self.digits()?;
        }
        if self.takes(b'e') || self.takes(b'E') {
            let _ = self.takes(b'+') || self.takes(b'-');
            self.digits()?;
        }
        Some(())
    }

    /// One digit or more.
    fn digits(&mut self) -> Option<()> {
        let digits = self.rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
        self.skip(digits);
        (digits > 0).then_some(())
    }

    fn word(&mut self, word: &str) -> Option<()> {
        self.rest = self.rest.strip_prefix(word.as_bytes())?;
        Some(())
    }

    #[inline]
    fn space(&mut self) {
        while let [b' ' | b'\n' | b'\t' | b'\r', rest @ ..] = self.rest {
            self.rest = rest;
        }
    }

    #[inline]
    fn must(&mut self, byte: u8) -> Option<()> {
        self.takes(byte).then_some(())
    }

    /// Is this byte the next one? Then it is read.
    #[inline]
    fn takes(&mut self, byte: u8) -> bool {
        match self.rest {
            [first, rest @ ..] if *first == byte => {
                self.rest = rest;
                true
            }
            _ => false,
        }
    }

    #[inline]
    fn peek(&self) -> Option<u8> {
        self.rest.first().copied()
    }

    #[inline]
    fn skip(&mut self, bytes: usize) {
        self.rest = self.rest.get(bytes..).unwrap_or_default();
    }

    #[inline]
    fn at(&self) -> usize {
        self.text.len().saturating_sub(self.rest.len())
    }
}

/// So many bytes are before the first that ends a string or its plain part: a quote, a backslash, a control character.
/// Eight are looked at together, and the lowest mark is always a true one.
fn plain(bytes: &[u8]) -> usize {
    const EACH: u64 = u64::from_ne_bytes([1; 8]);
    const MARK: u64 = u64::from_ne_bytes([0x80; 8]);
    let below = |word: u64, least: u8| word.wrapping_sub(EACH.wrapping_mul(least.into())) & !word;
    let is = |word: u64, byte: u8| below(word ^ EACH.wrapping_mul(byte.into()), 1);
    let (words, rest) = bytes.as_chunks::<8>();
    for (place, word) in words.iter().enumerate() {
        let word = u64::from_le_bytes(*word);
        let marks = (below(word, b' ') | is(word, b'"') | is(word, b'\\')) & MARK;
        if marks != 0 {
            let byte = usize::try_from(marks.trailing_zeros()).unwrap_or_default() >> 3;
            return (place << 3).saturating_add(byte);
        }
    }
    let ends = |byte: &u8| matches!(byte, b'"' | b'\\' | 0..b' ');
    (words.len() << 3).saturating_add(rest.iter().position(ends).unwrap_or(rest.len()))
}

/// What a string means; nothing where its escapes make no text.
pub(super) fn unescaped(string: &str) -> Option<Cow<'_, str>> {
    if !string.contains('\\') {
        return Some(Cow::Borrowed(string)); // what is no escape stands for itself
    }
    serde_json::from_str(&alloc::format!("\"{string}\"")).ok().map(Cow::Owned)
}

/// Says what is wrong with a body, in the words of a reader that makes words.
#[cold]
pub(in crate::intake) fn why_not(body: &str) -> String {
    struct Any;
    impl<'de> Deserialize<'de> for Any {
        fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
            d.deserialize_map(Self)
        }
    }
    impl<'de> Visitor<'de> for Any {
        type Value = Self;
        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("an object")
        }
        fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<Self, M::Error> {
            while map.next_entry::<String, IgnoredAny>()?.is_some() {}
            Ok(self)
        }
    }
    serde_json::from_str::<Any>(body).map_or_else(|e| e.to_string(), |_| String::new())
}

#[cfg(test)]
mod tests {
    use super::super::{Body, Json, Object, depth};
    use super::*;
    use proptest::prelude::*;
    use serde_json::value::RawValue;

    /// An object's members as the general reader has them, its values as written.
    struct General(Vec<(String, String)>);

    impl<'de> Deserialize<'de> for General {
        fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
            d.deserialize_map(Self(Vec::new()))
        }
    }
    impl<'de> Visitor<'de> for General {
        type Value = Self;
        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("an object")
        }
        fn visit_map<M: MapAccess<'de>>(mut self, mut map: M) -> Result<Self, M::Error> {
            while let Some((name, value)) = map.next_entry::<String, &RawValue>()? {
                self.0.push((name, value.get().to_string()));
            }
            Ok(self)
        }
    }

    /// Both readers say the same of an object and of all objects in it.
    fn agree(text: &str, object: Result<Object<'_>, String>) {
        let general = serde_json::from_str::<General>(text).map(|General(members)| members);
        let members = object.map(|object| object.members().collect::<Vec<_>>());
        let named =
            |(member, json): &(&Member<'_>, Json<'_>)| (member.name().unwrap().to_string(), json.text.to_string());
        let ours = members.as_ref().map(|members| members.iter().map(named).collect::<Vec<_>>());
        assert_eq!(ours.map_err(String::clone), general.map_err(|e| e.to_string()), "{text:?}");
        for (_, json) in members.iter().flatten().filter(|(_, json)| json.text.starts_with(['{', '"'])) {
            if json.text.starts_with('{') {
                let why = |_| serde_json::from_str::<General>(json.text).err().unwrap().to_string();
                agree(json.text, Object::of(*json, "").map_err(why));
            } else {
                let general = serde_json::from_str::<String>(json.text).ok();
                assert_eq!(super::super::string(*json).ok().as_deref(), general.as_deref(), "{text:?}");
            }
        }
    }

    fn check(text: &str) {
        let body = Body::read(text, 100).ok_or_else(|| why_not(text));
        agree(text, body.as_ref().map(Body::object).map_err(String::clone));
    }

    #[test]
    fn s2_what_nests_too_deep_is_not_read() {
        for text in [r#"{"a":[[1],[2]],"b":{"c":{}}}"#, r#"{"a":[[]]}"#, r#"{"a":{"b":{}}}"#] {
            assert_eq!(depth(text.as_bytes()), 3);
            assert!(Body::read(text, 3).is_some() && Body::read(text, 2).is_none());
        }
    }

    #[test]
    fn what_json_is_and_is_not() {
        for text in [
            "",
            " ",
            "{",
            "{}",
            " {\t}\r\n",
            "{}x",
            "[]",
            "1",
            "null",
            "{\"a\"}",
            "{\"a\":}",
            "{\"a\":1,}",
            "{,}",
            "{a:1}",
            r#"{"a":1 , "b" : [ ] ,"a":{"x":[{"y":1}],"z":2},"c":3}"#,
            r#"{"a":[1,]}"#,
            r#"{"a":[,1]}"#,
            r#"{"a":[1 2]}"#,
            r#"{"a":{"b":1]}"#,
            r#"{"a":nul}"#,
            r#"{"a":nulls}"#,
            r#"{"a":-}"#,
            r#"{"a":01}"#,
            r#"{"a":-0.0e-00}"#,
            r#"{"a":1.}"#,
            r#"{"a":.1}"#,
            r#"{"a":1e}"#,
            r#"{"a":1E+5}"#,
            r#"{"a":+1}"#,
            r#"{"a\u0062\"\\":"\/\b\f\n\r\t"}"#,
            r#"{"a":"\ud800"}"#,
            r#"{"\ud800":1}"#,
            r#"{"x":{"\ud800":1}}"#,
            r#"{"\ud83d\ude00":1}"#,
            r#"{"a":"\u00g0"}"#,
            r#"{"a":"\u00"#,
            r#"{"a":"\x"}"#,
            "{\"a\":\"\n\"}",
            "{\"\n\":1}",
            "{\"\u{7f}\u{e4}\u{20ac}\":\"\u{7f}\u{e4}\u{20ac}\"}",
            "\u{feff}{}",
        ] {
            check(text);
        }
    }

    proptest! {
        #[test]
        fn any_text_is_read_as_the_general_reader_does(text in r#"[{}\[\]",:\\u0d8a1eE.+\- tfnrulse\n\x00\x1f\u{e4}]{0,24}"#) {
            check(&text);
            check(&alloc::format!("{{\"a\":{text}}}"));
            check(&alloc::format!("{{\"a\":\"{text}\",\"{text}\":{{\"{text}\":1}}}}"));
        }

        #[test]
        fn what_is_nearly_json_too(
            parts in proptest::collection::vec(proptest::sample::select(std::vec![
                "{", "}", "[", "]", ",", ":", "\"a\":", "\"b\"", "\"\\u0000\"", "\"\\ud800\":", "1", "-0.5e7", "null", "true", " ",
                "{\"c\":2}", "[3,4]", "\"d\":{\"e\":[{\"f\":5}]}",
            ]), 0..12),
        ) {
            let text = parts.concat();
            check(&text);
            check(&alloc::format!("{{{text}}}"));
            check(&alloc::format!("{{\"a\":{text}}}"));
        }
    }
}
