//! Figures and moments as the shared tables hold them (wire-contracts.md 4, 5).

use crate::unit::{Decimal, Timestamp};
use alloc::string::String;
use core::fmt;
use rust_decimal::RoundingStrategy;
use serde::{Deserialize, Serialize};

/// A value of a NUMERIC(20,8) column: 8 decimals, below 10^12. Written with all its decimals, as PostgreSQL does.
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Figure(#[serde(with = "crate::unit::decimal")] Decimal);

/// 10^12 - 10^-8: the largest value of the column.
const MOST: Decimal = Decimal::from_parts(0x630f_ffff, 0x6bc7_5e2d, 5, false, 8);

impl Figure {
    /// Nothing.
    pub const ZERO: Self = Self(Decimal::ZERO);
    /// 0.00000001: stands where a row must have a value above zero and there is none (spec S4).
    pub const LEAST: Self = Self(Decimal::from_parts(1, 0, 0, false, 8));

    /// Rounded as the column rounds. What the column cannot hold becomes the most that it can: a row is for
    /// readers, the exact value stays in our own tables and in the journal.
    #[must_use]
    pub fn of(value: Decimal) -> Self {
        let most = Decimal::ZERO.checked_sub(MOST).unwrap_or_default();
        let rounded = value.round_dp_with_strategy(8, RoundingStrategy::MidpointAwayFromZero);
        Self(rounded.clamp(most, MOST))
    }

    /// The same, but nothing where the column would hold no value above zero.
    #[must_use]
    pub fn positive(value: Decimal) -> Option<Self> {
        let figure = Self::of(value);
        (figure > Self::ZERO).then_some(figure)
    }

    /// The value.
    #[must_use]
    pub const fn value(self) -> Decimal {
        self.0
    }
}

impl fmt::Display for Figure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:.8}", self.0)
    }
}
impl fmt::Debug for Figure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// A moment as a TIMESTAMP column shows it: naive UTC, always six decimals, so that texts sort as moments do.
#[must_use]
pub fn moment(at: Timestamp) -> String {
    let micros = i64::try_from(at.0).ok().and_then(|micros| jiff::Timestamp::from_microsecond(micros).ok());
    let civil = jiff::tz::Offset::UTC.to_datetime(micros.unwrap_or(jiff::Timestamp::MAX));
    alloc::format!(
        "{:04}-{:02}-{:02} {:02}:{:02}:{:02}.{:06}",
        civil.year(),
        civil.month(),
        civil.day(),
        civil.hour(),
        civil.minute(),
        civil.second(),
        civil.subsec_nanosecond() / 1_000
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::unit::decimal;
    use alloc::string::ToString;

    #[test]
    fn a_figure_is_what_numeric_20_8_holds() {
        let of = |text: &str| Figure::of(decimal::parse(text).unwrap()).to_string();
        assert_eq!(of("2"), "2.00000000");
        assert_eq!(of("-0.000000005"), "-0.00000001");
        assert_eq!(of("0.123456784999"), "0.12345678");
        assert_eq!(of("999999999999.999999994"), "999999999999.99999999");
        assert_eq!(of("1e20"), "999999999999.99999999");
        assert_eq!(of("-1e20"), "-999999999999.99999999");
        assert_eq!(Figure::positive(decimal::parse("0.000000004").unwrap()), None);
        assert_eq!(Figure::LEAST.to_string(), "0.00000001");
    }

    #[test]
    fn moments_sort_as_texts_do() {
        assert_eq!(moment(Timestamp(1_641_006_005_000_000)), "2022-01-01 03:00:05.000000");
        assert_eq!(moment(Timestamp(1_641_006_005_000_007)), "2022-01-01 03:00:05.000007");
        assert!(moment(Timestamp(u64::MAX)) > moment(Timestamp(1_641_006_005_000_000)));
    }
}
