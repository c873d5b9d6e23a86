use super::*;
use std::io::Write;
use std::sync::Mutex;
use std::sync::atomic::Ordering;
use tracing::instrument::WithSubscriber;

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

/// Collects what is logged.
#[derive(Clone, Default)]
struct Sink(Arc<Mutex<Vec<u8>>>);

impl Write for Sink {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }
    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn a3_one_line_a_call_and_never_a_key() {
    let (api, sink) = (api(), Sink::default());
    let writer = sink.clone();
    let subscriber = tracing_subscriber::fmt().json().with_max_level(tracing::Level::TRACE);
    let subscriber = subscriber.with_writer(move || writer.clone()).finish();
    let signal = super::fakes::SIGNAL;
    let body = format!(r#"{{"signal_id":"{signal}","signal_type":"buy","asset":"BTCUSDT"}}"#);
    async {
        api.send(request("GET", "/api/v1/orders?api_key=r-key&asset=SECRET", &[("x-trace-id", "t-1")], "")).await;
        api.send(request("POST", "/api/v1/signals", &[("x-api-key", "s-key"), ("x-trace-id", "t-2")], &body)).await;
        api.send(request("GET", "/api/v1/orders", &[("x-api-key", "wrong-key"), ("x-trace-id", "t-3")], "")).await;
    }
    .with_subscriber(subscriber)
    .await;
    let text = String::from_utf8(sink.0.lock().unwrap().clone()).unwrap();
    let lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let fields: Vec<&Value> =
        lines.iter().map(|line| &line["fields"]).filter(|fields| fields["message"] == "request").collect();
    assert_eq!(fields.len(), 3, "{text}");
    let shown = |at: usize| ["method", "path", "trace_id"].map(|key| fields[at][key].as_str().unwrap_or_default());
    assert_eq!(shown(0), ["GET", "/api/v1/orders", "t-1"]);
    assert_eq!(shown(1), ["POST", "/api/v1/signals", "t-2"]);
    assert_eq!((&fields[0]["status"], &fields[0]["key"]), (&200.into(), &"grafana".into()));
    assert_eq!((&fields[1]["status"], &fields[1]["signal_id"]), (&422.into(), &signal.into()));
    assert_eq!((&fields[2]["status"], fields[2].get("key")), (&401.into(), None));
    assert!(fields.iter().all(|fields| fields["latency_ms"].is_u64()), "{text}");
    for secret in ["r-key", "s-key", "wrong-key", "SECRET", "api_key"] {
        assert!(!text.contains(secret), "{secret} in {text}");
    }
}
