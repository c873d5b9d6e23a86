//! A fault counts where it took effect.

use super::*;

impl Desk {
    /// How many faults took effect, this one included.
    fn after(&mut self, quirk: Quirk) -> u64 {
        assert!(self.exchange.quirk(self.now, &quirk));
        self.exchange.acted().faults()
    }
    fn acted(&self) -> u64 {
        self.exchange.acted().faults()
    }
}

#[test]
fn a_lag_counts_once_with_the_first_request_that_it_is_about() {
    let mut desk = Desk::new();
    assert_eq!(desk.after(Quirk::Lag { what: Lag::Executions, lag: Span::secs(3) }), 0);
    desk.ask(Request::OpenOrders(orders_of(None))).unwrap();
    assert_eq!(desk.acted(), 0);
    for _ in 0..2 {
        desk.ask(Request::Executions(executions_of(None))).unwrap();
        assert_eq!(desk.acted(), 1);
    }
    desk.after(Quirk::Lag { what: Lag::Executions, lag: Span::ZERO });
    desk.ask(Request::Executions(executions_of(None))).unwrap();
    assert_eq!(desk.acted(), 1, "no lag is no fault");
}

#[test]
fn a_lag_of_pushes_counts_with_a_push_of_its_topic() {
    let mut desk = Desk::new();
    desk.after(Quirk::Lag { what: Lag::ExecutionPush, lag: Span::millis(5) });
    desk.create(limit("a", Side::Buy, "0.1", "59900", TimeInForce::Gtc)).unwrap();
    desk.wait(20);
    assert_eq!(desk.acted(), 0);
    desk.price("59900");
    desk.wait(20);
    assert_eq!(desk.acted(), 1);
}

#[test]
fn what_is_in_store_counts_with_each_order_that_meets_it() {
    let mut desk = Desk::new();
    assert_eq!(desk.after(Quirk::Next { what: Fate::Rejected, count: 3 }), 0);
    for (name, acted) in [("a", 1), ("b", 2)] {
        desk.create(limit(name, Side::Buy, "0.1", "59900", TimeInForce::Gtc)).unwrap();
        desk.wait(20);
        assert_eq!(desk.acted(), acted);
    }
}

#[test]
fn what_is_done_to_nothing_counts_for_nothing() {
    let mut desk = Desk::new();
    let symbol = btc();
    for what in [Act::ManualCancel, Act::ManualClose, Act::AdminCancel, Act::OneWayMode, Act::Liquidation] {
        assert_eq!(desk.after(Quirk::Act { what, symbol }), 0, "{what:?}");
    }
    desk.create(limit("a", Side::Buy, "0.1", "59900", TimeInForce::Gtc)).unwrap();
    desk.wait(20);
    assert_eq!(desk.after(Quirk::Act { what: Act::ManualCancel, symbol }), 1);
    assert_eq!(desk.after(Quirk::Act { what: Act::HedgeMode, symbol }), 2);
}

#[test]
fn a_spell_that_is_over_counts_for_nothing() {
    let mut desk = Desk::new();
    desk.after(Quirk::Spell { what: Spell::Ban, length: Span::secs(1) });
    desk.wait(1_000);
    desk.ask(Request::OpenOrders(orders_of(None))).unwrap();
    assert_eq!(desk.acted(), 0);
    desk.after(Quirk::Spell { what: Spell::Ban, length: Span::secs(1) });
    assert!(desk.ask(Request::OpenOrders(orders_of(None))).is_err());
    assert_eq!(desk.acted(), 1);
}
