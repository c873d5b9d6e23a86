//! What is still to happen, by time: in a world, and on its way out of the exchange.

use order_manager_core::unit::Timestamp;

/// When something is due, and its number: of one moment what has the lowest number comes first.
pub(crate) type Turn = (Timestamp, u64);

/// The latest first, so that what is next is taken from the end. Sorted, and no heap: seldom is there more than a
/// handful, and most of what is put here comes before what waits long.
#[derive(Clone, Debug)]
pub(crate) struct Agenda<T>(Vec<(Turn, T)>);

impl<T> Agenda<T> {
    pub(crate) fn put(&mut self, at: Timestamp, number: u64, what: T) {
        let turn = (at, number);
        let place = self.0.partition_point(|(other, _)| *other > turn);
        self.0.insert(place, (turn, what));
    }

    /// The turn of the next of it.
    pub(crate) fn next(&self) -> Option<Turn> {
        self.0.last().map(|(turn, _)| *turn)
    }

    /// When the next of it is due.
    pub(crate) fn next_at(&self) -> Option<Timestamp> {
        self.next().map(|(at, _)| at)
    }

    /// The next of it that is due by now, and when it was.
    pub(crate) fn take_due(&mut self, now: Timestamp) -> Option<(Timestamp, T)> {
        self.0.pop_if(|((at, _), _)| *at <= now).map(|((at, _), what)| (at, what))
    }

    /// All of it, the latest first.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &T> {
        self.0.iter().map(|(_, what)| what)
    }

    /// Forgets what does not fit.
    pub(crate) fn retain(&mut self, fits: impl Fn(&T) -> bool) {
        self.0.retain(|(_, what)| fits(what));
    }
}

/// The earlier of two, where there are two.
pub(crate) fn earlier<T: Ord>(one: Option<T>, other: Option<T>) -> Option<T> {
    match (one, other) {
        (Some(one), Some(other)) => Some(one.min(other)),
        (one, other) => one.or(other),
    }
}

impl<T> Default for Agenda<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

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
