//! What goes wrong in a round, and until when it is right again.

use super::Service;
use crate::process::{self, LOOK};
use crate::proxy::Proxy;
use crate::servers::{Server, Stop};
use crate::stage::Stage;
use anyhow::{Context, ensure};
use order_manager_sim::choice::Choices;
use std::time::Duration;
use tokio::time::{Instant, interval, sleep_until, timeout_at};

/// On two cores, right after a broker's start.
const RECOVERY_MAX: Duration = Duration::from_secs(120);

/// A fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Fault {
    /// SIGKILL, of a service that works or of one that still starts.
    Kill,
    /// All connections to the broker are reset.
    BrokerCut,
    /// The same, and new ones too, for a while.
    BrokerRefused,
    /// All connections to the database are reset.
    DatabaseCut,
    /// Nothing comes through to the database for a while.
    DatabaseStall,
    /// Immediate, or killed.
    DatabaseRestart,
    /// Orderly, or killed.
    BrokerRestart,
}

/// What a fault did.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Struck {
    /// Open connections that it reset.
    pub(crate) cut: usize,
    /// From its end until the service was ready again.
    pub(crate) recovery: Duration,
}

impl Fault {
    pub(crate) const ALL: [Self; 7] = [
        Self::Kill,
        Self::BrokerCut,
        Self::BrokerRefused,
        Self::DatabaseCut,
        Self::DatabaseStall,
        Self::DatabaseRestart,
        Self::BrokerRestart,
    ];

    /// Each as often as the whole is worth.
    pub(crate) fn choose(choices: &mut Choices) -> Self {
        match choices.below("fault", 100) {
            0..28 => Self::Kill,
            28..40 => Self::BrokerCut,
            40..52 => Self::BrokerRefused,
            52..62 => Self::DatabaseCut,
            62..72 => Self::DatabaseStall,
            72..88 => Self::DatabaseRestart,
            _ => Self::BrokerRestart,
        }
    }

    /// Lets it happen, ends it, and waits until the service is ready.
    pub(crate) async fn strike(
        self,
        stage: &mut Stage,
        service: &mut Service,
        choices: &mut Choices,
    ) -> anyhow::Result<Struck> {
        let mut cut = 0;
        let mut healed = Instant::now();
        match self {
            Self::Kill => {
                if choices.chance("early", 300) {
                    service.kill().await?;
                    let mut child = stage.launch().start()?;
                    let moment = Instant::now() + Duration::from_millis(choices.between("start-ms", 0, 250));
                    let _or_not_yet = timeout_at(moment, process::address(&mut child)).await;
                    sleep_until(moment).await;
                    service.child = child;
                }
                service.kill().await?;
                healed = Instant::now();
                *service = Service::start(stage).await?;
            }
            Self::BrokerCut => cut = resets(&stage.to_rabbitmq, 3).await?,
            Self::DatabaseCut => cut = resets(&stage.to_postgres, 1).await?,
            Self::BrokerRefused => {
                let proxy = &stage.to_rabbitmq;
                cut = proxy.open();
                proxy.refuse();
                so_long(choices, "refused-ms", 20, 1_500).await;
                until("refused connections are gone", || proxy.open() == 0).await?;
                proxy.heal();
                healed = Instant::now();
                until("broker connections are back", || proxy.open() >= cut.min(2)).await?;
            }
            Self::DatabaseStall => {
                stage.to_postgres.stall();
                so_long(choices, "stall-ms", 20, 2_000).await;
                stage.to_postgres.heal();
                healed = Instant::now();
            }
            Self::DatabaseRestart => {
                let how = *choices.pick("database-stop", &[Stop::Immediate, Stop::Kill]);
                restart(&mut stage.postgres, &stage.to_postgres, how, choices).await?;
                healed = Instant::now();
            }
            Self::BrokerRestart => {
                let how = *choices.pick("broker-stop", &[Stop::Orderly, Stop::Kill]);
                restart(&mut stage.rabbitmq, &stage.to_rabbitmq, how, choices).await?;
                healed = Instant::now();
            }
        }
        service.ready(stage).await?;
        Ok(Struck { cut, recovery: healed.elapsed() })
    }
}

impl Service {
    /// Until it can carry signals out; it must not end by itself.
    pub(crate) async fn ready(&mut self, stage: &Stage) -> anyhow::Result<()> {
        let (begun, mut looks) = (Instant::now(), interval(LOOK));
        loop {
            let answer = stage.http.get(format!("{}/ready", self.url)).send().await;
            if answer.is_ok_and(|answer| answer.status() == 200) {
                return Ok(());
            }
            let ended = self.child.try_wait()?;
            ensure!(ended.is_none(), "the service ended by itself: {ended:?}");
            ensure!(begun.elapsed() < RECOVERY_MAX, "the service did not become ready");
            looks.tick().await;
        }
    }
}

/// Resets what is open and waits until so many are there anew.
async fn resets(proxy: &Proxy, wanted: u64) -> anyhow::Result<usize> {
    let (open, taken) = (proxy.open(), proxy.taken());
    let back = wanted.min(open as u64);
    proxy.cut();
    until("connections are made anew", || proxy.taken() >= taken + back).await?;
    Ok(open)
}

/// A server that cannot be restarted is out of reach for a while.
async fn restart(server: &mut Server, way: &Proxy, how: Stop, choices: &mut Choices) -> anyhow::Result<()> {
    if server.is_private() {
        server.stop(how).await?;
        server.start_again().await?;
    } else {
        way.refuse();
        so_long(choices, "outage-ms", 500, 3_000).await;
        way.heal();
    }
    Ok(())
}

async fn so_long(choices: &mut Choices, label: &'static str, low: u64, high: u64) {
    sleep_until(Instant::now() + Duration::from_millis(choices.between(label, low, high))).await;
}

async fn until(what: &'static str, mut is: impl FnMut() -> bool) -> anyhow::Result<()> {
    let mut looks = interval(LOOK);
    let seen = async {
        while !is() {
            looks.tick().await;
        }
    };
    timeout_at(Instant::now() + RECOVERY_MAX, seen).await.with_context(|| format!("not in time: {what}"))
}
