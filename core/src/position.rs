//! One-way position arithmetic (bybit-v5.md 9.3): size, entry, realised profit and fees from fills.

use crate::bybit::PositionRow;
use crate::order::Totals;
use crate::unit::{ExchangeTime, Money, Price, Quantity, Side, Span, Symbol};
use alloc::collections::BTreeMap;
use alloc::vec::Vec;
use serde::{Deserialize, Serialize};

/// The position of one symbol. Entry values are summed, not averaged: all profits together are all exits
/// minus all entries, to the last digit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Position {
    /// Base units; plus is long.
    pub size: Quantity,
    /// What the size cost to enter, without sign.
    pub entry_value: Money,
    /// Realised profit without fees, all time.
    pub realised: Money,
    /// Fees paid, all time.
    pub fees: Money,
    /// The exchange's word was taken for it as of this moment: fills up to it are in it. Zero: it never was.
    pub adopted: ExchangeTime,
}

/// How far the fills of a symbol are known, ours and those of others: a view of its position from before them is the
/// past. The later one counts; of one moment the one with the later match.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Mark {
    /// When the last fill was made.
    pub time: ExchangeTime,
    /// Its cross sequence, where it bore one.
    pub seq: Option<i64>,
}

impl Mark {
    /// A position and the fill that moved it bear the same time, give or take.
    pub const SAME: Span = Span::secs(1);

    /// Is a view of the position, of this cross sequence and last changed then, from before the fill? The sequence
    /// tells, to the fill; where there is none, or it has begun anew, the time does.
    #[must_use]
    pub fn is_after(self, seq: i64, updated: ExchangeTime) -> bool {
        match self.seq {
            Some(last) => seq < last && updated <= self.time.after(Self::SAME),
            None => updated.after(Self::SAME) < self.time,
        }
    }

    /// Does such a view surely have the fill?
    fn is_in(self, row: &PositionRow) -> bool {
        match self.seq {
            Some(_) => !self.is_after(row.seq, row.updated),
            None => row.updated > self.time.after(Self::SAME),
        }
    }
}

/// The last fill of a symbol, and of those before it each that was dearer than all that came after: enough to tell the
/// dearest fill since any view of the position.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Trail {
    time: ExchangeTime,
    seq: Option<i64>,
    /// From the oldest and dearest on; of the last fill too.
    #[serde(default)]
    dear: Vec<(Mark, Price)>,
}

impl Trail {
    /// With more, the oldest counts as if it were as late as the one after it: dearer than it need be, never cheaper.
    const MAX: usize = 16;

    /// Adds a fill, or a view that was taken over.
    pub fn add(&mut self, mark: Mark, price: Price) {
        Mark { time: self.time, seq: self.seq } = mark.max(self.last());
        let place = self.dear.partition_point(|(known, _)| *known < mark);
        if self.dear.get(place..).is_some_and(|later| later.iter().any(|(_, known)| *known >= price)) {
            return;
        }
        self.dear.retain(|(known, at)| *known > mark || *at > price);
        let place = self.dear.partition_point(|(known, _)| *known < mark);
        self.dear.insert(place, (mark, price));
        if self.dear.len() > Self::MAX {
            let (_, dearest) = self.dear.remove(0);
            self.dear.iter_mut().take(1).for_each(|(_, price)| *price = dearest);
        }
    }

    /// The last fill.
    #[must_use]
    pub const fn last(&self) -> Mark {
        Mark { time: self.time, seq: self.seq }
    }

    /// The dearest fill that a view of the position need not have; without a view, of all.
    #[must_use]
    pub fn dearest_not_in(&self, view: Option<&PositionRow>) -> Option<Price> {
        let hidden = self.dear.iter().filter(|(mark, _)| view.is_none_or(|row| !mark.is_in(row)));
        hidden.map(|(_, price)| *price).max()
    }
}

/// Books fills of one side. False where a figure leaves a decimal's range; then nothing is booked.
#[must_use]
pub fn book(positions: &mut BTreeMap<Symbol, Position>, symbol: Symbol, side: Side, fills: Totals) -> bool {
    let position = positions.entry(symbol).or_default();
    match position.after(side, fills) {
        Some(next) => {
            *position = next;
            true
        }
        None => false,
    }
}

/// Takes the exchange's word for a symbol's position: what executions do not explain (spec T4).
pub fn adopt(
    positions: &mut BTreeMap<Symbol, Position>,
    symbol: Symbol,
    size: Quantity,
    entry: Option<Price>,
    as_of: ExchangeTime,
) {
    let position = positions.entry(symbol).or_default();
    let entry_value = entry.and_then(|entry| entry.times(size.abs())).unwrap_or_default();
    *position = Position { size, entry_value, adopted: as_of, ..*position };
}

impl Position {
    /// Average entry price; none when flat.
    #[must_use]
    pub fn entry(&self) -> Option<Price> {
        if self.size.is_zero() { None } else { self.entry_value.per(self.size.abs()) }
    }

    /// This position after fills of one side. Nothing where a figure leaves a decimal's range.
    #[must_use]
    pub fn after(&self, side: Side, fills: Totals) -> Option<Self> {
        let change = side.signed(fills.quantity);
        let size = self.size.plus(change)?;
        let fees = self.fees.plus(fills.fee)?;
        let held = self.size.abs();
        if self.size.is_zero() || self.size.is_positive() == change.is_positive() {
            let entry_value = self.entry_value.plus(fills.value)?;
            return Some(Self { size, entry_value, fees, ..*self });
        }
        let closed = fills.quantity.min(held);
        let exit_value = share(fills.value, closed, fills.quantity)?;
        let cost = share(self.entry_value, closed, held)?;
        let gain = if self.size.is_positive() { exit_value.minus(cost)? } else { cost.minus(exit_value)? };
        // What did not close has opened the other way.
        let entry_value = self.entry_value.minus(cost)?.plus(fills.value.minus(exit_value)?)?;
        Some(Self { size, entry_value, realised: self.realised.plus(gain)?, fees, ..*self })
    }
}

/// `part / whole` of `value`; exactly `value` where they are equal.
fn share(value: Money, part: Quantity, whole: Quantity) -> Option<Money> {
    if part == whole { Some(value) } else { value.0.checked_mul(part.0)?.checked_div(whole.0).map(Money) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::unit::{Decimal, decimal};
    use proptest::prelude::*;

    fn d(text: &str) -> Decimal {
        decimal::parse(text).unwrap()
    }

    #[test]
    fn t4_a_view_from_before_the_last_fill_is_the_past() {
        let at = |ms: u64| ExchangeTime(1_704_067_200_000 + ms);
        let marks = [(5_000, Some(7)), (4_000, Some(6)), (5_000, Some(6)), (5_000, None)];
        let mark = marks.map(|(ms, seq)| Mark { time: at(ms), seq }).into_iter().max().unwrap();
        assert_eq!(mark, Mark { time: at(5_000), seq: Some(7) });
        assert!(mark.is_after(6, at(4_999)) && mark.is_after(-1, ExchangeTime(0)));
        assert!(!mark.is_after(7, at(5_000)) && !mark.is_after(8, at(5_001)));
        assert!(!mark.is_after(3, at(7_000)), "the exchange counts anew");
        let timed = Mark { seq: None, ..mark };
        assert!(timed.is_after(9, at(3_999)) && !timed.is_after(1, at(4_000)));
    }

    proptest! {
        /// However the fills come in, a trail tells of any view what walking through all of them tells; cut short it may tell
        /// more, never less.
        #[test]
        fn k1_a_trail_knows_the_dearest_fill_since_any_view(
            fills in proptest::collection::vec((0u32..60, 1u32..50), 0..60),
            has_seq in any::<bool>(),
            shown in 0u32..60,
        ) {
            let at = |half_seconds: u32| ExchangeTime(u64::from(half_seconds) * 500);
            let mark = |turn: u32| Mark { time: at(turn), seq: has_seq.then_some(turn.into()) };
            let fills = fills.into_iter().map(|(turn, price)| (mark(turn), Price(Decimal::from(price))));
            let mut trail = Trail::default();
            fills.clone().for_each(|(mark, price)| trail.add(mark, price));
            prop_assert_eq!(trail.last(), fills.clone().map(|(mark, _)| mark).max().unwrap_or_default());
            let view = PositionRow { seq: shown.into(), updated: at(shown), ..flat() };
            let dearest = |view: Option<&PositionRow>| {
                let hidden = fills.clone().filter(|(mark, _)| view.is_none_or(|view| !mark.is_in(view)));
                hidden.map(|(_, price)| price).max()
            };
            prop_assert!(trail.dear.len() <= Trail::MAX);
            prop_assert_eq!(trail.dearest_not_in(None), dearest(None));
            prop_assert!(trail.dearest_not_in(Some(&view)) >= dearest(Some(&view)));
            if trail.dear.len() < Trail::MAX {
                prop_assert_eq!(trail.dearest_not_in(Some(&view)), dearest(Some(&view)));
            }
        }
    }

    fn flat() -> PositionRow {
        PositionRow {
            symbol: Symbol::new("BTCUSDT").unwrap(),
            position_idx: 0,
            side: None,
            size: Quantity::ZERO,
            average_price: None,
            leverage: None,
            unrealised_pnl: None,
            seq: -1,
            updated: ExchangeTime(0),
        }
    }

    #[test]
    fn the_worked_example_of_bybit_9_3() {
        let steps = [
            (Side::Buy, "60000", "0.3", "9.90", "0.3", "60000", "0"),
            (Side::Buy, "61000", "0.1", "1.22", "0.4", "60250", "0"),
            (Side::Sell, "62000", "0.15", "5.115", "0.25", "60250", "262.5"),
            (Side::Sell, "59000", "0.4", "12.98", "-0.15", "59000", "-50"),
        ];
        let mut position = Position::default();
        for (side, price, quantity, fee, size, entry, realised) in steps {
            let quantity = Quantity(d(quantity));
            let fills = Totals { quantity, value: Price(d(price)).times(quantity).unwrap(), fee: Money(d(fee)) };
            position = position.after(side, fills).unwrap();
            assert_eq!((position.size.0, position.realised.0), (d(size), d(realised)));
            assert_eq!(position.entry().unwrap().0, d(entry));
        }
        assert_eq!(position.fees.0, d("29.215"));
    }
}
