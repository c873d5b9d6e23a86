//! The oracles: what must hold at every step, and what must hold once everything has healed. They judge by the
//! exchange's truth, by what is durable and by what left; none of them asks the manager whether it is right.
//!
//! A [`Judge`] rides in a world and is told of everything as it happens; the first oracle that does not hold ends
//! the run. Each can be judged alone ([`Set::only`]): a planted bug of its own must be caught with all others off.
//!
//! Cost is a law here: cursors and counters, nothing that grows with the state at each step.
//!
//! Reading order: list (names and reasons), bench (verdicts), memory (what is remembered), rules, sent, door, cancels,
//! readings, asked, decisions, limits, strangers, fills, lanes, published, ends, pulse, restarts, rows, healed.

mod asked;
mod bench;
mod cancels;
mod decisions;
mod door;
mod ends;
mod fills;
mod healed;
mod lanes;
mod limits;
mod list;
mod memory;
mod published;
mod pulse;
mod readings;
mod restarts;
mod rows;
mod rules;
mod sent;
mod strangers;

#[cfg(test)]
mod tests;

pub(crate) use bench::Scene;
pub use list::{Oracle, Set, When};
pub use rows::as_booked as rows_as_booked;

use crate::model;
use crate::world::World;
use bench::Bench;
use order_manager_core::bybit::Request;
use order_manager_core::command::{Outgoing, Receipt};
use order_manager_core::config::Config;
use order_manager_core::event::{Event, Seq};
use order_manager_core::input::{DeliveryId, Input};
use order_manager_core::report::OrderEvent;
use order_manager_core::unit::{OrderLinkId, Price, SignalId, Span, Symbol, Timestamp};
use order_manager_core::{Manager, Step};
use std::any::Any;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// An oracle that did not hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Broken {
    /// Which.
    pub oracle: Oracle,
    /// When, true time.
    pub at: Timestamp,
    /// What was found.
    pub what: String,
}

impl Broken {
    /// What a world ends in that panics: whoever did it, no law of the program allows for it.
    fn of_panic(panic: &(dyn Any + Send)) -> Self {
        let text = panic.downcast_ref::<String>().map(String::as_str).or_else(|| panic.downcast_ref().copied());
        let what = format!("a panic: {}", text.unwrap_or("without words"));
        Self { oracle: Oracle::NoDefect, at: Timestamp::default(), what }
    }
}

/// What comes of `work`, which acts worlds out. A panic there ends that world and no other.
///
/// # Errors
/// It panicked: the oracle `no-defect` does not hold.
pub fn caught<T>(work: impl FnOnce() -> T) -> Result<T, Broken> {
    catch_unwind(AssertUnwindSafe(work)).map_err(|panic| Broken::of_panic(&*panic))
}

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.oracle.name(), self.what)
    }
}

/// Watches one world.
#[derive(Clone, Debug, Default)]
pub struct Judge {
    bench: Bench,
    /// The rules of this life.
    config: Config,
    memory: memory::Memory,
    sent: sent::Sent,
    door: door::Door,
    cancels: cancels::Cancels,
    readings: readings::Readings,
    decisions: decisions::Decisions,
    limits: limits::Limits,
    fills: fills::Fills,
    lanes: lanes::Lanes,
    published: published::Published,
    pulse: pulse::Pulse,
    restarts: restarts::Restarts,
    model: model::Kept,
}

impl Judge {
    /// A judge of these oracles.
    #[must_use]
    pub fn new(on: Set) -> Self {
        Self { bench: Bench::new(on), ..Self::default() }
    }

    /// The first oracle that did not hold.
    #[must_use]
    pub fn broken(&self) -> Option<&Broken> {
        self.bench.broken()
    }

    /// Is there nothing to watch?
    fn is_idle(&self) -> bool {
        self.bench.on() == Set::NONE
    }

    /// A message was brought to intake; none where no signal can be made of it.
    pub(crate) fn brought(&mut self, delivery: DeliveryId, signal: Option<SignalId>) {
        self.lanes.brought(delivery, signal);
    }

    /// The manager made a step; nothing of it is durable yet.
    pub(crate) fn stepped(&mut self, scene: Scene<'_>, input: &Input, step: &Step, manager: &Manager) {
        if self.is_idle() {
            return;
        }
        self.bench.at(scene.now);
        if let Input::Started(started) = input {
            self.config = started.config.clone();
            self.lags(scene);
            self.decisions.meddled(scene);
        }
        let Self { bench, memory, .. } = self;
        if bench.on().has(Oracle::ReferenceBooks) {
            let verdict = self.model.step(step.seq, &step.events, manager.durable(), scene.exchange);
            bench.rule(Oracle::ReferenceBooks, verdict);
        }
        for event in &step.events {
            if let Event::Defect { what, .. } = event {
                bench.rule(Oracle::NoDefect, Err(what.to_string()));
            }
            fills::at_hand(bench, step.seq, input, event);
            fills::stays_ended(bench, event, manager);
        }
        self.sent.stepped(step.seq, &step.commands);
        self.door.stepped(bench, manager.now(), input, &step.commands);
        self.restarts.stepped(step.seq, step.digest);
        self.readings.stepped(bench, scene, input, step, manager, memory);
        self.decisions.stepped(bench, scene, step, manager, &self.readings, memory);
        if let Some(until) = self.door.excuses_until() {
            let over = manager.now().since(until); // by the manager's clock, which may be another
            let until = Timestamp(scene.now.0.saturating_sub(over.0));
            self.cancels.excused(until);
            self.lanes.excused(until);
        }
        if !self.readings.knows_the_clock() {
            self.cancels.trouble(scene.now, None); // nothing can be signed
        }
        self.cancels.stepped(bench, scene, memory);
        self.limits.stepped(scene, input, step);
        self.lanes.stepped(bench, scene.now, input, &step.commands);
        self.pulse.stepped(bench, scene, input, step, manager);
    }

    /// A step is durable: first each of its events, with the message that it publishes, then [`Judge::committed`].
    pub(crate) fn follows(&mut self, scene: Scene<'_>, event: &Event, message: Option<&OrderEvent>) {
        if self.is_idle() {
            return;
        }
        self.bench.at(scene.now);
        let Self { bench, memory, .. } = self;
        self.lanes.committed(bench, scene, event, memory);
        if let Some(link) = memory::link_of(event) {
            let track = memory.track(link);
            self.fills.of_order(bench, scene, link, track, event);
            self.published.follows(bench, event, message, memory.known(link), memory);
            memory.track(link).fold(event, scene.now);
            self.lanes.moves(bench, scene.now, event, link, memory);
            if let Event::CancelWanted { link, .. } = event {
                self.cancels.wanted(scene.now, *link);
            }
        } else {
            self.fills.of_others(bench, scene, event);
            self.published.follows(bench, event, message, None, memory);
        }
        memory.hear(event, scene.now);
    }

    /// A step is durable.
    pub(crate) fn committed(&mut self, seq: Seq) {
        self.model.committed(seq);
        self.sent.committed(seq);
        self.restarts.committed(seq);
    }

    /// A request leaves.
    pub(crate) fn sends(&mut self, scene: Scene<'_>, outgoing: &Outgoing) {
        if self.is_idle() {
            return;
        }
        self.bench.at(scene.now);
        self.sent.sends(&mut self.bench, scene, outgoing, &self.config, &mut self.memory);
        if let Request::Cancel(cancel) = &outgoing.request {
            self.cancels.tried(scene.now, cancel.link);
        }
    }

    /// A request could not leave after all: not a byte of it.
    pub(crate) fn unsent(&mut self, link: OrderLinkId) {
        self.memory.track(link).under_way = None;
    }

    /// A request arrives at the exchange, which has not looked at it.
    pub(crate) fn arrives(&mut self, scene: Scene<'_>, outgoing: &Outgoing) {
        self.exchange(scene); // what it fills before it answers is not this one's doing
        if let Request::Create(create) = &outgoing.request {
            self.limits.arrives(&mut self.bench, scene, create, &mut self.memory, &self.config);
            self.memory.track(create.link).arrives(outgoing.signed_at);
        }
    }

    /// The exchange may have changed.
    pub(crate) fn exchange(&mut self, scene: Scene<'_>) {
        if self.is_idle() {
            return;
        }
        self.bench.at(scene.now);
        self.limits.look(&mut self.bench, scene, &mut self.memory, &self.config);
    }

    /// The market moved.
    pub(crate) fn price_moved(&mut self, now: Timestamp, symbol: Symbol, price: Price) {
        self.limits.price_moved(now);
        self.readings.price_moved(now, symbol, price);
    }

    /// The exchange did something odd by itself: prices, leverage and positions may be others now.
    pub(crate) fn meddled(&mut self, scene: Scene<'_>) {
        self.lags(scene);
        self.limits.meddled(scene);
        self.decisions.meddled(scene);
        self.memory.rules.look(scene);
        for symbol in scene.exchange.config().instruments.iter().map(|of| of.symbol) {
            if let Some(price) = scene.exchange.last_price(symbol) {
                self.readings.price_moved(scene.now, symbol, price);
            }
        }
        self.exchange(scene);
    }

    /// How far what the exchange shows is behind may be another now: it is so from the start, and where somebody meddles.
    fn lags(&mut self, scene: Scene<'_>) {
        self.limits.lags(scene);
        self.readings.lags(scene);
    }

    /// The commit that begins takes so much longer than usual.
    pub(crate) fn writes_slowly(&mut self, now: Timestamp, by: Span) {
        self.cancels.writes_slowly(by);
        self.lanes.excused(now.after(by));
    }

    /// The process goes on after it stood still.
    pub(crate) fn resumed(&mut self, now: Timestamp) {
        self.cancels.trouble(now, None);
    }

    /// The exchange can be reached, or not any more.
    pub(crate) fn reachable(&mut self, now: Timestamp, is_reachable: bool) {
        self.cancels.trouble(now, Some(!is_reachable));
    }

    /// A delivery is answered.
    pub(crate) fn settles(&mut self, now: Timestamp, delivery: DeliveryId, receipt: &Receipt) {
        self.bench.at(now);
        self.lanes.settles(&mut self.bench, delivery, receipt, &self.memory);
    }

    /// A checkpoint was taken, after so many records.
    pub(crate) fn checkpointed(&mut self, records: usize, bytes: &[u8]) {
        self.restarts.checkpointed(records, bytes);
    }

    /// The process died; `manager` is what it held, and ahead of the store where a batch was being written.
    pub(crate) fn died(&mut self, now: Timestamp, manager: Option<&Manager>) {
        self.sent.died();
        self.door.died();
        self.readings.died();
        self.memory.views.clear();
        self.limits.died();
        self.restarts.died(manager);
        self.cancels.trouble(now, None);
    }

    /// Another process restored this from the store.
    pub(crate) fn restored(&mut self, now: Timestamp, manager: &Manager) {
        self.bench.at(now);
        self.model.restored();
        self.restarts.restored(&mut self.bench, manager);
        self.cancels.trouble(now, None);
    }

    /// Nothing goes wrong from now on.
    pub(crate) fn heals(&mut self, now: Timestamp) {
        self.lanes.heals(now);
    }

    /// Everything has healed and had its time: the last word.
    pub(crate) fn healed(&mut self, world: &World) {
        let scene = Scene { now: world.now, exchange: &world.exchange };
        let bench = &mut self.bench;
        bench.at(world.now);
        for (oracle, judge) in healed::ALL {
            if bench.asks(*oracle) {
                bench.rule(*oracle, judge(world));
            }
        }
        bench.rule(Oracle::PositionsAsTold, self.published.positions(scene));
        bench.rule(Oracle::AllIsTold, fills::all_is_told(scene, &self.memory));
        bench.rule(Oracle::NotHalted, healed::not_halted(world, &self.memory));
        bench.rule(Oracle::QuietWhenIdle, self.pulse.quiet(&self.config));
        self.restarts.healed(bench, world);
    }
}
