//! From a signal to the order it asks for: pure functions, one file each, in reading order.
//!
//! kind (D4) -> cancels (D2) -> direction (D9) -> price (D5, D6) -> quantity (D7)

mod cancels;
mod direction;
mod kind;
mod price;
mod quantity;

pub use price::REPRICES_MAX;

use self::{direction::Direction, price::Limit, quantity::Size};
use crate::bybit::{OrderKind, TimeInForce};
use crate::config::Config;
use crate::intake::Signal;
use crate::market::{Instrument, Quote};
use crate::refusal::{Code, Refusal};
use crate::unit::{OrderLinkId, Price, Quantity, Ratio, Side, Symbol};
use alloc::vec::Vec;
use serde::{Deserialize, Serialize};

/// An open order of ours on the signal's symbol.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Existing {
    /// Our id.
    pub link: OrderLinkId,
    /// Buy or sell.
    pub side: Side,
    /// What may yet fill, base units.
    pub remaining: Quantity,
    /// A limit order; else it is on its way through the market.
    pub is_limit: bool,
    /// Has a part of it filled?
    pub filled: bool,
    /// May only reduce. Planning does not ask: what stays on the signal's side is taken off the position either way.
    pub reduce_only: bool,
}

/// All that planning looks at.
#[derive(Clone, Copy, Debug)]
pub struct Scene<'a> {
    /// What is asked for.
    pub signal: &'a Signal,
    /// The symbol's rules.
    pub instrument: &'a Instrument,
    /// The symbol's latest prices, fresh.
    pub quote: &'a Quote,
    /// Signed position, base units.
    pub position: Quantity,
    /// Open orders of ours on the symbol; protective stops are not among them.
    pub existing: &'a [Existing],
    /// The operator's choices.
    pub config: &'a Config,
    /// How often a PostOnly order of this signal was cancelled for crossing and priced anew.
    pub reprice: u8,
}

/// What a person should be told about a plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Note {
    /// The signal has no price: the ticker's was used (spec D6).
    NoSnapshotPrice,
    /// The price has drifted further than is warned about; for a reducing order, any distance (spec D6).
    Drifted,
    /// The limit was moved into the exchange's price band (spec D5).
    MovedIntoBand,
    /// Asked for more than the position holds: this much stays undone (spec D9).
    CappedAtPosition(Quantity),
    /// The signal would turn the position around: only the closing leg is planned; this much stays undone (spec D9).
    ClosesOnly(Quantity),
    /// Risk has shrunk the order from this quantity (spec K3).
    Shrunk {
        /// Planned.
        from: Quantity,
        /// The limit that it was over.
        by: Code,
    },
}

/// An order to make, and what to cancel before it. It has not passed risk.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Plan {
    /// Instrument.
    pub symbol: Symbol,
    /// Buy or sell.
    pub side: Side,
    /// Market or limit.
    pub kind: OrderKind,
    /// Base units, a multiple of the step, above zero.
    pub quantity: Quantity,
    /// May only reduce the position.
    pub reduce_only: bool,
    /// What a notional is reckoned with: the limit price, or for a market order the worst it may cost.
    pub price: Price,
    /// Orders to cancel first; proven cancelled before this one is sent (spec D2).
    pub cancels: Vec<OrderLinkId>,
    /// How far the latest price lies from the signal's; nothing where the signal has none.
    pub drift: Option<Ratio>,
    /// What a person should be told.
    pub notes: Vec<Note>,
}

impl Scene<'_> {
    /// The signal's price, or the ticker's where it has none (spec D6).
    fn signal_price(&self) -> Price {
        self.signal.snapshot.price.unwrap_or(self.quote.last)
    }
}

/// Plans the order that the signal asks for, or says why there is none. Looks at nothing but the scene.
pub fn plan(scene: &Scene<'_>) -> Result<Plan, Refusal> {
    let is_market = kind::is_market(scene);
    let direction = direction::direction(scene, is_market)?;
    let opens = direction == Direction::Opens;
    let drift = price::drift(scene, opens)?;
    let mut notes = Vec::new();
    if scene.signal.snapshot.price.is_none() {
        notes.push(Note::NoSnapshotPrice);
    }
    if drift.is_some_and(|drift| drift > scene.config.price_drift_warn_ratio) {
        notes.push(Note::Drifted);
    }
    let (kind, price) = if is_market {
        let price = price::market_reference(scene).ok_or_else(|| Refusal::overflow(Code::NoPrice, "market price"))?;
        (OrderKind::Market { slippage: Some(scene.config.market_slippage()) }, price)
    } else {
        let Limit { price, moved } = price::limit(scene)?;
        if moved {
            notes.push(Note::MovedIntoBand);
        }
        let post_only = opens && scene.config.limit_post_only;
        let time_in_force = if post_only { TimeInForce::PostOnly } else { TimeInForce::Gtc };
        (OrderKind::Limit { price, time_in_force }, price)
    };
    let Size { quantity, beyond } = quantity::quantity(scene, direction, is_market, price)?;
    if let Some(beyond) = beyond {
        let flips = scene.config.allow_short && !scene.signal.is_exit;
        notes.push(if flips { Note::ClosesOnly(beyond) } else { Note::CappedAtPosition(beyond) });
    }
    let leave = scene.existing.iter().filter(|order| cancels::makes_way(order, scene, is_market));
    let cancels = leave.map(|order| order.link).collect();
    let (symbol, side) = (scene.signal.symbol, scene.signal.side);
    Ok(Plan { symbol, side, kind, quantity, reduce_only: !opens, price, cancels, drift, notes })
}

#[cfg(test)]
mod tests;
