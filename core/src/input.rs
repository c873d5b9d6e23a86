//! Everything that can happen to the manager. With [`crate::command`] and [`crate::event`] these three enums
//! are the architecture.

pub use crate::order::InheritedOrder;

use crate::bybit::{ApiReply, LimitHeaders, Operation, Push};
use crate::config::Config;
use crate::intake::Signal;
use crate::outcome::Outcome;
use crate::unit::{Bytes, Fingerprint, OrderLinkId, Symbol, Text, Timestamp, TraceId};
use alloc::boxed::Box;
use alloc::collections::{BTreeMap, VecDeque};
use alloc::vec::Vec;
use serde::{Deserialize, Serialize};

/// One input. All of them are journaled as they came; bytes from outside stay bytes, so that a mended
/// decoder reads them anew in a replay.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Input {
    /// The first input of every life of the process: a first start, a restart, a fail-over.
    Started(Box<Started>),
    /// The time that [`crate::Manager::wake`] named has come.
    Woke,
    /// A signal's message.
    Signal(Box<Delivery>),
    /// A signal's message of which the store refused a row because of its data: it belongs to the dead letters, and
    /// only it (spec S4).
    Refused(Box<RefusedDelivery>),
    /// Orders of the service that stood here before us, which may still be open at the exchange (spec T1). Comes
    /// right after the first [`Input::Started`].
    Inherited(Vec<InheritedOrder>),
    /// A fill event of this symbol may have been published twice, and Position Manager adds up whatever comes:
    /// its figure is not used until it has validated it (spec E3).
    Doubted(Symbol),
    /// What became of a request or of a question.
    Reply {
        /// The request.
        tag: Tag,
        /// The answer.
        answer: Box<Answer>,
    },
    /// The private stream.
    Stream(Box<Stream>),
    /// The process is about to end: nothing new is decided or sent in this life, answers are still taken (spec A5).
    Stopping,
    /// A checkpoint was taken just before this. What was observed is forgotten, as a restart forgets it, so that
    /// a replay from that checkpoint decides what the live manager decides.
    Checkpointed(Box<Resumed>),
    /// A signal without the encoding: the simulator's fast link.
    TypedSignal(Box<TypedDelivery>),
}

/// What a replay from a checkpoint must know besides what that holds.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Resumed {
    /// The rules of this life.
    pub config: Config,
    /// Is the private stream up?
    pub stream_up: bool,
    /// Requests that are out, and when they were sent: their answers still come.
    pub out: Vec<(Tag, Timestamp)>,
    /// Which endpoints are held, and whether we may be banned. What was spent the checkpoint tells itself, so that here is
    /// nothing of it.
    #[serde(default)]
    pub budgets: Budgets,
}

/// When the last requests to each endpoint went at the latest, as many as may go within a second.
pub type Spent = BTreeMap<Operation, VecDeque<Timestamp>>;

/// What was spent of each endpoint's budget lately, and until when which of them is held.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Budgets {
    /// When the last requests went, at the latest.
    pub spent: Spent,
    /// Nothing of these goes before: the exchange said that their budget is spent.
    pub held_until: BTreeMap<Operation, Timestamp>,
    /// Our address may be banned. None since something was answered.
    #[serde(default)]
    pub ban: Option<Ban>,
}

/// Requests are answered 403, and that is all that is known since.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ban {
    /// When the last of them went.
    pub asked_at: Timestamp,
    /// Nothing at all goes before.
    pub until: Timestamp,
}

/// How a life begins.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Started {
    /// Lives so far, from 1.
    pub life: u32,
    /// The rules of this life.
    pub config: Config,
}

/// Names a delivery towards whoever brought it: a broker's delivery tag, an HTTP call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct DeliveryId(pub u64);

/// A signal's message, as it came.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Delivery {
    /// To acknowledge or answer it.
    pub id: DeliveryId,
    /// The trace id of the message's header (spec S9).
    pub trace: Option<TraceId>,
    /// What the store knows of a signal that the core has forgotten (spec S7).
    pub prior: Option<Prior>,
    /// The body.
    pub body: Bytes,
}

/// A signal without a message.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TypedDelivery {
    /// To acknowledge or answer it.
    pub id: DeliveryId,
    /// What the store knows of a signal that the core has forgotten (spec S7).
    pub prior: Option<Prior>,
    /// The signal, as [`crate::intake::decode`] would have made it.
    pub signal: Signal,
}

/// A message that the store refused.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RefusedDelivery {
    /// To acknowledge or answer it.
    pub id: DeliveryId,
    /// The body.
    pub body: Bytes,
    /// The database's words.
    pub why: Text<200>,
}

/// A signal of the past, looked up by intake.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Prior {
    /// Content hash of its first copy.
    pub fingerprint: Fingerprint,
    /// How it ended.
    pub outcome: Outcome,
    /// Tries so far.
    pub tries: u8,
}

impl Prior {
    /// Of a signal that was invalid: its content was never read, so it is no copy of anything.
    pub const INVALID: Self = Self { fingerprint: Fingerprint(0), outcome: Outcome::INVALID, tries: 1 };
}

/// Names a request by what it is for, so that its answer finds its way without a table, after a restart too.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Tag {
    /// Place this order.
    Create(OrderLinkId),
    /// Cancel this order.
    Cancel(OrderLinkId),
    /// Ask about this order.
    Inquiry {
        /// The order.
        link: OrderLinkId,
        /// Where.
        source: Source,
        /// Since which restart or checkpoint: an answer from before it is no proof.
        epoch: u32,
        /// Which round of asking; older answers are no proof either.
        round: u32,
    },
    /// A page of the account-wide reconcile.
    Sweep {
        /// Which reconcile of this life.
        run: u32,
        /// Which page, counted through all its stages.
        page: u32,
    },
    /// The exchange's clock.
    Clock,
    /// The wallet.
    Wallet,
    /// A symbol's rules.
    Instrument(Symbol),
    /// A symbol's position.
    Position(Symbol),
    /// A symbol's prices.
    Ticker(Symbol),
    /// Position Manager's word.
    Consult(Question),
}

/// What Position Manager is asked (spec K1, E3; wire-contracts.md 3.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Question {
    /// `GET /api/v1/positions/{asset}`.
    Position(Symbol),
    /// `GET /api/v1/portfolio/exposure`.
    Exposure,
    /// `POST /api/v1/positions/{asset}/validate`.
    Validate(Symbol),
}

/// Where an order is asked about (bybit-v5.md 2.11).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Source {
    /// Open and recently closed orders.
    Realtime,
    /// Closed orders.
    History,
    /// Fills.
    Executions,
}

impl Source {
    /// The endpoint.
    #[must_use]
    pub const fn operation(self) -> Operation {
        match self {
            Self::Realtime => Operation::OpenOrders,
            Self::History => Operation::OrderHistory,
            Self::Executions => Operation::Executions,
        }
    }
}

/// What became of a request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Answer {
    /// It failed before any byte left: surely not executed.
    NotSent {
        /// Why, for people.
        why: Text<96>,
    },
    /// It left, and no whole answer came: nobody knows.
    Lost {
        /// Why, for people.
        why: Text<96>,
    },
    /// An HTTP answer, as it came.
    Http {
        /// HTTP status.
        status: u16,
        /// Rate-limit headers.
        limits: LimitHeaders,
        /// Body.
        body: Bytes,
    },
    /// The same without the encoding: the simulator's fast link.
    Typed(ApiReply),
}

/// What the private stream brings.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Stream {
    /// Connected, authenticated, subscribed: pushes flow from now on; what came before is lost.
    Up,
    /// Gone.
    Down,
    /// A message, as it came.
    Frame(Bytes),
    /// The same without the encoding: the simulator's fast link.
    Typed(Push),
    /// A message of the queue `ws-gateway.order`, as it came (wire-contracts.md 1.3).
    Gateway(Bytes),
}
