use super::*;

const MISSING: &str =
    r#"{"error":"Missing API key","code":"AUTHENTICATION_FAILED","details":{"reason":"missing_api_key"}}"#;
const WRONG: &str =
    r#"{"error":"Invalid API key","code":"AUTHENTICATION_FAILED","details":{"reason":"invalid_api_key"}}"#;

const READS: [&str; 5] = [
    "/api/v1/orders",
    "/api/v1/orders/x",
    "/api/v1/signals/11111111-2222-4333-8444-555555555555",
    "/api/v1/dead-letters",
    "/api/v1/events",
];

#[tokio::test]
async fn a1_without_a_key_401_in_the_predecessors_words() {
    let api = api();
    let paths = READS.into_iter().chain(["/api", "/api/v1/no-such-thing", "/apifoo", "/api/v1/signals"]);
    for path in paths {
        for method in ["GET", "POST", "OPTIONS"] {
            let reply = api.send(request(method, path, &[("x-trace-id", "mine")], "")).await;
            assert_eq!((reply.status, &*reply.text), (401, MISSING), "{method} {path}");
            assert_eq!(reply.header("x-trace-id"), "mine");
            let reply = api.send(request(method, path, &[("x-api-key", "r-key2")], "")).await;
            assert_eq!((reply.status, &*reply.text), (401, WRONG), "{method} {path}");
            assert_eq!(reply.header("x-trace-id").len(), 36);
        }
    }
    assert!(api.desk.brought.lock().unwrap().is_empty());
}

#[tokio::test]
async fn a1_the_header_wins_over_the_query() {
    let api = api();
    let status = async |path: &str, headers: &[(&str, &str)]| api.send(request("GET", path, headers, "")).await.status;
    assert_eq!(status("/api/v1/orders?api_key=r-key", &[]).await, 200);
    assert_eq!(status("/api/v1/orders?api_key=r%2Dkey", &[]).await, 200);
    assert_eq!(status("/api/v1/orders?api_key=nope", &[]).await, 401);
    assert_eq!(status("/api/v1/orders?api_key=nope", &[("x-api-key", "r-key")]).await, 200);
    assert_eq!(status("/api/v1/orders?api_key=r-key", &[("x-api-key", "nope")]).await, 401);
    let odd = axum::http::HeaderValue::from_bytes(b"\xff\xfe").unwrap();
    let odd = Request::get("/api/v1/orders").header("x-api-key", odd).body(Body::empty()).unwrap();
    assert_eq!(api.send(odd).await.status, 401);
}

#[tokio::test]
async fn a1_a_role_may_do_what_those_before_it_may() {
    let api = api();
    for (key, posts) in [("r-key", 403), ("s-key", 422), ("o-key", 422)] {
        let post = api.send(request("POST", "/api/v1/signals", &[("x-api-key", key)], "{}")).await;
        assert_eq!(post.status, posts, "{key}");
        let read = api.send(request("GET", "/api/v1/orders", &[("x-api-key", key)], "")).await;
        assert_eq!(read.status, 200, "{key}");
        if posts == 403 {
            assert_eq!(post.code(), "role_too_low");
            assert!(post.error()["message"].as_str().unwrap().contains("signal"), "{}", post.text);
        }
    }
    assert_eq!(api.desk.brought.lock().unwrap().len(), 2, "what was forbidden did not come through");
}

#[tokio::test]
async fn a1_keys_change_while_serving() {
    let api = api();
    assert_eq!(api.get("/api/v1/orders").await.status, 200);
    api.keys.replace(vec![Key::new("new", Role::Read, "n-key").unwrap()]).unwrap();
    assert_eq!(api.get("/api/v1/orders").await.status, 401);
    let reply = api.send(request("GET", "/api/v1/orders", &[("x-api-key", "n-key")], "")).await;
    assert_eq!(reply.status, 200);
}

#[tokio::test]
async fn a1_without_keys_programs_of_this_machine_only() {
    let api = api_with(Keys::new(Vec::new()), Limits::default());
    let post = async |headers: &[(&str, &str)]| api.send(request("POST", "/api/v1/signals", headers, "{}")).await;
    for headers in [
        &[][..],
        &[("host", "127.0.0.1:4600")],
        &[("host", "localhost:4600"), ("origin", "http://localhost:4600")],
        &[("host", "[::1]:4600")],
    ] {
        assert_eq!(post(headers).await.status, 422, "{headers:?}");
    }
    let before = api.desk.brought.lock().unwrap().len();
    for headers in [
        &[("host", "127.0.0.1:4600"), ("origin", "https://evil.example")][..],
        &[("host", "127.0.0.1:4600"), ("origin", "null")],
        &[("host", "evil.example:4600")],
    ] {
        let reply = post(headers).await;
        assert_eq!((reply.status, reply.code()), (403, "not_local"), "{headers:?}");
    }
    assert_eq!(api.desk.brought.lock().unwrap().len(), before);
}
