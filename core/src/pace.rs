//! Request budgets: at most so many requests of an endpoint in any second (bybit-v5.md 1.5), the most urgent
//! first. What does not fit waits here, not in the adapter.

use crate::bybit::{Operation, Request};
use crate::input::{Ban, Budgets, Tag};
use crate::unit::{Span, Timestamp};
use alloc::collections::VecDeque;
use alloc::vec::Vec;

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
    /// The most urgent first; of the same urgency the one that came first.
    waiting: VecDeque<(Urgency, Tag, Request)>,
    budgets: Budgets,
    /// When something was last spent, and of which endpoints' budgets.
    last: Timestamp,
    spent_last: Vec<Operation>,
}

const WINDOW: Span = Span::millis(1_050);
/// How long nothing goes after a 403, which need not be a ban.
const PAUSE: Span = Span::millis(1_000);
/// An address that is banned is let in again after ten minutes without a request (bybit-v5.md 1.5). What had left before may
/// come there half a minute late.
const BAN: Span = Span::secs(630);

impl Pace {
    /// Goes on with these budgets; nothing waits.
    #[must_use]
    pub fn resumed(budgets: Budgets) -> Self {
        let last = budgets.spent.values().filter_map(VecDeque::back).max().copied().unwrap_or_default();
        let spent_last = budgets.spent.iter().filter(|(_, spent)| spent.back() == Some(&last));
        let spent_last = spent_last.map(|(operation, _)| *operation).collect();
        Self { waiting: VecDeque::new(), budgets, last, spent_last }
    }

    /// Its budgets.
    #[must_use]
    pub const fn budgets(&self) -> &Budgets {
        &self.budgets
    }

    /// Queues a request. A tag that waits already is not queued twice.
    pub fn queue(&mut self, urgency: Urgency, tag: Tag, request: Request) {
        if !self.is_waiting(tag) {
            let place = self.waiting.partition_point(|(before, ..)| *before <= urgency);
            self.waiting.insert(place, (urgency, tag, request));
        }
    }

    /// Takes back a request that has not gone yet.
    pub fn withdraw(&mut self, tag: Tag) {
        self.waiting.retain(|(_, waiting, _)| *waiting != tag);
    }

    /// Does this request wait here?
    #[must_use]
    pub fn is_waiting(&self, tag: Tag) -> bool {
        self.waiting.iter().any(|(_, waiting, _)| *waiting == tag)
    }

    /// Nothing of this endpoint goes before `until`: the exchange said that its budget is spent.
    pub fn hold(&mut self, operation: Operation, until: Timestamp) {
        let held = self.budgets.held_until.entry(operation).or_insert(until);
        *held = (*held).max(until);
    }

    /// A request is answered 403 at `now` (bybit-v5.md 1.5): nothing goes for a moment, and then the time alone is asked.
    /// Where that is answered so too, nothing goes for as long as a ban lasts; what had left before and comes late prolongs it.
    /// Of some it is not known when they went: at the latest now.
    pub fn forbidden(&mut self, asked_at: Option<Timestamp>, now: Timestamp) {
        let until = match self.budgets.ban {
            None => now.after(PAUSE),
            Some(ban) if asked_at.unwrap_or(now) >= ban.until => now.after(BAN),
            Some(ban) if ban.until > now.after(PAUSE) => now.after(BAN),
            Some(ban) => ban.until,
        };
        let before = self.budgets.ban.map(|ban| ban.asked_at);
        self.budgets.ban = Some(Ban { asked_at: before.max(asked_at).unwrap_or_default(), until });
    }

    /// A request that went at `asked_at` is answered otherwise: whoever is banned is answered nothing else.
    pub fn admitted(&mut self, asked_at: Timestamp) {
        self.budgets.ban = self.budgets.ban.filter(|ban| asked_at < ban.asked_at);
    }

    /// From when on the time may be asked.
    #[must_use]
    pub fn open_at(&self, now: Timestamp) -> Timestamp {
        self.budgets.ban.map_or(now, |ban| ban.until.max(now))
    }

    /// A request to this endpoint goes at `now`.
    pub fn spend(&mut self, operation: Operation, now: Timestamp) {
        let spent = self.budgets.spent.entry(operation).or_default();
        spent.push_back(now);
        while spent.len() > limit(operation) {
            spent.pop_front();
        }
        if self.last < now {
            self.last = now;
            self.spent_last.clear();
        }
        if !self.spent_last.contains(&operation) {
            self.spent_last.push(operation);
        }
    }

    /// What was decided at `decided` left before `now`, when between nobody knows: the disk may have been slow, or the
    /// process have stood still. It counts as spent as late as that, and not as decided now: once is enough. Only where
    /// `decided` is when something was spent last: a step that comes after others of its time moves them all.
    pub fn left_before(&mut self, now: Timestamp, decided: Timestamp) {
        if self.last != decided {
            return;
        }
        self.last = Timestamp(now.0.saturating_sub(1));
        for operation in &self.spent_last {
            let spent = self.budgets.spent.get_mut(operation).into_iter().flatten();
            spent.rev().take_while(|at| **at == decided).for_each(|at| *at = self.last);
        }
    }

    /// So much time has passed that does not count, for nobody knows how much it truly was.
    pub fn pass_over(&mut self, time: Span) {
        self.budgets.spent.values_mut().flatten().for_each(|at| *at = at.after(time));
        self.last = self.last.after(time);
    }

    /// The most urgent request whose endpoint has room now. It is not spent before [`Pace::spend`]: not all that is taken
    /// goes.
    pub fn take(&mut self, now: Timestamp) -> Option<(Tag, Request)> {
        let has_room = |request: &Request| self.room_at(request.operation(), now).is_some_and(|at| at <= now);
        let place = self.waiting.iter().position(|(.., request)| has_room(request))?;
        self.waiting.remove(place).map(|(_, tag, request)| (tag, request))
    }

    /// The same of cancels alone.
    pub fn take_cancel(&mut self, now: Timestamp) -> Option<(Tag, Request)> {
        let has_room = self.next_cancel(now).is_some_and(|at| at <= now);
        if has_room { self.take(now) } else { None } // nothing is more urgent
    }

    /// When the next waiting cancel may go.
    #[must_use]
    pub fn next_cancel(&self, now: Timestamp) -> Option<Timestamp> {
        let (_, _, request) = self.waiting.front().filter(|(urgency, ..)| *urgency == Urgency::Cancel)?;
        self.room_at(request.operation(), now)
    }

    /// When the next waiting request may go.
    #[must_use]
    pub fn next(&self, now: Timestamp) -> Option<Timestamp> {
        self.waiting.iter().filter_map(|(.., request)| self.room_at(request.operation(), now)).min()
    }

    /// None where it must be known first that we are not banned.
    fn room_at(&self, operation: Operation, now: Timestamp) -> Option<Timestamp> {
        if self.budgets.ban.is_some() && operation != Operation::ServerTime {
            return None;
        }
        let held = self.budgets.held_until.get(&operation).copied().unwrap_or(now).max(self.open_at(now));
        Some(match self.budgets.spent.get(&operation) {
            Some(spent) if spent.len() >= limit(operation) => {
                spent.front().map_or(held, |first| first.after(WINDOW).max(held))
            }
            _ => held,
        })
    }
}

/// A step below Bybit's default of requests in any second, 10 of orders and 50 of others (bybit-v5.md 1.5), because its
/// window and ours differ by the time on the way.
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

    /// The next one that may go goes.
    fn send(pace: &mut Pace, now: Timestamp) -> Option<Tag> {
        let (tag, request) = pace.take(now)?;
        pace.spend(request.operation(), now);
        Some(tag)
    }

    /// Everything goes as soon as it may.
    fn drain(pace: &mut Pace) -> Vec<(Timestamp, Tag)> {
        let mut sent = Vec::new();
        let mut now = Timestamp(1_000_000);
        while let Some(at) = pace.next(now) {
            now = at.max(now);
            while let Some(tag) = send(pace, now) {
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

    #[test]
    fn o5_what_does_not_go_after_all_spends_nothing() {
        let (mut pace, now) = (Pace::default(), Timestamp(7));
        (0..20).map(cancel).for_each(|(tag, request)| pace.queue(Urgency::Cancel, tag, request));
        assert_eq!(core::iter::from_fn(|| pace.take(now)).count(), 20);
    }

    #[test]
    fn o5_a_memory_that_goes_on_knows_what_was_spent_and_is_held() {
        let (now, mut before) = (Timestamp(1_000_000), Pace::default());
        let fill =
            |pace: &mut Pace| (0..20).map(cancel).for_each(|(tag, request)| pace.queue(Urgency::Cancel, tag, request));
        fill(&mut before);
        while send(&mut before, now).is_some() {}
        before.hold(Operation::Tickers, Timestamp(9_000_000));
        let mut after = Pace::resumed(before.budgets().clone());
        assert_eq!(after.next(now), None);
        fill(&mut after);
        assert_eq!(after.next(now), Some(now.after(WINDOW)));
        let (tag, request) = ask(1);
        after.queue(Urgency::Ask, tag, request);
        while send(&mut after, Timestamp(8_999_999)).is_some() {}
        assert!(after.is_waiting(tag));
    }

    #[test]
    fn o5_time_that_is_passed_over_frees_nothing() {
        let (now, mut pace) = (Timestamp(1_000_000), Pace::default());
        (0..20).map(cancel).for_each(|(tag, request)| pace.queue(Urgency::Cancel, tag, request));
        while send(&mut pace, now).is_some() {}
        let later = now.after(Span::secs(3_600));
        pace.pass_over(Span::secs(3_600));
        assert_eq!(pace.next(later), Some(later.after(WINDOW)));
    }

    /// A slow disk: what was decided together leaves together, long after.
    #[test]
    fn o5_what_was_decided_counts_from_when_it_had_left() {
        let (now, mut pace) = (Timestamp(1_000_000), Pace::default());
        (0..20).map(cancel).for_each(|(tag, request)| pace.queue(Urgency::Cancel, tag, request));
        while send(&mut pace, now).is_some() {}
        let (tag, request) = ask(1);
        pace.queue(Urgency::Ask, tag, request);
        assert_eq!(send(&mut pace, now), Some(tag));
        let (acted, later) = (now.after(Span::secs(2)), now.after(Span::secs(3)));
        let mut resumed = Pace::resumed(pace.budgets().clone());
        for pace in [&mut pace, &mut resumed] {
            pace.left_before(acted, now);
            pace.left_before(later, acted);
        }
        let left = Timestamp(acted.0 - 1);
        assert_eq!(pace.next(acted), Some(left.after(WINDOW)));
        assert!(pace.budgets().spent.values().all(|spent| spent.back() == Some(&left)));
        assert_eq!(resumed.budgets(), pace.budgets());
    }

    #[test]
    fn o5_what_was_decided_last_in_a_life_has_not_left_when_the_next_begins() {
        let (now, mut pace) = (Timestamp(1_000_000), Pace::default());
        pace.spend(Operation::Create, now);
        pace.pass_over(Span::secs(9));
        let began = now.after(Span::secs(9));
        let mut resumed = Pace::resumed(pace.budgets().clone());
        for pace in [&mut pace, &mut resumed] {
            pace.left_before(began.after(Span(5)), began);
            assert_eq!(pace.budgets().spent[&Operation::Create], [began.after(Span(4))]);
        }
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

    /// A cancel waits, and the time.
    fn waiting() -> Pace {
        let mut pace = Pace::default();
        let (tag, request) = cancel(1);
        pace.queue(Urgency::Cancel, tag, request);
        pace.queue(Urgency::Ask, Tag::Clock, Request::ServerTime);
        pace
    }

    #[test]
    fn o5_after_a_403_the_time_is_asked_and_nothing_else() {
        let (mut pace, heard) = (waiting(), Timestamp(20));
        pace.forbidden(Some(Timestamp(10)), heard);
        pace.forbidden(Some(Timestamp(11)), heard); // heard in the same moment
        pace.forbidden(Some(Timestamp(15)), Timestamp(30)); // had left before
        let open = heard.after(PAUSE);
        assert_eq!((pace.next(Timestamp(30)), pace.next_cancel(Timestamp(30))), (Some(open), None));
        assert_eq!(pace.take(Timestamp(30)), None);
        assert_eq!(pace.take(open), Some((Tag::Clock, Request::ServerTime)));
        assert_eq!((pace.take(open), pace.take_cancel(open), pace.next(open)), (None, None, None));
        pace.admitted(Timestamp(14)); // went before the ban can have begun
        assert_eq!(pace.take(open), None);
        pace.admitted(open);
        assert_eq!(pace.take(open), Some(cancel(1)));
    }

    #[test]
    fn o5_what_went_together_with_it_and_is_let_in_ends_the_pause() {
        let mut pace = waiting();
        pace.forbidden(Some(Timestamp(10)), Timestamp(20));
        pace.admitted(Timestamp(10));
        assert_eq!(pace.take(Timestamp(20)), Some(cancel(1)));
    }

    #[test]
    fn o5_where_the_time_is_not_told_either_nothing_goes_for_as_long_as_a_ban_lasts() {
        let mut pace = waiting();
        pace.forbidden(Some(Timestamp(10)), Timestamp(20));
        let (asked, heard) = (Timestamp(20).after(PAUSE), Timestamp(40).after(PAUSE));
        pace.forbidden(Some(asked), heard);
        assert_eq!(pace.next(heard), Some(heard.after(BAN)));
        let late = heard.after(Span::secs(20));
        pace.forbidden(Some(Timestamp(12)), late);
        assert_eq!(pace.next(late), Some(late.after(BAN)), "what comes late prolongs it");
        let again = late.after(BAN);
        pace.forbidden(None, again);
        assert_eq!(pace.next(again), Some(again.after(BAN)), "still banned");
    }
}
