//! All orders that are remembered, by our id.

use super::{Order, State};
use crate::unit::{OrderLinkId, Symbol};
use alloc::collections::{BTreeMap, BTreeSet};
use serde::{Deserialize, Serialize};

/// Orders by link id. Live ones (not ended, or ended and not yet told) are indexed, so that the daily work
/// does not walk through the closed ones.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Book {
    orders: BTreeMap<OrderLinkId, Order>,
    live: BTreeSet<OrderLinkId>,
    #[serde(default)]
    unexplained: BTreeSet<OrderLinkId>,
}

impl Book {
    /// One order.
    #[must_use]
    pub fn get(&self, link: OrderLinkId) -> Option<&Order> {
        self.orders.get(&link)
    }

    /// Every order, ended ones too, by id.
    pub fn iter(&self) -> impl Iterator<Item = &Order> {
        self.orders.values()
    }

    /// Orders that may still fill or have something untold.
    pub fn live(&self) -> impl Iterator<Item = &Order> {
        self.live.iter().filter_map(|link| self.orders.get(link))
    }

    /// Live orders of one symbol.
    pub fn live_of(&self, symbol: Symbol) -> impl Iterator<Item = &Order> {
        self.live().filter(move |order| order.spec.symbol == symbol)
    }

    /// Orders with fills that a row reports and no execution explains yet, ended ones too.
    pub fn unexplained(&self) -> impl Iterator<Item = &Order> {
        self.unexplained.iter().filter_map(|link| self.orders.get(link))
    }

    /// Orders remembered.
    #[must_use]
    pub fn len(&self) -> usize {
        self.orders.len()
    }

    /// Is none remembered?
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.orders.is_empty()
    }

    /// Adds an order. A known one stays as it is, but for one that is proven never to have lived: its id is
    /// used again, so that the exchange itself refuses a twin (spec O1).
    pub fn intend(&mut self, order: Order) {
        let link = order.spec.link;
        let free = self.orders.get(&link).is_none_or(|known| matches!(known.state, State::Absent | State::Expired));
        if free {
            self.orders.insert(link, order);
        }
        self.index(link);
    }

    /// Adds an order that lives already; a known one stays as it is.
    pub fn inherit(&mut self, order: Order) {
        let link = order.spec.link;
        self.orders.entry(link).or_insert(order);
        self.index(link);
    }

    /// Changes an order in place; nothing where it is not remembered.
    pub fn change<T>(&mut self, link: OrderLinkId, change: impl FnOnce(&mut Order) -> T) -> Option<T> {
        let result = self.orders.get_mut(&link).map(change);
        self.index(link);
        result
    }

    /// Forgets an order.
    pub fn remove(&mut self, link: OrderLinkId) {
        self.orders.remove(&link);
        self.index(link);
    }

    fn index(&mut self, link: OrderLinkId) {
        let order = self.orders.get(&link);
        let live = order.is_some_and(|order| order.state.may_fill() || !order.told.ended);
        let unexplained = order.is_some_and(|order| !order.facts.explained());
        for (index, is_in) in [(&mut self.live, live), (&mut self.unexplained, unexplained)] {
            if is_in {
                index.insert(link);
            } else {
                index.remove(&link);
            }
        }
    }
}
