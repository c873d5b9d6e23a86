//! The driver of the one rule, in virtual time: step, persist, act, sleep. It can be killed between any two.

use super::{Happening, World};
use crate::scenario::{Crash, CrashMoment, CrashOn};
use crate::store::{Store, Stored};
use order_manager_core::command::Command;
use order_manager_core::event::Event;
use order_manager_core::input::{Input, Started};
use order_manager_core::intake;
use order_manager_core::unit::{Span, Timestamp};
use order_manager_core::{Manager, Step};
use std::collections::VecDeque;

/// Before another manager is restored after a write failed.
const STORE_RETRY: Span = Span::secs(1);
/// How long the disk takes for one batch.
const COMMIT: Span = Span::millis(1);

/// The manager's process and its disk.
#[derive(Debug, Default)]
pub struct Life {
    /// Which life this is, from 1.
    pub number: u32,
    /// What survives.
    pub store: Store,
    manager: Option<Manager>,
    inbox: VecDeque<Input>,
    /// Steps that are being written, with what they will do.
    writing: Vec<Written>,
    step: Step,
    crash: Option<Crash>,
}

#[derive(Debug)]
struct Written {
    stored: Stored,
    events: Vec<Event>,
    commands: Vec<Command>,
}

impl Life {
    pub(super) fn new() -> Self {
        Self::default()
    }

    /// Is the process running?
    #[must_use]
    pub const fn is_up(&self) -> bool {
        self.manager.is_some()
    }

    /// The manager, while its process runs.
    #[must_use]
    pub const fn manager(&self) -> Option<&Manager> {
        self.manager.as_ref()
    }

    /// When it wants to be woken; not while it writes.
    pub(super) fn wakes_at(&self) -> Option<Timestamp> {
        if !self.writing.is_empty() {
            return None;
        }
        self.manager.as_ref()?.wake().map(|(at, _)| at)
    }

    pub(super) fn checkpoint(&self) -> Option<Vec<u8>> {
        let manager = self.manager.as_ref().filter(|_| self.writing.is_empty())?;
        manager.checkpoint().ok()
    }

    pub(super) const fn forget_crash(&mut self) {
        self.crash = None;
    }

    /// Does the core itself still know this signal?
    pub(super) fn remembers(&self, body: &[u8]) -> bool {
        let id = intake::decode(body, None).ok().map(|signal| signal.id);
        let signals = self.manager.as_ref().map(|manager| &manager.durable().signals);
        id.zip(signals).is_some_and(|(id, signals)| signals.contains_key(&id))
    }
}

impl World {
    /// Plans a crash for the next step that fits.
    pub fn plan_crash(&mut self, crash: Crash) {
        self.life.crash = Some(crash);
    }

    /// Something happens to the manager. While a batch is being written it waits; then all that waits is one
    /// batch (group commit).
    pub(super) fn give(&mut self, input: Input) {
        self.life.inbox.push_back(input);
        if self.life.writing.is_empty() {
            self.work();
        }
    }

    /// Steps through the inbox and starts writing.
    fn work(&mut self) {
        while let Some(input) = self.life.inbox.pop_front() {
            let Some(manager) = &mut self.life.manager else { return };
            self.inputs += 1;
            if manager.step(self.now, &input, &mut self.life.step).is_err() {
                return self.die(Span::secs(1), "the record could not be written down");
            }
            let step = &self.life.step;
            if let Some(trace) = &mut self.trace {
                trace.step(self.now, &input, step, manager);
            }
            self.life.writing.push(Written {
                stored: Stored { seq: step.seq, record: step.record.clone(), digest: step.digest },
                events: step.events.clone(),
                commands: step.commands.clone(),
            });
            if self.crash_comes(&input, CrashMoment::BeforePersist) {
                return;
            }
        }
        if !self.life.writing.is_empty() {
            let life = self.life.number;
            self.at(self.now.after(COMMIT), Happening::Committed { life });
        }
    }

    /// The batch is durable: now, and only now, its commands start.
    pub(super) fn committed(&mut self) {
        if self.store_is_down {
            return self.die(STORE_RETRY, "of a store that cannot be written"); // memory is ahead of the disk
        }
        let batch = std::mem::take(&mut self.life.writing);
        for Written { stored, events, .. } in &batch {
            self.ledger.follow(stored.seq, events);
        }
        let commands: Vec<Command> = batch.iter().flat_map(|written| written.commands.clone()).collect();
        let inputs = batch.iter().map(|written| written.stored.record.clone()).collect::<Vec<_>>();
        for Written { stored, events, .. } in batch {
            self.life.store.commit(stored, &events);
        }
        if self.crash_after(&inputs, &commands, CrashMoment::AfterPersist) {
            return;
        }
        commands.iter().for_each(|command| self.act(command));
        if self.crash_after(&inputs, &commands, CrashMoment::AfterRequest) {
            return;
        }
        self.work();
    }

    fn crash_after(&mut self, records: &[Vec<u8>], commands: &[Command], moment: CrashMoment) -> bool {
        let Some(crash) = self.life.crash.filter(|crash| crash.moment == moment) else { return false };
        let inputs = records.iter().filter_map(|record| order_manager_core::journal::read_record(record).ok());
        let fits =
            inputs.into_iter().any(|record| on_input(crash.on, &record.input)) || on_commands(crash.on, commands);
        fits && self.crash_now(crash)
    }

    fn crash_comes(&mut self, input: &Input, moment: CrashMoment) -> bool {
        let Some(crash) = self.life.crash.filter(|crash| crash.moment == moment) else { return false };
        let fits = on_input(crash.on, input) || on_commands(crash.on, &self.life.step.commands);
        fits && self.crash_now(crash)
    }

    fn crash_now(&mut self, crash: Crash) -> bool {
        self.life.crash = None;
        let word = match crash.moment {
            CrashMoment::BeforePersist => "before the step is stored",
            CrashMoment::AfterPersist => "after the step is stored, before it acts",
            CrashMoment::AfterRequest => "after the requests left",
        };
        self.die(crash.restart, word);
        true
    }

    /// The process dies: memory, unwritten steps and connections are gone.
    fn die(&mut self, restart: Span, how: &str) {
        if let Some(trace) = &mut self.trace {
            trace.note(self.now, &format!("x crash {how}"));
        }
        self.life.manager = None;
        self.life.inbox.clear();
        self.life.writing.clear();
        self.life.number += 1; // answers and commits of the old life find nobody
        self.waiting.clear();
        self.connected = false;
        let at = self.now.after(restart);
        self.at(at, Happening::Restarts);
    }

    /// The process starts: restore, then one `Started`, then the deliveries that nobody acknowledged.
    pub(super) fn restart(&mut self) {
        if self.store_is_down {
            let at = self.now.after(STORE_RETRY);
            return self.at(at, Happening::Restarts);
        }
        let restored = Manager::restore(None, self.life.store.records());
        let manager = match restored {
            Ok(manager) => manager,
            Err(error) => panic!("the simulator's store does not restore: {error}"),
        };
        let lives = manager.durable().life;
        self.life.manager = Some(manager);
        self.life.number = self.life.number.max(lives) + 1;
        let started = Started { life: lives + 1, config: self.config.clone() };
        self.give(Input::Started(Box::new(started)));
        self.connect();
        let waiting: Vec<_> = self.unacknowledged.keys().copied().collect();
        waiting.into_iter().for_each(|id| self.deliver(id));
    }
}

fn on_input(on: CrashOn, input: &Input) -> bool {
    match on {
        CrashOn::Any => true,
        CrashOn::Signal => matches!(input, Input::Signal(_)),
        CrashOn::Reply => matches!(input, Input::Reply { .. }),
        CrashOn::Push => matches!(input, Input::Stream(_)),
        CrashOn::Sending(_) => false,
    }
}

fn on_commands(on: CrashOn, commands: &[Command]) -> bool {
    let CrashOn::Sending(requests) = on else { return false };
    commands.iter().any(|command| match command {
        Command::Send(outgoing) => requests.covers(outgoing.request.operation()),
        Command::Settle { .. } | Command::Consult(_) => false,
    })
}
