//! The service as a process of its own, against a served fake exchange.
#![allow(dead_code, reason = "each test crate uses its part")]

use anyhow::{Context, ensure};
use order_manager_sim::serve::Served;
use serde_json::Value;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};
use tokio::time::{Instant, interval, timeout};

pub(crate) const PROGRAM: &str = env!("CARGO_BIN_EXE_order-manager");
pub(crate) const API_KEY: &str = "only-for-tests";
/// No single wait takes longer.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);
/// Between two looks.
pub(crate) const LOOK: Duration = Duration::from_millis(5);

/// How the process is started: always on the same store, against the same exchange.
#[derive(Clone, Debug)]
pub(crate) struct Launch {
    pub(crate) rest: String,
    pub(crate) stream: String,
    pub(crate) store: PathBuf,
    /// What else its environment holds.
    pub(crate) environment: Vec<(&'static str, String)>,
    /// Where what it logs is added; none: the test's own standard error.
    pub(crate) log: Option<PathBuf>,
}

impl Launch {
    pub(crate) fn new(exchange: &Served, store: &Path) -> Self {
        Self {
            rest: exchange.base_url(),
            stream: exchange.private_stream_url(),
            store: store.to_owned(),
            environment: Vec::new(),
            log: None,
        }
    }

    /// Starts the process and does not wait for it.
    pub(crate) fn start(&self) -> anyhow::Result<Child> {
        let stderr = match &self.log {
            Some(log) => File::options().create(true).append(true).open(log)?.into(),
            None => Stdio::inherit(),
        };
        Command::new(PROGRAM)
            .arg("serve")
            .env("BYBIT_API_KEY", "sim-key")
            .env("BYBIT_API_SECRET", "sim-secret")
            .env("ORDERMANAGER_BYBIT_REST_URL", &self.rest)
            .env("ORDERMANAGER_BYBIT_STREAM_URL", &self.stream)
            .env("ORDERMANAGER_API_KEY", API_KEY)
            .env("ORDERMANAGER_PORT", "0")
            .env("ORDERMANAGER_STORE", &self.store)
            .env("ORDERMANAGER_LOG_LEVEL", "error")
            .env("ORDERMANAGER_MAX_EXPOSURE", "1000000")
            .env("ORDERMANAGER_MAX_POSITION_SIZE", "1000")
            .env("ORDERMANAGER_MAX_ORDER_SIZE_RATIO", "1")
            .envs(self.environment.iter().map(|(name, value)| (name, value)))
            .stdout(Stdio::piped())
            .stderr(stderr)
            .kill_on_drop(true)
            .spawn()
            .context("the service's process does not start")
    }
}

/// Waits for the address in the first line of the process.
pub(crate) async fn address(child: &mut Child) -> anyhow::Result<String> {
    let stdout = child.stdout.take().context("the service has no standard output")?;
    let mut lines = BufReader::new(stdout).lines();
    let line = timeout(PATIENCE, lines.next_line()).await.context("the service did not say where it listens")??;
    let line = line.unwrap_or_default();
    Ok(line.strip_prefix("listening on ").with_context(|| format!("the service said {line:?}"))?.to_owned())
}

/// Polls until the service is ready: the time that it took.
pub(crate) async fn ready(http: &reqwest::Client, url: &str) -> anyhow::Result<Duration> {
    let (start, mut looks) = (Instant::now(), interval(LOOK));
    loop {
        let answer = http.get(format!("{url}/ready")).send().await;
        if answer.is_ok_and(|answer| answer.status() == 200) {
            return Ok(start.elapsed());
        }
        ensure!(start.elapsed() < PATIENCE, "the service did not become ready");
        looks.tick().await;
    }
}

/// SIGTERM: the service finishes what is out and leaves with 0 (spec A5).
pub(crate) async fn leave(child: &mut Child) -> anyhow::Result<()> {
    let id = child.id().context("the service is gone")?;
    let sent = Command::new("sh").arg("-c").arg(format!("kill -TERM {id}")).status().await?;
    ensure!(sent.success(), "SIGTERM was not sent");
    let ended = timeout(PATIENCE, child.wait()).await.context("the service did not stop")??;
    ensure!(ended.code() == Some(0), "the service stopped with {ended}");
    Ok(())
}

/// A page of the API, which must answer 200.
pub(crate) async fn get(http: &reqwest::Client, url: &str, path: &str) -> anyhow::Result<Value> {
    let answer = http.get(format!("{url}{path}")).header("X-API-Key", API_KEY).send().await?;
    let (status, text) = (answer.status(), answer.text().await?);
    ensure!(status == 200, "{path}: {status} {text}");
    serde_json::from_str(&text).with_context(|| format!("{path}: {text}"))
}

/// Needs no TLS, but the client wants a provider.
pub(crate) fn client() -> anyhow::Result<reqwest::Client> {
    // A second installation in one process is the first one.
    let _ = rustls::crypto::ring::default_provider().install_default();
    Ok(reqwest::Client::builder().timeout(PATIENCE).build()?)
}
