//! What goes wrong around the exchange, over sockets: what a server can do it does, the rest it refuses by name.

use super::client::*;
use order_manager_sim::scenario;
use serde_json::json;

#[tokio::test]
async fn a_reset_a_silence_and_a_ban() {
    let served = serve(|_| {}).await;
    let mut stream = Stream::private(served.http, &["order", "execution"]).await;
    control(served.http, "/sim/fault", r#"{"reset": "reply", "of": "create"}"#).await;
    assert!(create(served.http, &resting("om-1")).await.is_err(), "no reply");
    assert_eq!(stream.hear().await.expect("a push")["topic"], "order", "it rests");
    control(served.http, "/sim/fault", r#"{"reset": "request", "of": "create"}"#).await;
    assert!(create(served.http, &resting("om-2")).await.is_err(), "no reply");
    let orders = &truth(served.http).await["orders"];
    assert_eq!((&orders["om-1"]["creates_accepted"], orders.get("om-2")), (&json!(1), None));

    control(served.http, "/sim/silence", r#"{"of": "order", "length": "10s"}"#).await;
    create(served.http, &market("om-3")).await.expect("a reply");
    assert_eq!(stream.hear().await.expect("a push")["topic"], "execution", "the order push vanished");

    control(served.http, "/sim/ban", r#""1m""#).await;
    assert_eq!(create(served.http, &resting("om-4")).await.expect("a reply").status, 403);
    assert_eq!(truth(served.http).await["orders"].get("om-4"), None);
}

#[tokio::test]
async fn a_stream_that_reconnects_is_cut_and_let_in_again() {
    let served = serve(|_| {}).await;
    let mut stream = Stream::private(served.http, &["order"]).await;
    control(served.http, "/sim/reconnect", r#"{"fails": 0}"#).await;
    assert!(stream.hear().await.is_none(), "cut");
    Stream::private(served.http, &["order"]).await;
    control(served.http, "/sim/reconnect", r#"{"fails": 60, "every": "1s"}"#).await;
    assert!(Stream::open(served.http, "/v5/private").await.is_none(), "not yet");
}

#[tokio::test]
async fn what_a_server_cannot_do_it_refuses_by_name() {
    let served = serve(|_| {}).await;
    for (fault, why) in [
        (r#"{"refuse": "request"}"#, "cannot refuse one connection"),
        (r#"{"reset": "request", "by": "3s"}"#, "write `reset` without `by`"),
        (r#"{"reorder": "push"}"#, "write `delay` with `by`"),
        (r#"{"reset": "push"}"#, "it happens to `request` or `reply`"),
        (r#"{"refuse": "reply"}"#, "it happens to `request`"),
    ] {
        let reply = post(served.http, "/sim/fault", fault).await.expect("a reply");
        assert_eq!(reply.status, 400, "{fault}");
        assert!(reply.json()["error"].as_str().is_some_and(|error| error.contains(why)), "{:?}", reply.json());
    }
    // The words of the manager's own side are not the exchange's.
    for (word, value) in [
        ("pause", json!("40s")),
        ("clock", json!({ "drift": 200 })),
        ("broker", json!({ "do": "redeliver" })),
        ("commit", json!({ "do": "slow" })),
        ("checkpoint", json!(true)),
        ("checkpoint_every", json!(100)),
        ("crash", json!({ "at": "after-persist", "loss": "torn" })),
    ] {
        let action = scenario::action_of(word, &value).unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(served.handle().act(&action), Err("this step does not concern the exchange".into()), "{word}");
        let reply = post(served.http, &format!("/sim/{word}"), &value.to_string()).await.expect("a reply");
        assert_eq!((reply.status, reply.json()["error"].is_string()), (404, true), "{word}");
    }
}
