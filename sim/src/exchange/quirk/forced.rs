//! What the exchange and others do to the account, whatever we want: deleveraging, liquidation, settlement,
//! funding, orders of other clients (bybit-v5.md 8.2 Q25 and Q26, 8.5 Q63).

use crate::exchange::accept::{Asked, Wanted};
use crate::exchange::engine::{BY_LIQUIDATION, BY_SETTLEMENT, FILLED};
use crate::exchange::ids::{Kind, id_of};
use crate::exchange::order::Origin;
use crate::exchange::truth::Execution;
use crate::exchange::{Exchange, Timestamp};
use order_manager_core::bybit::{ExecType, TimeInForce};
use order_manager_core::unit::{Decimal, Money, Price, Quantity, Ratio, Side};

/// Executions of no order count from here: above every order's number, below what an id can hold.
const NO_ORDER: u64 = 1 << 40;

impl Exchange {
    /// An order that nobody of the account made fills whole at this price.
    pub(super) fn force(
        &mut self,
        now: Timestamp,
        market: usize,
        origin: Origin,
        side: Side,
        quantity: Quantity,
        price: Price,
    ) {
        if !quantity.is_positive() {
            return;
        }
        let before = self.truth.executions.len();
        let number = self.foreign(now, market, origin, side, quantity);
        self.markets[market].seq += 1;
        self.fill(now, number, price, quantity, false);
        self.finish(now, number, FILLED);
        self.tell_fills(now, number, before);
        self.trim_reduce_only(now, market);
    }

    /// A part of the position goes to a counterparty at the last price; resting orders that only reduce shrink.
    pub(super) fn deleverage(&mut self, now: Timestamp, market: usize, quantity: Option<Quantity>) {
        let (position, last) = (self.markets[market].position(), self.markets[market].last());
        let Some(side) = position.side() else { return };
        let size = position.size.abs();
        let quantity = quantity.map_or(size, |quantity| quantity.min(size));
        self.force(now, market, Origin::Adl, side.opposite(), quantity, last);
    }

    /// All orders of the symbol are cancelled, then the position is taken over where its margin is used up.
    pub(super) fn liquidate(&mut self, now: Timestamp, market: usize) {
        self.cancel_where(now, BY_LIQUIDATION, |order| order.market == market);
        let at = &self.markets[market];
        let (Some(side), Some(average)) = (at.position().side(), at.position().average()) else { return };
        let share = Decimal::ONE / at.leverage().0;
        let left = if side == Side::Buy { Decimal::ONE - share } else { Decimal::ONE + share };
        let (size, tick) = (at.position().size.abs(), at.rules.tick_size);
        let price = Price(average.0 * left).floor_to(tick).filter(|price| price.is_positive()).unwrap_or(tick);
        self.force(now, market, Origin::Liquidation, side.opposite(), size, price);
    }

    /// The instrument ends: no trading, no orders, no position.
    pub(super) fn delist(&mut self, now: Timestamp, market: usize) {
        self.markets[market].rules.trading = false;
        self.note_rules(now, market);
        self.cancel_where(now, BY_SETTLEMENT, |order| order.market == market);
        let (position, last) = (self.markets[market].position(), self.markets[market].last());
        if let Some(side) = position.side() {
            let size = position.size.abs();
            self.force(now, market, Origin::Settlement, side.opposite(), size, last);
        }
    }

    /// Cash by the position's value: an execution that moves nothing.
    pub(super) fn fund(&mut self, now: Timestamp, market: usize, rate: Ratio) {
        let at = &mut self.markets[market];
        let Some(held) = at.position().side() else { return };
        at.seq += 1;
        let (price, quantity, number) = (at.last(), at.position().size.abs(), self.truth.executions.len() as u64);
        let value = Money(price.0 * quantity.0);
        let paid = Money((value.0 * rate.0 * if held == Side::Buy { Decimal::ONE } else { -Decimal::ONE }).round_dp(8));
        let execution = Execution {
            id: id_of(Kind::Execution, self.config.era, number),
            order_id: id_of(Kind::Order, self.config.era, NO_ORDER + number),
            number,
            order: NO_ORDER + number,
            exec_type: ExecType::Funding,
            link: None,
            symbol: at.rules.symbol,
            side: held,
            price,
            quantity,
            value,
            fee: paid,
            fee_coin: at.rules.quote,
            is_maker: false,
            pnl: Money::ZERO,
            closed: Quantity::ZERO,
            seq: at.seq,
            time: now,
        };
        self.truth.wallet.0 -= paid.0;
        self.truth.funding.0 += paid.0;
        self.truth.executions.push(execution);
        self.tell_executions(now, market, number as usize);
    }

    /// Somebody else's limit order: it asks for no margin, and the engine looks at it at once.
    pub(super) fn foreign_order(
        &mut self,
        now: Timestamp,
        market: usize,
        asked: Asked,
        quantity: Quantity,
        away: Ratio,
    ) {
        let at = &self.markets[market];
        let off = if asked.side == Side::Buy { -away.0 } else { away.0 };
        let price = Price(at.last().0 * (Decimal::ONE + off)).floor_to(at.rules.tick_size);
        let quantity = quantity.floor_to(at.rules.quantity_step);
        let (Some(price), Some(quantity)) = (price.filter(|p| p.is_positive()), quantity.filter(|q| q.is_positive()))
        else {
            return;
        };
        let wanted = Wanted { price, quantity, time_in_force: TimeInForce::Gtc, is_market: false };
        let number = self.new_order(now, market, asked, &wanted);
        self.enter(now, number);
    }
}
