use super::*;
use order_manager_core::bybit::{OrderKind, TimeInForce};
use order_manager_core::order::CancelReason;
use order_manager_core::outcome::Outcome;
use order_manager_core::refusal::Code;
use order_manager_core::unit::{Price, Side, Text};

/// The order that rests is intended as it was, but for this.
#[track_caller]
fn intended(change: impl FnOnce(&mut Spec)) -> World {
    let name = "name = \"two-orders\"";
    let exact = format!("{name}\nconfig = {{ enable_order_size_reduction = false }}");
    let mut world = acted(&TWO_ORDERS.replace(name, &exact), Set::only(Oracle::DecidedAsAsked));
    let mut spec = Box::new(specs(&world).1);
    change(&mut spec);
    made(&mut world, vec![Event::OrderIntended { spec }]);
    world
}

#[test]
fn an_order_is_what_its_signal_asks_for() {
    assert_eq!(intended(|_| ()).broken(), None);
    let changes: [fn(&mut Spec); 7] = [
        |spec| spec.side = Side::Sell,
        |spec| spec.kind = OrderKind::Market { slippage: None },
        |spec| spec.kind = OrderKind::Limit { price: spec.price, time_in_force: TimeInForce::Gtc },
        |spec| {
            spec.price = Price(spec.price.0 + Decimal::ONE);
            spec.kind = OrderKind::Limit { price: spec.price, time_in_force: TimeInForce::PostOnly };
        },
        |spec| spec.price = Price(spec.price.0 + Decimal::ONE),
        |spec| spec.quantity = Quantity(spec.quantity.0 - Decimal::new(1, 3)),
        |spec| spec.reduce_only = true,
    ];
    for change in changes {
        found(&intended(change), Oracle::DecidedAsAsked);
    }
}

/// The first signal again: the order that rests would have to go first.
#[test]
fn an_order_beside_one_that_is_in_its_way() {
    let mut world = watched(Oracle::DecidedAsAsked);
    let spec = Box::new(specs(&world).0);
    made(&mut world, vec![Event::OrderIntended { spec }]);
    assert!(world.broken().unwrap().what.contains("is in its way"), "{:?}", world.broken());
}

/// A plan of the signal whose order rests, which sends these away.
fn planned(world: &World, cancels: Vec<OrderLinkId>) -> Event {
    let signal = specs(world).1.intent.signal;
    match event(world, |event| matches!(event, Event::Planned { signal: of, .. } if *of == signal)) {
        Event::Planned { signal, plan } => {
            Event::Planned { signal, plan: order_manager_core::event::Planned { cancels, ..plan } }
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_plan_that_leaves_what_is_in_the_way_or_sends_away_what_is_not() {
    let world = watched(Oracle::CancelsInTheWay);
    let (filled, rests) = specs(&world);
    for (cancels, holds) in [(vec![rests.link], true), (vec![], false), (vec![rests.link, filled.link], false)] {
        let mut world = watched(Oracle::CancelsInTheWay);
        let plan = planned(&world, cancels);
        made(&mut world, vec![plan]);
        assert_eq!(world.broken().is_none(), holds);
    }
}

#[test]
fn a_cancel_that_no_plan_names_or_that_bears_another_reason() {
    for (reason, holds) in [(CancelReason::NewSignal, true), (CancelReason::Operator, false)] {
        let mut world = watched(Oracle::CancelHasReason);
        let link = specs(&world).1.link;
        let plan = planned(&world, vec![link]);
        made(&mut world, vec![plan, Event::CancelWanted { link, reason }]);
        assert_eq!(world.broken().is_none(), holds);
    }
    let mut world = watched(Oracle::CancelHasReason);
    let link = specs(&world).1.link;
    made(&mut world, vec![Event::CancelWanted { link, reason: CancelReason::NewSignal }]);
    found(&world, Oracle::CancelHasReason);
}

/// Nothing speaks against the first signal: whatever it is refused for is no cause.
#[test]
fn a_refusal_without_a_cause() {
    for code in [
        Code::SignalExpired,
        Code::SignalFromFuture,
        Code::LowConfidence,
        Code::TradingHalted,
        Code::UnknownSymbol,
        Code::Leverage,
        Code::OrderSize,
        Code::BelowMinimum,
        Code::AboveMaximum,
        Code::ImplausibleSize,
        Code::NothingToSell,
        Code::PriceDrift,
        Code::NoPrice,
        Code::NotExecuted,
        Code::ExchangeRefused,
        Code::ProvenAbsent,
        Code::ExpiredUnsent,
    ] {
        let mut world = watched(Oracle::RefusedForCause);
        let (signal, at) = (specs(&world).1.intent.signal, world.now);
        let (outcome, text, cancelled) = (Outcome::Rejected(code), Text::clipped("a test"), vec![]);
        made(&mut world, vec![Event::SignalSettled { signal, outcome, at, text, cancelled }]);
        assert!(world.broken().is_some(), "{code:?}");
    }
}
