//! What kind of storm it is.

use crate::exchange::{ExchangeConfig, Liquidity};
use order_manager_core::unit::{Decimal, Quantity};

/// How much happens in a storm, and what may.
#[derive(Clone, Copy, Debug)]
pub struct Weather {
    /// Least and most things that happen before it heals.
    pub acts: (u64, u64),
    /// May a configuration allow short positions?
    pub shorts: bool,
    /// Does anybody trade by hand?
    pub manual: bool,
    /// Limit of every position, base units.
    pub position_max: Quantity,
    /// Limits of the exposure, quote units.
    pub exposures: &'static [i64],
    /// How often, of a thousand signals that are no exits, one sells.
    pub sells: u32,
    /// The books at the start.
    pub liquidity: Liquidity,
    /// What else a book may hold at its best price, thousandths; nothing stands behind that.
    pub depths: &'static [i64],
    /// How often, of a thousand moves of the price, it only just reaches an order of ours.
    pub touches: u32,
}

impl Weather {
    /// A bit of everything. The limit of a position is so small that the storm meets it.
    #[must_use]
    pub fn mixed() -> Self {
        Self {
            acts: (5, 60),
            shorts: true,
            manual: true,
            position_max: Quantity(Decimal::new(3, 2)),
            exposures: &[10_000, 1_500, 100_000],
            sells: 450,
            liquidity: ExchangeConfig::default().liquidity,
            depths: &[1_000_000_000, 4, 0, 9],
            touches: 0,
        }
    }

    /// Long storms over thin books, in which most orders fill in parts. Nobody sells short: Position Manager
    /// cannot hold a short position of two fills (wire-contracts.md 1.5.1, N7).
    #[must_use]
    pub fn thin() -> Self {
        let thousandths = |n| Quantity(Decimal::new(n, 3));
        Self {
            acts: (60, 160),
            shorts: false,
            manual: false,
            position_max: thousandths(10_000),
            exposures: &[100_000],
            sells: 300,
            liquidity: Liquidity { best: thousandths(3), level: thousandths(4), level_ticks: 7, touch: thousandths(2) },
            depths: &[4, 9, 2, 0],
            touches: 600,
        }
    }
}
