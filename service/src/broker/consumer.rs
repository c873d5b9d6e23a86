//! A consumer: messages in queue order to where they belong, acknowledged once they are durable there.

use super::{End, Failed, Link, Queue, Session, told};
use futures_util::StreamExt as _;
use futures_util::stream::FuturesOrdered;
use lapin::message::Delivery;
use lapin::options::{BasicAckOptions, BasicCancelOptions, BasicConsumeOptions, BasicQosOptions};
use lapin::types::{AMQPValue, FieldTable};
use lapin::{Acker, Channel};
use order_manager_core::intake::BODY_MAX;
use order_manager_core::unit::TraceId;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::timeout;

/// How long messages that were handed over may take to become durable once nothing more is handed over.
const DRAIN_MAX: Duration = Duration::from_secs(15);
/// For a cancel that the broker answers.
const CANCEL_MAX: Duration = Duration::from_secs(2);

/// Resolves to true once a message is durable and need not come again, or to false: it must.
pub(crate) type Taken = Pin<Box<dyn Future<Output = bool> + Send>>;

/// A message, as far as anybody needs it.
#[derive(Debug)]
pub(crate) struct Message {
    /// The header `trace_id`.
    pub(crate) trace: Option<TraceId>,
    /// The body, clipped where it is over [`BODY_MAX`]: still too long, so it is set aside as such.
    pub(crate) body: Vec<u8>,
}

/// Where a consumer's messages belong.
pub(crate) trait Hand: Send + Sync {
    /// Resolves when messages can be taken, and not before.
    fn open(&mut self) -> impl Future<Output = ()> + Send;
    /// A new channel begins: what was not durable comes again, in order.
    fn begin(&mut self);
    /// Hands a message over, in queue order. None: it cannot be taken now.
    fn hand(&mut self, message: Message) -> impl Future<Output = Option<Taken>> + Send;
}

/// The session of a consumer.
pub(crate) struct Consumer<H> {
    /// For logs and the broker's own pages.
    pub(crate) role: &'static str,
    pub(crate) queue: Queue,
    /// So many messages may be handed over and not acknowledged.
    pub(crate) prefetch: u16,
    pub(crate) hand: H,
    /// Says whether messages flow.
    pub(crate) consuming: watch::Sender<bool>,
    pub(crate) counts: Arc<ConsumerCounts>,
    pub(crate) stop: watch::Receiver<bool>,
}

/// What happened so far.
#[derive(Debug, Default)]
pub(crate) struct ConsumerCounts {
    /// Acknowledged.
    pub(crate) acked: AtomicU64,
    /// Acknowledged too late: the channel was gone, so they come again.
    pub(crate) stale: AtomicU64,
    /// Came not for the first time.
    pub(crate) redelivered: AtomicU64,
}

/// Messages that were handed over, in queue order.
type Waiting = FuturesOrdered<Pin<Box<dyn Future<Output = (Acker, bool)> + Send>>>;

impl<H: Hand> Session for Consumer<H> {
    fn role(&self) -> &str {
        self.role
    }

    async fn run(&mut self, link: &Link) -> End {
        let mut stop = self.stop.clone();
        tokio::select! {
            biased;
            () = told(&mut stop) => return End::Stopped,
            () = link.lost() => return failed("the connection ended", false),
            () = self.hand.open() => {}
        }
        let before = self.counts.acked.load(Ordering::Relaxed);
        let end = self.consume(link).await;
        self.consuming.send_replace(false);
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        let ConsumerCounts { acked, stale, redelivered } = &*self.counts;
        let (acked, stale, redelivered) = (read(acked), read(stale), read(redelivered));
        tracing::info!(role = self.role, acked, stale, redelivered, "consumer ended; all so far");
        let progress = acked > before;
        match end {
            Ok(()) => End::Stopped,
            Err(end) => End::Failed(Failed { progress, ..end }),
        }
    }
}

impl<H: Hand> Consumer<H> {
    async fn consume(&mut self, link: &Link) -> Result<(), Failed> {
        let mut stop = self.stop.clone();
        let channel = self.queue.open(link).await?;
        channel.basic_qos(self.prefetch, BasicQosOptions::default()).await?;
        let (queue, tag) = (self.queue.name.as_str().into(), self.role.into());
        let mut deliveries =
            channel.basic_consume(queue, tag, BasicConsumeOptions::default(), FieldTable::default()).await?;
        self.hand.begin();
        self.consuming.send_replace(true);
        let mut waiting = Waiting::new();
        let ended = loop {
            let delivery = tokio::select! {
                biased;
                () = told(&mut stop) => break Ok(()),
                Some((acker, taken)) = waiting.next(), if !waiting.is_empty() => {
                    if self.settle(&mut waiting, acker, taken).await? {
                        continue;
                    }
                    break Err("a message could not be taken");
                }
                delivery = deliveries.next() => delivery,
            };
            match delivery {
                Some(Ok(delivery)) => {
                    if !self.take(&mut waiting, delivery).await {
                        break Err("messages cannot be taken now");
                    }
                }
                Some(Err(error)) => return Err(error.into()),
                None => return Err(Failed { why: "the broker cancelled the consumer".into(), progress: false }),
            }
        };
        if ended.is_ok() {
            // What it holds back meanwhile is given to the next consumer when the channel closes.
            let _ = timeout(CANCEL_MAX, channel.basic_cancel(self.role.into(), BasicCancelOptions::default())).await;
        }
        self.drain(waiting, channel).await;
        ended.map_err(|why| Failed { why: why.into(), progress: false })
    }

    /// Hands one message over.
    async fn take(&mut self, waiting: &mut Waiting, delivery: Delivery) -> bool {
        if delivery.redelivered {
            self.counts.redelivered.fetch_add(1, Ordering::Relaxed);
        }
        let trace = trace(&delivery);
        let Delivery { mut data, acker, .. } = delivery;
        if data.len() > BODY_MAX {
            tracing::warn!(
                queue = self.queue.name,
                bytes = data.len(),
                "a message is too large: its beginning is kept"
            );
            data.truncate(BODY_MAX + 1);
        }
        let Some(taken) = self.hand.hand(Message { trace, body: data }).await else { return false };
        waiting.push_back(Box::pin(async move { (acker, taken.await) }));
        true
    }

    /// Acknowledges everything that is durable from the oldest on, at once. Says whether all went well.
    async fn settle(&self, waiting: &mut Waiting, acker: Acker, taken: bool) -> Result<bool, Failed> {
        let (mut last, mut count, mut good) = (taken.then_some(acker), u64::from(taken), taken);
        while good && let Some(Some((acker, taken))) = futures_util::FutureExt::now_or_never(waiting.next()) {
            good = taken;
            if taken {
                (last, count) = (Some(acker), count.saturating_add(1));
            }
        }
        if let Some(acker) = last {
            self.ack(&acker, count, true).await?;
        }
        Ok(good)
    }

    async fn ack(&self, acker: &Acker, count: u64, multiple: bool) -> Result<(), Failed> {
        let counter = match acker.ack(BasicAckOptions { multiple }).await? {
            true => &self.counts.acked,
            false => &self.counts.stale,
        };
        counter.fetch_add(count, Ordering::Relaxed);
        Ok(())
    }

    /// Nothing more is handed over. What was, and becomes durable in time, is acknowledged one by one: an older one
    /// may have to come again. The rest comes again when the channel is closed.
    async fn drain(&self, mut waiting: Waiting, channel: Channel) {
        let all = async {
            while let Some((acker, taken)) = waiting.next().await {
                if taken && let Err(Failed { why, .. }) = self.ack(&acker, 1, false).await {
                    tracing::debug!(role = self.role, why, "not acknowledged: it comes again");
                    return;
                }
            }
        };
        if timeout(DRAIN_MAX, all).await.is_err() {
            tracing::warn!(role = self.role, "messages that were handed over did not settle in time: they come again");
        }
        let _ = timeout(CANCEL_MAX, channel.close(200, "OK".into())).await;
    }
}

fn failed(why: &str, progress: bool) -> End {
    End::Failed(Failed { why: why.into(), progress })
}

/// The header's trace id, if it is one: a text of up to 100 bytes (spec S9).
fn trace(delivery: &Delivery) -> Option<TraceId> {
    let headers = delivery.properties.headers().as_ref()?;
    let bytes = match headers.inner().get("trace_id")? {
        AMQPValue::LongString(text) => text.as_bytes(),
        AMQPValue::ShortString(text) => text.as_str().as_bytes(),
        AMQPValue::ByteArray(bytes) => bytes.as_slice(),
        _ => return None,
    };
    TraceId::new(std::str::from_utf8(bytes).ok()?).ok()
}
