//! One order as its messages tell it (spec E1, E2; wire-contracts.md 1.5.1 N1-N5).

use order_manager_core::event::Change;
use order_manager_core::order::{Order, Status};
use order_manager_core::report::OrderEvent;
use order_manager_core::unit::{Decimal, calendar, decimal};
use order_manager_sim::exchange::OrderState;
use serde_json::Value;

/// Half of the last digit of a NUMERIC(20,8).
const HALF_DIGIT: Decimal = Decimal::from_parts(5, 0, 0, false, 9);

fn d(text: &str) -> Decimal {
    decimal::parse(text).unwrap_or_else(|error| panic!("{text:?} {error}"))
}

/// N1, N2, N4: what is told of an order in steps is what it filled, was paid and cost, and no step is empty.
pub(crate) fn increments(order: &Order, messages: &[&OrderEvent], truth: Option<OrderState>) -> Vec<String> {
    let (mut quantity, mut value, mut fees, mut slack) = (Decimal::ZERO, Decimal::ZERO, Decimal::ZERO, HALF_DIGIT);
    let mut found = Vec::new();
    for message in messages.iter().filter(|m| matches!(m.event_type, Change::Filled | Change::PartiallyFilled)) {
        let body = serde_json::to_value(message).expect("JSON");
        let told = |key: &str| body["order"][key].as_str().map_or(Decimal::ZERO, d);
        let (filled, price) = (told("filled_quantity"), told("average_price"));
        if filled <= Decimal::ZERO || price <= Decimal::ZERO {
            found.push(format!("N4: {}: {message:?}", order.spec.link));
        }
        quantity += filled;
        value += filled * price;
        fees += told("fees");
        slack += filled * HALF_DIGIT;
    }
    let theirs = truth.map(|state| (state.cum_quantity.0, state.cum_value.0, state.cum_fee.0)).unwrap_or_default();
    let (true_quantity, true_value, true_fees) = theirs;
    if quantity != true_quantity || (value - true_value).abs() > slack || (fees - true_fees).abs() > HALF_DIGIT {
        found.push(format!(
            "N1, N2: {}: {quantity} for {value}, fees {fees} told; {true_quantity} for {true_value}, {true_fees} there",
            order.spec.link
        ));
    }
    found
}

/// E1, E2: `created` first and once where the exchange took it, then fills, then one end. A try that was proven
/// never to have reached the exchange was told as rejected; a later try lives under the same id (S7, O1).
pub(crate) fn tells_in_order(order: &Order, messages: &[&OrderEvent], tries: u8) -> Option<String> {
    let changes: Vec<Change> = messages.iter().map(|message| message.event_type).collect();
    let rejected = changes.iter().take_while(|change| **change == Change::Rejected).count();
    let given_up = rejected.min(usize::from(tries).saturating_sub(1)).min(changes.len().saturating_sub(1));
    let (last_try, messages) = (&changes[given_up..], &messages[given_up..]);
    // One that the exchange made so small that what was told fills it ends so: N4 allows no fill of zero.
    let trimmed = |message: &OrderEvent| {
        message.event_type == Change::Modified && message.order.status == Status::Filled && message.fill.is_none()
    };
    let ends = |message: &&OrderEvent| {
        matches!(message.event_type, Change::Filled | Change::Cancelled | Change::Rejected) || trimmed(message)
    };
    let created = last_try.iter().filter(|change| **change == Change::Created).count();
    let first = last_try.first().is_none_or(|first| matches!(first, Change::Created | Change::Rejected));
    let last = messages.iter().position(ends).is_none_or(|place| place + 1 == messages.len());
    let ended = messages.iter().any(ends);
    let is_right = created <= 1 && first && last && ended == order.told.ended;
    (!is_right).then(|| format!("E1: {}, {tries} tries: {changes:?}", order.spec.link))
}

/// N5: moments with an offset, or of a shape that Python's reader might not take; whatever its key calls a moment.
pub(crate) fn bad_moments(body: &Value) -> Vec<String> {
    let Some(members) = body.as_object() else { return Vec::new() };
    let is_bad = |key: &str, value: &Value| {
        let is_moment = key == "timestamp" || key.ends_with("_at");
        is_moment && value.as_str().is_some_and(|text| !is_naive(text))
    };
    let here = members.iter().filter(|(key, value)| is_bad(key, value)).map(|(key, value)| format!("{key} {value}"));
    here.chain(members.values().flat_map(bad_moments)).collect()
}

fn is_naive(text: &str) -> bool {
    let text = text.strip_suffix('Z').unwrap_or(text);
    let clock = text.get(10..).unwrap_or_default();
    let fraction = clock.split_once('.').map_or("", |(_, fraction)| fraction);
    clock.starts_with('T') && !clock.contains(['+', '-', 'Z']) && fraction.len() <= 6 && calendar::parse(text).is_some()
}
