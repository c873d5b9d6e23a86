use super::*;
use crate::world::START;
use order_manager_core::bybit::Cancel;
use order_manager_core::order::CancelReason;
use order_manager_core::unit::{Category, ExchangeTime};

#[test]
fn a_request_that_no_durable_step_asked_for() {
    let mut world = watched(Oracle::DurableBeforeSent);
    let outgoing = create(&world, specs(&world).0.create());
    send(&mut world, &outgoing);
    found(&world, Oracle::DurableBeforeSent);
}

#[test]
fn a_request_of_a_step_that_is_not_durable_yet() {
    let mut world = watched(Oracle::DurableBeforeSent);
    let signed_at = ExchangeTime(world.now.0 / 1_000);
    let wallet = Outgoing { tag: Tag::Wallet, signed_at, recv_window_ms: 5_000, request: Request::Wallet };
    let seq = world.life.manager().unwrap().seq();
    world.judge.sent.stepped(order_manager_core::event::Seq(seq.0 + 1), &[Command::Send(wallet.clone())]);
    send(&mut world, &wallet);
    found(&world, Oracle::DurableBeforeSent);
}

#[test]
fn a_create_of_another_size_than_was_intended() {
    let mut world = watched(Oracle::SentAsIntended);
    let intended = specs(&world).0.create();
    let outgoing = create(&world, Create { quantity: quantity("0.02"), ..intended });
    send(&mut world, &outgoing);
    found(&world, Oracle::SentAsIntended);
}

#[test]
fn a_cancel_that_nobody_wanted() {
    let mut world = watched(Oracle::CancelHasReason);
    let Spec { link, symbol, .. } = specs(&world).1;
    let cancel = Cancel { category: Category::Linear, symbol, link, order_id: None };
    let outgoing = Outgoing {
        tag: Tag::Cancel(link),
        signed_at: ExchangeTime(0),
        recv_window_ms: 5_000,
        request: Request::Cancel(cancel),
    };
    send(&mut world, &outgoing);
    found(&world, Oracle::CancelHasReason);
}

#[test]
fn a_signature_of_another_time() {
    for (late, recv_window_ms) in [(3_000, 5_000), (0, 60_000)] {
        let mut world = watched(Oracle::SignedAtDecision);
        let signed_at = ExchangeTime(world.now.0 / 1_000 + late);
        let wallet = Outgoing { tag: Tag::Wallet, signed_at, recv_window_ms, request: Request::Wallet };
        step(&mut world, &Input::Woke, vec![], vec![Command::Send(wallet)], vec![]);
        found(&world, Oracle::SignedAtDecision);
    }
}

#[test]
fn a_create_for_a_signal_of_two_minutes_ago() {
    let mut world = watched(Oracle::NoCreateAfterExpiry);
    world.run_to(world.now.after(Span::secs(120)));
    let outgoing = create(&world, specs(&world).1.create());
    send(&mut world, &outgoing);
    found(&world, Oracle::NoCreateAfterExpiry);
}

#[test]
fn a_create_for_a_signal_of_the_next_minute() {
    let mut world = watched(Oracle::NoCreateAfterExpiry);
    let good = create(&world, specs(&world).0.create());
    let before = |ms: u64| Outgoing { signed_at: ExchangeTime(START.0 / 1_000 - ms), ..good.clone() };
    send(&mut world, &before(30_000));
    assert_eq!(world.broken(), None);
    send(&mut world, &before(40_000));
    found(&world, Oracle::NoCreateAfterExpiry);
}

#[test]
fn a_create_where_nothing_is_traded() {
    let spec = Box::new(specs(&watched(Oracle::WellFormed)).0);
    let first = "[[steps]]\nat = \"0ms\"\nquirk = { name = \"delist\", symbol = \"BTCUSDT\" }\n[[steps]]";
    let mut world = acted(&TWO_ORDERS.replacen("[[steps]]", first, 1), Set::only(Oracle::WellFormed));
    let outgoing = create(&world, spec.create());
    made(&mut world, vec![Event::OrderIntended { spec }]);
    send(&mut world, &outgoing);
    assert_eq!(world.broken().unwrap().what, "BTCUSDT is not traded");
}

#[test]
fn a_second_create_while_the_first_lives_or_is_under_way() {
    let mut world = watched(Oracle::NoResendWhileAlive);
    let outgoing = create(&world, specs(&world).1.create());
    send(&mut world, &outgoing);
    found(&world, Oracle::NoResendWhileAlive);

    let mut world = watched(Oracle::NoResendWhileAlive);
    let outgoing = create(&world, Create { link: unused(), ..specs(&world).1.create() });
    send(&mut world, &outgoing);
    assert_eq!(world.broken(), None);
    send(&mut world, &outgoing);
    found(&world, Oracle::NoResendWhileAlive);
}

#[test]
fn a_quantity_off_the_step() {
    let mut world = watched(Oracle::WellFormed);
    let outgoing = create(&world, Create { quantity: quantity("0.0105"), ..specs(&world).0.create() });
    send(&mut world, &outgoing);
    found(&world, Oracle::WellFormed);
}

/// The step is 0.005 before the instrument is asked for, and 0.02 after: 0.01 is good for ever, 0.012 never was.
#[test]
fn a_quantity_by_rules_that_no_reading_can_have_shown() {
    let rules = |at: &str, step: &str| {
        format!("[[steps]]\nat = \"{at}\"\nquirk = {{ name = \"rules\", symbol = \"BTCUSDT\", step = \"{step}\" }}\n")
    };
    let first = rules("0ms", "0.005");
    let text = TWO_ORDERS.replacen("[[steps]]", &format!("{first}[[steps]]"), 1) + &rules("20s", "0.02");
    let mut world = acted(&text, Set::only(Oracle::WellFormed));
    let good = specs(&world).0.create();
    let outgoing = create(&world, good);
    send(&mut world, &outgoing);
    assert_eq!(world.broken(), None, "as it was decided");
    let outgoing = create(&world, Create { quantity: quantity("0.012"), ..good });
    send(&mut world, &outgoing);
    found(&world, Oracle::WellFormed);
}

#[test]
fn the_eleventh_create_of_a_second() {
    let mut world = watched(Oracle::BudgetPerEndpoint);
    let outgoing = create(&world, specs(&world).0.create());
    (0..10).for_each(|_| send(&mut world, &outgoing));
    assert_eq!(world.broken(), None);
    send(&mut world, &outgoing);
    found(&world, Oracle::BudgetPerEndpoint);
}

#[test]
fn a_cancel_that_is_wanted_and_does_not_go() {
    let mut world = watched(Oracle::CancelsNotStarved);
    let link = specs(&world).1.link;
    tell(&mut world, &Event::CancelWanted { link, reason: CancelReason::NewSignal });
    world.now = world.now.after(Span::secs(60));
    made(&mut world, vec![]);
    assert_eq!(world.broken(), None);
    world.now = world.now.after(Span::secs(1));
    made(&mut world, vec![]);
    found(&world, Oracle::CancelsNotStarved);
}

/// Nothing leaves before its step is durable: a store that takes long is no reason to blame the manager.
#[test]
fn a_cancel_that_waits_for_the_store() {
    let mut world = watched(Oracle::CancelsNotStarved);
    let link = specs(&world).1.link;
    tell(&mut world, &Event::CancelWanted { link, reason: CancelReason::NewSignal });
    world.judge.writes_slowly(world.now, Span::secs(12));
    world.now = world.now.after(Span::secs(72));
    made(&mut world, vec![]);
    assert_eq!(world.broken(), None);
    world.now = world.now.after(Span::secs(1));
    made(&mut world, vec![]);
    found(&world, Oracle::CancelsNotStarved);
}
