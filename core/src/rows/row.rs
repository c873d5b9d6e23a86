//! One type for each table. Rows of the shared tables hold what those tables' CHECKs ask for, by construction.

use super::Figure;
use crate::bybit;
use crate::event::{Planned, Seq};
use crate::intake::Signal;
use crate::market::Instrument;
use crate::order::{CancelReason, Spec, State, Status};
use crate::outcome::Outcome;
use crate::refusal::Code;
use crate::report;
use crate::unit::{Bytes, ExchangeOrderId, ExchangeTime, OrderLinkId, Side, SignalId, Symbol, Timestamp, TraceId};
use alloc::string::String;
use alloc::vec::Vec;
use serde::{Deserialize, Serialize};

/// A row of `orders` (wire-contracts.md 5.1).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OrderRow {
    /// The row's own id.
    pub id: SignalId,
    /// Bybit's id once known, else the order link id; `REJECTED-<signal_id>` for a signal without an order.
    pub order_id: String,
    /// The signal; the nil UUID for an order that is not ours.
    pub signal_id: SignalId,
    /// Symbol.
    pub asset: Symbol,
    /// Buy or sell.
    pub side: Side,
    /// Limit, else Market.
    pub is_limit: bool,
    /// Above zero. Of an ended order with fills: what is filled (spec O4).
    pub quantity: Figure,
    /// Above zero; a limit order has one.
    pub price: Option<Figure>,
    /// Public status.
    pub status: Status,
    /// From zero to `quantity`.
    pub filled_quantity: Figure,
    /// Of all fills.
    pub average_price: Option<Figure>,
    /// Of all fills, positive = paid.
    pub fees: Option<Figure>,
    /// When it was intended.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
    /// When the last fill of a filled order was booked.
    pub executed_at: Option<Timestamp>,
    /// The signal's trace id.
    pub trace_id: Option<TraceId>,
    /// Why it was rejected.
    pub rejection_reason: Option<String>,
}

impl OrderRow {
    /// `Buy` or `SELL`: the words of `chk_side`.
    #[must_use]
    pub const fn side_word(&self) -> &'static str {
        report::side_word(self.side)
    }
    /// `Market` or `Limit`: the words of `chk_order_type`.
    #[must_use]
    pub const fn type_word(&self) -> &'static str {
        if self.is_limit { "Limit" } else { "Market" }
    }
    /// The words of `chk_status`.
    #[must_use]
    pub const fn status_word(&self) -> &'static str {
        match self.status {
            Status::Pending => "pending",
            Status::PartiallyFilled => "partially_filled",
            Status::Filled => "filled",
            Status::Cancelled => "cancelled",
            Status::Rejected => "rejected",
        }
    }
}

/// A row of `signal_order_relationships` (wire-contracts.md 5.2), always `one_to_one`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RelationshipRow {
    /// The row's own id.
    pub id: SignalId,
    /// The signal.
    pub signal_id: SignalId,
    /// The row of `orders`: its `id`, not Bybit's.
    pub order_id: SignalId,
    /// Quote units that the order stands for; above zero.
    pub allocation_amount: Option<Figure>,
    /// Base units that the order stands for; above zero.
    pub allocation_quantity: Option<Figure>,
    /// When.
    pub created_at: Timestamp,
}

/// A row of `instrument_info` (wire-contracts.md 5.5).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct InstrumentRow {
    /// The row's own id.
    pub id: SignalId,
    /// The rules, exact: `raw_response`.
    pub rules: Instrument,
    /// First use of the symbol.
    pub created_at: Timestamp,
    /// When the rules last changed.
    pub updated_at: Timestamp,
}

impl InstrumentRow {
    /// `Trading`, else `NotTrading`: the exchange's other words are not kept.
    #[must_use]
    pub const fn status_word(&self) -> &'static str {
        if self.rules.trading { "Trading" } else { "NotTrading" }
    }
}

/// What is ours of an order: a row of `orders_own`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OwnRow {
    /// The id of its row of `orders`.
    pub id: SignalId,
    /// What was intended; its quantity is the requested one.
    pub spec: Spec,
    /// Bybit's id, once known.
    pub order_id: Option<ExchangeOrderId>,
    /// What we know of its life.
    pub state: State,
    /// Since when.
    pub since: Timestamp,
    /// The record that last showed it, or that proves what is said of it.
    pub evidence: Option<Seq>,
    /// Timestamp signed into the last create.
    pub signed_at: Option<ExchangeTime>,
    /// A cancel that was wanted, and why.
    pub cancel: Option<CancelReason>,
    /// Its ending was told.
    pub ended: bool,
    /// Why it ended without filling whole.
    pub reason: String,
    /// What became of the part of an order with fills that did not fill (spec O4).
    pub remainder: Option<String>,
    /// When its last fill was told.
    pub filled_at: Option<Timestamp>,
}

impl OwnRow {
    /// How sure we are of its life: `certain`, `in_flight` or `unknown` (spec O2, O4).
    #[must_use]
    pub const fn certainty(&self) -> &'static str {
        match self.state {
            State::Unknown => "unknown",
            State::Intended | State::Sending => "in_flight",
            _ => "certain",
        }
    }
    /// The state's word.
    #[must_use]
    pub const fn state_word(&self) -> &'static str {
        match self.state {
            State::Intended => "intended",
            State::Sending => "sending",
            State::Unknown => "unknown",
            State::Acked => "acked",
            State::Open => "open",
            State::Closed => "closed",
            State::Refused => "refused",
            State::Absent => "absent",
            State::AgedOut => "aged_out",
            State::Expired => "expired",
        }
    }
}

/// Where a signal stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Stage {
    /// In its lane.
    Waiting,
    /// Its turn.
    Active,
    /// Done.
    Settled,
}

/// A row of `signals`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SignalRow {
    /// Its UUID.
    pub id: SignalId,
    /// Symbol.
    pub symbol: Symbol,
    /// Buy or sell.
    pub side: Side,
    /// Follows it everywhere (spec S9).
    pub trace: TraceId,
    /// All it says; none where only id, symbol and side could be read.
    pub signal: Option<Signal>,
    /// Where it stands.
    pub stage: Stage,
    /// How it ended.
    pub outcome: Option<Outcome>,
    /// Why, with figures.
    pub text: String,
    /// Tries of its id so far; 0 where it is invalid.
    pub tries: u8,
    /// When this try came.
    pub received_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
    /// When it was done.
    pub settled_at: Option<Timestamp>,
    /// The last plan that stood every limit.
    pub planned: Option<Planned>,
    /// Orders that were cancelled on its way.
    pub cancelled: Vec<OrderLinkId>,
}

impl SignalRow {
    /// `waiting`, `active` or `settled`.
    #[must_use]
    pub const fn stage_word(&self) -> &'static str {
        match self.stage {
            Stage::Waiting => "waiting",
            Stage::Active => "active",
            Stage::Settled => "settled",
        }
    }
    /// `placed` or `rejected`.
    #[must_use]
    pub const fn outcome_word(&self) -> Option<&'static str> {
        match self.outcome {
            None => None,
            Some(Outcome::Placed) => Some("placed"),
            Some(Outcome::Rejected(_)) => Some("rejected"),
        }
    }
    /// The refusal's code.
    #[must_use]
    pub const fn code(&self) -> Option<Code> {
        match self.outcome {
            Some(Outcome::Rejected(code)) => Some(code),
            _ => None,
        }
    }
}

/// A row of `executions`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExecutionRow {
    /// The fill.
    pub fill: bybit::ExecutionRow,
    /// Our order; none where it is not ours.
    pub link: Option<OrderLinkId>,
    /// The frame that showed it.
    pub evidence: Seq,
}

/// A row of our own `positions` (spec T4); never of the shared table, which is Position Manager's.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PositionRow {
    /// Symbol: the key.
    pub asset: Symbol,
    /// Base units, plus is long.
    pub size: Figure,
    /// Of what is held; none when flat, or where nobody knows.
    pub average_entry_price: Option<Figure>,
    /// Profit of what was closed, without fees, all time.
    pub realized_pnl: Figure,
    /// Fees paid, all time.
    pub fees: Figure,
    /// Why it is not explained by executions alone; none where it is.
    pub unexplained: Option<String>,
    /// First time that it was held.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
    /// When it was last flat; none while it is held.
    pub closed_at: Option<Timestamp>,
}

/// A row of our own `position_snapshots` (spec T4), by symbol and moment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SnapshotRow {
    /// The row's own id.
    pub id: SignalId,
    /// The position at that moment.
    pub position: PositionRow,
    /// The moment.
    pub at: Timestamp,
}

/// A row of `dead_letters` (spec S4).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeadLetterRow {
    /// When it came.
    pub at: Timestamp,
    /// All that is wrong with it.
    pub reason: String,
    /// The message.
    pub body: Bytes,
}

/// Cumulative figures of an order that is not ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Foreign {
    /// Its totals so far.
    pub(super) totals: crate::order::Totals,
    /// The record of its first fill, and of its last.
    pub(super) first_at: Timestamp,
    pub(super) last: Seq,
}
