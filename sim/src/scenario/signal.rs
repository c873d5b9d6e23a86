//! Signals of a scenario: what the file says of one, its id and its body.

use super::Action;
use super::problem::Problem;
use super::raw::{RawSignal, Word};
use super::read::Reader;
use super::word;
use crate::choice::{fnv1a, mix};
use crate::signal_json::{Origin, SignalJson};
use order_manager_core::unit::{Decimal, Price, Side, SignalId, Span, Symbol, Timestamp};
use toml::Spanned;

/// The strategy of signals that name none.
pub(super) const MOMENTUM: &str = "momentum_v1";
/// The spread of signals that name none.
pub(super) const SPREAD: Decimal = Decimal::ONE;

/// The confidence of signals that name none.
pub(super) const fn confidence(exit: bool) -> Decimal {
    if exit { Decimal::ONE } else { Decimal::from_parts(95, 0, 0, false, 2) }
}

/// A signal as the model service would send it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignalStep {
    /// Its name in the file; unique in the scenario.
    pub alias: String,
    /// Its id on the wire: of the alias, or of the signal named by `same_id_as`.
    pub id: SignalId,
    /// Instrument.
    pub symbol: Symbol,
    /// Buy or sell.
    pub side: Side,
    /// As on the wire; quote currency unless the configuration says otherwise.
    pub amount: Decimal,
    /// As on the wire. Default 0.95 (a market order); 1 for exits.
    pub confidence: Decimal,
    /// Snapshot price; none is the current one.
    pub price: Option<Price>,
    /// Absolute spread. Default 1.
    pub spread: Decimal,
    /// How old its timestamp is when it is delivered first. Default 0.
    pub age: Span,
    /// How far in the future it is instead. Default 0.
    pub ahead: Span,
    /// Asks for a market order.
    pub urgency: bool,
    /// Comes from the exit rules.
    pub exit: bool,
    /// Comes from the warm-up generator.
    pub warmup: bool,
    /// Name of the strategy. Default `momentum_v1`.
    pub strategy: String,
    /// Trace id. Default none, as the service does.
    pub trace: Option<String>,
    /// How many times the same bytes are delivered, one right after the other.
    pub deliveries: u32,
}

/// A body that is sent as it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RawStep {
    /// The bytes.
    pub body: Vec<u8>,
    /// How many times they are delivered.
    pub deliveries: u32,
}

impl SignalStep {
    /// A signal that names no more than it must: all else is usual.
    #[must_use]
    pub fn plain(alias: &str, symbol: Symbol, side: Side, amount: Decimal) -> Self {
        Self {
            alias: alias.to_owned(),
            id: signal_id(alias),
            symbol,
            side,
            amount,
            confidence: confidence(false),
            price: None,
            spread: SPREAD,
            age: Span::ZERO,
            ahead: Span::ZERO,
            urgency: false,
            exit: false,
            warmup: false,
            strategy: MOMENTUM.to_owned(),
            trace: None,
            deliveries: 1,
        }
    }
}

/// The id of a signal called `alias`: the same in every scenario, run and build, in the shape of a version 4
/// UUID as the model service makes them.
#[must_use]
pub fn signal_id(alias: &str) -> SignalId {
    let hash = fnv1a(alias.as_bytes());
    let bits = (u128::from(mix(hash)) << 64) | u128::from(mix(!hash));
    SignalId(bits & !(0xf << 76) & !(0b11 << 62) | (4 << 76) | (0b10 << 62))
}

/// The body of `signal` delivered first at `now`, while the symbol trades at `current`: the bytes that the
/// model service would send. A second delivery repeats the bytes of the first; do not make them anew.
#[must_use]
pub fn signal_body(signal: &SignalStep, now: Timestamp, current: Price) -> Vec<u8> {
    signal_json(signal, now, current).to_text().into_bytes()
}

/// What that body says.
#[must_use]
pub fn signal_json(signal: &SignalStep, now: Timestamp, current: Price) -> SignalJson<'_> {
    let timestamp = Timestamp(now.0.saturating_sub(signal.age.0).saturating_add(signal.ahead.0));
    let origin = match signal {
        SignalStep { exit: true, .. } => Origin::Exit,
        SignalStep { warmup: true, .. } => Origin::WarmUp,
        _ => Origin::Model,
    };
    SignalJson {
        id: signal.id,
        side: signal.side,
        asset: signal.symbol,
        amount: signal.amount,
        confidence: signal.confidence,
        timestamp,
        strategy: &signal.strategy,
        origin,
        urgency: signal.urgency,
        price: signal.price.unwrap_or(current),
        spread: signal.spread,
        volume: Decimal::ONE_THOUSAND,
        volatility: Decimal::new(4, 3),
        depth: None,
        inferred: Timestamp(timestamp.0 - timestamp.0 % 60_000_000),
        trace: signal.trace.as_deref(),
    }
}

/// Reads `signal = { .. }`.
pub(super) fn read(r: &mut Reader<'_>, raw: &Spanned<RawSignal>) -> Option<Action> {
    let fields = raw.get_ref();
    let deliveries = r.count(fields.deliveries.as_ref());
    if let Some(word) = fields.raw.as_ref().or(fields.raw_hex.as_ref()) {
        let deliveries = deliveries?;
        if fields.says_more_than_raw() {
            let message = "a raw signal has other fields too".to_owned();
            let help = "`raw` is the whole body: keep `raw` and `deliveries`, or drop `raw`";
            r.problem(Problem::at(word, message, "the whole body", help));
            return None;
        }
        let body = if fields.raw.is_some() { word.get_ref().clone().into_bytes() } else { r.take(bytes(word))? };
        return Some(Action::Raw(RawStep { body, deliveries }));
    }
    let alias = r.required(raw, fields.id.as_ref(), "id").and_then(|word| new_alias(r, word));
    let side = r.required(raw, fields.side.as_ref(), "side").map(word::side);
    let side = side.and_then(|side| r.take(side));
    let amount = r.required(raw, fields.amount.as_ref(), "amount").map(|w| word::number(w, "amount"));
    let amount = amount.and_then(|amount| r.take(amount));
    let symbol = r.symbol(fields.symbol.as_ref());
    let exit = fields.exit.unwrap_or(false);
    let confidence = r.or(fields.confidence.as_ref(), confidence(exit), |w| word::number(w, "confidence"));
    let spread = r.or(fields.spread.as_ref(), SPREAD, |w| word::number(w, "spread"));
    let price = r.or(fields.price.as_ref(), None, |w| word::price(w).map(Some));
    let age = r.or(fields.age.as_ref(), Span::ZERO, word::length);
    let ahead = r.or(fields.ahead.as_ref(), Span::ZERO, word::length);
    let same = match &fields.same_id_as {
        Some(word) => Some(r.known_alias(word)?),
        None => None,
    };
    let alias = alias?;
    Some(Action::Signal(SignalStep {
        id: signal_id(same.as_deref().unwrap_or(&alias)),
        alias,
        symbol: symbol?,
        side: side?,
        amount: amount?,
        confidence: confidence?,
        price: price?,
        spread: spread?,
        age: age?,
        ahead: ahead?,
        urgency: fields.urgency.unwrap_or(false),
        exit,
        warmup: fields.warmup.unwrap_or(false),
        strategy: fields.strategy.as_ref().map_or(MOMENTUM.into(), |w| w.get_ref().clone()),
        trace: fields.trace.as_ref().map(|w| w.get_ref().clone()),
        deliveries: deliveries?,
    }))
}

impl RawSignal {
    fn says_more_than_raw(&self) -> bool {
        let words = [
            &self.id,
            &self.same_id_as,
            &self.symbol,
            &self.side,
            &self.amount,
            &self.confidence,
            &self.price,
            &self.spread,
            &self.age,
            &self.ahead,
            &self.strategy,
            &self.trace,
        ];
        (self.raw.is_some() && self.raw_hex.is_some())
            || words.iter().any(|word| word.is_some())
            || [self.urgency, self.exit, self.warmup].iter().any(Option::is_some)
    }
}

/// Two hexadecimal digits a byte.
fn bytes(word: &Word) -> Result<Vec<u8>, Problem> {
    hex::decode(word.get_ref()).map_err(|_| {
        let message = format!("`{}` is not hexadecimal", word.get_ref());
        Problem::at(word, message, "not bytes", "write two hexadecimal digits a byte: \"7bff\"")
    })
}

/// An alias is given once.
fn new_alias(r: &mut Reader<'_>, word: &Word) -> Option<String> {
    let alias = word.get_ref().clone();
    if r.add_alias(&alias) {
        return Some(alias);
    }
    let message = format!("a second signal is called `{alias}`");
    let help = format!(
        "write `again = \"{alias}\"` to deliver it again, or give this one a name of its own with \
         `same_id_as = \"{alias}\"` to send other content under its id"
    );
    r.problem(Problem::at(word, message, "given already", help));
    None
}
