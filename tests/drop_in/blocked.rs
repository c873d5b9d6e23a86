//! A broker that is out of memory blocks who publishes: events wait, orders do not, and nothing is lost.

use crate::bank;
use crate::process::{self, API_KEY};
use crate::queues::Events;
use crate::stage::Stage;
use crate::until::until;
use anyhow::ensure;
use serde_json::{Value, json};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn e3_while_the_broker_blocks_its_publishers_events_wait_and_orders_do_not() -> anyhow::Result<()> {
    let stage = Stage::open(3).await?;
    if !stage.rabbitmq.is_private() {
        println!("skipped: the broker is not ours to be put out of memory");
        return stage.close().await;
    }
    let mut service = stage.launch().start()?;
    let url = process::address(&mut service).await?;
    process::ready(&stage.http, &url).await?;
    let events = Events::start(stage.amqp_url());

    stage.rabbitmq.ctl(&["set_vm_memory_high_watermark", "0"]).await?;
    for number in 1..=3 {
        let placed = signal(&stage, &url, number).await?;
        ensure!(placed["outcome"] == "placed", "{placed}");
    }
    ensure!(events.noted().is_empty(), "a blocked broker gave out {:?}", events.noted());
    let health = process::get(&stage.http, &url, "/health").await?;
    ensure!(health["queue_connected"] == true, "blocked is not gone: {health}");

    stage.rabbitmq.ctl(&["set_vm_memory_high_watermark", "0.4"]).await?;
    until("three fills are told", async || Ok(events.noted().iter().filter(|noted| noted.is_fill()).count() >= 3))
        .await?;
    let ids: std::collections::BTreeSet<String> = events.noted().iter().map(|noted| noted.event_id.clone()).collect();
    ensure!(ids.len() == events.noted().len(), "nothing was told twice");
    process::leave(&mut service).await?;
    stage.close().await
}

/// By HTTP: the model service's own connection is blocked too. What became of it.
async fn signal(stage: &Stage, url: &str, number: u32) -> anyhow::Result<Value> {
    let body = json!({
        "signal_id": format!("00000000-0000-4000-8000-{number:012}"), "signal_type": "buy", "asset": "ETHUSDT",
        "amount": 100.0, "confidence": 0.99, "timestamp": bank::now().to_string(), "strategy_id": "blocked",
        "model_version": null, "is_warmup": false, "market_data_snapshot": {"price": 3000.0, "spread": 1.5},
        "metadata": null, "trace_id": null,
    });
    let posted = stage.http.post(format!("{url}/api/v1/signals?wait=20000")).header("X-API-Key", API_KEY);
    Ok(serde_json::from_str(&posted.body(body.to_string()).send().await?.text().await?)?)
}
