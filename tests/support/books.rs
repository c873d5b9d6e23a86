//! Our books, as the API shows them, against the exchange's truth, order by order.

use crate::process::get;
use anyhow::Context;
use order_manager_core::unit::{self, Decimal};
use serde_json::Value;
use std::collections::BTreeMap;

/// What our order link ids begin with.
const PREFIX: &str = "om";

/// Every row of every page.
pub(crate) async fn orders(http: &reqwest::Client, url: &str) -> anyhow::Result<Vec<Value>> {
    let mut rows = Vec::new();
    for page in 1_u64.. {
        let path = format!("/api/v1/orders?page_size=100&sort_order=asc&page={page}");
        let mut answer = get(http, url, &path).await?;
        rows.append(answer["orders"].as_array_mut().context("no orders in the answer")?);
        if page >= answer["pagination"]["total_pages"].as_u64().unwrap_or_default() {
            break;
        }
    }
    Ok(rows)
}

/// Every difference, in words.
pub(crate) fn differences(rows: &[Value], truth: &Value) -> Vec<String> {
    let mut found = Vec::new();
    let mut ours = BTreeMap::new();
    for row in rows {
        if let Some(link) = row["order_link_id"].as_str()
            && ours.insert(link, row).is_some()
        {
            found.push(format!("{link}: twice in our list"));
        }
    }
    let none = serde_json::Map::new();
    let theirs = truth["orders"].as_object().unwrap_or(&none);
    for (link, order) in theirs {
        let accepted = order["creates_accepted"].as_u64();
        if accepted.is_none_or(|creates| creates > 1) {
            found.push(format!("{link}: {accepted:?} creates accepted"));
        }
        if !link.starts_with(PREFIX) {
            found.push(format!("{link}: not an id of ours"));
        }
        if !ours.contains_key(link.as_str()) {
            found.push(format!("{link}: at the exchange, not with us"));
        }
    }
    for (link, row) in ours {
        if row["certainty"] != "certain" {
            found.push(format!("{link}: {} is {}", row["state"], row["certainty"]));
        }
        let wanted = theirs.get(link).filter(|order| order["order_id"].is_string()).map_or_else(never, figures);
        let told = Figures {
            status: text(&row["status"]),
            filled: decimal(&row["filled_quantity"]),
            fee: decimal(&row["fees"]),
        };
        if !told.is(&wanted) {
            found.push(format!("{link} ({}): {told:?} with us, {wanted:?} at the exchange", row["state"]));
        }
    }
    found
}

/// What is compared.
#[derive(Debug)]
struct Figures {
    status: String,
    filled: Decimal,
    fee: Decimal,
}

impl Figures {
    /// The same; the row's fee is the exact one rounded to 8 decimals.
    fn is(&self, wanted: &Self) -> bool {
        let half_a_digit = Decimal::new(5, 9);
        self.status == wanted.status && self.filled == wanted.filled && (self.fee - wanted.fee).abs() <= half_a_digit
    }
}

/// An order that the exchange never took.
fn never() -> Figures {
    Figures { status: "rejected".into(), filled: Decimal::ZERO, fee: Decimal::ZERO }
}

/// The public status is a function of the exchange's word and of what is filled (spec O4).
fn figures(order: &Value) -> Figures {
    let filled = decimal(&order["cum_qty"]);
    let status = match order["status"].as_str().unwrap_or_default() {
        "PartiallyFilled" => "partially_filled",
        "Filled" | "PartiallyFilledCanceled" => "filled",
        "Cancelled" | "Rejected" | "Deactivated" if !filled.is_zero() => "filled",
        "Cancelled" | "Deactivated" => "cancelled",
        "Rejected" => "rejected",
        _ => "pending",
    };
    Figures { status: status.into(), filled, fee: decimal(&order["cum_fee"]) }
}

/// Null is nothing; what is no number equals no figure of the exchange.
fn decimal(value: &Value) -> Decimal {
    if value.is_null() {
        return Decimal::ZERO;
    }
    unit::decimal::parse(&text(value)).unwrap_or(Decimal::NEGATIVE_ONE).normalize()
}

fn text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), ToString::to_string)
}
