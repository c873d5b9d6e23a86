//! Laws on single events: what was known just before each one must allow it.

use super::Verdict;
use crate::fuzz::past::{Frame, Past, Stand};
use order_manager_core::bybit::{ApiError, Operation, Reply};
use order_manager_core::bybit::{Class, code, rest};
use order_manager_core::event::{Change, CreateAnswer, Event};
use order_manager_core::input::{Answer, Input, Tag};
use order_manager_core::manager::Stage;
use order_manager_core::order::{State, Stimulus, Verdict as Moves};
use order_manager_core::unit::{OrderLinkId, Quantity, SignalId, Span};
use std::collections::BTreeSet;

/// What the exchange's delay may be before an order is visible to queries (bybit-v5.md 8.4).
const VISIBILITY_BOUND: Span = Span::secs(15);
/// After this long Bybit may have forgotten a cancelled order (bybit-v5.md 2.8).
const FORGOTTEN_AFTER: Span = Span::secs(24 * 3_600);

/// No law of the program breaks, and no order meets a stimulus that its state cannot meet.
pub(super) fn no_defect(past: &Past, _: &Frame<'_>, event: &Event) -> Verdict {
    if let Event::Defect { what, .. } = event {
        return Err(format!("defect: {what}"));
    }
    let Some((link, stimulus)) = stimulus(event) else { return Ok(()) };
    match past.shadow.book.get(link) {
        None => Err(format!("{stimulus:?} for {link}, which is not in the book")),
        Some(order) if order.state.on(stimulus) == Moves::Defect => {
            Err(format!("{stimulus:?} for {link}, which is {:?}", order.state))
        }
        Some(_) => Ok(()),
    }
}

fn stimulus(event: &Event) -> Option<(OrderLinkId, Stimulus)> {
    Some(match event {
        Event::OrderSent { link, .. } => (*link, Stimulus::Sent),
        Event::OrderAnswered { link, answer, .. } => (
            *link,
            match answer {
                CreateAnswer::Accepted { .. } => Stimulus::Acked,
                CreateAnswer::Refused { .. } => Stimulus::Refused,
                CreateAnswer::NotSent { .. } => Stimulus::NotSent,
                CreateAnswer::Unknown { .. } => Stimulus::Lost,
            },
        ),
        Event::OrderSeen { link, row, .. } => {
            (*link, if row.status.is_terminal() { Stimulus::SeenClosed } else { Stimulus::SeenOpen })
        }
        Event::OrderNoticed { link, .. } => (*link, Stimulus::Acked),
        Event::OrderExecuted { link, .. } => (*link, Stimulus::Filled),
        Event::OrderAbsent { link, proof, .. } => {
            (*link, if proof.aged_out { Stimulus::AgedOut } else { Stimulus::ProvenAbsent })
        }
        Event::OrderExpired { link, .. } => (*link, Stimulus::Expired),
        _ => return None,
    })
}

/// An intent has the id of its signal, leg and attempt, and that id never lived under another intent.
pub(super) fn id_is_free(past: &Past, _: &Frame<'_>, event: &Event) -> Verdict {
    let Event::OrderIntended { spec } = event else { return Ok(()) };
    if OrderLinkId::of(past.config.link_id_prefix, spec.intent) != spec.link {
        return Err(format!("{} is not the id of {:?}", spec.link, spec.intent));
    }
    let state = past.shadow.book.get(spec.link).map(|order| order.state);
    let shown = past.orders.get(&spec.link).is_some_and(|track| track.shown);
    if shown || !matches!(state, None | Some(State::Absent | State::Expired)) {
        return Err(format!("{} is intended again; it is {state:?}, shown: {shown}", spec.link));
    }
    Ok(())
}

/// A create goes out again only after it surely did not execute.
pub(super) fn no_twin(past: &Past, _: &Frame<'_>, event: &Event) -> Verdict {
    let Event::OrderSent { link, .. } = event else { return Ok(()) };
    match past.orders.get(link) {
        None => Err(format!("{link} is sent and was never intended")),
        Some(track) if track.may_exist => Err(format!("{link} is sent again while the last create may exist")),
        Some(track) if track.shown => Err(format!("{link} is sent again, and the exchange has shown it")),
        Some(_) => Ok(()),
    }
}

/// Only the answer to a create says what became of it; whatever else ends the waiting makes it Unknown.
pub(super) fn only_an_answer_answers(_: &Past, frame: &Frame<'_>, event: &Event) -> Verdict {
    let Event::OrderAnswered { link, answer, .. } = event else { return Ok(()) };
    let meaning = match frame.input {
        Input::Reply { tag: Tag::Create(of), answer } if of == link => meaning(answer),
        _ => Meaning::Unknown,
    };
    let taken = match answer {
        CreateAnswer::Accepted { .. } => Meaning::Accepted,
        CreateAnswer::Refused { .. } => Meaning::Refused,
        CreateAnswer::NotSent { .. } => Meaning::NotSent,
        CreateAnswer::Unknown { .. } => Meaning::Unknown,
    };
    if taken == meaning { Ok(()) } else { Err(format!("{link}: {meaning:?} was taken as {taken:?}")) }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Meaning {
    Accepted,
    Refused,
    NotSent,
    Unknown,
}

fn meaning(answer: &Answer) -> Meaning {
    let decoded;
    let reply = match answer {
        Answer::NotSent { .. } => return Meaning::NotSent,
        Answer::Lost { .. } => return Meaning::Unknown,
        Answer::Typed(reply) => reply,
        Answer::Http { status, limits, body } => {
            decoded = rest::decode(Operation::Create, *status, *limits, &body.0);
            &decoded
        }
    };
    let class = match &reply.result {
        Ok(Reply::Ack { .. }) => return Meaning::Accepted,
        Ok(_) | Err(ApiError::Unreadable(_)) => return Meaning::Unknown,
        Err(ApiError::Code { code, message }) => code::classify(Operation::Create, *code, message.as_str()),
        Err(ApiError::Status(status)) => code::classify_status(Operation::Create, *status),
    };
    match class {
        Class::Safe => Meaning::NotSent,
        Class::Refused | Class::Config => Meaning::Refused,
        Class::Ambiguous | Class::Done => Meaning::Unknown,
    }
}

/// Three empty answers, one of each source, each to a question that was signed after the last moment at which
/// the create could have arrived and become visible.
pub(super) fn absence_is_proven(past: &Past, _: &Frame<'_>, event: &Event) -> Verdict {
    let Event::OrderAbsent { link, proof, .. } = event else { return Ok(()) };
    let track = past.orders.get(link);
    let signed_at = track.and_then(|track| track.signed_at);
    let Some(signed_at) = signed_at else { return Err(format!("{link} is absent and was never sent")) };
    let never_seen = track.is_some_and(|track| track.inherited && !track.shown);
    let wait = if proof.aged_out && !never_seen { FORGOTTEN_AFTER } else { VISIBILITY_BOUND };
    let last = signed_at.after(past.config.recv_window()).after(wait);
    if proof.deadline < last || proof.asked_at <= proof.deadline {
        return Err(format!("{link}: asked at {}, deadline {}, last {last}", proof.asked_at, proof.deadline));
    }
    let sources: BTreeSet<_> = proof.answers.iter().map(|(source, _)| *source).collect();
    if sources.len() != 3 {
        return Err(format!("{link}: only {sources:?} were asked"));
    }
    for (source, seq) in &proof.answers {
        let answer = past.answers.get(seq);
        let Some(answer) = answer else { return Err(format!("{link}: record {} is no answer", seq.0)) };
        let fits = matches!(answer.tag, Tag::Inquiry { link: of, source: at, .. } if of == *link && at == *source);
        let in_time = answer.signed_at.is_some_and(|signed_at| signed_at > last);
        if !fits || !answer.empty || !in_time {
            return Err(format!("{link}: record {} proves nothing: {answer:?}, last arrival {last}", seq.0));
        }
    }
    Ok(())
}

/// Evidence names the record of the step that shows it.
pub(super) fn evidence_is_at_hand(_: &Past, frame: &Frame<'_>, event: &Event) -> Verdict {
    let (Event::OrderSeen { evidence, .. }
    | Event::OrderNoticed { evidence, .. }
    | Event::OrderExecuted { evidence, .. }
    | Event::ForeignExecuted { evidence, .. }
    | Event::Quarantined { evidence, .. }) = event
    else {
        return Ok(());
    };
    let from_outside = matches!(frame.input, Input::Reply { .. } | Input::Stream(_) | Input::Inherited(_));
    if *evidence == frame.seq && from_outside {
        Ok(())
    } else {
        Err(format!("evidence {} in record {}: {:?}", evidence.0, frame.seq.0, frame.input))
    }
}

/// The same execution twice is one.
pub(super) fn executions_book_once(past: &Past, _: &Frame<'_>, event: &Event) -> Verdict {
    let (known, id) = match event {
        Event::OrderExecuted { link, row, .. } => {
            let order = past.shadow.book.get(*link);
            (order.is_some_and(|order| order.facts.fills.contains_key(&row.exec_id)), row.exec_id)
        }
        Event::ForeignExecuted { row, .. } => (past.shadow.foreign.contains_key(&row.exec_id), row.exec_id),
        _ => return Ok(()),
    };
    if known { Err(format!("execution {id} is booked twice")) } else { Ok(()) }
}

/// `created` is told once, before any fill and before an ending that is not a rejection.
pub(super) fn created_first(past: &Past, _: &Frame<'_>, event: &Event) -> Verdict {
    let Event::OrderTold(told) = event else { return Ok(()) };
    let created = past.orders.get(&told.link).is_some_and(|track| track.created);
    match told.change {
        Change::Created if created => Err(format!("{} is created twice", told.link)),
        Change::PartiallyFilled | Change::Filled | Change::Cancelled if !created => {
            Err(format!("{} is {:?} before it is created", told.link, told.change))
        }
        _ => Ok(()),
    }
}

/// After an ending only late fills follow, and what contradicts a rejection.
pub(super) fn ends_once(past: &Past, _: &Frame<'_>, event: &Event) -> Verdict {
    let Event::OrderTold(told) = event else { return Ok(()) };
    let ended = past.orders.get(&told.link).is_some_and(|track| track.ended);
    let ends = matches!(told.change, Change::Cancelled | Change::Rejected);
    let modified = told.change == Change::Modified;
    if ended && (ends || modified) {
        return Err(format!("{} is {:?} after its end", told.link, told.change));
    }
    // What is modified ends where what was told fills the smaller order whole.
    let whole = modified && told.totals.quantity >= told.quantity;
    if told.last != (ends || whole || told.change == Change::Filled) {
        return Err(format!("{}: {:?}, last: {}", told.link, told.change, told.last));
    }
    Ok(())
}

/// Increments are fills, never taken back, and sum up to the totals that stand beside them.
pub(super) fn told_grows(past: &Past, _: &Frame<'_>, event: &Event) -> Verdict {
    let Event::OrderTold(told) = event else { return Ok(()) };
    let before = past.orders.get(&told.link).map_or_else(Default::default, |track| track.told);
    let is_fill = matches!(told.change, Change::PartiallyFilled | Change::Filled);
    if told.increment.quantity < Quantity::ZERO || told.increment.quantity.is_positive() != is_fill {
        return Err(format!("{}: {:?} of {}", told.link, told.change, told.increment.quantity));
    }
    if before.plus(told.increment) != told.totals {
        return Err(format!("{}: {before:?} and {:?} make {:?}", told.link, told.increment, told.totals));
    }
    let named = past.orders.get(&told.link).and_then(|t| told.exec_ids.iter().find(|id| t.named.contains(*id)));
    named.map_or(Ok(()), |id| Err(format!("{}: execution {id} is named twice", told.link)))
}

/// One signal of a symbol at a time, the one that came first. One more may pass where the first one's opening order
/// is Unknown.
pub(super) fn fifo(past: &Past, _: &Frame<'_>, event: &Event) -> Verdict {
    let Event::SignalStarted { signal } = event else { return Ok(()) };
    let Some(queue) = past.lanes.values().find(|queue| queue.waiting.contains(signal)) else {
        return Err(format!("{signal} starts and waits nowhere"));
    };
    match (queue.active, queue.waiting.front()) {
        (Some(active), _) if queue.passing.is_some() || !is_unknown(past, active) => {
            Err(format!("{signal} starts while {active} is active"))
        }
        (_, Some(first)) if first != signal => Err(format!("{signal} starts before {first}")),
        _ => Ok(()),
    }
}

fn is_unknown(past: &Past, signal: SignalId) -> bool {
    let orders = past.shadow.book.iter().filter(|order| order.spec.intent.signal == signal);
    orders.into_iter().any(|order| order.state == State::Unknown && !order.spec.reduce_only)
}

/// A signal is accepted where it is not at work already, and settled once for each time.
pub(super) fn settled_once(past: &Past, _: &Frame<'_>, event: &Event) -> Verdict {
    match event {
        Event::SignalAccepted { signal, .. } => match past.signals.get(&signal.id) {
            Some(Stand::Waiting | Stand::Active) => Err(format!("{} is accepted twice", signal.id)),
            _ => Ok(()),
        },
        Event::SignalSettled { signal, .. } => match past.signals.get(signal) {
            Some(Stand::Waiting | Stand::Active) => Ok(()),
            stand => Err(format!("{signal} is settled and was {stand:?}")),
        },
        _ => Ok(()),
    }
}

/// No order is planned on a state that may have gaps.
pub(super) fn reconciled_first(past: &Past, _: &Frame<'_>, event: &Event) -> Verdict {
    match event {
        Event::Planned { .. } | Event::OrderIntended { .. } if !past.stream_up || !past.reconciled => {
            Err(format!("{event:?} with the stream up: {}, reconciled: {}", past.stream_up, past.reconciled))
        }
        _ => Ok(()),
    }
}

/// Executions are known up to a moment at which they were asked for, no further.
pub(super) fn watermark(_: &Past, frame: &Frame<'_>, event: &Event) -> Verdict {
    let Event::Reconciled { until, .. } = event else { return Ok(()) };
    match frame.answered {
        Some(asked) if matches!(asked.tag, Tag::Sweep { .. }) && *until <= asked.signed_at => Ok(()),
        asked => Err(format!("reconciled until {until} by {asked:?}")),
    }
}

/// Only what has ended is left to the store.
pub(super) fn forgets_the_dead(past: &Past, _: &Frame<'_>, event: &Event) -> Verdict {
    match event {
        Event::OrderForgotten { link } => match past.shadow.book.get(*link) {
            Some(order) if order.told.ended && !order.state.may_fill() => Ok(()),
            order => Err(format!("{link} is forgotten as {:?}", order.map(|order| order.state))),
        },
        Event::SignalForgotten { signal } => {
            let lives = past.shadow.book.live().any(|order| order.spec.intent.signal == *signal);
            let stage = past.shadow.signals.get(signal).map(|state| &state.stage);
            match stage {
                None | Some(Stage::Settled { .. }) if !lives => Ok(()),
                stage => Err(format!("{signal} is forgotten as {stage:?}, an order lives: {lives}")),
            }
        }
        _ => Ok(()),
    }
}
