//! `order-manager takeover`: the orders that the service before us left open are ours from now on (spec T1).
//!
//! `serve` does the same at its start; this command does it alone, says what it found, and takes no signal. A dry run
//! asks the exchange the same questions with a store that is thrown away, and writes nothing.

use super::{FAILED, runtime, settings};
use crate::app::stop_signal;
use crate::config::{Need, Settings};
use crate::desk::Desk;
use crate::driver::{Driver, HEARD_MAX};
use crate::exchange::Rest;
use crate::publish;
use crate::store::{self, OrderView, Place, Reader, Store};
use crate::telemetry;
use anyhow::Context;
use order_manager_core::input::InheritedOrder;
use std::process::ExitCode;
use std::time::Duration;
use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, timeout_at};

/// Proof that an order is not at the exchange takes half a minute; many orders share the budget of its queries.
const PATIENCE: Duration = Duration::from_secs(600);

pub(super) fn run(dry_run: bool) -> anyhow::Result<ExitCode> {
    let settings = match settings(Need::Account) {
        Ok(settings) => settings,
        Err(code) => return Ok(code),
    };
    telemetry::start(&settings.log_level)?;
    runtime()?.block_on(take_over(settings, dry_run))
}

async fn take_over(settings: Settings, dry_run: bool) -> anyhow::Result<ExitCode> {
    // One TLS provider for every connection; a second installation in one process is the first one.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let before = store::left_open(&settings.store).await?;
    if before.is_empty() {
        println!("{}: no order was left open, nothing to take over", settings.store);
        return Ok(ExitCode::SUCCESS);
    }
    println!("{}: {} orders were left open", settings.store, before.len());
    let thrown_away = tempfile::tempdir()?;
    let place = if dry_run { Place::File(thrown_away.path().join("dry-run.db")) } else { settings.store.clone() };
    let account = settings.account.clone().context("no account is configured")?;
    let store = Store::open(&place).await?;
    if settings.broker.is_some() {
        // What is told of them goes to the broker as soon as the service runs.
        publish::begin(&store).await?;
    }
    let (reader, (ear, heard)) = (store.reader(), mpsc::channel(HEARD_MAX));
    let (desk, back) = Desk::pair(reader.last_event_id().await?);
    let (stopping, stop) = watch::channel(false);
    let rest = Rest::new(account).context("TLS cannot be set up")?.only_asking();
    let config = settings.rules.clone();
    let given = dry_run.then(|| before.clone());
    let driver = Driver { store, config, rest, position_manager: None, balances: None, ear, heard, back, stop, given };
    let mut driver = tokio::spawn(driver.run());
    let stopped = stop_signal()?;
    let known = tokio::select! {
        known = known(&reader, &desk, &before) => known?,
        ended = &mut driver => {
            ended.context("the driver panicked")?.context("the store cannot be used")?;
            anyhow::bail!("the driver ended by itself; this is a defect, report it");
        }
        () = stopped => anyhow::bail!("stopped before everything was known; run it again"),
    };
    stopping.send_replace(true);
    let mut store = driver.await.context("the driver panicked")?.context("the store cannot be used")?;
    store.settle().await?;
    let mut open = 0;
    for (was, is) in before.iter().zip(&known) {
        open += usize::from(is.is_none());
        println!("{}", line(was, is.as_ref()));
    }
    let word =
        if dry_run { "nothing was written: run it without --dry-run, or just start serve" } else { "taken over" };
    if open > 0 {
        println!("{open} of them the exchange has not told us of in {} minutes; run it again", PATIENCE.as_secs() / 60);
        return Ok(ExitCode::from(FAILED));
    }
    println!("{word}");
    Ok(ExitCode::SUCCESS)
}

/// Each order as soon as the exchange's word of it is known; none for those of which it is not in time.
async fn known(reader: &Reader, desk: &Desk, orders: &[InheritedOrder]) -> anyhow::Result<Vec<Option<OrderView>>> {
    let (by, mut committed) = (Instant::now() + PATIENCE, desk.committed());
    loop {
        committed.borrow_and_update();
        let mut known = Vec::with_capacity(orders.len());
        for order in orders {
            let view = reader.order(order.order_id.as_str()).await?;
            // Acked: what its row told, and nothing from the exchange yet.
            known.push(view.filter(|view| view.state.as_deref().is_some_and(|state| state != "acked")));
        }
        let done = known.iter().all(Option::is_some);
        if done || timeout_at(by, committed.changed()).await.is_err() {
            return Ok(known);
        }
    }
}

fn line(was: &InheritedOrder, is: Option<&OrderView>) -> String {
    let kind = was.limit.map_or_else(|| "market".to_owned(), |price| format!("limit {price}"));
    let InheritedOrder { order_id, symbol, side, quantity, filled, .. } = was;
    let head = format!("  {order_id}  {side} {quantity} {symbol} {kind}: {filled} filled by its row");
    match is {
        None => format!("{head}; not known yet"),
        Some(is) => {
            let why = match is.state.as_deref() {
                Some("open") => "open at the exchange",
                Some("aged_out") => "unknown to the exchange: not open, not closed, no execution",
                _ => "closed at the exchange",
            };
            format!("{head}; {why}, {} filled: {}", is.filled_quantity, is.status)
        }
    }
}
