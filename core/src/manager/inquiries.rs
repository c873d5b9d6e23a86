//! Asking about one order until it is known (bybit-v5.md 2.11): realtime, history, executions, round after
//! round on a fixed schedule. It ends by evidence or by proven absence, never by a counter (spec O2).

use super::observed::Inquiry;
use super::turn::Turn;
use crate::bybit::{ExecutionQuery, OrderQuery, Reply, Request};
use crate::event::{Absence, Event, Seq};
use crate::input::{Source, Tag};
use crate::order::{Order, State};
use crate::pace::Urgency;
use crate::retry::IMPATIENT;
use crate::timer::Why;
use crate::unit::{Category, ExchangeTime, OrderLinkId, Span};
use alloc::boxed::Box;
use alloc::vec::Vec;

/// Waits between rounds; the last one repeats. Rounds are only proof after the deadline, whatever their number.
const SCHEDULE: [Span; 6] = [Span::millis(500), Span::secs(1), Span::secs(2), Span::secs(4), Span::secs(8), LAST_WAIT];
const LAST_WAIT: Span = Span::secs(15);
/// How long after its last possible arrival an order may still be invisible to queries (bybit-v5.md 8.4).
const VISIBILITY_BOUND: Span = Span::secs(15);
/// Bybit forgets cancelled orders without a fill after 24 hours (bybit-v5.md 2.8); a margin on top.
const FORGOTTEN_AFTER: Span = Span::secs(25 * 3_600);
/// Orders that were made in this time are in the history's usual week; a margin below it.
const HISTORY_LOOKS_BACK: Span = Span::secs(6 * 86_400);
/// An order is made a little after its request was signed; clocks may differ the other way.
const HISTORY_MARGIN: Span = Span::secs(60);

impl Turn<'_> {
    /// Asks now, unless it is being asked already.
    pub(super) fn start_inquiry(&mut self, link: OrderLinkId) {
        self.cancel_unasked(link);
        if self.m.observed.inquiries.contains_key(&link) || !self.is_open_question(link) {
            return;
        }
        self.begin_round(link, 0);
    }

    /// Is there something about this order that only the exchange can tell?
    fn is_open_question(&self, link: OrderLinkId) -> bool {
        self.m.durable.book.get(link).is_some_and(|order| match order.state {
            State::Sending | State::Unknown | State::Acked | State::Open => true,
            State::Closed => !order.facts.explained(),
            _ => false,
        })
    }

    fn begin_round(&mut self, link: OrderLinkId, round: u32) {
        let source = Source::Realtime;
        let missed_at = self.m.observed.inquiries.get(&link).and_then(|inquiry| inquiry.missed_at);
        let inquiry = Inquiry { round, missed_at, began_at: None, source, found: false, empty: Vec::new() };
        self.m.observed.inquiries.insert(link, inquiry);
        self.ask_source(link, source, round);
    }

    fn ask_source(&mut self, link: OrderLinkId, source: Source, round: u32) {
        let Some(order) = self.m.durable.book.get(link) else { return };
        let (category, symbol) = (Category::Linear, Some(order.spec.symbol));
        let (start, end) = (self.history_from(source, round, order), None);
        let orders = OrderQuery {
            category,
            symbol,
            settle_coin: None,
            link: Some(link),
            order_id: order.only_by(),
            start,
            end,
            limit: 50,
            cursor: None,
        };
        let request = match source {
            Source::Realtime => Request::OpenOrders(orders),
            Source::History => Request::OrderHistory(orders),
            Source::Executions => Request::Executions(ExecutionQuery {
                category,
                symbol,
                link: Some(link),
                order_id: order.only_by(),
                start: None,
                end,
                limit: 100,
                cursor: None,
            }),
        };
        let epoch = self.m.observed.epoch;
        self.queue(Urgency::Ask, Tag::Inquiry { link, source, epoch, round }, request);
        self.cancel_unasked(link);
    }

    /// Without times Bybit looks back a week (bybit-v5.md 2.8). An older order may be outside of it: then every other
    /// round asks for the week from its making instead, whichever of its times the window goes by. Executions of
    /// one order are found whatever their time (2.9).
    fn history_from(&self, source: Source, round: u32, order: &Order) -> Option<ExchangeTime> {
        let (made, now) = (order.signed_at?, self.exchange_now()?);
        let old = now.since(made) > HISTORY_LOOKS_BACK;
        (source == Source::History && old && round & 1 == 0).then(|| made.before(HISTORY_MARGIN))
    }

    /// The first question of a round has its time: what it does not see was not there at that moment.
    pub(super) fn inquiry_sent(&mut self, link: OrderLinkId, at: ExchangeTime) {
        if let Some(inquiry) = self.m.observed.inquiries.get_mut(&link) {
            inquiry.began_at = inquiry.began_at.or(Some(at));
        }
    }

    /// What the answer shows is true whenever it was asked for; that it shows nothing is proof only in its round.
    pub(super) fn inquiry_answered(&mut self, link: OrderLinkId, source: Source, round: Option<u32>, reply: &Reply) {
        let (found, bad) = match reply {
            Reply::Orders(page) => {
                page.rows.iter().for_each(|row| self.order_row(row));
                (!page.is_empty(), &page.bad)
            }
            Reply::Executions(page) => {
                page.rows.iter().for_each(|row| self.execution(row));
                (!page.is_empty(), &page.bad)
            }
            _ => return self.inquiry_failed(link, round),
        };
        self.bad_rows(bad);
        if !bad.is_empty() {
            self.noticed(link, None); // nothing else was asked for
        }
        let evidence = self.m.seq;
        let Some(inquiry) =
            self.m.observed.inquiries.get_mut(&link).filter(|i| (Some(i.round), i.source) == (round, source))
        else {
            return;
        };
        inquiry.found |= found;
        if found {
            inquiry.missed_at = None;
        } else {
            inquiry.empty.push((source, evidence));
        }
        self.next_source(link);
    }

    fn next_source(&mut self, link: OrderLinkId) {
        let Some(order) = self.m.durable.book.get(link) else { return };
        let (known, explained) = (known_alive_or_ended(order), order.facts.explained());
        let Some(inquiry) = self.m.observed.inquiries.get_mut(&link) else { return };
        let next = match inquiry.source {
            Source::Realtime if inquiry.found && known && explained => None,
            Source::Realtime if inquiry.found => Some(Source::Executions),
            Source::Realtime => Some(Source::History),
            Source::History if inquiry.found && explained => None,
            Source::History => Some(Source::Executions),
            Source::Executions => None,
        };
        match next {
            Some(source) => {
                inquiry.source = source;
                let round = inquiry.round;
                self.ask_source(link, source, round);
            }
            None => self.round_over(link),
        }
    }

    fn round_over(&mut self, link: OrderLinkId) {
        let Some(inquiry) = self.m.observed.inquiries.get(&link).cloned() else { return };
        let Some(order) = self.m.durable.book.get(link) else { return };
        let settled = inquiry.found && known_alive_or_ended(order) && order.facts.explained();
        if settled || !self.is_open_question(link) {
            self.m.observed.inquiries.remove(&link);
            return self.after_inquiry(link);
        }
        if inquiry.empty.len() == 3 {
            if let Some(proof) = self.absence(order, &inquiry) {
                self.m.observed.inquiries.remove(&link);
                let at = self.now();
                self.emit(Event::OrderAbsent { link, proof: Box::new(proof), at });
                return self.tell(link);
            }
            self.missed(link);
        }
        self.wait_for_next_round(link, LAST_WAIT);
    }

    /// A live order whose cancel is wanted is cancelled again; a live market order is looked at again.
    fn after_inquiry(&mut self, link: OrderLinkId) {
        let Some(order) = self.m.durable.book.get(link) else { return };
        let (alive, asked, is_limit) = (order.state == State::Open, order.cancel.is_some(), order.spec.is_limit());
        if alive && asked {
            self.cancel_again(link);
        } else if alive && !is_limit {
            self.arm(Why::Inquire(link), Span::secs(1));
        }
        self.tell(link);
    }

    /// Nothing was told in this round: an exit that waits for the order does not wait long for the next.
    pub(super) fn inquiry_failed(&mut self, link: OrderLinkId, round: Option<u32>) {
        if self.m.observed.inquiries.get(&link).is_some_and(|inquiry| Some(inquiry.round) == round) {
            self.wait_for_next_round(link, IMPATIENT);
        }
    }

    /// A cancel that is wanted does not wait for what the exchange fails to tell: it goes again, and cannot do harm.
    fn wait_for_next_round(&mut self, link: OrderLinkId, at_most: Span) {
        if self.wants_cancel(link) {
            self.cancel_again(link);
        }
        let Some(inquiry) = self.m.observed.inquiries.get_mut(&link) else { return };
        let place = usize::try_from(inquiry.round).unwrap_or(usize::MAX).min(SCHEDULE.len().saturating_sub(1));
        inquiry.round = inquiry.round.saturating_add(1);
        let wait = SCHEDULE.get(place).copied().unwrap_or(LAST_WAIT);
        self.arm(Why::NextRound(link), wait.min(at_most));
    }

    pub(super) fn next_round(&mut self, link: OrderLinkId) {
        let Some(round) = self.m.observed.inquiries.get(&link).map(|inquiry| inquiry.round) else { return };
        if self.is_open_question(link) {
            self.begin_round(link, round);
        } else {
            self.m.observed.inquiries.remove(&link);
        }
    }

    /// A round in which no source showed the order.
    fn missed(&mut self, link: OrderLinkId) {
        self.note_missing(link);
        let visible = self.m.durable.book.get(link).and_then(|order| self.visible_by(order));
        let Some(inquiry) = self.m.observed.inquiries.get_mut(&link) else { return };
        let began = inquiry.began_at.filter(|began| visible.is_some_and(|visible| *began > visible));
        inquiry.missed_at = inquiry.missed_at.or(began);
    }

    /// An order that the exchange knew is not shown. It was known as of the last reconcile, which would have asked about it.
    pub(super) fn note_missing(&mut self, link: OrderLinkId) {
        let Some(order) = self.m.durable.book.get(link) else { return };
        let first = matches!(order.state, State::Acked | State::Open) && order.missed_since.is_none();
        let reconciled = self.m.durable.reconciled_until.or_else(|| self.exchange_now());
        let changed = order.facts.terms.map(|terms| terms.updated);
        if let Some(known_until) = reconciled.max(changed).filter(|_| first) {
            self.emit(Event::OrderMissed { link, known_until });
        }
    }

    /// The last moment at which a create can have been taken and not be visible yet; none of one that was never sent.
    fn visible_by(&self, order: &Order) -> Option<ExchangeTime> {
        Some(order.signed_at?.after(self.m.config.recv_window()).after(VISIBILITY_BOUND))
    }

    /// The proof that an order does not exist, where this round is one: a round that began when the order had to be
    /// visible missed it already. It may have ended, or filled, just before that one, and then no view need show it at
    /// once; but by now one would.
    fn absence(&self, order: &Order, inquiry: &Inquiry) -> Option<Absence> {
        let (asked_at, missed_at) = (inquiry.began_at?, inquiry.missed_at?);
        let aged_out = match order.state {
            State::Unknown => false,
            State::Acked | State::Open => true,
            _ => return None,
        };
        // One that we never saw ourselves is held against nothing but what the exchange says of it now.
        let remembered = aged_out && (!order.inherited || order.facts.seen);
        let arrived = order.signed_at?.after(self.m.config.recv_window());
        // Had it ended since it was last known, the history would show that for a day.
        let forgotten = match remembered {
            true => arrived.max(order.missed_since?).after(FORGOTTEN_AFTER),
            false => arrived.after(VISIBILITY_BOUND),
        };
        let deadline = forgotten.max(missed_at.after(VISIBILITY_BOUND));
        let answers: Vec<(Source, Seq)> = inquiry.empty.clone();
        (asked_at > deadline).then_some(Absence { deadline, asked_at, answers, aged_out })
    }
}

/// One that its executions fill whole is not alive, though no row has ended it yet.
fn known_alive_or_ended(order: &Order) -> bool {
    match order.state {
        State::Open => !order.is_filled_whole(),
        state => state == State::Closed,
    }
}
