//! Do our books equal the exchange's? Per order (status, cumulative quantity, fee), per execution, position and
//! wallet. The exchange's truth is compared, not any of its views.

use crate::exchange::{Exchange, Execution};
use order_manager_core::bybit::{ExecType, OrderStatus};
use order_manager_core::manager::Durable;
use order_manager_core::order::{Status, Totals};
use order_manager_core::unit::{Decimal, Money, Quantity, Symbol};
use std::collections::BTreeSet;

/// The exchange books cash in 8 decimals, we keep every digit: each execution may differ by this much.
const LAST_DIGIT: Decimal = Decimal::from_parts(1, 0, 0, false, 8);

/// Every difference, in words; none where the books agree.
#[must_use]
pub fn differences(ours: &Durable, exchange: &Exchange) -> Vec<String> {
    let mut found = Vec::new();
    orders(ours, exchange, &mut found);
    executions(ours, exchange, &mut found);
    positions(ours, exchange, &mut found);
    wallet(ours, exchange, &mut found);
    found
}

fn orders(ours: &Durable, exchange: &Exchange, found: &mut Vec<String>) {
    for (link, record) in &exchange.truth().links {
        if record.creates_accepted > 1 {
            found.push(format!("{link}: {} orders at the exchange under one link id", record.creates_accepted));
        }
        if record.creates_accepted > 0 && ours.book.get(*link).is_none() {
            found.push(format!("{link}: at the exchange, not in our book"));
        }
    }
    for order in ours.book.iter() {
        let link = order.spec.link;
        let Some(theirs) = exchange.truth().order_of(link) else {
            if !matches!(order.status(), Status::Rejected | Status::Pending) {
                found.push(format!("{link}: {:?} with us, unknown at the exchange", order.status()));
            }
            continue;
        };
        let (status, state) = (order.status(), &theirs.state);
        if status != status_of(state.status, state.cum_quantity) {
            found.push(format!("{link}: {status:?} with us, {:?} at the exchange", state.status));
        }
        let totals = order.told.totals;
        if (totals.quantity, totals.fee) != (state.cum_quantity, state.cum_fee) {
            let (q, f) = (totals.quantity, totals.fee);
            found.push(format!(
                "{link}: {q} filled, fee {f} with us; {}, fee {} there",
                state.cum_quantity, state.cum_fee
            ));
        }
    }
}

/// What the public status of an order must be by the exchange's word (spec O4).
fn status_of(status: OrderStatus, filled: Quantity) -> Status {
    match status {
        OrderStatus::PartiallyFilled => Status::PartiallyFilled,
        OrderStatus::Filled | OrderStatus::PartiallyFilledCanceled => Status::Filled,
        OrderStatus::Cancelled | OrderStatus::Rejected | OrderStatus::Deactivated if !filled.is_zero() => {
            Status::Filled
        }
        OrderStatus::Rejected => Status::Rejected,
        OrderStatus::Cancelled | OrderStatus::Deactivated => Status::Cancelled,
        _ => Status::Pending,
    }
}

fn executions(ours: &Durable, exchange: &Exchange, found: &mut Vec<String>) {
    // Funding is cash, and of a kind that nobody has heard of only the position tells.
    let moves = |of: &&Execution| of.exec_type.moves_position();
    for theirs in exchange.truth().executions.iter().filter(moves) {
        let order = theirs.link.and_then(|link| ours.book.get(link));
        let booked = order.and_then(|order| order.facts.fills.get(&theirs.id)).map(|fill| fill.totals);
        if booked != Some(figures(theirs)) && !ours.foreign.contains_key(&theirs.id) {
            found.push(format!("execution {} of {:?}: at the exchange, not booked", theirs.id, theirs.link));
        }
    }
    for order in ours.book.iter() {
        let (link, mut each) = (order.spec.link, Totals::default());
        for (id, fill) in &order.facts.fills {
            each = each.plus(fill.totals);
            let theirs = exchange.execution_by_id(*id).filter(moves).filter(|of| of.link == Some(link));
            if theirs.map(figures) != Some(fill.totals) {
                found.push(format!("execution {id} of {link}: booked, not at the exchange"));
            }
        }
        // What is remembered of an order comes and goes with its key: a key without its quantity is a fill lost.
        if order.facts.executed != each {
            found.push(format!("{link}: executions of {each:?}, reckoned as {:?}", order.facts.executed));
        }
    }
}

fn figures(execution: &Execution) -> Totals {
    Totals { quantity: execution.quantity, value: execution.value, fee: execution.settle_fee() }
}

fn positions(ours: &Durable, exchange: &Exchange, found: &mut Vec<String>) {
    let symbols: BTreeSet<Symbol> =
        ours.positions.keys().copied().chain(exchange.positions().map(|(symbol, _)| symbol)).collect();
    for symbol in symbols {
        let own = ours.positions.get(&symbol).map_or(Quantity::ZERO, |p| p.size);
        let theirs = exchange.position(symbol).map_or(Quantity::ZERO, |p| p.size);
        if own != theirs {
            found.push(format!("position {symbol}: {own} with us, {theirs} at the exchange"));
        }
    }
}

/// Start, exits less entries, less fees; funding is in the wallet and in no book of ours. Profit that is realised
/// depends on the order in which fills of several orders are booked, cash in and out does not; where all is flat both
/// are the same. A position that no execution explained in its five seconds is adopted (spec T4): what it cost to come
/// there is in no book of ours, also where its executions are shown later.
fn wallet(ours: &Durable, exchange: &Exchange, found: &mut Vec<String>) {
    let truth = exchange.truth();
    let cash = |size: Quantity, entry: Money| if size < Quantity::ZERO { entry.0 } else { -entry.0 };
    let own: Decimal =
        ours.positions.values().map(|p| p.realised.0 - p.fees.0 + cash(p.size, p.entry_value)).sum::<Decimal>();
    let own = truth.start.0 + own;
    let unknown = truth.executions.iter().any(|e| matches!(e.exec_type, ExecType::Other(_)));
    if unknown || ours.counts.adopted > 0 {
        return; // the position was adopted, but nobody tells us at what price it moved
    }
    let own = own - truth.funding.0;
    let theirs = truth.wallet.0 + exchange.positions().map(|(_, p)| cash(p.size, p.entry_value)).sum::<Decimal>();
    let executions = Decimal::from(truth.executions.len());
    if (own - theirs).abs() > LAST_DIGIT * executions {
        found.push(format!("wallet: {own} by our books, {theirs} at the exchange, positions at what they cost"));
    }
}
