//! Laws on whole steps: state, commands, record and waking time.

use super::Verdict;
use crate::fuzz::past::{Frame, Past, Queue, Stand};
use order_manager_core::bybit::{Operation, Request};
use order_manager_core::command::{Command, Outgoing, Receipt};
use order_manager_core::event::Event;
use order_manager_core::input::Input;
use order_manager_core::journal;
use order_manager_core::manager::Stage;
use order_manager_core::unit::Timestamp;

/// `fold(apply, events) == state`.
pub(super) fn events_make_the_state(past: &Past, frame: &Frame<'_>) -> Verdict {
    if past.shadow == *frame.durable {
        return Ok(());
    }
    Err(format!("folded {:?}\n  but it is {:?}", past.shadow, frame.durable))
}

/// What is stored is what happened.
pub(super) fn record_reads_back(_: &Past, frame: &Frame<'_>) -> Verdict {
    let read = journal::read_record(frame.record).map_err(|e| e.to_string())?;
    let tells_what_left =
        read.sent.iter().flatten().copied().eq(requests(frame).map(|outgoing| outgoing.request.operation()));
    let same =
        (read.seq, read.at) == (frame.seq, frame.at) && read.input == *frame.input && read.events == frame.events;
    if same && tells_what_left {
        return Ok(());
    }
    let (input, events, commands) = (frame.input, frame.events, frame.commands);
    Err(format!("{read:?} was stored of {input:?} {events:?} {commands:?}"))
}

/// A signal's message is answered once, in its own step, and with what became of it.
pub(super) fn one_receipt(_: &Past, frame: &Frame<'_>) -> Verdict {
    let mut receipts = frame.commands.iter().filter_map(|command| match command {
        Command::Settle { delivery, receipt } => Some((*delivery, receipt)),
        Command::Send(_) | Command::Consult(_) => None,
    });
    let (first, second) = (receipts.next(), receipts.next());
    let delivered = match frame.input {
        Input::Signal(delivery) => delivery.id,
        Input::TypedSignal(delivery) => delivery.id,
        Input::Refused(refused) => refused.id,
        _ => return if first.is_none() { Ok(()) } else { Err(format!("a receipt without a delivery: {first:?}")) },
    };
    let (Some((id, receipt)), None) = (first, second) else {
        return Err(format!("delivery {delivered:?} has the receipts {first:?}, {second:?}"));
    };
    let accepted = frame.events.iter().any(|event| matches!(event, Event::SignalAccepted { .. }));
    let known = frame.events.iter().any(|event| {
        matches!(event, Event::SignalRepeated { .. } | Event::SignalInvalid { .. } | Event::DeadLettered { .. })
    });
    let fits = match receipt {
        Receipt::Accepted(_) => accepted && !known,
        Receipt::Paused => {
            !accepted && !known && frame.events.iter().any(|event| matches!(event, Event::IntakePaused { .. }))
        }
        _ => !accepted && known,
    };
    if id == delivered && fits { Ok(()) } else { Err(format!("delivery {delivered:?}: {id:?} {receipt:?}")) }
}

fn requests<'a>(frame: &Frame<'a>) -> impl Iterator<Item = &'a Outgoing> + use<'a> {
    frame.commands.iter().filter_map(|command| match command {
        Command::Send(outgoing) => Some(outgoing),
        Command::Settle { .. } | Command::Consult(_) => None,
    })
}

/// The creates of a step are its `OrderSent` events, and each says what its intent says.
pub(super) fn sent_was_said(past: &Past, frame: &Frame<'_>) -> Verdict {
    let mut said = frame.events.iter().filter_map(|event| match event {
        Event::OrderSent { link, signed_at } => Some((*link, *signed_at)),
        _ => None,
    });
    for outgoing in requests(frame) {
        let Request::Create(create) = &outgoing.request else { continue };
        if said.next() != Some((create.link, outgoing.signed_at)) {
            return Err(format!("{} goes out and no event says so", create.link));
        }
        let intended = past.shadow.book.get(create.link).map(|order| order.spec.create());
        if intended.as_ref() != Some(create) {
            return Err(format!("{create:?} goes out where {intended:?} was intended"));
        }
    }
    said.next().map_or(Ok(()), |(link, _)| Err(format!("{link} is said to be sent, and is not")))
}

/// A signed request carries what the exchange's clock shows, to the millisecond.
pub(super) fn signed_in_time(_: &Past, frame: &Frame<'_>) -> Verdict {
    for outgoing in requests(frame).filter(|outgoing| outgoing.request != Request::ServerTime) {
        if outgoing.signed_at.0.abs_diff(frame.exchange.0) > 1 {
            let (tag, signed) = (outgoing.tag, outgoing.signed_at);
            return Err(format!("{tag:?} is signed {signed} where the exchange's clock shows {}", frame.exchange));
        }
    }
    Ok(())
}

/// Nothing is cancelled that nobody wanted cancelled.
pub(super) fn cancels_have_reasons(past: &Past, frame: &Frame<'_>) -> Verdict {
    for outgoing in requests(frame) {
        if let Request::Cancel(cancel) = &outgoing.request
            && !past.orders.get(&cancel.link).is_some_and(|track| track.cancel_wanted)
        {
            return Err(format!("{} is cancelled without a reason", cancel.link));
        }
    }
    Ok(())
}

/// No endpoint sees more requests in a second than Bybit's default budget (bybit-v5.md 1.5).
pub(super) fn budgets(past: &Past, frame: &Frame<'_>) -> Verdict {
    for outgoing in requests(frame) {
        let operation = outgoing.request.operation();
        let max = match operation {
            Operation::Create | Operation::Cancel | Operation::Amend => 10,
            _ => 50,
        };
        let recent = |at: &&Timestamp| frame.at.since(**at).0 < 1_000_000;
        let before = past.sends.get(&operation).map_or(0, |sends| sends.iter().filter(recent).count());
        let now = requests(frame).filter(|other| other.request.operation() == operation).count();
        if before + now > max {
            return Err(format!("{} requests of {operation:?} within a second", before + now));
        }
    }
    Ok(())
}

/// Each accepted signal waits in its lane, is the active one, or is settled.
pub(super) fn no_signal_is_lost(past: &Past, frame: &Frame<'_>) -> Verdict {
    let same = frame.durable.lanes.len() == past.lanes.len()
        && frame.durable.lanes.iter().zip(&past.lanes).all(
            |((symbol, lane), (of, Queue { waiting, active, passing }))| {
                symbol == of && lane.waiting == *waiting && lane.active == *active && lane.passing == *passing
            },
        );
    if !same {
        return Err(format!("the lanes are {:?} and should be {:?}", frame.durable.lanes, past.lanes));
    }
    for (id, stand) in &past.signals {
        let stage = frame.durable.signals.get(id).map(|state| &state.stage);
        let fits = matches!(
            (stand, stage),
            (Stand::Waiting, Some(Stage::Waiting))
                | (Stand::Active, Some(Stage::Active(_)))
                | (Stand::Settled, Some(Stage::Settled { .. }))
        );
        if !fits {
            return Err(format!("{id} is {stage:?} and should be {stand:?}"));
        }
    }
    Ok(())
}

/// Sizes and fees are what was told of our orders and what others did.
pub(super) fn positions(past: &Past, frame: &Frame<'_>) -> Verdict {
    for (symbol, (size, fees)) in &past.booked {
        let position = frame.durable.positions.get(symbol).copied().unwrap_or_default();
        if (position.size, position.fees) != (*size, *fees) {
            return Err(format!("{symbol}: {position:?}, told were {size} with fees {fees}"));
        }
    }
    match frame.durable.positions.keys().find(|symbol| !past.booked.contains_key(*symbol)) {
        Some(symbol) => Err(format!("{symbol} has a position out of nothing")),
        None => Ok(()),
    }
}

/// Where executions explain all that a row reports, all of it has been told, once.
pub(super) fn explained_is_told(_: &Past, frame: &Frame<'_>) -> Verdict {
    for order in frame.durable.book.iter().filter(|order| order.facts.explained()) {
        let facts = order.facts.totals();
        if order.inherited && facts.quantity <= order.told.totals.quantity {
            continue; // told by the service before us; the exchange may have forgotten it
        }
        if facts != order.told.totals {
            return Err(format!("{}: told {:?} of {facts:?}", order.spec.link, order.told.totals));
        }
    }
    Ok(())
}

/// The index of live orders leaves none out and holds no other.
pub(super) fn live_index(_: &Past, frame: &Frame<'_>) -> Verdict {
    let book = &frame.durable.book;
    let lives = book.iter().filter(|order| order.state.may_fill() || !order.told.ended);
    if lives.map(|order| order.spec.link).eq(book.live().map(|order| order.spec.link)) {
        return Ok(());
    }
    Err(format!("the index does not fit the book: {book:?}"))
}

/// Ready means: stream up, and everything asked for since.
pub(super) fn readiness(past: &Past, frame: &Frame<'_>) -> Verdict {
    let earned = past.stream_up && past.reconciled;
    if frame.ready && !earned {
        return Err(format!("ready with the stream up: {}, reconciled: {}", past.stream_up, past.reconciled));
    }
    Ok(())
}

/// What is due was done in this step: whoever sleeps until the waking time never spins.
pub(super) fn wakes_ahead(_: &Past, frame: &Frame<'_>) -> Verdict {
    match frame.wake {
        Some(wake) if wake <= frame.at => Err(format!("wants to be woken at {wake}, and it is {}", frame.at)),
        _ => Ok(()),
    }
}
