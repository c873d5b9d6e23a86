//! The exchange's side of an order: a join of facts (spec O3). Joining is commutative, associative and
//! idempotent, so the same facts in any order, any number of times, give the same value.

use crate::bybit::{ExecutionRow, OrderRow, OrderStatus};
use crate::unit::{ExchangeOrderId, ExchangeTime, ExecId, Money, Price, Quantity, Text};
use alloc::collections::BTreeMap;
use core::cmp::Reverse;
use serde::{Deserialize, Serialize};

/// Cumulative figures of an order's fills.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Totals {
    /// Base units.
    pub quantity: Quantity,
    /// Quote units.
    pub value: Money,
    /// Quote units, positive = paid.
    pub fee: Money,
}

impl Totals {
    /// Of one execution.
    #[must_use]
    pub fn of(row: &ExecutionRow) -> Self {
        Self { quantity: row.quantity, value: row.value, fee: row.settle_fee() }
    }
    /// Figure by figure; what leaves a decimal's range stays as it was.
    #[must_use]
    pub fn plus(self, other: Self) -> Self {
        Self {
            quantity: self.quantity.plus(other.quantity).unwrap_or(self.quantity),
            value: self.value.plus(other.value).unwrap_or(self.value),
            fee: self.fee.plus(other.fee).unwrap_or(self.fee),
        }
    }
    /// Figure by figure.
    #[must_use]
    pub fn minus(self, other: Self) -> Self {
        Self {
            quantity: self.quantity.minus(other.quantity).unwrap_or_default(),
            value: self.value.minus(other.value).unwrap_or_default(),
            fee: self.fee.minus(other.fee).unwrap_or_default(),
        }
    }
    /// Value by quantity; none without a fill.
    #[must_use]
    pub fn average_price(self) -> Option<Price> {
        if self.quantity.is_zero() { None } else { self.value.per(self.quantity) }
    }
}

/// One execution of ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Fill {
    /// Quantity, value and fee of this one.
    pub totals: Totals,
    /// When the exchange made it.
    pub time: ExchangeTime,
    /// Did the order rest in the book?
    pub is_maker: bool,
}

/// How the exchange ended an order, in its own words.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ending {
    /// A terminal status.
    pub status: OrderStatus,
    /// `cancelType`.
    pub cancel_type: Text<48>,
    /// `rejectReason`.
    pub reject_reason: Text<48>,
}

impl Ending {
    /// Bybit re-sends endings with other reasons (bybit-v5.md 2.4); a fixed rank keeps the join a join.
    /// A fill outranks a cancel; of equal statuses the plainer reason stays.
    fn rank(&self) -> (u8, Reverse<Text<48>>, Reverse<Text<48>>) {
        let status = match self.status {
            OrderStatus::Filled => 5,
            OrderStatus::PartiallyFilledCanceled => 4,
            OrderStatus::Cancelled => 3,
            OrderStatus::Rejected => 2,
            OrderStatus::Deactivated => 1,
            _ => 0,
        };
        (status, Reverse(self.cancel_type), Reverse(self.reject_reason))
    }
}

/// The terms of an order as the exchange shows them: amends and trims change them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Terms {
    /// When the row that shows them was updated: the later one holds.
    pub updated: ExchangeTime,
    /// Total quantity.
    pub quantity: Quantity,
    /// Limit price.
    pub price: Option<Price>,
}

impl Terms {
    /// The larger one holds. Of rows of one moment that is the smaller order: it came to rest and was trimmed in that very
    /// millisecond, and we never ask for more.
    fn rank(&self) -> (ExchangeTime, Reverse<Quantity>, Option<Price>) {
        (self.updated, Reverse(self.quantity), self.price)
    }
}

/// All that the exchange has said of one order.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Facts {
    /// Bybit's id; the smallest one, should there ever be two.
    pub order_id: Option<ExchangeOrderId>,
    /// A second id under the same link id was seen: a double order.
    pub twin: bool,
    /// Has a row or an execution been seen, understood or not (an acknowledgement is not one)?
    pub seen: bool,
    /// How it ended.
    pub ending: Option<Ending>,
    /// The row with the most filled.
    pub reported: Totals,
    /// The latest terms.
    pub terms: Option<Terms>,
    /// Executions by id.
    pub fills: BTreeMap<ExecId, Fill>,
    /// Sum of `fills`.
    pub executed: Totals,
}

impl Facts {
    /// Joins Bybit's id of the order.
    pub fn join_id(&mut self, id: ExchangeOrderId) {
        match self.order_id {
            Some(known) if known != id => {
                self.twin = true;
                self.order_id = Some(known.min(id));
            }
            _ => self.order_id = Some(id),
        }
    }

    /// Joins a row.
    pub fn join_row(&mut self, row: &OrderRow) {
        self.join_id(row.order_id);
        self.seen = true;
        let totals = Totals { quantity: row.cum_quantity, value: row.cum_value, fee: row.cum_fee };
        self.reported = self.reported.max(totals);
        let terms = Terms { updated: row.updated, quantity: row.quantity, price: row.price };
        if self.terms.is_none_or(|known| known.rank() < terms.rank()) {
            self.terms = Some(terms);
        }
        if row.status.is_terminal() {
            let ending = Ending { status: row.status, cancel_type: row.cancel_type, reject_reason: row.reject_reason };
            if self.ending.is_none_or(|known| known.rank() < ending.rank()) {
                self.ending = Some(ending);
            }
        }
    }

    /// Joins a record that cannot be understood.
    pub fn notice(&mut self, order_id: Option<ExchangeOrderId>) {
        self.seen = true;
        if let Some(id) = order_id {
            self.join_id(id);
        }
    }

    /// Joins an execution; true where it is new.
    pub fn join_execution(&mut self, row: &ExecutionRow) -> bool {
        self.join_id(row.order_id);
        self.seen = true;
        let totals = Totals::of(row);
        let fill = Fill { totals, time: row.time, is_maker: row.is_maker };
        let new = !self.fills.contains_key(&row.exec_id);
        if new {
            self.fills.insert(row.exec_id, fill);
            self.executed = self.executed.plus(totals);
        }
        new
    }

    /// What is filled, by the stronger of both accounts: executions where they reach as far as the row, else
    /// the row, which the executions will replace and not double.
    #[must_use]
    pub fn totals(&self) -> Totals {
        if self.executed.quantity >= self.reported.quantity { self.executed } else { self.reported }
    }

    /// What a row reports beyond the executions.
    #[must_use]
    pub fn unexplained(&self) -> Totals {
        if self.explained() { Totals::default() } else { self.reported.minus(self.executed) }
    }

    /// Do the executions explain every fill that a row reports?
    #[must_use]
    pub fn explained(&self) -> bool {
        self.executed.quantity >= self.reported.quantity
    }
}
