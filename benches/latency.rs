//! How long a signal takes to become an order at the exchange, beside what it cannot be faster than: one commit to
//! this disk and one signed request over this loopback. Asserts nothing; the figures are of this machine.

#[path = "../tests/support/process.rs"]
mod process;

use anyhow::{Context, ensure};
use order_manager_core::bybit::sign;
use order_manager_core::input::{Input, Started};
use order_manager_core::unit::{ExchangeTime, Timestamp};
use order_manager_core::{Manager, Step};
use order_manager_service::store::{Store, StoredStep};
use order_manager_sim::serve::{self, Prices, ServeConfig, Served};
use process::{API_KEY, LOOK, Launch, PATIENCE};
use serde_json::json;
use std::collections::BTreeMap;
use std::path::Path;
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use tokio::time::{Instant, sleep, sleep_until};

const TIMES: usize = 200;
/// Between two signals at least: the core spends 8 creates in 1.05 s (spec O5), and waiting for that is no latency.
const APART: Duration = Duration::from_millis(150);

fn main() -> anyhow::Result<()> {
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?.block_on(measure())
}

async fn measure() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let config = ServeConfig { prices: Prices::Still, ..ServeConfig::default() };
    let exchange = serve::spawn(config).await?;
    let http = process::client()?;
    let commit = commits(&folder.path().join("commits.db")).await?;
    let request = requests(&http, &exchange).await?;
    let signal = signals(&http, &exchange, &folder.path().join("latency.db")).await?;
    let base = [median(&commit), median(&request)];
    println!("{TIMES} times each, one at a time, microseconds");
    println!("{:<44} {:>8} {:>8} {:>10} {:>10}", "", "median", "p99", "x commit", "x request");
    for (name, figures) in [
        ("one commit of a small step", &commit),
        ("one signed GET /v5/account/wallet-balance", &request),
        ("signal POST sent -> create taken", &signal),
    ] {
        let [commits, requests] = base.map(|base| median(figures) as f64 / base.max(1) as f64);
        let (median, p99) = (median(figures), figures[figures.len() * 99 / 100]);
        println!("{name:<44} {median:>8} {p99:>8} {commits:>10.1} {requests:>10.1}");
    }
    Ok(())
}

fn median(sorted: &[u64]) -> u64 {
    sorted[sorted.len() / 2]
}

/// Steps of a manager that has nothing to do, each in a transaction of its own.
async fn commits(path: &Path) -> anyhow::Result<Vec<u64>> {
    let mut store = Store::open(path).await?;
    let (mut manager, mut step) = (Manager::new(), Step::default());
    let mut figures = Vec::new();
    let started = Input::Started(Box::new(Started { life: 1, config: Default::default() }));
    for number in 0..=TIMES {
        let input = if number == 0 { &started } else { &Input::Woke };
        manager.step(now(), input, &mut step)?;
        let small = StoredStep {
            seq: step.seq,
            at: manager.now(),
            record: step.record.clone(),
            digest: step.digest,
            events: std::mem::take(&mut step.events),
        };
        let begun = Instant::now();
        store.commit(&[small]).await?;
        if number > 0 {
            figures.push(micros(begun));
        }
    }
    Ok(sorted(figures))
}

/// Signed anew each time, over one connection that is kept.
async fn requests(http: &reqwest::Client, exchange: &Served) -> anyhow::Result<Vec<u64>> {
    let query = "accountType=UNIFIED";
    let url = format!("{}/v5/account/wallet-balance?{query}", exchange.base_url());
    let mut figures = Vec::new();
    for number in 0..=TIMES {
        // Fewer than the exchange allows in a second.
        sleep(Duration::from_millis(25)).await;
        let begun = Instant::now();
        let at = ExchangeTime(now().0 / 1_000);
        let signature = sign::request(b"sim-secret", at, "sim-key", 5_000, query);
        let answer = http.get(&url).header("X-BAPI-API-KEY", "sim-key").header("X-BAPI-TIMESTAMP", at.0.to_string());
        let answer = answer.header("X-BAPI-RECV-WINDOW", "5000").header("X-BAPI-SIGN", signature.as_str());
        let answer = answer.send().await?.text().await?;
        let took = micros(begun);
        ensure!(answer.contains("\"retCode\":0"), "the exchange said {answer}");
        if number > 0 {
            figures.push(took);
        }
    }
    Ok(sorted(figures))
}

/// The next signal is sent when the last one is settled and the exchange has room for it.
async fn signals(http: &reqwest::Client, exchange: &Served, store: &Path) -> anyhow::Result<Vec<u64>> {
    let mut child = Launch::new(exchange, store).start()?;
    let url = process::address(&mut child).await?;
    process::ready(http, &url).await?;
    let mut sent = BTreeMap::new();
    let mut next = Instant::now();
    for number in 0..TIMES {
        let id = format!("00000000-0000-4000-8000-{number:012}");
        let side = if number % 2 == 0 { "buy" } else { "sell" };
        let body = json!({
            "signal_id": id, "signal_type": side, "asset": "BTCUSDT", "amount": "300",
            "confidence": "0.95", "timestamp": now().to_string(), "strategy_id": "bench", "model_version": null,
            "is_warmup": false, "market_data_snapshot": { "price": "60000", "spread": "1" }, "metadata": null,
            "trace_id": null,
        });
        sleep_until(next).await;
        next = Instant::now() + APART;
        let (at, body) = (now(), body.to_string());
        let post = http.post(format!("{url}/api/v1/signals")).header("X-API-Key", API_KEY);
        let status = post.body(body).send().await?.status();
        ensure!(status == 202, "a signal was answered with {status}");
        let link = settled(http, &url, &id).await?;
        sent.insert(link, at);
    }
    child.kill().await?;
    let truth = exchange.handle().truth();
    let created = |link: &String| truth["orders"][link]["created_us"].as_u64().context("no such order");
    let figures = sent.iter().map(|(link, at)| Ok(created(link)?.saturating_sub(at.0)));
    Ok(sorted(figures.collect::<anyhow::Result<_>>()?))
}

/// The link id of the order that a signal became.
async fn settled(http: &reqwest::Client, url: &str, id: &str) -> anyhow::Result<String> {
    let until = Instant::now() + PATIENCE;
    loop {
        let signal = process::get(http, url, &format!("/api/v1/signals/{id}")).await?;
        if signal["state"] == "settled" {
            let link = signal["orders"][0]["order_link_id"].as_str();
            return Ok(link.with_context(|| format!("no order: {signal}"))?.to_owned());
        }
        ensure!(Instant::now() < until, "not settled: {signal}");
        sleep(LOOK).await;
    }
}

fn sorted(mut figures: Vec<u64>) -> Vec<u64> {
    figures.sort_unstable();
    figures
}

fn micros(begun: Instant) -> u64 {
    u64::try_from(begun.elapsed().as_micros()).unwrap_or(u64::MAX)
}

/// Wall time.
fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp(u64::try_from(since.as_micros()).unwrap_or(u64::MAX))
}
