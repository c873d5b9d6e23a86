//! After the last round: everything is waited for, and then held against what was sent, what the exchange did, and what
//! the neighbours would read.

use super::Service;
use super::events;
use super::load::Brought;
use super::tally::Tally;
use crate::books;
use crate::process::get;
use crate::queues::{self, Events, SIGNALS};
use crate::stage::Stage;
use anyhow::{Context, bail, ensure};
use order_manager_core::unit::{self, Decimal};
use serde_json::Value;
use sqlx::PgConnection;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;
use tokio::time::{Instant, interval};

/// Proving that a create never arrived takes the receive window and twice the visibility bound; signals wait behind it.
const SETTLE_MAX: Duration = Duration::from_secs(240);
/// Between two looks at everything.
const LOOK: Duration = Duration::from_millis(500);
/// What Position Manager's validator reckons (wire-contracts.md 1.5.2).
const VALIDATOR: &str = "SELECT asset, sum(CASE WHEN side = 'Buy' THEN filled_quantity ELSE -filled_quantity END)::text \
    FROM orders WHERE status IN ('filled', 'partially_filled') GROUP BY asset";
/// A signal's orders in the shared tables: all, those that say that no order was made of it, and those that came to
/// nothing.
const SHARED: &str = "SELECT s.signal_id::text, count(o.id), count(o.id) FILTER (WHERE o.order_id = 'REJECTED-' || \
    s.signal_id::text AND o.status = 'rejected' AND o.rejection_reason IS NOT NULL), \
    count(o.id) FILTER (WHERE o.status IN ('rejected', 'cancelled')) FROM order_manager.signals s \
    LEFT JOIN signal_order_relationships r ON r.signal_id = s.signal_id \
    LEFT JOIN orders o ON o.id = r.order_id AND o.signal_id = s.signal_id GROUP BY s.signal_id";

/// Waits until every signal is settled, and then until there is no difference left.
pub(crate) async fn settled(
    stage: &Stage,
    service: &Service,
    events: &Events,
    brought: &BTreeMap<String, Brought>,
    tally: &mut Tally,
) -> anyhow::Result<()> {
    tally.signals = brought.values().map(|lane| lane.signals.len()).sum();
    tally.letters = brought.values().map(|lane| lane.letters.len()).sum();
    tally.copies = brought.values().map(|lane| lane.copies).sum();
    let (until, mut looks) = (Instant::now() + SETTLE_MAX, interval(LOOK));
    let mut open: Vec<&str> = brought.values().flat_map(|lane| &lane.signals).map(String::as_str).collect();
    let mut settled = BTreeMap::new();
    loop {
        let mut still = Vec::new();
        for id in open {
            match outcome(stage, service, id).await? {
                Some(outcome) => _ = settled.insert(id, outcome),
                None => still.push(id),
            }
        }
        open = still;
        if open.is_empty() {
            break;
        }
        ensure!(Instant::now() < until, "{} signals are not settled: {open:?}", open.len());
        looks.tick().await;
    }
    tally.outcomes.clear();
    for outcome in settled.values() {
        *tally.outcomes.entry(outcome.clone()).or_default() += 1;
    }
    let until = Instant::now() + SETTLE_MAX;
    let mut database = stage.database().await?;
    loop {
        let mut found = exchange(stage, service, tally).await?;
        found.extend(tables(stage, &mut database, &settled, brought, tally).await?);
        found.extend(events::differences(stage, &mut database, events, tally).await?);
        if found.is_empty() {
            return Ok(());
        }
        ensure!(Instant::now() < until, "{} differences:\n{}", found.len(), found.join("\n"));
        looks.tick().await;
    }
}

/// How a signal ended: `placed`, or the code of its rejection; none while it is open. A signal that was acknowledged
/// and is not known is lost.
async fn outcome(stage: &Stage, service: &Service, id: &str) -> anyhow::Result<Option<String>> {
    let url = format!("{}/api/v1/signals/{id}", service.url);
    let answer = stage.http.get(url).header("X-API-Key", crate::process::API_KEY).send().await?;
    // It may still be in its queue.
    if answer.status() == 404 {
        return Ok(None);
    }
    let signal: Value = serde_json::from_str(&answer.text().await?)?;
    Ok(match (signal["state"].as_str(), signal["outcome"].as_str()) {
        (Some("settled"), Some("placed")) => {
            ensure!(signal["orders"][0]["order_link_id"].is_string(), "placed without an order: {signal}");
            Some("placed".into())
        }
        (Some("settled"), Some("rejected")) => {
            ensure!(signal["text"].is_string(), "without a reason: {signal}");
            Some(signal["code"].as_str().with_context(|| format!("without a code: {signal}"))?.into())
        }
        (Some("waiting" | "active"), _) => None,
        _ => bail!("neither open nor settled: {signal}"),
    })
}

/// No order twice, and the API's orders are the exchange's.
async fn exchange(stage: &Stage, service: &Service, tally: &mut Tally) -> anyhow::Result<Vec<String>> {
    let rows = books::orders(&stage.http, &service.url).await?;
    tally.orders.clear();
    for row in &rows {
        *tally.orders.entry(row["status"].as_str().unwrap_or("without a status").into()).or_default() += 1;
    }
    let mut found = books::differences(&rows, &stage.exchange.handle().truth());
    let ready = get(&stage.http, &service.url, "/health").await?;
    if ready["status"] != "healthy" {
        found.push(format!("health: {ready}"));
    }
    Ok(found)
}

/// What the neighbours read in the shared tables, and what is kept in our own.
async fn tables(
    stage: &Stage,
    database: &mut PgConnection,
    settled: &BTreeMap<&str, String>,
    brought: &BTreeMap<String, Brought>,
    tally: &mut Tally,
) -> anyhow::Result<Vec<String>> {
    let mut found = Vec::new();
    let rows: Vec<(String, i64, i64, i64)> = sqlx::query_as(SHARED).fetch_all(&mut *database).await?;
    let rows: BTreeMap<String, _> = rows.into_iter().map(|(id, all, none, futile)| (id, (all, none, futile))).collect();
    for (id, outcome) in settled {
        match (rows.get(*id), outcome.as_str()) {
            (Some((1.., 0, _)), "placed") => {}
            // Tried, and the exchange took none of them.
            (Some((all @ 1.., 0, futile)), "not_executed") if all == futile => {}
            (Some((1, 1, _)), code) if code != "placed" => {}
            (row, outcome) => {
                found.push(format!("{id}: {outcome}, and its orders (all, rejections, futile) are {row:?}"));
            }
        }
    }
    if rows.len() != settled.len() {
        found.push(format!("{} signals in the store, {} were sent", rows.len(), settled.len()));
    }
    let letters = "SELECT DISTINCT convert_from(body, 'UTF8') FROM order_manager.dead_letters";
    let letters: BTreeSet<String> = sqlx::query_scalar(letters).fetch_all(&mut *database).await?.into_iter().collect();
    let sent: BTreeSet<String> = brought.values().flat_map(|lane| lane.letters.iter().cloned()).collect();
    found.extend(sent.symmetric_difference(&letters).map(|letter| format!("dead letter: {letter}")));
    let sums: Vec<(String, String)> = sqlx::query_as(VALIDATOR).fetch_all(&mut *database).await?;
    let sums: BTreeMap<String, String> = sums.into_iter().collect();
    let truth = stage.exchange.handle().truth();
    for (asset, position) in truth["positions"].as_object().context("no positions")? {
        let reckoned = decimal(sums.get(asset).map_or("0", String::as_str))?;
        let held = decimal(position["size"].as_str().context("a position without a size")?)?;
        if reckoned != held {
            found.push(format!("{asset}: Position Manager reckons {reckoned}, the exchange holds {held}"));
        }
    }
    let waiting = queues::waiting(stage.amqp_url(), SIGNALS).await?;
    if waiting > 0 {
        found.push(format!("{waiting} messages wait in {SIGNALS}"));
    }
    found.extend(order(stage, database, brought, tally).await?);
    Ok(found)
}

/// Orders of a symbol were created at the exchange in the order in which their signals were published. A reducing one
/// may pass an opening one of which nobody knew what became of it (spec S5).
async fn order(
    stage: &Stage,
    database: &mut PgConnection,
    brought: &BTreeMap<String, Brought>,
    tally: &mut Tally,
) -> anyhow::Result<Vec<String>> {
    let links = "SELECT order_link_id, signal_id::text FROM order_manager.orders_own";
    let links: Vec<(String, String)> = sqlx::query_as(links).fetch_all(database).await?;
    let signals: BTreeMap<String, String> = links.into_iter().collect();
    let places: BTreeMap<&str, usize> = brought
        .values()
        .flat_map(|lane| lane.signals.iter().enumerate().map(|(place, id)| (id.as_str(), place)))
        .collect();
    let created: Vec<(String, String, bool)> = stage.exchange.handle().with(|exchange, _| {
        let orders = exchange.truth().orders.iter();
        orders
            .map(|order| {
                let link = order.link.as_ref().map_or_else(String::new, |link| link.as_str().to_owned());
                (order.symbol.as_str().to_owned(), link, order.reduce_only)
            })
            .collect()
    });
    tally.passed = 0;
    let mut found = Vec::new();
    // The last opening and the last reducing signal of each symbol.
    let mut last: BTreeMap<String, [usize; 2]> = BTreeMap::new();
    for (asset, link, reduces) in created {
        let Some(place) = signals.get(&link).and_then(|signal| places.get(signal.as_str())).copied() else {
            found.push(format!("{asset} {link}: no signal of ours"));
            continue;
        };
        let [opening, reducing] = last.entry(asset.clone()).or_default();
        if place < *opening || (reduces && place < *reducing) {
            found.push(format!("{asset} {link}: signal {place} after {opening} (opening) and {reducing} (reducing)"));
        }
        tally.passed += usize::from(!reduces && place < *reducing);
        let kind = if reduces { reducing } else { opening };
        *kind = place.max(*kind);
    }
    Ok(found)
}

pub(crate) fn decimal(text: &str) -> anyhow::Result<Decimal> {
    unit::decimal::parse(text).map(|figure| figure.normalize()).map_err(|error| anyhow::anyhow!("{text}: {error:?}"))
}
