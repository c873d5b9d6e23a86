//! New orders in the exchange's books, from clients and from others.

use super::engine::Action;
use super::ids::{Kind, id_of};
use super::order::{Order, OrderState, Origin, Phase};
use super::{Exchange, Timestamp};
use order_manager_core::bybit::{Create, OrderStatus, TimeInForce};
use order_manager_core::unit::{Money, OrderLinkId, Price, Quantity, Side, Text};

/// What an order asks for once its kind is resolved: a market order is immediate-or-cancel at its bound.
#[derive(Clone, Copy)]
pub(super) struct Wanted {
    pub(super) price: Price,
    pub(super) quantity: Quantity,
    pub(super) time_in_force: TimeInForce,
    pub(super) is_market: bool,
}

/// Who asks for an order, and what never changes of it.
pub(super) struct Asked {
    pub(super) origin: Origin,
    pub(super) link: Option<OrderLinkId>,
    pub(super) side: Side,
    pub(super) reduce_only: bool,
}

impl Exchange {
    /// Takes a checked order in: it holds margin from now on, and the engine decides later. Its number.
    pub(super) fn accept(
        &mut self,
        now: Timestamp,
        market: usize,
        create: &Create,
        link: Option<OrderLinkId>,
        wanted: &Wanted,
    ) -> u64 {
        let asked = Asked { origin: Origin::Client, link, side: create.side, reduce_only: create.reduce_only };
        let number = self.new_order(now, market, asked, wanted);
        if let Some(link) = link {
            let record = self.truth.links.entry(link).or_default();
            record.creates_accepted += 1;
            record.order = Some(number);
        }
        self.schedule(now, Action::Enter(number));
        self.note_wallet(now);
        number
    }

    /// What is left of a reduce-only order beyond the largest goes into orders of their own (Q17). They have no link id, and
    /// nobody is told their ids.
    pub(super) fn accept_rest(&mut self, now: Timestamp, market: usize, side: Side, part: Wanted, mut left: Quantity) {
        while left.is_positive() {
            let quantity = left.min(part.quantity);
            let asked = Asked { origin: Origin::Client, link: None, side, reduce_only: true };
            let number = self.new_order(now, market, asked, &Wanted { quantity, ..part });
            self.schedule(now, Action::Enter(number));
            left = Quantity(left.0 - quantity.0);
        }
    }

    /// A market order from outside this client, without a link id; its number.
    pub(super) fn foreign(
        &mut self,
        now: Timestamp,
        market: usize,
        origin: Origin,
        side: Side,
        quantity: Quantity,
    ) -> u64 {
        let price = self.markets[market].bound(side, None);
        let wanted = Wanted { price, quantity, time_in_force: TimeInForce::Ioc, is_market: true };
        self.new_order(now, market, Asked { origin, link: None, side, reduce_only: false }, &wanted)
    }

    pub(super) fn new_order(&mut self, now: Timestamp, market: usize, asked: Asked, wanted: &Wanted) -> u64 {
        let Asked { origin, link, side, reduce_only } = asked;
        let number = self.truth.orders.len() as u64;
        let at = &mut self.markets[market];
        let mut order = Order {
            id: id_of(Kind::Order, self.config.era, number),
            number,
            origin,
            link,
            category: at.category,
            symbol: at.rules.symbol,
            market,
            side,
            is_market: wanted.is_market,
            time_in_force: wanted.time_in_force,
            reduce_only,
            position_idx: 0,
            last_on_created: at.last(),
            created: now,
            entered: None,
            phase: Phase::Acknowledged,
            priority: number,
            held: (Quantity::ZERO, Money::ZERO),
            state: OrderState {
                status: OrderStatus::New,
                quantity: wanted.quantity,
                price: wanted.price,
                cum_quantity: Quantity::ZERO,
                cum_value: Money::ZERO,
                cum_fee: Money::ZERO,
                cum_fee_mnt: Money::ZERO,
                closed_pnl: Money::ZERO,
                cancel_type: Text::clipped("UNKNOWN"),
                reject_reason: Text::clipped("EC_NoError"),
                updated: now,
            },
            past: Vec::new(),
            executions: Vec::new(),
        };
        at.hold(&mut order);
        at.open += 1;
        self.truth.orders.push(order);
        number
    }
}
