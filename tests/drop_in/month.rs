//! A month of signals through the broker, as fast as the service takes them: each one byte for byte from its file, at
//! a market whose prices have gone as far as the price file had by then. `tests/month FIXTURES MARKET` runs it; the
//! files are no part of the project.

use crate::books;
use crate::process::{self, LOOK, PATIENCE};
use crate::queues::{Events, Signals};
use crate::stage::Stage;
use crate::until::until;
use anyhow::{Context, bail, ensure};
use order_manager_core::unit::{Symbol, decimal};
use order_manager_sim::exchange::ExchangeConfig;
use order_manager_sim::month::{Message, read_signals};
use order_manager_sim::neighbours::PositionManager;
use order_manager_sim::prices::{points, read_bars};
use order_manager_sim::serve::{self, Prices, ServeConfig};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use tokio::time::{Instant, interval};

const ASSET: &str = "BTCUSDT";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_month_through_the_broker() -> anyhow::Result<()> {
    let files = ["MONTH_SIGNALS", "MONTH_MARKET"].map(std::env::var);
    let [Ok(signals), Ok(market)] = files else {
        println!("skipped: MONTH_SIGNALS and MONTH_MARKET name no files; run tests/month FIXTURES MARKET");
        return Ok(());
    };
    let signals = read_signals(&std::fs::read_to_string(&signals).context(signals)?);
    run(&signals, Path::new(&market)).await
}

async fn run(signals: &[Message], market: &Path) -> anyhow::Result<()> {
    let bars = read_bars(market)?;
    let mut stage = Stage::open(1).await?;
    let config = ServeConfig { exchange: ExchangeConfig::default(), prices: Prices::Still, ..Default::default() };
    stage.exchange = serve::spawn(config).await?;
    let mut prices = points(&bars, 1).peekable();
    let first = prices.peek().context("no bars")?.price;
    ensure!(stage.exchange.handle().set_price(Symbol::clipped(ASSET), first), "{ASSET} is not listed");
    let events = Events::start(stage.amqp_url());
    let mut launch = stage.launch();
    let ten_years = "315360000".to_owned();
    launch.environment.extend([
        ("ORDERMANAGER_SIGNAL_MAX_AGE_SECONDS", ten_years.clone()),
        ("ORDERMANAGER_EXIT_SIGNAL_MAX_AGE_SECONDS", ten_years),
        // The market goes through hours in a second.
        ("ORDERMANAGER_PRICE_MAX_AGE_SECONDS", "1".to_owned()),
    ]);
    let mut service = launch.start()?;
    let url = process::address(&mut service).await?;
    process::ready(&stage.http, &url).await?;

    let (begun, mut broker) = (Instant::now(), Signals::new(stage.amqp_url()));
    let mut outcomes = BTreeMap::<String, usize>::new();
    let mut longest = std::time::Duration::ZERO;
    for Message { at, body } in signals {
        while let Some(point) = prices.next_if(|point| point.at <= *at) {
            stage.exchange.handle().set_price(Symbol::clipped(ASSET), point.price);
        }
        let sent = Instant::now();
        broker.send(body).await?;
        *outcomes.entry(outcome(&stage.http, &url, body).await?).or_default() += 1;
        longest = longest.max(sent.elapsed());
    }
    for point in prices {
        stage.exchange.handle().set_price(Symbol::clipped(ASSET), point.price);
    }
    let took = begun.elapsed();
    println!("{} signals in {took:.1?}, the slowest in {longest:.1?}: {outcomes:?}", signals.len());
    ensure!(outcomes.values().sum::<usize>() == signals.len(), "not all are accounted for");

    let mut database = stage.database().await?;
    until("books that are the exchange's, and all events", async || {
        let rows = books::orders(&stage.http, &url).await?;
        let published: i64 =
            sqlx::query_scalar("SELECT count(*) FROM order_manager.messages").fetch_one(&mut database).await?;
        let equal = books::differences(&rows, &stage.exchange.handle().truth()).is_empty();
        Ok(equal && i64::try_from(events.noted().len())? >= published)
    })
    .await
    .with_context(|| format!("{:#}", stage.exchange.handle().truth()["positions"]))?;
    complete(&stage, &url, &events).await?;
    process::leave(&mut service).await?;
    println!("{} steps replayed, every digest the same; {:.1?} in all", stage.replay_journal().await?, begun.elapsed());
    stage.close().await
}

/// Waits until the signal is settled; what came of it.
async fn outcome(http: &reqwest::Client, url: &str, body: &[u8]) -> anyhow::Result<String> {
    let signal: Value = serde_json::from_slice(body)?;
    let id = signal["signal_id"].as_str().context("a signal without an id")?;
    let (begun, mut looks) = (Instant::now(), interval(LOOK));
    loop {
        let path = format!("{url}/api/v1/signals/{id}");
        let answer = http.get(path).header("X-API-Key", process::API_KEY).send().await?;
        let (status, known) = (answer.status(), serde_json::from_str::<Value>(&answer.text().await?)?);
        match (status.as_u16(), known["state"].as_str(), known["outcome"].as_str()) {
            (200, Some("settled"), Some("placed")) => return Ok("placed".into()),
            (200, Some("settled"), Some("rejected")) => {
                return Ok(known["code"].as_str().context("rejected without a code")?.to_owned());
            }
            (200, Some("waiting" | "active"), _) | (404, ..) => {}
            _ => bail!("{id}: {status} {known}"),
        }
        ensure!(begun.elapsed() < PATIENCE, "{id} is not settled: {known}");
        looks.tick().await;
    }
}

/// Position Manager's sum of the events is the exchange's position; no event came twice, and each signal and order
/// has its own.
async fn complete(stage: &Stage, url: &str, events: &Events) -> anyhow::Result<()> {
    let (noted, truth) = (events.noted().clone(), stage.exchange.handle().truth());
    let ids: BTreeSet<&str> = noted.iter().map(|event| event.event_id.as_str()).collect();
    ensure!(ids.len() == noted.len(), "{} events came more than once", noted.len() - ids.len());
    let mut manager = PositionManager::default();
    let mut kinds = BTreeMap::<&str, usize>::new();
    for event in &noted {
        let _of_its_kind_or_not = manager.take(event.body.as_bytes());
        *kinds.entry(&event.event_type).or_default() += 1;
    }
    let sum = manager.position(ASSET).map(|position| position.size.value()).unwrap_or_default();
    let size = truth["positions"][ASSET]["size"].as_str().and_then(|text| decimal::parse(text).ok());
    ensure!(size == Some(sum.normalize()), "{size:?} at the exchange, {sum} by the events");
    let rows = books::orders(&stage.http, url).await?;
    let mut of_orders = BTreeSet::new();
    for event in &noted {
        let told: Value = serde_json::from_str(&event.body)?;
        of_orders.insert(told["order"]["id"].to_string());
    }
    for row in rows.iter().filter(|row| row["status"] != "pending") {
        ensure!(of_orders.contains(&row["id"].to_string()), "no event tells of {row}");
    }
    let mut statuses = BTreeMap::<&str, usize>::new();
    rows.iter().for_each(|row| *statuses.entry(row["status"].as_str().unwrap_or_default()).or_default() += 1);
    let executions = truth["executions"].as_array().map(Vec::len).unwrap_or_default();
    println!("{} rows: {statuses:?}; {executions} executions, position {sum}", rows.len());
    println!("{} events: {kinds:?}", noted.len());
    Ok(())
}
