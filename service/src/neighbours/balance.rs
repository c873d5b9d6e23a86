//! Balances for the other readers of `account_balances` (wire-contracts.md 3.1).
//!
//! Our own core asks the exchange for its wallet and reads none of these rows. But the model service and the
//! dashboards do, and the gateway writes them only when Bybit pushes or somebody asks. So after a signal was rejected
//! for `insufficient_balance` the gateway is asked once: that is when somebody looks at the balance and wonders, and
//! when the predecessor asked. Best effort: what fails is not tried again until the next such rejection.

use super::ws_gateway::WsGateway;
use order_manager_core::event::Event;
use order_manager_core::outcome::Outcome;
use order_manager_core::refusal::Code;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Notify;
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep_until};

/// Between two calls that worked, as the predecessor had it (`BALANCE_SYNC_MIN_INTERVAL_SECONDS`).
pub const MIN_INTERVAL: Duration = Duration::from_secs(30);

/// Whoever commits events tells it of each. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct BalanceSync {
    wanted: Arc<Notify>,
}

impl BalanceSync {
    /// Starts waiting for rejections in the background; ends when it is aborted.
    #[must_use]
    pub fn start(gateway: WsGateway, min_interval: Duration) -> (Self, JoinHandle<()>) {
        let this = Self::default();
        let wanted = Arc::clone(&this.wanted);
        let task = tokio::spawn(async move {
            let mut next = Instant::now();
            loop {
                wanted.notified().await;
                // Those that come in the meantime are served by the same call.
                sleep_until(next).await;
                match gateway.sync_balances().await {
                    Ok(coins) => {
                        tracing::info!(coins, "ws-gateway has written the balances down");
                        next = Instant::now() + min_interval;
                    }
                    Err(error) => tracing::warn!(%error, "the balances were not synchronised"),
                }
            }
        });
        (this, task)
    }

    /// Looks at an event that is durable.
    pub fn committed(&self, event: &Event) {
        let Event::SignalSettled { outcome: Outcome::Rejected(Code::InsufficientBalance), .. } = event else { return };
        self.wanted.notify_one();
    }
}
