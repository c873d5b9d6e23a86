use super::fakes::gateway::{Gateway, HEALTH, KEY, LIST, SUBSCRIBE, SYNC};
use super::fakes::server::Planned;
use super::reach;
use crate::neighbours::WsGateway;
use crate::neighbours::ws_gateway::GatewayError;
use std::time::Duration;

fn client(fake: &Gateway) -> WsGateway {
    WsGateway::new(reach(&fake.server, KEY), "order-manager".to_owned()).unwrap()
}

fn detail(status: u16) -> Planned {
    let body = r#"{"detail":{"error":"Subscription failed","code":"SUBSCRIPTION_ERROR","details":{}}}"#;
    Planned::Answer(status, body.to_owned())
}

#[tokio::test]
async fn t2_subscribing_twice_leaves_one_row_for_every_symbol() {
    let fake = Gateway::start().await;
    let client = client(&fake);
    assert_eq!(client.is_subscribed().await, Ok(false));
    client.subscribe().await.unwrap();
    client.subscribe().await.unwrap();
    assert_eq!(client.is_subscribed().await, Ok(true));
    let rows = fake.known().rows.clone();
    assert_eq!((rows.len(), &rows[0]["symbol"]), (1, &"*".into()));
    let asked = fake.server.asked();
    assert_eq!(asked[0].query, "requesting_service=order-manager&channel_type=order&is_active=true");
    let body: serde_json::Value = serde_json::from_str(&asked[1].body).unwrap();
    let expected = serde_json::json!({"channel_type":"order","symbol":"*","requesting_service":"order-manager"});
    assert_eq!(body, expected);
}

#[tokio::test]
async fn t2_201_is_a_success_and_409_is_one_where_the_row_is_there() {
    let fake = Gateway::start().await;
    let client = client(&fake);
    fake.server.plan(SUBSCRIBE, Planned::Answer(201, "{}".to_owned()));
    client.subscribe().await.unwrap();
    fake.server.plan(SUBSCRIBE, detail(409));
    let said = "Subscription failed (SUBSCRIPTION_ERROR)".to_owned();
    assert_eq!(client.subscribe().await, Err(GatewayError::Refused { status: 409, said }));
    client.subscribe().await.unwrap();
    fake.server.plan(SUBSCRIBE, detail(409));
    client.subscribe().await.unwrap();
    // Another's row, or one that is not active, is none of ours.
    fake.known().rows[0]["requesting_service"] = "feature-service".into();
    assert_eq!(client.is_subscribed().await, Ok(false));
    let all = serde_json::json!({ "subscriptions": fake.known().rows, "total": 1 });
    fake.server.plan(LIST, Planned::Answer(200, all.to_string()));
    assert_eq!(client.is_subscribed().await, Ok(false), "though the filter was ignored");
}

#[tokio::test]
async fn t2_every_refusal_is_told_in_its_own_words() {
    let fake = Gateway::start().await;
    let client = client(&fake);
    let inactive = r#"{"channel_type":"order","requesting_service":"order-manager","is_active":false}"#;
    for (status, body, expected) in [
        (400, r#"{"detail":{"error":"bad","code":"VALIDATION_ERROR"}}"#, "answered 400: bad (VALIDATION_ERROR)"),
        (422, r#"{"detail":[{"loc":["body"],"msg":"field required"}]}"#, "answered 422: {\"detail\":[{\"loc\""),
        (500, r#"{"detail":"Internal Server Error"}"#, "answered 500: Internal Server Error"),
        (500, "<html>\nno</html>", "answered 500: <html> no</html>"),
        (503, r#"{"error":"key gateway-key is bad"}"#, "answered 503: key (our key) is bad"),
        (302, "", "answered 302: "),
        (200, inactive, "is not active"),
    ] {
        fake.server.plan(SUBSCRIBE, Planned::Answer(status, body.to_owned()));
        let said = client.subscribe().await.unwrap_err().to_string();
        assert!(said.contains(expected), "{said}");
    }
    fake.server.plan(LIST, Planned::Answer(200, "[]".to_owned()));
    assert!(matches!(client.is_subscribed().await, Err(GatewayError::Unreadable(_))));
}

#[tokio::test]
async fn a2_a_refused_key_is_named_and_not_shown() {
    let fake = Gateway::start().await;
    let client = WsGateway::new(reach(&fake.server, "the-secret"), "order-manager".to_owned()).unwrap();
    let error = client.subscribe().await.unwrap_err();
    let said = format!("{error} {error:?} {client:?}");
    assert!(said.contains("WS_GATEWAY_API_KEY") && !said.contains("the-secret"), "{said}");
}

#[tokio::test]
async fn t2_a_part_of_its_health_that_is_down_is_named() {
    let fake = Gateway::start().await;
    let client = client(&fake);
    assert_eq!(client.check().await, Ok(()));
    fake.known().queue = false;
    assert_eq!(client.check().await, Err(GatewayError::Deaf("its broker")));
    fake.known().database = false;
    assert_eq!(client.check().await, Err(GatewayError::Deaf("its database")));
    fake.known().websocket = false;
    assert_eq!(client.check().await, Err(GatewayError::Deaf("its socket to Bybit")));
    fake.server.plan(HEALTH, Planned::Answer(200, r#"{"status":"healthy","websocket_connected":true}"#.to_owned()));
    assert_eq!(client.check().await, Ok(()), "what it does not mention works");
}

#[tokio::test]
async fn a_gateway_that_does_not_answer_is_given_up() {
    let mut fake = Gateway::start().await;
    let (neighbour, timeout) = (reach(&fake.server, KEY), Duration::from_millis(200));
    let client = WsGateway::with_timeout(neighbour, "order-manager".to_owned(), timeout).unwrap();
    fake.server.plan(SYNC, Planned::Silence);
    let said = client.sync_balances().await.unwrap_err().to_string();
    assert!(said.starts_with("ws-gateway did not answer"), "{said}");
    fake.server.stop().await;
    let said = client.sync_balances().await.unwrap_err().to_string();
    assert!(said.starts_with("ws-gateway cannot be reached") && !said.contains("127.0.0.1/"), "{said}");
}
