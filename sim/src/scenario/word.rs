//! Words to values: lengths of time, decimals, symbols, and words out of a table.

use super::problem::Problem;
use super::raw::Word;
use order_manager_core::unit::{Decimal, Price, Quantity, Ratio, Side, Span, Symbol, decimal};

/// Prices and quantities: more than any market has.
const MOST: i64 = 1_000_000_000;

/// One of `table`; `what` names the kind of word in the complaint.
pub(super) fn choose<T: Copy>(word: &Word, what: &str, table: &[(&str, T)]) -> Result<T, Problem> {
    let found = table.iter().find(|(known, _)| known == word.get_ref());
    found.map(|(_, value)| *value).ok_or_else(|| {
        let known: Vec<&str> = table.iter().map(|(known, _)| *known).collect();
        Problem::unknown(word.span(), what, word.get_ref(), &known)
    })
}

/// The word of `table` for a value that it has.
pub(super) fn word_of<T: PartialEq>(table: &[(&'static str, T)], value: &T) -> &'static str {
    table.iter().find(|(_, known)| known == value).map_or("any", |(word, _)| word)
}

/// `buy` or `sell`.
pub(super) fn side(word: &Word) -> Result<Side, Problem> {
    choose(word, "side", &[("buy", Side::Buy), ("sell", Side::Sell)])
}

/// A whole number and its unit: `500us`, `250ms`, `10s`, `2m`, `1h`.
pub(super) fn length(word: &Word) -> Result<Span, Problem> {
    let text = word.get_ref().as_str();
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (number, unit) = text.split_at(digits);
    let unit_us = match unit {
        "us" => Some(1),
        "ms" => Some(1_000),
        "s" => Some(1_000_000),
        "m" => Some(60_000_000),
        "h" => Some(3_600_000_000),
        _ => None,
    };
    let length = unit_us.zip(number.parse::<u64>().ok()).and_then(|(unit, n)| n.checked_mul(unit));
    // A year is more than any story needs, and far from where sums of times could leave their type.
    length.filter(|us| *us <= 366 * 24 * 3_600_000_000).map(Span).ok_or_else(|| {
        let help = "write a whole number and a unit: \"250ms\", \"10s\", \"2m\", \"1h\"; at most a year";
        Problem::at(word, format!("`{text}` is not a length of time"), "not a length of time", help)
    })
}

/// An exact decimal; `what` names it in the complaint.
pub(super) fn number(word: &Word, what: &str) -> Result<Decimal, Problem> {
    decimal::parse(word.get_ref()).map_err(|e| {
        let help = "write plain digits with a point in quotes: \"0.016\"";
        Problem::at(word, format!("{what} `{}` {e}", word.get_ref()), e.to_string(), help)
    })
}

/// A decimal above zero, and far from where products of two could leave their type.
fn positive(word: &Word, what: &str) -> Result<Decimal, Problem> {
    let value = number(word, what)?;
    if value > Decimal::ZERO && value <= Decimal::from(MOST) {
        return Ok(value);
    }
    let message = format!("{what} `{}` is not above zero, or too large", word.get_ref());
    Err(Problem::at(word, message, "out of range", format!("write a number above zero, {MOST} at most")))
}

/// A share, not further from zero than ten times the whole.
pub(super) fn share(word: &Word, what: &str) -> Result<Ratio, Problem> {
    let value = number(word, what)?;
    if value.abs() <= Decimal::TEN {
        return Ok(Ratio(value));
    }
    let message = format!("{what} `{}` is more than ten times the whole", word.get_ref());
    Err(Problem::at(word, message, "out of range", "write a share: \"0.01\" is one hundredth"))
}

/// A price above zero.
pub(super) fn price(word: &Word) -> Result<Price, Problem> {
    positive(word, "price").map(Price)
}

/// A quantity above zero.
pub(super) fn quantity(word: &Word) -> Result<Quantity, Problem> {
    positive(word, "quantity").map(Quantity)
}

/// An instrument's name (spec S3: `^[A-Z0-9]{4,20}$`).
pub(super) fn symbol(word: &Word) -> Result<Symbol, Problem> {
    let text = word.get_ref();
    let sound = (4..=20).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit());
    if sound {
        return Ok(Symbol::clipped(text));
    }
    let help = "write 4 to 20 upper-case letters and digits: \"BTCUSDT\"";
    Err(Problem::at(word, format!("`{text}` is not a symbol"), "not a symbol", help))
}

/// Writes a JSON value as TOML on one line. JSON's null has no TOML: it becomes a text, which no field takes in
/// silence.
pub(super) fn write_toml(out: &mut String, value: &serde_json::Value) {
    use serde_json::Value;
    let mut list = |open: char, close: char, items: &mut dyn Iterator<Item = (Option<&String>, &Value)>| {
        out.push(open);
        for (index, (key, value)) in items.enumerate() {
            out.push_str(if index > 0 { ", " } else { " " });
            if let Some(key) = key {
                out.push_str(&Value::from(key.as_str()).to_string());
                out.push_str(" = ");
            }
            write_toml(out, value);
        }
        out.push(' ');
        out.push(close);
    };
    match value {
        Value::Object(fields) => list('{', '}', &mut fields.iter().map(|(key, value)| (Some(key), value))),
        Value::Array(items) => list('[', ']', &mut items.iter().map(|value| (None, value))),
        Value::Null => out.push_str("\"null\""),
        // JSON's escapes in texts are TOML's too; numbers and booleans are the same.
        scalar => out.push_str(&scalar.to_string()),
    }
}
