//! What a client sees when it asks (bybit-v5.md 2.7 to 2.10, 6): lagged views of the truth, page by page.

use super::market::Market;
use super::quirk::Spell;
use super::refusal::{self, say};
use super::{Exchange, Timestamp};
use order_manager_core::bybit::{
    ApiError, Cursor, ExecutionQuery, ExecutionRow, InstrumentRow, OrderQuery, OrderRow, OrderStatus, Page,
    PositionRow, Reply, Request, TickerRow, WalletRow,
};
use order_manager_core::unit::{Category, Coin, ExchangeOrderId, ExchangeTime, Span, Symbol, Text};

const DAY: Span = Span::secs(86_400);
const WEEK: Span = DAY.times(7);
const MAX_ORDERS: u32 = 50;
const MAX_EXECUTIONS: u32 = 100;

/// What a request can say on the wire beyond its typed form.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Refine {
    /// Amend: Bybit's id of the order; wins over the link id.
    pub order_id: Option<ExchangeOrderId>,
    /// History: orders with this final status only.
    pub status: Option<OrderStatus>,
    /// Realtime: recently closed orders instead of open ones (`openOnly=1`).
    pub recently_closed: bool,
}

/// Times a query is about, both ends included.
struct Window {
    start: ExchangeTime,
    end: ExchangeTime,
}

impl Exchange {
    pub(super) fn query(&self, now: Timestamp, request: &Request, refine: &Refine) -> Result<Reply, ApiError> {
        match request {
            Request::OpenOrders(query) => self.realtime(now, query, refine).map(Reply::Orders),
            Request::OrderHistory(query) => self.history(now, query, refine).map(Reply::Orders),
            Request::Executions(query) => self.execution_list(now, query),
            Request::Instrument { category, symbol } => {
                let markets = self.markets_of(*category, *symbol)?;
                Ok(Reply::Instruments(all(markets.map(|market| self.seen_rules(now, market)))))
            }
            Request::Ticker { category, symbol } => {
                let markets = self.markets_of(*category, *symbol)?;
                Ok(Reply::Tickers(all(markets.map(|market| self.seen_ticker(now, market)))))
            }
            Request::Wallet => Ok(Reply::Wallet(self.seen_wallet(now))),
            Request::Positions { category, symbol, settle_coin, cursor } => {
                self.position_list(now, *category, *symbol, *settle_coin, cursor.as_deref()).map(Reply::Positions)
            }
            Request::ServerTime => Ok(Reply::ServerTime(now.0)),
            Request::Create(_) | Request::Cancel(_) | Request::Amend(_) => Err(say(refusal::NOT_SUPPORTED)),
        }
    }

    /// The market of a symbol, or every market of the product where the symbol is empty.
    fn markets_of(&self, category: Category, symbol: Symbol) -> Result<impl Iterator<Item = &Market>, ApiError> {
        if !symbol.is_empty() {
            self.market_of(category, symbol)?;
        }
        let wanted = move |market: &&Market| symbol.is_empty() || market.rules.symbol == symbol;
        Ok(self.markets.iter().filter(move |market| market.category == category).filter(wanted))
    }

    /// Open orders, newest first; by id also those that closed recently. Absence proves nothing yet.
    fn realtime(&self, now: Timestamp, query: &OrderQuery, refine: &Refine) -> Result<Page<OrderRow>, ApiError> {
        check_limit(query.limit, MAX_ORDERS)?;
        if let Some(symbol) = query.symbol {
            self.market_of(query.category, symbol)?;
        }
        if self.is_under(Spell::RealtimeBlank, now) {
            return Ok(Page::default());
        }
        let seen = Timestamp(now.0.saturating_sub(self.realtime_lag().0));
        if query.order_id.is_some() || query.link.is_some() {
            let number = self.by_id(query).filter(|number| self.is_cached(*number) && !self.is_in_gap(now, *number));
            let row = number.and_then(|number| self.truth.order(number).row_at(seen));
            return Ok(row.map_or_else(Page::default, |row| one(self.shown(now, row))));
        }
        if query.symbol.is_none() && query.settle_coin.is_none() {
            return Err(say(refusal::SCOPE));
        }
        let before = start_of(query.cursor.as_deref())?;
        // Orders that closed within the lag still look open, so the walk is over both kinds.
        let fits = |number: &u64| {
            let order = self.truth.order(*number);
            let shown = refine.recently_closed || !order.is_closed() || order.state.updated > seen;
            shown && *number < before && !self.is_in_gap(now, *number)
        };
        let numbers = self.open.iter().chain(&self.recent).copied().filter(fits);
        let mut numbers: Vec<u64> = numbers.filter(|number| self.is_cached(*number)).collect();
        numbers.sort_unstable_by(|a, b| b.cmp(a));
        let rows = numbers.iter().filter_map(|number| Some((*number, self.truth.order(*number).row_at(seen)?)));
        let rows = rows.filter(|(_, row)| row.status.is_terminal() == refine.recently_closed);
        let rows = rows.filter(|(number, _)| self.in_scope(query, *number));
        let rows = rows.map(|(number, row)| (number, self.shown(now, row)));
        Ok(self.page(now, rows, query.limit, query.cursor.as_deref()))
    }

    /// Closed orders, newest first. Those that ended without a fill are forgotten after a day.
    fn history(&self, now: Timestamp, query: &OrderQuery, refine: &Refine) -> Result<Page<OrderRow>, ApiError> {
        check_limit(query.limit, MAX_ORDERS)?;
        if let Some(symbol) = query.symbol {
            self.market_of(query.category, symbol)?;
        }
        if refine.status.is_some_and(|status| !status.is_terminal()) {
            return Err(say(refusal::NOT_FINAL));
        }
        let window = window(now, query.start, query.end)?;
        let before = start_of(query.cursor.as_deref())?;
        let good = |row: &OrderRow| refine.status.is_none_or(|status| status == row.status);
        if query.order_id.is_some() || query.link.is_some() {
            let row = self.by_id(query).and_then(|number| self.history_row(now, number));
            let row = row.filter(|row| good(row) && window.holds(row.created));
            return Ok(row.map_or_else(Page::default, |row| one(self.shown(now, row))));
        }
        let orders = &self.truth.orders;
        let first = orders.partition_point(|order| super::clock(order.created) < window.start) as u64;
        let last = orders.partition_point(|order| super::clock(order.created) <= window.end) as u64;
        let numbers = (first..last.min(before)).rev();
        let rows = numbers.filter_map(|number| Some((number, self.history_row(now, number)?)));
        let rows = rows.filter(|(number, row)| good(row) && self.in_scope(query, *number));
        let rows = rows.map(|(number, row)| (number, self.shown(now, row)));
        Ok(self.page(now, rows, query.limit, query.cursor.as_deref()))
    }

    fn history_row(&self, now: Timestamp, number: u64) -> Option<OrderRow> {
        let order = self.truth.order(number);
        let usual = self.knobs.history_lag.unwrap_or(Span::millis(self.config.delays.history_ms));
        let at_once = self.is_under(Spell::DuplicateRows, now);
        let lag = if at_once { Span::ZERO } else { usual.max(self.knobs.closed_gap) };
        if !order.is_closed() || order.state.updated.after(lag) > now {
            return None;
        }
        let kept = Span::secs(3_600).times(self.config.zero_fill_retention_h);
        let age = now.since(order.state.updated);
        let without_fill = order.state.cum_quantity.is_zero();
        (!without_fill || age <= kept).then(|| order.row())
    }

    /// Fills, newest first. An order's id overrides everything else (2.9).
    fn execution_list(&self, now: Timestamp, query: &ExecutionQuery) -> Result<Reply, ApiError> {
        check_limit(query.limit, MAX_EXECUTIONS)?;
        let before = start_of(query.cursor.as_deref())?;
        let lag = self.knobs.executions_lag.unwrap_or(Span::millis(self.config.delays.executions_ms));
        let seen = Timestamp(now.0.saturating_sub(lag.0));
        let all = &self.truth.executions;
        let row = |number: u64| all.get(number as usize).filter(|e| e.time <= seen).map(|e| (number, e.asked_row()));
        let by_id = match (query.order_id, query.link) {
            (Some(id), _) => Some(self.truth.order_by_id(id).map(|order| order.number)),
            (None, Some(link)) => Some(self.truth.order_of(link).map(|order| order.number)),
            (None, None) => None,
        };
        if let Some(order) = by_id {
            let order = order.and_then(|number| self.truth.orders.get(number as usize));
            let numbers = order.map_or(&[][..], |order| &order.executions).iter().rev().copied();
            let rows = numbers.filter(|number| *number < before).filter_map(row);
            return Ok(Reply::Executions(self.executions_page(now, rows, query)));
        }
        if let Some(symbol) = query.symbol {
            self.market_of(query.category, symbol)?;
        }
        let window = window(now, query.start, query.end)?;
        let first = all.partition_point(|e| super::clock(e.time) < window.start) as u64;
        let last = all.partition_point(|e| super::clock(e.time) <= window.end) as u64;
        let numbers = (first..last.min(before)).rev();
        let wanted = |number: &u64| query.symbol.is_none_or(|symbol| all[*number as usize].symbol == symbol);
        Ok(Reply::Executions(self.executions_page(now, numbers.filter(wanted).filter_map(row), query)))
    }

    /// Newest first, but those of one millisecond may come in any order (Q50).
    fn executions_page(
        &self,
        now: Timestamp,
        rows: impl Iterator<Item = (u64, ExecutionRow)>,
        query: &ExecutionQuery,
    ) -> Page<ExecutionRow> {
        let mut page = self.page(now, rows, query.limit, query.cursor.as_deref());
        if self.is_under(Spell::UnsortedExecutions, now) {
            page.rows.chunk_by_mut(|a, b| a.time == b.time).for_each(<[_]>::reverse);
        }
        page
    }

    /// One symbol's row even when flat, or the open positions of a settle coin (6.4).
    fn position_list(
        &self,
        now: Timestamp,
        category: Category,
        symbol: Option<Symbol>,
        settle_coin: Option<Coin>,
        cursor: Option<&Text<512>>,
    ) -> Result<Page<PositionRow>, ApiError> {
        start_of(cursor)?;
        if let Some(symbol) = symbol {
            let rows = self.seen_positions(now, &self.markets[self.market_of(category, symbol)?]);
            return Ok(Page { rows, ..Page::default() });
        }
        let Some(coin) = settle_coin else { return Err(say(refusal::SCOPE)) };
        // One page holds them all; a cursor asks for what comes after it, which is nothing.
        let all = self.markets.iter().filter(|m| m.category == category && m.rules.quote == coin);
        let all = all.filter(|_| cursor.is_none_or(Text::is_empty));
        let open = all.flat_map(|market| self.seen_positions(now, market)).filter(|row| row.side.is_some());
        Ok(Page { rows: open.collect(), ..Page::default() })
    }

    /// The rows of a position as far as its view has come.
    fn seen_positions(&self, now: Timestamp, market: &Market) -> Vec<PositionRow> {
        let seen = self.knobs.positions_lag.map(|lag| Timestamp(now.0.saturating_sub(lag.0)));
        seen.and_then(|seen| market.past.at(seen).cloned()).unwrap_or_else(|| market.position_rows())
    }

    /// The ticker as far as its view has come.
    fn seen_ticker(&self, now: Timestamp, market: &Market) -> TickerRow {
        let seen = self.knobs.tickers_lag.map(|lag| Timestamp(now.0.saturating_sub(lag.0)));
        seen.and_then(|seen| market.past_ticker.at(seen).copied()).unwrap_or_else(|| market.ticker())
    }

    /// The rules as far as their view has come.
    fn seen_rules(&self, now: Timestamp, market: &Market) -> InstrumentRow {
        let seen = self.knobs.instruments_lag.map(|lag| Timestamp(now.0.saturating_sub(lag.0)));
        seen.and_then(|seen| market.past_rules.at(seen).copied()).unwrap_or(market.rules)
    }

    /// The wallet as far as its view has come.
    fn seen_wallet(&self, now: Timestamp) -> WalletRow {
        let seen = self.knobs.wallet_lag.map(|lag| Timestamp(now.0.saturating_sub(lag.0)));
        seen.and_then(|seen| self.past_wallet.at(seen).cloned()).unwrap_or_else(|| self.wallet_row())
    }

    /// Has it ended so recently that no view shows it (Q44)?
    fn is_in_gap(&self, now: Timestamp, number: u64) -> bool {
        let order = self.truth.order(number);
        order.is_closed() && order.state.updated.after(self.knobs.closed_gap) > now
    }

    /// The number of the order that a query names; Bybit's id wins.
    fn by_id(&self, query: &OrderQuery) -> Option<u64> {
        match (query.order_id, query.link) {
            (Some(id), _) => self.truth.order_by_id(id).map(|order| order.number),
            (None, Some(link)) => self.truth.order_of(link).map(|order| order.number),
            (None, None) => None,
        }
        .filter(|number| self.truth.orders.get(*number as usize).is_some_and(|o| o.category == query.category))
    }

    /// Does a list by symbol or by settle coin hold this order? The symbol wins.
    fn in_scope(&self, query: &OrderQuery, number: u64) -> bool {
        let order = self.truth.order(number);
        let coin = self.markets[order.market].rules.quote;
        order.category == query.category
            && query.symbol.map_or(query.settle_coin.is_none_or(|wanted| wanted == coin), |s| s == order.symbol)
    }

    /// Takes a page from rows that come with falling numbers.
    fn page<T>(
        &self,
        now: Timestamp,
        rows: impl Iterator<Item = (u64, T)>,
        limit: u32,
        sent: Option<&Text<512>>,
    ) -> Page<T> {
        let mut page = Page::default();
        let mut last = None;
        let mut rows = rows.peekable();
        while page.rows.len() < limit as usize {
            let Some((number, row)) = rows.next() else { break };
            last = Some(number);
            page.rows.push(row);
        }
        let is_last = rows.peek().is_none();
        let again = sent.and_then(|sent| start_of(Some(sent)).ok());
        if is_last
            && self.is_under(Spell::CursorLoop, now)
            && let Some(number) = again
        {
            page.cursor = Some(cursor_to(number)); // as it is always written, however it was asked for
            return page;
        }
        let ends = is_last && (!self.config.cursor_on_last_page || self.is_under(Spell::CursorEnd, now));
        let repeats = page.rows.len() > 1 && self.is_under(Spell::DuplicateRows, now);
        let below = last.filter(|_| !ends).map(|number| number + u64::from(repeats));
        page.cursor = below.map(cursor_to);
        page
    }
}

fn cursor_to(number: u64) -> Cursor {
    Box::new(Text::clipped(&format!("page_token%3D{number}%26")))
}

impl Window {
    fn holds(&self, time: ExchangeTime) -> bool {
        self.start <= time && time <= self.end
    }
}

/// The times of a query (2.8): at most 7 days; where an end is missing it is 7 days from the other.
fn window(now: Timestamp, start: Option<ExchangeTime>, end: Option<ExchangeTime>) -> Result<Window, ApiError> {
    let window = match (start, end) {
        (None, None) => Window { start: super::clock(now).before(WEEK), end: super::clock(now) },
        (Some(start), None) => Window { start, end: start.after(WEEK) },
        (None, Some(end)) => Window { start: end.before(WEEK), end },
        (Some(start), Some(end)) => Window { start, end },
    };
    if window.end.since(window.start) > WEEK { Err(say(refusal::WINDOW)) } else { Ok(window) }
}

fn all<T>(rows: impl Iterator<Item = T>) -> Page<T> {
    Page { rows: rows.collect(), ..Page::default() }
}

fn check_limit(limit: u32, max: u32) -> Result<(), ApiError> {
    if (1..=max).contains(&limit) { Ok(()) } else { Err(say(refusal::LIMIT)) }
}

/// Rows below this number come next. Cursors come back encoded, decoded or encoded twice (2.10).
fn start_of(cursor: Option<&Text<512>>) -> Result<u64, ApiError> {
    let Some(cursor) = cursor.filter(|cursor| !cursor.is_empty()) else { return Ok(u64::MAX) };
    let tail = cursor.as_str().strip_prefix("page_token");
    let tail = tail.and_then(|t| ["=", "%3D", "%253D"].iter().find_map(|equals| t.strip_prefix(equals)));
    let digits = tail.and_then(|t| ["&", "%26", "%2526"].iter().find_map(|and| t.strip_suffix(and)));
    digits.and_then(|digits| digits.parse().ok()).ok_or_else(|| say(refusal::CURSOR))
}

fn one<T>(row: T) -> Page<T> {
    Page { rows: vec![row], ..Page::default() }
}
