//! Everything that is true from now on. Events are the journal's rows and the source of every table row and
//! every published message; the manager's durable state is their fold.

use crate::bybit::{ExecutionRow, OrderRow};
use crate::input::Source;
use crate::intake::{BadSignal, Signal};
use crate::market::Instrument;
use crate::order::{CancelReason, InheritedOrder, Spec, Status, Stimulus, Totals};
use crate::outcome::Outcome;
use crate::plan::Note;
use crate::position::Mark;
use crate::risk::Verdict;
use crate::unit::{
    Bytes, ExchangeOrderId, ExchangeTime, ExecId, OrderLinkId, Price, Quantity, Ratio, SignalId, Span, Symbol, Text,
    Timestamp,
};
use alloc::boxed::Box;
use alloc::vec::Vec;
use serde::{Deserialize, Serialize};

/// A journal record's number: names the frame that an event rests on (spec O2).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Seq(pub u64);

/// One event.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Event {
    /// A life of the process began.
    Started {
        /// Lives so far.
        life: u32,
    },
    /// A signal is durable and waits in its lane.
    SignalAccepted {
        /// The signal.
        signal: Box<Signal>,
        /// When it came.
        at: Timestamp,
        /// Which try of this id it is, from 1.
        tries: u8,
        /// How far its timestamp lies ahead of the exchange's clock, where that is worth a warning (spec S6).
        ahead: Option<Span>,
        /// Its timestamp is older than that of the signal before it in the lane (spec S5).
        out_of_order: bool,
    },
    /// A lane, or all of them together, had no room: the message was not taken and comes again (spec S5).
    IntakePaused {
        /// The lane.
        symbol: Symbol,
    },
    /// A copy of a known signal came.
    SignalRepeated {
        /// The signal.
        signal: SignalId,
        /// The copy's content differs.
        conflict: bool,
    },
    /// A message whose signal could not be made out.
    DeadLettered {
        /// When it came.
        at: Timestamp,
        /// What is wrong with it.
        bad: Box<BadSignal>,
        /// The message.
        body: Bytes,
    },
    /// A message whose id, symbol and side could be read, and nothing more could be done with it.
    SignalInvalid {
        /// When it came.
        at: Timestamp,
        /// What is wrong with it.
        bad: Box<BadSignal>,
    },
    /// A signal's turn has come.
    SignalStarted {
        /// The signal.
        signal: SignalId,
    },
    /// A plan stood every limit. These orders are cancelled first.
    Planned {
        /// The signal.
        signal: SignalId,
        /// What is to be placed once the cancels are proven.
        plan: Planned,
    },
    /// A signal's work is done.
    SignalSettled {
        /// The signal.
        signal: SignalId,
        /// How.
        outcome: Outcome,
        /// When.
        at: Timestamp,
        /// The figures behind it, for people.
        text: Text<200>,
        /// Orders that were cancelled on its way (spec D1).
        cancelled: Vec<OrderLinkId>,
    },
    /// A signal is old enough to be looked up in the store when it comes again.
    SignalForgotten {
        /// The signal.
        signal: SignalId,
    },
    /// An order is intended. Durable before a byte of it leaves (spec O1).
    OrderIntended {
        /// The order.
        spec: Box<Spec>,
    },
    /// Its create goes to the adapter with the commands of this step.
    OrderSent {
        /// The order.
        link: OrderLinkId,
        /// The timestamp that is signed.
        signed_at: ExchangeTime,
    },
    /// What became of its create.
    OrderAnswered {
        /// The order.
        link: OrderLinkId,
        /// The answer's meaning.
        answer: CreateAnswer,
        /// When.
        at: Timestamp,
    },
    /// The exchange showed the order.
    OrderSeen {
        /// The order.
        link: OrderLinkId,
        /// What it showed.
        row: Box<OrderRow>,
        /// The frame that showed it.
        evidence: Seq,
        /// When it came.
        at: Timestamp,
    },
    /// The exchange showed a record of the order that cannot be understood: it exists, and more is not known of it (spec O4).
    OrderNoticed {
        /// The order.
        link: OrderLinkId,
        /// Bybit's id, where that could be read.
        order_id: Option<ExchangeOrderId>,
        /// The frame that showed it.
        evidence: Seq,
        /// When it came.
        at: Timestamp,
    },
    /// The exchange showed the order before, and now it does not: no view of it has been seen since (spec O2).
    OrderMissed {
        /// The order.
        link: OrderLinkId,
        /// Exchange time up to which it was known.
        known_until: ExchangeTime,
    },
    /// The exchange showed a fill of the order.
    OrderExecuted {
        /// The order.
        link: OrderLinkId,
        /// The fill.
        row: Box<ExecutionRow>,
        /// The frame that showed it.
        evidence: Seq,
        /// When it came.
        at: Timestamp,
    },
    /// The order cannot exist any more (spec O2).
    OrderAbsent {
        /// The order.
        link: OrderLinkId,
        /// Why that is certain.
        proof: Box<Absence>,
        /// When it was certain.
        at: Timestamp,
    },
    /// Its create was never sent before its signal's time ran out.
    OrderExpired {
        /// The order.
        link: OrderLinkId,
        /// When.
        at: Timestamp,
    },
    /// A cancel is wanted, until it is proven.
    CancelWanted {
        /// The order.
        link: OrderLinkId,
        /// Why.
        reason: CancelReason,
    },
    /// Something about an order is told to the world: the source of the published order event and of the row.
    OrderTold(Box<Told>),
    /// An ended order is left to the store.
    OrderForgotten {
        /// The order.
        link: OrderLinkId,
    },
    /// A fill that is not of our orders: by hand, liquidation, another client. It moves the position.
    ForeignExecuted {
        /// The fill.
        row: Box<ExecutionRow>,
        /// The frame that showed it.
        evidence: Seq,
        /// When it came.
        at: Timestamp,
    },
    /// The exchange shows a position that executions do not explain: its word is taken (spec T4).
    PositionAdopted {
        /// The symbol.
        symbol: Symbol,
        /// What our executions came to.
        was: Quantity,
        /// What the exchange holds, plus is long.
        size: Quantity,
        /// Its average entry price.
        entry: Option<Price>,
        /// Fills up to this moment are in it.
        as_of: ExchangeTime,
        /// Of the view that showed it; of none where it was shown by no row.
        #[serde(default)]
        mark: Mark,
        /// The frame that showed it.
        evidence: Seq,
        /// When.
        at: Timestamp,
    },
    /// The held positions are written down (spec T4).
    PositionsNoted {
        /// When.
        at: Timestamp,
    },
    /// A fill event may have been published twice: Position Manager's figure is not used until it has validated it
    /// (spec E3).
    PositionDoubted {
        /// The symbol.
        symbol: Symbol,
    },
    /// Position Manager has compared its figure with the rows since: it counts again (spec E3).
    PositionValidated {
        /// The symbol.
        symbol: Symbol,
    },
    /// Position Manager's position differs from ours, and not for a moment only (spec K1).
    PositionDiffers {
        /// The symbol.
        symbol: Symbol,
        /// By our executions.
        ours: Quantity,
        /// By Position Manager.
        theirs: Quantity,
        /// Since when.
        since: Timestamp,
    },
    /// An order of the service that stood here before us is ours from now on (spec T1).
    OrderInherited {
        /// Our name for it.
        link: OrderLinkId,
        /// What its row told.
        order: Box<InheritedOrder>,
    },
    /// A symbol's rules, on first use and when they change (spec T5).
    InstrumentChanged {
        /// The rules.
        instrument: Box<Instrument>,
    },
    /// Every order and every fill up to here has been asked for (spec T3).
    Reconciled {
        /// Executions are known up to this moment.
        until: ExchangeTime,
        /// When it was done.
        at: Timestamp,
    },
    /// The exchange contradicts what we had concluded: opening halts for the symbol (spec O2).
    OpeningHalted {
        /// The symbol.
        symbol: Symbol,
        /// What happened.
        why: Text<160>,
    },
    /// A record that could not be read or understood was set aside, and what it may be about is asked for.
    Quarantined {
        /// What and why.
        why: Text<160>,
        /// The frame.
        evidence: Seq,
    },
    /// A law of this program was broken: opening halts for the symbol, people are called.
    Defect {
        /// The symbol, where it has one.
        symbol: Option<Symbol>,
        /// Which law.
        what: Text<160>,
    },
}

/// A plan that stood every limit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Planned {
    /// Base units.
    pub quantity: Quantity,
    /// The price it was judged at.
    pub price: Price,
    /// Latest price against the snapshot's.
    pub drift: Option<Ratio>,
    /// Orders to cancel first.
    pub cancels: Vec<OrderLinkId>,
    /// Each limit with its figures.
    pub verdicts: Vec<Verdict>,
    /// What is worth a warning.
    pub notes: Vec<Note>,
}

/// What the answer to a create means (spec O2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum CreateAnswer {
    /// Bybit took it.
    Accepted {
        /// Bybit's id.
        order_id: ExchangeOrderId,
    },
    /// Refused for good.
    Refused {
        /// `retCode`, or the HTTP status.
        code: i64,
        /// Bybit's words.
        text: Text<160>,
    },
    /// Not executed, and the same id may go again.
    NotSent {
        /// Why.
        why: Text<160>,
    },
    /// Nobody knows.
    Unknown {
        /// Why.
        why: Text<160>,
    },
}

impl CreateAnswer {
    /// What it does to an order's state.
    #[must_use]
    pub const fn stimulus(&self) -> Stimulus {
        match self {
            Self::Accepted { .. } => Stimulus::Acked,
            Self::Refused { .. } => Stimulus::Refused,
            Self::NotSent { .. } => Stimulus::NotSent,
            Self::Unknown { .. } => Stimulus::Lost,
        }
    }
}

/// Why an order cannot exist: all three sources said "not here" after the last moment at which it could have
/// come (bybit-v5.md 2.11).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Absence {
    /// Signed timestamp + recv window + visibility bound, exchange time; and that bound after a round that began later than
    /// this and missed it too.
    pub deadline: ExchangeTime,
    /// Exchange time at which the last round began; not before the deadline.
    pub asked_at: ExchangeTime,
    /// The empty answers: source and frame.
    pub answers: Vec<(Source, Seq)>,
    /// It was known once: closed outside the history window, not absent (spec O2 `aged_out`).
    pub aged_out: bool,
}

/// What changed in an order, as the world is told (spec E1, E2).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Told {
    /// The order.
    pub link: OrderLinkId,
    /// Which kind of event.
    pub change: Change,
    /// Public status after it.
    pub status: Status,
    /// Bybit's id, once known.
    pub order_id: Option<ExchangeOrderId>,
    /// Total quantity, as the exchange shows it.
    pub quantity: Quantity,
    /// Limit price, as the exchange shows it.
    pub price: Option<Price>,
    /// What this event adds; zero where it is no fill.
    pub increment: Totals,
    /// Executions that this event names first.
    pub exec_ids: Vec<ExecId>,
    /// All so far, this one included.
    pub totals: Totals,
    /// Why, on a cancel or a rejection.
    pub reason: Text<160>,
    /// Nothing more is expected of the order (a late fill may still come).
    pub last: bool,
    /// A PostOnly order that would have taken: its signal may be priced anew (spec D5).
    pub crossed: bool,
    /// When.
    pub at: Timestamp,
}

/// Kinds of order events (spec E1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Change {
    /// First evidence of acceptance.
    Created,
    /// Terms changed; the last word where the exchange made it so small that what was told fills it whole.
    Modified,
    /// A fill that is not the last.
    PartiallyFilled,
    /// The fill that ends it.
    Filled,
    /// Ended with a remainder.
    Cancelled,
    /// Never lived.
    Rejected,
}
