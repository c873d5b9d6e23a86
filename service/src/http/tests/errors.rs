use super::logs::logged;
use super::*;
use std::sync::atomic::Ordering;

#[tokio::test]
async fn a1_unknown_routes_are_404_with_the_envelope() {
    let api = api();
    for path in ["/api/v1/nope", "/api", "/api/v2/orders", "/", "/metricz", "/api/v1/orders/"] {
        let reply = api.get(path).await;
        assert_eq!((reply.status, reply.code()), (404, "no_such_route"), "{path}");
    }
}

#[tokio::test]
async fn a1_a_wrong_method_is_405_with_allow() {
    let api = api();
    for (method, path, allow) in [
        ("DELETE", "/api/v1/orders", "GET,HEAD"),
        ("GET", "/api/v1/signals", "POST"),
        ("POST", "/api/v1/events", "GET,HEAD"),
        ("PUT", "/health", "GET,HEAD"),
    ] {
        let reply = api.send(request(method, path, &[("x-api-key", "o-key")], "")).await;
        assert_eq!((reply.status, reply.code()), (405, "method_not_allowed"), "{method} {path}");
        assert_eq!(reply.header("allow"), allow, "{method} {path}");
    }
}

#[tokio::test]
async fn t6_a_store_that_cannot_be_read_is_503_and_keeps_its_words() {
    let api = api();
    api.books.down.store(true, Ordering::Relaxed);
    let signal = "/api/v1/signals/11111111-2222-4333-8444-555555555555";
    for path in ["/api/v1/orders", "/api/v1/orders/x", signal, "/api/v1/dead-letters", "/api/v1/events"] {
        let reply = api.get(path).await;
        assert_eq!((reply.status, reply.code(), &reply.error()["type"]), (503, "store_down", &"DatabaseError".into()));
        assert!(!reply.header("retry-after").is_empty() && !reply.text.contains("secret.db"), "{}", reply.text);
    }
}

#[tokio::test(start_paused = true)]
async fn a_store_that_does_not_answer_is_503() {
    let api = api();
    api.books.stalls.store(true, Ordering::Relaxed);
    for path in ["/api/v1/orders", "/api/v1/events?after=0"] {
        let reply = api.get(path).await;
        assert_eq!((reply.status, reply.code()), (503, "timeout"), "{path}");
    }
}

#[tokio::test]
async fn a1_a_handler_that_panics_is_500_with_the_envelope_and_the_trace() {
    let api = api();
    api.desk.panics.store(true, Ordering::Relaxed);
    let reply = api.send(request("GET", "/health", &[("x-trace-id", "mine")], "")).await;
    assert_eq!((reply.status, reply.code(), reply.header("x-trace-id")), (500, "internal_error", "mine"));
    assert_eq!(reply.error()["message"], "An unexpected error occurred");
}

#[tokio::test]
async fn a3_one_line_a_call_and_never_a_key() {
    let api = api();
    let signal = super::fakes::SIGNAL;
    let body = format!(r#"{{"signal_id":"{signal}","signal_type":"buy","asset":"BTCUSDT"}}"#);
    let traced = |key: &'static str, trace: &'static str| [("x-api-key", key), ("x-trace-id", trace)];
    api.send(request("GET", "/api/v1/orders?api_key=r-key&asset=HIDDEN", &[("x-trace-id", "a3-1")], "")).await;
    api.send(request("POST", "/api/v1/signals", &traced("s-key", "a3-2"), &body)).await;
    api.send(request("GET", "/api/v1/orders", &traced("wrong-key", "a3-3"), "")).await;
    let lines: Vec<Value> = logged().iter().map(|line| serde_json::from_str(line).unwrap()).collect();
    let of = |trace: &str| lines.iter().map(|line| &line["fields"]).filter(move |f| f["trace_id"] == trace).collect();
    let fields: Vec<&Value> = ["a3-1", "a3-2", "a3-3"].into_iter().flat_map::<Vec<&Value>, _>(of).collect();
    assert_eq!(fields.len(), 3, "{fields:?}");
    let shown = |at: usize| ["method", "path", "trace_id"].map(|key| fields[at][key].as_str().unwrap_or_default());
    assert_eq!(shown(0), ["GET", "/api/v1/orders", "a3-1"]);
    assert_eq!(shown(1), ["POST", "/api/v1/signals", "a3-2"]);
    assert_eq!((&fields[0]["status"], &fields[0]["key"]), (&200.into(), &"grafana".into()));
    assert_eq!((&fields[1]["status"], &fields[1]["signal_id"]), (&422.into(), &signal.into()));
    assert_eq!(fields[1]["key"], "model", "an error names its caller too");
    assert_eq!((&fields[2]["status"], fields[2].get("key")), (&401.into(), None));
    assert!(fields.iter().all(|fields| fields["latency_ms"].is_u64() && fields["message"] == "request"));
    let all = logged().concat(); // of every test
    for secret in ["r-key", "s-key", "o-key", "wrong-key", "HIDDEN", "api_key"] {
        assert!(!all.contains(secret), "{secret} in {all}");
    }
}
