//! Whatever is ordered and however the price moves, nothing appears and nothing is lost.

use super::*;
use order_manager_core::bybit::OrderStatus;
use order_manager_core::unit::Decimal;
use proptest::prelude::*;

#[derive(Clone, Debug)]
enum Act {
    Order { buy: bool, steps: u32, offset: i32, kind: u8, reduce_only: bool },
    Cancel(usize),
    Amend { which: usize, steps: u32, offset: i32 },
    Move(i32),
    Hand { buy: bool, steps: u32 },
    Wait(u64),
}

fn act() -> impl Strategy<Value = Act> {
    prop_oneof![
        4 => (any::<bool>(), 1_u32..400, -300_i32..300, 0_u8..5, prop::bool::weighted(0.3)).prop_map(
            |(buy, steps, offset, kind, reduce_only)| Act::Order { buy, steps, offset, kind, reduce_only }
        ),
        1 => (0_usize..40).prop_map(Act::Cancel),
        1 => (0_usize..40, 1_u32..400, -300_i32..300)
            .prop_map(|(which, steps, offset)| Act::Amend { which, steps, offset }),
        4 => (-400_i32..400).prop_map(Act::Move),
        1 => (any::<bool>(), 1_u32..300).prop_map(|(buy, steps)| Act::Hand { buy, steps }),
        4 => (0_u64..8).prop_map(Act::Wait),
    ]
}

fn side(buy: bool) -> Side {
    if buy { Side::Buy } else { Side::Sell }
}

/// Carries out one act; refusals are part of the game.
fn play(desk: &mut Desk, act: &Act, count: &mut usize) {
    let last = desk.exchange.last_price(btc()).unwrap();
    let at = |offset: i32| Price(last.0 + Decimal::new(i64::from(offset), 1));
    let lots = |steps: u32| Quantity(Decimal::new(i64::from(steps), 3));
    match *act {
        Act::Order { buy, steps, offset, kind, reduce_only } => {
            let time_in_force = [TimeInForce::Gtc, TimeInForce::Ioc, TimeInForce::Fok, TimeInForce::PostOnly];
            let kind = match time_in_force.get(usize::from(kind)) {
                Some(&time_in_force) => OrderKind::Limit { price: at(offset), time_in_force },
                None => OrderKind::Market { slippage: None },
            };
            let name = format!("o{count}");
            *count += 1;
            let _ = desk.create(Create { kind, reduce_only, quantity: lots(steps), ..market(&name, side(buy), "1") });
        }
        Act::Cancel(which) => drop(desk.cancel(&format!("o{which}"))),
        Act::Amend { which, steps, offset } => {
            let (price, quantity) = (at(offset).to_string(), lots(steps).to_string());
            drop(desk.amend(&format!("o{which}"), Some(&price), Some(&quantity)));
        }
        Act::Move(offset) => assert!(desk.exchange.set_price(desk.now, btc(), at(offset))),
        Act::Hand { buy, steps } => drop(desk.exchange.manual_order(desk.now, btc(), side(buy), lots(steps))),
        Act::Wait(ms) => desk.wait(ms),
    }
}

/// What holds at every moment.
fn check(desk: &Desk) {
    let (truth, position) = (desk.exchange.truth(), desk.exchange.position(btc()).unwrap());
    assert_eq!(truth.wallet.0, truth.start.0 + truth.realised.0 - truth.fees.0);
    let (mut size, mut cash) = (Decimal::ZERO, Decimal::ZERO);
    for execution in &truth.executions {
        let order = &truth.orders[execution.order as usize];
        let change = execution.side.signed(execution.quantity).0;
        if order.reduce_only {
            let after = size + change;
            let same_side = after.is_zero() || after.is_sign_negative() == size.is_sign_negative();
            assert!(same_side && after.abs() < size.abs(), "reduce-only made {after} of {size}");
        }
        size += change;
        cash -= execution.price.0 * change;
    }
    assert_eq!(position.size.0, size);
    // Exact: all cash out is the entry value of what is open and the profit of what is not.
    let entry = if size.is_sign_negative() { -position.entry_value.0 } else { position.entry_value.0 };
    assert_eq!(truth.realised.0, cash + entry);
    for order in &truth.orders {
        let filled: Decimal = truth.executions_of(order).map(|e| e.quantity.0).sum();
        let fees: Decimal = truth.executions_of(order).map(|e| e.fee.0).sum();
        assert_eq!((order.state.cum_quantity.0, order.state.cum_fee.0), (filled, fees));
        assert!(order.state.cum_quantity <= order.state.quantity);
        assert_eq!(order.is_closed(), order.state.status.is_terminal());
        let full = order.state.cum_quantity == order.state.quantity;
        assert_eq!(full, order.state.status == OrderStatus::Filled);
    }
    let market = &desk.exchange.markets[0];
    let open = truth.orders.iter().filter(|order| !order.is_closed());
    assert_eq!(market.open, open.clone().count());
    if open.clone().count() == 0 {
        assert!(market.order_margin().is_zero(), "margin held by nobody");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]
    #[test]
    fn nothing_appears_and_nothing_is_lost(acts in prop::collection::vec(act(), 1..120), leverage in 1_u32..30) {
        let mut desk = Desk::with(|config| {
            config.liquidity = Liquidity { best: q("0.05"), level: q("0.03"), level_ticks: 2, touch: q("0.02") };
            config.leverage = order_manager_core::unit::Ratio(Decimal::from(leverage));
        });
        let mut count = 0;
        for act in &acts {
            play(&mut desk, act, &mut count);
            check(&desk);
        }
        desk.wait(100);
        check(&desk);
        let last_word = desk.pushes.iter().rev().find_map(|out| match &out.push.rows {
            PushRows::Positions(rows) => Some(rows[0].signed_size()),
            _ => None,
        });
        if let Some(told) = last_word {
            prop_assert_eq!(told, desk.exchange.position(btc()).unwrap().size);
        }
    }
}
