//! The neighbours at the broker: the model service, which puts signals in, and Position Manager's place at the queue of
//! order events.

use crate::process::LOOK;
use anyhow::{Context, ensure};
use futures_util::StreamExt as _;
use lapin::options::{
    BasicAckOptions, BasicConsumeOptions, BasicPublishOptions, BasicQosOptions, ConfirmSelectOptions,
    QueueDeclareOptions, QueuePurgeOptions,
};
use lapin::types::FieldTable;
use lapin::{BasicProperties, Channel, Connection, ConnectionProperties};
use serde_json::Value;
use std::time::Duration;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{Instant, interval, timeout};

pub(crate) const SIGNALS: &str = "model-service.trading_signals";
pub(crate) const ORDER_EVENTS: &str = "order-manager.order_events";

/// One try to connect, or to have a message confirmed, takes no longer.
const TRY_MAX: Duration = Duration::from_secs(5);
/// A broker on a busy machine is away for a quarter of a minute.
const AWAY_MAX: Duration = Duration::from_secs(180);

async fn open(url: &str) -> anyhow::Result<(Connection, Channel)> {
    let opening = async {
        let connection = Connection::connect(url, ConnectionProperties::default()).await?;
        let channel = connection.create_channel().await?;
        for name in [SIGNALS, ORDER_EVENTS] {
            channel.queue_declare(name.into(), QueueDeclareOptions::durable(), FieldTable::default()).await?;
        }
        anyhow::Ok((connection, channel))
    };
    timeout(TRY_MAX, opening).await.context("the broker does not answer")?
}

/// Makes both queues, and empties them.
pub(crate) async fn clear(url: &str) -> anyhow::Result<()> {
    let (connection, channel) = open(url).await?;
    for name in [SIGNALS, ORDER_EVENTS] {
        channel.queue_purge(name.into(), QueuePurgeOptions::default()).await?;
    }
    Ok(connection.close(200, "OK".into()).await?)
}

/// Messages of a queue that nobody has been given.
pub(crate) async fn waiting(url: &str, queue: &str) -> anyhow::Result<u32> {
    let (connection, channel) = open(url).await?;
    let passive = QueueDeclareOptions { passive: true, ..QueueDeclareOptions::durable() };
    let count = channel.queue_declare(queue.into(), passive, FieldTable::default()).await?.message_count();
    connection.close(200, "OK".into()).await?;
    Ok(count)
}

/// Puts signals in as the model service does (wire-contracts.md 1.2): persistent, no headers, no content type.
pub(crate) struct Signals {
    url: String,
    open: Option<(Connection, Channel)>,
    /// How often a signal was sent once more, because its confirmation did not come.
    pub(crate) again: usize,
}

impl Signals {
    pub(crate) fn new(url: impl Into<String>) -> Self {
        Self { url: url.into(), open: None, again: 0 }
    }

    /// Sends it until the broker has confirmed it, always the same bytes.
    pub(crate) async fn send(&mut self, body: &[u8]) -> anyhow::Result<()> {
        let (begun, mut looks) = (Instant::now(), interval(Duration::from_millis(50)));
        let mut may_be_there = false;
        loop {
            looks.tick().await;
            let (_, channel) = match &mut self.open {
                Some(open) => open,
                None => match self.connect().await {
                    Ok(open) => self.open.insert(open),
                    Err(error) => {
                        ensure!(begun.elapsed() < AWAY_MAX, "no broker takes signals: {error:#}");
                        continue;
                    }
                },
            };
            self.again += usize::from(may_be_there);
            may_be_there = true;
            if timeout(TRY_MAX, put(channel, body)).await.is_ok_and(|confirmed| confirmed.unwrap_or(false)) {
                return Ok(());
            }
            self.open = None;
        }
    }

    async fn connect(&self) -> anyhow::Result<(Connection, Channel)> {
        let (connection, channel) = open(&self.url).await?;
        channel.confirm_select(ConfirmSelectOptions::default()).await?;
        Ok((connection, channel))
    }
}

async fn put(channel: &Channel, body: &[u8]) -> lapin::Result<bool> {
    let properties = BasicProperties::default().with_delivery_mode(2);
    let sent = channel.basic_publish("".into(), SIGNALS.into(), BasicPublishOptions::default(), body, properties);
    Ok(sent.await?.await?.is_ack())
}

/// One delivery of an order event.
#[derive(Clone, Debug)]
pub(crate) struct Noted {
    pub(crate) event_id: String,
    pub(crate) event_type: String,
    pub(crate) asset: String,
    /// The broker gave it out before.
    pub(crate) redelivered: bool,
    pub(crate) body: String,
}

impl Noted {
    fn of(data: Vec<u8>, redelivered: bool) -> anyhow::Result<Self> {
        let body = String::from_utf8(data)?;
        let json: Value = serde_json::from_str(&body)?;
        let text = |value: &Value| value.as_str().map(str::to_owned).with_context(|| body.clone());
        let (event_id, event_type) = (text(&json["event_id"])?, text(&json["event_type"])?);
        Ok(Self { event_id, event_type, asset: text(&json["order"]["asset"])?, redelivered, body })
    }

    /// Would Position Manager add its quantity up?
    pub(crate) fn is_fill(&self) -> bool {
        matches!(self.event_type.as_str(), "filled" | "partially_filled")
    }
}

/// Takes every order event, notes it and acknowledges it then; the broker may go and come. Dropping it ends it.
pub(crate) struct Events {
    noted: watch::Receiver<Vec<Noted>>,
    _task: JoinSet<()>,
}

impl Events {
    pub(crate) fn start(url: &str) -> Self {
        let (note, noted) = watch::channel(Vec::new());
        let (mut task, url) = (JoinSet::new(), url.to_owned());
        task.spawn(async move {
            let mut looks = interval(10 * LOOK);
            loop {
                looks.tick().await;
                // A broker that went away comes back, and gives out again what was not acknowledged.
                let _gone = take(&url, &note).await;
            }
        });
        Self { noted, _task: task }
    }

    /// Every delivery so far, in order; nobody notes another one while it is held.
    pub(crate) fn noted(&self) -> watch::Ref<'_, Vec<Noted>> {
        self.noted.borrow()
    }
}

async fn take(url: &str, note: &watch::Sender<Vec<Noted>>) -> anyhow::Result<()> {
    let (_connection, channel) = open(url).await?;
    channel.basic_qos(64, BasicQosOptions::default()).await?;
    let (queue, tag) = (ORDER_EVENTS.into(), "position-manager".into());
    let mut deliveries =
        channel.basic_consume(queue, tag, BasicConsumeOptions::default(), FieldTable::default()).await?;
    while let Some(delivery) = deliveries.next().await {
        let delivery = delivery?;
        let noted = Noted::of(delivery.data, delivery.redelivered)?;
        note.send_modify(|all| all.push(noted));
        delivery.acker.ack(BasicAckOptions::default()).await?;
    }
    Ok(())
}
