//! The faults that are still to come, each for so many messages. Both links ask it: the one in virtual time and
//! the one over sockets.

use crate::scenario::{Answer, Effect, Fault, FaultKind, Path, Pushes, Topic};
use order_manager_core::bybit::{Operation, Push, PushRows};

/// A list of faults; of two that fit, the one that was added first acts.
#[derive(Clone, Debug, Default)]
pub struct Faults(Vec<Fault>);

impl Faults {
    /// From now on this goes wrong, as often as it says.
    pub fn add(&mut self, fault: Fault) {
        self.0.push(fault);
    }

    /// From now on nothing goes wrong.
    pub fn clear(&mut self) {
        self.0.clear();
    }

    /// What becomes of a request on its way, used up once.
    pub fn request(&mut self, operation: Operation) -> Option<Effect> {
        self.carry(|path| matches!(path, Path::Request(of) if of.covers(operation)))
    }

    /// What becomes of a reply on its way, used up once.
    pub fn reply(&mut self, operation: Operation) -> Option<Effect> {
        self.carry(|path| matches!(path, Path::Reply(of) if of.covers(operation)))
    }

    /// What becomes of a push on its way, used up once.
    pub fn push(&mut self, push: &Push) -> Option<Effect> {
        let topic = topic(push);
        self.carry(|path| match path {
            Path::Push(Pushes::All) => true,
            Path::Push(Pushes::One(one)) => Some(*one) == topic,
            _ => false,
        })
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

    fn carry(&mut self, fits: impl Fn(&Path) -> bool) -> Option<Effect> {
        match self.take(|kind| matches!(kind, FaultKind::Carry { path, .. } if fits(path))) {
            Some(FaultKind::Carry { effect, .. }) => Some(effect),
            _ => None,
        }
    }

    fn take(&mut self, fits: impl Fn(&FaultKind) -> bool) -> Option<FaultKind> {
        let place = self.0.iter().position(|fault| fits(&fault.kind))?;
        let fault = &mut self.0[place];
        let kind = fault.kind;
        fault.count = fault.count.saturating_sub(1);
        if fault.count == 0 {
            self.0.remove(place);
        }
        Some(kind)
    }
}

const fn topic(push: &Push) -> Option<Topic> {
    match push.rows {
        PushRows::Orders(_) => Some(Topic::Order),
        PushRows::Executions(_) => Some(Topic::Execution),
        PushRows::Positions(_) => Some(Topic::Position),
        PushRows::Wallets(_) => Some(Topic::Wallet),
        PushRows::Nothing { .. } => None,
    }
}
