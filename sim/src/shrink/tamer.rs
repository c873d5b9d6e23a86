//! Values that say the same kind of thing in a tamer way.

use super::time::shorter_than;
use order_manager_core::unit::{Decimal, Span, decimal};
use toml::Value;

/// What is worth trying in place of a value, the tamest first; each is simpler than the value itself.
pub(super) fn tamer(value: &Value) -> Vec<Value> {
    match value {
        Value::Integer(number) => integers(*number).into_iter().map(Value::Integer).collect(),
        Value::String(text) => match (length(text), decimal::parse(text)) {
            (Some(span), _) => shorter_than(span).map(|s| Value::String(written(s))).collect(),
            (None, Ok(number)) => rounded(number).into_iter().map(|n| Value::String(n.to_string())).collect(),
            (None, Err(_)) => Vec::new(),
        },
        _ => Vec::new(),
    }
}

/// Fewer, then rounder.
fn integers(number: i64) -> Vec<i64> {
    let few = [0, 1, 2, 3, 5, 10].into_iter().filter(|few| *few < number);
    let places = number.checked_abs().and_then(|n| n.checked_ilog10()).unwrap_or(0);
    let round = (1..=2).map(|digits| 10_i64.pow((places + 1).saturating_sub(digits))).map(|unit| number / unit * unit);
    let mut all: Vec<i64> = few.chain(round.filter(|round| *round != number)).collect();
    all.dedup();
    all
}

/// With one digit, two, ..
fn rounded(number: Decimal) -> Vec<Decimal> {
    let digits = |n: Decimal| n.normalize().mantissa().unsigned_abs().to_string().trim_end_matches('0').len();
    let mut all: Vec<Decimal> = Vec::new();
    for places in 1..digits(number) as u32 {
        let rounded = number.round_sf(places).map(|rounded| rounded.normalize());
        all.extend(rounded.filter(|rounded| digits(*rounded) < digits(number) && !all.contains(rounded)));
    }
    all
}

/// A length of time as scenarios write it.
fn length(text: &str) -> Option<Span> {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (number, unit) = text.split_at(digits);
    let unit = match unit {
        "us" => 1,
        "ms" => 1_000,
        "s" => 1_000_000,
        "m" => 60_000_000,
        "h" => 3_600_000_000,
        _ => return None,
    };
    number.parse::<u64>().ok()?.checked_mul(unit).map(Span)
}

fn written(span: Span) -> String {
    if span.0.is_multiple_of(1_000_000) {
        format!("{}s", span.0 / 1_000_000)
    } else if span.0.is_multiple_of(1_000) {
        format!("{}ms", span.0 / 1_000)
    } else {
        format!("{}us", span.0)
    }
}
