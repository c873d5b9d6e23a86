//! Worlds of the swarm hold, and the same seed is the same world.

use order_manager_sim::choice::Choices;
use order_manager_sim::oracle::Set;
use order_manager_sim::swarm::{Campaign, Family, Outcome, Profile, draw, draw_of, families, oracles, run};
use std::process::Command;

/// A thousand seeds where a release build is at hand; a debug build judges ten times slower.
#[test]
fn drawn_worlds_hold() {
    let Ok(release) = std::env::var("ORDER_SIM_RELEASE") else { return hold(0..50) };
    let output = Command::new(release).args(["swarm", "--seeds", "0..1000"]).output().expect("order-sim runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
}

fn hold(seeds: std::ops::Range<u64>) {
    let (jobs, profile) = (4, Profile::hold());
    let campaign = Campaign { seeds, profile, jobs, time: None, oracles: oracles(), until_failure: false };
    let fallen = campaign.run(|_| {}).fallen;
    assert!(fallen.is_empty(), "{fallen:#?}");
}

/// Who judges how many seeds at a time changes nothing.
#[test]
fn jobs_change_nothing() {
    let of = |jobs| {
        let (profile, oracles) = (Profile::hold(), Set::NONE);
        let tally = Campaign { seeds: 0..12, profile, jobs, time: None, oracles, until_failure: false }.run(|_| {});
        (tally.inputs, tally.marks, tally.orders, tally.faults)
    };
    assert_eq!(of(1), of(3));
}

fn of(seed: u64) -> Outcome {
    run(&draw(&mut Choices::seeded(seed)), Set::NONE, false).1
}

#[test]
fn a_seed_is_one_world() {
    for seed in 0..10 {
        assert_eq!(of(seed).chain, of(seed).chain, "seed {seed}");
    }
}

#[test]
fn each_family_acts_as_itself() {
    for family in Family::ALL {
        assert_eq!(Family::named(family.name()), Some(*family));
    }
    for seed in 0..300 {
        let drawn = draw(&mut Choices::seeded(seed));
        drawn.config.validate().expect("rules that an operator could set");
        for step in &drawn.scenario.steps {
            let family = Family::of(&step.action);
            assert!(family.is_none_or(|family| drawn.families.contains(&family)), "{seed}: {family:?}");
        }
    }
}

#[test]
fn a_family_that_is_left_out_shifts_nothing_else() {
    for seed in 0..100 {
        let all = draw(&mut Choices::seeded(seed));
        let without: Vec<Family> = families().into_iter().filter(|family| !all.families.contains(family)).collect();
        let families = families().into_iter().filter(|family| Some(family) != without.first()).collect();
        let fewer = draw_of(&mut Choices::seeded(seed), &Profile { families, ..Profile::hold() });
        assert_eq!(fewer.scenario.steps, all.scenario.steps, "seed {seed}");
    }
}

#[test]
fn the_end_of_a_tape_is_tame() {
    let drawn = draw(&mut Choices::from_tape(&[]));
    assert_eq!(drawn.families, []);
    assert!(drawn.scenario.steps.iter().all(|step| Family::of(&step.action).is_none()));
}
