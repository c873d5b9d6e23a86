//! Delays, margin and the account's figures (bybit-v5.md 9.4, 10.2).

use super::*;
use Side::{Buy, Sell};
use TimeInForce::Gtc;

#[test]
fn the_engine_decides_a_delay_after_the_ack_and_pushes_a_delay_after_that() {
    let mut desk = Desk::new();
    desk.create(market("a", Buy, "0.1")).unwrap();
    assert!(desk.exchange.truth().executions.is_empty(), "an ack promises only");
    assert_eq!(desk.exchange.next_due(), Some(T0.after(Span::millis(2))));
    desk.wait(4);
    assert!(desk.pushes.is_empty());
    desk.wait(1);
    assert!(desk.pushes.iter().all(|out| out.at == T0.after(Span::millis(5))));
    assert_eq!(desk.pushes.len(), 4, "order, execution, position, wallet");
    assert_eq!(desk.exchange.next_due(), None);
}

/// The example of 9.4: one BTC at 50000, ten times leverage, holds 5052.25.
#[test]
fn an_order_holds_its_cost_from_the_ack_to_the_engines_cancel() {
    let mut desk = Desk::with(|config| config.instruments[0].price = px("50000"));
    desk.create(limit("a", Buy, "1", "50000", TimeInForce::PostOnly)).unwrap();
    assert_eq!(desk.exchange.available(), usd("94947.75"));
    desk.wait(20);
    desk.cancel("a").unwrap();
    assert_eq!(desk.exchange.available(), usd("94947.75"));
    desk.wait(20);
    assert_eq!(desk.exchange.available(), usd("100000"));
}

#[test]
fn only_the_dearer_side_holds_and_what_reduces_holds_nothing() {
    let mut desk = Desk::new();
    desk.create(market("open", Buy, "1")).unwrap();
    desk.wait(20);
    let free = desk.exchange.available();
    desk.create(limit("close", Sell, "1", "60500", Gtc)).unwrap();
    assert_eq!(desk.exchange.available(), free, "closes the position");
    desk.create(limit("more", Sell, "1", "60500", Gtc)).unwrap();
    let with_sell = desk.exchange.available();
    assert!(with_sell < free);
    desk.create(limit("buy", Buy, "0.5", "59500", Gtc)).unwrap();
    assert_eq!(desk.exchange.available(), with_sell, "the other side is dearer");
}

#[test]
fn the_wallet_tells_cash_equity_and_margins() {
    let mut desk = Desk::new();
    desk.create(market("open", Buy, "1")).unwrap();
    desk.wait(20);
    desk.price("61000");
    let Ok(Reply::Wallet(wallet)) = desk.ask(Request::Wallet) else { panic!() };
    let coin = wallet.coins[0];
    assert_eq!(coin.wallet_balance, usd("99966.999945"), "100000 - 60000.1 * 0.00055");
    assert_eq!(coin.equity, usd("100966.899945"));
    assert_eq!(coin.position_margin, Some(usd("6129.7000495")), "6100 + 54000.09 * 0.00055");
    assert_eq!(coin.order_margin, Some(usd("0")));
    assert_eq!(wallet.total_available, Some(usd("94837.1998955")));
}

#[test]
fn orders_of_one_price_fill_in_order_of_arrival_and_an_amend_up_loses_its_place() {
    let mut desk = Desk::thin("1000", "1000", "0.1");
    for name in ["a", "b"] {
        desk.create(limit(name, Buy, "0.1", "59900", Gtc)).unwrap();
        desk.wait(20);
    }
    desk.amend("a", None, Some("0.2")).unwrap();
    desk.wait(20);
    desk.price("59900");
    let truth = desk.exchange.truth();
    assert_eq!(truth.executions.len(), 1);
    assert_eq!(truth.executions[0].link, Some(link("b")));
}

#[test]
fn the_configuration_reads_from_toml_and_refuses_unknown_words() {
    let text = "wallet = \"500\"\n[liquidity]\nbest = \"0.5\"\n[delays]\nengine_ms = 7\n";
    let config: ExchangeConfig = toml::from_str(text).unwrap();
    assert_eq!((config.wallet, config.liquidity.best, config.delays.engine_ms), (usd("500"), q("0.5"), 7));
    assert_eq!(config.fees, Fees::default());
    assert!(toml::from_str::<ExchangeConfig>("walet = \"500\"").is_err());
    let round: ExchangeConfig = toml::from_str(&toml::to_string(&ExchangeConfig::default()).unwrap()).unwrap();
    assert_eq!(round, ExchangeConfig::default());
}
