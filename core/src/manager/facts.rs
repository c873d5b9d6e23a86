//! Facts from the exchange, by whatever way they come: pushes, inquiries, sweeps. All end here.

use super::observed::{Foreign, Reading};
use super::turn::Turn;
use crate::bybit::{BadRow, ExecutionRow, OrderRow, OrderStatus, Push, PushRows, push};
use crate::event::Event;
use crate::order::{State, Stimulus, Verdict};
use crate::timer::Why;
use crate::unit::{Bytes, ExchangeOrderId, OrderLinkId, Quantity, Side, Span, Symbol, Text};
use alloc::boxed::Box;
use core::fmt;

/// How long a market order, or one that is filled whole, may go without its end before it is asked about.
const MARKET_END: Span = Span::secs(1);
/// Foreign orders that are remembered, open or not told whole yet; with more, the exposure cannot be told and opening is refused.
pub(super) const FOREIGN_MAX: usize = 1_000;

impl Turn<'_> {
    pub(super) fn frame(&mut self, bytes: &Bytes) {
        match push::decode(&bytes.0) {
            Ok(push) => self.push(&push),
            Err(why) => self.quarantine(format_args!("unreadable push: {why}")),
        }
    }

    pub(super) fn gateway(&mut self, bytes: &Bytes) {
        match push::decode_gateway(&bytes.0) {
            Ok(push) => self.push(&push),
            Err(why) => self.quarantine(format_args!("unreadable message of ws-gateway: {why}")),
        }
    }

    pub(super) fn push(&mut self, push: &Push) {
        match &push.rows {
            PushRows::Orders(rows) => rows.iter().for_each(|row| self.order_row(row)),
            PushRows::Executions(rows) => rows.iter().for_each(|row| self.execution(row)),
            PushRows::Positions(rows) => rows.iter().for_each(|row| self.position_pushed(row)),
            PushRows::Wallets(_) | PushRows::Nothing { .. } => {} // a hint only: the balance is asked for (4.8)
        }
        self.bad_rows(&push.bad);
    }

    pub(super) fn bad_rows(&mut self, bad: &[BadRow]) {
        for row in bad {
            self.quarantine(format_args!("row {}: {}", row.index, row.why));
            if let Some(link) = row.link.and_then(|link| self.ours(link)) {
                self.noticed(link, None);
                self.start_inquiry(link);
            }
        }
    }

    pub(super) fn quarantine(&mut self, why: fmt::Arguments<'_>) {
        let evidence = self.m.seq;
        self.emit(Event::Quarantined { why: Text::written(why), evidence });
    }

    pub(super) fn ours(&self, link: impl AsRef<[u8]>) -> Option<OrderLinkId> {
        OrderLinkId::parse(self.m.config.link_id_prefix, link).map(|(link, _)| link)
    }

    /// Our name of the order: its link id where that is of ours, or one that we took over.
    pub(super) fn our_name(&self, link: Option<Text<64>>, order_id: ExchangeOrderId) -> Option<OrderLinkId> {
        let inherited = || OrderLinkId::inherited(order_id).filter(|link| self.m.durable.book.get(*link).is_some());
        link.and_then(|link| self.ours(link)).or_else(inherited)
    }

    /// A row of an order: by push, inquiry or sweep.
    pub(super) fn order_row(&mut self, row: &OrderRow) {
        let Some(link) = self.our_name(row.link, row.order_id) else { return self.foreign_order(row) };
        let Some(order) = self.m.durable.book.get(link) else {
            self.foreign_order(row); // whoever made it, it may fill
            return self.quarantine(format_args!("order {link} has our prefix and is not in the book"));
        };
        if let OrderStatus::Other(status) = row.status {
            self.quarantine(format_args!("order {link} has the unknown status {status}"));
            self.noticed(link, Some(row.order_id));
            return self.arm(Why::Inquire(link), MARKET_END);
        }
        let mut joined = order.clone();
        let verdict = joined.take_row(row);
        if joined == *order {
            return; // known, word for word
        }
        let symbol = order.spec.symbol;
        let (evidence, at) = (self.m.seq, self.now());
        self.emit(Event::OrderSeen { link, row: Box::new(*row), evidence, at });
        self.after_fact(link, symbol, verdict);
    }

    /// What cannot be understood still shows that its order exists: that is never unlearnt.
    pub(super) fn noticed(&mut self, link: OrderLinkId, order_id: Option<ExchangeOrderId>) {
        let Some(order) = self.m.durable.book.get(link) else { return };
        let mut joined = order.clone();
        let verdict = joined.take_notice(order_id);
        if joined == *order {
            return;
        }
        let symbol = order.spec.symbol;
        let (evidence, at) = (self.m.seq, self.now());
        self.emit(Event::OrderNoticed { link, order_id, evidence, at });
        self.after_fact(link, symbol, verdict);
    }

    /// An execution: by push, inquiry or sweep.
    pub(super) fn execution(&mut self, row: &ExecutionRow) {
        if !row.exec_type.moves_position() {
            return; // funding is cash; the wallet shows it
        }
        let Some(link) = self.our_name(row.link, row.order_id) else { return self.foreign_execution(row) };
        let Some(order) = self.m.durable.book.get(link) else {
            return self.quarantine(format_args!("execution {} of {link}: not in the book", row.exec_id));
        };
        if order.facts.fills.contains_key(&row.exec_id) {
            return;
        }
        let verdict = order.state.on(Stimulus::Filled);
        let symbol = order.spec.symbol;
        let (evidence, at) = (self.m.seq, self.now());
        self.emit(Event::OrderExecuted { link, row: Box::new(*row), evidence, at });
        self.after_fact(link, symbol, verdict);
    }

    fn after_fact(&mut self, link: OrderLinkId, symbol: Symbol, verdict: Verdict) {
        self.touch(symbol);
        if let Verdict::Contradicts(_) = verdict {
            let why = Text::written(format_args!("order {link} lives, though it was proven or said not to"));
            self.emit(Event::OpeningHalted { symbol, why });
        }
        let Some(order) = self.m.durable.book.get(link) else { return };
        if order.facts.twin {
            let why = Text::written(format_args!("two orders at the exchange under {link}"));
            self.emit(Event::OpeningHalted { symbol, why });
        }
        self.mind_the_rest(link);
        self.tell(link);
    }

    /// Timers of an order after news of it.
    fn mind_the_rest(&mut self, link: OrderLinkId) {
        let Some(order) = self.m.durable.book.get(link) else { return };
        let (state, asked) = (order.state, order.cancel.is_some());
        let ends_soon = !order.spec.is_limit() || order.is_filled_whole();
        let create = crate::input::Tag::Create(link);
        self.m.observed.failures.remove(&create);
        self.m.observed.pace.withdraw(create); // it is there: a create that still waits would be its twin
        match state {
            State::Closed => {
                for why in [Why::Inquire(link), Why::RetryCancel(link), Why::RetryCreate(link)] {
                    self.m.observed.timers.disarm(why);
                }
            }
            State::Open if ends_soon => self.arm(Why::Inquire(link), MARKET_END),
            State::Open if !asked => self.m.observed.timers.disarm(Why::Inquire(link)),
            _ => {}
        }
    }

    fn foreign_execution(&mut self, row: &ExecutionRow) {
        if self.m.durable.foreign.contains_key(&row.exec_id) || !self.is_of_our_time(row) {
            return;
        }
        self.touch(row.symbol);
        let (evidence, at) = (self.m.seq, self.now());
        self.emit(Event::ForeignExecuted { row: Box::new(*row), evidence, at });
        // Its row may be yet to come.
        if let Some(foreign) = self.foreign(row.order_id, row.symbol, row.side) {
            foreign.executed(row);
        }
    }

    /// Fills from before we came to the account are in the position that we found there.
    fn is_of_our_time(&self, row: &ExecutionRow) -> bool {
        let began = self.m.observed.sweep.as_ref().map(|sweep| sweep.until);
        self.m.durable.born.or(began).is_some_and(|born| row.time >= born)
    }

    /// An order of the account that is in no book of ours: never touched, and counted as filled (spec K1).
    fn foreign_order(&mut self, row: &OrderRow) {
        let now = self.m.now;
        if let Some(foreign) = self.foreign(row.order_id, row.symbol, row.side) {
            foreign.row(row, now);
        }
    }

    /// What we know of that order of another; none where there are too many of them.
    fn foreign(&mut self, id: ExchangeOrderId, symbol: Symbol, side: Side) -> Option<&mut Foreign> {
        let (now, known) = (self.m.now, &mut self.m.observed.foreign);
        if known.len() >= FOREIGN_MAX {
            known.retain(|of, foreign| *of == id || !foreign.is_over());
        }
        if !known.contains_key(&id) && known.len() >= FOREIGN_MAX {
            self.m.observed.unread_account = true;
            self.m.observed.foreign_overflow_at = Some(now);
            return None;
        }
        Some(known.entry(id).or_insert_with(|| Foreign::new(symbol, side, now)))
    }

    pub(super) fn own_position(&self, symbol: Symbol) -> Quantity {
        self.m.durable.positions.get(&symbol).map_or(Quantity::ZERO, |position| position.size)
    }

    pub(super) fn exchange_position(&self, symbol: Symbol) -> Option<&Reading<crate::bybit::PositionRow>> {
        self.m.observed.positions.get(&symbol)
    }
}
