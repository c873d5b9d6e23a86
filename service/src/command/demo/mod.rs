//! `order-manager demo`: a small day against a fake Bybit on loopback, told as it happens. The service is a real
//! process of its own, and is killed once in the middle.

mod sse;

use super::{FAILED, runtime};
use crate::app;
use crate::clock::Clock;
use crate::exchange::Account;
use anyhow::{Context, bail};
use order_manager_core::unit::{self, Decimal, Timestamp};
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
use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, sleep, timeout};

const API_KEY: &str = "demo";
/// Nothing of the demo takes longer.
const PATIENCE: Duration = Duration::from_secs(30);
/// Signals of the day.
const SIGNALS: usize = 8;
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
    account: Account,
    store: PathBuf,
    service: Service,
    http: reqwest::Client,
    events: mpsc::Receiver<Value>,
    address: watch::Sender<String>,
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
    let config = ServeConfig::default();
    let credentials = config.credentials.clone();
    let exchange = serve::spawn(config).await?;
    let account = app::account_of(&exchange, &credentials);
    println!("  exchange   {}", account.rest);
    let service = Service::start(&account, &store).await?;
    println!("  service    {} (its own process)\n  store      {}\n", service.url, store.display());
    let http = reqwest::Client::builder().no_proxy().timeout(PATIENCE).build()?;
    let (address, addresses) = watch::channel(service.url.clone());
    let events = sse::follow(reqwest::Client::builder().no_proxy().build()?, addresses, API_KEY);
    let mut stage = Stage { exchange, account, store, service, http, events, address, result: Result::default() };
    stage.wait_ready().await?;
    stage.day().await?;
    stage.compare().await?;
    if keep {
        let url = &stage.service.url;
        println!("\nstill up: try\n  curl -H 'X-API-Key: {API_KEY}' {url}/api/v1/orders");
        println!("  curl -N -H 'X-API-Key: {API_KEY}' {url}/api/v1/events?after=0\nCtrl-C ends it");
        app::stop_signal()?.await;
    }
    stage.service.child.kill().await.ok();
    Ok(stage.result)
}

impl Service {
    /// Starts the service's process and waits for the address in its first line.
    async fn start(account: &Account, store: &Path) -> anyhow::Result<Self> {
        let mut command = Command::new(std::env::current_exe()?);
        // The demo's day must not hang on what its user has set for another service.
        let names = std::env::vars_os().map(|(name, _)| name);
        for name in names.filter(|name| name.to_string_lossy().starts_with("ORDERMANAGER_")) {
            command.env_remove(name);
        }
        let mut child = command
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
        let mut lines = BufReader::new(stdout).lines();
        let first = timeout(PATIENCE, lines.next_line()).await.context("the service did not say where it listens")?;
        let line = first?.unwrap_or_default();
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
        let response = self.http.post(url).header("X-API-Key", API_KEY).body(body).send().await?;
        let status = response.status().as_u16();
        println!("[{}/{SIGNALS}] {what}: HTTP {status}", self.result.signals);
        if status == 422 {
            let answer: Value = serde_json::from_str(&response.text().await?)?;
            for fault in answer["error"]["details"].as_array().into_iter().flatten() {
                println!("        {} {} {}", text(&fault["field"]), text(&fault["value"]), text(&fault["reason"]));
            }
        }
        Ok(())
    }

    /// The day: good signals, bad ones, a copy, and a kill in the middle.
    async fn day(&mut self) -> anyhow::Result<()> {
        let price = text(&self.exchange.handle().truth()["prices"]["BTCUSDT"]);
        let market = |number, amount| signal(number, "buy", amount, "0.95", &price);
        self.send("a confident buy of 500 USDT: a market order", market(1, "500")).await?;
        self.tell_until("filled").await?;
        let careful = signal(2, "buy", "400", "0.7", &price);
        self.send("a careful buy of 400 USDT: a limit order that may only rest", careful.clone()).await?;
        self.tell_until("created").await?;
        self.send("the very same signal again: counted, not placed", careful).await?;
        self.send("a signal with three faults: all are named", broken()).await?;
        self.tell_until("rejected").await?;
        self.send("what is no signal at all: kept among the dead letters", "buy, buy, buy!".into()).await?;
        self.send("far more than any limit", market(3, "900000")).await?;
        self.tell_until("rejected").await?;
        self.send("another buy; the service is killed (SIGKILL) once it has taken it", market(4, "300")).await?;
        self.restart().await?;
        self.tell_until("filled").await?;
        self.send("an exit: sell everything", exit(5, &price)).await?;
        self.tell_until("filled").await
    }

    async fn restart(&mut self) -> anyhow::Result<()> {
        self.service.child.kill().await?;
        println!("  xx    the service is dead; it starts again on the same store");
        self.service = Service::start(&self.account, &self.store).await?;
        self.address.send_replace(self.service.url.clone());
        self.result.restarts += 1;
        self.wait_ready().await?;
        println!("        restored, reconciled with the exchange, ready");
        Ok(())
    }

    /// Prints what is told until an event of this type came.
    async fn tell_until(&mut self, last: &str) -> anyhow::Result<()> {
        loop {
            let event = timeout(PATIENCE, self.events.recv()).await;
            let event = event.ok().flatten().with_context(|| format!("the story stopped: no `{last}` event came"))?;
            self.print(&event);
            if event["event_type"] == last {
                return Ok(());
            }
        }
    }

    fn print(&mut self, event: &Value) {
        self.result.events += 1;
        println!("        {}", line(event));
    }

    /// Our books against the exchange's, order by order.
    async fn compare(&mut self) -> anyhow::Result<()> {
        let until = Instant::now() + PATIENCE;
        loop {
            while let Ok(event) = self.events.try_recv() {
                self.print(&event);
            }
            let ours = self.get("/api/v1/orders?page_size=100").await?;
            let differences = self.differences(&ours);
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

    /// One order per link id, the same fills, and nothing at the exchange that we do not know.
    fn differences(&self, ours: &Value) -> Vec<String> {
        let orders = ours["orders"].as_array().cloned().unwrap_or_default();
        let by_id: BTreeMap<&str, &Value> =
            orders.iter().filter_map(|order| Some((order["order_id"].as_str()?, order))).collect();
        let truth = self.exchange.handle().truth();
        let mut found = Vec::new();
        for (link, order) in truth["orders"].as_object().into_iter().flatten() {
            if order["creates_accepted"].as_u64() > Some(1) {
                found.push(format!("{link}: {} orders at the exchange", order["creates_accepted"]));
            }
            let Some(id) = order["order_id"].as_str() else { continue };
            let Some(own) = by_id.get(id) else {
                found.push(format!("{link}: at the exchange, not with us"));
                continue;
            };
            let (filled, theirs) = (decimal(&own["filled_quantity"]), decimal(&order["cum_qty"]));
            if filled != theirs {
                found.push(format!("{link}: {filled} filled with us, {theirs} at the exchange"));
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

fn decimal(value: &Value) -> Decimal {
    unit::decimal::parse(&text(value)).map(|figure| figure.normalize()).unwrap_or_default()
}

fn text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), ToString::to_string)
}

/// One published event as a line of the story.
fn line(event: &Value) -> String {
    let order = &event["order"];
    let what = text(&event["event_type"]);
    let mut line =
        format!("{:<18} {} {} {}", what, text(&order["side"]), text(&order["quantity"]), text(&order["asset"]));
    if let Some(fill) = event["fill"].as_object() {
        line += &format!(", filled {} at {}", text(&fill["quantity"]), text(&fill["price"]));
    }
    if let Some(why) = event["rejection_reason"].as_str().or(event["cancel_reason"].as_str()) {
        line += &format!(": {why}");
    }
    line
}

fn signal(number: u32, side: &str, amount: &str, confidence: &str, price: &str) -> String {
    signal_with(number, side, amount, confidence, price, Value::Null)
}

fn exit(number: u32, price: &str) -> String {
    signal_with(number, "sell", "5000", "1", price, json!({ "exit_strategy": true, "rule_triggered": "take_profit" }))
}

/// A signal as the model service writes it.
fn signal_with(number: u32, side: &str, amount: &str, confidence: &str, price: &str, metadata: Value) -> String {
    json!({
        "signal_id": format!("00000000-0000-4000-8000-{number:012}"), "signal_type": side, "asset": "BTCUSDT",
        "amount": amount, "confidence": confidence, "timestamp": Clock::start(Timestamp(0)).now().to_string(),
        "strategy_id": "demo", "model_version": null, "is_warmup": false,
        "market_data_snapshot": { "price": price, "spread": "100" }, "metadata": metadata, "trace_id": null,
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
