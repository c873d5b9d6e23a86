//! All orders that are remembered, by our id.

use super::{Order, State};
use crate::unit::{OrderLinkId, Symbol};
use alloc::boxed::Box;
use alloc::collections::{BTreeMap, BTreeSet};
use serde::{Deserialize, Serialize};

/// Orders by link id. Live ones (not ended, or ended and not yet told) are indexed, so that the daily work
/// does not walk through the closed ones.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Book {
    /// In boxes, for an order is too large to be moved about in the map.
    orders: BTreeMap<OrderLinkId, Box<Order>>,
    live: BTreeSet<OrderLinkId>,
    #[serde(default)]
    unexplained: BTreeSet<OrderLinkId>,
}

impl Book {
    /// One order.
    #[must_use]
    pub fn get(&self, link: OrderLinkId) -> Option<&Order> {
        self.orders.get(&link).map(Box::as_ref)
    }

    /// Every order, ended ones too, by id.
    pub fn iter(&self) -> impl Iterator<Item = &Order> {
        self.orders.values().map(Box::as_ref)
    }

    /// Orders that may still fill or have something untold.
    pub fn live(&self) -> impl Iterator<Item = &Order> {
        self.live.iter().filter_map(|link| self.get(*link))
    }

    /// Live orders of one symbol.
    pub fn live_of(&self, symbol: Symbol) -> impl Iterator<Item = &Order> {
        self.live().filter(move |order| order.spec.symbol == symbol)
    }

    /// Orders with fills that a row reports and no execution explains yet, ended ones too.
    pub fn unexplained(&self) -> impl Iterator<Item = &Order> {
        self.unexplained.iter().filter_map(|link| self.get(*link))
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
        if self.get(link).is_none_or(|known| matches!(known.state, State::Absent | State::Expired)) {
            self.add(order);
        }
    }

    /// Adds an order that lives already; a known one stays as it is.
    pub fn inherit(&mut self, order: Order) {
        if self.get(order.spec.link).is_none() {
            self.add(order);
        }
    }

    /// Changes an order in place; nothing where it is not remembered.
    pub fn change<T>(&mut self, link: OrderLinkId, change: impl FnOnce(&mut Order) -> T) -> Option<T> {
        let order = self.orders.get_mut(&link)?;
        let result = change(order);
        let places = places(order);
        self.index(link, places);
        Some(result)
    }

    /// Forgets an order.
    pub fn remove(&mut self, link: OrderLinkId) {
        self.orders.remove(&link);
        self.index(link, [false; 2]);
    }

    fn add(&mut self, order: Order) {
        self.index(order.spec.link, places(&order));
        self.orders.insert(order.spec.link, Box::new(order));
    }

    fn index(&mut self, link: OrderLinkId, [live, unexplained]: [bool; 2]) {
        for (index, is_in) in [(&mut self.live, live), (&mut self.unexplained, unexplained)] {
            if is_in {
                index.insert(link);
            } else {
                index.remove(&link);
            }
        }
    }
}

/// Is an order live, and has it fills that are not explained?
fn places(order: &Order) -> [bool; 2] {
    [order.state.may_fill() || !order.told.ended, !order.facts.explained()]
}
