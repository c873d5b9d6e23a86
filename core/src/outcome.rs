//! How a signal ended.

use crate::refusal::Code;
use serde::{Deserialize, Serialize};

/// How a signal ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Outcome {
    /// Its order was taken by the exchange: it rests, filled, or ended there.
    Placed,
    /// No order of it lives, and this is why.
    Rejected(Code),
}

impl Outcome {
    /// Of a signal that cannot be read.
    pub const INVALID: Self = Self::Rejected(Code::Validation);

    /// May a fresh copy of the signal be a new try (spec S7)?
    #[must_use]
    pub fn may_be_tried_again(self) -> bool {
        matches!(self, Self::Rejected(code) if code.is_transient())
    }
}
