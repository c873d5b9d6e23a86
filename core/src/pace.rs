//! Request budgets: at most so many requests of an endpoint in any second (bybit-v5.md 1.5), the most urgent
//! first. What does not fit waits here, not in the adapter.

use crate::bybit::{Operation, Request};
use crate::input::{Budgets, Tag};
use crate::unit::{Span, Timestamp};
use alloc::collections::BTreeMap;

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
    budgets: Budgets,
}

const WINDOW: Span = Span::millis(1_050);

impl Pace {
    /// Budgets of a memory that begins at `now`. What was spent in the second before nobody knows any more: for as long
    /// only what every spender leaves below Bybit's default may go.
    #[must_use]
    pub fn begun(now: Timestamp) -> Self {
        Self::resumed(Budgets { begun: Some(now), ..Budgets::default() })
    }

    /// Goes on with these budgets; nothing waits.
    #[must_use]
    pub fn resumed(budgets: Budgets) -> Self {
        Self { budgets, ..Self::default() }
    }

    /// Its budgets.
    #[must_use]
    pub const fn budgets(&self) -> &Budgets {
        &self.budgets
    }

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
        let held = self.budgets.held_until.entry(operation).or_insert(until);
        *held = (*held).max(until);
    }

    /// The most urgent request whose endpoint has room now.
    pub fn take(&mut self, now: Timestamp) -> Option<(Tag, Request)> {
        let key = self.waiting.iter().find(|(_, (_, request))| self.room_at(request.operation(), now) <= now)?.0;
        let key = *key;
        let (tag, request) = self.waiting.remove(&key)?;
        let spent = self.budgets.spent.entry(request.operation()).or_default();
        spent.push_back(now);
        if spent.len() > limit(request.operation()) {
            spent.pop_front();
        }
        Some((tag, request))
    }

    /// The same of cancels alone.
    pub fn take_cancel(&mut self, now: Timestamp) -> Option<(Tag, Request)> {
        let has_room = self.next_cancel(now).is_some_and(|at| at <= now);
        if has_room { self.take(now) } else { None } // nothing is more urgent
    }

    /// When the next waiting cancel may go.
    #[must_use]
    pub fn next_cancel(&self, now: Timestamp) -> Option<Timestamp> {
        let ((urgency, _), (_, request)) = self.waiting.first_key_value()?;
        (*urgency == Urgency::Cancel).then(|| self.room_at(request.operation(), now))
    }

    /// When the next waiting request may go.
    #[must_use]
    pub fn next(&self, now: Timestamp) -> Option<Timestamp> {
        self.waiting.values().map(|(_, request)| self.room_at(request.operation(), now)).min()
    }

    fn room_at(&self, operation: Operation, now: Timestamp) -> Timestamp {
        let held = self.budgets.held_until.get(&operation).copied().unwrap_or(now).max(now);
        let Some(spent) = self.budgets.spent.get(&operation) else { return held };
        let known = self.budgets.begun.map(|begun| begun.after(WINDOW)).filter(|known| *known > now);
        match known {
            Some(known) if spent.len() >= budget(operation).saturating_sub(limit(operation)) => known.max(held),
            _ if spent.len() >= limit(operation) => spent.front().map_or(held, |first| first.after(WINDOW).max(held)),
            _ => held,
        }
    }
}

/// Bybit's default of requests in any second (bybit-v5.md 1.5).
const fn budget(operation: Operation) -> usize {
    match operation {
        Operation::Create | Operation::Cancel | Operation::Amend => 10,
        _ => 50,
    }
}

/// A step below that, because its window and ours differ by the time on the way.
const fn limit(operation: Operation) -> usize {
    match operation {
        Operation::Create | Operation::Cancel | Operation::Amend => 8,
        _ => 40,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bybit::Cancel;
    use crate::fixture::link;
    use crate::unit::{Category, Symbol};
    use alloc::vec::Vec;

    fn ask(n: u32) -> (Tag, Request) {
        let symbol = Symbol::clipped(&alloc::format!("S{n}"));
        (Tag::Ticker(symbol), Request::Ticker { category: Category::Linear, symbol })
    }

    fn cancel(n: u8) -> (Tag, Request) {
        let (category, symbol, link) = (Category::Linear, Symbol::clipped("BTCUSDT"), link(n));
        (Tag::Cancel(link), Request::Cancel(Cancel { category, symbol, link, order_id: None }))
    }

    /// Takes everything as soon as it may go.
    fn drain(pace: &mut Pace) -> Vec<(Timestamp, Tag)> {
        let mut sent = Vec::new();
        let mut now = Timestamp(1_000_000);
        while let Some(at) = pace.next(now) {
            now = at.max(now);
            while let Some((tag, _)) = pace.take(now) {
                sent.push((now, tag));
            }
        }
        sent
    }

    fn most_within_a_second(sent: &[(Timestamp, Tag)]) -> usize {
        let within = |at: Timestamp| sent.iter().filter(|(t, _)| *t >= at && t.since(at) < Span::secs(1)).count();
        sent.iter().map(|(at, _)| within(*at)).max().unwrap_or_default()
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
        let sent = drain(&mut pace);
        assert_eq!(sent.len(), 101);
        assert_eq!(sent[0].1, tag);
        assert!(most_within_a_second(&sent) <= 50);
    }

    /// Bybit allows 10 in a second, and 50 questions (bybit-v5.md 1.5). What is spent on one is not on the other.
    #[test]
    fn o5_orders_have_the_smaller_budget_and_one_of_their_own() {
        let mut pace = Pace::default();
        for n in 0..30 {
            let (tag, request) = cancel(n);
            pace.queue(Urgency::Cancel, tag, request);
            let (tag, request) = ask(u32::from(n));
            pace.queue(Urgency::Ask, tag, request);
        }
        let (cancels, asks): (Vec<_>, Vec<_>) =
            drain(&mut pace).into_iter().partition(|(_, tag)| matches!(tag, Tag::Cancel(_)));
        assert_eq!((cancels.len(), asks.len()), (30, 30));
        assert!(most_within_a_second(&cancels) <= 10);
        assert!(cancels[29].0.since(cancels[0].0) < Span::secs(5), "the budget is used");
        assert_eq!(most_within_a_second(&asks), 30);
    }

    /// The one before may have spent its whole budget in the moment in which it ended.
    #[test]
    fn o5_a_memory_that_begins_spends_no_more_than_the_one_before_left() {
        for request in [cancel as fn(u8) -> (Tag, Request), |n| ask(u32::from(n))] {
            let fill = |pace: &mut Pace| {
                for n in 0..100 {
                    let (tag, request) = request(n);
                    pace.queue(Urgency::Ask, tag, request);
                }
            };
            let mut before = Pace::default();
            fill(&mut before);
            let now = Timestamp(1_000_000);
            let mut sent: Vec<_> = core::iter::from_fn(|| before.take(now)).map(|(tag, _)| (now, tag)).collect();
            let mut after = Pace::begun(now);
            fill(&mut after);
            sent.extend(drain(&mut after));
            assert_eq!(most_within_a_second(&sent), budget(request(0).1.operation()));
        }
    }

    #[test]
    fn o5_a_memory_that_goes_on_knows_what_was_spent_and_is_held() {
        let (now, mut before) = (Timestamp(1_000_000), Pace::default());
        let fill =
            |pace: &mut Pace| (0..20).map(cancel).for_each(|(tag, request)| pace.queue(Urgency::Cancel, tag, request));
        fill(&mut before);
        while before.take(now).is_some() {}
        before.hold(Operation::Tickers, Timestamp(9_000_000));
        let mut after = Pace::resumed(before.budgets().clone());
        assert_eq!(after.next(now), None);
        fill(&mut after);
        assert_eq!(after.next(now), Some(now.after(WINDOW)));
        let (tag, request) = ask(1);
        after.queue(Urgency::Ask, tag, request);
        while after.take(Timestamp(8_999_999)).is_some() {}
        assert!(after.is_waiting(tag));
    }

    #[test]
    fn o5_cancels_go_alone_where_nothing_else_may() {
        let mut pace = Pace::default();
        for (urgency, (tag, request)) in [(Urgency::Ask, ask(1)), (Urgency::Cancel, cancel(1))] {
            pace.queue(urgency, tag, request);
        }
        pace.hold(Operation::Cancel, Timestamp(500));
        assert_eq!((pace.take_cancel(Timestamp(499)), pace.next_cancel(Timestamp(499))), (None, Some(Timestamp(500))));
        assert_eq!(pace.take_cancel(Timestamp(500)), Some(cancel(1)));
        assert_eq!((pace.take_cancel(Timestamp(500)), pace.next_cancel(Timestamp(500))), (None, None));
        assert!(pace.is_waiting(ask(1).0));
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

    #[test]
    fn o5_one_endpoint_that_is_held_holds_back_no_other() {
        let mut pace = Pace::default();
        pace.hold(Operation::Tickers, Timestamp(500));
        for (tag, request) in [ask(1), cancel(1)] {
            pace.queue(Urgency::Ask, tag, request);
        }
        assert_eq!(pace.next(Timestamp(7)), Some(Timestamp(7)));
        assert_eq!(pace.take(Timestamp(7)).map(|(tag, _)| tag), Some(cancel(1).0));
        assert_eq!(pace.next(Timestamp(7)), Some(Timestamp(500)));
    }
}
