//! What the engine decides and what it tells: fates, pushes, bands, prices.

use super::*;
use Side::{Buy, Sell};
use TimeInForce::Gtc;

#[test]
fn q3_q4_the_engine_and_each_topic_take_their_time() {
    let mut desk = Desk::new();
    desk.lag(Lag::Engine, 100);
    desk.lag(Lag::OrderPush, 50);
    desk.lag(Lag::ExecutionPush, 10);
    desk.lag(Lag::PositionPush, 70);
    desk.lag(Lag::WalletPush, 90);
    desk.create(market("a", Buy, "0.1")).unwrap();
    desk.wait(1_000);
    let told: Vec<(u64, char)> =
        desk.pushes.iter().map(|out| (out.at.since(T0).as_millis(), notation(&out.push)[0].remove(0))).collect();
    assert_eq!(told, [(110, 'E'), (150, 'O'), (170, 'P'), (190, 'W')]);
}

#[test]
fn q5_orders_that_come_to_rest_are_not_told() {
    let mut desk = Desk::new();
    desk.spell(Spell::SkipNew, 1_000);
    desk.create(limit("a", Buy, "0.1", "59900", Gtc)).unwrap();
    assert_eq!(desk.heard(), ["P(0)"]);
    desk.price("59800");
    assert_eq!(desk.news(), ["O(Filled 0.1 of 0.1@59900)", "E(0.1@59900 m)"]);
}

#[test]
fn q6_a_cancel_that_was_acknowledged_loses_to_a_fill() {
    let mut desk = Desk::new();
    desk.rest("a", "59900");
    desk.next(Fate::CancelLoses);
    assert!(desk.cancel("a").is_ok());
    let words = "O(Filled 0.1 of 0.1@59900; CancelByUser/EC_OrigClOrdIDDoesNotExist)";
    assert_eq!(desk.news(), ["O(Filled 0.1 of 0.1@59900)", "E(0.1@59900 m)", words]);
    desk.balances();
}

#[test]
fn q7_a_cancel_comes_after_a_fill_of_half() {
    let mut desk = Desk::new();
    desk.rest("a", "59900");
    desk.next(Fate::CancelPartial);
    desk.cancel("a").unwrap();
    let end = "O(Cancelled 0.05 of 0.1@59900; CancelByUser/EC_PerCancelRequest)";
    assert_eq!(desk.news(), ["O(PartiallyFilled 0.05 of 0.1@59900)", "E(0.05@59900 m)", end]);
    desk.rest("b", "59900");
    desk.cancel("b").unwrap();
    assert_eq!(desk.news(), ["O(Cancelled 0 of 0.1@59900; CancelByUser/EC_PerCancelRequest)"], "once only");
    desk.balances();
}

#[test]
fn q6_a_losing_cancel_never_turns_a_position() {
    let mut desk = Desk::new();
    desk.hold("0.1");
    desk.create(Create { reduce_only: true, ..limit("exit", Sell, "0.1", "60500", Gtc) }).unwrap();
    desk.news();
    desk.next(Fate::CancelLoses);
    desk.cancel("exit").unwrap();
    desk.news();
    assert_eq!(desk.size(), q("0"));
    desk.balances();
}

#[test]
fn q9_an_order_can_be_untouchable_until_it_is_older() {
    let mut desk = Desk::new();
    desk.lag(Lag::Untouchable, 1_000);
    desk.rest("a", "59900");
    assert!(desk.cancel("a").is_err());
    desk.wait(1_000);
    assert!(desk.cancel("a").is_ok());
}

#[test]
fn q14_a_market_order_finds_nothing_in_three_ways() {
    let mut desk = Desk::new();
    desk.next(Fate::MarketRefused);
    assert!(desk.create(limit("l", Buy, "0.1", "59900", Gtc)).is_ok(), "only market orders");
    desk.news();
    assert_eq!(desk.code(Request::Create(market("a", Buy, "0.1"))), 10001);
    assert_eq!(desk.heard(), [""; 0]);
    desk.next(Fate::MarketCancelled);
    desk.create(market("b", Buy, "0.1")).unwrap();
    assert_eq!(desk.news(), ["O(Cancelled 0 of 0.1@60600; UNKNOWN/EC_NoImmediateQtyToFill)"]);
    desk.next(Fate::MarketPartial);
    desk.create(market("c", Buy, "0.1")).unwrap();
    let end = "O(Cancelled 0.05 of 0.1@60600; UNKNOWN/EC_CancelForNoFullFill)";
    assert_eq!(desk.news(), [end, "E(0.05@60000.1 t)"]);
    desk.create(market("d", Buy, "0.1")).unwrap();
    assert_eq!(desk.news(), ["O(Filled 0.1 of 0.1@60600)", "E(0.1@60000.1 t)"]);
    desk.balances();
}

#[test]
fn q15_a_rejection_after_the_ack_may_have_fills() {
    let mut desk = Desk::new();
    desk.next(Fate::Rejected);
    desk.create(market("a", Buy, "0.1")).unwrap();
    assert_eq!(desk.news(), ["O(Rejected 0 of 0.1@60600; UNKNOWN/EC_Others)"]);
    desk.next(Fate::RejectedWithFill);
    desk.create(market("b", Buy, "0.1")).unwrap();
    assert_eq!(desk.news(), ["O(Rejected 0.05 of 0.1@60600; UNKNOWN/EC_Others)", "E(0.05@60000.1 t)"]);
    desk.next(Fate::RejectedWithFill);
    desk.create(limit("c", Buy, "0.1", "59900", Gtc)).unwrap();
    assert_eq!(desk.news(), ["O(Rejected 0 of 0.1@59900; UNKNOWN/EC_Others)"], "nothing to take");
    desk.balances();
}

#[test]
fn q16_a_narrower_band_than_the_published_one_moves_or_refuses() {
    let mut desk = Desk::new();
    let ratio = Ratio(decimal::parse("0.001").unwrap());
    desk.quirk(Quirk::PriceBand { ratio, way: PriceBand::Adjust });
    desk.create(limit("a", Sell, "0.1", "59800", Gtc)).unwrap();
    assert_eq!(desk.news()[0], "O(Filled 0.1 of 0.1@59940)");
    desk.quirk(Quirk::PriceBand { ratio, way: PriceBand::Reject });
    assert_eq!(desk.code(Request::Create(limit("b", Sell, "0.1", "59800", Gtc))), 110003);
    desk.exchange.heal(desk.now);
    desk.create(limit("c", Sell, "0.1", "59800", Gtc)).unwrap();
    assert_eq!(desk.news()[0], "O(Filled 0.1 of 0.1@59800)");
}

#[test]
fn q27_pushes_that_leave_together_are_one_message() {
    let mut desk = Desk::new();
    desk.rest("a", "59900");
    desk.rest("b", "59890");
    desk.spell(Spell::MergedPushes, 1_000);
    desk.price("59800");
    desk.wait(20);
    let rows: Vec<usize> = desk.pushes.iter().map(|out| notation(&out.push).len()).collect();
    assert_eq!(rows, [2, 2, 2, 2], "order, execution, position, wallet: each of both fills");
}

#[test]
fn q28_a_fee_in_mnt_leaves_the_wallet_alone() {
    let mut desk = Desk::new();
    desk.spell(Spell::FeeInMnt, 1_000);
    desk.hold("0.1");
    let truth = desk.exchange.truth();
    assert_eq!((truth.wallet, truth.fees), (truth.start, Money::ZERO));
    let row = truth.executions[0].row();
    assert_eq!((row.fee_coin.as_str(), row.fee), ("MNT", usd("3.3000055")));
    assert_eq!(truth.orders[0].row().cum_fee, Money::ZERO);
    desk.balances();
}

#[test]
fn q29_a_cancel_has_a_reason_that_nobody_has_heard_of() {
    let mut desk = Desk::new();
    desk.rest("a", "59900");
    desk.spell(Spell::UnknownCancelType, 1_000);
    desk.act(Act::AdminCancel);
    assert_eq!(desk.news(), ["O(Cancelled 0 of 0.1@59900; CancelByNobodyKnows/EC_NoError)"]);
}

#[test]
fn a_price_comes_just_as_far_as_our_oldest_order_or_jumps_through_several() {
    let mut desk = Desk::thin("1000", "1000", "0.04");
    assert_eq!(desk.exchange.resting_price(btc()), None);
    desk.rest("a", "59900");
    desk.rest("b", "59950");
    assert_eq!(desk.exchange.resting_price(btc()), Some(px("59900")));
    desk.quirk(Quirk::PriceGap { symbol: btc(), by: Ratio(decimal::parse("-0.05").unwrap()) });
    assert_eq!(desk.exchange.last_price(btc()), Some(px("57000")));
    let expected = ["O(Filled 0.1 of 0.1@59950)", "E(0.1@59950 m)", "O(Filled 0.1 of 0.1@59900)", "E(0.1@59900 m)"];
    assert_eq!(desk.news(), expected);
    desk.balances();
}

#[test]
fn rules_change_under_orders_that_rest() {
    let mut desk = Desk::new();
    desk.rest("a", "59900.1");
    let (tick, step) = (Some(px("0.5")), Some(q("0.01")));
    desk.quirk(Quirk::Rules { symbol: btc(), tick, step });
    assert_eq!(desk.code(Request::Create(limit("b", Buy, "0.1", "59900.1", Gtc))), 10001);
    assert_eq!(desk.code(Request::Create(limit("b", Buy, "0.015", "59900.5", Gtc))), 10001);
    assert_eq!(desk.code(Request::Create(limit("b", Buy, "0.02", "59900.5", Gtc))), 0);
    desk.wait(20);
    desk.price("59800");
    desk.news();
    assert_eq!(desk.size(), q("0.12"));
    desk.balances();
}

#[test]
fn a_reduce_only_order_beyond_the_largest_becomes_several() {
    let mut desk = Desk::new();
    desk.hold("0.5");
    desk.quirk(Quirk::LargestOrder { symbol: btc(), quantity: q("0.2") });
    assert_eq!(desk.code(Request::Create(limit("b", Buy, "0.3", "59900", Gtc))), 10001);
    assert_eq!(desk.code(Request::Create(market("b", Buy, "0.3"))), 10001);
    // Only the first has the link id, and only its id is told; what there is to reduce binds them all.
    let told = desk.create(Create { reduce_only: true, ..market("out", Sell, "0.6") }).unwrap();
    let Reply::Ack { order_id: first, .. } = told else { panic!("{told:?}") };
    desk.wait(20);
    let truth = desk.exchange.truth();
    let parts: Vec<_> = truth.orders.iter().skip(1).map(|o| (o.link.is_some(), o.is_ours(), o.row())).collect();
    let seen: Vec<_> = parts.iter().map(|(named, ours, row)| (*named, *ours, row.cum_quantity)).collect();
    assert_eq!(seen, [(true, true, q("0.2")), (false, false, q("0.2")), (false, false, q("0.1"))]);
    assert!(parts.iter().all(|(.., row)| row.reduce_only && row.quantity <= q("0.2")));
    assert_eq!((first, desk.size()), (parts[0].2.order_id, q("0")));
    desk.balances();
}
