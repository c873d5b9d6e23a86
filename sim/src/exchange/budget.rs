//! Who may come in: the time window (bybit-v5.md 1.2) and the rolling budgets of one second (1.5).

use super::{Budgets, Exchange, Signed, clock, refusal};
use order_manager_core::bybit::{ApiError, LimitHeaders, Operation};
use order_manager_core::unit::{Span, Text, Timestamp};
use std::collections::{BTreeMap, VecDeque};

const SECOND: Span = Span::secs(1);

/// When the requests of the last second came, per endpoint; never more than its limit.
#[derive(Clone, Debug, Default)]
pub(super) struct Windows(BTreeMap<Operation, VecDeque<Timestamp>>);

impl Exchange {
    /// Lets a request in or refuses it, before anybody has looked at what it asks.
    pub(super) fn admit(
        &mut self,
        now: Timestamp,
        signed: Signed,
        operation: Operation,
    ) -> Result<LimitHeaders, (ApiError, LimitHeaders)> {
        let Some(limit) = self.config.budgets.of(operation) else { return Ok(LimitHeaders::default()) };
        check_time(now, signed).map_err(|error| (error, LimitHeaders::default()))?;
        let (admitted, limits) = self.windows.take(now, operation, limit);
        if admitted {
            return Ok(limits);
        }
        if Budgets::default().of(operation).is_some_and(|usual| limit < usual) {
            self.effects.refused_by_tight_budget();
        }
        Err((refusal::say(refusal::RATE), limits))
    }
}

/// `server_time - recv_window <= timestamp < server_time + 1000`
fn check_time(now: Timestamp, signed: Signed) -> Result<(), ApiError> {
    let (server, stamp, window) = (clock(now).0, signed.timestamp.0, u64::from(signed.recv_window_ms));
    if stamp.saturating_add(window) >= server && stamp < server.saturating_add(1_000) {
        return Ok(());
    }
    let words = format!(
        "invalid request, please check your server timestamp or recv_window param. \
         req_timestamp[{stamp}],server_timestamp[{server}],recv_window[{window}]"
    );
    Err(ApiError::Code { code: 10002, message: Text::clipped(&words) })
}

impl Windows {
    /// Takes one request from the budget, if there is one left; the headers say what remains.
    fn take(&mut self, now: Timestamp, operation: Operation, limit: u32) -> (bool, LimitHeaders) {
        let window = self.0.entry(operation).or_default();
        while window.front().is_some_and(|first| first.after(SECOND) <= now) {
            window.pop_front();
        }
        let room = (limit as usize).saturating_sub(window.len());
        if room > 0 {
            window.push_back(now);
        }
        // With room the reset is now; without it is when the oldest request leaves the window.
        let reset = if room > 0 { now } else { window.front().map_or(now, |first| first.after(SECOND)) };
        let left = room.saturating_sub(1) as u32;
        (room > 0, LimitHeaders { limit: Some(limit), remaining: Some(left), reset: Some(clock(reset)) })
    }
}

impl Budgets {
    /// Requests a second; none for public endpoints, which are neither signed nor counted here.
    #[must_use]
    pub fn of(&self, operation: Operation) -> Option<u32> {
        match operation {
            Operation::Create => Some(self.create),
            Operation::Cancel => Some(self.cancel),
            Operation::Amend => Some(self.amend),
            Operation::OpenOrders => Some(self.open_orders),
            Operation::OrderHistory => Some(self.order_history),
            Operation::Executions => Some(self.executions),
            Operation::Wallet => Some(self.wallet),
            Operation::Positions => Some(self.positions),
            Operation::Instruments | Operation::Tickers | Operation::ServerTime => None,
        }
    }
}
