//! The database is away for some seconds while signals come by the broker and over HTTP (spec T6): whoever asks is
//! told when to come back, the broker keeps what it has and does not spin, and then everything is carried out once.

use crate::bank;
use crate::books;
use crate::process::{self, API_KEY, get};
use crate::queues::{Events, Signals};
use crate::samples::Sample;
use crate::stage::Stage;
use crate::until::until;
use anyhow::{Context, ensure};
use order_manager_sim::neighbours::PositionManager;
use order_manager_sim::serve::{self, Prices, ServeConfig};
use serde_json::Value;
use std::collections::BTreeMap;

/// By the broker while the database is away.
const BY_BROKER: u32 = 12;
/// Over HTTP.
const BY_HTTP: u32 = 20;
/// The service looks for its database once a second; so long is it away.
const LOOKS: usize = 4;
/// As the service logs it when the database is not back yet.
const LOOKED: &str = "the store cannot be read: trying again";
/// As it logs a signal that it leaves to the broker.
const LEFT: &str = "a signal from the broker must come again";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn t6_the_database_is_away_and_comes_back() -> anyhow::Result<()> {
    let mut stage = Stage::open(1).await?;
    stage.exchange = serve::spawn(ServeConfig { prices: Prices::Still, ..Default::default() }).await?;
    let events = Events::start(stage.amqp_url());
    let mut launch = stage.launch();
    launch.environment.push(("ORDERMANAGER_LOG_LEVEL", "info".to_owned()));
    let mut service = launch.start()?;
    let url = process::address(&mut service).await?;
    process::ready(&stage.http, &url).await?;
    let mut broker = Signals::new(stage.amqp_url());
    broker.send(sample(0).text().as_bytes()).await?;
    all_placed(&stage, &url, [0]).await?;

    stage.to_postgres.refuse();
    for number in 1..=BY_BROKER {
        broker.send(sample(number).text().as_bytes()).await?;
    }
    let over_http = sample(BY_HTTP).text();
    away(&stage, &url, &over_http).await.with_context(|| stage.log())?;

    stage.to_postgres.heal();
    process::ready(&stage.http, &url).await?;
    let answer = bring(&stage, &url, &over_http).await?;
    ensure!(answer.status() == 202, "after the outage: {}", answer.text().await?);
    all_placed(&stage, &url, (1..=BY_BROKER).chain([BY_HTTP])).await.with_context(|| stage.log())?;
    once_each(&stage, &url, &events).await?;
    let left = stage.log().matches(LEFT).count();
    println!("{} looks for the database; {left} times a signal was left to the broker", looks(&stage));
    // Those on their way come again once for the failure and perhaps once for the next try; a loop gives hundreds.
    ensure!(left <= 2 * BY_BROKER as usize, "{left} times a signal was left to the broker: {}", stage.log());
    process::leave(&mut service).await?;
    stage.replay_journal().await?;
    stage.close().await
}

/// Buys of two symbols, one after the other.
fn sample(number: u32) -> Sample {
    Sample::model(number, "buy", if number.is_multiple_of(2) { "BTCUSDT" } else { "ETHUSDT" }, "150.0")
}

async fn bring(stage: &Stage, url: &str, body: &str) -> anyhow::Result<reqwest::Response> {
    let request = stage.http.post(format!("{url}/api/v1/signals")).header("X-API-Key", API_KEY);
    Ok(request.body(body.to_owned()).send().await?)
}

fn looks(stage: &Stage) -> usize {
    stage.log().matches(LOOKED).count()
}

/// How it looks from outside until the service has looked for its database often enough.
async fn away(stage: &Stage, url: &str, body: &str) -> anyhow::Result<()> {
    until("a service that knows that its store is down", async || {
        Ok(stage.http.get(format!("{url}/ready")).send().await?.status() == 503)
    })
    .await?;
    let begun = bank::now();
    until("a service that looks for its store", async || {
        let answer = bring(stage, url, body).await?;
        let retry = answer.headers().get("Retry-After").and_then(|after| after.to_str().ok()?.parse::<u64>().ok());
        ensure!(answer.status() == 503 && retry.is_some_and(|seconds| seconds > 0), "{retry:?}: {answer:?}");
        for (path, status) in [("/ready", 503), ("/live", 200), ("/health", 200)] {
            let answer = stage.http.get(format!("{url}{path}")).send().await?;
            ensure!(answer.status() == status, "{path}: {answer:?}");
        }
        let health = get(&stage.http, url, "/health").await?;
        ensure!(health["status"] == "unhealthy" && health["database_connected"] == false, "{health}");
        Ok(looks(stage) >= LOOKS)
    })
    .await?;
    println!("away for {} ms", bank::now().since(begun).0 / 1_000);
    Ok(())
}

async fn all_placed(stage: &Stage, url: &str, numbers: impl IntoIterator<Item = u32>) -> anyhow::Result<()> {
    for number in numbers {
        let path = format!("{url}/api/v1/signals/{}", sample(number).id);
        until(&format!("signal {number}"), async || {
            let answer = stage.http.get(&path).header("X-API-Key", API_KEY).send().await?;
            let signal: Value = serde_json::from_str(&answer.text().await?)?;
            ensure!(signal["outcome"] != "rejected", "{signal}");
            Ok(signal["outcome"] == "placed")
        })
        .await?;
    }
    Ok(())
}

/// One filled order for each signal, here, at the exchange and in the events.
async fn once_each(stage: &Stage, url: &str, events: &Events) -> anyhow::Result<()> {
    let wanted = BY_BROKER as usize + 2;
    until("one filled order for each signal", async || {
        let rows = books::orders(&stage.http, url).await?;
        let filled = rows.iter().filter(|row| row["status"] == "filled").count();
        let told = events.noted().iter().filter(|event| event.event_type == "filled").count();
        let equal = books::differences(&rows, &stage.exchange.handle().truth()).is_empty();
        Ok(equal && rows.len() == wanted && filled == wanted && told >= wanted)
    })
    .await
    .with_context(|| format!("{:#}\n{}", stage.exchange.handle().truth(), stage.log()))?;
    let mut manager = PositionManager::default();
    let mut fills = BTreeMap::<String, usize>::new();
    for event in events.noted().iter() {
        let _of_its_kind_or_not = manager.take(event.body.as_bytes());
        if event.is_fill() {
            let told: Value = serde_json::from_str(&event.body)?;
            *fills.entry(told["order"]["signal_id"].to_string()).or_default() += 1;
        }
    }
    ensure!(fills.len() == wanted && fills.values().all(|count| *count == 1), "{fills:?}");
    let truth = stage.exchange.handle().truth();
    for asset in ["BTCUSDT", "ETHUSDT"] {
        let sum = manager.position(asset).map(|position| position.size.value().normalize().to_string());
        ensure!(sum.as_deref() == truth["positions"][asset]["size"].as_str(), "{asset}: {sum:?} {truth:#}");
    }
    Ok(())
}
