//! A signal whose every field is within its bounds (spec S3).

use crate::unit::{Decimal, Money, Price, Quantity, Ratio, Side, SignalId, Symbol, Text, Timestamp, TraceId, decimal};
use alloc::vec::Vec;
use core::ops::Range;
use serde::{Deserialize, Serialize};

/// What the model saw when it decided. `price` lies in [10^-8, 10^10], the others are not negative.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Snapshot {
    /// Price, quote units.
    pub price: Option<Price>,
    /// Spread: a difference of prices or percent (spec D4).
    pub spread: Option<Price>,
    /// Volume, base units.
    pub volume_24h: Option<Quantity>,
    /// Volatility.
    pub volatility: Option<Ratio>,
}

/// A trading signal, made by [`super::decode`] or by [`Signal::checked`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Signal {
    /// Its UUID.
    pub id: SignalId,
    /// Buy or sell.
    pub side: Side,
    /// Instrument, 4 to 20 of `[A-Z0-9]`.
    pub symbol: Symbol,
    /// In (0, 10^9]; quote units, for sells by `SELL_AMOUNT_UNIT` (spec D7).
    #[serde(with = "decimal")]
    pub amount: Decimal,
    /// `amount` is in base units: a sell, where the configuration says so (spec D7). Intake does not know.
    pub in_base: bool,
    /// In [0, 1].
    pub confidence: Ratio,
    /// When the model decided, by the exchange's clock as far as its host keeps it.
    pub timestamp: Timestamp,
    /// 1 to 100 bytes.
    pub strategy_id: Text<100>,
    /// The model's version, if the signal has one.
    pub model_version: Option<Text<100>>,
    /// A warm-up signal (spec S8).
    pub is_warmup: bool,
    /// What the model saw.
    pub snapshot: Snapshot,
    /// `metadata.urgency` is true: Market (spec D4).
    pub urgent: bool,
    /// An exit: reduce-only in every mode (spec D9).
    pub is_exit: bool,
    /// Follows the signal everywhere (spec S9).
    pub trace: TraceId,
    /// A hash of what the signal says, its spelling, field order and trace left out: the same id with another
    /// fingerprint is a conflict (spec S7).
    #[serde(with = "halves")]
    pub fingerprint: u128,
}

/// Largest amount.
pub(super) const AMOUNT_MAX: Decimal = Decimal::from_parts(1_000_000_000, 0, 0, false, 0);
/// Smallest price.
pub(super) const PRICE_MIN: Decimal = Decimal::from_parts(1, 0, 0, false, 8);
/// Largest price: 10^10.
pub(super) const PRICE_MAX: Decimal = Decimal::from_parts(0x540b_e400, 2, 0, false, 0);
/// 2000-01-01 and 2100-01-01, microseconds: any other year is a broken clock or a wrong unit.
pub(super) const TIMESTAMPS: Range<Timestamp> = Timestamp(946_684_800_000_000)..Timestamp(4_102_444_800_000_000);

pub(super) fn is_symbol(text: &str) -> bool {
    text.len() >= 4 && text.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit())
}
pub(super) fn is_amount(value: Decimal) -> bool {
    value > Decimal::ZERO && value <= AMOUNT_MAX
}
pub(super) fn is_confidence(value: Decimal) -> bool {
    value >= Decimal::ZERO && value <= Decimal::ONE
}
pub(super) fn is_price(value: Decimal) -> bool {
    value >= PRICE_MIN && value <= PRICE_MAX
}

/// The largest figure below which a NUMERIC(20,8) column holds every value: 10^12.
const ROW_LIMIT: Decimal = Decimal::from_parts(0xd4a5_1000, 0xe8, 0, false, 0);
/// 0.00000001: the quantity of a row that has none to show (spec S4).
const ROW_LEAST: Decimal = Decimal::from_parts(1, 0, 0, false, 8);

/// `value` as a NUMERIC(20,8) column holds it, cut at 8 decimals; nothing where that is not above zero or is
/// 10^12 or more (spec S3).
#[must_use]
pub fn row_figure(value: Decimal) -> Option<Decimal> {
    let cut = decimal::floor_to(value, ROW_LEAST)?;
    (cut >= ROW_LEAST && cut < ROW_LIMIT).then_some(cut)
}

impl Signal {
    /// The quantity of a row that shows this signal without an order: what the amount buys at the signal's
    /// price, or the unusable quantity 0.00000001 (spec S4).
    #[must_use]
    pub fn row_quantity(&self) -> Quantity {
        let bought = || self.snapshot.price.and_then(|price| Money(self.amount).buys_at(price));
        let wanted = if self.in_base { Some(Quantity(self.amount)) } else { bought() };
        Quantity(wanted.and_then(|quantity| row_figure(quantity.0)).unwrap_or(ROW_LEAST))
    }
    /// The signal's price as a row holds it.
    #[must_use]
    pub fn row_price(&self) -> Option<Price> {
        self.snapshot.price.and_then(|price| row_figure(price.0)).map(Price)
    }
    /// What the signal is about in quote units, as a row holds it; nothing where that is below 0.00000001 or not known.
    #[must_use]
    pub fn row_amount(&self) -> Option<Money> {
        let worth = || self.snapshot.price.and_then(|price| price.times(Quantity(self.amount)));
        let amount = if self.in_base { worth() } else { Some(Money(self.amount)) };
        row_figure(amount?.0).map(Money)
    }

    /// This signal with its fingerprint, if every field is within its bounds: what [`super::decode`] would make of its
    /// text, for one who has no text of it.
    #[must_use]
    pub fn checked(mut self) -> Option<Self> {
        let Snapshot { price, spread, volume_24h, volatility } = self.snapshot;
        let not_negative = [spread.map(|p| p.0), volume_24h.map(|q| q.0), volatility.map(|r| r.0)];
        let texts = [Some(&self.strategy_id), self.model_version.as_ref(), Some(&self.trace)];
        let is_good = is_symbol(self.symbol.as_str())
            && is_amount(self.amount)
            && is_confidence(self.confidence.0)
            && TIMESTAMPS.contains(&self.timestamp)
            && price.is_none_or(|price| is_price(price.0))
            && not_negative.into_iter().flatten().all(|figure| figure >= Decimal::ZERO)
            && texts.into_iter().flatten().all(|text| !text.is_empty() && !text.as_str().contains('\0'));
        self.fingerprint = self.compute_fingerprint();
        is_good.then_some(self)
    }

    /// The hash of what the signal says. Its form is stored: a change needs a new version of the event.
    #[must_use]
    pub(super) fn compute_fingerprint(&self) -> u128 {
        let mut bytes = Vec::with_capacity(320);
        let mut field = |value: Option<&[u8]>| match value {
            // No field is longer than 100 bytes, so 255 is free to say "absent".
            Some(value) => {
                bytes.push(u8::try_from(value.len()).unwrap_or(u8::MAX));
                bytes.extend_from_slice(value);
            }
            None => bytes.push(u8::MAX),
        };
        field(Some(&self.id.0.to_le_bytes()));
        field(Some(self.side.as_str().as_bytes()));
        field(Some(self.symbol.as_str().as_bytes()));
        field(Some(&decimal::normal(self.amount).serialize()));
        field(Some(&decimal::normal(self.confidence.0).serialize()));
        field(Some(&self.timestamp.0.to_le_bytes()));
        field(Some(self.strategy_id.as_str().as_bytes()));
        field(self.model_version.as_ref().map(|v| v.as_str().as_bytes()));
        let Snapshot { price, spread, volume_24h, volatility } = self.snapshot;
        for figure in [price.map(|p| p.0), spread.map(|p| p.0), volume_24h.map(|q| q.0), volatility.map(|r| r.0)] {
            field(figure.map(|f| decimal::normal(f).serialize()).as_ref().map(|b| b.as_slice()));
        }
        field(Some(&[u8::from(self.is_warmup), u8::from(self.urgent), u8::from(self.is_exit)]));
        xxhash_rust::xxh3::xxh3_128(&bytes)
    }
}

/// Serde of 128 bits as two 64-bit halves, high first: every format holds those.
mod halves {
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    pub(super) fn serialize<S: Serializer>(value: &u128, s: S) -> Result<S::Ok, S::Error> {
        let high = u64::try_from(value >> 64).unwrap_or_default();
        let low = u64::try_from(value & u128::from(u64::MAX)).unwrap_or_default();
        (high, low).serialize(s)
    }
    pub(super) fn deserialize<'de, D: Deserializer<'de>>(d: D) -> Result<u128, D::Error> {
        let (high, low) = <(u64, u64)>::deserialize(d)?;
        Ok(u128::from(high) << 64 | u128::from(low))
    }
}
