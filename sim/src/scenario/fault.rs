//! Faults of a scenario: what the link and the exchange do wrong, and when the process dies.

use super::Action;
use super::problem::Problem;
use super::raw::{RawCrash, RawFault, Word};
use super::read::Reader;
use super::word;
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

/// What becomes of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    /// It is lost.
    Drop,
    /// It comes this much later.
    Delay(Span),
    /// It comes twice.
    Duplicate,
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

/// The process dies in a step of the manager and starts again later.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Crash {
    /// Where in the step (design: step, persist, act, sleep).
    pub moment: CrashMoment,
    /// Which step: the next that fits.
    pub on: CrashOn,
    /// How long it stays down. Default 1 s.
    pub restart: Span,
}

/// Where a step is cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CrashMoment {
    /// Decided, nothing stored.
    BeforePersist,
    /// Stored, nothing sent or acknowledged.
    AfterPersist,
    /// Stored and sent, no reply seen.
    AfterRequest,
}

/// Which steps a crash waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CrashOn {
    /// Any.
    Any,
    /// A signal came in.
    Signal,
    /// A reply came in.
    Reply,
    /// A push came in.
    Push,
    /// It sends one of these requests.
    Sending(Requests),
}

const OPERATIONS: &[(&str, Requests)] = &[
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

const TOPICS: &[(&str, Pushes)] = &[
    ("order", Pushes::One(Topic::Order)),
    ("execution", Pushes::One(Topic::Execution)),
    ("position", Pushes::One(Topic::Position)),
    ("wallet", Pushes::One(Topic::Wallet)),
    ("any", Pushes::All),
];

const MOMENTS: &[(&str, CrashMoment)] = &[
    ("before-persist", CrashMoment::BeforePersist),
    ("after-persist", CrashMoment::AfterPersist),
    ("after-request", CrashMoment::AfterRequest),
];

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
    ];
    r.exactly_one(raw, "fault", &verbs)?;
    only_with(r, fields.by.as_ref(), "by", "delay", fields.delay.is_some())?;
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
        let way = fields.drop.as_ref().or(fields.delay.as_ref()).or(fields.duplicate.as_ref())?;
        let path = path(r, way, of);
        let effect = if fields.delay.is_some() {
            let by = r.required(raw, fields.by.as_ref(), "by")?;
            Effect::Delay(r.take(word::length(by))?)
        } else if fields.duplicate.is_some() {
            Effect::Duplicate
        } else {
            Effect::Drop
        };
        FaultKind::Carry { path: path?, effect }
    };
    Some(Action::Fault(Fault { kind, count: count? }))
}

/// Reads `crash = { .. }`.
pub(super) fn read_crash(r: &mut Reader<'_>, raw: &RawCrash) -> Option<Action> {
    let moment = r.take(word::choose(&raw.at, "moment of a crash", MOMENTS));
    let restart = r.or(raw.restart.as_ref(), Span::secs(1), word::length);
    let on = r.or(raw.on.as_ref(), CrashOn::Any, |word| {
        let inputs = [("signal", CrashOn::Signal), ("reply", CrashOn::Reply), ("push", CrashOn::Push)];
        let sending = OPERATIONS.iter().map(|(word, of)| match of {
            Requests::All => (*word, CrashOn::Any),
            of => (*word, CrashOn::Sending(*of)),
        });
        word::choose(word, "step to crash on", &inputs.into_iter().chain(sending).collect::<Vec<_>>())
    });
    Some(Action::Crash(Crash { moment: moment?, on: on?, restart: restart? }))
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
