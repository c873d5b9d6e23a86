//! The private stream's pushes (bybit-v5.md 4): typed rows of four topics.

use super::json::{self, Fields, Unreadable, why};
use super::reply::{BadRow, ExecutionRow, OrderRow, PositionRow, WalletRow};
use super::rows;
use crate::unit::{ExchangeTime, Text};
use alloc::vec::Vec;
use core::slice;
use serde::{Deserialize, Serialize};

/// The rows of one message, each read for itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum PushRows {
    /// Topic `order`.
    Orders(Vec<OrderRow>),
    /// Topic `execution`.
    Executions(Vec<ExecutionRow>),
    /// Topic `position`.
    Positions(Vec<PositionRow>),
    /// Topic `wallet`.
    Wallets(Vec<WalletRow>),
    /// A topic or an operation reply that carries no fact of ours (pong, subscribed, ...).
    Nothing {
        /// What it was.
        what: Text<48>,
    },
}

/// One message.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Push {
    /// When the exchange made it.
    pub time: Option<ExchangeTime>,
    /// What it carries.
    pub rows: PushRows,
    /// Rows that could not be read.
    pub bad: Vec<BadRow>,
}

/// What the stream answers to an operation of ours: `auth`, `subscribe`, `ping` (4.1, 4.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OpReply {
    /// The operation; a ping's answer is `pong` in each of its shapes.
    pub op: Text<16>,
    /// Did it work? A topic that is subscribed already counts as subscribed.
    pub success: bool,
    /// Bybit's words, clipped.
    pub message: Text<160>,
}

/// Decodes one message of the private stream. Rows that cannot be read are set aside one by one.
///
/// # Errors
/// The message as a whole is not one: no JSON object, neither topic nor operation, or a topic of ours
/// without its list. It proves nothing, so the caller has to ask (spec T3).
pub fn decode(body: &[u8]) -> Result<Push, Unreadable> {
    let fields = Fields::body(json::text(body)?)?;
    let time = fields.time("creationTime").ok().flatten();
    let Some(topic) = fields.scalar("topic")? else {
        let reply = read_op(&fields)?;
        return Ok(Push { time, rows: PushRows::Nothing { what: said(&reply) }, bad: Vec::new() });
    };
    let (rows, bad) = topic_rows(&topic, &fields)?;
    Ok(Push { time, rows, bad })
}

/// Decodes one message of the queue `ws-gateway.order`: one order in an envelope (wire-contracts.md 1.3).
///
/// # Errors
/// The message is no such envelope. It proves nothing, so the caller has to ask (spec T3).
pub fn decode_gateway(body: &[u8]) -> Result<Push, Unreadable> {
    let envelope = Fields::read("body", json::text(body)?)?;
    let kind = envelope.words::<16>("event_type")?;
    let (rows, bad) = match kind.as_str() {
        "order" => into(PushRows::Orders, rows::read(slice::from_ref(envelope.must("payload")?), rows::order)),
        other => (nothing(other), Vec::new()),
    };
    Ok(Push { time: None, rows, bad })
}

/// Reads a message as the answer to an operation; none where it is a push.
///
/// # Errors
/// The message is neither.
pub fn decode_op(body: &[u8]) -> Result<Option<OpReply>, Unreadable> {
    let fields = Fields::read("body", json::text(body)?)?;
    if fields.scalar("topic")?.is_some() { Ok(None) } else { read_op(&fields).map(Some) }
}

fn topic_rows(topic: &str, push: &Fields<'_>) -> Result<(PushRows, Vec<BadRow>), Unreadable> {
    let data = || push.list("data");
    // The fast executions carry no fee and no kind, and the same ids come again in full (4.6).
    let (name, product) = topic.split_once('.').unwrap_or((topic, ""));
    Ok(match (name, product) {
        ("execution", product) if product.starts_with("fast") => (nothing(topic), Vec::new()),
        ("order", _) => into(PushRows::Orders, rows::read(&data()?, rows::order)),
        ("execution", _) => into(PushRows::Executions, rows::read(&data()?, rows::execution)),
        ("position", _) => into(PushRows::Positions, rows::read(&data()?, rows::position)),
        ("wallet", _) => into(PushRows::Wallets, rows::read(&data()?, rows::wallet)),
        _ => (nothing(topic), Vec::new()),
    })
}

fn into<T>(kind: fn(Vec<T>) -> PushRows, (rows, bad): (Vec<T>, Vec<BadRow>)) -> (PushRows, Vec<BadRow>) {
    (kind(rows), bad)
}

fn nothing(what: &str) -> PushRows {
    PushRows::Nothing { what: Text::clipped(what) }
}

/// Answers differ in spelling: `ret_msg` or `retMsg`, `success` or `retCode`, a pong named `ping` (4.1).
fn read_op(fields: &Fields<'_>) -> Result<OpReply, Unreadable> {
    let op = fields.words::<16>("op")?;
    let snake = fields.words("ret_msg")?;
    let message: Text<160> = if snake.is_empty() { fields.words("retMsg")? } else { snake };
    if op.is_empty() {
        return Err(why("body", format_args!("has neither topic nor op: {message}")));
    }
    let done = match fields.integer::<i64>("retCode")? {
        Some(code) => code == 0,
        None => fields.flag("success")? || !fields.has("success"),
    };
    let success = done || message.as_str().contains("already subscribed");
    let op = if op.as_str() == "ping" { Text::clipped("pong") } else { op };
    Ok(OpReply { op, success, message })
}

fn said(reply: &OpReply) -> Text<48> {
    let OpReply { op, success, message } = reply;
    Text::clipped(&if *success { alloc::format!("{op} ok") } else { alloc::format!("{op} refused: {message}") })
}

#[cfg(test)]
mod tests;
