//! What must hold once everything has healed and has had its time.

use super::bench::Verdict;
use super::list::Oracle;
use super::memory::{Memory, Track};
use crate::judge;
use crate::world::World;
use order_manager_core::order::{Order, State};
use order_manager_core::unit::Symbol;

/// Judges a world that has healed.
type Check = fn(&World) -> Verdict;

/// In this order, the most telling first.
pub(super) const ALL: &[(Oracle, Check)] = &[
    (Oracle::BooksEqual, books_equal),
    (Oracle::Ready, ready),
    (Oracle::LanesEmpty, lanes_empty),
    (Oracle::NothingUnknown, nothing_unknown),
    (Oracle::CancelsDone, cancels_done),
    (Oracle::SignalsAccounted, signals_accounted),
    (Oracle::DeliveriesAnswered, deliveries_answered),
];

fn books_equal(world: &World) -> Verdict {
    let differences = judge::differences(&world.ledger.books, &world.exchange);
    if differences.is_empty() { Ok(()) } else { Err(differences.join("; ")) }
}

fn ready(world: &World) -> Verdict {
    match world.life.manager() {
        Some(manager) if manager.is_ready() => Ok(()),
        Some(_) => Err("not ready".into()),
        None => Err("the process is down".into()),
    }
}

fn lanes_empty(world: &World) -> Verdict {
    let Some(manager) = world.life.manager() else { return Ok(()) };
    match manager.durable().lanes.iter().next() {
        Some((symbol, lane)) => Err(format!("{symbol}: {lane:?}")),
        None => Ok(()),
    }
}

/// Every order that is remembered, none of which may be as `wrong` says.
fn no_order(world: &World, wrong: fn(&Order) -> bool) -> Verdict {
    let Some(manager) = world.life.manager() else { return Ok(()) };
    match manager.durable().book.iter().find(|order| wrong(order)) {
        Some(order) => Err(format!("{order:?}")),
        None => Ok(()),
    }
}

fn nothing_unknown(world: &World) -> Verdict {
    no_order(world, |order| match order.state {
        State::Intended | State::Sending | State::Unknown | State::Acked => true,
        State::Open => !order.spec.is_limit(), // a market order does not rest
        _ => !order.told.ended || !order.facts.explained(),
    })
}

fn cancels_done(world: &World) -> Verdict {
    no_order(world, |order| order.state == State::Open && order.cancel.is_some())
}

fn signals_accounted(world: &World) -> Verdict {
    match world.ledger.signals.iter().find(|(_, account)| !account.is_whole()) {
        Some((id, account)) => Err(format!("signal {id} has no account: {account:?}")),
        None => Ok(()),
    }
}

fn deliveries_answered(world: &World) -> Verdict {
    match world.unacknowledged() {
        0 => Ok(()),
        some => Err(format!("{some} deliveries are not acknowledged")),
    }
}

/// A create that the way there doubled, of which one copy was refused and the other taken, did contradict us.
pub(super) fn not_halted(world: &World, memory: &Memory) -> Verdict {
    let Some(manager) = world.life.manager() else { return Ok(()) };
    let contradicted = |symbol: Symbol| {
        let of_symbol = |track: &Track| track.spec.is_some_and(|spec| spec.symbol == symbol);
        memory.tracks.iter().any(|(_, track)| of_symbol(track) && track.doubled && track.denied && track.accepted > 0)
    };
    match manager.durable().halted.iter().find(|(symbol, _)| !contradicted(**symbol)) {
        Some((symbol, why)) => Err(format!("{symbol} is halted: {why}")),
        None => Ok(()),
    }
}
