//! Laws of the join, by permuting and repeating facts (spec O3).

use super::*;
use crate::bybit::{ExecType, OrderStatus};
use crate::unit::{Decimal, ExecId, LinkPrefix, Money, SignalId};
use alloc::vec::Vec;
use proptest::prelude::*;

#[derive(Clone, Debug)]
enum Fact {
    Row(OrderRow),
    Execution(ExecutionRow),
    Id(ExchangeOrderId),
}

fn spec() -> Spec {
    let intent = Intent { signal: SignalId(7), leg: 0, attempt: 0 };
    let link = OrderLinkId::of(LinkPrefix::new("om").unwrap(), intent);
    let price = Price(Decimal::from(100));
    let kind = OrderKind::Limit { price, time_in_force: crate::bybit::TimeInForce::Gtc };
    let symbol = Symbol::clipped("BTCUSDT");
    let quantity = Quantity(Decimal::from(10));
    Spec { link, intent, symbol, side: Side::Buy, kind, quantity, reduce_only: false, price, at: Timestamp(0) }
}

fn row(status: OrderStatus, filled: u8, updated: u64, reason: &str) -> OrderRow {
    OrderRow {
        order_id: Text::clipped("id-1"),
        link: Some(Text::clipped(spec().link.as_str())),
        symbol: spec().symbol,
        side: Side::Buy,
        quantity: spec().quantity,
        price: Some(spec().price),
        is_market: false,
        status,
        cum_quantity: Quantity(Decimal::from(filled)),
        cum_value: Money(Decimal::from(u32::from(filled) * 100)),
        cum_fee: Money(Decimal::from(filled)),
        cancel_type: Text::clipped(reason),
        reject_reason: Text::EMPTY,
        reduce_only: false,
        position_idx: 0,
        created: ExchangeTime(0),
        updated: ExchangeTime(updated),
    }
}

fn execution(number: u8) -> ExecutionRow {
    ExecutionRow {
        exec_id: ExecId::clipped(&alloc::format!("e-{number}")),
        order_id: Text::clipped("id-1"),
        link: None,
        symbol: spec().symbol,
        side: Side::Buy,
        exec_type: ExecType::Trade,
        price: spec().price,
        quantity: Quantity(Decimal::ONE),
        value: Money(Decimal::ONE_HUNDRED),
        fee: Money(Decimal::ONE),
        fee_coin: Text::EMPTY,
        is_maker: true,
        time: ExchangeTime(u64::from(number)),
    }
}

fn fact() -> impl Strategy<Value = Fact> {
    let statuses = prop::sample::select(alloc::vec![
        OrderStatus::New,
        OrderStatus::PartiallyFilled,
        OrderStatus::Filled,
        OrderStatus::Cancelled,
        OrderStatus::Rejected,
    ]);
    let reasons = prop::sample::select(alloc::vec!["UNKNOWN", "CancelByUser", ""]);
    prop_oneof![
        (statuses, 0..=10u8, 0..5u64, reasons).prop_map(|(s, f, u, r)| Fact::Row(row(s, f, u, r))),
        (0..10u8).prop_map(|n| Fact::Execution(execution(n))),
        Just(Fact::Id(Text::clipped("id-1"))),
    ]
}

fn run(facts: &[Fact]) -> Order {
    let mut order = Order::new(spec());
    order.take(Stimulus::Sent);
    for fact in facts {
        match fact {
            Fact::Row(row) => _ = order.take_row(row),
            Fact::Execution(row) => _ = order.take_execution(row),
            Fact::Id(id) => {
                order.facts.join_id(*id);
                order.take(Stimulus::Acked);
            }
        }
    }
    order
}

proptest! {
    #[test]
    fn o3_the_same_facts_in_any_order_any_number_of_times_give_the_same_order(
        (facts, shuffled) in prop::collection::vec(fact(), 1..12).prop_flat_map(|facts| {
            let doubled: Vec<Fact> = facts.iter().chain(facts.iter()).cloned().collect();
            (Just(facts), Just(doubled).prop_shuffle())
        })
    ) {
        prop_assert_eq!(run(&facts), run(&shuffled));
    }
}

#[test]
fn q6_a_filled_order_with_the_words_of_a_losing_cancel_stays_filled() {
    let facts = [
        Fact::Row(row(OrderStatus::Filled, 10, 2, "CancelByUser")),
        Fact::Row(row(OrderStatus::Filled, 10, 2, "UNKNOWN")),
        Fact::Row(row(OrderStatus::Cancelled, 10, 3, "CancelByUser")),
    ];
    assert_eq!(run(&facts).facts.ending.unwrap().status, OrderStatus::Filled);
    assert_eq!(run(&facts).status(), Status::Filled);
}

#[test]
fn o3_a_fill_found_by_a_row_is_replaced_not_doubled_by_its_execution() {
    let found = run(&[Fact::Row(row(OrderStatus::PartiallyFilled, 2, 1, ""))]);
    let explained = run(&[
        Fact::Row(row(OrderStatus::PartiallyFilled, 2, 1, "")),
        Fact::Execution(execution(1)),
        Fact::Execution(execution(2)),
    ]);
    assert_eq!(found.facts.totals(), explained.facts.totals());
    assert!(!found.facts.explained() && explained.facts.explained());
}
