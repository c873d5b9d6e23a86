//! What decisions and signatures went by: each reading is as old as its question.

use super::bench::{Bench, Scene, Verdict};
use super::list::Oracle;
use super::memory::{Decided, Memory};
use super::rules::RulesRead;
use crate::shelf::Shelf;
use order_manager_core::bybit::{ApiError, Operation, Push, PushRows, Reply, Request, TickerRow, push, rest};
use order_manager_core::command::{Command, Outgoing};
use order_manager_core::config::Config;
use order_manager_core::event::Event;
use order_manager_core::input::{Answer, Input, Stream, Tag};
use order_manager_core::unit::{Price, Span, Symbol, Timestamp};
use order_manager_core::{Manager, Step};
use std::borrow::Cow;
use std::collections::VecDeque;

/// Who waited so long for an answer may have given the question up, and then heeds none.
pub(super) const GIVEN_UP: Span = Span::secs(30);
/// A signature is in milliseconds, and so is the clock that it was made by.
const ROUNDING: Span = Span::millis(2);
/// "No such symbol", in the words of three endpoints (bybit-v5.md 7).
const NO_SUCH: [i64; 3] = [10_001, 181_012, 170_121];
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
    /// The same of positions.
    views_lag: Span,
    /// The same of the wallet.
    wallet_lag: Span,
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
    /// The last answer about it was that there is no such symbol.
    denied: bool,
    /// The last reading of its prices; none where nobody can tell which one that is.
    quote: Option<TickerRow>,
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
            (of.position, of.ticker, of.instrument, of.leverage, of.quote) = (None, None, None, None, None);
        }
        (self.wallet, self.swept, self.clock, self.drifted) = (None, None, None, Span::ZERO);
    }

    /// Prices may be shown later than before.
    pub(super) fn lags(&mut self, scene: Scene<'_>) {
        self.tickers_lag = self.tickers_lag.max(scene.exchange.tickers_lag());
        self.views_lag = self.views_lag.max(scene.exchange.views_lag());
        self.wallet_lag = self.wallet_lag.max(scene.exchange.wallet_lag());
    }

    /// The last reading of a symbol's prices.
    pub(super) fn quote(&self, symbol: Symbol) -> Option<&TickerRow> {
        self.symbols.get(symbol)?.quote.as_ref()
    }

    /// The highest price of a symbol that is remembered.
    pub(super) fn highest(&self, symbol: Symbol) -> Option<Price> {
        self.symbols.get(symbol)?.prices.iter().map(|(_, price)| *price).max()
    }

    /// Is a symbol's leverage known?
    pub(super) fn has_leverage(&self, symbol: Symbol) -> bool {
        self.symbols.get(symbol).is_some_and(|of| of.leverage.is_some())
    }

    /// Was it said last that there is no such symbol?
    pub(super) fn was_denied(&self, symbol: Symbol) -> bool {
        self.symbols.get(symbol).is_some_and(|of| of.denied)
    }

    /// What was asked for of a symbol's position shows what was before this, surely.
    pub(super) fn position_shown(&self, symbol: Symbol) -> Option<Timestamp> {
        let asked = self.symbols.get(symbol).and_then(|of| of.leverage);
        asked.max(self.swept.map(|swept| swept.at)).map(|asked| before(asked, self.views_lag))
    }

    /// The same of all positions.
    pub(super) fn all_shown(&self) -> Option<Timestamp> {
        self.swept.map(|swept| before(swept.at, self.views_lag))
    }

    /// The same of the wallet.
    pub(super) fn funds_shown(&self) -> Option<Timestamp> {
        self.wallet.map(|wallet| before(wallet.at, self.wallet_lag))
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
            if let Event::OrderTold(told) = event
                && told.crossed
                && let Some(order) = manager.durable().book.get(told.link)
            {
                self.symbols.of(order.spec.symbol).quote = None; // it led across: another is asked for, or none is had
            }
            if let Event::Reconciled { until, .. } = event {
                let unsure = self.unsure(); // by the clock of this step, however late it becomes durable
                bench.must(Oracle::WatermarkNotAhead, *until <= scene.clock().after(unsure), || {
                    format!("reconciled until {until}, and it is {}, known to {unsure}", scene.clock())
                });
            }
            if let Event::OrderIntended { spec } = event {
                memory.track(spec.link).decided = self.decided(scene.now, spec.symbol);
                let fresh = self.fresh(own, spec.symbol, spec.reduce_only, manager.config());
                let fresh = fresh.map_err(|why| format!("{} is decided by {why}", spec.link));
                bench.rule(Oracle::StaleDataNeverOpens, fresh);
                if !spec.reduce_only {
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
                if let Some(asked) = asked.filter(reads) {
                    let Some(result) = result(*tag, answer) else { return };
                    if let Tag::Instrument(symbol) | Tag::Position(symbol) = tag {
                        self.symbols.of(*symbol).denied = denies(*symbol, &result);
                    }
                    if let Ok(reply) = &*result {
                        self.answered(now, *tag, asked, reply);
                    }
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

    fn answered(&mut self, now: Moment, tag: Tag, asked: Asked, reply: &Reply) {
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
            Tag::Ticker(symbol) => {
                let of = self.symbols.of(symbol);
                of.ticker = Some(asked);
                if now.own.since(asked.own) >= GIVEN_UP {
                    of.quote = None; // it is this one, or still the one before
                } else if let Reply::Tickers(page) = reply {
                    of.quote = page.rows.iter().find(|row| row.symbol == symbol).copied().or(of.quote);
                }
            }
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

    /// Is everything fresh that an order is decided by (spec K2)? What only reduces needs neither wallet nor price.
    pub(super) fn fresh(&self, now: Timestamp, symbol: Symbol, reduces: bool, config: &Config) -> Verdict {
        let (of, none) = (self.symbols.get(symbol), OfSymbol::default());
        let of = of.unwrap_or(&none);
        let clock = self.clock.map(|(_, at, own)| Moment { own, at });
        let off = clock.map_or(Span::ZERO, |Moment { own, at }| Span(own.0.abs_diff(at.0)));
        let max = config.clock_offset_max();
        if !reduces && off.0 > max.0 + self.unsure().0 {
            return Err(format!("a clock {off} off the exchange's; it may be {max}"));
        }
        for (tag, read, max, opens) in [
            (Tag::Clock, clock, config.clock_max_age(), false),
            (Tag::Position(symbol), of.position.max(self.swept), config.position_max_age(), false),
            (Tag::Instrument(symbol), of.instrument, config.instrument_max_age(), false),
            (Tag::Wallet, self.wallet, config.balance_max_age(), true),
            (Tag::Ticker(symbol), of.ticker, config.price_max_age(), true),
        ] {
            if !(opens && reduces) && read.is_none_or(|as_of| now.since(as_of.own) > max) {
                return Err(format!("{tag:?} as of {read:?}; it may be {max} old"));
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

/// What it says; none where nothing was answered.
fn result(tag: Tag, answer: &Answer) -> Option<Cow<'_, Result<Reply, ApiError>>> {
    match answer {
        Answer::NotSent { .. } | Answer::Lost { .. } => None,
        Answer::Typed(reply) => Some(Cow::Borrowed(&reply.result)),
        Answer::Http { status, limits, body } => {
            Some(Cow::Owned(rest::decode(operation(tag), *status, *limits, &body.0).result))
        }
    }
}

/// Does it say that there is no such symbol, in a code or by leaving it out?
fn denies(symbol: Symbol, result: &Result<Reply, ApiError>) -> bool {
    match result {
        Ok(Reply::Instruments(page)) => !page.rows.iter().any(|row| row.symbol == symbol),
        Ok(Reply::Positions(page)) => !page.rows.iter().any(|row| row.symbol == symbol && row.position_idx == 0),
        Err(ApiError::Code { code, .. }) => NO_SUCH.contains(code),
        _ => false,
    }
}

const fn before(asked: Timestamp, lag: Span) -> Timestamp {
    Timestamp(asked.0.saturating_sub(lag.0))
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
