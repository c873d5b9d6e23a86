//! Writes byte for byte as minicbor-serde does (a test compares them), straight into a record's bytes: every step writes
//! one, and the general writer took a third of a step's time.

use super::{ARRAY, BREAK, BYTES, CodecError, FALSE, MAP, NEGATIVE, NULL, OPEN, TEXT, TRUE, UNSIGNED};
use alloc::vec::Vec;
use serde::Serialize;
use serde::ser::{self, Serializer};

/// Appends to these bytes.
pub(in crate::journal) struct Writer<'a>(pub(in crate::journal) &'a mut Vec<u8>);

impl Writer<'_> {
    /// An item's first bytes: its major type with its value or length, as short as can be. Most lengths are short.
    #[inline]
    fn head(&mut self, major: u8, value: u64) {
        match u8::try_from(value) {
            Ok(small) if small <= 0x17 => self.0.push(major | small),
            _ => self.long_head(major, value),
        }
    }

    fn long_head(&mut self, major: u8, value: u64) {
        let [b7, b6, b5, b4, b3, b2, b1, b0] = value.to_be_bytes();
        match value {
            0..=0xff => self.0.extend_from_slice(&[major | 24, b0]),
            0x100..=0xffff => self.0.extend_from_slice(&[major | 25, b1, b0]),
            0x1_0000..=0xffff_ffff => self.0.extend_from_slice(&[major | 26, b3, b2, b1, b0]),
            _ => self.0.extend_from_slice(&[major | 27, b7, b6, b5, b4, b3, b2, b1, b0]),
        }
    }

    #[inline]
    fn length(&mut self, major: u8, length: usize) {
        self.head(major, u64::try_from(length).unwrap_or(u64::MAX));
    }

    #[inline]
    fn text(&mut self, text: &str) {
        self.length(TEXT, text.len());
        self.0.extend_from_slice(text.as_bytes());
    }

    /// A map of one entry: how a variant with content is written.
    #[inline]
    fn variant(&mut self, name: &str) {
        self.0.push(MAP | 1);
        self.text(name);
    }
}

/// An array or a map in the making.
pub(in crate::journal) struct Items<'w, 'a> {
    writer: &'w mut Writer<'a>,
    is_open: bool,
}

impl<'w, 'a> Items<'w, 'a> {
    #[inline]
    fn new(writer: &'w mut Writer<'a>, major: u8, length: Option<usize>) -> Self {
        match length {
            Some(length) => writer.length(major, length),
            None => writer.0.push(major | OPEN),
        }
        Self { writer, is_open: length.is_none() }
    }

    #[inline]
    fn close(self) {
        if self.is_open {
            self.writer.0.push(BREAK);
        }
    }
}

impl<'w, 'a> Serializer for &'w mut Writer<'a> {
    type Ok = ();
    type Error = CodecError;
    type SerializeSeq = Items<'w, 'a>;
    type SerializeTuple = Self;
    type SerializeTupleStruct = Self;
    type SerializeTupleVariant = Self;
    type SerializeMap = Items<'w, 'a>;
    type SerializeStruct = Self;
    type SerializeStructVariant = Self;

    fn is_human_readable(&self) -> bool {
        false
    }
    #[inline]
    fn serialize_bool(self, v: bool) -> Result<(), CodecError> {
        self.0.push(if v { TRUE } else { FALSE });
        Ok(())
    }
    #[inline]
    fn serialize_i8(self, v: i8) -> Result<(), CodecError> {
        self.serialize_i64(v.into())
    }
    #[inline]
    fn serialize_i16(self, v: i16) -> Result<(), CodecError> {
        self.serialize_i64(v.into())
    }
    #[inline]
    fn serialize_i32(self, v: i32) -> Result<(), CodecError> {
        self.serialize_i64(v.into())
    }
    #[inline]
    fn serialize_i64(self, v: i64) -> Result<(), CodecError> {
        match u64::try_from(v) {
            Ok(positive) => self.head(UNSIGNED, positive),
            Err(_) => self.head(NEGATIVE, (!v).unsigned_abs()), // -1 - v
        }
        Ok(())
    }
    #[inline]
    fn serialize_u8(self, v: u8) -> Result<(), CodecError> {
        if v < 24 {
            self.0.push(v)
        } else {
            self.0.extend_from_slice(&[24, v])
        }
        Ok(())
    }
    #[inline]
    fn serialize_u16(self, v: u16) -> Result<(), CodecError> {
        self.serialize_u64(v.into())
    }
    #[inline]
    fn serialize_u32(self, v: u32) -> Result<(), CodecError> {
        self.serialize_u64(v.into())
    }
    #[inline]
    fn serialize_u64(self, v: u64) -> Result<(), CodecError> {
        self.head(UNSIGNED, v);
        Ok(())
    }
    #[expect(clippy::disallowed_types, reason = "serde's word; none is taken")]
    fn serialize_f32(self, _: f32) -> Result<(), CodecError> {
        Err(ser::Error::custom("nothing in a journal is a binary fraction"))
    }
    #[expect(clippy::disallowed_types, reason = "serde's word; none is taken")]
    fn serialize_f64(self, _: f64) -> Result<(), CodecError> {
        Err(ser::Error::custom("nothing in a journal is a binary fraction"))
    }
    fn serialize_char(self, v: char) -> Result<(), CodecError> {
        self.serialize_u32(v.into())
    }
    #[inline]
    fn serialize_str(self, v: &str) -> Result<(), CodecError> {
        self.text(v);
        Ok(())
    }
    #[inline]
    fn serialize_bytes(self, v: &[u8]) -> Result<(), CodecError> {
        self.length(BYTES, v.len());
        self.0.extend_from_slice(v);
        Ok(())
    }
    #[inline]
    fn serialize_none(self) -> Result<(), CodecError> {
        self.0.push(NULL);
        Ok(())
    }
    #[inline]
    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<(), CodecError> {
        value.serialize(self)
    }
    fn serialize_unit(self) -> Result<(), CodecError> {
        self.0.push(ARRAY);
        Ok(())
    }
    fn serialize_unit_struct(self, _: &'static str) -> Result<(), CodecError> {
        self.serialize_unit()
    }
    #[inline]
    fn serialize_unit_variant(self, _: &'static str, _: u32, variant: &'static str) -> Result<(), CodecError> {
        self.serialize_str(variant)
    }
    #[inline]
    fn serialize_newtype_struct<T: Serialize + ?Sized>(self, _: &'static str, value: &T) -> Result<(), CodecError> {
        value.serialize(self)
    }
    #[inline]
    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        value: &T,
    ) -> Result<(), CodecError> {
        self.variant(variant);
        value.serialize(self)
    }
    #[inline]
    fn serialize_seq(self, length: Option<usize>) -> Result<Items<'w, 'a>, CodecError> {
        Ok(Items::new(self, ARRAY, length))
    }
    #[inline]
    fn serialize_tuple(self, length: usize) -> Result<Self, CodecError> {
        self.length(ARRAY, length);
        Ok(self)
    }
    fn serialize_tuple_struct(self, _: &'static str, length: usize) -> Result<Self, CodecError> {
        self.serialize_tuple(length)
    }
    #[inline]
    fn serialize_tuple_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        length: usize,
    ) -> Result<Self, CodecError> {
        self.variant(variant);
        self.serialize_tuple(length)
    }
    #[inline]
    fn serialize_map(self, length: Option<usize>) -> Result<Items<'w, 'a>, CodecError> {
        Ok(Items::new(self, MAP, length))
    }
    #[inline]
    fn serialize_struct(self, _: &'static str, length: usize) -> Result<Self, CodecError> {
        self.length(MAP, length);
        Ok(self)
    }
    #[inline]
    fn serialize_struct_variant(
        self,
        name: &'static str,
        _: u32,
        variant: &'static str,
        length: usize,
    ) -> Result<Self, CodecError> {
        self.variant(variant);
        self.serialize_struct(name, length)
    }
}

/// What holds unnamed values one after the other.
macro_rules! values {
    ($($trait:ident :: $method:ident),*) => {$(
        impl ser::$trait for &mut Writer<'_> {
            type Ok = ();
            type Error = CodecError;
            #[inline]
            fn $method<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), CodecError> {
                value.serialize(&mut **self)
            }
            #[inline]
            fn end(self) -> Result<(), CodecError> {
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

/// What holds named values.
macro_rules! named {
    ($($trait:ident),*) => {$(
        impl ser::$trait for &mut Writer<'_> {
            type Ok = ();
            type Error = CodecError;
            #[inline]
            fn serialize_field<T: Serialize + ?Sized>(&mut self, key: &'static str, value: &T) -> Result<(), CodecError> {
                self.text(key);
                value.serialize(&mut **self)
            }
            #[inline]
            fn end(self) -> Result<(), CodecError> {
                Ok(())
            }
        }
    )*};
}
named!(SerializeStruct, SerializeStructVariant);

impl ser::SerializeSeq for Items<'_, '_> {
    type Ok = ();
    type Error = CodecError;
    #[inline]
    fn serialize_element<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), CodecError> {
        value.serialize(&mut *self.writer)
    }
    #[inline]
    fn end(self) -> Result<(), CodecError> {
        self.close();
        Ok(())
    }
}

impl ser::SerializeMap for Items<'_, '_> {
    type Ok = ();
    type Error = CodecError;
    #[inline]
    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<(), CodecError> {
        key.serialize(&mut *self.writer)
    }
    #[inline]
    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), CodecError> {
        value.serialize(&mut *self.writer)
    }
    #[inline]
    fn end(self) -> Result<(), CodecError> {
        self.close();
        Ok(())
    }
}
