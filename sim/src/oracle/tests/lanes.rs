use super::*;
use order_manager_core::command::Receipt;
use order_manager_core::event::CreateAnswer;
use order_manager_core::input::{DeliveryId, RefusedDelivery, Stream};
use order_manager_core::outcome::Outcome;
use order_manager_core::refusal::Code;
use order_manager_core::unit::{Bytes, ExchangeTime, Text};

/// A signal like the first one, under another id.
fn accepted(world: &World, id: u128) -> Event {
    let mut event = event(world, |event| matches!(event, Event::SignalAccepted { .. }));
    if let Event::SignalAccepted { signal, .. } = &mut event {
        signal.id = SignalId(id);
    }
    event
}

fn started(id: u128) -> Event {
    Event::SignalStarted { signal: SignalId(id) }
}

fn waiting(oracle: Oracle) -> World {
    let mut world = watched(oracle);
    for id in [1, 2] {
        let event = accepted(&world, id);
        tell(&mut world, &event);
    }
    world
}

#[test]
fn the_second_signal_starts_first() {
    let mut world = waiting(Oracle::FifoPerSymbol);
    tell(&mut world, &started(2));
    found(&world, Oracle::FifoPerSymbol);
}

#[test]
fn two_signals_at_work() {
    let mut world = waiting(Oracle::OneActiveASymbol);
    tell(&mut world, &started(1));
    assert_eq!(world.broken(), None);
    tell(&mut world, &started(2));
    found(&world, Oracle::OneActiveASymbol);
}

/// That a create was not executed may be of an earlier one under its id: nobody knows of the last one for that.
#[test]
fn an_order_of_which_nobody_knows_may_be_passed_whatever_comes_late() {
    let mut world = waiting(Oracle::OneActiveASymbol);
    tell(&mut world, &started(1));
    let mut spec = Box::new(specs(&world).0);
    (spec.link, spec.intent.signal) = (unused(), SignalId(1));
    let (link, at, why) = (spec.link, world.now, Text::clipped("a test"));
    tell(&mut world, &Event::OrderIntended { spec });
    for answer in [CreateAnswer::Unknown { why }, CreateAnswer::NotSent { why }] {
        tell(&mut world, &Event::OrderAnswered { link, answer, at });
    }
    tell(&mut world, &started(2));
    assert_eq!(world.broken(), None);
}

#[test]
fn an_order_of_a_signal_whose_turn_it_is_not() {
    let mut world = watched(Oracle::OneActiveASymbol);
    let spec = Box::new(specs(&world).0);
    tell(&mut world, &Event::OrderIntended { spec });
    found(&world, Oracle::OneActiveASymbol);
}

#[test]
fn a_signal_that_is_settled_again_or_accepted_twice() {
    let mut world = watched(Oracle::SettledOnce);
    let settled = event(&world, |event| matches!(event, Event::SignalSettled { .. }));
    tell(&mut world, &settled);
    found(&world, Oracle::SettledOnce);

    let mut world = waiting(Oracle::SettledOnce);
    let again = accepted(&world, 2);
    tell(&mut world, &again);
    found(&world, Oracle::SettledOnce);
}

#[test]
fn a_signal_that_is_tried_for_the_fourth_time() {
    let mut world = watched(Oracle::SettledOnce);
    let (again, signal, text) = (accepted(&world, 3), SignalId(3), Text::clipped("a test"));
    let (at, outcome) = (world.now, Outcome::Rejected(Code::DataStale));
    for _ in 0..3 {
        tell(&mut world, &again);
        tell(&mut world, &Event::SignalSettled { signal, outcome, at, text, cancelled: vec![] });
    }
    assert_eq!(world.broken(), None);
    tell(&mut world, &again);
    found(&world, Oracle::SettledOnce);
}

/// A world in which all is well, the first signal is at work, and the second one waits.
fn at_work() -> World {
    let mut world = waiting(Oracle::SettledInTime);
    tell(&mut world, &started(1));
    world.judge.heals(world.now);
    world
}

fn later(world: &mut World, seconds: u64) {
    world.now = world.now.after(Span::secs(seconds));
}

fn settle(world: &mut World, signal: u128) {
    let (outcome, at, text) = (Outcome::Rejected(Code::DataStale), world.now, Text::clipped("a test"));
    tell(world, &Event::SignalSettled { signal: SignalId(signal), outcome, at, text, cancelled: vec![] });
}

fn intend(world: &mut World, reduce_only: bool) -> OrderLinkId {
    let mut spec = Box::new(specs(world).0);
    (spec.link, spec.intent.signal, spec.reduce_only) = (unused(), SignalId(1), reduce_only);
    let link = spec.link;
    tell(world, &Event::OrderIntended { spec });
    link
}

fn answer(world: &mut World, link: OrderLinkId, answer: CreateAnswer) {
    let at = world.now;
    tell(world, &Event::OrderAnswered { link, answer, at });
}

#[test]
fn a_signal_that_waits_for_nothing() {
    let mut world = at_work();
    later(&mut world, 21);
    settle(&mut world, 1);
    found(&world, Oracle::SettledInTime);

    let mut world = at_work();
    later(&mut world, 21);
    intend(&mut world, false);
    found(&world, Oracle::SettledInTime);

    let mut world = at_work();
    later(&mut world, 21);
    let Event::Planned { plan, .. } = event(&world, |event| matches!(event, Event::Planned { .. })) else { panic!() };
    tell(&mut world, &Event::Planned { signal: SignalId(1), plan });
    found(&world, Oracle::SettledInTime);

    let mut world = at_work();
    settle(&mut world, 1);
    later(&mut world, 21);
    tell(&mut world, &started(2));
    found(&world, Oracle::SettledInTime);

    let mut world = at_work();
    let (link, why) = (intend(&mut world, true), Text::clipped("a test"));
    answer(&mut world, link, CreateAnswer::NotSent { why });
    later(&mut world, 21);
    tell(&mut world, &Event::OrderSent { link, signed_at: ExchangeTime::default() });
    found(&world, Oracle::SettledInTime);
}

/// A reconcile, its answers and its commits excuse nothing.
#[test]
fn a_signal_that_waits_while_the_world_goes_on() {
    let mut world = waiting(Oracle::SettledInTime);
    world.judge.heals(world.now);
    world.run_to(world.now.after(Span::secs(70)));
    assert_eq!(world.broken(), None);
    tell(&mut world, &started(1));
    found(&world, Oracle::SettledInTime);
}

#[test]
fn a_signal_that_waits_for_something() {
    let late = |world: &mut World| {
        later(world, 19);
        settle(world, 1);
        assert_eq!(world.broken(), None);
    };
    late(&mut at_work()); // its question may have been lost once

    let mut world = waiting(Oracle::SettledInTime);
    tell(&mut world, &started(1));
    later(&mut world, 30);
    late(&mut world); // something may have gone wrong

    let mut world = at_work();
    step(&mut world, &Input::Stream(Box::new(Stream::Down)), vec![], vec![], vec![]);
    later(&mut world, 30);
    late(&mut world);
    let mut world = at_work();
    later(&mut world, 30);
    step(&mut world, &Input::Stream(Box::new(Stream::Up)), vec![], vec![], vec![]);
    late(&mut world);

    let mut world = at_work();
    world.judge.writes_slowly(world.now, Span::secs(30));
    later(&mut world, 30);
    late(&mut world);

    let mut world = at_work();
    let (link, why) = (intend(&mut world, false), Text::clipped("a test"));
    later(&mut world, 30);
    answer(&mut world, link, CreateAnswer::NotSent { why }); // it came further
    late(&mut world);
}

/// It waits for the proof, but for an exit, which passes it.
#[test]
fn a_signal_behind_an_order_of_which_nobody_knows() {
    for is_exit in [false, true] {
        let mut world = waiting(Oracle::SettledInTime);
        let mut exit = accepted(&world, 3);
        if let Event::SignalAccepted { signal, .. } = &mut exit {
            signal.is_exit = is_exit;
        }
        tell(&mut world, &started(1));
        let (link, why) = (intend(&mut world, false), Text::clipped("a test"));
        answer(&mut world, link, CreateAnswer::Unknown { why });
        tell(&mut world, &exit);
        world.judge.heals(world.now);
        later(&mut world, 30);
        settle(&mut world, 3);
        assert_eq!(world.broken().map(|broken| broken.oracle), is_exit.then_some(Oracle::SettledInTime));
    }
}

#[test]
fn rejected_and_filled_or_placed_and_nowhere() {
    for (is_filled, outcome) in [(true, Outcome::Rejected(Code::ProvenAbsent)), (false, Outcome::Placed)] {
        let mut world = watched(Oracle::OutcomeIsTrue);
        let signal = if is_filled { specs(&world).0.intent.signal } else { SignalId(1) };
        let accepted = accepted(&world, signal.0);
        tell(&mut world, &accepted);
        let (at, text, cancelled) = (world.now, Text::clipped("a test"), vec![]);
        tell(&mut world, &Event::SignalSettled { signal, outcome, at, text, cancelled });
        found(&world, Oracle::OutcomeIsTrue);
    }
}

#[test]
fn an_answer_without_a_delivery_and_one_for_another_signal() {
    let mut world = watched(Oracle::OneReceiptADelivery);
    let settle = Command::Settle { delivery: DeliveryId(1), receipt: Receipt::Accepted(SignalId(1)) };
    step(&mut world, &Input::Woke, vec![], vec![settle], vec![]);
    found(&world, Oracle::OneReceiptADelivery);

    let mut world = watched(Oracle::OneReceiptADelivery);
    world.judge.brought(DeliveryId(9), Some(SignalId(1)));
    world.judge.settles(world.now, DeliveryId(9), &Receipt::Accepted(SignalId(2)));
    found(&world, Oracle::OneReceiptADelivery);

    let mut world = watched(Oracle::OneReceiptADelivery);
    world.judge.settles(world.now, DeliveryId(1), &Receipt::DeadLettered(vec![]));
    found(&world, Oracle::OneReceiptADelivery);
}

#[test]
fn an_acknowledgement_of_what_is_not_durable() {
    for receipt in
        [Receipt::Accepted(SignalId(1)), Receipt::DeadLettered(vec![]), Receipt::Rejected(SignalId(1), vec![])]
    {
        let mut world = watched(Oracle::SettledAfterDurable);
        world.judge.settles(world.now, DeliveryId(9), &receipt);
        found(&world, Oracle::SettledAfterDurable);
    }
}

#[test]
fn a_copy_is_told_another_outcome_than_there_was() {
    for (outcome, holds) in
        [(Some(Outcome::Placed), true), (Some(Outcome::Rejected(Code::Leverage)), false), (None, false)]
    {
        let mut world = watched(Oracle::OneReceiptADelivery);
        let signal = specs(&world).0.intent.signal;
        let (delivery, receipt) = (DeliveryId(9), Receipt::Duplicate(signal, outcome));
        let input = Input::Refused(Box::new(RefusedDelivery {
            id: delivery,
            body: Bytes(vec![]),
            why: Text::clipped("a test"),
        }));
        let settle = Command::Settle { delivery, receipt: receipt.clone() };
        step(&mut world, &input, vec![], vec![settle], vec![]);
        world.judge.settles(world.now, delivery, &receipt);
        assert_eq!(world.broken().is_none(), holds, "{outcome:?}");
    }
}
