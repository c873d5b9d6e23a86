//! One published event. Keys, their order and their spellings are the neighbours' (wire-contracts.md 1.4).

use super::spelling::{Naive, OrderId, OrderType, Percent, Reason, Seconds, as_signals, as_word};
use crate::event::Change;
use crate::intake::Signal;
use crate::order::{Status, Totals};
use crate::unit::{Decimal, ExecId, Money, Price, Quantity, Ratio, Side, SignalId, Symbol, Text, TraceId, decimal};
use alloc::vec::Vec;
use serde::Serialize;

/// One published event.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct OrderEvent {
    /// Stable: the same event always has the same id, however often it is sent (spec E3).
    pub event_id: SignalId,
    /// Kind.
    pub event_type: Change,
    /// When it happened.
    pub timestamp: Naive,
    /// The signal's trace id.
    pub trace_id: TraceId,
    /// The order; quantities of a fill are the increment (N1, N2).
    pub order: OrderPart,
    /// Latency and progress.
    pub execution_details: Option<Details>,
    /// What this fill adds, with its executions.
    pub fill: Option<FillPart>,
    /// What is filled so far.
    pub totals: Option<TotalsPart>,
    /// Why, on a rejection.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rejection_reason: Option<Reason>,
    /// Why, on a cancel.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cancel_reason: Option<Text<160>>,
    /// The signal's snapshot; only where it is whole (wire-contracts.md 1.5.3).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub market_conditions: Option<Conditions>,
    /// The signal.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub signal: Option<SignalPart>,
}

/// The sixteen keys that every reader knows.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct OrderPart {
    /// Our row's id.
    pub id: SignalId,
    /// Bybit's id, or ours until that is known.
    pub order_id: OrderId,
    /// The signal.
    pub signal_id: SignalId,
    /// Instrument.
    pub asset: Symbol,
    /// `Buy` or `SELL`, as the rows spell it.
    #[serde(serialize_with = "as_word")]
    pub side: Side,
    /// `Market` or `Limit`.
    pub order_type: OrderType,
    /// Total quantity.
    pub quantity: Quantity,
    /// Limit price.
    pub price: Option<Price>,
    /// Public status.
    pub status: Status,
    /// The increment on fills.
    pub filled_quantity: Quantity,
    /// Price of the increment.
    pub average_price: Option<Price>,
    /// Fee of the increment.
    pub fees: Option<Money>,
    /// When it was intended.
    pub created_at: Naive,
    /// When this happened.
    pub updated_at: Naive,
    /// When it was filled.
    pub executed_at: Option<Naive>,
    /// Never, but for dry runs.
    pub is_dry_run: bool,
}

/// Latency and progress.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Details {
    /// From intent to this fill.
    pub execution_latency_seconds: Option<Seconds>,
    /// What is filled so far.
    pub fill_percentage: Percent,
    /// Base units.
    pub remaining_quantity: Quantity,
}

/// What a fill adds.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct FillPart {
    /// Base units.
    pub quantity: Quantity,
    /// Average price of the increment.
    pub price: Option<Price>,
    /// Fee.
    pub fee: Money,
    /// Executions named for the first time.
    pub exec_ids: Vec<ExecId>,
}

/// What is filled so far.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct TotalsPart {
    /// Base units.
    pub filled_quantity: Quantity,
    /// Average price.
    pub average_price: Option<Price>,
    /// Fees.
    pub fees: Money,
}

impl From<Totals> for TotalsPart {
    fn from(totals: Totals) -> Self {
        Self { filled_quantity: totals.quantity, average_price: totals.average_price(), fees: totals.fee }
    }
}

/// The market as the signal saw it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Conditions {
    /// Price.
    pub price: Price,
    /// Spread.
    pub spread: Price,
    /// Volume.
    pub volume_24h: Quantity,
    /// Volatility.
    pub volatility: Ratio,
    /// The signal's time.
    pub timestamp: Naive,
}

impl Conditions {
    /// What the signal saw; nothing where any of it is missing.
    pub(super) fn of(signal: &Signal) -> Option<Self> {
        let snapshot = &signal.snapshot;
        Some(Self {
            price: snapshot.price?,
            spread: snapshot.spread?,
            volume_24h: snapshot.volume_24h?,
            volatility: snapshot.volatility?,
            timestamp: Naive(signal.timestamp),
        })
    }
}

/// The signal's own fields.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct SignalPart {
    /// Id.
    pub signal_id: SignalId,
    /// `buy` or `sell`.
    #[serde(serialize_with = "as_signals")]
    pub signal_type: Side,
    /// Instrument.
    pub asset: Symbol,
    /// Amount, in the signal's own unit.
    #[serde(serialize_with = "decimal::serialize")]
    pub amount: Decimal,
    /// Confidence.
    pub confidence: Ratio,
    /// Strategy.
    pub strategy_id: Text<100>,
    /// Model.
    pub model_version: Option<Text<100>>,
    /// Warm-up?
    pub is_warmup: bool,
    /// Snapshot price.
    pub price: Option<Price>,
    /// The signal's time.
    pub timestamp: Naive,
}

impl From<&Signal> for SignalPart {
    fn from(signal: &Signal) -> Self {
        Self {
            signal_id: signal.id,
            signal_type: signal.side,
            asset: signal.symbol,
            amount: signal.amount,
            confidence: signal.confidence,
            strategy_id: signal.strategy_id,
            model_version: signal.model_version,
            is_warmup: signal.is_warmup,
            price: signal.snapshot.price,
            timestamp: Naive(signal.timestamp),
        }
    }
}
