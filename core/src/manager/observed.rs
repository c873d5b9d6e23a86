//! What was last seen, never stored: a restart forgets it, and decisions refuse what is stale. But for what was spent of the
//! request budgets, which the records tell.

use crate::account::Resting;
use crate::bybit::{PositionRow, WalletRow};
use crate::event::Seq;
use crate::input::{Source, Tag};
use crate::market::Quote;
use crate::pace::Pace;
use crate::reconcile::Sweep;
use crate::timer::Table;
use crate::unit::{ClockOffset, ExchangeOrderId, ExchangeTime, Money, OrderLinkId, Quantity, Span, Symbol, Timestamp};
use alloc::collections::{BTreeMap, BTreeSet};
use alloc::vec::Vec;

/// A reading and the moment it was asked for: it says nothing of what happened after.
#[derive(Clone, Debug)]
pub(super) struct Reading<T> {
    pub(super) value: T,
    pub(super) asked_at: Timestamp,
}

/// The exchange's clock against ours.
#[derive(Clone, Copy, Debug)]
pub(super) struct Clock {
    pub(super) offset: ClockOffset,
    /// The true offset lies at most this far from `offset`.
    pub(super) uncertainty: Span,
    pub(super) read_at: Timestamp,
}

impl Clock {
    /// The exchange's time at `at` as far as it is sure: it was not earlier there.
    pub(super) fn surely_at(&self, at: Timestamp) -> ExchangeTime {
        Timestamp(at.0.saturating_sub(self.uncertainty.0)).at_exchange(self.offset)
    }
}

/// An open order of the account that is not ours.
#[derive(Clone, Copy, Debug)]
pub(super) struct Foreign {
    pub(super) resting: Resting,
    /// When it was last shown.
    pub(super) seen_at: Timestamp,
    /// When the first reconcile began that did not list it, since it was last shown.
    pub(super) missed_at: Option<Timestamp>,
}

impl Foreign {
    /// Does it count as open still, after a reconcile that began then and did not list it? One view that shows nothing may be
    /// behind, or blank for a moment: it takes one that began this much later to believe it.
    pub(super) fn outlives(&mut self, began: Timestamp, bound: Span) -> bool {
        let missed_at = *self.missed_at.get_or_insert(began);
        began.since(missed_at) < bound
    }
}

/// The questions about one order (bybit-v5.md 2.11).
#[derive(Clone, Debug)]
pub(super) struct Inquiry {
    pub(super) round: u32,
    /// When the first round began in which no source showed it, though it had to be visible by then: exchange time.
    pub(super) missed_at: Option<ExchangeTime>,
    /// Exchange time at which this round's first question was decided; none until it is sent.
    pub(super) began_at: Option<ExchangeTime>,
    /// Where the question that is out now was asked.
    pub(super) source: Source,
    /// A row was found in this round.
    pub(super) found: bool,
    /// Empty answers of this round.
    pub(super) empty: Vec<(Source, Seq)>,
}

/// Volatile state.
#[derive(Clone, Debug, Default)]
pub(super) struct Observed {
    /// The record with which this memory began: numbers the questions.
    pub(super) epoch: u32,
    pub(super) clock: Option<Clock>,
    /// The reading that a refusal of our timestamps (10002) put in doubt, until there is a better one.
    pub(super) doubted_clock: Option<Clock>,
    /// This life ends: no signal starts or is decided, no create leaves.
    pub(super) stopping: bool,
    pub(super) stream_up: bool,
    /// Orders, fills and positions agree with the exchange as of the last sweep of this connection.
    pub(super) synced: bool,
    pub(super) sweep: Option<Sweep>,
    /// The time for one came while the exchange's clock was unknown: it begins when that is known.
    pub(super) sweep_due: bool,
    pub(super) sweeps: u32,
    pub(super) wallet: Option<Reading<WalletRow>>,
    pub(super) positions: BTreeMap<Symbol, Reading<PositionRow>>,
    /// The legs of symbols in hedge mode, by `positionIdx`: they count to the exposure, and nothing else is done there.
    pub(super) hedged: BTreeMap<(Symbol, u8), Reading<PositionRow>>,
    pub(super) quotes: BTreeMap<Symbol, Reading<Quote>>,
    pub(super) instruments: BTreeMap<Symbol, Timestamp>,
    /// Symbols that the exchange does not know or whose rules make no sense, and why.
    pub(super) unusable: BTreeMap<Symbol, crate::refusal::Refusal>,
    /// When anything last happened to an order: readings asked for before that are stale.
    pub(super) touched: Timestamp,
    /// The same, symbol by symbol.
    pub(super) touched_on: BTreeMap<Symbol, Timestamp>,
    /// Positions of the exchange that our executions do not explain, and since when.
    pub(super) unexplained: BTreeMap<Symbol, Reading<Quantity>>,
    /// Position Manager's positions and exposure.
    pub(super) their_positions: BTreeMap<Symbol, Reading<Quantity>>,
    pub(super) their_exposure: Option<Reading<Money>>,
    /// Symbols whose figure of theirs is not to be used before they have validated it, and how often they did.
    pub(super) doubted: BTreeMap<Symbol, u8>,
    /// Since when their position is another one than ours, and whether that was told.
    pub(super) differs: BTreeMap<Symbol, (Timestamp, bool)>,
    /// Open orders of the account that are not ours, by Bybit's id.
    pub(super) foreign: BTreeMap<ExchangeOrderId, Foreign>,
    /// When there were last more of them than can be remembered.
    pub(super) foreign_overflow_at: Option<Timestamp>,
    /// There are such orders as of the last reconcile, or orders or positions that cannot be read.
    pub(super) unread_account: bool,
    /// Requests that are out, and when they were sent.
    pub(super) out: BTreeMap<Tag, Timestamp>,
    /// Failures in a row of a question.
    pub(super) failures: BTreeMap<Tag, u32>,
    pub(super) inquiries: BTreeMap<OrderLinkId, Inquiry>,
    /// Orders whose executions had their grace: their row is booked as it stands.
    pub(super) overdue_executions: BTreeSet<OrderLinkId>,
    pub(super) pace: Pace,
    pub(super) timers: Table,
}
