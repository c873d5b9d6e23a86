//! Does the order open or reduce, and how much is there to reduce (spec D9)?

use super::{Scene, cancels::kept};
use crate::refusal::{Code, Refusal};
use crate::unit::{Quantity, Side};

/// What the order does to the position.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Direction {
    /// It opens or adds.
    Opens,
    /// It takes away, at most this much: the position, less what orders of the same side that stay will take.
    Reduces(Quantity),
}

/// Decides it from the position alone, whatever the signal hopes. Without `ALLOW_SHORT` a sell never opens, and
/// an exit never does.
pub(super) fn direction(scene: &Scene<'_>, is_market: bool) -> Result<Direction, Refusal> {
    let (signal, position) = (scene.signal, scene.position);
    let against = match signal.side {
        Side::Sell => position.is_positive(),
        Side::Buy => position.is_negative(),
    };
    if against {
        return reducible(scene, is_market);
    }
    let refuse = |why| {
        let (side, symbol) = (signal.side, signal.symbol);
        Err(Refusal::new(Code::NothingToSell, format_args!("{side} of {symbol}: position is {position}, {why}")))
    };
    if signal.is_exit {
        return refuse("an exit only reduces");
    }
    if signal.side == Side::Sell && !scene.config.allow_short {
        return refuse("and ALLOW_SHORT is false");
    }
    Ok(Direction::Opens)
}

fn reducible(scene: &Scene<'_>, is_market: bool) -> Result<Direction, Refusal> {
    let (side, position) = (scene.signal.side, scene.position);
    let mut left = Some(position.abs());
    for order in kept(scene, side, is_market) {
        left = left.and_then(|left| left.minus(order.remaining));
    }
    match left {
        Some(left) if left.is_positive() => Ok(Direction::Reduces(left)),
        _ => Err(Refusal::new(
            Code::NothingToSell,
            format_args!("{side}: open orders of that side already reduce the whole position of {position}"),
        )),
    }
}
