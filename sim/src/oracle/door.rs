//! The door of the exchange (O5): who is answered 403 pauses, and asks for the time alone; who is not told that either is banned.
//! A ban ends after ten minutes in which nothing was asked (bybit-v5.md 1.5). Who asks too often of one endpoint leaves that
//! one alone for a second.

use super::bench::Bench;
use super::list::Oracle;
use super::readings::GIVEN_UP;
use order_manager_core::bybit::{ApiError, Operation};
use order_manager_core::command::Command;
use order_manager_core::input::{Answer, Input, Tag};
use order_manager_core::unit::{Span, Timestamp};
use std::collections::BTreeMap;

/// After a single 403, which may be of something else than a ban.
const PAUSE: Span = Span::secs(1);
const BAN: Span = Span::secs(600);
/// Some more, for what had left before and arrives late.
const BAN_MOST: Span = Span::secs(640);

#[derive(Clone, Debug, Default)]
pub(super) struct Door {
    /// Requests that are out, and when they went.
    out: Vec<(Tag, Operation, Timestamp)>,
    /// Endpoints that were asked too often, and before when they are left alone.
    held: BTreeMap<Operation, Timestamp>,
    /// Something was turned away, and nothing that went with it or after it was let in.
    shut: Option<Shut>,
    /// The same for who gave the questions up that were answered late: it is not known any more when they went.
    feared: Option<Shut>,
}

#[derive(Clone, Copy, Debug)]
struct Shut {
    /// When the last went that was turned away.
    last: Timestamp,
    /// When the last was heard of.
    heard: Timestamp,
    /// The time was asked for after the pause, and not told.
    is_ban: bool,
}

impl Shut {
    /// What was sent at `went`, or is taken for it, is answered.
    fn heard(shut: Option<Self>, is_forbidden: bool, went: Timestamp, now: Timestamp) -> Option<Self> {
        match shut {
            None => is_forbidden.then_some(Self { last: went, heard: now, is_ban: false }),
            Some(shut) if is_forbidden => {
                let is_ban = shut.is_ban || went >= shut.until(BAN);
                Some(Self { last: shut.last.max(went), heard: if is_ban { now } else { shut.heard }, is_ban })
            }
            Some(shut) => (went < shut.last).then_some(shut),
        }
    }

    const fn until(&self, ban: Span) -> Timestamp {
        self.heard.after(if self.is_ban { ban } else { PAUSE })
    }
}

impl Door {
    /// Another life knows of no ban.
    pub(super) fn died(&mut self) {
        *self = Self::default();
    }

    /// Until when nobody can blame the manager for sending nothing.
    pub(super) fn excuses_until(&self) -> Option<Timestamp> {
        [self.shut, self.feared].into_iter().flatten().map(|shut| shut.until(BAN_MOST)).max()
    }

    /// A step was made, when it was `now` by the manager's clock.
    pub(super) fn stepped(&mut self, bench: &mut Bench, now: Timestamp, input: &Input, commands: &[Command]) {
        if let Input::Reply { tag, answer } = input {
            let place = self.out.iter().position(|(of, ..)| of == tag);
            let asked = place.map(|place| self.out.swap_remove(place));
            let went = asked.map_or(Timestamp::default(), |(.., went)| went);
            // Of the pages of a reconcile that another one has replaced it is not known any more what they asked for.
            if let Some((_, operation, _)) = asked.filter(|(tag, ..)| !matches!(tag, Tag::Sweep { .. }))
                && is_too_often(answer)
            {
                self.held.insert(operation, now.after(PAUSE));
            }
            if let Some(is_forbidden) = is_forbidden(answer) {
                self.shut = Shut::heard(self.shut, is_forbidden, went, now);
                if now.since(went) < GIVEN_UP {
                    self.feared = Shut::heard(self.feared, is_forbidden, went, now);
                } else if is_forbidden {
                    self.feared = Shut::heard(self.feared, true, now, now);
                }
            }
        }
        for command in commands {
            if let Command::Send(outgoing) = command {
                let may = |shut: Shut| now >= shut.until(BAN) && outgoing.tag == Tag::Clock;
                bench.must(Oracle::BannedIsQuiet, self.shut.is_none_or(may), || {
                    format!("{:?} goes at {now}, the door is shut: {:?}", outgoing.tag, self.shut)
                });
                let operation = outgoing.request.operation();
                let held =
                    self.held.get(&operation).filter(|until| now < **until && operation != Operation::ServerTime);
                bench.must(Oracle::BudgetPerEndpoint, held.is_none(), || {
                    format!(
                        "{:?} goes at {now}, {operation:?} was asked too often and is held until {held:?}",
                        outgoing.tag
                    )
                });
                self.out.retain(|(tag, ..)| *tag != outgoing.tag);
                self.out.push((outgoing.tag, operation, now));
            }
        }
    }
}

/// Is it a 403? None where nothing was answered.
fn is_forbidden(answer: &Answer) -> Option<bool> {
    match answer {
        Answer::NotSent { .. } | Answer::Lost { .. } => None,
        Answer::Http { status, .. } => Some(*status == 403),
        Answer::Typed(reply) => Some(matches!(reply.result, Err(ApiError::Status(403)))),
    }
}

/// Does it say "too often"? The code stands at the beginning of a body.
fn is_too_often(answer: &Answer) -> bool {
    match answer {
        Answer::NotSent { .. } | Answer::Lost { .. } => false,
        Answer::Http { status, body, .. } => {
            let envelope = body.0.get(..64).unwrap_or(&body.0);
            *status == 429 || envelope.windows(5).any(|digits| digits == b"10006")
        }
        Answer::Typed(reply) => {
            matches!(reply.result, Err(ApiError::Code { code: 10_006, .. }) | Err(ApiError::Status(429)))
        }
    }
}
