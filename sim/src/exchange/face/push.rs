//! The private stream's messages (bybit-v5.md 4.3 to 4.8).

use super::json::{Json, Style};
use super::rows::{Scribe, Voice};
use super::{Exchange, Timestamp};
use order_manager_core::bybit::{Push, PushRows};

/// The JSON of a push. What the typed rows do not carry is written in Bybit's neutral spelling.
#[must_use]
pub fn push_text(push: &Push) -> Vec<u8> {
    written(push, None, topic(push))
}

/// The same with what the exchange knows beyond the typed rows: time in force, fee rates, profits.
#[must_use]
pub fn push_text_of(exchange: &Exchange, push: &Push) -> Vec<u8> {
    written(push, Some(exchange), topic(push))
}

/// The same under the name by which a client subscribed, such as `order.linear` (4.2).
#[must_use]
pub fn push_text_as(exchange: &Exchange, push: &Push, name: &str) -> Vec<u8> {
    written(push, Some(exchange), name)
}

/// The all-in-one topic of a push; empty where it belongs to none.
#[must_use]
pub fn topic(push: &Push) -> &'static str {
    match push.rows {
        PushRows::Orders(_) => "order",
        PushRows::Executions(_) => "execution",
        PushRows::Positions(_) => "position",
        PushRows::Wallets(_) => "wallet",
        PushRows::Nothing { .. } => "",
    }
}

fn written(push: &Push, exchange: Option<&Exchange>, topic: &str) -> Vec<u8> {
    let scribe = Scribe { exchange, voice: Voice::Stream };
    let time = push.time.map_or(0, |time| time.0);
    let style = exchange.map_or(Style::default(), |exchange| Style::of(exchange, Timestamp(time * 1_000)));
    Json::styled(style, |json| {
        if let PushRows::Nothing { what } = &push.rows {
            json.flag("success", true);
            json.text("ret_msg", "");
            json.text("op", what.as_str());
            return;
        }
        json.text("id", &format!("5923240c-{topic}-{time}"));
        json.text("topic", topic);
        json.whole("creationTime", time);
        match &push.rows {
            PushRows::Orders(rows) => json.list("data", rows, |json, row| scribe.order(json, row)),
            PushRows::Executions(rows) => json.list("data", rows, |json, row| scribe.execution(json, row)),
            PushRows::Positions(rows) => json.list("data", rows, |json, row| scribe.position(json, row)),
            PushRows::Wallets(rows) => json.list("data", rows, |json, row| scribe.wallet(json, row)),
            PushRows::Nothing { .. } => {}
        }
    })
}
