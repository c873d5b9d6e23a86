//! The model service: its reader of executions (wire-contracts.md 1.5.3) and its look at open orders (5.1).

use super::python::{from_iso, get, is_truthy, text, to_float};
use order_manager_core::rows::OrderRow;
use order_manager_core::unit::Timestamp;
use serde_json::Value;

/// What becomes of a message.
#[derive(Clone, Debug, PartialEq)]
pub enum Reading {
    /// Not of its kind: acknowledged and forgotten.
    Ignored,
    /// A row of `execution_events`.
    Accepted(Execution),
    /// Of its kind, but lost with a warning in its log.
    Dropped(String),
}

/// A row of `execution_events`, as far as it is read from the message.
#[derive(Clone, Debug, PartialEq)]
pub struct Execution {
    /// The signal.
    pub signal_id: String,
    /// Its strategy; `unknown` where nobody said.
    pub strategy_id: String,
    /// Base units, taken for the whole order's.
    pub quantity: f64,
    /// Price.
    pub price: f64,
    /// Fees, never negative.
    pub fees: f64,
    /// The price that the signal hoped for.
    pub signal_price: f64,
    /// Were the market conditions the message's own, not the defaults?
    pub has_conditions: bool,
}

/// Reads one message at `now`. Its table of signals is taken to be empty: the message must say all.
#[must_use]
pub fn read_execution(body: &[u8], now: Timestamp) -> Reading {
    let event: Value = match serde_json::from_slice(body) {
        Ok(event) => event,
        Err(error) => return Reading::Dropped(error.to_string()),
    };
    if get(&event, "event_type").as_str() != Some("filled") {
        return Reading::Ignored;
    }
    execution(&event, now).map_or_else(Reading::Dropped, Reading::Accepted)
}

fn execution(event: &Value, now: Timestamp) -> Result<Execution, String> {
    let order = get(event, "order");
    let [signal_id, asset, side] = ["signal_id", "asset", "side"].map(|key| text(get(order, key)));
    if !is_truthy(get(order, "signal_id")) || !get(order, "order_id").is_string() {
        return Err(format!("signal_id or order_id is missing: {order}"));
    }
    if asset.len() < 3 || !matches!(side.to_lowercase().as_str(), "buy" | "sell") {
        return Err(format!("asset {asset:?} or side {side:?}"));
    }
    let number = |value: &Value, what: &str| to_float(value).ok_or_else(|| format!("{what} is no number: {value}"));
    let quantity = number(get(order, "filled_quantity"), "filled_quantity")?;
    let price = number(get(order, "average_price"), "average_price")?;
    let fees = match get(order, "fees") {
        fees if is_truthy(fees) => number(fees, "fees")?,
        _ => 0.0,
    };
    if quantity <= 0.0 || price <= 0.0 || fees < 0.0 {
        return Err(format!("filled_quantity {quantity}, average_price {price}, fees {fees}"));
    }
    let signal = get(event, "signal");
    let named = Some(get(signal, "strategy_id")).filter(|strategy| is_truthy(strategy));
    let signal_price = signal_price(named.map(|_| signal), order, price)?;
    let executed_at = moment(get(order, "executed_at")).unwrap_or(now);
    let told = [get(signal, "timestamp"), get(order, "created_at"), get(order, "executed_at")];
    let signalled_at = told.into_iter().find(|moment| is_truthy(moment)).and_then(moment).unwrap_or(executed_at);
    if executed_at > now || signalled_at > now {
        return Err(format!("from the future: executed {executed_at}, signal {signalled_at}, now {now}"));
    }
    let has_conditions = conditions(get(event, "market_conditions"))?;
    let strategy_id = named.map_or_else(|| "unknown".to_owned(), text);
    Ok(Execution { signal_id, strategy_id, quantity, price, fees, signal_price, has_conditions })
}

/// The signal's own price, else its snapshot's, else the order's, else what was paid.
fn signal_price(signal: Option<&Value>, order: &Value, paid: f64) -> Result<f64, String> {
    let places = signal.map(|signal| [get(signal, "price"), get(get(signal, "market_data_snapshot"), "price")]);
    for value in places.into_iter().flatten().chain([get(order, "price")]).filter(|value| is_truthy(value)) {
        match to_float(value) {
            Some(price) if price > 0.0 => return Ok(price),
            Some(_) => {}
            None => return Err(format!("a price is no number: {value}")),
        }
    }
    Ok(paid)
}

/// Are there conditions of its own? All three or none; each must be a number, and not negative.
fn conditions(given: &Value) -> Result<bool, String> {
    let names = ["spread", "volume_24h", "volatility"];
    if names.iter().any(|name| given.get(name).is_none()) {
        return Ok(false);
    }
    match names.iter().find(|name| to_float(get(given, name)).is_none_or(|value| value < 0.0)) {
        Some(name) => Err(format!("market_conditions.{name} is {}", get(given, name))),
        None => Ok(true),
    }
}

/// A moment with `Z`, with an offset or with none; what it cannot read counts as missing.
fn moment(value: &Value) -> Option<Timestamp> {
    value.as_str().and_then(from_iso).map(|(moment, _)| moment)
}

/// The open orders of an asset: while there is one, no signal is made for it.
pub fn mutes<'a>(asset: &str, rows: impl IntoIterator<Item = &'a OrderRow>) -> impl Iterator<Item = &'a OrderRow> {
    let is_open = |row: &&OrderRow| matches!(row.status_word(), "pending" | "partially_filled");
    rows.into_iter().filter(move |row| row.asset.as_str() == asset).filter(is_open)
}

#[cfg(test)]
mod tests {
    use super::*;
    use order_manager_core::unit::calendar;
    use serde_json::json;

    const NOW: &str = "2026-01-01T00:00:10";

    fn filled() -> Value {
        json!({
            "event_type": "filled",
            "order": {
                "signal_id": "s", "order_id": "o", "asset": "BTCUSDT", "side": "SELL", "filled_quantity": "0.5",
                "average_price": "100", "fees": null, "executed_at": NOW, "created_at": "2026-01-01T00:00:09",
            },
            "signal": {"strategy_id": "m", "price": "99.5", "timestamp": "2026-01-01T00:00:08"},
            "market_conditions": {"spread": "1", "volume_24h": 5, "volatility": "0.1"},
        })
    }

    fn read(event: &Value) -> Reading {
        read_execution(event.to_string().as_bytes(), calendar::parse(NOW).unwrap())
    }

    #[test]
    fn a_whole_event_is_a_row() {
        let Reading::Accepted(row) = read(&filled()) else { panic!("{:?}", read(&filled())) };
        assert_eq!((row.strategy_id.as_str(), row.signal_price, row.fees), ("m", 99.5, 0.0));
        assert!(row.has_conditions);
        let mut bare = filled();
        bare["signal"] = Value::Null;
        bare["market_conditions"] = json!({"price": 1, "timestamp": NOW});
        let Reading::Accepted(row) = read(&bare) else { panic!("{:?}", read(&bare)) };
        assert_eq!((row.strategy_id.as_str(), row.signal_price, row.has_conditions), ("unknown", 100.0, false));
    }

    #[test]
    fn what_it_drops() {
        let planted = [
            ("/order/fees", json!("-0.1")),
            ("/order/filled_quantity", json!("0")),
            ("/order/average_price", Value::Null),
            ("/order/executed_at", json!("2026-01-01T00:00:10.000001")),
            ("/signal/timestamp", json!("2026-01-01T00:00:11Z")),
            ("/market_conditions/volatility", Value::Null),
            ("/order/signal_id", json!("")),
        ];
        for (place, value) in planted {
            let mut event = filled();
            *event.pointer_mut(place).unwrap() = value;
            assert!(matches!(read(&event), Reading::Dropped(_)), "{place}: {:?}", read(&event));
        }
        let mut other = filled();
        other["event_type"] = json!("partially_filled");
        assert_eq!(read(&other), Reading::Ignored);
    }
}
