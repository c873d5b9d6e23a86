//! What the judge remembers of orders and signals: the durable events folded by other code than the manager's, and
//! what truly became of each.

use super::rules::{Rules, RulesRead};
use crate::shelf::Shelf;
use order_manager_core::event::{Change, CreateAnswer, Event};
use order_manager_core::order::{Spec, Totals};
use order_manager_core::outcome::Outcome;
use order_manager_core::refusal::Code;
use order_manager_core::unit::{
    ClockOffset, Decimal, ExchangeTime, ExecId, OrderLinkId, Price, Quantity, SignalId, Symbol, Timestamp,
};
use std::cmp::Reverse;
use std::collections::BTreeMap;

/// One order link id.
#[derive(Clone, Debug, Default)]
pub(super) struct Track {
    /// The durable intent.
    pub(super) spec: Option<Spec>,
    /// Signed into the last create that is durable.
    pub(super) signed_at: Option<ExchangeTime>,
    /// Signed into the last create that left and may yet arrive.
    pub(super) under_way: Option<ExchangeTime>,
    /// Signed into the last create that arrived.
    pub(super) arrived: Option<ExchangeTime>,
    /// A create of it arrived twice.
    pub(super) doubled: bool,
    /// It was answered that one was not taken.
    pub(super) denied: bool,
    /// Orders under it at the exchange.
    pub(super) accepted: u32,
    /// The number of the last of them there.
    pub(super) number: Option<u64>,
    /// When it was decided, and by which readings.
    pub(super) decided: Decided,
    /// When its cancel was wanted.
    pub(super) cancel_wanted: Option<Timestamp>,
    /// Something durable shows that it ended or never lived.
    pub(super) evidence: bool,
    /// Nobody knows what became of its create.
    pub(super) lost: bool,
    /// Proven absent, and not sent since.
    pub(super) absent: bool,
    /// What all of it is, as the exchange showed it last: it trims orders that only reduce.
    pub(super) whole: Option<(ExchangeTime, Reverse<Quantity>)>,
    /// The exchange has shown or acknowledged it.
    pub(super) shown: bool,
    pub(super) created: bool,
    pub(super) ended: bool,
    pub(super) told: Totals,
    /// When which quantity of it was told.
    tellings: Vec<(Timestamp, Quantity)>,
    /// Placed by the service that stood here before us.
    pub(super) inherited: bool,
}

/// The moment of a decision.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Decided {
    pub(super) at: Timestamp,
    /// When the oldest of what its balance was reckoned by was asked for: the wallet, the prices, the leverage.
    pub(super) funds_asked: Option<Timestamp>,
    /// When its symbol's position was asked for by name: a sweep shows no flat one, and no leverage of it.
    pub(super) leverage_asked: Option<Timestamp>,
    /// When the wallet of these was asked for.
    pub(super) wallet_asked: Option<Timestamp>,
    /// The reading of the instrument's rules that it went by.
    pub(super) rules_read: Option<RulesRead>,
}

impl Track {
    /// Folds a durable event of this order.
    pub(super) fn fold(&mut self, event: &Event, now: Timestamp) {
        match event {
            Event::OrderIntended { spec } => {
                *self = Self {
                    arrived: self.arrived,
                    doubled: self.doubled,
                    denied: self.denied,
                    accepted: self.accepted,
                    number: self.number,
                    under_way: self.under_way,
                    decided: self.decided,
                    ..Self::default()
                };
                self.spec = Some(**spec);
            }
            Event::OrderInherited { link, order } => {
                (self.inherited, self.shown, self.created) = (true, true, true);
                (self.spec, self.told) = (Some(order.spec(*link)), order.totals());
                self.signed_at = Some(order.created_at.at_exchange(ClockOffset(0)));
            }
            Event::OrderSent { signed_at, .. } => {
                (self.signed_at, self.absent) = (Some(*signed_at), false);
            }
            Event::OrderAnswered { answer, .. } => match answer {
                CreateAnswer::Accepted { .. } => (self.shown, self.lost) = (true, false),
                CreateAnswer::Refused { .. } => (self.evidence, self.denied, self.lost) = (true, true, false),
                // Where it is late it may be of an earlier create under the id: of the last one still nobody knows.
                CreateAnswer::NotSent { .. } => self.denied = true,
                CreateAnswer::Unknown { .. } => self.lost = !self.shown && !self.evidence,
            },
            Event::OrderSeen { row, .. } => {
                (self.shown, self.lost) = (true, false);
                self.evidence |= row.status.is_terminal();
                self.whole = self.whole.max(Some((row.updated, Reverse(row.quantity)))); // of one moment the one trimmed more
            }
            Event::OrderNoticed { .. } | Event::OrderExecuted { .. } => (self.shown, self.lost) = (true, false),
            Event::OrderAbsent { proof, .. } => {
                (self.evidence, self.lost) = (true, false);
                self.absent = !proof.aged_out;
            }
            Event::OrderExpired { .. } => self.evidence = true,
            Event::CancelWanted { .. } => self.cancel_wanted = self.cancel_wanted.or(Some(now)),
            Event::OrderTold(told) => {
                self.created |= told.change == Change::Created;
                self.ended |= told.last;
                self.told = told.totals;
                self.tellings.push((now, told.totals.quantity));
            }
            _ => {}
        }
    }

    /// A create arrives. The manager signs each with its own time: one that is signed like the last is its copy.
    pub(super) fn arrives(&mut self, signed_at: ExchangeTime) {
        self.doubled |= self.arrived.replace(signed_at) == Some(signed_at);
        self.under_way = None; // it is taken now, or never
    }

    /// What of it was told by then.
    pub(super) fn told_by(&self, then: Timestamp) -> Quantity {
        let by_then = self.tellings.iter().take_while(|(at, _)| *at <= then);
        by_then.last().map_or(Quantity::ZERO, |(_, quantity)| *quantity)
    }

    /// Base units that are all of it.
    pub(super) fn quantity(&self) -> Option<Quantity> {
        self.whole.map(|(_, Reverse(quantity))| quantity).or(self.spec.map(|spec| spec.quantity))
    }

    /// Nobody knows whether this opening order exists.
    pub(super) fn is_unknown_opening(&self) -> bool {
        self.lost && self.spec.is_some_and(|spec| !spec.reduce_only)
    }
}

/// The order that an event is about.
pub(super) fn link_of(event: &Event) -> Option<OrderLinkId> {
    match event {
        Event::OrderIntended { spec } => Some(spec.link),
        Event::OrderTold(told) => Some(told.link),
        Event::OrderSent { link, .. }
        | Event::OrderAnswered { link, .. }
        | Event::OrderSeen { link, .. }
        | Event::OrderNoticed { link, .. }
        | Event::OrderMissed { link, .. }
        | Event::OrderExecuted { link, .. }
        | Event::OrderAbsent { link, .. }
        | Event::OrderExpired { link, .. }
        | Event::CancelWanted { link, .. }
        | Event::OrderInherited { link, .. } => Some(*link),
        _ => None,
    }
}

/// Where a signal stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stand {
    Invalid,
    Waiting,
    Active,
    Settled,
}

/// One signal.
#[derive(Clone, Debug)]
pub(super) struct Heard {
    pub(super) stand: Stand,
    pub(super) symbol: Symbol,
    pub(super) is_exit: bool,
    /// When the model decided.
    pub(super) at: Timestamp,
    /// What it asks for; in base units where that is so.
    pub(super) amount: (Decimal, bool),
    /// How its last try ended; none while it has not.
    pub(super) outcome: Option<Outcome>,
    /// The price that the model saw.
    pub(super) price: Option<Price>,
    /// Its orders, of every try.
    pub(super) orders: Vec<OrderLinkId>,
    /// How often it was accepted.
    pub(super) tries: u32,
    /// When it was last settled.
    pub(super) settled_at: Timestamp,
}

/// All of it. Nothing is forgotten while a world lasts.
#[derive(Clone, Debug, Default)]
pub(super) struct Memory {
    pub(super) tracks: Shelf<OrderLinkId, Track>,
    pub(super) signals: Shelf<SignalId, Heard>,
    /// Symbols that may not open, and since when.
    pub(super) halted: BTreeMap<Symbol, Timestamp>,
    /// Executions of others, and since when the manager knows them.
    pub(super) foreign: BTreeMap<ExecId, Timestamp>,
    /// Of which sequence the positions were that were pushed to this life of the manager, and when.
    pub(super) views: BTreeMap<Symbol, Vec<(Timestamp, i64)>>,
    /// Messages of which nothing could be made.
    pub(super) dead_letters: u64,
    /// The rules of instruments.
    pub(super) rules: Rules,
}

impl Memory {
    /// The track of an order, a fresh one where it is new.
    pub(super) fn track(&mut self, link: OrderLinkId) -> &mut Track {
        self.tracks.of(link)
    }

    /// The track of an order that is known.
    pub(super) fn known(&self, link: OrderLinkId) -> Option<&Track> {
        self.tracks.get(link)
    }

    /// Folds what an event says of signals.
    pub(super) fn hear(&mut self, event: &Event, now: Timestamp) {
        match event {
            Event::SignalAccepted { signal, .. } => {
                let known = self.signals.get_mut(signal.id);
                let (orders, before) =
                    known.map(|known| (std::mem::take(&mut known.orders), known.tries)).unwrap_or_default();
                let tries = before + 1;
                let (symbol, is_exit) = (signal.symbol, signal.is_exit);
                let (at, price) = (signal.timestamp, signal.snapshot.price);
                let (stand, amount) = (Stand::Waiting, (signal.amount, signal.in_base));
                let (settled_at, outcome) = (now, None);
                let heard = Heard { stand, symbol, is_exit, at, amount, outcome, price, orders, tries, settled_at };
                self.signals.put(signal.id, heard);
            }
            Event::SignalInvalid { bad, .. } => {
                if let Some(known) = &bad.known {
                    let (symbol, stand) = (known.symbol, Stand::Invalid);
                    let (at, amount, price, orders) = (now, (Decimal::ZERO, false), None, Vec::new());
                    let (is_exit, settled_at, tries) = (false, now, 0);
                    let outcome = Some(Outcome::Rejected(Code::Validation));
                    let heard = Heard { stand, symbol, is_exit, at, amount, outcome, price, orders, tries, settled_at };
                    self.signals.put(known.id, heard);
                }
            }
            Event::SignalStarted { signal } => self.stands(*signal, Stand::Active, now),
            Event::SignalSettled { signal, outcome, .. } => {
                self.stands(*signal, Stand::Settled, now);
                if let Some(heard) = self.signals.get_mut(*signal) {
                    heard.outcome = Some(*outcome);
                }
            }
            Event::OpeningHalted { symbol, .. } | Event::Defect { symbol: Some(symbol), .. } => {
                self.halted.entry(*symbol).or_insert(now);
            }
            Event::DeadLettered { .. } => self.dead_letters += 1,
            Event::ForeignExecuted { row, .. } => _ = self.foreign.entry(row.exec_id).or_insert(now),
            Event::OrderIntended { spec } => {
                if let Some(heard) = self.signals.get_mut(spec.intent.signal)
                    && !heard.orders.contains(&spec.link)
                {
                    heard.orders.push(spec.link);
                }
            }
            _ => {}
        }
    }

    fn stands(&mut self, signal: SignalId, stand: Stand, now: Timestamp) {
        if let Some(heard) = self.signals.get_mut(signal) {
            (heard.stand, heard.settled_at) = (stand, now);
        }
    }
}
