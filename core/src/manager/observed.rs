//! What was last seen, never stored: a restart forgets it, and decisions refuse what is stale. But for what was spent of the
//! request budgets, which the records tell.

use crate::account::Resting;
use crate::bybit::{ExecutionRow, OrderRow, PositionRow, WalletRow};
use crate::event::Seq;
use crate::input::{Source, Tag};
use crate::market::Quote;
use crate::pace::Pace;
use crate::position::Mark;
use crate::reconcile::Sweep;
use crate::timer::Table;
use crate::unit::{
    ClockOffset, ExchangeOrderId, ExchangeTime, Money, OrderLinkId, Price, Quantity, Side, Span, Symbol, Timestamp,
};
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

/// A view of the position that was asked for so long after a fill has it. Bybit names no bound; mostly the fill's execution
/// comes first. What filled last of an order that is not listed any more may be unheard of for as long.
const POSITION_BOUND: Span = Span::secs(60);

/// An order of the account that is in no book of ours: one that may fill, or of which fills may be in no figure yet.
#[derive(Clone, Copy, Debug)]
pub(super) struct Foreign {
    /// What of it may yet fill, by its last row.
    pub(super) open: Resting,
    /// `positionIdx`: in hedge mode each leg is a position of its own.
    pub(super) leg: u8,
    pub(super) updated: ExchangeTime,
    /// What of it has filled, by its rows, and when the last of that was at the latest.
    pub(super) filled: Quantity,
    pub(super) filled_by: ExchangeTime,
    /// What is in what we know of the position: all fills until `heard_by`, and those later ones whose executions came.
    pub(super) heard: Quantity,
    pub(super) heard_by: ExchangeTime,
    /// When it was last shown.
    pub(super) seen_at: Timestamp,
    /// When the first reconcile began that did not list it, since it was last shown.
    pub(super) missed_at: Option<Timestamp>,
}

impl Foreign {
    /// Nothing is known of it yet but where it is.
    pub(super) fn new(symbol: Symbol, side: Side, now: Timestamp) -> Self {
        let (never, nothing) = (ExchangeTime::default(), Quantity::ZERO);
        Self {
            open: Resting { symbol, side, remaining: nothing, price: Price::ZERO, reduce_only: false },
            leg: 0,
            updated: never,
            filled: nothing,
            filled_by: never,
            heard: nothing,
            heard_by: never,
            seen_at: now,
            missed_at: None,
        }
    }

    /// What it counts to the worst case (spec K1): a fill that its row alone has told of may be in no view of the position.
    pub(super) fn resting(&self) -> Option<Resting> {
        let unheard = self.filled.minus(self.heard)?.max(Quantity::ZERO);
        Some(Resting { remaining: self.open.remaining.plus(unheard)?, ..self.open })
    }

    /// Takes a row; one from before what is known says nothing but that it is listed.
    pub(super) fn row(&mut self, row: &OrderRow, now: Timestamp) {
        (self.seen_at, self.missed_at) = (now, None);
        if row.updated < self.updated {
            return;
        }
        if row.cum_quantity > self.filled {
            (self.filled, self.filled_by) = (row.cum_quantity, row.updated);
        }
        let left = row.quantity.minus(row.cum_quantity).filter(|_| !row.status.is_terminal());
        let price = row.price.max(row.cum_value.per(row.cum_quantity)).unwrap_or(Price::ZERO);
        let (symbol, side, reduce_only) = (row.symbol, row.side, row.reduce_only);
        self.open = Resting { symbol, side, remaining: left.unwrap_or(Quantity::ZERO), price, reduce_only };
        (self.leg, self.updated) = (row.position_idx, row.updated);
    }

    /// Takes an execution that was not known.
    pub(super) fn executed(&mut self, row: &ExecutionRow) {
        if row.time > self.heard_by {
            self.heard = self.heard.plus(row.quantity).unwrap_or(self.heard);
        }
    }

    /// The position was asked for then, by the exchange's clock, and last changed then where it says so. Where that cannot be
    /// from before the fills that rows told of, they are in it.
    pub(super) fn shown(&mut self, asked_at: ExchangeTime, changed: Option<ExchangeTime>) {
        let after = changed.is_some_and(|changed| changed > self.filled_by.after(Mark::SAME));
        if after || asked_at >= self.filled_by.after(POSITION_BOUND) {
            (self.heard, self.heard_by) = (self.heard.max(self.filled), self.filled_by);
        }
    }

    pub(super) fn is_open(&self) -> bool {
        self.open.remaining.is_positive()
    }

    /// Has it ended, and is all that filled known?
    pub(super) fn is_over(&self) -> bool {
        !self.is_open() && self.filled <= self.heard
    }

    /// A reconcile that began then did not list it. One view that shows nothing may be behind, or blank for a moment: it takes
    /// one that began so much later to believe that it has ended. What filled of it counts on until it is heard of.
    pub(super) fn missed(&mut self, began: Timestamp) {
        let missed_at = *self.missed_at.get_or_insert(began);
        if began.since(missed_at) >= POSITION_BOUND {
            self.open.remaining = Quantity::ZERO;
        }
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

/// Requests that are out, and when they were sent: few, so they are looked through.
#[derive(Clone, Debug, Default)]
pub(super) struct Out(Vec<(Tag, Timestamp)>);

impl Out {
    pub(super) fn sent(&mut self, tag: Tag, at: Timestamp) {
        self.over(tag);
        self.0.push((tag, at));
    }

    /// Nothing comes any more, or it has come: when it was sent, where it was out.
    pub(super) fn over(&mut self, tag: Tag) -> Option<Timestamp> {
        let place = self.place(tag)?;
        Some(self.0.swap_remove(place).1)
    }

    pub(super) fn holds(&self, tag: Tag) -> bool {
        self.place(tag).is_some()
    }

    /// All of them in the order of their tags.
    pub(super) fn by_tag(&self) -> Vec<(Tag, Timestamp)> {
        let mut all = self.0.clone();
        all.sort_unstable();
        all
    }

    fn place(&self, tag: Tag) -> Option<usize> {
        self.0.iter().position(|(out, _)| *out == tag)
    }
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
    pub(super) out: Out,
    /// Failures in a row of a question.
    pub(super) failures: BTreeMap<Tag, u32>,
    pub(super) inquiries: BTreeMap<OrderLinkId, Inquiry>,
    /// Orders whose executions had their grace: their row is booked as it stands.
    pub(super) overdue_executions: BTreeSet<OrderLinkId>,
    pub(super) pace: Pace,
    pub(super) timers: Table,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bybit::OrderStatus;
    use crate::fixture::{execution_row, order_row, quantity};

    const NOW: Timestamp = Timestamp(60_000_000);
    const FILLED_BY: ExchangeTime = ExchangeTime(60_000);

    /// Of a buy of 3.
    fn row(status: OrderStatus, filled: &str, updated: ExchangeTime) -> OrderRow {
        OrderRow { status, quantity: quantity("3"), cum_quantity: quantity(filled), updated, ..order_row() }
    }

    fn execution(filled: &str, time: ExchangeTime) -> ExecutionRow {
        ExecutionRow { quantity: quantity(filled), time, ..execution_row() }
    }

    /// Two thirds of it have filled, and one of these was heard of.
    fn foreign() -> Foreign {
        let mut foreign = Foreign::new(order_row().symbol, order_row().side, NOW);
        foreign.executed(&execution("1", ExchangeTime(50_000)));
        foreign.row(&row(OrderStatus::PartiallyFilled, "2", FILLED_BY), NOW);
        foreign
    }

    fn counts(foreign: &Foreign) -> Quantity {
        foreign.resting().unwrap().remaining
    }

    #[test]
    fn k1_what_filled_unheard_counts_until_a_view_must_have_it() {
        let visible = FILLED_BY.after(POSITION_BOUND);
        let surely = FILLED_BY.after(Mark::SAME);
        let before = |at: ExchangeTime| ExchangeTime(at.0 - 1);
        for (asked_at, changed, left) in [
            (FILLED_BY, None, "2"),
            (before(visible), Some(surely), "2"),
            (before(visible), Some(ExchangeTime(surely.0 + 1)), "1"),
            (visible, None, "1"),
        ] {
            let mut foreign = foreign();
            foreign.shown(asked_at, changed);
            assert_eq!(counts(&foreign), quantity(left), "{asked_at:?} {changed:?}");
        }
    }

    /// The view had it, so its execution tells nothing new: it must not hide the next fill.
    #[test]
    fn k1_a_fill_that_a_view_had_is_not_heard_again() {
        let mut foreign = foreign();
        foreign.shown(FILLED_BY.after(POSITION_BOUND), None);
        foreign.executed(&execution("1", FILLED_BY));
        let later = ExchangeTime(FILLED_BY.0 + 1);
        foreign.row(&row(OrderStatus::Filled, "3", later), NOW);
        assert_eq!(counts(&foreign), quantity("1"));
        foreign.executed(&execution("1", later));
        assert_eq!(counts(&foreign), Quantity::ZERO);
    }

    #[test]
    fn k1_a_row_from_before_brings_nothing_back() {
        let mut foreign = foreign();
        foreign.row(&row(OrderStatus::Cancelled, "2", FILLED_BY), NOW);
        foreign.row(&row(OrderStatus::New, "0", ExchangeTime(FILLED_BY.0 - 1)), NOW);
        assert_eq!(counts(&foreign), quantity("1"));
    }

    #[test]
    fn k1_an_order_is_over_when_it_has_ended_and_its_fills_are_known() {
        let mut foreign = foreign();
        foreign.row(&row(OrderStatus::Cancelled, "2", FILLED_BY), NOW);
        assert!(!foreign.is_over());
        foreign.executed(&execution("1", FILLED_BY));
        assert!(foreign.is_over() && counts(&foreign).is_zero());
        foreign.row(&row(OrderStatus::PartiallyFilled, "2", FILLED_BY), NOW);
        assert!(!foreign.is_over());
    }

    #[test]
    fn k1_one_reconcile_that_does_not_list_it_ends_nothing() {
        let mut foreign = foreign();
        let again = NOW.after(POSITION_BOUND);
        foreign.missed(NOW);
        foreign.missed(Timestamp(again.0 - 1));
        assert!(foreign.is_open());
        foreign.missed(again);
        assert!(!foreign.is_open() && !foreign.is_over());
        assert_eq!(counts(&foreign), quantity("1"), "what its row told is heard of nowhere yet");
    }
}
