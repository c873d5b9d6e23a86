//! Fewer steps: everything after the failure, faults by their cause, signals with what belongs to them, chunks.

use super::hunt::Hunt;
use crate::oracle::When;
use crate::scenario::{Action, Scenario, signal_id};
use crate::swarm::{Drawn, Family};
use crate::world::START;
use std::collections::{BTreeMap, BTreeSet};

/// The same world without these steps, and without what makes no sense without them.
pub(super) fn without(drawn: &Drawn, gone_first: &BTreeSet<usize>) -> Drawn {
    let mut gone = gone_first.clone();
    let steps = &drawn.scenario.steps;
    for (index, step) in steps.iter().enumerate().filter(|(index, _)| gone_first.contains(index)) {
        let Some(up) = end_of(&step.action) else { continue };
        let again = |later: &Action| *later == step.action || *later == up;
        let end = steps.iter().enumerate().skip(index + 1).find(|(_, later)| again(&later.action));
        gone.extend(end.filter(|(_, later)| later.action == up).map(|(end, _)| end));
    }
    let mut aliases = BTreeSet::new();
    let mut ids = BTreeSet::new();
    for (index, step) in drawn.scenario.steps.iter().enumerate() {
        let stays = match &step.action {
            Action::Signal(signal) => signal.id == signal_id(&signal.alias) || ids.contains(&signal.id),
            Action::Again(alias) => aliases.contains(alias),
            Action::Expect(_) => false, // it is the oracle that counts
            _ => true,
        };
        if gone.contains(&index) || !stays {
            gone.insert(index);
        } else if let Action::Signal(signal) = &step.action {
            aliases.insert(signal.alias.clone());
            ids.insert(signal_id(&signal.alias));
        }
    }
    let mut smaller = drawn.clone();
    let mut index = 0;
    smaller.scenario.steps.retain(|_| {
        index += 1;
        !gone.contains(&(index - 1))
    });
    smaller
}

/// What ends what this began.
fn end_of(action: &Action) -> Option<Action> {
    match action {
        Action::StreamDown => Some(Action::StreamUp),
        Action::ExchangeDown => Some(Action::ExchangeUp),
        Action::StoreDown => Some(Action::StoreUp),
        _ => None,
    }
}

/// What happens after the failure did not cause it. An oracle of the steps needs no healing, unless it breaks there.
pub(super) fn cut_the_end(hunt: &mut Hunt) {
    hunt.offer(without(hunt.best(), &BTreeSet::new())); // expectations
    if hunt.broken().oracle.when() != When::Step {
        return;
    }
    let failure = hunt.broken().at;
    let steps = hunt.best().scenario.steps.iter().enumerate();
    let late: BTreeSet<usize> =
        steps.filter(|(_, step)| START.after(step.at) > failure).map(|(index, _)| index).collect();
    if late.is_empty() && hunt.best().scenario.heal.is_none() {
        return;
    }
    let ends = START.after(hunt.best().scenario.duration);
    let mut cut = without(hunt.best(), &late);
    if failure <= ends {
        cut.scenario.heal = None;
        cut.scenario.duration = Scenario::usual_duration(&cut.scenario.steps).max(failure.since(START));
        hunt.offer(cut);
        return;
    }
    let mut unhealed = cut.clone(); // it broke in healing: was it the healing or the time?
    if let Some(heal) = unhealed.scenario.heal.take() {
        unhealed.scenario.duration.0 += heal.0;
        let _ = hunt.offer(unhealed) || hunt.offer(cut);
    }
}

/// All faults of one family at once, the largest first.
pub(super) fn drop_groups(hunt: &mut Hunt) {
    let mut sizes: BTreeMap<Family, usize> = BTreeMap::new();
    for family in hunt.best().scenario.steps.iter().filter_map(|step| Family::of(&step.action)) {
        *sizes.entry(family).or_default() += 1;
    }
    let mut families: Vec<(Family, usize)> = sizes.into_iter().collect();
    families.sort_by_key(|(_, size)| std::cmp::Reverse(*size));
    for (family, _) in families {
        let steps = hunt.best().scenario.steps.iter().enumerate();
        let members = steps.filter(|(_, step)| Family::of(&step.action) == Some(family)).map(|(index, _)| index);
        let smaller = without(hunt.best(), &members.collect());
        hunt.offer(smaller);
    }
}

/// Signals in chunks, each with its redeliveries.
pub(super) fn drop_signals(hunt: &mut Hunt) {
    chunks(hunt, |drawn| {
        let steps = drawn.scenario.steps.iter().enumerate();
        steps.filter(|(_, step)| matches!(step.action, Action::Signal(_))).map(|(index, _)| index).collect()
    });
}

/// Any steps in chunks.
pub(super) fn drop_chunks(hunt: &mut Hunt) {
    chunks(hunt, |drawn| (0..drawn.scenario.steps.len()).collect());
}

/// Takes away halves, quarters, .. single ones of what `of` lists, the last first: what is late causes least.
fn chunks(hunt: &mut Hunt, of: impl Fn(&Drawn) -> Vec<usize>) {
    let mut size = of(hunt.best()).len().div_ceil(2);
    while size > 0 {
        let mut end = of(hunt.best()).len();
        while end > 0 {
            let all = of(hunt.best());
            end = end.min(all.len());
            let from = end.saturating_sub(size);
            let gone = all.get(from..end).unwrap_or_default().iter().copied().collect();
            let smaller = without(hunt.best(), &gone);
            hunt.offer(smaller);
            end = from;
        }
        size = if size == 1 { 0 } else { size.div_ceil(2) };
    }
}
