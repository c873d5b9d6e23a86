//! What decisions and signatures went by: each reading is as old as its question.

use super::bench::{Bench, Scene, Verdict};
use super::list::Oracle;
use super::memory::{Decided, Memory};
use super::rules::RulesRead;
use crate::shelf::Shelf;
use order_manager_core::bybit::{Operation, Push, PushRows, Request, push, rest};
use order_manager_core::command::{Command, Outgoing};
use order_manager_core::config::Config;
use order_manager_core::event::Event;
use order_manager_core::input::{Answer, Input, Stream, Tag};
use order_manager_core::order::Spec;
use order_manager_core::unit::{Price, Span, Symbol, Timestamp};
use order_manager_core::{Manager, Step};
use std::collections::VecDeque;

/// A signature is in milliseconds, and so is the clock that it was made by.
const ROUNDING: Span = Span::millis(2);
/// How long moved prices are remembered.
const PRICES_KEPT: Span = Span::secs(600);

/// A moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
struct Moment {
    /// By the host's clock: no process knows another.
    own: Timestamp,
    /// In truth.
    at: Timestamp,
}

/// A question that is out.
#[derive(Clone, Copy, Debug)]
struct Asked {
    /// When it was decided.
    when: Moment,
    /// Does its answer show positions?
    shows_positions: bool,
}

#[derive(Clone, Debug, Default)]
pub(super) struct Readings {
    /// Questions that are out: never many.
    out: Vec<(Tag, Asked)>,
    symbols: Shelf<Symbol, OfSymbol>,
    /// As of when the wallet is.
    wallet: Option<Moment>,
    /// When the reconcile began whose positions came last.
    swept: Option<Moment>,
    sweep_began: Moment,
    /// How well the exchange's clock was known at that true moment and that moment of the host's clock.
    clock: Option<(Span, Timestamp, Timestamp)>,
    /// How far the host's clock has drifted since.
    drifted: Span,
    /// How far what is shown of prices was behind, at most.
    tickers_lag: Span,
}

/// What was read of a symbol, as of when.
#[derive(Clone, Debug, Default)]
struct OfSymbol {
    position: Option<Moment>,
    ticker: Option<Moment>,
    instrument: Option<Moment>,
    /// When the position was asked for that was read last: what is pushed of a leverage may be older than it.
    leverage: Option<Timestamp>,
    /// The last reading of its rules.
    rules: Option<RulesRead>,
    /// What its price was, and since when.
    prices: VecDeque<(Timestamp, Price)>,
}

impl Readings {
    pub(super) fn price_moved(&mut self, now: Timestamp, symbol: Symbol, price: Price) {
        let prices = &mut self.symbols.of(symbol).prices;
        prices.push_back((now, price));
        while prices.get(1).is_some_and(|(until, _)| now.since(*until) > PRICES_KEPT) {
            prices.pop_front();
        }
    }

    /// Has the exchange's clock been asked for since the manager last forgot what it observed?
    pub(super) const fn knows_the_clock(&self) -> bool {
        self.clock.is_some()
    }

    /// How well the exchange's clock is known, to the millisecond.
    pub(super) fn unsure(&self) -> Span {
        let (unsure, ..) = self.clock.unwrap_or_default();
        Span(unsure.0 + self.drifted.0 + ROUNDING.0)
    }

    /// What was read is gone; questions of the dead have no answers.
    pub(super) fn died(&mut self) {
        self.out.clear();
        self.forget();
    }

    fn forget(&mut self) {
        for of in self.symbols.all_mut() {
            (of.position, of.ticker, of.instrument, of.leverage) = (None, None, None, None);
        }
        (self.wallet, self.swept, self.clock, self.drifted) = (None, None, None, Span::ZERO);
    }

    /// Prices may be shown later than before.
    pub(super) fn lags(&mut self, scene: Scene<'_>) {
        self.tickers_lag = self.tickers_lag.max(scene.exchange.tickers_lag());
    }

    pub(super) fn stepped(
        &mut self,
        bench: &mut Bench,
        scene: Scene<'_>,
        input: &Input,
        step: &Step,
        manager: &Manager,
        memory: &mut Memory,
    ) {
        let own = manager.now();
        self.drifted =
            self.clock.map_or(Span::ZERO, |(_, now, then)| Span(own.since(then).0.abs_diff(scene.now.since(now).0)));
        let now = Moment { own, at: scene.now };
        self.take(now, input, memory);
        for event in &step.events {
            if let Event::OrderIntended { spec } = event {
                memory.track(spec.link).decided = self.decided(scene.now, spec.symbol);
                if !spec.reduce_only {
                    bench.rule(Oracle::StaleDataNeverOpens, self.fresh(own, spec, manager.config()));
                    let seen = memory.signals.get(spec.intent.signal).and_then(|heard| heard.price);
                    bench.rule(Oracle::DriftLimit, self.near(scene, spec.symbol, seen, manager.config()));
                }
            }
        }
        for command in &step.commands {
            if let Command::Send(outgoing) = command {
                bench.rule(Oracle::SignedAtDecision, self.signed(scene, outgoing, manager.config()));
                self.asks(now, outgoing);
            }
        }
    }

    /// What a decision on this symbol goes by.
    fn decided(&mut self, at: Timestamp, symbol: Symbol) -> Decided {
        let (of, wallet) = (self.symbols.of(symbol), self.wallet);
        let by = [wallet, of.ticker, of.position.max(self.swept)];
        let truly = |asked: Option<Moment>| asked.map(|asked| asked.at);
        let (funds_asked, wallet_asked) = (truly(by.into_iter().min().flatten()), truly(wallet));
        Decided { at, funds_asked, leverage_asked: of.leverage, wallet_asked, rules_read: of.rules }
    }

    fn take(&mut self, now: Moment, input: &Input, memory: &mut Memory) {
        match input {
            Input::Reply { tag, answer } => {
                let place = self.out.iter().position(|(of, _)| of == tag);
                let asked = place.map(|place| self.out.swap_remove(place).1);
                // Of a reconcile only the pages of positions are a reading.
                let reads = |asked: &Asked| asked.shows_positions || !matches!(tag, Tag::Sweep { .. });
                if let Some(asked) = asked.filter(reads).filter(|_| is_good(*tag, answer)) {
                    self.answered(now, *tag, asked);
                }
            }
            Input::Stream(stream) => match &**stream {
                Stream::Typed(push) => self.pushed(now, push, memory),
                Stream::Frame(bytes) if names_positions(&bytes.0) => {
                    if let Ok(push) = push::decode(&bytes.0) {
                        self.pushed(now, &push, memory);
                    }
                }
                _ => {}
            },
            Input::Checkpointed(_) => {
                self.forget();
                memory.views.clear();
            }
            _ => {}
        }
    }

    fn answered(&mut self, now: Moment, tag: Tag, asked: Asked) {
        let Asked { when: asked, shows_positions } = asked;
        match tag {
            Tag::Clock => {
                // A clock that drifts also shows the way to the exchange and back as another one than it was.
                let (shown, truly) = (now.own.since(asked.own), now.at.since(asked.at));
                let unsure = Span(shown.0 / 2 + shown.0.abs_diff(truly.0));
                (self.clock, self.drifted) = (Some((unsure, now.at, now.own)), Span::ZERO);
            }
            Tag::Instrument(symbol) => {
                let of = self.symbols.of(symbol);
                (of.rules, of.instrument) = (Some((asked.at, now.at)), Some(now));
            }
            Tag::Position(symbol) => {
                let of = self.symbols.of(symbol);
                (of.leverage, of.position) = (Some(asked.at), Some(asked));
            }
            Tag::Ticker(symbol) => self.symbols.of(symbol).ticker = Some(asked),
            Tag::Wallet => self.wallet = Some(asked),
            Tag::Sweep { .. } if shows_positions => self.swept = Some(self.sweep_began),
            _ => {}
        }
    }

    fn pushed(&mut self, now: Moment, push: &Push, memory: &mut Memory) {
        if let PushRows::Positions(rows) = &push.rows {
            for row in rows {
                self.symbols.of(row.symbol).position = Some(now);
                if row.position_idx == 0 {
                    memory.views.entry(row.symbol).or_default().push((now.at, row.seq));
                }
            }
        }
    }

    fn asks(&mut self, when: Moment, outgoing: &Outgoing) {
        match outgoing.tag {
            Tag::Sweep { page, .. } => {
                if page == 0 {
                    self.sweep_began = when;
                }
            }
            Tag::Clock | Tag::Wallet | Tag::Instrument(_) | Tag::Ticker(_) | Tag::Position(_) => {}
            Tag::Create(_) | Tag::Cancel(_) | Tag::Inquiry { .. } | Tag::Consult(_) => return,
        }
        let shows_positions =
            matches!(outgoing.tag, Tag::Sweep { .. }) && matches!(outgoing.request, Request::Positions { .. });
        self.out.retain(|(tag, _)| *tag != outgoing.tag);
        self.out.push((outgoing.tag, Asked { when, shows_positions }));
    }

    /// Was everything fresh that an opening order is decided by (spec K2)?
    fn fresh(&self, now: Timestamp, spec: &Spec, config: &Config) -> Verdict {
        let symbol = spec.symbol;
        let (of, none) = (self.symbols.get(symbol), OfSymbol::default());
        let of = of.unwrap_or(&none);
        let clock = self.clock.map(|(_, at, own)| Moment { own, at });
        let off = clock.map_or(Span::ZERO, |Moment { own, at }| Span(own.0.abs_diff(at.0)));
        let max = config.clock_offset_max();
        if off.0 > max.0 + self.unsure().0 {
            return Err(format!("{} is decided by a clock {off} off the exchange's; it may be {max}", spec.link));
        }
        for (tag, read, max) in [
            (Tag::Clock, clock, config.clock_max_age()),
            (Tag::Wallet, self.wallet, config.balance_max_age()),
            (Tag::Position(symbol), of.position.max(self.swept), config.position_max_age()),
            (Tag::Ticker(symbol), of.ticker, config.price_max_age()),
            (Tag::Instrument(symbol), of.instrument, config.instrument_max_age()),
        ] {
            if read.is_none_or(|as_of| now.since(as_of.own) > max) {
                return Err(format!("{} is decided by {tag:?} as of {read:?}; it may be {max} old", spec.link));
            }
        }
        Ok(())
    }

    /// Was the price near the signal's at any moment whose ticker may have counted (spec D6)?
    fn near(&self, scene: Scene<'_>, symbol: Symbol, seen: Option<Price>, config: &Config) -> Verdict {
        let Some(seen) = seen else { return Ok(()) };
        let max = config.max_price_drift_ratio;
        let near = |price: Price| (price.0 - seen.0).abs() <= max.0 * seen.0;
        let age = config.price_max_age().0;
        let from = scene.now.0.saturating_sub(age + age / 100 + self.tickers_lag.0);
        let prices = self.symbols.get(symbol).map(|of| &of.prices).filter(|prices| !prices.is_empty());
        let Some(prices) = prices else {
            let last = scene.exchange.last_price(symbol);
            return if last.is_none_or(near) { Ok(()) } else { Err(format!("{last:?} is far from {seen}")) };
        };
        for (since, price) in prices.iter().rev() {
            if near(*price) {
                return Ok(());
            }
            if since.0 < from {
                let now = scene.exchange.last_price(symbol);
                return Err(format!("{symbol} is at {now:?}, and was further than {max} from {seen} all the time"));
            }
        }
        Ok(()) // the price from before the first move is not remembered
    }

    /// Does it carry what the exchange's clock shows, as well as the last reading lets one know it?
    fn signed(&self, scene: Scene<'_>, outgoing: &Outgoing, config: &Config) -> Verdict {
        if u64::from(outgoing.recv_window_ms) != config.recv_window_ms {
            return Err(format!("{:?} has a window of {} ms", outgoing.tag, outgoing.recv_window_ms));
        }
        if outgoing.request == Request::ServerTime {
            return Ok(());
        }
        let Some(_) = self.clock else {
            return Err(format!("{:?} is signed before the exchange's clock is known", outgoing.tag));
        };
        let off = (outgoing.signed_at.0 * 1_000).abs_diff(scene.now.0);
        let unsure = self.unsure();
        if off <= unsure.0 {
            return Ok(());
        }
        let (tag, at, clock) = (outgoing.tag, outgoing.signed_at, scene.clock());
        Err(format!("{tag:?} is signed {at} where the exchange's clock shows {clock}, known to {unsure}"))
    }
}

/// Is it an answer, and no refusal?
fn is_good(tag: Tag, answer: &Answer) -> bool {
    match answer {
        Answer::NotSent { .. } | Answer::Lost { .. } => false,
        Answer::Typed(reply) => reply.result.is_ok(),
        Answer::Http { status, limits, body } => rest::decode(operation(tag), *status, *limits, &body.0).result.is_ok(),
    }
}

/// A page of a reconcile may be of three endpoints; a page of positions is what counts.
const fn operation(tag: Tag) -> Operation {
    match tag {
        Tag::Wallet => Operation::Wallet,
        Tag::Instrument(_) => Operation::Instruments,
        Tag::Ticker(_) => Operation::Tickers,
        Tag::Position(_) | Tag::Sweep { .. } => Operation::Positions,
        _ => Operation::ServerTime,
    }
}

/// The topic stands at the beginning of a push. Where `positionIdx` does too, the push is read for nothing.
fn names_positions(bytes: &[u8]) -> bool {
    String::from_utf8_lossy(bytes.get(..160).unwrap_or(bytes)).contains("\"position")
}
