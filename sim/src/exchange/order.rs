//! An order as the engine holds it: what never changes, what does, and what it was a moment ago.

use super::{Timestamp, clock};
use order_manager_core::bybit::{ExecType, OrderRow, OrderStatus, TimeInForce};
use order_manager_core::unit::{
    Category, ExchangeOrderId, Money, OrderLinkId, Price, Quantity, Side, Span, Symbol, Text,
};

/// How far an order has come inside the exchange.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// Acknowledged; the engine has not looked at it.
    Acknowledged,
    /// Open in the engine.
    Open,
    /// Ended; its place among all orders that ended, from 0.
    Closed(u64),
}

/// Who made an order (`createType`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// A client of the API: the order manager.
    Client,
    /// Somebody else on the account: the app, another program.
    Other,
    /// Auto-deleveraging.
    Adl,
    /// Liquidation.
    Liquidation,
    /// Settlement of a delisted instrument.
    Settlement,
    /// A kind that nobody has heard of.
    Unknown,
}

impl Origin {
    /// Bybit's word for it.
    pub(super) const fn create_type(self) -> &'static str {
        match self {
            Self::Client | Self::Other => "CreateByUser",
            Self::Adl => "CreateByAdl_PassThrough",
            Self::Liquidation => "CreateByLiq",
            Self::Settlement => "CreateBySettle",
            Self::Unknown => "CreateByNobodyKnows",
        }
    }

    /// What its executions are.
    pub(super) fn exec_type(self) -> ExecType {
        match self {
            Self::Client | Self::Other => ExecType::Trade,
            Self::Adl => ExecType::AdlTrade,
            Self::Liquidation => ExecType::BustTrade,
            Self::Settlement => ExecType::Settle,
            Self::Unknown => ExecType::Other(Text::clipped("CorporateAction")),
        }
    }
}

/// What changes in an order's life.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OrderState {
    /// Status; `New` while only acknowledged.
    pub status: OrderStatus,
    /// Total quantity asked for, base units.
    pub quantity: Quantity,
    /// Limit price; a market order's slippage bound.
    pub price: Price,
    /// Base units filled.
    pub cum_quantity: Quantity,
    /// Quote value filled.
    pub cum_value: Money,
    /// Fees paid in the settle coin.
    pub cum_fee: Money,
    /// Fees paid in MNT (Q28).
    pub cum_fee_mnt: Money,
    /// Profit realised by closing a position, fees of both ends deducted (9.3).
    pub closed_pnl: Money,
    /// Bybit's word for who cancelled it (3.4).
    pub cancel_type: Text<48>,
    /// Bybit's word for why (3.5).
    pub reject_reason: Text<48>,
    /// When it last changed.
    pub updated: Timestamp,
}

/// One order, from its acknowledgement for ever.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Order {
    pub(super) id: ExchangeOrderId,
    /// Its number among all orders, from 0, in order of creation.
    pub number: u64,
    /// Who made it.
    pub origin: Origin,
    /// The client's id; none on orders from the app and on the exchange's own.
    pub link: Option<OrderLinkId>,
    /// Product.
    pub category: Category,
    /// Instrument.
    pub symbol: Symbol,
    /// Its place among the exchange's markets.
    pub(super) market: usize,
    /// Buy or sell.
    pub side: Side,
    /// Is it a market order?
    pub is_market: bool,
    /// How long it may rest; market orders are immediate-or-cancel.
    pub time_in_force: TimeInForce,
    /// May only reduce.
    pub reduce_only: bool,
    /// 0 one-way, 1 hedge long, 2 hedge short.
    pub position_idx: u8,
    /// Last price of the symbol when it was made.
    pub last_on_created: Price,
    /// When it was acknowledged.
    pub created: Timestamp,
    /// When the engine first decided about it: from then on it has a row.
    pub entered: Option<Timestamp>,
    /// Where it stands.
    pub phase: Phase,
    /// Its rank among orders of the same price.
    pub(super) priority: u64,
    /// What is left of it that holds margin, and the margin that it holds.
    pub(super) held: (Quantity, Money),
    /// What is true now.
    pub state: OrderState,
    /// What was true until when; only as far back as the realtime view lags.
    pub(super) past: Vec<(Timestamp, OrderState)>,
    /// Numbers of its executions.
    pub executions: Vec<u64>,
}

impl Order {
    /// Bybit's id.
    #[must_use]
    pub const fn id(&self) -> ExchangeOrderId {
        self.id
    }

    /// Quantity that may still fill.
    #[must_use]
    pub fn leaves(&self) -> Quantity {
        Quantity(self.state.quantity.0 - self.state.cum_quantity.0)
    }

    /// Did the order manager make it?
    #[must_use]
    pub fn is_ours(&self) -> bool {
        self.origin == Origin::Client && self.link.is_some()
    }

    /// Was it cancelled without a fill?
    pub(super) fn is_for_no_reason(&self) -> bool {
        self.state.status == OrderStatus::Cancelled && self.state.cum_quantity.is_zero()
    }

    /// Has it ended?
    #[must_use]
    pub fn is_closed(&self) -> bool {
        matches!(self.phase, Phase::Closed(_))
    }

    /// What is true now, as a row.
    #[must_use]
    pub fn row(&self) -> OrderRow {
        self.row_of(&self.state)
    }

    /// The row that a view shows whose knowledge ends at `moment`; none where it did not know the order.
    pub(super) fn row_at(&self, moment: Timestamp) -> Option<OrderRow> {
        self.entered.filter(|entered| *entered <= moment)?;
        let old = self.past.iter().find(|(until, _)| *until > moment);
        Some(self.row_of(old.map_or(&self.state, |(_, state)| state)))
    }

    /// Remembers what was true until now; call it before a change. Forgets what no view shows any more.
    pub(super) fn remember(&mut self, now: Timestamp, lag: Span) {
        let horizon = Timestamp(now.0.saturating_sub(lag.0));
        self.past.retain(|(until, _)| *until > horizon);
        if self.entered.is_some() && lag > Span::ZERO {
            self.past.push((now, self.state));
        }
    }

    fn row_of(&self, state: &OrderState) -> OrderRow {
        OrderRow {
            order_id: self.id(),
            link: self.link.map(|link| Text::clipped(link.as_str())),
            symbol: self.symbol,
            side: self.side,
            quantity: state.quantity,
            price: Some(state.price),
            is_market: self.is_market,
            status: state.status,
            cum_quantity: state.cum_quantity,
            cum_value: state.cum_value,
            cum_fee: state.cum_fee,
            cancel_type: state.cancel_type,
            reject_reason: state.reject_reason,
            reduce_only: self.reduce_only,
            position_idx: self.position_idx,
            created: clock(self.created),
            updated: clock(state.updated),
        }
    }
}
