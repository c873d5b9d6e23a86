//! What goes wrong on the way, with the process and with the broker.

use super::Drawing;
use crate::choice::Choices;
use crate::scenario::{
    Action, Answer, Broker, Clock, Commit, CommitTrouble, Crash, CrashMoment, CrashOn, Effect, Fault, FaultKind, Loss,
    Messages, Path, Pushes, Reconnect, Requests, Silence, Topic,
};
use crate::swarm::family::Family;
use order_manager_core::bybit::Operation;
use order_manager_core::unit::Span;

/// What a family of the link, the stream or the store does next; none of another family.
pub(super) fn of(c: &mut Choices, family: Family) -> Option<Action> {
    let l = family.name();
    let on_off = |c: &mut Choices, off, on| if c.below(l, 5) < 2 { on } else { off };
    let kind = match family {
        Family::RequestLost => carry(Path::Request(requests(c, l)), Effect::Drop),
        Family::RequestLate => carry(Path::Request(requests(c, l)), Effect::Delay(late(c, l))),
        Family::RequestTwice => carry(Path::Request(requests(c, l)), Effect::Duplicate),
        Family::ReplyLost => carry(Path::Reply(requests(c, l)), Effect::Drop),
        Family::ReplyLate => carry(Path::Reply(requests(c, l)), Effect::Delay(late(c, l))),
        Family::ReplyTwice => carry(Path::Reply(requests(c, l)), Effect::Duplicate),
        Family::Reset => {
            let (of, reply) = (requests(c, l), c.below(l, 2) == 1);
            let by = (c.below(l, 2) == 1).then(|| late(c, l));
            if reply {
                carry(Path::Reply(of), Effect::Reset(None))
            } else {
                carry(Path::Request(of), Effect::Reset(by))
            }
        }
        Family::Unreached => carry(Path::Request(requests(c, l)), Effect::Refuse),
        Family::Reordered => {
            let paths = [Path::Push(pushes(c, l)), Path::Reply(requests(c, l)), Path::Request(requests(c, l))];
            let by = Span::millis(*c.pick(l, &[1_000, 100, 4_000]));
            carry(*c.pick(l, &paths), Effect::Reorder(by))
        }
        Family::PushLost => carry(Path::Push(pushes(c, l)), Effect::Drop),
        Family::PushLate => carry(Path::Push(pushes(c, l)), Effect::Delay(late(c, l))),
        Family::PushTwice => carry(Path::Push(pushes(c, l)), Effect::Duplicate),
        Family::PushFirst => FaultKind::PushFirst { of: requests(c, l) },
        Family::ServerError => answer(c, l, &[500, 502, 503, 504].map(Answer::Status), true),
        Family::Forbidden => answer(c, l, &[Answer::Status(403)], false),
        // Who says 429 may stand behind what carried the request out (bybit-v5.md Q36); 10006 is Bybit's own word.
        Family::RateLimited if c.below(l, 2) == 1 => answer(c, l, &[Answer::Status(429)], true),
        Family::RateLimited => answer(c, l, &[Answer::Code(10006)], false),
        Family::Busy => answer(c, l, &[10000, 10016, 10019].map(Answer::Code), true),
        Family::ClockRefusal => answer(c, l, &[Answer::Code(10002)], false),
        Family::Refusal => refusal(c, l),
        Family::StreamCut => return Some(on_off(c, Action::StreamDown, Action::StreamUp)),
        Family::Outage => return Some(on_off(c, Action::ExchangeDown, Action::ExchangeUp)),
        Family::StoreDown => return Some(on_off(c, Action::StoreDown, Action::StoreUp)),
        _ => return around(c, family),
    };
    Some(Action::Fault(Fault { kind, count: *c.pick(l, &[1, 1, 2, 3, 8]) }))
}

/// What goes wrong around the exchange for a while: the stream, the store, the broker, the host.
fn around(c: &mut Choices, family: Family) -> Option<Action> {
    let l = family.name();
    let ms = |c: &mut Choices, lengths: &[u64]| Span::millis(*c.pick(l, lengths));
    let count = |c: &mut Choices| *c.pick(l, &[1, 1, 2, 5]);
    Some(match family {
        Family::Silence => {
            let of = pushes(c, l);
            Action::Silence(Silence { of, length: ms(c, &[1_000, 7_000, 40_000, 150_000]) })
        }
        Family::Reconnect => {
            let fails = *c.pick(l, &[0, 0, 1, 3, 8]);
            Action::Reconnect(Reconnect { fails, every: ms(c, &[1_000, 100, 5_000]) })
        }
        Family::CommitFails => Action::Commit(Commit { trouble: CommitTrouble::Fail, count: count(c) }),
        Family::CommitSlow => {
            let trouble = CommitTrouble::Slow(ms(c, &[20, 200, 3_000, 12_000]));
            Action::Commit(Commit { trouble, count: count(c) })
        }
        Family::Checkpoints if c.below(l, 3) == 2 => Action::CheckpointEvery(*c.pick(l, &[200, 50, 7])),
        Family::Checkpoints => Action::Checkpoint,
        Family::ClockStep => {
            let us = 1_000 * *c.pick(l, &[20_i64, -20, 400, -400, 3_000, -3_000, 90_000, -90_000]);
            Action::Clock(Clock::Step(us))
        }
        Family::ClockDrift => Action::Clock(Clock::Drift(*c.pick(l, &[0, 50, -50, 1_000, -1_000, 20_000, -20_000]))),
        Family::Pause => Action::Pause(ms(c, &[30, 400, 6_000, 40_000])),
        Family::Broker => {
            let messages = Messages { count: count(c), by: ms(c, &[1_000, 1, 10_000]) };
            let deeds =
                [Broker::Redeliver, Broker::Duplicate(messages), Broker::LoseAck(messages), Broker::Reorder(messages)];
            Action::Broker(*c.pick(l, &deeds))
        }
        _ => return None,
    })
}

const fn carry(path: Path, effect: Effect) -> FaultKind {
    FaultKind::Carry { path, effect }
}

fn answer(c: &mut Choices, l: &'static str, answers: &[Answer], may_act: bool) -> FaultKind {
    let (of, answer) = (requests(c, l), *c.pick(l, answers));
    FaultKind::Answer { of, answer, executed: may_act && c.below(l, 2) == 1 }
}

/// "Id known already" is also what a request is told whose copy came before it and was taken: something on the way asked
/// again, and what it hands on is the second answer (F04).
fn refusal(c: &mut Choices, l: &'static str) -> FaultKind {
    const ID_KNOWN: i64 = 110_072;
    let (of, code) = (requests(c, l), *c.pick(l, &[110007, 110017, 110001, 110079, ID_KNOWN, 10001]));
    let executed = code == ID_KNOWN && c.below(l, 2) == 1;
    FaultKind::Answer { of, answer: Answer::Code(code), executed }
}

fn late(c: &mut Choices, l: &'static str) -> Span {
    Span::millis(*c.pick(l, &[1, 30, 300, 900, 2_500, 4_900, 5_100, 9_000, 31_000]))
}

fn pushes(c: &mut Choices, l: &'static str) -> Pushes {
    let topics = [Topic::Order, Topic::Execution, Topic::Position, Topic::Wallet].map(Pushes::One);
    *c.pick(l, &[topics[0], topics[1], topics[2], topics[3], Pushes::All, topics[0], topics[1]])
}

fn requests(c: &mut Choices, l: &'static str) -> Requests {
    use Operation::{Cancel, Create, Executions, OpenOrders, OrderHistory, Positions, ServerTime, Tickers, Wallet};
    let ones = [Create, Cancel, OpenOrders, OrderHistory, Executions, Positions, Wallet, Tickers, ServerTime];
    match c.below(l, 10) {
        0..4 => Requests::One(Create),
        4 | 5 => Requests::One(Cancel),
        6 => Requests::All,
        7 => Requests::Queries,
        _ => Requests::One(*c.pick(l, &ones)),
    }
}

impl Drawing<'_> {
    /// A message that was brought once is brought again.
    pub(super) fn again(&mut self) {
        let l = Family::Redelivery.name();
        let place = self.c.below(l, self.sent.len().min(20) as u64) as usize;
        let alias = self.sent.iter().rev().nth(place).map(|(alias, _)| alias.clone());
        if let Some(alias) = alias {
            self.push(Action::Again(alias));
        }
    }

    pub(super) fn crash(&mut self, family: Family) {
        let l = family.name();
        let one = |operation| CrashOn::Sending(Requests::One(operation));
        let ons = [
            CrashOn::Any,
            CrashOn::Signal,
            CrashOn::Reply,
            CrashOn::Push,
            one(Operation::Create),
            one(Operation::Cancel),
            CrashOn::Sending(Requests::Queries),
        ];
        let moments = [CrashMoment::BeforePersist, CrashMoment::AfterPersist, CrashMoment::AfterRequest];
        let restart = Span::millis(*self.c.pick(l, &[1, 100, 1_000, 7_000, 40_000]));
        let (moment, on) = (*self.c.pick(l, &moments), *self.c.pick(l, &ons));
        let loss = if family == Family::CrashLoss { *self.c.pick(l, &Loss::ALL[1..]) } else { Loss::Kill };
        let crash = Crash { moment, on, restart, loss };
        self.push(Action::Crash(crash));
    }
}
