//! The control plane under `/sim/`: what the module's own documentation says.

use super::handle::Handle;
use crate::scenario::{self, Action};
use order_manager_core::unit::Span;
use serde_json::{Value, json};

/// What can be asked for, for those who asked for something else.
const WORDS: &str = "GET /sim/truth, POST /sim/price, quirk, fault, silence, ban, stream, reconnect, disconnect, halt, \
    manual, liquidity, reject-next";

/// Answers one request of the control plane: an HTTP status and a JSON body.
pub(super) fn answer(handle: &Handle, method: &str, path: &str, body: &[u8]) -> (u16, Value) {
    let result = match (method, path) {
        ("GET", "/sim/truth") => return (200, handle.truth()),
        ("POST", "/sim/price") => step(handle, "price", body),
        ("POST", "/sim/quirk") => step(handle, "quirk", body),
        ("POST", "/sim/fault") => step(handle, "fault", body),
        ("POST", "/sim/silence") => step(handle, "silence", body),
        ("POST", "/sim/ban") => step(handle, "ban", body),
        ("POST", "/sim/reconnect") => step(handle, "reconnect", body),
        ("POST", "/sim/stream") => step(handle, "stream", body),
        ("POST", "/sim/manual") => step(handle, "manual", body),
        ("POST", "/sim/liquidity") => step(handle, "liquidity", body),
        ("POST", "/sim/reject-next") => handle.act(&Action::RejectNext),
        ("POST", "/sim/disconnect") => millis(body, "for_ms", Some(0)).map(|span| handle.disconnect(span)),
        ("POST", "/sim/halt") => millis(body, "ms", None).map(|span| handle.halt(span)),
        _ => return (404, json!({ "error": format!("no {method} {path} here; there are {WORDS}") })),
    };
    match result {
        Ok(()) => (200, json!({ "ok": true })),
        Err(error) => (400, json!({ "error": error })),
    }
}

/// Reads a body in the words of a scenario's step and carries it out.
fn step(handle: &Handle, name: &str, body: &[u8]) -> Result<(), String> {
    let value: Value = serde_json::from_slice(body).map_err(|error| format!("the body is not JSON: {error}"))?;
    let action = scenario::action_of(name, &value).map_err(|error| {
        let problems: Vec<String> =
            error.problems.iter().map(|p| format!("{} ({}); {}", p.message, p.label, p.help)).collect();
        problems.join("; ")
    })?;
    handle.act(&action)
}

/// The one number that a body may have.
fn millis(body: &[u8], name: &str, default: Option<u64>) -> Result<Span, String> {
    let wanted = || format!("write {{\"{name}\": 500}}, in milliseconds");
    if body.is_empty() {
        return default.map(Span::millis).ok_or_else(wanted);
    }
    let value: Value = serde_json::from_slice(body).map_err(|_| wanted())?;
    let fields = value.as_object().ok_or_else(wanted)?;
    match (fields.get(name), fields.len()) {
        (Some(ms), 1) => ms.as_u64().map(Span::millis).ok_or_else(wanted),
        (None, 0) => default.map(Span::millis).ok_or_else(wanted),
        _ => Err(wanted()),
    }
}
