//! What holds of every plan, whatever the scene.

use super::*;
use crate::fixture::{any_instrument, any_side, thousandths};
use proptest::prelude::*;

fn any_set() -> impl Strategy<Value = Set> {
    let orders = proptest::collection::vec((any_side(), any::<bool>(), any::<bool>(), thousandths(1..3_000)), 0..4);
    let figures = (thousandths(1..4_000_000), thousandths(45_000_000..55_000_000), thousandths(-3_000..3_000));
    let spread = proptest::option::of(thousandths(0..300_000));
    let switches = (any::<bool>(), any::<bool>(), any::<bool>(), any::<bool>(), any::<bool>(), any::<bool>());
    (any_instrument(), any_side(), figures, spread, orders, switches, 0_u8..3).prop_map(
        |(instrument, side, (amount, last, position), spread, orders, switches, reprice)| {
            let (urgent, is_exit, allow_short, base, opposite_only, keep_filled) = switches;
            let mut set = Set::new(side, "1");
            set.instrument =
                Instrument { quantity_step: quantity("0.003"), min_quantity: quantity("0.003"), ..instrument };
            set.signal.amount = if base { amount.checked_div(d("50000")).unwrap() } else { amount };
            set.signal.snapshot.spread = spread.map(Price);
            (set.signal.urgent, set.signal.is_exit) = (urgent, is_exit);
            set.quote =
                Quote { last: Price(last), mark: Some(Price(last)), index: None, bid: None, ask: None, ..quote() };
            set.position = Quantity(position);
            set.reprice = reprice;
            set.config.allow_short = allow_short;
            set.config.cancel_opposite_orders_only = opposite_only;
            set.config.cancel_partially_filled = !keep_filled;
            set.config.sell_amount_unit = if base { SellAmountUnit::Base } else { SellAmountUnit::Quote };
            set.config.max_position_size = quantity("1000");
            set.existing = (0_u8..)
                .zip(orders)
                .map(|(n, (side, is_limit, filled, remaining))| Existing {
                    is_limit,
                    filled,
                    remaining: Quantity(remaining),
                    ..existing(n, side)
                })
                .collect();
            set
        },
    )
}

proptest! {
    #[test]
    fn d5_d7_prices_and_quantities_lie_on_tick_and_step_and_cost_no_more_than_the_amount(set in any_set()) {
        let Ok(plan) = set.plan() else { return Ok(()) };
        let rules = &set.instrument;
        prop_assert_eq!(plan.quantity.floor_to(rules.quantity_step), Some(plan.quantity));
        prop_assert_eq!(plan.price.floor_to(rules.tick_size), Some(plan.price));
        prop_assert!(plan.quantity >= rules.min_quantity);
        if let OrderKind::Limit { price, .. } = plan.kind {
            prop_assert_eq!(price, plan.price);
        }
        if set.signal.side == Side::Buy || set.config.sell_amount_unit == SellAmountUnit::Quote {
            prop_assert!(plan.price.times(plan.quantity).unwrap() <= Money(set.signal.amount));
        } else {
            prop_assert!(plan.quantity.0 <= set.signal.amount);
        }
    }

    /// Everything of the sell side that stays fills, and the order too: still no short.
    #[test]
    fn d9_without_allow_short_no_sell_ends_short(mut set in any_set()) {
        set.config.allow_short = false;
        set.signal.side = Side::Sell;
        let Ok(plan) = set.plan() else { return Ok(()) };
        prop_assert!(plan.reduce_only);
        let stays = set.existing.iter().filter(|o| o.side == Side::Sell && !plan.cancels.contains(&o.link));
        let sold = stays.fold(plan.quantity, |sum, order| sum.plus(order.remaining).unwrap());
        prop_assert!(set.position >= sold);
    }

    #[test]
    fn d9_exits_only_reduce_in_every_mode(mut set in any_set()) {
        set.signal.is_exit = true;
        if let Ok(plan) = set.plan() {
            prop_assert!(plan.reduce_only);
            prop_assert!(plan.quantity <= set.position.abs());
        }
    }

    #[test]
    fn d2_orders_of_the_other_side_never_stay(set in any_set()) {
        if let Ok(plan) = set.plan() {
            let mut other = set.existing.iter().filter(|o| o.side != set.signal.side);
            prop_assert!(other.all(|o| plan.cancels.contains(&o.link)));
        }
    }
}
