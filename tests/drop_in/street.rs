//! The street: the service on a stage, with ws-gateway and its bridge, Position Manager with its reader of events and
//! its API, and the model service with its table beside them.

use crate::books;
use crate::bridge::Bridge;
use crate::neighbours::gateway::{self, Gateway};
use crate::neighbours::position_manager::{self, Figures, PositionManager};
use crate::process::{self, get};
use crate::readers;
use crate::samples::Sample;
use crate::stage::Stage;
use crate::until::until;
use crate::wire::{ORDER_EVENTS, Wire};
use anyhow::{Context, ensure};
use lapin::BasicProperties;
use lapin::message::Delivery;
use order_manager_core::unit::{Decimal, Price, Quantity, Symbol, decimal};
use order_manager_sim::exchange::{ExchangeConfig, Liquidity};
use order_manager_sim::neighbours::PositionManager as Model;
use order_manager_sim::serve::{self, Prices, ServeConfig};
use serde_json::Value;
use sqlx::PgConnection;
use std::sync::{Arc, Mutex};
use tokio::process::Child;
use tokio::task::JoinSet;

pub(crate) const ASSETS: [&str; 2] = ["BTCUSDT", "ETHUSDT"];
/// Position Manager: its API over what its reader of events made of them.
#[derive(Debug, Default)]
pub(crate) struct Manager(Model);

impl Figures for Manager {
    fn positions(&self) -> Vec<Value> {
        let row = |asset: &str| {
            let position = self.0.position(asset)?;
            let average = position.average_entry_price.map(|price| price.value().to_string());
            let size = position.size.value().to_string();
            Some(position_manager::position(asset, "one-way", &size, average.as_deref()))
        };
        self.0.assets().filter_map(row).collect()
    }

    fn exposure(&self) -> Value {
        0.into()
    }

    fn validate(&mut self, _: &str) -> (bool, Option<String>) {
        (true, None)
    }
}

/// A message as it came.
#[derive(Debug)]
pub(crate) struct Heard {
    pub(crate) properties: BasicProperties,
    pub(crate) data: Vec<u8>,
}

/// Everything and everybody.
pub(crate) struct Street {
    pub(crate) stage: Stage,
    pub(crate) url: String,
    pub(crate) service: Child,
    pub(crate) wire: Wire,
    pub(crate) gateway: Arc<Gateway>,
    pub(crate) bridge: Bridge,
    pub(crate) manager: PositionManager<Manager>,
    pub(crate) database: PgConnection,
    pub(crate) heard: Arc<Mutex<Vec<Heard>>>,
    _consumer: JoinSet<anyhow::Result<()>>,
}

impl Street {
    pub(crate) async fn open() -> anyhow::Result<Self> {
        let mut stage = Stage::open(1).await?;
        stage.exchange =
            serve::spawn(ServeConfig { exchange: market(), prices: Prices::Still, ..Default::default() }).await?;
        let wire = Wire::open(stage.amqp_url()).await?;
        let gateway = Arc::new(Gateway::start().await);
        let bridge = Bridge::start(&stage.exchange, Arc::clone(&gateway), wire.clone()).await?;
        let manager = PositionManager::start(Manager::default()).await;
        let mut database = stage.database().await?;
        sqlx::query(readers::TRADING_SIGNALS).execute(&mut database).await?;

        let heard = Arc::new(Mutex::new(Vec::new()));
        let (mut consumer, figures, hears) = (JoinSet::new(), Arc::clone(&manager.figures), Arc::clone(&heard));
        let theirs = wire.clone();
        consumer.spawn(async move {
            let take = |delivery: &Delivery| {
                // What it does not apply it says nothing of; that shows in its figures.
                let _outcome = figures.lock().unwrap().0.take(&delivery.data);
                let (properties, data) = (delivery.properties.clone(), delivery.data.clone());
                hears.lock().unwrap().push(Heard { properties, data });
            };
            theirs.consume(ORDER_EVENTS, take).await
        });

        let mut launch = stage.launch();
        let ((gateway_host, gateway_port), (host, port)) =
            (gateway.server.host_and_port(), manager.server.host_and_port());
        launch.environment.extend([
            ("ORDERMANAGER_LOG_LEVEL", "info".to_owned()),
            ("ORDERMANAGER_ORDER_EVENTS", "ws-gateway".to_owned()),
            ("ORDERMANAGER_SELL_AMOUNT_UNIT", "base".to_owned()),
            ("WS_GATEWAY_HOST", gateway_host),
            ("WS_GATEWAY_PORT", gateway_port),
            ("WS_GATEWAY_API_KEY", gateway::KEY.to_owned()),
            ("POSITION_MANAGER_HOST", host),
            ("POSITION_MANAGER_PORT", port),
        ]);
        let mut service = launch.start()?;
        let url = process::address(&mut service).await?;
        process::ready(&stage.http, &url).await?;
        Ok(Self { stage, url, service, wire, gateway, bridge, manager, database, heard, _consumer: consumer })
    }

    /// The model service publishes, and then writes its own row.
    pub(crate) async fn publish(&mut self, body: &str) -> anyhow::Result<()> {
        self.wire.signal(body).await?;
        sqlx::query(readers::SIGNAL_ROW).bind(body).execute(&mut self.database).await?;
        Ok(())
    }

    /// Publishes, and waits for the outcome and until everybody knows of its fills.
    pub(crate) async fn carry_out(&mut self, sample: &Sample, outcome: &str) -> anyhow::Result<()> {
        self.publish(&sample.text()).await?;
        self.settled(&sample.id, outcome).await
    }

    pub(crate) async fn settled(&self, id: &str, outcome: &str) -> anyhow::Result<()> {
        let path = format!("/api/v1/signals/{id}");
        until(&format!("the outcome of {id}"), async || {
            let known = self.stage.http.get(format!("{}{path}", self.url)).header("X-API-Key", process::API_KEY);
            if known.send().await?.status() == 404 {
                return Ok(false);
            }
            Ok(get(&self.stage.http, &self.url, &path).await?["state"] == "settled")
        })
        .await?;
        let signal = get(&self.stage.http, &self.url, &path).await?;
        ensure!(signal["outcome"] == outcome, "{id}: {signal}");
        self.level().await
    }

    /// Until our books are the exchange's, and Position Manager's too.
    pub(crate) async fn level(&self) -> anyhow::Result<()> {
        until("books that are equal", async || {
            let rows = books::orders(&self.stage.http, &self.url).await?;
            let truth = self.stage.exchange.handle().truth();
            let equal = ASSETS.iter().all(|asset| size_at_exchange(&truth, asset) == self.size_by_events(asset));
            Ok(equal && books::differences(&rows, &truth).is_empty())
        })
        .await
        .with_context(|| {
            let truth = self.stage.exchange.handle().truth();
            format!("{truth:#}\n{:?}", self.manager.figures.lock().unwrap())
        })
    }

    pub(crate) fn size_by_events(&self, asset: &str) -> Decimal {
        let figures = self.manager.figures.lock().unwrap();
        figures.0.position(asset).map(|position| position.size.value()).unwrap_or_default().normalize()
    }

    pub(crate) fn bodies(&self) -> Vec<Value> {
        let heard = self.heard.lock().unwrap();
        heard.iter().map(|delivery| serde_json::from_slice(&delivery.data).unwrap()).collect()
    }

    pub(crate) fn set_price(&self, price: Price) -> anyhow::Result<()> {
        ensure!(self.stage.exchange.handle().set_price(Symbol::clipped("BTCUSDT"), price), "no such symbol");
        Ok(())
    }
}

/// Resting orders get 0.004 each time that the price comes to theirs.
fn market() -> ExchangeConfig {
    let liquidity = Liquidity { touch: Quantity(Decimal::new(4, 3)), ..Liquidity::default() };
    ExchangeConfig { liquidity, ..ExchangeConfig::default() }
}

pub(crate) fn size_at_exchange(truth: &Value, asset: &str) -> Decimal {
    truth["positions"][asset]["size"]
        .as_str()
        .and_then(|text| decimal::parse(text).ok())
        .unwrap_or_default()
        .normalize()
}
