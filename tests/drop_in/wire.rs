//! The neighbours' side of the broker: their queues, declared as they declare them (wire-contracts.md 1.1), what they
//! publish, and what they take.

use anyhow::Context;
use futures_util::StreamExt;
use lapin::message::Delivery;
use lapin::options::{
    BasicAckOptions, BasicConsumeOptions, BasicPublishOptions, ConfirmSelectOptions, QueueDeclareOptions,
};
use lapin::types::{AMQPValue, FieldTable, LongString};
use lapin::{BasicProperties, Channel, Connection, ConnectionProperties};
use std::sync::Arc;

pub(crate) const SIGNALS: &str = "model-service.trading_signals";
pub(crate) const GATEWAY_ORDERS: &str = "ws-gateway.order";
pub(crate) const ORDER_EVENTS: &str = "order-manager.order_events";

/// A neighbour's connection.
#[derive(Clone, Debug)]
pub(crate) struct Wire {
    connection: Arc<Connection>,
    channel: Channel,
}

impl Wire {
    /// Connects, with publisher confirms.
    pub(crate) async fn open(url: &str) -> anyhow::Result<Self> {
        let connection = Connection::connect(url, ConnectionProperties::default()).await;
        let connection = connection.with_context(|| format!("no RabbitMQ at {url}"))?;
        let channel = connection.create_channel().await?;
        channel.confirm_select(ConfirmSelectOptions::default()).await?;
        Ok(Self { connection: Arc::new(connection), channel })
    }

    /// A queue without arguments.
    pub(crate) async fn declare(&self, queue: &str) -> anyhow::Result<()> {
        self.declare_with(queue, QueueDeclareOptions::durable(), FieldTable::default()).await.map(|_| ())
    }

    /// With the gateway's three arguments.
    pub(crate) async fn declare_gateway_orders(&self) -> anyhow::Result<()> {
        let mut table = FieldTable::default();
        table.insert("x-message-ttl".into(), AMQPValue::LongInt(86_400_000));
        table.insert("x-max-length".into(), AMQPValue::LongInt(100_000));
        table.insert("x-overflow".into(), AMQPValue::LongString(LongString::from("drop-head")));
        self.declare_with(GATEWAY_ORDERS, QueueDeclareOptions::durable(), table).await.map(|_| ())
    }

    /// Messages that wait in a queue that exists.
    pub(crate) async fn waiting(&self, queue: &str) -> anyhow::Result<u32> {
        let passive = QueueDeclareOptions { passive: true, ..QueueDeclareOptions::durable() };
        self.declare_with(queue, passive, FieldTable::default()).await
    }

    /// A channel of its own: a declaration that is refused closes it.
    async fn declare_with(&self, queue: &str, how: QueueDeclareOptions, table: FieldTable) -> anyhow::Result<u32> {
        let channel = self.connection.create_channel().await?;
        let declared = channel.queue_declare(queue.into(), how, table).await.with_context(|| queue.to_owned())?;
        channel.close(200, "OK".into()).await?;
        Ok(declared.message_count())
    }

    /// Publishes to a queue by the default exchange, and waits for the broker's word.
    pub(crate) async fn publish(&self, queue: &str, body: &[u8], properties: BasicProperties) -> anyhow::Result<()> {
        let (options, exchange) = (BasicPublishOptions::default(), "".into());
        let sent = self.channel.basic_publish(exchange, queue.into(), options, body, properties).await?;
        anyhow::ensure!(sent.await?.is_ack(), "the broker did not confirm");
        Ok(())
    }

    /// As the model service does it: persistent, and nothing else (1.2).
    pub(crate) async fn signal(&self, body: &str) -> anyhow::Result<()> {
        self.publish(SIGNALS, body.as_bytes(), BasicProperties::default().with_delivery_mode(2)).await
    }

    /// Hands every message of a queue to `take`, one after the other, for ever.
    pub(crate) async fn consume(&self, queue: &str, mut take: impl FnMut(&Delivery)) -> anyhow::Result<()> {
        let channel = self.connection.create_channel().await?;
        let options = BasicConsumeOptions::default();
        let mut consumer = channel.basic_consume(queue.into(), "".into(), options, FieldTable::default()).await?;
        while let Some(delivery) = consumer.next().await {
            let delivery = delivery?;
            take(&delivery);
            delivery.ack(BasicAckOptions::default()).await?;
        }
        anyhow::bail!("the broker hung up")
    }
}
