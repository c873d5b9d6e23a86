//! `order-manager demo`: a small day against a fake Bybit on loopback, told as it happens. The service is a real
//! process of its own, and is killed once in the middle.

use super::{FAILED, runtime};
use crate::app;
use anyhow::{Context, bail};
use order_manager_sim::serve::{self, ServeConfig, Served};
use secrecy::ExposeSecret;
use serde::Serialize;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{ExitCode, Stdio};
use std::time::Duration;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};
use tokio::time::{Instant, sleep, timeout};

const API_KEY: &str = "demo";
/// Nothing of the demo takes longer.
const PATIENCE: Duration = Duration::from_secs(30);
const POLL: Duration = Duration::from_millis(100);

/// The last line of `--json`.
#[derive(Debug, Default, Serialize)]
struct Result {
    signals: usize,
    orders: usize,
    filled: usize,
    cancelled: usize,
    rejected: usize,
    events: usize,
    restarts: usize,
    consistent: bool,
}

pub(super) fn run(json: bool, keep: bool) -> anyhow::Result<ExitCode> {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let result = runtime()?.block_on(act(keep))?;
    if json {
        println!("{}", serde_json::to_string(&result)?);
    }
    Ok(if result.consistent { ExitCode::SUCCESS } else { ExitCode::from(FAILED) })
}

/// The actors of the demo.
struct Stage {
    exchange: Served,
    store: PathBuf,
    service: Service,
    http: reqwest::Client,
    seen: i64,
    result: Result,
}

/// The service's process.
struct Service {
    child: Child,
    url: String,
}

async fn act(keep: bool) -> anyhow::Result<Result> {
    let folder = tempfile::tempdir().context("cannot make a temporary folder")?;
    let store = folder.path().join("demo.db");
    println!("a fake Bybit and the order manager, both on loopback; nothing leaves this machine\n");
    let exchange = serve::spawn(ServeConfig::default()).await?;
    println!("  exchange   http://{}", exchange.address);
    let service = Service::start(&exchange, &store).await?;
    println!("  service    {} (its own process)\n  store      {}\n", service.url, store.display());
    let mut stage =
        Stage { exchange, store, service, http: reqwest::Client::new(), seen: 0, result: Result::default() };
    stage.wait_ready().await?;
    stage.day().await?;
    stage.compare().await?;
    if keep {
        let Stage { service, .. } = &stage;
        println!("\nstill up: try\n  curl -H 'X-API-Key: {API_KEY}' {}/api/v1/orders", service.url);
        println!("  curl -N -H 'X-API-Key: {API_KEY}' {}/api/v1/events\nCtrl-C ends it", service.url);
        app::stop_signal().await;
    }
    stage.service.child.kill().await.ok();
    Ok(stage.result)
}

impl Service {
    /// Starts the service's process and waits for the address in its first line.
    async fn start(exchange: &Served, store: &Path) -> anyhow::Result<Self> {
        let account = app::account_of(exchange);
        let mut child = Command::new(std::env::current_exe()?)
            .arg("serve")
            .env("BYBIT_API_KEY", &account.key)
            .env("BYBIT_API_SECRET", account.secret.expose_secret())
            .env("ORDERMANAGER_BYBIT_REST_URL", &account.rest)
            .env("ORDERMANAGER_BYBIT_STREAM_URL", &account.stream)
            .env("ORDERMANAGER_API_KEY", API_KEY)
            .env("ORDERMANAGER_PORT", "0")
            .env("ORDERMANAGER_STORE", store)
            .env("ORDERMANAGER_LOG_LEVEL", "error")
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .context("the service's process does not start")?;
        let stdout = child.stdout.take().context("the service has no standard output")?;
        let first = timeout(PATIENCE, BufReader::new(stdout).lines().next_line());
        let line = first.await.context("the service did not say where it listens")??.unwrap_or_default();
        let url = line.strip_prefix("listening on ").with_context(|| format!("the service said {line:?}"))?.to_string();
        Ok(Self { child, url })
    }
}

impl Stage {
    async fn get(&self, path: &str) -> anyhow::Result<Value> {
        let request = self.http.get(format!("{}{path}", self.service.url)).header("X-API-Key", API_KEY);
        let text = request.send().await?.text().await?;
        serde_json::from_str(&text).with_context(|| format!("{path}: {text}"))
    }

    async fn wait_ready(&self) -> anyhow::Result<()> {
        let until = Instant::now() + PATIENCE;
        while Instant::now() < until {
            if self.get("/ready").await.is_ok_and(|ready| ready["status"] == "ready") {
                return Ok(());
            }
            sleep(POLL).await;
        }
        bail!("the service did not become ready")
    }

    async fn send(&mut self, what: &str, body: String) -> anyhow::Result<()> {
        self.result.signals += 1;
        let url = format!("{}/api/v1/signals", self.service.url);
        let request = self.http.post(url).header("X-API-Key", API_KEY).body(body);
        let response = request.send().await?;
        let status = response.status().as_u16();
        println!("-> {what}: HTTP {status}");
        if status == 422 {
            let answer: Value = serde_json::from_str(&response.text().await?)?;
            for fault in answer["error"]["details"].as_array().into_iter().flatten() {
                println!("     {} {} {}", text(&fault["field"]), text(&fault["value"]), text(&fault["reason"]));
            }
        }
        Ok(())
    }

    /// The day: good signals, bad ones, a copy, and a kill in the middle.
    async fn day(&mut self) -> anyhow::Result<()> {
        let price = self.exchange.last_price().await;
        self.send("a confident buy of 500 USDT: a market order", signal(1, "buy", "500", "0.95", &price)).await?;
        self.tell(2).await?;
        self.send("a careful buy: a limit order that may only rest", signal(2, "buy", "400", "0.7", &price)).await?;
        self.tell(1).await?;
        self.send("the same signal again: counted, not placed", signal(2, "buy", "400", "0.7", &price)).await?;
        self.send("a signal with three faults", broken()).await?;
        self.send("far more than any limit", signal(3, "buy", "900000", "0.95", &price)).await?;
        self.tell(1).await?;
        self.send("a buy, and the process is killed (SIGKILL) at once", signal(4, "buy", "300", "0.95", &price)).await?;
        self.restart().await?;
        self.tell(2).await?;
        self.send("sell what is there", signal(5, "sell", "5000", "0.95", &price)).await?;
        self.tell(2).await?;
        Ok(())
    }

    async fn restart(&mut self) -> anyhow::Result<()> {
        self.service.child.kill().await?;
        println!("xx the service is dead; starting it again on the same store");
        self.service = Service::start(&self.exchange, &self.store).await?;
        self.result.restarts += 1;
        self.wait_ready().await?;
        println!("   restored, reconciled with the exchange, ready");
        Ok(())
    }

    /// Prints what is told until at least `count` more events came.
    async fn tell(&mut self, count: usize) -> anyhow::Result<()> {
        let until = Instant::now() + PATIENCE;
        let mut told = 0;
        while told < count && Instant::now() < until {
            told += self.print_events().await?;
            sleep(POLL).await;
        }
        anyhow::ensure!(told >= count, "the story stopped: {told} of {count} events came");
        Ok(())
    }

    async fn print_events(&mut self) -> anyhow::Result<usize> {
        let page = self.get(&format!("/api/v1/events/page?after={}", self.seen)).await?;
        let events = page["events"].as_array().cloned().unwrap_or_default();
        for event in &events {
            self.seen = event["id"].as_i64().unwrap_or(self.seen);
            println!("   {}", line(&event["event"]));
        }
        self.result.events += events.len();
        Ok(events.len())
    }

    /// Our books against the exchange's, order by order.
    async fn compare(&mut self) -> anyhow::Result<()> {
        let until = Instant::now() + PATIENCE;
        loop {
            self.print_events().await?;
            let ours = self.get("/api/v1/orders?page_size=100").await?;
            let differences = self.differences(&ours).await;
            if differences.is_empty() || Instant::now() >= until {
                self.count(&ours);
                self.result.consistent = differences.is_empty();
                let word = if differences.is_empty() { "they agree, order by order" } else { "THEY DIFFER" };
                println!("\nour books against the exchange's: {word}");
                differences.iter().for_each(|difference| println!("  {difference}"));
                return Ok(());
            }
            sleep(POLL).await;
        }
    }

    async fn differences(&self, ours: &Value) -> Vec<String> {
        let orders = ours["orders"].as_array().cloned().unwrap_or_default();
        let by_id: BTreeMap<&str, &Value> =
            orders.iter().filter_map(|order| Some((order["order_id"].as_str()?, order))).collect();
        let truth = self.exchange.orders().await;
        let mut found = Vec::new();
        for order in &truth {
            let Some(own) = by_id.get(order.order_id.as_str()) else {
                found.push(format!("{}: at the exchange, not with us", order.order_id));
                continue;
            };
            if text(&own["filled_quantity"]) != order.filled.to_string() {
                found.push(format!("{}: {} filled with us, {} there", order.order_id, own["filled_quantity"], order.filled));
            }
        }
        found
    }

    fn count(&mut self, ours: &Value) {
        let orders = ours["orders"].as_array().cloned().unwrap_or_default();
        let with = |status: &str| orders.iter().filter(|order| order["status"] == status).count();
        let Result { orders: all, filled, cancelled, rejected, .. } = &mut self.result;
        (*all, *filled, *cancelled, *rejected) = (orders.len(), with("filled"), with("cancelled"), with("rejected"));
    }
}

fn text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), ToString::to_string)
}

/// One published event as a line of the story.
fn line(event: &Value) -> String {
    let order = &event["order"];
    let what = text(&event["event_type"]);
    let mut line = format!("{:<18} {} {} {}", what, text(&order["side"]), text(&order["quantity"]), text(&order["asset"]));
    if let Some(fill) = event["fill"].as_object() {
        line += &format!(", filled {} at {}", text(&fill["quantity"]), text(&fill["price"]));
    }
    if let Some(why) = event["rejection_reason"].as_str().or(event["cancel_reason"].as_str()) {
        line += &format!(": {why}");
    }
    line
}

fn signal(number: u32, side: &str, amount: &str, confidence: &str, price: &str) -> String {
    let now = chrono_free_now();
    json!({
        "signal_id": format!("00000000-0000-4000-8000-{number:012}"), "signal_type": side, "asset": "BTCUSDT",
        "amount": amount, "confidence": confidence, "timestamp": now, "strategy_id": "demo", "model_version": null,
        "is_warmup": false, "market_data_snapshot": { "price": price, "spread": "100" }, "metadata": null, "trace_id": null,
    })
    .to_string()
}

fn broken() -> String {
    json!({
        "signal_id": "00000000-0000-4000-8000-000000000099", "signal_type": "buy", "asset": "BTCUSDT", "amount": -5,
        "confidence": 7, "timestamp": "yesterday", "strategy_id": "demo",
    })
    .to_string()
}
