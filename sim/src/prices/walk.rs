//! A random walk in minute bars, for worlds that have no price file.

use super::{BAR, Bar};
use crate::choice::Choices;
use order_manager_core::unit::{Decimal, Price, Quantity, Timestamp};

/// Steps inside one minute.
const STEPS: u64 = 6;

/// `minutes` bars from `start` on (the first ends a minute later), beginning at `first`, on multiples of
/// `tick`. One step moves at most 1/2000 of the price, which makes about 2.5 % a day, as bitcoin does.
///
/// The walk stays above 1,000 ticks: nothing trades at zero.
#[must_use]
pub fn walk(seed: u64, start: Timestamp, minutes: u64, first: Price, tick: Price) -> Vec<Bar> {
    let mut choices = Choices::seeded(seed);
    let mut ticks = ticks_of(first, tick).max(FLOOR);
    (1..=minutes)
        .map(|minute| {
            let open = ticks;
            let (mut high, mut low) = (open, open);
            for _ in 0..STEPS {
                let reach = (ticks / 2_000).max(1);
                let drawn = choices.between("walk-step", 0, 2 * reach);
                ticks = (ticks + drawn).saturating_sub(reach).max(FLOOR);
                high = high.max(ticks);
                low = low.min(ticks);
            }
            let [open, high, low, close] = [open, high, low, ticks].map(|n| Price(tick.0 * Decimal::from(n)));
            Bar { end: start.after(BAR.times(minute)), open, high, low, close, volume: volume(&mut choices) }
        })
        .collect()
}

const FLOOR: u64 = 1_000;

/// The price in whole ticks, down. A tick of zero or a price beyond 2^64 ticks counts as the floor.
fn ticks_of(price: Price, tick: Price) -> u64 {
    let ticks = price.0.checked_div(tick.0).map(|t| t.trunc().mantissa());
    ticks.and_then(|t| u64::try_from(t).ok()).unwrap_or(FLOOR)
}

/// Between nothing and some millions, four decimals, mostly small: the product of two draws.
fn volume(choices: &mut Choices) -> Quantity {
    let product = choices.between("walk-volume", 1, 150_000) * choices.between("walk-volume", 1, 150_000);
    Quantity(Decimal::from_i128_with_scale(i128::from(product), 4))
}

#[cfg(test)]
mod tests {
    use super::*;
    use order_manager_core::unit::decimal;
    use proptest::prelude::*;

    const TICK: &str = "0.1";

    fn price(text: &str) -> Price {
        Price(decimal::parse(text).unwrap())
    }

    proptest! {
        #[test]
        fn a_walk_is_a_chain_of_sound_bars(seed: u64, first in 1_i64..200_000) {
            let start = Timestamp(1_704_067_200_000_000);
            let bars = walk(seed, start, 200, Price(Decimal::from(first)), price(TICK));
            prop_assert_eq!(bars.len(), 200);
            prop_assert_eq!(bars[0].end, start.after(BAR));
            for pair in bars.windows(2) {
                prop_assert_eq!(pair[0].close, pair[1].open);
                prop_assert_eq!(pair[1].end.since(pair[0].end), BAR);
            }
            for bar in bars {
                prop_assert!(bar.low.is_positive() && bar.low <= bar.open.min(bar.close));
                prop_assert!(bar.high >= bar.open.max(bar.close));
                for p in [bar.open, bar.high, bar.low, bar.close] {
                    prop_assert_eq!(p.floor_to(price(TICK)), Some(p));
                }
            }
        }
    }

    #[test]
    fn a_seed_is_a_walk() {
        let go = |seed| walk(seed, Timestamp(0), 1_440, price("50000"), price(TICK));
        assert_eq!(go(1), go(1));
        assert_ne!(go(1), go(2));
        assert_eq!(go(1)[0].open, price("50000"));
        // A day moves by percents: neither a flat line nor a crash.
        let widest = |bars: &[Bar]| bars.iter().map(|b| b.high).max().unwrap().drift_to(bars[0].open).unwrap();
        let moved: Vec<_> = (1..20).map(|seed| widest(&go(seed)).0).collect();
        assert!(moved.iter().any(|m| *m > decimal::parse("0.01").unwrap()), "{moved:?}");
        assert!(moved.iter().all(|m| *m < decimal::parse("0.2").unwrap()), "{moved:?}");
    }
}
