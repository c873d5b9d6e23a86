//! Bytes to a [`Signal`], or every fault at once (spec S2, S3, S4).

use super::json::{Faults, Object, Reason, boolean, is_deeper, not_negative, number, reason, string, text};
use super::signal::{
    AMOUNT_MAX, PRICE_MAX, PRICE_MIN, Signal, Snapshot, TIMESTAMPS, is_amount, is_confidence, is_price, is_symbol,
};
use crate::unit::{Decimal, Price, Quantity, Ratio, Side, SignalId, Symbol, Text, Timestamp, TraceId, calendar};
use alloc::format;
use alloc::vec::Vec;
use core::fmt;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

/// What is wrong with one field.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fault {
    /// The field, with its path; `body` where it is the whole.
    pub field: Text<48>,
    /// What it holds, as written, clipped; empty where it is missing.
    pub value: Text<64>,
    /// Why that is no good.
    pub reason: Text<120>,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { field, value, reason } = self;
        if value.is_empty() { write!(f, "{field} {reason}") } else { write!(f, "{field} = {value}: {reason}") }
    }
}

/// What a bad signal needs to be answered with a row and an event (spec S4).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Known {
    /// Its UUID.
    pub id: SignalId,
    /// Instrument.
    pub symbol: Symbol,
    /// Buy or sell.
    pub side: Side,
    /// Trace (spec S9).
    pub trace: TraceId,
}

/// A body that is not a signal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BadSignal {
    /// There if signal_id, asset and side could be read.
    pub known: Option<Known>,
    /// All that is wrong, at least one.
    pub faults: Vec<Fault>,
}

impl fmt::Display for BadSignal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, fault) in self.faults.iter().enumerate() {
            write!(f, "{}{fault}", if i == 0 { "" } else { "; " })?;
        }
        Ok(())
    }
}

/// Largest body, bytes (spec S2).
pub const BODY_MAX: usize = 64 * 1024;
/// Deepest nesting of arrays and objects (spec S2).
pub const DEPTH_MAX: u32 = 32;

/// Reads a signal. Unknown fields are ignored, but not a NUL in them; a known field that comes twice is a
/// fault. `header_trace` wins over the body's trace id; one that is empty, over 100 bytes or holds a NUL is
/// passed over, because a transport's header must not cost a signal (spec S9).
pub fn decode(body: &[u8], header_trace: Option<&str>) -> Result<Signal, BadSignal> {
    let mut faults = Faults::default();
    let Some(object) = open(body, &mut faults) else {
        return Err(BadSignal { known: None, faults: faults.0 });
    };
    if body.contains(&b'\\') {
        object.refuse_nul(&mut faults); // JSON writes a NUL as an escape only
    }
    let identity = identity(&object, &mut faults);
    let amount = object.required("amount", &mut faults, amount);
    let confidence = object.required("confidence", &mut faults, confidence);
    let timestamp = object.required("timestamp", &mut faults, timestamp);
    let strategy_id = object.required("strategy_id", &mut faults, text::<100>);
    let model_version = object.optional("model_version", &mut faults, text::<100>);
    let is_warmup = object.optional("is_warmup", &mut faults, boolean).unwrap_or(false);
    let snapshot = snapshot(&object, &mut faults);
    let Metadata { urgent, is_exit } = metadata(&object, &mut faults);
    let body_trace = object.optional("trace_id", &mut faults, optional_text).flatten();
    let trace = header_trace.and_then(usable_trace).or(body_trace);

    let known =
        identity.map(|(id, side, symbol)| Known { id, symbol, side, trace: trace.unwrap_or_else(|| new_trace(id)) });
    match (known, amount, confidence, timestamp, strategy_id) {
        (Some(known), Some(amount), Some(confidence), Some(timestamp), Some(strategy_id)) if faults.0.is_empty() => {
            let Known { id, symbol, side, trace } = known;
            let mut signal = Signal {
                id,
                side,
                symbol,
                amount,
                in_base: false,
                confidence,
                timestamp,
                strategy_id,
                model_version,
                is_warmup,
                snapshot,
                urgent,
                is_exit,
                trace,
                fingerprint: 0,
            };
            signal.fingerprint = signal.compute_fingerprint();
            Ok(signal)
        }
        _ => Err(BadSignal { known, faults: faults.0 }),
    }
}

/// The id of a signal, good or bad, if it can be read: what the store is asked about before the core is (spec S7).
#[must_use]
pub fn id_of(body: &[u8]) -> Option<SignalId> {
    let mut faults = Faults::default();
    let object = open(body, &mut faults)?;
    identity(&object, &mut faults).map(|(id, ..)| id)
}

/// What a signal needs to be answered for, however bad the rest of it is (spec S4).
fn identity(object: &Object<'_>, faults: &mut Faults) -> Option<(SignalId, Side, Symbol)> {
    let id = object.required("signal_id", faults, uuid);
    let side = object.required("signal_type", faults, side);
    let symbol = object.required("asset", faults, symbol);
    Some((id?, side?, symbol?))
}

/// The bounds that hold before anything is read, then the outermost object.
fn open<'a>(body: &'a [u8], faults: &mut Faults) -> Option<Object<'a>> {
    let mut refuse = |value: &str, why: fmt::Arguments<'_>| {
        faults.add("", "body", value, reason(why));
        None
    };
    if body.len() > BODY_MAX {
        return refuse(&format!("{} bytes", body.len()), format_args!("is over {BODY_MAX} bytes"));
    }
    let Ok(text) = core::str::from_utf8(body) else {
        return refuse("", format_args!("is not UTF-8"));
    };
    if is_deeper(body, DEPTH_MAX) {
        return refuse(text, format_args!("nests deeper than {DEPTH_MAX}"));
    }
    match Object::read(text, "") {
        Ok(object) => Some(object),
        Err(e) => refuse(text, format_args!("is not a JSON object: {e}")),
    }
}

fn uuid(raw: &RawValue) -> Result<SignalId, Reason> {
    SignalId::parse(&string(raw)?).map_err(|e| reason(format_args!("{e}")))
}

fn side(raw: &RawValue) -> Result<Side, Reason> {
    let text = string(raw)?;
    if text.eq_ignore_ascii_case("buy") {
        Ok(Side::Buy)
    } else if text.eq_ignore_ascii_case("sell") {
        Ok(Side::Sell)
    } else {
        Err(reason(format_args!("must be buy or sell")))
    }
}

fn symbol(raw: &RawValue) -> Result<Symbol, Reason> {
    let text = string(raw)?.to_ascii_uppercase();
    let symbol = Symbol::new(&text).ok().filter(|_| is_symbol(&text));
    symbol.ok_or_else(|| reason(format_args!("must be 4 to 20 letters or digits")))
}

fn amount(raw: &RawValue) -> Result<Decimal, Reason> {
    let value = number(raw)?;
    if is_amount(value) { Ok(value) } else { Err(reason(format_args!("must be above 0 and at most {AMOUNT_MAX}"))) }
}

fn confidence(raw: &RawValue) -> Result<Ratio, Reason> {
    let value = number(raw)?;
    if is_confidence(value) { Ok(Ratio(value)) } else { Err(reason(format_args!("must lie between 0 and 1"))) }
}

fn price(raw: &RawValue) -> Result<Price, Reason> {
    let value = number(raw)?;
    if is_price(value) {
        Ok(Price(value))
    } else {
        Err(reason(format_args!("must lie between {PRICE_MIN} and {PRICE_MAX}")))
    }
}

fn timestamp(raw: &RawValue) -> Result<Timestamp, Reason> {
    let Some(moment) = calendar::parse(&string(raw)?) else {
        return Err(reason(format_args!("is not an ISO 8601 moment")));
    };
    let good = TIMESTAMPS.contains(&moment);
    if good { Ok(moment) } else { Err(reason(format_args!("must lie between the years 2000 and 2100"))) }
}

fn snapshot(object: &Object<'_>, faults: &mut Faults) -> Snapshot {
    let inner = object.optional("market_data_snapshot", faults, |raw| inner(raw, "market_data_snapshot."));
    let Some(inner) = inner else { return Snapshot::default() };
    Snapshot {
        price: inner.optional("price", faults, price),
        spread: inner.optional("spread", faults, not_negative).map(Price),
        volume_24h: inner.optional("volume_24h", faults, not_negative).map(Quantity),
        volatility: inner.optional("volatility", faults, not_negative).map(Ratio),
    }
}

#[derive(Default)]
struct Metadata {
    urgent: bool,
    is_exit: bool,
}

/// Nothing but JSON's `true` is true: the publisher's other spellings have never meant it (wire-contracts 1.2.2).
fn metadata(object: &Object<'_>, faults: &mut Faults) -> Metadata {
    let Some(inner) = object.optional("metadata", faults, |raw| inner(raw, "metadata.")) else {
        return Metadata::default();
    };
    let mut holds = |name, json| inner.optional(name, faults, |raw| Ok(raw.get() == json)).unwrap_or(false);
    let urgent = holds("urgency", "true");
    let exit_strategy = holds("exit_strategy", "true");
    let reasoning =
        inner.optional("reasoning", faults, |raw| Ok(string(raw).is_ok_and(|t| t == "take_profit_triggered")));
    Metadata { urgent, is_exit: exit_strategy || reasoning == Some(true) }
}

fn inner<'a>(raw: &'a RawValue, path: &'static str) -> Result<Object<'a>, Reason> {
    Object::read(raw.get(), path).map_err(|_| reason(format_args!("must be an object")))
}

/// An empty trace id is none; one that is too long is a fault (spec S3).
fn optional_text(raw: &RawValue) -> Result<Option<TraceId>, Reason> {
    let text = string(raw)?;
    let trace = TraceId::new(&text).map_err(|e| reason(format_args!("{e}")))?;
    Ok(usable_trace(trace.as_str()))
}

fn usable_trace(text: &str) -> Option<TraceId> {
    TraceId::new(text).ok().filter(|t| !t.is_empty() && !text.contains('\0'))
}

/// A trace for a signal that came without one. The core draws no random numbers, so it is the signal's own id.
#[must_use]
pub fn new_trace(id: SignalId) -> TraceId {
    TraceId::clipped(Text::from(id).as_str())
}

#[cfg(test)]
#[path = "decode/tests.rs"]
mod tests;
