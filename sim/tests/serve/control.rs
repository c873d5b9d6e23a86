//! The control plane: faults, cuts, halts, prices.

use super::client::*;
use order_manager_sim::prices::Bar;
use order_manager_sim::serve::Prices;
use serde_json::{Value, json};
use std::num::NonZeroU32;
use std::time::{Duration, Instant};

/// Waits for something to become true.
async fn eventually(what: &str, mut is_true: impl AsyncFnMut() -> bool) {
    let mut ticks = tokio::time::interval(Duration::from_millis(5));
    let all = async {
        while !is_true().await {
            ticks.tick().await;
        }
    };
    tokio::time::timeout(PATIENCE, all).await.unwrap_or_else(|_| panic!("never: {what}"));
}

#[tokio::test]
async fn a_dropped_reply_leaves_an_order_and_a_dropped_request_none() {
    let served = serve(|_| {}).await;
    control(served.http, "/sim/fault", r#"{"drop": "reply", "of": "create", "count": 2}"#).await;
    for link in ["om-1", "om-2"] {
        assert!(create(served.http, &resting(link)).await.is_err(), "no reply");
    }
    assert_eq!(create(served.http, &resting("om-1")).await.expect("a reply").code(), 110072);
    control(served.http, "/sim/fault", r#"{"drop": "request", "of": "create"}"#).await;
    assert!(create(served.http, &resting("om-3")).await.is_err());
    let orders = &truth(served.http).await["orders"];
    assert_eq!(orders["om-1"]["creates_accepted"], 1);
    assert_eq!(orders["om-1"]["creates_received"], 2);
    assert_eq!(orders["om-2"]["creates_accepted"], 1);
    assert_eq!(orders.get("om-3"), None);
}

#[tokio::test]
async fn an_answer_can_be_forced_with_and_without_its_deed() {
    let served = serve(|_| {}).await;
    for (fault, status) in [
        (r#"{"answer": 10016, "of": "create"}"#, 200),
        (r#"{"answer": 503, "of": "create"}"#, 503),
        (r#"{"answer": 10016, "of": "create", "executed": true}"#, 200),
        (r#"{"answer": 502, "of": "create", "executed": true}"#, 502),
    ] {
        control(served.http, "/sim/fault", fault).await;
        let reply = create(served.http, &resting(&format!("om-{status}"))).await.expect("a reply");
        assert_eq!(reply.status, status, "{fault}");
        if status == 200 {
            assert_eq!(reply.code(), 10016);
        }
    }
    let orders = &truth(served.http).await["orders"];
    assert_eq!((&orders["om-200"]["creates_accepted"], &orders["om-200"]["creates_received"]), (&json!(1), &json!(2)));
    assert_eq!((orders.get("om-503"), &orders["om-502"]["creates_accepted"]), (None, &json!(1)));
}

#[tokio::test]
async fn a_doubled_request_is_a_duplicate_at_the_exchange() {
    let served = serve(|_| {}).await;
    control(served.http, "/sim/fault", r#"{"duplicate": "request", "of": "create"}"#).await;
    assert_eq!(create(served.http, &resting("om-1")).await.expect("a reply").code(), 0, "the reply to the first");
    let order = &truth(served.http).await["orders"]["om-1"];
    assert_eq!((&order["creates_received"], &order["creates_accepted"]), (&json!(2), &json!(1)));
}

#[tokio::test]
async fn a_late_request_arrives_though_its_client_has_left() {
    let served = serve(|_| {}).await;
    control(served.http, "/sim/fault", r#"{"delay": "request", "of": "create", "by": "800ms"}"#).await;
    let body = resting("om-1");
    let gave_up = tokio::time::timeout(Duration::from_millis(200), create(served.http, &body)).await;
    assert!(gave_up.is_err());
    assert_eq!(truth(served.http).await["orders"], json!({}));
    eventually("the order", async || truth(served.http).await["orders"]["om-1"]["creates_accepted"] == 1).await;
}

#[tokio::test]
async fn a_late_reply_is_late_and_pushes_can_come_before_it() {
    let served = serve(|_| {}).await;
    control(served.http, "/sim/fault", r#"{"delay": "reply", "of": "create", "by": "80ms"}"#).await;
    let began = Instant::now();
    assert_eq!(create(served.http, &resting("om-1")).await.expect("a reply").code(), 0);
    assert!(began.elapsed() >= Duration::from_millis(80));

    let mut stream = Stream::private(served.http, &["execution"]).await;
    control(served.http, "/sim/fault", r#"{"push_first": true, "of": "create"}"#).await;
    let body = market("om-2");
    let reply = create(served.http, &body);
    tokio::pin!(reply);
    tokio::select! {
        _ = &mut reply => panic!("the reply came first"),
        pushes = stream.until("execution") => assert_eq!(pushes[0]["data"][0]["orderLinkId"], "om-2"),
    }
    assert_eq!(reply.await.expect("a reply").code(), 0);
}

#[tokio::test]
async fn pushes_are_lost_doubled_and_late() {
    let served = serve(|_| {}).await;
    let mut stream = Stream::private(served.http, &["order", "execution"]).await;
    control(served.http, "/sim/fault", r#"{"drop": "push", "of": "order"}"#).await;
    control(served.http, "/sim/fault", r#"{"duplicate": "push", "of": "execution"}"#).await;
    create(served.http, &market("om-1")).await.expect("a reply");
    let first = stream.hear().await.expect("a push");
    assert_eq!(first["topic"], "execution", "the order push is lost");
    assert_eq!(stream.hear().await.expect("a push"), first);
    control(served.http, "/sim/fault", r#"{"delay": "push", "of": "execution", "by": "50ms"}"#).await;
    let began = Instant::now();
    create(served.http, &market("om-2")).await.expect("a reply");
    let topics: Vec<Value> = stream.until("execution").await.iter().map(|push| push["topic"].clone()).collect();
    assert_eq!(topics, ["order", "execution"]);
    assert!(began.elapsed() >= Duration::from_millis(50));
}

#[tokio::test]
async fn a_disconnect_cuts_every_stream_and_down_lets_none_in() {
    let served = serve(|_| {}).await;
    let mut private = Stream::private(served.http, &["order"]).await;
    let mut public = Stream::open(served.http, "/v5/public/linear").await.expect("a stream");
    control(served.http, "/sim/disconnect", "").await;
    assert_eq!((private.hear().await, public.hear().await), (None, None));
    let mut again = Stream::private(served.http, &["order"]).await;
    create(served.http, &resting("om-1")).await.expect("a reply");
    again.until("order").await;

    control(served.http, "/sim/stream", r#""down""#).await;
    assert_eq!(again.hear().await, None);
    assert!(Stream::open(served.http, "/v5/private").await.is_none());
    assert_eq!(create(served.http, &resting("om-2")).await.expect("a reply").code(), 0, "REST goes on");
    control(served.http, "/sim/stream", r#""up""#).await;
    Stream::private(served.http, &["order"]).await;
    control(served.http, "/sim/disconnect", r#"{"for_ms": 400}"#).await;
    assert!(Stream::open(served.http, "/v5/private").await.is_none());
    eventually("a stream", async || Stream::open(served.http, "/v5/private").await.is_some()).await;
}

#[tokio::test]
async fn a_halt_answers_nothing_for_a_while_and_then_everything() {
    let served = serve(|_| {}).await;
    let mut stream = Stream::private(served.http, &["order"]).await;
    let began = Instant::now();
    control(served.http, "/sim/halt", r#"{"ms": 400}"#).await;
    let body = resting("om-1");
    let (reply, during) = tokio::join!(create(served.http, &body), truth(served.http));
    assert_eq!(during["orders"], json!({}), "the control plane answers");
    assert_eq!(reply.expect("a reply").code(), 0);
    stream.until("order").await;
    assert!(began.elapsed() >= Duration::from_millis(400));
}

#[tokio::test]
async fn the_other_steps_of_a_scenario_act_here_too() {
    let served = serve(|_| {}).await;
    control(served.http, "/sim/price", r#"{"BTCUSDT": "50100", "ETHUSDT": "2500"}"#).await;
    control(served.http, "/sim/manual", r#"{"side": "buy", "quantity": "0.1"}"#).await;
    control(served.http, "/sim/liquidity", r#"{"at_best": "0.005"}"#).await;
    control(served.http, "/sim/reject-next", "").await;
    let mut stream = Stream::private(served.http, &["order"]).await;
    create(served.http, &resting("om-1")).await.expect("a reply");
    stream.until_order("om-1").await;
    create(served.http, &market("om-2")).await.expect("a reply");
    stream.until_order("om-2").await;
    let truth = truth(served.http).await;
    assert_eq!((&truth["prices"]["BTCUSDT"], &truth["foreign_orders"]), (&json!("50100"), &json!(1)));
    assert_eq!(truth["orders"]["om-1"]["status"], "Rejected");
    assert_eq!(
        (&truth["orders"]["om-2"]["cum_qty"], &truth["orders"]["om-2"]["status"]),
        (&json!("0.005"), &json!("Cancelled"))
    );
    assert_eq!(truth["positions"]["BTCUSDT"]["size"], "0.105");
}

#[tokio::test]
async fn a_wrong_word_is_answered_with_what_to_write() {
    let served = serve(|_| {}).await;
    let ask = async |method: &str, path: &str, body: &str| {
        let reply = send(served.http, method, path, &[], body).await.expect("a reply");
        (reply.status, reply.json()["error"].as_str().unwrap_or_default().to_owned())
    };
    for (path, body, words) in [
        ("/sim/fault", r#"{"drop": "replay"}"#, "did you mean `reply`?"),
        ("/sim/fault", r#"{"dorp": "reply"}"#, "did you mean `drop`?"),
        ("/sim/fault", r#"{"answer": 200}"#, "is a success"),
        ("/sim/fault", "drop", "is not JSON"),
        ("/sim/price", r#"{"NOPE": "1"}"#, "does not list NOPE"),
        ("/sim/price", r#"{"BTCUSDT": null}"#, "null"),
        ("/sim/halt", "", r#"write {"ms": 500}"#),
        ("/sim/halt", r#"{"sm": 500}"#, r#"write {"ms": 500}"#),
        ("/sim/disconnect", r#"{"ms": 500}"#, r#"write {"for_ms": 500}"#),
    ] {
        let (status, error) = ask("POST", path, body).await;
        assert!(status == 400 && error.contains(words), "{path} {body}: {status} {error}");
    }
    let (status, error) = ask("POST", "/sim/nothing", "").await;
    assert!(status == 404 && error.contains("/sim/truth"), "{error}");
}

#[tokio::test]
async fn bars_are_played_faster_than_they_were_and_the_last_price_stays() {
    let bar = |minute: u64, close: u32| Bar {
        end: order_manager_core::unit::Timestamp(minute * 60_000_000),
        open: price(100),
        high: price(close.max(100)),
        low: price(100),
        close: price(close),
        volume: order_manager_core::unit::Quantity::ZERO,
    };
    fn price(n: u32) -> order_manager_core::unit::Price {
        order_manager_core::unit::Price(n.into())
    }
    let served = serve(|config| {
        config.prices = Prices::Bars {
            symbol: order_manager_core::unit::Symbol::clipped("BTCUSDT"),
            bars: vec![bar(1, 110), bar(2, 120)],
            speed: NonZeroU32::new(2_000).expect("not zero"),
        };
    })
    .await;
    assert_eq!(truth(served.http).await["prices"]["BTCUSDT"], "100", "from the first moment on");
    eventually("the last close", async || truth(served.http).await["prices"]["BTCUSDT"] == "120").await;
}

#[tokio::test]
async fn prices_walk_where_nobody_sets_them() {
    let served = serve(|config| config.prices = Prices::Walk { every: Duration::from_millis(1) }).await;
    eventually("another price", async || truth(served.http).await["prices"]["BTCUSDT"] != "60000").await;
}

#[tokio::test]
async fn shutdown_cuts_everything_and_frees_the_port() {
    let served = serve(|_| {}).await;
    let mut stream = Stream::private(served.http, &["order"]).await;
    let address = served.http;
    served.shutdown().await;
    assert_eq!(stream.hear().await, None);
    let again = serve(|config| config.listen = address).await;
    assert_eq!(get(again.http, "/v5/market/time", "").await.code(), 0);
}
