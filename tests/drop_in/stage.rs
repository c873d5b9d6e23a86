//! One stage: the service as a process among everything that it speaks to. PostgreSQL and RabbitMQ are private where
//! they can be, and the service reaches each of them through a proxy. What a test itself wants of them, it asks them
//! directly: a cut is the service's trouble alone.
//!
//! ```text
//! let stage = Stage::open(seed).await?;
//! let mut service = stage.launch().start()?;              // again after a kill: always the same store
//! let url = process::address(&mut service).await?;
//! process::ready(&stage.http, &url).await?;
//! let mut signals = Signals::new(stage.amqp_url());       // module queues
//! signals.send(body).await?;                              // until the broker has confirmed it
//! let events = Events::start(stage.amqp_url());           // everything on order-manager.order_events
//! stage.to_rabbitmq.cut();                                // module proxy
//! let mut database = stage.database().await?;             // a connection of the test's own
//! stage.close().await?;
//! ```

use crate::bank;
use crate::neighbours::position_manager::{Figures, KEY, PositionManager, position};
use crate::process::{self, Launch, PROGRAM};
use crate::proxy::Proxy;
use crate::queues;
use crate::servers::{Kind, Server};
use anyhow::{Context, anyhow, ensure};
use order_manager_sim::replay::{Verdict, replay};
use order_manager_sim::serve::{Handle, Served};
use reqwest::Url;
use serde_json::Value;
use sqlx::{AssertSqlSafe, Connection, PgConnection};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};
use tokio::process::Command;
use tokio::sync::{Mutex, MutexGuard};

/// Queues have fixed names: on a broker that is not private, one stage at a time.
static SHARED_QUEUES: Mutex<()> = Mutex::const_new(());

/// A Position Manager that is always right: its figures are the exchange's. So it is asked to look again because of a
/// doubt, and hardly because of a difference.
pub(crate) struct Right(Handle);

impl Figures for Right {
    fn positions(&self) -> Vec<Value> {
        self.0.with(|exchange, _| {
            let held = exchange.positions().filter(|(_, position)| !position.size.is_zero());
            held.map(|(symbol, held)| {
                let average = held.average().map(|price| price.to_string());
                position(symbol.as_str(), "one-way", &held.size.to_string(), average.as_deref())
            })
            .collect()
        })
    }

    /// As it is mostly: it knows no prices (wire-contracts.md 3.2).
    fn exposure(&self) -> Value {
        0.into()
    }

    fn validate(&mut self, _asset: &str) -> (bool, Option<String>) {
        (true, None)
    }
}

/// Everything but the service.
pub(crate) struct Stage {
    pub(crate) to_postgres: Proxy,
    pub(crate) to_rabbitmq: Proxy,
    pub(crate) postgres: Server,
    pub(crate) rabbitmq: Server,
    pub(crate) exchange: Served,
    pub(crate) position_manager: PositionManager<Right>,
    pub(crate) http: reqwest::Client,
    postgres_url: Url,
    amqp_url: Url,
    folder: tempfile::TempDir,
    _alone: Option<MutexGuard<'static, ()>>,
}

impl Stage {
    /// Starts it all, and makes a database with the shared tables and ours.
    pub(crate) async fn open(seed: u64) -> anyhow::Result<Self> {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let (postgres, rabbitmq) = tokio::try_join!(Server::start(Kind::Postgres), Server::start(Kind::Rabbitmq))?;
        let alone = if rabbitmq.is_private() { None } else { Some(SHARED_QUEUES.lock().await) };
        let mut postgres_url = url(&postgres, "OM_TEST_POSTGRES_URL", "postgres://postgres@127.0.0.1:5432/postgres")?;
        let amqp_url = url(&rabbitmq, "OM_TEST_AMQP_URL", "amqp://guest:guest@127.0.0.1:5672/%2f")?;
        let name = format!("om_stage_{}_{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
        let mut server = PgConnection::connect(postgres_url.as_str()).await?;
        sqlx::query(AssertSqlSafe(format!("CREATE DATABASE {name}"))).execute(&mut server).await?;
        postgres_url.set_path(&name);
        let migrate = Command::new(PROGRAM)
            .args(["migrate", "--bootstrap-shared", "--store", postgres_url.as_str()])
            .output()
            .await?;
        ensure!(migrate.status.success(), "migrate: {}", String::from_utf8_lossy(&migrate.stderr));
        queues::clear(amqp_url.as_str()).await?;
        let exchange = bank::open(seed).await?;
        Ok(Self {
            to_postgres: Proxy::start(postgres.address()).await?,
            to_rabbitmq: Proxy::start(rabbitmq.address()).await?,
            postgres,
            rabbitmq,
            position_manager: PositionManager::start(Right(exchange.handle().clone())).await,
            exchange,
            http: process::client()?,
            postgres_url,
            amqp_url,
            folder: tempfile::tempdir()?,
            _alone: alone,
        })
    }

    /// How the service is started here; it logs to [`Self::log`].
    pub(crate) fn launch(&self) -> Launch {
        let mut launch = Launch::new(&self.exchange, &PathBuf::new());
        let (position_host, position_port) = self.position_manager.server.host_and_port();
        let to = |proxy: &Proxy| (proxy.address().ip().to_string(), proxy.address().port().to_string());
        let ((postgres_host, postgres_port), (rabbitmq_host, rabbitmq_port)) =
            (to(&self.to_postgres), to(&self.to_rabbitmq));
        let text = |url: &Url| (url.username().to_owned(), url.password().unwrap_or_default().to_owned());
        let ((postgres_user, postgres_password), (rabbitmq_user, rabbitmq_password)) =
            (text(&self.postgres_url), text(&self.amqp_url));
        launch.environment = vec![
            ("POSTGRES_HOST", postgres_host),
            ("POSTGRES_PORT", postgres_port),
            ("POSTGRES_DB", self.postgres_url.path().trim_start_matches('/').to_owned()),
            ("POSTGRES_USER", postgres_user),
            ("POSTGRES_PASSWORD", postgres_password),
            ("RABBITMQ_HOST", rabbitmq_host),
            ("RABBITMQ_PORT", rabbitmq_port),
            ("RABBITMQ_USER", rabbitmq_user),
            ("RABBITMQ_PASSWORD", rabbitmq_password),
            ("RABBITMQ_VHOST", vhost(&self.amqp_url)),
            ("POSITION_MANAGER_HOST", position_host),
            ("POSITION_MANAGER_PORT", position_port),
            ("POSITION_MANAGER_API_KEY", KEY.to_owned()),
            ("ORDERMANAGER_SELL_AMOUNT_UNIT", "quote".to_owned()),
        ];
        launch.log = Some(self.folder.path().join("service.log"));
        launch
    }

    /// What the service logged in all its lives.
    pub(crate) fn log(&self) -> String {
        std::fs::read_to_string(self.folder.path().join("service.log")).unwrap_or_else(|error| error.to_string())
    }

    /// The broker itself, past the proxy.
    pub(crate) fn amqp_url(&self) -> &str {
        self.amqp_url.as_str()
    }

    /// The broker through the proxy, as the service reaches it.
    pub(crate) fn amqp_url_through(&self) -> anyhow::Result<String> {
        Ok(at(self.amqp_url.clone(), self.to_rabbitmq.address())?.into())
    }

    /// A connection to the service's database, past the proxy.
    pub(crate) async fn database(&self) -> anyhow::Result<PgConnection> {
        Ok(PgConnection::connect(self.postgres_url.as_str()).await?)
    }

    /// The journal of all lives, through this build: the same decisions. Says how many steps they took.
    pub(crate) async fn replay_journal(&self) -> anyhow::Result<u64> {
        let file = self.folder.path().join("journal");
        let export = Command::new(PROGRAM)
            .args(["journal", "export"])
            .arg(&file)
            .args(["--store", self.postgres_url.as_str()])
            .output()
            .await?;
        ensure!(export.status.success(), "journal export: {}", String::from_utf8_lossy(&export.stderr));
        match replay(&std::fs::read(&file)?)? {
            Verdict::Same { steps, .. } => Ok(steps),
            verdict => Err(anyhow!("{verdict}")),
        }
    }

    /// Leaves nothing on servers that are not private.
    pub(crate) async fn close(self) -> anyhow::Result<()> {
        if !self.postgres.is_private() {
            let name = self.postgres_url.path().trim_start_matches('/').to_owned();
            let mut url = self.postgres_url.clone();
            url.set_path("postgres");
            let mut server = PgConnection::connect(url.as_str()).await?;
            sqlx::query(AssertSqlSafe(format!("DROP DATABASE {name} WITH (FORCE)"))).execute(&mut server).await?;
        }
        if !self.rabbitmq.is_private() {
            queues::clear(self.amqp_url.as_str()).await?;
        }
        Ok(())
    }
}

/// How a test reaches a server: the default where it is private, else as the variable says.
fn url(server: &Server, variable: &str, default: &str) -> anyhow::Result<Url> {
    let named = std::env::var(variable).ok().filter(|_| !server.is_private());
    at(Url::parse(&named.unwrap_or_else(|| default.into())).with_context(|| variable.to_owned())?, server.address())
}

fn at(mut url: Url, address: SocketAddr) -> anyhow::Result<Url> {
    url.set_ip_host(address.ip()).map_err(|()| anyhow!("{url} has no host"))?;
    url.set_port(Some(address.port())).map_err(|()| anyhow!("{url} has no port"))?;
    Ok(url)
}

/// The path of an AMQP address, decoded as far as tests need it.
fn vhost(url: &Url) -> String {
    match url.path().trim_start_matches('/') {
        "" => "/".into(),
        name => name.replace("%2f", "/").replace("%2F", "/"),
    }
}
