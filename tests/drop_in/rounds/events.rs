//! No event lost: what came out of the queue is what the store holds, in the order of each symbol; its fills add up to
//! what the exchange filled; and what came twice was counted and Position Manager asked to look.

use super::check::decimal;
use super::tally::Tally;
use crate::queues::{Events, Noted};
use crate::stage::Stage;
use anyhow::Context;
use order_manager_core::unit::Decimal;
use serde_json::Value;
use sqlx::PgConnection;
use std::collections::{BTreeMap, BTreeSet};

/// Prices and fees of increments are rounded to eight decimals.
const ROUNDING: Decimal = Decimal::from_parts(1, 0, 0, false, 8);

pub(crate) async fn differences(
    stage: &Stage,
    database: &mut PgConnection,
    events: &Events,
    tally: &mut Tally,
) -> anyhow::Result<Vec<String>> {
    let stored = "SELECT event_id::text, id FROM order_manager.messages";
    let stored: Vec<(String, i64)> = sqlx::query_as(stored).fetch_all(&mut *database).await?;
    let stored: BTreeMap<String, i64> = stored.into_iter().collect();
    let cursor = "SELECT position, repeated FROM order_manager.cursor WHERE name = 'order-manager.order_events'";
    let (position, repeated): (i64, i64) = sqlx::query_as(cursor).fetch_one(&mut *database).await?;
    let links = "SELECT id::text, order_link_id FROM order_manager.orders_own";
    let links: Vec<(String, String)> = sqlx::query_as(links).fetch_all(&mut *database).await?;
    let links: BTreeMap<String, String> = links.into_iter().collect();
    let truth = stage.exchange.handle().truth();

    let noted = events.noted();
    let mut found = arrivals(&noted, &stored);
    if stored.values().max().copied().unwrap_or_default() != position {
        found.push(format!("the cursor stands at {position}, of {} messages", stored.len()));
    }
    found.extend(sums(&noted, &links, &truth)?);
    tally.events = stored.len();
    tally.counted = repeated;
    tally.redelivered = noted.iter().filter(|noted| noted.redelivered).count();
    found.extend(repeats(stage, &noted, repeated, tally));
    Ok(found)
}

/// Each message came, no other did, and first arrivals of an asset are in the order of the store.
fn arrivals(noted: &[Noted], stored: &BTreeMap<String, i64>) -> Vec<String> {
    let mut found = Vec::new();
    let mut seen = BTreeSet::new();
    let mut last: BTreeMap<&str, i64> = BTreeMap::new();
    for Noted { event_id, asset, .. } in noted {
        if !seen.insert(event_id) {
            continue;
        }
        let Some(id) = stored.get(event_id) else {
            found.push(format!("event {event_id} came, and the store does not hold it"));
            continue;
        };
        let before = last.entry(asset).or_default();
        if *id < *before {
            found.push(format!("{asset}: message {id} came after {before}"));
        }
        *before = *id;
    }
    let lost = stored.iter().filter(|(event_id, _)| !seen.contains(event_id));
    found.extend(lost.map(|(event_id, id)| format!("message {id}, event {event_id}, did not come")));
    found
}

/// What the fills of an order add up to, each event once.
#[derive(Default)]
struct Sum {
    quantity: Decimal,
    value: Decimal,
    fee: Decimal,
    count: i64,
}

fn sums(noted: &[Noted], links: &BTreeMap<String, String>, truth: &Value) -> anyhow::Result<Vec<String>> {
    let mut sums: BTreeMap<&str, Sum> = BTreeMap::new();
    let mut seen = BTreeSet::new();
    for fill in noted.iter().filter(|noted| noted.is_fill() && seen.insert(&noted.event_id)) {
        let body: Value = serde_json::from_str(&fill.body)?;
        let order = &body["order"];
        let figure = |key: &str| decimal(order[key].as_str().unwrap_or("0"));
        let row = order["id"].as_str().with_context(|| fill.body.clone())?;
        let link = links.get(row).with_context(|| format!("event {} of no order of ours", fill.event_id))?;
        let sum = sums.entry(link).or_default();
        sum.quantity += figure("filled_quantity")?;
        sum.value += figure("filled_quantity")? * figure("average_price")?;
        sum.fee += figure("fees")?;
        sum.count += 1;
    }
    let mut found = Vec::new();
    for (link, order) in truth["orders"].as_object().context("no orders")? {
        let none = Sum::default();
        let sum = sums.get(link.as_str()).unwrap_or(&none);
        let figure = |key: &str| decimal(order[key].as_str().unwrap_or("0"));
        let (quantity, value, fee) = (figure("cum_qty")?, figure("cum_value")?, figure("cum_fee")?);
        let rounding = ROUNDING * Decimal::from(sum.count);
        let is_same = sum.quantity == quantity
            && (sum.value - value).abs() <= rounding * quantity.max(Decimal::ONE)
            && (sum.fee - fee).abs() <= rounding;
        if !is_same {
            let Sum { quantity: told, value: told_value, fee: told_fee, .. } = sum;
            found.push(format!(
                "{link}: told {told} for {told_value}, fee {told_fee}; filled {quantity} for {value}, fee {fee}"
            ));
        }
    }
    Ok(found)
}

/// An event that was published twice stands in the cursor's count; the asset of such a fill was validated.
fn repeats(stage: &Stage, noted: &[Noted], counted: i64, tally: &mut Tally) -> Vec<String> {
    let mut published: BTreeMap<&str, (usize, &Noted)> = BTreeMap::new();
    for delivery in noted.iter().filter(|noted| !noted.redelivered) {
        published.entry(&delivery.event_id).or_insert((0, delivery)).0 += 1;
    }
    let twice: Vec<_> = published.values().filter(|(count, _)| *count > 1).collect();
    tally.repeats = twice.iter().map(|(count, _)| count - 1).sum();
    tally.fills =
        noted.iter().filter(|noted| noted.is_fill()).map(|noted| &noted.event_id).collect::<BTreeSet<_>>().len();
    let asked = stage.position_manager.server.asked();
    tally.validations = asked.iter().filter(|asked| asked.route.ends_with("/validate")).count();
    let mut found = Vec::new();
    if i64::try_from(tally.repeats).unwrap_or(i64::MAX) > counted {
        found.push(format!("{} events came again, {counted} were counted", tally.repeats));
    }
    let assets: BTreeSet<&str> =
        twice.iter().filter(|(_, delivery)| delivery.is_fill()).map(|(_, delivery)| delivery.asset.as_str()).collect();
    for asset in assets {
        let route = format!("POST /api/v1/positions/{asset}/validate");
        if !asked.iter().any(|asked| asked.route == route) {
            found.push(format!("{asset}: a fill came again, and Position Manager was not asked to validate"));
        }
    }
    found
}
