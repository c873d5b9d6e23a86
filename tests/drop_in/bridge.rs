//! The other half of the fake ws-gateway (wire-contracts.md 1.3): it listens to the exchange's private stream and puts
//! each order of each message into the queue, as long as somebody has subscribed.

use crate::bank;
use crate::neighbours::envelope::envelope;
use crate::neighbours::gateway::Gateway;
use crate::wire::{GATEWAY_ORDERS, Wire};
use anyhow::{Context, ensure};
use futures_util::{SinkExt, StreamExt};
use lapin::BasicProperties;
use lapin::types::{AMQPValue, FieldTable, LongString};
use order_manager_core::bybit::sign;
use order_manager_core::unit::ExchangeTime;
use order_manager_sim::serve::Served;
use serde_json::value::RawValue;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::Arc;
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

/// Orders of the exchange's messages.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Counts {
    /// Put into the queue.
    pub(crate) forwarded: usize,
    /// Lost: nobody had subscribed, or the gateway's socket was away.
    pub(crate) lost: usize,
}

/// A running bridge. Dropping it ends it.
#[derive(Debug)]
pub(crate) struct Bridge {
    task: JoinHandle<anyhow::Result<()>>,
    counts: watch::Receiver<Counts>,
}

impl Bridge {
    /// Declares the queue as the gateway does at its start, subscribes at the exchange, and forwards from then on.
    pub(crate) async fn start(exchange: &Served, gateway: Arc<Gateway>, wire: Wire) -> anyhow::Result<Self> {
        wire.declare_gateway_orders().await.context("the gateway's queue")?;
        let (mut socket, _) = connect_async(exchange.private_stream_url()).await?;
        let expires = ExchangeTime(bank::now().0 / 1_000 + 10_000);
        let signature = sign::stream(b"sim-secret", expires);
        let auth = json!({ "op": "auth", "args": ["sim-key", expires.0, signature.as_str()] });
        ask(&mut socket, auth).await?;
        ask(&mut socket, json!({ "op": "subscribe", "args": ["order"] })).await?;
        let (count, counts) = watch::channel(Counts::default());
        let task = tokio::spawn(async move { forward(socket, &gateway, &wire, &count).await });
        Ok(Self { task, counts })
    }

    /// What became of the orders so far.
    pub(crate) fn counts(&self) -> Counts {
        *self.counts.borrow()
    }
}

impl Drop for Bridge {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Sends an operation and waits for its success.
async fn ask(socket: &mut Socket, operation: Value) -> anyhow::Result<()> {
    socket.send(Message::text(operation.to_string())).await?;
    while let Some(message) = socket.next().await {
        let reply: Value = serde_json::from_slice(&message?.into_data())?;
        if reply["op"] == operation["op"] {
            ensure!(reply["success"] == true, "{reply}");
            return Ok(());
        }
    }
    anyhow::bail!("the exchange hung up before it answered {operation}")
}

async fn forward(
    mut socket: Socket,
    gateway: &Gateway,
    wire: &Wire,
    count: &watch::Sender<Counts>,
) -> anyhow::Result<()> {
    while let Some(message) = socket.next().await {
        let Message::Text(text) = message? else { continue };
        let parts: BTreeMap<String, Box<RawValue>> = serde_json::from_str(&text)?;
        if parts.get("topic").is_none_or(|topic| topic.get() != "\"order\"") {
            continue;
        }
        let orders: Vec<Box<RawValue>> = serde_json::from_str(parts.get("data").context("no data")?.get())?;
        if !gateway.forwards() {
            count.send_modify(|counts| counts.lost += orders.len());
            continue;
        }
        for order in orders {
            let body = envelope(order.get(), bank::now());
            let event: Value = serde_json::from_str(&body)?;
            let mut headers = FieldTable::default();
            for (name, value) in [("event_type", "order"), ("topic", "order"), ("trace_id", text_of(&event)?)] {
                headers.insert(name.into(), AMQPValue::LongString(LongString::from(value)));
            }
            let properties = BasicProperties::default()
                .with_delivery_mode(2)
                .with_timestamp(bank::now().0 / 1_000_000)
                .with_headers(headers);
            wire.publish(GATEWAY_ORDERS, body.as_bytes(), properties).await?;
            count.send_modify(|counts| counts.forwarded += 1);
        }
    }
    anyhow::bail!("the exchange hung up")
}

fn text_of(event: &Value) -> anyhow::Result<&str> {
    event["trace_id"].as_str().context("an envelope without a trace id")
}
