//! THE loop of the one rule over real channels: step, persist, act, sleep.
//!
//! Priorities: 1 what the exchange says, 2 the manager's own timer, 3 signals. What waits together is persisted
//! together (group commit). A write that fails ends the manager; the next one is restored from the store.

mod life;

use crate::desk::{Back, Brought, DeskError, Flags};
use crate::exchange::{Ear, Heard, Rest};
use crate::neighbours::PositionManager;
use crate::neighbours::balance::BalanceSync;
use crate::store::{Restored, Store, StoreError, StoredStep};
use life::{Blamed, Life};
use order_manager_core::Manager;
use order_manager_core::command::{Command, Receipt};
use order_manager_core::config::Config;
use order_manager_core::input::{Answer, Delivery, InheritedOrder, Input, Started, Stream, Tag};
use order_manager_core::intake;
use order_manager_core::journal::CodecError;
use order_manager_core::unit::Bytes;
use std::time::Duration;
use tokio::sync::{mpsc, watch};
use tokio::time::Instant;

/// Inputs of one batch: enough for throughput, few enough for latency.
const BATCH_MAX: usize = 64;
/// Signals of one batch; the rest of it is for what the exchange says.
const SIGNALS_MAX: usize = 16;
/// Before another manager is restored after a write failed.
const STORE_RETRY: Duration = Duration::from_secs(1);
/// Records that a restore had to fold before it keeps a checkpoint for the next one.
const CHECKPOINT_MIN: usize = 1_000;
/// Requests that are out have this long to be answered at a shutdown (spec A5).
const FINISH_MAX: Duration = Duration::from_secs(10);

/// What the exchange adapters say may wait here this long before their sockets do.
pub(crate) const HEARD_MAX: usize = 4_096;

/// Everything that the loop owns.
pub(crate) struct Driver {
    pub(crate) store: Store,
    pub(crate) config: Config,
    pub(crate) rest: Rest,
    pub(crate) position_manager: Option<PositionManager>,
    /// Told of each event that is durable.
    pub(crate) balances: Option<BalanceSync>,
    pub(crate) ear: Ear,
    pub(crate) heard: mpsc::Receiver<Heard>,
    pub(crate) back: Back,
    pub(crate) stop: watch::Receiver<bool>,
    /// Orders to take over in the first life, instead of those that the store names.
    pub(crate) given: Option<Vec<InheritedOrder>>,
}

/// What woke the loop, the most urgent first.
enum Happened {
    Heard(Box<Heard>),
    Woke,
    Stop,
    Brought(Brought),
}

/// How a life ended.
enum End {
    Stopped,
    /// The store was not to be written, or not to be asked: restore another.
    StoreFailed(StoreError),
    /// Another would fare the same.
    Hopeless(StoreError),
}

impl Driver {
    /// Runs until it is told to stop. Gives the store back: others may work on it until the last event is published.
    ///
    /// # Errors
    /// A journal that cannot be restored or begun upon: a person must look at it. Or it was told to stop while the
    /// store did not work.
    pub(crate) async fn run(mut self) -> Result<Store, StoreError> {
        let mut stream_up = false;
        let mut life = self.restore().await?;
        let mut first = None;
        loop {
            let mut failed = match self.live(&mut life, first.take(), &mut stream_up).await {
                End::Stopped => return Ok(self.store),
                End::Hopeless(error) => return Err(error),
                End::StoreFailed(error) => error,
            };
            tracing::error!(error = %failed, "the store does not work: intake stops until it does");
            self.set_down();
            let refused = life.end();
            let mut at_once = refused.is_some();
            life = loop {
                // A message that is to be set aside is no reason to wait: the store works.
                if !std::mem::take(&mut at_once) {
                    self.wait_for_store(&mut stream_up).await;
                }
                if *self.stop.borrow() {
                    return Err(failed);
                }
                failed = match self.restore().await {
                    Ok(life) => break life,
                    Err(error) => error,
                };
                tracing::error!(error = %failed, "the store cannot be read: trying again");
            };
            first = refused.map(|refused| life.inherit(refused));
        }
    }

    fn set_down(&self) {
        let Flags { store, ready, accepting, .. } = &*self.back.flags;
        [store, ready].into_iter().for_each(|flag| Flags::set(flag, false));
        open(accepting, false);
    }

    async fn restore(&mut self) -> Result<Life, StoreError> {
        let mut restored = self.store.restore().await?;
        let mut folded = fold(&restored);
        if let (Err(error), Some(_)) = (&folded, &restored.checkpoint) {
            tracing::warn!(%error, "the checkpoint is of no use to this build: the journal is read whole");
            restored = self.store.restore_whole().await?;
            folded = fold(&restored);
        }
        let manager = folded?;
        tracing::info!(records = restored.steps.len(), seq = manager.seq().0, "restored");
        if restored.steps.len() >= CHECKPOINT_MIN {
            // Between two lives nothing is observed that a checkpoint would have to make the manager forget.
            let kept = match manager.checkpoint() {
                Ok(bytes) => self.store.save_checkpoint(manager.seq(), &bytes).await,
                Err(error) => Err(error.into()),
            };
            if let Err(error) = kept {
                tracing::warn!(%error, "no checkpoint was kept: the next start takes as long as this one");
            }
        }
        Ok(Life::new(manager))
    }

    /// Until it is worth another try, or time to go. What the exchange says meanwhile is asked for later; but whether
    /// its stream is up is nobody's to ask, so that is kept for the next manager.
    async fn wait_for_store(&mut self, up: &mut bool) {
        let until = Instant::now() + STORE_RETRY;
        loop {
            let heard = tokio::select! {
                biased;
                () = tokio::time::sleep_until(until) => return,
                Ok(_) = self.stop.wait_for(|stop| *stop) => return,
                Some(heard) = self.heard.recv() => heard,
                // It came in before the flag was down.
                Some(brought) = self.back.signals.recv() => {
                    brought.caller.answer(Err(DeskError::StoreDown));
                    continue;
                }
            };
            self.note(&heard, up);
        }
    }

    async fn live(&mut self, life: &mut Life, first: Option<Input>, stream_up: &mut bool) -> End {
        let started = Started { life: life.manager.durable().life + 1, config: self.config.clone() };
        let mut inputs = vec![Input::Started(Box::new(started))];
        let inherited = match self.given.take() {
            Some(given) => given,
            None => match self.store.reader().inherited().await {
                Ok(inherited) => inherited,
                Err(error) => return End::StoreFailed(error),
            },
        };
        if !inherited.is_empty() {
            tracing::warn!(orders = inherited.len(), "taking over orders that were left open here");
            inputs.push(Input::Inherited(inherited));
        }
        inputs.extend(first);
        if *stream_up {
            inputs.push(Input::Stream(Box::new(Stream::Up)));
        }
        let mut leave_by: Option<Instant> = None;
        loop {
            match self.work(life, &inputs).await {
                Ok(()) => {}
                Err(error @ StoreError::Data { .. }) if matches!(inputs.first(), Some(Input::Started(_))) => {
                    if matches!(life.blamed(), Some(Blamed::Letter)) {
                        tracing::error!(%error, "a message cannot even be set aside: it must come again");
                        return End::StoreFailed(error);
                    }
                    // The beginning of a life is made of the journal alone: the next one's would be refused as well.
                    return End::Hopeless(error);
                }
                Err(error) => return End::StoreFailed(error),
            }
            inputs.clear();
            if leave_by.is_some_and(|by| life.out == 0 || Instant::now() >= by) {
                return End::Stopped;
            }
            if let Err(error) = self.gather(life, &mut inputs, stream_up, &mut leave_by).await {
                return End::StoreFailed(error);
            }
        }
    }

    /// Waits for something to happen, and takes what happens together. A store that cannot be asked is down for
    /// signals as one that cannot be written is: they are turned away at once, not one after the other.
    async fn gather(
        &mut self,
        life: &mut Life,
        inputs: &mut Vec<Input>,
        up: &mut bool,
        leave_by: &mut Option<Instant>,
    ) -> Result<(), StoreError> {
        let wake = life.manager.wake().map(|(at, _)| life.clock.instant_of(at));
        let wake = [wake, *leave_by].into_iter().flatten().min();
        let sleep = async {
            match wake {
                Some(at) => tokio::time::sleep_until(at).await,
                None => std::future::pending().await,
            }
        };
        let stopping = leave_by.is_some();
        let happened = tokio::select! {
            biased;
            Some(heard) = self.heard.recv() => Happened::Heard(Box::new(heard)),
            () = sleep => Happened::Woke,
            Ok(_) = self.stop.wait_for(|stop| *stop), if !stopping => Happened::Stop,
            Some(brought) = self.back.signals.recv(), if !stopping => Happened::Brought(brought),
        };
        match happened {
            Happened::Heard(heard) => self.hear(life, inputs, up, *heard),
            Happened::Woke => inputs.push(Input::Woke),
            Happened::Stop => {
                open(&self.back.flags.accepting, false);
                *leave_by = Some(Instant::now() + FINISH_MAX);
                self.back.signals.close();
                while let Ok(Brought { caller, .. }) = self.back.signals.try_recv() {
                    caller.answer(Err(DeskError::ShuttingDown));
                }
                inputs.push(Input::Stopping);
            }
            Happened::Brought(brought) => self.take(life, inputs, brought).await?,
        }
        while inputs.len() < BATCH_MAX
            && let Ok(heard) = self.heard.try_recv()
        {
            self.hear(life, inputs, up, heard);
        }
        for _ in 0..SIGNALS_MAX {
            if stopping || inputs.len() >= BATCH_MAX {
                break;
            }
            let Ok(brought) = self.back.signals.try_recv() else { break };
            self.take(life, inputs, brought).await?;
        }
        Ok(())
    }

    fn hear(&self, life: &mut Life, inputs: &mut Vec<Input>, up: &mut bool, heard: Heard) {
        self.note(&heard, up);
        inputs.push(match heard {
            // It was asked by a manager that is gone. The same tag may be out again, and then this would answer a
            // question that is younger than it; as after a crash, nobody hears it.
            Heard::Answered { life: asker, .. } if asker != life.manager.durable().life => return,
            Heard::Answered { tag, answer, .. } => {
                if !matches!(tag, Tag::Consult(_)) {
                    life.out = life.out.saturating_sub(1);
                }
                Input::Reply { tag, answer }
            }
            Heard::Stream(stream) => Input::Stream(Box::new(stream)),
            Heard::Gateway { body, kept } => {
                life.fire_after_commit(kept);
                Input::Stream(Box::new(Stream::Gateway(body)))
            }
            Heard::Doubted { symbol, kept } => {
                life.fire_after_commit(kept);
                Input::Doubted(symbol)
            }
        });
    }

    /// What outlives a manager: how things stand with the exchange.
    fn note(&self, heard: &Heard, up: &mut bool) {
        match heard {
            // What Position Manager says tells nothing of the exchange.
            Heard::Answered { tag: Tag::Consult(_), .. } => {}
            Heard::Answered { answer, .. } => {
                Flags::set(&self.back.flags.exchange, matches!(**answer, Answer::Http { .. }));
            }
            Heard::Stream(Stream::Up) => *up = true,
            Heard::Stream(Stream::Down) => *up = false,
            Heard::Stream(Stream::Frame(_) | Stream::Gateway(_) | Stream::Typed(_)) => {}
            Heard::Gateway { .. } | Heard::Doubted { .. } => {}
        }
        Flags::set(&self.back.flags.stream, *up);
    }

    /// A signal: what the core has forgotten of its id is looked up in the store and is part of the input.
    async fn take(&self, life: &mut Life, inputs: &mut Vec<Input>, brought: Brought) -> Result<(), StoreError> {
        let Brought { trace, body, caller } = brought;
        if caller.is_barred() {
            caller.answer(Err(DeskError::StoreDown));
            return Ok(());
        }
        // Whatever the core remembers now, it may forget in a step of this very batch.
        let prior = match intake::id_of(&body) {
            Some(id) => match self.store.prior(id).await {
                Ok(prior) => prior,
                Err(error) => {
                    tracing::error!(%error, "a signal could not be looked up");
                    caller.answer(Err(DeskError::StoreDown));
                    return Err(error);
                }
            },
            None => None,
        };
        let id = life.admit(caller);
        inputs.push(Input::Signal(Box::new(Delivery { id, trace, prior, body: Bytes(body) })));
        Ok(())
    }

    /// Step, persist, act.
    async fn work(&mut self, life: &mut Life, inputs: &[Input]) -> Result<(), StoreError> {
        let mut steps = Vec::with_capacity(inputs.len());
        let (mut commands, mut origins) = (Vec::new(), Vec::with_capacity(inputs.len()));
        let now = life.clock.now(); // of all of them: they are persisted together
        for input in inputs {
            if life.turns_away(input) {
                continue;
            }
            life.manager.step(now, input, &mut life.step)?;
            life.hold_lines(&life.step.commands);
            let step = &mut life.step;
            commands.append(&mut step.commands);
            origins.push((step.seq, input));
            steps.push(StoredStep {
                seq: step.seq,
                at: life.manager.now(),
                record: step.record.clone(),
                digest: step.digest,
                events: std::mem::take(&mut step.events),
            });
        }
        // Who brought a signal is told that it cannot be taken; what else happened, has happened.
        let is_brought = |input: &Input| matches!(input, Input::Signal(_) | Input::Refused(_));
        let brought = origins.iter().filter(|(_, input)| is_brought(input)).map(|(seq, _)| *seq).collect();
        let committed = self.store.commit_or_set_aside(&steps, &brought).await;
        let committed = committed.inspect_err(|error| life.blame(error, &origins))?;
        for StoredStep { events, .. } in &steps {
            events.iter().for_each(crate::telemetry::event);
            self.balances.iter().for_each(|balances| events.iter().for_each(|event| balances.committed(event)));
        }
        let Flags { store, ready, accepting, .. } = &*self.back.flags;
        Flags::set(store, true);
        Flags::set(ready, life.manager.is_ready());
        open(accepting, !*self.stop.borrow());
        self.back.committed.send_replace(committed.last_event_id);
        life.committed();
        commands.into_iter().for_each(|command| self.act(life, command));
        Ok(())
    }

    fn lane_max(&self) -> usize {
        usize::try_from(self.config.lane_max).unwrap_or(usize::MAX)
    }

    fn act(&self, life: &mut Life, command: Command) {
        match command {
            Command::Send(outgoing) => {
                life.out += 1;
                self.rest.start(outgoing, life.manager.durable().life, self.ear.clone());
            }
            // A stop does not wait for its answer: nothing of ours hangs on it.
            Command::Consult(question) => match &self.position_manager {
                Some(manager) => manager.start(question, life.manager.durable().life, self.ear.clone()),
                // The configuration asks for it only where there is one.
                None => tracing::error!(?question, "no Position Manager is configured, so nobody is asked"),
            },
            Command::Settle { delivery, receipt } => {
                let full = DeskError::Full { max: self.lane_max() };
                life.answer(delivery, if receipt == Receipt::Paused { Err(full) } else { Ok(receipt) });
            }
        }
    }
}

/// Says whether signals are taken; who watches is woken by a change only.
fn open(accepting: &watch::Sender<bool>, now: bool) {
    accepting.send_if_modified(|was| std::mem::replace(was, now) != now);
}

fn fold(restored: &Restored) -> Result<Manager, CodecError> {
    let steps = restored.steps.iter().map(|(record, digest)| (record.as_slice(), *digest));
    Manager::restore(restored.checkpoint.as_deref(), steps)
}

#[cfg(test)]
mod tests;
