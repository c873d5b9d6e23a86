//! Request budgets: at most so many requests of an endpoint in any second (bybit-v5.md 1.5), the most urgent
//! first. What does not fit waits here, not in the adapter.

use crate::bybit::{Operation, Request};
use crate::input::Tag;
use crate::unit::{Span, Timestamp};
use alloc::collections::{BTreeMap, VecDeque};

/// How urgent a request is; the smaller goes first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Urgency {
    /// Takes risk away.
    Cancel,
    /// Takes risk away.
    Reduce,
    /// Finds out what is true.
    Ask,
    /// Takes risk on.
    Open,
}

/// Requests that wait for their budget, and what was spent.
#[derive(Clone, Debug, Default)]
pub struct Pace {
    waiting: BTreeMap<(Urgency, u64), (Tag, Request)>,
    arrivals: u64,
    spent: BTreeMap<Operation, VecDeque<Timestamp>>,
    held_until: BTreeMap<Operation, Timestamp>,
}

const WINDOW: Span = Span::millis(1_050);

impl Pace {
    /// Queues a request. A tag that waits already is not queued twice.
    pub fn queue(&mut self, urgency: Urgency, tag: Tag, request: Request) {
        if self.waiting.values().any(|(waiting, _)| *waiting == tag) {
            return;
        }
        self.waiting.insert((urgency, self.arrivals), (tag, request));
        self.arrivals = self.arrivals.saturating_add(1);
    }

    /// Takes back a request that has not gone yet.
    pub fn withdraw(&mut self, tag: Tag) {
        self.waiting.retain(|_, (waiting, _)| *waiting != tag);
    }

    /// Does this request wait here?
    #[must_use]
    pub fn is_waiting(&self, tag: Tag) -> bool {
        self.waiting.values().any(|(waiting, _)| *waiting == tag)
    }

    /// Nothing of this endpoint goes before `until`: the exchange said that its budget is spent.
    pub fn hold(&mut self, operation: Operation, until: Timestamp) {
        let held = self.held_until.entry(operation).or_insert(until);
        *held = (*held).max(until);
    }

    /// The most urgent request whose endpoint has room now.
    pub fn take(&mut self, now: Timestamp) -> Option<(Tag, Request)> {
        let key = self.waiting.iter().find(|(_, (_, request))| self.room_at(request.operation(), now) <= now)?.0;
        let key = *key;
        let (tag, request) = self.waiting.remove(&key)?;
        let spent = self.spent.entry(request.operation()).or_default();
        spent.push_back(now);
        if spent.len() > limit(request.operation()) {
            spent.pop_front();
        }
        Some((tag, request))
    }

    /// When the next waiting request may go.
    #[must_use]
    pub fn next(&self, now: Timestamp) -> Option<Timestamp> {
        self.waiting.values().map(|(_, request)| self.room_at(request.operation(), now)).min()
    }

    fn room_at(&self, operation: Operation, now: Timestamp) -> Timestamp {
        let held = self.held_until.get(&operation).copied().unwrap_or(now).max(now);
        match self.spent.get(&operation) {
            Some(spent) if spent.len() >= limit(operation) => {
                spent.front().map_or(held, |first| first.after(WINDOW).max(held))
            }
            _ => held,
        }
    }
}

/// Requests in any second: a step below Bybit's default of 10 and 50, because its window and ours differ by
/// the time on the way.
const fn limit(operation: Operation) -> usize {
    match operation {
        Operation::Create | Operation::Cancel | Operation::Amend => 8,
        _ => 40,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::unit::{Category, Symbol};

    fn ask(n: u32) -> (Tag, Request) {
        let symbol = Symbol::clipped(&alloc::format!("S{n}"));
        (Tag::Ticker(symbol), Request::Ticker { category: Category::Linear, symbol })
    }

    #[test]
    fn o5_no_second_sees_more_than_the_budget_and_the_urgent_go_first() {
        let mut pace = Pace::default();
        for n in 0..100 {
            let (tag, request) = ask(n);
            pace.queue(Urgency::Ask, tag, request);
        }
        let (tag, request) = ask(1000);
        pace.queue(Urgency::Cancel, tag, request);
        let mut sent = alloc::vec::Vec::new();
        let mut now = Timestamp(1_000_000);
        while let Some(at) = pace.next(now) {
            now = at.max(now);
            while let Some((tag, _)) = pace.take(now) {
                sent.push((now, tag));
            }
        }
        assert_eq!(sent.len(), 101);
        assert_eq!(sent[0].1, tag);
        for (at, _) in &sent {
            let within = sent.iter().filter(|(t, _)| *t >= *at && t.since(*at) < Span::secs(1)).count();
            assert!(within <= 50, "{within} requests within a second");
        }
    }

    #[test]
    fn o5_a_hold_is_kept() {
        let mut pace = Pace::default();
        let (tag, request) = ask(1);
        pace.hold(Operation::Tickers, Timestamp(500));
        pace.queue(Urgency::Ask, tag, request);
        assert_eq!(pace.take(Timestamp(499)), None);
        assert_eq!(pace.next(Timestamp(0)), Some(Timestamp(500)));
        assert!(pace.take(Timestamp(500)).is_some());
    }
}
