//! Everything the manager asks of the world. Started only after the step that made it is durable.

use crate::bybit::{Operation, Request};
use crate::input::{DeliveryId, Question, Tag};
use crate::intake::Fault;
use crate::outcome::Outcome;
use crate::unit::{ExchangeTime, SignalId};
use alloc::vec::Vec;
use serde::{Deserialize, Serialize};

/// One command.
#[expect(
    clippy::large_enum_variant,
    reason = "made once and lent from the step's buffer: a box would allocate per request"
)]
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Command {
    /// Send a request to the exchange and bring back its answer under the same tag, whatever it is.
    Send(Outgoing),
    /// Ask Position Manager and bring back its answer under [`Tag::Consult`], whatever it is.
    Consult(Question),
    /// The delivery is settled: acknowledge it, or answer its caller.
    Settle {
        /// The delivery.
        delivery: DeliveryId,
        /// What to say.
        receipt: Receipt,
    },
}

impl Command {
    /// The endpoint whose budget it spends (spec O5).
    #[must_use]
    pub fn spends(&self) -> Option<Operation> {
        match self {
            Self::Send(outgoing) => Some(outgoing.request.operation()),
            Self::Consult(_) | Self::Settle { .. } => None,
        }
    }
}

/// A request, typed and unsigned. The secret joins in the adapter.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Outgoing {
    /// Comes back with the answer.
    pub tag: Tag,
    /// The exchange time at which it was decided: its `X-BAPI-TIMESTAMP`, which no adapter renews. It bounds
    /// the request's last possible arrival.
    pub signed_at: ExchangeTime,
    /// `X-BAPI-RECV-WINDOW`.
    pub recv_window_ms: u32,
    /// The request.
    pub request: Request,
}

/// What intake is told of a delivery.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Receipt {
    /// Durable and waiting in its lane.
    Accepted(SignalId),
    /// Known already: counted, and this is how the first copy stands (none: it is not settled yet).
    Duplicate(SignalId, Option<Outcome>),
    /// The id is known with another content (409).
    Conflict(SignalId),
    /// Rejected by its content or its age: a row and an event say so.
    Rejected(SignalId, Vec<Fault>),
    /// Not attributable: kept among the dead letters.
    DeadLettered(Vec<Fault>),
    /// No room: not taken, not acknowledged; it comes again (spec S5).
    Paused,
}
