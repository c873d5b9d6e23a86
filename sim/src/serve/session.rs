//! What is said on one stream, without the socket (bybit-v5.md 4.1, 4.2): texts in, texts out.

use super::hub::{Hub, Message, utf8};
use crate::exchange::face;
use order_manager_core::bybit::sign;
use order_manager_core::unit::{ExchangeTime, Symbol};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use tokio_tungstenite::tungstenite::Utf8Bytes;

/// What the private stream can be subscribed to. Spot is never pushed, as it is not traded here.
const PRIVATE: &[&str] = &[
    "order",
    "order.linear",
    "order.spot",
    "execution",
    "execution.linear",
    "execution.spot",
    "position",
    "position.linear",
    "wallet",
];
/// Topics that a stream may have, and words of one request.
const MAX_TOPICS: usize = 100;

/// Which stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Private,
    Public,
}

/// One client's stream.
#[derive(Debug)]
pub(super) struct Session {
    kind: Kind,
    conn_id: String,
    is_authentic: bool,
    topics: BTreeSet<String>,
}

/// What follows from a client's message.
#[derive(Debug, Default)]
pub(super) struct Heard {
    pub(super) replies: Vec<Utf8Bytes>,
    /// The exchange hangs up.
    pub(super) closes: bool,
}

impl Session {
    pub(super) fn new(kind: Kind, name: u64) -> Self {
        let conn_id = format!("{:016x}-{name:x}", crate::choice::mix(name));
        Self { kind, conn_id, is_authentic: false, topics: BTreeSet::new() }
    }

    /// The form of a message under which this client subscribed to it.
    pub(super) fn wants(&self, message: &Message) -> Option<Utf8Bytes> {
        message.0.iter().find(|(topic, _)| self.topics.contains(topic)).map(|(_, text)| text.clone())
    }

    /// The client says something.
    pub(super) fn hear(&mut self, hub: &Hub, text: &str) -> Heard {
        let asked: Value = serde_json::from_str(text).unwrap_or_default();
        let op = asked["op"].as_str().unwrap_or_default();
        match (op, self.kind) {
            ("ping", _) => self.say(self.pong(hub, &asked)),
            ("auth", Kind::Private) => self.authenticate(hub, &asked),
            ("subscribe", _) => self.subscribe(hub, &asked),
            ("unsubscribe", _) => {
                let gone: BTreeSet<&str> = words(&asked).collect();
                self.topics.retain(|topic| !gone.contains(topic.as_str()));
                self.ack(&asked, Ok(()))
            }
            _ => self.ack(&asked, Err("error:request,op is invalid".into())),
        }
    }

    /// The three spellings of 4.1: the public stream calls its pong `ping`.
    fn pong(&self, hub: &Hub, asked: &Value) -> Value {
        let mut pong = match self.kind {
            Kind::Private => {
                json!({ "op": "pong", "args": [(hub.clock.now().0 / 1_000).to_string()], "conn_id": self.conn_id })
            }
            Kind::Public => {
                json!({ "success": true, "ret_msg": "pong", "conn_id": self.conn_id, "req_id": "", "op": "ping" })
            }
        };
        echo(&mut pong, asked);
        pong
    }

    /// Key, end of validity in milliseconds, signature. What fails ends the connection.
    fn authenticate(&mut self, hub: &Hub, asked: &Value) -> Heard {
        let args = &asked["args"];
        let expires = args[1].as_u64().or_else(|| args[1].as_str()?.parse().ok());
        let (Some(key), Some(expires), Some(got)) = (args[0].as_str(), expires, args[2].as_str()) else {
            return self.ack(asked, Err("Params Error".into())).closing();
        };
        if expires <= hub.clock.now().0 / 1_000 {
            return self.ack(asked, Err("Params Error".into())).closing();
        }
        if key != hub.credentials.key {
            return self.refuse(asked, 10003, "Invalid apikey").closing();
        }
        let expected = sign::stream(hub.credentials.secret.as_bytes(), ExchangeTime(expires));
        if !sign::verify(&expected, got) {
            return self.refuse(asked, 10004, "error sign!").closing();
        }
        if self.is_authentic {
            return self.refuse(asked, 20001, "Repeat auth");
        }
        self.is_authentic = true;
        self.ack(asked, Ok(()))
    }

    fn subscribe(&mut self, hub: &Hub, asked: &Value) -> Heard {
        let topics: Vec<&str> = words(asked).collect();
        if let Err(why) = self.may_subscribe(hub, &topics) {
            return self.ack(asked, Err(why));
        }
        self.topics.extend(topics.iter().map(|topic| (*topic).to_owned()));
        let mut heard = self.ack(asked, Ok(()));
        // The public stream begins with what is; the private one tells only what changes (4.2).
        if self.kind == Kind::Public {
            let snapshots = topics.iter().filter_map(|topic| snapshot(hub, topic));
            heard.replies.extend(snapshots);
        }
        heard
    }

    /// One bad topic fails the whole request.
    fn may_subscribe(&self, hub: &Hub, topics: &[&str]) -> Result<(), String> {
        let Some(first) = topics.first() else { return Err("error:request,args is empty".into()) };
        if self.kind == Kind::Private && !self.is_authentic {
            return Err(format!("error:topic:{first} needs auth first"));
        }
        if self.topics.len().saturating_add(topics.len()) > MAX_TOPICS {
            return Err(format!("error:too many topics, at most {MAX_TOPICS}"));
        }
        for (place, topic) in topics.iter().enumerate() {
            let is_known = match self.kind {
                Kind::Private => PRIVATE.contains(topic),
                Kind::Public => snapshot(hub, topic).is_some(),
            };
            if !is_known {
                return Err(format!("Invalid topic: {topic}"));
            }
            let twin = |other: &&&str| other.split('.').next() == topic.split('.').next() && is_mixed(other, topic);
            if let Some(other) = topics[..place].iter().find(twin).filter(|_| self.kind == Kind::Private) {
                return Err(format!("error:topics {other} and {topic} cannot be in one request"));
            }
            if self.topics.contains(*topic) || topics[..place].contains(topic) {
                return Err(format!("error:already subscribed,topic:{topic}"));
            }
        }
        Ok(())
    }

    /// The answer in the spelling of the stream's gateway.
    fn ack(&self, asked: &Value, result: Result<(), String>) -> Heard {
        let message = match (&result, self.kind) {
            (Err(why), _) => why.as_str(),
            (Ok(()), Kind::Private) => "",
            (Ok(()), Kind::Public) => asked["op"].as_str().unwrap_or_default(),
        };
        let op = asked["op"].as_str().unwrap_or_default();
        let mut ack = json!({ "success": result.is_ok(), "ret_msg": message, "op": op, "conn_id": self.conn_id });
        echo(&mut ack, asked);
        self.say(ack)
    }

    /// The answer in the spelling of the key service: a client must know both (4.1).
    fn refuse(&self, asked: &Value, code: i64, message: &str) -> Heard {
        let mut refusal =
            json!({ "op": "auth", "success": false, "retCode": code, "retMsg": message, "connId": self.conn_id });
        echo(&mut refusal, asked);
        self.say(refusal)
    }

    fn say(&self, reply: Value) -> Heard {
        Heard { replies: vec![reply.to_string().into()], closes: false }
    }
}

impl Heard {
    fn closing(self) -> Self {
        Self { closes: true, ..self }
    }
}

fn echo(reply: &mut Value, asked: &Value) {
    if let Some(id) = asked["req_id"].as_str() {
        reply["req_id"] = id.into();
    }
}

fn words(asked: &Value) -> impl Iterator<Item = &str> {
    asked["args"].as_array().into_iter().flatten().take(MAX_TOPICS).filter_map(Value::as_str)
}

/// Is one of them all-in-one and the other of one category?
fn is_mixed(a: &str, b: &str) -> bool {
    a.contains('.') != b.contains('.')
}

fn snapshot(hub: &Hub, topic: &str) -> Option<Utf8Bytes> {
    let symbol = Symbol::new(topic.strip_prefix("tickers.")?).ok()?;
    hub.with(|state, now| face::ticker_text(&state.exchange, now, symbol, true)).map(utf8)
}
