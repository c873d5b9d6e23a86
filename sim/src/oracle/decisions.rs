//! What was decided of a signal, beside what the spec says of it: each order that is intended, each plan with what it
//! sends away, and each refusal. Where the account is not still, only what holds whatever becomes of it is judged.

use super::asked::{Asked, is_there};
use super::bench::{Bench, Scene, Verdict};
use super::list::Oracle;
use super::memory::Memory;
use super::readings::Readings;
use crate::shelf::Shelf;
use order_manager_core::bybit::ExecType;
use order_manager_core::config::Config;
use order_manager_core::event::{Event, Planned};
use order_manager_core::intake::Signal;
use order_manager_core::order::{CancelReason, Order, Spec, State};
use order_manager_core::outcome::Outcome;
use order_manager_core::refusal::Code;
use order_manager_core::unit::{
    Decimal, Intent, Money, OrderLinkId, Price, Quantity, Ratio, Side, SignalId, Span, Symbol,
};
use order_manager_core::{Manager, Step};
use std::collections::{BTreeMap, BTreeSet};

/// What an order holds of the balance is judged roughly: it fits where twice as much is free. Fees are paid twice.
const TWICE: Decimal = Decimal::TWO;

#[derive(Clone, Debug, Default)]
pub(super) struct Decisions {
    /// How often orders of a signal were cancelled for crossing.
    crossed: Shelf<SignalId, u32>,
    /// The lowest and the highest leverage that each symbol was ever set to.
    leverages: BTreeMap<Symbol, (Ratio, Ratio)>,
    /// A symbol was in hedge mode once.
    hedged: bool,
}

/// What a decision is judged by.
#[derive(Clone, Copy)]
struct Case<'a> {
    scene: Scene<'a>,
    manager: &'a Manager,
    readings: &'a Readings,
    memory: &'a Memory,
    hedged: bool,
}

impl Decisions {
    /// Somebody may have set another leverage, or mode.
    pub(super) fn meddled(&mut self, scene: Scene<'_>) {
        self.hedged |= scene.exchange.is_hedged();
        for symbol in scene.exchange.config().instruments.iter().map(|of| of.symbol) {
            let set = scene.exchange.leverage(symbol).unwrap_or_default();
            let (lowest, highest) = self.leverages.entry(symbol).or_insert((set, set));
            (*lowest, *highest) = (set.min(*lowest), set.max(*highest));
        }
    }

    /// A step was made; the readings have what it was told.
    pub(super) fn stepped(
        &mut self,
        bench: &mut Bench,
        scene: Scene<'_>,
        step: &Step,
        manager: &Manager,
        readings: &Readings,
        memory: &Memory,
    ) {
        let case = Case { scene, manager, readings, memory, hedged: self.hedged };
        let mut sent_away: BTreeSet<OrderLinkId> = BTreeSet::new();
        for event in &step.events {
            match event {
                Event::SignalAccepted { signal, .. } => self.crossed.put(signal.id, 0),
                Event::OrderTold(told) if told.crossed => {
                    if let Some(order) = manager.durable().book.get(told.link) {
                        *self.crossed.of(order.spec.intent.signal) += 1;
                    }
                }
                Event::Planned { signal, plan } => {
                    sent_away.extend(plan.cancels.iter().copied());
                    if let Some(signal) = case.signal(*signal) {
                        bench.rule(Oracle::CancelsInTheWay, self.planned(case, signal, plan));
                    }
                }
                Event::CancelWanted { link, reason: CancelReason::NewSignal } => {
                    bench.must(Oracle::CancelHasReason, sent_away.contains(link), || {
                        format!("{link} is cancelled for a new signal, and no plan of this step sends it away")
                    });
                }
                Event::CancelWanted { link, reason: CancelReason::Operator } => {
                    bench.rule(
                        Oracle::CancelHasReason,
                        Err(format!("{link} is cancelled for an operator: there is none")),
                    );
                }
                Event::OrderIntended { spec } => {
                    if let Some(signal) = case.signal(spec.intent.signal) {
                        bench.rule(Oracle::DecidedAsAsked, self.intended(case, signal, spec));
                    }
                }
                Event::SignalSettled { signal, outcome: Outcome::Rejected(code), text, .. } => {
                    if let Some(signal) = case.signal(*signal) {
                        bench.must(Oracle::RefusedForCause, self.has_cause(case, signal, *code), || {
                            format!("{} is refused {}, and there is no cause: {text}", signal.id, code.as_str())
                        });
                    }
                }
                _ => {}
            }
        }
    }

    /// The signal as it is read; nothing where the rules of its symbol are not certain, or no price is known.
    fn asked<'a>(&self, case: Case<'a>, signal: &'a Signal) -> Option<Asked<'a>> {
        let rules = case.memory.rules.only(case.scene, signal.symbol)?;
        let quote = case.readings.quote(signal.symbol)?;
        let crossed = self.crossed.get(signal.id).copied().unwrap_or_default();
        Some(Asked { signal, config: case.manager.config(), rules, quote, crossed })
    }

    /// What is sent away is what is in the way, and all of it (D2).
    fn planned(&self, case: Case<'_>, signal: &Signal, plan: &Planned) -> Verdict {
        let Some(asked) = self.asked(case, signal) else { return Ok(()) };
        let book = &case.manager.durable().book;
        let there = book.live_of(signal.symbol).filter(|order| is_there(order) && asked.sends_away(order));
        let (wanted, cancels): (BTreeSet<_>, BTreeSet<_>) =
            (there.map(|order| order.spec.link).collect(), plan.cancels.iter().copied().collect());
        if wanted == cancels {
            Ok(())
        } else {
            Err(format!("{}: {cancels:?} go, in the way are {wanted:?}", signal.id))
        }
    }

    fn intended(&self, case: Case<'_>, signal: &Signal, spec: &Spec) -> Verdict {
        let Spec { link, reduce_only: reduces, quantity, price, .. } = *spec;
        if (spec.side, spec.symbol) != (signal.side, signal.symbol) || (signal.is_exit && !reduces) {
            return Err(format!("{link} is {spec:?}, asked is {signal:?}"));
        }
        if !reduces && signal.confidence < case.manager.config().min_confidence {
            return Err(format!("{link} opens, and its signal is sure by {} only (S8)", signal.confidence));
        }
        let Some(asked) = self.asked(case, signal) else { return Ok(()) };
        let book = &case.manager.durable().book;
        let mut others = book.live_of(signal.symbol).filter(|order| order.spec.link != link && is_there(order));
        if let Some(in_the_way) = others.find(|order| asked.sends_away(order)) {
            return Err(format!("{link} is intended, and {} is in its way (D2)", in_the_way.spec.link));
        }
        if asked.kind(reduces) != Some(spec.kind) || asked.price() != Some(price) {
            let (kind, price) = (asked.kind(reduces), asked.price());
            return Err(format!("{link} is {spec:?}; by D4 and D5 it is {kind:?}, reckoned at {price:?}"));
        }
        if !reduces && asked.has_drifted() {
            return Err(format!("{link} opens at {:?}, too far from {:?} (D6)", asked.quote, signal.snapshot.price));
        }
        let all = asked.quantity(price);
        if !reduces && asked.is_implausible(all, price) {
            return Err(format!("{link} opens, and {all} is beyond every reason (D7)"));
        }
        let Some(held) = case.held(signal.symbol) else { return Ok(()) };
        if reduces != is_against(signal.side, held) {
            return Err(format!("{link} reduces: {reduces}, and {held} is held (D9)"));
        }
        let whole = if reduces { all.min(asked.reducible(case, held)) } else { all };
        let may_be_less = !reduces && case.manager.config().enable_order_size_reduction;
        let fits = || case.fits(&asked, all, price, held, Some(link));
        if quantity > whole || quantity < whole && (!may_be_less || fits()) {
            return Err(format!("{link} is {quantity}, asked is {whole}, held {held} (D7, K3)"));
        }
        Ok(())
    }

    /// Does the spec refuse it with this code? Where that cannot be told it is taken for so.
    fn has_cause(&self, case: Case<'_>, signal: &Signal, code: Code) -> bool {
        let config = case.manager.config();
        let crossed = self.crossed.get(signal.id).copied().unwrap_or_default();
        let any = |is: fn(&Order) -> bool| case.orders(signal.id).any(is);
        let reduces = case.reduces(signal);
        match code {
            Code::SignalExpired | Code::ExpiredWaiting | Code::ExchangeUnavailable => case.is_late(signal, reduces),
            Code::DataStale => case.is_late(signal, reduces) || !case.is_fresh(signal, reduces),
            // What reduces passes all of these (D6, D7, K2 to K4, S8).
            Code::LowConfidence
            | Code::TradingHalted
            | Code::Leverage
            | Code::PriceDrift
            | Code::ImplausibleSize
            | Code::OrderSize
            | Code::InsufficientBalance
            | Code::PositionSize
            | Code::PositionNotional
            | Code::Exposure
                if reduces =>
            {
                false
            }
            Code::ExpiredUnsent => any(|order| order.state == State::Expired),
            Code::ProvenAbsent => any(|order| order.state == State::Absent),
            Code::ExchangeRefused => any(|order| matches!(order.state, State::Refused | State::Closed)),
            Code::NotExecuted => crossed > 0 || any(|order| matches!(order.state, State::Closed | State::AgedOut)),
            Code::LowConfidence => signal.confidence < config.min_confidence,
            Code::TradingHalted => case.manager.durable().halted.contains_key(&signal.symbol),
            Code::Leverage => {
                self.leverages.get(&signal.symbol).is_none_or(|(_, highest)| *highest > config.max_leverage)
            }
            Code::NothingToSell if any(|order| order.state == State::Refused) => true,
            Code::NothingToSell
            | Code::NoPrice
            | Code::PriceDrift
            | Code::ImplausibleSize
            | Code::BelowMinimum
            | Code::AboveMaximum
            | Code::OrderSize
            | Code::InsufficientBalance
            | Code::PositionSize
            | Code::PositionNotional
            | Code::Exposure => self.asked(case, signal).is_none_or(|asked| self.lies_in_figures(case, &asked, code)),
            Code::SignalFromFuture => {
                let ahead = signal.timestamp.0.saturating_sub(case.scene.now.0);
                ahead + case.readings.unsure().0 > config.signal_future_reject().0
            }
            Code::UnknownSymbol | Code::SymbolNotTrading | Code::SymbolTooFine => {
                !case.memory.rules.only(case.scene, signal.symbol).is_some_and(|rules| rules.trading)
                    || case.hedged
                    || case.readings.was_denied(signal.symbol)
            }
            // Nobody says so of a signal that was taken, but where the program is broken.
            Code::Validation
            | Code::Duplicate
            | Code::Conflict
            | Code::ReducingOnly
            | Code::LaneFull
            | Code::Defect => false,
        }
    }

    /// The causes that lie in figures.
    fn lies_in_figures(&self, case: Case<'_>, asked: &Asked<'_>, code: Code) -> bool {
        let (signal, config) = (asked.signal, asked.config);
        let held = case.held(signal.symbol);
        match code {
            Code::PriceDrift => return asked.has_drifted(),
            Code::NothingToSell => return held.is_none_or(|held| asked.has_nothing_to_sell(case, held)),
            _ => {}
        }
        let Some(price) = asked.price() else { return code == Code::NoPrice };
        let all = asked.quantity(price);
        match code {
            Code::NoPrice => asked.crossed > 0,
            Code::ImplausibleSize => asked.is_implausible(all, price),
            Code::BelowMinimum | Code::AboveMaximum => held.is_none_or(|held| {
                let reduces = is_against(signal.side, held);
                let quantity = if reduces { all.min(asked.reducible(case, held)) } else { all };
                match code {
                    Code::BelowMinimum => asked.is_too_small(quantity, price, reduces),
                    _ => quantity > asked.most(),
                }
            }),
            Code::OrderSize => all.0 * price.0 > config.max_exposure.0 * config.max_order_size_ratio.0,
            Code::InsufficientBalance => {
                let (lowest, _) = self.leverages.get(&signal.symbol).copied().unwrap_or_default();
                let costs = Decimal::ONE / lowest.0.max(Decimal::ONE) + TWICE * config.taker_fee_rate.0;
                let free = case.scene.exchange.available().0 / TWICE;
                config.enable_balance_check && !(case.knows_the_funds() && all.0 * price.0 * costs <= free)
            }
            Code::PositionSize | Code::PositionNotional | Code::Exposure => {
                held.is_none_or(|held| !case.fits(asked, all, price, held, None))
            }
            _ => true,
        }
    }
}

impl Asked<'_> {
    fn has_nothing_to_sell(&self, case: Case<'_>, held: Quantity) -> bool {
        if is_against(self.signal.side, held) {
            !self.reducible(case, held).is_positive()
        } else {
            self.signal.is_exit || never_opens(self.signal, self.config)
        }
    }

    /// What of a position that is held there is left to reduce: of the same side what stays takes the rest.
    fn reducible(&self, case: Case<'_>, held: Quantity) -> Quantity {
        let book = &case.manager.durable().book;
        let same_side = book.live_of(self.signal.symbol).filter(|order| order.spec.side == self.signal.side);
        let stays = same_side.filter(|order| is_there(order) && !self.sends_away(order));
        let taken: Decimal = stays.map(|order| order.remaining().0).sum();
        let step = self.rules.quantity_step.0;
        Quantity(super::asked::down((held.abs().0 - taken).max(Decimal::ZERO), step))
    }
}

impl<'a> Case<'a> {
    fn signal(self, id: SignalId) -> Option<&'a Signal> {
        self.manager.durable().signals.get(&id).map(|state| &*state.signal)
    }

    /// The orders of a signal that are remembered.
    fn orders(self, signal: SignalId) -> impl Iterator<Item = &'a Order> {
        let (book, prefix) = (&self.manager.durable().book, self.manager.config().link_id_prefix);
        let link = move |attempt| OrderLinkId::of(prefix, Intent { signal, leg: 0, attempt });
        (0..u8::MAX).map_while(move |attempt| book.get(link(attempt)))
    }

    /// The position, where it is what the exchange showed last and what we booked, and nothing may have moved it since.
    fn held(self, symbol: Symbol) -> Option<Quantity> {
        let shown = self.readings.position_shown(symbol)?;
        let since = self.scene.exchange.truth().executions.iter().rev().take_while(|e| e.time >= shown);
        let moved = since.filter(|e| e.exec_type != ExecType::Funding).any(|e| e.symbol == symbol);
        let theirs = self.scene.exchange.position(symbol).map_or(Quantity::ZERO, |position| position.size);
        let ours = self.manager.durable().positions.get(&symbol).map_or(Quantity::ZERO, |position| position.size);
        (!moved && !self.hedged && ours == theirs).then_some(theirs)
    }

    /// Does nothing happen on the account but this, and is all that did known? What strangers do is never known so well.
    fn is_still(self, but: Option<OrderLinkId>) -> bool {
        let Some(shown) = self.readings.all_shown() else { return false };
        let truth = self.scene.exchange.truth();
        let (durable, exchange) = (self.manager.durable(), self.scene.exchange);
        let booked = |symbol: Symbol| durable.positions.get(&symbol).map_or(Quantity::ZERO, |position| position.size);
        truth.executions.last().is_none_or(|e| e.time < shown)
            && truth.orders.iter().all(|order| order.is_ours() && order.is_closed())
            && durable.book.live().all(|order| Some(order.spec.link) == but)
            && durable.book.unexplained().next().is_none()
            && exchange.positions().all(|(symbol, position)| position.size == booked(symbol))
    }

    /// Does nothing happen on the account, and does the wallet that was shown last have all that did?
    fn knows_the_funds(self) -> bool {
        let Some(shown) = self.readings.funds_shown() else { return false };
        let truth = self.scene.exchange.truth();
        self.is_still(None)
            && self.scene.exchange.positions().all(|(_, position)| position.size.is_zero()) // or prices move it
            && truth.executions.last().is_none_or(|e| e.time < shown)
            && truth.orders.iter().all(|order| order.state.updated < shown)
    }

    /// Is an order of all that was asked for surely within the limits of size?
    fn fits(self, asked: &Asked<'_>, all: Quantity, price: Price, held: Quantity, but: Option<OrderLinkId>) -> bool {
        let config = asked.config;
        let dear = |symbol: Symbol| {
            let traded = self.scene.exchange.truth().executions.iter().filter(move |e| e.symbol == symbol);
            traded
                .map(|e| e.price)
                .chain(self.readings.highest(symbol))
                .chain(self.readings.quote(symbol).map(|read| read.last)) // of another symbol it may be old
                .chain(self.scene.exchange.last_price(symbol))
                .max()
        };
        let worth = |symbol, size: Quantity| size.abs().0 * dear(symbol).unwrap_or_default().0;
        let others = self.scene.exchange.positions().filter(|(symbol, _)| *symbol != asked.signal.symbol);
        let elsewhere: Decimal = others.map(|(symbol, position)| worth(symbol, position.size)).sum();
        let size = held.abs().0 + all.0;
        let here = size * price.0.max(dear(asked.signal.symbol).unwrap_or_default().0);
        self.is_still(but)
            && all.0 * price.0 <= config.max_exposure.0 * config.max_order_size_ratio.0
            && size <= config.max_position_size.0
            && config.max_position_notional.is_none_or(|Money(most)| here <= most)
            && here + elsewhere <= config.max_exposure.0
    }

    /// Does it surely take away, whatever comes of it (D9)?
    fn reduces(self, signal: &Signal) -> bool {
        let against = |held| is_against(signal.side, held);
        signal.is_exit || never_opens(signal, self.manager.config()) || self.held(signal.symbol).is_some_and(against)
    }

    /// Is its time over, by the exchange's clock as well as that was known (S6)? Before it is known nothing is judged.
    fn is_late(self, signal: &Signal, reduces: bool) -> bool {
        let config = self.manager.config();
        let least = if reduces { config.exit_signal_max_age() } else { config.signal_max_age() };
        let age = Span(self.scene.now.0.saturating_sub(signal.timestamp.0));
        self.readings.knows_the_clock() && age.0 + self.readings.unsure().0 >= least.0
    }

    /// Is everything fresh that it is decided by, and for what opens the clock surely near enough?
    fn is_fresh(self, signal: &Signal, reduces: bool) -> bool {
        let (now, config, symbol) = (self.manager.now(), self.manager.config(), signal.symbol);
        let fresh = self.readings.fresh(now, symbol, reduces, config).is_ok();
        if reduces {
            return fresh && self.readings.quote(symbol).is_some();
        }
        let off = now.0.abs_diff(self.scene.now.0) + self.readings.unsure().0;
        let is_near = off <= config.clock_offset_max().0;
        fresh && is_near && !config.consult_position_manager && self.readings.has_leverage(symbol)
    }
}

/// Does an order of this side reduce what is held (D9)?
fn is_against(side: Side, held: Quantity) -> bool {
    match side {
        Side::Buy => held < Quantity::ZERO,
        Side::Sell => held.is_positive(),
    }
}

/// Is it a sell where nothing may be sold short?
fn never_opens(signal: &Signal, config: &Config) -> bool {
    signal.side == Side::Sell && !config.allow_short
}
