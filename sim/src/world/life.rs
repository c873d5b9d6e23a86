//! The driver of the one rule, in virtual time: step, persist, act, sleep. It can be killed between any two.

use super::{Happening, World, scene};
use crate::scenario::{CommitTrouble, Crash, CrashMoment, CrashOn, Loss};
use crate::store::Store;
use order_manager_core::command::Command;
use order_manager_core::input::{Input, Started};
use order_manager_core::journal::CodecError;
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
    /// Steps that are being written, with what led to them.
    writing: Vec<(Input, Step)>,
    /// Steps of which nothing is left but their room.
    spare: Vec<Step>,
    /// What the store held when it was last restored from: a later restore goes on from here.
    standby: Manager,
    crash: Option<Crash>,
    /// The next process dies too, and starts again after this long.
    dies_again: Option<Span>,
    /// Was a checkpoint lost since the last start? Then what is known of the past does not count.
    forgetful: bool,
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
        self.dies_again = None;
    }

    /// The manager as the store has it: of the last checkpoint and the records since, of all records where there is
    /// none. Where `each` records or more had to be read it keeps a checkpoint; between two lives nothing is observed
    /// that it would have to make the manager forget.
    fn restore(&mut self, each: Option<u32>) -> Result<Manager, CodecError> {
        self.store.recover()?;
        let manager = self.read()?;
        let read = || self.store.checkpoint().map_or(self.store.len(), |(_, since)| since.count());
        if each.is_some_and(|each| read() >= each as usize) {
            self.store.keep_checkpoint(manager.checkpoint()?);
        }
        Ok(manager)
    }

    fn read(&mut self) -> Result<Manager, CodecError> {
        let forgetful = std::mem::take(&mut self.forgetful);
        if let Some((checkpoint, since)) = self.store.checkpoint() {
            return Manager::restore(Some(checkpoint), since);
        }
        if forgetful {
            return Manager::restore(None, self.store.records());
        }
        let known = self.standby.seq().0 as usize;
        self.standby.follow(self.store.records().skip(known))?;
        Ok(self.standby.clone())
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
        self.work_on();
    }

    /// What waits is handled, unless the process writes or stands still.
    pub(super) fn work_on(&mut self) {
        if self.life.writing.is_empty() && !self.is_paused() {
            self.work();
        }
    }

    /// Steps through the inbox and starts writing.
    fn work(&mut self) {
        while let Some(input) = self.life.inbox.pop_front() {
            let Some(manager) = &mut self.life.manager else { return };
            self.inputs += 1;
            let mut step = self.life.spare.pop().unwrap_or_default();
            if manager.step(self.host.own(self.now), &input, &mut step).is_err() {
                return self.die(Span::secs(1), "the record could not be written down");
            }
            self.judge.stepped(scene(self.now, &self.exchange), &input, &step, manager);
            self.watch.stepped(&input, &step, manager);
            if let Some(trace) = &mut self.trace {
                trace.step(self.now, &input, &step, manager);
            }
            self.life.writing.push((input, step));
            let last = self.life.writing.len() - 1;
            if self.crash_comes(last, CrashMoment::BeforePersist) {
                return;
            }
        }
        if self.life.writing.is_empty() {
            return;
        }
        let writing = std::mem::take(&mut self.life.writing);
        if !self.cut_here(CrashMoment::BeforePersist, &writing) {
            self.life.writing = writing;
            let life = self.life.number;
            let trouble = self.commit_trouble();
            let slow = if let Some(CommitTrouble::Slow(by)) = trouble { by } else { Span::ZERO };
            if slow > Span::ZERO {
                self.judge.writes_slowly(self.now, slow);
            }
            let fails = trouble == Some(CommitTrouble::Fail);
            self.at(self.now.after(COMMIT).after(slow), Happening::Committed { life, fails });
        }
    }

    /// The batch is durable: now, and only now, its commands start.
    pub(super) fn committed(&mut self, fails: bool) {
        if self.store_is_down || fails {
            return self.die(STORE_RETRY, "of a store that cannot be written"); // memory is ahead of the disk
        }
        let mut batch = std::mem::take(&mut self.life.writing);
        self.watch.written(batch.len());
        for (_, step) in &batch {
            let (judge, scene) = (&mut self.judge, scene(self.now, &self.exchange));
            self.ledger.follow(step.seq, &step.events, |event, message| judge.follows(scene, event, message));
            judge.committed(step.seq);
            if self.life.store.write(&step.record, step.digest, &step.events).is_err() {
                return self.die(Span::secs(1), "the record could not be written down");
            }
        }
        if self.life.store.confirm().is_err() {
            return self.die(Span::secs(1), "the batch could not be written down");
        }
        let moment = CrashMoment::AfterPersist;
        if self.crash_after(&batch, &[], moment) || self.cut_here(moment, &[]) {
            return;
        }
        for command in batch.iter().flat_map(|(_, step)| &step.commands) {
            self.act(command);
            if self.cut_here(CrashMoment::AfterRequest, &[]) {
                return;
            }
        }
        if self.crash_after(&batch, &[], CrashMoment::AfterRequest) {
            return;
        }
        self.life.spare.extend(batch.drain(..).map(|(_, step)| step));
        self.life.writing = batch; // empty: its room is used again
        self.work();
    }

    fn crash_comes(&mut self, written: usize, moment: CrashMoment) -> bool {
        if self.life.crash.is_none() {
            return false;
        }
        let writing = std::mem::take(&mut self.life.writing);
        let crashed = self.crash_after(&writing[written..], &writing, moment);
        if !crashed {
            self.life.writing = writing;
        }
        crashed
    }

    /// Dies where the crash that is planned is for one of these steps; `under_way` is what the store had not confirmed.
    fn crash_after(&mut self, steps: &[(Input, Step)], under_way: &[(Input, Step)], moment: CrashMoment) -> bool {
        let Some(crash) = self.life.crash.filter(|crash| crash.moment == moment) else { return false };
        let fits = steps.iter().any(|(input, step)| on_input(crash.on, input) || on_commands(crash.on, &step.commands));
        if fits {
            self.life.crash = None;
            self.crash_now(crash, under_way);
        }
        fits
    }

    pub(super) fn crash_now(&mut self, crash: Crash, under_way: &[(Input, Step)]) {
        let spoilt = self.spoil(crash, under_way) || crash.loss == Loss::InRecovery;
        self.watch.crashed(crash.moment, crash.loss, spoilt);
        let word = match crash.moment {
            CrashMoment::BeforePersist => "before the step is stored",
            CrashMoment::AfterPersist => "after the step is stored, before it acts",
            CrashMoment::AfterRequest => "after the requests left",
        };
        self.die(crash.restart, word);
    }

    /// The disk is left as this crash leaves it. Is it another than before?
    fn spoil(&mut self, crash: Crash, under_way: &[(Input, Step)]) -> bool {
        let frames = under_way.iter().map(|(_, step)| (step.record.as_slice(), step.digest));
        let spoilt = match self.life.store.crash(crash.loss, frames) {
            Ok(spoilt) => spoilt,
            Err(error) => panic!("the simulator's store cannot be spoilt: {error}"),
        };
        self.life.forgetful |= matches!(crash.loss, Loss::OldCheckpoint | Loss::NoCheckpoint);
        self.life.dies_again = (crash.loss == Loss::InRecovery).then_some(crash.restart);
        if let (Some(trace), true) = (&mut self.trace, crash.loss != Loss::Kill) {
            trace.note(self.now, &format!("x the crash leaves: {}", crash.loss.as_str()));
        }
        spoilt
    }

    /// The process dies: memory, unwritten steps and connections are gone.
    fn die(&mut self, restart: Span, how: &str) {
        if let Some(trace) = &mut self.trace {
            trace.note(self.now, &format!("x crash {how}"));
        }
        self.judge.died(self.now, self.life.manager.as_ref());
        self.life.manager = None;
        self.life.inbox.clear();
        self.life.writing.clear();
        self.life.number += 1; // answers and commits of the old life find nobody
        self.waiting.clear();
        self.connected = false;
        self.forget_pause();
        let at = self.now.after(restart);
        self.at(at, Happening::Restarts);
    }

    /// The process starts: restore, then one `Started`, then the deliveries that nobody acknowledged.
    pub(super) fn restart(&mut self) {
        if self.store_is_down {
            let at = self.now.after(STORE_RETRY);
            return self.at(at, Happening::Restarts);
        }
        let from_checkpoint = self.life.store.checkpoint().is_some();
        let manager = match self.life.restore(self.checkpoint_each) {
            Ok(manager) => manager,
            Err(error) => panic!("the simulator's store does not restore: {error}"),
        };
        self.watch.restored(from_checkpoint);
        self.judge.restored(self.now, &manager);
        let lives = manager.durable().life;
        self.host.start(self.now, manager.now());
        self.life.manager = Some(manager);
        self.life.number = self.life.number.max(lives) + 1;
        let started = Started { life: lives + 1, config: self.config.clone() };
        let dies_again = self.life.dies_again.take();
        self.give(Input::Started(Box::new(started)));
        if !self.life.is_up() {
            return; // a crash that was planned came in its first step
        }
        if let Some(restart) = dies_again {
            return self.die(restart, "in recovery, before its first step is stored");
        }
        if !self.life.is_up() {
            return; // its first step was cut
        }
        self.connect();
        self.deliver_all();
    }
}

fn on_input(on: CrashOn, input: &Input) -> bool {
    match on {
        CrashOn::Any => true,
        CrashOn::Signal => matches!(input, Input::Signal(_) | Input::TypedSignal(_)),
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
