//! A broker's queue of its own for one test, and how to look into it.

use super::proxy::Proxy;
use crate::broker::{Broker, Queue};
use futures_util::StreamExt as _;
use lapin::message::Delivery;
use lapin::options::{
    BasicAckOptions, BasicConsumeOptions, BasicPublishOptions, ConfirmSelectOptions, QueueDeclareOptions,
    QueueDeleteOptions,
};
use lapin::types::FieldTable;
use lapin::uri::AMQPUri;
use lapin::{BasicProperties, Channel, Connection, ConnectionProperties};
use secrecy::SecretString;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

pub(super) const PATIENCE: Duration = Duration::from_secs(30);

/// The test's own connection, which nobody cuts.
pub(super) struct Bench {
    pub(super) channel: Channel,
    pub(super) proxy: Proxy,
    pub(super) broker: Broker,
    pub(super) queue: Queue,
    connection: Connection,
}

fn uri() -> AMQPUri {
    let url = std::env::var("OM_TEST_AMQP_URL").unwrap_or_else(|_| "amqp://guest:guest@127.0.0.1:5672/%2f".into());
    url.parse().expect("OM_TEST_AMQP_URL is an AMQP address")
}

impl Bench {
    pub(super) async fn new() -> Self {
        Self::with(Queue::plain).await
    }

    pub(super) async fn with(queue: impl FnOnce(String) -> Queue) -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let uri = uri();
        let AMQPUri { authority, vhost, .. } = uri.clone();
        let target = format!("{}:{}", authority.host, authority.port);
        let connection = Connection::connect_uri(uri, ConnectionProperties::default()).await;
        let connection = connection.unwrap_or_else(|error| {
            panic!("no RabbitMQ at {target} ({error}): run tests/run, it starts what is missing")
        });
        let channel = connection.create_channel().await.expect("a channel");
        channel.confirm_select(ConfirmSelectOptions::default()).await.expect("confirms");
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let queue = queue(format!("om-test.{}.{number}", std::process::id()));
        let proxy = Proxy::to(target).await;
        let broker = Broker {
            host: "127.0.0.1".into(),
            port: proxy.port,
            user: authority.userinfo.username,
            password: SecretString::from(authority.userinfo.password),
            vhost,
            name: "om-test".into(),
        };
        Self { channel, proxy, broker, queue, connection }
    }

    /// Declares the queue before the service does.
    pub(super) async fn declare(&self, arguments: FieldTable) {
        let name = self.queue.name.as_str().into();
        let declared = self.channel.queue_declare(name, QueueDeclareOptions::durable(), arguments);
        declared.await.expect("a queue");
    }

    /// Puts messages into the queue.
    pub(super) async fn put(&self, bodies: impl IntoIterator<Item = String>) {
        self.put_with(bodies, FieldTable::default()).await;
    }

    pub(super) async fn put_with(&self, bodies: impl IntoIterator<Item = String>, headers: FieldTable) {
        for body in bodies {
            let properties = BasicProperties::default().with_delivery_mode(2).with_headers(headers.clone());
            let (name, options) = (self.queue.name.as_str().into(), BasicPublishOptions::default());
            let sent = self.channel.basic_publish("".into(), name, options, body.as_bytes(), properties);
            sent.await.expect("sent").await.expect("confirmed");
        }
    }

    /// Messages that wait in the queue: none once all are acknowledged or on their way.
    pub(super) async fn waiting(&self) -> u32 {
        self.declared().await.message_count()
    }

    /// Messages that are left in the queue when nobody consumes it any more. The broker puts those that were not
    /// acknowledged back when it has seen the consumer's channel go, which is after the consumer closed it.
    pub(super) async fn left(&self) -> u32 {
        until("nobody consumes the queue", async || self.declared().await.consumer_count() == 0).await;
        self.waiting().await
    }

    async fn declared(&self) -> lapin::Queue {
        let passive = QueueDeclareOptions { passive: true, ..QueueDeclareOptions::durable() };
        let name = self.queue.name.as_str().into();
        self.channel.queue_declare(name, passive, FieldTable::default()).await.expect("a queue")
    }

    /// Has anybody declared the queue yet?
    pub(super) async fn has_queue(&self) -> bool {
        let channel = self.connection.create_channel().await.expect("a channel");
        let passive = QueueDeclareOptions { passive: true, ..QueueDeclareOptions::durable() };
        channel.queue_declare(self.queue.name.as_str().into(), passive, FieldTable::default()).await.is_ok()
    }

    /// Takes messages out of the queue until `enough`.
    pub(super) async fn take_until(&self, mut enough: impl FnMut(&Delivery) -> bool) {
        let (name, tag) = (self.queue.name.as_str().into(), "".into());
        let consumer =
            self.channel.basic_consume(name, tag, BasicConsumeOptions::default(), FieldTable::default()).await;
        let mut consumer = consumer.expect("a consumer");
        let taking = async {
            while let Some(delivery) = consumer.next().await {
                let delivery = delivery.expect("a delivery");
                delivery.ack(BasicAckOptions::default()).await.expect("acked");
                if enough(&delivery) {
                    return;
                }
            }
        };
        tokio::time::timeout(PATIENCE, taking).await.expect("the messages came in time");
    }

    /// Deletes the queue.
    pub(super) async fn delete(&self) {
        let name = self.queue.name.as_str().into();
        self.channel.queue_delete(name, QueueDeleteOptions::default()).await.expect("deleted");
    }
}

/// Looks until it is so.
pub(super) async fn until(what: &str, mut is: impl AsyncFnMut() -> bool) {
    let mut looks = tokio::time::interval(Duration::from_millis(5));
    let seen = async {
        while !is().await {
            looks.tick().await;
        }
    };
    assert!(tokio::time::timeout(PATIENCE, seen).await.is_ok(), "not in time: {what}");
}
