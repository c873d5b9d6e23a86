//! The families of faults: what a seed switches on or off, so that seeds differ in kind and not only in detail.

use crate::exchange::{Act, Lag, Quirk, Spell, VISIBLE_WITHIN};
use crate::scenario::{Action, Answer, Clock, CommitTrouble, Effect, FaultKind, Loss, Path};
use order_manager_core::unit::{LinkPrefix, OrderLinkId};
use std::fmt;

/// Defines the families once: variant, name, of how many seeds one has it, what it is.
macro_rules! families {
    ($($variant:ident, $name:literal, $odds:literal, $what:literal;)+) => {
        /// A family of faults.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        #[repr(u8)]
        pub enum Family { $(#[doc = $what] $variant,)+ }

        impl Family {
            /// All of them, in the order of the list.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)+];

            /// Its name, and the label under which all of it is drawn.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)+ }
            }

            /// One of so many seeds has it.
            #[must_use]
            pub const fn odds(self) -> u64 {
                match self { $(Self::$variant => $odds,)+ }
            }

            /// What it is.
            #[must_use]
            pub const fn what(self) -> &'static str {
                match self { $(Self::$variant => $what,)+ }
            }
        }
    };
}

families! {
    RequestLost, "request-lost", 5, "the exchange never hears of a request";
    RequestLate, "request-late", 6, "a request arrives late, also after its sender has given up";
    RequestTwice, "request-twice", 10, "a request arrives twice";
    ReplyLost, "reply-lost", 4, "a request was carried out, its reply is lost";
    ReplyLate, "reply-late", 5, "a reply comes late, also after every timeout";
    ReplyTwice, "reply-twice", 10, "a reply comes twice";
    Reset, "reset", 6, "a connection is reset: nobody knows whether the request was carried out, or will be";
    Unreached, "unreached", 8, "a connection is refused: no byte left";
    Reordered, "reordered", 5, "messages of one way overtake each other";
    Silence, "silence", 6, "pushes vanish for a while, on a stream that stays up";
    PushLost, "push-lost", 5, "a push of one topic is lost";
    PushLate, "push-late", 5, "a push comes late";
    PushTwice, "push-twice", 5, "a push comes twice";
    PushFirst, "push-first", 5, "what a request causes is pushed before its reply arrives";
    ServerError, "server-error", 6, "5xx with HTML, carried out or not";
    Forbidden, "forbidden", 10, "403 for single requests";
    Ban, "ban", 16, "403 for every request, until there was none for a while";
    RateLimited, "rate-limited", 6, "10006 or 429 for single requests";
    RateLimit, "rate-limit", 12, "10006 for every private request for a while, with and without its headers";
    TightBudgets, "tight-budgets", 6, "the account may order and cancel less often than Bybit's default allows";
    Busy, "busy", 5, "10000, 10016 or 10019, carried out or not";
    ClockRefusal, "clock-refusal", 10, "10002 as of a clock that is wrong";
    Refusal, "refusal", 6, "a request is refused for its own sake: balance, position, order gone, id known";
    RejectedLater, "rejected-later", 6, "an order is acknowledged, then rejected by the engine";
    StreamCut, "stream-cut", 4, "the private stream is cut, and stays so for a while";
    Reconnect, "reconnect", 6, "the private stream breaks and comes back after attempts that fail";
    Outage, "outage", 12, "nothing reaches the exchange, and nothing comes from there";
    Maintenance, "maintenance", 16, "10016 and 503 in turn, no stream, then realtime has forgotten what closed";
    QueryLag, "query-lag", 5, "a query endpoint shows what was true a while ago: of orders at most as long as is documented";
    LongLag, "long-lag", 12, "what is shown of orders is further behind than bybit-v5.md documents";
    PushLag, "push-lag", 6, "pushes of a topic are slow";
    EngineLag, "engine-lag", 8, "the engine decides long after the acknowledgement";
    Amnesia, "amnesia", 8, "realtime forgets closed orders, or shows nothing, or nobody shows them for a while";
    Paging, "paging", 8, "pages repeat rows, loop, end without a cursor, come unsorted";
    PushShape, "push-shape", 8, "orders that come to rest are not pushed; pushes come merged";
    NewWords, "new-words", 10, "statuses and reasons that nobody has heard of";
    Spelling, "spelling", 6, "the same facts in other JSON, and other words for the same refusals";
    FeeInMnt, "fee-in-mnt", 16, "fees are paid in MNT";
    CancelRace, "cancel-race", 5, "a cancel is acknowledged, then the order fills, whole or in part; or it comes too early";
    MarketOdd, "market-odd", 8, "market orders are refused, cancelled unfilled, or filled in part";
    ThinBook, "thin-book", 4, "the book holds little at its best price, and nothing behind";
    PriceGap, "price-gap", 6, "the price jumps through everything that rests between";
    PriceBand, "price-band", 12, "limit prices are held near to the last price";
    Manual, "manual", 8, "somebody trades on the account by hand";
    ManualClose, "manual-close", 12, "somebody closes the position by hand";
    ManualCancel, "manual-cancel", 10, "somebody cancels our orders by hand";
    Foreign, "foreign", 12, "orders of another client rest on the account";
    OwnUnknown, "own-unknown", 12, "an order bears our prefix, and our books do not have it";
    AdminCancel, "admin-cancel", 8, "the exchange cancels orders by itself";
    Adl, "adl", 12, "a counterparty takes a part of the position";
    Liquidation, "liquidation", 16, "orders are cancelled for margin, the position is taken over";
    UnknownExecution, "unknown-execution", 16, "an execution of an unknown kind moves the position";
    Funding, "funding", 12, "holders pay or get a share of the position's value";
    Leverage, "leverage", 16, "somebody sets another leverage";
    Hedge, "hedge", 24, "somebody turns on hedge mode";
    Rules, "rules", 16, "an instrument's tick and step change";
    SplitOrders, "split-orders", 12, "the largest order that is taken shrinks; a reduce-only order beyond it becomes several";
    Delisting, "delisting", 24, "an instrument stops trading, its position is settled";
    StoreDown, "store-down", 12, "nothing can be written or read";
    Crash, "crash", 3, "the process dies before its step is stored, before it acts, or after";
    CrashLoss, "crash-loss", 5, "and the store loses what it had not confirmed, or its checkpoints; or the next process dies too";
    Checkpoints, "checkpoints", 5, "checkpoints are taken, so that a restart goes on from one";
    CommitFails, "commit-fails", 8, "nothing is written, and the manager is dropped and restored";
    CommitSlow, "commit-slow", 6, "a commit takes long; inputs pile up and become one batch";
    ClockStep, "clock-step", 10, "the host's wall clock is set, forward or back";
    ClockDrift, "clock-drift", 10, "the host's clocks run fast or slow";
    Pause, "pause", 8, "the process stands still, then all that came in comes at once";
    Redelivery, "redelivery", 3, "the broker brings a message again";
    Broker, "broker", 6, "the broker doubles, reorders, forgets acknowledgements, or brings everything again";
}

/// How many there are.
pub(crate) const COUNT: usize = Family::ALL.len();

impl Family {
    /// The family of something that happens; none where it is no fault.
    #[must_use]
    pub fn of(action: &Action) -> Option<Self> {
        Some(match action {
            Action::Fault(fault) => Self::of_fault(&fault.kind),
            Action::Quirk(quirk) => Self::of_quirk(quirk),
            Action::StreamDown | Action::StreamUp => Self::StreamCut,
            Action::ExchangeDown | Action::ExchangeUp => Self::Outage,
            Action::StoreDown | Action::StoreUp => Self::StoreDown,
            Action::Crash(crash) if crash.loss != Loss::Kill => Self::CrashLoss,
            Action::Crash(_) => Self::Crash,
            Action::Silence(_) => Self::Silence,
            Action::Ban(_) => Self::Ban,
            Action::Reconnect(_) => Self::Reconnect,
            Action::Broker(_) => Self::Broker,
            Action::Commit(commit) => match commit.trouble {
                CommitTrouble::Fail => Self::CommitFails,
                CommitTrouble::Slow(_) => Self::CommitSlow,
            },
            Action::Checkpoint | Action::CheckpointEvery(_) => Self::Checkpoints,
            Action::Clock(Clock::Step(_)) => Self::ClockStep,
            Action::Clock(Clock::Drift(_)) => Self::ClockDrift,
            Action::Pause(_) => Self::Pause,
            Action::Manual(_) => Self::Manual,
            Action::Liquidity(_) => Self::ThinBook,
            Action::RejectNext => Self::RejectedLater,
            Action::Again(_) => Self::Redelivery,
            Action::Signal(_) | Action::Raw(_) | Action::Price(_) | Action::Touch(_) | Action::Expect(_) => {
                return None;
            }
        })
    }

    /// The family of a fault of the link.
    #[must_use]
    pub const fn of_fault(kind: &FaultKind) -> Self {
        match kind {
            FaultKind::Carry { path, effect } => match (path, effect) {
                (_, Effect::Reset(_)) => Self::Reset,
                (_, Effect::Refuse) => Self::Unreached,
                (_, Effect::Reorder(_)) => Self::Reordered,
                (Path::Request(_), Effect::Drop) => Self::RequestLost,
                (Path::Request(_), Effect::Delay(_)) => Self::RequestLate,
                (Path::Request(_), Effect::Duplicate) => Self::RequestTwice,
                (Path::Reply(_), Effect::Drop) => Self::ReplyLost,
                (Path::Reply(_), Effect::Delay(_)) => Self::ReplyLate,
                (Path::Reply(_), Effect::Duplicate) => Self::ReplyTwice,
                (Path::Push(_), Effect::Drop) => Self::PushLost,
                (Path::Push(_), Effect::Delay(_)) => Self::PushLate,
                (Path::Push(_), Effect::Duplicate) => Self::PushTwice,
            },
            FaultKind::PushFirst { .. } => Self::PushFirst,
            FaultKind::Answer { answer: Answer::Status(403), .. } => Self::Forbidden,
            FaultKind::Answer { answer: Answer::Status(429) | Answer::Code(10006), .. } => Self::RateLimited,
            FaultKind::Answer { answer: Answer::Status(_), .. } => Self::ServerError,
            FaultKind::Answer { answer: Answer::Code(10000 | 10016 | 10019), .. } => Self::Busy,
            FaultKind::Answer { answer: Answer::Code(10002), .. } => Self::ClockRefusal,
            FaultKind::Answer { answer: Answer::Code(_), .. } => Self::Refusal,
        }
    }

    /// The family of an oddity of the exchange.
    #[must_use]
    pub fn of_quirk(quirk: &Quirk) -> Self {
        use crate::exchange::Fate;
        let is_ours = |link: &OrderLinkId| OrderLinkId::parse(LinkPrefix::DEFAULT, link.as_str()).is_some();
        match quirk {
            Quirk::Lag { what: Lag::Realtime | Lag::History | Lag::ClosedGap, lag } if lag.0 > VISIBLE_WITHIN.0 => {
                Self::LongLag
            }
            Quirk::Spell { what: Spell::RealtimeBlank, length } if length.0 > VISIBLE_WITHIN.0 => Self::LongLag,
            Quirk::Lag { what, .. } => match what {
                Lag::Realtime | Lag::History | Lag::Executions => Self::QueryLag,
                Lag::Positions | Lag::Wallet | Lag::Tickers | Lag::Instruments => Self::QueryLag,
                Lag::OrderPush | Lag::ExecutionPush | Lag::PositionPush | Lag::WalletPush => Self::PushLag,
                Lag::Engine => Self::EngineLag,
                Lag::ClosedGap => Self::Amnesia,
                Lag::Untouchable => Self::CancelRace,
            },
            Quirk::Spell { what, .. } => Self::of_spell(*what),
            Quirk::Next { what, .. } => match what {
                Fate::CancelLoses | Fate::CancelPartial => Self::CancelRace,
                Fate::MarketRefused | Fate::MarketCancelled | Fate::MarketPartial => Self::MarketOdd,
                Fate::Rejected | Fate::RejectedWithFill => Self::RejectedLater,
            },
            Quirk::Act { what, .. } => match what {
                Act::AdminCancel | Act::AdminCancelOne => Self::AdminCancel,
                Act::LiquidationCancel | Act::Liquidation => Self::Liquidation,
                Act::Delist => Self::Delisting,
                Act::ManualClose => Self::ManualClose,
                Act::ManualCancel => Self::ManualCancel,
                Act::ForeignCancel => Self::Foreign,
                Act::HedgeMode | Act::OneWayMode => Self::Hedge,
            },
            Quirk::Amnesia => Self::Amnesia,
            Quirk::IdleCut => Self::StreamCut,
            Quirk::Dcp => Self::AdminCancel,
            Quirk::Adl { .. } => Self::Adl,
            Quirk::UnknownExecution { .. } => Self::UnknownExecution,
            Quirk::Funding { .. } => Self::Funding,
            Quirk::ForeignOrder { link, .. } if link.as_ref().is_some_and(is_ours) => Self::OwnUnknown,
            Quirk::ForeignOrder { .. } => Self::Foreign,
            Quirk::Leverage { .. } => Self::Leverage,
            Quirk::Rules { .. } => Self::Rules,
            Quirk::LargestOrder { .. } => Self::SplitOrders,
            Quirk::PriceGap { .. } => Self::PriceGap,
            Quirk::PriceBand { .. } => Self::PriceBand,
        }
    }

    const fn of_spell(spell: Spell) -> Self {
        match spell {
            Spell::Maintenance => Self::Maintenance,
            Spell::Ban => Self::Ban,
            Spell::RateLimit | Spell::RateLimitBare => Self::RateLimit,
            Spell::RealtimeBlank => Self::Amnesia,
            Spell::DuplicateRows | Spell::UnsortedExecutions | Spell::CursorLoop | Spell::CursorEnd => Self::Paging,
            Spell::SkipNew | Spell::MergedPushes => Self::PushShape,
            Spell::UnknownStatus | Spell::UnknownCancelType => Self::NewWords,
            Spell::FeeInMnt => Self::FeeInMnt,
            Spell::EmptyNumbers
            | Spell::NullNumbers
            | Spell::BareNumbers
            | Spell::BareEnvelope
            | Spell::OtherTexts
            | Spell::NewFields => Self::Spelling,
        }
    }

    /// The family of this name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|family| family.name() == name)
    }
}

impl fmt::Display for Family {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
