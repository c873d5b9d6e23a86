//! The one rule: step, persist, act, sleep. The only place that sees every room; it has no rule of its own.

mod asks;
mod decide;
mod durable;
mod facts;
mod inquiries;
mod lanes;
mod neighbours;
mod observed;
mod positions;
mod replies;
mod signals;
mod sweeps;
mod tell;
mod turn;

pub use durable::{Active, Counts, Durable, Lane, SignalState, Stage};

use crate::bybit::Operation;
use crate::command::Command;
use crate::config::Config;
use crate::event::{Event, Seq};
use crate::input::{Budgets, Input, Resumed, Spent, Stream};
use crate::journal::{self, CodecError, Digest};
use crate::pace::Pace;
use crate::timer::Why;
use crate::unit::Timestamp;
use alloc::vec::Vec;
use observed::Observed;
use serde::{Deserialize, Serialize};
use turn::Turn;

/// What one step made. The caller keeps one and lends it to every step.
#[derive(Clone, Debug, Default)]
pub struct Step {
    /// The record's number.
    pub seq: Seq,
    /// What is true since, in order.
    pub events: Vec<Event>,
    /// What to start, in order, once `record` is durable.
    pub commands: Vec<Command>,
    /// The bytes to store.
    pub record: Vec<u8>,
    /// The chained digest after this step.
    pub digest: Digest,
    sent: Vec<Operation>,
    scratch: Vec<u8>,
}

/// Where a replay or a restart can begin.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Checkpoint {
    /// Version of its shape.
    pub version: u32,
    /// The last record folded in.
    pub seq: Seq,
    /// The `now` of that record.
    pub at: Timestamp,
    /// The chained digest after it, high and low half.
    pub digest: (u64, u64),
    /// What was spent of the budgets up to then; nothing where it was written before version 3.
    #[serde(default)]
    pub spent: Spent,
    /// The durable state.
    pub durable: Durable,
}

/// The same, of a state that is not to be copied.
#[derive(Serialize)]
struct CheckpointRef<'a> {
    version: u32,
    seq: Seq,
    at: Timestamp,
    digest: (u64, u64),
    spent: &'a Spent,
    durable: &'a Durable,
}

/// The order manager: a deterministic state machine without I/O.
///
/// 1. [`Manager::step`] with time that never goes back. Steps that are persisted together are of one moment: what leaves
///    with the first of them has not left when the last is decided.
/// 2. Persist [`Step::record`] and the rows of its events in one transaction.
/// 3. Then start [`Step::commands`], in order, none waiting for another's answer.
/// 4. Sleep until [`Manager::wake`], or until something happens.
///
/// A failed write ends the manager, for memory is ahead of the disk: [`Manager::restore`] another.
#[derive(Clone, Debug, Default)]
pub struct Manager {
    durable: Durable,
    observed: Observed,
    config: Config,
    seq: Seq,
    now: Timestamp,
    digest: Digest,
}

impl Manager {
    /// A manager that has seen nothing. Its first input must be [`Input::Started`].
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The manager as of the last of `records`, which follow on `checkpoint`. Takes no decision: the same code
    /// serves a restart, a fail-over and a failed write. Its next input must be [`Input::Started`].
    ///
    /// # Errors
    /// A checkpoint or record that cannot be read, or a gap in the records' numbers.
    pub fn restore<'a>(
        checkpoint: Option<&[u8]>,
        records: impl IntoIterator<Item = (&'a [u8], Digest)>,
    ) -> Result<Self, CodecError> {
        let mut manager = Self::new();
        if let Some(bytes) = checkpoint {
            let read: Checkpoint = journal::read(bytes)?;
            if !(1..=journal::VERSION).contains(&read.version) {
                let (theirs, ours) = (read.version, journal::VERSION);
                return Err(CodecError(alloc::format!(
                    "a checkpoint of version {theirs}, this build knows up to {ours}"
                )));
            }
            manager.durable = read.durable;
            manager.observed.pace = Pace::resumed(Budgets { spent: read.spent, ..Budgets::default() });
            manager.seq = read.seq;
            manager.now = read.at;
            manager.digest = Digest(u128::from(read.digest.0) << 64 | u128::from(read.digest.1));
        }
        manager.follow(records)?;
        Ok(manager)
    }

    /// Folds in the records that follow on the last one, as [`Manager::restore`] does: a standby's whole work.
    ///
    /// # Errors
    /// A record that cannot be read, or a gap in the records' numbers; then this manager must be dropped.
    pub fn follow<'a>(&mut self, records: impl IntoIterator<Item = (&'a [u8], Digest)>) -> Result<(), CodecError> {
        for (bytes, digest) in records {
            let record = journal::read_folded(bytes)?;
            if record.seq.0 != self.seq.0.saturating_add(1) {
                return Err(CodecError(alloc::format!("record {} follows on {}", record.seq.0, self.seq.0)));
            }
            self.come_to(record.at, record.events.iter().any(|event| matches!(event, Event::Started { .. })));
            record.events.iter().for_each(|event| self.apply(event));
            for operation in record.spent() {
                self.observed.pace.spend(operation, self.now);
            }
            self.seq = record.seq;
            self.digest = digest;
        }
        Ok(())
    }

    /// The next step is of this moment. The time between two lives is told by clocks that may have been set meanwhile, or
    /// stand on two hosts: it does not count, and what was spent is as old as it was at the last record.
    fn come_to(&mut self, at: Timestamp, begins_life: bool) {
        let (before, now) = (self.now, self.now.max(at));
        if begins_life {
            self.observed.pace.pass_over(now.since(before));
        } else if now > before {
            self.observed.pace.left_before(now, before);
        }
        self.now = now;
    }

    /// The durable state, and what was spent of the budgets, as bytes to restore from. An optimisation: safe to delete.
    ///
    /// # Errors
    /// A state that cannot be written; none is known.
    pub fn checkpoint(&self) -> Result<Vec<u8>, CodecError> {
        let half = |bits: u128| u64::try_from(bits & u128::from(u64::MAX)).unwrap_or_default();
        let checkpoint = CheckpointRef {
            version: journal::VERSION,
            seq: self.seq,
            at: self.now,
            digest: (half(self.digest.0 >> 64), half(self.digest.0)),
            spent: self.spent(),
            durable: &self.durable,
        };
        let mut bytes = Vec::new();
        journal::write(&checkpoint, &mut bytes)?;
        Ok(bytes)
    }

    /// Decides. `now` earlier than the last one counts as the last one. `step` is cleared first.
    ///
    /// # Errors
    /// Only where the record cannot be written down; then this manager must be dropped and another restored.
    pub fn step(&mut self, now: Timestamp, input: &Input, step: &mut Step) -> Result<(), CodecError> {
        step.events.clear();
        step.commands.clear();
        step.sent.clear();
        step.record.clear();
        self.come_to(now, matches!(input, Input::Started(_)));
        self.seq = Seq(self.seq.0.saturating_add(1));
        step.seq = self.seq;
        let mut turn = Turn { m: self, out: step };
        turn.take(input);
        turn.settle();
        step.sent.extend(step.commands.iter().filter_map(Command::spends));
        journal::write_record(self.seq, self.now, input, &step.events, Some(&step.sent), &mut step.record)?;
        self.digest = journal::chain(self.digest, &step.record, &step.commands, &mut step.scratch)?;
        step.digest = self.digest;
        Ok(())
    }

    /// Folds one event into the durable state. Takes no decision.
    pub fn apply(&mut self, event: &Event) {
        self.durable.apply(event);
    }

    /// What [`Input::Checkpointed`] must say, right after [`Manager::checkpoint`].
    #[must_use]
    pub fn resumed(&self) -> Resumed {
        let out = self.observed.out.by_tag();
        let Budgets { held_until, ban, .. } = self.observed.pace.budgets().clone();
        let budgets = Budgets { held_until, ban, ..Budgets::default() };
        Resumed { config: self.config.clone(), stream_up: self.observed.stream_up, out, budgets }
    }

    /// When to come back at the latest, and why. Nothing to do: none.
    #[must_use]
    pub fn wake(&self) -> Option<(Timestamp, Why)> {
        self.observed.timers.next()
    }

    /// The durable state: exactly the fold of events.
    #[must_use]
    pub fn durable(&self) -> &Durable {
        &self.durable
    }

    /// What was spent of the request budgets lately, in this life or before: exactly the fold of the records (spec O5).
    #[must_use]
    pub fn spent(&self) -> &Spent {
        &self.observed.pace.budgets().spent
    }

    /// The rules of this life.
    #[must_use]
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// The last record's number.
    #[must_use]
    pub fn seq(&self) -> Seq {
        self.seq
    }

    /// Latest `now`.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.now
    }

    /// The chained digest after the last step.
    #[must_use]
    pub fn digest(&self) -> Digest {
        self.digest
    }

    /// Does it take signals to work: stream up, orders, fills and positions reconciled (spec T1)?
    #[must_use]
    pub fn is_ready(&self) -> bool {
        self.observed.synced
    }
}

impl Turn<'_> {
    /// The only `match input`.
    fn take(&mut self, input: &Input) {
        match input {
            Input::Started(started) => self.started(started),
            Input::Woke => {}
            Input::Stopping => self.m.observed.stopping = true,
            Input::Signal(delivery) => self.signal(delivery),
            Input::TypedSignal(delivery) => self.typed_signal(delivery),
            Input::Refused(refused) => self.refused(refused),
            Input::Inherited(orders) => orders.iter().for_each(|order| self.inherit(order)),
            Input::Doubted(symbol) => self.doubt(*symbol),
            Input::Reply { tag, answer } => self.reply(*tag, answer),
            Input::Stream(stream) => match &**stream {
                Stream::Up => self.stream_up(),
                Stream::Down => self.stream_down(),
                Stream::Frame(bytes) => self.frame(bytes),
                Stream::Gateway(bytes) => self.gateway(bytes),
                Stream::Typed(push) => self.push(push),
            },
            Input::Checkpointed(resumed) => self.checkpointed(resumed),
        }
    }
}
