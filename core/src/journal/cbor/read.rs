//! Reads what [`super::Writer`] writes in either shape, each struct and each variant in the one that it comes in. A
//! restore, a standby and a replay do little else: nothing is copied on the way.

use super::{ARRAY, BREAK, BYTES, FALSE, MAJOR, MAP, NEGATIVE, NULL, OPEN, TEXT, TRUE, UNSIGNED, Wrong};
use alloc::vec::Vec;
use serde::de::{self, DeserializeSeed, Deserializer, Visitor};

/// What has not been read yet.
pub(in crate::journal) struct Reader<'de>(pub(in crate::journal) &'de [u8]);

impl<'de> Reader<'de> {
    /// The value or length of the item that comes, which must be of this major type.
    #[inline]
    fn head(&mut self, major: u8, wanted: &'static str) -> Result<u64, Wrong> {
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
    fn length(&mut self, major: u8, wanted: &'static str) -> Result<Option<u64>, Wrong> {
        if self.takes(major | OPEN) {
            return Ok(None);
        }
        self.head(major, wanted).map(Some)
    }

    #[inline]
    fn content(&mut self, major: u8, wanted: &'static str) -> Result<&'de [u8], Wrong> {
        let length = self.head(major, wanted)?;
        self.take(length, wanted)
    }

    #[inline]
    fn take(&mut self, length: u64, wanted: &'static str) -> Result<&'de [u8], Wrong> {
        let split = usize::try_from(length).ok().and_then(|length| self.0.split_at_checked(length));
        let (content, rest) = split.ok_or_else(|| self.wrong(wanted))?;
        self.0 = rest;
        Ok(content)
    }

    #[inline]
    fn text(&mut self) -> Result<&'de str, Wrong> {
        let bytes = self.content(TEXT, "a text")?;
        core::str::from_utf8(bytes).map_err(|_| self.wrong("UTF-8 before this"))
    }

    /// The fields of a struct or of a variant, of which so many were written: by an earlier build fewer than there are,
    /// by a later one more.
    #[inline]
    fn fields<V: Visitor<'de>>(&mut self, written: u64, visitor: V) -> Result<V::Value, Wrong> {
        let mut fields = Items { reader: self, left: Some(written) };
        let value = visitor.visit_seq(&mut fields)?;
        let surplus = fields.left.unwrap_or_default();
        self.pass_over(surplus)?;
        Ok(value)
    }

    /// So many items, whatever they hold.
    #[inline]
    fn pass_over(&mut self, items: u64) -> Result<(), Wrong> {
        if items > 0 {
            self.0 = skip(self.0, items).ok_or_else(|| self.wrong("a value that can be passed over"))?;
        }
        Ok(())
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
    fn wrong(&self, wanted: &'static str) -> Wrong {
        let left = self.0.len();
        match self.0.first() {
            Some(byte) => de::Error::custom(format_args!("{left} bytes before the end: {byte:#04x}, not {wanted}")),
            None => de::Error::custom(format_args!("the end, not {wanted}")),
        }
    }
}

/// Every integer may be asked for under any width; the type that is made of it refuses what it cannot hold.
macro_rules! integers {
    ($($method:ident),*) => {$(
        #[inline]
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Wrong> {
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
    type Error = Wrong;

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
    fn deserialize_u8<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Wrong> {
        match self.0 {
            [value @ 0..24, rest @ ..] | [24, value, rest @ ..] => {
                self.0 = rest;
                visitor.visit_u8(*value)
            }
            _ => self.deserialize_u64(visitor),
        }
    }
    /// The lowest byte first; in version 1, sixteen numbers.
    #[inline]
    fn deserialize_u128<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Wrong> {
        if self.is_at(ARRAY) {
            return self.deserialize_tuple(size_of::<u128>(), visitor);
        }
        let length = self.head(BYTES, "the bytes of a number")?;
        let all = self.0.first_chunk();
        let bytes = self.take(length, "the bytes of a number")?;
        let idle =
            size_of::<u128>().checked_sub(bytes.len()).and_then(|idle| u32::try_from(idle.saturating_mul(8)).ok());
        let Some(idle @ 0..u128::BITS) = idle else {
            return Err(de::Error::invalid_length(bytes.len(), &"1 to 16 bytes"));
        };
        visitor.visit_u128(match all {
            // A copy of known length, of which what is not meant is cut off.
            Some(all) => u128::from_le_bytes(*all) & u128::MAX.wrapping_shr(idle),
            None => bytes.iter().rfold(0, |number, byte| number.wrapping_shl(8) | u128::from(*byte)),
        })
    }
    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Wrong> {
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
    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Wrong> {
        if self.takes(TRUE) {
            visitor.visit_bool(true)
        } else if self.takes(FALSE) {
            visitor.visit_bool(false)
        } else {
            Err(self.wrong("true or false"))
        }
    }
    fn deserialize_f32<V: Visitor<'de>>(self, _: V) -> Result<V::Value, Wrong> {
        Err(de::Error::custom("nothing in a journal is a binary fraction"))
    }
    fn deserialize_f64<V: Visitor<'de>>(self, _: V) -> Result<V::Value, Wrong> {
        Err(de::Error::custom("nothing in a journal is a binary fraction"))
    }
    fn deserialize_char<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Wrong> {
        let code = self.head(UNSIGNED, "a character")?;
        let character = u32::try_from(code).ok().and_then(char::from_u32);
        visitor.visit_char(character.ok_or_else(|| self.wrong("a character before this"))?)
    }
    #[inline]
    fn deserialize_str<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Wrong> {
        visitor.visit_borrowed_str(self.text()?)
    }
    #[inline]
    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Wrong> {
        visitor.visit_borrowed_str(self.text()?)
    }
    #[inline]
    fn deserialize_bytes<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Wrong> {
        visitor.visit_borrowed_bytes(self.content(BYTES, "bytes")?)
    }
    #[inline]
    fn deserialize_byte_buf<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Wrong> {
        visitor.visit_borrowed_bytes(self.content(BYTES, "bytes")?)
    }
    /// The index of a variant, or the name of one or of a field: it is one of those that are known, or none; no text is
    /// made of it.
    #[inline]
    fn deserialize_identifier<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Wrong> {
        if self.is_at(TEXT) {
            return visitor.visit_borrowed_bytes(self.content(TEXT, "a name")?);
        }
        visitor.visit_u64(self.head(UNSIGNED, "a name or an index")?)
    }
    #[inline]
    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Wrong> {
        if self.takes(NULL) { visitor.visit_none() } else { visitor.visit_some(self) }
    }
    fn deserialize_unit<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Wrong> {
        if self.takes(ARRAY) { visitor.visit_unit() } else { Err(self.wrong("an empty array")) }
    }
    fn deserialize_unit_struct<V: Visitor<'de>>(self, _: &'static str, visitor: V) -> Result<V::Value, Wrong> {
        self.deserialize_unit(visitor)
    }
    #[inline]
    fn deserialize_newtype_struct<V: Visitor<'de>>(self, _: &'static str, visitor: V) -> Result<V::Value, Wrong> {
        visitor.visit_newtype_struct(self)
    }
    #[inline]
    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Wrong> {
        let left = self.length(ARRAY, "an array")?;
        visitor.visit_seq(Items { reader: self, left })
    }
    #[inline]
    fn deserialize_tuple<V: Visitor<'de>>(self, length: usize, visitor: V) -> Result<V::Value, Wrong> {
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
    ) -> Result<V::Value, Wrong> {
        self.deserialize_tuple(length, visitor)
    }
    #[inline]
    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Wrong> {
        let left = self.length(MAP, "a map")?;
        visitor.visit_map(Items { reader: self, left })
    }
    /// Its fields in their order, or by their names.
    #[inline]
    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Wrong> {
        if self.is_at(MAP) {
            return self.deserialize_map(visitor);
        }
        let left = self.head(ARRAY, "an array or a map")?;
        self.fields(left, visitor)
    }
    /// A variant alone, by its index or its name; or with what it holds: the values after its index in an array, or a map
    /// of one entry under its name.
    #[inline]
    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Wrong> {
        let holds = if self.is_at(ARRAY) {
            let length = self.head(ARRAY, "an array")?;
            Holds::Values(length.checked_sub(1).ok_or_else(|| self.wrong("a variant"))?)
        } else if self.takes(MAP | 1) {
            Holds::Item
        } else {
            Holds::Nothing
        };
        visitor.visit_enum(Variant { reader: self, holds })
    }
    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Wrong> {
        self.pass_over(1)?;
        visitor.visit_unit()
    }
}

/// What is left of an array whose length the type knows.
struct Elements<'r, 'de> {
    reader: &'r mut Reader<'de>,
    left: usize,
}

impl<'de> de::SeqAccess<'de> for Elements<'_, 'de> {
    type Error = Wrong;

    #[inline]
    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, Wrong> {
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
    type Error = Wrong;

    #[inline]
    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, Wrong> {
        if self.has_next() { seed.deserialize(&mut *self.reader).map(Some) } else { Ok(None) }
    }
    #[inline]
    fn size_hint(&self) -> Option<usize> {
        self.hint()
    }
}

impl<'de> de::MapAccess<'de> for Items<'_, 'de> {
    type Error = Wrong;

    #[inline]
    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, Wrong> {
        if self.has_next() { seed.deserialize(&mut *self.reader).map(Some) } else { Ok(None) }
    }
    #[inline]
    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Wrong> {
        seed.deserialize(&mut *self.reader)
    }
    #[inline]
    fn size_hint(&self) -> Option<usize> {
        self.hint()
    }
}

/// An enum's value, from its variant's index or name on.
struct Variant<'r, 'de> {
    reader: &'r mut Reader<'de>,
    holds: Holds,
}

/// What follows the index or the name of a variant.
#[derive(Clone, Copy)]
enum Holds {
    Nothing,
    /// All that it holds as one item.
    Item,
    /// So many values.
    Values(u64),
}

impl Variant<'_, '_> {
    #[cold]
    fn lacks(&self) -> Wrong {
        self.reader.wrong("what the variant before this holds")
    }
}

impl<'de> de::EnumAccess<'de> for Variant<'_, 'de> {
    type Error = Wrong;
    type Variant = Self;

    #[inline]
    fn variant_seed<V: DeserializeSeed<'de>>(self, seed: V) -> Result<(V::Value, Self), Wrong> {
        let variant = seed.deserialize(&mut *self.reader)?;
        Ok((variant, self))
    }
}

impl<'de> de::VariantAccess<'de> for Variant<'_, 'de> {
    type Error = Wrong;

    #[inline]
    fn unit_variant(self) -> Result<(), Wrong> {
        match self.holds {
            Holds::Nothing => Ok(()),
            Holds::Values(surplus) => self.reader.pass_over(surplus),
            Holds::Item => Err(self.reader.wrong("an end: the variant before this holds nothing")),
        }
    }
    #[inline]
    fn newtype_variant_seed<T: DeserializeSeed<'de>>(self, seed: T) -> Result<T::Value, Wrong> {
        let surplus = match self.holds {
            Holds::Item => 0,
            Holds::Values(values @ 1..) => values.saturating_sub(1),
            Holds::Values(0) | Holds::Nothing => return Err(self.lacks()),
        };
        let value = seed.deserialize(&mut *self.reader)?;
        self.reader.pass_over(surplus)?;
        Ok(value)
    }
    #[inline]
    fn tuple_variant<V: Visitor<'de>>(self, length: usize, visitor: V) -> Result<V::Value, Wrong> {
        match self.holds {
            Holds::Item => self.reader.deserialize_tuple(length, visitor),
            Holds::Values(values) => self.reader.fields(values, visitor),
            Holds::Nothing => Err(self.lacks()),
        }
    }
    #[inline]
    fn struct_variant<V: Visitor<'de>>(self, _: &'static [&'static str], visitor: V) -> Result<V::Value, Wrong> {
        match self.holds {
            Holds::Item => self.reader.deserialize_map(visitor),
            Holds::Values(values) => self.reader.fields(values, visitor),
            Holds::Nothing => self.reader.fields(0, visitor), // it held nothing when it was written
        }
    }
}

/// The major type of true, false and null.
const SIMPLE: u8 = 0xe0;

/// What follows so many items.
fn skip(mut bytes: &[u8], mut items: u64) -> Option<&[u8]> {
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
