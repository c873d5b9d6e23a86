mod odd;

use super::*;
use crate::bybit::code::Operation;
use crate::bybit::reply::{ApiError, ApiReply, LimitHeaders, Reply};
use crate::bybit::request::{Amend, Cancel, Create, ExecutionQuery, OrderKind, OrderQuery, Request, TimeInForce};
use crate::bybit::rows::samples;
use crate::bybit::sign;
use crate::unit::{
    Category, Decimal, ExchangeTime, Intent, LinkPrefix, OrderLinkId, Price, Quantity, Ratio, Side, SignalId, Text,
    decimal,
};
use alloc::boxed::Box;
use alloc::format;
use alloc::string::ToString as _;
use alloc::vec::Vec;
use proptest::prelude::*;

const OPERATIONS: [Operation; 11] = [
    Operation::Create,
    Operation::Cancel,
    Operation::Amend,
    Operation::OpenOrders,
    Operation::OrderHistory,
    Operation::Executions,
    Operation::Instruments,
    Operation::Wallet,
    Operation::Positions,
    Operation::Tickers,
    Operation::ServerTime,
];
const LINK: &str = "om00000000000000000000070000";

fn number(text: &str) -> Decimal {
    decimal::parse(text).unwrap()
}

fn text<const N: usize>(text: &str) -> Text<N> {
    Text::new(text).unwrap()
}

fn link() -> OrderLinkId {
    let link = OrderLinkId::of(LinkPrefix::new("om").unwrap(), Intent { signal: SignalId(7), leg: 0, attempt: 0 });
    assert_eq!(link.as_str(), LINK);
    link
}

fn create(category: Category, kind: OrderKind) -> Create {
    Create {
        category,
        symbol: text("BTCUSDT"),
        side: Side::Buy,
        kind,
        quantity: Quantity(number("0.001")),
        reduce_only: false,
        position_idx: 0,
        link: link(),
    }
}

fn limit(price: &str, time_in_force: TimeInForce) -> OrderKind {
    OrderKind::Limit { price: Price(number(price)), time_in_force }
}

fn market(slippage: Option<&str>) -> OrderKind {
    OrderKind::Market { slippage: slippage.map(|s| Ratio(number(s))) }
}

fn body(create: Create) -> String {
    let http = encode(&Request::Create(create));
    assert_eq!((http.method, http.path, http.query.as_str()), (Method::Post, "/v5/order/create", ""));
    assert_eq!(http.payload(), http.body);
    assert!(http.is_private());
    http.body
}

#[test]
fn a_create_is_byte_for_byte_the_body_of_the_vector_of_1_2() {
    let sent = body(create(Category::Linear, limit("50000", TimeInForce::Gtc))).replace(LINK, "om-0001");
    assert_eq!(
        sent,
        r#"{"category":"linear","symbol":"BTCUSDT","side":"Buy","orderType":"Limit","qty":"0.001","price":"50000","timeInForce":"GTC","positionIdx":0,"orderLinkId":"om-0001"}"#
    );
    let signature = sign::request(b"test_secret", ExchangeTime(1_700_000_000_000), "test_api_key", 5000, &sent);
    assert_eq!(signature.as_str(), "61b27801813aa5030a26fe8a6dae50c1313c6a6474e6e6a737a6824872d24dcd");
}

#[test]
fn d5_a_market_order_is_immediate_with_its_slippage_in_percent() {
    assert_eq!(
        body(create(Category::Linear, market(Some("0.005")))).replace(LINK, "L"),
        r#"{"category":"linear","symbol":"BTCUSDT","side":"Buy","orderType":"Market","qty":"0.001","timeInForce":"IOC","slippageToleranceType":"Percent","slippageTolerance":"0.50","positionIdx":0,"orderLinkId":"L"}"#
    );
    for (slippage, percent) in [
        ("0.0001", "0.01"),
        ("0.1", "10.00"),
        ("0.012399", "1.23"),
        ("0.00001", "0.01"),
        ("0.5", "10.00"),
        ("-1", "0.01"),
    ] {
        let sent = body(create(Category::Linear, market(Some(slippage))));
        assert!(sent.contains(&format!(r#""slippageTolerance":"{percent}""#)), "{slippage}: {sent}");
    }
    assert!(!body(create(Category::Linear, market(None))).contains("slippage"));
}

#[test]
fn d9_reduce_only_and_position_side_go_along_on_linear_only() {
    let reducing =
        |category| Create { reduce_only: true, position_idx: 2, ..create(category, limit("1", TimeInForce::PostOnly)) };
    let sent = body(reducing(Category::Linear));
    assert!(sent.contains(r#""timeInForce":"PostOnly","positionIdx":2,"reduceOnly":true,"#), "{sent}");
    let sent = body(reducing(Category::Spot));
    assert!(!sent.contains("reduceOnly") && !sent.contains("positionIdx"), "{sent}");
}

#[test]
fn d11_a_spot_market_order_says_that_its_quantity_is_base_units() {
    assert!(body(create(Category::Spot, market(None))).contains(r#""qty":"0.001","marketUnit":"baseCoin""#));
    assert!(!body(create(Category::Linear, market(None))).contains("marketUnit"));
    assert!(!body(create(Category::Spot, limit("1", TimeInForce::Fok))).contains("marketUnit"));
}

#[test]
fn cancel_and_amend_name_the_order_by_our_id() {
    let (category, symbol) = (Category::Linear, text("BTCUSDT"));
    let http = encode(&Request::Cancel(Cancel { category, symbol, link: link(), order_id: None }));
    assert_eq!(http.path, "/v5/order/cancel");
    assert_eq!(http.body, format!(r#"{{"category":"linear","symbol":"BTCUSDT","orderLinkId":"{LINK}"}}"#));
    let amend = Amend { category, symbol, link: link(), price: None, quantity: Some(Quantity(number("1e-3"))) };
    let http = encode(&Request::Amend(amend));
    assert_eq!(http.path, "/v5/order/amend");
    assert_eq!(
        http.body,
        format!(r#"{{"category":"linear","symbol":"BTCUSDT","orderLinkId":"{LINK}","qty":"0.001"}}"#)
    );
    let http = encode(&Request::Amend(Amend { price: Some(Price(number("30000.50"))), quantity: None, ..amend }));
    assert!(http.body.ends_with(r#","price":"30000.5"}"#), "{}", http.body);
}

fn order_query() -> OrderQuery {
    OrderQuery {
        category: Category::Linear,
        symbol: None,
        settle_coin: Some(text("USDT")),
        link: None,
        order_id: None,
        start: Some(ExchangeTime(1)),
        end: Some(ExchangeTime(2)),
        limit: 50,
        cursor: None,
    }
}

#[test]
fn queries_carry_what_their_endpoint_takes() {
    let symbol = text("BTCUSDT");
    let category = Category::Linear;
    let one = OrderQuery { symbol: Some(symbol), link: Some(link()), order_id: Some(text("a b")), ..order_query() };
    let by_link = OrderQuery { order_id: None, ..one.clone() };
    let executions = ExecutionQuery {
        category,
        symbol: None,
        link: Some(link()),
        order_id: None,
        start: Some(ExchangeTime(1)),
        end: None,
        limit: 100,
        cursor: None,
    };
    let positions = |symbol, coin| Request::Positions { category, symbol, settle_coin: coin, cursor: None };
    for (request, target) in [
        (Request::OpenOrders(order_query()), "/v5/order/realtime?category=linear&settleCoin=USDT&limit=50".to_string()),
        (
            Request::OpenOrders(one),
            "/v5/order/realtime?category=linear&symbol=BTCUSDT&orderId=a%20b&limit=50".to_string(),
        ),
        (
            Request::OpenOrders(by_link),
            format!("/v5/order/realtime?category=linear&symbol=BTCUSDT&orderLinkId={LINK}&limit=50"),
        ),
        (
            Request::OrderHistory(order_query()),
            "/v5/order/history?category=linear&settleCoin=USDT&startTime=1&endTime=2&limit=50".to_string(),
        ),
        (
            Request::OpenOrders(OrderQuery { category: Category::Spot, ..order_query() }),
            "/v5/order/realtime?category=spot&limit=50".to_string(),
        ),
        (
            Request::Executions(executions),
            format!("/v5/execution/list?category=linear&orderLinkId={LINK}&startTime=1&limit=100"),
        ),
        (Request::Wallet, "/v5/account/wallet-balance?accountType=UNIFIED".to_string()),
        (
            positions(Some(symbol), Some(text("USDT"))),
            "/v5/position/list?category=linear&symbol=BTCUSDT&limit=200".to_string(),
        ),
        (
            positions(None, Some(text("USDT"))),
            "/v5/position/list?category=linear&settleCoin=USDT&limit=200".to_string(),
        ),
    ] {
        let http = encode(&request);
        assert_eq!((http.target(), http.method, http.is_private()), (target, Method::Get, true));
        assert_eq!((http.payload(), http.body.as_str()), (http.query.as_str(), ""));
    }
    for (request, target) in [
        (Request::Instrument { category, symbol }, "/v5/market/instruments-info?category=linear&symbol=BTCUSDT"),
        (Request::Ticker { category, symbol }, "/v5/market/tickers?category=linear&symbol=BTCUSDT"),
        (Request::ServerTime, "/v5/market/time"),
    ] {
        let http = encode(&request);
        assert_eq!((http.target().as_str(), http.is_private()), (target, false));
    }
}

#[test]
fn cursors_go_as_they_came_and_are_encoded_where_they_came_plain() {
    for (cursor, sent) in [
        ("page_token%3D39380%26", "cursor=page_token%3D39380%26&"),
        ("132766%3A2%2C132766%3A2", "cursor=132766%3A2%2C132766%3A2&"),
        ("page_token=1&x", "cursor=page_token%3D1%26x&"),
        ("50%", "cursor=50%25&"),
        ("%zz", "cursor=%25zz&"),
        ("%4", "cursor=%254&"),
        ("ä", "cursor=%C3%A4&"),
        ("", "linear&limit"),
    ] {
        let query = ExecutionQuery {
            category: Category::Linear,
            symbol: None,
            link: None,
            order_id: None,
            start: None,
            end: None,
            limit: 50,
            cursor: Some(Box::new(text(cursor))),
        };
        let http = encode(&Request::Executions(query));
        assert!(http.query.contains(sent), "{cursor}: {}", http.query);
        if cursor.starts_with("page_token%") {
            let signature =
                sign::request(b"test_secret", ExchangeTime(1_700_000_000_000), "test_api_key", 5000, http.payload());
            assert_eq!(signature.as_str(), "1291989abd2118604e07b855711dcdecf2453af3ae6b3f3ce7ce74646ec2d41c");
        }
    }
}

fn answer(operation: Operation, body: &str) -> ApiReply {
    decode(operation, 200, LimitHeaders::default(), body.as_bytes())
}

fn unreadable(operation: Operation, body: &str) -> String {
    match answer(operation, body).result {
        Err(ApiError::Unreadable(why)) => why.to_string(),
        other => panic!("{body}: {other:?}"),
    }
}

fn list(rows: &[&str]) -> String {
    format!(
        r#"{{"retCode":0,"retMsg":"OK","result":{{"list":[{}],"nextPageCursor":"a%3Db","category":"linear"}},"retExtInfo":{{}},"time":1672211918471}}"#,
        rows.join(",")
    )
}

#[test]
fn an_acknowledgement_needs_its_id_f14() {
    let ack = r#"{"retCode":0,"retMsg":"OK","result":{"orderId":"1321003749386327552","orderLinkId":"spot-test-postonly"},"retExtInfo":{},"time":1672211918471}"#;
    for operation in [Operation::Create, Operation::Cancel, Operation::Amend] {
        let limits = LimitHeaders { limit: Some(10), remaining: Some(9), reset: None };
        let reply = decode(operation, 200, limits, ack.as_bytes());
        assert_eq!((reply.time, reply.limits), (Some(ExchangeTime(1_672_211_918_471)), limits));
        let Ok(Reply::Ack { order_id, link }) = reply.result else { panic!("{reply:?}") };
        assert_eq!((order_id.as_str(), link.unwrap().as_str()), ("1321003749386327552", "spot-test-postonly"));
        for (body, why) in [
            (r#"{"retCode":0,"result":{"orderId":"","orderLinkId":"x"}}"#, "orderId is missing"),
            (r#"{"retCode":0,"result":{"orderLinkId":"x"}}"#, "orderId is missing"),
            (r#"{"retCode":0,"result":{}}"#, "orderId is missing"),
            (r#"{"retCode":0,"result":null}"#, "result is missing"),
            (r#"{"retCode":0}"#, "result is missing"),
            (r#"{"retMsg":"OK"}"#, "retCode is missing"),
            (r#"{"retCode":"x"}"#, "retCode is not a whole number: \"x\""),
            ("[]", "body is not an object: \"[]\""),
            ("<html>", "body is not an object: \"<html>\""),
            ("", "body is not an object: \"\""),
        ] {
            assert_eq!(unreadable(operation, body), why, "{body}");
        }
    }
    assert!(unreadable(Operation::Create, &ack[..60]).starts_with("body is not JSON: "));
}

#[test]
fn refusals_are_told_by_their_code_in_every_envelope_of_1_3() {
    for body in [
        r#"{"retCode":110007,"retMsg":"ab not enough for new order","result":{},"retExtInfo":{},"time":1700000000123}"#,
        r#"{"retCode":110007,"retMsg":"ab not enough for new order","result":null}"#,
        r#"{"retCode":"110007","retMsg":"ab not enough for new order"}"#,
    ] {
        let Err(ApiError::Code { code, message }) = answer(Operation::Create, body).result else { panic!("{body}") };
        assert_eq!((code, message.as_str()), (110007, "ab not enough for new order"));
    }
    let long = format!(r#"{{"retCode":10004,"retMsg":"{}"}}"#, "x".repeat(5_000));
    let Err(ApiError::Code { message, .. }) = answer(Operation::Create, &long).result else { panic!() };
    assert_eq!(message.as_str().len(), 160);
    let odd = answer(Operation::Create, r#"{"retCode":10006,"retMsg":[],"time":"soon"}"#);
    assert!(matches!(odd.result, Err(ApiError::Code { code: 10006, .. })) && odd.time.is_none());
}

#[test]
fn a_status_other_than_200_wins_over_its_body() {
    let reply = decode(Operation::Create, 502, LimitHeaders::default(), br#"{"retCode":0,"result":{"orderId":"1"}}"#);
    assert_eq!(reply.result, Err(ApiError::Status(502)));
}

#[test]
fn every_list_reads_its_rows() {
    let orders = list(&[samples::ORDER, samples::ORDER_CANCELLED, samples::ORDER_POST_ONLY]);
    for operation in [Operation::OpenOrders, Operation::OrderHistory] {
        let Ok(Reply::Orders(page)) = answer(operation, &orders).result else { panic!() };
        assert_eq!((page.rows.len(), page.bad.len()), (3, 0));
        assert_eq!(page.cursor.unwrap().as_str(), "a%3Db");
    }
    let Ok(Reply::Executions(page)) = answer(Operation::Executions, &list(&[samples::EXECUTION])).result else {
        panic!()
    };
    assert_eq!((page.rows.len(), page.bad.len()), (1, 0));
    let instruments = list(&[samples::INSTRUMENT_LINEAR, samples::INSTRUMENT_SPOT]);
    let Ok(Reply::Instruments(page)) = answer(Operation::Instruments, &instruments).result else { panic!() };
    assert_eq!((page.rows.len(), page.bad.len()), (2, 0));
    let positions = list(&[samples::POSITION, samples::POSITION_FLAT]);
    let Ok(Reply::Positions(page)) = answer(Operation::Positions, &positions).result else { panic!() };
    assert_eq!((page.rows.len(), page.bad.len()), (2, 0));
    let tickers = list(&[samples::TICKER_SPOT, samples::TICKER_LINEAR]);
    let Ok(Reply::Tickers(page)) = answer(Operation::Tickers, &tickers).result else { panic!() };
    assert_eq!((page.rows.len(), page.bad.len()), (2, 0));
    let Ok(Reply::Wallet(wallet)) = answer(Operation::Wallet, &list(&[samples::WALLET])).result else { panic!() };
    assert_eq!(wallet.coins.len(), 1);
    assert_eq!(unreadable(Operation::Wallet, &list(&[])), "list is empty");
}

#[test]
fn server_time_is_in_microseconds() {
    for (result, micros) in [
        (r#"{"timeSecond":"1688639403","timeNano":"1688639403423213947"}"#, 1_688_639_403_423_213),
        (r#"{"timeSecond":"1688639403","timeNano":""}"#, 1_688_639_403_000_000),
    ] {
        let reply = answer(Operation::ServerTime, &format!(r#"{{"retCode":0,"result":{result}}}"#));
        assert_eq!(reply.result, Ok(Reply::ServerTime(micros)));
    }
    assert_eq!(unreadable(Operation::ServerTime, r#"{"retCode":0,"result":{}}"#), "timeNano is missing");
}

/// A page of every kind of row, with a window of it overwritten.
fn damaged() -> impl Strategy<Value = Vec<u8>> {
    let pages: Vec<String> = [
        samples::ORDER,
        samples::ORDER_CANCELLED,
        samples::EXECUTION,
        samples::INSTRUMENT_LINEAR,
        samples::INSTRUMENT_SPOT,
        samples::WALLET,
        samples::POSITION,
        samples::TICKER_SPOT,
    ]
    .iter()
    .map(|row| list(&[row]))
    .collect();
    let splice = prop_oneof![
        prop::collection::vec(any::<u8>(), 0..8),
        prop::sample::select(alloc::vec![
            "null",
            "\"\"",
            "{}",
            "[]",
            "-1",
            "1e400",
            "1e-400",
            "99999999999999999999999999999999",
            "\"\\ud800\"",
            "true",
            "\\",
            "\"",
            ",",
            ":",
            "[[[[",
        ])
        .prop_map(|s| s.as_bytes().to_vec()),
    ];
    (prop::sample::select(pages), any::<prop::sample::Index>(), 0_usize..12, splice).prop_map(
        |(page, at, len, splice)| {
            let mut bytes = page.into_bytes();
            let at = at.index(bytes.len());
            let end = at.saturating_add(len).min(bytes.len());
            bytes.splice(at..end, splice);
            bytes
        },
    )
}

proptest! {
    #[test]
    fn nothing_that_arrives_panics(bytes in prop::collection::vec(any::<u8>(), 0..200), status in 199_u16..203) {
        for operation in OPERATIONS {
            let _ = decode(operation, status, LimitHeaders::default(), &bytes);
        }
    }

    #[test]
    fn nothing_damaged_panics_or_turns_into_another_reply(bytes in damaged()) {
        for operation in OPERATIONS {
            let reply = decode(operation, 200, LimitHeaders::default(), &bytes);
            let kind_fits = match reply.result {
                Err(_) => true,
                Ok(Reply::Ack { order_id, .. }) => operation.mutates() && !order_id.is_empty(),
                Ok(_) => !operation.mutates(),
            };
            prop_assert!(kind_fits);
        }
    }

    /// What is sent is JSON or a query, whatever is in the texts.
    #[test]
    fn what_is_encoded_can_be_read_again(symbol in "\\PC{0,6}", order_id in "[\\x00-\\x7f]{0,20}") {
        let cancel = Cancel { category: Category::Linear, symbol: Text::clipped(&symbol), link: link(), order_id: None };
        let body = encode(&Request::Cancel(cancel)).body;
        let json: serde_json::Value = serde_json::from_str(&body).unwrap();
        prop_assert_eq!(json["symbol"].as_str(), Some(cancel.symbol.as_str()));
        let query = OrderQuery { order_id: Some(text(&order_id)), ..order_query() };
        let sent = encode(&Request::OpenOrders(query)).query;
        prop_assert_eq!(sent.matches('&').count(), 3, "{}", sent);
        prop_assert!(sent.bytes().all(|b| b.is_ascii_graphic()));
    }
}
