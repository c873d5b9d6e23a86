use super::super::{bench::Bench, ends::Ends, pulse};
use super::*;
use crate::exchange::{Act, Quirk};
use order_manager_core::Manager;
use order_manager_core::input::Stream;
use order_manager_core::unit::Text;

#[test]
fn a_broken_law() {
    let mut world = watched(Oracle::NoDefect);
    made(&mut world, vec![Event::Defect { symbol: None, what: Text::clipped("a test") }]);
    found(&world, Oracle::NoDefect);
}

#[test]
fn a_decision_in_a_gap() {
    let mut world = watched(Oracle::DecidedInSync);
    let spec = Box::new(specs(&world).0);
    step(&mut world, &Input::Stream(Box::new(Stream::Down)), vec![], vec![], vec![]);
    made(&mut world, vec![Event::OrderIntended { spec }]);
    found(&world, Oracle::DecidedInSync);
}

#[test]
fn ready_before_anything_was_asked_for() {
    let mut bench = Bench::new(Set::only(Oracle::ReadyIsEarned));
    pulse::Pulse::default().earned(&mut bench, true);
    assert_eq!(bench.broken().map(|broken| broken.oracle), Some(Oracle::ReadyIsEarned));
}

#[test]
fn a_waking_time_that_has_come() {
    let mut bench = Bench::new(Set::only(Oracle::WakesAhead));
    let now = order_manager_core::unit::Timestamp(7);
    pulse::wakes_ahead(&mut bench, now, Some(now.after(Span(1))));
    assert_eq!(bench.broken(), None);
    pulse::wakes_ahead(&mut bench, now, Some(now));
    assert_eq!(bench.broken().map(|broken| broken.oracle), Some(Oracle::WakesAhead));
}

#[test]
fn two_hundred_wakings_in_a_second() {
    let mut world = watched(Oracle::NoBusyLoop);
    (0..300).for_each(|_| made(&mut world, vec![]));
    found(&world, Oracle::NoBusyLoop);
}

#[test]
fn a_record_that_cannot_be_read() {
    let mut world = watched(Oracle::RecordReadsBack);
    made(&mut world, vec![]);
    found(&world, Oracle::RecordReadsBack);
}

#[test]
fn a_record_that_is_too_long() {
    let mut world = watched(Oracle::MemoryBounded);
    step(&mut world, &Input::Woke, vec![], vec![], vec![0; 1 << 20]);
    found(&world, Oracle::MemoryBounded);
}

#[test]
fn a_lane_that_is_longer_than_it_may_be() {
    let text = TWO_ORDERS.replacen("[[steps]]", "[config]\nlane_max = 1\n[[steps]]", 1);
    let mut world = acted(&text, Set::only(Oracle::MemoryBounded));
    let accepted = event(&world, |event| matches!(event, Event::SignalAccepted { .. }));
    let mut manager = world.life.manager().unwrap().clone();
    for id in 1..=2 {
        assert_eq!(world.broken(), None);
        let mut accepted = accepted.clone();
        if let Event::SignalAccepted { signal, .. } = &mut accepted {
            signal.id = SignalId(id);
        }
        manager.apply(&accepted);
        let mut step = Step::default();
        step.events = vec![accepted];
        let World { judge, exchange, now, .. } = &mut world;
        judge.stepped(Scene { now: *now, exchange }, &Input::Woke, &step, &manager);
    }
    found(&world, Oracle::MemoryBounded);
}

#[test]
fn a_signal_that_is_never_forgotten() {
    let mut world = watched(Oracle::MemoryBounded);
    let manager = world.life.manager().unwrap().clone();
    world.run_to(world.now.after(Span::secs(4_000)));
    assert_eq!(world.broken(), None);
    let later = world.life.manager().unwrap().now();
    let (never, none) = (Default::default(), Ends::default());
    assert!(pulse::bounded(&manager, manager.now(), never, &none).is_ok());
    assert!(pulse::bounded(&manager, later, never, &none).is_err());
}

/// Where an order outlives the time of its signal, the signal is looked at again: at most a period after its end.
#[test]
fn a_signal_is_remembered_for_a_period_after_its_last_order_ended() {
    let mut world = watched(Oracle::MemoryBounded);
    world.run_to(world.now.after(Span::secs(24 * 3_600)));
    let rests = specs(&world).1;
    let mut ends = Ends::default();
    ends.resumed(world.life.manager().unwrap());
    world.exchange.quirk(world.now, &Quirk::Act { what: Act::AdminCancel, symbol: rests.symbol });
    world.run_to(world.now.after(Span::secs(1)));
    let manager = world.life.manager().unwrap();
    let ended = manager.now();
    let end = told(&world, Change::Cancelled);
    let period = manager.config().exit_signal_max_age().0 + 720_000_000;
    let judged =
        |ends: &Ends, later: u64| pulse::bounded(manager, ended.after(Span(later)), Default::default(), ends).is_ok();
    assert!(!judged(&ends, 0), "it would be too late, had the order not lived");
    let mut step = Step::default();
    step.events = vec![Event::OrderTold(Box::new(end))];
    ends.stepped(&step, manager);
    assert!(judged(&ends, period));
    assert!(!judged(&ends, period + 1));
    world.run_to(world.now.after(Span::secs(2_000)));
    assert_eq!((world.broken(), world.life.manager().unwrap().durable().signals.len()), (None, 0));
}

#[test]
fn a_process_that_comes_back_as_another() {
    let mut world = watched(Oracle::RestoredIsDurable);
    world.judge.restored(world.now, &Manager::new());
    found(&world, Oracle::RestoredIsDurable);
}
