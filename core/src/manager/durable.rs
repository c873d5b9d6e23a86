//! What survives: exactly the fold of events. `apply` takes no decision.

use crate::bybit::ExecutionRow;
use crate::event::{CreateAnswer, Event, Told};
use crate::intake::Signal;
use crate::market::Instrument;
use crate::order::{Book, InheritedOrder, Order, Refused, State, Stimulus, Totals};
use crate::outcome::Outcome;
use crate::position::{self, Position, Seen, Trail};
use crate::unit::{ExchangeTime, ExecId, OrderLinkId, Side, SignalId, Span, Symbol, Text, Timestamp};
use alloc::boxed::Box;
use alloc::collections::{BTreeMap, BTreeSet, VecDeque};
use alloc::vec::Vec;
use serde::{Deserialize, Serialize};

/// Where a signal stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Stage {
    /// In its lane.
    Waiting,
    /// Its turn.
    Active(Active),
    /// Done.
    Settled {
        /// How.
        outcome: Outcome,
        /// When.
        at: Timestamp,
    },
}

/// The work on an active signal.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Active {
    /// Its latest order.
    pub order: Option<OrderLinkId>,
    /// Orders that were cancelled for it.
    pub cancelled: Vec<OrderLinkId>,
    /// Orders of it that the exchange ended before they could rest or fill.
    pub crossed: u8,
}

/// A signal that is remembered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SignalState {
    /// The signal. In a box, for it is too large to be moved about in a map.
    pub signal: Box<Signal>,
    /// When it was accepted.
    pub at: Timestamp,
    /// Which try of its id this is, from 1.
    pub tries: u8,
    /// Where it stands.
    pub stage: Stage,
}

/// A symbol's queue (spec S5). One that is empty is not kept.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lane {
    /// In arrival order.
    pub waiting: VecDeque<SignalId>,
    /// Whose turn it is.
    pub active: Option<SignalId>,
    /// A reducing one that passes the active one, whose opening order is Unknown (spec S5).
    pub passing: Option<SignalId>,
    /// The last order that those who wait had to wait for (spec S6).
    pub last: Option<OrderLinkId>,
}

impl Lane {
    /// Takes a signal out of those that wait; it is there once at most.
    fn leave(&mut self, id: SignalId) {
        let place = self.waiting.iter().position(|waiting| *waiting == id);
        place.map(|place| self.waiting.remove(place));
    }
}

/// How often things happened that should be rare.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    /// Copies of known signals.
    pub repeated: u64,
    /// Known ids with another content.
    pub conflicts: u64,
    /// Messages that no signal could be made of.
    pub dead_letters: u64,
    /// Messages that found no room.
    pub paused: u64,
    /// Records set aside.
    pub quarantined: u64,
    /// Broken laws of this program.
    pub defects: u64,
    /// Positions that executions did not explain.
    pub adopted: u64,
    /// Fill events that may have been published twice.
    pub doubted: u64,
}

/// The durable state.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Durable {
    /// Lives of the process so far.
    pub life: u32,
    /// Signals by id, until they are forgotten.
    pub signals: BTreeMap<SignalId, SignalState>,
    /// Ids of signals that were invalid, and when they came.
    pub invalid: BTreeMap<SignalId, Timestamp>,
    /// Signals that the service before us had carried out, and when we took their orders over (spec T1).
    pub done_before: BTreeMap<SignalId, Timestamp>,
    /// Lanes that have work.
    pub lanes: BTreeMap<Symbol, Lane>,
    /// Orders.
    pub book: Book,
    /// Positions by our own executions.
    pub positions: BTreeMap<Symbol, Position>,
    /// How far the fills of each symbol are known, of ours and of others, or the view that was taken over.
    #[serde(default, rename = "marks")]
    pub trails: BTreeMap<Symbol, Trail>,
    /// Rules of the symbols in use.
    pub instruments: BTreeMap<Symbol, Instrument>,
    /// Booked fills that are not of our orders, and when they were made.
    pub foreign: BTreeMap<ExecId, ExchangeTime>,
    /// When we came to this account: fills of others from before are none of our business.
    pub born: Option<ExchangeTime>,
    /// Executions are known up to this moment.
    pub reconciled_until: Option<ExchangeTime>,
    /// Symbols that may not open, and why.
    pub halted: BTreeMap<Symbol, Text<160>>,
    /// Symbols of which Position Manager may have heard twice, and has not validated since.
    pub doubted: BTreeSet<Symbol>,
    /// Counters.
    pub counts: Counts,
}

impl Durable {
    /// Folds one event in. The only place where durable state changes.
    pub fn apply(&mut self, event: &Event) {
        match event {
            Event::Started { life } => self.life = *life,
            Event::SignalAccepted { signal, at, tries, .. } => self.accept(signal.clone(), *at, *tries),
            Event::SignalRepeated { conflict, .. } => {
                let count = if *conflict { &mut self.counts.conflicts } else { &mut self.counts.repeated };
                *count = count.saturating_add(1);
            }
            Event::DeadLettered { .. } => self.counts.dead_letters = self.counts.dead_letters.saturating_add(1),
            Event::SignalInvalid { at, bad } => {
                if let Some(known) = &bad.known {
                    self.invalid.insert(known.id, *at);
                }
            }
            Event::SignalStarted { signal } => self.start(*signal),
            Event::Planned { signal, plan } => {
                self.active(*signal, |active| active.cancelled.extend_from_slice(&plan.cancels));
            }
            Event::SignalSettled { signal, outcome, at, .. } => self.settle(*signal, *outcome, *at),
            Event::SignalForgotten { signal } => {
                self.signals.remove(signal);
                self.invalid.remove(signal);
                self.done_before.remove(signal);
            }
            Event::OrderIntended { spec } => {
                self.active(spec.intent.signal, |active| active.order = Some(spec.link));
                self.book.intend(Order::new(**spec));
            }
            Event::OrderForgotten { link } => self.book.remove(*link),
            Event::OrderTold(told) => self.tell(told),
            Event::ForeignExecuted { row, .. } => self.execute_foreign(row),
            Event::PositionAdopted { symbol, size, entry, as_of, mark, .. } => {
                self.counts.adopted = self.counts.adopted.saturating_add(1);
                self.seen(*symbol, Seen::view(*mark, *entry));
                position::adopt(&mut self.positions, *symbol, *size, *entry, *as_of);
            }
            Event::PositionDoubted { symbol } => {
                self.counts.doubted = self.counts.doubted.saturating_add(1);
                self.doubted.insert(*symbol);
            }
            Event::PositionValidated { symbol } => _ = self.doubted.remove(symbol),
            Event::PositionDiffers { .. } | Event::PositionsNoted { .. } => {}
            Event::OrderInherited { link, order } => self.inherit(*link, order),
            Event::InstrumentChanged { instrument } => {
                self.instruments.insert(instrument.symbol, **instrument);
            }
            Event::Reconciled { until, .. } => {
                self.reconciled_until = self.reconciled_until.max(Some(*until));
                self.born = self.born.or(Some(*until));
                let horizon = until.before(FOREIGN_MEMORY);
                self.foreign.retain(|_, time| *time >= horizon);
                self.trails.values_mut().for_each(|trail| trail.forget(until.before(VIEWS_BEHIND)));
            }
            Event::OpeningHalted { symbol, why } => {
                self.halted.entry(*symbol).or_insert(*why);
            }
            Event::Quarantined { .. } => self.counts.quarantined = self.counts.quarantined.saturating_add(1),
            Event::Defect { symbol, what } => {
                self.counts.defects = self.counts.defects.saturating_add(1);
                if let Some(symbol) = symbol {
                    self.halted.entry(*symbol).or_insert(*what);
                }
            }
            Event::IntakePaused { .. } => self.counts.paused = self.counts.paused.saturating_add(1),
            order_event => self.apply_to_order(order_event),
        }
    }

    fn apply_to_order(&mut self, event: &Event) {
        match event {
            Event::OrderSent { link, signed_at } => self.book.change(*link, |order| {
                order.signed_at = Some(*signed_at);
                order.take(Stimulus::Sent);
            }),
            Event::OrderAnswered { link, answer, at } => self.book.change(*link, |order| {
                match answer {
                    CreateAnswer::Accepted { order_id } => order.facts.join_id(*order_id),
                    CreateAnswer::Refused { code, text } => order.refusal = Some(Refused { code: *code, text: *text }),
                    CreateAnswer::NotSent { .. } | CreateAnswer::Unknown { .. } => {}
                }
                order.take(answer.stimulus());
                ended(order, *at);
            }),
            Event::OrderSeen { link, row, at, .. } => self.book.change(*link, |order| {
                order.take_row(row);
                ended(order, *at);
            }),
            Event::OrderMissed { link, known_until } => {
                self.book.change(*link, |order| order.missed_since = order.missed_since.or(Some(*known_until)))
            }
            Event::OrderNoticed { link, order_id, at, .. } => self.book.change(*link, |order| {
                order.take_notice(*order_id);
                ended(order, *at);
            }),
            Event::OrderExecuted { link, row, .. } => {
                self.seen(row.symbol, Seen::fill(row));
                self.book.change(*link, |order| _ = order.take_execution(row))
            }
            Event::OrderAbsent { link, proof, at } => self.book.change(*link, |order| {
                order.take(if proof.aged_out { Stimulus::AgedOut } else { Stimulus::ProvenAbsent });
                ended(order, *at);
            }),
            Event::OrderExpired { link, at } => self.book.change(*link, |order| {
                order.take(Stimulus::Expired);
                ended(order, *at);
            }),
            Event::CancelWanted { link, reason } => {
                self.book.change(*link, |order| order.cancel = order.cancel.or(Some(*reason)))
            }
            _ => None,
        };
    }

    fn accept(&mut self, signal: Box<Signal>, at: Timestamp, tries: u8) {
        self.lanes.entry(signal.symbol).or_default().waiting.push_back(signal.id);
        self.signals.insert(signal.id, SignalState { signal, at, tries, stage: Stage::Waiting });
    }

    fn start(&mut self, id: SignalId) {
        let Some(state) = self.signals.get_mut(&id) else { return };
        state.stage = Stage::Active(Active::default());
        let lane = self.lanes.entry(state.signal.symbol).or_default();
        lane.leave(id);
        let place = if lane.active.is_none() { &mut lane.active } else { &mut lane.passing };
        *place = Some(id);
    }

    fn settle(&mut self, id: SignalId, outcome: Outcome, at: Timestamp) {
        let Some(state) = self.signals.get_mut(&id) else { return };
        let stage = core::mem::replace(&mut state.stage, Stage::Settled { outcome, at });
        let symbol = state.signal.symbol;
        if let Some(lane) = self.lanes.get_mut(&symbol) {
            if stage == Stage::Waiting {
                lane.leave(id);
            } else if lane.active == Some(id) {
                lane.active = lane.passing.take();
            } else if lane.passing == Some(id) {
                lane.passing = None;
            }
            if let Stage::Active(Active { order: Some(order), .. }) = stage {
                lane.last = Some(order);
            }
            if lane.waiting.is_empty() && lane.active.is_none() {
                self.lanes.remove(&symbol);
            }
        }
    }

    fn active(&mut self, id: SignalId, change: impl FnOnce(&mut Active)) {
        if let Some(SignalState { stage: Stage::Active(active), .. }) = self.signals.get_mut(&id) {
            change(active);
        }
    }

    fn tell(&mut self, told: &Told) {
        let told_before = self.book.change(told.link, |order| {
            order.told.created |= told.change == crate::event::Change::Created;
            order.told.totals = told.totals;
            order.told.named.extend(told.exec_ids.iter().copied());
            order.told.ended |= told.last;
            (order.spec.symbol, order.spec.side)
        });
        if let Some((symbol, side)) = told_before.filter(|_| !told.increment.quantity.is_zero()) {
            self.book_fill(symbol, side, told.increment);
        }
        if told.crossed
            && let Some(order) = self.book.get(told.link)
        {
            let signal = order.spec.intent.signal;
            self.active(signal, |active| {
                active.crossed = active.crossed.saturating_add(1);
                active.order = None;
            });
        }
    }

    fn book_fill(&mut self, symbol: Symbol, side: Side, totals: Totals) {
        if !position::book(&mut self.positions, symbol, side, totals) {
            self.counts.defects = self.counts.defects.saturating_add(1);
            self.halted.entry(symbol).or_insert(Text::clipped("a position's figures leave what a decimal holds"));
        }
    }

    fn execute_foreign(&mut self, row: &ExecutionRow) {
        self.foreign.insert(row.exec_id, row.time);
        self.seen(row.symbol, Seen::fill(row));
        let adopted = self.positions.get(&row.symbol).map_or(ExchangeTime(0), |position| position.adopted);
        if row.time > adopted {
            self.book_fill(row.symbol, row.side, Totals::of(row));
        }
    }

    fn seen(&mut self, symbol: Symbol, seen: Seen) {
        self.trails.entry(symbol).or_default().add(seen);
    }

    fn inherit(&mut self, link: OrderLinkId, inherited: &InheritedOrder) {
        self.book.inherit(inherited.order(link));
        self.done_before.insert(inherited.signal, inherited.created_at);
    }
}

/// Fills that are not ours are remembered this long before the watermark, against coming twice.
const FOREIGN_MEMORY: Span = Span::secs(3_600);
/// No view of a position that a reconcile brings is so far behind: they are so by seconds, and Bybit names no bound.
const VIEWS_BEHIND: Span = Span::secs(300);

fn ended(order: &mut Order, at: Timestamp) {
    let over = !order.state.may_fill();
    order.ended_at = if over { order.ended_at.or(Some(at)) } else { None };
    if order.state == State::Closed {
        order.cancel = None;
    }
}
