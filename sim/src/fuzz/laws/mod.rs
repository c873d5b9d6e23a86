//! The laws, each a small named function. Names begin with the number of the spec that they hold.

mod ends;
mod events;
mod steps;

pub(super) use ends::{End, Kept, mark, same, timers_of};

use super::Broken;
use super::past::{Frame, Past};
use order_manager_core::event::Event;

/// Nothing, or what was found.
pub(super) type Verdict = Result<(), String>;

/// When a law is judged.
#[derive(Clone, Copy)]
pub(super) enum Check {
    /// On each event, with all that was before it.
    Event(fn(&Past, &Frame<'_>, &Event) -> Verdict),
    /// After each step, its events folded in.
    Step(fn(&Past, &Frame<'_>) -> Verdict),
    /// On a whole life.
    End(fn(&End<'_>) -> Verdict),
}

/// One law.
#[derive(Clone, Copy)]
pub(super) struct Law {
    pub(super) name: &'static str,
    pub(super) check: Check,
}

const fn event(name: &'static str, check: fn(&Past, &Frame<'_>, &Event) -> Verdict) -> Law {
    Law { name, check: Check::Event(check) }
}
const fn step(name: &'static str, check: fn(&Past, &Frame<'_>) -> Verdict) -> Law {
    Law { name, check: Check::Step(check) }
}
const fn end(name: &'static str, check: fn(&End<'_>) -> Verdict) -> Law {
    Law { name, check: Check::End(check) }
}

/// All of them.
pub(super) const LAWS: &[Law] = &[
    event("o2_no_defect", events::no_defect),
    event("o1_an_id_is_used_again_only_where_it_never_lived", events::id_is_free),
    event("o1_no_create_while_the_last_may_exist", events::no_twin),
    event("o2_only_an_answer_answers", events::only_an_answer_answers),
    event("o2_absence_is_proven", events::absence_is_proven),
    event("o2_evidence_is_the_frame_at_hand", events::evidence_is_at_hand),
    event("o3_an_execution_is_booked_once", events::executions_book_once),
    event("e1_created_comes_first", events::created_first),
    event("e1_an_order_ends_once", events::ends_once),
    event("e2_what_was_told_only_grows", events::told_grows),
    event("s5_lanes_are_first_in_first_out", events::fifo),
    event("s7_a_signal_is_accepted_once_and_settled_once", events::settled_once),
    event("t1_nothing_is_planned_before_all_is_known", events::reconciled_first),
    event("t3_the_watermark_is_not_ahead", events::watermark),
    event("s7_nothing_that_lives_is_forgotten", events::forgets_the_dead),
    step("t1_events_make_the_state", steps::events_make_the_state),
    step("t1_a_record_reads_back", steps::record_reads_back),
    step("s1_a_delivery_has_one_receipt", steps::one_receipt),
    step("o1_what_is_sent_was_said", steps::sent_was_said),
    step("o2_requests_carry_the_exchanges_time", steps::signed_in_time),
    step("d3_a_cancel_has_a_reason", steps::cancels_have_reasons),
    step("o5_budgets_are_kept", steps::budgets),
    step("s5_no_signal_is_lost", steps::no_signal_is_lost),
    step("t4_positions_are_the_sum_of_what_was_told", steps::positions),
    step("o3_what_is_explained_is_told", steps::explained_is_told),
    step("o4_live_orders_are_indexed", steps::live_index),
    step("t1_readiness_is_earned", steps::readiness),
    step("no_wake_in_the_past", steps::wakes_ahead),
    end("t1_a_restored_manager_is_the_one_that_died", ends::restored),
    end("a_replay_decides_the_same", ends::replayed),
    end("a_replay_from_a_checkpoint_decides_the_same", ends::replayed_from_checkpoint),
    end("t1_a_checkpoint_and_the_rest_is_the_whole", ends::checkpoint_and_rest),
    end("timers_are_bounded", ends::timers),
];

/// Runs the laws over a life, frame by frame.
#[derive(Clone, Default)]
pub(super) struct Judge {
    pub(super) past: Past,
    /// Only this law; all where none is named.
    only: Option<&'static str>,
}

impl Judge {
    #[cfg(test)]
    pub(super) fn only(law: &'static str) -> Self {
        Self { past: Past::default(), only: Some(law) }
    }

    /// Judges one step.
    pub(super) fn step(&mut self, frame: &Frame<'_>) -> Result<(), Broken> {
        self.past.begin(frame);
        for event in frame.events {
            for (name, check) in self.laws() {
                if let Check::Event(law) = check {
                    law(&self.past, frame, event).map_err(|what| Broken { law: name, seq: frame.seq, what })?;
                }
            }
            self.past.fold(event);
        }
        for (name, check) in self.laws() {
            if let Check::Step(law) = check {
                law(&self.past, frame).map_err(|what| Broken { law: name, seq: frame.seq, what })?;
            }
        }
        self.past.end(frame);
        Ok(())
    }

    /// Folds a step that was judged before.
    pub(super) fn remember(&mut self, frame: &Frame<'_>) {
        self.past.begin(frame);
        frame.events.iter().for_each(|event| self.past.fold(event));
        self.past.end(frame);
    }

    /// Judges a whole life.
    pub(super) fn end(&self, end: &End<'_>) -> Result<(), Broken> {
        let seq = end.manager.seq();
        for (law, check) in self.laws() {
            if let Check::End(check) = check {
                check(end).map_err(|what| Broken { law, seq, what })?;
            }
        }
        Ok(())
    }

    fn laws(&self) -> impl Iterator<Item = (&'static str, Check)> + use<> {
        let only = self.only;
        LAWS.iter().filter(move |law| only.is_none_or(|name| name == law.name)).map(|law| (law.name, law.check))
    }
}
