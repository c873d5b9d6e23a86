//! REST: signatures, times, budgets, pages, market data.

use super::client::*;
use serde_json::{Value, json};
use std::collections::BTreeSet;

#[tokio::test]
async fn a_signed_create_is_acknowledged_and_its_truth_counted() {
    let served = serve(|_| {}).await;
    let mut stream = Stream::private(served.http, &["wallet"]).await;
    let reply = create(served.http, &market("om-1")).await.expect("a reply");
    assert_eq!((reply.status, reply.code()), (200, 0), "{}", reply.json());
    assert_eq!(reply.json()["result"]["orderLinkId"], "om-1");
    assert_eq!((reply.header("x-bapi-limit"), reply.header("x-bapi-limit-status")), (Some("10"), Some("9")));
    assert!(reply.header("x-bapi-limit-reset-timestamp").is_some());
    assert_eq!(reply.header("traceid").map(str::len), Some(32));
    assert!(reply.header("timenow").and_then(|now| now.parse::<u64>().ok()).is_some_and(|ms| ms > 1_700_000_000_000));
    assert!(reply.header("content-type").is_some_and(|mime| mime.starts_with("application/json")));

    // The same id again: refused, and counted as received but not as accepted (2.2).
    assert_eq!(create(served.http, &market("om-1")).await.expect("a reply").code(), 110072);
    stream.until("wallet").await;
    create(served.http, &market("om-2")).await.expect("a reply");
    stream.until("wallet").await;
    let truth = truth(served.http).await;
    let order = &truth["orders"]["om-1"];
    assert_eq!((&order["creates_received"], &order["creates_accepted"]), (&json!(2), &json!(1)), "{truth}");
    assert_eq!((&order["status"], &order["executions"]), (&json!("Filled"), &json!(1)));
    assert_eq!(truth["executions"].as_array().map(Vec::len), Some(2));
    assert_eq!(truth["positions"]["BTCUSDT"]["size"], "0.02");
    assert_ne!(truth["wallet"]["balance"], truth["wallet"]["start"]);
    assert_eq!((&truth["streams"], &truth["foreign_orders"]), (&json!(1), &json!(0)));
}

#[tokio::test]
async fn what_is_not_signed_by_the_account_now_is_refused_as_1_2_says() {
    let served = serve(|_| {}).await;
    let body = market("om-1");
    let now = now_ms();
    let code = async |headers: Vec<(&str, String)>| {
        send(served.http, "POST", "/v5/order/create", &headers, &body).await.expect("a reply").code()
    };
    assert_eq!(code(signed(KEY, "another", now, &body)).await, 10004);
    assert_eq!(code(signed(KEY, SECRET, now, &body.replace(',', ", "))).await, 10004, "other bytes were signed");
    assert_eq!(code(signed("another", SECRET, now, &body)).await, 10003);
    assert_eq!(code(signed(KEY, SECRET, now - 6_000, &body)).await, 10002, "stale");
    assert_eq!(code(signed(KEY, SECRET, now + 3_000, &body)).await, 10002, "from the future");
    let status = async |method: &str, path: &str, headers: &[(&str, String)], body: &str| {
        send(served.http, method, path, headers, body).await.expect("a reply").status
    };
    assert_eq!(status("POST", "/v5/order/create", &[], &body).await, 401);
    assert_eq!(status("POST", "/v5/nothing", &[], "").await, 404);
    assert_eq!(status("GET", "/v5/market/time", &[], "{}").await, 403, "a GET with a body (1.2)");
    assert_eq!(status("PUT", "/v5/order/create", &[], "").await, 400);
    // Who signs rightly but at a wrong time is known to have tried.
    let counts = json!({"om-1": {"creates_received": 2, "creates_accepted": 0}});
    assert_eq!(truth(served.http).await["orders"], counts);
}

#[tokio::test]
async fn more_than_the_budget_is_10006_with_its_headers_as_1_5_says() {
    let served = serve(|config| config.exchange.budgets.create = 2).await;
    let bodies = ["om-1", "om-2", "om-3"].map(resting);
    let [first, second, third] = bodies.each_ref().map(|body| create(served.http, body));
    let (first, second, third) = tokio::join!(first, second, third);
    let replies = [first, second, third].map(|reply| reply.expect("a reply"));
    let refused: Vec<&Reply> = replies.iter().filter(|reply| reply.code() == 10006).collect();
    assert_eq!(refused.len(), 1);
    let headers = ["x-bapi-limit", "x-bapi-limit-status"].map(|name| refused[0].header(name));
    assert_eq!((refused[0].status, headers), (200, [Some("2"), Some("0")]));
    let reset: u64 = refused[0].header("x-bapi-limit-reset-timestamp").expect("a reset").parse().expect("a time");
    let time = refused[0].json()["time"].as_u64().expect("a time");
    assert!(reset > time && reset <= time + 1_000, "{reset} {time}");
    assert_eq!(truth(served.http).await["orders"].as_object().map(serde_json::Map::len), Some(3));
}

/// The cursor goes back exactly as it came (2.10).
#[tokio::test]
async fn pages_hold_every_order_once() {
    let served = serve(|config| config.exchange.delays.realtime_ms = 0).await;
    let mut stream = Stream::private(served.http, &["order"]).await;
    for n in 0..5 {
        assert_eq!(create(served.http, &resting(&format!("om-{n}"))).await.expect("a reply").code(), 0);
        stream.until("order").await;
    }
    let (mut links, mut cursor, mut pages) = (Vec::new(), String::new(), 0);
    loop {
        let query = format!("category=linear&symbol=BTCUSDT&limit=2&cursor={cursor}");
        let reply = get(served.http, "/v5/order/realtime", &query).await.json();
        assert_eq!(reply["retCode"], 0, "{reply}");
        let rows = reply["result"]["list"].as_array().expect("a list").clone();
        links.extend(rows.iter().filter_map(|row| row["orderLinkId"].as_str().map(str::to_owned)));
        cursor = reply["result"]["nextPageCursor"].as_str().expect("a cursor").to_owned();
        pages += 1;
        if cursor.is_empty() || rows.is_empty() {
            break;
        }
    }
    let all: BTreeSet<&String> = links.iter().collect();
    assert_eq!((links.len(), all.len()), (5, 5), "{links:?}");
    assert!(pages >= 3);
    let bad = get(served.http, "/v5/order/realtime", "category=linear&symbol=BTCUSDT&cursor=rubbish").await;
    assert_eq!(bad.code(), 10001);
}

#[tokio::test]
async fn market_data_needs_no_signature() {
    let served = serve(|_| {}).await;
    let mut stream = Stream::private(served.http, &["order"]).await;
    create(served.http, &resting("om-1").replace("50000", "59999.8")).await.expect("a reply");
    stream.until("order").await;
    let ask = async |target: &str| -> Value {
        let reply = send(served.http, "GET", target, &[], "").await.expect("a reply");
        assert_eq!(reply.header("x-bapi-limit"), None, "no budget of the account");
        reply.json()
    };
    let time = ask("/v5/market/time").await;
    let nanos: u64 = time["result"]["timeNano"].as_str().expect("a text").parse().expect("a number");
    assert!(now_ms().abs_diff(nanos / 1_000_000) < 5_000);
    let ticker = ask("/v5/market/tickers?category=linear&symbol=BTCUSDT").await;
    assert_eq!(ticker["result"]["list"][0]["lastPrice"], "60000.00");
    let rules = ask("/v5/market/instruments-info?category=linear&symbol=ETHUSDT").await;
    assert_eq!(rules["result"]["list"][0]["priceFilter"]["tickSize"], "0.01");

    let book = ask("/v5/market/orderbook?category=linear&symbol=BTCUSDT&limit=3").await;
    let result = &book["result"];
    assert_eq!((&book["retCode"], &result["s"]), (&json!(0), &json!("BTCUSDT")), "{book}");
    // Our own resting order stands in the book, at its price, with what others offer there.
    assert_eq!(result["b"], json!([["59999.9", "1000000"], ["59999.8", "1000000.001"], ["59999.7", "1000000"]]));
    assert_eq!(result["a"], json!([["60000.1", "1000000"], ["60000.2", "1000000"], ["60000.3", "1000000"]]));
    for key in ["ts", "u", "seq", "cts"] {
        assert!(result[key].is_u64(), "{key}");
    }
    assert_eq!(ask("/v5/market/orderbook?category=linear&symbol=BTCUSDT").await["result"]["a"][24][0], "60002.5");
    for bad in ["symbol=BTCUSDT&limit=0", "symbol=BTCUSDT&limit=1001", "symbol=NOPE", ""] {
        assert_eq!(ask(&format!("/v5/market/orderbook?category=linear&{bad}")).await["retCode"], 10001, "{bad}");
    }
}

#[tokio::test]
async fn private_queries_answer_in_the_envelope() {
    let served = serve(|_| {}).await;
    for (path, query) in [
        ("/v5/order/history", "category=linear&symbol=BTCUSDT"),
        ("/v5/execution/list", "category=linear"),
        ("/v5/position/list", "category=linear&settleCoin=USDT"),
        ("/v5/account/wallet-balance", "accountType=UNIFIED"),
    ] {
        let reply = get(served.http, path, query).await;
        assert_eq!((reply.code(), reply.header("x-bapi-limit")), (0, Some("50")), "{path}");
        let json = reply.json();
        assert!(json["result"]["list"].is_array() && json["retExtInfo"].is_object() && json["time"].is_u64(), "{json}");
    }
}

#[tokio::test]
async fn a_body_has_a_bound() {
    let served = serve(|config| config.limits.body_bytes = 1_000).await;
    let reply = create(served.http, &"x".repeat(1_001)).await.expect("a reply");
    assert_eq!(reply.status, 413);
    assert_eq!(create(served.http, &"x".repeat(1_000)).await.expect("a reply").code(), 10001);
}
