//! The list: each oracle with its name and one line on why it must hold.

use std::fmt;

/// Defines the oracles once: variant, name, when, why.
macro_rules! oracles {
    ($($variant:ident, $name:literal, $when:ident, $why:literal;)+) => {
        /// What must hold.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        #[repr(u8)]
        pub enum Oracle { $(#[doc = $why] $variant,)+ }

        impl Oracle {
            /// All of them, in the order of the list.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)+];

            /// Its name on command lines and in failures.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)+ }
            }

            /// When it is judged.
            #[must_use]
            pub const fn when(self) -> When {
                match self { $(Self::$variant => When::$when,)+ }
            }

            /// Why it must hold.
            #[must_use]
            pub const fn why(self) -> &'static str {
                match self { $(Self::$variant => $why,)+ }
            }
        }
    };
}

/// When an oracle is judged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum When {
    /// At every step.
    Step,
    /// Once everything has healed.
    Healed,
    /// At every step, and slow: only where it is asked for.
    Thorough,
}

oracles! {
    NoDefect, "no-defect", Step, "a broken law of the program is a bug, whatever came of it";
    OneOrderAnIntent, "one-order-an-intent", Step, "a second order under one intent is money nobody meant to spend (O1, F01)";
    DurableBeforeSent, "durable-before-sent", Step, "what left and is not durable is forgotten by a crash (O1, F73)";
    SentAsIntended, "sent-as-intended", Step, "what was judged is the intent: an order that differs from it passed no limit (D1)";
    CancelHasReason, "cancel-has-reason", Step, "a cancel that nobody wanted takes away a trade (D3)";
    DecidedAsAsked, "decided-as-asked", Step, "an order of another kind, price or size than the spec makes of its signal is another trade (D4 to D9)";
    CancelsInTheWay, "cancels-in-the-way", Step, "what stays in the way fills beside the new order, and what need not go was a trade (D2)";
    RefusedForCause, "refused-for-cause", Step, "a signal that is refused for nothing is a trade that never happens, or an exit (P3, D9)";
    SignedAtDecision, "signed-at-decision", Step, "the signed time bounds the last arrival, and proofs of absence are built on it (O2)";
    NoCreateAfterExpiry, "no-create-after-expiry", Step, "an old signal speaks of a market that is gone (S6)";
    NoResendWhileAlive, "no-resend-while-alive", Step, "a create beside one that lives, or may yet arrive, is a second order (O2, F01)";
    WellFormed, "well-formed", Step, "an order off the exchange's steps is refused, and the signal is lost (D7)";
    BudgetPerEndpoint, "budget-per-endpoint", Step, "who asks too often is banned, and then cannot even cancel (O5, F60)";
    BannedIsQuiet, "banned-is-quiet", Step, "a ban lasts for as long as one goes on asking: nothing is cancelled, nothing is closed (O5)";
    CancelsNotStarved, "cancels-not-starved", Step, "an order that should go and stays can fill at any moment (O5, F61)";
    StaleDataNeverOpens, "stale-data-never-opens", Step, "limits judged by old figures are no limits, and an exit is cut to an old position (K2, D6)";
    HaltedOpensNothing, "halted-opens-nothing", Step, "what is halted was contradicted: it opens when people have looked (O2, K4)";
    DriftLimit, "drift-limit", Step, "a price far from the signal's is another market than the model saw (D6)";
    PositionLimit, "position-limit", Step, "the operator's limit on a position holds in the worst case, by the exchange's truth (K1)";
    ExposureLimit, "exposure-limit", Step, "the operator's limit on all positions holds in the worst case, by the exchange's truth (K1)";
    PositionNotionalLimit, "position-notional-limit", Step, "the operator's limit on what a position is worth holds in the worst case, by the exchange's truth (K1)";
    LeverageLimit, "leverage-limit", Step, "with a leverage that nobody allowed a small move takes all (K2)";
    NeverMoreThanAsked, "never-more-than-asked", Step, "nothing ever grows an order: not rounding, not a minimum, not a limit (D7, K3)";
    OrderSizeLimit, "order-size-limit", Step, "one order may risk so much and no more (K2)";
    Balance, "balance", Step, "an order beyond the balance is one that was decided by wrong figures (P5)";
    NoShortUnlessAllowed, "no-short-unless-allowed", Step, "a short position where none is allowed has no bound on its loss (D9)";
    ReduceOnlyNeverGrows, "reduce-only-never-grows", Step, "an exit that opens is the opposite of what was asked for (D9, I5, F67)";
    SeenIsReal, "seen-is-real", Step, "what is booked of an order is what the exchange has: never more filled, never ended early, never alive after its end (O3)";
    EvidenceAtHand, "evidence-at-hand", Step, "a fact names the frame that showed it, or nobody can check it (O2)";
    FillBookedIsReal, "fill-booked-is-real", Step, "a booked fill that the exchange has not made is invented money (I2)";
    FillBookedOnce, "fill-booked-once", Step, "a fill that is booked twice doubles the position (I2, F35)";
    ToldIsFilled, "told-is-filled", Step, "what is told of fills is what the exchange filled, never more (P2)";
    AnswerIsTrue, "answer-is-true", Step, "an answer taken for not executed, when it was, is a second order or a lost one (O2, F04, F17)";
    TerminalWithEvidence, "terminal-with-evidence", Step, "no timeout and no guess decides an order's fate (O2, I3)";
    EndedIsEnded, "ended-is-ended", Step, "an order told ended that lives fills without anybody watching (O2, F05, F21)";
    AbsenceIsTrue, "absence-is-true", Step, "an order proven absent that exists is placed a second time (O2)";
    WatermarkNotAhead, "watermark-not-ahead", Step, "a fill before the watermark that is not booked is never asked for again (T3)";
    FifoPerSymbol, "fifo-per-symbol", Step, "signals of a symbol mean what they mean in their order (S5)";
    OneActiveASymbol, "one-active-a-symbol", Step, "two signals at work on a symbol see each other's halves (S5)";
    SettledOnce, "settled-once", Step, "a signal is carried out once (S7)";
    SettledInTime, "settled-in-time", Step, "a signal that waits where nothing stands in its way is a trade too late, or an exit (S5, P1)";
    OutcomeIsTrue, "outcome-is-true", Step, "rejected and filled, or placed and nowhere, is a lie to the caller (S7, F03)";
    OneReceiptADelivery, "one-receipt-a-delivery", Step, "a message without an answer comes for ever, one with two confuses its sender (S1)";
    SettledAfterDurable, "settled-after-durable", Step, "what is acknowledged and not durable is lost by a crash (S1, S4)";
    CreatedFirst, "created-first", Step, "readers drop events of an order they have not heard of (E1)";
    EndsOnce, "ends-once", Step, "readers close an order at its end (E1)";
    IncrementsSumUp, "increments-sum-up", Step, "Position Manager adds up increments: their sum is the position (E2)";
    ExecutionsNamedOnce, "executions-named-once", Step, "an execution named twice is a fill counted twice (E2)";
    PublishedEveryChange, "published-every-change", Step, "a change that nobody is told of did not happen for the others (I6, E3)";
    PublishedAsBooked, "published-as-booked", Step, "the neighbours book what is published, not what we know (E2)";
    EventIdsUnique, "event-ids-unique", Step, "readers drop what bears an id they know (E3)";
    DecidedInSync, "decided-in-sync", Step, "a decision in a gap of the stream is one on half the facts (T1)";
    ReadyIsEarned, "ready-is-earned", Step, "who says ready and is not gets signals that wait (T1)";
    WakesAhead, "wakes-ahead", Step, "a waking time that has passed is a busy loop";
    NoBusyLoop, "no-busy-loop", Step, "a manager that works without end has no time for what matters (I10)";
    RecordReadsBack, "record-reads-back", Step, "what cannot be read back is not stored (I9)";
    MemoryBounded, "memory-bounded", Step, "what grows without bound ends the process one day (I10)";
    RestoredIsDurable, "restored-is-durable", Step, "a restart must neither forget what was said nor invent what was not (T1, I9)";
    ReferenceBooks, "reference-books", Thorough, "a book-keeper who only adds up the exchange's figures must come to the same books (O3, T4)";
    BooksEqual, "books-equal", Healed, "orders, executions, positions and cash are the exchange's once it has told all (P2)";
    PositionsAsTold, "positions-as-told", Healed, "who adds up what was published must hold the exchange's position (E2, I4)";
    AllIsTold, "all-is-told", Healed, "an order that ended there and not for our readers stays open in their books (I6)";
    RowsAsBooked, "rows-as-booked", Healed, "Position Manager and the model read the rows, and correct us by them (O4, P2)";
    Ready, "ready", Healed, "what has healed must take signals again (T1)";
    LanesEmpty, "lanes-empty", Healed, "a lane that never moves again is a trade that never happens (S5)";
    SignalsAccounted, "signals-accounted", Healed, "every signal that was taken ends placed or with a reason (S4, P3)";
    DeliveriesAnswered, "deliveries-answered", Healed, "a message that is never acknowledged comes for ever (S1)";
    NothingUnknown, "nothing-unknown", Healed, "an Unknown ends by evidence or by proven absence, and both were there to be had (O2)";
    CancelsDone, "cancels-done", Healed, "a cancel is wanted until it is proven (D2)";
    NotHalted, "not-halted", Healed, "opening that stays halted though nothing contradicted us is a lost day (K4)";
    QuietWhenIdle, "quiet-when-idle", Healed, "with nothing to do there is nothing but the periodic reconcile (I10)";
    FoldIsState, "fold-is-state", Healed, "the state is the fold of the stored events, or a restart is another manager (I9)";
    ReplayIsSame, "replay-is-same", Healed, "an incident that cannot be replayed cannot be explained (I9, P8)";
    CheckpointIsSame, "checkpoint-is-same", Healed, "a checkpoint is an optimisation: nothing may depend on it (I9)";
}

impl Oracle {
    /// The oracle of this name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|oracle| oracle.name() == name)
    }

    /// It is judged at one step of so many, or of healed worlds in one of so many, but where no cost is spared: alone,
    /// and in `check`.
    #[must_use]
    pub const fn one_of(self) -> u64 {
        match self {
            Self::RecordReadsBack | Self::MemoryBounded => 64,
            Self::FoldIsState | Self::ReplayIsSame | Self::CheckpointIsSame | Self::RowsAsBooked => 8,
            _ => 1,
        }
    }
}

impl fmt::Display for Oracle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A set of oracles.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Set(u128);

const _: () = assert!(Oracle::ALL.len() <= 128, "a set has a bit for each oracle");

impl Set {
    /// None of them.
    pub const NONE: Self = Self(0);

    /// Every one but those that are thorough.
    #[must_use]
    pub fn all() -> Self {
        let quick = Oracle::ALL.iter().filter(|oracle| oracle.when() != When::Thorough);
        quick.fold(Self::NONE, |set, oracle| set.with(*oracle))
    }

    /// Every one, the slow ones too.
    #[must_use]
    pub fn thorough() -> Self {
        Oracle::ALL.iter().fold(Self::NONE, |set, oracle| set.with(*oracle))
    }

    /// Does it spare no cost: an oracle by itself, or every one?
    #[must_use]
    pub(crate) const fn spares_nothing(self) -> bool {
        self.count() == 1 || self.has(Oracle::ReferenceBooks)
    }

    /// Just this one.
    #[must_use]
    pub const fn only(oracle: Oracle) -> Self {
        Self(1 << oracle as u8)
    }

    /// With this one too.
    #[must_use]
    pub const fn with(self, oracle: Oracle) -> Self {
        Self(self.0 | 1 << oracle as u8)
    }

    /// Without this one.
    #[must_use]
    pub const fn without(self, oracle: Oracle) -> Self {
        Self(self.0 & !(1 << oracle as u8))
    }

    /// How many.
    #[must_use]
    pub const fn count(self) -> u32 {
        self.0.count_ones()
    }

    /// Is it one of them?
    #[must_use]
    pub const fn has(self, oracle: Oracle) -> bool {
        self.0 & (1 << oracle as u8) != 0
    }
}
