//! A naive book-keeper, to compare the manager's books with at every step.
//!
//! It is fed the exchange's truth: of what the manager says it booked it takes only names (which order, which
//! execution) and looks every figure up at the exchange. Its arithmetic is another one than the core's: it adds up
//! what was bought and what was sold, and never averages, divides or closes anything.
//!
//! - Each execution that an order holds exists at the exchange under that order, with these very figures.
//! - What was told of an order is at any moment either the sum of the executions that the order holds or what the
//!   exchange's own order had come to at some moment of its life: nothing in between.
//! - A position's size is everything bought less everything sold; its realised profit less what it cost to enter is
//!   everything taken in less everything paid.

use crate::exchange::{Exchange, Execution, Truth};
use order_manager_core::event::{Event, Seq, Told};
use order_manager_core::manager::Durable;
use order_manager_core::order::Totals;
use order_manager_core::position::Position;
use order_manager_core::unit::{Decimal, ExchangeTime, ExecId, OrderLinkId, Quantity, Side, Symbol};
use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// A share of an entry's cost is a division: it may be off in the last of a decimal's 28 digits.
const LAST_DIGITS: Decimal = Decimal::from_parts(1, 0, 0, false, 15);

/// The books.
#[derive(Clone, Debug, Default)]
pub struct Model {
    orders: BTreeMap<OrderLinkId, Ours>,
    accounts: BTreeMap<Symbol, Account>,
}

/// The books as they are, and as they were when the last step became durable: a crash takes the rest back.
#[derive(Clone, Debug, Default)]
pub(crate) struct Kept {
    books: Model,
    durable: Model,
    /// After each step that is not durable yet.
    waiting: VecDeque<(Seq, Model)>,
}

impl Kept {
    pub(crate) fn step(
        &mut self,
        seq: Seq,
        events: &[Event],
        durable: &Durable,
        exchange: &Exchange,
    ) -> Result<(), String> {
        let verdict = self.books.step(events, durable, exchange);
        self.waiting.push_back((seq, self.books.clone()));
        verdict
    }

    pub(crate) fn committed(&mut self, seq: Seq) {
        while let Some((_, books)) = self.waiting.pop_front_if(|(of, _)| *of <= seq) {
            self.durable = books;
        }
    }

    pub(crate) fn restored(&mut self) {
        self.waiting.clear();
        self.books = self.durable.clone();
    }
}

/// One order of ours.
#[derive(Clone, Debug, Default)]
struct Ours {
    executions: BTreeSet<ExecId>,
    told: Totals,
}

/// All trades of one symbol.
#[derive(Clone, Copy, Debug, Default)]
struct Account {
    /// Bought less sold, base units.
    size: Decimal,
    /// Taken in less paid, fees not counted.
    cash: Decimal,
    fees: Decimal,
    /// The exchange's word stands in place of everything up to here.
    adopted: ExchangeTime,
}

impl Account {
    fn trade(&mut self, side: Side, totals: Totals) {
        let sign = if side == Side::Buy { Decimal::ONE } else { Decimal::NEGATIVE_ONE };
        self.size += sign * totals.quantity.0;
        self.cash -= sign * totals.value.0;
        self.fees += totals.fee.0;
    }
}

impl Model {
    /// Takes what one step says it booked, and compares the manager's books after it.
    ///
    /// # Errors
    /// The first difference, in words.
    pub fn step(&mut self, events: &[Event], durable: &Durable, exchange: &Exchange) -> Result<(), String> {
        let mut touched = BTreeSet::new();
        for event in events {
            match event {
                Event::OrderExecuted { link, row, .. } => {
                    self.booked(*link, row.exec_id, durable, exchange)?;
                }
                Event::OrderTold(told) => touched.extend(self.told(told, durable, exchange.truth())?),
                Event::ForeignExecuted { row, .. } => {
                    let execution = of(exchange, row.exec_id)?;
                    let account = self.accounts.entry(execution.symbol).or_default();
                    if row.time > account.adopted {
                        account.trade(execution.side, figures(execution));
                    }
                    touched.insert(execution.symbol);
                }
                Event::PositionAdopted { symbol, size, as_of, .. } => {
                    let position = durable.positions.get(symbol).copied().unwrap_or_default();
                    let account = self.accounts.entry(*symbol).or_default();
                    (account.size, account.cash, account.adopted) = (size.0, cash_of(&position), *as_of);
                    touched.insert(*symbol);
                }
                _ => {}
            }
        }
        touched.into_iter().try_for_each(|symbol| self.same_position(symbol, durable))
    }

    /// An execution that an order holds is one of that order at the exchange, figure by figure.
    fn booked(&mut self, link: OrderLinkId, id: ExecId, durable: &Durable, exchange: &Exchange) -> Result<(), String> {
        let execution = of(exchange, id)?;
        if execution.link != Some(link) {
            return Err(format!("{link} holds execution {id}, which is of {:?}", execution.link));
        }
        let held = durable.book.get(link).and_then(|order| order.facts.fills.get(&id)).map(|fill| fill.totals);
        if held != Some(figures(execution)) {
            return Err(format!("{link} holds {held:?} of execution {id}, which is {:?}", figures(execution)));
        }
        self.orders.entry(link).or_default().executions.insert(id);
        Ok(())
    }

    fn told(&mut self, told: &Told, durable: &Durable, truth: &Truth) -> Result<Option<Symbol>, String> {
        let Some(order) = durable.book.get(told.link) else {
            return Err(format!("{} is told and in no book", told.link));
        };
        let ours = self.orders.entry(told.link).or_default();
        let before = ours.told;
        let added = Totals {
            quantity: Quantity(before.quantity.0 + told.increment.quantity.0),
            value: order_manager_core::unit::Money(before.value.0 + told.increment.value.0),
            fee: order_manager_core::unit::Money(before.fee.0 + told.increment.fee.0),
        };
        if added != told.totals {
            return Err(format!("{}: {:?} was told, and now {:?} in all", told.link, added, told.totals));
        }
        ours.told = told.totals;
        if told.increment == Totals::default() {
            return Ok(None);
        }
        let theirs = truth.order_of(told.link).ok_or_else(|| format!("{} is filled and never was", told.link))?;
        let held = sum(truth.executions_of(theirs).filter(|execution| ours.executions.contains(&execution.id())));
        if told.totals != held && !moments(truth.executions_of(theirs)).any(|moment| moment == told.totals) {
            let came_to: Vec<Totals> = moments(truth.executions_of(theirs)).collect();
            return Err(format!("{}: told {:?}, held {held:?}, it came to {came_to:?}", told.link, told.totals));
        }
        self.accounts.entry(order.spec.symbol).or_default().trade(order.spec.side, told.increment);
        Ok(Some(order.spec.symbol))
    }

    fn same_position(&self, symbol: Symbol, durable: &Durable) -> Result<(), String> {
        let account = self.accounts.get(&symbol).copied().unwrap_or_default();
        let position = durable.positions.get(&symbol).copied().unwrap_or_default();
        let exact = (position.size.0, position.fees.0) == (account.size, account.fees);
        if !exact || (cash_of(&position) - account.cash).abs() > LAST_DIGITS {
            return Err(format!("{symbol}: {position:?}, by plain sums {account:?}"));
        }
        Ok(())
    }
}

/// Realised profit less what the open size cost: all that was taken in less all that was paid.
fn cash_of(position: &Position) -> Decimal {
    match position.size {
        size if size.is_zero() => position.realised.0,
        size if size.is_positive() => position.realised.0 - position.entry_value.0,
        _ => position.realised.0 + position.entry_value.0,
    }
}

fn of(exchange: &Exchange, id: ExecId) -> Result<&Execution, String> {
    exchange.execution_by_id(id).ok_or_else(|| format!("execution {id} is booked and never was"))
}

fn figures(execution: &Execution) -> Totals {
    Totals { quantity: execution.quantity, value: execution.value, fee: execution.settle_fee() }
}

fn sum<'a>(executions: impl Iterator<Item = &'a Execution>) -> Totals {
    executions.map(figures).fold(Totals::default(), Totals::plus)
}

/// What an order had come to after each of its executions.
fn moments<'a>(executions: impl Iterator<Item = &'a Execution>) -> impl Iterator<Item = Totals> {
    executions.scan(Totals::default(), |so_far, execution| {
        *so_far = so_far.plus(figures(execution));
        Some(*so_far)
    })
}
