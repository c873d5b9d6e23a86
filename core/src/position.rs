//! One-way position arithmetic (bybit-v5.md 9.3): size, entry, realised profit and fees from fills.

use crate::bybit::{ExecutionRow, PositionRow};
use crate::order::Totals;
use crate::unit::{ExchangeTime, Money, Price, Quantity, Side, Span, Symbol};
use alloc::collections::{BTreeMap, VecDeque};
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

    /// Does such a view surely have the fill? Between this and [`Self::is_after`] nothing tells.
    fn is_in(self, row: &PositionRow) -> bool {
        match self.seq {
            Some(last) if row.seq >= last && row.updated.after(Self::SAME) >= self.time => true,
            _ => row.updated > self.time.after(Self::SAME),
        }
    }
}

/// A fill of a symbol, ours or not; or a view that was taken over, which adds nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Seen {
    mark: Mark,
    /// Base units; plus was bought.
    change: Quantity,
    price: Price,
}

impl Seen {
    /// A fill.
    #[must_use]
    pub fn fill(row: &ExecutionRow) -> Self {
        let mark = Mark { time: row.time, seq: row.seq };
        Self { mark, change: row.side.signed(row.quantity), price: row.price }
    }
    /// A view that was taken over, and what the position there cost.
    #[must_use]
    pub fn view(mark: Mark, entry: Option<Price>) -> Self {
        Self { mark, change: Quantity::ZERO, price: entry.unwrap_or_default() }
    }
}

/// How far the fills of a symbol are known, and the latest of them: what a view of the position that is behind lacks.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Trail {
    // As a mark has them: older checkpoints hold nothing else.
    time: ExchangeTime,
    seq: Option<i64>,
    /// By their marks.
    #[serde(default)]
    latest: VecDeque<Seen>,
}

impl Trail {
    /// Fills of one symbol that are kept. A view that is further behind lacks more than we can tell.
    const MAX: usize = 1_024;

    /// Adds a fill, or a view that was taken over.
    pub fn add(&mut self, seen: Seen) {
        Mark { time: self.time, seq: self.seq } = seen.mark.max(self.last());
        let place = self.latest.partition_point(|known| known.mark <= seen.mark);
        self.latest.insert(place, seen);
        if self.latest.len() > Self::MAX {
            self.latest.pop_front();
        }
    }

    /// Forgets the fills from before then, but for how far they are known.
    pub fn forget(&mut self, before: ExchangeTime) {
        self.latest.retain(|seen| seen.mark.time >= before);
    }

    /// The last fill.
    #[must_use]
    pub const fn last(&self) -> Mark {
        Mark { time: self.time, seq: self.seq }
    }

    /// The dearest fill that a view of the position need not have; without a view, of all that are kept.
    #[must_use]
    pub fn dearest_not_in(&self, view: Option<&PositionRow>) -> Option<Price> {
        let hidden = self.latest.iter().filter(|seen| view.is_none_or(|row| !seen.mark.is_in(row)));
        hidden.map(|seen| seen.price).max()
    }

    /// What the exchange holds at least and at most by this view and the fills since. Nothing where the figures overflow.
    #[must_use]
    pub fn since(&self, view: &PositionRow) -> Option<(Quantity, Quantity)> {
        let mut hidden = self.latest.iter().filter(|seen| !seen.mark.is_in(view));
        hidden.try_fold((view.signed_size(), view.signed_size()), |(least, most), seen| {
            let surely = seen.mark.is_after(view.seq, view.updated);
            let (down, up) = (seen.change.min(Quantity::ZERO), seen.change.max(Quantity::ZERO));
            let (less, more) = if surely { (seen.change, seen.change) } else { (down, up) };
            Some((least.plus(less)?, most.plus(more)?))
        })
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
    use alloc::vec::Vec;
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
        /// A position moves by fills, some without a sequence and several of one moment; views of it are taken on the way. In
        /// whatever order we hear of the fills, any of these views and what it lacks come to what is held, and to what it
        /// may have cost.
        #[test]
        fn k1_a_view_and_the_fills_since_come_to_what_is_held(
            fills in proptest::collection::vec((0u32..3, -50i32..50, 1u32..50, any::<proptest::sample::Index>()), 1..60),
            seqs in 0u8..3,
            view in any::<proptest::sample::Index>(),
        ) {
            let (mut now, mut held, mut heard, mut views) = (0, Quantity::ZERO, Vec::new(), alloc::vec![flat()]);
            for (turn, (pause, change, price, place)) in (1..).zip(fills) {
                now = u64::from(pause).saturating_mul(700).saturating_add(now);
                let seq = (seqs == 0 || (seqs == 1 && turn % 2 == 0)).then_some(turn);
                let change = Quantity(change.into());
                held = held.plus(change).unwrap();
                let side = if held.is_positive() { Side::Buy } else { Side::Sell };
                let view = PositionRow { seq: turn, updated: ExchangeTime(now), size: held.abs(), ..flat() };
                views.push(PositionRow { side: (!held.is_zero()).then_some(side), ..view });
                let mark = Mark { time: ExchangeTime(now), seq };
                heard.insert(place.index(heard.len().saturating_add(1)), (turn, Seen { mark, change, price: Price(price.into()) }));
            }
            let mut trail = Trail::default();
            heard.iter().for_each(|(_, seen)| trail.add(*seen));
            prop_assert_eq!(trail.last(), heard.iter().map(|(_, seen)| seen.mark).max().unwrap());
            let view = view.get(&views);
            let (least, most) = trail.since(view).unwrap();
            prop_assert!(least <= held && held <= most, "{} <= {} <= {}", least, held, most);
            prop_assert!(seqs > 0 || least == most);
            let since = heard.iter().filter(|(turn, _)| *turn > view.seq).map(|(_, seen)| seen.price).max();
            prop_assert!(trail.dearest_not_in(Some(view)) >= since);
            prop_assert!(seqs > 0 || trail.dearest_not_in(Some(view)) == since);
            prop_assert_eq!(trail.dearest_not_in(None), heard.iter().map(|(_, seen)| seen.price).max());
            trail.forget(ExchangeTime(u64::MAX));
            prop_assert_eq!(trail.since(view), Some((view.signed_size(), view.signed_size())));
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
