//! The fake Bybit: a deterministic, sans-IO exchange in virtual time (bybit-v5.md 9, 10.2).
//!
//! Requests come in typed ([`Exchange::handle`]) or as bytes ([`face::serve`]); the market moves by
//! [`Exchange::set_price`]; pushes leave by [`Exchange::poll`] when [`Exchange::next_due`] says so.
//! An acknowledgement is a promise only: the engine decides a delay later, and every view lags behind it.
//!
//! Reading order: config, order, position, market, check (what is refused at once), accept, engine (what is
//! decided later), matching, publish (what is told), query (what is seen when asked), face (bytes).
//!
//! Architecture invariant: there is no clock, no randomness and no I/O here. Time is an argument and never
//! goes back; the same calls give the same answers and pushes.

#![expect(clippy::result_large_err, reason = "a refusal is a plain value of the codec, without an allocation")]

mod accept;
mod acts;
mod book;
mod budget;
mod check;
mod config;
mod effects;
mod engine;
pub mod face;
mod ids;
mod knobs;
mod margin;
mod market;
mod matching;
mod order;
mod past;
mod position;
mod publish;
mod query;
mod quirk;
mod refusal;
mod truth;

#[cfg(test)]
mod tests;

pub use book::Book;
pub use config::{
    Budgets, Delays, ExchangeConfig, Fees, InstrumentConfig, LinkReuse, Liquidity, NoLiquidity, PriceBand,
};
pub use ids::link_id;
pub use knobs::{ForcedAnswer, Knobs, PushDelays};
pub use order::{Order, OrderState, Origin, Phase};
pub use position::{Effect, Position};
pub use query::Refine;
pub use quirk::{Act, Fate, Lag, Quirk, Spell, VISIBLE_WITHIN};
pub use truth::{Execution, LinkRecord, Truth};

use crate::agenda::{Agenda, earlier};
use crate::faults::topic;
use crate::swarm::Marks;
use budget::Windows;
use effects::Effects;
use engine::Action;
use market::Market;
use order_manager_core::bybit::{
    ApiError, ApiReply, InstrumentRow, LimitHeaders, Operation, Push, Reply, Request, TickerRow, WalletRow,
};
use order_manager_core::unit::{
    Category, ExchangeOrderId, ExchangeTime, ExecId, Money, Price, Ratio, Span, Symbol, Text, Timestamp,
};
use past::Past;
use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// What a signed request says about its own time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Signed {
    /// `X-BAPI-TIMESTAMP`.
    pub timestamp: ExchangeTime,
    /// `X-BAPI-RECV-WINDOW`, milliseconds.
    pub recv_window_ms: u32,
}

/// A push on its way out of the exchange.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outbound {
    /// When it leaves the exchange.
    pub at: Timestamp,
    /// What it says.
    pub push: Push,
}

/// The exchange with one account.
#[derive(Clone, Debug)]
pub struct Exchange {
    config: ExchangeConfig,
    markets: Vec<Market>,
    truth: Truth,
    /// What the engine has taken in but not decided; the number keeps equal times in order of arrival.
    agenda: Agenda<Action>,
    outbox: Agenda<Push>,
    arrivals: u64,
    windows: Windows,
    knobs: Knobs,
    /// Numbers of the orders that are open in the engine.
    open: BTreeSet<u64>,
    /// Numbers of the orders that closed last, oldest first, as many as the closed cache holds.
    recent: VecDeque<u64>,
    /// How many orders have closed: an order's place among them tells whether the closed cache still has it.
    closed: u64,
    /// Orders that closed before this one are lost to the closed cache.
    closed_from: u64,
    /// What the engine will do with orders that it has not looked at.
    fates: BTreeMap<u64, Fate>,
    /// What the wallet showed, while its view is behind.
    past_wallet: Past<WalletRow>,
    /// Requests that found the exchange in maintenance.
    turned_away: u64,
    /// The private stream was closed, and nobody has noticed yet.
    stream_cut: bool,
    effects: Effects,
}

impl Exchange {
    /// An exchange whose account has only its starting wallet; each instrument stands at its starting price.
    #[must_use]
    pub fn new(config: ExchangeConfig) -> Self {
        let markets: Vec<Market> = config.instruments.iter().map(|i| Market::new(i, &config)).collect();
        Self {
            markets,
            truth: Truth::new(config.wallet),
            agenda: Agenda::default(),
            outbox: Agenda::default(),
            arrivals: 0,
            windows: Windows::default(),
            knobs: Knobs::default(),
            open: BTreeSet::new(),
            recent: VecDeque::new(),
            closed: 0,
            closed_from: 0,
            fates: BTreeMap::new(),
            past_wallet: Past::default(),
            turned_away: 0,
            stream_cut: false,
            effects: Effects::default(),
            config,
        }
    }

    /// Answers a request that arrives now. A success of create, cancel or amend is a promise: the engine
    /// decides `engine_ms` later. The order of checks is that of bybit-v5.md 9.2.
    pub fn handle(&mut self, now: Timestamp, signed: Signed, request: &Request) -> ApiReply {
        if let Some(reply) = self.front(now, request.operation()) {
            return reply;
        }
        self.note(request);
        self.admitted(now, signed, request.operation(), |it| it.answer(now, request, &Refine::default()))
    }

    /// The last trade of a symbol is at this price now. Resting orders that it reaches fill. An unknown
    /// symbol or a price that is not positive changes nothing and gives false.
    pub fn set_price(&mut self, now: Timestamp, symbol: Symbol, last: Price) -> bool {
        self.run(now);
        let Some(market) = self.place_of(Category::Linear, symbol) else { return false };
        if !last.is_positive() {
            return false;
        }
        self.move_price(now, market, last);
        true
    }

    /// When [`Exchange::poll`] has something to do next.
    #[must_use]
    pub fn next_due(&self) -> Option<Timestamp> {
        earlier(self.agenda.next_at(), self.outbox.next_at())
    }

    /// Decides what is due by now and hands over the pushes that leave by now, oldest first.
    pub fn poll(&mut self, now: Timestamp, out: &mut Vec<Outbound>) {
        self.run(now);
        let told = out.len();
        while let Some((at, push)) = self.outbox.take_due(now) {
            if let Some(topic) = topic(&push) {
                self.effects.push(now, topic);
            }
            if self.is_under(Spell::MergedPushes, now) && publish::merged(&mut out[told..], at, &push) {
                self.effects.spell(now, Spell::MergedPushes);
            } else {
                out.push(Outbound { at, push });
            }
        }
    }

    /// Everything that is true, for judges; no view of a client.
    #[must_use]
    pub fn truth(&self) -> &Truth {
        &self.truth
    }

    /// The position of a symbol (linear, one-way).
    #[must_use]
    pub fn position(&self, symbol: Symbol) -> Option<&Position> {
        self.market(symbol).map(Market::position)
    }

    /// The leverage that the account has set for a symbol.
    #[must_use]
    pub fn leverage(&self, symbol: Symbol) -> Option<Ratio> {
        self.market(symbol).map(Market::leverage)
    }

    /// Is a symbol in hedge mode?
    #[must_use]
    pub fn is_hedged(&self) -> bool {
        self.markets.iter().any(|market| market.hedge)
    }

    /// Every position, flat ones included, by symbol.
    pub fn positions(&self) -> impl Iterator<Item = (Symbol, &Position)> {
        self.markets.iter().map(|market| (market.rules.symbol, market.position()))
    }

    /// The rules of a symbol as they are now.
    #[must_use]
    pub fn rules(&self, symbol: Symbol) -> Option<&InstrumentRow> {
        self.market(symbol).map(|market| &market.rules)
    }

    /// How far what is shown of positions and of the wallet is behind, by query or by push.
    #[must_use]
    pub fn views_lag(&self) -> Span {
        let pushed = self.knobs.push_delays.position.unwrap_or(Span::millis(self.config.delays.position_push_ms));
        let asked = self.knobs.positions_lag.max(self.knobs.wallet_lag);
        asked.unwrap_or_default().max(pushed)
    }

    /// How far what a query shows of the wallet is behind.
    #[must_use]
    pub fn wallet_lag(&self) -> Span {
        self.knobs.wallet_lag.unwrap_or_default()
    }

    /// How far what is shown of prices is behind.
    #[must_use]
    pub fn tickers_lag(&self) -> Span {
        self.knobs.tickers_lag.unwrap_or_default()
    }

    /// How far what is shown of instruments is behind.
    #[must_use]
    pub fn instruments_lag(&self) -> Span {
        self.knobs.instruments_lag.unwrap_or_default()
    }

    /// The last price of a symbol.
    #[must_use]
    pub fn last_price(&self, symbol: Symbol) -> Option<Price> {
        self.market(symbol).map(Market::last)
    }

    /// What everybody sees of a symbol: last, mark and index price, best bid and ask.
    #[must_use]
    pub fn ticker(&self, symbol: Symbol) -> Option<TickerRow> {
        self.market(symbol).map(Market::ticker)
    }

    /// What new orders may use (bybit-v5.md 9.4).
    #[must_use]
    pub fn available(&self) -> Money {
        self.available_balance()
    }

    /// The order of one of Bybit's ids.
    #[must_use]
    pub fn order_by_id(&self, id: ExchangeOrderId) -> Option<&Order> {
        self.truth.order_by_id(id)
    }

    /// The execution of one of Bybit's ids.
    #[must_use]
    pub fn execution_by_id(&self, id: ExecId) -> Option<&Execution> {
        self.truth.execution_by_id(id)
    }

    /// What it was made from.
    #[must_use]
    pub fn config(&self) -> &ExchangeConfig {
        &self.config
    }

    /// How often each oddity took effect so far.
    #[must_use]
    pub const fn acted(&self) -> &Marks {
        self.effects.acted()
    }

    /// The switches of a scenario, to turn.
    pub fn knobs_mut(&mut self) -> &mut Knobs {
        &mut self.knobs
    }

    /// Where the market of a symbol is. There are few: they are looked through.
    fn place_of(&self, category: Category, symbol: Symbol) -> Option<usize> {
        self.markets.iter().rposition(|market| market.rules.symbol == symbol && market.category == category)
    }

    fn market(&self, symbol: Symbol) -> Option<&Market> {
        self.place_of(Category::Linear, symbol).map(|place| &self.markets[place])
    }

    /// Is this so now?
    fn is_under(&self, spell: Spell, now: Timestamp) -> bool {
        self.knobs.is_under(spell, now)
    }

    /// Counts a create that reached the exchange, whatever becomes of it.
    fn note(&mut self, request: &Request) {
        if let Request::Create(create) = request
            && !create.link.as_str().is_empty()
        {
            self.truth.links.entry(create.link).or_default().creates_received += 1;
        }
    }

    /// Answers a request once it is admitted. Time and budget come before the shape of the request (9.2): a
    /// malformed one uses up budget too.
    fn admitted(
        &mut self,
        now: Timestamp,
        signed: Signed,
        operation: Operation,
        answer: impl FnOnce(&mut Self) -> Result<Reply, ApiError>,
    ) -> ApiReply {
        match self.admit(now, signed, operation) {
            Ok(limits) => {
                let result = answer(self);
                self.reply(now, limits, result)
            }
            Err((error, limits)) => self.reply(now, limits, Err(error)),
        }
    }

    /// The envelope of an answer. Clients keep a refusal's words, so those of the moment (Q31) are said here, for
    /// both links.
    fn reply(&self, now: Timestamp, limits: LimitHeaders, mut result: Result<Reply, ApiError>) -> ApiReply {
        if let Err(ApiError::Code { message, .. }) = &mut result
            && self.is_under(Spell::OtherTexts, now)
        {
            *message = Text::clipped(refusal::OTHER_WORDS);
        }
        ApiReply { result, time: Some(clock(now)), limits }
    }

    /// Answers an admitted request, or gives the answer that a scenario forces.
    fn answer(&mut self, now: Timestamp, request: &Request, refine: &Refine) -> Result<Reply, ApiError> {
        self.run(now);
        let forced = self.knobs.take_answer(request.operation());
        if let Some(forced) = forced {
            if forced.executed {
                // The client must not learn from this answer whether it was executed: the real one is dropped.
                let _unseen = self.decide(now, request, refine);
            }
            return Err(refusal::of(forced.code));
        }
        self.decide(now, request, refine)
    }

    fn decide(&mut self, now: Timestamp, request: &Request, refine: &Refine) -> Result<Reply, ApiError> {
        match request {
            Request::Create(create) => self.create(now, create),
            Request::Cancel(cancel) => self.cancel(now, cancel),
            Request::Amend(amend) => self.amend(now, amend, refine),
            query => self.query(now, query, refine),
        }
    }

    /// Does realtime still know it? Open orders always; closed ones while the cache has them.
    fn is_cached(&self, number: u64) -> bool {
        match self.truth.order(number).phase {
            Phase::Acknowledged => false,
            Phase::Open => true,
            Phase::Closed(place) => place >= self.closed_from && self.closed - place <= self.config.closed_cache,
        }
    }

    fn arrival(&mut self) -> u64 {
        self.arrivals += 1;
        self.arrivals
    }
}

/// What the exchange's clock shows: it is exact.
fn clock(now: Timestamp) -> ExchangeTime {
    ExchangeTime(now.0 / 1_000)
}
