//! Why a signal or an order goes no further: a code for machines, figures for people.

use crate::unit::Text;
use core::fmt;
use serde::{Deserialize, Serialize};

macro_rules! codes {
    ($($(#[doc = $doc:literal])+ $name:ident => $word:literal,)+) => {
        /// The machine-readable word of a refusal (spec K2). Stored and published: words are never renamed.
        ///
        #[doc = include_str!("../doc/refusals.md")]
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(rename_all = "snake_case")]
        pub enum Code { $($(#[doc = $doc])+ $name,)+ }

        impl Code {
            /// Every code, in the order of the table.
            pub const ALL: &'static [Self] = &[$(Self::$name),+];
            /// The word, as serde writes it too.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$name => $word,)+ }
            }
            /// What it means, in a sentence: the text of the table in the documentation.
            #[must_use]
            pub const fn meaning(self) -> &'static str {
                match self { $(Self::$name => concat!($($doc),+).trim_ascii_start(),)+ }
            }
        }
    };
}

codes!(
    /// The signal itself is malformed (spec S3).
    Validation => "validation",
    /// The same signal again (spec S7).
    Duplicate => "duplicate",
    /// The same signal id with different content (spec S7).
    Conflict => "conflict",
    /// Trading, or opening on the symbol, is halted (spec K4).
    TradingHalted => "trading_halted",
    /// Only reducing orders pass (spec K4).
    ReducingOnly => "reducing_only",
    /// The exchange does not list the symbol.
    UnknownSymbol => "unknown_symbol",
    /// The exchange lists the symbol, but not as `Trading`.
    SymbolNotTrading => "symbol_not_trading",
    /// What the decision would rest on is too old and could not be renewed (spec K2).
    DataStale => "data_stale",
    /// Leverage of the symbol is above `MAX_LEVERAGE`.
    Leverage => "leverage",
    /// Margin and fees do not fit what the wallet has free.
    InsufficientBalance => "insufficient_balance",
    /// Above `MAX_EXPOSURE * MAX_ORDER_SIZE_RATIO`.
    OrderSize => "order_size",
    /// Above `MAX_POSITION_SIZE`.
    PositionSize => "position_size",
    /// Above `MAX_POSITION_NOTIONAL`.
    PositionNotional => "position_notional",
    /// Above `MAX_EXPOSURE`.
    Exposure => "exposure",
    /// Below the exchange's smallest quantity or order value (spec D7).
    BelowMinimum => "below_minimum",
    /// Above the exchange's largest quantity (spec D7).
    AboveMaximum => "above_maximum",
    /// Over three times a size limit (spec D7).
    ImplausibleSize => "implausible_size",
    /// Nothing that this signal may reduce (spec D9).
    NothingToSell => "nothing_to_sell",
    /// The price has moved too far from the signal's (spec D6).
    PriceDrift => "price_drift",
    /// No price to decide with, or none that the exchange would take (spec D6).
    NoPrice => "no_price",
    /// Too old at intake (spec S6).
    SignalExpired => "signal_expired",
    /// Too old when its turn came (spec S6).
    ExpiredWaiting => "expired_waiting",
    /// Its timestamp lies too far in the future (spec S6).
    SignalFromFuture => "signal_from_future",
    /// Below `MIN_CONFIDENCE` (spec S8).
    LowConfidence => "low_confidence",
    /// A PostOnly order crossed as often as it may be re-priced (spec D5).
    NotExecuted => "not_executed",
    /// The exchange said no.
    ExchangeRefused => "exchange_refused",
    /// Proven never to have reached the exchange (spec O2).
    ProvenAbsent => "proven_absent",
    /// Could not be sent before it expired (spec O2).
    ExpiredUnsent => "expired_unsent",
    /// The exchange could not be reached.
    ExchangeUnavailable => "exchange_unavailable",
    /// The symbol's lane, or all lanes together, hold as many signals as they may (spec S5).
    LaneFull => "lane_full",
    /// Tick or step is finer than the 8 decimals of our rows (spec T5).
    SymbolTooFine => "symbol_too_fine",
    /// An invariant of ours is broken.
    Defect => "defect",
);

impl Code {
    /// Is it one of S7's transient failures, after which a fresh copy of the signal is a new try?
    #[must_use]
    pub const fn is_transient(self) -> bool {
        matches!(self, Self::ExpiredUnsent | Self::ExchangeUnavailable | Self::DataStale | Self::ProvenAbsent)
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// A code, and a text with the figures that led to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("{code}: {text}")]
pub struct Refusal {
    /// For machines.
    pub code: Code,
    /// For people: what, which value, which limit.
    pub text: Text<200>,
}

impl Refusal {
    /// A refusal with a formatted text: `Refusal::new(code, format_args!("{size} is over {limit}"))`.
    #[must_use]
    pub fn new(code: Code, text: fmt::Arguments<'_>) -> Self {
        Self { code, text: Text::written(text) }
    }

    /// Figures that 28 digits cannot hold: nothing is decided on them.
    #[must_use]
    pub fn overflow(code: Code, what: &str) -> Self {
        Self::new(code, format_args!("{what} cannot be computed: its figures are too large"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString;

    #[test]
    fn every_word_is_what_serde_writes() {
        for code in Code::ALL {
            assert_eq!(serde_json::to_value(code).unwrap(), code.as_str());
        }
    }

    #[test]
    fn s7_transient_failures_are_the_listed_ones() {
        let transient: alloc::vec::Vec<_> = Code::ALL.iter().filter(|c| c.is_transient()).map(|c| c.as_str()).collect();
        assert_eq!(transient, ["data_stale", "proven_absent", "expired_unsent", "exchange_unavailable"]);
    }

    #[test]
    fn long_texts_are_clipped_not_refused() {
        let refusal = Refusal::new(Code::Leverage, format_args!("{:>300}", 1));
        assert_eq!(refusal.text.as_str().len(), 200);
        assert!(refusal.to_string().starts_with("leverage: "));
    }
}
