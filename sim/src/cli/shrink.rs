//! `order-sim shrink`.

use super::{Ending, only};
use crate::choice::Choices;
use crate::oracle::{Oracle, Set};
use crate::scenario;
use crate::shrink::{Minimised, RUNS, drawn_of, minimise, write_to};
use crate::swarm::{Drawn, Profile, draw_of, run as act_out};
use anyhow::Context;
use std::path::{Path, PathBuf};

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// A scenario file that breaks an oracle.
    #[arg(required_unless_present_any = ["seed", "tape"])]
    file: Option<PathBuf>,
    /// A seed of the swarm.
    #[arg(long, conflicts_with = "file")]
    seed: Option<u64>,
    /// A file of choices.
    #[arg(long, conflicts_with_all = ["file", "seed"])]
    tape: Option<PathBuf>,
    /// Draw the named gaps too, as `swarm --all` does.
    #[arg(long, conflicts_with = "file")]
    all: bool,
    /// The oracle to keep. Default: the first that does not hold.
    #[arg(long, value_name = "ORACLE", value_parser = only::oracle)]
    only: Option<Oracle>,
    /// Worlds to run at most.
    #[arg(long, default_value_t = RUNS)]
    runs: u32,
    /// Write the file into this folder too.
    #[arg(long)]
    out: Option<PathBuf>,
}

pub(super) fn run(args: &Args) -> anyhow::Result<Ending> {
    let drawn = match world(args)? {
        Ok(drawn) => drawn,
        Err(error) => {
            eprintln!("{error}");
            return Ok(Ending::Usage);
        }
    };
    let Some(broken) = act_out(&drawn, args.only.map_or_else(Set::all, Set::only), false).1.broken else {
        println!("ok     {}: nothing is broken, nothing to shrink", drawn.scenario.name);
        return Ok(Ending::Ok);
    };
    let small = small(&drawn, broken.oracle, args.runs)?;
    print!("{}", small.text);
    if let Some(folder) = &args.out {
        let path = write_to(folder, &small).with_context(|| format!("cannot write to {}", folder.display()))?;
        eprintln!("{}", path.display());
    }
    sure(&small)
}

/// How the scenario of a seed tells where it comes from: its name, and in words.
pub(super) fn of_seed(seed: u64) -> (String, String) {
    (format!("seed-{seed}"), format!("seed {seed} of the swarm"))
}

/// Shrinks a drawn world that fails and writes its scenario into a folder.
pub(super) fn write(
    mut drawn: Drawn,
    (name, about): &(String, String),
    oracle: Oracle,
    folder: &Path,
) -> anyhow::Result<()> {
    drawn.scenario.name.clone_from(name);
    drawn.scenario.about.clone_from(about);
    let small = small(&drawn, oracle, RUNS)?;
    let path = write_to(folder, &small).with_context(|| {
        print!("{}", small.text); // it took long to find
        format!("cannot write to {}", folder.display())
    })?;
    println!("shrunk to {} steps: {}", small.steps, path.display());
    sure(&small).map(|_| ())
}

fn small(drawn: &Drawn, oracle: Oracle, runs_max: u32) -> anyhow::Result<Minimised> {
    let before = drawn.scenario.steps.len();
    let small = minimise(drawn, oracle, runs_max)
        .with_context(|| format!("{oracle} is broken only while other oracles watch"))?;
    let rest = if small.is_fixpoint { "" } else { "; the runs were used up" };
    eprintln!("{oracle}: {before} steps to {} in {} runs{rest}", small.steps, small.runs);
    Ok(small)
}

/// The file must fail as the world did.
fn sure(small: &Minimised) -> anyhow::Result<Ending> {
    match &small.doubt {
        Some(doubt) => anyhow::bail!("a bug of the simulator: {doubt}"),
        None => Ok(Ending::Oracle),
    }
}

/// The world to shrink, called by what it comes from.
fn world(args: &Args) -> anyhow::Result<Result<Drawn, scenario::ScenarioError>> {
    if let Some(file) = &args.file {
        return Ok(scenario::load(file).and_then(|scenario| drawn_of(&scenario)).map(|mut drawn| {
            drawn.scenario.about = file.display().to_string();
            drawn.scenario.name.push_str("-small");
            drawn
        }));
    }
    let profile = if args.all { Profile::all() } else { Profile::hold() };
    let (mut drawn, name, about) = if let Some(tape) = &args.tape {
        let bytes = std::fs::read(tape).with_context(|| format!("cannot read {}", tape.display()))?;
        (draw_of(&mut Choices::from_tape(&bytes), &profile), "tape".to_string(), format!("the tape {}", tape.display()))
    } else {
        let seed = args.seed.context("give a scenario file, --seed or --tape")?;
        let (name, about) = of_seed(seed);
        (draw_of(&mut Choices::seeded(seed), &profile), name, about)
    };
    if let Some(oracle) = args.only {
        drawn.scenario.name = format!("{name}-{oracle}");
    } else {
        drawn.scenario.name = name;
    }
    drawn.scenario.about = about;
    Ok(Ok(drawn))
}
