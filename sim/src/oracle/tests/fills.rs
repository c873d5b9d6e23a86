use super::*;
use order_manager_core::event::{Absence, CreateAnswer, Seq};
use order_manager_core::order::Status;
use order_manager_core::unit::{ExchangeTime, Text};

fn executed(world: &World) -> Event {
    event(world, |event| matches!(event, Event::OrderExecuted { .. }))
}

/// The resting order is told cancelled.
fn cancelled(world: &World) -> Event {
    let link = specs(world).1.link;
    let created = told(world, Change::Created);
    Event::OrderTold(Box::new(Told {
        link,
        change: Change::Cancelled,
        status: Status::Cancelled,
        last: true,
        ..created
    }))
}

fn absent(link: OrderLinkId) -> Event {
    let (deadline, asked_at) = (ExchangeTime(1), ExchangeTime(2));
    let proof = Box::new(Absence { deadline, asked_at, answers: vec![], aged_out: false });
    Event::OrderAbsent { link, proof, at: order_manager_core::unit::Timestamp(3) }
}

#[test]
fn a_row_with_more_filled_than_there_is() {
    let mut world = watched(Oracle::SeenIsReal);
    let mut seen = event(&world, |event| matches!(event, Event::OrderSeen { .. }));
    if let Event::OrderSeen { row, .. } = &mut seen {
        row.cum_quantity = quantity("0.02");
    }
    tell(&mut world, &seen);
    found(&world, Oracle::SeenIsReal);
}

#[test]
fn a_notice_of_an_order_that_never_was() {
    let mut world = watched(Oracle::SeenIsReal);
    let (link, evidence, at) = (unused(), Seq(1), world.now);
    let spec = Box::new(Spec { link, ..specs(&world).0 });
    tell(&mut world, &Event::OrderIntended { spec });
    tell(&mut world, &Event::OrderNoticed { link, order_id: None, evidence, at });
    found(&world, Oracle::SeenIsReal);
}

#[test]
fn an_order_that_lives_after_its_end() {
    let world = watched(Oracle::SeenIsReal);
    let link = specs(&world).0.link;
    let mut order = world.life.manager().unwrap().durable().book.get(link).unwrap().clone();
    assert!(!crate::oracle::fills::lives_again(&order));
    order.state = order_manager_core::order::State::Open;
    assert!(crate::oracle::fills::lives_again(&order));
}

#[test]
fn a_fact_that_names_another_frame() {
    let mut world = watched(Oracle::EvidenceAtHand);
    let mut seen = event(&world, |event| matches!(event, Event::OrderSeen { .. }));
    if let Event::OrderSeen { evidence, .. } = &mut seen {
        *evidence = Seq(1);
    }
    made(&mut world, vec![seen]);
    found(&world, Oracle::EvidenceAtHand);
}

#[test]
fn a_fill_at_another_price() {
    let mut world = watched(Oracle::FillBookedIsReal);
    let mut fill = executed(&world);
    if let Event::OrderExecuted { row, .. } = &mut fill {
        row.price.0 += Decimal::ONE;
    }
    tell(&mut world, &fill);
    found(&world, Oracle::FillBookedIsReal);
}

#[test]
fn a_fill_that_never_was() {
    let mut world = watched(Oracle::FillBookedIsReal);
    let mut fill = executed(&world);
    if let Event::OrderExecuted { row, .. } = &mut fill {
        row.exec_id = Text::clipped("made-up");
    }
    tell(&mut world, &fill);
    found(&world, Oracle::FillBookedIsReal);
}

#[test]
fn a_fill_that_is_booked_again() {
    let mut world = watched(Oracle::FillBookedOnce);
    let fill = executed(&world);
    tell(&mut world, &fill);
    found(&world, Oracle::FillBookedOnce);
}

#[test]
fn more_is_told_than_was_filled() {
    let mut world = watched(Oracle::ToldIsFilled);
    let mut fill = told(&world, Change::Filled);
    fill.totals.quantity = quantity("0.011");
    tell(&mut world, &Event::OrderTold(Box::new(fill)));
    found(&world, Oracle::ToldIsFilled);

    let mut world = watched(Oracle::ToldIsFilled);
    let mut fill = told(&world, Change::Filled);
    fill.totals.fee.0 += Decimal::ONE;
    tell(&mut world, &Event::OrderTold(Box::new(fill)));
    found(&world, Oracle::ToldIsFilled);
}

#[test]
fn what_was_executed_is_said_to_be_refused() {
    let mut world = watched(Oracle::AnswerIsTrue);
    let answer = CreateAnswer::Refused { code: 10_001, text: Text::clipped("no") };
    let link = specs(&world).0.link;
    let at = world.now;
    tell(&mut world, &Event::OrderAnswered { link, answer, at });
    found(&world, Oracle::AnswerIsTrue);
}

#[test]
fn an_end_that_nothing_shows() {
    let mut world = watched(Oracle::TerminalWithEvidence);
    let ended = cancelled(&world);
    tell(&mut world, &ended);
    found(&world, Oracle::TerminalWithEvidence);
}

#[test]
fn an_end_of_what_lives() {
    let mut world = watched(Oracle::EndedIsEnded);
    let ended = cancelled(&world);
    tell(&mut world, &ended);
    found(&world, Oracle::EndedIsEnded);
}

#[test]
fn absent_is_what_exists() {
    let mut world = watched(Oracle::AbsenceIsTrue);
    let link = specs(&world).1.link;
    tell(&mut world, &absent(link));
    found(&world, Oracle::AbsenceIsTrue);
}

#[test]
fn absent_was_what_comes_after_all() {
    let mut world = watched(Oracle::AbsenceIsTrue);
    let link = unused();
    tell(&mut world, &absent(link));
    assert_eq!(world.broken(), None);
    let late = Create { link, ..specs(&world).0.create() };
    arrive(&mut world, late);
    found(&world, Oracle::AbsenceIsTrue);
}

#[test]
fn a_watermark_ahead_of_time_or_of_a_fill() {
    let mut world = watched(Oracle::WatermarkNotAhead);
    let until = ExchangeTime(world.now.0 / 1_000 + 10_000);
    let at = world.now;
    made(&mut world, vec![Event::Reconciled { until, at }]);
    found(&world, Oracle::WatermarkNotAhead);

    let mut world = watched(Oracle::WatermarkNotAhead);
    world.run_to(world.now.after(Span::secs(30)));
    world.judge.fills.forget_all();
    world.run_to(world.now.after(Span::secs(200)));
    found(&world, Oracle::WatermarkNotAhead);
}
