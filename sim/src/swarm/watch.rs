//! Watches a world for marks. It remembers little of each order, and decides nothing.

use super::family::Family;
use super::marks::{Mark, Marks};
use crate::scenario::{Action, CommitTrouble, CrashMoment, Loss};
use crate::shelf::Shelf;
use order_manager_core::bybit::{ApiError, ExecType, PushRows};
use order_manager_core::event::{Change, CreateAnswer, Event, Told};
use order_manager_core::input::{Answer, Input, Source, Stream, Tag};
use order_manager_core::outcome::Outcome;
use order_manager_core::unit::{ExecId, OrderLinkId, SignalId, Symbol};
use order_manager_core::{Manager, Step};
use std::collections::{BTreeMap, BTreeSet};

/// What a watcher remembers of an order.
#[derive(Clone, Copy, Debug)]
struct Track {
    symbol: Symbol,
    opens: bool,
    answered: bool,
    unknown: bool,
    cancel_acked: bool,
    ended: bool,
}

/// Counts what a world comes through.
#[derive(Clone, Debug, Default)]
pub struct Watch {
    /// So far.
    pub marks: Marks,
    orders: Shelf<OrderLinkId, Track>,
    executions: BTreeSet<ExecId>,
    signals: BTreeMap<SignalId, u32>,
    /// Orders of which nobody knows.
    unknown: BTreeSet<OrderLinkId>,
    is_gap: bool,
}

impl Watch {
    /// Something of the script happens. What acts only later, on a message or a step, counts when it does, and what the
    /// exchange does oddly counts there.
    pub(crate) fn scripted(&mut self, action: &Action) {
        let later = matches!(
            action,
            Action::Fault(_)
                | Action::Silence(_)
                | Action::Crash(_)
                | Action::Commit(_)
                | Action::Broker(_)
                | Action::Quirk(_)
                | Action::RejectNext
        );
        let ends = matches!(action, Action::StreamUp | Action::ExchangeUp | Action::StoreUp);
        if let Some(family) = Family::of(action).filter(|_| !later && !ends) {
            self.marks.acted(family);
        }
    }

    /// The manager made a step.
    pub(crate) fn stepped(&mut self, input: &Input, step: &Step, manager: &Manager) {
        match input {
            Input::Reply { tag, answer } => self.reply(*tag, answer),
            Input::Stream(stream) => self.stream(stream),
            _ => {}
        }
        step.events.iter().for_each(|event| self.event(input, event, manager));
    }

    /// So many steps were written together.
    pub(crate) const fn written(&mut self, steps: usize) {
        if steps > 3 {
            self.marks.hit(Mark::GroupCommit);
        }
    }

    /// The process died as the script wanted; `spoilt` where the store lost something by it.
    pub(crate) const fn crashed(&mut self, moment: CrashMoment, loss: Loss, spoilt: bool) {
        self.marks.hit(match moment {
            CrashMoment::BeforePersist => Mark::CrashBeforePersist,
            CrashMoment::AfterPersist => Mark::CrashBeforeAct,
            CrashMoment::AfterRequest => Mark::CrashAfterRequest,
        });
        match loss {
            _ if !spoilt => return self.marks.acted(Family::Crash),
            Loss::Kill => {}
            Loss::Unsynced | Loss::Torn => self.marks.hit(Mark::TailCut),
            Loss::Twice => self.marks.hit(Mark::RecordTwice),
            Loss::OldCheckpoint | Loss::NoCheckpoint => self.marks.hit(Mark::CheckpointLost),
            Loss::InRecovery => self.marks.hit(Mark::CrashInRecovery),
        }
        self.marks.acted(Family::CrashLoss);
    }

    /// A commit failed or was slow.
    pub(crate) const fn commit_went_wrong(&mut self, trouble: CommitTrouble) {
        match trouble {
            CommitTrouble::Fail => {
                self.marks.hit(Mark::CommitFailed);
                self.marks.acted(Family::CommitFails);
            }
            CommitTrouble::Slow(_) => self.marks.acted(Family::CommitSlow),
        }
    }

    /// Another process goes on from what is stored.
    pub(crate) const fn restored(&mut self, from_checkpoint: bool) {
        if from_checkpoint {
            self.marks.hit(Mark::RestoredFromCheckpoint);
        }
    }

    fn reply(&mut self, tag: Tag, answer: &Answer) {
        match answer {
            Answer::Lost { .. } => self.marks.hit(Mark::ReplyLost),
            Answer::NotSent { .. } => {}
            Answer::Http { status, .. } => self.status(*status),
            Answer::Typed(reply) => match &reply.result {
                Err(ApiError::Status(status)) => self.status(*status),
                Err(ApiError::Code { code, .. }) => match code {
                    10002 => self.marks.hit(Mark::ClockRefused),
                    10006 => self.marks.hit(Mark::RateLimited),
                    110_001 => self.marks.hit(Mark::OrderGone),
                    110_072 => self.marks.hit(Mark::LinkKnown),
                    _ => {}
                },
                Err(_) => {}
                Ok(_) => {
                    if let Tag::Cancel(link) = tag
                        && let Some(track) = self.orders.get_mut(link)
                    {
                        track.cancel_acked = true;
                    }
                }
            },
        }
    }

    fn status(&mut self, status: u16) {
        match status {
            403 => self.marks.hit(Mark::Banned),
            500.. => self.marks.hit(Mark::ServerFailed),
            _ => {}
        }
    }

    fn stream(&mut self, stream: &Stream) {
        match stream {
            Stream::Down => {
                self.is_gap = true;
                self.marks.hit(Mark::StreamGap);
            }
            Stream::Typed(push) => {
                if let PushRows::Executions(rows) = &push.rows {
                    let twice = rows.iter().filter(|row| !self.executions.insert(row.exec_id)).count();
                    (0..twice).for_each(|_| self.marks.hit(Mark::ExecutionTwice));
                }
            }
            _ => {}
        }
    }

    fn event(&mut self, input: &Input, event: &Event, manager: &Manager) {
        match event {
            Event::SignalAccepted { signal, tries, .. } => {
                let lane = manager.durable().lanes.get(&signal.symbol);
                if lane.is_some_and(|lane| !lane.waiting.is_empty()) {
                    self.marks.hit(Mark::SignalsQueued);
                }
                if *tries > 1 {
                    self.marks.hit(Mark::SignalRetried);
                }
            }
            Event::IntakePaused { .. } => self.marks.hit(Mark::IntakePaused),
            Event::SignalRepeated { conflict: false, .. } => self.marks.hit(Mark::SignalRepeated),
            Event::SignalRepeated { conflict: true, .. } => self.marks.hit(Mark::SignalConflict),
            Event::DeadLettered { .. } => self.marks.hit(Mark::DeadLettered),
            Event::SignalInvalid { .. } => self.marks.hit(Mark::SignalInvalid),
            Event::SignalSettled { outcome: Outcome::Rejected(code), .. } => self.marks.refused(*code),
            Event::ForeignExecuted { row, .. } => self.marks.hit(match row.exec_type {
                ExecType::AdlTrade => Mark::Deleveraged,
                ExecType::BustTrade => Mark::Liquidated,
                ExecType::Settle | ExecType::Delivery => Mark::Settled,
                _ => Mark::ForeignExecution,
            }),
            Event::PositionAdopted { .. } => self.marks.hit(Mark::PositionAdopted),
            Event::InstrumentChanged { .. } => self.marks.hit(Mark::InstrumentChanged),
            Event::Quarantined { .. } => self.marks.hit(Mark::Quarantined),
            Event::Reconciled { .. } => self.is_gap = false,
            _ => self.order(input, event),
        }
    }

    fn order(&mut self, input: &Input, event: &Event) {
        match event {
            Event::OrderIntended { spec } => {
                let tries = self.signals.entry(spec.intent.signal).or_default();
                *tries += 1;
                if *tries > 1 {
                    self.marks.hit(Mark::SecondOrder);
                }
                let is_beside = |track: &Track| track.symbol == spec.symbol && track.opens;
                let beside = |link: &OrderLinkId| self.orders.get(*link).is_some_and(is_beside);
                if spec.reduce_only && self.unknown.iter().any(beside) {
                    self.marks.hit(Mark::ExitPassedUnknown);
                }
                let track = Track {
                    symbol: spec.symbol,
                    opens: !spec.reduce_only,
                    answered: false,
                    unknown: false,
                    cancel_acked: false,
                    ended: false,
                };
                self.orders.put(spec.link, track);
            }
            Event::OrderAnswered { link, answer, .. } => self.answered(*link, answer),
            Event::OrderSeen { link, .. } | Event::OrderNoticed { link, .. } => self.found(input, *link),
            Event::OrderExecuted { link, row, .. } => {
                self.found(input, *link);
                self.executed(input, *link);
                self.executions.insert(row.exec_id);
            }
            Event::OrderAbsent { link, .. } => {
                self.unknown.remove(link);
                self.marks.hit(Mark::ProvenAbsent);
            }
            Event::OrderExpired { .. } => self.marks.hit(Mark::ExpiredUnsent),
            Event::CancelWanted { .. } => self.marks.hit(Mark::CancelWanted),
            Event::OrderTold(told) => self.told(told),
            _ => {}
        }
    }

    fn answered(&mut self, link: OrderLinkId, answer: &CreateAnswer) {
        let Some(track) = self.orders.get_mut(link) else { return };
        match answer {
            CreateAnswer::Accepted { .. } => {
                track.answered = true;
                self.unknown.remove(&link);
                track.unknown = false;
            }
            CreateAnswer::Refused { .. } => self.marks.hit(Mark::RefusedByExchange),
            CreateAnswer::NotSent { .. } => self.marks.hit(Mark::NotSent),
            CreateAnswer::Unknown { .. } => {
                track.unknown = true;
                self.unknown.insert(link);
                self.marks.hit(Mark::ReplyUnknown);
            }
        }
    }

    /// An order of which nobody knew is seen.
    fn found(&mut self, input: &Input, link: OrderLinkId) {
        let Some(track) = self.orders.get_mut(link).filter(|track| track.unknown) else { return };
        track.unknown = false;
        self.unknown.remove(&link);
        self.marks.hit(match input {
            Input::Reply { tag: Tag::Inquiry { source: Source::Realtime, .. }, .. } => Mark::UnknownByRealtime,
            Input::Reply { tag: Tag::Inquiry { source: Source::History, .. }, .. } => Mark::UnknownByHistory,
            Input::Reply { tag: Tag::Inquiry { source: Source::Executions, .. }, .. } => Mark::UnknownByExecutions,
            Input::Reply { .. } => Mark::UnknownBySweep,
            _ => Mark::UnknownByPush,
        });
    }

    fn executed(&mut self, input: &Input, link: OrderLinkId) {
        if matches!(input, Input::Reply { .. }) {
            self.marks.hit(Mark::ExecutionByQuery);
            if self.is_gap {
                self.marks.hit(Mark::GapClosedByQuery);
            }
        }
        let Some(track) = self.orders.get(link) else { return };
        if !track.answered {
            self.marks.hit(Mark::FillBeforeAck);
        }
        if track.cancel_acked {
            self.marks.hit(Mark::FillAfterCancelAck);
        }
    }

    fn told(&mut self, told: &Told) {
        if told.crossed {
            self.marks.hit(Mark::PostOnlyCrossed);
        }
        if told.change == Change::Cancelled && !told.totals.quantity.is_zero() {
            self.marks.hit(Mark::PartialThenCancelled);
        }
        if !told.increment.quantity.is_zero() && told.exec_ids.is_empty() {
            self.marks.hit(Mark::RowBeforeExecutions);
        }
        if let Some(track) = self.orders.get_mut(told.link) {
            if track.ended && !told.increment.quantity.is_zero() {
                self.marks.hit(Mark::FillAfterEnd);
            }
            track.ended |= told.last;
        }
    }
}
