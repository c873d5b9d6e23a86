//! Everything that is true, as JSON, for judges outside the process. Numbers are texts, as Bybit's are.

use super::hub::Hub;
use crate::exchange::Exchange;
use order_manager_core::unit::Timestamp;
use serde_json::{Map, Value, json};

pub(super) fn truth(hub: &Hub) -> Value {
    let streams = hub.limits.streams.saturating_sub(hub.streams.available_permits());
    let mut all = hub.with(|state, now| of(&state.exchange, now));
    all["streams"] = streams.into();
    all
}

fn of(exchange: &Exchange, now: Timestamp) -> Value {
    let truth = exchange.truth();
    let foreign = truth.orders.iter().filter(|order| order.link.is_none()).count();
    json!({
        "time_ms": now.0 / 1_000,
        "orders": orders(exchange),
        "foreign_orders": foreign,
        "executions": executions(exchange),
        "positions": positions(exchange),
        "prices": prices(exchange),
        "wallet": {
            "start": truth.start.to_string(),
            "balance": truth.wallet.to_string(),
            "realised": truth.realised.to_string(),
            "fees": truth.fees.to_string(),
            "available": exchange.available().to_string(),
        },
    })
}

fn orders(exchange: &Exchange) -> Map<String, Value> {
    let truth = exchange.truth();
    let entry = |record: &crate::exchange::LinkRecord| {
        let mut entry = json!({
            "creates_received": record.creates_received,
            "creates_accepted": record.creates_accepted,
        });
        let order = record.order.and_then(|number| truth.orders.get(usize::try_from(number).ok()?));
        if let Some(order) = order {
            let state = &order.state;
            entry["order_id"] = order.id().as_str().into();
            entry["created_us"] = order.created.0.into();
            entry["symbol"] = order.symbol.as_str().into();
            entry["side"] = order.side.as_str().into();
            entry["status"] = format!("{:?}", state.status).into();
            entry["qty"] = state.quantity.to_string().into();
            entry["price"] = state.price.to_string().into();
            entry["cum_qty"] = state.cum_quantity.to_string().into();
            entry["cum_value"] = state.cum_value.to_string().into();
            entry["cum_fee"] = state.cum_fee.to_string().into();
            entry["executions"] = order.executions.len().into();
        }
        entry
    };
    truth.links.iter().map(|(link, record)| (link.as_str().to_owned(), entry(record))).collect()
}

fn executions(exchange: &Exchange) -> Vec<Value> {
    let row = |execution: &crate::exchange::Execution| {
        json!({
            "exec_id": execution.id().as_str(),
            "link": execution.link.as_ref().map(|link| link.as_str()),
            "symbol": execution.symbol.as_str(),
            "side": execution.side.as_str(),
            "price": execution.price.to_string(),
            "qty": execution.quantity.to_string(),
            "fee": execution.fee.to_string(),
            "is_maker": execution.is_maker,
            "time_ms": execution.time.0 / 1_000,
        })
    };
    exchange.truth().executions.iter().map(row).collect()
}

fn positions(exchange: &Exchange) -> Map<String, Value> {
    let entry = |position: &crate::exchange::Position| {
        json!({
            "size": position.size.to_string(),
            "average_price": position.average().map(|price| price.to_string()),
            "realised": position.realised.to_string(),
        })
    };
    exchange.positions().map(|(symbol, position)| (symbol.to_string(), entry(position))).collect()
}

fn prices(exchange: &Exchange) -> Map<String, Value> {
    let price = |symbol| exchange.last_price(symbol).map(|price| Value::from(price.to_string()));
    exchange.positions().filter_map(|(symbol, _)| Some((symbol.to_string(), price(symbol)?))).collect()
}
