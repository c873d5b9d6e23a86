//! Rows as the exchange would send them, and the tape's wild ones.

use super::venue::{Placed, Venue};
use crate::choice::Choices;
use order_manager_core::bybit::{
    BadRow, ExecType, ExecutionRow, InstrumentRow, OrderRow, OrderStatus, PositionRow, Push, PushRows, TickerRow,
    WalletRow,
};
use order_manager_core::unit::{
    Coin, Decimal, ExchangeTime, Intent, LinkPrefix, Money, OrderLinkId, Price, Quantity, Ratio, Side, SignalId, Span,
    Symbol, Text,
};

/// Symbols that the exchange lists, then one that it does not.
pub(super) const SYMBOLS: [&str; 3] = ["BTCUSDT", "ETHUSDT", "NONEUSDT"];
/// Statuses by the draw, the tamest first.
const STATUSES: [OrderStatus; 9] = [
    OrderStatus::New,
    OrderStatus::Filled,
    OrderStatus::Cancelled,
    OrderStatus::PartiallyFilled,
    OrderStatus::Rejected,
    OrderStatus::Triggered,
    OrderStatus::Untriggered,
    OrderStatus::PartiallyFilledCanceled,
    OrderStatus::Deactivated,
];
/// A foreign execution older than this is not repeated: the manager remembers them for an hour only.
const REPEAT_MAX: Span = Span::secs(3_000);

fn d(number: i64, scale: u32) -> Decimal {
    Decimal::new(number, scale)
}

/// What everything of this symbol trades at.
pub(super) fn price_of(symbol: Symbol) -> Price {
    Price(d(if symbol.as_str() == "ETHUSDT" { 2_500 } else { 50_000 }, 0))
}

pub(super) fn fee_of(value: Money) -> Money {
    value.scaled(Ratio(d(1, 3))).unwrap_or_default()
}

/// Bybit's id of the order; one of the service before us is known by nothing else.
pub(super) fn order_id(link: OrderLinkId) -> Text<64> {
    if is_ours(link) { Text::clipped(&format!("x{link}")) } else { Text::clipped(link.as_str()) }
}

fn is_ours(link: OrderLinkId) -> bool {
    OrderLinkId::parse(LinkPrefix::DEFAULT, link.as_str()).is_some()
}

fn shown_link(link: OrderLinkId) -> Option<Text<64>> {
    is_ours(link).then(|| Text::clipped(link.as_str()))
}

pub(super) fn order_row(placed: &Placed, status: OrderStatus, filled: Quantity, now: ExchangeTime) -> OrderRow {
    let create = &placed.create;
    let value = placed.price.times(filled).unwrap_or_default();
    OrderRow {
        order_id: order_id(create.link),
        link: shown_link(create.link),
        symbol: create.symbol,
        side: create.side,
        quantity: create.quantity,
        price: Some(placed.price),
        is_market: false,
        status,
        cum_quantity: filled,
        cum_value: value,
        cum_fee: fee_of(value),
        cancel_type: Text::clipped("UNKNOWN"),
        reject_reason: Text::clipped("EC_NoError"),
        reduce_only: create.reduce_only,
        position_idx: 0,
        created: placed.created,
        updated: now,
    }
}

pub(super) fn execution_row(placed: &Placed, quantity: Quantity, number: u64, time: ExchangeTime) -> ExecutionRow {
    let create = &placed.create;
    let value = placed.price.times(quantity).unwrap_or_default();
    ExecutionRow {
        exec_id: Text::clipped(&format!("e{number}")),
        order_id: order_id(create.link),
        link: shown_link(create.link),
        symbol: create.symbol,
        side: create.side,
        exec_type: ExecType::Trade,
        price: placed.price,
        quantity,
        value,
        fee: fee_of(value),
        fee_coin: Coin::clipped("USDT"),
        is_maker: false,
        time,
        seq: None,
    }
}

/// A share of the order's quantity in steps of 0.001; more than the whole now and then.
fn share(choices: &mut Choices, whole: Quantity) -> Quantity {
    let part = *choices.pick("share", &[4_i64, 0, 2, 1, 5, 3]);
    let part = whole.0 * d(part, 0) / d(4, 0);
    Quantity(part).floor_to(Quantity(d(1, 3))).unwrap_or_default()
}

/// A row of this order in any status, with any part of it filled.
pub(super) fn any_order_row(choices: &mut Choices, venue: &mut Venue, index: usize, now: ExchangeTime) -> OrderRow {
    let placed = &mut venue.placed[index];
    let status = match choices.below("status", 20) as usize {
        index @ 0..=8 => STATUSES[index],
        9 => OrderStatus::Other(Text::clipped("Pondering")),
        _ => placed.status.unwrap_or(OrderStatus::New),
    };
    let filled = if choices.chance("row filled", 400) { share(choices, placed.create.quantity) } else { placed.filled };
    let mut row = order_row(placed, status, filled, now);
    if let OrderStatus::Other(_) = status {
        placed.exists();
        return row; // it is asked about, and then shown as it is
    }
    placed.status = Some(match placed.status {
        Some(ended) if ended.is_terminal() => ended,
        _ => status,
    });
    placed.filled = placed.filled.max(filled);
    match choices.below("row quirk", 24) {
        1 => row.reject_reason = Text::clipped("EC_PostOnlyWillTakeLiquidity"),
        2 => row.order_id = Text::clipped("twin"),
        3 => row.quantity = share(choices, row.quantity),
        4 => row.updated = now.before(Span::secs(1)),
        5 => row.price = None,
        6 => row.cancel_type = Text::clipped("CancelByUser"),
        _ => {}
    }
    row
}

/// An execution of this order: a new one, or one that came before.
pub(super) fn any_execution(choices: &mut Choices, venue: &mut Venue, index: usize, now: ExchangeTime) -> ExecutionRow {
    let number = venue.number();
    let placed = &mut venue.placed[index];
    if choices.chance("repeat", 250) && !placed.executions.is_empty() {
        return *choices.pick("which execution", &placed.executions);
    }
    let quantity = share(choices, placed.create.quantity).max(Quantity(d(1, 3)));
    let exec_type = *choices
        .pick("exec type", &[ExecType::Trade, ExecType::Trade, ExecType::Trade, ExecType::Funding, ExecType::AdlTrade]);
    if exec_type.moves_position() {
        placed.status = placed.status.or(Some(OrderStatus::PartiallyFilled));
        let row = placed.execute(quantity, number, now);
        let last = placed.executions.len() - 1;
        placed.executions[last].exec_type = exec_type;
        return ExecutionRow { exec_type, ..row };
    }
    ExecutionRow { exec_type, ..execution_row(placed, quantity, number, now) }
}

/// An execution of an order that is not ours.
pub(super) fn foreign_execution(choices: &mut Choices, venue: &mut Venue, now: ExchangeTime) -> ExecutionRow {
    venue.foreign.retain(|row| now.since(row.time) < REPEAT_MAX);
    if choices.chance("repeat", 250) && !venue.foreign.is_empty() {
        return *choices.pick("which execution", &venue.foreign);
    }
    let symbol = Symbol::clipped(SYMBOLS[choices.below("symbol", 2) as usize]);
    let quantity = Quantity(d(choices.between("foreign size", 1, 20) as i64, 3));
    let value = price_of(symbol).times(quantity).unwrap_or_default();
    let row = ExecutionRow {
        exec_id: Text::clipped(&format!("f{}", venue.number())),
        order_id: Text::clipped("by-hand"),
        link: *choices.pick("foreign link", &[None, Some(Text::clipped("mine-1"))]),
        symbol,
        side: side(choices),
        exec_type: ExecType::Trade,
        price: price_of(symbol),
        quantity,
        value,
        fee: fee_of(value),
        fee_coin: Coin::clipped("USDT"),
        is_maker: false,
        time: now,
        seq: None,
    };
    venue.foreign.push(row);
    row
}

/// An order that is not in the book: somebody else's, or with our prefix and unknown all the same.
pub(super) fn foreign_order(choices: &mut Choices, venue: &mut Venue, now: ExchangeTime) -> OrderRow {
    let symbol = Symbol::clipped(SYMBOLS[choices.below("symbol", 2) as usize]);
    let ours = Intent { signal: SignalId(u128::from(venue.number())), leg: 0, attempt: 9 };
    let links = [None, Some("mine-1".to_owned()), Some(OrderLinkId::of(LinkPrefix::DEFAULT, ours).to_string())];
    let link = choices.pick("foreign link", &links).as_ref().map(|link| Text::clipped(link));
    OrderRow {
        order_id: Text::clipped(&format!("h{}", choices.below("foreign order", 4))),
        link,
        symbol,
        side: side(choices),
        quantity: Quantity(d(choices.between("foreign size", 1, 20) as i64, 3)),
        price: *choices.pick("foreign price", &[Some(price_of(symbol)), None]),
        is_market: false,
        status: *choices.pick("status", &STATUSES),
        cum_quantity: Quantity::ZERO,
        cum_value: Money::ZERO,
        cum_fee: Money::ZERO,
        cancel_type: Text::EMPTY,
        reject_reason: Text::EMPTY,
        reduce_only: false,
        position_idx: 0,
        created: now,
        updated: now,
    }
}

pub(super) fn side(choices: &mut Choices) -> Side {
    *choices.pick("side", &[Side::Buy, Side::Sell])
}

/// Any push, about any order that was ever sent.
pub(super) fn any_push(choices: &mut Choices, venue: &mut Venue, now: ExchangeTime) -> Push {
    let kind = choices.below("push", 16);
    let known = venue.placed.len();
    let index = if known == 0 { 0 } else { known - 1 - choices.below("which order", known as u64) as usize };
    let rows = match kind {
        0..=4 if known > 0 => PushRows::Orders(vec![any_order_row(choices, venue, index, now)]),
        5..=9 if known > 0 => PushRows::Executions(vec![any_execution(choices, venue, index, now)]),
        10 => PushRows::Executions(vec![foreign_execution(choices, venue, now)]),
        11 => PushRows::Positions(vec![any_position(choices, venue, now)]),
        12 => PushRows::Wallets(vec![wallet()]),
        13 => PushRows::Nothing { what: Text::clipped("pong") },
        14 if known > 0 => {
            let first = any_order_row(choices, venue, index, now);
            PushRows::Orders(vec![first, any_order_row(choices, venue, 0, now)])
        }
        _ => PushRows::Orders(vec![foreign_order(choices, venue, now)]),
    };
    let bad = if choices.chance("bad row", 60) { vec![bad_row(choices, venue)] } else { Vec::new() };
    Push { time: Some(now), rows, bad }
}

/// A row that could not be read, sometimes with its link id.
pub(super) fn bad_row(choices: &mut Choices, venue: &mut Venue) -> BadRow {
    let link = venue.placed.last_mut().filter(|_| choices.below("bad link", 2) == 1);
    let link = link.map(|placed| {
        placed.exists();
        Text::clipped(placed.create.link.as_str())
    });
    BadRow { index: 0, why: Text::clipped("qty is not a number"), link }
}

fn any_position(choices: &mut Choices, venue: &mut Venue, now: ExchangeTime) -> PositionRow {
    let symbol = Symbol::clipped(SYMBOLS[choices.below("symbol", 2) as usize]);
    let size = Quantity(d(choices.below("position", 50) as i64, 3));
    let size = if choices.below("direction", 2) == 1 { size.negated() } else { size };
    let mut row = position(symbol, size, venue.number(), now);
    row.position_idx = *choices.pick("position idx", &[0, 0, 0, 1]);
    row
}

pub(super) fn position(symbol: Symbol, signed: Quantity, seq: u64, now: ExchangeTime) -> PositionRow {
    let side = if signed.is_positive() { Side::Buy } else { Side::Sell };
    PositionRow {
        symbol,
        position_idx: 0,
        side: (!signed.is_zero()).then_some(side),
        size: signed.abs(),
        average_price: (!signed.is_zero()).then_some(price_of(symbol)),
        leverage: Some(Ratio(d(2, 0))),
        unrealised_pnl: None,
        seq: seq as i64,
        updated: now,
    }
}

pub(super) fn wallet() -> WalletRow {
    let (total_equity, total_available) = (Some(Money(d(100_000, 0))), Some(Money(d(90_000, 0))));
    WalletRow { total_equity, total_available, coins: Vec::new(), bad: Vec::new() }
}

pub(super) fn ticker(symbol: Symbol) -> TickerRow {
    let last = price_of(symbol);
    let some = Some(last);
    TickerRow { symbol, last, mark: some, index: some, bid: some, ask: some }
}

pub(super) fn instrument(symbol: Symbol) -> InstrumentRow {
    InstrumentRow {
        symbol,
        trading: true,
        base: Coin::clipped("BASE"),
        quote: Coin::clipped("USDT"),
        tick_size: Price(d(1, 1)),
        min_price: Price(d(1, 1)),
        max_price: Price(d(2_000_000, 0)),
        quantity_step: Quantity(d(1, 3)),
        min_quantity: Quantity(d(1, 3)),
        max_limit_quantity: Quantity(d(1_000, 0)),
        max_market_quantity: Quantity(d(500, 0)),
        min_notional: Money(d(5, 0)),
        price_limit_ratio_x: Ratio(d(1, 2)),
        price_limit_ratio_y: Ratio(d(2, 2)),
        max_leverage: Ratio(d(100, 0)),
    }
}
