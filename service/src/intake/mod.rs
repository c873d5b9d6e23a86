//! Signals and the ws-gateway's order messages in from the broker (spec S1, T2). Over HTTP they come by `http`.

use crate::broker::{self, Broker, Consumer, ConsumerCounts, Hand, Message, Queue, Running, Taken};
use crate::desk::{Desk, DeskError, Line};
use crate::exchange::{Ear, Heard, Kept};
use order_manager_core::command::Receipt;
use order_manager_core::unit::Bytes;
use std::sync::Arc;
use tokio::sync::watch;

/// Messages of the ws-gateway that may be on their way in: they are many and small.
const GATEWAY_PREFETCH: u16 = 256;

/// Consumes signals until `stop` is told.
pub(crate) fn signals(
    broker: &Broker,
    queue: Queue,
    prefetch: u16,
    (desk, counts): (Desk, Arc<ConsumerCounts>),
    stop: watch::Receiver<bool>,
) -> Running {
    let consuming = watch::channel(false).0;
    let hand = Signals::new(desk);
    let consumer = Consumer { role: "signals", queue, prefetch, hand, consuming, counts, stop: stop.clone() };
    broker::start(broker, consumer, stop)
}

/// Consumes the ws-gateway's order messages until `stop` is told; `consuming` says whether they flow.
pub(crate) fn gateway_orders(
    broker: &Broker,
    queue: Queue,
    (desk, ear): (&Desk, Ear),
    consuming: watch::Sender<bool>,
    stop: watch::Receiver<bool>,
) -> Running {
    let (hand, prefetch, counts) = (GatewayOrders::new(desk, ear), GATEWAY_PREFETCH, Arc::default());
    let consumer = Consumer { role: "gateway-orders", queue, prefetch, hand, consuming, counts, stop: stop.clone() };
    broker::start(broker, consumer, stop)
}

/// Signals: to the desk, in queue order. One that cannot be taken bars those behind it on its channel, so that none
/// of them overtakes it (spec S5).
pub(crate) struct Signals {
    desk: Desk,
    open: watch::Receiver<bool>,
    line: Line,
}

impl Signals {
    pub(crate) fn new(desk: Desk) -> Self {
        Self { open: desk.accepting(), desk, line: Line::default() }
    }
}

impl Hand for Signals {
    async fn open(&mut self) {
        wait(&mut self.open).await;
    }

    fn begin(&mut self) {
        self.line = Line::default();
    }

    async fn hand(&mut self, Message { trace, body }: Message) -> Option<Taken> {
        let receipt = self.desk.bring_in_line(&self.line, trace, body).await.ok()?;
        Some(Box::pin(async move { is_taken(receipt.await.unwrap_or(Err(DeskError::StoreDown))) }))
    }
}

/// Whatever the manager says of a signal is durable; only one that it had no room for must come again.
fn is_taken(receipt: Result<Receipt, DeskError>) -> bool {
    match receipt {
        Ok(Receipt::Paused) => false,
        Ok(_) => true,
        Err(error) => {
            tracing::warn!(%error, "a signal from the broker must come again");
            false
        }
    }
}

/// What the ws-gateway says of orders: to the ear, like a frame of the private stream.
pub(crate) struct GatewayOrders {
    ear: Ear,
    open: watch::Receiver<bool>,
}

impl GatewayOrders {
    pub(crate) fn new(desk: &Desk, ear: Ear) -> Self {
        Self { open: desk.accepting(), ear }
    }
}

impl Hand for GatewayOrders {
    async fn open(&mut self) {
        wait(&mut self.open).await;
    }

    fn begin(&mut self) {}

    async fn hand(&mut self, Message { body, .. }: Message) -> Option<Taken> {
        let (kept, is_kept) = Kept::pair();
        self.ear.send(Heard::Gateway { body: Bytes(body), kept }).await.ok()?;
        // A life that dies drops it: the message comes again.
        Some(Box::pin(async move { is_kept.await.is_ok() }))
    }
}

/// For ever, where the driver is gone: whoever waits is told to stop by others.
async fn wait(open: &mut watch::Receiver<bool>) {
    if open.wait_for(|open| *open).await.is_err() {
        std::future::pending::<()>().await;
    }
}
