//! The account-wide reconcile as a little machine: open orders, then executions since the watermark, then
//! positions, every page of each (spec T1, T3). It asks; the manager sends, books and compares.

use crate::bybit::{Cursor, ExecutionQuery, OrderQuery, Page, Request};
use crate::unit::{Category, Coin, ExchangeTime, OrderLinkId, Span, Symbol, Timestamp};
use alloc::collections::BTreeSet;

/// Asked again this far before the watermark, against rows that became visible late.
const OVERLAP: Span = Span::secs(120);
/// Bybit answers for at most this long a window (bybit-v5.md 2.9).
const WINDOW: Span = Span::secs(7 * 86_400 - 60);
/// Pages of one stage: 500 active orders are 10; cursors without an end are followed this far.
const PAGES_MAX: u32 = 2_000;
const ORDERS_A_PAGE: u32 = 50;
const EXECUTIONS_A_PAGE: u32 = 100;
/// What Bybit gives where nothing is said (bybit-v5.md 6.2).
const POSITIONS_A_PAGE: u32 = 20;

/// What is being asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Stage {
    /// Open orders of the account.
    Orders,
    /// Executions from this moment on.
    Executions {
        /// Start of the window.
        from: ExchangeTime,
    },
    /// Open positions.
    Positions,
    /// Nothing more.
    Done,
}

/// One reconcile in progress.
#[derive(Clone, Debug)]
pub struct Sweep {
    /// Which one of this life.
    pub run: u32,
    /// Pages asked for so far.
    pub page: u32,
    /// When it began: what happened later is not its business.
    pub began: Timestamp,
    /// Exchange time when it began, or a little before: executions are known up to here when it is done.
    pub until: ExchangeTime,
    /// What is being asked for.
    pub stage: Stage,
    /// Our orders that were seen open.
    pub seen: BTreeSet<OrderLinkId>,
    /// Symbols whose position was shown; the others are flat, once every page was.
    pub held: BTreeSet<Symbol>,
    /// Was there a position whose row could not be read? Then a symbol that was not shown may still be held.
    pub unread: bool,
    /// Were there more open orders than could be asked for, or some of others that could not be read? Then one that was not
    /// seen may still be open.
    pub orders_cut: bool,
    /// Were there more executions than could be asked for? Then they are not known up to `until`.
    pub executions_cut: bool,
    coin: Coin,
    pages: u32,
    since: ExchangeTime,
    cursor: Option<Cursor>,
    cursors: BTreeSet<Cursor>,
}

impl Sweep {
    /// Begins one. `watermark`: executions are known up to there; they are asked for from the overlap before it on,
    /// but none from before `born`, when we came to this account.
    #[must_use]
    pub fn new(
        run: u32,
        began: Timestamp,
        now: ExchangeTime,
        watermark: Option<ExchangeTime>,
        born: Option<ExchangeTime>,
    ) -> Self {
        Self {
            run,
            page: 0,
            began,
            until: now,
            stage: Stage::Orders,
            seen: BTreeSet::new(),
            held: BTreeSet::new(),
            unread: false,
            orders_cut: false,
            executions_cut: false,
            pages: 0,
            coin: Coin::clipped("USDT"),
            since: watermark.unwrap_or(now).before(OVERLAP).max(born.unwrap_or(now)),
            cursor: None,
            cursors: BTreeSet::new(),
        }
    }

    /// Does it say of a symbol that it is flat? Bybit lists positions by the coin that they settle in, which is part of
    /// the symbol's name.
    #[must_use]
    pub fn shows_flat(&self, symbol: Symbol) -> bool {
        !self.unread && !self.held.contains(&symbol) && symbol.as_str().contains(self.coin.as_str())
    }

    /// The request of the current page; none when done.
    #[must_use]
    pub fn request(&self) -> Option<Request> {
        let (category, cursor) = (Category::Linear, self.cursor.clone());
        match self.stage {
            Stage::Orders => Some(Request::OpenOrders(OrderQuery {
                category,
                symbol: None,
                settle_coin: Some(self.coin),
                link: None,
                order_id: None,
                start: None,
                end: None,
                limit: ORDERS_A_PAGE,
                cursor,
            })),
            Stage::Executions { from } => Some(Request::Executions(ExecutionQuery {
                category,
                symbol: None,
                link: None,
                order_id: None,
                start: Some(from),
                end: Some(from.after(WINDOW)),
                limit: EXECUTIONS_A_PAGE,
                cursor,
            })),
            Stage::Positions => {
                Some(Request::Positions { category, symbol: None, settle_coin: Some(self.coin), cursor })
            }
            Stage::Done => None,
        }
    }

    /// A page with fewer rows is the last one, whatever its cursor.
    fn rows_a_page(&self) -> usize {
        let rows = match self.stage {
            Stage::Orders => ORDERS_A_PAGE,
            Stage::Executions { .. } => EXECUTIONS_A_PAGE,
            Stage::Positions | Stage::Done => POSITIONS_A_PAGE,
        };
        usize::try_from(rows).unwrap_or(usize::MAX)
    }

    /// Goes on after a page of the current stage: to its next page, or to the next stage.
    pub fn advance<T>(&mut self, page: &Page<T>) {
        self.page = self.page.saturating_add(1);
        self.pages = self.pages.saturating_add(1);
        // Bybit gives a cursor on the last page too, and has given one that points to itself (bybit-v5.md 2.10).
        let next = page.cursor.clone().filter(|c| !c.is_empty() && !page.is_empty());
        let goes_on = next.is_some() && page.len() >= self.rows_a_page();
        self.cursor = next.filter(|cursor| self.pages < PAGES_MAX && self.cursors.insert(cursor.clone()));
        if self.cursor.is_some() {
            return;
        }
        match self.stage {
            Stage::Orders => self.orders_cut |= goes_on,
            Stage::Executions { .. } => self.executions_cut |= goes_on,
            Stage::Positions => self.unread |= goes_on,
            Stage::Done => {}
        }
        self.pages = 0;
        self.cursors.clear();
        self.stage = match self.stage {
            Stage::Orders => Stage::Executions { from: self.since },
            Stage::Executions { from } if from.after(WINDOW) < self.until => {
                Stage::Executions { from: from.after(WINDOW) }
            }
            Stage::Executions { .. } => Stage::Positions,
            Stage::Positions | Stage::Done => Stage::Done,
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::unit::Text;
    use alloc::boxed::Box;
    use alloc::vec::Vec;

    fn page(rows: usize, cursor: &str) -> Page<u8> {
        Page { rows: alloc::vec![0; rows], bad: Vec::new(), cursor: Some(Box::new(Text::clipped(cursor))) }
    }

    #[test]
    fn t3_every_page_of_every_stage_is_asked_for_once() {
        let mut sweep = Sweep::new(1, Timestamp(0), ExchangeTime(1_000_000_000_000), None, None);
        sweep.advance(&page(50, "a"));
        assert_eq!(sweep.stage, Stage::Orders);
        sweep.advance(&page(50, "a")); // a cursor that points to itself
        assert!(matches!(sweep.stage, Stage::Executions { .. }));
        sweep.advance(&page(100, "a")); // another stage may use the same word
        assert!(matches!(sweep.stage, Stage::Executions { .. }));
        sweep.advance(&page(0, "b"));
        assert_eq!(sweep.stage, Stage::Positions);
        sweep.advance(&page(1, ""));
        assert_eq!((sweep.stage.clone(), sweep.request(), sweep.page), (Stage::Done, None, 5));
    }

    #[test]
    fn t3_a_long_absence_is_asked_for_in_windows_of_seven_days() {
        let now = ExchangeTime(1_700_000_000_000);
        let mut sweep =
            Sweep::new(1, Timestamp(0), now, Some(now.before(Span::secs(20 * 86_400))), Some(ExchangeTime(0)));
        sweep.advance(&page(0, ""));
        let mut windows = 0;
        while let Stage::Executions { .. } = sweep.stage {
            windows += 1;
            sweep.advance(&page(0, ""));
        }
        assert_eq!(windows, 3);
    }

    /// Bybit answers for seven days at most (bybit-v5.md 2.9): no window is longer, none leaves a gap, and together
    /// they reach from the overlap before the watermark to the beginning of the sweep.
    #[test]
    fn t3_the_windows_of_an_absence_cover_it_without_a_gap() {
        let now = ExchangeTime(1_700_000_000_000);
        let two_windows = Span(2 * WINDOW.0 - OVERLAP.0);
        for absence in [Span::secs(1), Span::secs(86_400), two_windows, Span::secs(20 * 86_400)] {
            let watermark = now.before(absence);
            let mut sweep = Sweep::new(1, Timestamp(0), now, Some(watermark), Some(ExchangeTime(0)));
            let mut known = watermark.before(Span::secs(60)); // what became visible a minute late is asked for again
            sweep.advance(&page(0, ""));
            while let Some(Request::Executions(query)) = sweep.request() {
                let (start, end) = (query.start.unwrap(), query.end.unwrap());
                assert!(end.since(start) <= Span::secs(7 * 86_400), "{absence}");
                assert!(query.limit <= 100, "a page holds no more");
                assert!(start <= known && start < now, "{absence}: from {start:?}, known until {known:?}");
                known = end;
                sweep.advance(&page(0, ""));
            }
            assert!(known >= now, "{absence}");
        }
    }

    #[test]
    fn t3_open_orders_are_asked_for_in_pages_that_bybit_gives() {
        let sweep = Sweep::new(1, Timestamp(0), ExchangeTime(1_700_000_000_000), None, None);
        let Some(Request::OpenOrders(query)) = sweep.request() else { panic!("it begins with the open orders") };
        assert_eq!((query.limit, query.settle_coin, query.cursor), (50, Some(Text::clipped("USDT")), None));
    }

    #[test]
    fn t3_what_happened_before_we_came_is_not_asked_for() {
        let now = ExchangeTime(1_700_000_000_000);
        let born = now.before(Span::secs(30));
        for (watermark, born, from) in [(None, None, now), (Some(now), Some(born), born), (None, Some(born), born)] {
            let mut sweep = Sweep::new(1, Timestamp(0), now, watermark, born);
            sweep.advance(&page(0, ""));
            assert_eq!(sweep.stage, Stage::Executions { from });
        }
    }

    /// A page that is full and names a page that was there already leads nowhere: what is behind it is not known.
    #[test]
    fn t3_a_full_page_that_leads_in_a_circle_cuts_its_stage_only() {
        let begun = || Sweep::new(1, Timestamp(0), ExchangeTime(1_000_000_000_000), None, None);
        for (rows, cut) in [(100, true), (99, false)] {
            let mut sweep = begun();
            sweep.advance(&page(0, ""));
            sweep.advance(&page(100, "a"));
            sweep.advance(&page(rows, "a"));
            assert_eq!((&sweep.stage, sweep.executions_cut, sweep.orders_cut), (&Stage::Positions, cut, false));
        }
        let mut sweep = begun();
        sweep.advance(&page(50, "a"));
        sweep.advance(&page(50, "a"));
        assert!(sweep.orders_cut && !sweep.executions_cut);
        sweep.advance(&page(0, ""));
        sweep.advance(&page(20, "a"));
        sweep.advance(&page(20, "a"));
        assert_eq!((sweep.unread, sweep.stage), (true, Stage::Done));
    }

    /// Many pages of orders leave the executions as many of their own, and no more.
    #[test]
    fn t3_each_stage_has_its_own_bound() {
        let mut sweep = Sweep::new(1, Timestamp(0), ExchangeTime(1_000_000_000_000), None, None);
        for (rows, stage) in [(50, "orders"), (100, "executions")] {
            for n in 0..PAGES_MAX {
                assert_eq!(matches!(sweep.stage, Stage::Orders), stage == "orders", "{n}");
                sweep.advance(&page(rows, &alloc::format!("{n}")));
            }
        }
        assert_eq!((&sweep.stage, sweep.orders_cut, sweep.executions_cut), (&Stage::Positions, true, true));
    }

    #[test]
    fn t3_cursors_without_an_end_are_followed_to_the_bound() {
        let mut sweep = Sweep::new(1, Timestamp(0), ExchangeTime(1_000_000_000_000), None, None);
        while sweep.stage == Stage::Orders && sweep.page <= PAGES_MAX {
            let cursor = alloc::format!("{}", sweep.page);
            sweep.advance(&page(50, &cursor));
        }
        assert_eq!(sweep.page, PAGES_MAX);
    }
}
