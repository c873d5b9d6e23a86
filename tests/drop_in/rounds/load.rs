//! Signals of one symbol as the model service sends them: good ones, the same ones again, and some that are wrong.

use crate::bank::now;
use crate::queues::Signals;
use order_manager_core::unit::{Decimal, Price};
use order_manager_sim::choice::Choices;
use order_manager_sim::exchange::InstrumentConfig;
use order_manager_sim::serve::Handle;
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{Mutex, watch};
use tokio::time::{Instant, sleep_until};

/// What a lane brought; the broker has confirmed all of it.
#[derive(Debug, Default)]
pub(crate) struct Brought {
    /// Ids of the signals of this lane's symbol, in the order in which they were published first.
    pub(crate) signals: Vec<String>,
    /// Messages of which no signal can be made.
    pub(crate) letters: Vec<String>,
    /// The same bytes once more.
    pub(crate) copies: usize,
}

/// What all lanes share.
#[derive(Clone)]
pub(crate) struct Outlet {
    pub(crate) signals: Arc<Mutex<Signals>>,
    pub(crate) exchange: Handle,
    pub(crate) over: watch::Receiver<bool>,
}

/// Publishes until it is over; one after the other, so that the queue holds them in this order.
pub(crate) async fn lane(
    lane: u64,
    seed: u64,
    symbol: InstrumentConfig,
    outlet: Outlet,
) -> anyhow::Result<(String, Brought)> {
    let mut choices = Choices::seeded(seed ^ (lane << 32));
    let mut brought = Brought::default();
    let mut older: Option<String> = None;
    for number in 0_u64.. {
        if *outlet.over.borrow() {
            break;
        }
        let price = outlet.exchange.with(|exchange, _| exchange.last_price(symbol.symbol)).unwrap_or(symbol.price);
        let body = if choices.chance("letter", 30) {
            let letter = format!("no signal {lane}-{number}");
            brought.letters.push(letter.clone());
            letter
        } else {
            let id = format!("00000000-0000-4000-8{lane:03}-{number:012}");
            brought.signals.push(id.clone());
            signal(&mut choices, &id, &symbol, price).to_string()
        };
        let again = choices.chance("again", 80);
        let late = older.take_if(|_| choices.chance("late", 50));
        for (copy, body) in [Some(&body), again.then_some(&body), late.as_ref()].into_iter().flatten().enumerate() {
            outlet.signals.lock().await.send(body.as_bytes()).await?;
            brought.copies += usize::from(copy > 0);
        }
        older = Some(body).filter(|_| number % 3 == 0).or(older);
        // All lanes together, with their cancels, stay within the exchange's budgets: no backlog but that of a fault.
        sleep_until(Instant::now() + Duration::from_millis(choices.between("pace", 60, 1_800))).await;
    }
    Ok((symbol.symbol.to_string(), brought))
}

fn signal(choices: &mut Choices, id: &str, symbol: &InstrumentConfig, price: Price) -> Value {
    let side = *choices.pick("side", &["buy", "buy", "sell"]);
    let is_exit = side == "sell" && choices.chance("exit", 400);
    let amount = choices.between("amount", 70, 400);
    // Numbers as the model service writes them; now and then one that no order can be made of.
    let amount = if choices.chance("invalid", 15) { json!(-1.5) } else { json!(float(amount.into())) };
    let metadata =
        if is_exit { json!({ "exit_strategy": true, "rule_triggered": "take_profit" }) } else { Value::Null };
    json!({
        "signal_id": id, "signal_type": side, "asset": symbol.symbol.as_str(), "amount": amount,
        "confidence": *choices.pick("confidence", &[0.95, 0.7]), "timestamp": now().to_string(),
        "strategy_id": "rounds", "model_version": "v1", "is_warmup": false,
        "market_data_snapshot": {
            "price": float(price.0), "spread": float((price.0 * Decimal::new(12, 4)).round_dp(8)),
            "volume_24h": 10.5, "volatility": 0.01, "orderbook_depth": null, "technical_indicators": null,
        },
        "metadata": metadata, "trace_id": null,
    })
}

/// As Python writes it.
fn float(figure: Decimal) -> f64 {
    figure.to_string().parse().unwrap_or_default()
}
