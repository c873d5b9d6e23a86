//! Writes straight into a record's bytes: every step writes one.

use super::{ARRAY, BREAK, BYTES, FALSE, MAP, NEGATIVE, NULL, OPEN, Sink, TEXT, TRUE, UNSIGNED, Wrong};
use crate::unit::text;
use serde::Serialize;
use serde::ser::{self, Serializer};

/// With `NAMED`, structs and variants are written by name, as versions up to 3 had them: byte for byte as minicbor-serde
/// does (a test compares them).
pub(in crate::journal) struct Writer<'w, 'a, const NAMED: bool>(pub(in crate::journal) &'w mut Sink<'a>);

impl<'a, const NAMED: bool> Writer<'_, 'a, NAMED> {
    #[inline]
    fn again(&mut self) -> Writer<'_, 'a, NAMED> {
        Writer(self.0)
    }

    /// A variant with content: an array of its index and so many values; by name, a map of one entry.
    #[inline]
    fn variant(&mut self, index: u32, name: &str, values: usize) {
        if NAMED {
            self.0.byte(MAP | 1);
            self.0.text(name);
        } else {
            self.0.length(ARRAY, values.saturating_add(1));
            self.0.index(index);
        }
    }
}

/// An array or a map in the making.
pub(in crate::journal) struct Items<'w, 'a, const NAMED: bool> {
    writer: Writer<'w, 'a, NAMED>,
    is_open: bool,
}

impl<'w, 'a, const NAMED: bool> Items<'w, 'a, NAMED> {
    #[inline]
    fn new(writer: Writer<'w, 'a, NAMED>, major: u8, length: Option<usize>) -> Self {
        match length {
            Some(length) => writer.0.length(major, length),
            None => writer.0.byte(major | OPEN),
        }
        Self { writer, is_open: length.is_none() }
    }

    #[inline]
    fn close(self) {
        if self.is_open {
            self.writer.0.byte(BREAK);
        }
    }
}

impl<'w, 'a, const NAMED: bool> Serializer for Writer<'w, 'a, NAMED> {
    type Ok = ();
    type Error = Wrong;
    type SerializeSeq = Items<'w, 'a, NAMED>;
    type SerializeTuple = Self;
    type SerializeTupleStruct = Self;
    type SerializeTupleVariant = Self;
    type SerializeMap = Items<'w, 'a, NAMED>;
    type SerializeStruct = Self;
    type SerializeStructVariant = Self;

    fn is_human_readable(&self) -> bool {
        false
    }
    #[inline]
    fn serialize_bool(self, v: bool) -> Result<(), Wrong> {
        self.0.byte(if v { TRUE } else { FALSE });
        Ok(())
    }
    #[inline]
    fn serialize_i8(self, v: i8) -> Result<(), Wrong> {
        self.serialize_i64(v.into())
    }
    #[inline]
    fn serialize_i16(self, v: i16) -> Result<(), Wrong> {
        self.serialize_i64(v.into())
    }
    #[inline]
    fn serialize_i32(self, v: i32) -> Result<(), Wrong> {
        self.serialize_i64(v.into())
    }
    #[inline]
    fn serialize_i64(self, v: i64) -> Result<(), Wrong> {
        match u64::try_from(v) {
            Ok(positive) => self.0.head(UNSIGNED, positive),
            Err(_) => self.0.head(NEGATIVE, (!v).unsigned_abs()), // -1 - v
        }
        Ok(())
    }
    #[inline]
    fn serialize_u8(self, v: u8) -> Result<(), Wrong> {
        self.serialize_u64(v.into())
    }
    #[inline]
    fn serialize_u16(self, v: u16) -> Result<(), Wrong> {
        self.serialize_u64(v.into())
    }
    #[inline]
    fn serialize_u32(self, v: u32) -> Result<(), Wrong> {
        self.serialize_u64(v.into())
    }
    #[inline]
    fn serialize_u64(self, v: u64) -> Result<(), Wrong> {
        self.0.head(UNSIGNED, v);
        Ok(())
    }
    #[inline]
    fn serialize_u128(self, v: u128) -> Result<(), Wrong> {
        self.0.number(v);
        Ok(())
    }
    #[expect(clippy::disallowed_types, reason = "serde's word; none is taken")]
    fn serialize_f32(self, _: f32) -> Result<(), Wrong> {
        Err(ser::Error::custom("nothing in a journal is a binary fraction"))
    }
    #[expect(clippy::disallowed_types, reason = "serde's word; none is taken")]
    fn serialize_f64(self, _: f64) -> Result<(), Wrong> {
        Err(ser::Error::custom("nothing in a journal is a binary fraction"))
    }
    fn serialize_char(self, v: char) -> Result<(), Wrong> {
        self.serialize_u32(v.into())
    }
    #[inline]
    fn serialize_str(self, v: &str) -> Result<(), Wrong> {
        self.0.text(v);
        Ok(())
    }
    #[inline]
    fn serialize_bytes(self, v: &[u8]) -> Result<(), Wrong> {
        self.0.length(self.0.kind, v.len());
        self.0.slice(v);
        Ok(())
    }
    #[inline]
    fn serialize_none(self) -> Result<(), Wrong> {
        self.0.byte(NULL);
        Ok(())
    }
    #[inline]
    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<(), Wrong> {
        value.serialize(self)
    }
    fn serialize_unit(self) -> Result<(), Wrong> {
        self.0.byte(ARRAY);
        Ok(())
    }
    fn serialize_unit_struct(self, _: &'static str) -> Result<(), Wrong> {
        self.serialize_unit()
    }
    /// Its index; by name, its name.
    #[inline]
    fn serialize_unit_variant(self, _: &'static str, index: u32, variant: &'static str) -> Result<(), Wrong> {
        if NAMED {
            self.0.text(variant);
        } else {
            self.0.index(index);
        }
        Ok(())
    }
    #[inline]
    fn serialize_newtype_struct<T: Serialize + ?Sized>(mut self, name: &'static str, value: &T) -> Result<(), Wrong> {
        if name != text::IN_JOURNAL {
            return value.serialize(self);
        }
        self.0.kind = TEXT;
        let done = value.serialize(self.again());
        self.0.kind = BYTES;
        done
    }
    #[inline]
    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        mut self,
        _: &'static str,
        index: u32,
        variant: &'static str,
        value: &T,
    ) -> Result<(), Wrong> {
        self.variant(index, variant, 1);
        value.serialize(self)
    }
    #[inline]
    fn serialize_seq(self, length: Option<usize>) -> Result<Items<'w, 'a, NAMED>, Wrong> {
        Ok(Items::new(self, ARRAY, length))
    }
    #[inline]
    fn serialize_tuple(self, length: usize) -> Result<Self, Wrong> {
        self.0.length(ARRAY, length);
        Ok(self)
    }
    fn serialize_tuple_struct(self, _: &'static str, length: usize) -> Result<Self, Wrong> {
        self.serialize_tuple(length)
    }
    #[inline]
    fn serialize_tuple_variant(
        mut self,
        _: &'static str,
        index: u32,
        variant: &'static str,
        length: usize,
    ) -> Result<Self, Wrong> {
        self.variant(index, variant, length);
        if NAMED { self.serialize_tuple(length) } else { Ok(self) }
    }
    #[inline]
    fn serialize_map(self, length: Option<usize>) -> Result<Items<'w, 'a, NAMED>, Wrong> {
        Ok(Items::new(self, MAP, length))
    }
    #[inline]
    fn serialize_struct(self, _: &'static str, length: usize) -> Result<Self, Wrong> {
        self.0.length(if NAMED { MAP } else { ARRAY }, length);
        Ok(self)
    }
    #[inline]
    fn serialize_struct_variant(
        mut self,
        name: &'static str,
        index: u32,
        variant: &'static str,
        length: usize,
    ) -> Result<Self, Wrong> {
        self.variant(index, variant, length);
        if NAMED { self.serialize_struct(name, length) } else { Ok(self) }
    }
}

/// What holds unnamed values one after the other.
macro_rules! values {
    ($($trait:ident :: $method:ident),*) => {$(
        impl<const NAMED: bool> ser::$trait for Writer<'_, '_, NAMED> {
            type Ok = ();
            type Error = Wrong;
            #[inline]
            fn $method<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Wrong> {
                value.serialize(self.again())
            }
            #[inline]
            fn end(self) -> Result<(), Wrong> {
                Ok(())
            }
        }
    )*};
}
values!(
    SerializeTuple::serialize_element,
    SerializeTupleStruct::serialize_field,
    SerializeTupleVariant::serialize_field
);

/// What holds values that have names.
macro_rules! named {
    ($($trait:ident),*) => {$(
        impl<const NAMED: bool> ser::$trait for Writer<'_, '_, NAMED> {
            type Ok = ();
            type Error = Wrong;
            #[inline]
            fn serialize_field<T: Serialize + ?Sized>(&mut self, key: &'static str, value: &T) -> Result<(), Wrong> {
                if NAMED {
                    self.0.text(key);
                }
                value.serialize(self.again())
            }
            /// In its place something must stand.
            #[inline]
            fn skip_field(&mut self, key: &'static str) -> Result<(), Wrong> {
                if NAMED { Ok(()) } else { Err(ser::Error::custom(format_args!("`{key}` may not be left out"))) }
            }
            #[inline]
            fn end(self) -> Result<(), Wrong> {
                Ok(())
            }
        }
    )*};
}
named!(SerializeStruct, SerializeStructVariant);

impl<const NAMED: bool> ser::SerializeSeq for Items<'_, '_, NAMED> {
    type Ok = ();
    type Error = Wrong;
    #[inline]
    fn serialize_element<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Wrong> {
        value.serialize(self.writer.again())
    }
    #[inline]
    fn end(self) -> Result<(), Wrong> {
        self.close();
        Ok(())
    }
}

impl<const NAMED: bool> ser::SerializeMap for Items<'_, '_, NAMED> {
    type Ok = ();
    type Error = Wrong;
    #[inline]
    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<(), Wrong> {
        key.serialize(self.writer.again())
    }
    #[inline]
    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Wrong> {
        value.serialize(self.writer.again())
    }
    #[inline]
    fn end(self) -> Result<(), Wrong> {
        self.close();
        Ok(())
    }
}
