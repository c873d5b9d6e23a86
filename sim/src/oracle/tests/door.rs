use super::*;
use order_manager_core::bybit::LimitHeaders;
use order_manager_core::input::Answer;
use order_manager_core::unit::Bytes;

fn asks(world: &mut World, tag: Tag, request: Request) {
    let signed_at = Scene { now: world.now, exchange: &world.exchange }.clock();
    let outgoing = Outgoing { tag, signed_at, recv_window_ms: 5_000, request };
    step(world, &Input::Woke, vec![], vec![Command::Send(outgoing)], vec![]);
}

fn asks_for_the_wallet(world: &mut World) {
    asks(world, Tag::Wallet, Request::Wallet);
}

fn asks_the_time(world: &mut World) {
    asks(world, Tag::Clock, Request::ServerTime);
}

fn is_answered(world: &mut World, tag: Tag, status: u16) {
    let answer = Answer::Http { status, limits: LimitHeaders::default(), body: Bytes(vec![]) };
    step(world, &Input::Reply { tag, answer: Box::new(answer) }, vec![], vec![], vec![]);
}

fn waits(world: &mut World, seconds: u64) {
    world.now = world.now.after(Span::secs(seconds));
}

/// Turned away, and after the pause too.
fn banned() -> World {
    let mut world = watched(Oracle::BannedIsQuiet);
    asks_for_the_wallet(&mut world);
    is_answered(&mut world, Tag::Wallet, 403);
    waits(&mut world, 2);
    asks_the_time(&mut world);
    is_answered(&mut world, Tag::Clock, 403);
    assert_eq!(world.broken(), None);
    world
}

#[test]
fn something_is_asked_right_after_a_403_or_before_the_time() {
    for seconds in [0, 2] {
        let mut world = watched(Oracle::BannedIsQuiet);
        asks_for_the_wallet(&mut world);
        is_answered(&mut world, Tag::Wallet, 403);
        waits(&mut world, seconds);
        asks_for_the_wallet(&mut world);
        found(&world, Oracle::BannedIsQuiet);
    }
}

#[test]
fn the_time_is_asked_before_a_ban_is_over() {
    for (seconds, holds) in [(599, false), (601, true)] {
        let mut world = banned();
        waits(&mut world, seconds);
        asks_the_time(&mut world);
        assert_eq!(world.broken().is_none(), holds, "{seconds}");
    }
}

/// Told the time, if only that the server has none: the door is open.
#[test]
fn who_was_let_in_is_not_banned() {
    let mut world = banned();
    waits(&mut world, 601);
    asks_the_time(&mut world);
    is_answered(&mut world, Tag::Clock, 500);
    asks_for_the_wallet(&mut world);
    assert_eq!(world.broken(), None);
}

#[test]
fn an_endpoint_is_asked_right_after_it_was_asked_too_often() {
    let mut world = watched(Oracle::BudgetPerEndpoint);
    asks_for_the_wallet(&mut world);
    is_answered(&mut world, Tag::Wallet, 429);
    waits(&mut world, 2);
    asks_for_the_wallet(&mut world);
    assert_eq!(world.broken(), None);
    is_answered(&mut world, Tag::Wallet, 429);
    asks_for_the_wallet(&mut world);
    found(&world, Oracle::BudgetPerEndpoint);
}
