//! Reading Bybit's JSON leniently (bybit-v5.md 1.3): each field for itself, numbers as text or number,
//! `""` and `null` as absent, unknown fields skipped. Decimals are read from the text as it came.

mod read;

use crate::unit::{Decimal, ExchangeTime, Text, decimal};
use alloc::borrow::Cow;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;
use core::str::FromStr;
use serde_json::value::RawValue;

/// The largest body that is looked at. A full page of the largest rows is a tenth of it.
pub(super) const BODY_MAX: usize = 4 << 20;
/// The longest list that is read: the largest page that Bybit serves (5.1).
pub(super) const ROWS_MAX: usize = 1_000;

/// Which field of a message cannot be read, and what is wrong with it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Unreadable(String);

impl Unreadable {
    /// The same, clipped to what is stored.
    #[must_use]
    pub fn text(&self) -> Text<160> {
        Text::clipped(&self.0)
    }
}

/// `what` about the field `name`.
pub(super) fn why(name: &str, what: impl fmt::Display) -> Unreadable {
    Unreadable(alloc::format!("{name} {what}"))
}

/// A body as JSON text.
pub(crate) fn text(body: &[u8]) -> Result<&str, Unreadable> {
    if body.len() > BODY_MAX {
        return Err(why("body", format_args!("is {} bytes long, the limit is {BODY_MAX}", body.len())));
    }
    core::str::from_utf8(body).map_err(|e| why("body", format_args!("is not UTF-8: {e}")))
}

/// The fields of one JSON object. Of a name that comes twice the last counts.
#[derive(Clone)]
pub(crate) struct Fields<'a>(Vec<(Cow<'a, str>, Value<'a>)>);

/// A value of a field, or a row of a list.
#[derive(Clone)]
pub(super) enum Value<'a> {
    /// As it came.
    Unread(&'a RawValue),
    /// What was read with the body, see [`Fields::body`].
    Object(Fields<'a>),
    /// The same, of a list of objects.
    List(Vec<Value<'a>>),
}

impl<'a> Value<'a> {
    /// As it came; none of what was read with the body.
    fn raw(&self) -> Option<&'a str> {
        if let Self::Unread(raw) = self { Some(raw.get()) } else { None }
    }

    /// The object that it is; `name` is what to call it in an error.
    pub(super) fn object(&self, name: &str) -> Result<Cow<'_, Fields<'a>>, Unreadable> {
        match self {
            Self::Object(fields) => Ok(Cow::Borrowed(fields)),
            Self::Unread(raw) => Fields::read(name, raw.get()).map(Cow::Owned),
            Self::List(_) => Err(why(name, "is not an object but a list")),
        }
    }

    fn list(&self, name: &str) -> Result<Cow<'_, [Self]>, Unreadable> {
        match self {
            Self::List(rows) => Ok(Cow::Borrowed(rows)),
            Self::Unread(raw) => read::rows(name, raw.get()).map(Cow::Owned),
            Self::Object(_) => Err(why(name, "is not a list but an object")),
        }
    }
}

impl<'a> Fields<'a> {
    /// The object that `json` is, its values unread; `name` is what to call it in an error.
    pub(crate) fn read(name: &str, json: &'a str) -> Result<Self, Unreadable> {
        if !json.trim_ascii_start().starts_with('{') {
            return Err(why(name, format_args!("is not an object: {}", Shown(json))));
        }
        serde_json::from_str(json).map_err(|e| why(name, format_args!("is not JSON: {e}")))
    }

    /// A body, with the rows of its page, or of its push, in one pass. Where it is not quite as it should be it is read level
    /// by level, so that what cannot be read spoils no more than it must.
    pub(super) fn body(json: &'a str) -> Result<Self, Unreadable> {
        read::body(json).map_or_else(|| Self::read("body", json), Ok)
    }

    /// A field's value; `null` is absent.
    fn value(&self, name: &str) -> Option<&Value<'a>> {
        let found = self.0.iter().rfind(|(key, _)| key == name);
        found.map(|(_, value)| value).filter(|value| value.raw() != Some("null"))
    }

    /// Names in the order they came.
    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|(name, _)| name.as_ref())
    }

    /// An object within this one; `""` is none, as for other values.
    pub(super) fn object(&self, name: &str) -> Result<Option<Cow<'_, Self>>, Unreadable> {
        let value = self.value(name).filter(|value| value.raw() != Some("\"\""));
        value.map(|value| value.object(name)).transpose()
    }

    /// A value that must be there.
    pub(super) fn must(&self, name: &str) -> Result<&Value<'a>, Unreadable> {
        self.value(name).ok_or_else(|| missing(name))
    }

    /// Is the field there, be it `null` or empty?
    pub(super) fn has(&self, name: &str) -> bool {
        self.0.iter().any(|(key, _)| key == name)
    }

    /// A list of at most [`ROWS_MAX`] rows. Its absence is an error: an answer without a list is not an empty list.
    pub(super) fn list(&self, name: &str) -> Result<Cow<'_, [Value<'a>]>, Unreadable> {
        self.must(name)?.list(name)
    }

    /// A text, or a number as it was written; empty is none.
    pub(super) fn scalar(&self, name: &str) -> Result<Option<Cow<'a, str>>, Unreadable> {
        self.value(name).map_or(Ok(None), |value| scalar(name, value))
    }

    /// A text that must be there, not be empty and fit.
    pub(super) fn name<const N: usize>(&self, name: &str) -> Result<Text<N>, Unreadable> {
        let text = self.scalar(name)?.ok_or_else(|| missing(name))?;
        Text::new(&text).map_err(|e| why(name, e))
    }

    /// A text for people, clipped; absent is empty.
    pub(crate) fn words<const N: usize>(&self, name: &str) -> Result<Text<N>, Unreadable> {
        Ok(self.scalar(name)?.map_or(Text::EMPTY, |text| Text::clipped(&text)))
    }

    /// A decimal, any sign.
    pub(crate) fn decimal(&self, name: &str) -> Result<Option<Decimal>, Unreadable> {
        let Some(text) = self.scalar(name)? else { return Ok(None) };
        decimal::parse(&text).map(Some).map_err(|e| why(name, format_args!("{e}: {}", Shown(&text))))
    }

    /// A decimal that is not negative.
    pub(super) fn amount(&self, name: &str) -> Result<Option<Decimal>, Unreadable> {
        match self.decimal(name)? {
            Some(value) if value < Decimal::ZERO => Err(why(name, format_args!("is negative: {value}"))),
            value => Ok(value),
        }
    }

    /// A decimal above zero; zero is Bybit's other word for none.
    pub(super) fn positive(&self, name: &str) -> Result<Option<Decimal>, Unreadable> {
        Ok(self.amount(name)?.filter(|value| !value.is_zero()))
    }

    /// A whole number.
    pub(super) fn integer<T: FromStr>(&self, name: &str) -> Result<Option<T>, Unreadable> {
        let Some(text) = self.scalar(name)? else { return Ok(None) };
        text.parse().map(Some).map_err(|_| why(name, format_args!("is not a whole number: {}", Shown(&text))))
    }

    /// Milliseconds since 1970.
    pub(super) fn time(&self, name: &str) -> Result<Option<ExchangeTime>, Unreadable> {
        Ok(self.integer(name)?.map(ExchangeTime))
    }

    /// True or false; absent is false.
    pub(super) fn flag(&self, name: &str) -> Result<bool, Unreadable> {
        match self.value(name).map_or("false", |value| value.raw().unwrap_or_default()) {
            "true" | "\"true\"" => Ok(true),
            "false" | "\"false\"" | "\"\"" => Ok(false),
            other => Err(why(name, format_args!("is not true or false: {}", Shown(other)))),
        }
    }
}

/// The complaint about a field that had to be there.
pub(super) fn missing(name: &str) -> Unreadable {
    why(name, "is missing")
}

/// `value` where there is one.
pub(super) fn required<T>(name: &str, value: Option<T>) -> Result<T, Unreadable> {
    value.ok_or_else(|| missing(name))
}

/// A text, or a number as it was written; empty and `null` are none.
fn scalar<'a>(name: &str, value: &Value<'a>) -> Result<Option<Cow<'a, str>>, Unreadable> {
    let json = value.raw().ok_or_else(|| why(name, "is neither text nor number"))?;
    let quoted = json.strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
    match (quoted, json.bytes().next()) {
        (Some(""), _) => Ok(None),
        (Some(plain), _) if !plain.contains('\\') => Ok(Some(Cow::Borrowed(plain))),
        (Some(_), _) => {
            let text: String = serde_json::from_str(json).map_err(|e| why(name, format_args!("is not a text: {e}")))?;
            Ok(Some(Cow::Owned(text)))
        }
        (None, Some(b'-' | b'0'..=b'9')) => Ok(Some(Cow::Borrowed(json))),
        (None, _) => Err(why(name, format_args!("is neither text nor number: {}", Shown(json)))),
    }
}

/// A value in an error: short, and quoted so that blanks show.
pub(super) struct Shown<'a>(pub(super) &'a str);

impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let short: Text<40> = Text::clipped(self.0);
        write!(f, "{short:?}{}", if short.as_str().len() < self.0.len() { "..." } else { "" })
    }
}
