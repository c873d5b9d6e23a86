//! CBOR as a journal holds it: what serde knows but binary fractions and integers above 64 bits.

mod read;
mod write;

pub(super) use read::Reader;
pub(super) use write::Writer;

use super::CodecError;
use alloc::string::ToString;
use core::fmt;
use serde::{de, ser};

// The major types of RFC 8949, 3.1, as the upper bits of an item's first byte.
const UNSIGNED: u8 = 0x00;
const NEGATIVE: u8 = 0x20;
const BYTES: u8 = 0x40;
const TEXT: u8 = 0x60;
const ARRAY: u8 = 0x80;
const MAP: u8 = 0xa0;
// Values that are their own first byte.
const FALSE: u8 = 0xf4;
const TRUE: u8 = 0xf5;
const NULL: u8 = 0xf6;
/// An array or map of unknown length; a [`BREAK`] ends it.
const OPEN: u8 = 31;
const BREAK: u8 = 0xff;

impl ser::Error for CodecError {
    fn custom<T: fmt::Display>(text: T) -> Self {
        Self(text.to_string())
    }
}

impl de::Error for CodecError {
    fn custom<T: fmt::Display>(text: T) -> Self {
        Self(text.to_string())
    }
}

#[cfg(test)]
#[path = "cbor/tests.rs"]
mod tests;
