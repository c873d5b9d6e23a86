use super::*;
use crate::bybit::reply::{ExecType, OrderStatus};
use crate::bybit::rows::samples;
use crate::unit::Side;
use alloc::format;
use alloc::string::{String, ToString as _};
use proptest::prelude::*;

fn read(body: &str) -> Push {
    decode(body.as_bytes()).unwrap()
}

fn what(body: &str) -> String {
    let push = read(body);
    let PushRows::Nothing { what } = push.rows else { panic!("{push:?}") };
    what.to_string()
}

#[test]
fn orders_read_as_4_4_shows_them() {
    let push = read(samples::PUSH_ORDER);
    assert_eq!((push.time, push.bad.len()), (Some(ExchangeTime(1_700_000_000_010)), 0));
    let PushRows::Orders(rows) = push.rows else { panic!() };
    let row = rows[0];
    assert_eq!((rows.len(), row.status, row.link.unwrap().as_str()), (1, OrderStatus::PartiallyFilled, "om-0001"));
    assert_eq!(format!("{} {} {}", row.cum_quantity, row.cum_value, row.cum_fee), "0.04 1200.02 0.240004");
    assert_eq!(row.updated, ExchangeTime(1_700_000_000_008));
}

#[test]
fn a_spot_market_buy_reads_with_its_fills_and_without_its_base_coin_fee() {
    let body = Fields::read("body", samples::PUSH_ORDER_SPOT).unwrap();
    let row = rows::order(&body.list("data").unwrap()[0].object("row").unwrap()).unwrap();
    // The stream brings every product; only linear orders are traded so far, and the others are none of ours.
    assert_eq!(read(samples::PUSH_ORDER_SPOT).rows, PushRows::Orders(Vec::new()));
    assert_eq!((row.status, row.is_market, row.price), (OrderStatus::PartiallyFilledCanceled, true, None));
    assert_eq!(format!("{} {} {}", row.cum_quantity, row.cum_value, row.cum_fee), "0.000299 9.98464454 0");
}

#[test]
fn executions_read_as_4_5_shows_them() {
    let PushRows::Executions(rows) = read(samples::PUSH_EXECUTION).rows else { panic!() };
    let row = rows[0];
    assert_eq!((row.exec_type, row.side, row.is_maker), (ExecType::Trade, Side::Sell, false));
    assert_eq!(format!("{} {} {}", row.price, row.quantity, row.value), "95900.1 0.5 47950.05");
    assert_eq!(format!("{} {}", row.fee, row.fee_coin), "26.3725275 USDT");
    assert_eq!((row.time, row.seq), (ExchangeTime(1_746_270_400_353), Some(140_612_148_849_382)));
}

#[test]
fn positions_and_wallets_read_as_4_7_and_4_8_show_them() {
    let PushRows::Positions(rows) = read(samples::PUSH_POSITION).rows else { panic!() };
    let row = rows[0];
    assert_eq!((row.side, row.signed_size().to_string().as_str()), (Some(Side::Sell), "-0.01"));
    assert_eq!((row.average_price.unwrap().to_string().as_str(), row.seq), ("3641.075", 325_852_190_774));
    let wallet = format!(r#"{{"id":"1","topic":"wallet","creationTime":1,"data":[{}]}}"#, samples::WALLET);
    let PushRows::Wallets(rows) = read(&wallet).rows else { panic!() };
    assert_eq!(rows[0].coins[0].coin.as_str(), "USDT");
}

#[test]
fn topics_of_one_product_are_the_same_topics() {
    for (topic, product) in [("order", "linear"), ("execution", "spot"), ("position", "linear")] {
        let body = format!(r#"{{"topic":"{topic}.{product}","data":[]}}"#);
        let plain = format!(r#"{{"topic":"{topic}","data":[]}}"#);
        assert_eq!(read(&body), read(&plain), "{topic}");
        assert!(!matches!(read(&body).rows, PushRows::Nothing { .. }));
    }
}

#[test]
fn what_carries_no_fact_says_what_it_was() {
    assert_eq!(what(samples::PUSH_FAST), "execution.fast");
    assert_eq!(what(r#"{"topic":"execution.fast.linear","data":[{}]}"#), "execution.fast.linear");
    assert_eq!(what(r#"{"topic":"orderbook.50.BTCUSDT","data":{}}"#), "orderbook.50.BTCUSDT");
    for (body, op, success, said) in [
        (r#"{"success":true,"ret_msg":"","op":"auth","conn_id":"c-p"}"#, "auth", true, "auth ok"),
        (r#"{"success":false,"ret_msg":"Params Error","op":"auth"}"#, "auth", false, "auth refused: Params Error"),
        (
            r#"{"op":"auth","success":false,"retCode":10003,"retMsg":"Invalid apikey","connId":"x"}"#,
            "auth",
            false,
            "auth refused: Invalid apikey",
        ),
        (r#"{"req_id":"100001","op":"pong","args":["1675418560633"],"conn_id":"c"}"#, "pong", true, "pong ok"),
        (r#"{"success":true,"ret_msg":"pong","conn_id":"c","req_id":"","op":"ping"}"#, "pong", true, "pong ok"),
        (r#"{"retCode":0,"retMsg":"OK","op":"pong","data":["1711002002529"]}"#, "pong", true, "pong ok"),
        (r#"{"success":true,"ret_msg":"","op":"subscribe","conn_id":"c"}"#, "subscribe", true, "subscribe ok"),
        (
            r#"{"success":false,"ret_msg":"error:already subscribed,topic:order","op":"subscribe"}"#,
            "subscribe",
            true,
            "subscribe ok",
        ),
        (
            r#"{"success":false,"ret_msg":"Invalid topic: x","op":"subscribe"}"#,
            "subscribe",
            false,
            "subscribe refused: Invalid topic: x",
        ),
    ] {
        assert_eq!(what(body), said);
        let reply = decode_op(body.as_bytes()).unwrap().unwrap();
        assert_eq!((reply.op.as_str(), reply.success), (op, success), "{body}");
    }
    assert_eq!(decode_op(samples::PUSH_ORDER.as_bytes()), Ok(None));
}

#[test]
fn o4_a_broken_row_is_set_aside_and_the_others_count() {
    let broken = samples::ORDER.replace(r#""updatedTime":"1684738540561""#, r#""updatedTime":-5"#);
    let body = format!(r#"{{"topic":"order","data":[{broken},{}]}}"#, samples::ORDER_POST_ONLY);
    let push = read(&body);
    assert!(matches!(push.rows, PushRows::Orders(rows) if rows.len() == 1));
    assert_eq!((push.bad[0].index, push.bad[0].why.as_str()), (0, "updatedTime is not a whole number: \"-5\""));
    assert_eq!(push.bad[0].link.unwrap().as_str(), "test-000005");
}

#[test]
fn a_message_that_is_none_is_an_error_by_name() {
    for (body, why) in [
        ("[]", "body is not an object: \"[]\""),
        ("{}", "body has neither topic nor op: "),
        (r#"{"topic":"order"}"#, "data is missing"),
        (r#"{"topic":"order","data":null}"#, "data is missing"),
        (r#"{"topic":"order","data":{}}"#, "data is not a list: \"{}\""),
        (r#"{"topic":{}}"#, "topic is neither text nor number: \"{}\""),
    ] {
        assert_eq!(decode(body.as_bytes()).unwrap_err().to_string(), why, "{body}");
    }
    assert!(decode(b"\xff").unwrap_err().to_string().starts_with("body is not UTF-8"));
}

proptest! {
    #[test]
    fn nothing_that_arrives_panics(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = decode(&bytes);
        let _ = decode_op(&bytes);
        let _ = decode_gateway(&bytes);
    }

    #[test]
    fn nothing_damaged_panics(
        body in prop::sample::select(alloc::vec![
            samples::PUSH_ORDER, samples::PUSH_ORDER_SPOT, samples::PUSH_EXECUTION, samples::PUSH_POSITION,
        ]),
        at: prop::sample::Index,
        splice in "(null|\"\"|\\{\\}|\\[\\]|-1|1e400|\"|,|\\PC{0,4})",
    ) {
        let mut bytes = body.as_bytes().to_vec();
        let at = at.index(bytes.len());
        bytes.splice(at..at.saturating_add(splice.len()).min(body.len()), splice.bytes());
        let _ = decode(&bytes);
        let _ = decode_op(&bytes);
        let _ = decode_gateway(&bytes);
    }
}

#[test]
fn t2_a_message_of_the_gateway_is_one_order_in_an_envelope() {
    let raw = samples::PUSH_ORDER;
    let order = raw.split_once("\"data\":[").and_then(|(_, rest)| rest.rsplit_once(']')).unwrap().0;
    let first = order.split_inclusive('}').next().unwrap();
    let row: serde_json::Value = serde_json::from_str::<Vec<serde_json::Value>>(&alloc::format!("[{order}]"))
        .map(|rows| rows[0].clone())
        .unwrap_or_else(|_| serde_json::from_str(first).unwrap());
    let envelope = |row: &serde_json::Value| {
        alloc::format!(
            r#"{{"event_id":"e","event_type":"order","topic":"order","timestamp":"2022-12-30T01:37:42.474000",
               "received_at":"2026-01-01T00:00:00.705421","payload":{row},"trace_id":"t"}}"#
        )
    };
    let push = decode_gateway(envelope(&row).as_bytes()).unwrap();
    let direct = decode(alloc::format!(r#"{{"topic":"order","data":[{row}]}}"#).as_bytes()).unwrap();
    assert_eq!(push.rows, direct.rows);
    assert!(matches!(&push.rows, PushRows::Orders(rows) if rows.len() == 1));
    for (body, why) in [(r#"{"event_type":"order"}"#, "payload is missing"), ("[1]", "body is not an object: \"[1]\"")]
    {
        assert_eq!(decode_gateway(body.as_bytes()).unwrap_err().to_string(), why);
    }
    let mut spot = row;
    spot["category"] = "spot".into();
    assert_eq!(decode_gateway(envelope(&spot).as_bytes()).unwrap().rows, PushRows::Orders(Vec::new()));
    let other = decode_gateway(br#"{"event_type":"balance","payload":{}}"#).unwrap();
    assert!(matches!(other.rows, PushRows::Nothing { .. }));
}
