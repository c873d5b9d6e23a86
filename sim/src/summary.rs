//! A run in one object: the last line of `order-sim run --json`.

use crate::judge;
use crate::world::World;
use order_manager_core::journal;
use order_manager_core::order::Status;
use order_manager_core::unit::{Decimal, decimal};
use serde::Serialize;
use std::collections::BTreeMap;

/// The figures of a run.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Summary {
    /// Signals that were taken or found invalid.
    pub signals: usize,
    /// Signals with their orders or their reason.
    pub accounted: usize,
    /// Orders of ours.
    pub orders: usize,
    /// Executions of our orders.
    pub fills: usize,
    /// Orders that ended with fills.
    pub filled: usize,
    /// Orders that ended without.
    pub cancelled: usize,
    /// Signals that ended without an order that lived.
    pub rejected: u64,
    /// Those by code.
    pub rejects: BTreeMap<String, u64>,
    /// Signals of which something filled.
    pub signals_filled: usize,
    /// Signed position by symbol.
    pub position: BTreeMap<String, String>,
    /// Realised profit, fees not counted, quote currency.
    #[serde(with = "decimal")]
    pub pnl: Decimal,
    /// Fees paid.
    #[serde(with = "decimal")]
    pub fees: Decimal,
    /// Do our books equal the exchange's?
    pub consistent: bool,
    /// Digest of the durable state: equal on both links.
    pub digest: String,
    /// Chain of the step digests: equal run for run on one link.
    pub chain: String,
    /// Steps of the manager.
    pub steps: u64,
    /// The first differences, where there are any.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub differences: Vec<String>,
}

/// Differences that are shown.
const SHOWN: usize = 10;

impl Summary {
    /// Sums a world up.
    ///
    /// # Panics
    /// Where the manager's process is down, or its state cannot be written down.
    #[must_use]
    pub fn of(world: &World) -> Self {
        let manager = world.life.manager().expect("the manager's process is down at the end of the run");
        let durable = manager.durable();
        let books = &world.ledger.books;
        let with = |status: Status| books.book.iter().filter(|order| order.status() == status).count();
        let mut differences = judge::differences(books, &world.exchange);
        let consistent = differences.is_empty();
        differences.truncate(SHOWN);
        let ledger = &world.ledger;
        let sum = |figure: fn(&order_manager_core::position::Position) -> Decimal| -> Decimal {
            durable.positions.values().map(figure).sum()
        };
        Self {
            signals: ledger.signals.len(),
            accounted: ledger.signals.values().filter(|account| account.is_whole()).count(),
            orders: books.book.len(),
            fills: books.book.iter().map(|order| order.facts.fills.len()).sum(),
            filled: with(Status::Filled),
            cancelled: with(Status::Cancelled),
            rejected: ledger.rejects.values().sum(),
            rejects: ledger.rejects.iter().map(|(code, count)| (code.to_string(), *count)).collect(),
            signals_filled: ledger.signals.values().filter(|account| ledger.is_filled(account)).count(),
            position: durable.positions.iter().map(|(symbol, p)| (symbol.to_string(), p.size.to_string())).collect(),
            pnl: sum(|p| p.realised.0).round_dp(12),
            fees: sum(|p| p.fees.0),
            consistent,
            digest: journal::digest_of(durable).expect("a state that cannot be written down").to_string(),
            chain: manager.digest().to_string(),
            steps: world.inputs,
            differences,
        }
    }
}
