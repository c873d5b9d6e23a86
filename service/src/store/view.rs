//! What the API shows of the store. Keys and their order are the neighbours' (wire-contracts.md 2.2); ours follow.

use order_manager_core::event::Seq;
use order_manager_core::journal::Digest;
use order_manager_core::unit::{SignalId, Timestamp};
use serde::Serialize;
use serde_json::value::RawValue;

/// The column that orders are sorted by.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SortBy {
    /// When the order was intended.
    #[default]
    CreatedAt,
    /// When it last changed.
    UpdatedAt,
    /// When it was filled; orders without a fill come last in a descending list.
    ExecutedAt,
}

/// Which way.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SortOrder {
    /// The latest first.
    #[default]
    Descending,
    /// The earliest first.
    Ascending,
}

/// Which orders, and which page of them (wire-contracts.md 2.2).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OrderFilter {
    /// Symbol, upper case.
    pub asset: Option<String>,
    /// One of the six status words.
    pub status: Option<String>,
    /// The signal.
    pub signal_id: Option<SignalId>,
    /// Bybit's id or the order link id.
    pub order_id: Option<String>,
    /// Buy or sell, any case.
    pub side: Option<String>,
    /// Created at this moment or later.
    pub date_from: Option<Timestamp>,
    /// Created at this moment or earlier.
    pub date_to: Option<Timestamp>,
    /// From 1.
    pub page: u32,
    /// Orders a page.
    pub page_size: u32,
    /// By which column.
    pub sort_by: SortBy,
    /// Which way.
    pub sort_order: SortOrder,
}

impl Default for OrderFilter {
    fn default() -> Self {
        Self {
            asset: None,
            status: None,
            signal_id: None,
            order_id: None,
            side: None,
            date_from: None,
            date_to: None,
            page: 1,
            page_size: 20,
            sort_by: SortBy::default(),
            sort_order: SortOrder::default(),
        }
    }
}

/// One page of a list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Page<T> {
    /// What is on it.
    pub items: Vec<T>,
    /// Its number, from 1.
    pub page: u32,
    /// Items a page.
    pub page_size: u32,
    /// Items on all pages.
    pub total_items: u64,
    /// Pages; 0 where there is no item.
    pub total_pages: u64,
}

/// An order: seventeen keys that every reader knows, then ours.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct OrderView {
    /// Our row's id.
    pub id: String,
    /// Bybit's id, or ours until that is known.
    pub order_id: String,
    /// The signal; the nil UUID for an order that is not ours.
    pub signal_id: String,
    /// Symbol.
    pub asset: String,
    /// `Buy` or `SELL`.
    pub side: String,
    /// `Market` or `Limit`.
    pub order_type: String,
    /// Base units, 8 decimals; of an ended order with fills, what is filled (spec O4).
    pub quantity: String,
    /// Limit price.
    pub price: Option<String>,
    /// One of the six words.
    pub status: String,
    /// Base units.
    pub filled_quantity: String,
    /// Quote units per base unit.
    pub average_price: Option<String>,
    /// Quote units.
    pub fees: Option<String>,
    /// Naive UTC and `Z`.
    pub created_at: String,
    /// Naive UTC and `Z`.
    pub updated_at: String,
    /// Naive UTC and `Z`.
    pub executed_at: Option<String>,
    /// The signal's trace id.
    pub trace_id: Option<String>,
    /// A dry run?
    pub is_dry_run: bool,
    /// Why it was rejected.
    pub rejection_reason: Option<String>,
    /// Our id at the exchange; none for a signal without an order.
    pub order_link_id: Option<String>,
    /// What was asked for, base units.
    pub requested_quantity: Option<String>,
    /// Leg of its signal, from 0.
    pub leg: Option<u8>,
    /// Try of its leg, from 0.
    pub attempt: Option<u8>,
    /// What we know of its life: `intended`, `sending`, `unknown`, `acked`, `open`, `closed`, `refused`, `absent`,
    /// `aged_out`, `expired`.
    pub state: Option<String>,
    /// `certain`, `in_flight` or `unknown` (spec O2).
    pub certainty: Option<String>,
    /// Since when it is in this state.
    pub since: Option<String>,
    /// The record that last showed it, or that proves what is said of it.
    pub evidence: Option<u64>,
    /// What became of the part that did not fill.
    pub remainder: Option<String>,
}

/// A signal with its story.
#[derive(Clone, Debug, Serialize)]
pub struct SignalView {
    /// Its UUID.
    pub signal_id: String,
    /// `waiting`, `active` or `settled`.
    pub state: String,
    /// `placed` or `rejected`, once settled.
    pub outcome: Option<String>,
    /// The refusal's code.
    pub code: Option<String>,
    /// Why, with figures.
    pub text: Option<String>,
    /// Tries of this id so far.
    pub tries: u8,
    /// Symbol.
    pub asset: String,
    /// `buy` or `sell`.
    pub signal_type: String,
    /// As the signal says it; none where it could not be read.
    pub amount: Option<String>,
    /// 0 to 1.
    pub confidence: Option<String>,
    /// Strategy.
    pub strategy_id: Option<String>,
    /// Model.
    pub model_version: Option<String>,
    /// A warm-up signal?
    pub is_warmup: Option<bool>,
    /// The model's price.
    pub price: Option<String>,
    /// The signal's own time.
    pub timestamp: Option<String>,
    /// Follows it everywhere (spec S9).
    pub trace_id: String,
    /// When it came.
    pub received_at: String,
    /// When it was done.
    pub settled_at: Option<String>,
    /// Each limit with its figures, of the last plan that stood them all.
    pub verdicts: Box<RawValue>,
    /// What was worth a warning about that plan.
    pub notes: Box<RawValue>,
    /// Orders that were cancelled on its way.
    pub cancelled: Box<RawValue>,
    /// Its orders, the earliest first.
    pub orders: Vec<OrderView>,
}

/// A message of which no signal could be made (spec S4).
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct DeadLetterView {
    /// Grows.
    pub id: i64,
    /// When it came.
    pub received_at: String,
    /// All that is wrong with it.
    pub reason: String,
    /// The message as text; what is no UTF-8 is replaced.
    pub body: String,
    /// The message in hex digits, where it is no UTF-8.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub body_hex: Option<String>,
}

/// A fill, ours or not.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ExecutionView {
    /// Bybit's id of the fill.
    pub exec_id: String,
    /// Bybit's id of the order.
    pub order_id: String,
    /// Our id of the order; none where it is not ours.
    pub order_link_id: Option<String>,
    /// Symbol.
    pub asset: String,
    /// `Buy` or `SELL`.
    pub side: String,
    /// Base units.
    pub quantity: String,
    /// Quote units per base unit.
    pub price: String,
    /// Quote units.
    pub value: String,
    /// In `fee_coin`, positive = paid.
    pub fee: String,
    /// Empty: the settle coin.
    pub fee_coin: String,
    /// Did it rest in the book?
    pub is_maker: bool,
    /// When, by the exchange's clock.
    pub executed_at: String,
    /// The record that brought it.
    pub evidence: u64,
}

/// An instrument's rules (wire-contracts.md 5.5).
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct InstrumentView {
    /// Symbol.
    pub symbol: String,
    /// Base coin.
    pub base_coin: String,
    /// Quote coin.
    pub quote_coin: String,
    /// `Trading` or not.
    pub status: String,
    /// Quantities are multiples of it.
    pub lot_size: String,
    /// Smallest order, base units.
    pub min_order_qty: String,
    /// Largest order, base units.
    pub max_order_qty: String,
    /// Smallest order, quote units.
    pub min_order_value: String,
    /// Prices are multiples of it.
    pub price_tick_size: String,
    /// When they last changed.
    pub updated_at: String,
}

/// A position of our own books (spec T4).
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PositionView {
    /// Symbol.
    pub asset: String,
    /// Base units, plus is long.
    pub size: String,
    /// Quote units per base unit, of what is held; none when flat, or where nobody knows.
    pub average_entry_price: Option<String>,
    /// Profit of what was closed, without fees, all time.
    pub realized_pnl: String,
    /// Fees paid, all time.
    pub fees: String,
    /// Why it is not explained by executions alone; none where it is.
    pub unexplained: Option<String>,
    /// First time that it was held.
    pub created_at: String,
    /// When it last changed.
    pub updated_at: String,
    /// When it was last flat; none while it is held.
    pub closed_at: Option<String>,
}

/// A message on its way to the broker.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OutboxMessage {
    /// Grows by one.
    pub id: i64,
    /// The same, however often it is sent.
    pub event_id: SignalId,
    /// Symbol.
    pub asset: String,
    /// `created`, `filled` and so on.
    pub event_type: String,
    /// The signal's trace id.
    pub trace_id: String,
    /// JSON.
    pub body: String,
}

/// How far somebody who follows the messages has come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Cursor {
    /// Every message up to this id was taken; 0 at first.
    pub position: i64,
    /// Messages that were sent more than once.
    pub repeated: u64,
}

/// One record of the journal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredRecord {
    /// Its number.
    pub seq: Seq,
    /// The `now` of its step.
    pub at: Timestamp,
    /// Its bytes.
    pub record: Vec<u8>,
    /// The chained digest after it.
    pub digest: Digest,
}
