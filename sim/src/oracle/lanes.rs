//! Signals: first in first out, one at a time, carried out once, and answered for.

use super::bench::{Bench, Scene, Verdict};
use super::list::Oracle;
use super::memory::{Heard, Memory, Stand, Track};
use crate::shelf::Shelf;
use order_manager_core::command::{Command, Receipt};
use order_manager_core::event::Event;
use order_manager_core::input::{DeliveryId, Input, Stream};
use order_manager_core::order::Spec;
use order_manager_core::outcome::Outcome;
use order_manager_core::unit::{Decimal, OrderLinkId, SignalId, Span, Symbol, Timestamp};
use std::collections::VecDeque;

/// A question whose answer is lost as all heals (5 s), the longest wait before it is asked again (6.25 s), and room for a
/// second wait of that length behind it; drawn worlds need up to 16 s.
const IN_TIME: Span = Span::secs(20);
/// A signal that fails for a while is taken up so often, in all (S7).
const TRIES_MAX: u32 = 3;

#[derive(Clone, Debug, Default)]
struct Lane {
    waiting: VecDeque<SignalId>,
    active: Vec<SignalId>,
    /// When something last became of it, or of an order of its symbol.
    moved: Timestamp,
}

/// What was brought to intake.
#[derive(Clone, Debug, Default)]
struct Letter {
    /// The signal in it, good or bad, where there is one.
    signal: Option<SignalId>,
    /// How often it came and was not answered: it may come again before it is.
    open: u32,
    /// When it came last.
    came: Timestamp,
}

#[derive(Clone, Debug, Default)]
pub(super) struct Lanes {
    lanes: Shelf<Symbol, Lane>,
    /// By the numbers of their deliveries: a world counts them.
    letters: Vec<Letter>,
    /// Dead letters that were acknowledged.
    buried: u64,
    /// Since when nothing goes wrong any more, and since when the stream is up.
    healed: Option<Timestamp>,
    hears: Option<Timestamp>,
    /// Up to then nobody can blame the manager for doing nothing.
    excused: Timestamp,
}

impl Lanes {
    pub(super) fn brought(&mut self, delivery: DeliveryId, signal: Option<SignalId>) {
        self.letter(delivery).signal = signal;
    }

    /// Nothing goes wrong from now on.
    pub(super) const fn heals(&mut self, now: Timestamp) {
        self.healed = Some(now);
    }

    /// Up to then nobody can blame the manager for doing nothing: it is banned, or its disk is slow.
    pub(super) fn excused(&mut self, until: Timestamp) {
        self.excused = self.excused.max(until);
    }

    fn letter(&mut self, DeliveryId(number): DeliveryId) -> &mut Letter {
        let place = number as usize;
        if self.letters.len() <= place {
            self.letters.resize(place + 1, Letter::default());
        }
        &mut self.letters[place]
    }

    /// An event is durable; `memory` is as it was before.
    pub(super) fn committed(&mut self, bench: &mut Bench, scene: Scene<'_>, event: &Event, memory: &Memory) {
        match event {
            Event::SignalAccepted { signal, .. } => {
                let heard = memory.signals.get(signal.id);
                let (stand, outcome) = (heard.map(|heard| heard.stand), heard.and_then(|heard| heard.outcome));
                let is_free = stand.is_none() || outcome.is_some_and(Outcome::may_be_tried_again);
                bench.must(Oracle::SettledOnce, is_free, || format!("{} is accepted and is {stand:?}", signal.id));
                let tries = heard.map_or(0, |heard| heard.tries);
                bench.must(Oracle::SettledOnce, tries < TRIES_MAX, || format!("{} had {tries} tries", signal.id));
                self.lanes.of(signal.symbol).waiting.push_back(signal.id);
            }
            Event::Planned { signal, .. } => {
                bench.rule(Oracle::SettledInTime, self.in_time(scene.now, *signal, memory));
            }
            Event::SignalStarted { signal } => self.started(bench, scene.now, *signal, memory),
            Event::OrderIntended { spec } => {
                let signal = spec.intent.signal;
                let lane = self.lanes.get(spec.symbol);
                let place = lane.and_then(|lane| lane.active.iter().position(|active| *active == signal));
                let may = place.is_some_and(|place| place == 0 || spec.reduce_only);
                bench.must(Oracle::OneActiveASymbol, may, || format!("{} is intended; at work: {lane:?}", spec.link));
                let halted = memory.halted.get(&spec.symbol).filter(|_| !spec.reduce_only);
                bench.must(Oracle::HaltedOpensNothing, halted.is_none(), || {
                    format!("{} opens on {}, which is halted since {halted:?}", spec.link, spec.symbol)
                });
                let asked = memory.signals.get(signal).map(|heard| heard.amount);
                bench.rule(Oracle::NeverMoreThanAsked, no_more_than(asked, spec));
            }
            Event::SignalSettled { signal, outcome, .. } => {
                let heard = memory.signals.get(*signal);
                let stand = heard.map(|heard| heard.stand);
                let at_work = matches!(stand, Some(Stand::Waiting | Stand::Active));
                bench.must(Oracle::SettledOnce, at_work, || format!("{signal} is settled and was {stand:?}"));
                if let Some(heard) = heard {
                    bench.rule(Oracle::SettledInTime, self.in_time(scene.now, *signal, memory));
                    self.leaves(scene.now, heard.symbol, *signal);
                    bench.rule(Oracle::OutcomeIsTrue, outcome_is_true(scene, *signal, *outcome, heard, memory));
                }
            }
            _ => {}
        }
    }

    fn started(&mut self, bench: &mut Bench, now: Timestamp, signal: SignalId, memory: &Memory) {
        let Some(symbol) = memory.signals.get(signal).map(|heard| heard.symbol) else {
            return bench.rule(Oracle::FifoPerSymbol, Err(format!("{signal} starts and was never accepted")));
        };
        let calm = self.calm(symbol);
        let lane = self.lanes.of(symbol);
        if let (true, Some(calm), Some(heard)) = (lane.active.is_empty(), calm, memory.signals.get(signal)) {
            let waited = now.since(calm.max(heard.settled_at));
            bench.must(Oracle::SettledInTime, waited <= IN_TIME, || {
                format!("{signal} starts {waited} after its turn had come")
            });
        }
        let first = lane.waiting.front().copied();
        bench.must(Oracle::FifoPerSymbol, first == Some(signal), || format!("{signal} starts before {first:?}"));
        let passes = match lane.active.as_slice() {
            [] => true,
            [active] => {
                let last = memory.signals.get(*active).and_then(|heard| heard.orders.last().copied());
                last.and_then(|link| memory.known(link)).is_some_and(Track::is_unknown_opening)
            }
            _ => false,
        };
        bench.must(Oracle::OneActiveASymbol, passes, || format!("{signal} starts while {:?} are at work", lane.active));
        lane.waiting.pop_front_if(|waiting| *waiting == signal);
        lane.waiting.retain(|waiting| *waiting != signal);
        lane.active.push(signal);
    }

    /// Since when nothing went wrong, the stream is up, and nothing happened on this symbol; none while it is not so.
    fn calm(&self, symbol: Symbol) -> Option<Timestamp> {
        let moved = self.lanes.get(symbol).map_or(Timestamp::default(), |lane| lane.moved);
        Some(self.healed?.max(self.hears?).max(self.excused).max(moved))
    }

    /// An order came further. Decided, or sent again where it did not leave, it was as soon as it could be.
    pub(super) fn moves(
        &mut self,
        bench: &mut Bench,
        now: Timestamp,
        event: &Event,
        link: OrderLinkId,
        memory: &Memory,
    ) {
        let Some(spec) = memory.known(link).and_then(|track| track.spec.as_ref()) else { return };
        if matches!(event, Event::OrderIntended { .. }) || matches!(event, Event::OrderSent { .. }) && spec.reduce_only
        {
            bench.rule(Oracle::SettledInTime, self.in_time(now, spec.intent.signal, memory));
        }
        self.lanes.of(spec.symbol).moved = now;
    }

    /// Where nothing goes wrong any more, a signal whose turn has come is decided as soon as what it needs is told. One that
    /// passed an order of which nobody knows, and cannot only reduce any more, waits for the proof of that.
    fn in_time(&self, now: Timestamp, signal: SignalId, memory: &Memory) -> Verdict {
        let Some(heard) = memory.signals.get(signal) else { return Ok(()) };
        let (Some(calm), Some(lane)) = (self.calm(heard.symbol), self.lanes.get(heard.symbol)) else { return Ok(()) };
        let orders = lane.active.iter().filter_map(|signal| memory.signals.get(*signal)).flat_map(|of| &of.orders);
        let is_unknown = |link: &OrderLinkId| memory.known(*link).is_some_and(|track| track.lost);
        let since = calm.max(heard.settled_at);
        if now.since(since) <= IN_TIME || orders.into_iter().any(is_unknown) && !heard.is_exit {
            return Ok(());
        }
        Err(format!("{now}, of {heard:?}: nothing went wrong, and nothing became of it since {since}"))
    }

    fn leaves(&mut self, now: Timestamp, symbol: Symbol, signal: SignalId) {
        if let Some(lane) = self.lanes.get_mut(symbol) {
            lane.moved = now;
            lane.waiting.retain(|waiting| *waiting != signal);
            lane.active.retain(|active| *active != signal);
        }
    }

    /// A delivery is answered once, in its own step.
    pub(super) fn stepped(&mut self, bench: &mut Bench, now: Timestamp, input: &Input, commands: &[Command]) {
        let mut answered = commands.iter().filter_map(|command| match command {
            Command::Settle { delivery, .. } => Some(*delivery),
            Command::Send(_) | Command::Consult(_) => None,
        });
        let delivered = match input {
            Input::Signal(delivery) => Some(delivery.id),
            Input::TypedSignal(delivery) => Some(delivery.id),
            Input::Refused(refused) => Some(refused.id),
            _ => None,
        };
        match input {
            Input::Started(_) => self.hears = None,
            Input::Stream(stream) => match **stream {
                Stream::Up => self.hears = Some(now),
                Stream::Down => self.hears = None,
                _ => {}
            },
            _ => {}
        }
        if let Some(delivery) = delivered {
            let letter = self.letter(delivery);
            (letter.open, letter.came) = (letter.open + 1, now);
        }
        let (first, second) = (answered.next(), answered.next());
        bench.must(Oracle::OneReceiptADelivery, first == delivered && second.is_none(), || {
            format!("{delivered:?} is delivered, {first:?} and {second:?} are answered")
        });
    }

    /// What a delivery is told is durable, and it is told so once.
    pub(super) fn settles(&mut self, bench: &mut Bench, delivery: DeliveryId, receipt: &Receipt, memory: &Memory) {
        let letter = self.letter(delivery);
        let (brought, is_open, came) = (letter.signal, letter.open > 0, letter.came);
        letter.open = letter.open.saturating_sub(1);
        bench.must(Oracle::OneReceiptADelivery, is_open, || format!("{delivery:?} is answered again: {receipt:?}"));
        let told = match receipt {
            Receipt::Accepted(signal) | Receipt::Duplicate(signal, _) => Some(*signal),
            _ => None,
        };
        bench.must(Oracle::OneReceiptADelivery, told.is_none() || brought == told || brought.is_none(), || {
            format!("{delivery:?} brought {brought:?} and is told {receipt:?}")
        });
        if let Receipt::Duplicate(signal, outcome) = receipt {
            let heard = memory.signals.get(*signal);
            bench.must(Oracle::OneReceiptADelivery, heard.is_some_and(|heard| was_so(heard, *outcome, came)), || {
                format!("{delivery:?} is told {receipt:?}, and its signal is {heard:?}")
            });
        }
        let stand = |signal: &SignalId| memory.signals.get(*signal).map(|heard| heard.stand);
        let is_durable = match receipt {
            Receipt::Accepted(signal) => stand(signal).is_some_and(|stand| stand != Stand::Invalid),
            Receipt::Duplicate(signal, _) | Receipt::Conflict(signal) => stand(signal).is_some(),
            Receipt::Rejected(signal, _) => stand(signal) == Some(Stand::Invalid),
            Receipt::DeadLettered(_) => {
                self.buried += 1;
                self.buried <= memory.dead_letters
            }
            Receipt::Paused => true,
        };
        bench.must(Oracle::SettledAfterDurable, is_durable, || format!("{delivery:?} is told {receipt:?}"));
    }
}

/// Was that its outcome when a copy of it came (S7)? What has begun anew since has none.
fn was_so(heard: &Heard, outcome: Option<Outcome>, came: Timestamp) -> bool {
    match outcome {
        Some(outcome) => heard.outcome.is_none_or(|known| known == outcome || heard.settled_at > came),
        None => heard.outcome.is_none() || heard.settled_at >= came,
    }
}

/// An order is worth no more than its signal asked for.
fn no_more_than(asked: Option<(Decimal, bool)>, spec: &Spec) -> Verdict {
    let (quantity, price) = (spec.quantity.0, spec.price.0);
    let holds = match asked {
        Some((amount, true)) => quantity <= amount,
        Some((amount, false)) => quantity * price <= amount,
        None => false,
    };
    if holds { Ok(()) } else { Err(format!("{} is {quantity} at {price}, asked was {asked:?}", spec.link)) }
}

/// Placed: the exchange took an order of it. Rejected: none of its orders lives or has a fill.
fn outcome_is_true(scene: Scene<'_>, signal: SignalId, outcome: Outcome, heard: &Heard, memory: &Memory) -> Verdict {
    let truth = scene.exchange.truth();
    let mut taken = 0;
    for link in &heard.orders {
        let Some(Track { number: Some(number), doubled, denied, shown, .. }) = memory.known(*link) else { continue };
        let Some(order) = truth.orders.get(*number as usize) else { continue };
        taken += 1;
        // Of a create that arrived twice a copy that nobody can know of may have been taken.
        let hidden = *doubled && *denied && !shown;
        let is_nothing = order.is_closed() && order.state.cum_quantity.is_zero();
        if matches!(outcome, Outcome::Rejected(_)) && !hidden && !is_nothing {
            return Err(format!("{signal} is {outcome:?}, and its order is {order:?}"));
        }
    }
    if outcome == Outcome::Placed && taken == 0 {
        return Err(format!("{signal} is placed, and the exchange has none of {:?}", heard.orders));
    }
    Ok(())
}
