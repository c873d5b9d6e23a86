//! What the tape's exchange remembers: requests that are out, orders that were sent, and what was said of them.
//! It is no exchange: it matches nothing and holds nobody to anything.

use super::fact;
use order_manager_core::bybit::{Create, ExecutionRow, OrderKind, OrderRow, OrderStatus, PushRows};
use order_manager_core::command::Outgoing;
use order_manager_core::unit::{ClockOffset, ExchangeTime, OrderLinkId, Price, Quantity, Span, Symbol, Timestamp};
use std::collections::{BTreeMap, VecDeque};

/// No adapter waits longer for an answer, so none comes later.
pub(super) const ANSWER_MAX: Span = Span::secs(15);

/// A request that is out.
#[derive(Clone, Debug)]
pub(super) struct Waiting {
    pub(super) outgoing: Outgoing,
    pub(super) sent_at: Timestamp,
}

/// An order that was sent at least once.
#[derive(Clone, Debug)]
pub(super) struct Placed {
    pub(super) create: Create,
    /// All its fills have this price, so that rows and executions never contradict each other in value.
    pub(super) price: Price,
    /// How a cooperative exchange shows it; none: it is not there.
    pub(super) status: Option<OrderStatus>,
    /// The most that a row or the executions have shown as filled.
    pub(super) filled: Quantity,
    pub(super) executions: Vec<ExecutionRow>,
    pub(super) created: ExchangeTime,
}

/// The whole of it.
#[derive(Clone, Debug, Default)]
pub(super) struct Venue {
    pub(super) offset: ClockOffset,
    pub(super) out: VecDeque<Waiting>,
    pub(super) placed: Vec<Placed>,
    /// Pushes that a cooperative exchange still has to send.
    pub(super) owed: VecDeque<PushRows>,
    /// Executions of others, for repeating them.
    pub(super) foreign: Vec<ExecutionRow>,
    /// Positions that came from elsewhere, with their index.
    pub(super) held: BTreeMap<Symbol, (Quantity, u8)>,
    /// Faults have stopped: what is told is complete and ends.
    pub(super) calm: bool,
    made: u64,
}

impl Venue {
    pub(super) fn now(&self, at: Timestamp) -> ExchangeTime {
        at.at_exchange(self.offset)
    }

    /// A number that no earlier call gave.
    pub(super) fn number(&mut self) -> u64 {
        self.made += 1;
        self.made
    }

    /// A request leaves for the exchange.
    pub(super) fn send(&mut self, outgoing: Outgoing, sent_at: Timestamp) {
        if let order_manager_core::bybit::Request::Create(create) = &outgoing.request
            && !self.placed.iter().any(|placed| placed.create.link == create.link)
        {
            let price = match create.kind {
                OrderKind::Limit { price, .. } => price,
                OrderKind::Market { .. } => fact::price_of(create.symbol),
            };
            self.placed.push(Placed {
                create: *create,
                price,
                status: None,
                filled: Quantity::ZERO,
                executions: Vec::new(),
                created: outgoing.signed_at,
            });
        }
        self.out.push_back(Waiting { outgoing, sent_at });
    }

    /// Requests whose adapter has given up are out no longer.
    pub(super) fn give_up(&mut self, now: Timestamp) {
        self.out.retain(|waiting| now.since(waiting.sent_at) < ANSWER_MAX);
    }

    /// The process ended: nobody waits for answers any more.
    pub(super) fn hang_up(&mut self) {
        self.out.clear();
        self.owed.clear();
    }

    pub(super) fn find(&mut self, link: OrderLinkId) -> Option<&mut Placed> {
        self.placed.iter_mut().find(|placed| placed.create.link == link)
    }

    /// A cooperative exchange takes the order: a limit rests, a market order fills at once.
    pub(super) fn accept(&mut self, link: OrderLinkId, now: ExchangeTime) {
        let number = self.number();
        let Some(placed) = self.find(link) else { return };
        if placed.status.is_some() {
            return;
        }
        let mut pushes = Vec::new();
        if matches!(placed.create.kind, OrderKind::Market { .. }) {
            let whole = placed.create.quantity;
            pushes.push(PushRows::Executions(vec![placed.execute(whole, number, now)]));
            placed.status = Some(OrderStatus::Filled);
        } else {
            placed.status = Some(OrderStatus::New);
        }
        pushes.push(PushRows::Orders(placed.row(now).into_iter().collect()));
        self.owed.extend(pushes);
    }

    /// A cooperative exchange cancels the order.
    pub(super) fn cancel(&mut self, link: OrderLinkId, now: ExchangeTime) {
        let Some(placed) = self.find(link) else { return };
        if placed.status.is_some_and(|status| !status.is_terminal()) {
            placed.status = Some(OrderStatus::Cancelled);
            let row = placed.row(now);
            self.owed.push_back(PushRows::Orders(row.into_iter().collect()));
        }
    }
}

impl Placed {
    /// What shows it, understood or not, makes it true.
    pub(super) fn exists(&mut self) {
        self.status.get_or_insert(OrderStatus::New);
    }

    /// The row that shows it as it stands.
    pub(super) fn row(&self, now: ExchangeTime) -> Option<OrderRow> {
        self.status.map(|status| fact::order_row(self, status, self.filled, now))
    }

    pub(super) fn executed(&self) -> Quantity {
        self.executions.iter().fold(Quantity::ZERO, |sum, row| sum.plus(row.quantity).unwrap_or(sum))
    }

    /// Makes a new execution of it.
    pub(super) fn execute(&mut self, quantity: Quantity, number: u64, now: ExchangeTime) -> ExecutionRow {
        let row = fact::execution_row(self, quantity, number, now);
        self.executions.push(row);
        self.filled = self.filled.max(self.executed());
        row
    }
}
