//! Follows the service's event stream through restarts, from where it broke off.

use serde_json::Value;
use std::time::Duration;
use tokio::sync::{mpsc, watch};

/// Before the stream is opened again.
const AGAIN: Duration = Duration::from_millis(100);
/// Events that may wait to be told.
const WAITING_MAX: usize = 1_024;

/// Events as they come, each once. `addresses` says where the service is now.
pub(super) fn follow(
    http: reqwest::Client,
    addresses: watch::Receiver<String>,
    key: &'static str,
) -> mpsc::Receiver<Value> {
    let (events, told) = mpsc::channel(WAITING_MAX);
    tokio::spawn(async move {
        let mut last = "0".to_string();
        while !events.is_closed() {
            let url = format!("{}/api/v1/events?after={last}", addresses.borrow().as_str());
            // An error is the end of this connection: the next one goes on from the last id.
            let _ = read(&http, &url, key, &mut last, &events).await;
            tokio::time::sleep(AGAIN).await;
        }
    });
    told
}

async fn read(
    http: &reqwest::Client,
    url: &str,
    key: &str,
    last: &mut String,
    events: &mpsc::Sender<Value>,
) -> anyhow::Result<()> {
    let mut response = http.get(url).header("X-API-Key", key).send().await?.error_for_status()?;
    let mut buffer = Vec::new();
    while let Some(chunk) = response.chunk().await? {
        buffer.extend_from_slice(&chunk);
        // An event ends with an empty line (the HTML standard, server-sent events).
        while let Some(end) = buffer.windows(2).position(|pair| pair == b"\n\n") {
            let block: Vec<u8> = buffer.drain(..end + 2).collect();
            if let Some((id, event)) = parse(&String::from_utf8_lossy(&block)) {
                *last = id;
                events.send(event).await?;
            }
        }
    }
    Ok(())
}

/// The id and the data of one event; none for a comment.
fn parse(block: &str) -> Option<(String, Value)> {
    let field = |name: &str| block.lines().find_map(|line| line.strip_prefix(name)).map(str::trim_start);
    Some((field("id:")?.to_string(), serde_json::from_str(field("data:")?).ok()?))
}
