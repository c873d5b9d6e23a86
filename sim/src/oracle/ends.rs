//! When the last order of a signal ended: a signal is remembered for a time after that.

use super::memory::link_of;
use order_manager_core::event::Event;
use order_manager_core::order::Order;
use order_manager_core::unit::{OrderLinkId, SignalId, Timestamp};
use order_manager_core::{Manager, Step};
use std::collections::{BTreeMap, BTreeSet};

#[derive(Clone, Debug, Default)]
pub(super) struct Ends {
    living: BTreeSet<OrderLinkId>,
    last: BTreeMap<SignalId, Timestamp>,
}

impl Ends {
    /// A process goes on. What ended before it still counts.
    pub(super) fn resumed(&mut self, manager: &Manager) {
        self.living = manager.durable().book.live().map(|order| order.spec.link).collect();
    }

    pub(super) fn stepped(&mut self, step: &Step, manager: &Manager) {
        for event in &step.events {
            if let Event::SignalForgotten { signal } = event {
                self.last.remove(signal);
            }
            let Some(order) = link_of(event).and_then(|link| manager.durable().book.get(link)) else { continue };
            if lives(order) {
                self.living.insert(order.spec.link);
            } else if self.living.remove(&order.spec.link) {
                self.last.insert(order.spec.intent.signal, manager.now());
            }
        }
    }

    /// When the last of its orders ended, where one did.
    pub(super) fn of(&self, signal: SignalId) -> Option<Timestamp> {
        self.last.get(&signal).copied()
    }
}

fn lives(order: &Order) -> bool {
    order.state.may_fill() || !order.told.ended
}
