//! Follows the journal and says which rows change.

use super::Rows;
use super::figure::Figure;
use super::order::{self, Tracked, clean};
use super::position::Positions;
use super::row::{DeadLetterRow, Foreign, InstrumentRow, OrderRow, SignalRow, Stage};
use crate::bybit;
use crate::event::{Event, Seq};
use crate::intake::{BadSignal, Known, Signal};
use crate::market::Instrument;
use crate::order::{Spec, State, Status, Totals};
use crate::outcome::Outcome;
use crate::refusal::Code;
use crate::report::{self, OrderId, Reporter};
use crate::unit::{Decimal, ExchangeOrderId, OrderLinkId, SignalId, Symbol, Timestamp};
use alloc::collections::BTreeMap;
use alloc::string::{String, ToString};
use serde::{Deserialize, Serialize};

/// Orders of others whose fills are summed up. Beyond it the one that has not filled for longest is left out: a
/// later fill of it would begin a new sum.
const FOREIGN_MAX: usize = 4_096;

/// Where an event stands in the journal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// Its record.
    pub seq: Seq,
    /// Its place among the record's events, from 0.
    pub index: u32,
    /// The record's time.
    pub at: Timestamp,
}

/// Holds what rows of later events need: signals and orders until the journal forgets them, the symbols in use,
/// the sums of others' fills. It can be stored with a checkpoint, or made again by following the journal from
/// its first record.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Projector {
    reporter: Reporter,
    signals: BTreeMap<SignalId, SignalRow>,
    orders: BTreeMap<OrderLinkId, Tracked>,
    foreign: BTreeMap<ExchangeOrderId, Foreign>,
    symbols: BTreeMap<Symbol, Timestamp>,
    positions: Positions,
}

impl Projector {
    /// Takes a whole record's events.
    pub fn follow_record(&mut self, seq: Seq, at: Timestamp, events: &[Event], rows: &mut Rows) {
        for (index, event) in (0..).zip(events) {
            self.follow(Place { seq, index, at }, event, rows);
        }
    }

    /// Takes one event; adds the rows that it changes, and the message that it publishes, to `rows`.
    pub fn follow(&mut self, place: Place, event: &Event, rows: &mut Rows) {
        if let Some(message) = self.reporter.follow(place.seq, place.index, event) {
            rows.messages.insert((place.seq, place.index), message);
        }
        match event {
            Event::SignalAccepted { signal, at, tries, .. } => self.accept(signal, *at, *tries, rows),
            Event::SignalInvalid { at, bad } => _ = bad.known.map(|known| invalid(&known, bad, *at, rows)),
            Event::DeadLettered { at, bad, body } => {
                let letter = DeadLetterRow { at: *at, reason: clean(&bad.to_string()), body: body.clone() };
                rows.dead_letters.insert((place.seq, place.index), letter);
            }
            Event::SignalStarted { signal } => self.signal(*signal, rows, place.at, |row| row.stage = Stage::Active),
            Event::Planned { signal, plan } => {
                self.signal(*signal, rows, place.at, |row| row.planned = Some(plan.clone()));
            }
            Event::SignalSettled { signal, outcome, at, text, cancelled } => {
                self.signal(*signal, rows, *at, |row| {
                    row.stage = Stage::Settled;
                    row.outcome = Some(*outcome);
                    row.text = clean(text.as_str());
                    row.settled_at = Some(*at);
                    row.cancelled.clone_from(cancelled);
                });
                self.settled(*signal, *outcome, *at, text.as_str(), rows);
            }
            Event::SignalForgotten { signal } => _ = self.signals.remove(signal),
            Event::OrderIntended { spec } => self.intend(spec, rows),
            Event::OrderInherited { link, order } => {
                let tracked = Tracked::inherited(&order.spec(*link), order);
                tracked.write(rows);
                self.orders.insert(*link, tracked);
            }
            Event::OrderForgotten { link } => _ = self.orders.remove(link),
            Event::ForeignExecuted { row, .. } => self.foreign(row, place, rows),
            Event::InstrumentChanged { instrument } => self.instrument(instrument, place.at, rows),
            Event::OrderTold(told) => {
                if let Some(tracked) = self.orders.get_mut(&told.link) {
                    tracked.tell(told);
                    tracked.write(rows);
                }
            }
            Event::OrderSent { link, .. }
            | Event::OrderAnswered { link, .. }
            | Event::OrderSeen { link, .. }
            | Event::OrderNoticed { link, .. }
            | Event::OrderExecuted { link, .. }
            | Event::OrderAbsent { link, .. }
            | Event::OrderExpired { link, .. }
            | Event::CancelWanted { link, .. } => self.learn(*link, event, place, rows),
            Event::Started { .. }
            | Event::PositionAdopted { .. }
            | Event::PositionsNoted { .. }
            | Event::PositionDoubted { .. }
            | Event::PositionValidated { .. }
            | Event::PositionDiffers { .. }
            | Event::IntakePaused { .. }
            | Event::OrderMissed { .. }
            | Event::SignalRepeated { .. }
            | Event::Reconciled { .. }
            | Event::OpeningHalted { .. }
            | Event::Quarantined { .. }
            | Event::Defect { .. } => {}
        }
        self.positions.follow(place, event, &self.orders, rows);
        if let Some(execution) = order::execution(event) {
            rows.executions.insert(execution.fill.exec_id, execution);
        }
    }

    fn learn(&mut self, link: OrderLinkId, event: &Event, place: Place, rows: &mut Rows) {
        if let Some(tracked) = self.orders.get_mut(&link)
            && tracked.take(event, place.seq, place.at)
        {
            rows.own.insert(link, tracked.own.clone());
        }
    }

    fn accept(&mut self, signal: &Signal, at: Timestamp, tries: u8, rows: &mut Rows) {
        let row = SignalRow {
            id: signal.id,
            symbol: signal.symbol,
            side: signal.side,
            trace: signal.trace,
            signal: Some(*signal),
            stage: Stage::Waiting,
            outcome: None,
            text: String::new(),
            tries,
            received_at: at,
            updated_at: at,
            settled_at: None,
            planned: None,
            cancelled: alloc::vec::Vec::new(),
        };
        rows.signals.insert(signal.id, row.clone());
        self.signals.insert(signal.id, row);
    }

    fn signal(&mut self, id: SignalId, rows: &mut Rows, at: Timestamp, change: impl FnOnce(&mut SignalRow)) {
        if let Some(row) = self.signals.get_mut(&id) {
            change(row);
            row.updated_at = at;
            rows.signals.insert(id, row.clone());
        }
    }

    /// A signal that ends without any order of its own gets a row that says so, as it gets a `rejected` event.
    fn settled(&self, id: SignalId, outcome: Outcome, at: Timestamp, text: &str, rows: &mut Rows) {
        let Outcome::Rejected(code) = outcome else { return };
        let Some(signal) = self.reporter.without_order(id) else { return };
        let known = Known { id, symbol: signal.symbol, side: signal.side, trace: signal.trace };
        let quantity = signal.row_quantity();
        let wanted = Some(quantity.0).filter(|_| quantity != report::UNUSABLE);
        reject(&known, quantity.0, (signal.row_amount().map(|amount| amount.0), wanted), (code, text), at, rows);
    }

    /// A known order stays as it is, but for one that is proven never to have lived: its id is used again (spec O1).
    fn intend(&mut self, spec: &Spec, rows: &mut Rows) {
        let known = self.orders.get(&spec.link);
        if known.is_some_and(|tracked| !matches!(tracked.own.state, State::Absent | State::Expired)) {
            return;
        }
        let id = spec.intent.signal;
        let trace = self.reporter.signal(id).map(|signal| signal.trace);
        let tracked = Tracked::intended(spec, trace.filter(|trace| !trace.is_empty()));
        let judged_at =
            self.signals.get(&id).and_then(|row| row.planned.as_ref()).map_or(spec.price, |plan| plan.price);
        let amount = judged_at.times(spec.quantity).map(|amount| amount.0);
        let relationship = order::relationship(id, tracked.row.id, amount, Some(spec.quantity.0), spec.at);
        rows.relationships.insert(relationship.id, relationship);
        tracked.write(rows);
        self.orders.insert(spec.link, tracked);
    }

    fn foreign(&mut self, fill: &bybit::ExecutionRow, place: Place, rows: &mut Rows) {
        let new = Foreign { totals: Totals::default(), first_at: place.at, last: place.seq };
        let known = self.foreign.entry(fill.order_id).or_insert(new);
        known.totals = known.totals.plus(Totals::of(fill));
        known.last = place.seq;
        if let Some(row) = order::foreign(fill, known, place.at) {
            rows.orders.insert(row.id, row);
        }
        if self.foreign.len() > FOREIGN_MAX
            && let Some(oldest) = self.foreign.iter().min_by_key(|(_, known)| known.last).map(|(id, _)| *id)
        {
            self.foreign.remove(&oldest);
        }
    }

    fn instrument(&mut self, rules: &Instrument, at: Timestamp, rows: &mut Rows) {
        let created_at = *self.symbols.entry(rules.symbol).or_insert(at);
        let id = report::id_of(rules.symbol.as_str().as_bytes());
        rows.instruments.insert(rules.symbol, InstrumentRow { id, rules: *rules, created_at, updated_at: at });
    }
}

/// A message of which only id, symbol and side could be read (spec S4).
fn invalid(known: &Known, bad: &BadSignal, at: Timestamp, rows: &mut Rows) {
    let text = clean(&bad.to_string());
    reject(known, report::UNUSABLE.0, (None, None), (Code::Validation, &text), at, rows);
    let row = SignalRow {
        id: known.id,
        symbol: known.symbol,
        side: known.side,
        trace: known.trace,
        signal: None,
        stage: Stage::Settled,
        outcome: Some(Outcome::Rejected(Code::Validation)),
        text,
        tries: 0,
        received_at: at,
        updated_at: at,
        settled_at: Some(at),
        planned: None,
        cancelled: alloc::vec::Vec::new(),
    };
    rows.signals.insert(known.id, row);
}

/// The `REJECTED-<signal_id>` row of a signal without an order, with its relationship.
fn reject(
    known: &Known,
    quantity: Decimal,
    (amount, wanted): (Option<Decimal>, Option<Decimal>),
    (code, text): (Code, &str),
    at: Timestamp,
    rows: &mut Rows,
) {
    let row = OrderRow {
        id: known.id,
        order_id: OrderId::Rejected(known.id).to_string(),
        signal_id: known.id,
        asset: known.symbol,
        side: known.side,
        is_limit: false,
        quantity: Figure::positive(quantity).unwrap_or(Figure::LEAST),
        price: None,
        status: Status::Rejected,
        filled_quantity: Figure::ZERO,
        average_price: None,
        fees: None,
        created_at: at,
        updated_at: at,
        executed_at: None,
        trace_id: Some(known.trace).filter(|trace| !trace.is_empty()),
        rejection_reason: Some(clean(&alloc::format!("{code}: {text}"))),
    };
    let relationship = order::relationship(known.id, row.id, amount, wanted, at);
    rows.relationships.insert(relationship.id, relationship);
    rows.orders.insert(row.id, row);
}
