//! Where the market's prices come from, in real time.

use super::hub::Hub;
use crate::choice::Choices;
use crate::prices::{Bar, points};
use order_manager_core::unit::{Decimal, Price, Symbol};
use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

/// Where prices come from. Prices that are set from outside hold until the next one from here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Prices {
    /// Only from outside.
    Still,
    /// Every symbol walks at random, about 2.5 % a day at a step every 250 ms.
    Walk {
        /// Time between two steps.
        every: Duration,
    },
    /// One symbol goes through these bars from the first on, four prices a bar, and stands still after the last.
    Bars {
        /// Which.
        symbol: Symbol,
        /// In order.
        bars: Vec<Bar>,
        /// So many times faster than they were.
        speed: NonZeroU32,
    },
}

impl Default for Prices {
    fn default() -> Self {
        Self::Walk { every: Duration::from_millis(250) }
    }
}

impl Prices {
    /// The first price, before anybody can ask for one.
    pub(super) fn set_first(&self, hub: &Hub) {
        if let Self::Bars { symbol, bars, .. } = self
            && let Some(bar) = bars.first()
        {
            hub.with(|state, now| state.exchange.set_price(now, *symbol, bar.open));
        }
    }
}

/// Moves the prices until there are no more.
pub(super) async fn feed(hub: Arc<Hub>, prices: Prices, seed: u64) {
    match prices {
        Prices::Still => {}
        Prices::Walk { every } => walk(&hub, every, seed).await,
        Prices::Bars { symbol, bars, speed } => {
            let mut previous = None;
            for point in points(&bars, seed) {
                let gap = previous.map_or(Duration::ZERO, |at| Duration::from_micros(point.at.since(at).0));
                tokio::time::sleep(gap / speed.get()).await;
                hub.with(|state, now| state.exchange.set_price(now, symbol, point.price));
                previous = Some(point.at);
            }
        }
    }
}

async fn walk(hub: &Hub, every: Duration, seed: u64) {
    let mut choices = Choices::seeded(seed);
    loop {
        tokio::time::sleep(every).await;
        hub.with(|state, now| {
            let instruments = state.exchange.config().instruments.clone();
            for instrument in instruments {
                let Some(last) = state.exchange.last_price(instrument.symbol) else { continue };
                let next = step(&mut choices, last, instrument.tick_size);
                state.exchange.set_price(now, instrument.symbol, next);
            }
        });
    }
}

/// At most 1/12,500 of the price up or down, on tick, never below 1,000 ticks.
fn step(choices: &mut Choices, last: Price, tick: Price) -> Price {
    let ticks = last.0.checked_div(tick.0).and_then(|ticks| u64::try_from(ticks.trunc().mantissa()).ok());
    let Some(ticks) = ticks else { return last };
    let reach = (ticks / 12_500).max(1);
    let drawn = choices.between("served-walk-step", 0, 2 * reach);
    let ticks = (ticks + drawn).saturating_sub(reach).max(1_000);
    Price(tick.0 * Decimal::from(ticks))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_walk_of_a_day_moves_by_percents_on_tick() {
        let (mut choices, tick) = (Choices::seeded(3), Price(Decimal::new(1, 1)));
        let start = Decimal::from(60_000);
        let mut price = Price(start);
        let mut widest = Decimal::ZERO;
        for _ in 0..345_600 {
            price = step(&mut choices, price, tick);
            widest = widest.max((price.0 - start).abs());
        }
        assert_eq!(price.floor_to(tick), Some(price));
        assert!(widest > Decimal::from(300) && widest < Decimal::from(9_000), "{widest}");
    }
}
