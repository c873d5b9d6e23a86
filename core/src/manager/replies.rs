//! Answers to requests: what they mean, and who takes them.

use super::turn::Turn;
use crate::bybit::{ApiError, ApiReply, Class, Operation, Reply, code, rest};
use crate::event::{CreateAnswer, Event};
use crate::input::{Answer, Tag};
use crate::order::Verdict;
use crate::retry::{Backoff, IMPATIENT};
use crate::timer::Why;
use crate::unit::{OrderLinkId, Span, Text, Timestamp};
use alloc::borrow::Cow;

/// How long a spent budget is left alone where the exchange does not say (bybit-v5.md 1.5).
const HOLD: Span = Span::millis(1_000);
const CREATE_BACKOFF: Backoff = Backoff { base: Span::secs(1), max: Span::secs(30), multiplier: 2 };
const EXIT_BACKOFF: Backoff = Backoff { max: IMPATIENT, ..CREATE_BACKOFF };
const CANCEL_BACKOFF: Backoff = Backoff { base: Span::millis(250), max: IMPATIENT, multiplier: 2 };
/// How long the stream may take to show what an acknowledgement promised.
const CONFIRM: Span = Span::secs(1);

impl Turn<'_> {
    pub(super) fn reply(&mut self, tag: Tag, answer: &Answer) {
        let asked_at = self.m.observed.out.over(tag);
        self.m.observed.timers.disarm(Why::Overdue(tag));
        self.m.observed.timers.disarm(Why::Lost(tag));
        if let Tag::Consult(question) = tag {
            return self.consulted(question, asked_at, answer);
        }
        self.mind_the_ban(asked_at, answer);
        let Some(operation) = self.operation(tag) else { return };
        let reply = match answer {
            Answer::NotSent { why } => Err((true, *why)),
            Answer::Lost { why } => Err((false, *why)),
            Answer::Http { status, limits, body } => Ok(Cow::Owned(rest::decode(operation, *status, *limits, &body.0))),
            Answer::Typed(reply) => Ok(Cow::Borrowed(reply)),
        };
        if let Ok(reply) = &reply {
            self.mind_the_budget(operation, reply);
        }
        let reply = reply.as_deref().map_err(|(unsent, why)| (*unsent, *why));
        match tag {
            Tag::Create(link) => self.create_answered(link, reply),
            Tag::Cancel(link) => self.cancel_answered(link, reply),
            _ => {
                // An answer says something of the moment of its question. One whose question was forgotten at a
                // checkpoint says nothing; it is asked again.
                if let Some(asked_at) = asked_at {
                    self.question_answered(tag, asked_at, reply.ok());
                }
            }
        }
    }

    fn operation(&self, tag: Tag) -> Option<Operation> {
        Some(match tag {
            Tag::Create(_) => Operation::Create,
            Tag::Cancel(_) => Operation::Cancel,
            Tag::Inquiry { source, .. } => source.operation(),
            Tag::Sweep { run, page } => return self.sweep_operation(run, page),
            Tag::Clock => Operation::ServerTime,
            Tag::Wallet => Operation::Wallet,
            Tag::Instrument(_) => Operation::Instruments,
            Tag::Position(_) => Operation::Positions,
            Tag::Ticker(_) => Operation::Tickers,
            Tag::Consult(_) => return None,
        })
    }

    /// Whatever it is the answer to: who is banned is answered 403, and asks for nothing but, once more, the time (spec O5).
    fn mind_the_ban(&mut self, asked_at: Option<Timestamp>, answer: &Answer) {
        let now = self.now();
        let forbidden = match answer {
            Answer::NotSent { .. } | Answer::Lost { .. } => None,
            Answer::Http { status, .. } => Some(*status == 403),
            Answer::Typed(reply) => Some(matches!(reply.result, Err(ApiError::Status(403)))),
        };
        let pace = &mut self.m.observed.pace;
        match forbidden {
            Some(true) => pace.forbidden(asked_at, now),
            Some(false) => pace.admitted(asked_at.unwrap_or_default()),
            None => {}
        }
        if pace.budgets().ban.is_some() {
            self.ask(Tag::Clock);
        }
    }

    /// A refusal that says "too often" or "your clock": nothing of the kind goes until that is mended.
    fn mind_the_budget(&mut self, operation: Operation, reply: &ApiReply) {
        let now = self.now();
        match &reply.result {
            Err(ApiError::Code { code: 10006 | 10018, .. }) | Err(ApiError::Status(429)) => {
                self.m.observed.pace.hold(operation, now.after(HOLD));
            }
            Err(ApiError::Code { code: 10002 | -1, .. }) if operation != Operation::ServerTime => {
                let refused = self.m.observed.clock.take();
                self.m.observed.doubted_clock = refused.or(self.m.observed.doubted_clock);
                self.ask(Tag::Clock);
                self.live_orders().into_iter().for_each(|(link, _)| self.cancel_unasked(link));
            }
            _ => {}
        }
    }

    fn create_answered(&mut self, link: OrderLinkId, reply: Result<&ApiReply, (bool, Text<96>)>) {
        if self.m.durable.book.get(link).is_none() {
            return;
        }
        let words = |text: &str| Text::clipped(text);
        let answer = match reply {
            Err((true, why)) => CreateAnswer::NotSent { why: words(why.as_str()) },
            Err((false, why)) => CreateAnswer::Unknown { why: words(why.as_str()) },
            Ok(reply) => match &reply.result {
                Ok(Reply::Ack { order_id, .. }) => CreateAnswer::Accepted { order_id: *order_id },
                Ok(_) => CreateAnswer::Unknown { why: words("the answer is no acknowledgement") },
                Err(error) => refused(error),
            },
        };
        let Some(order) = self.m.durable.book.get(link) else { return };
        let (state, symbol, reduce_only) = (order.state, order.spec.symbol, order.spec.reduce_only);
        let verdict = state.on(answer.stimulus());
        if verdict == Verdict::Defect {
            return self.defect(Some(symbol), &alloc::format!("{answer:?} to an order that is {state:?}"));
        }
        let at = self.now();
        self.emit(Event::OrderAnswered { link, answer, at });
        if let Verdict::Contradicts(_) = verdict {
            let why = Text::clipped(&alloc::format!("order {link} was taken, though it was {state:?}"));
            self.emit(Event::OpeningHalted { symbol, why });
        }
        match answer {
            CreateAnswer::Accepted { .. } => self.arm_unless_seen(link, CONFIRM),
            CreateAnswer::Refused { .. } => {}
            CreateAnswer::NotSent { .. } => {
                let failures = self.m.observed.failures.entry(Tag::Create(link)).or_insert(0);
                let backoff = if reduce_only { EXIT_BACKOFF } else { CREATE_BACKOFF };
                let wait = backoff.wait(link.as_str().as_bytes(), *failures);
                *failures = failures.saturating_add(1);
                self.arm(Why::RetryCreate(link), wait);
            }
            CreateAnswer::Unknown { .. } => self.start_inquiry(link),
        }
        self.tell(link);
    }

    fn arm_unless_seen(&mut self, link: OrderLinkId, after: Span) {
        if self.m.durable.book.get(link).is_some_and(|order| !order.facts.seen) {
            self.arm(Why::Inquire(link), after);
        }
    }

    /// Whatever a cancel is answered, only the order's own end proves it (bybit-v5.md 2.4).
    fn cancel_answered(&mut self, link: OrderLinkId, reply: Result<&ApiReply, (bool, Text<96>)>) {
        if !self.wants_cancel(link) {
            return;
        }
        match reply.map(|reply| &reply.result) {
            Ok(Ok(_)) => self.arm(Why::Inquire(link), CONFIRM),
            Err((true, _)) => self.cancel_again(link),
            Ok(Err(error)) if refused_as(Operation::Cancel, error) == Class::Safe => self.cancel_again(link),
            Err((false, _)) | Ok(Err(_)) => self.start_inquiry(link),
        }
    }

    /// Before the exchange's clock is known nothing can be asked, and how long that lasts nobody knows: a cancel that is
    /// wanted does not wait for it, as it may go by the last reading.
    pub(super) fn cancel_unasked(&mut self, link: OrderLinkId) {
        if self.m.observed.clock.is_none() && self.wants_cancel(link) {
            self.cancel_again(link);
        }
    }

    /// Should it go, and may it still fill?
    pub(super) fn wants_cancel(&self, link: OrderLinkId) -> bool {
        self.m.durable.book.get(link).is_some_and(|order| order.cancel.is_some() && order.state.may_fill())
    }

    /// The cancel goes again later, ever less often up to a point. A try that waits already keeps its time: whoever asks
    /// about the order meanwhile must not put it off.
    pub(super) fn cancel_again(&mut self, link: OrderLinkId) {
        if self.m.observed.timers.is_armed(Why::RetryCancel(link)) {
            return;
        }
        let failures = self.m.observed.failures.entry(Tag::Cancel(link)).or_insert(0);
        let wait = CANCEL_BACKOFF.wait(link.as_str().as_bytes(), *failures);
        *failures = failures.saturating_add(1);
        self.arm(Why::RetryCancel(link), wait);
    }

    fn question_answered(&mut self, tag: Tag, asked_at: crate::unit::Timestamp, reply: Option<&ApiReply>) {
        let answered = match reply.map(|reply| &reply.result) {
            Some(Ok(reply)) => reply,
            Some(Err(error)) if matches!(tag, Tag::Instrument(_)) && unknown_symbol(error) => {
                let Tag::Instrument(symbol) = tag else { return };
                return self.saw_instrument(symbol, &crate::bybit::Page::default());
            }
            _ => return self.question_failed(tag),
        };
        self.m.observed.failures.remove(&tag);
        match (tag, answered) {
            (Tag::Clock, Reply::ServerTime(micros)) => self.saw_clock(asked_at, *micros),
            (Tag::Wallet, Reply::Wallet(row)) => self.saw_wallet(asked_at, row),
            (Tag::Instrument(symbol), Reply::Instruments(page)) => self.saw_instrument(symbol, page),
            (Tag::Ticker(symbol), Reply::Tickers(page)) => self.saw_ticker(symbol, asked_at, page),
            (Tag::Position(symbol), Reply::Positions(page)) => self.saw_positions_of(symbol, asked_at, page),
            (Tag::Inquiry { link, source, epoch, round }, reply) => {
                self.inquiry_answered(link, source, self.this_epochs(epoch, round), reply);
            }
            (Tag::Sweep { .. }, reply) => self.sweep_answered(reply),
            _ => self.question_failed(tag),
        }
    }

    /// A round asked since the last restart or checkpoint; none for one from before.
    fn this_epochs(&self, epoch: u32, round: u32) -> Option<u32> {
        (epoch == self.m.observed.epoch).then_some(round)
    }

    fn question_failed(&mut self, tag: Tag) {
        match tag {
            Tag::Inquiry { link, epoch, round, .. } => self.inquiry_failed(link, self.this_epochs(epoch, round)),
            _ => self.ask_failed(tag),
        }
    }
}

fn unknown_symbol(error: &ApiError) -> bool {
    matches!(error, ApiError::Code { code: 10001 | 181_012 | 170_121, .. })
}

fn refused_as(operation: Operation, error: &ApiError) -> Class {
    match error {
        ApiError::Code { code, message } => code::classify(operation, *code, message.as_str()),
        ApiError::Status(status) => code::classify_status(operation, *status),
        ApiError::Unreadable(_) => Class::Ambiguous,
    }
}

fn refused(error: &ApiError) -> CreateAnswer {
    let text = Text::clipped(&alloc::format!("{error}"));
    let code = match error {
        ApiError::Code { code, .. } => *code,
        ApiError::Status(status) => i64::from(*status),
        ApiError::Unreadable(_) => 0,
    };
    match refused_as(Operation::Create, error) {
        Class::Safe => CreateAnswer::NotSent { why: text },
        Class::Refused | Class::Config => CreateAnswer::Refused { code, text },
        // The id exists already: perhaps our own first try. Only the order itself can tell.
        Class::Ambiguous | Class::Done => CreateAnswer::Unknown { why: text },
    }
}
