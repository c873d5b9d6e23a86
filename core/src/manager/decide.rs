//! The decision on an active signal: gather the scene, plan, judge, then act (spec D1).

use super::durable::Active;
use super::facts::FOREIGN_MAX;
use super::observed::Foreign;
use super::turn::Turn;
use crate::account::{Account, Held, Reach, Resting, order_cost};
use crate::bybit::PositionRow;
use crate::event::{Event, Planned};
use crate::intake::{self, Signal};
use crate::market::Quote;
use crate::order::{CancelReason, Order, Spec, State, Totals};
use crate::plan::{self, Existing, Plan, Scene};
use crate::position::Mark;
use crate::refusal::{Code, Refusal};
use crate::risk::{self, Approved, RiskScene, TradingState};
use crate::timer::Why;
use crate::unit::{Intent, Money, OrderLinkId, Price, Quantity, Ratio, Side, Span, Symbol};
use alloc::boxed::Box;
use alloc::collections::BTreeSet;
use alloc::vec::Vec;

impl Turn<'_> {
    /// Everything it needs is fresh. True where it came to something.
    pub(super) fn decide(&mut self, signal: &Signal, active: &Active) -> bool {
        match self.judge(signal, active) {
            Err(refusal) => self.reject(signal.id, refusal),
            Ok(approved) => self.act(signal, approved),
        }
        true
    }

    fn judge(&self, signal: &Signal, active: &Active) -> Result<Approved<Plan>, Refusal> {
        let symbol = signal.symbol;
        let (Some(instrument), Some(quote)) = (self.m.durable.instruments.get(&symbol), self.quote(signal)) else {
            return Err(Refusal::new(Code::DataStale, format_args!("{symbol}: rules or prices are missing")));
        };
        let position = self.stricter_position(signal.side, symbol);
        let existing: Vec<Existing> = self.m.durable.book.live_of(symbol).filter_map(existing).collect();
        let scene = Scene {
            signal,
            instrument,
            quote: &quote,
            position,
            existing: &existing,
            config: &self.m.config,
            reprice: active.crossed,
        };
        let plan = plan::plan(&scene)?;
        if !plan.reduce_only {
            intake::judge_confidence(signal, false, &self.m.config)?; // when it came it may have been one that reduces
            self.judge_clock()?;
            self.judge_word(symbol)?;
        }
        if self.m.observed.unread_account && !plan.reduce_only {
            let text = format_args!(
                "the account has more than {FOREIGN_MAX} orders of others, or orders or positions that cannot be read: \
                 its exposure cannot be told"
            );
            return Err(Refusal::new(Code::Exposure, text));
        }
        let account = self.account(&plan, position)?;
        let scene = RiskScene {
            account: &account,
            instrument,
            trading: TradingState::Active,
            symbol_halted: self.m.durable.halted.contains_key(&symbol),
            config: &self.m.config,
        };
        risk::approve(plan, &scene)
    }

    /// The last prices that the exchange told, however old: what opens waits for fresh ones before it comes here. A
    /// reducing signal may go by its own price (spec D6).
    fn quote(&self, signal: &Signal) -> Option<Quote> {
        let told = self.m.observed.quotes.get(&signal.symbol).map(|reading| reading.value);
        told.or_else(|| {
            let last = signal.snapshot.price.filter(|_| self.can_only_reduce(signal))?;
            Some(Quote { last, mark: None, index: None, bid: None, ask: None, at: self.now() })
        })
    }

    /// The exchange's clock must be known well enough for timestamps to be worth anything (spec K2).
    fn judge_clock(&self) -> Result<(), Refusal> {
        let max = self.m.config.clock_offset_max();
        match self.m.observed.clock {
            Some(clock) if clock.uncertainty <= max && clock.offset.0.unsigned_abs() <= max.0 => Ok(()),
            Some(clock) => {
                let (offset, unsure) = (clock.offset.0 / 1_000, clock.uncertainty);
                let text =
                    format_args!("the clock is {offset} ms (+/- {unsure}) off the exchange's, the limit is {max}");
                Err(Refusal::new(Code::DataStale, text))
            }
            None => Err(Refusal::new(Code::DataStale, format_args!("the exchange's clock is unknown"))),
        }
    }

    /// With Position Manager configured, what opens needs its word (spec K1).
    fn judge_word(&self, symbol: Symbol) -> Result<(), Refusal> {
        if self.m.config.position_manager_required && !self.stale_word(symbol).is_empty() {
            return Err(Refusal::new(Code::DataStale, format_args!("{symbol}: Position Manager cannot be asked")));
        }
        Ok(())
    }

    /// Will its plan reduce, whatever the wallet says? As planning sees it (spec D9).
    pub(super) fn can_only_reduce(&self, signal: &Signal) -> bool {
        let position = self.stricter_position(signal.side, signal.symbol);
        match signal.side {
            _ if signal.is_exit => true,
            Side::Buy => position.is_negative(),
            Side::Sell => position.is_positive() || !self.m.config.allow_short,
        }
    }

    /// Own executions and the exchange's word, whichever allows less (spec K1).
    fn stricter_position(&self, side: Side, symbol: Symbol) -> Quantity {
        let own = self.own_position(symbol);
        let theirs = self.exchange_position(symbol).map_or(own, |reading| reading.value.signed_size());
        match side {
            Side::Buy => own.max(theirs),
            Side::Sell => own.min(theirs),
        }
    }

    /// What reduces a position needs no margin, and passes every limit of size: for it nothing but the position counts
    /// (spec K2, K3).
    fn account(&self, plan: &Plan, position: Quantity) -> Result<Account, Refusal> {
        if plan.reduce_only {
            return Ok(Account { position, ..Account::default() });
        }
        let (symbol, cancels) = (plan.symbol, plan.cancels.as_slice());
        let too_large = || Refusal::overflow(Code::Exposure, "the account's exposure");
        let own = self.m.durable.book.live().filter(|order| !cancels.contains(&order.spec.link)).map(resting);
        let foreign = self.m.observed.foreign.values().map(Foreign::resting).collect::<Option<Vec<_>>>();
        let foreign = foreign.ok_or_else(too_large)?.into_iter();
        let all: Vec<Resting> = own.chain(foreign).filter(|r| r.remaining.is_positive()).collect();
        let other_exposure = self.other_exposure(symbol, &all).ok_or_else(too_large)?;
        let resting = all.into_iter().filter(|r| r.symbol == symbol).collect();
        let leverage = self
            .exchange_position(symbol)
            .and_then(|reading| reading.value.leverage)
            .ok_or_else(|| Refusal::new(Code::DataStale, format_args!("{symbol}: leverage is unknown")))?;
        let available = self.available(cancels, leverage).ok_or_else(too_large)?;
        let (least, most) = self.shown_span(symbol).ok_or_else(too_large)?;
        let shown = if plan.side == Side::Buy { position.max(most) } else { position.min(least) };
        let position = self.stricter_for_opening(plan.side, symbol, shown);
        let other_exposure = self.stricter_exposure(symbol, plan.price, other_exposure).ok_or_else(too_large)?;
        let own = self.own_position(symbol);
        Ok(Account { available, leverage, position, own, resting, other_exposure })
    }

    /// Worst-case notional of every other symbol.
    fn other_exposure(&self, symbol: Symbol, resting: &[Resting]) -> Option<Money> {
        let held = self.m.durable.positions.iter().filter(|(_, p)| !p.size.is_zero()).map(|(s, _)| *s);
        let theirs = self.m.observed.positions.keys().copied();
        let hedged = self.m.observed.hedged.keys().map(|(symbol, _)| *symbol);
        let all = held.chain(theirs).chain(hedged).chain(resting.iter().map(|r| r.symbol));
        let others: BTreeSet<Symbol> = all.filter(|other| *other != symbol).collect();
        others.into_iter().try_fold(Money::ZERO, |sum, other| {
            let reading = self.exchange_position(other).map(|reading| &reading.value);
            let (least, most) = self.shown_span(other)?;
            let legs = self.m.observed.hedged.range((other, 0)..=(other, u8::MAX)).map(|(_, leg)| &leg.value);
            let both = legs.clone().try_fold(Quantity::ZERO, |sum, leg| sum.plus(leg.size))?;
            let entry = self.m.durable.positions.get(&other).and_then(|p| p.entry());
            let last = self.m.observed.quotes.get(&other).map(|quote| quote.value.last);
            let paid = reading.into_iter().chain(legs).filter_map(|row| row.average_price); // of others too
            let prices = last.into_iter().chain(entry).chain(paid).chain(self.dearest_not_shown(other));
            let price = prices.max().unwrap_or_default();
            let heard = Held::Heard(self.own_position(other));
            // What a row shows is told; what we add to it is what we heard, and an order may have reduced it unheard.
            let shown = reading.map(PositionRow::signed_size);
            let span = [least, most].map(|size| if shown == Some(size) { Held::Told(size) } else { Held::Heard(size) });
            let told = span.into_iter().chain(Some(both).filter(|both| both.is_positive()).map(Held::Told));
            let reach = Reach::of(resting.iter().filter(|r| r.symbol == other).copied(), price)?;
            // Each by itself: the larger one may be what the orders reduce.
            let worst = core::iter::once(heard)
                .chain(told)
                .try_fold(Money::ZERO, |worst, held| Some(worst.max(reach.worst(held)?.largest())));
            sum.plus(worst?)
        })
    }

    /// The dearest fill that the exchange's view of a position does not show yet, ours or not. We may hear of fills in
    /// another order than they were made in, or of some of them only: what looks closed may be what one of these opened.
    fn dearest_not_shown(&self, symbol: Symbol) -> Option<Price> {
        let row = self.exchange_position(symbol).map(|reading| &reading.value);
        let heard = self.m.durable.trails.get(&symbol).and_then(|trail| trail.dearest_not_in(row));
        // A row tells the average of its fills; the last of them, which opened, may have cost up to the order's price.
        let rows = self.not_shown(symbol, row).map(|order| dearest(order, order.facts.unexplained()));
        rows.chain(heard).max()
    }

    /// Orders with fills that are told by their rows alone, and that a view of the position need not have.
    fn not_shown<'a>(&'a self, symbol: Symbol, row: Option<&'a PositionRow>) -> impl Iterator<Item = &'a Order> {
        let shows = move |order: &Order| {
            let filled = order.facts.terms.map(|terms| terms.updated.after(Mark::SAME));
            filled.is_some_and(|filled| row.is_some_and(|row| row.updated > filled))
        };
        let unexplained = self.m.durable.book.unexplained();
        unexplained.filter(move |order| order.spec.symbol == symbol && !shows(order))
    }

    /// What the exchange may hold of a symbol by what it showed and the fills since, at least and at most: of our fills that
    /// were booked by their rows no execution is known yet, and nothing tells whether a view from then has them.
    fn shown_span(&self, symbol: Symbol) -> Option<(Quantity, Quantity)> {
        let own = self.own_position(symbol);
        let Some(row) = self.exchange_position(symbol).map(|reading| &reading.value) else { return Some((own, own)) };
        let shown =
            self.m.durable.trails.get(&symbol).map_or(Some((row.signed_size(), row.signed_size())), |t| t.since(row));
        self.not_shown(symbol, Some(row)).try_fold(shown?, |(least, most), order| {
            let unnamed = order.told.totals.quantity.minus(order.facts.executed.quantity)?.max(Quantity::ZERO);
            match order.spec.side {
                Side::Buy => Some((least, most.plus(unnamed)?)),
                Side::Sell => Some((least.minus(unnamed)?, most)),
            }
        })
    }

    /// What new orders may use: less what orders on their way will hold, fees too, and the wallet need not show yet, and
    /// with the margin of the orders that this plan cancels given back.
    fn available(&self, cancels: &[OrderLinkId], leverage: Ratio) -> Option<Money> {
        let wallet = &self.m.observed.wallet.as_ref()?.value;
        let coin = wallet.coins.iter().find(|coin| coin.coin.as_str() == "USDT");
        let free_coin = coin.and_then(|coin| {
            let held = coin.order_margin.unwrap_or_default().plus(coin.position_margin.unwrap_or_default())?;
            coin.wallet_balance.minus(held)
        });
        let free = wallet.total_available.or(free_coin).unwrap_or_default();
        let opening = self.m.durable.book.live().filter(|order| !order.spec.reduce_only);
        opening.filter(|order| order.state.may_fill()).try_fold(free, |sum, order| {
            let notional = order.spec.price.times(order.remaining())?;
            match order.state {
                State::Open if cancels.contains(&order.spec.link) => sum.plus(notional.divided(leverage)?),
                State::Open => Some(sum),
                _ if cancels.contains(&order.spec.link) => Some(sum),
                _ => {
                    let leverage = self.leverage_of(order.spec.symbol);
                    sum.minus(order_cost(order.spec.side, notional, leverage, self.m.config.taker_fee_rate)?)
                }
            }
        })
    }

    /// The symbol's leverage; where it is not known, none: that holds the most margin.
    fn leverage_of(&self, symbol: Symbol) -> Ratio {
        let known = self.exchange_position(symbol).and_then(|reading| reading.value.leverage);
        known.filter(|leverage| leverage.is_positive()).unwrap_or(Ratio(crate::unit::Decimal::ONE))
    }

    /// The plan stood. Orders in its way are cancelled first; what they change is decided again (spec D1, D2).
    fn act(&mut self, signal: &Signal, approved: Approved<Plan>) {
        let (plan, verdicts) = approved.into_parts();
        let planned = Planned {
            quantity: plan.quantity,
            price: plan.price,
            drift: plan.drift,
            cancels: plan.cancels.clone(),
            verdicts,
            notes: plan.notes.clone(),
        };
        self.emit(Event::Planned { signal: signal.id, plan: planned });
        if plan.cancels.is_empty() {
            return self.place(signal, &plan);
        }
        for link in plan.cancels {
            self.emit(Event::CancelWanted { link, reason: CancelReason::NewSignal });
            self.arm(Why::RetryCancel(link), Span::ZERO);
        }
    }

    fn place(&mut self, signal: &Signal, plan: &Plan) {
        let intent = self.next_intent(signal);
        let link = OrderLinkId::of(self.m.config.link_id_prefix, intent);
        let spec = Spec {
            link,
            intent,
            symbol: plan.symbol,
            side: plan.side,
            kind: plan.kind,
            quantity: plan.quantity,
            reduce_only: plan.reduce_only,
            price: plan.price,
            at: self.now(),
        };
        self.emit(Event::OrderIntended { spec: Box::new(spec) });
        self.arm(Why::RetryCreate(link), Span::ZERO);
    }

    /// The attempt rises only past an id that was definitely refused or used up; a proven absent one is used
    /// again, so that the exchange itself refuses a twin (spec O1).
    fn next_intent(&self, signal: &Signal) -> Intent {
        let intent = |attempt| Intent { signal: signal.id, leg: 0, attempt };
        let prefix = self.m.config.link_id_prefix;
        let used = |attempt: &u8| {
            let known = self.m.durable.book.get(OrderLinkId::of(prefix, intent(*attempt)));
            known.is_some_and(|order| !matches!(order.state, State::Absent | State::Expired))
        };
        intent((0..u8::MAX).find(|attempt| !used(attempt)).unwrap_or(u8::MAX))
    }
}

fn existing(order: &Order) -> Option<Existing> {
    matches!(order.state, State::Acked | State::Open).then(|| Existing {
        link: order.spec.link,
        side: order.spec.side,
        remaining: order.remaining(),
        is_limit: order.spec.is_limit(),
        filled: !order.facts.totals().quantity.is_zero(),
        reduce_only: order.spec.reduce_only,
    })
}

/// What has filled and is not booked yet is worth what it cost.
fn resting(order: &Order) -> Resting {
    let Spec { symbol, side, reduce_only, .. } = order.spec;
    Resting { symbol, side, remaining: order.remaining(), price: dearest(order, order.untold()), reduce_only }
}

/// What some fills of an order cost, or its own price where that is higher.
fn dearest(order: &Order, fills: Totals) -> Price {
    let price = order.spec.price;
    fills.average_price().map_or(price, |filled| filled.max(price))
}
