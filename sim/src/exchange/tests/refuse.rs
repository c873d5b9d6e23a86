//! What is refused at once (bybit-v5.md 1.2, 1.5, 2.13).

use super::*;
use Side::{Buy, Sell};
use TimeInForce::Gtc;
use order_manager_core::unit::{Ratio, Text};

/// Every row of the linear column of 2.13 that typed requests can reach.
#[test]
fn the_table_of_sync_refusals() {
    let good = limit("x", Buy, "0.1", "59900", Gtc);
    let slip = |text| OrderKind::Market { slippage: Some(Ratio(decimal::parse(text).unwrap())) };
    let table: Vec<(&str, Create, i64)> = vec![
        ("unknown symbol", Create { symbol: Text::clipped("NOSUCH"), ..good }, 10001),
        ("spot symbol", Create { category: Category::Spot, ..good }, 170121),
        ("link charset", Create { link: link("a b"), ..good }, 10001),
        ("position mode", Create { position_idx: 1, ..good }, 10001),
        ("zero quantity", Create { quantity: q("0"), ..good }, 10001),
        ("quantity step", Create { quantity: q("0.1005"), ..good }, 10001),
        ("below the least quantity", limit("x", Buy, "0.0001", "59900", Gtc), 10001),
        ("above the greatest quantity", limit("x", Buy, "1190.001", "59900", Gtc), 10001),
        ("above the greatest market quantity", market("x", Buy, "500.001"), 10001),
        ("price off tick", limit("x", Buy, "0.1", "59900.05", Gtc), 10001),
        ("price below the least", limit("x", Buy, "0.1", "0.05", Gtc), 10001),
        ("price above the greatest", limit("x", Sell, "0.1", "1999999.9", Gtc), 10001),
        ("notional", limit("x", Buy, "0.001", "4999.9", Gtc), 110094),
        ("slippage too small", Create { kind: slip("0.00005"), ..good }, 110109),
        ("slippage too large", Create { kind: slip("0.11"), ..good }, 110109),
        ("reduce-only without position", Create { reduce_only: true, ..good }, 110017),
        ("balance", limit("x", Buy, "20", "59900", Gtc), 110007),
    ];
    let mut desk = Desk::new();
    for (what, create, code) in table {
        assert_eq!(desk.code(Request::Create(create)), code, "{what}");
    }
    assert_eq!(desk.heard(), [""; 0]);
    assert!(desk.exchange.truth().orders.is_empty());
    assert_eq!(desk.code(Request::Create(good)), 0);
    assert_eq!(desk.code(Request::Create(good)), 110072);
}

#[test]
fn a_symbol_that_does_not_trade_takes_no_orders() {
    let mut desk = Desk::with(|config| config.instruments[0].trading = false);
    assert_eq!(desk.code(Request::Create(market("a", Buy, "0.1"))), 110074);
}

#[test]
fn a_duplicate_is_refused_for_ever_unless_the_rule_forgets() {
    let mut desk = Desk::new();
    desk.create(market("a", Buy, "0.1")).unwrap();
    desk.wait(100_000_000);
    assert_eq!(desk.code(Request::Create(market("a", Buy, "0.1"))), 110072);

    let mut desk = Desk::with(|config| config.link_reuse = LinkReuse::AfterEnd);
    desk.create(market("a", Buy, "0.1")).unwrap();
    assert_eq!(desk.code(Request::Create(market("a", Buy, "0.1"))), 110072);
    desk.wait(20);
    assert_eq!(desk.code(Request::Create(market("a", Buy, "0.1"))), 0);
}

#[test]
fn a_price_outside_the_band_is_moved_or_refused() {
    let mut desk = Desk::new();
    desk.create(limit("a", Sell, "0.1", "50000", TimeInForce::Ioc)).unwrap();
    assert_eq!(desk.news()[0], "O(Filled 0.1 of 0.1@59400)");
    let mut desk = Desk::with(|config| config.price_band = PriceBand::Reject);
    assert_eq!(desk.code(Request::Create(limit("a", Sell, "0.1", "50000", Gtc))), 110003);
    assert_eq!(desk.code(Request::Create(limit("b", Sell, "0.1", "59400", Gtc))), 0);
}

#[test]
fn an_amend_is_checked_like_a_create() {
    let mut desk = Desk::thin("1000", "1000", "0.05");
    desk.create(limit("a", Buy, "0.1", "59900", Gtc)).unwrap();
    desk.wait(20);
    desk.price("59900");
    let mut code = |price: Option<&str>, quantity: Option<&str>| match desk.amend("a", price, quantity) {
        Ok(_) => 0,
        Err(ApiError::Code { code, .. }) => code,
        Err(other) => panic!("{other}"),
    };
    assert_eq!(code(None, Some("0.05")), 110064);
    assert_eq!(code(None, Some("0.0505")), 10001);
    assert_eq!(code(Some("59900.05"), None), 10001);
    assert_eq!(code(None, Some("30")), 110007);
    assert_eq!(code(None, Some("0.051")), 0);
    assert!(matches!(desk.amend("b", None, Some("1")), Err(ApiError::Code { code: 110001, .. })));
}

#[test]
fn no_more_open_orders_than_allowed() {
    let mut desk = Desk::with(|config| config.max_open_orders = 3);
    for name in ["a", "b", "c"] {
        desk.create(limit(name, Buy, "0.001", "59900", Gtc)).unwrap();
    }
    let more = Request::Create(limit("d", Buy, "0.001", "59900", Gtc));
    assert_eq!(desk.code(more.clone()), 110020);
    desk.wait(20);
    desk.cancel("a").unwrap();
    desk.wait(20);
    assert_eq!(desk.code(more), 0);
}

#[test]
fn both_sides_of_the_time_window() {
    let mut desk = Desk::new();
    let server = clock(T0).0;
    for (stamp, good) in
        [(server - 5_000, true), (server - 5_001, false), (server + 999, true), (server + 1_000, false)]
    {
        let signed = Signed { timestamp: ExchangeTime(stamp), recv_window_ms: 5_000 };
        let reply = desk.exchange.handle(T0, signed, &Request::Wallet);
        match reply.result {
            Ok(_) => assert!(good, "{stamp}"),
            Err(ApiError::Code { code: 10002, message }) => {
                assert!(!good && message.as_str().contains(&format!("req_timestamp[{stamp}]")), "{message}");
            }
            Err(other) => panic!("{other}"),
        }
    }
    let old = Signed { timestamp: ExchangeTime(0), recv_window_ms: 0 };
    assert_eq!(desk.exchange.handle(T0, old, &Request::ServerTime).result, Ok(Reply::ServerTime(T0.0)));
}

#[test]
fn ten_a_second_per_endpoint_in_a_rolling_window() {
    let mut desk = Desk::with(|config| config.budgets = Budgets::default());
    let start = desk.now;
    let ask = |desk: &mut Desk, request: &Request| {
        let signed = Signed { timestamp: clock(desk.now), recv_window_ms: 5_000 };
        desk.exchange.handle(desk.now, signed, request)
    };
    for i in 0..10_u32 {
        let reply = ask(&mut desk, &Request::Create(market(&format!("a{i}"), Buy, "0.001")));
        assert_eq!((reply.limits.limit, reply.limits.remaining), (Some(10), Some(9 - i)));
        desk.wait(10);
    }
    let extra = Request::Create(market("b", Buy, "0.001"));
    let refused = ask(&mut desk, &extra);
    assert!(matches!(refused.result, Err(ApiError::Code { code: 10006, .. })));
    assert_eq!(refused.limits.remaining, Some(0));
    assert_eq!(refused.limits.reset, Some(clock(start.after(Span::secs(1)))));
    assert!(desk.cancel("b").is_err_and(|e| matches!(e, ApiError::Code { code: 110001, .. })), "another budget");
    desk.now = Timestamp(start.0 + 999_999);
    assert!(ask(&mut desk, &extra).result.is_err());
    desk.now = start.after(Span::secs(1));
    assert!(ask(&mut desk, &extra).result.is_ok(), "the first request has left the window");
    assert!(ask(&mut desk, &Request::Create(market("c", Buy, "0.001"))).result.is_err(), "and only the first");
}
