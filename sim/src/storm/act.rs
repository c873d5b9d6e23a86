//! What happens in a storm: each act draws from labels of its own.

use super::{SYMBOLS, Storm};
use crate::choice::Choices;
use crate::exchange::Phase;
use crate::scenario::{
    Answer, Crash, CrashMoment, CrashOn, Effect, Fault, FaultKind, Path, Pushes, Requests, SignalStep, Topic,
    signal_body, signal_id,
};
use order_manager_core::bybit::Operation;
use order_manager_core::unit::{Decimal, Price, Quantity, Side, Span, Symbol, Text};

impl Storm {
    pub(super) fn act(&mut self) {
        match self.c.below("act", 100) {
            0..40 => self.signal(),
            40..60 => self.price(),
            60..80 => self.fault(),
            80..86 => self.crash(),
            86..90 => {
                let down = self.c.chance("down", 500);
                self.note(format!("stream down={down}"));
                if down { self.world.stream_down() } else { self.world.stream_up() }
            }
            90..92 => self.again(),
            92..94 if self.weather.manual => self.manual(),
            92..94 => self.touch(),
            94 => self.exchange_acts(),
            95 => {
                self.note("reject next".into());
                self.world.exchange.knobs_mut().reject_next_after_ack.push_back(Text::clipped("EC_Others"));
            }
            96..98 => {
                let (symbol, _) = symbol(&mut self.c);
                let at_best = *self.c.pick("depth", self.weather.depths);
                self.note(format!("liquidity {symbol} {at_best}"));
                self.world.exchange.set_liquidity(symbol, Quantity(Decimal::new(at_best, 3)));
            }
            98 => self.exchange_acts(),
            _ => {
                if let Some(bytes) = self.world.checkpoint() {
                    self.note("checkpoint".into());
                    self.checkpoint = Some((self.world.life.store.len(), bytes));
                }
            }
        }
    }

    fn signal(&mut self) {
        let (symbol, _) = symbol(&mut self.c);
        let now = self.world.exchange.last_price(symbol).unwrap_or(Price(Decimal::ONE));
        let market = self.c.chance("market", 500);
        let off = Decimal::new(self.c.between("off", 0, 40) as i64 - 20, 4);
        let exit = self.c.chance("exit", 150);
        let side = if exit || self.c.chance("sell", self.weather.sells) { Side::Sell } else { Side::Buy };
        let alias = format!("s{}", self.bodies.len());
        let signal = SignalStep {
            id: signal_id(&alias),
            alias,
            symbol,
            side,
            amount: Decimal::from(self.c.between("amount", 3, 1_400)),
            confidence: Decimal::new(if market { 95 } else { 70 }, 2),
            price: Some(Price((now.0 * (Decimal::ONE + off)).round_dp(2))),
            spread: Decimal::new(self.c.between("spread", 10, 1_500) as i64, 1),
            age: Span::secs(*self.c.pick("age", &[0, 1, 60, 110, 119])),
            urgency: false,
            exit,
            warmup: false,
            strategy: "storm".into(),
            trace: None,
            deliveries: 1 + u32::from(self.c.chance("twice", 100)),
        };
        self.note(format!("signal {} {symbol} {side} {} market={market} exit={exit}", signal.alias, signal.amount));
        let body = signal_body(&signal, self.world.now, now);
        (0..signal.deliveries).for_each(|_| self.world.bring(body.clone()));
        self.bodies.push(body);
    }

    fn again(&mut self) {
        if self.bodies.is_empty() {
            return;
        }
        let body = self.bodies[self.c.below("which", self.bodies.len() as u64) as usize].clone();
        self.note("a signal again".into());
        self.world.bring(body);
    }

    fn price(&mut self) {
        if self.c.chance("touch", self.weather.touches) {
            return self.touch();
        }
        let (symbol, base) = symbol(&mut self.c);
        let move_by = Decimal::new(self.c.between("move", 0, 60) as i64 - 30, 4);
        let price = Price((base.0 * (Decimal::ONE + move_by)).round_dp(1));
        self.note(format!("price {symbol} {price}"));
        self.world.set_price(symbol, price);
    }

    /// The price comes just as far as an order of ours, which then fills in parts.
    fn touch(&mut self) {
        let open: Vec<(Symbol, Price)> = {
            let orders = &self.world.exchange.truth().orders;
            let resting = orders.iter().filter(|order| order.phase == Phase::Open && !order.is_market);
            resting.map(|order| (order.symbol, order.state.price)).collect()
        };
        if !open.is_empty() {
            let (symbol, price) = *self.c.pick("touched", &open);
            self.note(format!("price {symbol} touches {price}"));
            self.world.set_price(symbol, price);
        }
    }

    fn manual(&mut self) {
        let (symbol, _) = symbol(&mut self.c);
        let side = *self.c.pick("manual", &[Side::Buy, Side::Sell]);
        let quantity = Quantity(Decimal::new(self.c.between("manual-size", 1, 9) as i64, 2));
        self.manual = true;
        self.note(format!("manual {side} {symbol} {quantity}"));
        self.world.exchange.manual_order(self.world.now, symbol, side, quantity);
    }

    /// What the exchange does by itself: ends our orders, forgets closed ones, refuses to touch young ones.
    fn exchange_acts(&mut self) {
        match self.c.below("by-itself", 3) {
            0 => {
                let now = self.world.now;
                let ours: Vec<_> = self.world.exchange.truth().links.keys().copied().collect();
                self.note("the exchange cancels all".into());
                ours.into_iter().for_each(|link| _ = self.world.exchange.cancel_by_admin(now, link));
            }
            1 => self.world.exchange.clear_closed_cache(),
            _ => self.world.exchange.knobs_mut().untouchable_for = Span::millis(self.c.between("young", 0, 2_000)),
        }
    }

    fn requests(&mut self) -> Requests {
        use Operation::{Cancel, Create, Executions, OpenOrders, OrderHistory, Positions, ServerTime, Tickers, Wallet};
        let ones = [Create, Cancel, OpenOrders, OrderHistory, Executions, Positions, Wallet, Tickers, ServerTime];
        match self.c.below("of", 100) {
            0..40 => Requests::One(Create),
            40..60 => Requests::One(Cancel),
            60..70 => Requests::All,
            70..80 => Requests::Queries,
            _ => Requests::One(*self.c.pick("one", &ones)),
        }
    }

    fn fault(&mut self) {
        let of = self.requests();
        let topics = [Topic::Order, Topic::Execution, Topic::Position].map(Pushes::One);
        let kind = match self.c.below("fault", 10) {
            0..6 => {
                let pushes =
                    if self.c.chance("all-pushes", 300) { Pushes::All } else { *self.c.pick("topic", &topics) };
                let path = *self.c.pick("path", &[Path::Reply(of), Path::Request(of), Path::Push(pushes)]);
                let by = Span::millis(*self.c.pick("by", &[1, 30, 300, 900, 2_500, 4_900, 5_100, 9_000]));
                let mut effect = *self.c.pick("effect", &[Effect::Drop, Effect::Delay(by), Effect::Duplicate]);
                if matches!(path, Path::Request(_)) && effect == Effect::Duplicate && !self.doubles {
                    effect = Effect::Delay(by);
                }
                FaultKind::Carry { path, effect }
            }
            6..9 if !self.doubles => {
                let codes = [10006, 10016, 10000, 110007, 10002, 110072, 110017, 10019, 110001, 110079, 12];
                let statuses = [503, 403, 429, 500, 504];
                let answer = if self.c.chance("status", 300) {
                    Answer::Status(*self.c.pick("which-status", &statuses))
                } else {
                    Answer::Code(*self.c.pick("code", &codes))
                };
                let honest = matches!(answer, Answer::Code(10006 | 110007 | 10002 | 110017) | Answer::Status(403));
                let executed = !honest && self.c.chance("executed", 500);
                FaultKind::Answer { of, answer, executed }
            }
            _ => FaultKind::PushFirst { of },
        };
        let count = *self.c.pick("count", &[1, 1, 2, 3, 8]);
        self.note(format!("fault {kind:?} x{count}"));
        self.world.wire.add_fault(Fault { kind, count });
    }

    fn crash(&mut self) {
        let one = |operation| CrashOn::Sending(Requests::One(operation));
        let ons = [
            CrashOn::Any,
            CrashOn::Signal,
            CrashOn::Reply,
            CrashOn::Push,
            one(Operation::Create),
            one(Operation::Cancel),
            CrashOn::Sending(Requests::Queries),
        ];
        let moments = [CrashMoment::BeforePersist, CrashMoment::AfterPersist, CrashMoment::AfterRequest];
        let restart = Span::millis(*self.c.pick("restart", &[1, 100, 1_000, 7_000, 40_000]));
        let crash = Crash { moment: *self.c.pick("moment", &moments), on: *self.c.pick("on", &ons), restart };
        self.note(format!("{crash:?}"));
        self.world.plan_crash(crash);
    }
}

/// The symbol of the next thing that happens, and the price that it keeps near.
fn symbol(c: &mut Choices) -> (Symbol, Price) {
    let (name, price) = *c.pick("symbol", &[SYMBOLS[0], SYMBOLS[0], SYMBOLS[0], SYMBOLS[1]]);
    (Symbol::clipped(name), Price(Decimal::new(price, 1)))
}
