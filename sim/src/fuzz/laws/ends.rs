//! Laws on whole lives: restoring and replaying.

use super::Verdict;
use order_manager_core::command::{Command, Outgoing};
use order_manager_core::event::{Change, CreateAnswer, Event};
use order_manager_core::input::Input;
use order_manager_core::journal::Digest;
use order_manager_core::outcome::Outcome;
use order_manager_core::unit::Timestamp;
use order_manager_core::{Manager, Step};
use std::collections::BTreeSet;

/// A stored step, and what it made besides.
#[derive(Clone, Debug)]
pub(in crate::fuzz) struct Kept {
    pub(in crate::fuzz) at: Timestamp,
    pub(in crate::fuzz) input: Input,
    pub(in crate::fuzz) events: Vec<Event>,
    pub(in crate::fuzz) commands: Vec<Command>,
    pub(in crate::fuzz) record: Vec<u8>,
    pub(in crate::fuzz) digest: Digest,
    pub(in crate::fuzz) answered: Option<Outgoing>,
}

/// A whole life.
pub(in crate::fuzz) struct End<'a> {
    /// As it is at the end.
    pub(in crate::fuzz) manager: &'a Manager,
    /// Every record.
    pub(in crate::fuzz) kept: &'a [Kept],
    /// A checkpoint, and how many records it stands for.
    pub(in crate::fuzz) checkpoint: Option<(usize, &'a [u8])>,
    /// Timers that are armed, where they were counted.
    pub(in crate::fuzz) timers: Option<Option<usize>>,
}

/// What died comes back as it was.
pub(super) fn restored(end: &End<'_>) -> Verdict {
    same(&restore(None, end.kept)?, end.manager)
}

/// What died comes back as it was from a checkpoint too.
pub(super) fn checkpoint_and_rest(end: &End<'_>) -> Verdict {
    let Some((count, checkpoint)) = end.checkpoint else { return Ok(()) };
    same(&restore(Some(checkpoint), &end.kept[count..])?, end.manager)
}

fn restore(checkpoint: Option<&[u8]>, kept: &[Kept]) -> Result<Manager, String> {
    let records = kept.iter().map(|kept| (kept.record.as_slice(), kept.digest));
    Manager::restore(checkpoint, records).map_err(|e| e.to_string())
}

/// Are both at the same place with the same durable state and budgets?
pub(in crate::fuzz) fn same(restored: &Manager, live: &Manager) -> Verdict {
    let place = |m: &Manager| (m.seq(), m.now(), m.digest());
    if place(restored) != place(live) {
        return Err(format!("restored at {:?}, died at {:?}", place(restored), place(live)));
    }
    if restored.durable() != live.durable() {
        return Err(format!("restored {:?}\n  died as {:?}", restored.durable(), live.durable()));
    }
    if restored.spent() != live.spent() {
        return Err(format!("restored with {:?} spent\n  died with {:?}", restored.spent(), live.spent()));
    }
    Ok(())
}

/// The inputs alone make the same events, commands and digests, through every restart.
pub(super) fn replayed(end: &End<'_>) -> Verdict {
    replay(Manager::new(), end.kept)
}

/// The same from a checkpoint on: what was observed before it has no part in what is decided after it.
pub(super) fn replayed_from_checkpoint(end: &End<'_>) -> Verdict {
    let Some((count, checkpoint)) = end.checkpoint else { return Ok(()) };
    replay(restore(Some(checkpoint), &[])?, &end.kept[count..])
}

fn replay(mut manager: Manager, kept: &[Kept]) -> Verdict {
    let mut step = Step::default();
    for kept in kept {
        manager.step(kept.at, &kept.input, &mut step).map_err(|e| e.to_string())?;
        if step.digest != kept.digest {
            let (events, commands) = (&step.events, &step.commands);
            return Err(format!(
                "record {}, {:?}:\n  was {:?} {:?}\n  now {events:?} {commands:?}",
                step.seq.0, kept.input, kept.events, kept.commands
            ));
        }
    }
    Ok(())
}

/// How many timers are armed, but those of a reconcile's pages that are out: their budget and half a minute bound them,
/// however often the stream comes and goes. None where the table is not where it was.
pub(in crate::fuzz) fn timers_of(manager: &Manager) -> Option<usize> {
    let text = format!("{manager:?}");
    let (_, rest) = text.split_once("timers: Table { soon: [")?;
    let (table, _) = rest.split_once("], index: {")?;
    let pages = table.matches("Overdue(Sweep {").count() + table.matches("Lost(Sweep {").count();
    Some(table.matches("(Timestamp(").count() - pages)
}

/// Every timer belongs to an order, to a signal, to a question about a symbol, or to the manager as a whole.
pub(super) fn timers(end: &End<'_>) -> Verdict {
    let Some(count) = end.timers else { return Ok(()) };
    let count = count.ok_or("the table of timers is not where it was")?;
    let durable = end.manager.durable();
    let signals = durable.signals.len() + durable.invalid.len() + durable.done_before.len();
    let symbols: BTreeSet<_> = durable.signals.values().map(|state| state.signal.symbol).collect();
    let max = 10 * durable.book.len()
        + 2 * signals
        + 8 * (symbols.len() + durable.instruments.len() + durable.positions.len())
        + 16;
    if count > max {
        return Err(format!("{count} timers for {} orders and {signals} signals", durable.book.len()));
    }
    Ok(())
}

/// One word for what an event shows to have happened.
pub(in crate::fuzz) fn mark(event: &Event) -> &'static str {
    match event {
        Event::Started { .. } => "started",
        Event::SignalAccepted { tries: 1, .. } => "accepted",
        Event::SignalAccepted { .. } => "tried again",
        Event::SignalRepeated { conflict: true, .. } => "conflict",
        Event::SignalRepeated { .. } => "repeated",
        Event::DeadLettered { .. } => "dead letter",
        Event::SignalInvalid { .. } => "invalid",
        Event::IntakePaused { .. } => "paused",
        Event::SignalStarted { .. } => "turn",
        Event::Planned { plan, .. } if plan.cancels.is_empty() => "planned",
        Event::Planned { .. } => "planned with cancels",
        Event::SignalSettled { outcome: Outcome::Placed, .. } => "placed",
        Event::SignalSettled { outcome: Outcome::Rejected(code), .. } => code.as_str(),
        Event::SignalForgotten { .. } => "signal forgotten",
        Event::OrderIntended { spec } if spec.intent.attempt > 0 => "next attempt",
        Event::OrderIntended { .. } => "intended",
        Event::OrderSent { .. } => "sent",
        Event::OrderAnswered { answer, .. } => match answer {
            CreateAnswer::Accepted { .. } => "acked",
            CreateAnswer::Refused { .. } => "refused",
            CreateAnswer::NotSent { .. } => "not sent",
            CreateAnswer::Unknown { .. } => "unknown",
        },
        Event::OrderSeen { .. } => "seen",
        Event::OrderNoticed { .. } => "noticed",
        Event::OrderMissed { .. } => "missed",
        Event::OrderExecuted { .. } => "executed",
        Event::OrderAbsent { proof, .. } if proof.aged_out => "aged out",
        Event::OrderAbsent { .. } => "absent",
        Event::OrderExpired { .. } => "expired",
        Event::CancelWanted { .. } => "cancel wanted",
        Event::OrderTold(told) => match told.change {
            Change::Created => "told created",
            Change::Modified => "told modified",
            Change::PartiallyFilled => "told partly filled",
            Change::Filled => "told filled",
            Change::Cancelled if told.crossed => "told crossed",
            Change::Cancelled => "told cancelled",
            Change::Rejected => "told rejected",
        },
        Event::OrderForgotten { .. } => "order forgotten",
        Event::ForeignExecuted { .. } => "foreign execution",
        Event::PositionAdopted { .. } => "position adopted",
        Event::PositionsNoted { .. } => "positions noted",
        Event::PositionDoubted { .. } => "position doubted",
        Event::PositionValidated { .. } => "position validated",
        Event::PositionDiffers { .. } => "position differs",
        Event::OrderInherited { .. } => "inherited",
        Event::InstrumentChanged { .. } => "instrument",
        Event::Reconciled { .. } => "reconciled",
        Event::OpeningHalted { .. } => "halted",
        Event::Quarantined { .. } => "quarantined",
        Event::Defect { .. } => "defect",
    }
}
