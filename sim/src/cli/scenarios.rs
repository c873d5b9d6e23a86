//! `order-sim run PATH|DIR`: scenarios.

use super::{Ending, Run, only};
use crate::oracle::{Set, caught};
use crate::scenario::{self, Scenario, ScenarioError};
use crate::summary::Summary;
use crate::world::run_script_under;
use anyhow::Context;
use clap::ValueEnum;
use std::path::Path;

pub(super) fn run(args: &Run) -> anyhow::Result<Ending> {
    let path = args.path.as_deref().context("give a scenario file or a folder of them")?;
    let scenarios = load(path)?;
    let only = scenarios.len() == 1;
    anyhow::ensure!(only || args.journal.is_none(), "--journal goes with one scenario, not with a folder of them");
    let mut ending = Ending::Ok;
    for scenario in scenarios {
        match scenario {
            Ok(scenario) => ending = ending.max(run_one(args, &scenario)?),
            Err(error) => {
                eprintln!("{error}");
                ending = ending.max(Ending::Usage);
            }
        }
    }
    Ok(ending)
}

pub(super) fn load(path: &Path) -> anyhow::Result<Vec<Result<Scenario, ScenarioError>>> {
    if path.is_dir() {
        let all = scenario::load_dir(path).map_err(|error| anyhow::anyhow!("{error}"))?;
        anyhow::ensure!(!all.is_empty(), "{}: no scenario (*.toml) in this folder", path.display());
        Ok(all)
    } else {
        Ok(vec![scenario::load(path)])
    }
}

fn run_one(args: &Run, scenario: &Scenario) -> anyhow::Result<Ending> {
    let oracles = args.only.map_or_else(Set::all, Set::only);
    let again = again(args, scenario);
    let (world, failures) = match caught(|| run_script_under(scenario, args.link.map(Into::into), args.seed, oracles)) {
        Ok(Ok(done)) => done,
        Ok(Err(error)) => {
            eprintln!("{error}");
            return Ok(Ending::Usage);
        }
        Err(panicked) => {
            println!("FAILED {panicked}   reproduce: {again}");
            return Ok(Ending::Oracle);
        }
    };
    if args.trace {
        println!("{}", world.trace.as_ref().map(crate::world::Trace::text).unwrap_or_default());
    }
    if let Some(file) = &args.journal {
        std::fs::write(file, world.life.store.journal()?)
            .with_context(|| format!("cannot write {}", file.display()))?;
    }
    for failure in &failures {
        println!(
            "FAILED {} line {} at {} ms: {}   reproduce: {again}",
            scenario.name,
            failure.line,
            failure.at.as_millis(),
            failure.what
        );
    }
    if let Some(broken) = world.broken() {
        println!(
            "FAILED {} at {} ms: {}   reproduce: {again}",
            broken.oracle,
            world.elapsed().as_millis(),
            broken.what
        );
    } else if failures.is_empty() {
        println!("ok     {}", scenario.name);
    }
    if args.json {
        println!("{}", serde_json::to_string(&Summary::of(&world))?);
    }
    Ok(match world.broken() {
        Some(_) => Ending::Oracle,
        None if failures.is_empty() => Ending::Ok,
        None => Ending::Expectation,
    })
}

/// The command that does the same again.
fn again(args: &Run, scenario: &Scenario) -> String {
    let seed = args.seed.unwrap_or(scenario.seed);
    let link = args.link.and_then(|link| link.to_possible_value());
    let link = link.map(|link| format!(" --link {}", link.get_name())).unwrap_or_default();
    format!("order-sim run {} --seed {seed}{link}{} --trace", scenario.path(), only::again(args.only))
}
