//! The faults that are still to come, each for so many messages. Both links ask it: the one in virtual time and
//! the one over sockets.

use crate::scenario::{Answer, Effect, Fault, FaultKind, Message, Path, Pushes, Silence, Topic};
use crate::swarm::{Family, Marks};
use order_manager_core::bybit::{Operation, Push, PushRows};
use order_manager_core::unit::{Span, Timestamp};

/// Faults to come. Of two that fit a message, the one that was added first acts.
#[derive(Clone, Debug, Default)]
pub struct Faults {
    coming: Vec<Fault>,
    /// Which pushes vanish, and until when.
    silences: Vec<(Pushes, Timestamp)>,
    banned_until: Timestamp,
    /// What acted so far.
    acted: Marks,
}

impl Faults {
    /// From now on this goes wrong, as often as it says.
    pub fn add(&mut self, fault: Fault) {
        self.coming.push(fault);
    }

    /// From now on these pushes vanish, as long as it says.
    pub fn silence(&mut self, now: Timestamp, silence: Silence) {
        self.silences.retain(|(_, until)| *until > now);
        self.silences.push((silence.of, now.after(silence.length)));
    }

    /// From now on everything is answered 403 and nothing carried out, for so long.
    pub fn ban(&mut self, now: Timestamp, length: Span) {
        self.banned_until = self.banned_until.max(now.after(length));
    }

    /// Is our address banned?
    #[must_use]
    pub fn is_banned(&self, now: Timestamp) -> bool {
        now < self.banned_until
    }

    /// How often each family acted so far.
    #[must_use]
    pub const fn acted(&self) -> &Marks {
        &self.acted
    }

    /// From now on nothing goes wrong.
    pub fn clear(&mut self) {
        let acted = std::mem::take(&mut self.acted);
        *self = Self { acted, ..Self::default() };
    }

    /// What becomes of a request or reply on its way, and by which fault's path; used up once.
    pub fn carry(&mut self, message: Message) -> Option<(Path, Effect)> {
        if self.coming.is_empty() {
            return None;
        }
        match self.take(|kind| matches!(kind, FaultKind::Carry { path, .. } if path.covers(message))) {
            Some(FaultKind::Carry { path, effect }) => Some((path, effect)),
            _ => None,
        }
    }

    /// The same of a push. In a silence it is lost, and that uses up nothing.
    pub fn push(&mut self, now: Timestamp, push: &Push) -> Option<(Path, Effect)> {
        let message = Message::Push(topic(push));
        let path = |(of, _): &(Pushes, Timestamp)| Path::Push(*of);
        let silent = |silence: &&(Pushes, Timestamp)| now < silence.1 && path(silence).covers(message);
        if let Some(silence) = self.silences.iter().find(silent) {
            let path = path(silence);
            self.acted.acted(Family::Silence);
            return Some((path, Effect::Drop));
        }
        self.carry(message)
    }

    /// Must the pushes of this request come before its reply? Used up once.
    pub fn push_first(&mut self, operation: Operation) -> bool {
        self.take(|kind| matches!(kind, FaultKind::PushFirst { of } if of.covers(operation))).is_some()
    }

    /// What the exchange says instead of the truth, and whether it acts all the same; used up once.
    pub fn answer(&mut self, operation: Operation) -> Option<(Answer, bool)> {
        match self.take(|kind| matches!(kind, FaultKind::Answer { of, .. } if of.covers(operation))) {
            Some(FaultKind::Answer { answer, executed, .. }) => Some((answer, executed)),
            _ => None,
        }
    }

    fn take(&mut self, fits: impl Fn(&FaultKind) -> bool) -> Option<FaultKind> {
        let place = self.coming.iter().position(|fault| fits(&fault.kind))?;
        let fault = &mut self.coming[place];
        let kind = fault.kind;
        self.acted.acted(Family::of_fault(&kind));
        fault.count = fault.count.saturating_sub(1);
        if fault.count == 0 {
            self.coming.remove(place);
        }
        Some(kind)
    }
}

/// The topic that a push belongs to.
pub(crate) const fn topic(push: &Push) -> Option<Topic> {
    match push.rows {
        PushRows::Orders(_) => Some(Topic::Order),
        PushRows::Executions(_) => Some(Topic::Execution),
        PushRows::Positions(_) => Some(Topic::Position),
        PushRows::Wallets(_) => Some(Topic::Wallet),
        PushRows::Nothing { .. } => None,
    }
}
