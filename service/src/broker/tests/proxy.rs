//! Stands between the service and the broker, and fails as networks do.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

/// What the network does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Weather {
    /// Carries.
    Fair,
    /// Takes connections and carries nothing.
    Still,
    /// Ends every new connection at once.
    Refusing,
}

/// A proxy to one address.
pub(super) struct Proxy {
    pub(super) port: u16,
    cuts: watch::Sender<u64>,
    weather: watch::Sender<Weather>,
    accepted: Arc<AtomicUsize>,
    given_up: Arc<AtomicUsize>,
}

impl Proxy {
    pub(super) async fn to(target: String) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let (cuts, cut) = watch::channel(0);
        let (weather, now) = watch::channel(Weather::Fair);
        let accepted = Arc::new(AtomicUsize::new(0));
        let given_up = Arc::new(AtomicUsize::new(0));
        let (count, gone) = (accepted.clone(), given_up.clone());
        tokio::spawn(async move {
            while let Ok((tcp, _)) = listener.accept().await {
                count.fetch_add(1, Ordering::Relaxed);
                tokio::spawn(carry(tcp, target.clone(), cut.clone(), now.clone(), gone.clone()));
            }
        });
        Self { port, cuts, weather, accepted, given_up }
    }

    /// Drops every connection.
    pub(super) fn cut(&self) {
        self.cuts.send_modify(|cuts| *cuts += 1);
    }

    pub(super) fn set(&self, weather: Weather) {
        self.weather.send_replace(weather);
    }

    /// Connections in still weather that the other side ended.
    pub(super) fn given_up(&self) -> usize {
        self.given_up.load(Ordering::Relaxed)
    }

    pub(super) fn accepted(&self) -> usize {
        self.accepted.load(Ordering::Relaxed)
    }
}

async fn carry(
    mut near: TcpStream,
    target: String,
    mut cut: watch::Receiver<u64>,
    mut weather: watch::Receiver<Weather>,
    given_up: Arc<AtomicUsize>,
) {
    cut.mark_unchanged();
    if *weather.borrow() == Weather::Refusing {
        return;
    }
    let carried = async {
        let Ok(mut far) = TcpStream::connect(target).await else { return };
        let still = async { _ = weather.wait_for(|weather| *weather != Weather::Fair).await };
        tokio::select! {
            biased;
            () = still => {}
            _ = tokio::io::copy_bidirectional(&mut near, &mut far) => return,
        }
        // What comes now goes nowhere, until the other side has had enough.
        if tokio::io::copy(&mut near, &mut tokio::io::sink()).await.is_ok() {
            given_up.fetch_add(1, Ordering::Relaxed);
        }
    };
    tokio::select! {
        () = carried => {}
        _ = cut.changed() => {}
    }
}
