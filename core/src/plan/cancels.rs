//! Which open orders make way (spec D2).

use super::{Existing, Scene};
use crate::config::ExistingOrderPolicy;
use crate::unit::Side;

/// Does `order` make way for the signal's order?
///
/// The other side's always. Of the same side: all of them, or with `CANCEL_OPPOSITE_ORDERS_ONLY` none but the
/// resting limits that a market order or an exit overtakes. `CANCEL_PARTIALLY_FILLED=false` keeps what is left of
/// a partly filled order of the same side, from a market order too, but never from an exit.
pub(super) fn makes_way(order: &Existing, scene: &Scene<'_>, is_market: bool) -> bool {
    let (signal, config) = (scene.signal, scene.config);
    if order.side != signal.side {
        return true;
    }
    if order.filled && !config.cancel_partially_filled && !signal.is_exit {
        return false;
    }
    let overtaken = order.is_limit && (is_market || signal.is_exit);
    match config.existing_order_policy {
        ExistingOrderPolicy::Replace => overtaken || !config.cancel_opposite_orders_only,
    }
}

/// The quantities of the orders of `side` that stay, one by one.
pub(super) fn kept<'a>(scene: &Scene<'a>, side: Side, is_market: bool) -> impl Iterator<Item = &'a Existing> + use<'a> {
    let scene = *scene;
    scene.existing.iter().filter(move |order| order.side == side && !makes_way(order, &scene, is_market))
}
