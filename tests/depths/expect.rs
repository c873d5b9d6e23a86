//! A scenario's expectations, judged from outside: by the API's answers and the exchange's truth.

use crate::real::Stage;
use crate::told::{decimal, text};
use order_manager_core::unit::Decimal;
use order_manager_sim::scenario::{Expect, SignalWord};
use serde_json::Value;
use std::collections::BTreeMap;
use std::fmt::Debug;

/// What does not hold now, in words.
pub(crate) fn failures(stage: &Stage<'_>, expect: &Expect) -> Vec<String> {
    let seen = Seen::of(stage);
    let mut failed = Failed(Vec::new());
    seen.counts(stage, expect, &mut failed);
    for (symbol, wanted) in &expect.position {
        let theirs = decimal(seen.truth["positions"][symbol.as_str()]["size"].as_str().unwrap_or("0"));
        failed.check(&format!("position of {symbol} at the exchange"), &Some(wanted.0.normalize()), theirs);
        failed.check(&format!("fills of {symbol} with us"), &Some(wanted.0.normalize()), seen.filled(symbol.as_str()));
    }
    for (alias, wanted) in &expect.signal {
        failed.check(&format!("signal {alias}"), &Some(Some(*wanted)), seen.signals.get(alias).and_then(word));
    }
    for (alias, wanted) in &expect.code {
        let is = seen.signals.get(alias).map(|signal| text(&signal["code"]));
        failed.check(&format!("code of {alias}"), &Some(Some(wanted.clone())), is);
    }
    if expect.consistent == Some(true) {
        failed.0.extend(seen.differences());
    }
    failed.0
}

struct Failed(Vec<String>);

impl Failed {
    fn check<T: PartialEq + Debug>(&mut self, name: &str, wanted: &Option<T>, is: T) {
        if let Some(wanted) = wanted.as_ref().filter(|wanted| **wanted != is) {
            self.0.push(format!("{name}: expected {wanted:?}, is {is:?}"));
        }
    }
}

/// What can be seen from outside at a moment.
struct Seen {
    truth: Value,
    /// The latest first.
    orders: Vec<Value>,
    /// By alias.
    signals: BTreeMap<String, Value>,
    dead_letters: u64,
    events: Vec<String>,
}

impl Seen {
    fn of(stage: &Stage<'_>) -> Self {
        let page = stage.service.get("/api/v1/orders?page_size=100");
        assert!(page["pagination"]["total_pages"].as_u64() <= Some(1), "more orders than a page has");
        let signal = |alias: &str| stage.service.get(&format!("/api/v1/signals/{}", stage.id_of(alias)));
        let aliases: Vec<String> = stage.brought().map(str::to_string).collect();
        Self {
            truth: stage.exchange.truth(),
            orders: page["orders"].as_array().unwrap().clone(),
            signals: aliases.into_iter().map(|alias| (alias.clone(), signal(&alias))).collect(),
            dead_letters: stage.service.get("/api/v1/dead-letters")["pagination"]["total_items"].as_u64().unwrap(),
            events: stage.events.lock().unwrap().iter().map(|event| text(&event["event_type"])).collect(),
        }
    }

    fn counts(&self, stage: &Stage<'_>, expect: &Expect, failed: &mut Failed) {
        let count = |n: usize| u32::try_from(n).unwrap();
        let theirs = || self.truth["orders"].as_object().unwrap().values();
        failed.check("orders", &expect.orders, count(theirs().filter(|o| o["order_id"].is_string()).count()));
        let open = theirs().filter(|o| matches!(o["status"].as_str(), Some("New" | "PartiallyFilled")));
        failed.check("open", &expect.open, count(open.count()));
        let fills = self.truth["executions"].as_array().unwrap().iter().filter(|e| e["link"].is_string());
        failed.check("fills", &expect.fills, count(fills.count()));
        let ours = |key: &str, word: &str| count(self.orders.iter().filter(|order| order[key] == word).count());
        failed.check("cancelled", &expect.cancelled, ours("status", "cancelled"));
        failed.check("unknown", &expect.unknown, ours("state", "unknown"));
        let rejected = self.events.iter().filter(|event| *event == "rejected");
        failed.check("rejected", &expect.rejected, count(rejected.count()));
        failed.check("dead_letters", &expect.dead_letters.map(u64::from), self.dead_letters);
        failed.check("duplicates", &expect.duplicates, stage.duplicates);
        failed.check("conflicts", &expect.conflicts, stage.conflicts);
        let settled = self.signals.values().all(|signal| signal["state"] == "settled");
        failed.check("settled", &expect.settled, settled);
        let status = self.orders.first().map(|order| text(&order["status"])).unwrap_or_default();
        failed.check("status", &expect.status.map(|word| word.to_string()), status);
        let events = expect.events.as_ref().map(|events| events.iter().map(ToString::to_string).collect());
        failed.check("events", &events, self.events.clone());
    }

    /// What our orders of a symbol have filled, sales negative.
    fn filled(&self, symbol: &str) -> Decimal {
        let orders = self.orders.iter().filter(|order| order["asset"] == symbol);
        let filled = orders.map(|order| {
            let filled = decimal(order["filled_quantity"].as_str().unwrap());
            if text(&order["side"]).eq_ignore_ascii_case("buy") { filled } else { -filled }
        });
        filled.sum::<Decimal>().normalize()
    }

    /// One order for each link id, and the same fills.
    fn differences(&self) -> Vec<String> {
        let mut found = Vec::new();
        for (link, theirs) in self.truth["orders"].as_object().unwrap() {
            if theirs["creates_accepted"].as_u64() > Some(1) {
                found.push(format!("{link}: {} orders at the exchange", theirs["creates_accepted"]));
            }
            let Some(id) = theirs["order_id"].as_str() else { continue };
            let Some(ours) = self.orders.iter().find(|order| order["order_id"] == id) else {
                found.push(format!("{link}: at the exchange, not with us"));
                continue;
            };
            let [ours, theirs] = [&ours["filled_quantity"], &theirs["cum_qty"]].map(|q| decimal(q.as_str().unwrap()));
            if ours != theirs {
                found.push(format!("{link}: {ours} filled with us, {theirs} at the exchange"));
            }
        }
        found
    }
}

/// A signal's state in a scenario's words.
fn word(signal: &Value) -> Option<SignalWord> {
    let unknown = || signal["orders"].as_array().is_some_and(|all| all.iter().any(|order| order["state"] == "unknown"));
    match (signal["state"].as_str()?, signal["outcome"].as_str()) {
        ("waiting", _) => Some(SignalWord::Waiting),
        ("active", _) if unknown() => Some(SignalWord::Unknown),
        ("active", _) => Some(SignalWord::Working),
        ("settled", Some("placed")) => Some(SignalWord::Accepted),
        ("settled", Some("rejected")) => Some(SignalWord::Rejected),
        _ => None,
    }
}
