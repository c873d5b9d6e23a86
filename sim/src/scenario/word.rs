//! Words to values: lengths of time, decimals, symbols, and words out of a table.

use super::problem::Problem;
use super::raw::Word;
use order_manager_core::unit::{Decimal, Price, Quantity, Side, Span, Symbol, decimal};

/// One of `table`; `what` names the kind of word in the complaint.
pub(super) fn choose<T: Copy>(word: &Word, what: &str, table: &[(&str, T)]) -> Result<T, Problem> {
    let found = table.iter().find(|(known, _)| known == word.get_ref());
    found.map(|(_, value)| *value).ok_or_else(|| {
        let known: Vec<&str> = table.iter().map(|(known, _)| *known).collect();
        Problem::unknown(word.span(), what, word.get_ref(), &known)
    })
}

/// `buy` or `sell`.
pub(super) fn side(word: &Word) -> Result<Side, Problem> {
    choose(word, "side", &[("buy", Side::Buy), ("sell", Side::Sell)])
}

/// A whole number and its unit: `250ms`, `10s`, `2m`, `1h`.
pub(super) fn length(word: &Word) -> Result<Span, Problem> {
    let text = word.get_ref().as_str();
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (number, unit) = text.split_at(digits);
    let unit_ms = match unit {
        "ms" => Some(1),
        "s" => Some(1_000),
        "m" => Some(60_000),
        "h" => Some(3_600_000),
        _ => None,
    };
    let length = unit_ms.zip(number.parse::<u64>().ok()).and_then(|(unit, n)| n.checked_mul(unit));
    // A year is more than any story needs, and far from where sums of times could leave their type.
    length.filter(|ms| *ms <= 366 * 24 * 3_600_000).map(Span::millis).ok_or_else(|| {
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

/// A decimal above zero.
fn positive(word: &Word, what: &str) -> Result<Decimal, Problem> {
    let value = number(word, what)?;
    if value > Decimal::ZERO {
        return Ok(value);
    }
    let message = format!("{what} `{}` is not above zero", word.get_ref());
    Err(Problem::at(word, message, "not above zero", "write a number above zero"))
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
