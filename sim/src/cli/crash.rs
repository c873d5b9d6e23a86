//! `order-sim crash PATH`.

use super::{Ending, scenarios};
use crate::crash::{Sweep, Swept, act_out_case};
use crate::oracle::caught;
use crate::scenario::{Loss, Scenario, nearest};
use crate::world::Trace;
use order_manager_core::unit::Span;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Instant;

/// Inputs of the cases of one scenario that are made in every way, where not every way is asked for: some ten seconds of
/// one core.
const INPUTS_MAX: u64 = 10_000_000;
/// Failures of one oracle that are shown for a scenario; the others are counted.
const SHOWN: usize = 3;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// A scenario file, or a folder of them.
    path: PathBuf,
    /// Cut only at this effect boundary; where one case is left and fails, its story is told.
    #[arg(long)]
    at: Option<u64>,
    /// Only with this loss: kill, unsynced, torn, twice, old-checkpoint, no-checkpoint, in-recovery.
    #[arg(long, value_parser = loss)]
    loss: Option<Loss>,
    /// Cut only at this boundary of the recovery.
    #[arg(long)]
    again: Option<u64>,
    /// Only down for so long: 100ms, 10000ms.
    #[arg(long, value_parser = millis)]
    restart: Option<Span>,
    /// Cut long scenarios in every way at every boundary too; else far from their steps one way is tried, and of very
    /// many boundaries some.
    #[arg(long)]
    every: bool,
    /// Threads. Default: as many as there are processors.
    #[arg(long)]
    jobs: Option<usize>,
}

fn loss(word: &str) -> Result<Loss, String> {
    let words = Loss::ALL.map(Loss::as_str);
    let found = Loss::ALL.into_iter().find(|loss| loss.as_str() == word);
    found.ok_or_else(|| match nearest(word, &words) {
        Some(near) => format!("no such loss; did you mean `{near}`?"),
        None => format!("no such loss; there are {}", words.join(", ")),
    })
}

fn millis(text: &str) -> Result<Span, String> {
    let number = text.strip_suffix("ms").and_then(|number| number.parse().ok());
    number.map(Span::millis).ok_or_else(|| format!("`{text}` is not a number of milliseconds, like 100ms"))
}

pub(super) fn run(args: &Args) -> anyhow::Result<Ending> {
    let sweep = Sweep {
        inputs_max: (!args.every).then_some(INPUTS_MAX),
        at: args.at,
        loss: args.loss,
        again: args.again,
        restart: args.restart,
        jobs: args.jobs.unwrap_or_else(|| std::thread::available_parallelism().map_or(1, std::num::NonZero::get)),
    };
    let began = Instant::now();
    let (mut ending, mut cases, mut converged, mut missed, mut skipped, mut many) = (Ending::Ok, 0, 0, 0, 0, 0);
    for scenario in scenarios::load(&args.path)? {
        many += 1;
        let swept = scenario.and_then(|scenario| sweep.run(&scenario).map(|swept| (scenario, swept)));
        let (scenario, swept) = match swept {
            Ok(swept) => swept,
            Err(error) => {
                eprintln!("{error}");
                ending = ending.max(Ending::Usage);
                continue;
            }
        };
        tell(&scenario, &swept);
        cases += swept.cases;
        converged += swept.converged;
        missed += swept.missed.len();
        skipped += if args.at.is_some() { 0 } else { swept.boundaries - swept.whole - swept.once };
        ending = ending.max(ending_of(&swept));
        if swept.cases == 0 && swept.uncut.is_none() {
            eprintln!("{}: no boundary is cut so: it has {}", scenario.name, swept.boundaries);
            ending = ending.max(Ending::Usage);
        }
        if let (1, [(case, _)]) = (swept.cases, swept.failures.as_slice())
            && let Ok(world) = caught(|| act_out_case(&scenario, *case, true))
        {
            let world = world.map_err(|error| anyhow::anyhow!("{error}"))?;
            println!("{}", world.trace.as_ref().map(Trace::text).unwrap_or_default());
        }
    }
    let seconds = began.elapsed().as_secs_f64();
    println!(
        "{many} scenarios: converged {converged} of {cases}, {missed} never cut, {skipped} boundaries skipped, {seconds:.1} s"
    );
    Ok(ending)
}

fn ending_of(swept: &Swept) -> Ending {
    let step = if swept.broke_a_step() { Ending::Oracle } else { Ending::Ok };
    let all_judged = swept.missed.is_empty() && !swept.did_not_heal();
    if all_judged { step } else { step.max(Ending::Convergence) }
}

fn tell(scenario: &Scenario, swept: &Swept) {
    let Swept { boundaries, whole, once, cases, converged, missed, uncut, failures } = swept;
    let path = scenario.path();
    if let Some(broken) = uncut {
        println!("FAILED {} without any cut, so none was made: {broken}", scenario.name);
        return;
    }
    let ways = (cases - *once as usize).checked_div(*whole as usize).unwrap_or(0);
    let word = if failures.is_empty() { "ok    " } else { "FAILED" };
    let rest = if *once > 0 { format!(" and {once} x 1 of {boundaries}") } else { String::new() };
    let missed = if missed.is_empty() { String::new() } else { format!(", {} never cut", missed.len()) };
    println!(
        "{word} {}: {whole} boundaries x {ways} ways{rest}: converged {converged} of {cases}{missed}",
        scenario.name
    );
    let mut shown: BTreeMap<&str, usize> = BTreeMap::new();
    for (case, broken) in failures {
        let times = shown.entry(broken.oracle.name()).or_default();
        *times += 1;
        if *times <= SHOWN {
            println!("  {broken}   reproduce: order-sim crash {path} {case}");
        }
    }
    for (oracle, times) in shown.into_iter().filter(|(_, times)| *times > SHOWN) {
        println!("  {oracle}: {} more", times - SHOWN);
    }
}
