//! From an address to served calls.

use super::keys::{BindRefused, Keys, check_bind};
use super::{ApiState, router};
use axum::serve::ListenerExt;
use std::net::SocketAddr;
use std::time::Duration;
use tokio::net::TcpListener;

/// Why the API does not listen.
#[derive(Debug, thiserror::Error)]
pub enum BindError {
    /// Without a key, beyond loopback.
    #[error(transparent)]
    Refused(#[from] BindRefused),
    /// The operating system said no.
    #[error("cannot listen on {addr}: {why}. Is another order-manager running? ORDERMANAGER_PORT chooses the port")]
    Taken {
        /// The address that was asked for.
        addr: SocketAddr,
        /// The system's words; part of the message, so not its source too.
        why: std::io::Error,
    },
}

/// Listens on `addr`, if [`check_bind`] lets it.
///
/// # Errors
/// See [`BindError`].
pub async fn bind(addr: SocketAddr, keys: &Keys) -> Result<TcpListener, BindError> {
    check_bind(addr, keys)?;
    TcpListener::bind(addr).await.map_err(|why| BindError::Taken { addr, why })
}

/// How long calls may take to end once the service stops (spec A5).
const DRAIN: Duration = Duration::from_secs(10);

/// Serves until `stop` comes, then lets running calls finish for at most ten seconds. Event streams end when the
/// desk's watch of commits closes; those that are still open after the ten seconds are cut.
///
/// # Errors
/// The listener broke.
pub async fn serve(
    listener: TcpListener,
    state: ApiState,
    stop: impl Future<Output = ()> + Send + 'static,
) -> std::io::Result<()> {
    let (stopping, stopped) = tokio::sync::oneshot::channel();
    let stop = async move {
        stop.await;
        drop(stopping); // the clock of the drain starts
    };
    // An event is small and must not wait for more bytes to fill a packet.
    let listener = listener.tap_io(|connection| {
        if let Err(error) = connection.set_nodelay(true) {
            tracing::debug!(%error, "a connection without TCP_NODELAY");
        }
    });
    let served = axum::serve(listener, router(state)).with_graceful_shutdown(stop);
    let drained = async {
        let _ended: Result<(), _> = stopped.await;
        tokio::time::sleep(DRAIN).await;
    };
    tokio::select! {
        served = served.into_future() => served,
        () = drained => Ok(()),
    }
}
