//! Positions that executions do not explain (spec T4), orders of the service before us (T1), and Position Manager's
//! word (K1, E3).

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::arithmetic_side_effects, reason = "a test")]

mod desk;

use desk::{Desk, START, d, push};
use order_manager_core::bybit::{ExecType, ExecutionRow, LimitHeaders, OrderRow, OrderStatus, PushRows, Request};
use order_manager_core::command::{Command, Receipt};
use order_manager_core::config::{Config, SellAmountUnit};
use order_manager_core::event::{Change, Event, Seq, Told};
use order_manager_core::input::{Answer, Delivery, DeliveryId, InheritedOrder, Input, Question, RefusedDelivery, Tag};
use order_manager_core::order::Status;
use order_manager_core::outcome::Outcome;
use order_manager_core::rows::{Projector, Rows};
use order_manager_core::unit::{
    Bytes, ExchangeTime, Money, Price, Quantity, Side, SignalId, Span, Symbol, Text, Timestamp,
};

/// The symbol of every story.
fn btc() -> Symbol {
    Symbol::clipped("BTCUSDT")
}

const NOW: ExchangeTime = ExchangeTime(START.0 / 1_000);

fn q(text: &str) -> Quantity {
    Quantity(d(text))
}

fn size(desk: &Desk) -> Quantity {
    desk.manager.durable().positions.get(&btc()).map(|position| position.size).unwrap_or_default()
}

fn told(desk: &Desk) -> Vec<&Told> {
    desk.events
        .iter()
        .filter_map(|event| if let Event::OrderTold(told) = event { Some(told.as_ref()) } else { None })
        .collect()
}

fn execution(id: &str, order: &str, side: Side, quantity: &str, at: ExchangeTime) -> ExecutionRow {
    let (price, quantity) = (Price(d("50000")), q(quantity));
    ExecutionRow {
        exec_id: Text::clipped(id),
        order_id: Text::clipped(order),
        link: None,
        symbol: btc(),
        side,
        exec_type: ExecType::Trade,
        price,
        quantity,
        value: price.times(quantity).unwrap(),
        fee: Money(d("0.1")),
        fee_coin: Text::clipped("USDT"),
        is_maker: false,
        time: at,
        seq: None,
    }
}

#[test]
fn t4_what_was_held_before_we_came_is_ours_at_once() {
    let mut desk = Desk::new();
    desk.account.held.insert(btc(), q("0.5"));
    // Somebody else's fill of just before is in that position already.
    desk.account.fills.push(execution("e0", "other", Side::Buy, "0.2", NOW.before(Span::secs(30))));
    desk.up();
    assert_eq!(size(&desk), q("0.5"));
    let adopted = desk.events.iter().filter(|event| matches!(event, Event::PositionAdopted { .. })).count();
    let foreign = desk.events.iter().filter(|event| matches!(event, Event::ForeignExecuted { .. })).count();
    assert_eq!((adopted, foreign), (1, 0));
}

#[test]
fn t4_a_change_that_no_execution_explains_is_adopted_after_its_time_and_not_before() {
    let mut desk = Desk::ready();
    desk.pass(1);
    desk.account.held.insert(btc(), q("0.3"));
    desk.pass(60); // the next reconcile sees it, and gives it five seconds
    assert_eq!(size(&desk), q("0"));
    desk.pass(6);
    assert_eq!(size(&desk), q("0.3"));
    desk.account.held.remove(&btc()); // and gone again: the sweep shows no row at all
    desk.pass(70);
    assert_eq!(size(&desk), q("0"));
}

#[test]
fn t4_an_execution_that_comes_in_time_explains_it_and_one_that_comes_too_late_is_not_counted_twice() {
    let mut desk = Desk::ready();
    desk.account.held.insert(btc(), q("0.3"));
    desk.pass(61);
    let fill = execution("e1", "by-hand", Side::Buy, "0.3", NOW.after(Span::secs(30)));
    desk.account.fills.push(fill);
    desk.pass(6);
    assert_eq!(size(&desk), q("0.3"));
    assert!(!desk.events.iter().any(|event| matches!(event, Event::PositionAdopted { .. })));

    desk.account.held.insert(btc(), q("0.5"));
    desk.pass(70);
    assert_eq!(size(&desk), q("0.5"));
    let late = execution("e2", "by-hand-2", Side::Buy, "0.2", NOW.after(Span::secs(70)));
    desk.take(push(PushRows::Executions(vec![late])));
    assert_eq!(size(&desk), q("0.5"), "it was in the position that was adopted");
    let next = execution("e3", "by-hand-3", Side::Sell, "0.1", NOW.after(Span::secs(300)));
    desk.take(push(PushRows::Executions(vec![next])));
    assert_eq!(size(&desk), q("0.4"));
}

fn inherited(order_id: &str, filled: &str) -> InheritedOrder {
    InheritedOrder {
        id: SignalId(77),
        order_id: Text::clipped(order_id),
        signal: SignalId(7),
        symbol: btc(),
        side: Side::Buy,
        limit: Some(Price(d("50000"))),
        quantity: q("1"),
        filled: q(filled),
        average_price: Some(Price(d("50000"))),
        fees: Money(d("0.1")),
        created_at: Timestamp(START.0 - 3_600_000_000),
        trace: Text::clipped("t-7"),
    }
}

fn row(order_id: &str, status: OrderStatus, filled: &str) -> OrderRow {
    let cum_quantity = q(filled);
    OrderRow {
        order_id: Text::clipped(order_id),
        link: None,
        symbol: btc(),
        side: Side::Buy,
        quantity: q("1"),
        price: Some(Price(d("50000"))),
        is_market: false,
        status,
        cum_quantity,
        cum_value: Price(d("50000")).times(cum_quantity).unwrap(),
        cum_fee: Money(d("0.2")),
        cancel_type: Text::EMPTY,
        reject_reason: Text::EMPTY,
        reduce_only: false,
        position_idx: 0,
        created: NOW.before(Span::secs(3_600)),
        updated: NOW,
    }
}

const ID: &str = "3f1c2e9a-0000-4000-8000-000000000001";

#[test]
fn t1_a_live_order_of_the_service_before_us_is_booked_and_cancelled_by_its_own_id() {
    let mut desk = Desk::with(Config { max_exposure: Money(d("1000000")), ..Config::default() });
    desk.account.orders.push(row(ID, OrderStatus::PartiallyFilled, "0.4"));
    desk.account.fills.push(execution("e1", ID, Side::Buy, "0.4", NOW.before(Span::secs(60))));
    desk.account.held.insert(btc(), q("0.4"));
    desk.take(Input::Inherited(vec![inherited(ID, "0.1")]));
    desk.up();
    desk.pass(70);
    // 0.1 of it was told by the service before us.
    let told = told(&desk);
    let increments: Vec<_> = told.iter().map(|told| (told.change, told.increment.quantity)).collect();
    assert_eq!(increments, [(Change::PartiallyFilled, q("0.3"))]);
    assert_eq!((told[0].status, told[0].totals.quantity), (Status::PartiallyFilled, q("0.4")));
    assert_eq!(size(&desk), q("0.4"), "what was held when we came, and no fill of it twice");

    // A new signal replaces it: it is cancelled by the only id that the exchange knows.
    desk.signal("BTCUSDT", 8);
    let cancel = loop {
        assert!(!desk.out.is_empty(), "{:?}", settled(&desk));
        let outgoing = desk.out.remove(0);
        if let Request::Cancel(cancel) = &outgoing.request {
            break *cancel;
        }
        let reply = desk.account.sensible(&outgoing.request, desk.now);
        desk.answer(outgoing.tag, Ok(reply));
    };
    assert_eq!(cancel.order_id, Some(Text::clipped(ID)));
}

#[test]
fn t1_what_the_exchange_does_not_know_is_closed_with_that_evidence() {
    for (filled, status) in [("0", Status::Cancelled), ("0.4", Status::Filled)] {
        let mut desk = Desk::new();
        desk.take(Input::Inherited(vec![inherited(ID, filled)]));
        desk.up();
        desk.pass(10);
        assert!(told(&desk).is_empty(), "one empty answer proves nothing");
        desk.pass(120);
        let told = told(&desk);
        assert_eq!((told.len(), told[0].change, told[0].status), (1, Change::Cancelled, status));
        let proofs: Vec<usize> = desk
            .events
            .iter()
            .filter_map(|event| match event {
                Event::OrderAbsent { proof, .. } => Some(proof.answers.len()),
                _ => None,
            })
            .collect();
        assert_eq!(proofs, [3]);
    }
}

#[test]
fn t1_a_signal_that_the_service_before_us_carried_out_is_done() {
    let mut desk = Desk::new();
    desk.take(Input::Inherited(vec![inherited(ID, "0")]));
    desk.up();
    desk.signal("BTCUSDT", 7);
    desk.answer_all();
    assert_eq!(desk.manager.durable().counts.repeated, 1);
    assert!(!desk.events.iter().any(|event| matches!(event, Event::SignalAccepted { .. })));
}

#[test]
fn s4_a_message_that_the_store_refused_is_a_dead_letter_with_its_reason() {
    let mut desk = Desk::ready();
    let refused = RefusedDelivery {
        id: DeliveryId(5),
        body: Bytes(b"{}".to_vec()),
        why: Text::clipped("value too long for type character varying(20)"),
    };
    desk.take(Input::Refused(Box::new(refused)));
    assert_eq!(desk.manager.durable().counts.dead_letters, 1);
    let commands = format!("{:?}", desk.step.commands);
    assert!(commands.contains("value too long"), "{commands}");
}

fn consulting(required: bool) -> Desk {
    let config = Config {
        consult_position_manager: true,
        position_manager_required: required,
        max_position_size: q("2"),
        ..Config::default()
    };
    let mut desk = Desk::with(config);
    desk.up();
    desk
}

fn say(desk: &mut Desk, question: Question, status: u16, body: &str) {
    desk.questions.retain(|known| *known != question);
    let body = Bytes(body.as_bytes().to_vec());
    let answer = Box::new(Answer::Http { status, limits: LimitHeaders::default(), body });
    desk.take(Input::Reply { tag: Tag::Consult(question), answer });
}

fn settled(desk: &Desk) -> Vec<String> {
    let text = |event: &Event| match event {
        Event::SignalSettled { outcome, text, .. } => Some(format!("{outcome:?} {text}")),
        _ => None,
    };
    desk.events.iter().filter_map(text).collect()
}

#[test]
fn k1_the_stricter_of_both_positions_decides() {
    for (position, exposure, placed) in [
        (r#"{"size":"0E-8"}"#, r#"{"total_exposure_usdt":0}"#, true),
        (r#"{"size":"2"}"#, r#"{"total_exposure_usdt":0}"#, false), // its position leaves no room
        (r#"{"size":"0"}"#, r#"{"total_exposure_usdt":"10000.0"}"#, false), // its exposure leaves none
    ] {
        let mut desk = consulting(true);
        desk.signal("BTCUSDT", 1);
        desk.answer_all();
        assert_eq!(desk.questions, [Question::Position(btc()), Question::Exposure]);
        assert_eq!(desk.manager.durable().book.len(), 0, "it waits for the word");
        say(&mut desk, Question::Position(btc()), 200, position);
        say(&mut desk, Question::Exposure, 200, exposure);
        desk.answer_all();
        assert_eq!(desk.manager.durable().book.len(), usize::from(placed), "{:?}", settled(&desk));
    }
}

#[test]
fn k1_without_its_word_nothing_opens_where_it_is_required() {
    for (required, orders) in [(true, 0), (false, 1)] {
        let mut desk = consulting(required);
        desk.signal("BTCUSDT", 1);
        desk.answer_all();
        say(&mut desk, Question::Position(btc()), 503, "");
        say(&mut desk, Question::Exposure, 503, "");
        desk.answer_all();
        assert_eq!(desk.manager.durable().book.len(), orders, "{:?}", settled(&desk));
        if required {
            assert!(settled(&desk)[0].contains("Position Manager cannot be asked"), "{:?}", settled(&desk));
        }
    }
}

#[test]
fn e3_a_doubted_figure_is_not_used_before_it_is_validated() {
    let mut desk = consulting(true);
    desk.take(Input::Doubted(btc()));
    desk.pass(2);
    assert_eq!(desk.questions, [Question::Validate(btc())]);
    desk.signal("BTCUSDT", 1);
    desk.answer_all();
    // Twice what it should be, as long as the repeated event counts: nobody asks for it.
    assert_eq!(desk.questions, [Question::Validate(btc()), Question::Exposure]);
    say(&mut desk, Question::Exposure, 200, r#"{"total_exposure_usdt":0}"#);
    desk.answer_all();
    assert_eq!(desk.manager.durable().book.len(), 1, "{:?}", settled(&desk));
    say(&mut desk, Question::Validate(btc()), 200, "{}");
    assert_eq!(desk.questions, [], "its queue may still hold the copy");
    desk.pass(11);
    assert_eq!(desk.questions, [Question::Validate(btc())]);
    say(&mut desk, Question::Validate(btc()), 200, "{}");
    assert_eq!(desk.questions, [Question::Position(btc())]);
    assert_eq!(desk.manager.durable().counts.doubted, 1);
}

#[test]
fn k1_a_difference_that_lasts_is_an_alarm() {
    let mut desk = consulting(true);
    desk.account.held.insert(btc(), q("0.5"));
    desk.pass(70); // adopted, and both are asked
    for minute in 0..4 {
        assert!(desk.questions.contains(&Question::Position(btc())), "minute {minute}: {:?}", desk.questions);
        let alarms = desk.events.iter().filter(|event| matches!(event, Event::PositionDiffers { .. })).count();
        assert_eq!(alarms, usize::from(minute > 2), "minute {minute}");
        say(&mut desk, Question::Position(btc()), 404, r#"{"detail":"Position not found for asset: BTCUSDT"}"#);
        desk.pass(60);
    }
}

#[test]
fn s7_the_receipt_of_a_copy_says_so() {
    let mut desk = Desk::new();
    desk.take(Input::Inherited(vec![inherited(ID, "0")]));
    desk.up();
    let body =
        br#"{"signal_id":"00000000-0000-0000-0000-000000000007","signal_type":"buy","asset":"BTCUSDT","amount":500,
        "confidence":0.8,"timestamp":"2023-11-14T22:13:20Z","strategy_id":"s","market_data_snapshot":{"price":50000}}"#;
    let body = Bytes(body.to_vec());
    desk.take(Input::Signal(Box::new(Delivery { id: DeliveryId(1), trace: None, prior: None, body })));
    let [Command::Settle { receipt, .. }] = desk.step.commands.as_slice() else { panic!("{:?}", desk.step.commands) };
    assert_eq!(*receipt, Receipt::Duplicate(SignalId(7), Some(Outcome::Placed)));
}

#[test]
fn t4_a_position_whose_row_cannot_be_read_is_not_taken_for_flat() {
    let mut desk = Desk::ready();
    desk.account.held.insert(btc(), q("0.5"));
    desk.pass(70);
    assert_eq!(size(&desk), q("0.5"));
    desk.account.unreadable_positions = 1;
    desk.account.held.remove(&btc());
    desk.pass(200);
    assert_eq!(size(&desk), q("0.5"), "nobody said that it is flat");
    desk.account.unreadable_positions = 0;
    desk.pass(70);
    assert_eq!(size(&desk), q("0"));
}

#[test]
fn t4_a_symbol_that_the_sweep_does_not_ask_for_is_not_taken_for_flat() {
    let mut desk = Desk::ready();
    let perp = Symbol::clipped("BTCPERP"); // settles in USDC: listed under another coin
    let fill = ExecutionRow { symbol: perp, ..execution("e1", "by-hand", Side::Buy, "0.3", NOW.after(Span::secs(1))) };
    desk.take(push(PushRows::Executions(vec![fill])));
    desk.pass(200);
    let size = desk.manager.durable().positions.get(&perp).map(|position| position.size);
    assert_eq!(size, Some(q("0.3")));
}

#[test]
fn t4_a_difference_of_long_ago_does_not_shorten_the_time_of_a_new_one() {
    let mut desk = Desk::ready();
    desk.account.held.insert(btc(), q("0.3"));
    desk.pass(61); // seen once
    desk.account.held.remove(&btc()); // and gone before its time
    desk.pass(120);
    desk.account.held.insert(btc(), q("0.3"));
    let adopted = |desk: &Desk| desk.events.iter().any(|event| matches!(event, Event::PositionAdopted { .. }));
    assert!(!adopted(&desk));
    let seen = (0..70).find(|_| {
        desk.pass(1);
        adopted(&desk)
    });
    // A sweep comes each minute; from the one that sees it on there are five seconds.
    let sweeps: Vec<Timestamp> = desk
        .events
        .iter()
        .filter_map(|event| if let Event::Reconciled { at, .. } = event { Some(*at) } else { None })
        .collect();
    let [.., last, adopting] = sweeps.as_slice() else { panic!("{sweeps:?}") };
    assert!(seen.is_some() && adopting.since(*last) >= Span::secs(5) && adopting.since(*last) < Span::secs(10));
}

#[test]
fn k1_what_it_said_long_ago_decides_nothing_while_it_is_down() {
    let mut desk = consulting(false);
    desk.signal("BTCUSDT", 1);
    desk.answer_all();
    say(&mut desk, Question::Position(btc()), 200, r#"{"size":"2"}"#);
    say(&mut desk, Question::Exposure, 200, r#"{"total_exposure_usdt":"10000"}"#);
    desk.answer_all();
    assert_eq!(desk.manager.durable().book.len(), 0, "{:?}", settled(&desk));
    desk.pass(30);
    desk.signal("BTCUSDT", 2);
    for _ in 0..3 {
        desk.answer_all();
        for question in desk.questions.clone() {
            say(&mut desk, question, 503, "");
        }
    }
    assert_eq!(desk.manager.durable().book.len(), 1, "{:?}", settled(&desk));
}

#[test]
fn e3_a_doubt_outlives_the_process() {
    let mut desk = consulting(true);
    desk.take(Input::Doubted(btc()));
    desk.restart();
    desk.up();
    desk.pass(2);
    assert!(desk.questions.contains(&Question::Validate(btc())), "{:?}", desk.questions);
    say(&mut desk, Question::Validate(btc()), 200, "{}");
    desk.restart();
    desk.up();
    desk.pass(2);
    say(&mut desk, Question::Validate(btc()), 200, "{}");
    desk.pass(11);
    say(&mut desk, Question::Validate(btc()), 200, "{}");
    desk.questions.clear();
    desk.restart();
    desk.up();
    desk.pass(12);
    assert!(!desk.questions.contains(&Question::Validate(btc())), "{:?}", desk.questions);
}

#[test]
fn t1_what_the_row_left_out_of_its_fills_is_not_told_as_part_of_later_ones() {
    for (limit, average) in [(None, None), (Some("50000"), None), (Some("50000"), Some("900000"))] {
        let mut desk = Desk::new();
        let price = |text: &str| Price(d(text));
        let (limit, average_price) = (limit.map(price), average.map(price));
        let mut shown = row(ID, OrderStatus::PartiallyFilled, "0.4");
        shown.is_market = limit.is_none();
        desk.account.orders.push(shown);
        desk.account.fills.push(execution("e1", ID, Side::Buy, "0.4", NOW.before(Span::secs(60))));
        desk.take(Input::Inherited(vec![InheritedOrder { limit, average_price, ..inherited(ID, "0.3") }]));
        desk.up();
        desk.pass(70);
        let told = told(&desk);
        assert_eq!(told.len(), 1);
        assert_eq!(told[0].increment.average_price(), Some(Price(d("50000"))), "{limit:?} {average:?}");
    }
}

/// The model service sends base units for sells: the row and the event of one that is refused showed 0.00001 for 0.03.
#[test]
fn d7_a_refused_sell_in_base_units_is_shown_in_them() {
    let config = Config { sell_amount_unit: SellAmountUnit::Base, ..Config::default() };
    let mut desk = Desk::with(config);
    desk.up();
    let body = br#"{"signal_id":"00000000-0000-0000-0000-000000000001","signal_type":"sell","asset":"BTCUSDT",
        "amount":0.03,"confidence":0.8,"timestamp":"2023-11-14T22:13:20Z","strategy_id":"s",
        "market_data_snapshot":{"price":50000}}"#;
    let (mut projector, mut rows) = (Projector::default(), Rows::default());
    let body = Bytes(body.to_vec());
    desk.take(Input::Signal(Box::new(Delivery { id: DeliveryId(1), trace: None, prior: None, body })));
    desk.answer_all();
    projector.follow_record(Seq(1), desk.now, &desk.events, &mut rows);
    let row = rows.orders.values().next().unwrap();
    let relationship = rows.relationships.values().next().unwrap();
    assert_eq!((row.status_word(), row.quantity.to_string().as_str()), ("rejected", "0.03000000"));
    assert_eq!(relationship.allocation_amount.unwrap().to_string(), "1500.00000000");
    assert_eq!(relationship.allocation_quantity.unwrap().to_string(), "0.03000000");
    let message = rows.messages.values().next().unwrap();
    assert_eq!(message.order.quantity, Quantity(d("0.03")));
}
