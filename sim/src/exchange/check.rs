//! What is refused at once (bybit-v5.md 2.13, in the order of 9.2): no row, no push, no trace.

use super::accept::Wanted;
use super::engine::Action;
use super::market::{Market, within};
use super::query::Refine;
use super::quirk::{Fate, Quirk};
use super::refusal::{self, say};
use super::{Category, Exchange, LinkReuse, NoLiquidity, PriceBand, ids};
use order_manager_core::bybit::{Amend, ApiError, Cancel, Create, OrderKind, Reply, TimeInForce};
use order_manager_core::unit::{
    Decimal, ExchangeOrderId, Money, OrderLinkId, Price, Quantity, Ratio, Side, Symbol, Text, Timestamp,
};

impl Exchange {
    /// `order/create`: checked now, acknowledged now, decided by the engine later.
    pub(super) fn create(&mut self, now: Timestamp, create: &Create) -> Result<Reply, ApiError> {
        check_shape(create)?;
        let index = self.market_of(create.category, create.symbol)?;
        let market = &self.markets[index];
        if !market.rules.trading {
            return Err(say(refusal::NOT_LIVE));
        }
        self.check_link(create.link)?;
        if (create.position_idx == 0) == market.hedge {
            return Err(say(refusal::POSITION_IDX));
        }
        let is_market = matches!(create.kind, OrderKind::Market { .. });
        let wanted = self.wanted(market, create);
        if wanted.is_err() && is_market && self.knobs.next_markets.front() == Some(&Fate::MarketRefused) {
            self.knobs.next_markets.pop_front();
            self.effects.met(Fate::MarketRefused);
        }
        let (wanted, market) = (wanted?, &self.markets[index]);
        let exempt = create.reduce_only && self.config.reduce_only_below_minimum;
        let notional_price = if wanted.is_market { market.last() } else { wanted.price };
        if !exempt && wanted.quantity.0 * notional_price.0 < market.rules.min_notional.0 {
            return Err(below_minimum(market));
        }
        let price = if wanted.is_market { wanted.price } else { self.banded(market, create.side, wanted.price)? };
        if market.open >= self.config.max_open_orders {
            return Err(say(refusal::TOO_MANY_OPEN));
        }
        if create.reduce_only {
            if market.position().reducible(create.side).is_zero() {
                return Err(say(refusal::NO_POSITION));
            }
        } else {
            self.check_margin(market, create.side, price, wanted.quantity)?;
        }
        let link = Some(create.link).filter(|link| !link.as_str().is_empty());
        let part = Wanted { price, quantity: largest_part(market, create, &wanted), ..wanted };
        let fate = if wanted.is_market { self.knobs.next_markets.pop_front() } else { None };
        let number = self.accept(now, index, create, link, &part);
        if part.quantity < wanted.quantity {
            self.accept_rest(now, index, create.side, part, Quantity(wanted.quantity.0 - part.quantity.0));
            self.effects.did(&Quirk::LargestOrder { symbol: create.symbol, quantity: part.quantity });
        }
        self.fates.extend(fate.map(|fate| (number, fate)));
        Ok(self.ack(number))
    }

    /// `order/cancel`: acknowledged while the order is open; a fill may still win (S12).
    pub(super) fn cancel(&mut self, now: Timestamp, cancel: &Cancel) -> Result<Reply, ApiError> {
        let target = self.target(cancel.category, cancel.symbol, cancel.link, cancel.order_id)?;
        let number = target.filter(|number| self.is_touchable(now, *number));
        let number = number.ok_or_else(|| say(refusal::TOO_LATE_TO_CANCEL))?;
        self.schedule(now, Action::Cancel(number));
        Ok(self.ack(number))
    }

    /// `order/amend`: absent means unchanged, the quantity is the new total.
    pub(super) fn amend(&mut self, now: Timestamp, amend: &Amend, refine: &Refine) -> Result<Reply, ApiError> {
        let target = self.target(amend.category, amend.symbol, amend.link, refine.order_id)?;
        let number = target.filter(|number| self.is_touchable(now, *number));
        let number = number.ok_or_else(|| say(refusal::TOO_LATE_TO_REPLACE))?;
        let order = self.truth.order(number);
        let market = &self.markets[order.market];
        if order.is_market {
            return Err(say(refusal::TOO_LATE_TO_REPLACE));
        }
        let quantity = amend.quantity.unwrap_or(order.state.quantity);
        check_quantity(market, quantity, Some(market.rules.max_limit_quantity))?;
        let mut price = amend.price.unwrap_or(order.state.price);
        check_price(market, price)?;
        if amend.price.is_some() {
            price = self.banded(market, order.side, price)?;
        }
        if price == order.state.price && quantity == order.state.quantity {
            return Err(say(refusal::UNCHANGED));
        }
        if quantity <= order.state.cum_quantity {
            return Err(say(refusal::BELOW_FILLED));
        }
        if !order.reduce_only {
            let leaves = Quantity(quantity.0 - order.state.cum_quantity.0);
            let more =
                market.cost(order.side, price, leaves).0 - market.cost(order.side, order.state.price, order.leaves()).0;
            let grown = Quantity(leaves.0 - order.leaves().0);
            let after = market.order_margin_with(order.side, grown, Money(more));
            if after.0 - market.order_margin().0 > self.available_balance().0.max(Decimal::ZERO) {
                return Err(say(refusal::BALANCE));
            }
        }
        self.schedule(now, Action::Amend { number, price, quantity });
        Ok(self.ack(number))
    }

    /// The market of a symbol.
    pub(super) fn market_of(&self, category: Category, symbol: Symbol) -> Result<usize, ApiError> {
        let unknown = || say(if category == Category::Spot { refusal::SPOT_SYMBOL } else { refusal::NOT_SUPPORTED });
        self.place_of(category, symbol).ok_or_else(unknown)
    }

    fn check_link(&self, link: OrderLinkId) -> Result<(), ApiError> {
        let last = self.truth.links.get(&link).and_then(|record| record.order);
        let taken = match self.config.link_reuse {
            LinkReuse::Never => last.is_some(),
            LinkReuse::AfterEnd => last.is_some_and(|number| !self.truth.order(number).is_closed()),
        };
        if taken { Err(say(refusal::DUPLICATE_LINK)) } else { Ok(()) }
    }

    fn wanted(&self, market: &Market, create: &Create) -> Result<Wanted, ApiError> {
        let quantity = create.quantity;
        match create.kind {
            OrderKind::Limit { price, time_in_force } => {
                check_quantity(market, quantity, max_of(create, market.rules.max_limit_quantity))?;
                check_price(market, price)?;
                Ok(Wanted { price, quantity, time_in_force, is_market: false })
            }
            OrderKind::Market { slippage } => {
                check_quantity(market, quantity, max_of(create, market.rules.max_market_quantity))?;
                let price = market.bound(create.side, slippage);
                let empty = market.levels(create.side, price).next().is_none();
                let refused = self.knobs.next_markets.front() == Some(&Fate::MarketRefused);
                if refused || empty && self.config.no_liquidity == NoLiquidity::Refuse {
                    return Err(self.no_liquidity(market, create.side, price));
                }
                Ok(Wanted { price, quantity, time_in_force: TimeInForce::Ioc, is_market: true })
            }
        }
    }

    /// The price inside the band: moved there in silence, or refused (5.3).
    fn banded(&self, market: &Market, side: Side, price: Price) -> Result<Price, ApiError> {
        let (ratio, way) = self.knobs.price_band.map_or((None, self.config.price_band), |(r, way)| (Some(r), way));
        let band = market.band(side, ratio);
        match (within(side, price, band), way) {
            (true, _) => Ok(price),
            (false, PriceBand::Adjust) => Ok(band),
            (false, PriceBand::Reject) => Err(say(refusal::PRICE_RANGE)),
        }
    }

    /// Would this order be refused now for want of balance, and for nothing else? Where the band moves its price (5.3), by
    /// its own price too: who gives it cannot know of the move.
    #[must_use]
    pub fn lacks_balance(&self, create: &Create) -> bool {
        let Ok(index) = self.market_of(create.category, create.symbol) else { return false };
        let market = &self.markets[index];
        let Ok(wanted) = self.wanted(market, create) else { return false };
        let price = if wanted.is_market { Ok(wanted.price) } else { self.banded(market, create.side, wanted.price) };
        let short = |price| self.check_margin(market, create.side, price, wanted.quantity).is_err();
        !create.reduce_only && self.check_link(create.link).is_ok() && short(wanted.price) && price.is_ok_and(short)
    }

    fn check_margin(&self, market: &Market, side: Side, price: Price, quantity: Quantity) -> Result<(), ApiError> {
        let with = market.order_margin_with(side, quantity, market.cost(side, price, quantity));
        let more = with.0 - market.order_margin().0;
        // What holds nothing more is always allowed: it closes, or the other side is dearer.
        if more > Decimal::ZERO && more > self.available_balance().0 { Err(say(refusal::BALANCE)) } else { Ok(()) }
    }

    /// The order that a cancel or an amend means; Bybit's id wins over the link id.
    fn target(
        &self,
        category: Category,
        symbol: Symbol,
        link: OrderLinkId,
        order_id: Option<ExchangeOrderId>,
    ) -> Result<Option<u64>, ApiError> {
        let market = self.market_of(category, symbol)?;
        let number = match order_id {
            Some(id) => self.truth.order_by_id(id).map(|order| order.number),
            None => self.truth.links.get(&link).and_then(|record| record.order),
        };
        Ok(number.filter(|number| self.truth.orders.get(*number as usize).is_some_and(|o| o.market == market)))
    }

    /// Can a request still reach it, as far as the gateway knows?
    fn is_touchable(&self, now: Timestamp, number: u64) -> bool {
        let order = self.truth.order(number);
        !order.is_closed() && order.created.after(self.knobs.untouchable_for) <= now
    }

    fn ack(&self, number: u64) -> Reply {
        let order = self.truth.order(number);
        Reply::Ack { order_id: order.id(), link: order.link.map(|link| Text::clipped(link.as_str())) }
    }

    fn no_liquidity(&self, market: &Market, side: Side, bound: Price) -> ApiError {
        let scaled = |price: Price| (price.0 * Decimal::from(10_000)).normalize();
        let id = ids::id_of(ids::Kind::Order, self.config.era, self.truth.orders.len() as u64);
        let side = side.as_str().to_lowercase();
        let words = format!("[{id}]{side}: [{},{}] invalid", scaled(market.rules.max_price), scaled(bound));
        say((10001, &words))
    }
}

fn check_shape(create: &Create) -> Result<(), ApiError> {
    if !create.quantity.is_positive() {
        return Err(say(refusal::QUANTITY));
    }
    if !create.link.as_str().bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_') {
        return Err(say(refusal::LINK));
    }
    match create.kind {
        OrderKind::Limit { price, .. } if !price.is_positive() => Err(say(refusal::PRICE)),
        OrderKind::Market { slippage: Some(ratio) } => check_slippage(ratio),
        _ => Ok(()),
    }
}

/// 0.01 to 10 percent, in steps of 0.01 percent (2.1).
fn check_slippage(ratio: Ratio) -> Result<(), ApiError> {
    let step = Decimal::new(1, 4);
    let good = ratio.0 >= step && ratio.0 <= Decimal::new(1, 1) && (ratio.0 % step).is_zero();
    if good { Ok(()) } else { Err(say(refusal::SLIPPAGE)) }
}

/// Only what opens is refused for its size: what reduces is split (Q17).
fn max_of(create: &Create, max: Quantity) -> Option<Quantity> {
    Some(max).filter(|_| !create.reduce_only)
}

/// What of an order the first of its parts takes; mostly all.
fn largest_part(market: &Market, create: &Create, wanted: &Wanted) -> Quantity {
    let rules = &market.rules;
    let max = if wanted.is_market { rules.max_market_quantity } else { rules.max_limit_quantity };
    let part = max.floor_to(rules.quantity_step).filter(|part| *part >= rules.min_quantity && create.reduce_only);
    part.map_or(wanted.quantity, |part| part.min(wanted.quantity))
}

fn check_quantity(market: &Market, quantity: Quantity, max: Option<Quantity>) -> Result<(), ApiError> {
    if quantity.0 <= Decimal::ZERO || !(quantity.0 % market.rules.quantity_step.0).is_zero() {
        Err(say(refusal::QUANTITY))
    } else if quantity < market.rules.min_quantity {
        Err(say(refusal::QUANTITY_BELOW))
    } else if max.is_some_and(|max| quantity > max) {
        Err(say(refusal::QUANTITY_ABOVE))
    } else {
        Ok(())
    }
}

fn check_price(market: &Market, price: Price) -> Result<(), ApiError> {
    let rules = &market.rules;
    let good = price >= rules.min_price && price <= rules.max_price && (price.0 % rules.tick_size.0).is_zero();
    if good { Ok(()) } else { Err(say(refusal::PRICE)) }
}

fn below_minimum(market: &Market) -> ApiError {
    let words = format!("Order does not meet minimum order value {}{}", market.rules.min_notional, market.rules.quote);
    say((110094, &words))
}
