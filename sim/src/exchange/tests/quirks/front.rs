//! What stands before the exchange: maintenance, bans, limits.

use super::*;
use Side::Buy;
use TimeInForce::Gtc;

fn status(reply: Result<Reply, ApiError>) -> Result<i64, u16> {
    match reply {
        Ok(_) => Ok(0),
        Err(ApiError::Code { code, .. }) => Ok(code),
        Err(ApiError::Status(status)) => Err(status),
        Err(other) => panic!("{other}"),
    }
}

#[test]
fn q61_a_maintenance_turns_everybody_away_and_forgets_what_has_ended() {
    let mut desk = Desk::new();
    desk.hold("0.1");
    desk.wait(1_000);
    desk.spell(Spell::Maintenance, 10_000);
    assert!(desk.exchange.take_cut(), "the stream is closed");
    assert!(!desk.exchange.take_cut(), "once");
    assert_eq!(desk.exchange.streams_closed_until(desk.now), Some(desk.now.after(Span::secs(10))));
    let order = || Request::Create(limit("a", Buy, "0.1", "59900", Gtc));
    assert_eq!(status(desk.ask(order())), Ok(10016));
    assert_eq!(status(desk.ask(order())), Err(503));
    assert_eq!(status(desk.ask(Request::ServerTime)), Ok(10016));
    desk.wait(10_000);
    assert_eq!(desk.exchange.streams_closed_until(desk.now), None);
    assert_eq!(desk.exchange.truth().orders.len(), 1, "nothing of it was carried out");
    assert!(desk.orders(Request::OpenOrders(orders_of(Some("hold-0")))).is_empty());
    assert_eq!(desk.orders(Request::OrderHistory(orders_of(Some("hold-0")))).len(), 1);
    assert_eq!(status(desk.ask(order())), Ok(0));
}

#[test]
fn q58_a_ban_answers_everything_and_pushes_go_on() {
    let mut desk = Desk::new();
    desk.rest("a", "59900");
    desk.spell(Spell::Ban, 600_000);
    for request in [Request::ServerTime, Request::Wallet, Request::OpenOrders(orders_of(None))] {
        assert_eq!(status(desk.ask(request)), Err(403));
    }
    desk.price("59800");
    assert_eq!(desk.news()[0], "O(Filled 0.1 of 0.1@59900)");
    assert_eq!(desk.exchange.streams_closed_until(desk.now), None);
    desk.wait(600_000);
    assert_eq!(status(desk.ask(Request::Wallet)), Ok(0));
}

#[test]
fn q57_a_limit_says_when_it_ends_or_does_not() {
    let mut desk = Desk::new();
    let ask = |desk: &mut Desk, request: Request| {
        let signed = Signed { timestamp: clock(desk.now), recv_window_ms: 5_000 };
        desk.exchange.handle(desk.now, signed, &request)
    };
    desk.spell(Spell::RateLimitBare, 1_000);
    let reply = ask(&mut desk, Request::Wallet);
    assert_eq!((status(reply.result), reply.limits), (Ok(10006), LimitHeaders::default()));
    assert_eq!(status(desk.ask(Request::ServerTime)), Ok(0), "what is public goes on");
    desk.spell(Spell::RateLimit, 1_000);
    let reply = ask(&mut desk, Request::Wallet);
    let until = clock(desk.now.after(Span::secs(1)));
    assert_eq!((status(reply.result), reply.limits.remaining, reply.limits.reset), (Ok(10006), Some(0), Some(until)));
    desk.wait(1_000);
    assert_eq!(status(desk.ask(Request::Wallet)), Ok(0));
}

#[test]
fn q56_an_idle_stream_is_cut_and_may_come_back_at_once() {
    let mut desk = Desk::new();
    desk.quirk(Quirk::IdleCut);
    assert!(desk.exchange.take_cut());
    assert_eq!(desk.exchange.streams_closed_until(desk.now), None);
}
