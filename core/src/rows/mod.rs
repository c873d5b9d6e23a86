//! Table rows as a pure function of the journal's events: whoever follows the journal writes the same rows, and
//! rows can be made again from it. Sized and spelled for the shared schema (spec O4; wire-contracts.md 5).
//!
//! A [`Projector`] follows the events; [`Rows`] holds the last state of each row that they changed, so that a
//! batch of steps writes each row once.

mod figure;
mod order;
mod position;
mod projector;
mod row;

pub use figure::{Figure, moment};
pub use projector::{Place, Projector};
pub use row::{
    DeadLetterRow, ExecutionRow, InstrumentRow, OrderRow, OwnRow, PositionRow, RelationshipRow, SignalRow, SnapshotRow,
    Stage,
};

use crate::event::Seq;
use crate::report::OrderEvent;
use crate::unit::{ExecId, OrderLinkId, SignalId, Symbol};
use alloc::collections::BTreeMap;

/// The last state of every row that some events changed, by key.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Rows {
    /// `orders`.
    pub orders: BTreeMap<SignalId, OrderRow>,
    /// `signal_order_relationships`. Their `order_id` names a row of `orders`: write those first.
    pub relationships: BTreeMap<SignalId, RelationshipRow>,
    /// `instrument_info`.
    pub instruments: BTreeMap<Symbol, InstrumentRow>,
    /// `orders_own`.
    pub own: BTreeMap<OrderLinkId, OwnRow>,
    /// `signals`.
    pub signals: BTreeMap<SignalId, SignalRow>,
    /// `executions`.
    pub executions: BTreeMap<ExecId, ExecutionRow>,
    /// `dead_letters`, by record and place in it.
    pub dead_letters: BTreeMap<(Seq, u32), DeadLetterRow>,
    /// `positions`.
    pub positions: BTreeMap<Symbol, PositionRow>,
    /// `position_snapshots`.
    pub snapshots: BTreeMap<SignalId, SnapshotRow>,
    /// `messages`: what is published, by record and place in it.
    pub messages: BTreeMap<(Seq, u32), OrderEvent>,
}

impl Rows {
    /// Takes later rows over these.
    pub fn absorb(&mut self, later: Self) {
        self.orders.extend(later.orders);
        self.relationships.extend(later.relationships);
        self.instruments.extend(later.instruments);
        self.own.extend(later.own);
        self.signals.extend(later.signals);
        self.executions.extend(later.executions);
        self.dead_letters.extend(later.dead_letters);
        self.positions.extend(later.positions);
        self.snapshots.extend(later.snapshots);
        self.messages.extend(later.messages);
    }

    /// Was nothing changed?
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}
