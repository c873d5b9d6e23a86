//! The canonical scripts of bybit-v5.md 3.7 that apply to linear, one test each.

use super::*;
use Side::{Buy, Sell};
use TimeInForce::{Fok, Gtc, Ioc, PostOnly};
use order_manager_core::bybit::OrderStatus;
use order_manager_core::unit::Text;

fn is_ack(reply: &Result<Reply, ApiError>, name: &str) -> bool {
    matches!(reply, Ok(Reply::Ack { link: Some(link), .. }) if link.as_str() == name)
}

#[test]
fn s1_rest_then_fill() {
    let mut desk = Desk::thin("1000", "1000", "0.04");
    assert!(is_ack(&desk.create(limit("a", Buy, "0.1", "59900", Gtc)), "a"));
    assert_eq!(desk.heard(), ["O(New 0 of 0.1@59900)", "P(0)"]);
    desk.price("59900");
    assert_eq!(desk.heard(), ["O(PartiallyFilled 0.04 of 0.1@59900)", "E(0.04@59900 m)", "P(0.04)", "W(99999.5208)"]);
    desk.price("59899.9");
    assert_eq!(desk.heard(), ["O(Filled 0.1 of 0.1@59900)", "E(0.06@59900 m)", "P(0.1)", "W(99998.802)"]);
}

#[test]
fn s2_a_marketable_limit_skips_new_and_its_fills_come_in_one_message() {
    let mut desk = Desk::thin("0.03", "1000", "1");
    desk.create(limit("a", Buy, "0.1", "60010", Gtc)).unwrap();
    desk.wait(10);
    let executions = desk.pushes.iter().filter(|out| matches!(&out.push.rows, PushRows::Executions(_))).count();
    assert_eq!(executions, 1);
    assert_eq!(desk.news(), ["O(Filled 0.1 of 0.1@60010)", "E(0.03@60000.1 t)", "E(0.07@60000.2 t)"]);
    let truth = desk.exchange.truth();
    assert_eq!(truth.executions[0].seq, truth.executions[1].seq);
    assert_ne!(truth.executions[0].id(), truth.executions[1].id());
}

#[test]
fn s3_limit_ioc_partial() {
    let mut desk = Desk::thin("0.03", "0", "1");
    desk.create(limit("a", Buy, "0.1", "60010", Ioc)).unwrap();
    let end = "O(Cancelled 0.03 of 0.1@60010; UNKNOWN/EC_CancelForNoFullFill)";
    assert_eq!(desk.news(), [end, "E(0.03@60000.1 t)"]);
}

#[test]
fn s4_limit_ioc_no_fill() {
    let mut desk = Desk::new();
    desk.create(limit("a", Buy, "0.1", "59000", Ioc)).unwrap();
    assert_eq!(desk.heard(), ["O(Cancelled 0 of 0.1@59000; UNKNOWN/EC_NoImmediateQtyToFill)", "P(0)"]);
}

#[test]
fn s5_fok_fails_whole_or_fills_whole() {
    let mut desk = Desk::thin("0.03", "0.03", "1");
    desk.create(limit("a", Buy, "0.1", "60000.2", Fok)).unwrap();
    assert_eq!(desk.news(), ["O(Cancelled 0 of 0.1@60000.2; UNKNOWN/EC_NoEnoughQtyToFill)"]);
    desk.create(limit("b", Buy, "0.06", "60000.2", Fok)).unwrap();
    assert_eq!(desk.news()[0], "O(Filled 0.06 of 0.06@60000.2)");
}

#[test]
fn s6_post_only_that_crosses_is_acknowledged_then_cancelled() {
    let mut desk = Desk::new();
    assert!(is_ack(&desk.create(limit("a", Buy, "0.1", "60000.1", PostOnly)), "a"));
    assert_eq!(desk.heard(), ["O(Cancelled 0 of 0.1@60000.1; UNKNOWN/EC_PostOnlyWillTakeLiquidity)", "P(0)"]);
    desk.create(limit("b", Buy, "0.1", "60000", PostOnly)).unwrap();
    assert_eq!(desk.news(), ["O(New 0 of 0.1@60000)"]);
}

#[test]
fn s7_market_full_shows_its_bound_as_price() {
    let mut desk = Desk::new();
    desk.create(market("a", Sell, "0.1")).unwrap();
    assert_eq!(desk.news(), ["O(Filled 0.1 of 0.1@59400)", "E(0.1@59999.9 t)"]);
    let slippage = Some(order_manager_core::unit::Ratio(decimal::parse("0.005").unwrap()));
    desk.create(Create { kind: OrderKind::Market { slippage }, ..market("b", Buy, "0.1") }).unwrap();
    assert_eq!(desk.news()[0], "O(Filled 0.1 of 0.1@60300.1)");
}

#[test]
fn s8_market_on_a_thin_book() {
    let mut desk = Desk::thin("0.02", "0", "1");
    desk.create(market("a", Buy, "0.1")).unwrap();
    let end = "O(Cancelled 0.02 of 0.1@60600; UNKNOWN/EC_CancelForNoFullFill)";
    assert_eq!(desk.news(), [end, "E(0.02@60000.1 t)"]);
}

#[test]
fn s8_market_on_an_empty_book_by_either_path() {
    let mut desk = Desk::thin("0", "0", "1");
    desk.create(market("a", Buy, "0.1")).unwrap();
    assert_eq!(desk.news(), ["O(Cancelled 0 of 0.1@60600; UNKNOWN/EC_NoImmediateQtyToFill)"]);
    let mut desk = Desk::with(|config| {
        config.liquidity.best = q("0");
        config.no_liquidity = NoLiquidity::Refuse;
    });
    let Err(ApiError::Code { code, message }) = desk.create(market("a", Buy, "0.1")) else { panic!() };
    assert_eq!(code, 10001);
    assert!(message.as_str().ends_with("]buy: [19999998000,606000000] invalid"), "{message}");
    assert_eq!(desk.heard(), [""; 0]);
}

#[test]
fn s10_cancel_ok() {
    let mut desk = Desk::new();
    desk.create(limit("a", Buy, "0.1", "59900", Gtc)).unwrap();
    desk.news();
    assert!(is_ack(&desk.cancel("a"), "a"));
    assert_eq!(desk.heard(), ["O(Cancelled 0 of 0.1@59900; CancelByUser/EC_PerCancelRequest)", "P(0)"]);
}

#[test]
fn s11_cancel_after_partial_keeps_the_fills() {
    let mut desk = Desk::thin("1000", "1000", "0.04");
    desk.create(limit("a", Buy, "0.1", "59900", Gtc)).unwrap();
    desk.wait(20);
    desk.price("59900");
    desk.news();
    desk.cancel("a").unwrap();
    assert_eq!(desk.news(), ["O(Cancelled 0.04 of 0.1@59900; CancelByUser/EC_PerCancelRequest)"]);
}

#[test]
fn s12_cancel_loses_to_a_fill() {
    let mut desk = Desk::new();
    desk.create(limit("a", Buy, "0.1", "59900", Gtc)).unwrap();
    desk.news();
    assert!(is_ack(&desk.cancel("a"), "a"));
    desk.wait(1);
    desk.price("59800");
    assert_eq!(
        desk.news(),
        [
            "O(Filled 0.1 of 0.1@59900)",
            "E(0.1@59900 m)",
            "O(Filled 0.1 of 0.1@59900; CancelByUser/EC_OrigClOrdIDDoesNotExist)"
        ]
    );
}

#[test]
fn s13_cancel_too_late_or_of_the_unknown() {
    let mut desk = Desk::new();
    desk.create(market("a", Buy, "0.1")).unwrap();
    desk.news();
    for name in ["a", "never"] {
        let Err(ApiError::Code { code, message }) = desk.cancel(name) else { panic!("{name}") };
        assert_eq!((code, message.as_str()), (110001, "order not exists or too late to cancel"));
    }
    assert_eq!(desk.heard(), [""; 0]);
}

#[test]
fn s13_an_order_can_be_too_young_to_cancel_and_live_on() {
    let mut desk = Desk::new();
    desk.exchange.knobs_mut().untouchable_for = Span::millis(10);
    desk.create(limit("a", Buy, "0.1", "59900", Gtc)).unwrap();
    assert!(desk.cancel("a").is_err());
    assert_eq!(desk.news(), ["O(New 0 of 0.1@59900)"]);
    assert!(desk.cancel("a").is_ok());
}

#[test]
fn s14_amend_ok() {
    let mut desk = Desk::thin("1000", "1000", "0.04");
    desk.create(limit("a", Buy, "0.1", "59900", Gtc)).unwrap();
    desk.wait(20);
    desk.pushes.clear();
    assert!(is_ack(&desk.amend("a", Some("59950"), Some("0.2")), "a"));
    assert_eq!(desk.heard(), ["O(New 0 of 0.2@59950)", "P(0)"]);
    desk.price("59950");
    desk.news();
    desk.amend("a", None, Some("0.3")).unwrap();
    assert_eq!(desk.news(), ["O(PartiallyFilled 0.04 of 0.3@59950)"]);
    desk.price("59900");
    assert_eq!(desk.news(), ["O(Filled 0.3 of 0.3@59950)", "E(0.26@59950 m)"]);
}

#[test]
fn s14_an_amend_across_the_spread_takes() {
    let mut desk = Desk::new();
    desk.create(limit("a", Buy, "0.1", "59900", Gtc)).unwrap();
    desk.news();
    desk.amend("a", Some("60010"), None).unwrap();
    assert_eq!(desk.news(), ["O(Filled 0.1 of 0.1@60010)", "E(0.1@60000.1 t)"]);
}

#[test]
fn s15_amend_no_op() {
    let mut desk = Desk::new();
    desk.create(limit("a", Buy, "0.1", "59900", Gtc)).unwrap();
    desk.news();
    let Err(ApiError::Code { code, message }) = desk.amend("a", Some("59900.00"), Some("0.10")) else { panic!() };
    assert_eq!(code, 10001);
    assert!(message.as_str().contains("remains unchanged"), "{message}");
    assert_eq!(desk.heard(), [""; 0]);
}

#[test]
fn s16_amend_loses_to_a_fill() {
    let mut desk = Desk::new();
    desk.create(limit("a", Buy, "0.1", "59900", Gtc)).unwrap();
    desk.news();
    desk.amend("a", Some("59950"), None).unwrap();
    desk.wait(1);
    desk.price("59800");
    let filled = "O(Filled 0.1 of 0.1@59900)";
    assert_eq!(desk.news(), [filled, "E(0.1@59900 m)", filled]);
}

#[test]
fn s17_a_sync_refusal_leaves_no_trace() {
    let mut desk = Desk::new();
    assert_eq!(desk.code(Request::Create(limit("a", Buy, "20", "59900", Gtc))), 110007);
    assert_eq!(desk.heard(), [""; 0]);
    assert!(desk.orders(Request::OpenOrders(orders_of(Some("a")))).is_empty());
    assert!(desk.orders(Request::OrderHistory(orders_of(Some("a")))).is_empty());
    assert!(desk.create(limit("a", Buy, "0.1", "59900", Gtc)).is_ok());
}

#[test]
fn s18_async_reject() {
    let mut desk = Desk::new();
    desk.exchange.knobs_mut().reject_next_after_ack.push_back(Text::clipped("EC_Others"));
    assert!(desk.create(limit("a", Buy, "0.1", "59900", Gtc)).is_ok());
    assert_eq!(desk.heard(), ["O(Rejected 0 of 0.1@59900; UNKNOWN/EC_Others)", "P(0)"]);
    assert_eq!(desk.exchange.available(), usd("100000"));
}

#[test]
fn s19_lost_ack_executed_then_a_twin() {
    let mut desk = Desk::new();
    desk.exchange.knobs_mut().retcode_next(order_manager_core::bybit::Operation::Create, 10000, true);
    let order = Request::Create(limit("a", Buy, "0.1", "59900", Gtc));
    assert_eq!(desk.code(order.clone()), 10000);
    assert_eq!(desk.news(), ["O(New 0 of 0.1@59900)"]);
    assert_eq!(desk.code(order), 110072);
    let record = desk.exchange.truth().links[&link("a")];
    assert_eq!((record.creates_received, record.creates_accepted), (2, 1));
}

#[test]
fn s20_lost_ack_dropped_then_the_same_id_is_free() {
    let mut desk = Desk::new();
    desk.exchange.knobs_mut().retcode_next(order_manager_core::bybit::Operation::Create, 10016, false);
    let order = Request::Create(limit("a", Buy, "0.1", "59900", Gtc));
    assert_eq!(desk.code(order.clone()), 10016);
    assert_eq!(desk.heard(), [""; 0]);
    assert_eq!(desk.code(order), 0);
}

#[test]
fn s23_closing_the_position_ends_resting_reduce_only_orders() {
    let mut desk = Desk::new();
    desk.create(market("open", Buy, "0.3")).unwrap();
    desk.wait(20);
    let far = Create { reduce_only: true, ..limit("far", Sell, "0.2", "60500", Gtc) };
    let near = Create { reduce_only: true, ..limit("near", Sell, "0.2", "60400", Gtc) };
    desk.create(far).unwrap();
    desk.wait(20);
    desk.pushes.clear();
    desk.create(near).unwrap();
    // Together they exceed the position: the worse price is trimmed without an amend (Q18).
    assert_eq!(desk.news(), ["O(New 0 of 0.2@60400)", "O(New 0 of 0.1@60500)"]);
    desk.exchange.manual_order(desk.now, btc(), Sell, q("0.3")).unwrap();
    let heard = desk.heard();
    assert!(heard.contains(&"P(0)".to_owned()));
    let by = "CancelByReduceOnly/EC_NoError";
    assert!(heard.contains(&format!("O(Cancelled 0 of 0.2@60400; {by})")), "{heard:?}");
    assert!(heard.contains(&format!("O(Cancelled 0 of 0.1@60500; {by})")), "{heard:?}");
}

#[test]
fn s25_an_admin_cancels_and_a_foreign_order_has_no_link() {
    let mut desk = Desk::new();
    desk.create(limit("a", Buy, "0.1", "59900", Gtc)).unwrap();
    desk.news();
    assert!(desk.exchange.cancel_by_admin(desk.now, link("a")));
    assert!(!desk.exchange.cancel_by_admin(desk.now, link("a")));
    assert_eq!(desk.news(), ["O(Cancelled 0 of 0.1@59900; CancelByAdmin/EC_NoError)"]);
    desk.exchange.manual_order(desk.now, btc(), Sell, q("0.2")).unwrap();
    desk.wait(20);
    let rows = desk.pushes.iter().find_map(|out| match &out.push.rows {
        PushRows::Orders(rows) => Some(rows[0]),
        _ => None,
    });
    assert_eq!(rows.map(|row| (row.link, row.status)), Some((None, OrderStatus::Filled)));
}

#[test]
fn a_reduce_only_taker_stops_at_the_position() {
    let mut desk = Desk::new();
    desk.create(market("open", Buy, "0.1")).unwrap();
    desk.news();
    desk.create(Create { reduce_only: true, ..market("close", Sell, "0.5") }).unwrap();
    let end = "O(Cancelled 0.1 of 0.5@59400; CancelByReduceOnly/EC_NoError)";
    assert_eq!(desk.news(), [end, "E(0.1@59999.9 t)"]);
    assert_eq!(desk.exchange.position(btc()).unwrap().side(), None);
}
