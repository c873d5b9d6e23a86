//! The deciding core of the order manager. Everything that decides is a pure function of its inputs: no I/O, no
//! clock, no randomness, no floats, no panics. Time, the network and the disk are outside; what they say comes in
//! as an [`input::Input`], and what they shall do goes out as a [`command::Command`].
//!
//! # The one rule: step, persist, act, sleep
//!
//! 1. [`Manager::step`] with an input and a time that never goes back.
//! 2. Persist [`Step::record`], with the rows that its events change, in one transaction.
//! 3. Only then start [`Step::commands`], in order, none waiting for another's answer.
//! 4. Sleep until [`Manager::wake`], or until something happens. Then again.
//!
//! So nothing leaves before what caused it is durable, and a failed write ends the manager: memory is ahead of the
//! disk. [`Manager::restore`] makes another from the records, and [`input::Input::Started`] is its first input.
//! There is no second way to recover. The durable state is exactly the fold of the events, so a replay of the
//! stored inputs gives the same events, commands and digest.
//!
//! # A reader's walk
//!
//! | read | for |
//! |---|---|
//! | [`input`], [`command`], [`event`] | all that can come in, go out, and be true: the architecture |
//! | [`manager`] | the one `match input`; beside it a file for each concern: `signals`, `lanes`, `decide`, `replies`, `facts`, `inquiries`, `sweeps`, `tell` |
//! | [`order::state`] | an order's states and the transition table |
//! | [`order`] | what joins the exchange's facts, in whatever order they come |
//! | [`intake`], [`plan`], [`risk`] | the corridor of a signal: read it, plan it, judge it. Pure functions |
//! | [`market`], [`account`], [`position`] | what planning reads, what risk reads, what fills make of a position |
//! | [`reconcile`], [`pace`], [`retry`], [`timer`] | ask for everything; budgets; waits; when to come back and why |
//! | [`bybit`] | our types to bytes and back, the signature, the error table |
//! | [`journal`], [`report`], [`rows`] | what is stored, what is published of it, and which table rows it changes |
//! | [`config`], [`refusal`], [`outcome`], [`mod@unit`] | what may be chosen, how it can end, what it is counted in |
//!
//! # A whole trade, by hand
//!
//! A test, a replay, the simulator and the service all do this. Here the answers are typed; from the wire they come
//! as bytes. Not shown are the helpers: `asked` lists the tags of a step's requests, `told` the changes of
//! orders that the world is told; `ok` makes an answer, `push` a message of the private stream, and `*_row` what
//! Bybit would show.
//!
//! ```
//! # use order_manager_core::bybit::*;
//! # use order_manager_core::command::{Command, Receipt};
//! # use order_manager_core::config::Config;
//! # use order_manager_core::event::{Change, Event};
//! # use order_manager_core::input::*;
//! # use order_manager_core::unit::*;
//! # use order_manager_core::{Manager, Step};
//! # fn d(text: &str) -> Decimal { decimal::parse(text).unwrap() }
//! # fn symbol() -> Symbol { Text::clipped("BTCUSDT") }
//! # fn asked(step: &Step) -> Vec<Tag> {
//! #     let tag = |c: &Command| if let Command::Send(request) = c { Some(request.tag) } else { None };
//! #     step.commands.iter().filter_map(tag).collect()
//! # }
//! # fn told(step: &Step) -> Vec<Change> {
//! #     let change = |e: &Event| if let Event::OrderTold(told) = e { Some(told.change) } else { None };
//! #     step.events.iter().filter_map(change).collect()
//! # }
//! # fn ok(tag: Tag, reply: Reply) -> Input {
//! #     let reply = ApiReply { result: Ok(reply), time: None, limits: LimitHeaders::default() };
//! #     Input::Reply { tag, answer: Box::new(Answer::Typed(reply)) }
//! # }
//! # fn push(rows: PushRows) -> Input {
//! #     Input::Stream(Box::new(Stream::Typed(Push { time: None, rows, bad: Vec::new() })))
//! # }
//! # fn page<T>(row: T) -> Page<T> { Page { rows: vec![row], ..Page::default() } }
//! # fn instrument_row() -> InstrumentRow {
//! #     InstrumentRow {
//! #         symbol: symbol(), trading: true, base: Text::clipped("BTC"), quote: Text::clipped("USDT"),
//! #         tick_size: Price(d("0.1")), min_price: Price(d("0.1")), max_price: Price(d("1999999.8")),
//! #         quantity_step: Quantity(d("0.001")), min_quantity: Quantity(d("0.001")),
//! #         max_limit_quantity: Quantity(d("1190")), max_market_quantity: Quantity(d("500")),
//! #         min_notional: Money(d("5")), price_limit_ratio_x: Ratio(d("0.01")), price_limit_ratio_y: Ratio(d("0.02")),
//! #         max_leverage: Ratio(d("100")),
//! #     }
//! # }
//! # fn ticker_row() -> TickerRow {
//! #     let price = |text| Price(d(text));
//! #     let (bid, ask) = (Some(price("49999.9")), Some(price("50000.1")));
//! #     TickerRow { symbol: symbol(), last: price("50000"), mark: Some(price("50000")), index: None, bid, ask }
//! # }
//! # fn wallet_row() -> WalletRow {
//! #     let total = Some(Money(d("10000")));
//! #     WalletRow { total_equity: total, total_available: total, coins: Vec::new(), bad: Vec::new() }
//! # }
//! # fn flat_row() -> PositionRow {
//! #     PositionRow {
//! #         symbol: symbol(), position_idx: 0, side: None, size: Quantity::ZERO, average_price: None,
//! #         leverage: Some(Ratio(d("2"))), unrealised_pnl: None, seq: -1, updated: ExchangeTime(0),
//! #     }
//! # }
//! # fn execution_row(order: &Create, now: Timestamp) -> ExecutionRow {
//! #     ExecutionRow {
//! #         exec_id: Text::clipped("exec-1"), order_id: Text::clipped("bybit-1"),
//! #         link: Some(Text::clipped(order.link.as_str())), symbol: order.symbol, side: order.side,
//! #         exec_type: ExecType::Trade, price: Price(d("50000")), quantity: order.quantity,
//! #         value: Money(d("500")), fee: Money(d("0.275")), fee_coin: Text::clipped("USDT"), is_maker: false,
//! #         time: now.at_exchange(ClockOffset(0)), seq: None,
//! #     }
//! # }
//! # fn filled_row(order: &Create, now: Timestamp) -> OrderRow {
//! #     let at = now.at_exchange(ClockOffset(0));
//! #     OrderRow {
//! #         order_id: Text::clipped("bybit-1"), link: Some(Text::clipped(order.link.as_str())),
//! #         symbol: order.symbol, side: order.side, quantity: order.quantity, price: None, is_market: true,
//! #         status: OrderStatus::Filled, cum_quantity: order.quantity, cum_value: Money(d("500")),
//! #         cum_fee: Money(d("0.275")), cancel_type: Text::EMPTY, reject_reason: Text::EMPTY, reduce_only: false,
//! #         position_idx: 0, created: at, updated: at,
//! #     }
//! # }
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let (mut manager, mut step) = (Manager::new(), Step::default());
//! let now = Timestamp(1_641_006_005_000_000); // 2022-01-01 03:00:05 UTC; time stands still in this trade
//!
//! // A life begins. Nothing can be signed before the exchange's clock is known, so that is asked for first.
//! let started = Started { life: 1, config: Config::default() };
//! manager.step(now, &Input::Started(Box::new(started)), &mut step)?;
//! assert_eq!(asked(&step), [Tag::Clock]);
//! manager.step(now, &ok(Tag::Clock, Reply::ServerTime(now.0)), &mut step)?;
//!
//! // The private stream is up. What came before is lost, so the account is swept: orders, fills, positions.
//! manager.step(now, &Input::Stream(Box::new(Stream::Up)), &mut step)?;
//! let nothing = [Reply::Orders(Page::default()), Reply::Executions(Page::default()), Reply::Positions(Page::default())];
//! for (number, empty) in (0..).zip(nothing) {
//!     let tag = asked(&step)[0];
//!     assert!(matches!(tag, Tag::Sweep { page, .. } if page == number));
//!     manager.step(now, &ok(tag, empty), &mut step)?;
//! }
//! assert!(manager.is_ready());
//!
//! // A signal. It is accepted at once; to decide on it takes the wallet, the position, a price and the rules.
//! let body = br#"{"signal_id":"892f902b-d23f-4824-928b-2f330c5c7fd0","signal_type":"buy","asset":"BTCUSDT",
//!     "amount":"505","confidence":"0.99","timestamp":"2022-01-01T03:00:04.706502Z","strategy_id":"momentum_v1",
//!     "market_data_snapshot":{"price":"50000.0","spread":"1.0"}}"#;
//! let delivery = Delivery { id: DeliveryId(1), trace: None, prior: None, body: Bytes(body.to_vec()) };
//! manager.step(now, &Input::Signal(Box::new(delivery)), &mut step)?;
//! assert!(matches!(step.commands[0], Command::Settle { receipt: Receipt::Accepted(_), .. }));
//! let btc = symbol();
//! assert_eq!(asked(&step), [Tag::Wallet, Tag::Position(btc), Tag::Ticker(btc), Tag::Instrument(btc)]);
//! manager.step(now, &ok(Tag::Wallet, Reply::Wallet(wallet_row())), &mut step)?;
//! manager.step(now, &ok(Tag::Position(btc), Reply::Positions(page(flat_row()))), &mut step)?;
//! manager.step(now, &ok(Tag::Ticker(btc), Reply::Tickers(page(ticker_row()))), &mut step)?;
//! manager.step(now, &ok(Tag::Instrument(btc), Reply::Instruments(page(instrument_row()))), &mut step)?;
//!
//! // The last answer completed the scene. This step planned, judged, and made the order durable as intended and as
//! // sent; once its record is stored, the create may leave.
//! use Event::{InstrumentChanged, OrderIntended, OrderSent, Planned};
//! let events = &step.events[..];
//! assert!(matches!(events, [InstrumentChanged { .. }, Planned { .. }, OrderIntended { .. }, OrderSent { .. }]));
//! let [Command::Send(sent)] = &step.commands[..] else { panic!("one request, not {:?}", step.commands) };
//! let Request::Create(order) = sent.request.clone() else { panic!("a create") };
//! assert_eq!(order.quantity, Quantity(d("0.01"))); // what 505 USDT buy at the worst price within the slippage
//!
//! // Bybit takes it. That is an acceptance, not a fill: fills come on the stream, order row and execution apart.
//! let ack = Reply::Ack { order_id: Text::clipped("bybit-1"), link: None };
//! manager.step(now, &ok(sent.tag, ack), &mut step)?;
//! assert_eq!(told(&step), [Change::Created]);
//! manager.step(now, &push(PushRows::Orders(vec![filled_row(&order, now)])), &mut step)?;
//! assert_eq!(told(&step), []); // the row tells of a fill that no execution explains yet
//! manager.step(now, &push(PushRows::Executions(vec![execution_row(&order, now)])), &mut step)?;
//! assert_eq!(told(&step), [Change::Filled]);
//!
//! // What is told is what is booked, once: the same push again changes nothing.
//! manager.step(now, &push(PushRows::Executions(vec![execution_row(&order, now)])), &mut step)?;
//! assert!(step.events.is_empty() && step.commands.is_empty());
//! assert_eq!(manager.durable().positions[&btc].size, Quantity(d("0.01")));
//! # Ok(())
//! # }
//! ```
#![no_std]
extern crate alloc;
#[cfg(test)]
extern crate std;

pub mod account;
pub mod bybit;
pub mod command;
pub mod config;
pub mod event;
#[cfg(test)]
mod fixture;
pub mod input;
pub mod intake;
pub mod journal;
pub mod manager;
pub mod market;
pub mod neighbours;
pub mod order;
pub mod outcome;
pub mod pace;
pub mod plan;
pub mod position;
pub mod reconcile;
pub mod refusal;
pub mod report;
pub mod retry;
pub mod risk;
pub mod rows;
pub mod timer;
pub mod unit;

pub use manager::{Manager, Step};
