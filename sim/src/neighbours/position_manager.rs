//! Position Manager's reader of order events (wire-contracts.md 1.5.1), message by message.

use super::python::{from_iso, get, is_truthy, or, to_decimal};
use order_manager_core::rows::Figure;
use order_manager_core::unit::Decimal;
use serde_json::Value;
use std::collections::BTreeMap;

/// A row of its `positions`: figures as the columns hold them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Position {
    /// Base units, plus is long.
    pub size: Figure,
    /// None when flat.
    pub average_entry_price: Option<Figure>,
    /// Profit of what was closed, less the fees of closing.
    pub realized_pnl: Figure,
    /// Counts the updates.
    pub version: u32,
    /// Was it flat after the last fill?
    pub is_closed: bool,
}

/// What becomes of a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Taken into the position and acknowledged.
    Applied,
    /// Rejected without requeue: it is gone, and no position moved.
    Discarded(String),
    /// Requeued at once and for ever: everything behind it waits.
    Poisoned(Poison),
}

/// Why a message comes back for ever.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Poison {
    /// Its moment names an offset, which cannot be compared with naive ones (N5).
    Offset(String),
    /// The average price would be negative or zero: a second sell on a short position (N7).
    Average(Decimal),
    /// What its code or its table does not take.
    Broken(String),
}

/// Its positions, by asset and mode.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PositionManager {
    pub(super) positions: BTreeMap<(String, String), Position>,
}

/// What it makes of a message.
struct Fill {
    asset: String,
    mode: String,
    delta: Decimal,
    price: Decimal,
    fees: Decimal,
}

impl PositionManager {
    /// The position of an asset in one-way mode.
    #[must_use]
    pub fn position(&self, asset: &str) -> Option<Position> {
        self.positions.get(&key(asset, "one-way")).copied()
    }

    /// Every asset that it has a row of.
    pub fn assets(&self) -> impl Iterator<Item = &str> {
        self.positions.keys().map(|(asset, _)| asset.as_str())
    }

    /// Takes the body of one message. The same message again is taken again (N6).
    pub fn take(&mut self, body: &[u8]) -> Outcome {
        let fill = match read(body) {
            Ok(fill) => fill,
            Err(outcome) => return outcome,
        };
        match self.book(&fill) {
            Ok(()) => Outcome::Applied,
            Err(poison) => Outcome::Poisoned(poison),
        }
    }

    fn book(&mut self, fill: &Fill) -> Result<(), Poison> {
        let key = key(&fill.asset, &fill.mode);
        let known = self.positions.get(&key).copied();
        let position = known.map_or_else(|| created(fill), |position| moved(position, fill));
        if let Some(average) = position.average_entry_price.filter(|average| *average <= Figure::ZERO) {
            return Err(Poison::Average(average.value()));
        }
        if !(3..=20).contains(&key.0.len()) || !matches!(key.1.as_str(), "one-way" | "hedge") {
            return Err(Poison::Broken(format!("the table takes no row of {key:?}")));
        }
        self.positions.insert(key, position);
        Ok(())
    }
}

/// Its rows' key: upper-case asset, lower-case mode.
pub(super) fn key(asset: &str, mode: &str) -> (String, String) {
    (asset.to_uppercase(), mode.to_lowercase())
}

fn read(body: &[u8]) -> Result<Fill, Outcome> {
    let discarded = |why: &str| Outcome::Discarded(why.to_owned());
    let broken = |why: String| Outcome::Poisoned(Poison::Broken(why));
    let event: Value = serde_json::from_slice(body).map_err(|error| discarded(&error.to_string()))?;
    if !event.is_object() {
        return Err(broken(format!("no object: {event}")));
    }
    let kind = get(&event, "event_type").as_str().unwrap_or_default();
    if !matches!(kind, "filled" | "partially_filled" | "order_executed" | "position_updated_from_order") {
        return Err(Outcome::Discarded(format!("event type {kind:?}")));
    }
    let order = Some(get(&event, "order")).filter(|order| is_truthy(order)).unwrap_or(&event);
    if !order.is_object() {
        return Err(broken(format!("order is no object: {order}")));
    }
    let of = |keys: &[(&Value, &str)]| -> Value { or_of(keys) };
    let asset = of(&[(order, "asset"), (&event, "asset")]);
    let asset = asset.as_str().filter(|asset| !asset.is_empty()).ok_or_else(|| discarded("no asset"))?.to_owned();
    let mode = of(&[(&event, "mode"), (order, "mode")]);
    let mode = mode.as_str().filter(|mode| !mode.is_empty()).unwrap_or("one-way").to_owned();
    let side = of(&[(order, "side"), (&event, "side")]);
    let side = match &side {
        side if !is_truthy(side) => String::new(),
        Value::String(side) => side.to_lowercase(),
        side => return Err(broken(format!("side {side} is no text"))),
    };
    let quantity = of(&[
        (order, "filled_quantity"),
        (&event, "filled_quantity"),
        (order, "execution_quantity"),
        (&event, "execution_quantity"),
        (order, "filled_qty"),
        (&event, "filled_qty"),
    ]);
    let price = of(&[(order, "average_price"), (order, "price"), (&event, "execution_price"), (&event, "price")]);
    let fees = of(&[(order, "fees"), (&event, "execution_fees")]);
    let number = |what: &str, value: &Value| {
        to_decimal(value).ok_or_else(|| Outcome::Discarded(format!("{what} is no number: {value}")))
    };
    let (quantity, price) = (number("filled_quantity", &quantity)?, number("price", &price)?);
    let fees = if fees.is_null() { Decimal::ZERO } else { number("fees", &fees)? };
    let moment = of(&[(order, "executed_at"), (&event, "executed_at"), (&event, "timestamp")]);
    if let Some(text) = moment.as_str() {
        let naive = text.strip_suffix('Z').unwrap_or(text);
        if from_iso(naive).is_some_and(|(_, aware)| aware) {
            return Err(Outcome::Poisoned(Poison::Offset(text.to_owned())));
        }
    }
    let delta = if side == "sell" { -quantity } else { quantity };
    Ok(Fill { asset, mode, delta, price, fees })
}

fn or_of(keys: &[(&Value, &str)]) -> Value {
    let values: Vec<&Value> = keys.iter().map(|(of, key)| get(of, key)).collect();
    or(&values).clone()
}

/// The first fill of an asset; its fees are not counted.
fn created(fill: &Fill) -> Position {
    Position {
        size: Figure::of(fill.delta),
        average_entry_price: (!fill.delta.is_zero()).then(|| Figure::of(fill.price)),
        realized_pnl: Figure::ZERO,
        version: 1,
        is_closed: false,
    }
}

/// A later fill. Weighted in the same direction (and wrongly signed on a short position, N7), kept on a partial
/// reduction, the fill's own price on a reversal, none when flat.
fn moved(position: Position, fill: &Fill) -> Position {
    let (size, delta, price) = (position.size.value(), fill.delta, fill.price);
    let average = position.average_entry_price.map_or(price, Figure::value);
    let after = size + delta;
    let grows = (size > Decimal::ZERO && delta > Decimal::ZERO) || (size < Decimal::ZERO && delta < Decimal::ZERO);
    let shrinks = (size > Decimal::ZERO && delta < Decimal::ZERO) || (size < Decimal::ZERO && delta > Decimal::ZERO);
    let average_after = if after.is_zero() {
        None
    } else if grows {
        Some((size * average + delta * price) / after.abs())
    } else if delta.abs() >= size.abs() {
        Some(price)
    } else {
        Some(average)
    };
    let gain = if size > Decimal::ZERO { price - average } else { average - price };
    let realized = if shrinks { gain * size.abs().min(delta.abs()) - fill.fees } else { Decimal::ZERO };
    Position {
        size: Figure::of(after),
        average_entry_price: average_after.map(Figure::of),
        realized_pnl: Figure::of(position.realized_pnl.value() + realized),
        version: position.version + 1,
        is_closed: after.is_zero(),
    }
}

#[cfg(test)]
mod tests;
