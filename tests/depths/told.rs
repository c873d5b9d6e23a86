//! What was published of each order, without times and without what the exchange chooses.

use order_manager_core::journal::{self, read_frame, read_record};
use order_manager_core::report::OrderEvent;
use order_manager_core::unit::Decimal;
use order_manager_core::{Manager, Step};
use order_manager_sim::ledger::Ledger;
use serde_json::Value;
use std::collections::BTreeMap;

/// One event: type, side, quantity, price, status, and what it filled at which price.
pub(crate) type Told = [String; 7];

/// Events by order. The row's id is a function of the order link id, so it is the same at every depth; of a
/// signal without an order it is the signal's.
pub(crate) type ByOrder = BTreeMap<String, Vec<Told>>;

/// Of the events as the API streams them.
pub(crate) fn of_values(events: &[Value]) -> ByOrder {
    let mut by_order = ByOrder::new();
    for event in events {
        let (order, fill) = (&event["order"], &event["fill"]);
        let told = [
            text(&event["event_type"]),
            text(&order["side"]),
            figure(&order["quantity"]),
            figure(&order["price"]),
            text(&order["status"]),
            figure(&fill["quantity"]),
            figure(&fill["price"]),
        ];
        by_order.entry(text(&order["id"])).or_default().push(told);
    }
    by_order
}

/// Of the events as the core makes them.
pub(crate) fn of_messages(messages: &[OrderEvent]) -> ByOrder {
    let values: Vec<Value> = messages.iter().map(|message| serde_json::to_value(message).unwrap()).collect();
    of_values(&values)
}

/// The inputs of a journal through a manager alone, and what its events add up to.
pub(crate) fn ledger_of(journal: &[u8]) -> Ledger {
    let mut ledger = Ledger::default();
    ledger.messages = Some(Vec::new());
    let (mut manager, mut step) = (Manager::new(), Step::default());
    let mut rest = journal.strip_prefix(journal::MAGIC).unwrap();
    while let Some(frame) = read_frame(rest).unwrap() {
        rest = frame.rest;
        let record = read_record(frame.record).unwrap();
        manager.step(record.at, &record.input, &mut step).unwrap();
        ledger.follow(step.seq, &step.events, |_, _| {});
    }
    ledger
}

/// The word; empty where there is none.
pub(crate) fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_string()
}

/// The figure without zeros at its end; empty where there is none.
fn figure(value: &Value) -> String {
    value.as_str().map(|text| decimal(text).to_string()).unwrap_or_default()
}

/// A figure.
pub(crate) fn decimal(text: &str) -> Decimal {
    text.parse::<Decimal>().unwrap_or_else(|error| panic!("{text:?}: {error}")).normalize()
}
