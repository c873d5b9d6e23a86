//! Puts the rooms together: store, driver, exchange adapters, API.

use crate::config::Settings;
use crate::desk::Desk;
use crate::driver::{Driver, HEARD_MAX};
use crate::exchange::{Account, PrivateStream, Rest};
use crate::http;
use crate::store::Store;
use anyhow::Context;
use order_manager_sim::serve::Served;
use secrecy::SecretString;
use std::future::Future;
use tokio::net::TcpListener;
use tokio::sync::{mpsc, watch};

/// Serves until `stop` resolves; then takes no more signals, lets what is out be answered, and returns.
///
/// # Errors
/// A store that cannot be opened or restored, a port that is taken: each says what to do.
pub async fn serve(settings: Settings, stop: impl Future<Output = ()> + Send + 'static) -> anyhow::Result<()> {
    // One TLS provider for every connection; a second installation in one process is the first one.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let account = settings.account.clone().context("no account is configured")?;
    let store = Store::open(&settings.store).await?;
    let reader = store.reader();
    let listener = TcpListener::bind(settings.listen).await.with_context(|| {
        format!("cannot listen on {}: is another process there? choose a port with ORDERMANAGER_PORT", settings.listen)
    })?;
    let (ear, heard) = mpsc::channel(HEARD_MAX);
    let (desk, back) = Desk::pair();
    let (stopping, stopped) = watch::channel(false);
    let rest = Rest::new(account.clone()).context("TLS cannot be set up")?;
    let stream = PrivateStream::start(account, ear.clone());
    let driver = Driver { store, config: settings.rules.clone(), rest, ear, heard, back, stop: stopped.clone() };
    let mut driver = tokio::spawn(driver.run());

    // Whoever started this process reads the address from its first line.
    println!("listening on http://{}", listener.local_addr()?);
    let router = http::router(http::ApiState::new(desk, reader, settings.api_key.clone()));
    let mut until = stopped.clone();
    let gone = async move { _ = until.wait_for(|stop| *stop).await };
    let api = tokio::spawn(axum::serve(listener, router).with_graceful_shutdown(gone).into_future());

    let ended = tokio::select! {
        () = stop => {
            stopping.send_replace(true);
            (&mut driver).await
        }
        ended = &mut driver => ended,
    };
    stopping.send_replace(true);
    stream.abort();
    api.abort();
    ended.context("the driver panicked")?.context("the journal cannot be restored")
}

/// Resolves at SIGTERM or SIGINT.
pub async fn stop_signal() {
    use tokio::signal::unix::{SignalKind, signal};
    match signal(SignalKind::terminate()) {
        Ok(mut terminate) => tokio::select! {
            _ = terminate.recv() => {}
            _ = tokio::signal::ctrl_c() => {}
        },
        Err(_) => _ = tokio::signal::ctrl_c().await,
    }
}

/// How to reach a served fake exchange.
#[must_use]
pub fn account_of(exchange: &Served) -> Account {
    Account {
        rest: format!("http://{}", exchange.address),
        stream: format!("ws://{}/v5/private", exchange.address),
        key: exchange.key.clone(),
        secret: SecretString::from(exchange.secret.clone()),
    }
}
