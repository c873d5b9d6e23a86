//! What a set of liveds was made of: one that shows less proves less.

use super::scene::Scene;
use order_manager_core::event::Change;
use order_manager_core::unit::SignalId;
use std::collections::BTreeMap;

/// How often each of the things that go wrong happened.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Seen {
    pub(crate) orders: usize,
    pub(crate) partial_fills: usize,
    pub(crate) multi_fill_orders: usize,
    pub(crate) cancels: usize,
    pub(crate) cancels_with_fills: usize,
    pub(crate) redelivered: usize,
    pub(crate) crashes: usize,
    pub(crate) rejected: usize,
    pub(crate) by_hand: usize,
    /// Storms that ended in a message that Position Manager takes back for ever (N7).
    pub(crate) stuck: usize,
}

impl Seen {
    pub(crate) fn of(scene: &Scene) -> Self {
        let ledger = &scene.lived.world.ledger;
        let messages = || scene.rows.messages.values();
        let of = |change| messages().filter(move |message| message.event_type == change);
        let mut fills = BTreeMap::<SignalId, usize>::new();
        messages().filter(|m| m.fill.is_some()).for_each(|m| *fills.entry(m.order.id).or_default() += 1);
        let life = scene.lived.world.life.manager().map_or(1, |manager| manager.durable().life);
        Self {
            orders: ledger.books.book.len(),
            partial_fills: of(Change::PartiallyFilled).count(),
            multi_fill_orders: fills.values().filter(|fills| **fills > 1).count(),
            cancels: of(Change::Cancelled).count(),
            cancels_with_fills: of(Change::Cancelled).filter(|m| fills.contains_key(&m.order.id)).count(),
            redelivered: ledger.duplicates as usize,
            crashes: life as usize - 1,
            rejected: of(Change::Rejected).count(),
            by_hand: scene.rows.executions.values().filter(|row| row.link.is_none()).count(),
            stuck: usize::from(scene.stuck.is_some()),
        }
    }

    pub(crate) fn plus(self, other: Self) -> Self {
        Self {
            orders: self.orders + other.orders,
            partial_fills: self.partial_fills + other.partial_fills,
            multi_fill_orders: self.multi_fill_orders + other.multi_fill_orders,
            cancels: self.cancels + other.cancels,
            cancels_with_fills: self.cancels_with_fills + other.cancels_with_fills,
            redelivered: self.redelivered + other.redelivered,
            crashes: self.crashes + other.crashes,
            rejected: self.rejected + other.rejected,
            by_hand: self.by_hand + other.by_hand,
            stuck: self.stuck + other.stuck,
        }
    }
}
