//! `order-sim check --seeds A..B`.

use super::Ending;
use super::seeds::Seeds;
use crate::check::{Fault, Print, print};
use anyhow::{Context, ensure};
use std::path::{Path, PathBuf};
use std::process::Command;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Seeds, like 0..1000.
    #[arg(long)]
    seeds: Seeds,
    /// Another build of order-sim that must come to the same digests: a debug one beside a release one. May be
    /// given several times. This very build is always asked again in a fresh process.
    #[arg(long)]
    with: Vec<PathBuf>,
    /// Only print each seed's digests; a fresh process is asked this way.
    #[arg(long)]
    print: bool,
}

pub(super) fn run(args: &Args) -> anyhow::Result<Ending> {
    let mut prints = Vec::new();
    let mut ending = Ending::Ok;
    for seed in args.seeds.0.clone() {
        match print(seed) {
            Ok(print) if args.print => println!("{print}"),
            Ok(print) => prints.push(print),
            Err(fault) => {
                eprintln!("FAILED seed {seed}: {fault}   reproduce: order-sim check --seeds {seed}..{}", seed + 1);
                ending = ending.max(if matches!(fault, Fault::Broken(..)) { Ending::Oracle } else { Ending::Digests });
            }
        }
    }
    if args.print || ending != Ending::Ok {
        return Ok(ending);
    }
    let this = std::env::current_exe().context("cannot find this program's own file")?;
    for build in std::iter::once(&this).chain(&args.with) {
        ending = ending.max(compare(build, &args.seeds, &prints)?);
    }
    if ending == Ending::Ok {
        let others = match args.with.len() {
            0 => "; no other build was asked: give one by --with".to_string(),
            many => format!(" and in {many} of other builds"),
        };
        println!("{} seeds, twice on both links here, again in a fresh process{others}: the same", prints.len());
    }
    Ok(ending)
}

/// Asks another process for the same seeds.
fn compare(build: &Path, seeds: &Seeds, ours: &[Print]) -> anyhow::Result<Ending> {
    let range = format!("{}..{}", seeds.0.start, seeds.0.end);
    let output = Command::new(build)
        .args(["check", "--print", "--seeds", &range])
        .output()
        .with_context(|| format!("cannot run {}", build.display()))?;
    let said = String::from_utf8_lossy(&output.stderr);
    let found = [Ending::Oracle, Ending::Digests].into_iter().find(|it| output.status.code() == Some(*it as i32));
    if let Some(ending) = found {
        println!("FAILED in {}:\n{}", build.display(), said.trim_end());
        return Ok(ending);
    }
    ensure!(output.status.success(), "{} failed: {}", build.display(), said.trim_end());
    let text = String::from_utf8(output.stdout).with_context(|| format!("{} printed no text", build.display()))?;
    let theirs: Vec<Print> = text.lines().map(str::parse).collect::<Result<_, _>>().map_err(anyhow::Error::msg)?;
    ensure!(theirs.len() == ours.len(), "{} printed {} seeds of {}", build.display(), theirs.len(), ours.len());
    for (ours, theirs) in ours.iter().zip(&theirs) {
        if ours != theirs {
            println!("FAILED seed {}: {ours} here\n  {theirs} from {}", ours.seed, build.display());
            return Ok(Ending::Digests);
        }
    }
    Ok(Ending::Ok)
}
