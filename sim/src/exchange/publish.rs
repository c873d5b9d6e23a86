//! What the exchange tells by itself (bybit-v5.md 4.4 to 4.8): one push per change, a delay after it.

use super::{Exchange, Timestamp, clock};
use order_manager_core::bybit::{Push, PushRows};
use order_manager_core::unit::Span;

impl Exchange {
    /// Tells an order's state; a position push always comes along, without meaning a fill (Q19).
    pub(super) fn tell_order(&mut self, at: Timestamp, number: u64) {
        let order = self.truth.order(number);
        let (row, market) = (order.row(), order.market);
        self.send(at, self.config.delays.order_push_ms, PushRows::Orders(vec![row]));
        self.tell_position(at, market);
    }

    /// Tells an order's state and its executions from number `from` on, if there are any.
    pub(super) fn tell_fills(&mut self, at: Timestamp, number: u64, from: usize) {
        let executions = &self.truth.executions[from..];
        if executions.is_empty() {
            self.tell_order(at, number);
            return;
        }
        let rows = executions.iter().map(|execution| execution.row()).collect();
        let order = self.truth.order(number);
        let (row, market) = (order.row(), order.market);
        let delays = self.config.delays;
        self.send(at, delays.order_push_ms, PushRows::Orders(vec![row]));
        self.send(at, delays.execution_push_ms, PushRows::Executions(rows));
        self.tell_position(at, market);
        self.send(at, delays.wallet_push_ms, PushRows::Wallets(vec![self.wallet_row()]));
    }

    fn tell_position(&mut self, at: Timestamp, market: usize) {
        let row = self.markets[market].position_row();
        self.send(at, self.config.delays.position_push_ms, PushRows::Positions(vec![row]));
    }

    fn send(&mut self, at: Timestamp, delay_ms: u64, rows: PushRows) {
        let leaves = at.after(Span::millis(delay_ms));
        let key = (leaves, self.arrival());
        self.outbox.insert(key, Push { time: Some(clock(leaves)), rows, bad: Vec::new() });
    }
}
