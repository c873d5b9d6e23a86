use super::super::{row_figure, signal::Signal};
use super::*;
use crate::unit::decimal;
use alloc::string::{String, ToString};
use proptest::prelude::*;
use std::println;

const ID: &str = "892f902b-d23f-4824-928b-2f330c5c7fd0";

/// A whole signal with `overrides` set or, where null, taken out.
fn body(overrides: serde_json::Value) -> String {
    let mut value = serde_json::json!({
        "signal_id": ID, "signal_type": "buy", "asset": "BTCUSDT", "amount": "401.19", "confidence": "0.8476",
        "timestamp": "2022-01-01T03:00:04.706502Z", "strategy_id": "momentum_v1", "model_version": "v1.2",
        "is_warmup": false, "market_data_snapshot": {"price": "46818.0", "spread": "1.0"}, "trace_id": null
    });
    for (name, new) in overrides.as_object().unwrap() {
        value.as_object_mut().unwrap().insert(name.clone(), new.clone());
    }
    value.to_string()
}

fn read(body: &str) -> Result<Signal, BadSignal> {
    let read = decode(body.as_bytes(), None);
    let id = read.as_ref().map_or_else(|bad| bad.known.map(|known| known.id), |signal| Some(signal.id));
    assert_eq!(id_of(body.as_bytes()), id, "{body}");
    read
}

fn faults(overrides: serde_json::Value) -> Vec<String> {
    read(&body(overrides)).unwrap_err().faults.iter().map(ToString::to_string).collect()
}

#[test]
fn s2_real_signals_are_read_exactly() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared/fixtures/signals-btc-2022-01.jsonl");
    let Ok(lines) = std::fs::read_to_string(path) else {
        _ = std::io::Write::write_fmt(&mut std::io::stderr(), format_args!("skipped: {path} is not there\n"));
        return;
    };
    let mut exits = 0;
    for line in lines.lines() {
        let signal = read(line).unwrap_or_else(|e| panic!("{e}: {line}"));
        let amount = line.split("\"amount\": ").nth(1).unwrap().split(',').next().unwrap();
        assert_eq!(signal.amount, decimal::parse(amount).unwrap());
        assert_eq!(signal.trace.as_str(), signal.id.to_string());
        exits += u32::from(signal.is_exit);
    }
    println!("{} signals, {exits} exits", lines.lines().count());
}

#[test]
fn s2_numbers_may_be_strings_and_mean_the_same() {
    let text = body(serde_json::json!({}));
    let plain = text.replace("\"401.19\"", "401.190").replace("\"0.8476\"", "8476e-4").replace("\"46818.0\"", "46818");
    assert_ne!(text, plain);
    let (a, b) = (read(&text).unwrap(), read(&plain).unwrap());
    assert_eq!(a.fingerprint, b.fingerprint);
    assert_eq!(a, b);
}

#[test]
fn s3_three_faults_are_named_at_once() {
    let found = faults(serde_json::json!({"amount": -5, "confidence": "1.5", "timestamp": "yesterday"}));
    assert_eq!(
        found,
        [
            "amount = -5: must be above 0 and at most 1000000000",
            "confidence = \"1.5\": must lie between 0 and 1",
            "timestamp = \"yesterday\": is not an ISO 8601 moment",
        ]
    );
}

#[test]
fn s3_every_rule_has_its_fault() {
    let json = |text: &str| serde_json::from_str::<serde_json::Value>(text).unwrap();
    for (overrides, field) in [
        (r#"{"signal_id":"test-signal-001"}"#, "signal_id"),
        (r#"{"signal_id":null}"#, "signal_id"),
        (r#"{"signal_type":"hold"}"#, "signal_type"),
        (r#"{"asset":"BTC-USDT"}"#, "asset"),
        (r#"{"asset":"BTC"}"#, "asset"),
        (r#"{"asset":"ABCDEFGHIJKLMNOPQRSTU"}"#, "asset"),
        (r#"{"amount":0}"#, "amount"),
        (r#"{"amount":1000000000.01}"#, "amount"),
        (r#"{"amount":"1e-29"}"#, "amount"),
        (r#"{"amount":true}"#, "amount"),
        (r#"{"amount":[1]}"#, "amount"),
        (r#"{"confidence":-0.1}"#, "confidence"),
        (r#"{"timestamp":1641006004}"#, "timestamp"),
        (r#"{"timestamp":"1999-12-31T23:59:59Z"}"#, "timestamp"),
        (r#"{"timestamp":"2100-01-01T00:00:00Z"}"#, "timestamp"),
        (r#"{"strategy_id":""}"#, "strategy_id"),
        (r#"{"is_warmup":"yes"}"#, "is_warmup"),
        (r#"{"market_data_snapshot":[]}"#, "market_data_snapshot"),
        (r#"{"market_data_snapshot":{"price":0}}"#, "market_data_snapshot.price"),
        (r#"{"market_data_snapshot":{"price":10000000000.1}}"#, "market_data_snapshot.price"),
        (r#"{"market_data_snapshot":{"spread":-1}}"#, "market_data_snapshot.spread"),
        (r#"{"market_data_snapshot":{"volume_24h":"x"}}"#, "market_data_snapshot.volume_24h"),
        (r#"{"market_data_snapshot":{"volatility":-1}}"#, "market_data_snapshot.volatility"),
        (r#"{"metadata":"text"}"#, "metadata"),
        (r#"{"strategy_id":"a\u0000b"}"#, "strategy_id"),
        (r#"{"metadata":{"deep":["\u0000"]}}"#, "metadata"),
        (r#"{"unknown":"\u0000"}"#, "unknown"),
    ] {
        let bad = read(&body(json(overrides))).unwrap_err();
        assert_eq!(bad.faults.len(), 1, "{overrides}: {bad}");
        assert_eq!(bad.faults[0].field.as_str(), field, "{overrides}");
    }
    for name in ["strategy_id", "model_version", "trace_id"] {
        assert_eq!(faults(serde_json::json!({name: "x".repeat(101)})).len(), 1, "{name}");
        assert!(read(&body(serde_json::json!({name: "x".repeat(100)}))).is_ok(), "{name}");
    }
}

#[test]
fn s3_what_is_allowed_is_taken() {
    let signal = read(&body(serde_json::json!({
        "signal_id": ID.to_uppercase().replace('-', ""), "signal_type": "SELL", "asset": "btcusdt",
        "timestamp": "2022-01-01T03:00:04", "amount": 1_000_000_000, "market_data_snapshot": null,
        "metadata": null, "another": {"field": [1, 2, {"deep": null}]}
    })))
    .unwrap();
    assert_eq!((signal.id.to_string().as_str(), signal.side, signal.symbol.as_str()), (ID, Side::Sell, "BTCUSDT"));
    assert_eq!(signal.snapshot, Snapshot::default());
    assert_eq!(signal.timestamp.to_string(), "2022-01-01T03:00:04Z");
}

#[test]
fn s2_bodies_are_bounded() {
    let deep = |n: usize| {
        body(serde_json::json!({})).replacen('{', &alloc::format!("{{\"x\":{}1{},", "[".repeat(n), "]".repeat(n)), 1)
    };
    assert!(read(&deep(31)).is_ok());
    assert!(read(&deep(32)).unwrap_err().to_string().contains("nests deeper than 32"));
    let long = body(serde_json::json!({"x": "y".repeat(BODY_MAX)}));
    assert!(read(&long).unwrap_err().to_string().contains("is over 65536 bytes"));
    let hostile = "[".repeat(BODY_MAX);
    assert!(read(&hostile).is_err());
}

#[test]
fn s4_a_bad_signal_is_known_by_id_asset_and_side() {
    let bad = read(&body(serde_json::json!({"amount": null, "trace_id": "t-1"}))).unwrap_err();
    let known = bad.known.unwrap();
    assert_eq!((known.id.to_string().as_str(), known.symbol.as_str(), known.side), (ID, "BTCUSDT", Side::Buy));
    assert_eq!(known.trace.as_str(), "t-1");
    for missing in ["signal_id", "signal_type", "asset"] {
        assert_eq!(read(&body(serde_json::json!({missing: null, "amount": null}))).unwrap_err().known, None);
    }
    assert_eq!(read("").unwrap_err().known, None);
    assert_eq!(read("[]").unwrap_err().faults[0].field.as_str(), "body");
}

#[test]
fn s4_a_field_that_comes_twice_is_a_fault() {
    let twice = body(serde_json::json!({})).replacen('{', "{\"amount\":5,", 1);
    let bad = read(&twice).unwrap_err();
    assert!(bad.known.is_some());
    assert!(bad.to_string().starts_with("amount = 5: is there more than once"), "{bad}");
}

#[test]
fn s7_the_fingerprint_is_of_the_content() {
    let print = |overrides| read(&body(overrides)).unwrap().fingerprint;
    let base = print(serde_json::json!({}));
    for same in [
        serde_json::json!({"trace_id": "other"}),
        serde_json::json!({"asset": "btcusdt", "signal_type": "BUY", "confidence": "0.847600"}),
        serde_json::json!({"timestamp": "2022-01-01T04:00:04.706502+01:00"}),
        serde_json::json!({"metadata": {"reasoning": "Model prediction: buy"}}),
    ] {
        assert_eq!(print(same.clone()), base, "{same}");
    }
    for other in [
        serde_json::json!({"amount": "401.2"}),
        serde_json::json!({"signal_type": "sell"}),
        serde_json::json!({"model_version": null}),
        serde_json::json!({"is_warmup": true}),
        serde_json::json!({"metadata": {"urgency": true}}),
        serde_json::json!({"market_data_snapshot": {"price": "46818.0", "volatility": "1.0"}}),
    ] {
        assert_ne!(print(other.clone()), base, "{other}");
    }
}

#[test]
fn s9_header_then_body_then_the_id() {
    let trace = |header: Option<&str>, body: &str| decode(body.as_bytes(), header).unwrap().trace.to_string();
    let with = body(serde_json::json!({"trace_id": "b"}));
    assert_eq!(trace(Some("h"), &with), "h");
    assert_eq!(trace(None, &with), "b");
    assert_eq!(trace(Some(""), &with), "b");
    assert_eq!(trace(Some(&"h".repeat(101)), &with), "b");
    assert_eq!(trace(None, &body(serde_json::json!({}))), ID);
}

#[test]
fn d9_exits_and_urgency_are_read_from_the_metadata() {
    let flags = |metadata: &str| {
        let metadata: serde_json::Value = serde_json::from_str(metadata).unwrap();
        let signal = read(&body(serde_json::json!({ "metadata": metadata }))).unwrap();
        (signal.urgent, signal.is_exit)
    };
    assert_eq!(flags(r#"{"urgency":true}"#), (true, false));
    assert_eq!(flags(r#"{"urgency":"true","exit_strategy":1}"#), (false, false));
    assert_eq!(flags(r#"{"exit_strategy":true,"reasoning":"x"}"#), (false, true));
    assert_eq!(flags(r#"{"reasoning":"take_profit_triggered"}"#), (false, true));
    assert_eq!(flags(r#"{"reasoning":{"not":"text"}}"#), (false, false));
}

#[test]
fn a_signal_survives_both_formats() {
    let signal = read(&body(serde_json::json!({}))).unwrap();
    let text = serde_json::to_string(&signal).unwrap();
    assert_eq!(serde_json::from_str::<Signal>(&text).unwrap(), signal);
    let mut bytes = Vec::new();
    crate::journal::write(&signal, &mut bytes).unwrap();
    assert_eq!(crate::journal::read(&bytes), Ok(signal));
}

fn any_json() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        Just("null".to_string()),
        any::<bool>().prop_map(|b| b.to_string()),
        "-?[0-9]{1,40}(\\.[0-9]{1,30})?([eE][-+]?[0-9]{1,6})?",
        "\\PC{0,12}".prop_map(|s| serde_json::to_string(&s).unwrap()),
    ];
    leaf.prop_recursive(4, 24, 5, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(|v| alloc::format!("[{}]", v.join(","))),
            proptest::collection::vec((field_name(), inner), 0..5).prop_map(object),
        ]
    })
}

fn field_name() -> impl Strategy<Value = String> {
    proptest::sample::select(std::vec![
        "signal_id",
        "signal_type",
        "asset",
        "amount",
        "confidence",
        "timestamp",
        "strategy_id",
        "model_version",
        "is_warmup",
        "market_data_snapshot",
        "metadata",
        "trace_id",
        "price",
        "spread",
        "urgency",
        "other",
    ])
    .prop_map(str::to_string)
}

fn object(members: Vec<(String, String)>) -> String {
    let members: Vec<_> = members.iter().map(|(name, value)| alloc::format!("\"{name}\":{value}")).collect();
    alloc::format!("{{{}}}", members.join(","))
}

proptest! {
    #[test]
    fn s4_arbitrary_bytes_give_a_fault_and_never_a_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        prop_assert!(!decode(&bytes, None).unwrap_err().faults.is_empty());
    }

    #[test]
    fn s4_arbitrary_json_never_panics(members in proptest::collection::vec((field_name(), any_json()), 0..14)) {
        if let Err(bad) = read(&object(members)) {
            prop_assert!(!bad.faults.is_empty());
        }
    }

    #[test]
    fn s3_every_row_of_a_signal_fits_its_columns(
        amount_digits in 1_u64..=1_000_000_000_000_000_000, amount_scale in 0_u32..28,
        price_digits in 1_u64..=1_000_000_000_000_000_000, price_scale in 0_u32..28,
    ) {
        let (amount, price) = (Decimal::new(amount_digits as i64, amount_scale), Decimal::new(price_digits as i64, price_scale));
        let text = body(serde_json::json!({
            "amount": amount.to_string(), "market_data_snapshot": {"price": price.to_string()}
        }));
        let fits = |value: Decimal| {
            let least = Decimal::new(1, 8);
            value >= least && value < Decimal::new(1_000_000_000_000, 0) && value.normalize().scale() <= 8
        };
        if let Ok(signal) = read(&text) {
            prop_assert!(fits(signal.row_quantity().0));
            prop_assert!(signal.row_price().is_some_and(|p| fits(p.0)));
            prop_assert!(signal.row_amount().is_none_or(|a| fits(a.0)));
            prop_assert_eq!(row_figure(Decimal::ZERO), None);
        } else {
            prop_assert!(amount > AMOUNT_MAX || price < PRICE_MIN || price > PRICE_MAX);
        }
    }
}
