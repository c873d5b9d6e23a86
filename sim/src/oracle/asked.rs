//! What a signal asks for, by the words of the spec (D2 to D7). The signal and the orders are those of the durable state, which
//! other oracles hold to the truth; the reckoning is none of the manager's.

use order_manager_core::bybit::{InstrumentRow, OrderKind, TickerRow, TimeInForce};
use order_manager_core::config::{Config, SpreadUnit};
use order_manager_core::intake::Signal;
use order_manager_core::order::{Order, State};
use order_manager_core::unit::{Decimal, Price, Quantity, Side};

/// More than so many times a limit is no wish but a mistake (D7).
const IMPLAUSIBLE: Decimal = Decimal::from_parts(3, 0, 0, false, 0);

/// A signal, and what it is read by.
#[derive(Clone, Copy, Debug)]
pub(super) struct Asked<'a> {
    pub(super) signal: &'a Signal,
    pub(super) config: &'a Config,
    pub(super) rules: &'a InstrumentRow,
    pub(super) quote: &'a TickerRow,
    /// How often a PostOnly order of it was cancelled for crossing.
    pub(super) crossed: u32,
}

impl Asked<'_> {
    /// D4: sure of itself, urgent, or where the spread is narrow. What is priced anew stays what it was.
    pub(super) fn is_market(&self) -> bool {
        let Config { market_order_confidence_threshold: sure, market_order_spread_threshold: narrow, .. } = self.config;
        let percent = self.spread().map(|spread| spread / self.base() * Decimal::ONE_HUNDRED);
        let to_market =
            self.signal.confidence > *sure || self.signal.urgent || percent.is_some_and(|percent| percent < narrow.0);
        to_market && self.crossed == 0
    }

    /// The order's kind; none where the exchange takes no price of a limit that stands on our side of it (D5).
    pub(super) fn kind(&self, reduces: bool) -> Option<OrderKind> {
        if self.is_market() {
            return Some(OrderKind::Market { slippage: Some(self.config.market_slippage()) });
        }
        let is_post_only = self.config.limit_post_only && !reduces;
        let time_in_force = if is_post_only { TimeInForce::PostOnly } else { TimeInForce::Gtc };
        Some(OrderKind::Limit { price: self.limit()?, time_in_force })
    }

    /// What an order of it is reckoned at: its limit, or the dearest that it may fill at in the market.
    pub(super) fn price(&self) -> Option<Price> {
        if !self.is_market() {
            return self.limit();
        }
        let TickerRow { last, bid, ask, .. } = *self.quote;
        let (best, slips) = match self.signal.side {
            Side::Buy => (ask, self.config.market_slippage_pct.0 / Decimal::ONE_HUNDRED),
            Side::Sell => (bid, Decimal::ZERO),
        };
        let dearest = best.unwrap_or(last).max(last).0 * (Decimal::ONE + slips);
        Some(Price(up(dearest, self.rules.tick_size.0)))
    }

    /// D7: what the amount buys there, in whole steps.
    pub(super) fn quantity(&self, price: Price) -> Quantity {
        let (amount, step) = (self.signal.amount, self.rules.quantity_step.0);
        if self.signal.in_base {
            return Quantity(down(amount, step));
        }
        let most = down(amount / price.0, step);
        Quantity(if most * price.0 > amount { most - step } else { most })
    }

    /// D7: is it beyond every reason?
    pub(super) fn is_implausible(&self, quantity: Quantity, price: Price) -> bool {
        let (config, notional) = (self.config, quantity.0 * price.0);
        let order = config.max_exposure.0 * config.max_order_size_ratio.0;
        notional > order * IMPLAUSIBLE
            || quantity.0 > config.max_position_size.0 * IMPLAUSIBLE
            || config.max_position_notional.is_some_and(|most| notional > most.0 * IMPLAUSIBLE)
    }

    /// D7: is it less than the exchange takes?
    pub(super) fn is_too_small(&self, quantity: Quantity, price: Price, reduces: bool) -> bool {
        // A market order is reckoned at its dearest: what it is worth shows at the latest price.
        let price = if self.is_market() { price.min(self.quote.last) } else { price };
        let least = self.rules.min_quantity;
        let worth_little = !reduces && quantity.0 * price.0 < self.rules.min_notional.0;
        quantity < least || quantity.is_zero() || worth_little
    }

    /// D7: the most that the exchange takes in one order.
    pub(super) fn most(&self) -> Quantity {
        if self.is_market() { self.rules.max_market_quantity } else { self.rules.max_limit_quantity }
    }

    /// D6: has the price gone too far from the one that the model saw?
    pub(super) fn has_drifted(&self) -> bool {
        let seen = self.signal.snapshot.price;
        seen.is_some_and(|seen| (self.quote.last.0 - seen.0).abs() > seen.0 * self.config.max_price_drift_ratio.0)
    }

    /// D2: must this open order of ours go before the signal's own is sent?
    pub(super) fn sends_away(&self, order: &Order) -> bool {
        let (signal, config) = (self.signal, self.config);
        if order.spec.side != signal.side {
            return true;
        }
        let is_protected = !config.cancel_partially_filled && !signal.is_exit;
        if is_protected && order.facts.totals().quantity.is_positive() {
            return false;
        }
        let overtakes = order.spec.is_limit() && (signal.is_exit || self.is_market());
        overtakes || !config.cancel_opposite_orders_only
    }

    /// D5: our side of the price that the model saw, on the tick, within what the exchange takes.
    fn limit(&self) -> Option<Price> {
        let tick = self.rules.tick_size.0;
        let offset = self.spread().unwrap_or_default() * self.config.limit_order_price_offset_ratio.0;
        let (last, mark) = (self.quote.last, self.quote.mark.unwrap_or(self.quote.last).0);
        let index = self.quote.index.map_or(mark, |index| index.0);
        let (x, y) = (self.rules.price_limit_ratio_x.0, self.rules.price_limit_ratio_y.0);
        let has_band = !x.is_zero() && !y.is_zero();
        let again = self.crossed > 0;
        let price = match self.signal.side {
            Side::Buy => {
                let wanted = self.base() - offset;
                let rests = if again { wanted.min(self.quote.bid.unwrap_or(last).0) } else { wanted };
                let band = (mark * (Decimal::ONE + y)).min(index.max(mark * (Decimal::ONE + x)));
                down(if has_band { rests.min(band) } else { rests }.min(self.rules.max_price.0), tick)
            }
            Side::Sell => {
                let wanted = self.base() + offset;
                let rests = if again { wanted.max(self.quote.ask.unwrap_or(last).0) } else { wanted };
                let band = (mark * (Decimal::ONE - y)).max(index.min(mark * (Decimal::ONE - x)));
                up(if has_band { rests.max(band) } else { rests }.max(self.rules.min_price.0), tick)
            }
        };
        let (least, most) = (self.rules.min_price, self.rules.max_price);
        Some(Price(price)).filter(|price| price.is_positive() && *price >= least && *price <= most)
    }

    /// The price that the model saw, or the latest (D6).
    fn base(&self) -> Decimal {
        self.signal.snapshot.price.unwrap_or(self.quote.last).0
    }

    /// A difference of prices, in whatever unit it came (D4).
    fn spread(&self) -> Option<Decimal> {
        let spread = self.signal.snapshot.spread?.0;
        Some(match self.config.spread_unit {
            SpreadUnit::Absolute => spread,
            SpreadUnit::Percent => self.base() * (spread / Decimal::ONE_HUNDRED),
        })
    }
}

/// Is it known to be at the exchange?
pub(super) const fn is_there(order: &Order) -> bool {
    matches!(order.state, State::Acked | State::Open)
}

pub(super) fn down(value: Decimal, step: Decimal) -> Decimal {
    (value / step).floor() * step
}

fn up(value: Decimal, step: Decimal) -> Decimal {
    (value / step).ceil() * step
}
