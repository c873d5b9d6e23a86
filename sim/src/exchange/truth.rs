//! What is true, for judges: every order, every execution, the wallet's sums.

use super::ids::number_in;
use super::order::Order;
use super::{Timestamp, clock};
use order_manager_core::bybit::{ExecType, ExecutionRow};
use order_manager_core::unit::{
    Coin, ExchangeOrderId, ExecId, Money, OrderLinkId, Price, Quantity, Side, Symbol, Text,
};
use std::collections::BTreeMap;

/// The coin in which fees can be paid instead (Q28).
pub(super) const MNT: &str = "MNT";

/// The account's whole past. Nothing is ever removed.
#[derive(Clone, Debug)]
pub struct Truth {
    /// Every order that was acknowledged, by number.
    pub orders: Vec<Order>,
    /// Every execution, by number; their times never fall.
    pub executions: Vec<Execution>,
    /// What came in under each link id.
    pub links: BTreeMap<OrderLinkId, LinkRecord>,
    /// USDT in the wallet at the start.
    pub start: Money,
    /// USDT in the wallet now: start + realised - fees - funding.
    pub wallet: Money,
    /// Profit realised, fees not counted.
    pub realised: Money,
    /// Fees paid in USDT.
    pub fees: Money,
    /// Funding paid.
    pub funding: Money,
}

/// What came in under one link id.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LinkRecord {
    /// Creates that reached the exchange, refused ones included.
    pub creates_received: u32,
    /// Creates that were acknowledged. More than one only where link ids may be used again.
    pub creates_accepted: u32,
    /// The last order under this id.
    pub order: Option<u64>,
}

/// One execution.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Execution {
    /// Bybit's id.
    pub id: ExecId,
    pub(super) order_id: ExchangeOrderId,
    /// Its number among all executions, from 0.
    pub number: u64,
    /// Number of its order; of no order where it is funding.
    pub order: u64,
    /// Kind: not all of them move a position.
    pub exec_type: ExecType,
    /// The order's link id; none on foreign orders.
    pub link: Option<OrderLinkId>,
    /// Instrument.
    pub symbol: Symbol,
    /// Buy or sell.
    pub side: Side,
    /// Price.
    pub price: Price,
    /// Base units.
    pub quantity: Quantity,
    /// Quote value.
    pub value: Money,
    /// Fee paid.
    pub fee: Money,
    /// Coin of the fee.
    pub fee_coin: Coin,
    /// Did it rest?
    pub is_maker: bool,
    /// Profit realised, fees not counted.
    pub pnl: Money,
    /// Base units of the position that it closed.
    pub closed: Quantity,
    /// Cross sequence of the match.
    pub seq: i64,
    /// When.
    pub time: Timestamp,
}

impl Truth {
    pub(super) fn new(start: Money) -> Self {
        Self {
            orders: Vec::new(),
            executions: Vec::new(),
            links: BTreeMap::new(),
            start,
            wallet: start,
            realised: Money::ZERO,
            fees: Money::ZERO,
            funding: Money::ZERO,
        }
    }

    /// The order of a link id; the last one where ids may be used again.
    #[must_use]
    pub fn order_of(&self, link: OrderLinkId) -> Option<&Order> {
        let number = self.links.get(&link)?.order?;
        self.orders.get(number as usize)
    }

    /// The order of one of Bybit's ids.
    #[must_use]
    pub fn order_by_id(&self, id: ExchangeOrderId) -> Option<&Order> {
        self.orders.get(number_in(id.as_str())? as usize).filter(|order| order.id == id)
    }

    /// The execution of one of Bybit's ids.
    pub(super) fn execution_by_id(&self, id: ExecId) -> Option<&Execution> {
        self.executions.get(number_in(id.as_str())? as usize).filter(|execution| execution.id == id)
    }

    /// The executions of an order, oldest first.
    pub fn executions_of(&self, order: &Order) -> impl DoubleEndedIterator<Item = &Execution> {
        order.executions.iter().map(|number| &self.executions[*number as usize])
    }

    pub(super) fn order(&self, number: u64) -> &Order {
        &self.orders[number as usize]
    }

    pub(super) fn order_mut(&mut self, number: u64) -> &mut Order {
        &mut self.orders[number as usize]
    }
}

impl Execution {
    /// Is it of an order of the order manager's?
    #[must_use]
    pub fn is_ours(&self, truth: &Truth) -> bool {
        truth.orders.get(self.order as usize).is_some_and(Order::is_ours)
    }

    /// What of the fee was paid in the settle coin.
    #[must_use]
    pub fn settle_fee(&self) -> Money {
        if self.fee_coin.as_str() == MNT { Money::ZERO } else { self.fee }
    }

    /// Bybit's id of it.
    #[must_use]
    pub const fn id(&self) -> ExecId {
        self.id
    }

    /// As a row of an answer, which names no coin but MNT (bybit-v5.md 2.9, Q28).
    #[must_use]
    pub fn asked_row(&self) -> ExecutionRow {
        let fee_coin = if self.fee_coin.as_str() == MNT { self.fee_coin } else { Coin::EMPTY };
        ExecutionRow { fee_coin, ..self.row() }
    }

    /// As a row of the stream.
    #[must_use]
    pub fn row(&self) -> ExecutionRow {
        ExecutionRow {
            exec_id: self.id,
            order_id: self.order_id,
            link: self.link.map(|link| Text::clipped(link.as_str())),
            symbol: self.symbol,
            side: self.side,
            exec_type: self.exec_type,
            price: self.price,
            quantity: self.quantity,
            value: self.value,
            fee: self.fee,
            fee_coin: self.fee_coin,
            is_maker: self.is_maker,
            time: clock(self.time),
            seq: Some(self.seq),
        }
    }
}
