//! Short text without an allocation: ids, symbols, codes.

use core::fmt;
use serde::de::{self, Deserializer, Visitor};
use serde::{Deserialize, Serialize, Serializer};

/// At most `N` bytes of UTF-8, `Copy`, compared as its text. `N` is at most 255.
///
/// What is not text is zero, and the bytes come first: so their order, then that of the lengths, is the text's, and a
/// comparison of fixed length needs no call.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Text<const N: usize> {
    bytes: [u8; N],
    len: u8,
}

/// A text that does not fit its bound.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("is {len} bytes long, the limit is {max}")]
pub struct TooLong {
    /// Bytes of the text.
    pub len: usize,
    /// Bytes that fit.
    pub max: usize,
}

impl<const N: usize> Text<N> {
    /// The empty text.
    pub const EMPTY: Self = Self { bytes: [0; N], len: 0 };

    /// A text of these ASCII bytes; the empty one where they do not fit.
    pub(super) const fn literal<const M: usize>(text: [u8; M]) -> Self {
        let mut out = Self::EMPTY;
        if let Some((room, _)) = out.bytes.split_first_chunk_mut::<M>()
            && M <= 255
        {
            *room = text;
            out.len = M as u8;
        }
        out
    }

    /// Takes `text` whole, or says that it is too long.
    pub fn new(text: &str) -> Result<Self, TooLong> {
        let too_long = TooLong { len: text.len(), max: N };
        let len = u8::try_from(text.len()).map_err(|_| too_long)?;
        let mut bytes = [0; N];
        bytes.get_mut(..text.len()).ok_or(too_long)?.copy_from_slice(text.as_bytes());
        Ok(Self { bytes, len })
    }

    /// Takes as much of `text` as fits, cut at a character. For words meant for people only.
    #[must_use]
    pub fn clipped(text: &str) -> Self {
        let mut end = text.len().min(N).min(255);
        while !text.is_char_boundary(end) {
            end = end.saturating_sub(1);
        }
        text.get(..end).and_then(|t| Self::new(t).ok()).unwrap_or(Self::EMPTY)
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        let bytes = self.bytes.get(..usize::from(self.len)).unwrap_or_default();
        core::str::from_utf8(bytes).unwrap_or_default()
    }

    /// Adds as much of `more` as fits, cut at a character.
    pub fn push_str(&mut self, more: &str) {
        let start = usize::from(self.len);
        let mut count = more.len().min(N.min(255).saturating_sub(start));
        while !more.is_char_boundary(count) {
            count = count.saturating_sub(1);
        }
        let end = start.saturating_add(count);
        let (Some(room), Some(text), Ok(len)) = (self.bytes.get_mut(start..end), more.get(..count), u8::try_from(end))
        else {
            return;
        };
        room.copy_from_slice(text.as_bytes());
        self.len = len;
    }

    /// Is there nothing in it?
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }
}

impl<const N: usize> Default for Text<N> {
    fn default() -> Self {
        Self::EMPTY
    }
}
impl<const N: usize> fmt::Display for Text<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}
impl<const N: usize> fmt::Debug for Text<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.as_str(), f)
    }
}
/// The name under which a journal is given the bytes of a text, which it then need not make a `str` of.
pub(crate) const IN_JOURNAL: &str = "order-manager text";

impl<const N: usize> Serialize for Text<N> {
    #[inline]
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        if s.is_human_readable() {
            return s.serialize_str(self.as_str());
        }
        s.serialize_newtype_struct(IN_JOURNAL, &Raw(self.bytes.get(..usize::from(self.len)).unwrap_or_default()))
    }
}

struct Raw<'a>(&'a [u8]);

impl Serialize for Raw<'_> {
    #[inline]
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.serialize_bytes(self.0)
    }
}
impl<'de, const N: usize> Deserialize<'de> for Text<N> {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        struct Reader<const N: usize>;
        impl<const N: usize> Visitor<'_> for Reader<N> {
            type Value = Text<N>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "text of at most {N} bytes")
            }
            fn visit_str<E: de::Error>(self, v: &str) -> Result<Text<N>, E> {
                Text::new(v).map_err(E::custom)
            }
        }
        d.deserialize_str(Reader)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn clips_at_a_character_and_refuses_what_does_not_fit() {
        assert_eq!(Text::<4>::new("abcd").unwrap().as_str(), "abcd");
        assert_eq!(Text::<4>::new("abcde"), Err(TooLong { len: 5, max: 4 }));
        assert_eq!(Text::<4>::clipped("abcäö").as_str(), "abc");
    }

    proptest! {
        #[test]
        fn is_compared_as_its_text(a in "[\\x00ab\u{fc}]{0,4}", b in "[\\x00ab\u{fc}]{0,4}") {
            let [one, other] = [&a, &b].map(|text| Text::<8>::new(text).unwrap());
            prop_assert_eq!(one.cmp(&other), a.cmp(&b));
            prop_assert_eq!(one == other, a == b);
        }
    }
}
