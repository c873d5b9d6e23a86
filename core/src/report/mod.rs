//! The published order events (spec E1, E2, E4; wire-contracts.md 1.4): a pure function of the journal's
//! events, so that whoever follows the journal tells the same story.
//!
//! An event holds values. They become text where it is serialized, and nowhere before: most events of a simulated
//! world are never read. Reading order: message (the event, key by key), spelling (the values that have a spelling of
//! their own), reporter (which event of the journal is told, and as what).

mod message;
mod reporter;
mod spelling;
#[cfg(test)]
mod tests;

pub use message::{Conditions, Details, FillPart, OrderEvent, OrderPart, SignalPart, TotalsPart};
pub use reporter::Reporter;
pub use spelling::{Naive, OrderId, OrderType, Percent, Reason, Seconds, side_word};

use crate::event::Seq;
use crate::unit::{Decimal, OrderLinkId, Quantity, SignalId};

/// Stands for a quantity that could not be made out: rows must have one above zero.
pub const UNUSABLE: Quantity = Quantity(Decimal::from_parts(1, 0, 0, false, 8));

/// Of the record and the place in it, in the shape of a UUID.
fn event_id(seq: Seq, index: u32) -> SignalId {
    uuid(xxhash_rust::xxh3::xxh3_128_with_seed(&seq.0.to_be_bytes(), u64::from(index).wrapping_add(1)))
}

/// The id of an order's row.
#[must_use]
pub fn row_id(link: OrderLinkId) -> SignalId {
    id_of(link.as_str().as_bytes())
}

/// The id of a row that is named by these bytes: always the same, so that rows can be made again.
#[must_use]
pub fn id_of(name: &[u8]) -> SignalId {
    uuid(xxhash_rust::xxh3::xxh3_128(name))
}

/// Version 8 of RFC 9562: a UUID of one's own making.
fn uuid(bits: u128) -> SignalId {
    SignalId(bits & !(0xf000 << 64) & !(0xc << 60) | 0x8000 << 64 | 0x8 << 60)
}
