//! Callers: each sends signals of one symbol, and the same bytes again until somebody has answered for them.

use crate::bank::now;
use crate::process::{API_KEY, LOOK};
use anyhow::bail;
use order_manager_sim::choice::Choices;
use order_manager_sim::exchange::InstrumentConfig;
use serde_json::{Value, json};
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::{Instant, interval, sleep_until};

/// A call that hangs on a dying process is given up.
const CALL_MAX: Duration = Duration::from_secs(5);

/// What one caller brought.
#[derive(Debug, Default)]
pub(crate) struct Brought {
    /// Signals that the service answered for.
    pub(crate) acknowledged: Vec<String>,
    /// Answers that the signal was known already.
    pub(crate) duplicates: usize,
    /// Calls without an answer, or with 503.
    pub(crate) unanswered: usize,
}

/// Where the service is, and whether callers go on.
#[derive(Clone, Debug)]
pub(crate) struct Call {
    pub(crate) http: reqwest::Client,
    pub(crate) address: watch::Receiver<String>,
    pub(crate) over: watch::Receiver<bool>,
}

/// Sends until it is over. The signal that is on its way then is sent to its end.
pub(crate) async fn caller(lane: u64, seed: u64, symbol: InstrumentConfig, call: Call) -> anyhow::Result<Brought> {
    let mut choices = Choices::seeded(seed ^ (lane << 32));
    let mut brought = Brought::default();
    for number in 0_u64.. {
        if *call.over.borrow() {
            break;
        }
        let (id, body) = signal(&mut choices, lane, number, &symbol);
        let copies = 1 + usize::from(choices.chance("copy", 100));
        for _ in 0..copies {
            deliver(&call, &body, &mut brought).await?;
        }
        brought.acknowledged.push(id);
        sleep_until(Instant::now() + Duration::from_millis(choices.between("pace", 50, 600))).await;
    }
    Ok(brought)
}

/// As a broker does it: the same bytes until they are acknowledged.
async fn deliver(call: &Call, body: &str, brought: &mut Brought) -> anyhow::Result<()> {
    let mut looks = interval(LOOK);
    loop {
        let url = format!("{}/api/v1/signals", *call.address.borrow());
        let request = call.http.post(url).header("X-API-Key", API_KEY).timeout(CALL_MAX).body(body.to_owned());
        match request.send().await {
            Ok(answer) if matches!(answer.status().as_u16(), 200 | 202) => {
                // The status came, and so the intake is durable, even if the rest of the answer is cut off.
                let answer: Value = serde_json::from_str(&answer.text().await.unwrap_or_default()).unwrap_or_default();
                brought.duplicates += usize::from(answer["status"] == "duplicate");
                return Ok(());
            }
            Ok(answer) if answer.status() == 503 => {}
            Ok(answer) => bail!("{body}: {} {}", answer.status(), answer.text().await.unwrap_or_default()),
            Err(_) => {}
        }
        brought.unanswered += 1;
        looks.tick().await;
    }
}

fn signal(choices: &mut Choices, lane: u64, number: u64, symbol: &InstrumentConfig) -> (String, String) {
    let id = format!("00000000-0000-4000-8{lane:03}-{number:012}");
    let price = symbol.price.0;
    let body = json!({
        "signal_id": id, "signal_type": choices.pick("side", &["buy", "buy", "sell"]), "asset": symbol.symbol.as_str(),
        "amount": choices.between("amount", 70, 400).to_string(),
        "confidence": choices.pick("confidence", &["0.95", "0.7"]), "timestamp": now().to_string(),
        "strategy_id": "kill", "model_version": null, "is_warmup": false,
        "market_data_snapshot": {
            "price": price.to_string(),
            "spread": (price * order_manager_core::unit::Decimal::new(12, 4)).to_string(),
        },
        "metadata": null, "trace_id": null,
    });
    (id, body.to_string())
}
