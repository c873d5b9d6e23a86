//! What a scenario can turn while the exchange runs (bybit-v5.md 8).

use order_manager_core::bybit::Operation;
use order_manager_core::unit::{Span, Text};
use std::collections::VecDeque;

/// The switches. One-shot ones are queues: each entry acts once, oldest first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Knobs {
    /// The next orders to reach the engine end `Rejected` with these reasons, like `EC_Others` (Q15).
    pub reject_next_after_ack: VecDeque<Text<48>>,
    /// The next requests of these endpoints are answered with these codes (Q36).
    pub answers: Vec<ForcedAnswer>,
    /// Instead of the configured delay of `order/realtime` (Q43).
    pub realtime_lag: Option<Span>,
    /// Instead of the configured delay of `order/history` (Q45).
    pub history_lag: Option<Span>,
    /// Instead of the configured delay of `execution/list` (Q50).
    pub executions_lag: Option<Span>,
    /// Instead of the configured delay of the engine.
    pub engine_delay: Option<Span>,
    /// An order this young cannot be cancelled or amended: 110001, though it goes on to live (Q9).
    pub untouchable_for: Span,
}

/// A code that a scenario forces on an endpoint once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ForcedAnswer {
    /// Endpoint.
    pub operation: Operation,
    /// `retCode`.
    pub code: i64,
    /// Is the request carried out all the same?
    pub executed: bool,
}

impl Knobs {
    /// The next request of this endpoint is answered with this code, and carried out or not.
    pub fn retcode_next(&mut self, operation: Operation, code: i64, executed: bool) {
        self.answers.push(ForcedAnswer { operation, code, executed });
    }

    pub(super) fn take_answer(&mut self, operation: Operation) -> Option<ForcedAnswer> {
        let place = self.answers.iter().position(|answer| answer.operation == operation)?;
        Some(self.answers.remove(place))
    }
}
