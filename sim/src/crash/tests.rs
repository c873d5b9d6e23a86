use super::*;
use crate::oracle::Oracle;
use crate::scenario;
use order_manager_core::input::Input;
use order_manager_core::journal::{self, Record};
use std::collections::BTreeSet;

/// One signal that is filled, and what its caller adds.
fn scenario_of(name: &str, more: &str) -> Scenario {
    let text = format!(
        "name = \"{name}\"\nduration = \"1s\"\n{more}\n[[steps]]\nat = \"0ms\"\nsignal = {{ id = \"s-1\", side = \"buy\", \
         amount = \"500\" }}\n"
    );
    scenario::parse(&format!("{name}.toml"), name, &text).expect("a scenario")
}

fn sweep() -> Sweep {
    Sweep { inputs_max: None, at: None, loss: None, again: None, restart: None, jobs: 2 }
}

#[test]
fn a_signal_survives_every_crash() {
    let swept = sweep().run(&scenario_of("one", "")).expect("readable");
    assert_eq!((swept.failures.as_slice(), swept.missed.as_slice(), &swept.uncut), (&[][..], &[][..], &None));
    assert!(swept.boundaries > 40, "{} boundaries", swept.boundaries);
    assert_eq!(
        (swept.whole, swept.cases, swept.converged as u64),
        (swept.boundaries, 24 * swept.boundaries as usize, 24 * swept.boundaries)
    );
}

#[test]
fn an_answer_that_is_lost_and_a_crash_are_survived_together() {
    let fault = "[[steps]]\nat = \"0ms\"\nfault = { drop = \"reply\", of = \"create\" }\n";
    let swept = Sweep { restart: Some(RESTARTS[0]), ..sweep() }.run(&scenario_of("lost", fault)).expect("readable");
    assert_eq!((swept.failures.as_slice(), swept.missed.as_slice()), (&[][..], &[][..]));
}

/// Each cut lies where it says: before the batch is stored it loses it, after it keeps it, and commands leave one by one.
#[test]
fn each_boundary_is_another_moment() {
    let scenario = scenario_of("one", "");
    let all = Uncut::of(&scenario).expect("readable").boundaries.len() as u64;
    let mut stories = BTreeSet::new();
    for at in 0..all {
        let case = Case { at, loss: Loss::Kill, again: None, restart: RESTARTS[0] };
        let world = act_out_case(&scenario, case, true).expect("readable");
        assert_eq!(world.cuts_to_come(), 0, "boundary {at}");
        let story = world.trace.as_ref().map(crate::world::Trace::text).unwrap_or_default();
        let crashes = if at > PAST[1] { 3 } else { 1 };
        assert_eq!(story.matches("x crash").count(), crashes, "boundary {at}: {story}");
        stories.insert(world.life.store.journal().expect("a journal"));
    }
    assert!(stories.len() as u64 > all / 2, "{} stories of {all}", stories.len());
}

/// An exchange that takes an id again and a network that doubles requests: there a crash is judged, and found wanting.
#[test]
fn what_is_broken_is_found_and_can_be_repeated() {
    let wrong = "[exchange]\nlink_reuse = \"after_end\"\n[exchange.delays]\nengine_ms = 0\n[[steps]]\nat = \"0ms\"\nfault \
                 = { duplicate = \"request\", of = \"create\" }\n";
    let swept = sweep().run(&scenario_of("wrong", wrong)).expect("readable");
    assert_eq!(swept.uncut.as_ref().map(|broken| broken.oracle), Some(Oracle::OneOrderAnIntent));
    assert!(swept.broke_a_step() && !swept.did_not_heal() && swept.cases == 0);
}

#[test]
fn too_little_time_to_heal_is_no_convergence() {
    let scenario = scenario_of("down", "");
    let case = Case { at: 9, loss: Loss::Kill, again: None, restart: Span::secs(5_000) };
    let world = act_out_case(&scenario, case, false).expect("readable");
    assert_eq!(world.broken().map(|broken| broken.oracle.when()), Some(crate::oracle::When::Healed));
}

#[test]
fn of_many_boundaries_some_are_cut_in_every_way_and_some_in_turn() {
    let few = Sweep { inputs_max: Some(0), restart: Some(RESTARTS[0]), ..sweep() };
    let swept = few.run(&scenario_of("one", "")).expect("readable");
    let ways = Case::all_at(0).count() / RESTARTS.len();
    assert_eq!((swept.whole, swept.once), (20, 20));
    assert_eq!((swept.cases, swept.converged), (20 * ways + 20, 20 * ways + 20));
    let rest: Vec<u64> = (20..60).collect();
    let cases: Vec<Case> = few.in_turn(&rest).collect();
    let losses: BTreeSet<_> = cases.iter().map(|case| (case.loss.as_str(), case.again)).collect();
    assert_eq!((cases.len(), losses.len()), (rest.len(), ways));
}

/// What is lost with a checkpoint is a part of what happened, and not an empty book.
#[test]
fn two_checkpoints_are_taken_on_the_way_to_a_cut_that_loses_one() {
    let scenario = scenario_of("one", "");
    let at = Uncut::of(&scenario).expect("readable").boundaries.len() as u64 - 1;
    for (loss, taken) in [(Loss::OldCheckpoint, 2), (Loss::NoCheckpoint, 2), (Loss::Kill, 0)] {
        let case = Case { at, loss, again: None, restart: RESTARTS[0] };
        let world = act_out_case(&scenario, case, false).expect("readable");
        let records = world.life.store.records().map(|(bytes, _)| journal::read_record(bytes).expect("a record"));
        let tells = |record: &Record| matches!(record.input, Input::Checkpointed(_));
        assert_eq!(records.filter(tells).count(), taken, "{loss:?}");
        assert_eq!((world.cuts_to_come(), world.broken()), (0, None));
    }
}
