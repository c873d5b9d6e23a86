//! The published order events (spec E1, E2, E4; wire-contracts.md 1.4): a pure function of the journal's
//! events, so that whoever follows the journal tells the same story.

use crate::bybit::{ExecutionRow, OrderKind};
use crate::event::{Change, Event, Seq, Told};
use crate::intake::{BadSignal, Signal};
use crate::order::{Spec, Status, Totals};
use crate::outcome::Outcome;
use crate::refusal::Code;
use crate::unit::{Decimal, OrderLinkId, Price, Quantity, Side, SignalId, Symbol, Timestamp, TraceId, decimal};
use alloc::collections::BTreeMap;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use serde::{Deserialize, Serialize};

/// One published event. Keys and spellings are the neighbours'.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct OrderEvent {
    /// Stable: the same event always has the same id, however often it is sent (spec E3).
    pub event_id: SignalId,
    /// Kind.
    pub event_type: Change,
    /// Naive UTC (N5).
    pub timestamp: String,
    /// The signal's trace id.
    pub trace_id: String,
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
    pub rejection_reason: Option<String>,
    /// Why, on a cancel.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cancel_reason: Option<String>,
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
    pub order_id: String,
    /// The signal.
    pub signal_id: SignalId,
    /// Instrument.
    pub asset: String,
    /// `Buy` or `SELL`, as the rows spell it.
    pub side: &'static str,
    /// `Market` or `Limit`.
    pub order_type: &'static str,
    /// Total quantity.
    pub quantity: String,
    /// Limit price.
    pub price: Option<String>,
    /// Public status.
    pub status: Status,
    /// The increment on fills.
    pub filled_quantity: String,
    /// Price of the increment.
    pub average_price: Option<String>,
    /// Fee of the increment.
    pub fees: Option<String>,
    /// When it was intended.
    pub created_at: String,
    /// When this happened.
    pub updated_at: String,
    /// When it was filled.
    pub executed_at: Option<String>,
    /// Never, but for dry runs.
    pub is_dry_run: bool,
}

/// Latency and progress.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Details {
    /// From intent to this fill, seconds as text of a decimal.
    pub execution_latency_seconds: Option<String>,
    /// Percent.
    pub fill_percentage: Option<String>,
    /// Base units.
    pub remaining_quantity: String,
}

/// What a fill adds.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct FillPart {
    /// Base units.
    pub quantity: String,
    /// Average price of the increment.
    pub price: Option<String>,
    /// Fee.
    pub fee: String,
    /// Executions named for the first time.
    pub exec_ids: Vec<String>,
}

/// What is filled so far.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct TotalsPart {
    /// Base units.
    pub filled_quantity: String,
    /// Average price.
    pub average_price: Option<String>,
    /// Fees.
    pub fees: String,
}

/// The market as the signal saw it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Conditions {
    /// Price.
    pub price: String,
    /// Spread.
    pub spread: String,
    /// Volume.
    pub volume_24h: String,
    /// Volatility.
    pub volatility: String,
    /// The signal's time.
    pub timestamp: String,
}

/// The signal's own fields.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct SignalPart {
    /// Id.
    pub signal_id: SignalId,
    /// `buy` or `sell`.
    pub signal_type: String,
    /// Instrument.
    pub asset: String,
    /// Amount, in the signal's own unit.
    pub amount: String,
    /// Confidence.
    pub confidence: String,
    /// Strategy.
    pub strategy_id: String,
    /// Model.
    pub model_version: Option<String>,
    /// Warm-up?
    pub is_warmup: bool,
    /// Snapshot price.
    pub price: Option<String>,
    /// The signal's time.
    pub timestamp: String,
}

/// Follows the journal and tells what is to be published. What it remembers can be stored with a checkpoint.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Reporter {
    signals: BTreeMap<SignalId, Signal>,
    orders: BTreeMap<OrderLinkId, Spec>,
    /// Orders of the service before us keep the ids of their rows, and their traces.
    inherited: BTreeMap<OrderLinkId, (SignalId, TraceId)>,
}

impl Reporter {
    /// Takes the `index`th event of record `seq`; gives what it publishes.
    pub fn follow(&mut self, seq: Seq, index: u32, event: &Event) -> Option<OrderEvent> {
        self.remember(event);
        let id = event_id(seq, index);
        match event {
            Event::SignalInvalid { at, bad } => invalid(id, *at, bad),
            Event::ForeignExecuted { row, at, .. } => Some(foreign(id, row, *at)),
            Event::OrderTold(told) => self.order_event(id, told),
            Event::SignalSettled { signal, outcome: Outcome::Rejected(code), at, text, .. } => {
                self.rejected(id, *signal, *at, &alloc::format!("{code}: {text}"))
            }
            _ => None,
        }
    }

    fn remember(&mut self, event: &Event) {
        match event {
            Event::SignalAccepted { signal, .. } => _ = self.signals.insert(signal.id, **signal),
            Event::SignalForgotten { signal } => _ = self.signals.remove(signal),
            Event::OrderIntended { spec } => _ = self.orders.insert(spec.link, **spec),
            Event::OrderInherited { link, order } => {
                self.orders.insert(*link, order.spec(*link));
                self.inherited.insert(*link, (order.id, order.trace));
            }
            Event::OrderForgotten { link } => {
                self.orders.remove(link);
                self.inherited.remove(link);
            }
            _ => {}
        }
    }

    fn order_event(&self, id: SignalId, told: &Told) -> Option<OrderEvent> {
        let spec = self.orders.get(&told.link)?;
        let (signal, inherited) = (self.signals.get(&spec.intent.signal), self.inherited.get(&told.link).copied());
        let trace = signal.map(|signal| signal.trace).or(inherited.map(|(_, trace)| trace)).unwrap_or_default();
        let is_fill = !told.increment.quantity.is_zero();
        let (fee, now) = (told.increment.fee, naive(told.at));
        let order = OrderPart {
            id: inherited.map_or_else(|| row_id(told.link), |(row, _)| row),
            order_id: told.order_id.map_or_else(|| told.link.to_string(), |id| id.to_string()),
            signal_id: spec.intent.signal,
            asset: spec.symbol.to_string(),
            side: side_word(spec.side),
            order_type: if matches!(spec.kind, OrderKind::Market { .. }) { "Market" } else { "Limit" },
            quantity: told.quantity.to_string(),
            price: told.price.filter(|_| spec.is_limit()).map(|price| price.to_string()),
            status: told.status,
            filled_quantity: told.increment.quantity.to_string(),
            average_price: told.increment.average_price().map(|price| price.to_string()),
            fees: if is_fill && !fee.is_zero() { Some(fee.to_string()) } else { None },
            created_at: naive(spec.at),
            updated_at: now.clone(),
            executed_at: Some(now.clone()).filter(|_| told.change == Change::Filled),
            is_dry_run: false,
        };
        let reason = Some(told.reason.to_string()).filter(|reason| !reason.is_empty());
        Some(OrderEvent {
            event_id: id,
            event_type: told.change,
            timestamp: now,
            trace_id: trace.to_string(),
            order,
            execution_details: Some(details(spec, told)),
            fill: is_fill.then(|| fill(told)),
            totals: Some(totals(&told.totals)),
            rejection_reason: reason.clone().filter(|_| told.change == Change::Rejected),
            cancel_reason: reason.filter(|_| told.change == Change::Cancelled),
            market_conditions: signal.and_then(conditions),
            signal: signal.map(signal_part),
        })
    }

    /// A signal that is remembered.
    #[must_use]
    pub fn signal(&self, id: SignalId) -> Option<&Signal> {
        self.signals.get(&id)
    }

    fn without_order(&self, signal: SignalId) -> Option<&Signal> {
        let has_order = self.orders.values().any(|spec| spec.intent.signal == signal);
        self.signals.get(&signal).filter(|_| !has_order)
    }

    /// A signal that ends without any order of its own (spec S4: exactly one `rejected` event). Where an order
    /// of it was told, that has told the story already.
    fn rejected(&self, id: SignalId, signal: SignalId, at: Timestamp, why: &str) -> Option<OrderEvent> {
        let signal = self.without_order(signal)?;
        let quantity = signal.row_quantity();
        Some(OrderEvent {
            market_conditions: conditions(signal),
            signal: Some(signal_part(signal)),
            ..rejection(id, at, signal.trace, rejected_order(signal.id, signal.symbol, signal.side, quantity, at), why)
        })
    }
}

/// A message of which only id, symbol and side could be read (spec S4).
fn invalid(id: SignalId, at: Timestamp, bad: &BadSignal) -> Option<OrderEvent> {
    let known = bad.known.as_ref()?;
    let faults: Vec<String> = bad.faults.iter().map(ToString::to_string).collect();
    let why = alloc::format!("{}: {}", Code::Validation, faults.join("; "));
    let order = rejected_order(known.id, known.symbol, known.side, UNUSABLE, at);
    Some(rejection(id, at, known.trace, order, &why))
}

/// A fill of an order that is not ours: by hand, ADL, a liquidation. It moves the account's position, so whoever adds
/// the fills up must hear of it; under the exchange's id and the nil signal, as its row (spec O4).
fn foreign(event_id: SignalId, row: &ExecutionRow, came_at: Timestamp) -> OrderEvent {
    // Never ahead of our clock: the model service drops what was executed in its future (wire-contracts.md 1.5.3).
    let at = naive(Timestamp(row.time.0.saturating_mul(1_000)).min(came_at));
    let (quantity, price, fee) = (row.quantity.to_string(), row.price.to_string(), row.settle_fee());
    let order = OrderPart {
        id: id_of(row.order_id.as_str().as_bytes()),
        order_id: row.order_id.to_string(),
        signal_id: SignalId::default(),
        asset: row.symbol.to_string(),
        side: side_word(row.side),
        order_type: "Market",
        quantity: quantity.clone(),
        price: None,
        status: Status::Filled,
        filled_quantity: quantity.clone(),
        average_price: Some(price.clone()),
        fees: Some(fee.to_string()).filter(|_| !fee.is_zero()),
        created_at: at.clone(),
        updated_at: at.clone(),
        executed_at: Some(at.clone()),
        is_dry_run: false,
    };
    let fee = fee.to_string();
    OrderEvent {
        event_id,
        event_type: Change::Filled,
        timestamp: at,
        trace_id: String::new(),
        order,
        execution_details: None,
        fill: Some(FillPart { quantity, price: Some(price), fee, exec_ids: alloc::vec![row.exec_id.to_string()] }),
        totals: None,
        rejection_reason: None,
        cancel_reason: None,
        market_conditions: None,
        signal: None,
    }
}

/// Stands for a quantity that could not be made out: rows must have one above zero.
pub const UNUSABLE: Quantity = Quantity(Decimal::from_parts(1, 0, 0, false, 8));

fn rejection(id: SignalId, at: Timestamp, trace: TraceId, order: OrderPart, why: &str) -> OrderEvent {
    OrderEvent {
        event_id: id,
        event_type: Change::Rejected,
        timestamp: naive(at),
        trace_id: trace.to_string(),
        order,
        execution_details: None,
        fill: None,
        totals: None,
        rejection_reason: Some(why.to_string()),
        cancel_reason: None,
        market_conditions: None,
        signal: None,
    }
}

fn rejected_order(signal: SignalId, symbol: Symbol, side: Side, quantity: Quantity, at: Timestamp) -> OrderPart {
    let at = naive(at);
    OrderPart {
        id: signal,
        order_id: alloc::format!("REJECTED-{signal}"),
        signal_id: signal,
        asset: symbol.to_string(),
        side: side_word(side),
        order_type: "Market",
        quantity: quantity.to_string(),
        price: None,
        status: Status::Rejected,
        filled_quantity: "0".to_string(),
        average_price: None,
        fees: None,
        created_at: at.clone(),
        updated_at: at,
        executed_at: None,
        is_dry_run: false,
    }
}

fn details(spec: &Spec, told: &Told) -> Details {
    let filled = told.totals.quantity;
    let micros = told.at.since(spec.at).0;
    let latency = Decimal::from(micros).checked_div(Decimal::from(1_000_000_u32));
    let percentage = filled.0.checked_div(told.quantity.0).and_then(|share| share.checked_mul(Decimal::ONE_HUNDRED));
    Details {
        execution_latency_seconds: latency
            .filter(|_| !told.increment.quantity.is_zero())
            .map(|seconds| seconds.normalize().to_string()),
        fill_percentage: percentage.map(|p| p.round_dp(8).normalize().to_string()),
        remaining_quantity: told.quantity.minus(filled).unwrap_or_default().to_string(),
    }
}

fn fill(told: &Told) -> FillPart {
    FillPart {
        quantity: told.increment.quantity.to_string(),
        price: told.increment.average_price().map(|price| price.to_string()),
        fee: told.increment.fee.to_string(),
        exec_ids: told.exec_ids.iter().map(|id| id.to_string()).collect(),
    }
}

fn totals(totals: &Totals) -> TotalsPart {
    TotalsPart {
        filled_quantity: totals.quantity.to_string(),
        average_price: totals.average_price().map(|price| price.to_string()),
        fees: totals.fee.to_string(),
    }
}

fn conditions(signal: &Signal) -> Option<Conditions> {
    let snapshot = &signal.snapshot;
    Some(Conditions {
        price: snapshot.price?.to_string(),
        spread: snapshot.spread?.to_string(),
        volume_24h: snapshot.volume_24h?.to_string(),
        volatility: snapshot.volatility?.to_string(),
        timestamp: naive(signal.timestamp),
    })
}

fn signal_part(signal: &Signal) -> SignalPart {
    SignalPart {
        signal_id: signal.id,
        signal_type: signal.side.to_string(),
        asset: signal.symbol.to_string(),
        amount: decimal::normal(signal.amount).to_string(),
        confidence: signal.confidence.to_string(),
        strategy_id: signal.strategy_id.to_string(),
        model_version: signal.model_version.map(|version| version.to_string()),
        is_warmup: signal.is_warmup,
        price: signal.snapshot.price.map(|price: Price| price.to_string()),
        timestamp: naive(signal.timestamp),
    }
}

/// A side as the shared tables and the published events spell it (wire-contracts.md 4).
#[must_use]
pub const fn side_word(side: Side) -> &'static str {
    match side {
        Side::Buy => "Buy",
        Side::Sell => "SELL",
    }
}

/// A naive ISO moment: Position Manager cannot read an offset (N5).
fn naive(at: Timestamp) -> String {
    let mut text = at.to_string();
    if text.ends_with('Z') {
        text.pop();
    }
    text
}

/// Of the record and the place in it, in the shape of a UUID.
fn event_id(seq: Seq, index: u32) -> SignalId {
    uuid(xxhash_rust::xxh3::xxh3_128_with_seed(&seq.0.to_be_bytes(), u64::from(index).wrapping_add(1)))
}

/// The id of an order's row.
#[must_use]
pub fn row_id(link: OrderLinkId) -> SignalId {
    id_of(link.as_str().as_bytes())
}

/// The id of a row that is named by these bytes: always the same, so that rows can be made again.
#[must_use]
pub fn id_of(name: &[u8]) -> SignalId {
    uuid(xxhash_rust::xxh3::xxh3_128(name))
}

/// Version 8 of RFC 9562: a UUID of one's own making.
fn uuid(bits: u128) -> SignalId {
    SignalId(bits & !(0xf000 << 64) & !(0xc << 60) | 0x8000 << 64 | 0x8 << 60)
}
