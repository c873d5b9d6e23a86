//! Bytes to a [`Signal`], or every fault at once (spec S2, S3, S4).

use super::signal::Signal;
use crate::unit::{Side, SignalId, Symbol, Text, TraceId};
use alloc::vec::Vec;
use serde::{Deserialize, Serialize};

/// What is wrong with one field.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("{field} = {value}: {reason}")]
pub struct Fault {
    /// The field, with its path; `body` where it is the whole.
    pub field: Text<48>,
    /// What it holds, as written, clipped.
    pub value: Text<64>,
    /// Why that is no good.
    pub reason: Text<120>,
}

/// What a bad signal needs to be answered with a row and an event (spec S4).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Known {
    /// Its UUID.
    pub id: SignalId,
    /// Instrument.
    pub symbol: Symbol,
    /// Buy or sell.
    pub side: Side,
    /// Trace (spec S9).
    pub trace: TraceId,
}

/// A body that is not a signal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BadSignal {
    /// There if signal_id, asset and side could be read.
    pub known: Option<Known>,
    /// All that is wrong, at least one.
    pub faults: Vec<Fault>,
}
/// x
pub fn decode(_body: &[u8], _header_trace: Option<&str>) -> Result<Signal, BadSignal> {
    Err(BadSignal { known: None, faults: Vec::new() })
}
