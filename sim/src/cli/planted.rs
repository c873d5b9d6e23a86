//! `order-sim planted [NAME...]`.

use super::Ending;
use crate::planted::{self, Bug, Court, Row};
use anyhow::ensure;
use std::path::{Path, PathBuf};
use std::time::Instant;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Which bugs; none: all of them.
    names: Vec<String>,
    /// Seeds that each may take.
    #[arg(long, default_value_t = 10_000)]
    seeds: u64,
    /// Processors to build and run on.
    #[arg(long, default_value_t = 2)]
    jobs: usize,
    /// Only see whether each patch still applies.
    #[arg(long)]
    check: bool,
    /// Only see whether each builds.
    #[arg(long, conflicts_with = "check")]
    build: bool,
    /// Leave the scenarios of failures as large as they were drawn.
    #[arg(long)]
    no_shrink: bool,
    /// Try again what was tried on this very build before. Else a pass goes on where the last one stood.
    #[arg(long)]
    again: bool,
    /// Where bugs are built, and verdicts and minimised scenarios kept. Default: `planted` in cargo's target folder.
    #[arg(long)]
    scratch: Option<PathBuf>,
}

pub(super) fn run(args: &Args) -> anyhow::Result<Ending> {
    let root = planted::root(&std::env::current_dir()?)?;
    if args.check {
        return check(&root);
    }
    let all = planted::read_all(&root)?;
    for name in &args.names {
        ensure!(all.iter().any(|bug| bug.name == *name), "there is no planted bug `{name}`");
    }
    let chosen: Vec<&Bug> = all.iter().filter(|bug| args.names.is_empty() || args.names.contains(&bug.name)).collect();
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), PathBuf::from);
    let folder = args.scratch.clone().unwrap_or_else(|| target.join("planted"));
    let began = Instant::now();
    let court = Court::open(&root, &folder, args.jobs)?;
    println!("build {:016x}, in {} s", court.build_id(), began.elapsed().as_secs());
    if args.build {
        return build(&court, &chosen);
    }
    let (mut survivors, mut failed) = (Vec::new(), Vec::new());
    for (place, bug) in chosen.iter().enumerate() {
        let began = Instant::now();
        let row = match court.verdict(bug, args.seeds, !args.no_shrink).filter(|_| !args.again) {
            Some(row) => Ok(row),
            None => court.try_out(bug, args.seeds, !args.no_shrink),
        };
        print!("{}/{} {} s ", place + 1, chosen.len(), began.elapsed().as_secs());
        match row {
            Ok(row) => {
                print!("{}", row.line());
                write(&root, &court, &all, args, &row)?;
                if row.killed.is_none() {
                    survivors.push(bug.name.as_str());
                }
            }
            Err(error) => {
                println!("FAILED {}: {error:#}", bug.name);
                failed.push(bug.name.as_str());
            }
        }
    }
    let killed = chosen.len() - survivors.len() - failed.len();
    println!("{} bugs, {killed} killed; survivors: {survivors:?}; failed: {failed:?}", chosen.len());
    Ok(match (survivors.is_empty(), failed.is_empty()) {
        (true, true) => Ending::Ok,
        (false, _) => Ending::Oracle,
        (true, false) => Ending::Expectation,
    })
}

/// Puts a row into the table, which says of how many of its rows this build is.
fn write(root: &Path, court: &Court, all: &[Bug], args: &Args, row: &Row) -> anyhow::Result<()> {
    let names: Vec<String> = all.iter().map(|bug| bug.name.clone()).collect();
    let same = all.iter().filter(|bug| court.verdict(bug, args.seeds, !args.no_shrink).is_some()).count();
    let build = format!("Rows of one build, {:016x}: {same} of {}.", court.build_id(), all.len());
    planted::update(&root.join("sim/README.md"), std::slice::from_ref(row), &names, &build)
}

/// Only sees whether each builds.
fn build(court: &Court, chosen: &[&Bug]) -> anyhow::Result<Ending> {
    let mut failed = 0_usize;
    for bug in chosen {
        let began = Instant::now();
        let built = court.build(bug);
        print!("{} s ", began.elapsed().as_secs());
        match built {
            Ok(_) => println!("{} builds", bug.name),
            Err(error) => {
                failed += 1;
                println!("FAILED {}: {error:#}", bug.name);
            }
        }
    }
    println!("{} bugs, {failed} failed", chosen.len());
    Ok(if failed == 0 { Ending::Ok } else { Ending::Expectation })
}

fn check(root: &Path) -> anyhow::Result<Ending> {
    let complaints = planted::complaints(root)?;
    complaints.iter().for_each(|complaint| println!("FAILED {complaint}"));
    let count = planted::read_all(root)?.len();
    println!("{count} planted bugs, {} complaints", complaints.len());
    Ok(if complaints.is_empty() { Ending::Ok } else { Ending::Expectation })
}
