//! The operator's limits by the exchange's truth, at the moment an order is taken there: what it holds, and what our
//! orders there may still do, and those of others that the manager had been shown when it decided. Trades of others that
//! it had neither heard of nor seen in a pushed position or in their order's row are counted off.

use super::bench::{Bench, Scene, Verdict};
use super::list::Oracle;
use super::memory::{Decided, Memory, Track};
use super::strangers::Strangers;
use crate::exchange::{Execution, Order, Truth};
use order_manager_core::Step;
use order_manager_core::bybit::{Create, ExecType};
use order_manager_core::config::Config;
use order_manager_core::input::Input;
use order_manager_core::order::Spec;
use order_manager_core::unit::{
    Decimal, ExecId, Money, OrderLinkId, Price, Quantity, Ratio, Side, Span, Symbol, Timestamp,
};
use std::collections::BTreeMap;

/// Trades of others on another symbol are known at the latest by the reconcile after the next.
const FOREIGN_KNOWN: Span = Span::secs(30);
/// An average price is rounded, in the last of its digits.
const ROUNDED: Decimal = Decimal::from_parts(1, 0, 0, false, 9);

#[derive(Clone, Debug, Default)]
pub(super) struct Limits {
    /// Orders and executions of the exchange that were looked at.
    orders: usize,
    executions: usize,
    /// Orders that may fill, by number; of others' those that count.
    live: Vec<u64>,
    /// Orders of others that are open, by number.
    others: Vec<u64>,
    strangers: Strangers,
    foreign: Vec<Foreign>,
    /// When a price or a position last moved.
    moved_at: Timestamp,
    /// The leverage of each symbol that somebody has set, and since when.
    leverages: BTreeMap<Symbol, (Ratio, Timestamp)>,
    /// When each order of ours was taken: from then on it holds margin.
    taken: Vec<Timestamp>,
    /// How far the exchange's views of positions and of the wallet were behind, at most.
    lag: Span,
    /// The same of the wallet alone, when it is asked for.
    wallet_lag: Span,
    /// The same of prices.
    tickers_lag: Span,
}

/// A trade of others.
#[derive(Clone, Copy, Debug)]
struct Foreign {
    id: ExecId,
    number: u64,
    seq: i64,
    at: Timestamp,
    symbol: Symbol,
    side: Side,
    quantity: Quantity,
    price: Price,
}

/// A limit on what may be held.
#[derive(Clone, Copy, Debug)]
struct Cap {
    of: Of,
    max: Money,
}

/// Of what.
#[derive(Clone, Copy, Debug)]
enum Of {
    /// All positions together.
    All,
    /// The order's symbol.
    Symbol,
}

impl Limits {
    /// Takes what a step was shown of others' orders.
    pub(super) fn stepped(&mut self, scene: Scene<'_>, input: &Input, step: &Step) {
        self.strangers.stepped(scene, input, step);
    }

    pub(super) fn died(&mut self) {
        self.strangers.forget();
    }

    pub(super) const fn price_moved(&mut self, now: Timestamp) {
        self.moved_at = now;
    }

    /// Somebody may have set another leverage.
    pub(super) fn meddled(&mut self, scene: Scene<'_>) {
        self.moved_at = scene.now;
        for symbol in scene.exchange.positions().map(|(symbol, _)| symbol) {
            let leverage = scene.exchange.leverage(symbol).unwrap_or_default();
            if self.leverages.get(&symbol).is_none_or(|(known, _)| *known != leverage) {
                self.leverages.insert(symbol, (leverage, scene.now));
            }
        }
    }

    /// What is shown may be further behind than before.
    pub(super) fn lags(&mut self, scene: Scene<'_>) {
        self.lag = self.lag.max(scene.exchange.views_lag());
        self.wallet_lag = self.wallet_lag.max(scene.exchange.wallet_lag());
        self.tickers_lag = self.tickers_lag.max(scene.exchange.tickers_lag());
    }

    /// Looks at what is new at the exchange: executions first, for nothing fills in the moment it is taken.
    pub(super) fn look(&mut self, bench: &mut Bench, scene: Scene<'_>, memory: &mut Memory, config: &Config) {
        let truth = scene.exchange.truth();
        for execution in truth.executions.get(self.executions..).unwrap_or_default() {
            self.executed(bench, truth, execution, memory, config);
        }
        self.executions = truth.executions.len();
        for order in truth.orders.get(self.orders..).unwrap_or_default() {
            if let Some(link) = order.link.filter(|_| order.is_ours()) {
                self.taken.push(scene.now);
                self.accepted(bench, scene, order, link, memory, config);
            } else {
                self.others.push(order.number);
                self.strangers.placed();
            }
        }
        self.orders = truth.orders.len();
    }

    fn executed(&mut self, bench: &mut Bench, truth: &Truth, e: &Execution, memory: &mut Memory, config: &Config) {
        self.moved_at = e.time;
        if e.exec_type == ExecType::Funding {
            return;
        }
        let Some(link) = e.link.filter(|_| e.is_ours(truth)) else {
            let Execution { id, number, seq, time: at, symbol, side, quantity, price, .. } = *e;
            return self.foreign.push(Foreign { id, number, seq, at, symbol, side, quantity, price });
        };
        let opened = Quantity(e.quantity.0 - e.closed.0);
        if opened.is_zero() {
            return;
        }
        bench.must(Oracle::NoShortUnlessAllowed, config.allow_short || e.side == Side::Buy, || {
            format!("{link} opened {opened} {} short", e.symbol)
        });
        let spec = memory.track(link).spec;
        let exits = spec.and_then(|spec| memory.signals.get(spec.intent.signal)).is_some_and(|heard| heard.is_exit);
        let reduces = exits || spec.is_some_and(|spec| spec.reduce_only);
        bench.must(Oracle::ReduceOnlyNeverGrows, !reduces, || format!("{link} may only reduce, and opened {opened}"));
    }

    fn accepted(
        &mut self,
        bench: &mut Bench,
        scene: Scene<'_>,
        order: &Order,
        link: OrderLinkId,
        memory: &mut Memory,
        config: &Config,
    ) {
        let track = memory.track(link);
        track.accepted += 1;
        track.number = Some(order.number);
        let Track { accepted, absent, spec, decided, .. } = *track;
        bench.must(Oracle::OneOrderAnIntent, accepted == 1, || format!("{link}: {accepted} orders at the exchange"));
        bench.rule(Oracle::OneOrderAnIntent, one_of_its_leg(scene, link, spec, memory));
        bench.must(Oracle::AbsenceIsTrue, !absent, || format!("{link} was proven absent, and is taken now"));
        let truth = scene.exchange.truth();
        let is_open = |number: &u64| truth.orders.get(*number as usize).filter(|order| !order.is_closed());
        self.live.retain(|number| is_open(number).is_some_and(Order::is_ours));
        self.live.push(order.number);
        self.others.retain(|number| is_open(number).is_some());
        let counts = |of: &Order| self.strangers.counts(of, decided.at);
        self.live.extend(self.others.iter().filter(|number| is_open(number).is_some_and(counts)));
        let Some(spec) = spec.filter(|_| !order.reduce_only) else { return };
        bench.rule(Oracle::OrderSizeLimit, order_size(order, spec.price, config));
        let window = decided.at.0.saturating_sub(config.position_max_age().0 + self.lag.0);
        let unheard = |foreign: &&Foreign| {
            let shown = memory.views.get(&foreign.symbol).into_iter().flatten();
            let shown = shown.filter(|(_, seq)| *seq >= foreign.seq).map(|(heard, _)| *heard);
            let told = self.strangers.told(truth, foreign.number);
            shown.chain(memory.foreign.get(&foreign.id).copied()).chain(told).all(|heard| heard >= decided.at)
        };
        let recent = |foreign: &&Foreign| foreign.symbol == order.symbol && foreign.at.0 >= window && unheard(foreign);
        let others: Vec<Foreign> = self.foreign.iter().filter(recent).copied().collect();
        bench.rule(Oracle::PositionLimit, self.position(scene, order, &others, config));
        let known = window.saturating_sub(config.reconcile_interval().0.saturating_mul(2) + FOREIGN_KNOWN.0);
        let elsewhere =
            |foreign: &&Foreign| foreign.symbol != order.symbol && foreign.at.0 >= known && unheard(foreign);
        // This symbol is valued at the price of the decision, what others traded of it too.
        let here: Decimal = others.iter().map(|of| of.quantity.0 * of.price.0.max(spec.price.0)).sum();
        // What an unheard trade closed there, a later one opens: at its own price. And what it added cheaply makes what was
        // sold since take away less than we know of.
        let dearest = |foreign: &Foreign| {
            let since = truth.executions.iter().rev().take_while(|e| e.time >= foreign.at);
            let average = scene.exchange.position(foreign.symbol).and_then(|position| position.average());
            let prices = since.filter(|e| e.symbol == foreign.symbol).map(|e| e.price.0);
            prices.chain(average.map(|price| price.0)).max().unwrap_or_default()
        };
        let there: Decimal = self.foreign.iter().filter(elsewhere).map(|of| of.quantity.0 * dearest(of)).sum();
        let max = Cap { of: Of::All, max: config.max_exposure };
        bench.rule(Oracle::ExposureLimit, self.exposures(scene, order, &spec, here + there, memory, max));
        if let Some(max) = config.max_position_notional {
            let max = Cap { of: Of::Symbol, max };
            bench.rule(Oracle::PositionNotionalLimit, self.exposures(scene, order, &spec, here, memory, max));
        }
    }

    /// Orders may be taken in another order than they were decided in. The last decision is the one that saw them all,
    /// and its symbol is the one that is valued at the price of an order (spec K1); of several that were made in one
    /// step nobody can tell here which was the last.
    fn exposures(
        &self,
        scene: Scene<'_>,
        order: &Order,
        spec: &Spec,
        excused: Decimal,
        memory: &Memory,
        max: Cap,
    ) -> Verdict {
        if self.exposure(scene, order, spec.price, excused, memory, max).is_ok() {
            return Ok(());
        }
        let decided = order.link.and_then(|link| memory.known(link)).map(|track| track.decided.at);
        let decided = decided.unwrap_or_default();
        let elsewhere = match max.of {
            Of::All => slipped(scene, order.symbol, memory, decided) + self.freed(scene, order.symbol, memory, decided),
            Of::Symbol => Decimal::ZERO,
        };
        let excused = excused + elsewhere;
        let verdict = self.exposure(scene, order, spec.price, excused, memory, max);
        if verdict.is_ok() {
            return verdict;
        }
        let ours = scene.exchange.truth().orders.iter().filter(|of| of.number != order.number && !of.reduce_only);
        let specs = ours.filter_map(|of| Some((of, memory.known(of.link?)?.spec?)));
        let mut later = specs.filter(|(_, decided)| decided.at >= spec.at);
        let seen = later.any(|(of, at)| self.exposure(scene, of, at.price, excused, memory, max).is_ok());
        if seen { Ok(()) } else { verdict }
    }

    /// What only reduces passes every limit (spec K3). What it took from positions of other symbols, decided after this one,
    /// other orders there would have had to close before they opened.
    fn freed(&self, scene: Scene<'_>, symbol: Symbol, memory: &Memory, decided: Timestamp) -> Decimal {
        let orders = &scene.exchange.truth().orders;
        let live = |of: Symbol| {
            self.live.iter().filter_map(move |of| orders.get(*of as usize)).filter(move |o| o.symbol == of)
        };
        let exits = orders.iter().filter(|of| of.symbol != symbol && of.reduce_only && of.is_ours());
        let later =
            exits.filter(|of| of.link.and_then(|link| memory.known(link)).is_some_and(|t| t.decided.at >= decided));
        let freed = later.map(|of| {
            let dearest = live(of.symbol).filter(|o| o.side == of.side).map(|o| o.state.price.0).max();
            let left = if of.is_closed() { Decimal::ZERO } else { of.leaves().0 };
            (of.state.cum_quantity.0 + left) * dearest.unwrap_or_default()
        });
        freed.sum()
    }

    /// If everything of its side fills: the position there.
    fn position(&self, scene: Scene<'_>, order: &Order, others: &[Foreign], config: &Config) -> Verdict {
        let size = scene.exchange.position(order.symbol).map_or(Quantity::ZERO, |position| position.size);
        let worst = self.worst(scene, (order.symbol, order.side), size, |_| Decimal::ONE, Decimal::ONE);
        let same_side = others.iter().filter(|foreign| foreign.side == order.side);
        let excused: Decimal = same_side.map(|foreign| foreign.quantity.0).sum();
        let max = config.max_position_size;
        if worst <= max.0 + excused {
            return Ok(());
        }
        Err(format!("{} of {} may come to {worst}, the limit is {max}, others had {excused}", order.side, order.symbol))
    }

    /// The worst of this symbol, or of every symbol together: this one at the price of its decision, others at what they
    /// cost.
    fn exposure(
        &self,
        scene: Scene<'_>,
        order: &Order,
        price: Price,
        excused: Decimal,
        memory: &Memory,
        Cap { of, max }: Cap,
    ) -> Verdict {
        let priced =
            |of: &Order| of.link.and_then(|link| memory.known(link)?.spec).map_or(of.state.price.0, |s| s.price.0);
        let mut sum = Decimal::ZERO;
        let counts = |symbol| matches!(of, Of::All) || symbol == order.symbol;
        for (symbol, position) in scene.exchange.positions().filter(|(symbol, _)| counts(*symbol)) {
            let here = symbol == order.symbol;
            let reference = if here { price } else { position.average().unwrap_or_default() };
            let at = |of: &Order| if here { priced(of).max(price.0) } else { priced(of) };
            let worst = |side| self.worst(scene, (symbol, side), position.size, at, reference.0);
            sum += if here { worst(order.side) } else { worst(Side::Buy).max(worst(Side::Sell)) };
        }
        if sum <= max.0 + excused + ROUNDED {
            return Ok(());
        }
        let link = order.link;
        Err(format!("{of:?}: may come to {sum} with {link:?}, the limit is {max}, others had {excused}"))
    }

    /// What the position of a symbol may come to on this side: what only reduces may go first.
    fn worst(
        &self,
        scene: Scene<'_>,
        on: (Symbol, Side),
        size: Quantity,
        price: impl Fn(&Order) -> Decimal,
        reference: Decimal,
    ) -> Decimal {
        let truth: &Truth = scene.exchange.truth();
        let live = self.live.iter().filter_map(|number| truth.orders.get(*number as usize));
        let held = on.1.signed(size).0;
        let (mut reducing, mut opening) = (Decimal::ZERO, Vec::new());
        for order in live.filter(|of| (of.symbol, of.side) == on && !of.is_closed()) {
            match order.reduce_only {
                true => reducing += order.leaves().0,
                false => opening.push((price(order), order.leaves().0)),
            }
        }
        let base = if held < Decimal::ZERO { (held + reducing).min(Decimal::ZERO) } else { held };
        if opening.is_empty() && base <= Decimal::ZERO {
            return Decimal::ZERO;
        }
        // What is held the other way takes of them first, and in the worst case of the cheapest.
        opening.sort_unstable();
        let mut closes = -base.min(Decimal::ZERO);
        let opens = opening.into_iter().map(|(price, leaves)| {
            let closed = leaves.min(closes);
            closes -= closed;
            (leaves - closed) * price
        });
        base.max(Decimal::ZERO) * reference + opens.sum::<Decimal>()
    }

    /// A create arrives that opens.
    pub(super) fn arrives(
        &self,
        bench: &mut Bench,
        scene: Scene<'_>,
        create: &Create,
        memory: &mut Memory,
        config: &Config,
    ) {
        if create.reduce_only {
            return;
        }
        let decided = memory.track(create.link).decided;
        bench.rule(Oracle::LeverageLimit, self.leverage(scene, create.symbol, decided, config));
        if config.enable_balance_check && bench.asks(Oracle::Balance) {
            bench.rule(Oracle::Balance, self.balance(scene, create, decided));
        }
    }

    /// Was the leverage over its limit long before the one that the order was decided by was asked for?
    fn leverage(&self, scene: Scene<'_>, symbol: Symbol, decided: Decided, config: &Config) -> Verdict {
        let (leverage, max) = (scene.exchange.leverage(symbol).unwrap_or_default(), config.max_leverage);
        let since = self.leverages.get(&symbol).map_or(Timestamp::default(), |(_, since)| *since);
        if leverage <= max || decided.leverage_asked.is_none_or(|asked| since.after(self.lag) >= asked) {
            return Ok(());
        }
        Err(format!("{symbol} is opened with a leverage of {leverage}, the limit is {max}"))
    }

    /// Would it be refused for want of balance, though nothing moved since the wallet, the prices and the leverage were
    /// asked for? They may be seconds old (spec K2), and a market order needs what it costs now. What an order holds that
    /// was taken just before a view that is behind is not in that view, which says nothing of its age.
    fn balance(&self, scene: Scene<'_>, create: &Create, decided: Decided) -> Verdict {
        let Decided { funds_asked, wallet_asked, leverage_asked, .. } = decided;
        let (Some(funds_asked), Some(wallet_asked)) = (funds_asked, wallet_asked) else { return Ok(()) };
        let asked = leverage_asked.unwrap_or(funds_asked).min(funds_asked);
        let hidden = |taken: &Timestamp| *taken < wallet_asked && taken.after(self.wallet_lag) >= wallet_asked;
        let sees_all = !self.taken.iter().any(hidden);
        if self.moved_at.after(self.lag.max(self.tickers_lag)) < asked
            && sees_all
            && scene.exchange.lacks_balance(create)
        {
            return Err(format!("{create:?} is more than the {} that are free", scene.exchange.available()));
        }
        Ok(())
    }
}

/// An attempt follows on one that came to nothing: refused, never there, or ended without a fill (spec O1).
fn one_of_its_leg(scene: Scene<'_>, link: OrderLinkId, spec: Option<Spec>, memory: &Memory) -> Verdict {
    let Some(intent) = spec.map(|spec| spec.intent) else { return Ok(()) };
    let Some(heard) = memory.signals.get(intent.signal) else { return Ok(()) };
    for other in heard.orders.iter().filter(|other| **other != link) {
        let Some(track) = memory.known(*other).filter(|track| track.spec.is_some_and(|s| s.intent.leg == intent.leg))
        else {
            continue;
        };
        let order = track.number.and_then(|number| scene.exchange.truth().orders.get(number as usize));
        if let Some(order) = order.filter(|order| !order.is_closed() || !order.state.cum_quantity.is_zero()) {
            return Err(format!("{link} is taken beside {other}: {:?}", order.state));
        }
    }
    Ok(())
}

/// What orders of other symbols cost more than was decided, of fills that nobody had been told of when this one was
/// decided: until then they count at the price of their decision (spec K1).
fn slipped(scene: Scene<'_>, symbol: Symbol, memory: &Memory, decided: Timestamp) -> Decimal {
    let ours = scene.exchange.truth().orders.iter().filter(|of| of.symbol != symbol && of.is_ours());
    let dearer = ours.filter_map(|of| {
        let track = memory.known(of.link?)?;
        let untold = of.state.cum_quantity.0 - track.told_by(decided).0;
        let cost = of.state.cum_value.per(of.state.cum_quantity)?.0 - track.spec?.price.0;
        Some(untold.max(Decimal::ZERO) * cost.max(Decimal::ZERO))
    });
    dearer.sum()
}

/// An opening order's worth (spec K2); of a market order, and of a limit that the exchange has moved into its band
/// (bybit-v5.md Q16), what it surely was at one of both moments.
fn order_size(order: &Order, decided: Price, config: &Config) -> Verdict {
    let price = decided.min(if order.is_market { order.last_on_created } else { order.state.price });
    let (worth, max) = (price.0 * order.state.quantity.0, config.max_exposure.0 * config.max_order_size_ratio.0);
    if worth <= max { Ok(()) } else { Err(format!("{:?} is worth {worth}, the limit is {max}", order.link)) }
}
