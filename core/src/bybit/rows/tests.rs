use super::samples;
use crate::bybit::json::Fields;
use crate::bybit::reply::{ExecType, OrderRow, OrderStatus};
use crate::unit::{ExchangeTime, Side};
use alloc::format;
use alloc::string::{String, ToString as _};
use proptest::prelude::*;

fn fields(json: &str) -> Fields<'_> {
    Fields::read("row", json).unwrap()
}

fn order(json: &str) -> Result<OrderRow, String> {
    super::order(&fields(json)).map_err(|why| why.to_string())
}

/// The sample with one thing in it replaced; the thing must be there.
fn with(sample: &str, from: &str, to: &str) -> String {
    assert!(sample.contains(from), "{from}");
    sample.replace(from, to)
}

#[test]
fn an_open_order_reads_as_2_7_shows_it() {
    let row = order(samples::ORDER).unwrap();
    assert_eq!(row.order_id.as_str(), "fd4300ae-7847-404e-b947-b46980a4d140");
    assert_eq!(row.link.unwrap().as_str(), "test-000005");
    assert_eq!((row.symbol.as_str(), row.side, row.is_market), ("ETHUSDT", Side::Buy, false));
    assert_eq!(format!("{} {:?}", row.quantity, row.price), "0.1 Some(1600)");
    assert_eq!((row.status, row.cum_quantity.is_zero()), (OrderStatus::New, true));
    assert_eq!((row.cancel_type.as_str(), row.reject_reason.as_str()), ("UNKNOWN", "EC_NoError"));
    assert_eq!((row.reduce_only, row.position_idx), (false, 1));
    assert_eq!((row.created, row.updated), (ExchangeTime(1_684_738_540_559), ExchangeTime(1_684_738_540_561)));
}

#[test]
fn a_cancelled_order_reads_with_empty_numbers() {
    let row = order(samples::ORDER_CANCELLED).unwrap();
    assert_eq!((row.status, row.reduce_only), (OrderStatus::Cancelled, true));
    assert_eq!((row.cancel_type.as_str(), row.reject_reason.as_str()), ("CancelByUser", "EC_PerCancelRequest"));
    assert!(row.cum_quantity.is_zero() && row.cum_value.is_zero() && row.cum_fee.is_zero());
    let row = order(samples::ORDER_POST_ONLY).unwrap();
    assert_eq!(row.reject_reason.as_str(), "EC_PostOnlyWillTakeLiquidity");
    assert!(row.status.is_terminal() && row.cum_quantity.is_zero());
}

#[test]
fn numbers_come_as_text_or_number_and_stay_exact() {
    for (from, to) in [
        (r#""qty":"0.10""#, r#""qty":0.1234567890123456789"#),
        (r#""qty":"0.10""#, r#""qty":"0.1234567890123456789""#),
        (r#""qty":"0.10""#, r#""qty":1234567890123456789e-19"#),
    ] {
        let row = order(&with(samples::ORDER, from, to)).unwrap();
        assert_eq!(row.quantity.to_string(), "0.1234567890123456789", "{to}");
    }
    let row = order(&with(samples::ORDER, r#""updatedTime":"1684738540561""#, r#""updatedTime":1684738540561"#));
    assert_eq!(row.unwrap().updated, ExchangeTime(1_684_738_540_561));
    let row = order(&with(samples::ORDER, r#""positionIdx":1"#, r#""positionIdx":"1""#));
    assert_eq!(row.unwrap().position_idx, 1);
    let row = order(&with(samples::ORDER, r#""price":"1600.00""#, r#""price":null"#));
    assert_eq!(row.unwrap().price, None);
}

/// Else it would count as nothing to the exposure (K1).
#[test]
fn k1_a_market_order_that_waits_is_worth_its_trigger() {
    let waits = with(samples::ORDER, r#""triggerPrice":"0.00""#, r#""triggerPrice":"1700.50""#);
    let row = order(&with(&waits, r#""price":"1600.00""#, r#""price":"0""#)).unwrap();
    assert_eq!(format!("{:?}", row.price), "Some(1700.5)");
    assert_eq!(format!("{:?}", order(&waits).unwrap().price), "Some(1600)");
}

#[test]
fn escapes_and_twice_named_fields_are_read() {
    let row = order(&with(samples::ORDER, r#""orderLinkId":"#, r#""order\u004cinkId":"#)).unwrap();
    assert_eq!(row.link.unwrap().as_str(), "test-000005");
    let row = order(&with(samples::ORDER, r#""test-000005""#, r#""test\u002d5""#)).unwrap();
    assert_eq!(row.link.unwrap().as_str(), "test-5");
    let row = order(&with(samples::ORDER, r#""side":"Buy""#, r#""side":"Buy","side":"Sell""#)).unwrap();
    assert_eq!(row.side, Side::Sell);
}

#[test]
fn o4_an_order_row_that_says_too_little_is_refused_by_the_name_of_the_field() {
    for (from, to, why) in [
        (r#""orderId":"fd4300ae-7847-404e-b947-b46980a4d140""#, r#""orderId":"""#, "orderId is missing"),
        (r#""side":"Buy""#, r#""side":"""#, "side is missing"),
        (r#""side":"Buy""#, r#""side":"None""#, "side is neither Buy nor Sell: \"None\""),
        (r#""qty":"0.10""#, r#""qty":"""#, "qty is missing"),
        (r#""qty":"0.10""#, r#""qty":"-1""#, "qty is negative: -1"),
        (r#""qty":"0.10""#, r#""qty":"abc""#, "qty is not a decimal number: \"abc\""),
        (r#""qty":"0.10""#, r#""qty":[1]"#, "qty is neither text nor number: \"[1]\""),
        (r#""qty":"0.10""#, r#""qty":1e-30"#, "qty has more digits than can be held exactly (28): \"1e-30\""),
        (r#""orderStatus":"New""#, r#""orderStatus":null"#, "orderStatus is missing"),
        (r#""updatedTime":"1684738540561""#, r#""updatedTime":"""#, "updatedTime is missing"),
        (r#""updatedTime":"1684738540561""#, r#""updatedTime":"now""#, "updatedTime is not a whole number: \"now\""),
        (r#""positionIdx":1"#, r#""positionIdx":3"#, "positionIdx is 3, neither 0, 1 nor 2"),
        (r#""reduceOnly":false"#, r#""reduceOnly":"maybe""#, "reduceOnly is not true or false: \"\\\"maybe\\\"\""),
        (r#""cumExecQty":"0.00","#, "", "cumExecQty is missing"),
    ] {
        assert_eq!(order(&with(samples::ORDER, from, to)).unwrap_err(), why, "{to}");
    }
    let filled = with(samples::ORDER, r#""orderStatus":"New""#, r#""orderStatus":"Filled""#);
    let filled = with(&filled, r#""cumExecQty":"0.00""#, r#""cumExecQty":"""#);
    assert_eq!(order(&filled).unwrap_err(), "cumExecQty is empty on an order with fills");
}

#[test]
fn o4_statuses_and_kinds_this_build_does_not_know_keep_their_word() {
    let row = order(&with(samples::ORDER, r#""orderStatus":"New""#, r#""orderStatus":"PendingCancel""#)).unwrap();
    assert!(matches!(row.status, OrderStatus::Other(word) if word.as_str() == "PendingCancel"));
    assert!(!row.status.is_terminal());
    let kind = with(samples::EXECUTION, r#""execType":"Trade""#, r#""execType":"CorporateAction""#);
    let row = super::execution(&fields(&kind)).unwrap();
    assert!(matches!(row.exec_type, ExecType::Other(word) if word.as_str() == "CorporateAction"));
    assert!(!row.exec_type.moves_position());
}

#[test]
fn the_fee_of_an_order_is_in_its_quote_coin() {
    for (from, to, fee) in [
        (r#""cumExecFee":"0""#, r#""cumExecFee":"0.24""#, "0.24"),
        (r#""cumExecFee":"0""#, r#""cumExecFee":"-0.24""#, "-0.24"),
        (r#""cumExecFee":"0","#, "", "0"),
    ] {
        assert_eq!(order(&with(samples::ORDER, from, to)).unwrap().cum_fee.to_string(), fee, "{to}");
    }
    let without = with(samples::ORDER, r#""cumExecFee":"0","#, "");
    for (detail, fee) in [
        (r#"{"USDT":"0.5"}"#, "0.5"),
        (r#"{"MNT":"0.7","USDT":0.5}"#, "0.5"),
        (r#"{"MNT":"0.7"}"#, "0"),
        (r#"{"":"0.7"}"#, "0"),
        (r#""""#, "0"),
        ("null", "0"),
    ] {
        let json = with(&without, r#"{"USDT":"0.0"}"#, detail);
        assert_eq!(order(&json).unwrap().cum_fee.to_string(), fee, "{detail}");
    }
}

#[test]
fn an_execution_reads_as_2_9_shows_it() {
    let row = super::execution(&fields(samples::EXECUTION)).unwrap();
    assert_eq!(row.exec_id.as_str(), "e0cbe81d-0f18-5866-9415-cf319b5dab3b");
    assert_eq!(row.order_id.as_str(), "8c065341-7b52-4ca9-ac2c-37e31ac55c94");
    assert_eq!(row.link.unwrap().as_str(), "om-0001");
    assert_eq!((row.symbol.as_str(), row.side, row.exec_type), ("BTCUSDT", Side::Buy, ExecType::Trade));
    assert_eq!(format!("{} {} {} {}", row.price, row.quantity, row.value, row.fee), "50000 0.1 5000 1");
    assert_eq!((row.fee_coin.as_str(), row.is_maker, row.time), ("", true, ExchangeTime(1_672_282_722_429)));
    let row = with(samples::EXECUTION, r#""execValue":"5000.00","#, "");
    assert_eq!(super::execution(&fields(&row)).unwrap().value.to_string(), "5000");
}

#[test]
fn f33_funding_reads_without_quantity_and_a_fill_does_not() {
    let empty = with(samples::EXECUTION, r#""execQty":"0.100""#, r#""execQty":"""#);
    assert_eq!(super::execution(&fields(&empty)).unwrap_err().to_string(), "execQty is missing");
    let funding = with(&empty, r#""execType":"Trade""#, r#""execType":"Funding""#);
    let row = super::execution(&fields(&with(&funding, r#""execFee":"1.0000""#, r#""execFee":"-0.25""#))).unwrap();
    assert_eq!(
        (row.exec_type, row.quantity.is_zero(), row.fee.to_string().as_str()),
        (ExecType::Funding, true, "-0.25")
    );
    let kindless = with(samples::EXECUTION, r#""execType":"Trade","#, "");
    assert_eq!(super::execution(&fields(&kindless)).unwrap_err().to_string(), "execType is missing");
}

#[test]
fn instruments_read_in_both_shapes_of_5_1() {
    let linear = super::instrument(&fields(samples::INSTRUMENT_LINEAR)).unwrap();
    assert_eq!((linear.symbol.as_str(), linear.base.as_str(), linear.quote.as_str()), ("BTCUSDT", "BTC", "USDT"));
    assert!(linear.trading);
    assert_eq!(format!("{} {} {}", linear.tick_size, linear.min_price, linear.max_price), "0.1 0.1 1999999.8");
    assert_eq!(format!("{} {}", linear.quantity_step, linear.min_quantity), "0.001 0.001");
    assert_eq!(format!("{} {}", linear.max_limit_quantity, linear.max_market_quantity), "1190 500");
    assert_eq!(format!("{} {}", linear.min_notional, linear.max_leverage), "5 100");
    assert_eq!(format!("{} {}", linear.price_limit_ratio_x, linear.price_limit_ratio_y), "0.01 0.02");

    let spot = super::instrument(&fields(samples::INSTRUMENT_SPOT)).unwrap();
    assert_eq!(format!("{} {} {}", spot.tick_size, spot.min_price, spot.max_price), "0.1 0.1 10000000000");
    assert_eq!(format!("{} {}", spot.quantity_step, spot.min_quantity), "0.000001 0.000011");
    assert_eq!(format!("{} {}", spot.max_limit_quantity, spot.max_market_quantity), "83 41.5");
    assert_eq!(format!("{} {}", spot.min_notional, spot.max_leverage), "5 1");
    assert_eq!(format!("{} {}", spot.price_limit_ratio_x, spot.price_limit_ratio_y), "0.005 0.01");
}

#[test]
fn an_instrument_without_a_rule_is_refused_and_one_not_trading_says_so() {
    for (from, to, why) in [
        (r#""tickSize":"0.10""#, r#""tickSize":"0""#, "tickSize is missing"),
        (r#""qtyStep":"0.001","#, "", "qtyStep is missing"),
        (r#""minNotionalValue":"5""#, r#""minNotionalValue":"""#, "minNotionalValue is missing"),
        (r#""riskParameters""#, r#""other""#, "riskParameters is missing"),
    ] {
        let json = with(samples::INSTRUMENT_LINEAR, from, to);
        assert_eq!(super::instrument(&fields(&json)).unwrap_err().to_string(), why);
    }
    let closed = with(samples::INSTRUMENT_LINEAR, r#""status":"Trading""#, r#""status":"Delivering""#);
    assert!(!super::instrument(&fields(&closed)).unwrap().trading);
}

#[test]
fn tickers_read_as_6_1_shows_them() {
    let spot = super::ticker(&fields(samples::TICKER_SPOT)).unwrap();
    assert_eq!(format!("{} {:?} {:?}", spot.last, spot.bid, spot.ask), "20533.13 Some(20517.96) Some(20527.77)");
    assert_eq!((spot.mark, spot.index), (None, None));
    let linear = super::ticker(&fields(samples::TICKER_LINEAR)).unwrap();
    assert_eq!(format!("{:?} {:?}", linear.mark, linear.index), "Some(20532.5) Some(20531.05)");
    assert_eq!((linear.bid, linear.ask.is_some()), (None, true));
    let zero = with(samples::TICKER_LINEAR, r#""ask1Price":"20527.70""#, r#""ask1Price":"0""#);
    assert_eq!(super::ticker(&fields(&zero)).unwrap().ask, None);
}

#[test]
fn the_wallet_reads_as_6_3_shows_it() {
    let wallet = super::wallet(&fields(samples::WALLET)).unwrap();
    assert_eq!(wallet.total_equity.unwrap().to_string(), "10262.91");
    assert_eq!(wallet.total_available.unwrap().to_string(), "9556.6");
    let coin = wallet.coins[0];
    assert_eq!(format!("{} {} {}", coin.coin, coin.wallet_balance, coin.equity), "USDT 9647.75 10226.2");
    assert_eq!(format!("{:?} {:?}", coin.order_margin, coin.position_margin), "Some(0) Some(127.86)");
    assert!(wallet.bad.is_empty());
    let isolated = with(samples::WALLET, r#""totalAvailableBalance":"9556.60""#, r#""totalAvailableBalance":"""#);
    assert_eq!(super::wallet(&fields(&isolated)).unwrap().total_available, None);
}

#[test]
fn o4_a_coin_that_cannot_be_read_does_not_hide_the_others() {
    let two = with(samples::WALLET, r#""coin":[{"#, r#""coin":[{"coin":"BTTC","equity":"1","walletBalance":"x"},{"#);
    let wallet = super::wallet(&fields(&two)).unwrap();
    assert_eq!((wallet.coins.len(), wallet.coins[0].coin.as_str()), (1, "USDT"));
    assert_eq!((wallet.bad[0].index, wallet.bad[0].why.as_str()), (0, "walletBalance is not a decimal number: \"x\""));
}

#[test]
fn positions_read_as_6_4_shows_them() {
    let open = super::position(&fields(samples::POSITION)).unwrap();
    assert_eq!((open.symbol.as_str(), open.position_idx, open.side), ("BTCUSDT", 0, Some(Side::Buy)));
    assert_eq!(format!("{} {:?} {:?}", open.size, open.average_price, open.leverage), "0.5 Some(50000) Some(10)");
    assert_eq!((open.unrealised_pnl.unwrap().to_string().as_str(), open.seq), ("250", 5_723_621_632));
    assert_eq!(open.updated, ExchangeTime(1_697_673_600_012));
    let flat = super::position(&fields(samples::POSITION_FLAT)).unwrap();
    assert_eq!((flat.side, flat.size.is_zero(), flat.average_price, flat.seq), (None, true, None, -1));
    assert_eq!((flat.position_idx, flat.unrealised_pnl), (2, None));
}

#[test]
fn f65_a_size_without_a_side_does_not_pass_for_flat() {
    let sideless = with(samples::POSITION, r#""side":"Buy""#, r#""side":"""#);
    let why = super::position(&fields(&sideless)).unwrap_err().to_string();
    assert_eq!(why, "side is neither Buy nor Sell on a size of 0.5: \"\"");
    let sizeless = with(samples::POSITION, r#""size":"0.5""#, r#""size":"""#);
    assert_eq!(super::position(&fields(&sizeless)).unwrap_err().to_string(), "size is missing");
}

proptest! {
    /// Whatever decimal Bybit writes, its value is the one that is read, or the row is refused.
    #[test]
    fn s2_decimals_stay_exact(whole in 0_u64..1_000_000_000, places in "[0-9]{1,18}", quoted: bool) {
        let number = format!("{whole}.{places}");
        let json = if quoted { format!("\"{number}\"") } else { number.clone() };
        let row = order(&with(samples::ORDER, r#""qty":"0.10""#, &format!(r#""qty":{json}"#))).unwrap();
        let shown = row.quantity.to_string();
        let trimmed = number.trim_end_matches('0').trim_end_matches('.');
        prop_assert_eq!(shown, if trimmed.is_empty() { "0" } else { trimmed });
    }
}
