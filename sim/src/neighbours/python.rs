//! The few rules of Python that the neighbours' reading of JSON rests on.

use order_manager_core::unit::{Decimal, Timestamp, calendar, decimal};
use serde_json::Value;

/// Is it true where Python asks? The text `"0"` is, the number 0 is not.
pub(super) fn is_truthy(value: &Value) -> bool {
    match value {
        Value::Null => false,
        Value::Bool(value) => *value,
        Value::Number(number) => number.as_f64() != Some(0.0),
        Value::String(text) => !text.is_empty(),
        Value::Array(items) => !items.is_empty(),
        Value::Object(members) => !members.is_empty(),
    }
}

/// A member, null where there is none (`dict.get`).
pub(super) fn get<'a>(value: &'a Value, key: &str) -> &'a Value {
    value.get(key).unwrap_or(&Value::Null)
}

/// `a or b or c`: the first that is true, else the last.
pub(super) fn or<'a>(values: &[&'a Value]) -> &'a Value {
    let first = values.iter().find(|value| is_truthy(value));
    first.or(values.last()).copied().unwrap_or(&Value::Null)
}

/// `str(value)` of a text or number.
pub(super) fn text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// `Decimal(str(value))`.
pub(super) fn to_decimal(value: &Value) -> Option<Decimal> {
    decimal::parse(text(value).trim()).ok()
}

/// `float(value)`: of null there is none.
pub(super) fn to_float(value: &Value) -> Option<f64> {
    match value {
        Value::Number(number) => number.as_f64(),
        Value::String(text) => text.trim().parse().ok(),
        _ => None,
    }
}

/// `datetime.fromisoformat`: the moment, and whether it names an offset. `Z` counts as one.
pub(super) fn from_iso(text: &str) -> Option<(Timestamp, bool)> {
    let clock = text.get(10..).unwrap_or_default();
    let aware = clock.contains(['+', '-', 'Z']);
    calendar::parse(text).map(|moment| (moment, aware))
}
