//! Bodies of signals: good ones in several flavours, copies, conflicts, broken ones.

use super::fact::{SYMBOLS, price_of};
use crate::choice::Choices;
use order_manager_core::input::{Delivery, DeliveryId, Prior};
use order_manager_core::outcome::Outcome;
use order_manager_core::refusal::Code;
use order_manager_core::unit::{Bytes, Fingerprint, SignalId, Span, Symbol, Text, Timestamp};

/// What came before, for copies.
#[derive(Clone, Debug, Default)]
pub(super) struct Signals {
    bodies: Vec<Vec<u8>>,
    deliveries: u64,
}

impl Signals {
    /// Signals made so far.
    pub(super) fn count(&self) -> usize {
        self.bodies.len()
    }

    fn deliver(&mut self, body: Vec<u8>) -> Delivery {
        self.deliveries += 1;
        Delivery { id: DeliveryId(self.deliveries), trace: None, prior: None, body: Bytes(body) }
    }

    /// A good one: a limit order of a listed symbol.
    pub(super) fn good(&mut self, now: Timestamp) -> Delivery {
        let symbol = SYMBOLS[self.count() % 2];
        let body = body(self.count(), "buy", symbol, "500", "0.8", now, "");
        self.bodies.push(body.clone());
        self.deliver(body)
    }

    /// Any one.
    pub(super) fn any(&mut self, choices: &mut Choices, now: Timestamp) -> Delivery {
        match choices.below("signal", 16) {
            8 | 9 if !self.bodies.is_empty() => {
                let body = choices.pick("copy of", &self.bodies).clone();
                self.deliver(body)
            }
            10 if !self.bodies.is_empty() => {
                let index = choices.below("copy of", self.bodies.len() as u64) as usize;
                self.deliver(body(index, "buy", SYMBOLS[0], "501", "0.8", now, ""))
            }
            11 => {
                let cut = choices.below("cut", 200) as usize;
                let mut body = body(self.count(), "buy", SYMBOLS[0], "500", "0.8", now, "");
                body.truncate(body.len().saturating_sub(cut));
                self.deliver(body)
            }
            12 => {
                let body = body(self.count(), "buy", SYMBOLS[0], "-1", "7", now, "");
                self.bodies.push(body.clone());
                self.deliver(body)
            }
            _ => self.fresh(choices, now),
        }
    }

    fn fresh(&mut self, choices: &mut Choices, now: Timestamp) -> Delivery {
        let side = *choices.pick("side", &["buy", "sell"]);
        let symbol = *choices.pick("any symbol", &[SYMBOLS[0], SYMBOLS[0], SYMBOLS[0], SYMBOLS[1], SYMBOLS[2]]);
        let amount = *choices.pick("amount", &["500", "50", "2000", "1", "5000", "1000000000", "0.02"]);
        let confidence = *choices.pick("confidence", &["0.8", "0.95", "0.1"]);
        let made = match choices.below("age", 12) {
            8 => Timestamp(now.0 - Span::secs(100).0),
            9 => Timestamp(now.0 - Span::secs(1_000).0),
            10 => now.after(Span::secs(20)),
            11 => now.after(Span::secs(100)),
            _ => now,
        };
        let metadata = *choices.pick("metadata", &["", "\"urgency\":true", "\"exit_strategy\":true"]);
        let body = body(self.count(), side, symbol, amount, confidence, made, metadata);
        self.bodies.push(body.clone());
        let mut delivery = self.deliver(body);
        if choices.chance("prior", 40) {
            delivery.prior = Some(prior(choices, &delivery));
        }
        delivery
    }
}

/// What a store might say of this signal: the truth, or a conflict.
fn prior(choices: &mut Choices, delivery: &Delivery) -> Prior {
    let signal = order_manager_core::intake::decode(&delivery.body.0, None);
    let fingerprint = Fingerprint(signal.map_or(0, |signal| signal.fingerprint));
    let fingerprint = *choices.pick("prior content", &[fingerprint, Fingerprint(1)]);
    let outcomes = [Outcome::Rejected(Code::DataStale), Outcome::Placed, Outcome::Rejected(Code::PriceDrift)];
    Prior { fingerprint, outcome: *choices.pick("prior outcome", &outcomes), tries: 1 }
}

fn body(
    index: usize,
    side: &str,
    symbol: &str,
    amount: &str,
    confidence: &str,
    made: Timestamp,
    metadata: &str,
) -> Vec<u8> {
    let id = SignalId(0xa000_0000_0000_0000 + index as u128);
    let price = price_of(Symbol::clipped(symbol));
    let spread = Text::<8>::clipped(if symbol == "ETHUSDT" { "5" } else { "100" });
    format!(
        "{{\"signal_id\":\"{id}\",\"signal_type\":\"{side}\",\"asset\":\"{symbol}\",\"amount\":{amount},\
         \"confidence\":{confidence},\"timestamp\":\"{made}\",\"strategy_id\":\"s\",\
         \"market_data_snapshot\":{{\"price\":{price},\"spread\":{spread}}},\"metadata\":{{{metadata}}}}}"
    )
    .into_bytes()
}
