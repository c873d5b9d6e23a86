//! Positions as Position Manager tells them, for whoever asks our API (spec T4; wire-contracts.md 3.2).

use super::PositionManager;
use super::client::{Failure, Reply};
use order_manager_core::unit::calendar;
use reqwest::Method;
use serde::Deserialize;
use serde_json::value::RawValue;
use std::time::Duration;

/// Where it does not say when to come back.
const RETRY_AFTER: Duration = Duration::from_secs(5);

/// A position in Position Manager's words: figures are texts, exactly as it wrote them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ToldPosition {
    /// Its row's id.
    pub id: String,
    /// Symbol.
    pub asset: String,
    /// Base units, plus is long.
    pub size: String,
    /// Quote units per base unit.
    pub average_entry_price: Option<String>,
    /// Quote units.
    pub unrealized_pnl: Option<String>,
    /// Quote units.
    pub realized_pnl: Option<String>,
    /// `one-way` or `hedge`.
    pub mode: String,
    /// Base units, in hedge mode.
    pub long_size: Option<String>,
    /// Base units, in hedge mode.
    pub short_size: Option<String>,
    /// UTC with one `Z`.
    pub last_updated: Option<String>,
}

/// Why Position Manager's positions cannot be told.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PositionsError {
    /// Later perhaps.
    #[error("Position Manager is not available: {why}")]
    Unavailable {
        /// Why, in words.
        why: String,
        /// When to come back.
        retry_after: Duration,
    },
    /// It does not know our key.
    #[error("Position Manager refuses our key ({0})")]
    Key(u16),
    /// It refuses what was asked.
    #[error("{said}")]
    Refused {
        /// 400 or 422.
        status: u16,
        /// Its words.
        said: String,
    },
    /// It answered with something that is no answer.
    #[error("Position Manager's answer cannot be used: {0}")]
    Broken(String),
}

impl From<Failure> for PositionsError {
    fn from(failure: Failure) -> Self {
        Self::Unavailable { why: format!("it {failure}"), retry_after: RETRY_AFTER }
    }
}

impl PositionManager {
    /// All positions, flat ones included; only those of a symbol or of a mode, where these are given.
    ///
    /// # Errors
    /// Each says whether, and when, it is worth another try.
    pub async fn positions(
        &self,
        asset: Option<&str>,
        mode: Option<&str>,
        trace: &str,
    ) -> Result<Vec<ToldPosition>, PositionsError> {
        #[derive(Deserialize)]
        struct Listed<'a> {
            #[serde(borrow)]
            positions: Vec<Record<'a>>,
        }
        let parameters: Vec<(&str, &str)> =
            [asset.map(|asset| ("asset", asset)), mode.map(|mode| ("mode", mode))].into_iter().flatten().collect();
        let reply = self.read(&["api", "v1", "positions"], &parameters, trace).await?;
        let listed: Listed<'_> = serde_json::from_slice(&reply.body).map_err(broken)?;
        listed.positions.iter().map(Record::told).collect()
    }

    /// The position of a symbol, which is flat or not; none where it has never heard of one.
    ///
    /// # Errors
    /// Each says whether, and when, it is worth another try.
    pub async fn position(&self, asset: &str, mode: &str, trace: &str) -> Result<Option<ToldPosition>, PositionsError> {
        match self.read(&["api", "v1", "positions", asset], &[("mode", mode)], trace).await {
            Ok(reply) => serde_json::from_slice::<Record<'_>>(&reply.body).map_err(broken)?.told().map(Some),
            Err(PositionsError::Refused { status: 404, .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    async fn read(&self, path: &[&str], parameters: &[(&str, &str)], trace: &str) -> Result<Reply, PositionsError> {
        let url = self.client.url(path, parameters)?;
        let reply = self.client.send(Method::GET, url, None, Some(trace)).await?;
        let said = || self.client.said(&reply.body);
        let unavailable = |why| {
            let retry_after = reply.retry_after.unwrap_or(RETRY_AFTER);
            Err(PositionsError::Unavailable { why, retry_after })
        };
        match reply.status {
            200 => Ok(reply),
            401 | 403 => Err(PositionsError::Key(reply.status)),
            429 => unavailable("it has too many calls".to_owned()),
            status @ 502..=504 => unavailable(format!("it answered {status}: {}", said())),
            // Its own 404 names the position. Anything else is a server that has no such route.
            404 if said().starts_with("Position not found") => {
                Err(PositionsError::Refused { status: 404, said: said() })
            }
            status @ (400 | 422) => Err(PositionsError::Refused { status, said: said() }),
            status => Err(PositionsError::Broken(format!("{status}: {}", said()))),
        }
    }
}

/// A position as it comes. A figure may be a text, a number or null.
#[derive(Deserialize)]
struct Record<'a> {
    #[serde(borrow)]
    id: Option<&'a RawValue>,
    #[serde(borrow)]
    asset: Option<&'a RawValue>,
    #[serde(borrow)]
    size: Option<&'a RawValue>,
    #[serde(borrow)]
    mode: Option<&'a RawValue>,
    #[serde(borrow)]
    average_entry_price: Option<&'a RawValue>,
    #[serde(borrow)]
    unrealized_pnl: Option<&'a RawValue>,
    #[serde(borrow)]
    realized_pnl: Option<&'a RawValue>,
    #[serde(borrow)]
    long_size: Option<&'a RawValue>,
    #[serde(borrow)]
    short_size: Option<&'a RawValue>,
    #[serde(borrow)]
    last_updated: Option<&'a RawValue>,
}

impl Record<'_> {
    fn told(&self) -> Result<ToldPosition, PositionsError> {
        let must = |name: &str, value| {
            text(value)?.ok_or_else(|| PositionsError::Broken(format!("a position without {name}")))
        };
        Ok(ToldPosition {
            id: must("id", self.id)?,
            asset: must("asset", self.asset)?,
            size: must("size", self.size)?,
            average_entry_price: text(self.average_entry_price)?,
            unrealized_pnl: text(self.unrealized_pnl)?,
            realized_pnl: text(self.realized_pnl)?,
            mode: must("mode", self.mode)?,
            long_size: text(self.long_size)?,
            short_size: text(self.short_size)?,
            last_updated: text(self.last_updated)?.map(plain_moment),
        })
    }
}

/// A scalar as it was written.
fn text(value: Option<&RawValue>) -> Result<Option<String>, PositionsError> {
    let Some(written) = value.map(RawValue::get) else { return Ok(None) };
    match written.as_bytes().first() {
        Some(b'"') => serde_json::from_str(written).map(Some).map_err(broken),
        Some(b'-' | b'0'..=b'9') => Ok(Some(written.to_owned())),
        _ => Err(PositionsError::Broken("a figure that is neither a text nor a number".to_owned())),
    }
}

/// Naive UTC and one `Z`, where `Z` was put behind an offset as well.
fn plain_moment(text: String) -> String {
    let naive = text.trim_end_matches('Z').trim_end_matches("+00:00");
    calendar::parse(naive).map_or(text, |moment| moment.to_string())
}

fn broken(error: serde_json::Error) -> PositionsError {
    PositionsError::Broken(error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a1_a_moment_ends_with_one_z() {
        for text in ["2026-01-01T00:00:00.000005Z", "2026-01-01T00:00:00.000005+00:00Z", "2026-01-01T00:00:00.000005"] {
            assert_eq!(plain_moment(text.to_owned()), "2026-01-01T00:00:00.000005Z");
        }
        assert_eq!(plain_moment("yesterday".to_owned()), "yesterday");
    }

    #[test]
    fn figures_stay_as_they_were_written() {
        let json =
            r#"{"id":"i","asset":"BTCUSDT","mode":"one-way","size":-0.10000000,"realized_pnl":"0E-8","version":1}"#;
        let told = serde_json::from_str::<Record<'_>>(json).unwrap().told().unwrap();
        assert_eq!((told.size.as_str(), told.realized_pnl.as_deref()), ("-0.10000000", Some("0E-8")));
        assert_eq!((told.average_entry_price, told.last_updated), (None, None));
        let flawed = r#"{"id":"i","asset":"BTCUSDT","mode":"one-way","size":{}}"#;
        assert!(serde_json::from_str::<Record<'_>>(flawed).unwrap().told().is_err());
    }
}
