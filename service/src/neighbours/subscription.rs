//! The order stream that comes through ws-gateway and the broker: is it whole (spec T1, T2, P6)?
//!
//! It is up while our subscription stands, the gateway forwards, and the queue is consumed. What was lost while it
//! was not is nobody's to bring again, so the core reconciles when it comes back. A gap of the consumer alone loses
//! nothing, as the queue keeps what comes; it is told all the same, because nobody knows how old its end is.

use super::ws_gateway::{GatewayError, WsGateway};
use crate::exchange::{Ear, Heard};
use order_manager_core::input::Stream;
use std::pin::pin;
use std::time::Duration;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep_until};

/// How often things are looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pace {
    /// While all is well. The gateway waits at least a second before it connects to Bybit again, so with looks this
    /// close together no gap of its socket passes unseen.
    pub look: Duration,
    /// Waits before the next try, ever longer; the last one for ever (spec P6: back within 5 s).
    pub waits: [Duration; 4],
    /// The same trouble is logged this often.
    pub log: Duration,
}

impl Default for Pace {
    fn default() -> Self {
        let waits = [250, 1_000, 2_000, 4_000].map(Duration::from_millis);
        Self { look: Duration::from_secs(1), waits, log: Duration::from_secs(60) }
    }
}

/// Subscribes until it works, and watches for ever.
#[derive(Debug)]
pub struct Subscription {
    gateway: WsGateway,
    pace: Pace,
    consuming: watch::Receiver<bool>,
    available: watch::Sender<bool>,
    ear: Ear,
    /// Subscribed and forwarded, when it was last looked at.
    good: bool,
    /// What the ear was told last.
    up: bool,
}

/// Nobody listens any more.
struct Deaf;

impl Subscription {
    /// Starts watching in the background; it ends when the ear is closed. `consuming` says whether the queue
    /// `ws-gateway.order` is consumed; the receiver says whether the gateway does its part.
    #[must_use]
    pub fn start(
        gateway: WsGateway,
        pace: Pace,
        consuming: watch::Receiver<bool>,
        ear: Ear,
    ) -> (JoinHandle<()>, watch::Receiver<bool>) {
        let (available, watching) = watch::channel(false);
        let this = Self { gateway, pace, consuming, available, ear, good: false, up: false };
        let task = tokio::spawn(async move {
            let Err(Deaf) = this.run().await;
        });
        (task, watching)
    }

    async fn run(mut self) -> Result<std::convert::Infallible, Deaf> {
        let (mut failures, mut logged) = (0_usize, None::<(GatewayError, Instant)>);
        loop {
            let began = Instant::now();
            let looked = self.meanwhile(look(self.gateway.clone(), self.good)).await?;
            let wait = match looked {
                Ok(Looked { renewed }) => {
                    if renewed && self.good {
                        tracing::warn!("our subscription at ws-gateway was gone: subscribed again");
                        self.set(false).await?; // what came in between is lost
                    } else if !self.good {
                        tracing::info!("ws-gateway forwards our order events");
                    }
                    self.set(true).await?;
                    (failures, logged) = (0, None);
                    self.pace.look
                }
                Err(trouble) => {
                    self.set(false).await?;
                    let said =
                        logged.as_ref().is_some_and(|(same, at)| *same == trouble && at.elapsed() < self.pace.log);
                    if !said {
                        tracing::error!(error = %trouble, "no order events come through ws-gateway: trying again");
                        logged = Some((trouble, Instant::now()));
                    }
                    failures = failures.saturating_add(1);
                    self.pace.waits[failures.min(self.pace.waits.len()) - 1]
                }
            };
            self.meanwhile(sleep_until(began + wait)).await?;
        }
    }

    async fn set(&mut self, good: bool) -> Result<(), Deaf> {
        self.good = good;
        self.available.send_if_modified(|last| std::mem::replace(last, good) != good);
        self.tell().await
    }

    /// Tells how things stand, where that is not what was told last.
    async fn tell(&mut self) -> Result<(), Deaf> {
        // A consumer that is gone consumes nothing, whatever it said last.
        let consuming = *self.consuming.borrow_and_update() && self.consuming.has_changed().is_ok();
        let up = self.good && consuming;
        if up != self.up {
            self.up = up;
            let stream = if up { Stream::Up } else { Stream::Down };
            self.ear.send(Heard::Stream(stream)).await.map_err(|_| Deaf)?;
        }
        Ok(())
    }

    /// Waits for something; what the consumer says in the meantime is told at once.
    async fn meanwhile<T>(&mut self, something: impl Future<Output = T>) -> Result<T, Deaf> {
        let mut something = pin!(something);
        loop {
            self.tell().await?;
            tokio::select! {
                biased;
                () = self.ear.closed() => return Err(Deaf),
                Ok(()) = self.consuming.changed() => {}
                done = &mut something => return Ok(done),
            }
        }
    }
}

struct Looked {
    /// There was no subscription of ours, or nobody knew of one.
    renewed: bool,
}

/// Makes sure that we are subscribed, and that it helps. Before all was well the subscription is renewed in any
/// case: then the gateway subscribes at Bybit again too.
async fn look(gateway: WsGateway, was_good: bool) -> Result<Looked, GatewayError> {
    let stands = was_good && gateway.is_subscribed().await?;
    if !stands {
        gateway.subscribe().await?;
    }
    gateway.check().await?;
    Ok(Looked { renewed: !stands })
}
