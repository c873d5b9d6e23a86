//! Faults of a scenario: what the link and the exchange do wrong.

use super::Action;
use super::problem::Problem;
use super::raw::{RawFault, Word};
use super::read::Reader;
use super::word::{self, word_of};
use order_manager_core::bybit::Operation;
use order_manager_core::unit::Span;
use toml::Spanned;

/// What goes wrong, `count` times, from its moment on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fault {
    /// What goes wrong.
    pub kind: FaultKind,
    /// For how many messages that it fits, from 1.
    pub count: u32,
}

/// What goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FaultKind {
    /// A message on its way is lost, late or doubled.
    Carry {
        /// Which messages.
        path: Path,
        /// What becomes of them.
        effect: Effect,
    },
    /// The exchange answers so.
    Answer {
        /// Which requests.
        of: Requests,
        /// What it answers.
        answer: Answer,
        /// Does it carry the request out nevertheless?
        executed: bool,
    },
    /// What the request causes is pushed before its reply arrives.
    PushFirst {
        /// Which requests.
        of: Requests,
    },
}

/// The way of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Path {
    /// To the exchange: it never hears of a lost one.
    Request(Requests),
    /// Back from the exchange: it has acted on the request.
    Reply(Requests),
    /// The private stream.
    Push(Pushes),
}

/// A message on its way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Message {
    /// To the exchange.
    Request(Operation),
    /// Back from it.
    Reply(Operation),
    /// On the private stream; of none of the four topics where none is named.
    Push(Option<Topic>),
}

impl Path {
    /// Does this message go this way?
    #[must_use]
    pub fn covers(self, message: Message) -> bool {
        match (self, message) {
            (Self::Request(of), Message::Request(one)) | (Self::Reply(of), Message::Reply(one)) => of.covers(one),
            (Self::Push(Pushes::All), Message::Push(_)) => true,
            (Self::Push(Pushes::One(one)), Message::Push(topic)) => Some(one) == topic,
            _ => false,
        }
    }
}

/// What becomes of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    /// It is lost.
    Drop,
    /// It comes this much later.
    Delay(Span),
    /// It comes twice.
    Duplicate,
    /// Only of a request or reply. The connection is reset: the sender hears at once that nobody knows what became of
    /// its request. A reset reply is one to a request that was carried out; a reset request never was, or is so much
    /// later all the same.
    Reset(Option<Span>),
    /// Only of a request. The connection is refused: the sender knows that no byte left.
    Refuse,
    /// It comes right after the next message of this path, so much later at the latest.
    Reorder(Span),
}

/// Which requests a fault is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Requests {
    /// All.
    All,
    /// The questions after orders: open orders, order history, executions.
    Queries,
    /// One endpoint.
    One(Operation),
}

impl Requests {
    /// Is `operation` one of them?
    #[must_use]
    pub fn covers(self, operation: Operation) -> bool {
        match self {
            Self::All => true,
            Self::Queries => {
                matches!(operation, Operation::OpenOrders | Operation::OrderHistory | Operation::Executions)
            }
            Self::One(one) => one == operation,
        }
    }
}

/// Which pushes a fault is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pushes {
    /// All.
    All,
    /// One topic.
    One(Topic),
}

/// A topic of the private stream (bybit-v5.md 4).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Topic {
    /// `order`
    Order,
    /// `execution`
    Execution,
    /// `position`
    Position,
    /// `wallet`
    Wallet,
}

/// What the exchange says instead of what it would have said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// HTTP 200 with this `retCode` (bybit-v5.md 7).
    Code(i64),
    /// This HTTP status, 100 to 599.
    Status(u16),
}

/// How long a message waits at most to be overtaken, where nothing else is said.
pub(super) const OVERTAKEN_BY: Span = Span::secs(1);

/// Words for requests.
pub(super) const OPERATIONS: &[(&str, Requests)] = &[
    ("create", Requests::One(Operation::Create)),
    ("cancel", Requests::One(Operation::Cancel)),
    ("amend", Requests::One(Operation::Amend)),
    ("query", Requests::Queries),
    ("open-orders", Requests::One(Operation::OpenOrders)),
    ("order-history", Requests::One(Operation::OrderHistory)),
    ("executions", Requests::One(Operation::Executions)),
    ("instruments", Requests::One(Operation::Instruments)),
    ("wallet", Requests::One(Operation::Wallet)),
    ("positions", Requests::One(Operation::Positions)),
    ("tickers", Requests::One(Operation::Tickers)),
    ("server-time", Requests::One(Operation::ServerTime)),
    ("any", Requests::All),
];

/// Words for pushes.
pub(super) const TOPICS: &[(&str, Pushes)] = &[
    ("order", Pushes::One(Topic::Order)),
    ("execution", Pushes::One(Topic::Execution)),
    ("position", Pushes::One(Topic::Position)),
    ("wallet", Pushes::One(Topic::Wallet)),
    ("any", Pushes::All),
];

/// How a scenario spells these requests.
pub(super) fn requests_word(of: Requests) -> &'static str {
    word_of(OPERATIONS, &of)
}

/// How a scenario spells these pushes.
pub(super) fn pushes_word(of: Pushes) -> &'static str {
    word_of(TOPICS, &of)
}

/// Reads `fault = { .. }`.
pub(super) fn read(r: &mut Reader<'_>, raw: &Spanned<RawFault>) -> Option<Action> {
    let fields = raw.get_ref();
    let count = r.count(fields.count.as_ref());
    let verbs = [
        ("drop", fields.drop.is_some()),
        ("delay", fields.delay.is_some()),
        ("duplicate", fields.duplicate.is_some()),
        ("answer", fields.answer.is_some()),
        ("push_first", fields.push_first.is_some()),
        ("reset", fields.reset.is_some()),
        ("refuse", fields.refuse.is_some()),
        ("reorder", fields.reorder.is_some()),
    ];
    r.exactly_one(raw, "fault", &verbs)?;
    let waits = fields.delay.is_some() || fields.reset.is_some() || fields.reorder.is_some();
    only_with(r, fields.by.as_ref(), "by", "delay", waits)?;
    only_with(r, fields.executed.as_ref(), "executed", "answer", fields.answer.is_some())?;

    let of = fields.of.as_ref();
    let kind = if let Some(code) = &fields.answer {
        let answer = r.take(answer(code));
        let executed = fields.executed.as_ref().is_some_and(|e| *e.get_ref());
        FaultKind::Answer { of: requests(r, of)?, answer: answer?, executed }
    } else if let Some(yes) = &fields.push_first {
        r.take(super::read::must_be_true(yes, "push_first"))?;
        FaultKind::PushFirst { of: requests(r, of)? }
    } else {
        carry(r, raw)?
    };
    Some(Action::Fault(Fault { kind, count: count? }))
}

/// What becomes of messages on their way.
fn carry(r: &mut Reader<'_>, raw: &Spanned<RawFault>) -> Option<FaultKind> {
    let fields = raw.get_ref();
    let ways = [&fields.drop, &fields.delay, &fields.duplicate, &fields.reset, &fields.refuse, &fields.reorder];
    let way = ways.into_iter().find_map(Option::as_ref)?;
    let path = path(r, way, fields.of.as_ref());
    let by = match &fields.by {
        Some(by) => Some(r.take(word::length(by))?),
        None => None,
    };
    let effect = if fields.delay.is_some() {
        r.required(raw, fields.by.as_ref(), "by")?;
        Effect::Delay(by?)
    } else if fields.duplicate.is_some() {
        Effect::Duplicate
    } else if fields.reset.is_some() {
        only_of(r, way, "reset", if by.is_some() { &["request"] } else { &["request", "reply"] })?;
        Effect::Reset(by)
    } else if fields.refuse.is_some() {
        only_of(r, way, "refuse", &["request"])?;
        Effect::Refuse
    } else if fields.reorder.is_some() {
        Effect::Reorder(by.unwrap_or(OVERTAKEN_BY))
    } else {
        Effect::Drop
    };
    Some(FaultKind::Carry { path: path?, effect })
}

/// Some things happen only to some messages.
fn only_of(r: &mut Reader<'_>, way: &Word, verb: &str, ways: &[&str]) -> Option<()> {
    if ways.contains(&way.get_ref().as_str()) {
        return Some(());
    }
    let all: Vec<String> = ways.iter().map(|way| format!("`{way}`")).collect();
    let message = format!("`{verb}` of a `{}`, as it stands here, does not happen", way.get_ref());
    r.problem(Problem::at(way, message, "not of this", format!("it happens to {}", all.join(" or "))));
    None
}

fn requests(r: &mut Reader<'_>, of: Option<&Word>) -> Option<Requests> {
    r.or(of, Requests::All, |word| word::choose(word, "kind of request", OPERATIONS))
}

fn path(r: &mut Reader<'_>, way: &Word, of: Option<&Word>) -> Option<Path> {
    match r.take(word::choose(way, "message", &[("request", 0), ("reply", 1), ("push", 2)]))? {
        0 => requests(r, of).map(Path::Request),
        1 => requests(r, of).map(Path::Reply),
        _ => r.or(of, Pushes::All, |word| word::choose(word, "topic", TOPICS)).map(Path::Push),
    }
}

/// A status of HTTP where it looks like one, else a `retCode`.
fn answer(code: &Spanned<i64>) -> Result<Answer, Problem> {
    match *code.get_ref() {
        success @ (0 | 200) => {
            let help = "write a retCode such as 110007 or an HTTP status such as 503";
            Err(Problem::at(code, format!("answer `{success}` is a success"), "not a failure", help))
        }
        status @ 100..=599 => Ok(Answer::Status(status as u16)),
        code => Ok(Answer::Code(code)),
    }
}

fn only_with<T>(r: &mut Reader<'_>, field: Option<&Spanned<T>>, name: &str, verb: &str, present: bool) -> Option<()> {
    let Some(field) = field.filter(|_| !present) else { return Some(()) };
    let message = format!("`{name}` belongs to `{verb}`");
    r.problem(Problem::at(field, message, format!("without `{verb}`"), format!("take `{name}` out, or use `{verb}`")));
    None
}
