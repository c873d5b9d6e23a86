//! What the exchange tells by itself (bybit-v5.md 4.4 to 4.8): one push per change, a delay after it.

use super::quirk::Spell;
use super::{Exchange, Outbound, Timestamp, clock};
use order_manager_core::bybit::{OrderRow, OrderStatus, Push, PushRows};
use order_manager_core::unit::{Span, Text};

impl Exchange {
    /// Tells an order's state; a position push always comes along, without meaning a fill (Q19).
    pub(super) fn tell_order(&mut self, at: Timestamp, number: u64) {
        let order = self.truth.order(number);
        let (row, market) = (order.row(), order.market);
        if row.status == OrderStatus::New && self.is_under(Spell::SkipNew, at) {
            self.effects.spell(at, Spell::SkipNew);
        } else {
            self.send_order(at, row);
        }
        self.tell_position(at, market);
    }

    /// Tells an order's state and its executions from number `from` on, if there are any.
    pub(super) fn tell_fills(&mut self, at: Timestamp, number: u64, from: usize) {
        if self.truth.executions.len() == from {
            self.tell_order(at, number);
            return;
        }
        let order = self.truth.order(number);
        let (row, market) = (order.row(), order.market);
        self.send_order(at, row);
        self.tell_executions(at, market, from);
    }

    /// Tells executions from number `from` on, and what they did to the position and the wallet.
    pub(super) fn tell_executions(&mut self, at: Timestamp, market: usize, from: usize) {
        let rows = self.truth.executions[from..].iter().map(|execution| execution.row()).collect();
        let delays = self.config.delays;
        self.send(at, self.knobs.push_delays.execution, delays.execution_push_ms, PushRows::Executions(rows));
        self.tell_position(at, market);
        let wallet = self.wallet_row();
        self.send(at, self.knobs.push_delays.wallet, delays.wallet_push_ms, PushRows::Wallets(vec![wallet]));
    }

    /// An order's row as everybody is shown it.
    pub(super) fn shown(&self, at: Timestamp, mut row: OrderRow) -> OrderRow {
        if self.is_under(Spell::UnknownStatus, at) {
            row.status = OrderStatus::Other(Text::clipped("PendingNobodyKnows"));
        }
        row
    }

    fn send_order(&mut self, at: Timestamp, row: OrderRow) {
        self.effects.spell(at, Spell::UnknownStatus);
        let rows = PushRows::Orders(vec![self.shown(at, row)]);
        self.send(at, self.knobs.push_delays.order, self.config.delays.order_push_ms, rows);
    }

    /// Whoever is shown the wallet as it was will be shown this. Orders that come and go, fills and prices change it.
    pub(super) fn note_wallet(&mut self, at: Timestamp) {
        if let Some(lag) = self.knobs.wallet_lag {
            let wallet = self.wallet_row();
            self.past_wallet.note(at, lag, wallet);
        }
    }

    /// The same of a symbol's position, and of the wallet with it.
    pub(super) fn note_position(&mut self, at: Timestamp, market: usize) {
        self.note_wallet(at);
        if let Some(lag) = self.knobs.positions_lag {
            let market = &mut self.markets[market];
            let rows = market.position_rows();
            market.past.note(at, lag, rows);
        }
    }

    /// The same of its ticker, which the price changes.
    pub(super) fn note_ticker(&mut self, at: Timestamp, market: usize) {
        if let Some(lag) = self.knobs.tickers_lag {
            let market = &mut self.markets[market];
            let row = market.ticker();
            market.past_ticker.note(at, lag, row);
        }
    }

    /// The same of its rules.
    pub(super) fn note_rules(&mut self, at: Timestamp, market: usize) {
        if let Some(lag) = self.knobs.instruments_lag {
            let market = &mut self.markets[market];
            market.past_rules.note(at, lag, market.rules);
        }
    }

    fn tell_position(&mut self, at: Timestamp, market: usize) {
        self.note_position(at, market);
        let rows = self.markets[market].position_rows();
        let delay = self.config.delays.position_push_ms;
        self.send(at, self.knobs.push_delays.position, delay, PushRows::Positions(rows));
    }

    fn send(&mut self, at: Timestamp, delay: Option<Span>, usual_ms: u64, rows: PushRows) {
        let leaves = at.after(delay.unwrap_or(Span::millis(usual_ms)));
        let number = self.arrival();
        self.outbox.put(leaves, number, Push { time: Some(clock(leaves)), rows, bad: Vec::new() });
    }
}

/// Puts a push into one of the same topic that leaves at the same moment. False where there is none.
pub(super) fn merged(told: &mut [Outbound], at: Timestamp, push: &Push) -> bool {
    for out in told.iter_mut().filter(|out| out.at == at) {
        match (&mut out.push.rows, &push.rows) {
            (PushRows::Orders(all), PushRows::Orders(more)) => all.extend_from_slice(more),
            (PushRows::Executions(all), PushRows::Executions(more)) => all.extend_from_slice(more),
            (PushRows::Positions(all), PushRows::Positions(more)) => all.extend_from_slice(more),
            (PushRows::Wallets(all), PushRows::Wallets(more)) => all.extend_from_slice(more),
            _ => continue,
        }
        return true;
    }
    false
}
