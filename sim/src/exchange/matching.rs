//! Fills: takers walk the levels, resting orders wait for the price (bybit-v5.md 9.2, 9.5).

use super::engine::{BY_REDUCE_ONLY, FILLED};
use super::ids::{Kind, id_of};
use super::market::rank;
use super::quirk::Spell;
use super::truth::{Execution, MNT};
use super::{Exchange, Timestamp};
use order_manager_core::bybit::OrderStatus;
use order_manager_core::unit::{Decimal, Money, Price, Quantity, Side, Text};

impl Exchange {
    /// Takes from the book, at most `room`, within the order's price; all fills share one sequence.
    pub(super) fn take(&mut self, at: Timestamp, number: u64, room: Quantity) {
        let order = self.truth.order(number);
        let mut left = order.leaves().0.min(room.0);
        let market = order.market;
        let levels = self.markets[market].levels(order.side, order.state.price);
        self.markets[market].seq += 1;
        for (price, quantity) in levels {
            let quantity = quantity.0.min(left);
            self.fill(at, number, price, Quantity(quantity), false);
            left -= quantity;
            if left <= Decimal::ZERO {
                break;
            }
        }
    }

    /// The last price moves. What it goes through fills whole; what it only reaches shares the touch quantity.
    pub(super) fn move_price(&mut self, at: Timestamp, market: usize, last: Price) {
        self.markets[market].set_last(last);
        self.note_wallet(at);
        self.note_ticker(at, market);
        for side in [Side::Buy, Side::Sell] {
            let (reached, _) = rank(side, last, 0);
            let mut touch = self.markets[market].touch().0;
            // Each round looks anew: a fill can cancel or trim the orders behind it.
            let mut from = None;
            while let Some((key, number)) = self.next_reached(market, side, from, reached) {
                from = Some(key);
                let leaves = self.truth.order(number).leaves().0;
                let quantity = if key.0 < reached { leaves } else { leaves.min(touch) };
                if quantity <= Decimal::ZERO {
                    break;
                }
                if key.0 == reached {
                    touch -= quantity;
                }
                self.fill_resting(at, number, Quantity(quantity));
            }
        }
    }

    fn next_reached(
        &mut self,
        market: usize,
        side: Side,
        from: Option<(Decimal, u64)>,
        reached: Decimal,
    ) -> Option<((Decimal, u64), u64)> {
        use std::ops::Bound::{Excluded, Unbounded};
        let book = &self.markets[market].resting(side).book;
        let next = book.range((from.map_or(Unbounded, Excluded), Unbounded)).next();
        next.filter(|(key, _)| key.0 <= reached).map(|(key, number)| (*key, *number))
    }

    pub(super) fn fill_resting(&mut self, at: Timestamp, number: u64, quantity: Quantity) {
        let order = self.truth.order(number);
        let (market, price) = (order.market, order.state.price);
        let before = self.truth.executions.len();
        self.markets[market].seq += 1;
        self.fill(at, number, price, quantity, true);
        let order = self.truth.order_mut(number);
        if order.leaves().is_zero() {
            self.finish(at, number, FILLED);
        } else {
            order.state.status = OrderStatus::PartiallyFilled;
        }
        self.tell_fills(at, number, before);
        self.trim_reduce_only(at, market);
    }

    /// Books one fill: order, position, wallet, execution.
    pub(super) fn fill(&mut self, at: Timestamp, number: u64, price: Price, quantity: Quantity, is_maker: bool) {
        let in_mnt = self.knobs.is_under(Spell::FeeInMnt, at);
        if in_mnt {
            self.effects.spell(at, Spell::FeeInMnt);
        }
        let (lag, execution) = (self.realtime_lag(), self.truth.executions.len() as u64);
        let order = self.truth.order_mut(number);
        let market = &mut self.markets[order.market];
        let value = Money(price.0 * quantity.0);
        let rate = if is_maker { self.config.fees.maker } else { self.config.fees.taker };
        let paid = Money(value.0 * rate.0);
        // What is paid in another coin is no money of the wallet's.
        let (fee, mnt) = if in_mnt { (Money::ZERO, paid) } else { (paid, Money::ZERO) };
        let effect = market.fill(at, order.side, quantity, price, fee);

        order.remember(at, lag);
        market.free(order);
        order.state.cum_quantity.0 += quantity.0;
        order.state.cum_value.0 += value.0;
        order.state.cum_fee.0 += fee.0;
        order.state.cum_fee_mnt.0 += mnt.0;
        order.state.closed_pnl.0 += effect.closed_pnl.0;
        order.state.updated = at;
        market.hold(order);

        order.executions.push(execution);
        let fee_coin = if in_mnt { Text::clipped(MNT) } else { market.rules.quote };
        let (order_id, link, symbol, side, seq, exec_type) =
            (order.id, order.link, order.symbol, order.side, market.seq, order.origin.exec_type());
        self.truth.wallet.0 += effect.pnl.0 - fee.0;
        self.truth.realised.0 += effect.pnl.0;
        self.truth.fees.0 += fee.0;
        self.truth.executions.push(Execution {
            id: id_of(Kind::Execution, self.config.era, execution),
            order_id,
            number: execution,
            order: number,
            exec_type,
            link,
            symbol,
            side,
            price,
            quantity,
            value,
            fee: paid,
            fee_coin,
            is_maker,
            pnl: effect.pnl,
            closed: effect.closed,
            seq,
            time: at,
        });
    }

    /// Resting reduce-only orders never sum to more than the position: the worst-priced lose (9.5, Q18).
    pub(super) fn trim_reduce_only(&mut self, at: Timestamp, market: usize) {
        for side in [Side::Buy, Side::Sell] {
            if self.markets[market].resting(side).reducing.is_empty() {
                continue;
            }
            let mut room = self.markets[market].position().reducible(side).0;
            let numbers: Vec<u64> = self.markets[market].resting(side).reducing.values().copied().collect();
            for number in numbers {
                let leaves = self.truth.order(number).leaves().0;
                let kept = leaves.min(room);
                room -= kept;
                if kept.is_zero() {
                    self.finish(at, number, BY_REDUCE_ONLY);
                    self.tell_order(at, number);
                } else if kept < leaves {
                    let lag = self.realtime_lag();
                    let order = self.truth.order_mut(number);
                    order.remember(at, lag);
                    order.state.quantity.0 = order.state.cum_quantity.0 + kept;
                    order.state.updated = at;
                    self.tell_order(at, number);
                }
            }
        }
    }
}
