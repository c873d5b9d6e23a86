//! Short text without an allocation: ids, symbols, codes.

use core::cmp::Ordering;
use core::fmt;
use serde::de::{self, Deserializer, Visitor};
use serde::{Deserialize, Serialize, Serializer};

/// At most `N` bytes of UTF-8, `Copy`, compared as its text. `N` is at most 255.
///
/// What is not text is zero, so the order of all bytes, then that of the lengths, is the text's.
#[derive(Clone, Copy, Eq)]
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
        Self::of_utf8(text.as_bytes())
    }

    /// The same of bytes that are known to be UTF-8.
    pub(super) fn of_utf8(text: &[u8]) -> Result<Self, TooLong> {
        let too_long = TooLong { len: text.len(), max: N };
        let len = u8::try_from(text.len()).map_err(|_| too_long)?;
        let mut bytes = [0; N];
        bytes.get_mut(..text.len()).ok_or(too_long)?.copy_from_slice(text);
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

    /// The same of a text that is made on the way: `Text::written(format_args!("{size} is over {limit}"))`.
    #[must_use]
    pub fn written(text: fmt::Arguments<'_>) -> Self {
        let mut out = Clipped(Self::EMPTY);
        let _ = fmt::Write::write_fmt(&mut out, text); // it ends early where the rest does not fit
        out.0
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        core::str::from_utf8(self.as_bytes()).unwrap_or_default()
    }

    /// The text's bytes, for what need not look at characters.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        self.bytes.get(..usize::from(self.len)).unwrap_or_default()
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

/// Takes what fits, and nothing after that.
struct Clipped<const N: usize>(Text<N>);

impl<const N: usize> fmt::Write for Clipped<N> {
    fn write_str(&mut self, more: &str) -> fmt::Result {
        let before = self.0.as_bytes().len();
        self.0.push_str(more);
        let taken = self.0.as_bytes().len().checked_sub(before);
        if taken == Some(more.len()) { Ok(()) } else { Err(fmt::Error) }
    }
}

/// Word by word, for texts that are keys mostly differ in the first one, and bytes are compared by a call.
impl<const N: usize> Ord for Text<N> {
    #[inline]
    fn cmp(&self, other: &Self) -> Ordering {
        let ((words, rest), (others, others_rest)) = (self.bytes.as_chunks(), other.bytes.as_chunks());
        for (word, other) in words.iter().zip(others) {
            if word != other {
                return u64::from_be_bytes(*word).cmp(&u64::from_be_bytes(*other));
            }
        }
        rest.cmp(others_rest).then(self.len.cmp(&other.len))
    }
}
impl<const N: usize> PartialOrd for Text<N> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}
impl<const N: usize> PartialEq for Text<N> {
    #[inline]
    fn eq(&self, other: &Self) -> bool {
        let ((words, rest), (others, others_rest)) = (self.bytes.as_chunks::<8>(), other.bytes.as_chunks::<8>());
        self.len == other.len && words.iter().zip(others).all(|(word, other)| word == other) && rest == others_rest
    }
}
impl<const N: usize> Default for Text<N> {
    fn default() -> Self {
        Self::EMPTY
    }
}
impl<const N: usize> AsRef<[u8]> for Text<N> {
    fn as_ref(&self) -> &[u8] {
        self.as_bytes()
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
        fn is_written_as_far_as_it_fits(parts in proptest::collection::vec("[a\u{fc}\u{20ac}]{0,4}", 3)) {
            let whole = alloc::format!("{}{}{}", parts[0], parts[1], parts[2]);
            let written = Text::<8>::written(format_args!("{}{}{}", parts[0], parts[1], parts[2]));
            prop_assert_eq!(written, Text::clipped(&whole));
        }

        #[test]
        fn is_compared_as_its_text(same in "x{0,9}", a in "[\\x00ab\u{fc}]{0,4}", b in "[\\x00ab\u{fc}]{0,4}") {
            let [a, b] = [a, b].map(|text| [same.as_str(), text.as_str()].concat());
            let [one, other] = [&a, &b].map(|text| Text::<20>::new(text).unwrap());
            prop_assert_eq!(one.cmp(&other), a.cmp(&b));
            prop_assert_eq!(one == other, a == b);
        }
    }
}
