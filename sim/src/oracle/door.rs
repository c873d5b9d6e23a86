//! The door of the exchange (O5): who is answered 403 pauses, and who is answered so again is banned. A ban ends after ten
//! minutes in which nothing was asked (bybit-v5.md 1.5).

use super::bench::Bench;
use super::list::Oracle;
use order_manager_core::bybit::ApiError;
use order_manager_core::command::Command;
use order_manager_core::input::{Answer, Input, Tag};
use order_manager_core::unit::{Span, Timestamp};

/// After a single 403, which may be of something else than a ban.
const PAUSE: Span = Span::secs(1);
const BAN: Span = Span::secs(600);

#[derive(Clone, Debug, Default)]
pub(super) struct Door {
    /// Requests that are out, and when they went.
    out: Vec<(Tag, Timestamp)>,
    /// When the last went that was turned away, and before when nothing may go; none since something was let in again.
    shut: Option<(Timestamp, Timestamp)>,
}

impl Door {
    /// Another life knows of no ban.
    pub(super) fn died(&mut self) {
        *self = Self::default();
    }

    /// Was nothing let in since something was turned away?
    pub(super) const fn is_shut(&self) -> bool {
        self.shut.is_some()
    }

    /// A step was made, when it was `now` by the manager's clock.
    pub(super) fn stepped(&mut self, bench: &mut Bench, now: Timestamp, input: &Input, commands: &[Command]) {
        if let Input::Reply { tag, answer } = input {
            let place = self.out.iter().position(|(of, _)| of == tag);
            let went = place.map(|place| self.out.swap_remove(place).1).unwrap_or_default();
            self.shut = match (is_forbidden(answer), self.shut) {
                (Some(true), None) => Some((went, now.after(PAUSE))),
                (Some(true), Some((last, until))) if went < until => Some((last.max(went), until)),
                (Some(true), Some(_)) => Some((went, now.after(BAN))),
                (Some(false), Some((last, _))) if went >= last => None,
                (_, shut) => shut,
            };
        }
        for command in commands {
            if let Command::Send(outgoing) = command {
                bench.must(Oracle::BannedIsQuiet, self.shut.is_none_or(|(_, until)| now >= until), || {
                    format!("{:?} goes at {now}, the door is shut: {:?}", outgoing.tag, self.shut)
                });
                self.out.retain(|(tag, _)| *tag != outgoing.tag);
                self.out.push((outgoing.tag, now));
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
