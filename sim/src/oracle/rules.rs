//! Orders against the rules of their instrument, which may change: an order is held to those that could be known when
//! it was decided. Rules that changed are known when the instrument is asked for again, a day later at most (K2).

use super::bench::{Scene, Verdict};
use order_manager_core::bybit::{Create, InstrumentRow, OrderKind};
use order_manager_core::unit::{Category, Decimal, Span, Symbol, Timestamp};
use std::collections::BTreeMap;

/// When an instrument was last asked for, and when the answer came: true time. The answer is of a moment in between.
pub(super) type RulesRead = (Timestamp, Timestamp);

/// The rules that each instrument has had, and since when. Empty where they never changed.
#[derive(Clone, Debug, Default)]
pub(super) struct Rules {
    past: BTreeMap<Symbol, Vec<(Timestamp, InstrumentRow)>>,
    /// How far what is shown of them was behind, at most.
    lag: Span,
}

impl Rules {
    /// Rules may have changed.
    pub(super) fn look(&mut self, scene: Scene<'_>) {
        self.lag = self.lag.max(scene.exchange.instruments_lag());
        let linear = scene.exchange.config().instruments.iter().filter(|of| of.category == Category::Linear);
        for first in linear {
            let Some(now) = scene.exchange.rules(first.symbol) else { continue };
            let past = self.past.entry(first.symbol).or_insert_with(|| vec![(Timestamp::default(), first.rules())]);
            if past.last().is_none_or(|(_, last)| last != now) {
                past.push((scene.now, *now));
            }
        }
    }

    /// The rules of an instrument that has had no others.
    pub(super) fn only<'a>(&self, scene: Scene<'a>, symbol: Symbol) -> Option<&'a InstrumentRow> {
        let had_others = self.past.get(&symbol).is_some_and(|past| past.len() > 1);
        scene.exchange.rules(symbol).filter(|_| !had_others)
    }

    /// Is this order a multiple of the steps that a reading of its instrument can have shown?
    pub(super) fn well_formed(&self, scene: Scene<'_>, create: &Create, read: Option<RulesRead>) -> Verdict {
        let Some(now) = scene.exchange.rules(create.symbol) else {
            return Err(format!("{} is not listed: {create:?}", create.symbol));
        };
        let Some(past) = self.past.get(&create.symbol) else { return fits(create, now) };
        let Some((asked, answered)) = read else {
            return Err(format!("{} is decided, and its instrument was never asked for", create.link));
        };
        let ends = past.iter().skip(1).map(|(since, _)| Some(*since)).chain([None]);
        let shown = past
            .iter()
            .zip(ends)
            .filter(|((since, _), end)| *since <= answered && end.is_none_or(|end| end.after(self.lag) > asked));
        let mut verdict = None;
        for ((_, rules), _) in shown {
            let fits = fits(create, rules);
            if fits.is_ok() {
                return fits;
            }
            verdict = Some(fits);
        }
        verdict.unwrap_or_else(|| Err(format!("{} had no rules", create.symbol)))
    }
}

fn fits(create: &Create, rules: &InstrumentRow) -> Verdict {
    let off = |value: Decimal, step: Decimal| value <= Decimal::ZERO || !(value % step).is_zero();
    let (max, price) = match create.kind {
        OrderKind::Limit { price, .. } => (rules.max_limit_quantity, Some(price)),
        OrderKind::Market { .. } => (rules.max_market_quantity, None),
    };
    let quantity = create.quantity;
    if !rules.trading {
        return Err(format!("{} is not traded", create.symbol));
    }
    if off(quantity.0, rules.quantity_step.0) || quantity < rules.min_quantity || quantity > max {
        return Err(format!("{quantity} {} is off step {}", create.symbol, rules.quantity_step));
    }
    match price {
        Some(price) if off(price.0, rules.tick_size.0) => Err(format!("{price} is off tick {}", rules.tick_size)),
        _ => Ok(()),
    }
}
