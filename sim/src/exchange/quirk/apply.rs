//! Carrying a quirk out, and healing.

use super::{Act, Fate, Lag, Quirk, Spell};
use crate::exchange::accept::Asked;
use crate::exchange::engine::{Action, BY_ADMIN, BY_DCP, BY_LIQUIDATION, BY_USER, End};
use crate::exchange::order::{Order, Origin};
use crate::exchange::{Exchange, Knobs, Timestamp};
use order_manager_core::unit::{Category, Decimal, Price, Ratio, Span, Symbol, Text};

impl Exchange {
    /// Does something wrong or odd from now on. False where it names a symbol that is not listed: then nothing
    /// happens. Afterwards ask [`Exchange::take_cut`].
    pub fn quirk(&mut self, now: Timestamp, quirk: &Quirk) -> bool {
        self.run(now);
        let before = self.arrivals;
        let listed = self.carry_out(now, quirk);
        match *quirk {
            Quirk::Lag { lag: Span::ZERO, .. } | Quirk::Next { .. } => {}
            Quirk::Spell { length, .. } => self.effects.begin(*quirk, now.after(length)),
            Quirk::Lag { .. } | Quirk::PriceBand { .. } => self.effects.begin(*quirk, Timestamp(u64::MAX)),
            _ if listed && (quirk.always_acts() || self.arrivals != before) => self.effects.did(quirk),
            _ => {}
        }
        listed
    }

    fn carry_out(&mut self, now: Timestamp, quirk: &Quirk) -> bool {
        match *quirk {
            Quirk::Lag { what, lag } => self.set_lag(now, what, lag),
            Quirk::Spell { what, length } => self.begin(now, what, length),
            Quirk::Next { what, count } => self.knobs.next(what, count),
            Quirk::Amnesia => self.clear_closed_cache(),
            Quirk::IdleCut => self.stream_cut = true,
            Quirk::Dcp => self.cancel_where(now, BY_DCP, |_| true),
            Quirk::PriceBand { ratio, way } => self.knobs.price_band = Some((ratio, way)),
            Quirk::Act { what, symbol } => return self.at(symbol, |it, market| it.act(now, what, market)),
            Quirk::Adl { symbol, quantity } => {
                return self.at(symbol, |it, market| it.deleverage(now, market, quantity));
            }
            Quirk::UnknownExecution { symbol, side, quantity } => {
                return self.at(symbol, |it, market| {
                    let price = it.markets[market].last();
                    it.force(now, market, Origin::Unknown, side, quantity, price);
                });
            }
            Quirk::Funding { symbol, rate } => return self.at(symbol, |it, market| it.fund(now, market, rate)),
            Quirk::ForeignOrder { symbol, side, quantity, away, link, reduce_only } => {
                let asked = Asked { origin: Origin::Other, link, side, reduce_only };
                return self.at(symbol, |it, market| it.foreign_order(now, market, asked, quantity, away));
            }
            Quirk::Leverage { symbol, leverage } => {
                return self.at(symbol, |it, market| it.set_leverage(now, market, leverage));
            }
            Quirk::Rules { symbol, tick, step } => {
                return self.at(symbol, |it, market| {
                    let rules = &mut it.markets[market].rules;
                    rules.tick_size = tick.unwrap_or(rules.tick_size);
                    rules.quantity_step = step.unwrap_or(rules.quantity_step);
                    rules.min_quantity = step.unwrap_or(rules.min_quantity);
                    it.note_rules(now, market);
                });
            }
            Quirk::LargestOrder { symbol, quantity } => {
                return self.at(symbol, |it, market| {
                    let rules = &mut it.markets[market].rules;
                    (rules.max_limit_quantity, rules.max_market_quantity) = (quantity, quantity);
                    it.note_rules(now, market);
                });
            }
            Quirk::PriceGap { symbol, by } => return self.at(symbol, |it, market| it.jump(now, market, by)),
        }
        true
    }

    /// Nothing is odd from now on: lags are the configured ones, bans and maintenance are over, what was in store for
    /// the next orders is forgotten. What has happened stays: a delisted instrument, other rules, another leverage.
    pub fn heal(&mut self, now: Timestamp) {
        self.run(now);
        if self.is_under(Spell::Maintenance, now) {
            self.clear_closed_cache();
        }
        self.agenda.retain(|action| !matches!(action, Action::Restart));
        self.knobs = Knobs::default();
        self.effects.heal();
        self.fates.clear();
        self.past_wallet.clear();
        for market in &mut self.markets {
            market.past.clear();
            market.past_ticker.clear();
            market.past_rules.clear();
            market.hedge = false;
        }
    }

    /// An order of ours of this symbol that rests, lowest number first: what a price can touch.
    #[must_use]
    pub fn resting_price(&self, symbol: Symbol) -> Option<Price> {
        let mut open = self.open.iter().map(|number| self.truth.order(*number));
        open.find(|order| order.symbol == symbol && order.is_ours() && !order.is_market).map(|order| order.state.price)
    }

    fn at(&mut self, symbol: Symbol, act: impl FnOnce(&mut Self, usize)) -> bool {
        let market = self.place_of(Category::Linear, symbol);
        market.map(|market| act(self, market)).is_some()
    }

    fn act(&mut self, now: Timestamp, what: Act, market: usize) {
        let here = move |order: &Order| order.market == market;
        let ours = move |order: &Order| order.market == market && order.is_ours();
        match what {
            Act::AdminCancel => self.cancel_where(now, BY_ADMIN, here),
            Act::AdminCancelOne => {
                let oldest = self.open.iter().copied().find(|number| ours(self.truth.order(*number)));
                self.cancel_where(now, BY_ADMIN, |order| Some(order.number) == oldest);
            }
            Act::LiquidationCancel => self.cancel_where(now, BY_LIQUIDATION, here),
            Act::Liquidation => self.liquidate(now, market),
            Act::Delist => self.delist(now, market),
            Act::ManualClose => {
                let position = self.markets[market].position();
                let (side, size) = (position.side(), position.size.abs());
                if let Some(side) = side {
                    let number = self.foreign(now, market, Origin::Other, side.opposite(), size);
                    self.enter(now, number);
                }
            }
            Act::ManualCancel => self.cancel_where(now, BY_USER, ours),
            Act::ForeignCancel => self.cancel_where(now, BY_USER, move |order| here(order) && !order.is_ours()),
            Act::HedgeMode => self.set_mode(market, what, true),
            Act::OneWayMode => self.set_mode(market, what, false),
        }
    }

    /// Cancels what has not ended, the oldest first, also what the engine has not looked at yet.
    pub(super) fn cancel_where(&mut self, now: Timestamp, end: End, fits: impl Fn(&Order) -> bool) {
        let entering = self.agenda.iter().filter_map(|action| match action {
            Action::Enter(number) => Some(*number),
            _ => None,
        });
        let mut numbers: Vec<u64> = self.open.iter().copied().chain(entering).collect();
        numbers.sort_unstable();
        for number in numbers {
            let order = self.truth.order(number);
            if !order.is_closed() && fits(order) {
                self.finish(now, number, end);
                self.tell_order(now, number);
            }
        }
    }

    fn set_mode(&mut self, market: usize, what: Act, hedge: bool) {
        let market = &mut self.markets[market];
        if market.open == 0 && market.position().side().is_none() && market.hedge != hedge {
            market.hedge = hedge;
            self.effects.did(&Quirk::Act { what, symbol: market.rules.symbol });
        }
    }

    /// What orders hold is counted anew.
    fn set_leverage(&mut self, now: Timestamp, market: usize, leverage: Ratio) {
        let held: Vec<u64> =
            self.truth.orders.iter().filter(|o| o.market == market && !o.is_closed()).map(|o| o.number).collect();
        for number in &held {
            self.markets[market].free(self.truth.order_mut(*number));
        }
        self.markets[market].set_leverage(leverage.max(Ratio(Decimal::ONE)));
        for number in &held {
            self.markets[market].hold(self.truth.order_mut(*number));
        }
        self.note_position(now, market);
    }

    fn jump(&mut self, now: Timestamp, market: usize, by: Ratio) {
        let at = &self.markets[market];
        let to = Price(at.last().0 * (Decimal::ONE + by.0)).floor_to(at.rules.tick_size);
        if let Some(to) = to.filter(|to| *to >= at.rules.min_price && *to <= at.rules.max_price) {
            self.move_price(now, market, to);
        }
    }

    fn begin(&mut self, now: Timestamp, what: Spell, length: Span) {
        let until = now.after(length);
        self.knobs.spells.insert(what, until);
        if what == Spell::Ban {
            self.knobs.ban = length;
        }
        if what == Spell::Maintenance {
            self.stream_cut = true;
            let number = self.arrival();
            self.agenda.put(until, number, Action::Restart);
        }
    }

    fn set_lag(&mut self, now: Timestamp, what: Lag, lag: Span) {
        match what {
            Lag::Positions => {
                for market in &mut self.markets {
                    let rows = market.position_rows();
                    market.past.note(now, lag, rows);
                }
            }
            Lag::Tickers => {
                for market in &mut self.markets {
                    let row = market.ticker();
                    market.past_ticker.note(now, lag, row);
                }
            }
            Lag::Instruments => {
                for market in &mut self.markets {
                    market.past_rules.note(now, lag, market.rules);
                }
            }
            Lag::Wallet => {
                let row = self.wallet_row();
                self.past_wallet.note(now, lag, row);
            }
            _ => {}
        }
        let knobs = &mut self.knobs;
        let delays = &mut knobs.push_delays;
        let slot = match what {
            Lag::Realtime => &mut knobs.realtime_lag,
            Lag::History => &mut knobs.history_lag,
            Lag::Executions => &mut knobs.executions_lag,
            Lag::Positions => &mut knobs.positions_lag,
            Lag::Wallet => &mut knobs.wallet_lag,
            Lag::Tickers => &mut knobs.tickers_lag,
            Lag::Instruments => &mut knobs.instruments_lag,
            Lag::Engine => &mut knobs.engine_delay,
            Lag::OrderPush => &mut delays.order,
            Lag::ExecutionPush => &mut delays.execution,
            Lag::PositionPush => &mut delays.position,
            Lag::WalletPush => &mut delays.wallet,
            Lag::ClosedGap => return knobs.closed_gap = lag,
            Lag::Untouchable => return knobs.untouchable_for = lag,
        };
        *slot = Some(lag);
    }
}

impl Knobs {
    fn next(&mut self, what: Fate, count: u32) {
        for _ in 0..count {
            match what {
                Fate::CancelLoses | Fate::CancelPartial => self.next_cancels.push_back(what),
                Fate::MarketRefused | Fate::MarketCancelled | Fate::MarketPartial => self.next_markets.push_back(what),
                Fate::Rejected => self.reject_next_after_ack.push_back(Text::clipped("EC_Others")),
                Fate::RejectedWithFill => self.reject_next_with_fill += 1,
            }
        }
    }
}
