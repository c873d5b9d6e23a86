//! When to come back, and why. A plain table: one time per reason.

use crate::input::Tag;
use crate::unit::{OrderLinkId, SignalId, Timestamp};
use alloc::collections::{BTreeMap, BTreeSet};

/// Why the manager wants to be woken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Why {
    /// An active signal's time runs out.
    SignalExpires(SignalId),
    /// The next question about an order.
    Inquire(OrderLinkId),
    /// The next round of questions about an order.
    NextRound(OrderLinkId),
    /// Executions should have explained an order's row by now.
    Explain(OrderLinkId),
    /// A wanted cancel is tried again.
    RetryCancel(OrderLinkId),
    /// A create that was not sent is tried again.
    RetryCreate(OrderLinkId),
    /// A question that failed is asked again.
    RetryAsk(Tag),
    /// A request should have been answered by now, if it left at once.
    Overdue(Tag),
    /// A request that left by the time that it was overdue counts as lost.
    Lost(Tag),
    /// The next account-wide reconcile.
    Sweep,
    /// Executions should have explained a position by now.
    ExplainPosition,
    /// Held positions are to be written down.
    NotePositions,
    /// A budget has room again.
    Pace,
    /// A signal may be forgotten.
    ForgetSignal(SignalId),
    /// An order may be forgotten.
    ForgetOrder(OrderLinkId),
}

/// Times by reason, earliest first.
#[derive(Clone, Debug, Default)]
pub struct Table {
    when: BTreeMap<Why, Timestamp>,
    order: BTreeSet<(Timestamp, Why)>,
}

impl Table {
    /// Sets the time of a reason; an earlier setting is replaced.
    pub fn arm(&mut self, why: Why, at: Timestamp) {
        if let Some(old) = self.when.insert(why, at) {
            self.order.remove(&(old, why));
        }
        self.order.insert((at, why));
    }

    /// Forgets a reason.
    pub fn disarm(&mut self, why: Why) {
        if let Some(old) = self.when.remove(&why) {
            self.order.remove(&(old, why));
        }
    }

    /// Is this reason waiting?
    #[must_use]
    pub fn is_armed(&self, why: Why) -> bool {
        self.when.contains_key(&why)
    }

    /// The earliest.
    #[must_use]
    pub fn next(&self) -> Option<(Timestamp, Why)> {
        self.order.first().copied()
    }

    /// Takes the earliest reason that is due.
    pub fn pop_due(&mut self, now: Timestamp) -> Option<Why> {
        let (at, why) = self.order.first().copied()?;
        if at > now {
            return None;
        }
        self.disarm(why);
        Some(why)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reason_has_one_time_and_the_earliest_comes_first() {
        let mut table = Table::default();
        let signal = SignalId(1);
        table.arm(Why::SignalExpires(signal), Timestamp(5));
        table.arm(Why::Pace, Timestamp(3));
        table.arm(Why::SignalExpires(signal), Timestamp(2));
        assert_eq!(table.next(), Some((Timestamp(2), Why::SignalExpires(signal))));
        assert_eq!(table.pop_due(Timestamp(2)), Some(Why::SignalExpires(signal)));
        assert_eq!(table.pop_due(Timestamp(2)), None);
        assert_eq!(table.pop_due(Timestamp(9)), Some(Why::Pace));
        assert_eq!(table.next(), None);
    }
}
