//! Every kind of event as the neighbours get it, byte for byte, and what is stored of the reporter.

use super::*;
use crate::bybit::{ExecType, ExecutionRow, OrderKind, TimeInForce};
use crate::event::{Change, Event, Told};
use crate::fixture::{NOW, link, money, price, quantity, ratio, signal};
use crate::intake::{BadSignal, Fault, Known, Signal};
use crate::order::{InheritedOrder, Spec, Status, Totals};
use crate::outcome::Outcome;
use crate::refusal::Code;
use crate::unit::{Coin, ExchangeTime, Intent, Side, Span, Symbol, Text, TraceId};
use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec;

const SEQ: Seq = Seq(1);

fn limit() -> Spec {
    let intent = Intent { signal: SignalId(7), leg: 0, attempt: 0 };
    let kind = OrderKind::Limit { price: price("50000"), time_in_force: TimeInForce::PostOnly };
    let (side, quantity, price, at) = (Side::Sell, quantity("0.030"), price("50000"), NOW);
    Spec {
        link: link(0),
        intent,
        symbol: Symbol::clipped("BTCUSDT"),
        side,
        kind,
        quantity,
        reduce_only: false,
        price,
        at,
    }
}

fn seven() -> Signal {
    let mut signal = signal(Side::Sell, "1500.50");
    signal.model_version = Some(Text::clipped("v1.2"));
    signal.snapshot.volume_24h = Some(quantity("1000"));
    signal.snapshot.volatility = Some(ratio("0.0040"));
    signal
}

fn told(change: Change, status: Status) -> Told {
    Told {
        link: link(0),
        change,
        status,
        order_id: Some(Text::clipped("id-1")),
        quantity: quantity("0.03"),
        price: Some(price("50000.0")),
        increment: Totals::default(),
        exec_ids: vec![],
        totals: Totals::default(),
        reason: Text::EMPTY,
        last: false,
        crossed: false,
        at: NOW.after(Span(1_234_500)),
    }
}

/// What the last of these events publishes.
fn published(events: &[Event]) -> Option<String> {
    let mut reporter = Reporter::default();
    let told = events.iter().map(|event| reporter.follow(SEQ, 0, event)).last().flatten();
    told.map(|message| serde_json::to_string(&message).unwrap())
}

fn ordered(told: Told) -> String {
    let accepted = accepted(seven());
    published(&[accepted, Event::OrderIntended { spec: Box::new(limit()) }, Event::OrderTold(Box::new(told))]).unwrap()
}

fn accepted(signal: Signal) -> Event {
    Event::SignalAccepted { signal: Box::new(signal), at: NOW, tries: 1, ahead: None, out_of_order: false }
}

fn rejected(code: Code, text: &str) -> Event {
    let (signal, outcome, text) = (SignalId(7), Outcome::Rejected(code), Text::clipped(text));
    Event::SignalSettled { signal, outcome, at: NOW, text, cancelled: vec![] }
}

#[test]
fn e1_a_fill_tells_what_it_adds_and_what_is_filled() {
    let increment = Totals { quantity: quantity("0.01"), value: money("500.000"), fee: money("0.2750") };
    let totals = Totals { quantity: quantity("0.02"), value: money("1000.10"), fee: money("0.55") };
    let exec_ids = vec![Text::clipped("e-1"), Text::clipped("e-2")];
    let part = told(Change::PartiallyFilled, Status::PartiallyFilled);
    let expected = concat!(
        r#"{"event_id":"bdc94bce-2eda-864d-bc08-dc21994df8a2","event_type":"partially_filled","#,
        r#""timestamp":"2022-01-01T03:00:01.2345","trace_id":"t","#,
        r#""order":{"id":"96a5349d-474f-8d41-ab6e-a9b3211894f1","order_id":"id-1","#,
        r#""signal_id":"00000000-0000-0000-0000-000000000007","asset":"BTCUSDT","side":"SELL","order_type":"Limit","#,
        r#""quantity":"0.03","price":"50000","status":"partially_filled","filled_quantity":"0.01","#,
        r#""average_price":"50000","fees":"0.275","created_at":"2022-01-01T03:00:00","#,
        r#""updated_at":"2022-01-01T03:00:01.2345","executed_at":null,"is_dry_run":false},"#,
        r#""execution_details":{"execution_latency_seconds":"1.2345","fill_percentage":"66.66666667","#,
        r#""remaining_quantity":"0.01"},"#,
        r#""fill":{"quantity":"0.01","price":"50000","fee":"0.275","exec_ids":["e-1","e-2"]},"#,
        r#""totals":{"filled_quantity":"0.02","average_price":"50005","fees":"0.55"},"#,
        r#""market_conditions":{"price":"50000","spread":"100","volume_24h":"1000","volatility":"0.004","#,
        r#""timestamp":"2022-01-01T03:00:00"},"#,
        r#""signal":{"signal_id":"00000000-0000-0000-0000-000000000007","signal_type":"sell","asset":"BTCUSDT","#,
        r#""amount":"1500.5","confidence":"0.8","strategy_id":"momentum_v1","model_version":"v1.2","#,
        r#""is_warmup":false,"price":"50000","timestamp":"2022-01-01T03:00:00"}}"#,
    );
    assert_eq!(ordered(Told { increment, totals, exec_ids, ..part }), expected);
}

#[test]
fn e1_an_order_is_called_by_our_id_until_bybits_is_known() {
    let text = ordered(Told { order_id: None, ..told(Change::Created, Status::Pending) });
    assert!(text.contains(&alloc::format!(r#""order_id":"{}""#, link(0))), "{text}");
    assert!(text.contains(r#""filled_quantity":"0","average_price":null,"fees":null"#), "{text}");
    assert!(text.contains(r#"{"execution_latency_seconds":null,"fill_percentage":"0","remaining_quantity":"0.03"}"#));
    assert!(text.contains(r#""fill":null,"totals":{"filled_quantity":"0","average_price":null,"fees":"0"}"#), "{text}");
    let nothing = ordered(Told { quantity: Quantity::ZERO, ..told(Change::Modified, Status::Pending) });
    assert!(nothing.contains(r#""fill_percentage":null,"remaining_quantity":"0""#), "{nothing}");
}

#[test]
fn e1_an_end_tells_why_under_a_key_of_its_own() {
    let reason = Text::clipped("new_signal");
    let cancelled = ordered(Told { reason, ..told(Change::Cancelled, Status::Cancelled) });
    assert!(cancelled.contains(r#""cancel_reason":"new_signal","market_conditions""#), "{cancelled}");
    let rejected = ordered(Told { reason, ..told(Change::Rejected, Status::Rejected) });
    assert!(rejected.contains(r#""rejection_reason":"new_signal","market_conditions""#), "{rejected}");
    let unsaid = ordered(told(Change::Cancelled, Status::Cancelled));
    assert!(!unsaid.contains("_reason"), "{unsaid}");
}

#[test]
fn s4_a_rejected_signal_is_told_once_and_only_without_an_order() {
    let (accepted, settled) = (accepted(seven()), rejected(Code::Leverage, "20 is over 10"));
    let text = published(&[accepted.clone(), settled.clone()]).unwrap();
    let order = concat!(
        r#""order":{"id":"00000000-0000-0000-0000-000000000007","#,
        r#""order_id":"REJECTED-00000000-0000-0000-0000-000000000007","#,
        r#""signal_id":"00000000-0000-0000-0000-000000000007","asset":"BTCUSDT","side":"SELL","order_type":"Market","#,
        r#""quantity":"0.03001","price":null,"status":"rejected","filled_quantity":"0","average_price":null,"#,
        r#""fees":null,"created_at":"2022-01-01T03:00:00","updated_at":"2022-01-01T03:00:00","executed_at":null,"#,
        r#""is_dry_run":false},"execution_details":null,"fill":null,"totals":null,"#,
        r#""rejection_reason":"leverage: 20 is over 10","market_conditions":"#,
    );
    assert!(text.contains(order), "{text}");

    let intended = Event::OrderIntended { spec: Box::new(limit()) };
    let (twice, forgotten) = (intended.clone(), Event::OrderForgotten { link: link(0) });
    assert_eq!(published(&[accepted.clone(), intended.clone(), settled.clone()]), None);
    assert_eq!(published(&[accepted, intended, twice, forgotten, settled]), Some(text), "it is remembered no more");
}

#[test]
fn s4_a_message_that_is_no_signal_is_told_with_its_faults() {
    let fault = |field: &str, value: &str, reason: &str| Fault {
        field: Text::clipped(field),
        value: Text::clipped(value),
        reason: Text::clipped(reason),
    };
    let faults = vec![fault("amount", "", "is missing"), fault("confidence", "2", "is over 1")];
    let symbol = Symbol::clipped("BTCUSDT");
    let known = Some(Known { id: SignalId(7), symbol, side: Side::Buy, trace: TraceId::EMPTY });
    let bad = BadSignal { known, faults };
    let text = published(&[Event::SignalInvalid { at: NOW, bad: Box::new(bad.clone()) }]).unwrap();
    assert!(text.contains(r#""trace_id":"","#) && text.contains(r#""quantity":"0.00000001""#), "{text}");
    let why = r#""totals":null,"rejection_reason":"validation: amount is missing; confidence = 2: is over 1"}"#;
    assert!(text.ends_with(why), "{text}");
    let bad = Box::new(BadSignal { known: None, ..bad });
    assert_eq!(published(&[Event::SignalInvalid { at: NOW, bad }]), None);
}

#[test]
fn o4_a_fill_of_an_order_of_others_is_told_never_ahead_of_our_clock() {
    let row = ExecutionRow {
        exec_id: Text::clipped("e-1"),
        order_id: Text::clipped("by-hand"),
        link: None,
        symbol: Symbol::clipped("BTCUSDT"),
        side: Side::Buy,
        exec_type: ExecType::Trade,
        price: price("50000.10"),
        quantity: quantity("0.010"),
        value: money("500.001"),
        fee: money("0"),
        fee_coin: Coin::EMPTY,
        is_maker: false,
        time: ExchangeTime(NOW.0 / 1_000 + 1),
        seq: None,
    };
    let text = published(&[Event::ForeignExecuted { row: Box::new(row), evidence: SEQ, at: NOW }]).unwrap();
    let expected = concat!(
        r#""timestamp":"2022-01-01T03:00:00","trace_id":"","#,
        r#""order":{"id":"b2caa848-ee3d-8776-baa8-5db4ab431dc3","order_id":"by-hand","#,
        r#""signal_id":"00000000-0000-0000-0000-000000000000","asset":"BTCUSDT","side":"Buy","order_type":"Market","#,
        r#""quantity":"0.01","price":null,"status":"filled","filled_quantity":"0.01","average_price":"50000.1","#,
        r#""fees":null,"created_at":"2022-01-01T03:00:00","updated_at":"2022-01-01T03:00:00","#,
        r#""executed_at":"2022-01-01T03:00:00","is_dry_run":false},"execution_details":null,"#,
        r#""fill":{"quantity":"0.01","price":"50000.1","fee":"0","exec_ids":["e-1"]},"totals":null}"#,
    );
    assert!(text.ends_with(expected), "{text}");
}

#[test]
fn t1_an_inherited_order_keeps_its_rows_id_and_its_trace_also_across_a_restart() {
    let order = InheritedOrder {
        id: SignalId(0xab),
        order_id: Text::clipped("id-1"),
        signal: SignalId(7),
        symbol: Symbol::clipped("BTCUSDT"),
        side: Side::Buy,
        limit: None,
        quantity: quantity("0.03"),
        filled: Quantity::ZERO,
        average_price: None,
        fees: money("0"),
        created_at: NOW,
        trace: TraceId::clipped("theirs"),
    };
    let mut reporter = Reporter::default();
    let inherited = Event::OrderInherited { link: link(0), order: Box::new(order) };
    assert_eq!(reporter.follow(SEQ, 0, &inherited), None);
    let stored = serde_json::to_value(&reporter).unwrap();
    let keys: vec::Vec<_> = stored.as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(keys, ["inherited", "orders", "signals"]);
    let mut restored: Reporter = serde_json::from_value(stored).unwrap();
    assert_eq!(restored, reporter);
    let event = restored.follow(SEQ, 1, &Event::OrderTold(Box::new(told(Change::Modified, Status::Pending)))).unwrap();
    let text = serde_json::to_string(&event).unwrap();
    assert!(text.contains(r#""trace_id":"theirs","order":{"id":"00000000-0000-0000-0000-0000000000ab","#), "{text}");
    assert!(text.contains(r#""order_type":"Market","quantity":"0.03","price":null"#), "{text}");
    restored.follow(SEQ, 2, &accepted(seven()));
    assert_eq!(restored.follow(SEQ, 3, &rejected(Code::Leverage, "")), None, "its order has told the story");
}
