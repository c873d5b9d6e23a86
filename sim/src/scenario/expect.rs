//! What a scenario expects to be true at a moment.

use super::Action;
use super::problem::Problem;
use super::raw::{RawExpect, Word, Words};
use super::read::Reader;
use super::word;
use order_manager_core::unit::{Quantity, Symbol};
use std::collections::BTreeMap;
use std::fmt;

/// Everything named must hold; what is not named is not looked at.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Expect {
    /// Orders of ours that the exchange has ever taken.
    pub orders: Option<u32>,
    /// Orders of ours that rest at the exchange now.
    pub open: Option<u32>,
    /// Public status of our last order.
    pub status: Option<OrderWord>,
    /// State of signals by alias.
    pub signal: BTreeMap<String, SignalWord>,
    /// Machine-readable code of a signal's refusal, by alias (spec K2).
    pub code: BTreeMap<String, String>,
    /// Signed position by symbol, base units, in the core and at the exchange.
    pub position: BTreeMap<Symbol, Quantity>,
    /// Executions of our orders, each counted once.
    pub fills: Option<u32>,
    /// Our orders with status `rejected`.
    pub rejected: Option<u32>,
    /// Our orders with status `cancelled`.
    pub cancelled: Option<u32>,
    /// Our orders whose fate is unknown now.
    pub unknown: Option<u32>,
    /// Dead letters so far.
    pub dead_letters: Option<u32>,
    /// Deliveries counted as duplicates so far (spec S7).
    pub duplicates: Option<u32>,
    /// Deliveries refused as conflicts so far (spec S7).
    pub conflicts: Option<u32>,
    /// Types of the published events so far, all of them, in order (spec E1).
    pub events: Option<Vec<EventWord>>,
    /// Is no lane busy or waiting?
    pub settled: Option<bool>,
    /// Do our orders, fills and positions equal the exchange's?
    pub consistent: Option<bool>,
}

macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($(#[$each:meta])* $variant:ident = $word:literal,)+ }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        pub enum $name { $($(#[$each])* $variant,)+ }
        impl $name {
            const TABLE: &'static [(&'static str, Self)] = &[$(($word, Self::$variant)),+];
            /// The word as a scenario spells it.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word,)+ }
            }
        }
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(self.as_str())
            }
        }
    };
}

words!(
    /// An order's public status (spec O4).
    OrderWord {
        /// At the exchange or on its way, no fill.
        Pending = "pending",
        /// Resting with fills.
        PartiallyFilled = "partially_filled",
        /// Ended with fills.
        Filled = "filled",
        /// Ended without fills.
        Cancelled = "cancelled",
        /// Refused, or proven absent.
        Rejected = "rejected",
        /// Never sent.
        DryRun = "dry_run",
    }
);

words!(
    /// A signal's state (spec S5, S7).
    SignalWord {
        /// In its lane, behind another.
        Waiting = "waiting",
        /// Its turn has come and it is not settled.
        Working = "working",
        /// An order of it is Unknown.
        Unknown = "unknown",
        /// Settled: each leg was taken by the exchange, resting or filled.
        Accepted = "accepted",
        /// Settled: some legs were taken, the rest refused or not sent (spec D8).
        Partial = "partial",
        /// Settled: nothing was or will be placed for it.
        Rejected = "rejected",
        /// Settled without the exchange (spec O6).
        DryRun = "dry_run",
    }
);

words!(
    /// A published event's type (spec E1).
    EventWord {
        /// First evidence of acceptance.
        Created = "created",
        /// Amended, or a cancel of ours begun.
        Modified = "modified",
        /// More fills, not all.
        PartiallyFilled = "partially_filled",
        /// All filled.
        Filled = "filled",
        /// Ended unfilled, or the rest of it.
        Cancelled = "cancelled",
        /// Refused.
        Rejected = "rejected",
        /// A loss beyond the warning threshold (spec D10).
        PositionLossWarning = "position_loss_warning",
    }
);

/// Reads `expect = { .. }`.
pub(super) fn read(r: &mut Reader<'_>, raw: &RawExpect) -> Option<Action> {
    let status = r.or(raw.status.as_ref(), None, |w| word::choose(w, "status", OrderWord::TABLE).map(Some));
    let signal = of_signals(r, &raw.signal, |w| word::choose(w, "state of a signal", SignalWord::TABLE));
    let code = of_signals(r, &raw.code, code);
    let position = positions(r, &raw.position);
    let events = match &raw.events {
        Some(list) => events(r, list).map(Some),
        None => Some(None),
    };
    Some(Action::Expect(Expect {
        orders: raw.orders,
        open: raw.open,
        status: status?,
        signal: signal?,
        code: code?,
        position: position?,
        fills: raw.fills,
        rejected: raw.rejected,
        cancelled: raw.cancelled,
        unknown: raw.unknown,
        dead_letters: raw.dead_letters,
        duplicates: raw.duplicates,
        conflicts: raw.conflicts,
        events: events?,
        settled: raw.settled,
        consistent: raw.consistent,
    }))
}

/// A table by signal alias; every alias must be one that an earlier step gave.
fn of_signals<T>(
    r: &mut Reader<'_>,
    words: &Words,
    read: impl Fn(&Word) -> Result<T, Problem>,
) -> Option<BTreeMap<String, T>> {
    let mut all = BTreeMap::new();
    let mut sound = true;
    for (key, value) in words {
        match (r.known_alias(key), r.take(read(value))) {
            (Some(alias), Some(value)) => _ = all.insert(alias, value),
            _ => sound = false,
        }
    }
    sound.then_some(all)
}

fn positions(r: &mut Reader<'_>, words: &Words) -> Option<BTreeMap<Symbol, Quantity>> {
    let mut all = BTreeMap::new();
    let mut sound = true;
    for (key, value) in words {
        match (r.take(word::symbol(key)), r.take(word::number(value, "position"))) {
            (Some(symbol), Some(size)) => _ = all.insert(symbol, Quantity(size)),
            _ => sound = false,
        }
    }
    sound.then_some(all)
}

fn events(r: &mut Reader<'_>, list: &[Word]) -> Option<Vec<EventWord>> {
    let read: Vec<_> = list.iter().map(|w| r.take(word::choose(w, "event", EventWord::TABLE))).collect();
    read.into_iter().collect()
}

/// The shape of a code; which codes there are is the core's to say.
fn code(word: &Word) -> Result<String, Problem> {
    let text = word.get_ref();
    let sound = !text.is_empty() && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_');
    if sound {
        return Ok(text.clone());
    }
    let help = "write the code in lower case with underscores: \"nothing_to_sell\"";
    Err(Problem::at(word, format!("`{text}` is not a code"), "not a code", help))
}
