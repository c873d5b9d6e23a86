//! Less idle time.

use super::hunt::Hunt;
use crate::scenario::Scenario;
use crate::swarm::Drawn;
use order_manager_core::unit::Span;

/// Lengths of time that a person would write, shortest first.
pub(super) const LADDER: &[Span] = &[
    Span::ZERO,
    Span::millis(1),
    Span::millis(10),
    Span::millis(100),
    Span::secs(1),
    Span::secs(2),
    Span::secs(5),
    Span::secs(10),
    Span::secs(30),
    Span::secs(60),
    Span::secs(120),
    Span::secs(300),
    Span::secs(600),
    Span::secs(1_000),
    Span::secs(3_600),
    Span::secs(86_400),
];

/// The time before each step: all of them at once, then one by one, to the shortest that will do.
pub(super) fn shorten_gaps(hunt: &mut Hunt) {
    for most in LADDER {
        let gaps: Vec<Span> = gaps(hunt.best()).into_iter().map(|gap| gap.min(*most)).collect();
        let shorter = with_gaps(hunt.best(), &gaps);
        if hunt.offer(shorter) {
            break;
        }
    }
    for index in 0..hunt.best().scenario.steps.len() {
        let mut gaps = gaps(hunt.best());
        let Some(gap) = gaps.get(index).copied() else { break };
        for shorter in shorter_than(gap) {
            gaps[index] = shorter;
            let candidate = with_gaps(hunt.best(), &gaps);
            if hunt.offer(candidate) {
                break;
            }
        }
    }
}

/// What passes after the last step: what is usual needs no word in the file. Healing is never cut short: what has
/// had no time to heal is no failure.
pub(super) fn shorten_the_end(hunt: &mut Hunt) {
    let usual = Scenario::usual_duration(&hunt.best().scenario.steps);
    let last = hunt.best().scenario.steps.last().map(|step| step.at).unwrap_or_default();
    let tail = Span(hunt.best().scenario.duration.0.saturating_sub(last.0));
    let usual = Span(usual.0.saturating_sub(last.0));
    if tail == usual {
        return;
    }
    for length in std::iter::once(usual).chain(shorter_than(tail)) {
        let mut candidate = hunt.best().clone();
        candidate.scenario.duration = Span(last.0 + length.0);
        if hunt.offer(candidate) {
            return;
        }
    }
}

/// What is worth trying in place of `length`: the ladder up to it, then itself with one digit and with two.
pub(super) fn shorter_than(length: Span) -> impl Iterator<Item = Span> {
    let ladder = LADDER.iter().copied().take_while(move |step| *step < length);
    let on_ladder = LADDER.contains(&length);
    let round = [1, 2].into_iter().map(move |digits| floor(length, digits)).filter(move |l| *l < length && !on_ladder);
    ladder.chain(round)
}

/// `length` with its first digits only.
fn floor(length: Span, digits: u32) -> Span {
    let places = length.0.checked_ilog10().unwrap_or(0).saturating_sub(digits - 1);
    let unit = 10_u64.pow(places);
    Span(length.0 / unit * unit)
}

fn gaps(drawn: &Drawn) -> Vec<Span> {
    let mut before = Span::ZERO;
    let gap = |at: Span| Span(at.0.saturating_sub(std::mem::replace(&mut before, at).0));
    drawn.scenario.steps.iter().map(|step| step.at).map(gap).collect()
}

fn with_gaps(drawn: &Drawn, gaps: &[Span]) -> Drawn {
    let mut moved = drawn.clone();
    let scenario = &mut moved.scenario;
    let tail = scenario.duration.0.saturating_sub(scenario.steps.last().map_or(0, |step| step.at.0));
    let mut at = Span::ZERO;
    for (step, gap) in scenario.steps.iter_mut().zip(gaps) {
        at.0 += gap.0;
        step.at = at;
    }
    scenario.duration = Span(at.0 + tail);
    moved
}
