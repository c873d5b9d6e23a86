//! What is still to happen, by time: in a world, and on its way out of the exchange.

use order_manager_core::unit::Timestamp;
use std::cmp::{Ordering, Reverse};
use std::collections::BinaryHeap;

/// The earliest comes first; of one moment what has the lowest number. A heap: most of what is put here is later than
/// what is there, and stays where it is put.
#[derive(Clone, Debug)]
pub(crate) struct Agenda<T>(BinaryHeap<Entry<T>>);

#[derive(Clone, Debug)]
struct Entry<T> {
    key: Reverse<(Timestamp, u64)>,
    what: T,
}

impl<T> Agenda<T> {
    pub(crate) fn put(&mut self, at: Timestamp, number: u64, what: T) {
        self.0.push(Entry { key: Reverse((at, number)), what });
    }

    /// When the next of it is due.
    pub(crate) fn next_at(&self) -> Option<Timestamp> {
        self.0.peek().map(|next| next.key.0.0)
    }

    /// The next of it that is due by now, and when it was.
    pub(crate) fn take_due(&mut self, now: Timestamp) -> Option<(Timestamp, T)> {
        self.next_at().filter(|at| *at <= now)?;
        self.0.pop().map(|next| (next.key.0.0, next.what))
    }
}

impl<T> Default for Agenda<T> {
    fn default() -> Self {
        Self(BinaryHeap::new())
    }
}

impl<T> Ord for Entry<T> {
    fn cmp(&self, other: &Self) -> Ordering {
        self.key.cmp(&other.key)
    }
}
impl<T> PartialOrd for Entry<T> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}
impl<T> PartialEq for Entry<T> {
    fn eq(&self, other: &Self) -> bool {
        self.key == other.key
    }
}
impl<T> Eq for Entry<T> {}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn what_is_due_comes_by_time_and_number(times in prop::collection::vec(0_u64..20, 0..60), now in 0_u64..20) {
            let mut agenda = Agenda::default();
            for (number, at) in (0..).zip(&times) {
                agenda.put(Timestamp(*at), number, number);
            }
            let mut due: Vec<(u64, u64)> = times.iter().copied().zip(0..).filter(|(at, _)| *at <= now).collect();
            due.sort_unstable();
            let taken = std::iter::from_fn(|| agenda.take_due(Timestamp(now)));
            prop_assert_eq!(taken.map(|(at, number)| (at.0, number)).collect::<Vec<_>>(), due);
            prop_assert_eq!(agenda.next_at().map(|at| at.0), times.into_iter().filter(|at| *at > now).min());
        }
    }
}
