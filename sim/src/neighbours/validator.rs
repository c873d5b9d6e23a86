//! Position Manager's validator (wire-contracts.md 1.5.2): it holds its positions against the shared `orders` table
//! and believes the table.

use super::position_manager::{Position, PositionManager, key};
use order_manager_core::rows::{Figure, OrderRow};
use order_manager_core::unit::Decimal;

/// Differences up to here are let be.
const TOLERANCE: Decimal = Decimal::from_parts(1, 0, 0, false, 4);

/// What its query computes from the rows of an asset.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Computed {
    /// Bought less sold.
    pub size: Decimal,
    /// Of all fills of both sides, weighted by quantity.
    pub average_price: Option<Decimal>,
}

/// What it found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Validation {
    /// Position and rows agree, or there is neither.
    Agrees,
    /// They did not: the position was overwritten.
    Overwritten {
        /// What it held, where it held anything.
        stored: Option<Decimal>,
        /// What it holds now.
        computed: Decimal,
    },
}

/// Its query over `orders`: only the literal `Buy` counts as bought, only two statuses count at all.
#[must_use]
pub fn computed<'a>(asset: &str, rows: impl IntoIterator<Item = &'a OrderRow>) -> Computed {
    let (mut size, mut value, mut priced, mut filled) = (Decimal::ZERO, Decimal::ZERO, Decimal::ZERO, Decimal::ZERO);
    let counts = |row: &OrderRow| matches!(row.status_word(), "filled" | "partially_filled");
    for row in rows.into_iter().filter(|row| row.asset.as_str() == asset && counts(row)) {
        let quantity = row.filled_quantity.value();
        size += if row.side_word() == "Buy" { quantity } else { -quantity };
        filled += quantity;
        if let Some(average) = row.average_price {
            value += average.value() * quantity;
            priced += quantity;
        }
    }
    let average_price = if filled > Decimal::ZERO { value.checked_div(priced) } else { None };
    Computed { size, average_price }
}

impl PositionManager {
    /// Holds one asset against the rows.
    pub fn validate<'a>(&mut self, asset: &str, rows: impl IntoIterator<Item = &'a OrderRow>) -> Validation {
        let Computed { size, average_price } = computed(asset, rows);
        let known = self.position(asset);
        let stored = known.map(|position| position.size.value());
        let agrees = stored.map_or(size.is_zero(), |stored| (stored - size).abs() <= TOLERANCE);
        if agrees {
            return Validation::Agrees;
        }
        let was = known.unwrap_or_default();
        let overwritten = Position {
            size: Figure::of(size),
            average_entry_price: average_price.map(Figure::of),
            version: was.version + 1,
            ..was
        };
        self.positions.insert(key(asset, "one-way"), overwritten);
        Validation::Overwritten { stored, computed: size }
    }
}
