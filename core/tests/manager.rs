//! What the fuzzer found in the manager, each as the shortest story that shows it.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::arithmetic_side_effects, reason = "a test")]

mod desk;

use desk::{Desk, START, d, link_text, open_row, position_row, push, unreadable};
use order_manager_core::bybit::{
    ApiError, BadRow, ExecType, ExecutionRow, OrderRow, OrderStatus, Page, PositionRow, Push, PushRows, Reply, Request,
};
use order_manager_core::config::Config;
use order_manager_core::event::Event;
use order_manager_core::input::{Answer, Input, Started, Stream, Tag};
use order_manager_core::order::State;
use order_manager_core::outcome::Outcome;
use order_manager_core::refusal::Code;
use order_manager_core::unit::{ExchangeTime, Money, OrderLinkId, Price, Quantity, Side, Span, Symbol, Text};

/// An answer whose question was forgotten at a checkpoint was measured from the year 1970: the manager then
/// signed its requests with a time in 2050.
#[test]
fn o2_an_answer_to_a_forgotten_question_sets_no_clock() {
    let mut desk = Desk::new();
    let resumed = desk.manager.resumed();
    desk.take(Input::Checkpointed(Box::new(resumed)));
    assert_eq!(desk.clock_questions(), 1, "it is out still, and its answer counts");
    desk.answer_all();
    desk.take(Input::Stream(Box::new(Stream::Up)));
    assert_eq!(desk.out[0].signed_at, ExchangeTime(START.0 / 1_000));
}

/// A connection that came back before its end was noticed has a gap too.
#[test]
fn t3_a_stream_that_comes_up_twice_has_a_gap() {
    let mut desk = Desk::ready();
    desk.take(Input::Stream(Box::new(Stream::Up)));
    assert!(!desk.manager.is_ready());
    desk.answer_all();
    assert!(desk.manager.is_ready());
}

/// The question for the clock, refused for its clock, was asked again at once, and then once more by its timer.
#[test]
fn o5_a_question_is_out_once_and_not_asked_in_a_circle() {
    let mut desk = Desk::new();
    desk.out.clear();
    desk.answer(Tag::Clock, Err(ApiError::Code { code: 10_002, message: Text::clipped("clock") }));
    assert_eq!(desk.clock_questions(), 0);
    desk.now = desk.manager.wake().unwrap().0;
    desk.take(Input::Woke);
    assert_eq!(desk.clock_questions(), 1);
    desk.now = desk.now.after(Span::secs(10));
    desk.take(Input::Stream(Box::new(Stream::Up)));
    desk.take(Input::Woke);
    assert_eq!(desk.clock_questions(), 1);
}

/// All its executions came and the row that closes it never did: it may still be open, so it is remembered.
#[test]
fn o2_an_order_that_may_be_open_is_not_forgotten() {
    let mut desk = Desk::ready();
    desk.signal("BTCUSDT", 7);
    desk.answer_all();
    let order = desk.manager.durable().book.iter().next().unwrap().clone();
    let (link, price) = (Some(link_text(order.spec.link)), order.spec.price);
    let row = open_row(&order.spec);
    desk.take(push(PushRows::Orders(vec![row])));
    let execution = ExecutionRow {
        exec_id: Text::clipped("e1"),
        order_id: Text::clipped("x"),
        link,
        symbol: order.spec.symbol,
        side: order.spec.side,
        exec_type: ExecType::Trade,
        price,
        quantity: order.spec.quantity,
        value: price.times(order.spec.quantity).unwrap(),
        fee: Money::ZERO,
        fee_coin: Text::clipped("USDT"),
        is_maker: true,
        time: ExchangeTime(START.0 / 1_000),
        seq: None,
    };
    desk.take(push(PushRows::Executions(vec![execution])));
    desk.wake_until(START.after(Span::secs(60)));
    // From here on nobody answers: the order stays as it was last seen.
    desk.now = START.after(Span::secs(26 * 3_600));
    desk.take(Input::Woke);
    let order = desk.manager.durable().book.get(order.spec.link).expect("it is remembered");
    assert!(order.told.ended && order.state.may_fill(), "{:?}", order.state);
}

/// A cancel is lost, and the clock with another question's answer while the order is being asked about: the next question
/// cannot be signed, and the cancel waited for it.
#[test]
fn o5_a_lost_cancel_goes_again_when_the_clock_is_lost_amid_its_questions() {
    let mut desk = Desk::ready();
    desk.signal("BTCUSDT", 7);
    desk.answer_all();
    let spec = desk.manager.durable().book.iter().next().unwrap().spec;
    desk.take(push(PushRows::Orders(vec![open_row(&spec)])));
    desk.signal("BTCUSDT", 8);
    let cancel = Tag::Cancel(spec.link);
    while desk.out[0].tag != cancel {
        let asked = desk.out.remove(0);
        let reply = desk.account.sensible(&asked.request, desk.now);
        desk.answer(asked.tag, Ok(reply));
    }
    desk.out.clear();
    desk.take(Input::Reply { tag: cancel, answer: Box::new(Answer::Lost { why: Text::clipped("no answer") }) });
    let question = desk.out[0].tag;
    let clock = Err(ApiError::Code { code: 10_002, message: Text::clipped("clock") });
    desk.answer(Tag::Wallet, clock);
    desk.answer(question, Ok(Reply::Orders(Page::default())));
    desk.wake(desk.now.after(Span::secs(1)));
    assert!(desk.out.iter().any(|outgoing| outgoing.tag == cancel), "{:?}", desk.out);
}

/// After a restart a signal was forgotten by the time at which it settled, though its order had lived for long after that.
#[test]
fn s9_a_signal_is_remembered_from_its_orders_end_across_a_restart() {
    let mut desk = Desk::ready();
    desk.signal("BTCUSDT", 7);
    desk.answer_all();
    let spec = desk.manager.durable().book.iter().next().unwrap().spec;
    desk.take(push(PushRows::Orders(vec![open_row(&spec)])));
    desk.now = START.after(Span::secs(1_450));
    let updated = ExchangeTime(desk.now.0 / 1_000);
    let cancelled = OrderRow { status: OrderStatus::Cancelled, updated, ..open_row(&spec) };
    desk.take(push(PushRows::Orders(vec![cancelled])));
    assert!(desk.manager.durable().book.get(spec.link).is_some_and(|order| order.told.ended), "it ended");
    desk.take(Input::Started(Box::new(Started { life: 2, config: Config::default() })));
    let mut known = |secs| {
        desk.now = START.after(Span::secs(secs));
        desk.take(Input::Woke);
        desk.manager.durable().signals.contains_key(&spec.intent.signal)
    };
    assert!(known(1_600), "settled 1,600 s ago, its order ended 150 s ago");
    assert!(!known(2_960), "its order ended 1,510 s ago");
}

/// A create that waits for its budget, and meanwhile the exchange shows the order after all: it went out again.
#[test]
fn o1_a_create_that_waits_is_taken_back_when_the_exchange_shows_the_order() {
    let too_many = || Err(ApiError::Code { code: 10_006, message: Text::clipped("too many visits") });
    let mut desk = Desk::ready();
    desk.signal("BTCUSDT", 7);
    let first = desk.answer_up_to_create();
    desk.signal("ETHUSDT", 8);
    let second = desk.answer_up_to_create();
    desk.answer(Tag::Create(first), too_many()); // to be tried again after a second
    desk.now = START.after(Span::millis(700));
    desk.answer(Tag::Create(second), too_many()); // no create goes for another second
    desk.wake(START.after(Span::millis(1_400)));
    assert_eq!(desk.out, [], "it waits");
    let spec = desk.manager.durable().book.get(first).unwrap().spec;
    desk.take(push(PushRows::Orders(vec![open_row(&spec)])));
    desk.wake(START.after(Span::millis(1_701)));
    assert!(desk.out.iter().all(|outgoing| outgoing.tag != Tag::Create(first)), "{:?}", desk.out);
}

/// A record that cannot be understood shows that its order exists, and then nothing was shown of it: it was proven absent.
#[test]
fn o4_an_order_of_an_unreadable_record_is_never_absent() {
    let after = |shown: &dyn Fn(OrderRow) -> Push| {
        let mut desk = Desk::ready();
        let (link, lost) = lost_create(&mut desk);
        let spec = desk.manager.durable().book.get(link).unwrap().spec;
        desk.take(Input::Stream(Box::new(Stream::Typed(shown(open_row(&spec))))));
        desk.take(lost);
        desk.pass(300);
        desk.manager.durable().book.get(link).unwrap().state
    };
    let orders = |rows, bad| Push { time: None, rows: PushRows::Orders(rows), bad };
    assert_eq!(after(&|_| orders(vec![], vec![])), State::Absent, "nothing was shown");
    let nobody_knows = OrderStatus::Other(Text::clipped("NobodyKnows"));
    assert_eq!(after(&|row| orders(vec![OrderRow { status: nobody_knows, ..row }], vec![])), State::Acked);
    let why = Text::clipped("qty is not a number");
    assert_eq!(after(&|row| orders(vec![], vec![BadRow { index: 0, why, link: row.link }])), State::Acked);
}

/// The one order that a question is about is shown by a row that cannot be read at all, not even its ids.
#[test]
fn o4_an_unreadable_answer_about_an_order_shows_that_it_exists() {
    let mut desk = Desk::ready();
    let (link, lost) = lost_create(&mut desk);
    desk.take(lost);
    let asked = desk.out.remove(0);
    desk.answer(asked.tag, Ok(Reply::Orders(Page { bad: unreadable(1), ..Page::default() })));
    desk.answer_all();
    desk.pass(300);
    assert_eq!(desk.manager.durable().book.get(link).unwrap().state, State::Acked);
}

/// An order that was held for absent is seen alive after all. A fresh copy of its signal would be its second order.
#[test]
fn s7_a_signal_whose_order_lives_is_not_tried_again() {
    let mut desk = Desk::ready();
    let (link, lost) = lost_create(&mut desk);
    desk.take(lost);
    desk.pass(60);
    let order = desk.manager.durable().book.get(link).unwrap();
    assert_eq!(order.state, State::Absent);
    let accepted = |desk: &Desk| desk.events.iter().filter(|e| matches!(e, Event::SignalAccepted { .. })).count();
    let row = open_row(&order.spec);
    desk.take(push(PushRows::Orders(vec![row])));
    desk.signal("BTCUSDT", 7);
    assert_eq!(accepted(&desk), 1);
}

/// Orders of others that cannot be read may fill like any other: what opens is refused, until they can be.
#[test]
fn k1_nothing_opens_beside_orders_that_cannot_be_read() {
    let mut desk = Desk::ready();
    desk.account.unreadable_orders = 1;
    desk.pass(61);
    desk.account.unreadable_orders = 0;
    desk.signal("BTCUSDT", 7);
    desk.answer_all();
    let exposure = Outcome::Rejected(Code::Exposure);
    assert!(desk.events.iter().any(|e| matches!(e, Event::SignalSettled { outcome, .. } if *outcome == exposure)));
    desk.pass(59); // they can be read again, and the signal is as old as it may be
    desk.signal("BTCUSDT", 8);
    desk.answer_all();
    assert_eq!(desk.manager.durable().book.live().count(), 1);
}

/// A reconcile whose view is behind what a push has told shows the leg all the same: it is not gone.
#[test]
fn k1_a_leg_of_hedge_mode_outlives_a_view_that_is_behind() {
    let mut desk = Desk::ready();
    let leg = |size: &str, seq, now| {
        let row = position_row(Symbol::clipped("ETHUSDT"), Quantity(d(size)), now);
        PositionRow { position_idx: 1, seq, ..row }
    };
    desk.account.legs = vec![leg("0.001", 10, START)];
    desk.take(push(PushRows::Positions(vec![leg("900", 11, START)])));
    desk.pass(61);
    desk.signal("BTCUSDT", 7);
    desk.answer_all();
    let exposure = Outcome::Rejected(Code::Exposure);
    assert!(desk.events.iter().any(|e| matches!(e, Event::SignalSettled { outcome, .. } if *outcome == exposure)));
}

/// A position that cannot be read is no word of hedge mode: it is asked for again.
#[test]
fn t4_a_position_that_cannot_be_read_is_asked_for_again() {
    let mut desk = Desk::ready();
    desk.signal("BTCUSDT", 7);
    while desk.out[0].tag != Tag::Position(Symbol::clipped("BTCUSDT")) {
        let asked = desk.out.remove(0);
        let reply = desk.account.sensible(&asked.request, desk.now);
        desk.answer(asked.tag, Ok(reply));
    }
    let asked = desk.out.remove(0);
    desk.answer(asked.tag, Ok(Reply::Positions(Page { bad: unreadable(1), ..Page::default() })));
    desk.answer_all();
    desk.pass(5);
    assert_eq!(desk.manager.durable().book.live().count(), 1);
}

fn lost_create(desk: &mut Desk) -> (OrderLinkId, Input) {
    desk.signal("BTCUSDT", 7);
    let link = desk.answer_up_to_create();
    let answer = Box::new(Answer::Lost { why: Text::clipped("no answer") });
    (link, Input::Reply { tag: Tag::Create(link), answer })
}

/// A process that was told to end takes answers and decides nothing more; the next life goes on.
#[test]
fn a5_a_life_that_stops_decides_and_sends_nothing_more() {
    let mut desk = Desk::ready();
    desk.signal("BTCUSDT", 1);
    desk.take(Input::Stopping);
    desk.answer_all();
    let creates = |desk: &Desk| desk.out.iter().filter(|o| matches!(o.request, Request::Create(_))).count();
    assert_eq!((creates(&desk), desk.manager.durable().book.len()), (0, 0));
    desk.take(Input::Started(Box::new(Started { life: 2, config: Config::default() })));
    desk.answer_all();
    desk.take(Input::Stream(Box::new(Stream::Up)));
    desk.answer_all();
    assert_eq!(desk.manager.durable().book.len(), 1);
}

/// Executions that were not reached were never asked for again: the reconcile counted as done, and the next one began
/// where it was said to have ended.
#[test]
fn t3_a_reconcile_whose_executions_lead_in_a_circle_is_not_done() {
    let mut desk = Desk::new();
    desk.answer_all();
    desk.take(Input::Stream(Box::new(Stream::Up)));
    let full = |desk: &mut Desk| {
        let asked = desk.out.remove(0);
        let rows = match asked.request {
            Request::Executions(_) => Reply::Executions(Page {
                rows: vec![foreign_funding(); 100],
                cursor: Some(Box::new(Text::clipped("here"))),
                ..Page::default()
            }),
            request => desk.account.sensible(&request, desk.now),
        };
        desk.answer(asked.tag, Ok(rows));
    };
    while !desk.out.is_empty() {
        full(&mut desk);
    }
    let known = (desk.manager.is_ready(), desk.manager.durable().reconciled_until);
    assert_eq!(known, (false, None), "nobody knows what the other pages hold");
    assert!(desk.events.iter().any(|event| matches!(event, Event::Quarantined { .. })), "somebody should look");
    desk.pass(60);
    assert!(desk.manager.is_ready(), "it is tried again");
}

fn foreign_funding() -> ExecutionRow {
    ExecutionRow {
        exec_id: Text::clipped("f"),
        order_id: Text::clipped("y"),
        link: None,
        symbol: Symbol::clipped("BTCUSDT"),
        side: Side::Buy,
        exec_type: ExecType::Funding,
        price: Price::ZERO,
        quantity: Quantity::ZERO,
        value: Money::ZERO,
        fee: Money::ZERO,
        fee_coin: Text::clipped("USDT"),
        is_maker: true,
        time: ExchangeTime(START.0 / 1_000),
        seq: None,
    }
}

/// Each start and each checkpoint began the time of forgetting anew: where lives were shorter than that nothing was ever
/// forgotten.
#[test]
fn a_process_that_starts_anew_every_few_minutes_forgets_all_the_same() {
    let mut desk = Desk::ready();
    desk.signal("BTCUSDT", 7);
    let link = desk.answer_up_to_create();
    let refused = Err(ApiError::Code { code: 110_007, message: Text::clipped("balance") });
    desk.answer(Tag::Create(link), refused);
    let durable = |desk: &Desk| (desk.manager.durable().signals.len(), desk.manager.durable().book.len());
    let live = |desk: &mut Desk, span: u64, lives: u64| {
        for _ in 0..lives {
            desk.pass(span);
            desk.restart();
            desk.up();
        }
        desk.pass(10);
    };
    live(&mut desk, 600, 2);
    assert_eq!(durable(&desk), (1, 1), "20 minutes later a copy may still come");
    live(&mut desk, 300, 2);
    assert_eq!(durable(&desk), (0, 1), "no copy is young enough any more");
    live(&mut desk, 3_600, 26);
    assert_eq!(durable(&desk), (0, 0), "no fill can come any more");
}

/// The same at checkpoints.
#[test]
fn a_process_with_checkpoints_every_few_minutes_forgets_all_the_same() {
    let mut desk = Desk::ready();
    desk.signal("BTCUSDT", 7);
    let link = desk.answer_up_to_create();
    desk.answer(Tag::Create(link), Err(ApiError::Code { code: 110_007, message: Text::clipped("balance") }));
    for _ in 0..6 {
        desk.pass(300);
        let resumed = desk.manager.resumed();
        desk.take(Input::Checkpointed(Box::new(resumed)));
        desk.answer_all();
    }
    assert_eq!(desk.manager.durable().signals.len(), 0);
}
