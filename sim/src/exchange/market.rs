//! One symbol: its rules, its price, the book around it, our resting orders and our position.

use super::config::{ExchangeConfig, InstrumentConfig, Liquidity};
use super::order::Order;
use super::past::Past;
use super::position::{Effect, Position, bankruptcy};
use order_manager_core::bybit::{InstrumentRow, PositionRow, TickerRow};
use order_manager_core::unit::{Category, Decimal, Money, Price, Quantity, Ratio, Side, Timestamp};
use std::collections::BTreeMap;
use std::sync::OnceLock;

/// A place in one side of the book: the best price first, then the earliest. Buys count prices downwards.
pub(super) type Rank = (Decimal, u64);

#[derive(Clone, Debug)]
pub(super) struct Market {
    pub(super) category: Category,
    pub(super) rules: InstrumentRow,
    last: Price,
    position: Position,
    /// Cross sequence of the last match.
    pub(super) seq: i64,
    /// Acknowledged and open orders.
    pub(super) open: usize,
    buys: Resting,
    sells: Resting,
    half_spread: Decimal,
    pub(super) liquidity: Liquidity,
    leverage: Ratio,
    /// Are there two positions, one a direction?
    pub(super) hedge: bool,
    /// What the position's rows showed, while their view is behind.
    pub(super) past: Past<Vec<PositionRow>>,
    pub(super) past_ticker: Past<TickerRow>,
    pub(super) past_rules: Past<InstrumentRow>,
    taker: Ratio,
    /// Made once for all who ask, until something that it is made of changes.
    stake: OnceLock<Stake>,
}

/// What a symbol is in the wallet.
#[derive(Clone, Copy, Debug)]
pub(super) struct Stake {
    /// What the position would gain.
    pub(super) unrealised: Money,
    /// What its orders hold.
    pub(super) orders: Money,
    /// What its position holds.
    pub(super) position: Money,
}

/// Our orders of one side.
#[derive(Clone, Debug, Default)]
pub(super) struct Resting {
    /// All that rest in the book.
    pub(super) book: BTreeMap<Rank, u64>,
    /// Those of them that may only reduce.
    pub(super) reducing: BTreeMap<Rank, u64>,
    /// Base units and cost of the orders that hold margin, resting or not yet.
    held: (Decimal, Decimal),
}

impl Market {
    /// Its matches go on where those of the era before ended; in the first one the position was never traded.
    pub(super) fn new(instrument: &InstrumentConfig, config: &ExchangeConfig) -> Self {
        let seq = i64::try_from(config.era).unwrap_or(i64::MAX >> 1);
        let position = Position::default();
        Self {
            category: instrument.category,
            rules: instrument.rules(),
            last: instrument.price,
            position: if seq == 0 { position } else { Position { seq, ..position } },
            seq,
            open: 0,
            buys: Resting::default(),
            sells: Resting::default(),
            half_spread: instrument.tick_size.0 * Decimal::from(config.half_spread_ticks),
            liquidity: config.liquidity,
            leverage: config.leverage,
            hedge: false,
            past: Past::default(),
            past_ticker: Past::default(),
            past_rules: Past::default(),
            taker: config.fees.taker,
            stake: OnceLock::new(),
        }
    }

    /// The last price.
    pub(super) const fn last(&self) -> Price {
        self.last
    }

    pub(super) fn set_last(&mut self, last: Price) {
        self.stake.take();
        self.last = last;
    }

    pub(super) const fn position(&self) -> &Position {
        &self.position
    }

    /// Books a fill of the last match.
    pub(super) fn fill(&mut self, at: Timestamp, side: Side, quantity: Quantity, price: Price, fee: Money) -> Effect {
        self.stake.take();
        let position = &mut self.position;
        let side_before = position.side();
        let effect = position.fill(side, quantity, price, fee);
        position.seq = self.seq;
        position.updated = at;
        if position.side() != side_before {
            position.opened = position.side().map_or(Timestamp(0), |_| at);
        }
        effect
    }

    pub(super) const fn leverage(&self) -> Ratio {
        self.leverage
    }

    /// Orders that hold margin have to give it back before, and hold it anew after that.
    pub(super) fn set_leverage(&mut self, leverage: Ratio) {
        self.stake.take();
        self.leverage = leverage;
    }

    /// What it is in the wallet.
    pub(super) fn stake(&self) -> &Stake {
        self.stake.get_or_init(|| Stake {
            unrealised: self.unrealised(),
            orders: self.order_margin_with(Side::Buy, Quantity::ZERO, Money::ZERO),
            position: self.position.margin(self.last, self.leverage, self.taker),
        })
    }

    /// The price that an order of this side takes at first; none on an empty book.
    pub(super) fn best_for(&self, side: Side) -> Option<Price> {
        let price = match side {
            Side::Buy => self.last.0 + self.half_spread,
            Side::Sell => self.last.0 - self.half_spread,
        };
        (self.liquidity.best.is_positive() && price > Decimal::ZERO).then_some(Price(price))
    }

    /// What an order of this side finds, best first, no further than `bound`.
    pub(super) fn levels(&self, side: Side, bound: Price) -> impl Iterator<Item = (Price, Quantity)> + use<> {
        let step = self.rules.tick_size.0 * Decimal::from(self.liquidity.level_ticks.max(1));
        let step = if side == Side::Buy { step } else { -step };
        let Liquidity { best, level, .. } = self.liquidity;
        let mut next = self.best_for(side).map(|price| (price, best));
        std::iter::from_fn(move || {
            let (price, quantity) = next.take()?;
            if !within(side, price, bound) || !price.is_positive() {
                return None;
            }
            next = level.is_positive().then_some((Price(price.0 + step), level));
            Some((price, quantity))
        })
    }

    /// The furthest price of a market order (9.2): from the best price by a tolerance, else from the mark price.
    pub(super) fn bound(&self, side: Side, slippage: Option<Ratio>) -> Price {
        let (from, ratio) = match slippage {
            Some(ratio) => (self.best_for(side).unwrap_or(self.last), ratio),
            None => (self.last, self.rules.price_limit_ratio_x),
        };
        self.inward(side, from, ratio)
    }

    /// The furthest price that a limit order of this side may name (5.2, with mark and index at the last price).
    /// `ratio` wins over the published ones.
    pub(super) fn band(&self, side: Side, ratio: Option<Ratio>) -> Price {
        let published = self.rules.price_limit_ratio_x.min(self.rules.price_limit_ratio_y);
        self.inward(side, self.last, ratio.unwrap_or(published))
    }

    pub(super) fn rests(&self, side: Side) -> &Resting {
        match side {
            Side::Buy => &self.buys,
            Side::Sell => &self.sells,
        }
    }

    pub(super) fn resting(&mut self, side: Side) -> &mut Resting {
        match side {
            Side::Buy => &mut self.buys,
            Side::Sell => &mut self.sells,
        }
    }

    /// Holds the cost of what is left of an order from now on.
    pub(super) fn hold(&mut self, order: &mut Order) {
        if order.reduce_only {
            return;
        }
        let leaves = order.leaves();
        order.held = (leaves, self.cost(order.side, order.state.price, leaves));
        self.stake.take();
        let held = &mut self.resting(order.side).held;
        held.0 += order.held.0.0;
        held.1 += order.held.1.0;
    }

    /// Gives back what the order holds; after that something of it may change.
    pub(super) fn free(&mut self, order: &mut Order) {
        if order.reduce_only {
            return;
        }
        let (quantity, cost) = std::mem::take(&mut order.held);
        self.stake.take();
        let held = &mut self.resting(order.side).held;
        held.0 -= quantity.0;
        held.1 -= cost.0;
    }

    /// What an opening order holds (9.4): value by leverage, the fee of opening, the fee of closing at bankruptcy.
    pub(super) fn cost(&self, side: Side, price: Price, quantity: Quantity) -> Money {
        let value = price.0 * quantity.0;
        let fees = (value + bankruptcy(value, side, self.leverage)) * self.taker.0;
        Money((value / self.leverage.0 + fees).round_dp(8))
    }

    /// What all orders of the symbol hold: the dearer side, what only reduces the position not counted.
    pub(super) fn order_margin(&self) -> Money {
        self.stake().orders
    }

    /// The same with one more order.
    pub(super) fn order_margin_with(&self, side: Side, quantity: Quantity, cost: Money) -> Money {
        let charge = |of: Side, resting: &Resting| {
            let more = if of == side { (quantity.0, cost.0) } else { (Decimal::ZERO, Decimal::ZERO) };
            let (held, cost) = (resting.held.0 + more.0, resting.held.1 + more.1);
            let opening = held - self.position.reducible(of).0;
            if opening <= Decimal::ZERO {
                Decimal::ZERO
            } else if opening == held {
                cost
            } else {
                (cost * opening / held).round_dp(8)
            }
        };
        Money(charge(Side::Buy, &self.buys).max(charge(Side::Sell, &self.sells)))
    }

    fn unrealised(&self) -> Money {
        self.position.unrealised(self.last)
    }

    pub(super) fn touch(&self) -> Quantity {
        self.liquidity.touch
    }

    /// The position as Bybit lists it: in hedge mode both directions, in no order (Q51).
    pub(super) fn position_rows(&self) -> Vec<PositionRow> {
        let row = self.position_row();
        if !self.hedge {
            return vec![row];
        }
        [(2, Side::Sell), (1, Side::Buy)]
            .map(|(position_idx, side)| match row.side {
                Some(held) if held == side => PositionRow { position_idx, ..row },
                _ => PositionRow {
                    position_idx,
                    side: None,
                    size: Quantity::ZERO,
                    average_price: None,
                    unrealised_pnl: None,
                    ..row
                },
            })
            .to_vec()
    }

    fn position_row(&self) -> PositionRow {
        let position = &self.position;
        PositionRow {
            symbol: self.rules.symbol,
            position_idx: 0,
            side: position.side(),
            size: position.size.abs(),
            average_price: position.average(),
            leverage: Some(self.leverage),
            unrealised_pnl: position.side().map(|_| self.stake().unrealised),
            seq: position.seq,
            updated: super::clock(position.updated),
        }
    }

    pub(super) fn ticker(&self) -> TickerRow {
        TickerRow {
            symbol: self.rules.symbol,
            last: self.last,
            mark: Some(self.last),
            index: Some(self.last),
            bid: self.best_for(Side::Sell),
            ask: self.best_for(Side::Buy),
        }
    }

    /// `ratio` worse than `from` for an order of this side, on tick, on the inner side.
    fn inward(&self, side: Side, from: Price, ratio: Ratio) -> Price {
        let tick = self.rules.tick_size;
        let far = |ratio: Decimal| Price(from.0 * (Decimal::ONE + ratio));
        match side {
            Side::Buy => far(ratio.0).floor_to(tick),
            Side::Sell => far(-ratio.0).ceil_to(tick),
        }
        .unwrap_or(from)
    }
}

/// A place in the book of this side.
pub(super) fn rank(side: Side, price: Price, priority: u64) -> Rank {
    (if side == Side::Buy { -price.0 } else { price.0 }, priority)
}

/// Is this price acceptable to an order of this side that goes no further than `bound`?
pub(super) fn within(side: Side, price: Price, bound: Price) -> bool {
    match side {
        Side::Buy => price <= bound,
        Side::Sell => price >= bound,
    }
}
