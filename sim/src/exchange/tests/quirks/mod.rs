//! Each quirk for itself (bybit-v5.md 8): what it shows, what it does to the account, and how it ends.

mod engine;
mod forced;
mod front;
mod views;

use super::*;

impl Desk {
    /// Turns a quirk on.
    fn quirk(&mut self, quirk: Quirk) {
        assert!(self.exchange.quirk(self.now, &quirk), "{quirk:?}");
    }
    fn spell(&mut self, what: Spell, ms: u64) {
        self.quirk(Quirk::Spell { what, length: Span::millis(ms) });
    }
    fn lag(&mut self, what: Lag, ms: u64) {
        self.quirk(Quirk::Lag { what, lag: Span::millis(ms) });
    }
    fn next(&mut self, what: Fate) {
        self.quirk(Quirk::Next { what, count: 1 });
    }
    fn act(&mut self, what: Act) {
        self.quirk(Quirk::Act { what, symbol: btc() });
    }
    /// Rests a buy limit, which everybody has heard of.
    fn rest(&mut self, name: &str, price: &str) {
        self.create(limit(name, Side::Buy, "0.1", price, TimeInForce::Gtc)).unwrap();
        self.news();
    }
    /// Buys at the market, which everybody has heard of.
    fn hold(&mut self, quantity: &str) {
        let name = format!("hold-{}", self.exchange.truth().orders.len());
        self.create(market(&name, Side::Buy, quantity)).unwrap();
        self.news();
    }
    fn size(&self) -> Quantity {
        self.exchange.position(btc()).unwrap().size
    }

    /// Nothing appeared and nothing was lost: the wallet is its sums, the position is its executions, and what an
    /// order tells is what its executions come to.
    fn balances(&self) {
        let (truth, position) = (self.exchange.truth(), self.exchange.position(btc()).unwrap());
        assert_eq!(truth.wallet.0, truth.start.0 + truth.realised.0 - truth.fees.0 - truth.funding.0);
        let [mut size, mut cash, mut funding, mut fees] = [Decimal::ZERO; 4];
        for e in &truth.executions {
            fees += if e.exec_type == ExecType::Funding { Decimal::ZERO } else { e.settle_fee().0 };
            funding += if e.exec_type == ExecType::Funding { e.fee.0 } else { Decimal::ZERO };
            if e.exec_type != ExecType::Funding {
                size += e.side.signed(e.quantity).0;
                cash -= e.side.signed(e.quantity).0 * e.price.0;
            }
        }
        assert_eq!((position.size.0, truth.fees.0, truth.funding.0), (size, fees, funding));
        let entry = if size.is_sign_negative() { -position.entry_value.0 } else { position.entry_value.0 };
        assert_eq!(truth.realised.0, cash + entry);
        for order in &truth.orders {
            let filled: Decimal = truth.executions_of(order).map(|e| e.quantity.0).sum();
            let fees: Decimal = truth.executions_of(order).map(|e| e.settle_fee().0).sum();
            assert_eq!((order.state.cum_quantity.0, order.state.cum_fee.0), (filled, fees));
        }
        let open = truth.orders.iter().filter(|order| !order.is_closed()).count();
        assert_eq!(self.exchange.markets[0].open, open);
        if open == 0 {
            assert!(self.exchange.markets[0].order_margin().is_zero(), "margin held by nobody");
        }
    }
}

use order_manager_core::bybit::ExecType;

#[test]
fn an_unknown_symbol_changes_nothing() {
    let mut desk = Desk::new();
    let symbol = Symbol::new("DOGEUSDT").unwrap();
    assert!(!desk.exchange.quirk(desk.now, &Quirk::Act { what: Act::Delist, symbol }));
    assert!(!desk.exchange.quirk(desk.now, &Quirk::Adl { symbol, quantity: None }));
    assert_eq!(desk.heard(), [""; 0]);
}

#[test]
fn healing_ends_whatever_would_have_ended_by_itself() {
    let mut desk = Desk::new();
    desk.rest("a", "59900");
    Lag::ALL.iter().for_each(|what| desk.lag(*what, 60_000));
    Fate::ALL.iter().for_each(|what| desk.next(*what));
    Spell::ALL.iter().for_each(|what| desk.spell(*what, 600_000));
    desk.act(Act::HedgeMode);
    assert!(desk.exchange.streams_closed_until(desk.now).is_some());
    desk.exchange.heal(desk.now);
    assert_eq!(*desk.exchange.knobs_mut(), Knobs::default());
    assert_eq!(desk.exchange.streams_closed_until(desk.now), None);
    assert!(desk.cancel("a").is_ok());
    assert_eq!(desk.news(), ["O(Cancelled 0 of 0.1@59900; CancelByUser/EC_PerCancelRequest)"]);
    desk.hold("0.1");
    assert_eq!(desk.size(), q("0.1"));
    desk.wait(700_000);
    let orders = desk.orders(Request::OpenOrders(orders_of(Some("hold-1"))));
    assert_eq!(orders.rows.len(), 1, "the maintenance's end does not come after all");
    desk.balances();
}

#[test]
fn spells_end_by_themselves() {
    let mut desk = Desk::new();
    for what in Spell::ALL {
        desk.spell(*what, 1_000);
        assert!(desk.exchange.is_under(*what, desk.now));
        desk.wait(1_000);
        assert!(!desk.exchange.is_under(*what, desk.now), "{what:?}");
    }
}
