use super::*;
use order_manager_core::event::Seq;
use order_manager_core::report::{OrderEvent, OrderId, Reporter};
use order_manager_core::unit::{Money, Text};

/// What was published of the fill.
fn message(world: &World) -> OrderEvent {
    let mut messages = world.ledger.messages.iter().flatten();
    messages.find(|message| message.event_type == Change::Filled).cloned().unwrap()
}

/// The fill is told once more, published as this.
pub(super) fn publish(world: &mut World, told: Told, message: Option<&OrderEvent>) {
    let World { judge, exchange, now, .. } = world;
    judge.follows(Scene { now: *now, exchange }, &Event::OrderTold(Box::new(told)), message);
}

#[test]
fn created_twice_or_filled_before_it_is_created() {
    let mut world = watched(Oracle::CreatedFirst);
    let created = told(&world, Change::Created);
    publish(&mut world, created, None);
    found(&world, Oracle::CreatedFirst);

    let mut world = watched(Oracle::CreatedFirst);
    let filled = Told { link: unused(), ..told(&world, Change::Filled) };
    publish(&mut world, filled, None);
    found(&world, Oracle::CreatedFirst);
}

#[test]
fn filled_whole_and_told_as_a_part() {
    let mut world = watched(Oracle::EndsOnce);
    let part = Told { change: Change::PartiallyFilled, last: false, ..told(&world, Change::Filled) };
    publish(&mut world, part, None);
    found(&world, Oracle::EndsOnce);
}

#[test]
fn cancelled_after_it_was_filled() {
    let mut world = watched(Oracle::EndsOnce);
    let cancelled = Told { change: Change::Cancelled, ..told(&world, Change::Filled) };
    publish(&mut world, cancelled, None);
    found(&world, Oracle::EndsOnce);
}

#[test]
fn totals_that_are_not_the_sum_of_the_increments() {
    let mut world = watched(Oracle::IncrementsSumUp);
    let again = told(&world, Change::Filled);
    publish(&mut world, again, None);
    found(&world, Oracle::IncrementsSumUp);
}

#[test]
fn an_execution_that_is_named_again() {
    let mut world = watched(Oracle::ExecutionsNamedOnce);
    let again = told(&world, Change::Filled);
    publish(&mut world, again, None);
    found(&world, Oracle::ExecutionsNamedOnce);
}

#[test]
fn a_change_that_is_not_published_or_as_another() {
    let mut world = watched(Oracle::PublishedEveryChange);
    let filled = told(&world, Change::Filled);
    publish(&mut world, filled, None);
    found(&world, Oracle::PublishedEveryChange);

    let mut world = watched(Oracle::PublishedEveryChange);
    let (filled, other) =
        (told(&world, Change::Filled), OrderEvent { event_type: Change::Cancelled, ..message(&world) });
    publish(&mut world, filled, Some(&other));
    found(&world, Oracle::PublishedEveryChange);
}

#[test]
fn the_total_is_published_as_the_increment() {
    let mut world = watched(Oracle::PublishedAsBooked);
    let (filled, mut other) = (told(&world, Change::Filled), message(&world));
    publish(&mut world, filled.clone(), Some(&other));
    assert_eq!(world.broken(), None);
    other.order.filled_quantity = quantity("0.02");
    publish(&mut world, filled, Some(&other));
    found(&world, Oracle::PublishedAsBooked);
}

#[test]
fn a_message_with_another_figure_than_was_booked() {
    let spoil: [fn(&mut OrderEvent); 9] = [
        |message| message.order.order_id = OrderId::Link(unused()),
        |message| message.order.signal_id = SignalId(7),
        |message| message.order.quantity = quantity("0.02"),
        |message| message.order.average_price = None,
        |message| message.order.fees = None,
        |message| message.fill.as_mut().unwrap().price = None,
        |message| message.fill.as_mut().unwrap().fee = Money::ZERO,
        |message| message.totals = None,
        |message| message.cancel_reason = Some(Text::clipped("a test")),
    ];
    for (number, spoil) in spoil.iter().enumerate() {
        let mut world = watched(Oracle::PublishedAsBooked);
        let (filled, mut other) = (told(&world, Change::Filled), message(&world));
        spoil(&mut other);
        publish(&mut world, filled, Some(&other));
        assert!(world.broken().is_some(), "{number}");
    }
}

#[test]
fn a_fill_of_another_with_the_other_side() {
    let mut world = watched(Oracle::PublishedAsBooked);
    let row = Box::new(world.exchange.truth().executions[0].row());
    let event = Event::ForeignExecuted { row, evidence: Seq(1), at: world.now };
    let mut message = Reporter::default().follow(Seq(1), 0, &event).unwrap();
    let World { judge, exchange, now, .. } = &mut world;
    judge.follows(Scene { now: *now, exchange }, &event, Some(&message));
    assert_eq!(judge.broken(), None);
    message.order.side = message.order.side.opposite();
    judge.follows(Scene { now: *now, exchange }, &event, Some(&message));
    found(&world, Oracle::PublishedAsBooked);
}

#[test]
fn an_event_id_that_was_used() {
    let mut world = watched(Oracle::EventIdsUnique);
    let (filled, again) = (told(&world, Change::Filled), message(&world));
    publish(&mut world, filled, Some(&again));
    found(&world, Oracle::EventIdsUnique);
}
