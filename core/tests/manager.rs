//! What the fuzzer found in the manager, each as the shortest story that shows it.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::arithmetic_side_effects, reason = "a test")]

use order_manager_core::bybit::{
    ApiError, ApiReply, ExecType, ExecutionRow, InstrumentRow, LimitHeaders, OrderRow, OrderStatus, Page, PositionRow,
    Push, PushRows, Reply, Request, TickerRow, WalletRow,
};
use order_manager_core::command::{Command, Outgoing};
use order_manager_core::config::Config;
use order_manager_core::input::{Answer, Delivery, DeliveryId, Input, Started, Stream, Tag};
use order_manager_core::order::Spec;
use order_manager_core::unit::{
    Bytes, Decimal, ExchangeTime, Money, OrderLinkId, Price, Quantity, Ratio, Span, Symbol, Text, Timestamp, decimal,
};
use order_manager_core::{Manager, Step};

const START: Timestamp = Timestamp(1_700_000_000_000_000);

fn d(text: &str) -> Decimal {
    decimal::parse(text).unwrap()
}

/// A manager, and the requests that it has out.
struct Desk {
    manager: Manager,
    step: Step,
    now: Timestamp,
    out: Vec<Outgoing>,
}

impl Desk {
    /// A first life has begun, and the clock is asked for.
    fn new() -> Self {
        let mut desk = Self { manager: Manager::new(), step: Step::default(), now: START, out: Vec::new() };
        desk.take(Input::Started(Box::new(Started { life: 1, config: Config::default() })));
        desk
    }

    /// Everything is known: clock, orders, fills, positions.
    fn ready() -> Self {
        let mut desk = Self::new();
        desk.answer_all();
        desk.take(Input::Stream(Box::new(Stream::Up)));
        desk.answer_all();
        assert!(desk.manager.is_ready());
        desk
    }

    fn take(&mut self, input: Input) {
        self.manager.step(self.now, &input, &mut self.step).unwrap();
        for command in &self.step.commands {
            if let Command::Send(outgoing) = command {
                self.out.push(outgoing.clone());
            }
        }
    }

    fn answer(&mut self, tag: Tag, result: Result<Reply, ApiError>) {
        let reply = ApiReply { result, time: None, limits: LimitHeaders::default() };
        self.take(Input::Reply { tag, answer: Box::new(Answer::Typed(reply)) });
    }

    /// A buy of 500 USDT at 50000, less half the spread.
    fn signal(&mut self, symbol: &str, id: u64) {
        let body = format!(
            "{{\"signal_id\":\"00000000-0000-0000-0000-00000000000{id}\",\"signal_type\":\"buy\",\"asset\":\"{symbol}\",\
             \"amount\":500,\"confidence\":0.8,\"timestamp\":\"2023-11-14T22:13:20Z\",\"strategy_id\":\"s\",\
             \"market_data_snapshot\":{{\"price\":50000,\"spread\":100}}}}"
        );
        let body = Bytes(body.into_bytes());
        self.take(Input::Signal(Box::new(Delivery { id: DeliveryId(id), trace: None, prior: None, body })));
    }

    /// Answers all but creates; the link of the create that is out then.
    fn answer_up_to_create(&mut self) -> OrderLinkId {
        loop {
            let outgoing = self.out.remove(0);
            if let Tag::Create(link) = outgoing.tag {
                return link;
            }
            let reply = sensible(&outgoing.request, self.now);
            self.answer(outgoing.tag, Ok(reply));
        }
    }

    fn wake(&mut self, at: Timestamp) {
        self.now = at;
        self.take(Input::Woke);
    }

    fn answer_all(&mut self) {
        while !self.out.is_empty() {
            let outgoing = self.out.remove(0);
            let reply = sensible(&outgoing.request, self.now);
            self.answer(outgoing.tag, Ok(reply));
        }
    }

    fn wake_until(&mut self, end: Timestamp) {
        while let Some((at, _)) = self.manager.wake().filter(|(at, _)| *at <= end) {
            self.now = at;
            self.take(Input::Woke);
            self.answer_all();
        }
        self.now = end;
    }

    fn clock_questions(&self) -> usize {
        self.out.iter().filter(|outgoing| outgoing.tag == Tag::Clock).count()
    }
}

/// An account without orders, fills and positions, on the same clock as ours.
fn sensible(request: &Request, now: Timestamp) -> Reply {
    let symbol = match request {
        Request::Positions { symbol: Some(symbol), .. }
        | Request::Ticker { symbol, .. }
        | Request::Instrument { symbol, .. } => *symbol,
        _ => Symbol::clipped("BTCUSDT"),
    };
    let (price, quantity) = (|text| Price(d(text)), |text| Quantity(d(text)));
    match request {
        Request::Create(create) => Reply::Ack { order_id: Text::clipped("x"), link: Some(link_text(create.link)) },
        Request::Cancel(cancel) => Reply::Ack { order_id: Text::clipped("x"), link: Some(link_text(cancel.link)) },
        Request::Amend(_) => panic!("nothing is amended here"),
        Request::OpenOrders(_) | Request::OrderHistory(_) => Reply::Orders(Page::default()),
        Request::Executions(_) => Reply::Executions(Page::default()),
        Request::Wallet => Reply::Wallet(WalletRow {
            total_equity: Some(Money(d("10000"))),
            total_available: Some(Money(d("10000"))),
            coins: Vec::new(),
            bad: Vec::new(),
        }),
        Request::Positions { .. } => Reply::Positions(page(PositionRow {
            symbol,
            position_idx: 0,
            side: None,
            size: Quantity::ZERO,
            average_price: None,
            leverage: Some(Ratio(d("2"))),
            unrealised_pnl: None,
            seq: -1,
            updated: ExchangeTime(0),
        })),
        Request::Ticker { .. } => {
            let some = Some(price("50000"));
            Reply::Tickers(page(TickerRow {
                symbol,
                last: price("50000"),
                mark: some,
                index: some,
                bid: some,
                ask: some,
            }))
        }
        Request::ServerTime => Reply::ServerTime(now.0),
        Request::Instrument { .. } => Reply::Instruments(page(InstrumentRow {
            symbol,
            trading: true,
            base: Text::clipped("BTC"),
            quote: Text::clipped("USDT"),
            tick_size: price("0.1"),
            min_price: price("0.1"),
            max_price: price("1999999.8"),
            quantity_step: quantity("0.001"),
            min_quantity: quantity("0.001"),
            max_limit_quantity: quantity("1190"),
            max_market_quantity: quantity("500"),
            min_notional: Money(d("5")),
            price_limit_ratio_x: Ratio(d("0.01")),
            price_limit_ratio_y: Ratio(d("0.02")),
            max_leverage: Ratio(d("100")),
        })),
    }
}

fn page<T>(row: T) -> Page<T> {
    Page { rows: vec![row], ..Page::default() }
}

fn link_text(link: OrderLinkId) -> Text<64> {
    Text::clipped(link.as_str())
}

fn push(rows: PushRows) -> Input {
    Input::Stream(Box::new(Stream::Typed(Push { time: None, rows, bad: Vec::new() })))
}

/// The order, resting without a fill.
fn open_row(spec: &Spec) -> OrderRow {
    OrderRow {
        order_id: Text::clipped("x"),
        link: Some(link_text(spec.link)),
        symbol: spec.symbol,
        side: spec.side,
        quantity: spec.quantity,
        price: Some(spec.price),
        is_market: false,
        status: OrderStatus::New,
        cum_quantity: Quantity::ZERO,
        cum_value: Money::ZERO,
        cum_fee: Money::ZERO,
        cancel_type: Text::EMPTY,
        reject_reason: Text::EMPTY,
        reduce_only: false,
        position_idx: 0,
        created: ExchangeTime(0),
        updated: ExchangeTime(0),
    }
}

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
    };
    desk.take(push(PushRows::Executions(vec![execution])));
    desk.wake_until(START.after(Span::secs(60)));
    // From here on nobody answers: the order stays as it was last seen.
    desk.now = START.after(Span::secs(26 * 3_600));
    desk.take(Input::Woke);
    let order = desk.manager.durable().book.get(order.spec.link).expect("it is remembered");
    assert!(order.told.ended && order.state.may_fill(), "{:?}", order.state);
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
