//! What queries show: lags, gaps, blanks, pages.

use super::*;
use Side::{Buy, Sell};
use TimeInForce::Gtc;
use order_manager_core::bybit::OrderStatus;
use order_manager_core::bybit::{ExecutionRow, PositionRow, WalletRow};

fn open(name: Option<&str>) -> Request {
    Request::OpenOrders(orders_of(name))
}
fn history(name: Option<&str>) -> Request {
    Request::OrderHistory(orders_of(name))
}

fn executions(desk: &mut Desk, query: ExecutionQuery) -> Page<ExecutionRow> {
    match desk.ask(Request::Executions(query)) {
        Ok(Reply::Executions(page)) => page,
        other => panic!("{other:?}"),
    }
}

fn positions(desk: &mut Desk, symbol: Option<Symbol>) -> Vec<PositionRow> {
    let settle_coin = Some(order_manager_core::unit::Text::clipped("USDT"));
    match desk.ask(Request::Positions { category: Category::Linear, symbol, settle_coin, cursor: None }) {
        Ok(Reply::Positions(page)) => page.rows,
        other => panic!("{other:?}"),
    }
}

fn wallet(desk: &mut Desk) -> WalletRow {
    match desk.ask(Request::Wallet) {
        Ok(Reply::Wallet(row)) => row,
        other => panic!("{other:?}"),
    }
}

#[test]
fn q43_q45_q50_views_lag_as_long_as_they_are_told_to() {
    let mut desk = Desk::new();
    desk.lag(Lag::Realtime, 3_000);
    desk.lag(Lag::History, 4_000);
    desk.lag(Lag::Executions, 5_000);
    desk.hold("0.1");
    let seen = |desk: &mut Desk| {
        let (now, then) = (desk.orders(open(Some("hold-0"))).len(), desk.orders(history(Some("hold-0"))).len());
        (now, then, executions(desk, executions_of(None)).len())
    };
    assert_eq!(seen(&mut desk), (0, 0, 0));
    desk.wait(3_000);
    assert_eq!(seen(&mut desk), (1, 0, 0));
    desk.wait(1_000);
    assert_eq!(seen(&mut desk), (1, 1, 0));
    desk.wait(1_000);
    assert_eq!(seen(&mut desk), (1, 1, 1));
}

#[test]
fn positions_and_the_wallet_can_be_behind() {
    let mut desk = Desk::new();
    desk.hold("0.1");
    let before = wallet(&mut desk).coins[0].wallet_balance;
    desk.lag(Lag::Positions, 2_000);
    desk.lag(Lag::Wallet, 3_000);
    desk.hold("0.2");
    let sizes = |desk: &mut Desk| (positions(desk, Some(btc()))[0].size, positions(desk, None)[0].size);
    assert_eq!(sizes(&mut desk), (q("0.1"), q("0.1")));
    assert_eq!(wallet(&mut desk).coins[0].wallet_balance, before);
    desk.wait(2_000);
    assert_eq!(sizes(&mut desk), (q("0.3"), q("0.3")));
    assert_eq!(wallet(&mut desk).coins[0].wallet_balance, before);
    desk.wait(1_000);
    assert!(wallet(&mut desk).coins[0].wallet_balance < before);
    desk.create(Create { reduce_only: true, ..market("close", Sell, "0.3") }).unwrap();
    desk.wait(100);
    assert_eq!(positions(&mut desk, None).len(), 1, "still shown as held");
    desk.exchange.heal(desk.now);
    assert!(positions(&mut desk, None).is_empty());
}

#[test]
fn prices_and_instruments_can_be_behind() {
    let mut desk = Desk::new();
    desk.lag(Lag::Tickers, 2_000);
    desk.lag(Lag::Instruments, 3_000);
    let tick = Some(px("0.5"));
    assert!(desk.exchange.quirk(desk.now, &Quirk::Rules { symbol: btc(), tick, step: None }));
    desk.price("59800");
    let shown = |desk: &mut Desk| {
        let (category, symbol) = (Category::Linear, btc());
        let Ok(Reply::Tickers(tickers)) = desk.ask(Request::Ticker { category, symbol }) else { panic!("no tickers") };
        let Ok(Reply::Instruments(rules)) = desk.ask(Request::Instrument { category, symbol }) else {
            panic!("no rules")
        };
        (tickers.rows[0].last, rules.rows[0].tick_size)
    };
    assert_eq!(shown(&mut desk), (px("60000"), px("0.1")));
    desk.wait(2_000);
    assert_eq!(shown(&mut desk), (px("59800"), px("0.1")));
    desk.wait(1_000);
    assert_eq!(shown(&mut desk), (px("59800"), px("0.5")));
    desk.price("59900");
    desk.exchange.heal(desk.now);
    assert_eq!(shown(&mut desk).0, px("59900"));
}

#[test]
fn q44_what_has_just_ended_is_nowhere_for_a_while() {
    let mut desk = Desk::new();
    desk.rest("a", "59900");
    desk.lag(Lag::ClosedGap, 2_000);
    assert_eq!(desk.orders(open(Some("a"))).len(), 1);
    desk.price("59800");
    desk.wait(1_990);
    assert!(desk.orders(open(Some("a"))).is_empty());
    assert!(desk.orders(open(None)).is_empty());
    assert!(desk.orders(history(Some("a"))).is_empty());
    assert_eq!(executions(&mut desk, executions_of(Some("a"))).len(), 1, "executions tell");
    desk.wait(10);
    assert_eq!(desk.orders(open(Some("a"))).len(), 1);
    assert_eq!(desk.orders(history(Some("a"))).len(), 1);
}

#[test]
fn realtime_can_go_blank_and_history_goes_on() {
    let mut desk = Desk::new();
    desk.rest("a", "59900");
    desk.hold("0.1");
    desk.wait(1_000);
    desk.spell(Spell::RealtimeBlank, 1_000);
    assert!(desk.orders(open(None)).is_empty() && desk.orders(open(Some("a"))).is_empty());
    assert_eq!(desk.orders(history(None)).len(), 1);
    desk.wait(1_000);
    assert_eq!(desk.orders(open(None)).len(), 1);
}

#[test]
fn q46_amnesia_takes_the_closed_from_realtime_only() {
    let mut desk = Desk::new();
    desk.rest("a", "59900");
    desk.hold("0.1");
    desk.wait(1_000);
    desk.quirk(Quirk::Amnesia);
    assert!(desk.orders(open(Some("hold-1"))).is_empty());
    assert_eq!(desk.orders(open(Some("a"))).len(), 1);
    assert_eq!(desk.orders(history(Some("hold-1"))).len(), 1);
}

/// Asks for page after page of two rows, at most ten.
fn pages(desk: &mut Desk, request: fn(OrderQuery) -> Request) -> Vec<Vec<String>> {
    let (mut found, mut cursor) = (Vec::new(), None);
    while found.len() < 10 {
        let page = desk.orders(request(OrderQuery { limit: 2, cursor, ..orders_of(None) }));
        let names: Vec<String> = page.rows.iter().filter_map(|row| row.link.map(|link| link.to_string())).collect();
        let is_empty = names.is_empty();
        found.push(names);
        cursor = page.cursor;
        if cursor.is_none() || is_empty {
            break;
        }
    }
    found
}

fn five(desk: &mut Desk) {
    for name in ["a", "b", "c", "d", "e"] {
        desk.rest(name, "59900");
    }
}

#[test]
fn q49_rows_come_twice_across_pages_and_the_pages_end() {
    let mut desk = Desk::new();
    five(&mut desk);
    desk.spell(Spell::DuplicateRows, 60_000);
    let twice = [&["e", "d"][..], &["d", "c"], &["c", "b"], &["b", "a"], &["a"], &[]];
    assert_eq!(pages(&mut desk, Request::OpenOrders), twice);
}

#[test]
fn q49_an_order_is_in_realtime_and_in_history() {
    let mut desk = Desk::with(|config| config.delays.realtime_ms = 500);
    desk.rest("a", "59900");
    desk.wait(1_000);
    desk.spell(Spell::DuplicateRows, 60_000);
    desk.price("59800");
    desk.wait(100);
    assert_eq!(desk.orders(open(None)).rows[0].status, OrderStatus::New);
    assert_eq!(desk.orders(history(None)).rows[0].status, OrderStatus::Filled);
}

#[test]
fn q48_cursors_point_to_themselves_or_are_missing() {
    let mut desk = Desk::new();
    five(&mut desk);
    let whole = [&["e", "d"][..], &["c", "b"], &["a"], &[]];
    assert_eq!(pages(&mut desk, Request::OpenOrders), whole);
    desk.spell(Spell::CursorEnd, 60_000);
    assert_eq!(pages(&mut desk, Request::OpenOrders), whole[..3]);
    desk.exchange.heal(desk.now);
    desk.spell(Spell::CursorLoop, 60_000);
    let looped = pages(&mut desk, Request::OpenOrders);
    assert_eq!(looped[..2], whole[..2]);
    assert!(looped.len() == 10 && looped[2..].iter().all(|page| page == &["a"]), "{looped:?}");
}

#[test]
fn q50_executions_of_one_millisecond_come_in_the_wrong_order() {
    let mut desk = Desk::thin("0.03", "0.03", "1");
    desk.create(limit("a", Buy, "0.09", "60010", Gtc)).unwrap();
    desk.wait(1_000);
    let ids = |desk: &mut Desk| -> Vec<_> {
        executions(desk, executions_of(None)).rows.iter().map(|row| row.exec_id).collect()
    };
    let mut sorted = ids(&mut desk);
    desk.spell(Spell::UnsortedExecutions, 1_000);
    let unsorted = ids(&mut desk);
    assert_ne!(unsorted, sorted);
    sorted.reverse();
    assert_eq!(unsorted, sorted);
}

#[test]
fn q29_a_status_that_nobody_has_heard_of_is_shown_everywhere_and_is_not_true() {
    let mut desk = Desk::new();
    desk.spell(Spell::UnknownStatus, 1_000);
    desk.create(limit("a", Buy, "0.1", "59900", Gtc)).unwrap();
    assert!(desk.news()[0].contains("PendingNobodyKnows"));
    let row = desk.orders(open(Some("a"))).rows[0];
    assert!(matches!(row.status, OrderStatus::Other(_)));
    assert_eq!(desk.exchange.truth().orders[0].state.status, OrderStatus::New);
    desk.wait(1_000);
    assert_eq!(desk.orders(open(Some("a"))).rows[0].status, OrderStatus::New);
}

#[test]
fn q51_hedge_mode_shows_two_rows_and_refuses_one_way_orders() {
    let mut desk = Desk::new();
    desk.rest("a", "59900");
    desk.act(Act::HedgeMode);
    assert_eq!(positions(&mut desk, Some(btc())).len(), 1, "not while an order is open");
    desk.cancel("a").unwrap();
    desk.news();
    desk.act(Act::HedgeMode);
    let rows = positions(&mut desk, Some(btc()));
    assert_eq!(rows.iter().map(|row| row.position_idx).collect::<Vec<_>>(), [2, 1]);
    assert_eq!(desk.code(Request::Create(limit("b", Buy, "0.1", "59900", Gtc))), 10001);
    desk.act(Act::OneWayMode);
    assert_eq!(desk.code(Request::Create(limit("b", Buy, "0.1", "59900", Gtc))), 0);
}
