//! Records as versions 2 and 3 wrote them, where fields and variants have their names: so that the digests of such a
//! journal can be made again.

use super::{CodecError, Digest, cbor};
use crate::bybit::Operation;
use crate::command::Command;
use crate::event::{Event, Seq};
use crate::input::Input;
use crate::unit::Timestamp;
use alloc::vec::Vec;
use serde::Serialize;

#[derive(Serialize)]
struct RecordRef<'a> {
    seq: Seq,
    at: Timestamp,
    input: &'a Input,
    events: &'a [Event],
    #[serde(skip_serializing_if = "Option::is_none")]
    sent: Option<&'a [Operation]>,
}

/// Is this record written so?
#[must_use]
pub fn is_named(record: &[u8]) -> bool {
    cbor::is_map(record)
}

/// Writes a record's bytes to the end of `out`. Version 2 tells of no requests that left.
pub fn write_record(
    seq: Seq,
    at: Timestamp,
    input: &Input,
    events: &[Event],
    sent: Option<&[Operation]>,
    out: &mut Vec<u8>,
) -> Result<(), CodecError> {
    write(&RecordRef { seq, at, input, events, sent }, out)
}

/// The digest after a step, as [`super::chain`] makes it.
pub fn chain(before: Digest, record: &[u8], commands: &[Command], scratch: &mut Vec<u8>) -> Result<Digest, CodecError> {
    super::begin_chain(before, record, scratch);
    write(&commands, scratch)?;
    Ok(Digest(xxhash_rust::xxh3::xxh3_128(scratch)))
}

pub(super) fn write<T: Serialize>(value: &T, out: &mut Vec<u8>) -> Result<(), CodecError> {
    cbor::write::<true, T>(value, out)
}
