//! Marks: what a campaign must have come through at least sometimes. A campaign in which one is never reached has
//! proven less than it says.

use super::family::{self, Family};
use order_manager_core::refusal::Code;
use std::collections::BTreeMap;

/// Defines the marks once: variant, name, and the families that can bring it about; any world can where there are none.
macro_rules! marks {
    ($($variant:ident, $name:literal, [$($family:ident),*];)+) => {
        /// Something that should happen sometimes.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        #[repr(u8)]
        pub enum Mark { $(#[doc = $name] $variant,)+ }

        impl Mark {
            /// All of them.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)+];

            /// Its name.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)+ }
            }

            /// The families of which one must be drawn for it; none where it can come up in any world.
            const fn families(self) -> &'static [Family] {
                match self { $(Self::$variant => &[$(Family::$family),*],)+ }
            }
        }
    };
}

marks! {
    FillBeforeAck, "fill before the create's reply", [];
    FillAfterCancelAck, "fill after the cancel was acknowledged", [];
    FillAfterEnd, "fill after the order's end was told", [];
    PartialThenCancelled, "order cancelled with fills", [];
    RowBeforeExecutions, "order told filled before an execution explains it", [];
    ExecutionTwice, "execution pushed that is booked already", [];
    ExecutionByQuery, "execution learned from a query", [];
    GapClosedByQuery, "execution of a stream gap learned from a query", [];
    ReplyUnknown, "create of which nobody knows", [];
    UnknownByRealtime, "unknown order found in realtime", [];
    UnknownByHistory, "unknown order found in history", [];
    UnknownByExecutions, "unknown order found in executions", [];
    UnknownByPush, "unknown order found by a push", [];
    UnknownBySweep, "unknown order found by a sweep", [];
    ProvenAbsent, "order proven absent", [];
    NotSent, "create that never left, or was refused before matching", [];
    PostOnlyCrossed, "PostOnly order that crossed", [];
    SecondOrder, "second order of one signal", [];
    ExitPassedUnknown, "exit decided beside an unknown opening order", [];
    ExpiredUnsent, "order expired before it was sent", [];
    CancelWanted, "cancel wanted", [];
    RefusedByExchange, "create refused by the exchange", [];
    RateLimited, "reply 10006", [RateLimited, RateLimit];
    ClockRefused, "reply 10002", [ClockRefusal, RequestLate, Pause, CommitSlow];
    LinkKnown, "reply 110072", [];
    OrderGone, "reply 110001", [];
    Banned, "reply 403", [Forbidden, Ban];
    ServerFailed, "reply 5xx", [ServerError, Maintenance];
    ReplyLost, "request without an answer", [];
    StreamGap, "stream gap", [StreamCut, Reconnect, Outage, Maintenance];
    SignalRepeated, "redelivered signal deduplicated", [];
    SignalConflict, "signal id with other content", [];
    SignalRetried, "fresh copy of a signal that failed for a while is a new try", [];
    SignalInvalid, "invalid signal", [];
    DeadLettered, "message that is no signal", [];
    IntakePaused, "intake paused", [];
    SignalsQueued, "signal accepted while one is at work on its symbol", [];
    ForeignExecution, "execution of somebody else", [Manual, ManualClose, Foreign, UnknownExecution];
    Deleveraged, "ADL execution", [Adl];
    Liquidated, "liquidation execution", [Liquidation];
    Settled, "settlement of a delisted instrument", [Delisting];
    PositionAdopted, "position adopted from the exchange", [];
    InstrumentChanged, "instrument rules changed", [];
    Quarantined, "frame quarantined", [NewWords];
    GroupCommit, "commit of more than three steps", [];
    CrashBeforePersist, "crash before the step is stored", [Crash, CrashLoss];
    CrashBeforeAct, "crash between persist and act", [Crash, CrashLoss];
    CrashAfterRequest, "crash after a request left", [Crash, CrashLoss];
    CrashInRecovery, "crash in recovery", [CrashLoss];
    TailCut, "torn or unsynced tail cut", [CrashLoss];
    RecordTwice, "last record stored twice", [CrashLoss];
    CheckpointLost, "checkpoint lost", [CrashLoss];
    RestoredFromCheckpoint, "restored from a checkpoint", [Checkpoints];
    CommitFailed, "commit failed", [CommitFails];
}

const MARKS: usize = Mark::ALL.len();
const CODES: usize = Code::ALL.len();

/// Refusal codes that no world of the swarm can come to, each with the reason.
const UNREACHABLE: &[Code] = &[
    Code::Validation,    // told by a receipt and a row, never an outcome
    Code::Duplicate,     // the same
    Code::Conflict,      // the same
    Code::Defect,        // an oracle says that it must not be
    Code::TradingHalted, // opening halts where the exchange contradicts us, and it does not here
    Code::ReducingOnly,  // the same
    Code::AboveMaximum,  // the largest signals are implausible before they are too large for the exchange
    Code::LaneFull,      // intake pauses, and the message comes again
    Code::SymbolTooFine, // no instrument here is finer than the tables
];

/// How often each mark was reached, each family acted, and each refusal was given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Marks {
    marks: [u64; MARKS],
    acted: [u64; family::COUNT],
    refused: [u64; CODES],
}

impl Default for Marks {
    fn default() -> Self {
        Self { marks: [0; MARKS], acted: [0; family::COUNT], refused: [0; CODES] }
    }
}

impl Marks {
    /// This was reached.
    pub const fn hit(&mut self, mark: Mark) {
        self.marks[mark as usize] += 1;
    }

    /// A fault of this family took effect.
    pub const fn acted(&mut self, family: Family) {
        self.acted[family as usize] += 1;
    }

    /// A signal ended so.
    pub fn refused(&mut self, code: Code) {
        if let Some(place) = Code::ALL.iter().position(|known| *known == code) {
            self.refused[place] += 1;
        }
    }

    /// Faults that took effect.
    #[must_use]
    pub fn faults(&self) -> u64 {
        self.acted.iter().sum()
    }

    /// Both together.
    pub fn add(&mut self, other: &Self) {
        let pairs = [
            (&mut self.marks[..], &other.marks[..]),
            (&mut self.acted[..], &other.acted[..]),
            (&mut self.refused[..], &other.refused[..]),
        ];
        for (own, others) in pairs {
            own.iter_mut().zip(others).for_each(|(own, other)| *own += other);
        }
    }

    /// Every mark that these families can bring about, with its count, by name; and how often each of them acted.
    #[must_use]
    pub fn by_name(&self, families: &[Family]) -> BTreeMap<String, u64> {
        let drawn = |mark: &Mark| {
            let needed = mark.families();
            needed.is_empty() || needed.iter().any(|family| families.contains(family))
        };
        let marks = Mark::ALL.iter().copied().filter(drawn);
        let marks = marks.map(|mark| (mark.name().to_string(), self.marks[mark as usize]));
        let acted = families.iter().map(|family| (format!("acted: {family}"), self.acted[*family as usize]));
        let codes = Code::ALL.iter().enumerate().filter(|(_, code)| !UNREACHABLE.contains(code));
        let refused = codes.map(|(place, code)| (format!("refused: {}", code.as_str()), self.refused[place]));
        marks.chain(acted).chain(refused).collect()
    }
}
