//! The account-wide reconcile as a little machine: open orders, then executions since the watermark, then
//! positions, every page of each (spec T1, T3). It asks; the manager sends, books and compares.

use crate::bybit::{ExecutionQuery, OrderQuery, Page, Request};
use crate::unit::{Category, Coin, ExchangeTime, OrderLinkId, Span, Symbol, Text, Timestamp};
use alloc::collections::BTreeSet;

/// Asked again this far before the watermark, against rows that became visible late.
const OVERLAP: Span = Span::secs(120);
/// Bybit answers for at most this long a window (bybit-v5.md 2.9).
const WINDOW: Span = Span::secs(7 * 86_400 - 60);
/// Pages of one stage: 500 active orders are 10; a cursor that points to itself ends here.
const PAGES_MAX: u32 = 2_000;
const ORDERS_A_PAGE: u32 = 50;
const EXECUTIONS_A_PAGE: u32 = 100;

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
    /// Exchange time when it began: executions are known up to here when it is done.
    pub until: ExchangeTime,
    /// What is being asked for.
    pub stage: Stage,
    /// Our orders that were seen open.
    pub seen: BTreeSet<OrderLinkId>,
    /// Symbols whose position was shown; the others are flat, once every page was.
    pub held: BTreeSet<Symbol>,
    /// Was there a position whose row could not be read? Then a symbol that was not shown may still be held.
    pub unread: bool,
    coin: Coin,
    since: ExchangeTime,
    cursor: Option<Text<512>>,
    cursors: BTreeSet<Text<512>>,
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
        let (category, cursor) = (Category::Linear, self.cursor);
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

    /// Goes on after a page of the current stage: to its next page, or to the next stage.
    pub fn advance<T>(&mut self, page: &Page<T>) {
        self.page = self.page.saturating_add(1);
        // Bybit gives a cursor on the last page too, and has given one that points to itself.
        let next = page.cursor.filter(|c| !c.is_empty() && !page.is_empty() && self.page < PAGES_MAX);
        self.cursor = next.filter(|cursor| self.cursors.insert(*cursor));
        if self.cursor.is_some() {
            return;
        }
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
    use alloc::vec::Vec;

    fn page(rows: usize, cursor: &str) -> Page<u8> {
        Page { rows: alloc::vec![0; rows], bad: Vec::new(), cursor: Some(Text::clipped(cursor)) }
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
}
