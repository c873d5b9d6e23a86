//! What is published, against what is durable: every change, in order, once, as it was booked.

use super::bench::{Bench, Scene, Verdict};
use super::list::Oracle;
use super::memory::{Memory, Track};
use crate::shelf::Shelf;
use order_manager_core::bybit::ExecutionRow;
use order_manager_core::event::{Change, Event, Told};
use order_manager_core::order::{Spec, Status};
use order_manager_core::outcome::Outcome;
use order_manager_core::report::{FillPart, OrderEvent, OrderId, OrderType, Reason, TotalsPart};
use order_manager_core::unit::{ExchangeTime, Quantity, Side, SignalId, Symbol};
use std::collections::BTreeSet;

#[derive(Clone, Debug, Default)]
pub(super) struct Published {
    ids: BTreeSet<SignalId>,
    /// Positions of one who adds up what was published, and since when each is the exchange's word.
    added_up: Shelf<Symbol, (Quantity, ExchangeTime)>,
}

impl Published {
    /// An event is durable and has led to this message; `track` and `memory` are as they were before.
    pub(super) fn follows(
        &mut self,
        bench: &mut Bench,
        event: &Event,
        message: Option<&OrderEvent>,
        track: Option<&Track>,
        memory: &Memory,
    ) {
        let wanted = match event {
            Event::OrderTold(told) => Some(told.change),
            Event::ForeignExecuted { .. } => Some(Change::Filled),
            Event::SignalInvalid { bad, .. } => bad.known.as_ref().map(|_| Change::Rejected),
            Event::SignalSettled { signal, outcome: Outcome::Rejected(_), .. } => {
                let without_order = memory.signals.get(*signal).is_some_and(|heard| heard.orders.is_empty());
                without_order.then_some(Change::Rejected)
            }
            _ => None,
        };
        let is = message.map(|message| message.event_type);
        bench.must(Oracle::PublishedEveryChange, is == wanted, || format!("{event:?} is published as {is:?}"));
        if let Some(message) = message {
            let first = self.ids.insert(message.event_id);
            bench.must(Oracle::EventIdsUnique, first, || format!("{} is published twice", message.event_id));
        }
        match (event, track) {
            (Event::OrderTold(told), Some(track)) => {
                self.told(bench, told, message, track);
                if let Some(spec) = track.spec.filter(|_| is.is_some()) {
                    self.add(spec.symbol, spec.side, told.increment.quantity);
                }
            }
            (Event::ForeignExecuted { row, .. }, _) => {
                if let Some(message) = message {
                    bench.rule(Oracle::PublishedAsBooked, as_it_was(message, row));
                }
                let since = self.added_up.get(row.symbol).map_or(ExchangeTime(0), |(_, since)| *since);
                if row.time > since {
                    self.add(row.symbol, row.side, row.quantity);
                }
            }
            (Event::PositionAdopted { symbol, size, as_of, .. }, _) => {
                self.added_up.put(*symbol, (*size, *as_of));
            }
            _ => {}
        }
    }

    fn told(&mut self, bench: &mut Bench, told: &Told, message: Option<&OrderEvent>, track: &Track) {
        let (link, ends) = (told.link, matches!(told.change, Change::Cancelled | Change::Rejected));
        let is_fill = matches!(told.change, Change::PartiallyFilled | Change::Filled);
        bench.must(
            Oracle::CreatedFirst,
            track.created != (told.change == Change::Created) || ends_unborn(told),
            || format!("{link} is told {:?}, created before: {}", told.change, track.created),
        );
        let is_whole = track.quantity().is_some_and(|quantity| told.totals.quantity >= quantity);
        let modified = told.change == Change::Modified;
        let again = track.ended && (ends || modified);
        let may_be_last = ends || told.change == Change::Filled || (modified && (is_whole || track.inherited));
        bench.must(Oracle::EndsOnce, !again && told.last == may_be_last, || {
            format!("{link} is told {:?}, last: {}, ended before: {}", told.change, told.last, track.ended)
        });
        bench.must(Oracle::EndsOnce, told.last || !is_fill || !is_whole || track.inherited, || {
            format!("{link} is filled whole, {:?}, and is told {:?}", track.quantity(), told.change)
        });
        let grows = told.increment.quantity.is_positive() == is_fill && told.increment.quantity >= Quantity::ZERO;
        let adds_up = track.told.plus(told.increment) == told.totals || track.inherited;
        bench.must(Oracle::IncrementsSumUp, grows && adds_up, || {
            format!("{link}: {:?} told before, then {:?}, in all {:?}", track.told, told.increment, told.totals)
        });
        if let (Some(message), Some(spec)) = (message, track.spec) {
            bench.rule(Oracle::PublishedAsBooked, as_booked(message, told, &spec));
        }
    }

    fn add(&mut self, symbol: Symbol, side: Side, quantity: Quantity) {
        let (size, _) = self.added_up.of(symbol);
        size.0 += side.signed(quantity).0;
    }

    /// Who added up all that was published holds what the exchange holds.
    pub(super) fn positions(&self, scene: Scene<'_>) -> Verdict {
        for (symbol, position) in scene.exchange.positions() {
            let ours = self.added_up.get(symbol).map_or(Quantity::ZERO, |(size, _)| *size);
            if ours != position.size {
                return Err(format!(
                    "{symbol}: what was published adds up to {ours}, the exchange has {}",
                    position.size
                ));
            }
        }
        Ok(())
    }
}

/// A rejection may come without a creation: it never lived.
fn ends_unborn(told: &Told) -> bool {
    told.change == Change::Rejected
}

/// Who reads it learns of the change what was booked, in every figure that a neighbour goes by (wire-contracts.md 1.4).
fn as_booked(message: &OrderEvent, told: &Told, spec: &Spec) -> Verdict {
    let (increment, order) = (told.increment, &message.order);
    let is_fill = increment.quantity.is_positive();
    let id = told.order_id.map_or(OrderId::Link(told.link), OrderId::Exchange);
    let kind = if spec.is_limit() { OrderType::Limit } else { OrderType::Market };
    let names = (order.order_id, order.signal_id, order.asset, order.side, order.order_type, order.status)
        == (id, spec.intent.signal, spec.symbol, spec.side, kind, told.status);
    let asks = order.quantity == told.quantity && order.price == told.price.filter(|_| spec.is_limit());
    let price = increment.value.per(increment.quantity);
    let fees = Some(increment.fee).filter(|fee| is_fill && !fee.is_zero());
    let adds = (order.filled_quantity, order.average_price, order.fees) == (increment.quantity, price, fees);
    let fill = is_fill.then(|| FillPart {
        quantity: increment.quantity,
        price,
        fee: increment.fee,
        exec_ids: told.exec_ids.clone(),
    });
    let all = told.totals;
    let average_price = all.value.per(all.quantity);
    let totals = TotalsPart { filled_quantity: all.quantity, average_price, fees: all.fee };
    let why = |change| Some(told.reason).filter(|why| told.change == change && !why.is_empty());
    let says = message.cancel_reason == why(Change::Cancelled)
        && message.rejection_reason == why(Change::Rejected).map(Reason::Told);
    let is_so = names && asks && adds && message.fill == fill && message.totals == Some(totals) && says;
    if is_so { Ok(()) } else { Err(format!("{told:?} is published as {message:?}")) }
}

/// The same of a fill of an order that is not ours.
fn as_it_was(message: &OrderEvent, row: &ExecutionRow) -> Verdict {
    let (order, price, fee) = (&message.order, Some(row.price), row.settle_fee());
    let names = (order.order_id, order.signal_id, order.asset, order.side, order.status)
        == (OrderId::Exchange(row.order_id), SignalId::default(), row.symbol, row.side, Status::Filled);
    let adds = (order.quantity, order.filled_quantity, order.average_price, order.fees)
        == (row.quantity, row.quantity, price, Some(fee).filter(|fee| !fee.is_zero()));
    let fill = FillPart { quantity: row.quantity, price, fee, exec_ids: vec![row.exec_id] };
    let is_so = names && adds && message.fill.as_ref() == Some(&fill);
    if is_so { Ok(()) } else { Err(format!("{row:?} is published as {message:?}")) }
}
