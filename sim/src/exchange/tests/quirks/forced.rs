//! What is done to the account: deleveraging, liquidation, delisting, funding, other hands.

use super::*;
use Side::{Buy, Sell};
use TimeInForce::Gtc;
use order_manager_core::bybit::{ExecutionRow, OrderStatus};

fn kinds(desk: &Desk) -> Vec<ExecType> {
    desk.exchange.truth().executions.iter().map(|e| e.exec_type).collect()
}

/// The rows of the execution pushes so far.
fn told(desk: &Desk) -> Vec<ExecutionRow> {
    let rows = desk.pushes.iter().filter_map(|out| match &out.push.rows {
        PushRows::Executions(rows) => Some(rows.clone()),
        _ => None,
    });
    rows.flatten().collect()
}

#[test]
fn q63_adl_takes_a_part_of_the_position_and_what_only_reduces_shrinks() {
    let mut desk = Desk::new();
    desk.hold("0.3");
    desk.create(Create { reduce_only: true, ..limit("exit", Sell, "0.3", "60500", Gtc) }).unwrap();
    desk.news();
    desk.price("60100");
    desk.quirk(Quirk::Adl { symbol: btc(), quantity: Some(q("0.1")) });
    assert_eq!(
        desk.heard(),
        [
            "O(Filled 0.1 of 0.1@59499)",
            "E(0.1@60100 t)",
            "P(0.2)",
            "W(99996.7844835)",
            "O(New 0 of 0.2@60500)",
            "P(0.2)"
        ]
    );
    let adl = &desk.exchange.truth().orders[2];
    assert_eq!((adl.origin, adl.link, adl.row().status), (Origin::Adl, None, OrderStatus::Filled));
    assert_eq!(kinds(&desk), [ExecType::Trade, ExecType::AdlTrade]);
    desk.balances();
    desk.quirk(Quirk::Adl { symbol: btc(), quantity: Some(q("5")) });
    assert_eq!(desk.size(), q("0"), "never more than is held");
    desk.news();
    desk.quirk(Quirk::Adl { symbol: btc(), quantity: None });
    assert_eq!(desk.heard(), [""; 0], "nothing is held");
    desk.balances();
}

#[test]
fn q63_adl_of_a_short_position_buys() {
    let mut desk = Desk::new();
    desk.create(market("short", Sell, "0.2")).unwrap();
    desk.news();
    desk.quirk(Quirk::Adl { symbol: btc(), quantity: None });
    assert_eq!((desk.size(), desk.exchange.truth().executions[1].side), (q("0"), Buy));
    desk.balances();
}

#[test]
fn q63_a_liquidation_cancels_and_takes_over_at_the_bankruptcy_price() {
    let mut desk = Desk::new();
    desk.hold("0.3");
    desk.rest("a", "59000");
    desk.create(limit("young", Buy, "0.1", "58000", Gtc)).unwrap();
    desk.act(Act::Liquidation);
    let by = "CancelAllBeforeLiq/EC_NoError";
    assert_eq!(
        desk.news(),
        [
            &format!("O(Cancelled 0 of 0.1@59000; {by})"),
            &format!("O(Cancelled 0 of 0.1@58000; {by})"),
            "O(Filled 0.3 of 0.3@59400)",
            "E(0.3@54000 t)"
        ]
    );
    assert_eq!(kinds(&desk), [ExecType::Trade, ExecType::BustTrade]);
    assert_eq!(desk.size(), q("0"));
    // A tenth of what was bought is gone with the margin, and what the tick cost.
    assert_eq!(desk.exchange.truth().realised, usd("-1800.03"));
    desk.balances();
}

#[test]
fn q63_orders_are_cancelled_before_a_liquidation_that_does_not_come() {
    let mut desk = Desk::new();
    desk.hold("0.3");
    desk.rest("a", "59000");
    desk.act(Act::LiquidationCancel);
    assert_eq!(desk.news(), ["O(Cancelled 0 of 0.1@59000; CancelAllBeforeLiq/EC_NoError)"]);
    assert_eq!(desk.size(), q("0.3"));
}

#[test]
fn q63_a_delisted_instrument_has_no_orders_no_position_and_no_trading_ever_again() {
    let mut desk = Desk::new();
    desk.hold("0.3");
    desk.rest("a", "59000");
    desk.act(Act::Delist);
    let cancelled = "O(Cancelled 0 of 0.1@59000; CancelBySettle/EC_NoError)";
    assert_eq!(desk.news(), [cancelled, "O(Filled 0.3 of 0.3@59400)", "E(0.3@60000 t)"]);
    assert_eq!(kinds(&desk), [ExecType::Trade, ExecType::Settle]);
    desk.exchange.heal(desk.now);
    assert_eq!(desk.code(Request::Create(limit("b", Buy, "0.1", "59900", Gtc))), 110074);
    let rules = desk.ask(Request::Instrument { category: Category::Linear, symbol: btc() });
    assert!(matches!(rules, Ok(Reply::Instruments(page)) if !page.rows[0].trading));
    desk.balances();
}

#[test]
fn q26_funding_is_cash_and_moves_nothing() {
    let mut desk = Desk::new();
    desk.hold("0.3");
    let before = desk.exchange.truth().wallet.0;
    let rate = Ratio(decimal::parse("0.0001").unwrap());
    desk.quirk(Quirk::Funding { symbol: btc(), rate });
    desk.wait(20);
    let row = told(&desk)[0];
    assert_eq!((row.exec_type, row.fee, row.quantity, row.link), (ExecType::Funding, usd("1.8"), q("0.3"), None));
    assert_eq!((desk.size(), before - desk.exchange.truth().wallet.0), (q("0.3"), usd("1.8").0));
    desk.balances();
    desk.act(Act::ManualClose);
    desk.wait(20);
    desk.create(market("short", Sell, "0.1")).unwrap();
    desk.wait(20);
    desk.pushes.clear();
    desk.quirk(Quirk::Funding { symbol: btc(), rate });
    desk.wait(20);
    assert_eq!(told(&desk)[0].fee, usd("-0.6"), "shorts are paid");
    desk.balances();
}

#[test]
fn q26_q29_an_execution_of_an_unknown_kind_moves_the_position() {
    let mut desk = Desk::new();
    desk.quirk(Quirk::UnknownExecution { symbol: btc(), side: Sell, quantity: q("0.2") });
    assert_eq!(desk.size(), q("-0.2"));
    desk.wait(20);
    assert!(!told(&desk)[0].exec_type.moves_position(), "as far as anybody can tell");
    desk.balances();
}

#[test]
fn q25_orders_of_others_rest_fill_and_go() {
    let mut desk = Desk::new();
    let foreign = |link| {
        let (side, quantity, away) = (Buy, q("0.1"), Ratio(decimal::parse("0.001").unwrap()));
        Quirk::ForeignOrder { symbol: btc(), side, quantity, away, link, reduce_only: false }
    };
    desk.quirk(foreign(None));
    desk.quirk(foreign(Some(link("theirs"))));
    desk.rest("a", "59000");
    let page = desk.orders(Request::OpenOrders(orders_of(None)));
    let links: Vec<_> = page.rows.iter().map(|row| row.link.map(|link| link.to_string())).collect();
    assert_eq!(links, [Some("a".to_owned()), Some("theirs".to_owned()), None]);
    assert_eq!(desk.exchange.resting_price(btc()), Some(px("59000")), "theirs are not ours");
    assert!(desk.exchange.truth().links.keys().all(|name| *name == link("a")));
    desk.act(Act::ForeignCancel);
    let by = "CancelByUser/EC_PerCancelRequest";
    let cancelled = format!("O(Cancelled 0 of 0.1@59940; {by})");
    assert_eq!(desk.news(), [cancelled.clone(), cancelled]);
    desk.quirk(foreign(None));
    desk.price("59900");
    desk.news();
    assert_eq!(desk.size(), q("0.1"));
    desk.balances();
}

#[test]
fn hands_cancel_and_close() {
    let mut desk = Desk::new();
    desk.hold("0.3");
    desk.rest("a", "59000");
    desk.act(Act::ManualCancel);
    assert_eq!(desk.news(), ["O(Cancelled 0 of 0.1@59000; CancelByUser/EC_PerCancelRequest)"]);
    desk.act(Act::ManualClose);
    assert_eq!(desk.news(), ["O(Filled 0.3 of 0.3@59400)", "E(0.3@59999.9 t)"]);
    assert_eq!((desk.size(), desk.exchange.truth().orders[2].origin), (q("0"), Origin::Other));
    desk.act(Act::ManualClose);
    assert_eq!(desk.heard(), [""; 0]);
    desk.balances();
}

#[test]
fn q62_q63_the_exchange_cancels_one_or_all() {
    let mut desk = Desk::new();
    for name in ["a", "b", "c"] {
        desk.rest(name, "59000");
    }
    desk.act(Act::AdminCancelOne);
    assert_eq!(desk.news(), ["O(Cancelled 0 of 0.1@59000; CancelByAdmin/EC_NoError)"]);
    assert!(desk.exchange.truth().orders[0].is_closed());
    desk.quirk(Quirk::Dcp);
    let dcp = "O(Cancelled 0 of 0.1@59000; CancelByDCP/EC_NoError)";
    assert_eq!(desk.news(), [dcp, dcp]);
    desk.balances();
}

#[test]
fn another_leverage_holds_another_margin_and_gives_all_of_it_back() {
    let mut desk = Desk::new();
    desk.rest("a", "59900");
    desk.create(limit("young", Buy, "0.1", "59900", Gtc)).unwrap();
    let held = |desk: &Desk| usd("100000").0 - desk.exchange.available().0;
    let before = held(&desk);
    let leverage = Ratio(Decimal::TWO);
    desk.quirk(Quirk::Leverage { symbol: btc(), leverage });
    assert!(held(&desk) > before * Decimal::from(4), "ten times became two");
    desk.news();
    desk.quirk(Quirk::Dcp);
    assert_eq!(held(&desk), Decimal::ZERO);
    desk.balances();
}
