//! The broker's roles and the order stream: which of them run, and when each ends (spec T2, A5).

use crate::broker::{Queue, Running, start};
use crate::config::{BrokerSettings, OrderEvents, Settings};
use crate::desk::Desk;
use crate::exchange::{Account, Ear, PrivateStream};
use crate::intake;
use crate::neighbours::subscription::Pace;
use crate::neighbours::{Subscription, WsGateway};
use crate::publish::{Publisher, Stored};
use crate::store::Store;
use anyhow::Context as _;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::{Instant, timeout_at};

/// The broker may take this long over the last acknowledgements and events.
const LEAVE_MAX: Duration = Duration::from_secs(5);

/// What runs beside the driver and ends with it.
pub(super) struct Roles {
    intake: Vec<Running>,
    publisher: Option<Running>,
    gateway: Option<watch::Receiver<bool>>,
    finish: watch::Sender<bool>,
}

impl Roles {
    /// Starts signals in and events out, if there is a broker. Intake ends when `stop` is told.
    pub(super) fn start(
        settings: &Settings,
        (desk, ear): (&Desk, &Ear),
        store: &Store,
        stop: &watch::Receiver<bool>,
    ) -> Self {
        let (finish, finished) = watch::channel(false);
        let mut roles = Self { intake: Vec::new(), publisher: None, gateway: None, finish };
        if let Some(BrokerSettings { broker, prefetch }) = &settings.broker {
            let signals =
                intake::signals(broker, Queue::signals(), *prefetch, (desk.clone(), Arc::default()), stop.clone());
            roles.intake.push(signals);
            let outbox = Stored::new(store.reader(), store.cursor_keeper());
            let committed = desk.committed();
            let publisher = Publisher::new(Queue::order_events(), outbox, ear.clone(), committed, finished.clone());
            roles.publisher = Some(start(broker, publisher, finished));
        }
        roles
    }

    /// Starts the order stream: Bybit's own, or the ws-gateway's queue. The task ends by itself never.
    ///
    /// # Errors
    /// The gateway's client cannot be set up.
    pub(super) fn order_events(
        &mut self,
        settings: &Settings,
        account: Account,
        (desk, ear): (&Desk, &Ear),
        stop: &watch::Receiver<bool>,
    ) -> anyhow::Result<JoinHandle<()>> {
        let neighbours = &settings.neighbours;
        let (OrderEvents::WsGateway, Some(gateway), Some(broker)) =
            (neighbours.order_events, &neighbours.ws_gateway, &settings.broker)
        else {
            return Ok(PrivateStream::start(account, ear.clone()));
        };
        let (name, timeout) = (neighbours.service_name.clone(), neighbours.ws_gateway_timeout);
        let gateway = WsGateway::with_timeout(gateway.clone(), name, timeout);
        let gateway = gateway.context("ws-gateway's client cannot be set up")?;
        let (consuming, flows) = watch::channel(false);
        let (queue, to) = (Queue::gateway_orders(), (desk, ear.clone()));
        self.intake.push(intake::gateway_orders(&broker.broker, queue, to, consuming, stop.clone()));
        let (task, available) = Subscription::start(gateway, Pace::default(), flows, ear.clone());
        self.gateway = Some(available);
        Ok(task)
    }

    /// Whether each connection to the broker stands.
    pub(super) fn connected(&self) -> Vec<watch::Receiver<bool>> {
        self.intake.iter().chain(&self.publisher).map(|running| running.up.clone()).collect()
    }

    /// Whether ws-gateway forwards our order events, where they come through it.
    pub(super) fn gateway(&self) -> Option<watch::Receiver<bool>> {
        self.gateway.clone()
    }

    /// The driver has ended: what it made durable is published, and the broker is left. What is not done in time
    /// comes again, or is published by the next process.
    pub(super) async fn leave(self) {
        let by = Instant::now() + LEAVE_MAX;
        self.finish.send_replace(true);
        for Running { task, .. } in self.intake.into_iter().chain(self.publisher) {
            let abort = task.abort_handle();
            if timeout_at(by, task).await.is_err() {
                abort.abort();
            }
        }
    }
}
