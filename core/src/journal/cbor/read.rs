//! Reads what [`super::Writer`] writes, and what minicbor-serde wrote before it (a test compares them). A restore, a
//! standby and a replay do little else: field names are compared as bytes, and nothing is copied on the way.

use super::{ARRAY, BREAK, BYTES, CodecError, FALSE, MAP, NEGATIVE, NULL, OPEN, TEXT, TRUE, UNSIGNED};
use alloc::vec::Vec;
use serde::de::{self, DeserializeSeed, Deserializer, Visitor};

/// What has not been read yet.
pub(in crate::journal) struct Reader<'de>(pub(in crate::journal) &'de [u8]);

impl<'de> Reader<'de> {
    /// The value or length of the item that comes, which must be of this major type.
    #[inline]
    fn head(&mut self, major: u8, wanted: &'static str) -> Result<u64, CodecError> {
        match item(self.0) {
            Some((found, value, rest)) if found == major => {
                self.0 = rest;
                Ok(value)
            }
            _ => Err(self.wrong(wanted)),
        }
    }

    /// The length of the array or map that comes; none where a [`BREAK`] will end it.
    #[inline]
    fn length(&mut self, major: u8, wanted: &'static str) -> Result<Option<u64>, CodecError> {
        if self.takes(major | OPEN) {
            return Ok(None);
        }
        self.head(major, wanted).map(Some)
    }

    #[inline]
    fn content(&mut self, major: u8, wanted: &'static str) -> Result<&'de [u8], CodecError> {
        let length = self.head(major, wanted)?;
        let split = usize::try_from(length).ok().and_then(|length| self.0.split_at_checked(length));
        let (content, rest) = split.ok_or_else(|| self.wrong(wanted))?;
        self.0 = rest;
        Ok(content)
    }

    #[inline]
    fn text(&mut self) -> Result<&'de str, CodecError> {
        let bytes = self.content(TEXT, "a text")?;
        core::str::from_utf8(bytes).map_err(|_| self.wrong("UTF-8 before this"))
    }

    /// Is this byte the next one? Then it is read.
    #[inline]
    fn takes(&mut self, byte: u8) -> bool {
        match self.0.split_first() {
            Some((first, rest)) if *first == byte => {
                self.0 = rest;
                true
            }
            _ => false,
        }
    }

    /// Is an item of this major type the next one?
    #[inline]
    fn is_at(&self, major: u8) -> bool {
        self.0.first().is_some_and(|first| first & MAJOR == major)
    }

    #[cold]
    fn wrong(&self, wanted: &'static str) -> CodecError {
        let left = self.0.len();
        CodecError(match self.0.first() {
            Some(byte) => alloc::format!("{left} bytes before the end: {byte:#04x}, not {wanted}"),
            None => alloc::format!("the end, not {wanted}"),
        })
    }
}

/// Every integer may be asked for under any width; the type that is made of it refuses what it cannot hold.
macro_rules! integers {
    ($($method:ident),*) => {$(
        #[inline]
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, CodecError> {
            if self.is_at(NEGATIVE) {
                let below = self.head(NEGATIVE, "an integer")?;
                let value = i64::try_from(below).map_err(|_| self.wrong("64 bits with a sign before this"))?;
                return visitor.visit_i64(!value); // -1 - below
            }
            visitor.visit_u64(self.head(UNSIGNED, "an integer")?)
        }
    )*};
}

impl<'de> Deserializer<'de> for &mut Reader<'de> {
    type Error = CodecError;

    fn is_human_readable(&self) -> bool {
        false
    }
    integers!(
        deserialize_i8,
        deserialize_i16,
        deserialize_i32,
        deserialize_i64,
        deserialize_u16,
        deserialize_u32,
        deserialize_u64
    );
    /// The bytes of decimals in journals of version 1, sixteen of them each, nearly all small.
    #[inline]
    fn deserialize_u8<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, CodecError> {
        match self.0 {
            [value @ 0..24, rest @ ..] | [24, value, rest @ ..] => {
                self.0 = rest;
                visitor.visit_u8(*value)
            }
            _ => self.deserialize_u64(visitor),
        }
    }
    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, CodecError> {
        match self.0.first() {
            Some(&(TRUE | FALSE)) => self.deserialize_bool(visitor),
            Some(&NULL) => self.deserialize_option(visitor),
            Some(first) => match first & MAJOR {
                UNSIGNED | NEGATIVE => self.deserialize_u64(visitor),
                BYTES => self.deserialize_bytes(visitor),
                TEXT => self.deserialize_str(visitor),
                ARRAY => self.deserialize_seq(visitor),
                MAP => self.deserialize_map(visitor),
                _ => Err(self.wrong("anything that a journal holds")),
            },
            None => Err(self.wrong("a value")),
        }
    }
    #[inline]
    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, CodecError> {
        if self.takes(TRUE) {
            visitor.visit_bool(true)
        } else if self.takes(FALSE) {
            visitor.visit_bool(false)
        } else {
            Err(self.wrong("true or false"))
        }
    }
    fn deserialize_f32<V: Visitor<'de>>(self, _: V) -> Result<V::Value, CodecError> {
        Err(de::Error::custom("nothing in a journal is a binary fraction"))
    }
    fn deserialize_f64<V: Visitor<'de>>(self, _: V) -> Result<V::Value, CodecError> {
        Err(de::Error::custom("nothing in a journal is a binary fraction"))
    }
    fn deserialize_char<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, CodecError> {
        let code = self.head(UNSIGNED, "a character")?;
        let character = u32::try_from(code).ok().and_then(char::from_u32);
        visitor.visit_char(character.ok_or_else(|| self.wrong("a character before this"))?)
    }
    #[inline]
    fn deserialize_str<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, CodecError> {
        visitor.visit_borrowed_str(self.text()?)
    }
    #[inline]
    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, CodecError> {
        visitor.visit_borrowed_str(self.text()?)
    }
    #[inline]
    fn deserialize_bytes<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, CodecError> {
        visitor.visit_borrowed_bytes(self.content(BYTES, "bytes")?)
    }
    #[inline]
    fn deserialize_byte_buf<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, CodecError> {
        visitor.visit_borrowed_bytes(self.content(BYTES, "bytes")?)
    }
    /// The name of a field or variant: it is one of those that are known, or none; no text is made of it.
    #[inline]
    fn deserialize_identifier<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, CodecError> {
        visitor.visit_borrowed_bytes(self.content(TEXT, "a name")?)
    }
    #[inline]
    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, CodecError> {
        if self.takes(NULL) { visitor.visit_none() } else { visitor.visit_some(self) }
    }
    fn deserialize_unit<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, CodecError> {
        if self.takes(ARRAY) { visitor.visit_unit() } else { Err(self.wrong("an empty array")) }
    }
    fn deserialize_unit_struct<V: Visitor<'de>>(self, _: &'static str, visitor: V) -> Result<V::Value, CodecError> {
        self.deserialize_unit(visitor)
    }
    #[inline]
    fn deserialize_newtype_struct<V: Visitor<'de>>(self, _: &'static str, visitor: V) -> Result<V::Value, CodecError> {
        visitor.visit_newtype_struct(self)
    }
    #[inline]
    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, CodecError> {
        let left = self.length(ARRAY, "an array")?;
        visitor.visit_seq(Items { reader: self, left })
    }
    #[inline]
    fn deserialize_tuple<V: Visitor<'de>>(self, length: usize, visitor: V) -> Result<V::Value, CodecError> {
        let left = self.head(ARRAY, "an array")?;
        if usize::try_from(left) != Ok(length) {
            return Err(de::Error::invalid_length(usize::try_from(left).unwrap_or(usize::MAX), &visitor));
        }
        visitor.visit_seq(Elements { reader: self, left: length })
    }
    fn deserialize_tuple_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        length: usize,
        visitor: V,
    ) -> Result<V::Value, CodecError> {
        self.deserialize_tuple(length, visitor)
    }
    #[inline]
    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, CodecError> {
        let left = self.length(MAP, "a map")?;
        visitor.visit_map(Items { reader: self, left })
    }
    #[inline]
    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, CodecError> {
        self.deserialize_map(visitor)
    }
    /// A name alone, or a map of one entry: the name with its content.
    #[inline]
    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, CodecError> {
        let has_content = self.is_at(MAP);
        if has_content && !self.takes(MAP | 1) {
            return Err(self.wrong("a map of one entry"));
        }
        visitor.visit_enum(Variant { reader: self, has_content })
    }
    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, CodecError> {
        self.0 = skip(self.0).ok_or_else(|| self.wrong("a value that can be passed over"))?;
        visitor.visit_unit()
    }
}

/// What is left of an array whose length the type knows.
struct Elements<'r, 'de> {
    reader: &'r mut Reader<'de>,
    left: usize,
}

impl<'de> de::SeqAccess<'de> for Elements<'_, 'de> {
    type Error = CodecError;

    #[inline]
    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, CodecError> {
        let Some(left) = self.left.checked_sub(1) else { return Ok(None) };
        self.left = left;
        seed.deserialize(&mut *self.reader).map(Some)
    }
    #[inline]
    fn size_hint(&self) -> Option<usize> {
        Some(self.left)
    }
}

/// What is left of an array or a map.
struct Items<'r, 'de> {
    reader: &'r mut Reader<'de>,
    /// So many elements or entries; none where a [`BREAK`] ends them.
    left: Option<u64>,
}

impl Items<'_, '_> {
    #[inline]
    fn has_next(&mut self) -> bool {
        match &mut self.left {
            None => !self.reader.takes(BREAK),
            Some(left) => left.checked_sub(1).map(|less| *left = less).is_some(),
        }
    }

    #[inline]
    fn hint(&self) -> Option<usize> {
        self.left.and_then(|left| usize::try_from(left).ok())
    }
}

impl<'de> de::SeqAccess<'de> for Items<'_, 'de> {
    type Error = CodecError;

    #[inline]
    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, CodecError> {
        if self.has_next() { seed.deserialize(&mut *self.reader).map(Some) } else { Ok(None) }
    }
    #[inline]
    fn size_hint(&self) -> Option<usize> {
        self.hint()
    }
}

impl<'de> de::MapAccess<'de> for Items<'_, 'de> {
    type Error = CodecError;

    #[inline]
    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, CodecError> {
        if self.has_next() { seed.deserialize(&mut *self.reader).map(Some) } else { Ok(None) }
    }
    #[inline]
    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, CodecError> {
        seed.deserialize(&mut *self.reader)
    }
    #[inline]
    fn size_hint(&self) -> Option<usize> {
        self.hint()
    }
}

/// An enum's value, from its variant's name on.
struct Variant<'r, 'de> {
    reader: &'r mut Reader<'de>,
    has_content: bool,
}

impl<'r, 'de> Variant<'r, 'de> {
    #[inline]
    fn content(self) -> Result<&'r mut Reader<'de>, CodecError> {
        if self.has_content { Ok(self.reader) } else { Err(self.reader.wrong("what the variant before this holds")) }
    }
}

impl<'de> de::EnumAccess<'de> for Variant<'_, 'de> {
    type Error = CodecError;
    type Variant = Self;

    #[inline]
    fn variant_seed<V: DeserializeSeed<'de>>(self, seed: V) -> Result<(V::Value, Self), CodecError> {
        let name = seed.deserialize(&mut *self.reader)?;
        Ok((name, self))
    }
}

impl<'de> de::VariantAccess<'de> for Variant<'_, 'de> {
    type Error = CodecError;

    #[inline]
    fn unit_variant(self) -> Result<(), CodecError> {
        if self.has_content { Err(self.reader.wrong("an end: the variant before this holds nothing")) } else { Ok(()) }
    }
    #[inline]
    fn newtype_variant_seed<T: DeserializeSeed<'de>>(self, seed: T) -> Result<T::Value, CodecError> {
        seed.deserialize(self.content()?)
    }
    #[inline]
    fn tuple_variant<V: Visitor<'de>>(self, length: usize, visitor: V) -> Result<V::Value, CodecError> {
        self.content()?.deserialize_tuple(length, visitor)
    }
    #[inline]
    fn struct_variant<V: Visitor<'de>>(self, _: &'static [&'static str], visitor: V) -> Result<V::Value, CodecError> {
        self.content()?.deserialize_map(visitor)
    }
}

/// The bits of an item's first byte that tell its major type.
const MAJOR: u8 = 0xe0;
/// The major type of true, false and null.
const SIMPLE: u8 = 0xe0;

/// What follows an item, whatever it holds.
fn skip(mut bytes: &[u8]) -> Option<&[u8]> {
    let mut items: u64 = 1;
    let mut around = Vec::new(); // items that follow on what a break ends
    while items > 0 {
        let (first, rest) = bytes.split_first()?;
        if *first == BREAK {
            (bytes, items) = (rest, around.pop()?);
            continue;
        }
        items = items.saturating_sub(1);
        if *first < 24 {
            bytes = rest; // a small number; decimals of version 1 are full of them
            continue;
        }
        if [ARRAY | OPEN, MAP | OPEN].contains(first) {
            around.push(items);
            (bytes, items) = (rest, u64::MAX);
            continue;
        }
        let (major, value, rest) = item(bytes)?;
        bytes = rest;
        match major {
            UNSIGNED | NEGATIVE | SIMPLE => {}
            BYTES | TEXT => bytes = bytes.get(usize::try_from(value).ok()?..)?,
            ARRAY => items = items.saturating_add(value),
            MAP => items = items.saturating_add(value).saturating_add(value),
            _ => return None,
        }
    }
    Some(bytes)
}

/// An item's major type, its value or length, and what follows these.
#[inline]
fn item(bytes: &[u8]) -> Option<(u8, u64, &[u8])> {
    let (first, rest) = bytes.split_first()?;
    let (major, low) = (first & MAJOR, first & !MAJOR);
    let (value, rest) = match low {
        0..24 => (u64::from(low), rest),
        24 => rest.split_first().map(|(byte, rest)| (u64::from(*byte), rest))?,
        25 => rest.split_first_chunk().map(|(bytes, rest)| (u64::from(u16::from_be_bytes(*bytes)), rest))?,
        26 => rest.split_first_chunk().map(|(bytes, rest)| (u64::from(u32::from_be_bytes(*bytes)), rest))?,
        27 => rest.split_first_chunk().map(|(bytes, rest)| (u64::from_be_bytes(*bytes), rest))?,
        _ => return None, // of unknown length, or no item at all
    };
    Some((major, value, rest))
}
