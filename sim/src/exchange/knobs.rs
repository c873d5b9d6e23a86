//! What a scenario can turn while the exchange runs (bybit-v5.md 8).

use super::PriceBand;
use super::quirk::{Fate, Spell};
use order_manager_core::bybit::Operation;
use order_manager_core::unit::{Ratio, Span, Text, Timestamp};
use std::collections::{BTreeMap, VecDeque};

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
    /// How far `position/list` is behind; nothing where it is absent.
    pub positions_lag: Option<Span>,
    /// How far `account/wallet-balance` is behind; nothing where it is absent.
    pub wallet_lag: Option<Span>,
    /// How far `market/tickers` is behind; nothing where it is absent.
    pub tickers_lag: Option<Span>,
    /// How far `market/instruments-info` is behind; nothing where it is absent.
    pub instruments_lag: Option<Span>,
    /// Instead of the configured delays of the pushes (Q4).
    pub push_delays: PushDelays,
    /// An order that ended is in no view for so long (Q44).
    pub closed_gap: Span,
    /// Instead of the published price band and what is configured for orders beyond it (Q16).
    pub price_band: Option<(Ratio, PriceBand)>,
    /// What is so for a while, and until when.
    pub spells: BTreeMap<Spell, Timestamp>,
    /// How long an address that is banned must be quiet.
    pub ban: Span,
    /// What becomes of the next cancels that reach the engine (Q6, Q7).
    pub next_cancels: VecDeque<Fate>,
    /// What becomes of the next market orders (Q14).
    pub next_markets: VecDeque<Fate>,
    /// So many of the next orders to reach the engine end `Rejected` after half of them filled (Q15).
    pub reject_next_with_fill: u32,
    /// Instead of the configured delay of the engine.
    pub engine_delay: Option<Span>,
    /// An order this young cannot be cancelled or amended: 110001, though it goes on to live (Q9).
    pub untouchable_for: Span,
}

/// One for each topic of the private stream.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PushDelays {
    /// From the decision to the order push.
    pub order: Option<Span>,
    /// From the decision to the execution push.
    pub execution: Option<Span>,
    /// From the decision to the position push.
    pub position: Option<Span>,
    /// From the decision to the wallet push.
    pub wallet: Option<Span>,
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
    /// Is this so now?
    #[must_use]
    pub fn is_under(&self, spell: Spell, now: Timestamp) -> bool {
        self.spells.get(&spell).is_some_and(|until| now < *until)
    }

    /// The next request of this endpoint is answered with this code, and carried out or not.
    pub fn retcode_next(&mut self, operation: Operation, code: i64, executed: bool) {
        self.answers.push(ForcedAnswer { operation, code, executed });
    }

    pub(super) fn take_answer(&mut self, operation: Operation) -> Option<ForcedAnswer> {
        let place = self.answers.iter().position(|answer| answer.operation == operation)?;
        Some(self.answers.remove(place))
    }
}
