//! When to come back, and why. A plain table: one time per reason.

use crate::input::Tag;
use crate::unit::{OrderLinkId, SignalId, Timestamp};
use alloc::collections::{BTreeMap, VecDeque};
use alloc::vec::Vec;

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

impl Why {
    /// As many of these wait as signals and orders are remembered.
    const fn is_of_memory(self) -> bool {
        matches!(self, Self::ForgetSignal(_) | Self::ForgetOrder(_))
    }
}

/// Times by reason, earliest first.
#[derive(Clone, Debug, Default)]
pub struct Table {
    /// What goes on now: few, so they are looked through. The earliest is last.
    soon: Vec<(Timestamp, Why)>,
    /// What is remembered: many, so they have an index. The earliest is first, for most come behind all others.
    memory: VecDeque<(Timestamp, Why)>,
    index: BTreeMap<Why, Timestamp>,
}

impl Table {
    /// Sets the time of a reason; an earlier setting is replaced.
    pub fn arm(&mut self, why: Why, at: Timestamp) {
        if why.is_of_memory() {
            let old = self.index.insert(why, at);
            self.forget(why, old);
            let place = self.memory.partition_point(|earlier| *earlier < (at, why));
            self.memory.insert(place, (at, why));
        } else {
            self.disarm(why);
            let place = self.soon.partition_point(|later| *later > (at, why));
            self.soon.insert(place, (at, why));
        }
    }

    /// Forgets a reason.
    pub fn disarm(&mut self, why: Why) {
        if why.is_of_memory() {
            let old = self.index.remove(&why);
            self.forget(why, old);
        } else if let Some(place) = self.place(why) {
            self.soon.remove(place);
        }
    }

    fn place(&self, why: Why) -> Option<usize> {
        self.soon.iter().rposition(|(_, waiting)| *waiting == why)
    }

    fn forget(&mut self, why: Why, old: Option<Timestamp>) {
        if let Some(place) = old.and_then(|old| self.memory.binary_search(&(old, why)).ok()) {
            self.memory.remove(place);
        }
    }

    /// Is this reason waiting?
    #[must_use]
    pub fn is_armed(&self, why: Why) -> bool {
        if why.is_of_memory() { self.index.contains_key(&why) } else { self.place(why).is_some() }
    }

    /// The earliest.
    #[must_use]
    pub fn next(&self) -> Option<(Timestamp, Why)> {
        self.first().copied()
    }

    fn first(&self) -> Option<&(Timestamp, Why)> {
        match (self.soon.last(), self.memory.front()) {
            (Some(soon), Some(memory)) => Some(soon.min(memory)),
            (soon, memory) => soon.or(memory),
        }
    }

    /// Takes the earliest reason that is due.
    pub fn pop_due(&mut self, now: Timestamp) -> Option<Why> {
        let (_, why) = *self.first().filter(|(at, _)| *at <= now)?;
        self.disarm(why);
        Some(why)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::link;

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

    #[test]
    fn what_is_remembered_takes_its_place_among_what_goes_on() {
        let mut table = Table::default();
        let (signal, order) = (Why::ForgetSignal(SignalId(1)), Why::ForgetOrder(link(1)));
        for (why, at) in [(order, 9), (Why::Pace, 9), (signal, 5), (Why::Explain(link(1)), 10), (Why::Sweep, 9)] {
            table.arm(why, Timestamp(at));
        }
        table.arm(signal, Timestamp(9));
        assert!(table.is_armed(signal));
        let due: Vec<Why> = core::iter::from_fn(|| table.pop_due(Timestamp(9))).collect();
        assert_eq!(due, [Why::Sweep, Why::Pace, signal, order]);
        assert!(!table.is_armed(signal));
        assert_eq!(table.next(), Some((Timestamp(10), Why::Explain(link(1)))));
    }
}
