//! One life: steps by the tape, a store that keeps records up to a cut, restarts, and the laws after each step.

use super::beside::Beside;
use super::laws::{End, Judge, Kept, same, timers_of};
use super::past::Frame;
use super::signal::Signals;
use super::venue::{Venue, Waiting};
use super::{Broken, Report, answer, fact};
use crate::choice::Choices;
use crate::exchange::face::push_text;
use order_manager_core::bybit::{ExecType, Push, PushRows};
use order_manager_core::command::{Command, Outgoing};
use order_manager_core::config::{Config, SellAmountUnit};
use order_manager_core::input::{Delivery, Input, Started, Stream};
use order_manager_core::intake;
use order_manager_core::order::{Order, State};
use order_manager_core::unit::{Bytes, ClockOffset, Span, Timestamp};
use order_manager_core::{Manager, Step};

/// Every life begins here: 2023-11-14 22:13:20 UTC.
const START: Timestamp = Timestamp(1_700_000_000_000_000);
/// No life is longer, whatever its tape.
const STEPS_MAX: usize = 600;
/// Kinds of steps up to here are cooperative.
const LAST_TAME: usize = 29;
/// Cooperative steps that one draw can make.
const RUN: u32 = 12;
/// From so many steps on the table of timers is looked at.
const LONG: usize = 48;
/// Restarts of one life: each folds the records anew.
const CRASHES_MAX: u32 = 12;
/// Good signals that a cooperative world sends of itself.
const GOOD_MAX: usize = 6;
/// Steps of calm in which everything must come to rest. An age of 15 minutes and a round of questions
/// every 15 seconds fit in many times.
const CALM_MAX: usize = 2_000;

/// A life in progress.
pub(super) struct Life {
    choices: Choices,
    /// Families of faults that this life does not have: lives of few kinds of faults go deeper.
    off: u64,
    manager: Manager,
    step: Step,
    judge: Judge,
    now: Timestamp,
    config: Config,
    stream_up: bool,
    kept: Vec<Kept>,
    /// Records that are surely stored; the commands of those after it have not left.
    committed: usize,
    holding: bool,
    crashes: u32,
    checkpoint: Option<(usize, Vec<u8>)>,
    venue: Venue,
    signals: Signals,
    beside: Option<Beside>,
}

impl Life {
    pub(super) fn new(mut choices: Choices) -> Self {
        let mut venue = Venue::default();
        venue.offset =
            ClockOffset(*choices.pick("offset", &[0, 0, 0, 200_000, -200_000, 200_000, 3_000_000, -40_000_000]));
        let off = if choices.below("swarm", 2) == 1 { choices.below("off", 256) } else { 0 };
        Self {
            choices,
            off,
            manager: Manager::new(),
            step: Step::default(),
            judge: Judge::default(),
            now: START,
            config: Config::default(),
            stream_up: false,
            kept: Vec::new(),
            committed: 0,
            holding: false,
            crashes: 0,
            checkpoint: None,
            venue,
            signals: Signals::default(),
            beside: None,
        }
    }

    /// The same, with neighbours.
    pub(super) fn with_neighbours(mut self) -> Self {
        self.beside = Some(Beside::default());
        self
    }

    /// The draws so far, where they are recorded.
    pub(super) fn tape(&self) -> Vec<u8> {
        self.choices.tape().unwrap_or_default().to_vec()
    }

    /// Every step that was kept.
    pub(super) fn kept(&self) -> &[Kept] {
        &self.kept
    }

    /// Lives for `steps` steps, or as long as the tape is.
    pub(super) fn run(&mut self, steps: Option<u32>) -> Result<Report, Broken> {
        let calm = self.choices.below("calm", 8) == 1;
        self.start()?;
        let mut taken = 0;
        while taken < STEPS_MAX && steps.map_or(!self.choices.is_over(), |steps| taken < steps as usize) {
            self.any_step()?;
            taken += 1;
        }
        self.commit();
        if calm {
            self.calm_down()?;
        }
        self.judge.end(&self.end())?;
        Ok(self.report())
    }

    /// The whole of it, as it stands.
    pub(super) fn end(&self) -> End<'_> {
        let checkpoint = self.checkpoint.as_ref().map(|(count, bytes)| (*count, bytes.as_slice()));
        // The table is only to be had from the manager's Debug text, which takes its time.
        let timers = (self.kept.len() >= LONG).then(|| timers_of(&self.manager));
        End { manager: &self.manager, kept: &self.kept, checkpoint, timers }
    }

    /// What the exchange's clock shows.
    #[cfg(test)]
    pub(super) fn exchange(&self, at: Timestamp) -> order_manager_core::unit::ExchangeTime {
        self.venue.now(at)
    }

    fn any_step(&mut self) -> Result<(), Broken> {
        let kind = self.choices.below("step", 64) as usize;
        if !self.holding {
            self.commit();
        }
        if self.off & (1 << (kind % 8)) != 0 && kind > LAST_TAME {
            return self.cooperate(true);
        }
        if kind < 10 && self.beside.is_some() {
            self.commit();
            let (choices, venue, now) = (&mut self.choices, &mut self.venue, self.now);
            let input = self.beside.as_mut().and_then(|beside| beside.any(choices, venue, now));
            return input.map_or(Ok(()), |input| self.take(input, None));
        }
        match kind {
            36..=39 => self.pass_time(),
            40..=42 => {
                let mut delivery = self.signals.any(&mut self.choices, self.now);
                self.look_up(&mut delivery);
                self.take(Input::Signal(Box::new(delivery)), None)
            }
            30..=35 | 43..=47 if !self.venue.out.is_empty() => self.answer_wildly(),
            48..=55 => {
                let now = self.venue.now(self.now);
                let push = fact::any_push(&mut self.choices, &mut self.venue, now);
                self.push(push)
            }
            56 => self.bad_frame(),
            57 => self.stream(),
            58 => {
                self.holding = !self.holding;
                self.cooperate(true)
            }
            59 if self.crashes < CRASHES_MAX => self.crash(),
            60 => self.take_checkpoint(),
            61..=63 => (0..RUN).try_for_each(|_| self.cooperate(true)),
            _ => self.cooperate(true),
        }
    }

    /// The tamest thing that can happen next.
    fn cooperate(&mut self, with_signals: bool) -> Result<(), Broken> {
        self.commit();
        if let Some(said) = self.beside.as_mut().and_then(Beside::good) {
            return self.take(said, None);
        }
        if let Some(waiting) = self.venue.out.pop_front() {
            let answer = answer::good(&mut self.venue, self.manager.durable(), &waiting, self.now);
            return self.answer(waiting, answer);
        }
        if !self.stream_up {
            self.stream_up = true;
            return self.take(Input::Stream(Box::new(Stream::Up)), None);
        }
        if let Some(rows) = self.venue.owed.pop_front() {
            return self.push(Push { time: None, rows, bad: Vec::new() });
        }
        let idle = self.manager.durable().lanes.is_empty();
        if with_signals && idle && self.signals.count() < GOOD_MAX {
            let delivery = self.signals.good(self.now);
            return self.take(Input::Signal(Box::new(delivery)), None);
        }
        let soon = self.now.after(Span::millis(100));
        self.woken(self.manager.wake().map_or(soon, |(at, _)| at.max(self.now)))
    }

    /// Intake looks up in the store what the manager may have forgotten.
    fn look_up(&self, delivery: &mut Delivery) {
        if let Some(prior) = intake::id_of(&delivery.body.0).and_then(|id| self.judge.past.store.get(&id)) {
            delivery.prior = Some(*prior);
        }
    }

    fn answer_wildly(&mut self) -> Result<(), Broken> {
        self.commit();
        let mutating = self.venue.out.iter().position(|waiting| waiting.outgoing.request.operation().mutates());
        let index = match mutating {
            Some(index) if self.choices.below("of orders", 4) < 3 => index,
            _ => self.choices.below("which request", self.venue.out.len() as u64) as usize,
        };
        let Some(waiting) = self.venue.out.remove(index) else { return Ok(()) };
        let (choices, venue) = (&mut self.choices, &mut self.venue);
        let answer = answer::wild(choices, venue, self.manager.durable(), &waiting, self.now);
        self.answer(waiting, answer)
    }

    fn answer(&mut self, waiting: Waiting, answer: order_manager_core::input::Answer) -> Result<(), Broken> {
        let input = Input::Reply { tag: waiting.outgoing.tag, answer: Box::new(answer) };
        self.take(input, Some(waiting.outgoing))
    }

    fn pass_time(&mut self) -> Result<(), Broken> {
        let wake = self.manager.wake().map_or(self.now, |(at, _)| at.max(self.now));
        let at = match self.choices.below("time", 16) {
            0..=3 => wake,
            4 | 5 => self.now.after(Span::millis(1)),
            6 | 7 => self.now.after(Span::millis(100)),
            8 | 9 => self.now.after(Span::secs(1)),
            10 => self.now.after(Span::secs(5)),
            11 | 12 => self.now.after(Span::millis(15_100)),
            13 => self.now.after(Span::secs(70)),
            14 if self.choices.below("long", 4) < 3 => self.now.after(Span::secs(20)),
            14 => self.now.after(Span::secs(1_000)),
            _ if self.choices.below("long", 4) < 3 => self.now.after(Span::millis(600)),
            _ => self.now.after(Span::secs(26 * 3_600)),
        };
        if self.choices.chance("silently", 250) {
            self.now = at; // whatever comes next comes later, and the waking is late
            self.venue.give_up(at);
            return Ok(());
        }
        self.woken(at)
    }

    fn woken(&mut self, at: Timestamp) -> Result<(), Broken> {
        self.now = at;
        self.venue.give_up(at);
        self.take(Input::Woke, None)
    }

    fn push(&mut self, push: Push) -> Result<(), Broken> {
        let trades = match &push.rows {
            PushRows::Executions(rows) => rows.iter().all(|row| row.exec_type == ExecType::Trade),
            _ => true, // the exchange's face writes every execution as a trade
        };
        let stream = if trades && push.bad.is_empty() && self.choices.below("as bytes", 8) == 1 {
            Stream::Frame(Bytes(push_text(&push)))
        } else {
            Stream::Typed(push)
        };
        self.take(Input::Stream(Box::new(stream)), None)
    }

    fn bad_frame(&mut self) -> Result<(), Broken> {
        let now = self.venue.now(self.now);
        let mut bytes = match self.choices.below("frame", 3) {
            0 => b"not a frame".to_vec(),
            1 => {
                let link = self.venue.placed.last_mut().map_or_else(String::new, |placed| {
                    placed.exists();
                    placed.create.link.to_string()
                });
                format!("{{\"topic\":\"order\",\"data\":[{{\"orderLinkId\":\"{link}\"}}]}}").into_bytes()
            }
            _ => push_text(&Push { time: Some(now), rows: PushRows::Wallets(vec![fact::wallet()]), bad: Vec::new() }),
        };
        // Cut, not garbled: a garbled figure is another figure, and figures have to fit for the laws on sums.
        bytes.truncate(self.choices.below("where", 400) as usize);
        self.take(Input::Stream(Box::new(Stream::Frame(Bytes(bytes)))), None)
    }

    fn stream(&mut self) -> Result<(), Broken> {
        // Up without a Down before it: the adapter reconnected before it noticed the end.
        self.stream_up = self.choices.below("stream", 3) == 1;
        let stream = if self.stream_up { Stream::Up } else { Stream::Down };
        self.take(Input::Stream(Box::new(stream)), None)
    }

    /// The process dies. Of the records that were not surely stored some are, from the front on; of their
    /// commands none was started.
    fn crash(&mut self) -> Result<(), Broken> {
        self.crashes += 1;
        let open = self.kept.len() - self.committed;
        let lost = self.choices.below("lost records", open as u64 + 1) as usize;
        let nothing_lost = lost == 0;
        self.kept.truncate(self.kept.len() - lost);
        let records = self.kept.iter().map(|kept| (kept.record.as_slice(), kept.digest));
        let broken = |what| Broken { law: RESTORE, seq: self.manager.seq(), what };
        let restored = Manager::restore(None, records).map_err(|e| broken(e.to_string()))?;
        if nothing_lost {
            same(&restored, &self.manager).map_err(broken)?;
        }
        self.manager = restored;
        if self.checkpoint.as_ref().is_some_and(|(count, _)| *count > self.kept.len()) {
            self.checkpoint = None;
        }
        if !nothing_lost {
            self.judge_anew();
        }
        self.committed = self.kept.len();
        self.venue.hang_up();
        self.stream_up = false;
        self.start()
    }

    /// After records were lost: the laws remember what is kept, and no more.
    fn judge_anew(&mut self) {
        self.judge = Judge::default();
        let exchange = self.venue.now(self.now);
        for (index, kept) in self.kept.iter().enumerate() {
            self.judge.remember(&kept.frame(index, exchange, &self.manager));
        }
    }

    fn start(&mut self) -> Result<(), Broken> {
        self.config = Config::default();
        match self.choices.below("config", 8) {
            5 => self.config.allow_short = true,
            6 => (self.config.lane_max, self.config.waiting_max) = (2, 3),
            7 => {
                self.config.limit_post_only = false;
                self.config.sell_amount_unit = SellAmountUnit::Base;
                self.config.reconcile_interval_seconds = 5;
            }
            _ => {}
        }
        if let Some(beside) = &self.beside {
            beside.config(&mut self.choices, &mut self.config);
        }
        let life = self.manager.durable().life + 1;
        let started = Started { life, config: self.config.clone() };
        self.take(Input::Started(Box::new(started)), None)?;
        let (choices, venue, now) = (&mut self.choices, &mut self.venue, self.now);
        let left = self.beside.as_mut().and_then(|beside| beside.after_start(choices, venue, life, now));
        left.map_or(Ok(()), |input| self.take(input, None))
    }

    fn take_checkpoint(&mut self) -> Result<(), Broken> {
        let broken = |what: String| Broken { law: RESTORE, seq: self.manager.seq(), what };
        let bytes = self.manager.checkpoint().map_err(|e| broken(e.to_string()))?;
        self.checkpoint = Some((self.kept.len(), bytes));
        self.commit();
        let resumed = self.manager.resumed();
        self.take(Input::Checkpointed(Box::new(resumed)), None)
    }

    /// Everything so far is stored, and what it commands leaves.
    fn commit(&mut self) {
        for kept in &self.kept[self.committed..] {
            for command in &kept.commands {
                if let Command::Send(outgoing) = command {
                    self.venue.send(outgoing.clone(), kept.at);
                }
            }
            if let Some(beside) = &mut self.beside {
                beside.asked(&kept.commands);
            }
        }
        self.committed = self.kept.len();
        self.venue.give_up(self.now);
    }

    /// Faults stop: whatever is not certain must become so.
    fn calm_down(&mut self) -> Result<(), Broken> {
        self.venue.calm = true;
        for _ in 0..CALM_MAX {
            if self.is_at_rest() {
                return Ok(());
            }
            self.cooperate(false)?;
        }
        let durable = self.manager.durable();
        let orders: Vec<&Order> = durable.book.iter().filter(|order| is_waiting(order)).collect();
        let what = format!("{:?}, wakes {:?}, waiting {orders:#?}", durable.lanes, self.manager.wake());
        Err(Broken { law: "o2_all_becomes_certain_once_faults_stop", seq: self.manager.seq(), what })
    }

    /// No lane has work, and no order waits for anything but the market.
    fn is_at_rest(&self) -> bool {
        let durable = self.manager.durable();
        durable.lanes.is_empty() && !durable.book.iter().any(is_waiting)
    }

    fn take(&mut self, input: Input, answered: Option<Outgoing>) -> Result<(), Broken> {
        let seq = self.manager.seq();
        let broken = |what| Broken { law: "a_step_can_be_written", seq, what };
        self.manager.step(self.now, &input, &mut self.step).map_err(|e| broken(e.to_string()))?;
        let kept = Kept {
            at: self.now,
            input,
            events: std::mem::take(&mut self.step.events),
            commands: std::mem::take(&mut self.step.commands),
            record: self.step.record.clone(),
            digest: self.step.digest,
            answered,
        };
        self.judge.step(&kept.frame(self.kept.len(), self.venue.now(self.now), &self.manager))?;
        self.kept.push(kept);
        Ok(())
    }

    fn report(&self) -> Report {
        let mut report = Report { steps: self.kept.len(), ..Report::default() };
        for kept in &self.kept {
            for event in &kept.events {
                *report.marks.entry(super::laws::mark(event)).or_insert(0) += 1;
            }
        }
        report
    }
}

/// Does this order wait for anything but the market?
fn is_waiting(order: &Order) -> bool {
    match order.state {
        State::Acked | State::Open => order.cancel.is_some() || !order.spec.is_limit(),
        _ => !order.told.ended || !order.facts.explained(),
    }
}

const RESTORE: &str = "t1_a_restored_manager_is_the_one_that_died";

impl Kept {
    /// This step as the laws see it; `manager` stands after it.
    pub(super) fn frame<'a>(
        &'a self,
        index: usize,
        exchange: order_manager_core::unit::ExchangeTime,
        manager: &'a Manager,
    ) -> Frame<'a> {
        Frame {
            seq: order_manager_core::event::Seq(index as u64 + 1),
            at: self.at,
            exchange,
            input: &self.input,
            events: &self.events,
            commands: &self.commands,
            record: &self.record,
            answered: self.answered.as_ref(),
            durable: manager.durable(),
            wake: manager.wake().map(|(at, _)| at),
            ready: manager.is_ready(),
        }
    }
}
