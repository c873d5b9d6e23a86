//! How the manager lives from step to step: awake when it must be, ready when it may be, and bounded.

use super::bench::{Bench, Scene, Verdict};
use super::ends::Ends;
use super::list::Oracle;
use order_manager_core::command::{Command, Receipt};
use order_manager_core::config::Config;
use order_manager_core::event::Event;
use order_manager_core::input::{Input, Stream};
use order_manager_core::journal;
use order_manager_core::manager::Stage;
use order_manager_core::order::Order;
use order_manager_core::unit::{SignalId, Span, Timestamp};
use order_manager_core::{Manager, Step};

/// Inputs of one second, whatever comes: budgets, answers and pushes together stay far below.
const INPUTS_A_SECOND: u32 = 2_000;
/// The manager's own wakings of one second. One that settles a signal or forgets one counts for nothing: that
/// happens to each once, and to as many in a second as came in one.
const WAKINGS_A_SECOND: u32 = 200;
/// Inputs of a minute with nothing to do: reconciles of a few pages, each page an answer and perhaps a waking for its
/// budget, and the clock. Wakings that only forget count for nothing: a busy minute is forgotten within one, each thing
/// of it once.
const IDLE_INPUTS: u64 = 30;
const A_RECONCILE: u64 = 15;
/// A page of 100 executions or of 50 orders is the largest thing that is asked for. A push has all fills of an order that
/// found a thin book, and each row becomes an event.
const RECORD_MAX: usize = 512 * 1_024;
const ROW_MAX: usize = 2 * 1_024;
/// Requests that may be out at once.
const OUT_MAX: usize = 400;
/// A settled signal is forgotten this long after the oldest copy that could still be taken, give or take. Where an order
/// of it lived then, it is looked at again as much later: at most so long after that order ended.
const SIGNAL_MARGIN: Span = Span::secs(600 + 120);
/// An order that ended may be looked at a period before it may go, and then once more.
const LOOKS: u64 = 2;
/// What should have been forgotten while nobody was there goes soon after a start.
const RESUMING: Span = Span::secs(60);
/// A fill of others is remembered so long before the watermark.
const FOREIGN_MEMORY: Span = Span::secs(3_600);
/// An ended order is remembered this long, however often the process starts anew.
const ORDER_MEMORY: Span = Span::secs(25 * 3_600);

#[derive(Clone, Debug, Default)]
pub(super) struct Pulse {
    steps: u64,
    stream_up: bool,
    reconciled: bool,
    /// The last start or checkpoint.
    resumed: Timestamp,
    ends: Ends,
    second: Count,
    minute: Count,
    last_minute: u32,
}

/// Inputs and wakings since a moment.
#[derive(Clone, Copy, Debug, Default)]
struct Count {
    since: Timestamp,
    inputs: u32,
    wakings: u32,
    /// Wakings that only forgot, and deliveries that come again because there was no room, until they are too old.
    aside: u32,
}

impl Pulse {
    pub(super) fn stepped(
        &mut self,
        bench: &mut Bench,
        scene: Scene<'_>,
        input: &Input,
        step: &Step,
        manager: &Manager,
    ) {
        self.steps += 1;
        let forgets = forgets(input, step);
        let idles = matches!(input, Input::Woke) && !settles(step) && !forgets;
        self.count(bench, scene.now, idles, forgets || waits_for_room(input, step));
        match input {
            Input::Started(_) => {
                (self.stream_up, self.reconciled, self.resumed) = (false, false, manager.now());
                self.ends.resumed(manager);
            }
            Input::Checkpointed(resumed) => {
                (self.stream_up, self.reconciled, self.resumed) = (resumed.stream_up, false, manager.now());
                self.ends.resumed(manager);
            }
            Input::Stream(stream) => match &**stream {
                Stream::Up => (self.stream_up, self.reconciled) = (true, false),
                Stream::Down => (self.stream_up, self.reconciled) = (false, false),
                Stream::Frame(_) | Stream::Gateway(_) | Stream::Typed(_) => {}
            },
            _ => {}
        }
        self.ends.stepped(step, manager);
        for event in &step.events {
            match event {
                Event::Reconciled { .. } => self.reconciled = true,
                Event::Planned { .. } | Event::OrderIntended { .. } => {
                    bench.must(Oracle::DecidedInSync, self.stream_up && self.reconciled, || {
                        format!("{event:?}; stream up: {}, reconciled since: {}", self.stream_up, self.reconciled)
                    });
                }
                Event::SignalAccepted { signal, .. } => {
                    let waiting = manager.durable().lanes.get(&signal.symbol).map_or(0, |lane| lane.waiting.len());
                    let max = manager.config().lane_max as usize;
                    bench.must(Oracle::MemoryBounded, waiting <= max, || {
                        format!("{waiting} signals wait on {}, it has room for {max}", signal.symbol)
                    });
                }
                _ => {}
            }
        }
        self.earned(bench, manager.is_ready());
        wakes_ahead(bench, manager.now(), manager.wake().map(|(at, _)| at));
        bench.must(Oracle::MemoryBounded, step.record.len() <= RECORD_MAX + ROW_MAX * step.events.len(), || {
            format!("a record of {} bytes", step.record.len())
        });
        let (steps, spares_nothing) = (self.steps, bench.on().spares_nothing());
        let looks = |oracle: Oracle| spares_nothing || steps.is_multiple_of(oracle.one_of());
        if looks(Oracle::RecordReadsBack) && bench.asks(Oracle::RecordReadsBack) {
            bench.rule(Oracle::RecordReadsBack, reads_back(input, step));
        }
        if looks(Oracle::MemoryBounded) && bench.asks(Oracle::MemoryBounded) {
            bench.rule(Oracle::MemoryBounded, bounded(manager, manager.now(), self.resumed, &self.ends));
        }
    }

    pub(super) fn earned(&self, bench: &mut Bench, is_ready: bool) {
        bench.must(Oracle::ReadyIsEarned, !is_ready || (self.stream_up && self.reconciled), || {
            format!("ready; stream up: {}, reconciled since: {}", self.stream_up, self.reconciled)
        });
    }

    fn count(&mut self, bench: &mut Bench, now: Timestamp, idles: bool, aside: bool) {
        for (count, span) in [(&mut self.second, Span::secs(1)), (&mut self.minute, Span::secs(60))] {
            if now.since(count.since) >= span {
                if span == Span::secs(60) {
                    let next = now.since(count.since) < Span::secs(120);
                    self.last_minute = if next { count.inputs.saturating_sub(count.aside) } else { 0 };
                }
                *count = Count { since: now, ..Count::default() };
            }
            count.inputs += 1;
            count.wakings += u32::from(idles);
            count.aside += u32::from(aside);
        }
        let Count { inputs, wakings, .. } = self.second;
        bench.must(Oracle::NoBusyLoop, inputs <= INPUTS_A_SECOND && wakings <= WAKINGS_A_SECOND, || {
            format!("{inputs} inputs within a second, {wakings} of them wakings")
        });
    }

    /// Nothing happened for long: the last minutes were quiet.
    pub(super) fn quiet(&self, config: &Config) -> Verdict {
        let this_minute = self.minute.inputs.saturating_sub(self.minute.aside);
        let most = u64::from(self.last_minute.max(this_minute));
        let reconciles = 60 / config.reconcile_interval_seconds.clamp(1, 60) + 1;
        if most <= IDLE_INPUTS + A_RECONCILE * reconciles {
            Ok(())
        } else {
            Err(format!("{most} inputs in an idle minute"))
        }
    }
}

/// A waking whose step does nothing but drop what had its time.
fn forgets(input: &Input, step: &Step) -> bool {
    let drops = |event: &Event| matches!(event, Event::SignalForgotten { .. } | Event::OrderForgotten { .. });
    matches!(input, Input::Woke) && step.commands.is_empty() && !step.events.is_empty() && step.events.iter().all(drops)
}

/// A delivery for which there is no room, or one that is refused at once.
fn waits_for_room(input: &Input, step: &Step) -> bool {
    let paused = |command: &Command| matches!(command, Command::Settle { receipt: Receipt::Paused, .. });
    matches!(input, Input::Signal(_) | Input::TypedSignal(_)) && (step.commands.iter().any(paused) || settles(step))
}

fn settles(step: &Step) -> bool {
    step.events.iter().any(|event| matches!(event, Event::SignalSettled { .. }))
}

pub(super) fn wakes_ahead(bench: &mut Bench, now: Timestamp, wake: Option<Timestamp>) {
    bench.must(Oracle::WakesAhead, wake.is_none_or(|at| at > now), || {
        format!("wants to be woken at {wake:?}, and it is {now}")
    });
}

fn reads_back(input: &Input, step: &Step) -> Verdict {
    let record = journal::read_record(&step.record).map_err(|error| error.to_string())?;
    let left = step.commands.iter().filter_map(|command| match command {
        Command::Send(outgoing) => Some(outgoing.request.operation()),
        Command::Settle { .. } | Command::Consult(_) => None,
    });
    let tells_what_left = record.sent.iter().flatten().copied().eq(left);
    if record.seq == step.seq && record.input == *input && record.events == step.events && tells_what_left {
        return Ok(());
    }
    Err(format!("{record:?} is stored of {input:?} {:?} {:?}", step.events, step.commands))
}

/// Nothing is kept beyond its time or its number.
pub(super) fn bounded(manager: &Manager, now: Timestamp, resumed: Timestamp, ends: &Ends) -> Verdict {
    let resumed_long_ago = now.since(resumed) > RESUMING;
    let (durable, config) = (manager.durable(), manager.config());
    let waiting: usize = durable.lanes.values().map(|lane| lane.waiting.len()).sum();
    if waiting > config.waiting_max as usize {
        return Err(format!("{waiting} signals wait"));
    }
    let out = manager.resumed().out.len();
    if out > OUT_MAX {
        return Err(format!("{out} requests are out"));
    }
    let kept = config.exit_signal_max_age().0 + SIGNAL_MARGIN.0;
    let is_over = |id: &SignalId, at: Timestamp| {
        now.since(at).0 > kept
            && resumed_long_ago
            && ends.of(*id).is_none_or(|end| now.since(end).0 > kept)
            && !durable.book.live().any(|order| order.spec.intent.signal == *id)
    };
    let settled = durable.signals.iter().filter_map(|(id, state)| match state.stage {
        Stage::Settled { at, .. } => Some((id, at)),
        _ => None,
    });
    let not_ours = durable.invalid.iter().chain(&durable.done_before).map(|(id, at)| (id, *at));
    if let Some((id, at)) = settled.chain(not_ours).find(|(id, at)| is_over(id, *at)) {
        return Err(format!("signal {id}, settled at {at}, is still remembered"));
    }
    let until = durable.reconciled_until.unwrap_or_default();
    if let Some((id, time)) = durable.foreign.iter().find(|(_, time)| time.after(FOREIGN_MEMORY) < until) {
        return Err(format!("the fill {id} of others, of {time}, is still remembered; reconciled until {until}"));
    }
    let ended = |order: &&Order| resumed_long_ago && order.told.ended && order.facts.explained();
    let over = durable.book.iter().filter(ended);
    match over.filter_map(|order| order.ended_at).find(|at| now.since(*at).0 > ORDER_MEMORY.0 * LOOKS) {
        Some(at) => Err(format!("an order that ended at {at} is still remembered")),
        None => Ok(()),
    }
}
