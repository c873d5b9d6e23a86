//! The two lists: what holds now, and what is known not to. Families of faults and oracles stand in one of them.
//!
//! No fault is softened and no oracle weakened to leave the second list. What a fault makes impossible to know is kept apart
//! from it in the draw, and named here: see [`NAMED_GAPS`].

use super::family::Family;
use crate::oracle::{Oracle, Set};
use std::fmt;

/// Something that does not hold yet, and is no part of every campaign for that.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Gap {
    /// What brings it about.
    pub cause: Cause,
    /// The oracle that breaks.
    pub oracle: Oracle,
    /// The first seed of `swarm --all` that shows it.
    pub seed: u64,
    /// The part of the plan that closes it: 5, every outcome without a guess; 6, all the decisions.
    pub part: u8,
    /// What is known of it.
    pub what: &'static str,
}

/// What brings a gap about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cause {
    /// A family, which is not drawn.
    Family(Family),
    /// A family together with any of these, which are not drawn beside it.
    Together(Family, &'static [Family]),
    /// Whatever is drawn: the oracle does not judge.
    Anything,
}

/// Families in which the exchange says what is not so, or refuses one request and would take the same one after it.
const LIES: [Family; 7] = [
    Family::ServerError,
    Family::Forbidden,
    Family::RateLimited,
    Family::Busy,
    Family::ClockRefusal,
    Family::Refusal,
    Family::MarketOdd,
];

/// What is known not to hold.
pub const NAMED_GAPS: &[Gap] = &[
    Gap {
        cause: Cause::Family(Family::LongLag),
        oracle: Oracle::AbsenceIsTrue,
        seed: 1_264,
        part: 5,
        what: "What is shown of orders is further behind than the 15 s that bybit-v5.md documents (2.7, 2.11): a create \
               without an answer is in no view when absence counts as proven, and appears later.",
    },
    Gap {
        cause: Cause::Family(Family::OwnUnknown),
        oracle: Oracle::WatermarkNotAhead,
        seed: 30,
        part: 5,
        what: "An order bears our prefix and no journal of ours has it (T1): it counts to the worst case while it \
               is open, and its fills are set aside and not booked.",
    },
    Gap {
        cause: Cause::Family(Family::ReplyTwice),
        oracle: Oracle::SignedAtDecision,
        seed: 84_660,
        part: 5,
        what: "A reply comes twice, and its copy meets the next question of the same kind, which waits for a slow disk: it \
               is taken for that one's answer. No connection does that; an answer does not name its question.",
    },
    Gap {
        cause: Cause::Together(Family::RequestTwice, &LIES),
        oracle: Oracle::AnswerIsTrue,
        seed: 1_017,
        part: 5,
        what: "A request is doubled on the way, one copy is refused and the other one taken: who hears the refusal cannot know \
               of the other. TCP brings a request once. For the same reason a world that doubles requests has twice the \
               budget of creates, and uses no id again.",
    },
    Gap {
        cause: Cause::Family(Family::TightBudgets),
        oracle: Oracle::BudgetPerEndpoint,
        seed: 7,
        part: 6,
        what: "An account that is allowed less than Bybit's default of 10 orders a second: budgets are not learned from \
               the headers of answers (O5), so it asks more often than it may, is told 10006, and waits.",
    },
];

/// The families that every campaign draws.
#[must_use]
pub fn families() -> Vec<Family> {
    let gap = |family: &Family| NAMED_GAPS.iter().any(|gap| gap.cause == Cause::Family(*family));
    Family::ALL.iter().copied().filter(|family| !gap(family)).collect()
}

/// Takes out what is not drawn beside another family that is on.
pub(super) fn part(on: &mut Vec<Family>) {
    for gap in NAMED_GAPS {
        if let Cause::Together(family, others) = gap.cause
            && on.contains(&family)
        {
            on.retain(|other| !others.contains(other));
        }
    }
}

/// The oracles that judge every campaign.
#[must_use]
pub fn oracles() -> Set {
    let gaps = NAMED_GAPS.iter().filter(|gap| gap.cause == Cause::Anything);
    gaps.fold(Set::all(), |set, gap| set.without(gap.oracle))
}

impl fmt::Display for Gap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { cause, oracle, seed, part, what } = self;
        match cause {
            Cause::Family(family) => write!(f, "{family} breaks {oracle}")?,
            Cause::Together(family, others) => {
                let others: Vec<&str> = others.iter().map(|other| other.name()).collect();
                write!(f, "{family} together with {} breaks {oracle}", others.join(", "))?;
            }
            Cause::Anything => write!(f, "{oracle}, whatever is drawn")?,
        }
        write!(f, ", first in seed {seed}; part {part} closes it. {what}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::choice::Choices;
    use crate::swarm::{Profile, draw_of, judged};

    /// What has been closed leaves the list, and each tells a seed that shows it.
    #[test]
    fn each_named_gap_is_one() {
        for gap in NAMED_GAPS {
            let outcome = judged(&draw_of(&mut Choices::seeded(gap.seed), &Profile::all()), Set::all());
            assert_eq!(outcome.broken.map(|broken| broken.oracle), Some(gap.oracle), "{gap}");
        }
    }
}
