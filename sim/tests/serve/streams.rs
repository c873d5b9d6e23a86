//! The streams (bybit-v5.md 4.1 to 4.3, 6.1).

use super::client::*;
use serde_json::{Value, json};
use std::time::Duration;

#[tokio::test]
async fn a_create_is_pushed_as_order_execution_position_and_wallet() {
    let served = serve(|_| {}).await;
    let mut stream = Stream::private(served.http, &["order", "execution", "position", "wallet"]).await;
    let ack = create(served.http, &market("om-1")).await.expect("a reply").json();
    let pushes = stream.until("wallet").await;
    let of = |topic: &str| pushes.iter().find(|push| push["topic"] == topic).map(|push| &push["data"][0]);
    let order = of("order").expect("an order push");
    assert_eq!(order["orderId"], ack["result"]["orderId"]);
    assert_eq!((&order["orderStatus"], &order["orderLinkId"]), (&json!("Filled"), &json!("om-1")));
    let execution = of("execution").expect("an execution push");
    assert_eq!((&execution["execQty"], &execution["orderLinkId"]), (&json!("0.010"), &json!("om-1")));
    assert_eq!(of("position").expect("a position push")["size"], "0.01");
    assert!(pushes.iter().all(|push| push["creationTime"].is_u64() && push["id"].is_string()));
}

#[tokio::test]
async fn a_categorised_topic_pushes_under_its_own_name() {
    let served = serve(|_| {}).await;
    let mut stream = Stream::private(served.http, &["order.linear", "execution.linear"]).await;
    create(served.http, &market("om-1")).await.expect("a reply");
    let pushes = stream.until("execution.linear").await;
    assert!(pushes.iter().all(|push| push["topic"].as_str().is_some_and(|topic| topic.ends_with(".linear"))));
}

/// No snapshot, no replay: what happened before is not told (4.2).
#[tokio::test]
async fn a_subscription_begins_with_what_changes_next() {
    let served = serve(|_| {}).await;
    let mut first = Stream::private(served.http, &["wallet"]).await;
    create(served.http, &market("om-1")).await.expect("a reply");
    first.until("wallet").await;
    let mut second = Stream::private(served.http, &["order", "execution", "position", "wallet"]).await;
    let pong = second.ask(json!({"req_id": "p", "op": "ping"})).await;
    assert_eq!(pong["op"], "pong", "nothing came before it: {pong}");
    create(served.http, &market("om-2")).await.expect("a reply");
    let pushes = second.until("order").await;
    assert_eq!(pushes.last().expect("a push")["data"][0]["orderLinkId"], "om-2");
    // Every connection that subscribed is told.
    first.until("wallet").await;
    let gone = first.ask(json!({"op": "unsubscribe", "args": ["wallet"]})).await;
    assert_eq!((&gone["success"], &gone["op"]), (&json!(true), &json!("unsubscribe")));
    create(served.http, &market("om-3")).await.expect("a reply");
    second.until("wallet").await;
    assert_eq!(first.ask(json!({"op": "ping"})).await["op"], "pong", "it is told nothing more");
}

#[tokio::test]
async fn a_failed_auth_says_why_in_the_shapes_of_4_1_and_ends_the_stream() {
    let served = serve(|_| {}).await;
    let late = now_ms() + 10_000;
    let params = json!({"success": false, "ret_msg": "Params Error"});
    let cases = [
        (auth(KEY, SECRET, now_ms() - 1), &params),
        (json!({"req_id": "a1", "op": "auth", "args": [KEY]}), &params),
        (json!({"req_id": "a1", "op": "auth"}), &params),
        (auth("another", SECRET, late), &json!({"success": false, "retCode": 10003, "retMsg": "Invalid apikey"})),
        (auth(KEY, "another", late), &json!({"success": false, "retCode": 10004, "retMsg": "error sign!"})),
    ];
    for (asked, wanted) in cases {
        let mut stream = Stream::open(served.http, "/v5/private").await.expect("a stream");
        let said = stream.ask(asked).await;
        for (key, value) in wanted.as_object().expect("an object") {
            assert_eq!(&said[key], value, "{said}");
        }
        assert_eq!((&said["op"], &said["req_id"]), (&json!("auth"), &json!("a1")));
        assert_eq!(stream.hear().await, None, "the server hangs up");
    }
    let mut stream = Stream::private(served.http, &["order"]).await;
    assert_eq!(stream.ask(auth(KEY, SECRET, late)).await["retCode"], 20001);
    assert_eq!(stream.ask(json!({"op": "ping"})).await["op"], "pong", "a repeated auth is harmless");
}

#[tokio::test]
async fn a_subscription_can_be_refused() {
    let served = serve(|_| {}).await;
    let mut stream = Stream::open(served.http, "/v5/private").await.expect("a stream");
    let subscribe = |args: Value| json!({"op": "subscribe", "args": args});
    let early = stream.ask(subscribe(json!(["order"]))).await;
    assert_eq!((&early["success"], &early["ret_msg"]), (&json!(false), &json!("error:topic:order needs auth first")));
    let mut witness = Stream::private(served.http, &["order"]).await;
    create(served.http, &market("om-1")).await.expect("a reply");
    witness.until_order("om-1").await;
    assert_eq!(stream.ask(auth(KEY, SECRET, now_ms() + 10_000)).await["success"], true, "and nothing was pushed");
    assert_eq!(stream.ask(subscribe(json!(["order"]))).await["success"], true);
    for (args, words) in [
        (json!(["order"]), "error:already subscribed,topic:order"),
        (json!(["wallet", "wallet"]), "error:already subscribed,topic:wallet"),
        (json!(["execution", "nothing"]), "Invalid topic: nothing"),
        (json!(["execution", "execution.linear"]), "cannot be in one request"),
        (json!([]), "args is empty"),
    ] {
        let said = stream.ask(subscribe(args)).await;
        assert_eq!(said["success"], false, "{said}");
        assert!(said["ret_msg"].as_str().is_some_and(|message| message.contains(words)), "{said}");
    }
    // One bad topic fails its whole request.
    assert_eq!(stream.ask(subscribe(json!(["execution"]))).await["success"], true);
    for rubbish in ["", "{", "[]", r#"{"op":"dance"}"#] {
        stream.say(rubbish.to_owned()).await;
        assert_eq!(stream.hear().await.expect("an answer")["success"], false, "{rubbish}");
    }
}

#[tokio::test]
async fn pongs_have_the_shapes_of_4_1() {
    let served = serve(|_| {}).await;
    let mut private = Stream::open(served.http, "/v5/private").await.expect("a stream");
    let pong = private.ask(json!({"req_id": "100001", "op": "ping"})).await;
    assert_eq!((&pong["op"], &pong["req_id"]), (&json!("pong"), &json!("100001")));
    let stamp: u64 = pong["args"][0].as_str().expect("a text").parse().expect("a time");
    assert!(now_ms().abs_diff(stamp) < 5_000 && pong["conn_id"].is_string() && pong.get("success").is_none());
    let mut public = Stream::open(served.http, "/v5/public/linear").await.expect("a stream");
    let pong = public.ask(json!({"op": "ping"})).await;
    assert_eq!((&pong["op"], &pong["ret_msg"], &pong["success"]), (&json!("ping"), &json!("pong"), &json!(true)));
}

#[tokio::test]
async fn the_public_stream_tells_prices_as_they_change() {
    let served = serve(|_| {}).await;
    let mut stream = Stream::open(served.http, "/v5/public/linear").await.expect("a stream");
    let ack = stream.ask(json!({"op": "subscribe", "args": ["tickers.BTCUSDT"]})).await;
    assert_eq!((&ack["success"], &ack["ret_msg"]), (&json!(true), &json!("subscribe")));
    let snapshot = stream.hear().await.expect("a snapshot");
    assert_eq!((&snapshot["type"], &snapshot["topic"]), (&json!("snapshot"), &json!("tickers.BTCUSDT")));
    assert_eq!(snapshot["data"]["lastPrice"], "60000.00");
    control(served.http, "/sim/price", r#"{"ETHUSDT": "2000"}"#).await;
    control(served.http, "/sim/price", r#"{"BTCUSDT": "60000"}"#).await;
    control(served.http, "/sim/price", r#"{"BTCUSDT": "61000.5"}"#).await;
    let delta = stream.hear().await.expect("a delta");
    assert_eq!((&delta["type"], &delta["data"]["lastPrice"]), (&json!("delta"), &json!("61000.50")), "{delta}");
    assert_eq!(delta["data"]["bid1Price"], "61000.40");
    let bad = stream.ask(json!({"op": "subscribe", "args": ["tickers.NOPE"]})).await;
    assert_eq!(bad["success"], false);
}

#[tokio::test]
async fn a_silent_stream_and_one_that_says_too_much_are_cut() {
    let served = serve(|config| config.limits.idle = Duration::from_millis(30)).await;
    let mut silent = Stream::open(served.http, "/v5/private").await.expect("a stream");
    assert_eq!(silent.hear().await, None);
    let served = serve(|config| config.limits.message_bytes = 1_000).await;
    let mut loud = Stream::open(served.http, "/v5/private").await.expect("a stream");
    loud.say("x".repeat(1_001)).await;
    assert_eq!(loud.hear().await, None);
}

#[tokio::test]
async fn streams_have_a_bound() {
    let served = serve(|config| config.limits.streams = 1).await;
    let first = Stream::open(served.http, "/v5/private").await.expect("a stream");
    assert!(Stream::open(served.http, "/v5/public/linear").await.is_none());
    drop(first);
    let again = async {
        while Stream::open(served.http, "/v5/private").await.is_none() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(PATIENCE, again).await.expect("the place is free again");
}
