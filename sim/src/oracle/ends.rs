//! When the last order of a signal ended: a signal is remembered for a time after that.

use super::memory::link_of;
use crate::shelf::Shelf;
use order_manager_core::order::Order;
use order_manager_core::unit::{OrderLinkId, SignalId, Timestamp};
use order_manager_core::{Manager, Step};
use std::collections::BTreeMap;

#[derive(Clone, Debug, Default)]
pub(super) struct Ends {
    /// Which orders live.
    living: Shelf<OrderLinkId, bool>,
    /// Kept when its signal is forgotten: that step may be lost.
    last: BTreeMap<SignalId, Timestamp>,
}

impl Ends {
    /// A process goes on. What ended before it still counts.
    pub(super) fn resumed(&mut self, manager: &Manager) {
        self.living.all_mut().for_each(|lives| *lives = false);
        manager.durable().book.live().for_each(|order| *self.living.of(order.spec.link) = true);
    }

    pub(super) fn stepped(&mut self, step: &Step, manager: &Manager) {
        let mut judged = None;
        for event in &step.events {
            let link = link_of(event);
            if link.is_none() || link == judged {
                continue; // whatever else the step did to it, it is looked at as the step left it
            }
            judged = link;
            let Some(order) = link.and_then(|link| manager.durable().book.get(link)) else { continue };
            let lives = lives(order);
            let lived = std::mem::replace(self.living.of(order.spec.link), lives);
            if lived && !lives {
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
