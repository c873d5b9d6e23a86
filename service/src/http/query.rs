//! Query parameters, and everything that is wrong with them at once.

use super::error::{ApiError, Detail};
use axum::extract::Query;
use axum::http::{StatusCode, Uri};
use order_manager_core::unit::{Timestamp, calendar};
use std::ops::RangeInclusive;
use std::str::FromStr;

/// The parameters of a call. Unknown ones are ignored, of a repeated one the last counts, an empty one is none:
/// as the predecessor had it.
pub(super) struct Params(Vec<(String, String)>);

impl Params {
    /// Of this address; what cannot be read as parameters is none.
    pub(super) fn of(uri: &Uri) -> Self {
        Self(Query::try_from_uri(uri).map(|Query(pairs)| pairs).unwrap_or_default())
    }

    /// A parameter.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        let last = self.0.iter().rev().find(|(key, _)| key == name);
        last.map(|(_, value)| value.as_str()).filter(|value| !value.is_empty())
    }
}

/// All that is wrong so far.
#[derive(Default)]
pub(super) struct Faults {
    details: Vec<Detail>,
    unprocessable: bool,
}

impl Faults {
    /// A value that is none of those that this field knows: 400, as the predecessor had it.
    pub(super) fn bad(&mut self, field: &str, value: &str, reason: &str) {
        let [field, value, reason] = [field, value, reason].map(str::to_owned);
        self.details.push(Detail { field, value, reason });
    }

    /// A value that cannot be read or is out of bounds: 422, as the predecessor had it.
    pub(super) fn unprocessable(&mut self, field: &str, value: &str, reason: &str) {
        self.unprocessable = true;
        self.bad(field, value, reason);
    }

    /// A whole number inside `bounds`, or the fault.
    pub(super) fn number<T>(&mut self, params: &Params, name: &str, bounds: RangeInclusive<T>) -> Option<T>
    where
        T: FromStr + PartialOrd + std::fmt::Display,
    {
        let text = params.get(name)?;
        let number = text.parse().ok().filter(|number| bounds.contains(number));
        if number.is_none() {
            let reason = format!("must be a whole number from {} to {}", bounds.start(), bounds.end());
            self.unprocessable(name, text, &reason);
        }
        number
    }

    /// A moment, or the fault.
    pub(super) fn moment(&mut self, params: &Params, name: &str) -> Option<Timestamp> {
        let text = params.get(name)?;
        let moment = moment(text);
        if moment.is_none() {
            self.unprocessable(name, text, "is not an ISO 8601 moment since 1970, such as 2026-01-31T12:00:00Z");
        }
        moment
    }

    /// Nothing, or the error with all of them.
    pub(super) fn none(self) -> Result<(), ApiError> {
        let Some(first) = self.details.first() else { return Ok(()) };
        let (status, code) = match self.unprocessable {
            true => (StatusCode::UNPROCESSABLE_ENTITY, "invalid_parameter"),
            false => (StatusCode::BAD_REQUEST, "invalid_parameter"),
        };
        let message = format!("{} = {}: {}", first.field, first.value, first.reason);
        Err(ApiError::new(status, code, message, "correct the fields named in details").details(self.details))
    }
}

/// With `Z`, with an offset or naive, which is UTC. A `+` that was not escaped has become a space on its way.
fn moment(text: &str) -> Option<Timestamp> {
    let unescaped = || text.rsplit_once(' ').map(|(head, tail)| format!("{head}+{tail}"));
    calendar::parse(text).or_else(|| unescaped().as_deref().and_then(calendar::parse))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a1_moments_with_z_with_an_offset_and_without() {
        let noon = calendar::parse("2026-01-31T12:00:00Z");
        assert!(noon.is_some());
        for text in [
            "2026-01-31T12:00:00",
            "2026-01-31 12:00:00",
            "2026-01-31T12:00:00.000000Z",
            "2026-01-31T13:00:00+01:00",
            "2026-01-31T13:00:00 01:00",
            "2026-01-31T10:00:00-02:00",
        ] {
            assert_eq!(moment(text), noon, "{text}");
        }
        assert_eq!(moment("2026-01-31"), calendar::parse("2026-01-31T00:00:00Z"));
        for text in ["yesterday", "2026-13-01T00:00:00Z", "12:00", "1769860800"] {
            assert_eq!(moment(text), None, "{text}");
        }
    }

    #[test]
    fn the_last_counts_and_empty_is_none() {
        let params = Params::of(&"/x?a=1&a=2&b=&c=%2B+".parse().unwrap());
        assert_eq!(
            (params.get("a"), params.get("b"), params.get("c"), params.get("d")),
            (Some("2"), None, Some("+ "), None)
        );
    }
}
