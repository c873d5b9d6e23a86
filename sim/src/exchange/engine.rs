//! What the engine decides, a delay after the acknowledgement (bybit-v5.md 2.1, 3.2, 3.7).

use super::market::{rank, within};
use super::order::{Order, Phase};
use super::quirk::{Fate, Spell};
use super::{Exchange, Timestamp};
use order_manager_core::bybit::{OrderStatus, TimeInForce};
use order_manager_core::unit::{Decimal, Price, Quantity, Span, Text};

/// What waits for the engine.
#[derive(Clone, Copy, Debug)]
pub(super) enum Action {
    Enter(u64),
    Cancel(u64),
    Amend {
        number: u64,
        price: Price,
        quantity: Quantity,
    },
    /// The order service is back after a maintenance.
    Restart,
}

/// How an order ends: status, and Bybit's two words for it (3.4, 3.5).
pub(super) type End = (OrderStatus, &'static str, &'static str);
pub(super) const FILLED: End = (OrderStatus::Filled, "UNKNOWN", "EC_NoError");
pub(super) const BY_USER: End = (OrderStatus::Cancelled, "CancelByUser", "EC_PerCancelRequest");
pub(super) const BY_ADMIN: End = (OrderStatus::Cancelled, "CancelByAdmin", "EC_NoError");
pub(super) const BY_LIQUIDATION: End = (OrderStatus::Cancelled, "CancelAllBeforeLiq", "EC_NoError");
pub(super) const BY_SETTLEMENT: End = (OrderStatus::Cancelled, "CancelBySettle", "EC_NoError");
pub(super) const BY_DCP: End = (OrderStatus::Cancelled, "CancelByDCP", "EC_NoError");
pub(super) const BY_REDUCE_ONLY: End = (OrderStatus::Cancelled, "CancelByReduceOnly", "EC_NoError");
const REJECTED: End = (OrderStatus::Rejected, "UNKNOWN", "EC_Others");
const WOULD_TAKE: End = (OrderStatus::Cancelled, "UNKNOWN", "EC_PostOnlyWillTakeLiquidity");
const NOT_ALL: End = (OrderStatus::Cancelled, "UNKNOWN", "EC_NoEnoughQtyToFill");
const NOTHING: End = (OrderStatus::Cancelled, "UNKNOWN", "EC_NoImmediateQtyToFill");
const REMAINDER: End = (OrderStatus::Cancelled, "UNKNOWN", "EC_CancelForNoFullFill");

impl Exchange {
    pub(super) fn schedule(&mut self, now: Timestamp, action: Action) {
        let delay = self.knobs.engine_delay.unwrap_or(Span::millis(self.config.delays.engine_ms));
        let number = self.arrival();
        self.agenda.put(now.after(delay), number, action);
    }

    /// Decides all that is due by now, each at its own time.
    pub(super) fn run(&mut self, now: Timestamp) {
        while let Some((at, action)) = self.agenda.take_due(now) {
            match action {
                Action::Enter(number) => self.enter(at, number),
                Action::Cancel(number) => self.carry_out_cancel(at, number),
                Action::Amend { number, price, quantity } => self.carry_out_amend(at, number, price, quantity),
                Action::Restart => self.clear_closed_cache(),
            }
        }
    }

    /// A new order meets the book: it is refused, takes, rests, or several of these.
    pub(super) fn enter(&mut self, at: Timestamp, number: u64) {
        let order = self.truth.order_mut(number);
        if order.is_closed() {
            return; // cancelled by the exchange before the engine looked at it
        }
        order.entered = Some(at);
        order.phase = Phase::Open;
        order.state.updated = at;
        self.open.insert(number);
        if let Some(reason) = self.knobs.reject_next_after_ack.pop_front() {
            self.effects.met(Fate::Rejected);
            self.finish(at, number, (OrderStatus::Rejected, "UNKNOWN", "EC_Others"));
            self.truth.order_mut(number).state.reject_reason = reason;
            self.tell_order(at, number);
            return;
        }
        if self.knobs.reject_next_with_fill > 0 {
            self.knobs.reject_next_with_fill -= 1;
            self.fates.insert(number, Fate::RejectedWithFill);
        }
        self.match_open(at, number);
    }

    /// Matches an open order that is not in the book, and tells what became of it.
    fn match_open(&mut self, at: Timestamp, number: u64) {
        let before = self.truth.executions.len();
        let end = self.take_or_rest(at, number);
        if let Some(end) = end {
            self.finish(at, number, end);
        } else {
            self.rest(number);
        }
        self.tell_fills(at, number, before);
        let market = self.truth.order(number).market;
        self.trim_reduce_only(at, market);
    }

    /// How the order ends at once; none where (the rest of) it goes into the book.
    fn take_or_rest(&mut self, at: Timestamp, number: u64) -> Option<End> {
        let order = self.truth.order(number);
        let market = &self.markets[order.market];
        let room = if order.reduce_only { market.position().reducible(order.side) } else { order.leaves() };
        let crosses = market.best_for(order.side).is_some_and(|best| within(order.side, best, order.state.price));
        if room.is_zero() {
            return Some(BY_REDUCE_ONLY);
        }
        if let Some(fate) = self.fates.remove(&number) {
            self.effects.met(fate);
            return Some(self.doom(at, number, fate, crosses));
        }
        match order.time_in_force {
            TimeInForce::PostOnly if crosses => return Some(WOULD_TAKE),
            TimeInForce::Fok if !self.could_fill(order, room) => return Some(NOT_ALL),
            _ => {}
        }
        if crosses {
            self.take(at, number, room);
        }
        let order = self.truth.order(number);
        if order.leaves().is_zero() {
            return Some(FILLED);
        }
        let (side, market) = (order.side, &self.markets[order.market]);
        if order.reduce_only && market.position().reducible(side).is_zero() {
            return Some(BY_REDUCE_ONLY);
        }
        match order.time_in_force {
            TimeInForce::Gtc | TimeInForce::PostOnly => None,
            TimeInForce::Ioc | TimeInForce::Fok if order.state.cum_quantity.is_zero() => Some(NOTHING),
            TimeInForce::Ioc | TimeInForce::Fok => Some(REMAINDER),
        }
    }

    fn could_fill(&self, order: &Order, room: Quantity) -> bool {
        let mut missing = order.leaves();
        if room < missing {
            return false;
        }
        for (_, quantity) in self.markets[order.market].levels(order.side, order.state.price) {
            missing.0 -= quantity.0;
            if !missing.is_positive() {
                return true;
            }
        }
        false
    }

    /// How an order ends that a scenario has something in store for; half of it may fill before.
    fn doom(&mut self, at: Timestamp, number: u64, fate: Fate, crosses: bool) -> End {
        if crosses && fate != Fate::MarketCancelled {
            let half = self.half(number);
            if half.is_positive() {
                self.take(at, number, half);
            }
        }
        let order = self.truth.order(number);
        match fate {
            _ if order.leaves().is_zero() => FILLED,
            Fate::RejectedWithFill => REJECTED,
            _ if order.state.cum_quantity.is_zero() => NOTHING,
            _ => REMAINDER,
        }
    }

    /// Half of what may still fill, in whole steps.
    fn half(&self, number: u64) -> Quantity {
        let order = self.truth.order(number);
        let market = &self.markets[order.market];
        let room = if order.reduce_only { market.position().reducible(order.side) } else { order.leaves() };
        let half = Quantity(room.0.min(order.leaves().0) / Decimal::TWO);
        half.floor_to(market.rules.quantity_step).unwrap_or(Quantity::ZERO)
    }

    /// The fate of a cancel that meets an open order: fills come first.
    fn race(&mut self, at: Timestamp, number: u64) {
        let Some(fate) = self.knobs.next_cancels.pop_front() else { return };
        self.effects.met(fate);
        let order = self.truth.order(number);
        let room = self.markets[order.market].position().reducible(order.side);
        let whole = if order.reduce_only { order.leaves().min(room) } else { order.leaves() };
        let quantity = if fate == Fate::CancelPartial { self.half(number) } else { whole };
        if quantity.is_positive() {
            self.fill_resting(at, number, quantity);
        }
    }

    fn carry_out_cancel(&mut self, at: Timestamp, number: u64) {
        if !self.truth.order(number).is_closed() {
            self.race(at, number);
        }
        let order = self.truth.order(number);
        if !order.is_closed() {
            self.finish(at, number, BY_USER);
            self.tell_order(at, number);
        } else if order.state.status == OrderStatus::Filled {
            // The fill won: the refused cancel shows as a second Filled push (2.4, Q6).
            let lag = self.realtime_lag();
            let order = self.truth.order_mut(number);
            order.remember(at, lag);
            order.state.cancel_type = Text::clipped("CancelByUser");
            order.state.reject_reason = Text::clipped("EC_OrigClOrdIDDoesNotExist");
            self.tell_order(at, number);
        }
    }

    fn carry_out_amend(&mut self, at: Timestamp, number: u64, price: Price, quantity: Quantity) {
        let order = self.truth.order(number);
        if order.is_closed() {
            if order.state.status == OrderStatus::Filled {
                self.tell_order(at, number); // the only trace of a lost amend (Q11)
            }
            return;
        }
        if quantity <= order.state.cum_quantity {
            self.tell_order(at, number); // filled past the new total meanwhile: nothing changes
            return;
        }
        let moves = price != order.state.price || quantity > order.state.quantity;
        let lag = self.realtime_lag();
        let priority = self.arrival() + self.truth.orders.len() as u64;
        self.unrest(number);
        let order = self.truth.order_mut(number);
        let market = &mut self.markets[order.market];
        order.remember(at, lag);
        market.free(order);
        order.state.price = price;
        order.state.quantity = quantity;
        order.state.updated = at;
        market.hold(order);
        if moves {
            order.priority = priority;
        }
        if order.entered.is_some() {
            self.match_open(at, number);
        }
    }

    /// Puts an open order into the book.
    fn rest(&mut self, number: u64) {
        let order = self.truth.order_mut(number);
        if order.state.cum_quantity.is_positive() {
            order.state.status = OrderStatus::PartiallyFilled;
        }
        let key = rank(order.side, order.state.price, order.priority);
        let resting = self.markets[order.market].resting(order.side);
        resting.book.insert(key, number);
        if order.reduce_only {
            resting.reducing.insert(key, number);
        }
    }

    /// Takes an order out of the book, if it is there.
    pub(super) fn unrest(&mut self, number: u64) {
        let order = self.truth.order(number);
        let key = rank(order.side, order.state.price, order.priority);
        let resting = self.markets[order.market].resting(order.side);
        resting.book.remove(&key);
        resting.reducing.remove(&key);
    }

    /// Ends an order: out of the book, its margin free.
    pub(super) fn finish(&mut self, at: Timestamp, number: u64, (status, cancel_type, reason): End) {
        self.unrest(number);
        let (lag, place) = (self.realtime_lag(), self.closed);
        let order = self.truth.order_mut(number);
        let market = &mut self.markets[order.market];
        market.free(order);
        market.open -= 1;
        order.remember(at, lag);
        order.entered = order.entered.or(Some(at));
        order.phase = Phase::Closed(place);
        order.state.status = status;
        order.state.cancel_type = Text::clipped(cancel_type);
        order.state.reject_reason = Text::clipped(reason);
        order.state.updated = at;
        if self.knobs.is_under(Spell::UnknownCancelType, at) && order.is_for_no_reason() {
            order.state.cancel_type = Text::clipped("CancelByNobodyKnows");
            self.effects.spell(at, Spell::UnknownCancelType);
        }
        self.fates.remove(&number);
        self.open.remove(&number);
        self.closed += 1;
        self.recent.push_back(number);
        if self.recent.len() as u64 > self.config.closed_cache {
            self.recent.pop_front();
        }
    }

    pub(super) fn realtime_lag(&self) -> Span {
        self.knobs.realtime_lag.unwrap_or(Span::millis(self.config.delays.realtime_ms))
    }
}
