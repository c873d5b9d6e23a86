//! Prices over time: minute bars from a file or from a seed, and the points that a bar passes through.

mod csv;
mod walk;

pub use csv::{PriceFileError, parse_bars, read_bars, write_bars};
pub use walk::walk;

use crate::choice::mix;
use order_manager_core::unit::{Price, Quantity, Span, Timestamp};

/// Length of a bar.
pub const BAR: Span = Span::secs(60);

/// One minute of trading. `low <= open, close <= high`, all above zero.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bar {
    /// The END of the minute, as the price files write it.
    pub end: Timestamp,
    /// First price.
    pub open: Price,
    /// Highest price.
    pub high: Price,
    /// Lowest price.
    pub low: Price,
    /// Last price.
    pub close: Price,
    /// What was traded, in the file's own unit; matching does not read it.
    pub volume: Quantity,
}

/// The price of one moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PricePoint {
    /// When the price becomes this.
    pub at: Timestamp,
    /// Price of the last trade.
    pub price: Price,
}

/// When, after a bar's start, each of its four prices comes. All lie inside (start, end], so that the
/// points of neighbouring bars never meet and a close stands when its bar ends.
const OFFSETS: [Span; 4] = [Span::millis(1), Span::secs(15), Span::secs(30), Span::millis(59_999)];

/// The points of all bars in order, four a bar: open, low, high, close or open, high, low, close. Which of
/// the two is a function of the seed and of the bar alone, so that a run may begin at any bar.
pub fn points(bars: &[Bar], seed: u64) -> impl Iterator<Item = PricePoint> + '_ {
    bars.iter().flat_map(move |bar| {
        let start = bar.end.0.saturating_sub(BAR.0);
        let [second, third] = if low_first(seed, bar.end) { [bar.low, bar.high] } else { [bar.high, bar.low] };
        let prices = [bar.open, second, third, bar.close];
        OFFSETS
            .into_iter()
            .zip(prices)
            .map(move |(offset, price)| PricePoint { at: Timestamp(start).after(offset), price })
    })
}

/// One even bit of the seed and the moment.
const fn low_first(seed: u64, end: Timestamp) -> bool {
    mix(seed ^ end.0.wrapping_mul(0x9e37_79b9_7f4a_7c15)) & 1 == 0
}

#[cfg(test)]
mod tests {
    use super::*;
    use order_manager_core::unit::Decimal;
    use proptest::prelude::*;

    fn price(n: i64) -> Price {
        Price(Decimal::from(n))
    }

    fn bar(end_s: u64) -> Bar {
        Bar {
            end: Timestamp(end_s * 1_000_000),
            open: price(10),
            high: price(12),
            low: price(9),
            close: price(11),
            volume: Quantity::ZERO,
        }
    }

    #[test]
    fn a_bar_ends_at_its_timestamp() {
        let seen: Vec<(u64, String)> = points(&[bar(120)], 1).map(|p| (p.at.0 / 1_000, p.price.to_string())).collect();
        let times: Vec<u64> = seen.iter().map(|(at, _)| *at).collect();
        assert_eq!(times, [60_001, 75_000, 90_000, 119_999]);
        assert_eq!((seen[0].1.as_str(), seen[3].1.as_str()), ("10", "11"));
    }

    #[test]
    fn low_and_high_come_first_about_as_often() {
        let bars: Vec<Bar> = (1..1_000).map(|minute| bar(minute * 60)).collect();
        let low = |seed| points(&bars, seed).skip(1).step_by(4).filter(|p| p.price == price(9)).count();
        assert!((450..550).contains(&low(1)), "{}", low(1));
        let orders = |seed| points(&bars, seed).map(|p| p.price).collect::<Vec<_>>();
        assert_ne!(orders(1), orders(2));
    }

    proptest! {
        #[test]
        fn points_go_forward_inside_their_bar(seed: u64, gaps in proptest::collection::vec(1_u64..4, 1..50)) {
            let mut end = 1_000_000_020;
            let bars: Vec<Bar> = gaps.iter().map(|gap| { end += gap * 60; bar(end) }).collect();
            let all: Vec<PricePoint> = points(&bars, seed).collect();
            prop_assert_eq!(all.len(), bars.len() * 4);
            prop_assert!(all.windows(2).all(|w| w[0].at < w[1].at));
            for (bar, four) in bars.iter().zip(all.chunks(4)) {
                prop_assert!(four.iter().all(|p| p.at.0 > bar.end.0 - BAR.0 && p.at <= bar.end));
                prop_assert!(four.iter().any(|p| p.price == bar.low) && four.iter().any(|p| p.price == bar.high));
                prop_assert_eq!(four[3].price, bar.close);
            }
            // A run that begins at a later bar sees the same points.
            prop_assert_eq!(points(&bars[1..], seed).collect::<Vec<_>>(), &all[4..]);
        }
    }
}
