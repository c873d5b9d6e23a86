//! An order as ws-gateway puts it into the queue `ws-gateway.order` (wire-contracts.md 1.3).

use order_manager_core::unit::Timestamp;
use std::hash::{DefaultHasher, Hash, Hasher};

/// The message of one element of `data[]` of Bybit's topic `order`, which was pushed and received `now`. The order
/// stays as it was written; the gateway adds its topic to it. Its ids are made of both, so they are new each time
/// and the same in every run.
pub(crate) fn envelope(order_json: &str, now: Timestamp) -> String {
    let order = order_json.trim().strip_suffix('}').expect("an order is a JSON object");
    let comma = if order.trim_end().ends_with('{') { "" } else { "," };
    let pushed_at = naive(Timestamp(now.0 / 1_000 * 1_000));
    let (event_id, trace_id) = (uuid(order_json, now, 0), uuid(order_json, now, 1));
    format!(
        r#"{{"event_id":"{event_id}","event_type":"order","topic":"order","timestamp":"{pushed_at}","received_at":"{}","payload":{order}{comma}"topic":"order"}},"trace_id":"{trace_id}"}}"#,
        naive(now)
    )
}

/// UTC as Python's `isoformat` writes a naive moment: no `Z`, and six digits of microseconds or none.
fn naive(at: Timestamp) -> String {
    let (seconds, micros) = (at.0 / 1_000_000, at.0 % 1_000_000);
    let whole = Timestamp(seconds * 1_000_000).to_string();
    let whole = whole.trim_end_matches('Z');
    if micros == 0 { whole.to_owned() } else { format!("{whole}.{micros:06}") }
}

/// In the shape of version 4.
fn uuid(order: &str, now: Timestamp, which: u8) -> String {
    let half = |part: u8| {
        let mut hasher = DefaultHasher::new();
        (order, now.0, which, part).hash(&mut hasher);
        hasher.finish()
    };
    let (high, low) = (half(0), half(1));
    let (a, b, c) = (high >> 32, high >> 16 & 0xffff, high & 0xfff);
    format!("{a:08x}-{b:04x}-4{c:03x}-{:04x}-{:012x}", 0x8000 | low >> 48 & 0x3fff, low & 0xffff_ffff_ffff)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_envelope_keeps_the_order_as_it_was_written() {
        let now = Timestamp(1_672_364_262_474_705);
        let text = envelope(r#"{"orderId":"a","qty":"0.010","category":"linear"}"#, now);
        let json: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert_eq!(json["timestamp"], "2022-12-30T01:37:42.474000");
        assert_eq!(json["received_at"], "2022-12-30T01:37:42.474705");
        assert!(
            text.contains(r#""payload":{"orderId":"a","qty":"0.010","category":"linear","topic":"order"},"#),
            "{text}"
        );
        let id = json["event_id"].as_str().unwrap();
        assert_eq!((id.len(), id.as_bytes()[14]), (36, b'4'), "{id}");
        assert_ne!(json["event_id"], json["trace_id"]);
        assert_eq!(naive(Timestamp(1_672_364_262_000_000)), "2022-12-30T01:37:42");
    }
}
