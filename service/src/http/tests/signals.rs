use super::fakes::{SIGNAL, signal};
use super::*;
use crate::desk::DeskError;
use order_manager_core::command::Receipt;
use order_manager_core::outcome::Outcome;
use order_manager_core::refusal::Code;
use order_manager_core::unit::SignalId;
use std::sync::atomic::Ordering;

const PATH: &str = "/api/v1/signals";

fn body() -> String {
    format!(
        r#"{{"signal_id":"{SIGNAL}","signal_type":"buy","asset":"BTCUSDT","amount":1000,"confidence":0.95,
        "timestamp":"2026-01-31T12:00:00Z","strategy_id":"s","trace_id":"of-the-body"}}"#
    )
}

fn id() -> SignalId {
    SignalId::parse(SIGNAL).unwrap()
}

#[tokio::test]
async fn s1_a_signal_is_taken_with_202() {
    let api = api();
    let reply = api.post(PATH, &body()).await;
    assert_eq!((reply.status, &reply.json["status"]), (202, &"accepted".into()), "{}", reply.text);
    assert_eq!((&reply.json["signal_id"], &reply.json["outcome"]), (&SIGNAL.into(), &Value::Null));
    assert_eq!(reply.header("location"), format!("{PATH}/{SIGNAL}"));
    let brought = api.desk.brought.lock().unwrap();
    assert_eq!(*brought, [(None, body().into_bytes())], "the bytes as they came");
}

#[tokio::test]
async fn s9_one_trace_id_from_header_else_body_else_the_signals_own() {
    let api = api();
    let traced = |trace: &'static str| request("POST", PATH, &[("x-api-key", "s-key"), ("x-trace-id", trace)], &body());
    let reply = api.send(traced("of-the-header")).await;
    assert_eq!((reply.header("x-trace-id"), &reply.json["trace_id"]), ("of-the-header", &"of-the-header".into()));
    let brought = api.desk.brought.lock().unwrap().pop().unwrap().0;
    assert_eq!(brought.map(|trace| trace.to_string()).as_deref(), Some("of-the-header"));

    assert_eq!(api.post(PATH, &body()).await.header("x-trace-id"), "of-the-body");
    let untraced = body().replace("of-the-body", "");
    let own = api.post(PATH, &untraced).await;
    let decoded = order_manager_core::intake::decode(untraced.as_bytes(), None).unwrap();
    assert_eq!(own.header("x-trace-id"), decoded.trace.to_string());

    let long: &'static str = "x".repeat(101).leak();
    assert_eq!(api.send(traced(long)).await.header("x-trace-id"), "of-the-body", "passed over, not refused");
}

#[tokio::test]
async fn s7_a_duplicate_is_answered_with_the_first_outcome() {
    let api = api();
    for (outcome, word, code) in [
        (Some(Outcome::Placed), Value::from("placed"), Value::Null),
        (Some(Outcome::Rejected(Code::BelowMinimum)), "rejected".into(), "below_minimum".into()),
        (None, Value::Null, Value::Null),
    ] {
        api.desk.answer(Ok(Receipt::Duplicate(id(), outcome)));
        let reply = api.post(PATH, &body()).await;
        assert_eq!((reply.status, &reply.json["status"]), (200, &"duplicate".into()), "{}", reply.text);
        assert_eq!((&reply.json["outcome"], &reply.json["code"]), (&word, &code));
    }
}

#[tokio::test]
async fn s7_other_content_under_a_known_id_is_409() {
    let api = api();
    api.desk.answer(Ok(Receipt::Conflict(id())));
    let reply = api.post(PATH, &body()).await;
    assert_eq!((reply.status, reply.code(), &reply.error()["field"]), (409, "conflict", &"signal_id".into()));
}

#[tokio::test]
async fn s3_all_faults_at_once_with_422() {
    let api = api();
    let bad = body().replace("1000", "-1").replace("0.95", "\"high\"").replace("\"s\"", "\"\"");
    let reply = api.post(PATH, &bad).await;
    assert_eq!((reply.status, reply.code(), &reply.error()["type"]), (422, "validation", &"ValidationError".into()));
    let details = reply.error()["details"].as_array().unwrap();
    let fields: Vec<_> = details.iter().map(|detail| detail["field"].as_str().unwrap()).collect();
    assert_eq!(fields, ["amount", "confidence", "strategy_id"], "{}", reply.text);
    assert_eq!(details[0]["value"], "-1");
    assert!(details.iter().all(|detail| !detail["reason"].as_str().unwrap().is_empty()));
    assert_eq!(reply.error()["trace_id"], "of-the-body");
}

#[tokio::test]
async fn s4_what_is_no_json_is_the_intakes_to_judge() {
    let api = api();
    for bad in ["", "{", "[]", "null", "{\"signal_id\": 1}"] {
        let reply = api.post(PATH, bad).await;
        assert_eq!((reply.status, reply.code()), (422, "validation"), "{bad}");
        assert!(reply.error()["message"].as_str().unwrap().contains("dead letters"), "{}", reply.text);
        assert!(!reply.error()["details"].as_array().unwrap().is_empty());
        assert_eq!(api.desk.brought.lock().unwrap().pop().unwrap().1, bad.as_bytes());
    }
}

#[tokio::test]
async fn s2_a_body_over_64_kib_is_413() {
    let api = api();
    let long = |len: usize| body().replace("\"s\"", &format!("\"s\",\"x\":\"{}\"", "x".repeat(len)));
    let fits = long(64 * 1024 - body().len() - r#","x":"""#.len());
    assert_eq!(fits.len(), 64 * 1024);
    assert_eq!(api.post(PATH, &fits).await.status, 202);
    api.desk.brought.lock().unwrap().clear();

    let announced = api.send(request("POST", PATH, &[("x-api-key", "s-key"), ("content-length", "65537")], "")).await;
    let chunks = futures_util::stream::iter([fits, " ".to_owned()].map(Ok::<_, std::io::Error>));
    let chunked = Request::post(PATH).header("x-api-key", "s-key").body(Body::from_stream(chunks)).unwrap();
    for reply in [announced, api.send(chunked).await] {
        assert_eq!((reply.status, reply.code()), (413, "body_too_large"), "{}", reply.text);
    }
    assert!(api.desk.brought.lock().unwrap().is_empty());
}

#[tokio::test]
async fn a_body_that_breaks_off_is_not_taken() {
    let api = api();
    let cut = [Ok(body()), Err(std::io::Error::other("cut"))];
    let cut = Body::from_stream(futures_util::stream::iter(cut));
    let reply = api.send(Request::post(PATH).header("x-api-key", "s-key").body(cut).unwrap()).await;
    assert_eq!((reply.status, reply.code()), (400, "body_broke_off"));
    assert!(api.desk.brought.lock().unwrap().is_empty());
}

#[tokio::test]
async fn t6_503_says_when_to_come_back() {
    let api = api();
    for (answer, code) in [
        (Err(DeskError::StoreDown), "store_down"),
        (Err(DeskError::Full { max: 3 }), "intake_full"),
        (Err(DeskError::ShuttingDown), "shutting_down"),
        (Ok(Receipt::Paused), "intake_paused"),
    ] {
        api.desk.answer(answer);
        let reply = api.post(PATH, &body()).await;
        assert_eq!((reply.status, reply.code()), (503, code));
        assert!(reply.header("retry-after").parse::<u32>().unwrap() > 0);
    }
}

#[tokio::test(start_paused = true)]
async fn a_desk_or_a_body_that_takes_too_long_is_503() {
    let api = api();
    api.desk.stalls.store(true, Ordering::Relaxed);
    let reply = api.post(PATH, &body()).await;
    assert_eq!((reply.status, reply.code()), (503, "timeout"));
    assert!(reply.error()["remedy"].as_str().unwrap().contains("may have been taken"));
    let slow = Body::from_stream(futures_util::stream::pending::<Result<String, std::io::Error>>());
    let reply = api.send(Request::post(PATH).header("x-api-key", "s-key").body(slow).unwrap()).await;
    assert_eq!((reply.status, reply.code()), (503, "timeout"));
    assert!(reply.error()["remedy"].as_str().unwrap().contains("not taken"));
}

#[tokio::test(start_paused = true)]
async fn s1_waiting_ends_with_the_outcome() {
    let api = Arc::new(api());
    api.books.signals.lock().unwrap().extend([signal(None, None)]);
    let waiting = tokio::spawn({
        let api = Arc::clone(&api);
        async move { api.post("/api/v1/signals?wait=60000", &body()).await }
    });
    while api.desk.brought.lock().unwrap().is_empty() {
        tokio::task::yield_now().await;
    }
    let before = tokio::time::Instant::now();
    api.books.signals.lock().unwrap().extend([signal(Some("rejected"), Some("exposure"))]);
    api.desk.commit(0);
    let reply = waiting.await.unwrap();
    assert_eq!((reply.status, &reply.json["status"]), (200, &"accepted".into()), "{}", reply.text);
    assert_eq!((&reply.json["outcome"], &reply.json["code"]), (&"rejected".into(), &"exposure".into()));
    assert_eq!(reply.json["signal"]["state"], "settled");
    assert!(before.elapsed() < Duration::from_secs(1));
}

#[tokio::test(start_paused = true)]
async fn s1_waiting_in_vain_is_202_with_the_state() {
    let api = api();
    api.books.signals.lock().unwrap().extend([signal(None, None)]);
    let before = tokio::time::Instant::now();
    let reply = api.post("/api/v1/signals?wait=1500", &body()).await;
    assert_eq!((reply.status, &reply.json["signal"]["state"]), (202, &"active".into()), "{}", reply.text);
    assert!((1500..1600).contains(&before.elapsed().as_millis()), "{:?}", before.elapsed());
    let again = async || api.post("/api/v1/signals?wait=60000", &body()).await.status;
    let before = tokio::time::Instant::now();
    api.desk.end();
    assert_eq!(again().await, 202, "the driver ended: nothing more will be known");
    api.books.down.store(true, Ordering::Relaxed);
    assert_eq!(again().await, 202, "taken, though the store cannot show it");
    assert!(before.elapsed().is_zero());
}

#[tokio::test(start_paused = true)]
async fn s1_waits_are_bounded_in_time_and_number() {
    let api = api_with(three_keys(), Limits { waits_max: 0, ..Limits::default() });
    for wait in ["-1", "60001", "soon"] {
        let reply = api.post(&format!("{PATH}?wait={wait}"), &body()).await;
        assert_eq!((reply.status, &reply.error()["field"]), (422, &"wait".into()));
    }
    assert!(api.desk.brought.lock().unwrap().is_empty(), "refused before anything was taken");
    let before = tokio::time::Instant::now();
    assert_eq!(api.post(&format!("{PATH}?wait=60000"), &body()).await.status, 202);
    assert!(before.elapsed().is_zero());
}

#[tokio::test]
async fn s1_a_signal_tells_its_state() {
    let api = api();
    api.books.signals.lock().unwrap().extend([signal(Some("placed"), None)]);
    let reply = api.get(&format!("{PATH}/{}", SIGNAL.to_uppercase())).await;
    assert_eq!((reply.status, &reply.json["outcome"]), (200, &"placed".into()));
    let unknown = api.get(&format!("{PATH}/{}", SIGNAL.replace('1', "2"))).await;
    assert_eq!((unknown.status, unknown.code()), (404, "signal_not_found"));
    for bad in ["x", "%ff"] {
        let reply = api.get(&format!("{PATH}/{bad}")).await;
        assert_eq!((reply.status, &reply.error()["field"]), (422, &"signal_id".into()), "{bad}");
    }
}
