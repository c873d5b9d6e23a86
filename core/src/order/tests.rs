//! Laws of the join, by permuting and repeating facts (spec O3).

use super::*;
use crate::bybit::OrderStatus;
use crate::fixture::{execution_row, order_row};
use crate::unit::{Decimal, ExecId, LinkPrefix, Money, SignalId, TraceId};
use alloc::vec::Vec;
use proptest::prelude::*;

#[derive(Clone, Debug)]
enum Fact {
    Row(OrderRow),
    Execution(ExecutionRow),
    Id(ExchangeOrderId),
    Notice(Option<ExchangeOrderId>),
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
        link: Some(Text::clipped(spec().link.as_str())),
        status,
        cum_quantity: Quantity(Decimal::from(filled)),
        cum_value: Money(Decimal::from(u32::from(filled) * 100)),
        cum_fee: Money(Decimal::from(filled)),
        cancel_type: Text::clipped(reason),
        updated: ExchangeTime(updated),
        ..order_row()
    }
}

fn execution(number: u8) -> ExecutionRow {
    let exec_id = ExecId::clipped(&alloc::format!("e-{number}"));
    ExecutionRow { exec_id, time: ExchangeTime(u64::from(number)), ..execution_row() }
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
        any::<bool>().prop_map(|named| Fact::Notice(named.then(|| Text::clipped("id-1")))),
    ]
}

fn run(facts: &[Fact]) -> Order {
    let mut order = Order::new(spec());
    order.take(Stimulus::Sent);
    for fact in facts {
        match fact {
            Fact::Row(row) => _ = order.take_row(row),
            Fact::Execution(row) => _ = order.take_execution(row),
            Fact::Notice(id) => _ = order.take_notice(*id),
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

/// What it is nobody can read, and that it is there everybody can.
#[test]
fn o4_a_record_that_cannot_be_understood_shows_that_the_order_exists() {
    let id = Text::clipped("id-1");
    for (named, known) in [(None, None), (Some(id), Some(id))] {
        let order = run(&[Fact::Notice(named)]);
        assert_eq!((order.state, order.facts.seen, order.facts.order_id), (State::Acked, true, known));
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

/// Of what the row tells for 300 the first unit has its execution, at 100; an execution beyond the row leaves nothing.
#[test]
fn k1_what_a_row_tells_beyond_the_executions_has_its_own_price() {
    let reported = OrderRow { cum_value: Money(Decimal::from(300)), ..row(OrderStatus::PartiallyFilled, 2, 1, "") };
    let executions = [Fact::Execution(execution(1)), Fact::Execution(execution(2)), Fact::Execution(execution(3))];
    let unexplained = |known: usize| {
        let facts: Vec<Fact> =
            core::iter::once(Fact::Row(reported)).chain(executions.iter().take(known).cloned()).collect();
        run(&facts).facts.unexplained()
    };
    let one = |value: u32| Some(Price(Decimal::from(value)));
    assert_eq!([0, 1].map(|known| unexplained(known).average_price()), [one(150), one(200)]);
    assert_eq!([2, 3].map(unexplained), [Totals::default(); 2]);
}

fn of(filled: u8, status: OrderStatus) -> Fact {
    Fact::Row(row(status, filled, 2, ""))
}

fn quantity(n: u8) -> Quantity {
    Quantity(Decimal::from(n))
}

#[test]
fn o2_a_second_id_under_our_link_is_a_twin_and_the_same_id_again_is_none() {
    let (one, two) = (Text::clipped("id-1"), Text::clipped("id-2"));
    let once = run(&[Fact::Id(one), Fact::Id(one), of(0, OrderStatus::New)]);
    assert_eq!((once.order_id(), once.facts.twin), (Some(one), false));
    for ids in [[one, two], [two, one]] {
        let order = run(&ids.map(Fact::Id));
        assert_eq!((order.order_id(), order.facts.twin), (Some(one), true), "{ids:?}");
    }
}

#[test]
fn o3_of_several_endings_the_one_that_says_most_stays_whichever_came_first() {
    let weakest_first = [
        row(OrderStatus::Deactivated, 0, 2, "UNKNOWN"),
        row(OrderStatus::Rejected, 0, 2, "UNKNOWN"),
        row(OrderStatus::Cancelled, 0, 2, "UNKNOWN"),
        row(OrderStatus::Cancelled, 0, 2, "CancelByUser"),
        row(OrderStatus::PartiallyFilledCanceled, 0, 2, "UNKNOWN"),
        row(OrderStatus::Filled, 0, 2, "UNKNOWN"),
    ];
    for (at, weaker) in weakest_first.iter().enumerate() {
        for stronger in weakest_first.iter().skip(at) {
            for rows in [[weaker, stronger], [stronger, weaker]] {
                let ending = run(&rows.map(|row| Fact::Row(*row))).facts.ending.unwrap();
                assert_eq!((ending.status, ending.cancel_type), (stronger.status, stronger.cancel_type));
            }
        }
    }
}

#[test]
fn o3_an_execution_is_booked_once() {
    let mut facts = Facts::default();
    assert!(facts.join_execution(&execution(1)), "it is new");
    assert!(!facts.join_execution(&execution(1)), "it is known");
    assert!(facts.join_execution(&execution(2)));
    assert_eq!((facts.executed.quantity, facts.executed.fee), (quantity(2), Money(Decimal::TWO)));
    assert_eq!(facts.totals().average_price(), Some(spec().price));
    assert_eq!(Totals::default().average_price(), None);
}

#[test]
fn k1_what_may_fill_counts_until_it_is_told() {
    let remaining = |facts: &[Fact], told| {
        let mut order = run(facts);
        order.told.totals.quantity = quantity(told);
        order.remaining()
    };
    let resting = [of(4, OrderStatus::PartiallyFilled)];
    let ended = [of(4, OrderStatus::PartiallyFilled), of(4, OrderStatus::Cancelled)];
    let trimmed = [Fact::Row(OrderRow { quantity: quantity(8), ..row(OrderStatus::PartiallyFilled, 4, 2, "") })];
    for (facts, told, counts) in [
        (&[][..], 0, 10), // in flight
        (&resting, 0, 10),
        (&resting, 4, 6),
        (&trimmed, 4, 4),
        (&ended, 0, 4), // nothing more fills, but the position lacks these
        (&ended, 4, 0),
    ] {
        assert_eq!(remaining(facts, told), quantity(counts), "{facts:?} of which {told} are told");
    }
}

#[test]
fn o4_every_state_has_one_public_word() {
    let order = |state, facts: &[Fact]| Order { state, ..run(facts) }.status();
    for state in State::ALL {
        let words = match state {
            State::Intended | State::Sending | State::Unknown | State::Acked => [Status::Pending; 3],
            State::Open => [Status::Pending, Status::PartiallyFilled, Status::Filled],
            State::Closed | State::AgedOut => [Status::Cancelled, Status::Filled, Status::Filled],
            State::Refused | State::Absent | State::Expired => [Status::Rejected; 3],
        };
        for (filled, word) in [0, 4, 10].into_iter().zip(words) {
            assert_eq!(order(state, &[of(filled, OrderStatus::New)]), word, "{state:?} with {filled} filled");
        }
    }
    assert_eq!(order(State::Closed, &[of(0, OrderStatus::Cancelled)]), Status::Cancelled);
    assert_eq!(order(State::Closed, &[of(0, OrderStatus::Rejected)]), Status::Rejected);
    assert_eq!(
        order(State::Closed, &[of(4, OrderStatus::Rejected)]),
        Status::Filled,
        "fills are never called a refusal"
    );
}

fn inherited(filled: u8, average: Option<u8>) -> Order {
    let row = InheritedOrder {
        id: SignalId(7),
        order_id: Text::clipped("id-1"),
        signal: SignalId(8),
        symbol: spec().symbol,
        side: Side::Buy,
        limit: Some(spec().price),
        quantity: spec().quantity,
        filled: quantity(filled),
        average_price: average.map(|price| Price(Decimal::from(price))),
        fees: Money::ZERO,
        created_at: Timestamp(5_000_000),
        trace: TraceId::clipped("t"),
    };
    row.order(spec().link)
}

#[test]
fn t1_an_inherited_order_lives_on_as_its_row_tells() {
    let order = inherited(4, Some(90));
    assert_eq!((order.state, order.signed_at), (State::Acked, Some(ExchangeTime(5_000))));
    assert_eq!(order.only_by(), Some(Text::clipped("id-1")), "the exchange knows no link of it");
    assert_eq!(run(&[Fact::Id(Text::clipped("id-1"))]).only_by(), None, "ours it knows by its link");
    assert!(order.told.created && !order.told.ended);
    assert_eq!(order.told.totals.value, Money(Decimal::from(360)));
    assert_eq!(inherited(4, None).told.totals.value, Money(Decimal::from(400)), "its limit, where it says no price");
    assert_eq!(
        (order.spec.price, order.spec.quantity, order.spec.at),
        (spec().price, quantity(10), Timestamp(5_000_000))
    );
    assert_eq!(order.remaining(), quantity(6));
}

/// The exchange may have forgotten the fills that were told before our time: they stay told.
#[test]
fn t1_the_status_of_an_inherited_order_remembers_its_row() {
    for (filled, word) in [(0, Status::Pending), (4, Status::PartiallyFilled), (10, Status::Filled)] {
        let mut order = inherited(filled, Some(90));
        order.take_row(&row(OrderStatus::New, 0, 2, ""));
        assert_eq!(order.status(), word);
        order.inherited = false;
        assert_eq!(order.status(), Status::Pending, "of our own orders we go by the exchange alone");
    }
}

proptest! {
    /// What was told and what is told next make up the whole: of an order of our own whatever was told, of an
    /// inherited one where what its row told can be true.
    #[test]
    fn e2_the_increments_of_an_order_add_up_to_its_fills(
        (told, value) in (0..=4u8, 1..900u16), (known, worth) in (5..=9u8, 300..900u16), ours in any::<bool>(),
    ) {
        prop_assume!(ours || value < worth);
        let mut order = inherited(told, None);
        order.told.totals.value = if told == 0 { Money::ZERO } else { Money(Decimal::from(value)) };
        order.told.totals.fee = Money(Decimal::from(told));
        order.inherited = !ours;
        let cum_value = Money(Decimal::from(worth));
        order.take_row(&OrderRow { cum_value, ..row(OrderStatus::PartiallyFilled, known, 2, "") });
        prop_assert_eq!(order.told.totals.plus(order.untold()), order.facts.totals());
    }
}

#[test]
fn t1_an_inherited_price_that_cannot_be_true_does_not_pass_on_its_error() {
    let mut order = inherited(4, Some(250));
    order.take_row(&row(OrderStatus::PartiallyFilled, 5, 2, ""));
    assert_eq!(order.untold().average_price(), Some(spec().price));
}

#[test]
fn d3_a_cancel_has_a_word_for_its_reason() {
    assert_eq!([CancelReason::NewSignal, CancelReason::Operator].map(CancelReason::as_str), ["new_signal", "operator"]);
}

#[test]
fn s5_only_a_limit_rests() {
    assert!(spec().is_limit());
    assert!(!Spec { kind: OrderKind::Market { slippage: None }, ..spec() }.is_limit());
}

mod book {
    use super::*;

    fn order(attempt: u8, symbol: &str) -> Order {
        let intent = Intent { attempt, ..spec().intent };
        let link = OrderLinkId::of(LinkPrefix::DEFAULT, intent);
        Order::new(Spec { link, intent, symbol: Symbol::clipped(symbol), ..spec() })
    }

    fn attempts<'a>(orders: impl Iterator<Item = &'a Order>) -> Vec<u8> {
        let mut attempts: Vec<u8> = orders.map(|order| order.spec.intent.attempt).collect();
        attempts.sort_unstable();
        attempts
    }

    #[test]
    fn o2_an_order_is_live_while_it_may_fill_or_its_end_is_untold() {
        let mut book = Book::default();
        assert!(book.is_empty());
        let orders = [order(0, "BTCUSDT"), order(1, "BTCUSDT"), order(2, "ETHUSDT"), order(3, "BTCUSDT")];
        orders.iter().for_each(|order| book.intend(order.clone()));
        for (n, state, told) in [(1, State::Closed, true), (2, State::Closed, false), (3, State::Open, true)] {
            let changed = book.change(orders[n].spec.link, |order| {
                order.state = state;
                order.told.ended = told;
                n
            });
            assert_eq!(changed, Some(n));
        }
        assert_eq!((book.len(), book.is_empty()), (4, false));
        assert_eq!(attempts(book.iter()), [0, 1, 2, 3]);
        assert_eq!(attempts(book.live()), [0, 2, 3]);
        assert_eq!(attempts(book.live_of(Symbol::clipped("BTCUSDT"))), [0, 3]);
        book.remove(orders[0].spec.link);
        assert_eq!((attempts(book.iter()), attempts(book.live())), (alloc::vec![1, 2, 3], alloc::vec![2, 3]));
        assert_eq!(book.change(orders[0].spec.link, |_| ()), None, "it is not remembered");
        assert_eq!(attempts(book.live()), [2, 3]);
    }

    /// Its id is used again, so that the exchange itself refuses a twin.
    #[test]
    fn o1_only_an_order_that_never_lived_gives_its_id_to_a_new_one() {
        for state in State::ALL {
            let mut book = Book::default();
            let known = Order { state, ..order(0, "BTCUSDT") };
            book.inherit(known.clone());
            assert_eq!(book.get(known.spec.link), Some(&known));
            book.inherit(order(0, "ETHUSDT"));
            assert_eq!(book.get(known.spec.link), Some(&known), "one that lives is inherited once");
            book.intend(order(0, "BTCUSDT"));
            let fresh = book.get(known.spec.link).unwrap().state == State::Intended;
            assert_eq!(fresh, matches!(state, State::Absent | State::Expired | State::Intended), "{state:?}");
        }
    }
}

#[test]
fn q28_a_fee_in_another_coin_is_not_booked_as_one_in_the_settle_coin() {
    let paid = |coin: &str| {
        let fee_coin = Text::clipped(coin);
        run(&[Fact::Execution(ExecutionRow { fee_coin, ..execution(1) })]).facts.totals().fee
    };
    assert_eq!((paid(""), paid("USDT")), (Money(Decimal::ONE), Money(Decimal::ONE)));
    assert_eq!(paid("MNT"), Money::ZERO);
}
