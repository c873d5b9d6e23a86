use super::fakes::{SIGNAL, order};
use super::*;
use crate::http::views::{DeadLetterView, SortBy, SortOrder};

fn with_orders() -> Api {
    let api = api();
    *api.books.orders.lock().unwrap() = vec![
        order("b1", "Buy", "2026-01-31T10:00:00Z"),
        order("s1", "SELL", "2026-01-31T11:00:00Z"),
        order("b2", "Buy", "2026-01-31T12:00:00Z"),
    ];
    api
}

fn ids(reply: &Reply) -> Vec<&str> {
    assert_eq!(reply.status, 200, "{}", reply.text);
    reply.json["orders"].as_array().unwrap().iter().map(|order| order["order_id"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn a1_an_order_has_the_neighbours_keys_in_their_order() {
    let reply = with_orders().get("/api/v1/orders/b1").await;
    assert_eq!(reply.status, 200);
    let expected = "id, order_id, signal_id, asset, side, order_type, quantity, price, status, filled_quantity, \
                    average_price, fees, created_at, updated_at, executed_at, trace_id, is_dry_run";
    let place = |key: &str| reply.text.find(&format!("\"{key}\":")).unwrap_or_else(|| panic!("{key}: {}", reply.text));
    let places: Vec<usize> = expected.split(", ").map(place).collect();
    assert!(places.is_sorted() && places[0] == 1, "{}", reply.text);
    assert!(place("order_link_id") > places[16] && place("certainty") > places[16], "ours follow");
    assert_eq!(reply.json["quantity"], "0.01000000");
    assert_eq!((&reply.json["fees"], &reply.json["executed_at"]), (&Value::Null, &Value::Null));
}

#[tokio::test]
async fn o4_an_order_is_found_by_either_id() {
    let api = with_orders();
    assert_eq!(api.get("/api/v1/orders/s1").await.json["order_id"], "s1");
    assert_eq!(api.get("/api/v1/orders/om-s1").await.json["order_id"], "s1");
    let reply = api.get("/api/v1/orders/nope%20x").await;
    assert_eq!((reply.status, reply.code()), (404, "order_not_found"));
    assert_eq!(reply.error()["message"], "Order not found: nope x");
    assert_eq!(api.get("/api/v1/orders/%ff").await.status, 404);
}

#[tokio::test]
async fn a1_pages() {
    let api = with_orders();
    let reply = api.get("/api/v1/orders?page_size=2").await;
    assert_eq!(ids(&reply), ["b2", "s1"], "the latest first");
    let pagination = serde_json::json!({"page": 1, "page_size": 2, "total_items": 3, "total_pages": 2});
    assert_eq!(reply.json["pagination"], pagination);
    assert_eq!(ids(&api.get("/api/v1/orders?page=2&page_size=2").await), ["b1"]);
    assert!(ids(&api.get("/api/v1/orders?page=4294967295&page_size=100").await).is_empty());
    let none = api.get("/api/v1/orders?asset=ETHUSDT").await;
    assert_eq!((ids(&none).len(), &none.json["pagination"]["total_pages"]), (0, &0.into()));
}

#[tokio::test]
async fn a1_paging_out_of_bounds_is_422() {
    let api = with_orders();
    for path in ["/api/v1/orders", "/api/v1/dead-letters"] {
        for (query, field) in [
            ("page=0", "page"),
            ("page=-1", "page"),
            ("page=one", "page"),
            ("page=4294967296", "page"),
            ("page_size=0", "page_size"),
            ("page_size=101", "page_size"),
        ] {
            let reply = api.get(&format!("{path}?{query}")).await;
            assert_eq!((reply.status, &reply.error()["type"]), (422, &"ValidationError".into()), "{path}?{query}");
            assert_eq!(reply.error()["field"], field, "{query}");
        }
    }
    for query in ["date_from=yesterday", "date_to=2026-13-01"] {
        assert_eq!(api.get(&format!("/api/v1/orders?{query}")).await.status, 422, "{query}");
    }
}

#[tokio::test]
async fn a1_unknown_words_are_400() {
    let api = with_orders();
    for (query, field) in [
        ("status=open", "status"),
        ("signal_id=x", "signal_id"),
        ("side=long", "side"),
        ("sort_by=price", "sort_by"),
        ("sort_order=up", "sort_order"),
    ] {
        let reply = api.get(&format!("/api/v1/orders?{query}")).await;
        assert_eq!((reply.status, &reply.error()["field"]), (400, &field.into()), "{query}");
    }
    let all = api.get("/api/v1/orders?side=long&page=0&status=open&date_to=x").await;
    let fields: Vec<_> =
        all.error()["details"].as_array().unwrap().iter().map(|detail| detail["field"].as_str().unwrap()).collect();
    assert_eq!((all.status, fields), (422, vec!["page", "status", "side", "date_to"]), "{}", all.text);
    assert!(api.books.asked.lock().unwrap().is_empty(), "nothing was read");
}

#[tokio::test]
async fn a1_side_matches_in_any_case() {
    let api = with_orders();
    for (side, found) in [("Buy", 2), ("BUY", 2), ("buy", 2), ("Sell", 1), ("SELL", 1)] {
        assert_eq!(ids(&api.get(&format!("/api/v1/orders?side={side}")).await).len(), found, "{side}");
    }
}

#[tokio::test]
async fn a1_dates_with_z_and_without_and_both_ends_included() {
    let api = with_orders();
    for (from, to) in [
        ("2026-01-31T11:00:00Z", "2026-01-31T12:00:00Z"),
        ("2026-01-31T11:00:00", "2026-01-31T12:00:00"),
        ("2026-01-31T12:00:00+01:00", "2026-01-31T13:00:00%2B01:00"),
    ] {
        let reply = api.get(&format!("/api/v1/orders?date_from={from}&date_to={to}&sort_order=asc")).await;
        assert_eq!(ids(&reply), ["s1", "b2"], "{from} {to}");
    }
}

#[tokio::test]
async fn a1_every_filter_reaches_the_books() {
    let api = with_orders();
    let query =
        format!("asset=btcusdt&status=PENDING&signal_id={SIGNAL}&order_id=b1&sort_by=executed_at&sort_order=ASC");
    assert_eq!(ids(&api.get(&format!("/api/v1/orders?{query}&unheard_of=1")).await), ["b1"]);
    let asked = api.books.asked.lock().unwrap().remove(0);
    assert_eq!((asked.asset.as_deref(), asked.status.as_deref()), (Some("BTCUSDT"), Some("pending")));
    assert_eq!((asked.sort_by, asked.sort_order), (SortBy::ExecutedAt, SortOrder::Ascending));
    assert_eq!(asked.signal_id.map(|id| id.to_string()).as_deref(), Some(SIGNAL));
}

#[tokio::test]
async fn s4_dead_letters_are_listed() {
    let api = api();
    let letter = |id| DeadLetterView {
        id,
        received_at: "2026-01-31T12:00:00Z".to_owned(),
        reason: "body is not a JSON object".to_owned(),
        body: "{".to_owned(),
        body_hex: None,
    };
    *api.books.letters.lock().unwrap() = vec![letter(3), letter(2), letter(1)];
    let reply = api.get("/api/v1/dead-letters?page=2&page_size=2").await;
    assert_eq!(reply.status, 200);
    assert_eq!(reply.json["dead_letters"].as_array().unwrap().len(), 1);
    assert_eq!(
        (&reply.json["dead_letters"][0]["id"], &reply.json["pagination"]["total_items"]),
        (&1.into(), &3.into())
    );
}
