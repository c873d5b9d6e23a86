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
}

impl Proxy {
    pub(super) async fn to(target: String) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let (cuts, cut) = watch::channel(0);
        let (weather, now) = watch::channel(Weather::Fair);
        let accepted = Arc::new(AtomicUsize::new(0));
        let count = accepted.clone();
        tokio::spawn(async move {
            while let Ok((tcp, _)) = listener.accept().await {
                count.fetch_add(1, Ordering::Relaxed);
                tokio::spawn(carry(tcp, target.clone(), cut.clone(), now.clone()));
            }
        });
        Self { port, cuts, weather, accepted }
    }

    /// Drops every connection.
    pub(super) fn cut(&self) {
        self.cuts.send_modify(|cuts| *cuts += 1);
    }

    pub(super) fn set(&self, weather: Weather) {
        self.weather.send_replace(weather);
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
) {
    cut.mark_unchanged();
    if *weather.borrow() == Weather::Refusing {
        return;
    }
    let carried = async {
        let Ok(mut far) = TcpStream::connect(target).await else { return };
        loop {
            if weather.wait_for(|weather| *weather == Weather::Fair).await.is_err() {
                return;
            }
            // What is in hand when the weather changes is lost with the copying: so the connection ends with it.
            let still = async { _ = weather.wait_for(|weather| *weather != Weather::Fair).await };
            tokio::select! {
                _ = tokio::io::copy_bidirectional(&mut near, &mut far) => return,
                () = still => {}
            }
        }
    };
    tokio::select! {
        () = carried => {}
        _ = cut.changed() => {}
    }
}
