//! The reader's rules one by one (wire-contracts.md 1.5.1), and its worked figures.

use super::*;
use crate::neighbours::{Validation, computed};
use order_manager_core::order::Status;
use order_manager_core::rows::OrderRow;
use order_manager_core::unit::{Side, SignalId, Symbol, Timestamp, decimal};
use serde_json::json;

fn fill(side: &str, quantity: &str, price: &str, fees: &str) -> Value {
    let order = json!({
        "asset": "BTCUSDT", "side": side, "filled_quantity": quantity, "average_price": price, "price": "1",
        "fees": fees, "executed_at": null,
    });
    json!({"event_type": "partially_filled", "timestamp": "2026-01-01T00:00:00.000001", "order": order})
}

fn take(manager: &mut PositionManager, event: &Value) -> Outcome {
    manager.take(event.to_string().as_bytes())
}

fn d(text: &str) -> Decimal {
    decimal::parse(text).unwrap()
}

/// Side, quantity, price, fees; then size, average (empty: none) and realised profit.
type Row<'a> = (&'a str, &'a str, &'a str, &'a str, &'a str, &'a str, &'a str);

fn assert_moves(rows: &[Row<'_>]) {
    let mut manager = PositionManager::default();
    for (version, (side, quantity, price, fees, size, average, realized)) in (1..).zip(rows) {
        assert_eq!(take(&mut manager, &fill(side, quantity, price, fees)), Outcome::Applied);
        let position = manager.position("BTCUSDT").unwrap();
        assert_eq!(position.size, Figure::of(d(size)));
        assert_eq!(position.average_entry_price, Some(*average).filter(|a| !a.is_empty()).map(|a| Figure::of(d(a))));
        assert_eq!(position.realized_pnl, Figure::of(d(realized)), "{quantity}");
        assert_eq!((position.version, position.is_closed), (version, d(size).is_zero()));
    }
}

#[test]
fn a_long_position_grows_shrinks_turns_and_ends() {
    assert_moves(&[
        ("Buy", "1", "100", "0.1", "1", "100", "0"), // the first fill's fees are forgotten
        ("buy", "2", "110", "0.2", "3", "106.66666667", "0"),
        ("SELL", "1", "106.66666667", "0.3", "2", "106.66666667", "-0.3"),
        ("Sell", "3", "116.66666667", "0.4", "-1", "116.66666667", "19.3"),
        ("Buy", "1", "110", "0.5", "0", "", "25.46666667"),
        ("Buy", "0.5", "90", "0", "0.5", "90", "25.46666667"),
    ]);
}

#[test]
fn n6_the_same_message_twice_is_two_fills_until_the_validator_comes() {
    let mut manager = PositionManager::default();
    let event = fill("Buy", "0.4", "100", "0");
    let row = |side, status, filled: &str| OrderRow {
        id: SignalId::default(),
        order_id: "o".into(),
        signal_id: SignalId::default(),
        asset: Symbol::clipped("BTCUSDT"),
        side,
        is_limit: false,
        quantity: Figure::of(d("1")),
        price: None,
        status,
        filled_quantity: Figure::of(d(filled)),
        average_price: Some(Figure::of(d("100"))),
        fees: None,
        created_at: Timestamp(0),
        updated_at: Timestamp(0),
        executed_at: None,
        trace_id: None,
        rejection_reason: None,
    };
    let rows = [
        row(Side::Buy, Status::PartiallyFilled, "0.5"),
        row(Side::Sell, Status::Filled, "0.1"),
        row(Side::Buy, Status::Cancelled, "7"), // not counted, whatever it says
    ];
    assert_eq!(computed("BTCUSDT", &rows).size, d("0.4"));
    assert_eq!(computed("ETHUSDT", &rows).size, Decimal::ZERO);
    for size in ["0.4", "0.8"] {
        assert_eq!(take(&mut manager, &event), Outcome::Applied);
        assert_eq!(manager.position("BTCUSDT").unwrap().size, Figure::of(d(size)));
    }
    let healed = Validation::Overwritten { stored: Some(d("0.8")), computed: d("0.4") };
    assert_eq!(manager.validate("BTCUSDT", &rows), healed);
    assert_eq!(manager.validate("BTCUSDT", &rows), Validation::Agrees);
    assert_eq!(manager.validate("ETHUSDT", &rows), Validation::Agrees);
    assert!(manager.assets().eq(["BTCUSDT"]));
}

#[test]
fn n7_a_second_sell_on_a_short_position_never_leaves_the_queue() {
    let mut manager = PositionManager::default();
    assert_eq!(take(&mut manager, &fill("SELL", "1", "100", "0")), Outcome::Applied);
    let before = manager.clone();
    assert_eq!(take(&mut manager, &fill("SELL", "1", "100", "0")), Outcome::Poisoned(Poison::Average(d("-100"))));
    assert_eq!(manager, before);
}

#[test]
fn what_it_reads_first() {
    let read = |event: &Value| {
        let mut manager = PositionManager::default();
        let outcome = take(&mut manager, event);
        (outcome, manager.positions.into_iter().next().map(|(key, position)| (key, position.size.to_string())))
    };
    let position = |asset: &str, mode: &str, size: &str| Some(((asset.to_owned(), mode.to_owned()), size.to_owned()));
    // A flat message, and a side that is no sell.
    let flat = json!({"event_type": "order_executed", "asset": "ethusdt", "filled_qty": 2, "execution_price": 5.5});
    assert_eq!(read(&flat), (Outcome::Applied, position("ETHUSDT", "one-way", "2.00000000")));
    // The text "0" is a quantity, the number 0 is none; one price too is enough.
    let mut zero = fill("Buy", "0", "1", "0");
    zero["filled_quantity"] = json!("7");
    assert_eq!(read(&zero), (Outcome::Applied, position("BTCUSDT", "one-way", "0.00000000")));
    zero["order"]["filled_quantity"] = json!(0);
    zero["order"]["average_price"] = Value::Null;
    zero["mode"] = json!("Hedge");
    assert_eq!(read(&zero), (Outcome::Applied, position("BTCUSDT", "hedge", "7.00000000")));
}

#[test]
fn what_it_discards_and_what_it_chokes_on() {
    let planted = [
        ("/event_type", json!("cancelled"), "discarded"),
        ("/order/asset", json!(""), "discarded"),
        ("/order/filled_quantity", json!("one"), "discarded"),
        ("/order/fees", json!("much"), "discarded"),
        ("/order/side", json!(1), "poisoned"),
        ("/order", json!("text"), "poisoned"),
        ("/order/asset", json!("AB"), "poisoned"),
        ("/timestamp", json!("2026-01-01T00:00:00+00:00"), "poisoned"),
        ("/order/executed_at", json!("2026-01-01T00:00:00.5-03:00"), "poisoned"),
        ("/timestamp", json!("2026-01-01T00:00:00.5Z"), "applied"),
        ("/timestamp", json!("yesterday"), "applied"),
    ];
    for (place, value, expected) in planted {
        let mut event = fill("Buy", "1", "100", "0");
        *event.pointer_mut(place).unwrap() = value.clone();
        let mut manager = PositionManager::default();
        let word = match take(&mut manager, &event) {
            Outcome::Applied => "applied",
            Outcome::Discarded(_) => "discarded",
            Outcome::Poisoned(_) => "poisoned",
        };
        assert_eq!((word, manager.assets().count()), (expected, usize::from(expected == "applied")), "{place} {value}");
    }
    assert!(matches!(PositionManager::default().take(b"\xff{"), Outcome::Discarded(_)));
}
