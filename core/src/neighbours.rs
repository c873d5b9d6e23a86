//! What Position Manager answers (wire-contracts.md 3.2), read leniently: numbers as text or number.

use crate::bybit::json::{Fields, Unreadable, text};
use crate::input::{Answer, Question};
use crate::unit::{Money, Quantity};

/// What it said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Word {
    /// Its position, plus is long.
    Position(Quantity),
    /// All of its positions together, quote units, without sign.
    Exposure(Money),
    /// It has compared the symbol with the rows of `orders`.
    Validated,
}

/// Reads an answer; none where it says nothing that can be used: no answer, another status, no such body. A position
/// that it does not know is flat; a 404 of anybody else says nothing.
#[must_use]
pub fn read(question: Question, answer: &Answer) -> Option<Word> {
    let Answer::Http { status, body, .. } = answer else { return None };
    match (question, status) {
        (Question::Position(_), 404) => unknown(&body.0).ok().flatten(),
        (Question::Position(_), 200) => position(&body.0).ok().flatten(),
        (Question::Exposure, 200) => exposure(&body.0).ok().flatten(),
        (Question::Validate(_), 200..=299) => Some(Word::Validated),
        _ => None,
    }
}

fn position(body: &[u8]) -> Result<Option<Word>, Unreadable> {
    let size = Fields::read("body", text(body)?)?.decimal("size")?;
    Ok(size.map(|size| Word::Position(Quantity(size))))
}

fn unknown(body: &[u8]) -> Result<Option<Word>, Unreadable> {
    let detail = Fields::read("body", text(body)?)?.words::<48>("detail")?;
    Ok(detail.as_str().starts_with("Position not found").then_some(Word::Position(Quantity::ZERO)))
}

fn exposure(body: &[u8]) -> Result<Option<Word>, Unreadable> {
    let total = Fields::read("body", text(body)?)?.decimal("total_exposure_usdt")?;
    Ok(total.map(|total| Word::Exposure(Money(total))))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bybit::LimitHeaders;
    use crate::fixture::{money, quantity};
    use crate::unit::{Bytes, Symbol};
    use proptest::prelude::*;

    fn http(status: u16, body: &str) -> Answer {
        Answer::Http { status, limits: LimitHeaders::default(), body: Bytes(body.as_bytes().to_vec()) }
    }

    #[test]
    fn k1_position_manager_is_read_with_its_quirks() {
        let position = Question::Position(Symbol::clipped("BTCUSDT"));
        let size = |text| Some(Word::Position(quantity(text)));
        for (body, word) in [
            (r#"{"size":"-0.5","mode":"one-way"}"#, size("-0.5")),
            (r#"{"size":"0E-8"}"#, size("0")),
            (r#"{"size":1.25}"#, size("1.25")),
            (r#"{"size":null}"#, None),
            ("[]", None),
            ("<html>", None),
        ] {
            assert_eq!(read(position, &http(200, body)), word, "{body}");
        }
        let not_found = r#"{"detail":"Position not found for asset: BTCUSDT, mode: one-way"}"#;
        assert_eq!(read(position, &http(404, not_found)), size("0"));
        assert_eq!(read(position, &http(404, r#"{"detail":"Not Found"}"#)), None);
        assert_eq!(read(position, &http(500, r#"{"size":"1"}"#)), None);
        let exposure = |text| Some(Word::Exposure(money(text)));
        for (body, word) in [
            (r#"{"total_exposure_usdt":0,"calculated_at":"2026-01-01T00:00:00.000005"}"#, exposure("0")),
            (r#"{"total_exposure_usdt":1234.5}"#, exposure("1234.5")),
            (r#"{"total_exposure_usdt":"99.1","calculated_at":"2026-01-01T00:00:00Z"}"#, exposure("99.1")),
            ("{}", None),
        ] {
            assert_eq!(read(Question::Exposure, &http(200, body)), word, "{body}");
        }
        assert_eq!(read(Question::Exposure, &http(503, r#"{"detail":"unavailable"}"#)), None);
        assert_eq!(read(Question::Validate(Symbol::clipped("BTCUSDT")), &http(200, "x")), Some(Word::Validated));
        assert_eq!(read(Question::Exposure, &Answer::Lost { why: crate::unit::Text::EMPTY }), None);
    }

    proptest! {
        #[test]
        fn nothing_that_it_may_answer_panics(body in "(\\{\"(size|detail|total_exposure_usdt)\":)?\\PC{0,40}", status in 100_u16..600) {
            for question in [Question::Position(Symbol::clipped("BTCUSDT")), Question::Exposure] {
                let _ = read(question, &http(status, &body));
            }
        }
    }
}
