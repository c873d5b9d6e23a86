//! The parameters of a request: of a query string, or of a JSON body where null means absent (2).

use super::WireRequest;
use crate::exchange::refusal::say;
use order_manager_core::bybit::ApiError;
use order_manager_core::unit::{Decimal, Text, decimal};
use serde_json::Value;
use std::borrow::Cow;

/// Named values; an empty value is an absent one.
pub(super) enum Params {
    Query(Vec<(String, String)>),
    Body(Value),
}

impl Params {
    pub(super) fn of(wire: &WireRequest) -> Result<Self, ApiError> {
        if wire.method == "GET" {
            return Ok(Self::Query(wire.query.split('&').filter_map(pair).collect()));
        }
        match serde_json::from_slice(&wire.body) {
            Ok(body @ Value::Object(_)) => Ok(Self::Body(body)),
            _ => Err(say((10001, "params error: body is not a JSON object"))),
        }
    }

    /// A text; anything else under this name is an error, as Bybit's numbers are texts.
    pub(super) fn text(&self, name: &str) -> Result<Option<&str>, ApiError> {
        let value = match self {
            Self::Query(pairs) => pairs.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str()),
            Self::Body(body) => match &body[name] {
                Value::Null => None,
                Value::String(text) => Some(text.as_str()),
                _ => return Err(bad(name)),
            },
        };
        Ok(value.filter(|value| !value.is_empty()))
    }

    pub(super) fn needed(&self, name: &str) -> Result<&str, ApiError> {
        self.text(name)?.ok_or_else(|| bad(name))
    }

    pub(super) fn short<const N: usize>(&self, name: &str) -> Result<Option<Text<N>>, ApiError> {
        self.text(name)?.map(|text| Text::new(text).map_err(|_| bad(name))).transpose()
    }

    pub(super) fn decimal(&self, name: &str) -> Result<Option<Decimal>, ApiError> {
        self.text(name)?.map(|text| decimal::parse(text).map_err(|_| bad(name))).transpose()
    }

    /// A whole number, as a JSON number or as a text.
    pub(super) fn whole(&self, name: &str) -> Result<Option<u64>, ApiError> {
        let text: Option<Cow<'_, str>> = match self {
            Self::Body(body) if body[name].is_number() => Some(body[name].to_string().into()),
            _ => self.text(name)?.map(Cow::from),
        };
        text.map(|text| text.parse().map_err(|_| bad(name))).transpose()
    }

    /// A JSON boolean; absent is false.
    pub(super) fn flag(&self, name: &str) -> Result<bool, ApiError> {
        match self {
            Self::Body(body) => match &body[name] {
                Value::Null => Ok(false),
                Value::Bool(flag) => Ok(*flag),
                _ => Err(bad(name)),
            },
            Self::Query(_) => Ok(self.text(name)? == Some("true")),
        }
    }
}

/// A parameter that Bybit would not take either.
pub(super) fn bad(name: &str) -> ApiError {
    say((10001, &format!("params error: {name} err")))
}

fn pair(text: &str) -> Option<(String, String)> {
    let (key, value) = text.split_once('=')?;
    Some((percent_decoded(key), percent_decoded(value)))
}

/// `%3D` is `=`; what is not a code stays as it is.
fn percent_decoded(text: &str) -> String {
    let (bytes, mut out) = (text.as_bytes(), Vec::with_capacity(text.len()));
    let mut i = 0;
    while let Some(&byte) = bytes.get(i) {
        let code = text.get(i + 1..i + 3).filter(|_| byte == b'%');
        let decoded = code.and_then(|hex| u8::from_str_radix(hex, 16).ok());
        out.push(decoded.unwrap_or(byte));
        i += if decoded.is_some() { 3 } else { 1 };
    }
    String::from_utf8_lossy(&out).into_owned()
}
