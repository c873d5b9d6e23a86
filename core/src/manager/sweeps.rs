//! The account-wide reconcile at start, after every gap and from time to time (spec T1, T3).

use super::turn::Turn;
use crate::bybit::{BadRow, Operation, Reply};
use crate::event::Event;
use crate::input::Tag;
use crate::order::State;
use crate::pace::Urgency;
use crate::reconcile::{Stage, Sweep};
use crate::retry::IMPATIENT;
use crate::timer::Why;
use crate::unit::{OrderLinkId, Span};
use alloc::vec::Vec;

/// When a reconcile whose pages led nowhere is tried again: no lane decides before, and there may be exits in them.
const AGAIN: Span = IMPATIENT;

impl Turn<'_> {
    /// What came before is lost, whether or not the end of the last connection was noticed.
    pub(super) fn stream_up(&mut self) {
        self.m.observed.stream_up = true;
        self.m.observed.synced = false;
        self.drop_sweep();
        self.start_sweep();
    }

    /// What the stream would have said is lost from here on; no lane decides until it was asked for.
    pub(super) fn stream_down(&mut self) {
        self.m.observed.stream_up = false;
        self.m.observed.synced = false;
        self.drop_sweep();
        self.m.observed.sweep_due = false;
        self.m.observed.timers.disarm(Why::Sweep);
    }

    /// Nobody waits any more for the rows of the one under way. When its page went stays known: the answer still tells
    /// whether we are let in (spec O5).
    fn drop_sweep(&mut self) {
        let Some(sweep) = self.m.observed.sweep.take() else { return };
        let tag = Tag::Sweep { run: sweep.run, page: sweep.page };
        self.m.observed.pace.withdraw(tag);
        self.m.observed.failures.remove(&tag);
        self.m.observed.timers.disarm(Why::RetryAsk(tag));
    }

    /// Begins one, where none is under way. Without the exchange's clock it begins when that is known.
    pub(super) fn start_sweep(&mut self) {
        if !self.m.observed.stream_up || self.m.observed.sweep.is_some() {
            return;
        }
        self.m.observed.sweep_due = self.m.observed.clock.is_none();
        let Some(clock) = self.m.observed.clock else { return self.ask(Tag::Clock) };
        let run = self.m.observed.sweeps.max(self.m.observed.epoch).saturating_add(1);
        self.m.observed.sweeps = run;
        let (began, until) = (self.now(), clock.surely_at(self.now()));
        self.m.observed.sweep =
            Some(Sweep::new(run, began, until, self.m.durable.reconciled_until, self.m.durable.born));
        self.ask_sweep_page();
    }

    pub(super) fn ask_sweep_page(&mut self) {
        let Some(sweep) = &self.m.observed.sweep else { return };
        let tag = Tag::Sweep { run: sweep.run, page: sweep.page };
        if let Some(request) = sweep.request().filter(|_| !self.m.observed.out.holds(tag)) {
            self.queue(Urgency::Ask, tag, request);
        }
    }

    /// The endpoint of the page that is out; none for an answer that nobody waits for any more.
    pub(super) fn sweep_operation(&self, run: u32, page: u32) -> Option<Operation> {
        let sweep = self.m.observed.sweep.as_ref().filter(|s| (s.run, s.page) == (run, page))?;
        sweep.request().map(|request| request.operation())
    }

    pub(super) fn sweep_answered(&mut self, reply: &Reply) {
        let Some(mut sweep) = self.m.observed.sweep.take() else { return };
        match reply {
            Reply::Orders(page) => {
                for row in page.rows.iter() {
                    sweep.seen.extend(self.our_name(row.link, row.order_id));
                    self.order_row(row);
                }
                self.bad_rows(&page.bad);
                sweep.orders_cut |= page.bad.iter().any(|row| !self.is_ours(row));
                sweep.advance(page);
            }
            Reply::Executions(page) => {
                page.rows.iter().for_each(|row| self.execution(row));
                self.bad_rows(&page.bad);
                sweep.advance(page);
            }
            Reply::Positions(page) => {
                sweep.unread |= !page.bad.is_empty();
                sweep.held.extend(page.rows.iter().map(|row| row.symbol));
                page.rows.iter().for_each(|row| _ = self.saw_position(row, sweep.began));
                self.bad_rows(&page.bad);
                sweep.advance(page);
            }
            _ => {}
        }
        if sweep.stage == Stage::Done {
            return self.sweep_done(&sweep);
        }
        self.m.observed.sweep = Some(sweep);
        self.ask_sweep_page();
    }

    /// Executions that were not reached would never be asked for again: nothing counts as known, and all is asked anew.
    fn sweep_cut(&mut self) {
        self.quarantine(format_args!(
            "the pages of executions lead nowhere: the reconcile is not done, and is tried again"
        ));
        self.arm(Why::Sweep, AGAIN);
    }

    /// Orders that should be open and were not listed are asked about one by one; their lanes wait for it.
    fn sweep_done(&mut self, sweep: &Sweep) {
        if sweep.executions_cut {
            return self.sweep_cut();
        }
        let missing: Vec<OrderLinkId> = self
            .m
            .durable
            .book
            .live()
            .filter(|order| matches!(order.state, State::Acked | State::Open) && order.spec.at < sweep.began)
            .map(|order| order.spec.link)
            .filter(|link| !sweep.seen.contains(link))
            .collect();
        missing.iter().for_each(|link| self.note_missing(*link)); // until the reconcile before this one it was known
        let (at, first) = (self.now(), self.m.durable.born.is_none());
        self.emit(Event::Reconciled { until: sweep.until, at });
        self.m.observed.synced = true;
        self.read_account(sweep);
        missing.into_iter().for_each(|link| self.start_inquiry(link));
        self.compare_positions(sweep, first);
        let interval = self.m.config.reconcile_interval();
        self.arm(Why::Sweep, interval);
    }

    /// What others have on the account, as this reconcile showed it.
    fn read_account(&mut self, sweep: &Sweep) {
        let observed = &mut self.m.observed;
        observed.foreign.retain(|_, foreign| {
            if sweep.shows_flat(foreign.open.symbol) {
                foreign.shown(sweep.until, None);
            }
            let listed = foreign.seen_at >= sweep.began;
            if !listed && !sweep.orders_cut {
                foreign.missed(sweep.began);
            }
            listed || !foreign.is_over()
        });
        observed
            .hedged
            .retain(|(symbol, _), leg| sweep.unread || sweep.held.contains(symbol) || leg.asked_at >= sweep.began);
        let overflows = observed.foreign_overflow_at >= Some(sweep.began);
        observed.unread_account = overflows || sweep.orders_cut || sweep.unread;
    }

    fn is_ours(&self, row: &BadRow) -> bool {
        let link = row.link.and_then(|link| self.ours(link.as_str()));
        link.is_some_and(|link| self.m.durable.book.get(link).is_some())
    }
}
