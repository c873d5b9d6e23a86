//! The rows that the store is given (O4): each fits the shared schema at every moment, and once all is told they say what
//! the books say.

use super::bench::Verdict;
use crate::ledger::Ledger;
use crate::neighbours::{order_complaints, relationship_complaints};
use crate::world::World;
use order_manager_core::journal;
use order_manager_core::order::{Order, Status};
use order_manager_core::report::row_id;
use order_manager_core::rows::{Figure, Projector, Rows};

/// Makes the rows of a world from its journal, as the store does.
///
/// # Errors
/// A row does not fit, or says something else than the books.
pub fn as_booked(world: &World) -> Result<Rows, String> {
    let (mut projector, mut all) = (Projector::default(), Rows::default());
    for (bytes, _) in world.life.store.records() {
        let record = journal::read_record(bytes).map_err(|error| error.to_string())?;
        let mut rows = Rows::default();
        projector.follow_record(record.seq, record.at, &record.events, &mut rows);
        let orders = rows.orders.values().flat_map(order_complaints);
        let complaint = orders.chain(rows.relationships.values().flat_map(relationship_complaints)).next();
        complaint.map_or(Ok(()), |what| Err(format!("record {:?}: {what}", record.seq)))?;
        all.absorb(rows);
    }
    world.ledger.books.book.iter().try_for_each(|order| order_as_booked(order, &all))?;
    signals_as_settled(&world.ledger, &all)?;
    Ok(all)
}

fn order_as_booked(order: &Order, rows: &Rows) -> Verdict {
    let (link, totals) = (order.spec.link, order.facts.totals());
    let (Some(own), Some(row)) = (rows.own.get(&link), rows.orders.get(&row_id(link))) else {
        return Err(format!("{link} has no row"));
    };
    let id = order.order_id().map_or(link.to_string(), |id| id.to_string());
    let fills = rows.executions.values().filter(|row| row.link == Some(link)).count();
    let is_cut = row.status == Status::Filled && totals.quantity < order.quantity();
    let so = (own.state, own.order_id, own.spec) == (order.state, order.order_id(), order.spec)
        && (row.status, row.signal_id, &row.order_id) == (order.status(), order.spec.intent.signal, &id)
        && row.filled_quantity == Figure::of(totals.quantity.0)
        && row.fees == totals.quantity.is_positive().then(|| Figure::of(totals.fee.0))
        && fills == order.facts.fills.len()
        && own.remainder.is_some() == is_cut;
    if so { Ok(()) } else { Err(format!("{order:?} has the rows {row:?}, {own:?}, and {fills} executions")) }
}

/// Every signal has a row that says how it ended, and an order of its own or one that says why there is none.
fn signals_as_settled(ledger: &Ledger, rows: &Rows) -> Verdict {
    for (id, account) in &ledger.signals {
        let row = rows.signals.get(id).ok_or_else(|| format!("signal {id} has no row"))?;
        if row.outcome != account.outcome || row.text != account.text.as_str() {
            return Err(format!("signal {id} is {account:?}, its row {row:?}"));
        }
        let mut its = rows.relationships.values().filter(|row| row.signal_id == *id);
        if !its.any(|row| rows.orders.contains_key(&row.order_id)) {
            return Err(format!("signal {id} has no order to show"));
        }
    }
    Ok(())
}
