//! CBOR as a journal holds it: what serde knows but binary fractions and signed integers above 64 bits.

mod read;
mod sink;
mod write;

pub(super) use read::Reader;

use sink::Sink;
use write::Writer;

use super::CodecError;
use alloc::boxed::Box;
use alloc::string::ToString;
use alloc::vec::Vec;
use core::fmt;
use serde::{Serialize, de, ser};

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

/// The bits of an item's first byte that tell its major type.
const MAJOR: u8 = 0xe0;

/// Does a map begin here?
pub(super) fn is_map(bytes: &[u8]) -> bool {
    bytes.first().is_some_and(|first| first & MAJOR == MAP)
}

/// Writes a value to the end of `out`, by name or not.
pub(super) fn write<const NAMED: bool, T: Serialize>(value: &T, out: &mut Vec<u8>) -> Result<(), CodecError> {
    let mut sink = Sink::new(out);
    value.serialize(Writer::<NAMED>(&mut sink))?;
    sink.flush();
    Ok(())
}

/// What is wrong, in one word: so results that hold little stay in registers.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
pub(super) struct Wrong(Box<CodecError>);

impl From<Wrong> for CodecError {
    fn from(Wrong(error): Wrong) -> Self {
        *error
    }
}

impl ser::Error for Wrong {
    fn custom<T: fmt::Display>(text: T) -> Self {
        Self(Box::new(CodecError(text.to_string())))
    }
}

impl de::Error for Wrong {
    fn custom<T: fmt::Display>(text: T) -> Self {
        ser::Error::custom(text)
    }
}

#[cfg(test)]
#[path = "cbor/tests.rs"]
mod tests;
