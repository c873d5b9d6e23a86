//! Answers: the sensible one to each request, and the tape's wild ones.

use super::fact;
use super::venue::{Placed, Venue, Waiting};
use crate::choice::Choices;
use order_manager_core::bybit::{
    ApiError, ApiReply, ExecutionRow, LimitHeaders, OrderRow, OrderStatus, Page, PositionRow, Reply, Request, rest,
};
use order_manager_core::input::{Answer, Tag};
use order_manager_core::manager::Durable;
use order_manager_core::unit::{Bytes, OrderLinkId, Quantity, Symbol, Text, Timestamp};

/// Refusals worth trying: rule, budget, clock, twin, cancel too late, parameters, server, unknown.
const CODES: [i64; 12] =
    [110_007, 110_072, 10_006, 10_002, 110_001, 10_001, 10_016, 10_000, 10_003, 170_141, 110_017, 987_654];
const STATUSES: [u16; 5] = [403, 500, 429, 404, 502];
const GARBAGE: [&[u8]; 8] = [
    b"",
    b"<html>",
    b"{}",
    br#"{"retCode":0}"#,
    br#"{"retCode":0,"retMsg":"OK","result":{}}"#,
    br#"{"retCode":0,"retMsg":"OK","result":{"list":[]},"time":1}"#,
    br#"{"retCode":110001,"retMsg":"order not exists","result":{}}"#,
    br#"{"retCode":0,"retMsg":"OK","result":{"list":[{"orderId":7}],"nextPageCursor":"c"},"time":1}"#,
];

fn reply(result: Result<Reply, ApiError>) -> Answer {
    Answer::Typed(ApiReply { result, time: None, limits: LimitHeaders::default() })
}

fn page<T>(rows: Vec<T>) -> Page<T> {
    Page { rows, bad: Vec::new(), cursor: None }
}

/// What a cooperative exchange answers.
pub(super) fn good(venue: &mut Venue, durable: &Durable, waiting: &Waiting, at: Timestamp) -> Answer {
    let now = venue.now(at);
    reply(Ok(match &waiting.outgoing.request {
        Request::Create(create) => {
            venue.accept(create.link, now);
            ack(create.link)
        }
        Request::Cancel(cancel) => {
            venue.cancel(cancel.link, now);
            ack(cancel.link)
        }
        Request::Amend(amend) => ack(amend.link),
        Request::OpenOrders(query) => Reply::Orders(page(orders(venue, query.link, at))),
        Request::OrderHistory(query) => {
            let mut rows = orders(venue, query.link, at);
            rows.retain(|row| row.status.is_terminal());
            Reply::Orders(page(rows))
        }
        Request::Executions(query) => Reply::Executions(page(executions(venue, query.link, at))),
        Request::Instrument { symbol, .. } => Reply::Instruments(page(listed(*symbol, fact::instrument))),
        Request::Wallet => Reply::Wallet(fact::wallet()),
        Request::Ticker { symbol, .. } => Reply::Tickers(page(listed(*symbol, fact::ticker))),
        Request::ServerTime => Reply::ServerTime(middle(venue, waiting, at)),
        Request::Positions { symbol, .. } => {
            let size = |symbol: &Symbol| durable.positions.get(symbol).map_or(Quantity::ZERO, |p| p.size);
            let seq = venue.number();
            let held = venue.held.iter().filter(|(of, _)| symbol.is_none_or(|symbol| symbol == **of));
            let mut rows: Vec<_> = held
                .map(|(of, (size, index))| PositionRow { position_idx: *index, ..fact::position(*of, *size, seq, now) })
                .collect();
            let missing = symbol.filter(|symbol| !venue.held.contains_key(symbol));
            rows.extend(missing.map(|symbol| fact::position(symbol, size(&symbol), seq, now)));
            Reply::Positions(page(rows))
        }
    }))
}

fn ack(link: OrderLinkId) -> Reply {
    Reply::Ack { order_id: fact::order_id(link), link: Some(Text::clipped(link.as_str())) }
}

/// Questions and answers take the same time, so the clock that is measured is exact.
fn middle(venue: &Venue, waiting: &Waiting, at: Timestamp) -> u64 {
    let half = at.since(waiting.sent_at).0 / 2;
    (waiting.sent_at.0 + half).saturating_add_signed(venue.offset.0)
}

fn listed<T>(symbol: Symbol, row: fn(Symbol) -> T) -> Vec<T> {
    if symbol.as_str() == fact::SYMBOLS[2] { Vec::new() } else { vec![row(symbol)] }
}

/// One order as it stands, or all that are open.
fn orders(venue: &mut Venue, link: Option<OrderLinkId>, at: Timestamp) -> Vec<OrderRow> {
    let (now, calm) = (venue.now(at), venue.calm);
    let wanted = venue.placed.iter_mut().filter(|placed| match link {
        Some(link) => placed.create.link == link,
        None => placed.status.is_some_and(|status| !status.is_terminal()),
    });
    wanted
        .filter_map(|placed| {
            let is_limit = matches!(placed.create.kind, order_manager_core::bybit::OrderKind::Limit { .. });
            if calm && !is_limit && placed.status.is_some_and(|status| !status.is_terminal()) {
                placed.status = Some(OrderStatus::Cancelled); // a market order ends of itself
            }
            placed.row(now)
        })
        .collect()
}

/// Fills of one order, or the latest of all. In the calm they explain all that rows have shown.
fn executions(venue: &mut Venue, link: Option<OrderLinkId>, at: Timestamp) -> Vec<ExecutionRow> {
    let (now, calm, number) = (venue.now(at), venue.calm, venue.number());
    let mut rows = Vec::new();
    for (index, placed) in venue.placed.iter_mut().enumerate().rev().take(100) {
        if link.is_some_and(|link| link != placed.create.link) {
            continue;
        }
        let unexplained = placed.filled.minus(placed.executed()).unwrap_or_default();
        if calm && unexplained.is_positive() {
            placed.execute(unexplained, number * 1_000 + index as u64 + 1_000_000_000, now);
        }
        rows.extend_from_slice(&placed.executions);
    }
    rows
}

/// Any answer at all.
pub(super) fn wild(
    choices: &mut Choices,
    venue: &mut Venue,
    durable: &Durable,
    waiting: &Waiting,
    at: Timestamp,
) -> Answer {
    let kind = choices.below("answer", 12);
    if let Request::Create(create) = &waiting.outgoing.request
        && matches!(kind, 1 | 2)
        && choices.chance("arrived all the same", 500)
    {
        let now = venue.now(at);
        venue.accept(create.link, now);
    }
    match kind {
        1 => Answer::Lost { why: Text::clipped("reset") },
        2 => reply(Err(ApiError::Unreadable(Text::clipped("cut")))),
        3 => Answer::NotSent { why: Text::clipped("refused") },
        4..=6 => {
            let code = *choices.pick("code", &CODES);
            reply(Err(ApiError::Code { code, message: Text::clipped("no") }))
        }
        7 => reply(Err(ApiError::Status(*choices.pick("http status", &STATUSES)))),
        8 => garbage(choices, venue, waiting),
        9..=11 => any_rows(choices, venue, durable, waiting, at),
        _ => good(venue, durable, waiting, at),
    }
}

fn garbage(choices: &mut Choices, venue: &mut Venue, waiting: &Waiting) -> Answer {
    let mut body = choices.pick("garbage", &GARBAGE).to_vec();
    for _ in 0..choices.below("garbled", 4) {
        let place = choices.below("where", body.len() as u64 + 1) as usize;
        let byte = choices.below("byte", 256) as u8;
        match body.get_mut(place) {
            Some(old) => *old = byte,
            None => body.push(byte),
        }
    }
    let limits = LimitHeaders::default();
    let read = rest::decode(waiting.outgoing.request.operation(), 200, limits, &body);
    if read.result.is_ok_and(|reply| has_bad_rows(&reply)) && !make_true(venue, waiting.outgoing.tag) {
        body.clear();
    }
    Answer::Http { status: 200, limits, body: Bytes(body) }
}

fn has_bad_rows(reply: &Reply) -> bool {
    match reply {
        Reply::Orders(page) => !page.bad.is_empty(),
        Reply::Executions(page) => !page.bad.is_empty(),
        _ => false,
    }
}

/// Makes true what a row tells that nobody can read: where one order was asked for it is that one's, which exists from now
/// on. False where that one never came: then there is nothing to show.
fn make_true(venue: &mut Venue, tag: Tag) -> bool {
    let Tag::Inquiry { link, .. } = tag else { return true };
    let placed = venue.placed.iter_mut().find(|placed| placed.create.link == link);
    placed.map(Placed::exists).is_some()
}

/// Pages that answer more, less or something else than was asked.
fn any_rows(choices: &mut Choices, venue: &mut Venue, durable: &Durable, waiting: &Waiting, at: Timestamp) -> Answer {
    let now = venue.now(at);
    let count = if venue.placed.is_empty() { 0 } else { choices.below("rows", 4) };
    let index = |choices: &mut Choices, venue: &Venue| {
        let known = venue.placed.len();
        known - 1 - choices.below("which order", known as u64) as usize
    };
    let cursor = if choices.chance("cursor", 250) { Some(Box::new(Text::clipped("more"))) } else { None };
    let mut bad = if choices.chance("bad row", 150) { vec![fact::bad_row(choices, venue)] } else { Vec::new() };
    if !bad.is_empty() && !make_true(venue, waiting.outgoing.tag) {
        bad.clear();
    }
    reply(Ok(match &waiting.outgoing.request {
        Request::OpenOrders(_) | Request::OrderHistory(_) => {
            let mut rows = Vec::new();
            for _ in 0..count {
                let index = index(choices, venue);
                rows.push(fact::any_order_row(choices, venue, index, now));
            }
            if choices.chance("foreign too", 200) {
                rows.push(fact::foreign_order(choices, venue, now));
            }
            Reply::Orders(Page { rows, bad, cursor })
        }
        Request::Executions(_) => {
            let mut rows = Vec::new();
            for _ in 0..count {
                let index = index(choices, venue);
                rows.push(fact::any_execution(choices, venue, index, now));
            }
            if choices.chance("foreign too", 200) {
                rows.push(fact::foreign_execution(choices, venue, now));
            }
            Reply::Executions(Page { rows, bad, cursor })
        }
        Request::Instrument { .. } => Reply::Instruments(Page { rows: Vec::new(), bad, cursor }),
        Request::Ticker { .. } => Reply::Tickers(Page { rows: Vec::new(), bad, cursor }),
        Request::Positions { .. } => Reply::Positions(Page { rows: Vec::new(), bad, cursor }),
        _ => return good(venue, durable, waiting, at),
    }))
}
