use super::*;
use crate::desk::Health;

fn keys_of(json: &Value) -> Vec<&str> {
    json.as_object().unwrap().keys().map(String::as_str).collect()
}

#[tokio::test]
async fn a1_health_is_always_200_with_grafanas_five_keys() {
    let api = api();
    let good = [(true, true, None), (true, true, Some(true))];
    let bad = [(true, false, None), (false, true, None), (false, false, Some(true)), (true, true, Some(false))];
    for (store, accepting, broker) in good.into_iter().chain(bad) {
        *api.desk.health.lock().unwrap() = Health { store, accepting, broker, ..Health::default() };
        let reply = api.send(request("GET", "/health", &[], "")).await;
        assert_eq!(reply.status, 200);
        let mut keys = keys_of(&reply.json);
        keys.sort_unstable();
        assert_eq!(keys, ["database_connected", "queue_connected", "service", "status", "timestamp"]);
        let status = if good.contains(&(store, accepting, broker)) { "healthy" } else { "unhealthy" };
        assert_eq!(reply.json["status"], status);
        assert_eq!(reply.json["service"], "order-manager");
        assert_eq!(reply.json["database_connected"], store);
        assert_eq!(reply.json["queue_connected"], broker != Some(false));
        assert!(reply.json["timestamp"].as_str().unwrap().ends_with('Z'));
        assert_eq!(reply.header("x-trace-id").len(), 36, "open routes are traced too");
    }
}

#[tokio::test]
async fn t6_live_while_the_store_is_down_but_not_ready() {
    let api = api();
    *api.desk.health.lock().unwrap() = Health {
        store: false,
        exchange: true,
        stream: true,
        ready: true,
        accepting: false,
        broker: None,
        gateway: Some(false),
    };
    let live = api.send(request("GET", "/live", &[], "")).await;
    assert_eq!((live.status, &live.json["status"]), (200, &"healthy".into()));
    let ready = api.send(request("GET", "/ready", &[], "")).await;
    assert_eq!((ready.status, &ready.json["status"]), (503, &"not_ready".into()));
    let dependencies = &ready.json["dependencies"];
    assert_eq!((&dependencies["database"], &dependencies["bybit_api"]), (&"unavailable".into(), &"available".into()));
    for key in ["rabbitmq", "ws_gateway", "private_stream", "intake"] {
        assert!(dependencies[key].is_string(), "{key}");
    }
}

#[tokio::test]
async fn t1_ready_when_restored_and_reconciled() {
    let api = api();
    let ready = api.send(request("GET", "/ready", &[], "")).await;
    assert_eq!((ready.status, &ready.json["status"]), (200, &"ready".into()));
    assert_eq!(ready.json["dependencies"]["rabbitmq"], "not_configured");
    api.desk.health.lock().unwrap().broker = Some(false);
    let ready = api.send(request("GET", "/ready", &[], "")).await;
    assert_eq!((ready.status, &ready.json["dependencies"]["rabbitmq"]), (503, &"unavailable".into()));
    api.desk.health.lock().unwrap().broker = Some(true);
    let ready = api.send(request("GET", "/ready", &[], "")).await;
    assert_eq!((ready.status, &ready.json["dependencies"]["rabbitmq"]), (200, &"available".into()));
    api.desk.health.lock().unwrap().ready = false;
    assert_eq!(api.send(request("GET", "/ready", &[], "")).await.status, 503);
}
