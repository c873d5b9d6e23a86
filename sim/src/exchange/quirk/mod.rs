//! What the exchange does wrong or oddly by itself (bybit-v5.md 8), as data: a scenario names it, a seed draws it.
//!
//! Reading order: words (the names), this file (what can be said), apply (what is turned), forced (what the
//! exchange does to the account), front (what stands before it). `Exchange::quirk` carries one out; what lasts ends
//! by itself or by `Exchange::heal`.

mod apply;
mod forced;
mod front;
mod words;

pub use words::{Act, Fate, Lag, Spell};

use super::PriceBand;
use order_manager_core::unit::{OrderLinkId, Price, Quantity, Ratio, Side, Span, Symbol};

/// What became of an order is shown by `order/realtime` or `order/history` at most so long after it came in: reports
/// of history go to 15 s, and that is what a client waits for before absence is proof (bybit-v5.md 2.7, 2.11, Q45).
pub const VISIBLE_WITHIN: Span = Span::secs(15);

/// One oddity. None names an order: "all of ours" and "an order of ours" are looked up when it happens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Quirk {
    /// From now on something takes this long, or is this far behind, until it is said anew or everything heals.
    Lag {
        /// What.
        what: Lag,
        /// How long.
        lag: Span,
    },
    /// Something is so for a while.
    Spell {
        /// What.
        what: Spell,
        /// How long.
        length: Span,
    },
    /// So it goes for the next orders or cancels that it fits.
    Next {
        /// What becomes of them.
        what: Fate,
        /// Of how many, from 1.
        count: u32,
    },
    /// Something happens to a symbol at once.
    Act {
        /// What.
        what: Act,
        /// Where.
        symbol: Symbol,
    },
    /// `amnesia`: realtime forgets every closed order, history does not (Q46).
    Amnesia,
    /// `idle-cut`: the private stream is closed; it may connect again at once (Q56).
    IdleCut,
    /// `dcp`: disconnect protection cancels all orders of the account (Q62).
    Dcp,
    /// `adl`: a counterparty takes a part of the position (Q63).
    Adl {
        /// Instrument.
        symbol: Symbol,
        /// Base units; none, or more than is held, is the whole position.
        quantity: Option<Quantity>,
    },
    /// `unknown-execution`: an execution of a kind that nobody has heard of moves the position (Q26, Q29).
    UnknownExecution {
        /// Instrument.
        symbol: Symbol,
        /// Buy or sell.
        side: Side,
        /// Base units.
        quantity: Quantity,
    },
    /// `funding`: holders pay (or get) a share of the position's value (Q26).
    Funding {
        /// Instrument.
        symbol: Symbol,
        /// Longs pay it where it is positive.
        rate: Ratio,
    },
    /// `foreign-order`: somebody else's limit order on the account (Q25).
    ForeignOrder {
        /// Instrument.
        symbol: Symbol,
        /// Buy or sell.
        side: Side,
        /// Base units.
        quantity: Quantity,
        /// How far from the last price it rests, as a share of it; negative is beyond it.
        away: Ratio,
        /// Their link id; none is an order from the app.
        link: Option<OrderLinkId>,
        /// May only reduce.
        reduce_only: bool,
    },
    /// `leverage`: somebody sets another leverage.
    Leverage {
        /// Instrument.
        symbol: Symbol,
        /// From 1.
        leverage: Ratio,
    },
    /// `rules`: the instrument's rules change; orders that rest stay as they are.
    Rules {
        /// Instrument.
        symbol: Symbol,
        /// Prices are multiples of it from now on.
        tick: Option<Price>,
        /// Quantities are multiples of it from now on; it is the smallest order too.
        step: Option<Quantity>,
    },
    /// `largest-order`: the largest order that is taken becomes so large. A reduce-only order beyond it is split (Q17).
    LargestOrder {
        /// Instrument.
        symbol: Symbol,
        /// Base units, of limit and market orders alike.
        quantity: Quantity,
    },
    /// `price-gap`: the price jumps by a share of itself, through everything that rests between.
    PriceGap {
        /// Instrument.
        symbol: Symbol,
        /// Share of the last price; negative is down.
        by: Ratio,
    },
    /// `price-band`: limit prices are held this near to the last price, whatever the published ratios are (Q16),
    /// until everything heals.
    PriceBand {
        /// Share of the last price.
        ratio: Ratio,
        /// What becomes of an order beyond it.
        way: PriceBand,
    },
}

impl Quirk {
    /// The name of it in a scenario.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Lag { what, .. } => what.as_str(),
            Self::Spell { what, .. } => what.as_str(),
            Self::Next { what, .. } => what.as_str(),
            Self::Act { what, .. } => what.as_str(),
            Self::Amnesia => "amnesia",
            Self::IdleCut => "idle-cut",
            Self::Dcp => "dcp",
            Self::Adl { .. } => "adl",
            Self::UnknownExecution { .. } => "unknown-execution",
            Self::Funding { .. } => "funding",
            Self::ForeignOrder { .. } => "foreign-order",
            Self::Leverage { .. } => "leverage",
            Self::Rules { .. } => "rules",
            Self::LargestOrder { .. } => "largest-order",
            Self::PriceGap { .. } => "price-gap",
            Self::PriceBand { .. } => "price-band",
        }
    }
}
