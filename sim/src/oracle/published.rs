//! What is published, against what is durable: every change, in order, once, as it was booked.

use super::bench::{Bench, Scene, Verdict};
use super::list::Oracle;
use super::memory::{Memory, Track};
use crate::shelf::Shelf;
use order_manager_core::event::{Change, Event, Told};
use order_manager_core::outcome::Outcome;
use order_manager_core::report::OrderEvent;
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
        let again = track.ended && (ends || told.change == Change::Modified);
        bench.must(Oracle::EndsOnce, !again && told.last == (ends || told.change == Change::Filled), || {
            format!("{link} is told {:?}, last: {}, ended before: {}", told.change, told.last, track.ended)
        });
        let is_whole = is_fill && track.quantity().is_some_and(|quantity| told.totals.quantity >= quantity);
        bench.must(Oracle::EndsOnce, told.last || !is_whole || track.inherited, || {
            format!("{link} is filled whole, {:?}, and is told {:?}", track.quantity(), told.change)
        });
        let grows = told.increment.quantity.is_positive() == is_fill && told.increment.quantity >= Quantity::ZERO;
        let adds_up = track.told.plus(told.increment) == told.totals || track.inherited;
        bench.must(Oracle::IncrementsSumUp, grows && adds_up, || {
            format!("{link}: {:?} told before, then {:?}, in all {:?}", track.told, told.increment, told.totals)
        });
        if let (Some(message), Some(spec)) = (message, track.spec) {
            bench.rule(Oracle::PublishedAsBooked, as_booked(message, told, spec.symbol, spec.side));
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

fn as_booked(message: &OrderEvent, told: &Told, symbol: Symbol, side: Side) -> Verdict {
    let (increment, order) = (told.increment.quantity, &message.order);
    let fill = message.fill.as_ref();
    let names = (order.asset, order.side, order.status) == (symbol, side, told.status);
    let counts = order.filled_quantity == increment
        && fill.is_some() == increment.is_positive()
        && fill.is_none_or(|fill| fill.quantity == increment && fill.exec_ids == told.exec_ids);
    let totals = message.totals.as_ref().is_some_and(|all| all.filled_quantity == told.totals.quantity);
    if names && counts && totals { Ok(()) } else { Err(format!("{told:?} is published as {message:?}")) }
}
