//! Views that lag, retention and paging (bybit-v5.md 2.7 to 2.10, 8.4).

use super::*;
use Side::{Buy, Sell};
use TimeInForce::Gtc;
use order_manager_core::bybit::{ExecutionRow, OrderStatus};
use order_manager_core::unit::{Coin, Text};
use std::collections::BTreeSet;

fn open(name: Option<&str>) -> Request {
    Request::OpenOrders(orders_of(name))
}
fn history(name: Option<&str>) -> Request {
    Request::OrderHistory(orders_of(name))
}

#[test]
fn realtime_lags_behind_the_engine_and_shows_the_past_meanwhile() {
    let mut desk = Desk::new();
    desk.create(limit("a", Buy, "0.1", "59900", Gtc)).unwrap();
    desk.wait(6);
    assert!(desk.orders(open(Some("a"))).is_empty(), "decided at 2 ms, visible at 7 ms");
    desk.wait(1);
    assert_eq!(desk.orders(open(Some("a"))).rows[0].status, OrderStatus::New);
    desk.price("59800");
    desk.wait(4);
    assert_eq!(desk.orders(open(None)).rows[0].status, OrderStatus::New, "stale");
    desk.wait(1);
    assert!(desk.orders(open(None)).is_empty(), "closed orders leave the list");
    assert_eq!(desk.orders(open(Some("a"))).rows[0].status, OrderStatus::Filled, "by id they are found");
}

#[test]
fn history_and_executions_lag_and_their_lag_can_be_turned() {
    let mut desk = Desk::new();
    desk.create(market("a", Buy, "0.1")).unwrap();
    desk.wait(501);
    assert!(desk.orders(history(Some("a"))).is_empty());
    desk.wait(1);
    assert_eq!(desk.orders(history(Some("a"))).rows[0].status, OrderStatus::Filled);
    assert_eq!(executions(&mut desk, executions_of(Some("a"))).rows.len(), 1);
    let knobs = desk.exchange.knobs_mut();
    knobs.history_lag = Some(Span::secs(15));
    knobs.executions_lag = Some(Span::secs(15));
    assert!(desk.orders(history(Some("a"))).is_empty());
    assert!(executions(&mut desk, executions_of(Some("a"))).is_empty());
}

#[test]
fn an_order_without_fill_is_forgotten_after_a_day_and_the_cache_can_be_lost() {
    let mut desk = Desk::new();
    desk.create(limit("a", Buy, "0.1", "59900", Gtc)).unwrap();
    desk.create(market("b", Buy, "0.1")).unwrap();
    desk.wait(20);
    desk.cancel("a").unwrap();
    desk.wait(86_400_000);
    assert_eq!(desk.orders(history(None)).rows.len(), 2);
    desk.wait(1_000);
    let rows = desk.orders(history(None)).rows;
    assert_eq!(rows.len(), 1);
    assert!(desk.orders(history(Some("a"))).is_empty());
    assert_eq!(desk.orders(open(Some("a"))).rows.len(), 1, "realtime may hold it longer");
    desk.exchange.clear_closed_cache();
    assert!(desk.orders(open(Some("a"))).is_empty());
}

#[test]
fn realtime_finds_only_the_last_closed_orders() {
    let mut desk = Desk::with(|config| config.closed_cache = 2);
    for name in ["a", "b", "c"] {
        desk.create(market(name, Buy, "0.001")).unwrap();
        desk.wait(20);
    }
    assert!(desk.orders(open(Some("a"))).is_empty());
    assert_eq!(desk.orders(open(Some("b"))).rows.len(), 1);
    assert_eq!(desk.orders(open(Some("c"))).rows.len(), 1);
}

/// Realtime: 120 open orders in pages of 50, each once, newest first, a cursor even on the last page.
#[test]
fn paging_over_120_orders_sees_each_exactly_once() {
    let mut desk = Desk::new();
    for i in 0..120 {
        desk.create(limit(&format!("o{i}"), Buy, "0.001", "59000", Gtc)).unwrap();
        desk.wait(1);
    }
    desk.wait(100);
    let sizes = page_sizes(&mut desk, Request::OpenOrders);
    assert_eq!(sizes, [50, 50, 20, 0]);
    for i in 0..120 {
        desk.cancel(&format!("o{i}")).unwrap();
    }
    desk.wait(1_000);
    assert_eq!(page_sizes(&mut desk, Request::OrderHistory), [50, 50, 20, 0]);
}

fn page_sizes(desk: &mut Desk, request: fn(OrderQuery) -> Request) -> Vec<usize> {
    let mut query = orders_of(None);
    let (mut seen, mut sizes, mut last) = (BTreeSet::new(), Vec::new(), ExchangeTime(u64::MAX));
    loop {
        let page = desk.orders(request(query.clone()));
        sizes.push(page.len());
        for row in &page.rows {
            assert!(row.created <= last, "newest first");
            last = row.created;
            assert!(seen.insert(row.link), "{:?} twice", row.link);
        }
        match page.cursor {
            Some(cursor) => query.cursor = Some(cursor),
            None => break,
        }
    }
    assert_eq!(seen.len(), 120);
    sizes
}

#[test]
fn executions_page_newest_first_and_an_id_overrides_the_times() {
    let mut desk = Desk::thin("0.001", "0.001", "1");
    desk.create(market("many", Buy, "0.15")).unwrap();
    desk.wait(1_000);
    desk.create(market("later", Sell, "0.001")).unwrap();
    desk.wait(1_000);
    let first = executions(&mut desk, executions_of(None));
    assert_eq!(first.rows.len(), 100);
    assert_eq!(first.rows[0].link, Some(Text::clipped("later")));
    let rest = executions(&mut desk, ExecutionQuery { cursor: first.cursor, ..executions_of(None) });
    let ids: BTreeSet<_> = first.rows.iter().chain(&rest.rows).map(|e| e.exec_id).collect();
    assert_eq!(ids.len(), 151);
    let old = Some(ExchangeTime(0));
    let by_link =
        executions(&mut desk, ExecutionQuery { start: old, end: old, limit: 100, ..executions_of(Some("later")) });
    assert_eq!(by_link.rows.len(), 1);
    assert!(executions(&mut desk, ExecutionQuery { start: old, end: old, ..executions_of(None) }).is_empty());
}

#[test]
fn windows_limits_cursors_and_scopes_are_checked() {
    let mut desk = Desk::new();
    let week = 7 * 86_400_000;
    let times = |start: u64, end: u64| (Some(ExchangeTime(start)), Some(ExchangeTime(end)));
    let (start, end) = times(1_000, 1_000 + week);
    assert_eq!(desk.code(Request::OrderHistory(OrderQuery { start, end, ..orders_of(None) })), 0);
    let (start, end) = times(1_000, 1_001 + week);
    assert_eq!(desk.code(Request::OrderHistory(OrderQuery { start, end, ..orders_of(None) })), 181010);
    assert_eq!(desk.code(Request::Executions(ExecutionQuery { start, end, ..executions_of(None) })), 181010);
    assert_eq!(desk.code(Request::OpenOrders(OrderQuery { symbol: None, ..orders_of(None) })), 10001);
    assert_eq!(desk.code(Request::OpenOrders(OrderQuery { limit: 51, ..orders_of(None) })), 10001);
    let cursor = Some(Box::new(Text::clipped("nonsense")));
    assert_eq!(desk.code(Request::OpenOrders(OrderQuery { cursor, ..orders_of(None) })), 10001);
}

#[test]
fn a_flat_position_shows_by_symbol_and_hides_by_coin() {
    let mut desk = Desk::new();
    let by = |symbol: Option<Symbol>, coin: Option<&str>| Request::Positions {
        category: Category::Linear,
        symbol,
        settle_coin: coin.map(|coin| Coin::new(coin).unwrap()),
        cursor: None,
    };
    let positions = |desk: &mut Desk, request: Request| match desk.ask(request) {
        Ok(Reply::Positions(page)) => page.rows,
        other => panic!("{other:?}"),
    };
    let flat = positions(&mut desk, by(Some(btc()), None));
    assert_eq!((flat[0].side, flat[0].seq, flat[0].average_price), (None, -1, None));
    assert!(positions(&mut desk, by(None, Some("USDT"))).is_empty());
    assert_eq!(desk.code(by(None, None)), 10001);
    desk.create(market("a", Sell, "0.1")).unwrap();
    desk.wait(20);
    let rows = positions(&mut desk, by(None, Some("USDT")));
    assert_eq!((rows.len(), rows[0].side, rows[0].size), (1, Some(Sell), q("0.1")));
}

#[test]
fn tickers_and_instruments_tell_the_market() {
    let mut desk = Desk::new();
    let Ok(Reply::Tickers(page)) = desk.ask(Request::Ticker { category: Category::Linear, symbol: btc() }) else {
        panic!()
    };
    assert_eq!((page.rows[0].bid, page.rows[0].ask), (Some(px("59999.9")), Some(px("60000.1"))));
    let Ok(Reply::Instruments(page)) = desk.ask(Request::Instrument { category: Category::Linear, symbol: btc() })
    else {
        panic!()
    };
    assert_eq!(page.rows[0], InstrumentConfig::btcusdt().rules());
}

fn executions(desk: &mut Desk, query: ExecutionQuery) -> Page<ExecutionRow> {
    match desk.ask(Request::Executions(query)) {
        Ok(Reply::Executions(page)) => page,
        other => panic!("{other:?}"),
    }
}
