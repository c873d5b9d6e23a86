//! The broker's roles and the order stream: which of them run, and when each ends (spec T2, A5).

use crate::broker::{Queue, Running, start};
use crate::config::{BrokerSettings, OrderEvents, Settings};
use crate::desk::Desk;
use crate::exchange::{Account, Ear, PrivateStream};
use crate::intake;
use crate::neighbours::balance::BalanceSync;
use crate::neighbours::subscription::Pace;
use crate::neighbours::{Neighbour, Subscription, WsGateway};
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
    finish: watch::Sender<bool>,
    /// Does the ws-gateway do its part?
    gateway: Option<watch::Receiver<bool>>,
    balances: Option<JoinHandle<()>>,
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
        let mut roles = Self { intake: Vec::new(), publisher: None, finish, gateway: None, balances: None };
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
        let gateway = client(settings, gateway)?;
        let (consuming, flows) = watch::channel(false);
        let (queue, to) = (Queue::gateway_orders(), (desk, ear.clone()));
        self.intake.push(intake::gateway_orders(&broker.broker, queue, to, consuming, stop.clone()));
        let (task, available) = Subscription::start(gateway, Pace::default(), flows, ear.clone());
        self.gateway = Some(available);
        Ok(task)
    }

    /// Where there is a ws-gateway, it writes the balances down when one was too small (wire-contracts.md 3.1).
    ///
    /// # Errors
    /// The gateway's client cannot be set up.
    pub(super) fn balances(&mut self, settings: &Settings) -> anyhow::Result<Option<BalanceSync>> {
        let Some(gateway) = &settings.neighbours.ws_gateway else { return Ok(None) };
        let (balances, task) =
            BalanceSync::start(client(settings, gateway)?, settings.neighbours.balance_sync_interval);
        self.balances = Some(task);
        Ok(Some(balances))
    }

    /// Whether the ws-gateway does its part, where it brings the order events.
    pub(super) fn gateway(&self) -> Option<watch::Receiver<bool>> {
        self.gateway.clone()
    }

    /// Whether each connection to the broker stands.
    pub(super) fn connected(&self) -> Vec<watch::Receiver<bool>> {
        self.intake.iter().chain(&self.publisher).map(|running| running.up.clone()).collect()
    }

    /// The driver has ended: what it made durable is published, and the broker is left. What is not done in time
    /// comes again, or is published by the next process.
    pub(super) async fn leave(self) {
        let by = Instant::now() + LEAVE_MAX;
        self.finish.send_replace(true);
        self.balances.iter().for_each(JoinHandle::abort);
        for Running { task, .. } in self.intake.into_iter().chain(self.publisher) {
            let abort = task.abort_handle();
            if timeout_at(by, task).await.is_err() {
                abort.abort();
            }
        }
    }
}

fn client(settings: &Settings, gateway: &Neighbour) -> anyhow::Result<WsGateway> {
    let (name, timeout) = (settings.neighbours.service_name.clone(), settings.neighbours.ws_gateway_timeout);
    WsGateway::with_timeout(gateway.clone(), name, timeout).context("ws-gateway's client cannot be set up")
}
