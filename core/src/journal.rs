//! The journal's records and the digest that chains them.
//!
//! A record holds an input as it came, the events that it made and which requests left with it. Records are CBOR: exact
//! and compact. The digest of a step is a 128-bit non-cryptographic hash over the digest before it, the stored bytes and
//! the commands: it finds a difference, it does not prove that nobody made one.
//!
//! A struct is an array of its fields in their order, a variant its index, or an array of its index and what it holds.
//! No name is written, so everything that a record or a checkpoint reaches grows in one way only: **fields and variants
//! are added at the end, never moved and never taken out, and a new field has a default** (`#[serde(default)]`). So a
//! later build reads what lacks its fields, and passes over fields that it does not know. What stands in which order is
//! listed in `core/tests/shapes.txt`, with what kind of thing it is, and a test holds the rule. What is renamed keeps its old
//! name too (`#[serde(rename)]`), for versions up to 3 are read by names.

mod cbor;
pub mod named;

use crate::bybit::Operation;
use crate::command::Command;
use crate::event::{Event, Seq};
use crate::input::Input;
use crate::unit::Timestamp;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::fmt;
use serde::de::IgnoredAny;
use serde::{Deserialize, Serialize};

/// The shape of records written by this build. Up to version 3 structs and variants were written by name ([`named`]); up to
/// version 2 nothing told which requests left; in version 1 decimals were arrays of sixteen numbers and signal ids texts.
/// All are read still.
pub const VERSION: u32 = 4;

/// A chained digest.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Digest(pub u128);

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", self.0)
    }
}

/// One step, as stored: what a fold needs comes first.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Record {
    /// Its number, from 1, without gaps.
    pub seq: Seq,
    /// The `now` of the step.
    pub at: Timestamp,
    /// What is true since.
    pub events: Vec<Event>,
    /// Which endpoints' budgets were spent with it, a request each (spec O5); none where it was written before version 3.
    pub sent: Option<Vec<Operation>>,
    /// What happened.
    pub input: Input,
}

#[derive(Serialize)]
struct RecordRef<'a> {
    seq: Seq,
    at: Timestamp,
    events: &'a [Event],
    sent: Option<&'a [Operation]>,
    input: &'a Input,
}

/// A value that could not be written or read. The text says where.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("journal: {0}")]
pub struct CodecError(pub String);

/// Writes a record's bytes to the end of `out`.
pub fn write_record(
    seq: Seq,
    at: Timestamp,
    input: &Input,
    events: &[Event],
    sent: Option<&[Operation]>,
    out: &mut Vec<u8>,
) -> Result<(), CodecError> {
    write(&RecordRef { seq, at, events, sent, input }, out)
}

/// Reads a record.
pub fn read_record(bytes: &[u8]) -> Result<Record, CodecError> {
    read(bytes)
}

/// What a fold needs of a record; its input is passed over.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct Folded {
    /// Its number, from 1, without gaps.
    pub seq: Seq,
    /// The `now` of the step.
    pub at: Timestamp,
    /// What is true since.
    pub events: Vec<Event>,
    /// Which endpoints' budgets were spent with it; none where it was written before version 3.
    #[serde(default)]
    pub sent: Option<Vec<Operation>>,
    input: IgnoredAny,
}

impl Folded {
    /// Which endpoints' budgets were spent with it. A record of version 1 or 2 tells of creates alone.
    pub fn spent(&self) -> impl Iterator<Item = Operation> {
        let told = self.sent.iter().flatten().copied();
        let events = if self.sent.is_none() { self.events.as_slice() } else { &[] };
        let creates = |event: &Event| matches!(event, Event::OrderSent { .. }).then_some(Operation::Create);
        told.chain(events.iter().filter_map(creates))
    }
}

/// Reads of a record what a fold needs.
pub fn read_folded(bytes: &[u8]) -> Result<Folded, CodecError> {
    read(bytes)
}

/// What a replay needs of a record; the events that it once made are passed over.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct Given {
    /// Its number, from 1, without gaps.
    pub seq: Seq,
    /// The `now` of the step.
    pub at: Timestamp,
    events: IgnoredAny,
    #[serde(default)]
    sent: IgnoredAny,
    /// What happened.
    pub input: Input,
}

/// Reads of a record what a replay needs.
pub fn read_given(bytes: &[u8]) -> Result<Given, CodecError> {
    read(bytes)
}

/// Writes any journaled value to the end of `out`.
pub fn write<T: Serialize>(value: &T, out: &mut Vec<u8>) -> Result<(), CodecError> {
    cbor::write::<false, T>(value, out)
}

/// Reads any journaled value.
pub fn read<'a, T: Deserialize<'a>>(bytes: &'a [u8]) -> Result<T, CodecError> {
    T::deserialize(&mut cbor::Reader(bytes)).map_err(CodecError::from)
}

/// The digest after a step: of the digest before it, the record's bytes and the commands. `scratch` is reused.
pub fn chain(before: Digest, record: &[u8], commands: &[Command], scratch: &mut Vec<u8>) -> Result<Digest, CodecError> {
    begin_chain(before, record, scratch);
    write(&commands, scratch)?;
    Ok(Digest(xxhash_rust::xxh3::xxh3_128(scratch)))
}

fn begin_chain(before: Digest, record: &[u8], scratch: &mut Vec<u8>) {
    scratch.clear();
    scratch.extend_from_slice(&before.0.to_be_bytes());
    scratch.extend_from_slice(record);
}

/// The digest of one value by itself: of a durable state.
pub fn digest_of<T: Serialize>(value: &T) -> Result<Digest, CodecError> {
    let mut bytes = Vec::new();
    write(value, &mut bytes)?;
    Ok(Digest(xxhash_rust::xxh3::xxh3_128(&bytes)))
}

/// The first bytes of a journal file.
pub const MAGIC: &[u8] = b"order-manager journal 1\n";

/// Appends one stored step to a journal file: length, digest, record.
pub fn write_frame(out: &mut Vec<u8>, record: &[u8], digest: Digest) -> Result<(), CodecError> {
    let len = u32::try_from(record.len()).map_err(|_| CodecError("a record above 4 GiB".to_string()))?;
    out.extend_from_slice(&len.to_le_bytes());
    out.extend_from_slice(&digest.0.to_le_bytes());
    out.extend_from_slice(record);
    Ok(())
}

/// Reads the next stored step of a journal file, after [`MAGIC`]: its record, its digest, and what follows.
/// None at the end.
///
/// # Errors
/// A frame that is cut short.
pub fn read_frame(bytes: &[u8]) -> Result<Option<Frame<'_>>, CodecError> {
    if bytes.is_empty() {
        return Ok(None);
    }
    let cut = || CodecError("the last frame is cut short".to_string());
    let (len, rest) = bytes.split_first_chunk::<4>().ok_or_else(cut)?;
    let (digest, rest) = rest.split_first_chunk::<16>().ok_or_else(cut)?;
    let len = usize::try_from(u32::from_le_bytes(*len)).map_err(|_| cut())?;
    let (record, rest) = rest.split_at_checked(len).ok_or_else(cut)?;
    Ok(Some(Frame { record, digest: Digest(u128::from_le_bytes(*digest)), rest }))
}

/// One stored step of a journal file.
#[derive(Clone, Copy, Debug)]
pub struct Frame<'a> {
    /// The record's bytes.
    pub record: &'a [u8],
    /// The digest after the step.
    pub digest: Digest,
    /// What follows.
    pub rest: &'a [u8],
}
