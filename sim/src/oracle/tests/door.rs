use super::*;
use order_manager_core::bybit::LimitHeaders;
use order_manager_core::input::Answer;
use order_manager_core::unit::Bytes;

/// The wallet is asked for.
fn asks(world: &mut World) {
    let signed_at = Scene { now: world.now, exchange: &world.exchange }.clock();
    let outgoing = Outgoing { tag: Tag::Wallet, signed_at, recv_window_ms: 5_000, request: Request::Wallet };
    step(world, &Input::Woke, vec![], vec![Command::Send(outgoing)], vec![]);
}

fn is_answered(world: &mut World, status: u16) {
    let answer = Answer::Http { status, limits: LimitHeaders::default(), body: Bytes(vec![]) };
    step(world, &Input::Reply { tag: Tag::Wallet, answer: Box::new(answer) }, vec![], vec![], vec![]);
}

fn waits(world: &mut World, seconds: u64) {
    world.now = world.now.after(Span::secs(seconds));
}

/// Twice turned away, once after the pause.
fn banned() -> World {
    let mut world = watched(Oracle::BannedIsQuiet);
    for _ in 0..2 {
        waits(&mut world, 2);
        asks(&mut world);
        is_answered(&mut world, 403);
    }
    assert_eq!(world.broken(), None);
    world
}

#[test]
fn something_is_asked_right_after_a_403() {
    let mut world = watched(Oracle::BannedIsQuiet);
    asks(&mut world);
    is_answered(&mut world, 403);
    asks(&mut world);
    found(&world, Oracle::BannedIsQuiet);
}

#[test]
fn something_is_asked_before_a_ban_is_over() {
    for (seconds, holds) in [(599, false), (601, true)] {
        let mut world = banned();
        waits(&mut world, seconds);
        asks(&mut world);
        assert_eq!(world.broken().is_none(), holds, "{seconds}");
    }
}

/// Asked after the pause and answered otherwise: the door is open, and a 403 is the first one again.
#[test]
fn who_was_let_in_is_not_banned() {
    let mut world = watched(Oracle::BannedIsQuiet);
    for status in [403, 500, 403, 200, 403] {
        waits(&mut world, 2);
        asks(&mut world);
        is_answered(&mut world, status);
    }
    assert_eq!(world.broken(), None);
}
