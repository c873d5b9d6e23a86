//! One order: what we intended, what we did, what the exchange said, what we told the world.

mod book;
mod facts;
mod inherited;
pub mod state;

pub use book::Book;
pub use facts::{Ending, Facts, Fill, Terms, Totals};
pub use inherited::InheritedOrder;
pub use state::{State, Stimulus, Verdict};

use crate::bybit::{Create, ExecutionRow, OrderKind, OrderRow};
use crate::unit::{
    Category, ExchangeOrderId, ExchangeTime, ExecId, Intent, OrderLinkId, Price, Quantity, Side, Symbol, Text,
    Timestamp,
};
use alloc::collections::BTreeSet;
use serde::{Deserialize, Serialize};

/// What we intend to place. Fixed for life.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Spec {
    /// Our id.
    pub link: OrderLinkId,
    /// Signal, leg and attempt it carries out.
    pub intent: Intent,
    /// Instrument.
    pub symbol: Symbol,
    /// Buy or sell.
    pub side: Side,
    /// Market or limit.
    pub kind: OrderKind,
    /// Base units.
    pub quantity: Quantity,
    /// May only reduce a position.
    pub reduce_only: bool,
    /// Price for exposure: the limit, or the worst a market order may pay.
    pub price: Price,
    /// When the intent became durable.
    pub at: Timestamp,
}

impl Spec {
    /// The request that places it.
    #[must_use]
    pub fn create(&self) -> Create {
        Create {
            category: Category::Linear,
            symbol: self.symbol,
            side: self.side,
            kind: self.kind,
            quantity: self.quantity,
            reduce_only: self.reduce_only,
            position_idx: 0,
            link: self.link,
        }
    }
    /// Will it rest in the book?
    #[must_use]
    pub fn is_limit(&self) -> bool {
        matches!(self.kind, OrderKind::Limit { .. })
    }
}

/// Why an order is being cancelled (spec D3: every cancel carries its reason).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum CancelReason {
    /// A newer signal of the symbol replaces it (spec D2).
    NewSignal,
    /// An operator asked for it.
    Operator,
}

impl CancelReason {
    /// One word for events and rows.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::NewSignal => "new_signal",
            Self::Operator => "operator",
        }
    }
}

/// The public status of an order (spec O4).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// On its way or resting.
    Pending,
    /// Resting, with fills.
    PartiallyFilled,
    /// Ended with fills; the remainder, if any, was cancelled.
    Filled,
    /// Ended without a fill.
    Cancelled,
    /// Never lived.
    Rejected,
}

/// A refusal by the API.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refused {
    /// `retCode`, or the HTTP status.
    pub code: i64,
    /// Bybit's words.
    pub text: Text<160>,
}

/// One order with all we know of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Order {
    /// What we intended.
    pub spec: Spec,
    /// What we know of its life.
    pub state: State,
    /// Timestamp signed into the last create: bounds its last possible arrival.
    pub signed_at: Option<ExchangeTime>,
    /// The refusal, where there was one.
    pub refusal: Option<Refused>,
    /// What the exchange said.
    pub facts: Facts,
    /// Exchange time up to which it was known, where the exchange has not shown it since.
    #[serde(default)]
    pub missed_since: Option<ExchangeTime>,
    /// A cancel that is wanted until it is proven.
    pub cancel: Option<CancelReason>,
    /// What the world was told.
    pub told: Told,
    /// When it was seen ended, or never lived.
    pub ended_at: Option<Timestamp>,
    /// Placed by the service that stood here before us: the exchange knows it by its own id only (spec T1).
    pub inherited: bool,
}

/// What was published of an order so far (spec E2).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Told {
    /// `created` went out.
    pub created: bool,
    /// The sum of published increments.
    pub totals: Totals,
    /// Executions that published increments named.
    pub named: BTreeSet<ExecId>,
    /// The ending went out.
    pub ended: bool,
}

impl Order {
    /// A fresh order, nothing sent.
    #[must_use]
    pub fn new(spec: Spec) -> Self {
        Self {
            spec,
            state: State::Intended,
            signed_at: None,
            refusal: None,
            facts: Facts::default(),
            missed_since: None,
            cancel: None,
            told: Told::default(),
            ended_at: None,
            inherited: false,
        }
    }

    /// Bybit's id where that alone names it.
    #[must_use]
    pub fn only_by(&self) -> Option<ExchangeOrderId> {
        self.facts.order_id.filter(|_| self.inherited)
    }

    /// Moves the state as the table says. The verdict is the caller's to act on.
    pub fn take(&mut self, stimulus: Stimulus) -> Verdict {
        let verdict = self.state.on(stimulus);
        if let Verdict::To(next) | Verdict::Contradicts(next) = verdict {
            self.state = next;
        }
        verdict
    }

    /// Joins a row and moves the state.
    pub fn take_row(&mut self, row: &OrderRow) -> Verdict {
        self.facts.join_row(row);
        self.missed_since = None;
        self.take(if row.status.is_terminal() { Stimulus::SeenClosed } else { Stimulus::SeenOpen })
    }

    /// A record of it that cannot be understood shows no more than that it exists.
    pub fn take_notice(&mut self, order_id: Option<ExchangeOrderId>) -> Verdict {
        self.facts.notice(order_id);
        self.missed_since = None;
        self.take(Stimulus::Acked)
    }

    /// Joins an execution and moves the state.
    pub fn take_execution(&mut self, row: &ExecutionRow) -> Verdict {
        self.facts.join_execution(row);
        self.missed_since = None;
        self.take(Stimulus::Filled)
    }

    /// Base units that may still fill (spec K1: what may fill counts as filled). A fill that is known but not
    /// yet booked in the position still counts here, so that it is never counted nowhere.
    #[must_use]
    pub fn remaining(&self) -> Quantity {
        let whole = if self.state.may_fill() { self.quantity() } else { self.facts.totals().quantity };
        whole.minus(self.told.totals.quantity).unwrap_or_default()
    }

    /// Fills that the world was not told of. What the service before us told of its own had the prices of its rows: where
    /// those cannot be true, what comes on top has the price of the whole, not their error.
    #[must_use]
    pub fn untold(&self) -> Totals {
        let (known, told) = (self.facts.totals(), self.told.totals);
        let untold = known.minus(told);
        let sound = told.value.is_positive() && untold.value.is_positive();
        if !self.inherited || told.quantity.is_zero() || sound {
            return untold;
        }
        let value = known.average_price().and_then(|price| price.times(untold.quantity));
        Totals { value: value.unwrap_or_default(), ..untold }
    }

    /// Total quantity, as the exchange shows it after amends and trims.
    #[must_use]
    pub fn quantity(&self) -> Quantity {
        self.facts.terms.map_or(self.spec.quantity, |terms| terms.quantity)
    }

    /// Is nothing of it left to fill?
    #[must_use]
    pub fn is_filled_whole(&self) -> bool {
        self.facts.totals().quantity >= self.quantity()
    }

    /// Bybit's id, once known.
    #[must_use]
    pub fn order_id(&self) -> Option<ExchangeOrderId> {
        self.facts.order_id
    }

    /// The public status (spec O4): the one place where our states become the neighbours' words.
    #[must_use]
    pub fn status(&self) -> Status {
        // What was told before our time the exchange may have forgotten.
        let before = if self.inherited { self.told.totals.quantity } else { Quantity::ZERO };
        let total = self.facts.totals().quantity.max(before);
        let (filled, whole) = (!total.is_zero(), total.is_positive() && total >= self.quantity());
        match self.state {
            State::Intended | State::Sending | State::Unknown | State::Acked => Status::Pending,
            // its executions came before the row that ends it
            State::Open if whole => Status::Filled,
            State::Open if filled => Status::PartiallyFilled,
            State::Open => Status::Pending,
            State::Closed | State::AgedOut if filled => Status::Filled,
            State::Closed if self.rejected_by_engine() => Status::Rejected,
            State::Closed | State::AgedOut => Status::Cancelled,
            State::Refused | State::Absent | State::Expired => Status::Rejected,
        }
    }

    fn rejected_by_engine(&self) -> bool {
        self.facts.ending.is_some_and(|e| e.status == crate::bybit::OrderStatus::Rejected)
    }
}

#[cfg(test)]
mod tests;
