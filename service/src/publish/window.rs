//! Which messages may be unconfirmed together.

use super::is_fill;
use crate::store::{Cursor, OutboxMessage};
use std::collections::BTreeSet;

/// So many messages may be unconfirmed (spec E3).
pub(super) const WINDOW: u32 = 32;

/// A run of messages, of which those that are not confirmed are here. The next run begins when all of this one are:
/// so every answer of the broker, one about a message that found no queue included, belongs to this run, and no
/// message overtakes an earlier one that must be sent again.
#[derive(Debug, Default)]
pub(super) struct Window {
    pub(super) open: Vec<Open>,
    /// The run's last message.
    end: i64,
}

/// A message that is not confirmed.
#[derive(Clone, Debug)]
pub(super) struct Open {
    pub(super) message: OutboxMessage,
    /// The broker may have it already.
    pub(super) doubtful: bool,
}

impl Window {
    /// The longest run of `messages` that may be unconfirmed together: at most one fill event of an asset among
    /// them. Those up to `doubtful` may have been sent by an earlier process.
    pub(super) fn begin(messages: Vec<OutboxMessage>, doubtful: i64) -> Self {
        let mut filled = BTreeSet::new();
        let fits = |message: &OutboxMessage| !is_fill(message) || filled.insert(message.asset.clone());
        let run = messages.into_iter().take(WINDOW as usize).take_while(fits);
        let open: Vec<Open> = run.map(|message| Open { doubtful: message.id <= doubtful, message }).collect();
        let end = open.last().map_or(0, |last| last.message.id);
        Self { open, end }
    }

    /// The end of the contiguous confirmed prefix.
    pub(super) fn position(&self, before: Cursor) -> i64 {
        self.open.first().map_or(self.end.max(before.position), |first| first.message.id - 1)
    }

    /// The ids of fills that would be sent once more.
    pub(super) fn fills_again(&self) -> BTreeSet<i64> {
        let again = self.open.iter().filter(|open| open.doubtful && is_fill(&open.message));
        again.map(|open| open.message.id).collect()
    }

    /// How many would be sent once more.
    pub(super) fn repeats(&self) -> u64 {
        self.open.iter().map(|open| u64::from(open.doubtful)).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::publish::tests::message;

    #[test]
    fn e3_a_run_holds_one_fill_of_an_asset_and_no_more_than_the_window() {
        let filled = |id, asset| message(id, asset, "filled");
        let run = Window::begin(
            vec![filled(1, "BTCUSDT"), filled(2, "ETHUSDT"), message(3, "BTCUSDT", "created"), filled(4, "BTCUSDT")],
            2,
        );
        assert_eq!(run.open.iter().map(|open| open.message.id).collect::<Vec<_>>(), [1, 2, 3]);
        assert_eq!(run.repeats(), 2);
        let many = (1..=40).map(|id| message(id, "BTCUSDT", "created")).collect();
        assert_eq!(Window::begin(many, 0).open.len(), 32);
    }

    #[test]
    fn e3_the_cursor_stands_before_the_first_that_is_not_confirmed() {
        let before = Cursor { position: 4, repeated: 0 };
        let mut run = Window::begin((5..=8).map(|id| message(id, "BTCUSDT", "created")).collect(), 0);
        assert_eq!(run.position(before), 4);
        run.open.remove(2);
        assert_eq!(run.position(before), 4);
        run.open.remove(0);
        assert_eq!(run.position(before), 5);
        run.open.clear();
        assert_eq!(run.position(before), 8);
        assert_eq!(Window::default().position(before), 4);
    }
}
