//! What the tests of the rules decide about: one instrument, one quote, one signal, and generators of them.

use crate::bybit::{ExecType, ExecutionRow, InstrumentRow, OrderRow, OrderStatus, TickerRow};
use crate::intake::{Signal, Snapshot};
use crate::market::{Instrument, Quote};
use crate::unit::{
    Coin, Decimal, ExchangeTime, Intent, LinkPrefix, Money, OrderLinkId, Price, Quantity, Ratio, Side, SignalId,
    Symbol, Text, Timestamp, decimal,
};
use proptest::prelude::*;

pub(crate) fn d(text: &str) -> Decimal {
    decimal::parse(text).unwrap()
}
pub(crate) fn price(text: &str) -> Price {
    Price(d(text))
}
pub(crate) fn quantity(text: &str) -> Quantity {
    Quantity(d(text))
}
pub(crate) fn money(text: &str) -> Money {
    Money(d(text))
}
pub(crate) fn ratio(text: &str) -> Ratio {
    Ratio(d(text))
}

/// When the signal was made and the quote came: 2022-01-01 03:00:00 UTC.
pub(crate) const NOW: Timestamp = Timestamp(1_641_006_000_000_000);

/// BTCUSDT as bybit-v5.md 5.1 shows it.
pub(crate) fn instrument_row() -> InstrumentRow {
    InstrumentRow {
        symbol: Symbol::new("BTCUSDT").unwrap(),
        trading: true,
        base: Coin::new("BTC").unwrap(),
        quote: Coin::new("USDT").unwrap(),
        tick_size: price("0.1"),
        min_price: price("0.1"),
        max_price: price("1999999.8"),
        quantity_step: quantity("0.001"),
        min_quantity: quantity("0.001"),
        max_limit_quantity: quantity("1190"),
        max_market_quantity: quantity("500"),
        min_notional: money("5"),
        price_limit_ratio_x: ratio("0.01"),
        price_limit_ratio_y: ratio("0.02"),
        max_leverage: ratio("100"),
    }
}

pub(crate) fn instrument() -> Instrument {
    Instrument::from_row(&instrument_row()).unwrap()
}

/// Everything at 50000, with a book one tick wide on either side.
pub(crate) fn quote() -> Quote {
    quote_at("50000", "49999.9", "50000.1")
}

pub(crate) fn quote_at(last: &str, bid: &str, ask: &str) -> Quote {
    let row = TickerRow {
        symbol: Symbol::new("BTCUSDT").unwrap(),
        last: price(last),
        mark: Some(price(last)),
        index: Some(price(last)),
        bid: Some(price(bid)),
        ask: Some(price(ask)),
    };
    Quote::from_row(&row, NOW)
}

/// A limit signal: confidence 0.8 at 50000, spread 100.
pub(crate) fn signal(side: Side, amount: &str) -> Signal {
    Signal {
        id: SignalId(7),
        side,
        symbol: Symbol::new("BTCUSDT").unwrap(),
        amount: d(amount),
        in_base: false,
        confidence: ratio("0.8"),
        timestamp: NOW,
        strategy_id: Text::new("momentum_v1").unwrap(),
        model_version: None,
        is_warmup: false,
        snapshot: Snapshot {
            price: Some(price("50000")),
            spread: Some(price("100")),
            volume_24h: None,
            volatility: None,
        },
        urgent: false,
        is_exit: false,
        trace: Text::new("t").unwrap(),
        fingerprint: 0,
    }
}

/// A limit buy of 10 at 100 that rests.
pub(crate) fn order_row() -> OrderRow {
    OrderRow {
        order_id: Text::clipped("id-1"),
        link: None,
        symbol: Symbol::clipped("BTCUSDT"),
        side: Side::Buy,
        quantity: quantity("10"),
        price: Some(price("100")),
        is_market: false,
        status: OrderStatus::New,
        cum_quantity: Quantity::ZERO,
        cum_value: Money::ZERO,
        cum_fee: Money::ZERO,
        cancel_type: Text::EMPTY,
        reject_reason: Text::EMPTY,
        reduce_only: false,
        position_idx: 0,
        created: ExchangeTime(0),
        updated: ExchangeTime(0),
    }
}

/// A fill of one of that order, as a maker.
pub(crate) fn execution_row() -> ExecutionRow {
    ExecutionRow {
        exec_id: Text::clipped("e-1"),
        order_id: order_row().order_id,
        link: None,
        symbol: Symbol::clipped("BTCUSDT"),
        side: Side::Buy,
        exec_type: ExecType::Trade,
        price: price("100"),
        quantity: quantity("1"),
        value: money("100"),
        fee: money("1"),
        fee_coin: Text::EMPTY,
        is_maker: true,
        time: ExchangeTime(0),
        seq: None,
    }
}

pub(crate) fn link(attempt: u8) -> OrderLinkId {
    OrderLinkId::of(LinkPrefix::DEFAULT, Intent { signal: SignalId(9), leg: 0, attempt })
}

pub(crate) fn any_side() -> impl Strategy<Value = Side> {
    prop_oneof![Just(Side::Buy), Just(Side::Sell)]
}

/// Ticks and steps that are no powers of ten too.
pub(crate) fn any_instrument() -> impl Strategy<Value = Instrument> {
    let steps = proptest::sample::select(std::vec!["0.001", "0.01", "0.03", "0.25", "1", "10"]);
    let ticks = proptest::sample::select(std::vec!["0.1", "0.05", "0.5", "0.0001", "2.5"]);
    (ticks, steps).prop_map(|(tick, step)| {
        let row = InstrumentRow {
            tick_size: price(tick),
            min_price: price(tick),
            quantity_step: quantity(step),
            min_quantity: quantity(step),
            max_limit_quantity: quantity("100000"),
            max_market_quantity: quantity("50000"),
            ..instrument_row()
        };
        Instrument::from_row(&row).unwrap()
    })
}

/// A decimal of `low..high` thousandths.
pub(crate) fn thousandths(range: core::ops::Range<i64>) -> impl Strategy<Value = Decimal> {
    range.prop_map(|n| Decimal::new(n, 3))
}
