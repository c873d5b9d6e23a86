//! Puts the rooms together: store, driver, exchange adapters, API.

mod broker;

use crate::config::Settings;
use crate::desk::Desk;
use crate::driver::{Driver, HEARD_MAX};
use crate::exchange::{Account, Rest};
use crate::http::{self, Key, Keys, Role};
use crate::neighbours::PositionManager;
use crate::publish;
use crate::store::Store;
use anyhow::Context;
use broker::Roles;
use order_manager_core::config::PositionSource;
use order_manager_sim::exchange::face::Credentials;
use order_manager_sim::serve::Served;
use secrecy::{ExposeSecret, SecretString};
use std::sync::Arc;
use tokio::sync::{mpsc, watch};

/// Serves until `stop` resolves; then takes no more signals, lets what is out be answered, and returns.
///
/// # Errors
/// A store that cannot be opened or restored, a port that is taken: each says what to do.
pub(crate) async fn serve(settings: Settings, stop: impl Future<Output = ()> + Send + 'static) -> anyhow::Result<()> {
    // One TLS provider for every connection; a second installation in one process is the first one.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let account = settings.account.clone().context("no account is configured")?;
    let keys = Keys::new(settings.api_key.iter().map(key).collect::<Result<_, _>>()?);
    let store = Store::open(&settings.store).await?;
    if settings.broker.is_some() {
        publish::begin(&store).await?;
    }
    let reader = store.reader();
    let listener = http::bind(settings.listen, &keys).await?;
    let (ear, heard) = mpsc::channel(HEARD_MAX);
    let (desk, back) = Desk::pair(reader.last_event_id().await?);
    let (stopping, stopped) = watch::channel(false);
    let rest = Rest::new(account.clone()).context("TLS cannot be set up")?;
    let mut roles = Roles::start(&settings, (&desk, &ear), &store, &stopped);
    let mut stream = roles.order_events(&settings, account, (&desk, &ear), &stopped)?;
    let balances = roles.balances(&settings)?;
    let desk = desk.with_broker(roles.connected()).with_gateway(roles.gateway());
    let position_manager = settings.neighbours.position_manager.clone().map(PositionManager::new).transpose();
    let position_manager = position_manager.context("TLS cannot be set up")?;
    let driver = Driver {
        store,
        config: settings.rules.clone(),
        rest,
        position_manager: position_manager.clone(),
        balances,
        ear,
        heard,
        back,
        stop: stopped.clone(),
        given: None,
    };
    let mut driver = tokio::spawn(driver.run());

    // Whoever started this process reads the address from its first line.
    println!("listening on http://{}", listener.local_addr()?);
    let mut state = http::ApiState::new(Arc::new(desk), Arc::new(reader), keys);
    if let Some(manager) =
        position_manager.filter(|_| settings.rules.position_source == PositionSource::PositionManager)
    {
        state = state.positions_of(manager);
    }
    let mut until = stopped.clone();
    let gone = async move { _ = until.wait_for(|stop| *stop).await };
    let mut api = tokio::spawn(http::serve(listener, state, gone));

    let mut ended = None;
    // Neither the stream nor the API ends by itself: where one does, half a service is none.
    let broken = tokio::select! {
        () = stop => None,
        driver = &mut driver => {
            ended = Some(driver);
            None
        }
        stream = &mut stream => Some(format!("the private stream ended: {stream:?}")),
        api = &mut api => Some(format!("the API ended: {api:?}")),
    };
    stopping.send_replace(true);
    let ended = match ended {
        Some(ended) => ended,
        None => driver.await,
    };
    stream.abort();
    roles.leave().await;
    if let Some(broken) = broken {
        anyhow::bail!("{broken}; this is a defect, report it");
    }
    api.await.context("the API panicked")?.context("the API's socket")?;
    // The lease goes last: whoever has it next finds published what this process made durable (spec A5).
    let mut store = ended.context("the driver panicked")?.context("the store cannot be used")?;
    store.settle().await.context("the store cannot be closed")
}

/// The one key of the configuration may do everything.
fn key(secret: &SecretString) -> Result<Key, http::BadKey> {
    Key::new("ORDERMANAGER_API_KEY", Role::Operate, secret.expose_secret())
}

/// Resolves at SIGTERM or SIGINT, from now on: one that comes before anybody waits counts.
///
/// # Errors
/// The system takes no handler.
pub(crate) fn stop_signal() -> std::io::Result<impl Future<Output = ()> + Send> {
    use tokio::signal::unix::{SignalKind, signal};
    let (mut terminate, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    })
}

/// How to reach a served fake exchange.
#[must_use]
pub(crate) fn account_of(exchange: &Served, credentials: &Credentials) -> Account {
    Account {
        rest: exchange.base_url(),
        stream: exchange.private_stream_url(),
        key: credentials.key.clone(),
        secret: SecretString::from(credentials.secret.clone()),
    }
}
