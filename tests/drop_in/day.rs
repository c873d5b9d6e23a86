//! One day: signals in the model service's bytes in, order events out as Position Manager adds them up, rows as
//! Grafana, the model service and Position Manager's validator read them. Orders' news come through ws-gateway's
//! queue, so that every fill is taken from order rows.

use crate::bank::now;
use crate::neighbours::position_manager;
use crate::process::{self, get};
use crate::readers::{self, Flow};
use crate::samples::Sample;
use crate::street::{ASSETS, Street, size_at_exchange};
use crate::until::until;
use crate::wire::{GATEWAY_ORDERS, ORDER_EVENTS, SIGNALS};
use anyhow::{Context, ensure};
use lapin::BasicProperties;
use lapin::types::{AMQPValue, FieldTable, LongString};
use order_manager_core::unit::{Decimal, Price, decimal};
use order_manager_sim::neighbours::{Reading, read_execution};
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// What the scripts of testers put into the header, and into the body.
const HEADER_TRACE: &str = "trace-of-the-header";
const BODY_TRACE: &str = "trace-of-the-body";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_day_among_the_neighbours() -> anyhow::Result<()> {
    let mut day = Street::open().await?;
    let done = signals(&mut day).await;
    done.with_context(|| day.stage.log())?;
    events_are_as_their_readers_need_them(&day)?;
    rows_are_as_their_readers_need_them(&mut day).await?;
    queues_are_as_they_were(&day).await?;
    the_api_shows_it(&day).await?;
    process::leave(&mut day.service).await?;
    let steps = day.stage.replay_journal().await?;
    println!("{} order rows came through the gateway, {steps} steps replayed", day.bridge.counts().forwarded);
    day.stage.close().await
}

/// What comes in, in the order of the day.
async fn signals(day: &mut Street) -> anyhow::Result<()> {
    let first = Sample::model(1, "buy", "BTCUSDT", "401.19");
    let first_body = first.text();
    day.publish(&first_body).await?;
    day.settled(&first.id, "placed").await?;

    // A limit order rests, fills partly, and is cancelled by the next signal.
    let limit = Sample { confidence: "0.6877", spread: "120.0", ..Sample::model(2, "buy", "BTCUSDT", "603.5") };
    day.carry_out(&limit, "placed").await?;
    let rests = resting(&day.stage.exchange.handle().truth()).context("no order rests")?;
    day.set_price(rests)?;
    day.level().await?;
    ensure!(readers::muted(&mut day.database).await? == 1, "an order that is filled in part is open to the model");
    let warm_up = Sample {
        is_warmup: true,
        price: "59940.0",
        ..Sample::model(3, "buy", "BTCUSDT", "150.0").without_model(
            "0.95",
            r#"{"reasoning": "Warm-up signal (random)", "risk_score": 0.3, "randomness_level": 0.5}"#,
        )
    };
    day.carry_out(&warm_up, "placed").await?;

    // What sells is measured in coins.
    let take_profit = Sample { price: "59940.0", ..Sample::model(4, "sell", "BTCUSDT", "0.005") }.without_model(
        "1.0",
        r#"{"reasoning": "take_profit_triggered", "unrealized_pnl_pct": 3.2, "take_profit_threshold": 3.0, "position_size": 0.005}"#,
    );
    day.carry_out(&take_profit, "placed").await?;

    let script = Sample::model(5, "buy", "ETHUSDT", "100.0");
    let body = script.script_text(BODY_TRACE);
    let mut headers = FieldTable::default();
    headers.insert("trace_id".into(), AMQPValue::LongString(LongString::from(HEADER_TRACE)));
    let properties = BasicProperties::default()
        .with_delivery_mode(2)
        .with_content_type("application/json".into())
        .with_headers(headers);
    day.wire.publish(SIGNALS, body.as_bytes(), properties).await?;
    sqlx::query(readers::SIGNAL_ROW).bind(&body).execute(&mut day.database).await?;
    day.settled(&script.id, "placed").await?;

    let exit = Sample::model(6, "sell", "ETHUSDT", "0.03").without_model(
        "1.0",
        r#"{"reasoning": "Stop loss: -2.10% <= -2.00%", "rule_triggered": "stop_loss", "exit_strategy": true, "exit_decision_metadata": {"pnl_pct": -2.1}}"#,
    );
    day.carry_out(&exit, "placed").await?;
    ensure!(day.size_by_events("ETHUSDT").is_zero(), "the exit did not close the position");
    // Again: there is nothing left to sell.
    day.carry_out(&Sample { id: "00000000-0000-4000-8000-000000000007".into(), ..exit }, "rejected").await?;

    // Not a signal, but its author, asset and side can be read; not even that; and one that came before.
    let invalid = Sample::model(8, "buy", "BTCUSDT", "-5.0");
    day.publish(&invalid.text()).await?;
    day.wire.signal(r#"{"signal_id": "00000000-0000-4000-"#).await?;
    day.wire.signal(&first_body).await?;
    let last = Sample { price: "59940.0", ..Sample::model(9, "buy", "BTCUSDT", "150.0") };
    day.carry_out(&last, "placed").await?;
    fills_while_the_gateway_is_deaf(day).await?;
    until("the end of the queue", async || {
        Ok(day.wire.waiting(SIGNALS).await? == 0 && day.wire.waiting(GATEWAY_ORDERS).await? == 0)
    })
    .await?;
    let letters = get(&day.stage.http, &day.url, "/api/v1/dead-letters").await?;
    ensure!(letters["pagination"]["total_items"] == 1, "{letters}");
    Ok(())
}

/// An order fills while the gateway's socket to Bybit is away: what it does not forward is asked for.
async fn fills_while_the_gateway_is_deaf(day: &mut Street) -> anyhow::Result<()> {
    let limit = Sample {
        confidence: "0.6877",
        price: "59940.0",
        spread: "120.0",
        ..Sample::model(10, "buy", "BTCUSDT", "603.5")
    };
    day.carry_out(&limit, "placed").await?;
    let rests = resting(&day.stage.exchange.handle().truth()).context("no order rests")?;
    until("the gateway's word that the order rests", async || {
        let rows = get(&day.stage.http, &day.url, "/api/v1/orders?status=pending").await?;
        Ok(rows["orders"][0]["state"] == "open" && day.wire.waiting(GATEWAY_ORDERS).await? == 0)
    })
    .await?;
    let is_gateway = async |word: &str| {
        // While it is away we are not ready, and /ready answers 503.
        let answer = day.stage.http.get(format!("{}/ready", day.url)).send().await?;
        let ready: Value = serde_json::from_str(&answer.text().await?)?;
        anyhow::Ok(ready["dependencies"]["ws_gateway"] == word)
    };
    day.gateway.known().websocket = false;
    until("a gateway that is missed", async || is_gateway("unavailable").await).await?;
    let before = day.bridge.counts();
    let through = rests.minus(Price(Decimal::ONE)).context("no price below")?;
    day.set_price(through)?;
    until("a message that is lost", async || Ok(day.bridge.counts().lost > before.lost)).await?;
    day.gateway.known().websocket = true;
    until("a gateway that is back", async || is_gateway("available").await).await?;
    day.level().await?;
    ensure!(day.bridge.counts().forwarded == before.forwarded, "the fill came by the gateway");
    Ok(())
}

/// The price of the one order that rests at the exchange.
fn resting(truth: &Value) -> Option<Price> {
    let open = truth["orders"].as_object()?.values().find(|order| order["status"] == "New")?;
    decimal::parse(open["price"].as_str()?).ok().map(Price)
}

fn events_are_as_their_readers_need_them(day: &Street) -> anyhow::Result<()> {
    let mut ids = BTreeSet::new();
    let mut filled = 0;
    for delivery in day.heard.lock().unwrap().iter() {
        let (body, properties) = (String::from_utf8_lossy(&delivery.data).into_owned(), &delivery.properties);
        let event: Value = serde_json::from_str(&body)?;
        let text = |value: &Value| value.as_str().map(str::to_owned);
        ensure!(*properties.delivery_mode() == Some(2), "not persistent: {body}");
        let content_type = properties.content_type().as_ref().map(|kind| kind.as_str());
        ensure!(content_type == Some("application/json"), "{content_type:?}: {body}");
        let message_id = properties.message_id().as_ref().map(|id| id.as_str().to_owned());
        ensure!(message_id.is_some() && message_id == text(&event["event_id"]), "{message_id:?}: {body}");
        let trace = properties.headers().as_ref().and_then(|headers| headers.inner().get("trace_id"));
        let trace = trace.and_then(AMQPValue::as_long_string).map(|trace| String::from_utf8_lossy(trace.as_bytes()));
        ensure!(trace.map(|trace| trace.into_owned()) == text(&event["trace_id"]), "the header's trace: {body}");
        ensure!(ids.insert(message_id), "twice: {body}");
        if event["event_type"] == "filled" {
            filled += 1;
            let read = read_execution(&delivery.data, now());
            ensure!(matches!(read, Reading::Accepted(_)), "{read:?}: {body}");
        }
    }
    let of = |kind: &str, signal: u32| {
        let id = format!("00000000-0000-4000-8000-{signal:012}");
        let is = |event: &&Value| event["event_type"] == kind && event["order"]["signal_id"] == id.as_str();
        day.bodies().iter().filter(is).count()
    };
    ensure!(filled == 7 && of("partially_filled", 2) == 1, "{:#?}", day.bodies());
    ensure!(of("cancelled", 2) == 1, "the rest of order 2 is not cancelled once: {:#?}", day.bodies());
    for signal in [1, 2, 3, 4, 5, 6, 9, 10] {
        ensure!(of("created", signal) == 1, "order {signal} is not created once: {:#?}", day.bodies());
    }
    for signal in [1, 3, 4, 5, 6, 9, 10] {
        ensure!(of("filled", signal) == 1, "signal {signal} is not filled once: {:#?}", day.bodies());
    }
    for signal in [7, 8] {
        ensure!(of("rejected", signal) == 1, "signal {signal} is not rejected once: {:#?}", day.bodies());
    }
    let traced: Vec<Value> =
        day.bodies().into_iter().filter(|event| event["order"]["signal_id"] == signal_id(5)).collect();
    ensure!(!traced.is_empty() && traced.iter().all(|event| event["trace_id"] == HEADER_TRACE), "{traced:?}");
    Ok(())
}

fn signal_id(number: u32) -> String {
    format!("00000000-0000-4000-8000-{number:012}")
}

async fn rows_are_as_their_readers_need_them(day: &mut Street) -> anyhow::Result<()> {
    let truth = day.stage.exchange.handle().truth();
    for asset in ASSETS {
        let (exchange, events) = (size_at_exchange(&truth, asset), day.size_by_events(asset));
        let validator = readers::validator(&mut day.database, asset).await?;
        ensure!(exchange == events && exchange == validator.normalize(), "{asset}: {exchange} {events} {validator}");
        // The row that Position Manager keeps, for the panels.
        sqlx::query("INSERT INTO positions (asset, size, mode) VALUES ($1, $2::text::numeric, 'one-way')")
            .bind(asset)
            .bind(events.to_string())
            .execute(&mut day.database)
            .await?;
    }
    let flow = readers::trading_flow(&mut day.database).await?;
    let told: Vec<String> = flow.iter().map(line).collect();
    let expected = [
        "01 Market Buy filled 0.006/0.006",
        "02 Limit Buy filled 0.004/0.004",
        "03 Market Buy filled 0.002/0.002",
        "04 Market SELL filled 0.005/0.005",
        "05 Market Buy filled 0.03/0.03",
        "06 Market SELL filled 0.03/0.03",
        "07 Market SELL rejected 0",
        "08 Market Buy rejected 0",
        "09 Market Buy filled 0.002/0.002",
        "10 Limit Buy filled 0.01/0.01",
    ];
    ensure!(told == expected, "{flow:#?}");
    for Flow { signal, allocated, order, side, status, reason, average, position, .. } in &flow {
        let is_filled = status == "filled";
        ensure!(order.len() == 8 && (order == "REJECTED") != is_filled, "{signal}: {order}");
        ensure!(reason.is_empty() == is_filled && average.is_empty() != is_filled, "{signal}: {reason} {average}");
        ensure!(!is_filled || decimal::parse(allocated).is_ok_and(is_of_usdt), "{signal}: allocated {allocated}");
        let shows = *side == "Buy" && !day.size_by_events("BTCUSDT").is_zero() && signal != "05";
        ensure!(position.is_empty() != shows, "{signal}: position {position:?}");
    }
    let history = readers::event_history(&mut day.database).await?;
    let count = |word: &str| history.iter().filter(|row| *row == &format!("{word} true")).count();
    ensure!((count("order_executed"), count("order_closed"), history.len()) == (8, 2, 10), "{history:?}");
    ensure!(readers::muted(&mut day.database).await? == 0, "an order mutes the model");
    let traces: Vec<String> = sqlx::query_scalar("SELECT trace_id FROM orders WHERE signal_id = $1::text::uuid")
        .bind(signal_id(5))
        .fetch_all(&mut day.database)
        .await?;
    ensure!(traces == [HEADER_TRACE], "{traces:?}");
    let log = day.stage.log();
    let accepted = log.lines().find(|line| line.contains("signal accepted") && line.contains(&signal_id(5)));
    ensure!(accepted.is_some_and(|line| line.contains(HEADER_TRACE)), "{accepted:?}");
    ensure!(!log.contains(BODY_TRACE), "the body's trace id was used");
    Ok(())
}

/// Every order of the day was worth some tens or hundreds, in dollars and not in coins.
fn is_of_usdt(amount: Decimal) -> bool {
    amount > Decimal::from(50) && amount < Decimal::from(1_000)
}

fn line(flow: &Flow) -> String {
    let Flow { signal, order_type, side, status, filled, quantity, .. } = flow;
    // Of an order that never was nobody reads a quantity.
    let of = if status == "filled" { format!("/{quantity}") } else { String::new() };
    format!("{signal} {order_type} {side} {status} {filled}{of}")
}

/// A declaration that differs in one argument is refused by the broker; these are not.
async fn queues_are_as_they_were(day: &Street) -> anyhow::Result<()> {
    for queue in [SIGNALS, ORDER_EVENTS] {
        day.wire.declare(queue).await?;
    }
    day.wire.declare_gateway_orders().await?;
    ensure!(day.wire.declare(GATEWAY_ORDERS).await.is_err(), "the gateway's queue has lost its arguments");
    Ok(())
}

async fn the_api_shows_it(day: &Street) -> anyhow::Result<()> {
    let (http, url) = (&day.stage.http, day.url.as_str());
    let health = get(http, url, "/health").await?;
    let five = json!({
        "status": "healthy", "service": "order-manager", "database_connected": true, "queue_connected": true,
        "timestamp": health["timestamp"],
    });
    ensure!(health == five, "{health}");
    let ready = get(http, url, "/ready").await?;
    ensure!(ready["status"] == "ready", "{ready}");
    for name in ["database", "rabbitmq", "bybit_api", "ws_gateway"] {
        ensure!(ready["dependencies"][name] == "available", "{name}: {ready}");
    }
    let positions = get(http, url, "/api/v1/positions").await?;
    for asset in ASSETS {
        let shown = positions["positions"].as_array().and_then(|all| all.iter().find(|row| row["asset"] == asset));
        let size = shown.and_then(|row| decimal::parse(row["size"].as_str()?).ok()).context("no such position")?;
        ensure!(size.normalize() == day.size_by_events(asset), "{asset}: {positions}");
    }
    ensure!(day.manager.server.count(position_manager::LIST) > 0, "the positions are not Position Manager's");
    let streams = day.stage.exchange.handle().truth();
    ensure!(streams["streams"] == 1, "besides the gateway's somebody has a private stream: {}", streams["streams"]);
    ensure!(day.bridge.counts().forwarded > 0, "nothing came through the gateway");
    Ok(())
}
