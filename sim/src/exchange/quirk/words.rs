//! The names of quirks that come in kinds: each enum with its words and what they do.

use order_manager_core::unit::Span;

macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($(#[$each:meta])* $variant:ident = $word:literal,)+ }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        pub enum $name { $($(#[$each])* $variant,)+ }

        impl $name {
            /// All of them.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];
            /// The word as a scenario spells it.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word,)+ }
            }
        }
    };
}

words!(
    /// What can be slow or behind: `quirk = { name = "realtime-lag", lag = "3s" }`.
    Lag {
        /// `order/realtime` shows what was true so long ago (Q43).
        Realtime = "realtime-lag",
        /// `order/history` shows an order so long after its end (Q45).
        History = "history-lag",
        /// `execution/list` shows an execution so long after it (Q50).
        Executions = "executions-lag",
        /// `position/list` shows what was true so long ago.
        Positions = "positions-lag",
        /// `account/wallet-balance` shows what was true so long ago.
        Wallet = "wallet-lag",
        /// `market/tickers` shows what was true so long ago.
        Tickers = "tickers-lag",
        /// `market/instruments-info` shows what was true so long ago.
        Instruments = "instruments-lag",
        /// The engine decides so long after the acknowledgement (Q3).
        Engine = "engine-lag",
        /// From the decision to the order push (Q4).
        OrderPush = "order-push-lag",
        /// From the decision to the execution push (Q4).
        ExecutionPush = "execution-push-lag",
        /// From the decision to the position push.
        PositionPush = "position-push-lag",
        /// From the decision to the wallet push.
        WalletPush = "wallet-push-lag",
        /// An order that ended is neither in realtime nor in history for so long (Q44).
        ClosedGap = "closed-gap",
        /// An order this young can be neither cancelled nor amended: 110001, though it goes on to live (Q9).
        Untouchable = "untouchable",
    }
);

words!(
    /// What can be so for a while: `quirk = { name = "maintenance", length = "10s" }`.
    Spell {
        /// 10016 and 503 in turn for every request, no private stream; then the closed cache is empty (Q61).
        Maintenance = "maintenance",
        /// 403 with HTML for every request, until there was none for so long; the stream goes on (Q58). As a rule 10 minutes.
        Ban = "ban",
        /// 10006 for every private request; the headers say when it ends (Q57).
        RateLimit = "rate-limit",
        /// 10006 for every private request without those headers (Q57).
        RateLimitBare = "rate-limit-bare",
        /// Realtime shows nothing.
        RealtimeBlank = "realtime-blank",
        /// The last row of a page comes again on the next, and history shows at once what realtime still shows (Q49).
        DuplicateRows = "duplicate-rows",
        /// Executions of one millisecond come in the wrong order (Q50).
        UnsortedExecutions = "unsorted-executions",
        /// The cursor of a last page points to that page again (Q48).
        CursorLoop = "cursor-loop",
        /// A last page has no cursor (Q48).
        CursorEnd = "cursor-end",
        /// Orders that come to rest are not told by push (Q5).
        SkipNew = "skip-new",
        /// Pushes of one topic that leave together are one message (Q27).
        MergedPushes = "merged-pushes",
        /// Orders have a status that nobody has heard of (Q29).
        UnknownStatus = "unknown-status",
        /// Orders that end without a fill are cancelled for a reason that nobody has heard of (Q29).
        UnknownCancelType = "unknown-cancel-type",
        /// Fees are paid in MNT (Q28).
        FeeInMnt = "fee-in-mnt",
        /// JSON: numbers that are zero or absent are `""` (Q20, Q21).
        EmptyNumbers = "empty-numbers",
        /// JSON: numbers that are absent are `null` (Q20).
        NullNumbers = "null-numbers",
        /// JSON: numbers stand without quotes (Q20).
        BareNumbers = "bare-numbers",
        /// JSON: no `time`, no `retExtInfo`, an empty `retMsg` where nothing is refused, a refusal's `result` is `null` (Q30).
        BareEnvelope = "bare-envelope",
        /// Other texts for the same codes (Q31).
        OtherTexts = "other-texts",
        /// JSON: fields that nobody has heard of (Q32).
        NewFields = "new-fields",
    }
);

words!(
    /// What becomes of the next orders or cancels: `quirk = { name = "cancel-partial", count = 2 }`.
    Fate {
        /// A cancel is acknowledged, then the order fills whole (Q6).
        CancelLoses = "cancel-loses-to-fill",
        /// A cancel is acknowledged, then half of the remainder fills, then it is cancelled (Q7).
        CancelPartial = "cancel-partial",
        /// A market order is refused with 10001 `[..]buy: [..] invalid` (Q14a).
        MarketRefused = "market-refused",
        /// A market order is acknowledged, then cancelled without a fill (Q14b).
        MarketCancelled = "market-cancelled",
        /// A market order is acknowledged, half of it fills, the rest is cancelled (Q14c).
        MarketPartial = "market-partial",
        /// An order is acknowledged, then `Rejected` (Q15).
        Rejected = "reject-after-ack",
        /// An order is acknowledged, half of it fills where it can, then `Rejected` (Q15).
        RejectedWithFill = "reject-with-fill",
    }
);

words!(
    /// What happens to a symbol: `quirk = { name = "delist", symbol = "BTCUSDT" }`.
    Act {
        /// The exchange cancels all orders of the account (Q63).
        AdminCancel = "admin-cancel",
        /// The exchange cancels our oldest open order (Q63).
        AdminCancelOne = "admin-cancel-one",
        /// All orders are cancelled to free margin before a liquidation that does not come (Q63).
        LiquidationCancel = "liquidation-cancel",
        /// All orders are cancelled, then the position is taken over at its bankruptcy price (Q63).
        Liquidation = "liquidation",
        /// The instrument stops trading, all orders are cancelled, the position is settled (Q63).
        Delist = "delist",
        /// Somebody closes the position by hand.
        ManualClose = "manual-close",
        /// Somebody cancels our orders by hand.
        ManualCancel = "manual-cancel",
        /// The orders of others on the account are cancelled by whoever made them.
        ForeignCancel = "foreign-cancel",
        /// Somebody turns on hedge mode. Bybit lets it only without a position and open orders: else nothing happens.
        HedgeMode = "hedge-mode",
        /// Somebody turns it off again; the same holds.
        OneWayMode = "one-way-mode",
    }
);

impl Spell {
    /// How long it lasts where a scenario does not say.
    #[must_use]
    pub const fn usual(self) -> Span {
        match self {
            Self::Ban => Span::secs(600),
            _ => Span::secs(10),
        }
    }
}
