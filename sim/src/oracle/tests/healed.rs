use super::*;
use crate::scenario::{Answer, Effect, Fault, FaultKind, Path, Requests, SignalStep, signal_body};
use crate::store::Store;
use order_manager_core::bybit::Operation;
use order_manager_core::journal::{Digest, read_record};
use order_manager_core::order::{Order, Totals};
use order_manager_core::unit::{Price, Side, Symbol};

fn body(world: &World, alias: &str) -> Vec<u8> {
    let signal = SignalStep::plain(alias, Symbol::clipped("BTCUSDT"), Side::Buy, Decimal::from(520));
    signal_body(&signal, world.now, Price(Decimal::from(50_000)))
}

/// Another signal comes, and so many seconds go by.
fn bring(world: &mut World, seconds: u64) {
    let body = body(world, "s-3");
    world.bring(body);
    world.run_to(world.now.after(Span::secs(seconds)));
}

/// A world that something was done to, judged as if it had healed.
#[track_caller]
fn judged(oracle: Oracle, doctor: impl FnOnce(&mut World)) {
    let mut world = watched(oracle);
    world.judge_healed();
    assert_eq!(world.broken(), None);
    doctor(&mut world);
    world.judge_healed();
    found(&world, oracle);
}

#[test]
fn a_position_that_is_another_in_our_books() {
    judged(Oracle::BooksEqual, |world| {
        let symbol = Symbol::clipped("BTCUSDT");
        world.ledger.books.positions.entry(symbol).or_default().size = quantity("0.5");
    });
}

#[test]
fn a_fill_whose_key_is_kept_and_whose_quantity_is_lost() {
    judged(Oracle::BooksEqual, |world| {
        let link = specs(world).0.link;
        let lose = |order: &mut Order| order.facts.executed = Totals::default();
        world.ledger.books.book.change(link, lose).unwrap();
    });
}

#[test]
fn a_fill_that_was_published_twice() {
    judged(Oracle::PositionsAsTold, |world| {
        let again = told(world, Change::Filled);
        let messages = world.ledger.messages.clone().unwrap();
        let message = messages.iter().find(|message| message.event_type == Change::Filled);
        super::published::publish(world, again, message);
    });
}

#[test]
fn an_order_whose_fill_was_not_told() {
    judged(Oracle::AllIsTold, |world| {
        let link = specs(world).0.link;
        world.judge.memory.track(link).ended = false;
    });
}

#[test]
fn not_ready_without_a_stream() {
    judged(Oracle::Ready, World::stream_down);
}

#[test]
fn a_signal_that_waits_for_an_exchange_that_is_away() {
    judged(Oracle::LanesEmpty, |world| {
        world.exchange_down();
        bring(world, 10);
    });
}

#[test]
fn a_signal_without_an_end() {
    judged(Oracle::SignalsAccounted, |world| _ = world.ledger.signals.entry(SignalId(1)).or_default());
}

#[test]
fn a_delivery_that_nobody_answers() {
    judged(Oracle::DeliveriesAnswered, |world| {
        world.store_down();
        bring(world, 10);
    });
}

fn lost(operation: Operation, count: u32) -> Fault {
    Fault { kind: FaultKind::Carry { path: Path::Request(Requests::One(operation)), effect: Effect::Drop }, count }
}

#[test]
fn an_order_of_which_nobody_knows() {
    judged(Oracle::NothingUnknown, |world| {
        world.wire.add_fault(lost(Operation::Create, 1));
        bring(world, 7);
    });
}

#[test]
fn a_cancel_that_does_not_come_through() {
    judged(Oracle::CancelsDone, |world| {
        world.wire.add_fault(lost(Operation::Cancel, 8));
        bring(world, 3);
    });
}

#[test]
fn a_symbol_that_is_halted_by_a_contradiction() {
    judged(Oracle::NotHalted, |world| {
        let kind =
            FaultKind::Answer { of: Requests::One(Operation::Create), answer: Answer::Code(110_007), executed: true };
        world.wire.add_fault(Fault { kind, count: 1 });
        bring(world, 10);
    });
}

#[test]
fn a_minute_of_work_with_nothing_to_do() {
    judged(Oracle::QuietWhenIdle, |world| {
        let body = body(world, "s-1");
        (0..100).for_each(|_| world.bring(body.clone()));
        world.run_to(world.now.after(Span::secs(1)));
    });
}

#[test]
fn a_store_that_holds_less_than_the_state() {
    judged(Oracle::FoldIsState, |world| world.life.store = Store::default());
}

/// The store with the digest of its last record changed.
fn doctored(store: &Store) -> Store {
    let mut other = Store::default();
    for (record, digest) in store.records() {
        let seq = read_record(record).unwrap().seq;
        let digest = if seq.0 as usize == store.len() { Digest(1) } else { digest };
        other.write(record, digest, &[]).unwrap();
        other.confirm().unwrap();
    }
    other
}

#[test]
fn a_journal_that_replays_to_another_digest() {
    judged(Oracle::ReplayIsSame, |world| world.life.store = doctored(&world.life.store));
}

#[test]
fn a_checkpoint_from_which_another_life_comes() {
    judged(Oracle::CheckpointIsSame, |world| {
        assert!(world.checkpoint().is_some());
        world.run_to(world.now.after(Span::secs(100)));
        world.life.store = doctored(&world.life.store);
    });
}

#[test]
fn a_row_that_says_something_else_than_the_books() {
    judged(Oracle::RowsAsBooked, |world| {
        let link = specs(world).0.link;
        world.ledger.books.book.change(link, |order| order.state = order_manager_core::order::State::Open).unwrap();
    });
    judged(Oracle::RowsAsBooked, |world| {
        world.ledger.signals.values_mut().for_each(|account| account.text.push('!'));
    });
}
