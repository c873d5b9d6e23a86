//! Keeps a role at work: connect, run a session on a channel, and again, for ever.

use super::{Broker, Link};
use std::time::Duration;
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// Waits before the next try, ever longer; the broker may be away for hours.
const BACKOFF: [Duration; 6] = [
    Duration::from_millis(50),
    Duration::from_millis(250),
    Duration::from_secs(1),
    Duration::from_secs(2),
    Duration::from_secs(4),
    Duration::from_secs(5),
];

/// What a role does with a connection: one channel's life.
pub(crate) trait Session: Send {
    /// For logs and the broker's own pages.
    fn role(&self) -> &str;
    /// Works until something fails or it is told to stop.
    fn run(&mut self, link: &Link) -> impl Future<Output = End> + Send;
}

/// How a session ended.
#[derive(Debug)]
pub(crate) enum End {
    /// It was told to stop, and has.
    Stopped,
    /// Begin another.
    Failed(Failed),
}

/// Why a session ended.
#[derive(Debug)]
pub(crate) struct Failed {
    /// In words.
    pub(crate) why: String,
    /// Some work was done: the waits begin anew.
    pub(crate) progress: bool,
}

impl From<lapin::Error> for Failed {
    fn from(error: lapin::Error) -> Self {
        Self { why: error.to_string(), progress: false }
    }
}

/// Resolves when `stop` says so, or can say nothing any more.
pub(crate) async fn told(stop: &mut watch::Receiver<bool>) {
    let _ = stop.wait_for(|stop| *stop).await;
}

/// A role at work in the background.
pub(crate) struct Running {
    /// Does its connection stand?
    pub(crate) up: watch::Receiver<bool>,
    pub(crate) task: JoinHandle<()>,
}

/// Starts a role; it ends when `stop` is told.
pub(crate) fn start(broker: &Broker, session: impl Session + 'static, stop: watch::Receiver<bool>) -> Running {
    let (sender, up) = watch::channel(false);
    Running { up, task: tokio::spawn(keep(broker.clone(), session, sender, stop)) }
}

/// Runs sessions until one says that it was told to stop, or `stop` is told between two. `up` says whether the
/// connection stands.
async fn keep(broker: Broker, mut session: impl Session, up: watch::Sender<bool>, mut stop: watch::Receiver<bool>) {
    let mut failures = 0_usize;
    loop {
        let connected = tokio::select! {
            biased;
            () = told(&mut stop) => return,
            connected = broker.connect(session.role()) => connected,
        };
        match connected {
            Err(why) => tracing::warn!(role = session.role(), why, failures, "the broker cannot be reached"),
            Ok(link) => {
                tracing::info!(role = session.role(), host = broker.host, port = broker.port, "broker connected");
                up.send_replace(true);
                let stopped = on_link(&mut session, &link, &mut failures, &mut stop).await;
                up.send_replace(false);
                link.close().await;
                if stopped {
                    return;
                }
            }
        }
        if wait(&mut failures, &mut stop).await {
            return;
        }
    }
}

/// A channel that ends does not end its connection: the next one is opened there.
async fn on_link(
    session: &mut impl Session,
    link: &Link,
    failures: &mut usize,
    stop: &mut watch::Receiver<bool>,
) -> bool {
    loop {
        let failed = match session.run(link).await {
            End::Stopped => return true,
            End::Failed(failed) => failed,
        };
        if failed.progress {
            *failures = 0;
        }
        tracing::warn!(role = session.role(), why = failed.why, failures, "channel ended");
        if !link.is_up() {
            return false;
        }
        if wait(failures, stop).await {
            return true;
        }
    }
}

/// Waits before the next try; says whether it is time to go.
async fn wait(failures: &mut usize, stop: &mut watch::Receiver<bool>) -> bool {
    let wait = BACKOFF[(*failures).min(BACKOFF.len() - 1)];
    *failures = failures.saturating_add(1);
    tokio::select! {
        biased;
        () = told(stop) => true,
        () = tokio::time::sleep(wait) => false,
    }
}
