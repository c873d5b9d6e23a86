//! A manager on a desk: a test hands it each input and reads what it asks for.

#![allow(dead_code, reason = "each test binary uses a part of it")]

use order_manager_core::bybit::{
    ApiError, ApiReply, BadRow, ExecutionRow, InstrumentRow, LimitHeaders, OrderQuery, OrderRow, OrderStatus, Page,
    PositionRow, Push, PushRows, Reply, Request, TickerRow, WalletRow,
};
use order_manager_core::command::{Command, Outgoing};
use order_manager_core::config::Config;
use order_manager_core::event::Event;
use order_manager_core::input::{Answer, Delivery, DeliveryId, Input, Question, Started, Stream, Tag};
use order_manager_core::order::Spec;
use order_manager_core::unit::{
    Bytes, Decimal, ExchangeTime, Money, OrderLinkId, Price, Quantity, Ratio, Side, Span, Symbol, Text, Timestamp,
    decimal,
};
use order_manager_core::{Manager, Step};
use std::collections::BTreeMap;

pub(crate) const START: Timestamp = Timestamp(1_700_000_000_000_000);

pub(crate) fn d(text: &str) -> Decimal {
    decimal::parse(text).unwrap()
}

/// A manager, and the requests that it has out.
pub(crate) struct Desk {
    pub(crate) manager: Manager,
    pub(crate) step: Step,
    pub(crate) now: Timestamp,
    pub(crate) out: Vec<Outgoing>,
    /// What Position Manager is asked.
    pub(crate) questions: Vec<Question>,
    /// Every event so far.
    pub(crate) events: Vec<Event>,
    pub(crate) account: Account,
    config: Config,
}

/// What stands at the exchange.
#[derive(Default)]
pub(crate) struct Account {
    /// Positions that are held, plus is long, entered at 50000.
    pub(crate) held: BTreeMap<Symbol, Quantity>,
    /// Open orders.
    pub(crate) orders: Vec<OrderRow>,
    /// Closed ones.
    pub(crate) closed: Vec<OrderRow>,
    /// Fills.
    pub(crate) fills: Vec<ExecutionRow>,
    /// Positions whose rows cannot be read.
    pub(crate) unreadable_positions: u32,
    pub(crate) unreadable_orders: u32,
    pub(crate) legs: Vec<PositionRow>,
}

impl Desk {
    /// A first life has begun, and the clock is asked for.
    pub(crate) fn new() -> Self {
        Self::with(Config::default())
    }

    pub(crate) fn with(config: Config) -> Self {
        let mut desk = Self {
            manager: Manager::new(),
            step: Step::default(),
            now: START,
            out: Vec::new(),
            questions: Vec::new(),
            events: Vec::new(),
            account: Account::default(),
            config: config.clone(),
        };
        desk.take(Input::Started(Box::new(Started { life: 1, config })));
        desk
    }

    /// The clock is known and the stream is up.
    pub(crate) fn up(&mut self) {
        self.answer_all();
        self.take(Input::Stream(Box::new(Stream::Up)));
        self.answer_all();
    }

    /// The process dies, and another one goes on from what was stored.
    pub(crate) fn restart(&mut self) {
        let checkpoint = self.manager.checkpoint().unwrap();
        self.manager = Manager::restore(Some(&checkpoint), []).unwrap();
        self.out.clear();
        self.questions.clear();
        let life = self.manager.durable().life + 1;
        self.take(Input::Started(Box::new(Started { life, config: self.config.clone() })));
    }

    /// Seconds go by; everything that is asked is answered.
    pub(crate) fn pass(&mut self, seconds: u64) {
        self.wake_until(self.now.after(Span::secs(seconds)));
    }

    /// Everything is known: clock, orders, fills, positions.
    pub(crate) fn ready() -> Self {
        let mut desk = Self::new();
        desk.answer_all();
        desk.take(Input::Stream(Box::new(Stream::Up)));
        desk.answer_all();
        assert!(desk.manager.is_ready());
        desk
    }

    pub(crate) fn take(&mut self, input: Input) {
        self.manager.step(self.now, &input, &mut self.step).unwrap();
        for command in &self.step.commands {
            match command {
                Command::Send(outgoing) => self.out.push(outgoing.clone()),
                Command::Consult(question) => self.questions.push(*question),
                Command::Settle { .. } => {}
            }
        }
        self.events.extend(self.step.events.iter().cloned());
    }

    pub(crate) fn answer(&mut self, tag: Tag, result: Result<Reply, ApiError>) {
        let reply = ApiReply { result, time: None, limits: LimitHeaders::default() };
        self.take(Input::Reply { tag, answer: Box::new(Answer::Typed(reply)) });
    }

    /// A buy of 500 USDT at 50000, less half the spread.
    pub(crate) fn signal(&mut self, symbol: &str, id: u64) {
        let body = format!(
            "{{\"signal_id\":\"00000000-0000-0000-0000-00000000000{id}\",\"signal_type\":\"buy\",\"asset\":\"{symbol}\",\
             \"amount\":500,\"confidence\":0.8,\"timestamp\":\"2023-11-14T22:13:20Z\",\"strategy_id\":\"s\",\
             \"market_data_snapshot\":{{\"price\":50000,\"spread\":100}}}}"
        );
        let body = Bytes(body.into_bytes());
        self.take(Input::Signal(Box::new(Delivery { id: DeliveryId(id), trace: None, prior: None, body })));
    }

    /// Answers all but creates; the link of the create that is out then.
    pub(crate) fn answer_up_to_create(&mut self) -> OrderLinkId {
        loop {
            let outgoing = self.out.remove(0);
            if let Tag::Create(link) = outgoing.tag {
                return link;
            }
            let reply = self.account.sensible(&outgoing.request, self.now);
            self.answer(outgoing.tag, Ok(reply));
        }
    }

    pub(crate) fn wake(&mut self, at: Timestamp) {
        self.now = at;
        self.take(Input::Woke);
    }

    pub(crate) fn answer_all(&mut self) {
        while !self.out.is_empty() {
            let outgoing = self.out.remove(0);
            let reply = self.account.sensible(&outgoing.request, self.now);
            self.answer(outgoing.tag, Ok(reply));
        }
    }

    pub(crate) fn wake_until(&mut self, end: Timestamp) {
        while let Some((at, _)) = self.manager.wake().filter(|(at, _)| *at <= end) {
            self.now = at;
            self.take(Input::Woke);
            self.answer_all();
        }
        self.now = end;
    }

    pub(crate) fn clock_questions(&self) -> usize {
        self.out.iter().filter(|outgoing| outgoing.tag == Tag::Clock).count()
    }
}

impl Account {
    /// What it answers, on the same clock as ours.
    pub(crate) fn sensible(&self, request: &Request, now: Timestamp) -> Reply {
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
            Request::OpenOrders(query) => {
                let bad = unreadable(if query.link.is_none() { self.unreadable_orders } else { 0 });
                Reply::Orders(Page { bad, ..self.orders_of(&self.orders, query) })
            }
            Request::OrderHistory(query) => Reply::Orders(self.orders_of(&self.closed, query)),
            Request::Executions(query) => {
                let id = query.order_id;
                let link = query.link.map(link_text).filter(|_| id.is_none());
                let wanted = |row: &&ExecutionRow| {
                    id.is_none_or(|id| row.order_id == id)
                        && (link.is_none() || row.link == link)
                        && (id.is_some() || link.is_some() || query.start.is_none_or(|start| row.time >= start))
                };
                Reply::Executions(Page { rows: self.fills.iter().filter(wanted).copied().collect(), ..Page::default() })
            }
            Request::Wallet => Reply::Wallet(WalletRow {
                total_equity: Some(Money(d("10000"))),
                total_available: Some(Money(d("10000"))),
                coins: Vec::new(),
                bad: Vec::new(),
            }),
            Request::Positions { symbol: Some(symbol), .. } => {
                Reply::Positions(page(position_row(*symbol, self.held.get(symbol).copied().unwrap_or_default(), now)))
            }
            Request::Positions { .. } => {
                let rows = self.held.iter().map(|(symbol, size)| position_row(*symbol, *size, now));
                let rows = rows.chain(self.legs.iter().copied()).collect();
                let bad = unreadable(self.unreadable_positions);
                Reply::Positions(Page { rows, bad, ..Page::default() })
            }
            Request::Ticker { .. } => Reply::Tickers(page(ticker_row(symbol))),
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

    fn orders_of(&self, all: &[OrderRow], query: &OrderQuery) -> Page<OrderRow> {
        let link = query.link.map(link_text).filter(|_| query.order_id.is_none());
        let wanted = |row: &&OrderRow| {
            query.order_id.is_none_or(|id| row.order_id == id) && (link.is_none() || row.link == link)
        };
        Page { rows: all.iter().filter(wanted).copied().collect(), ..Page::default() }
    }
}

fn ticker_row(symbol: Symbol) -> TickerRow {
    let price = Price(d("50000"));
    let some = Some(price);
    TickerRow { symbol, last: price, mark: some, index: some, bid: some, ask: some }
}

pub(crate) fn position_row(symbol: Symbol, size: Quantity, now: Timestamp) -> PositionRow {
    let side = match size {
        size if size.is_zero() => None,
        size if size.is_positive() => Some(Side::Buy),
        _ => Some(Side::Sell),
    };
    PositionRow {
        symbol,
        position_idx: 0,
        side,
        size: size.abs(),
        average_price: side.map(|_| Price(d("50000"))),
        leverage: Some(Ratio(d("2"))),
        unrealised_pnl: None,
        seq: -1,
        updated: ExchangeTime(now.0 / 1_000),
    }
}

pub(crate) fn unreadable(rows: u32) -> Vec<BadRow> {
    let why = Text::clipped("it cannot be read");
    (0..rows).map(|index| BadRow { index, why, link: None }).collect()
}

pub(crate) fn page<T>(row: T) -> Page<T> {
    Page { rows: vec![row], ..Page::default() }
}

pub(crate) fn link_text(link: OrderLinkId) -> Text<64> {
    Text::clipped(link.as_str())
}

pub(crate) fn push(rows: PushRows) -> Input {
    Input::Stream(Box::new(Stream::Typed(Push { time: None, rows, bad: Vec::new() })))
}

/// The order, resting without a fill.
pub(crate) fn open_row(spec: &Spec) -> OrderRow {
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
