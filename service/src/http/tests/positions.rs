use super::*;
use crate::http::views::PositionView;
use crate::neighbours::tests::fakes::position_manager::{Fixed, KEY, LIST, PositionManager as Fake, position};
use crate::neighbours::tests::fakes::server::Planned;
use crate::neighbours::tests::reach;

const KEYS: [&str; 13] = [
    "id",
    "asset",
    "size",
    "average_entry_price",
    "unrealized_pnl",
    "realized_pnl",
    "mode",
    "long_size",
    "short_size",
    "long_avg_price",
    "short_avg_price",
    "last_updated",
    "last_snapshot_at",
];

fn view(asset: &str, size: &str) -> PositionView {
    PositionView {
        asset: asset.to_owned(),
        size: size.to_owned(),
        average_entry_price: Some("50000.00000000".to_owned()),
        realized_pnl: "12.50000000".to_owned(),
        fees: "1.00000000".to_owned(),
        unexplained: None,
        created_at: "2026-01-31T10:00:00Z".to_owned(),
        updated_at: "2026-01-31T12:00:00Z".to_owned(),
        closed_at: None,
    }
}

fn own() -> Api {
    let api = api();
    *api.books.positions.lock().unwrap() = vec![view("BTCUSDT", "0.50000000"), view("ETHUSDT", "-1.00000000")];
    api
}

async fn managed(key: &str) -> (Api, Fake<Fixed>) {
    let fake = Fake::start(Fixed::default()).await;
    let positions = [("BTCUSDT", "one-way", "0.5"), ("ETHUSDT", "one-way", "0E-8"), ("BTCUSDT", "hedge", "1")];
    let positions = positions.map(|(asset, mode, size)| position(asset, mode, size, None));
    fake.figures.lock().unwrap().positions = positions.to_vec();
    let mut api = own();
    let manager = PositionManager::new(reach(&fake.server, key)).unwrap();
    let state = ApiState::new(api.desk.clone(), api.books.clone(), api.keys.clone());
    api.router = router(state.positions_of(manager));
    (api, fake)
}

fn assets(reply: &Reply) -> Vec<&str> {
    assert_eq!(reply.status, 200, "{}", reply.text);
    reply.json["positions"].as_array().unwrap().iter().map(|one| one["asset"].as_str().unwrap()).collect()
}

/// In the order in which they were written.
fn keys_of(text: &str) -> Vec<&str> {
    let places = KEYS.map(|key| text.find(&format!("\"{key}\":")));
    assert!(places.iter().all(Option::is_some) && places.is_sorted(), "{text}");
    text.split('"').filter(|word| KEYS.contains(word)).collect()
}

#[tokio::test]
async fn a1_our_own_positions_have_the_thirteen_keys() {
    let api = own();
    let reply = api.get("/api/v1/positions/btcusdt").await;
    assert_eq!(reply.status, 200, "{}", reply.text);
    assert_eq!(keys_of(&reply.text), KEYS);
    assert_eq!((&reply.json["size"], &reply.json["mode"]), (&"0.50000000".into(), &"one-way".into()));
    assert_eq!(reply.json["last_updated"], "2026-01-31T12:00:00Z");
    assert!(reply.json["unrealized_pnl"].is_null() && reply.json["last_snapshot_at"].is_null());
    let id = reply.json["id"].as_str().unwrap();
    let listed = api.get("/api/v1/positions").await;
    assert_eq!(assets(&listed), ["BTCUSDT", "ETHUSDT"]);
    assert_eq!(listed.json["positions"][0]["id"], id, "it stays the same");
    assert_ne!(listed.json["positions"][1]["id"], id);
    assert_eq!((id.len(), &id[14..15]), (36, "8"));
}

#[tokio::test]
async fn a1_our_own_positions_are_filtered_and_know_one_mode() {
    let api = own();
    assert_eq!(assets(&api.get("/api/v1/positions?asset=ethusdt&mode=One-Way").await), ["ETHUSDT"]);
    assert!(assets(&api.get("/api/v1/positions?mode=hedge").await).is_empty());
    for path in ["BTCUSDT?mode=hedge", "XRPUSDT"] {
        let reply = api.get(&format!("/api/v1/positions/{path}")).await;
        assert_eq!((reply.status, reply.code()), (404, "position_not_found"), "{path}");
    }
    for path in ["?mode=both", "/BTCUSDT?mode=both", "?asset=a%2Fb", "/..%2Fhealth", "/ABCDEFGHIJKLMNOPQRSTU"] {
        let reply = api.get(&format!("/api/v1/positions{path}")).await;
        assert_eq!((reply.status, reply.code()), (400, "invalid_parameter"), "{path}");
    }
    let reply = api.get("/api/v1/positions?mode=both").await;
    let message = reply.error()["message"].as_str().unwrap();
    assert!(message.contains("Invalid mode. Must be 'one-way' or 'hedge'"), "{message}");
    assert_eq!(api.send(request("GET", "/api/v1/positions", &[], "")).await.status, 401);
    api.books.down.store(true, std::sync::atomic::Ordering::Relaxed);
    assert_eq!(api.get("/api/v1/positions").await.code(), "store_down");
}

#[tokio::test]
async fn t4_position_manager_s_positions_are_told_in_our_keys() {
    let (api, fake) = managed(KEY).await;
    let headers = [("x-api-key", "r-key"), ("x-trace-id", "my-trace")];
    let reply = api.send(request("GET", "/api/v1/positions/btcusdt", &headers, "")).await;
    assert_eq!((reply.status, reply.header("x-trace-id")), (200, "my-trace"), "{}", reply.text);
    assert_eq!(keys_of(&reply.text), KEYS);
    assert_eq!((&reply.json["size"], &reply.json["realized_pnl"]), (&"0.5".into(), &"12.50000000".into()));
    assert_eq!(reply.json["last_updated"], "2026-01-01T00:00:00.000005Z");
    assert_eq!(assets(&api.get("/api/v1/positions").await), ["BTCUSDT", "ETHUSDT", "BTCUSDT"]);
    assert_eq!(assets(&api.get("/api/v1/positions?asset=btcusdt&mode=hedge").await), ["BTCUSDT"]);
    let hedge = api.get("/api/v1/positions/BTCUSDT?mode=HEDGE").await;
    assert_eq!((&hedge.json["mode"], &hedge.json["size"]), (&"hedge".into(), &"1".into()));
    let reply = api.get("/api/v1/positions/XRPUSDT").await;
    assert_eq!((reply.status, reply.code()), (404, "position_not_found"));
    let asked = fake.server.asked();
    assert_eq!((asked[0].query.as_str(), asked[0].trace.as_deref()), ("mode=one-way", Some("my-trace")));
    assert_eq!(asked.last().unwrap().trace.as_deref(), Some(reply.header("x-trace-id")));
    assert_eq!(asked[2].query, "asset=BTCUSDT&mode=hedge");
}

#[tokio::test]
async fn t4_position_manager_s_trouble_is_told_with_a_remedy() {
    let (api, mut fake) = managed(KEY).await;
    let plan = |status, body: &str| fake.server.plan(LIST, Planned::Answer(status, body.to_owned()));
    for (status, body, expected) in [
        (503, r#"{"detail":"down"}"#, (503, "position_manager_unavailable")),
        (429, "{}", (503, "position_manager_unavailable")),
        (403, "{}", (502, "position_manager_key")),
        (400, r#"{"error_code":"VALIDATION_ERROR","message":"no"}"#, (400, "position_manager_refused")),
        (500, r#"{"detail":"Failed to retrieve positions"}"#, (502, "position_manager_failed")),
        (404, r#"{"detail":"Not Found"}"#, (502, "position_manager_failed")),
        (200, "<html>", (502, "position_manager_failed")),
        (200, r#"{"positions":[{"asset":"BTCUSDT"}]}"#, (502, "position_manager_failed")),
    ] {
        plan(status, body);
        let reply = api.get("/api/v1/positions").await;
        assert_eq!((reply.status, reply.code()), expected, "{status} {body}: {}", reply.text);
        assert_eq!(reply.header("retry-after"), if expected.0 == 503 { "5" } else { "" });
    }
    fake.server.plan(LIST, Planned::With(429, "retry-after", "17"));
    assert_eq!(api.get("/api/v1/positions").await.header("retry-after"), "17");
    let route = "GET /api/v1/positions/BTCUSDT";
    fake.server.plan(route, Planned::Answer(404, r#"{"detail":"Not Found"}"#.to_owned()));
    assert_eq!(api.get("/api/v1/positions/BTCUSDT").await.status, 502, "that is no word on a position");
    fake.server.stop().await;
    let reply = api.get("/api/v1/positions/BTCUSDT").await;
    assert_eq!((reply.status, reply.code(), reply.header("retry-after")), (503, "position_manager_unavailable", "5"));

    let (stranger, _fake) = managed("another").await;
    let reply = stranger.get("/api/v1/positions").await;
    assert_eq!((reply.status, reply.code()), (502, "position_manager_key"));
    let remedy = reply.error()["remedy"].as_str().unwrap();
    assert!(remedy.contains("POSITION_MANAGER_API_KEY") && !reply.text.contains("another"), "{}", reply.text);
}
