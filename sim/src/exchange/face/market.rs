//! Market data that has no typed request, because the order manager does not ask for it: the order book
//! (bybit-v5.md 6.2) and the public stream (6.1).

use super::json::Json;
use super::params::Params;
use super::rows::{Scribe, Voice};
use super::{Exchange, WireReply, WireRequest, read, write};
use crate::exchange::{Timestamp, clock};
use order_manager_core::bybit::{ApiError, LimitHeaders, TickerRow};
use order_manager_core::unit::Symbol;

const DEFAULT_DEPTH: u32 = 25;

/// `GET /v5/market/orderbook`.
pub(super) fn orderbook(exchange: &mut Exchange, now: Timestamp, wire: &WireRequest) -> WireReply {
    exchange.run(now);
    let time = clock(now);
    let written = Params::of(wire).and_then(|params| {
        let (category, symbol) = (read::category(&params)?, read::symbol(&params)?);
        exchange.book(category, symbol, read::limit(&params, DEFAULT_DEPTH)?)
    });
    let body = match written {
        Ok(book) => Json::object(|json| {
            json.whole("retCode", 0);
            json.text("retMsg", "OK");
            json.child("result", |json| {
                json.text("s", book.symbol.as_str());
                json.pairs("b", book.bids.iter().map(|(price, quantity)| (price.0, quantity.0)));
                json.pairs("a", book.asks.iter().map(|(price, quantity)| (price.0, quantity.0)));
                json.whole("ts", time.0);
                json.whole("u", book.seq.saturating_add(1));
                json.whole("seq", book.seq);
                json.whole("cts", time.0);
            });
            json.child("retExtInfo", |_| {});
            json.whole("time", time.0);
        }),
        Err(error) => refused(&error, time.0),
    };
    WireReply { status: 200, limits: LimitHeaders::default(), body }
}

fn refused(error: &ApiError, time: u64) -> Vec<u8> {
    Json::object(|json| {
        write::refusal(json, error, false);
        json.child("retExtInfo", |_| {});
        json.whole("time", time);
    })
}

/// A message of the public topic `tickers.SYMBOL`: everything, or only what a new price changes. None where the
/// symbol is unknown.
#[must_use]
pub fn ticker_text(exchange: &Exchange, now: Timestamp, symbol: Symbol, is_snapshot: bool) -> Option<Vec<u8>> {
    let row = exchange.ticker(symbol)?;
    let scribe = Scribe { exchange: Some(exchange), voice: Voice::Stream };
    let time = clock(now).0;
    Some(Json::object(|json| {
        json.text("topic", &format!("tickers.{symbol}"));
        json.text("type", if is_snapshot { "snapshot" } else { "delta" });
        json.child("data", |json| if is_snapshot { scribe.ticker(json, &row) } else { changes(json, &row) });
        json.whole("cs", time);
        json.whole("ts", time);
    }))
}

fn changes(json: &mut Json, row: &TickerRow) {
    json.text("symbol", row.symbol.as_str());
    let prices = [("lastPrice", Some(row.last)), ("indexPrice", row.index), ("markPrice", row.mark)];
    for (key, price) in prices.into_iter().chain([("bid1Price", row.bid), ("ask1Price", row.ask)]) {
        match price {
            Some(price) => json.decimal(key, price.0, 2),
            None => json.text(key, ""),
        }
    }
}
