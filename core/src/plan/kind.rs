//! Market or limit (spec D4).

use super::Scene;
use crate::config::SpreadUnit;
use crate::unit::{Decimal, Price, Ratio};

/// Does the signal go to the market? Its confidence is above the threshold, or it says that it is urgent, or
/// the spread is below the threshold. A missing spread says nothing, so it is a limit. An order that is priced
/// anew stays the limit that it was.
pub(super) fn is_market(scene: &Scene<'_>) -> bool {
    let (signal, config) = (scene.signal, scene.config);
    if scene.reprice > 0 {
        return false;
    }
    signal.confidence > config.market_order_confidence_threshold
        || signal.urgent
        || spread_percent(scene).is_some_and(|spread| spread < config.market_order_spread_threshold)
}

/// The signal's spread in percent of its price.
fn spread_percent(scene: &Scene<'_>) -> Option<Ratio> {
    let spread = scene.signal.snapshot.spread?;
    match scene.config.spread_unit {
        SpreadUnit::Percent => Some(Ratio(spread.0)),
        SpreadUnit::Absolute => {
            let share = spread.0.checked_div(scene.signal_price().0)?;
            share.checked_mul(Decimal::ONE_HUNDRED).map(Ratio)
        }
    }
}

/// The signal's spread as a difference of prices; nothing where it has none.
pub(super) fn spread_absolute(scene: &Scene<'_>) -> Option<Price> {
    let spread = scene.signal.snapshot.spread?;
    match scene.config.spread_unit {
        SpreadUnit::Absolute => Some(spread),
        SpreadUnit::Percent => {
            let share = spread.0.checked_div(Decimal::ONE_HUNDRED)?;
            scene.signal_price().0.checked_mul(share).map(Price)
        }
    }
}
