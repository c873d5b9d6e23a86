//! ISO 8601 in and out. The calendar is jiff's; the clock types are ours.

use super::{Timestamp, time::ExchangeTime};
use core::fmt;

/// Parses an ISO 8601 moment; one without an offset is UTC (spec S3).
#[must_use]
pub fn parse(text: &str) -> Option<Timestamp> {
    let moment = text.parse::<jiff::Timestamp>().ok().or_else(|| {
        let civil = text.parse::<jiff::civil::DateTime>().ok()?;
        civil.to_zoned(jiff::tz::TimeZone::UTC).ok().map(|z| z.timestamp())
    })?;
    u64::try_from(moment.as_microsecond()).ok().map(Timestamp)
}

/// Writes `micros` since 1970 as `2022-01-01T03:00:04.706502Z`; whole milliseconds show three digits.
pub(super) fn write(f: &mut fmt::Formatter<'_>, micros: u64) -> fmt::Result {
    let moment = i64::try_from(micros).ok().and_then(|m| jiff::Timestamp::from_microsecond(m).ok());
    match moment {
        Some(moment) => write!(f, "{moment}"),
        None => write!(f, "{micros}us"),
    }
}

/// The exchange time of a moment given in whole microseconds.
#[must_use]
pub fn to_exchange(moment: Timestamp) -> ExchangeTime {
    ExchangeTime(moment.0 / 1_000)
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString;

    #[test]
    fn reads_what_the_model_service_writes() {
        for text in ["2022-01-01T03:00:04.706502Z", "2022-01-01T03:00:04.706502", "2022-01-01T04:00:04.706502+01:00"] {
            assert_eq!(parse(text).unwrap().to_string(), "2022-01-01T03:00:04.706502Z", "{text}");
        }
        assert_eq!(parse("2022-01-01T03:00:04Z").unwrap().0 % 1_000_000, 0);
        assert_eq!(parse("yesterday"), None);
        assert_eq!(parse("1969-01-01T00:00:00Z"), None);
    }
}
