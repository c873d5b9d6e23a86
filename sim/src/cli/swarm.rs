//! `order-sim swarm --seeds A..B`.

use super::seeds::Seeds;
use super::{Ending, only, shrink};
use crate::oracle::{Oracle, Set, caught};
use crate::swarm::{Campaign, Drawn, Fallen, NAMED_GAPS, Profile, Progress, Tally, oracles, run};
use anyhow::Context;
use std::path::PathBuf;
use std::time::{Duration, Instant};

/// A campaign that is asked for so many seeds fails where a mark was never reached, though its time was over before.
const MARKS_FROM: u64 = 1_000;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Seeds from A to B-1; of a single one everything that is drawn is shown, and its story where it fails.
    #[arg(long, value_name = "A..B")]
    seeds: Seeds,
    /// Threads. Default: as many as there are processors.
    #[arg(long)]
    jobs: Option<usize>,
    /// Begin no seed after so many seconds.
    #[arg(long, value_name = "S")]
    time: Option<u64>,
    /// Draw the named gaps too: families under which some oracle does not hold yet.
    #[arg(long)]
    all: bool,
    /// Judge by this oracle alone.
    #[arg(long, value_name = "ORACLE", value_parser = only::oracle)]
    only: Option<Oracle>,
    /// Stop at the first failure.
    #[arg(long)]
    until_failure: bool,
    /// Leave the first failure as large as it was drawn.
    #[arg(long)]
    no_shrink: bool,
    /// Where the first failure is written, shrunk to a scenario.
    #[arg(long, default_value = "generated/failures")]
    out: PathBuf,
    /// Print one JSON object as the last line.
    #[arg(long)]
    json: bool,
}

pub(super) fn run_campaign(args: &Args) -> anyhow::Result<Ending> {
    let campaign = Campaign {
        seeds: args.seeds.0.clone(),
        profile: if args.all { Profile::all() } else { Profile::hold() },
        jobs: args.jobs.unwrap_or_else(|| std::thread::available_parallelism().map_or(1, std::num::NonZero::get)),
        time: args.time.map(Duration::from_secs),
        oracles: args.only.map_or_else(if args.all { Set::all } else { oracles }, Set::only),
        until_failure: args.until_failure,
    };
    let single = campaign.seeds.end - campaign.seeds.start == 1;
    if single {
        tell(&campaign.drawn(campaign.seeds.start));
    } else {
        tell_odds(&campaign);
    }
    if args.all {
        println!("named gaps:");
        NAMED_GAPS.iter().for_each(|gap| println!("  {gap}"));
    }
    let began = Instant::now();
    let tally = campaign.run(|progress| match progress {
        Progress::Done(seeds) => eprintln!("{seeds} seeds, {:.0?}", began.elapsed()),
        Progress::Fell(seed, oracle) => eprintln!("seed {seed} broke {oracle}"),
    });
    let seconds = began.elapsed().as_secs_f64();
    anyhow::ensure!(tally.seeds > 0, "no seed was judged in the time that --time leaves: give it more");
    if single
        && !tally.fallen.is_empty()
        && let Ok((world, _)) = caught(|| run(&campaign.drawn(campaign.seeds.start), campaign.oracles, true))
    {
        println!("{}", world.trace.as_ref().map(crate::world::Trace::text).unwrap_or_default());
    }
    for fallen in tally.fallen.values() {
        println!("FAILED {} seed {}: {}", fallen.broken.oracle, fallen.seed, fallen.broken.what);
    }
    tell_suspects(&tally);
    let unreached = unreached(&campaign, &tally);
    for mark in &unreached {
        println!("never reached: {mark}");
    }
    let per = |figure: u64| figure as f64 / seconds.max(f64::EPSILON);
    println!(
        "{} seeds, {} failed; {} inputs; a seed (median): {} inputs, {} orders, {} faults; {:.0} seeds/s, {:.0} inputs/s",
        tally.seeds,
        tally.fallen.len(),
        tally.inputs,
        tally.lengths.median(),
        tally.orders.median(),
        tally.faults.median(),
        per(tally.seeds),
        per(tally.inputs)
    );
    if let Some(first) = tally.fallen.values().next() {
        println!("{}", line(first, args));
        let (drawn, names) = (campaign.drawn(first.seed), shrink::of_seed(first.seed));
        if !args.no_shrink
            && let Err(error) = shrink::write(drawn, &names, first.broken.oracle, &args.out)
        {
            println!("FAILED to shrink seed {}: {error:#}", first.seed);
        }
    }
    if args.json {
        println!("{}", json(&campaign, &tally, seconds)?);
    }
    Ok(ending(&tally, &unreached))
}

/// What broke says more than what was never reached.
fn ending(tally: &Tally, unreached: &[String]) -> Ending {
    match (tally.fallen.is_empty(), unreached.is_empty()) {
        (false, _) => Ending::Oracle,
        (true, false) => Ending::Mark,
        (true, true) => Ending::Ok,
    }
}

fn unreached(campaign: &Campaign, tally: &Tally) -> Vec<String> {
    let marks = tally.marks.by_name(&campaign.profile.families);
    if campaign.seeds.end - campaign.seeds.start < MARKS_FROM {
        return Vec::new();
    }
    marks.into_iter().filter(|(_, times)| *times == 0).map(|(name, _)| name).collect()
}

/// Which families the seeds that broke an oracle have in common.
fn tell_suspects(tally: &Tally) {
    for oracle in Oracle::ALL {
        let fallen: Vec<_> = tally.fallen.values().filter(|fallen| fallen.broken.oracle == *oracle).collect();
        let Some(first) = fallen.first() else { continue };
        let suspects = tally.suspects(*oracle);
        let words =
            suspects.iter().take(4).map(|(family, fell, chance)| format!("{family} {fell} (by chance {chance})"));
        let words: Vec<String> = words.collect();
        println!("{} broke {oracle}, first {}; they have {}", fallen.len(), first.seed, words.join(", "));
    }
}

fn line(fallen: &Fallen, args: &Args) -> String {
    let Fallen { seed, at_ms, broken, .. } = fallen;
    let (next, all) = (seed + 1, if args.all { " --all" } else { "" });
    let only = only::again(args.only);
    format!("FAILED {} at {at_ms} ms   reproduce: order-sim swarm --seeds {seed}..{next}{all}{only}", broken.oracle)
}

/// What a range of seeds is drawn from.
fn tell_odds(campaign: &Campaign) {
    let Campaign { seeds, jobs, time, oracles, .. } = campaign;
    let time = time.map(|time| format!(", {time:?} at most")).unwrap_or_default();
    println!("seeds {}..{}, {jobs} threads{time}, {} oracles", seeds.start, seeds.end, oracles.count());
    println!("families, each with the share of the seeds that have it:");
    for family in &campaign.profile.families {
        println!("  {:<18} 1 of {:<3} {}", family.name(), family.odds(), family.what());
    }
}

/// Everything that was drawn.
fn tell(drawn: &Drawn) {
    let families: Vec<&str> = drawn.families.iter().map(|family| family.name()).collect();
    println!("families: {}", families.join(", "));
    println!("{:?}\n{:?}\n{:?} seed {}", drawn.config, drawn.exchange, drawn.link, drawn.scenario.seed);
    drawn.scenario.steps.iter().for_each(|step| println!("  {}: {:?}", step.at, step.action));
    println!("  {}: heals for {:?}", drawn.scenario.duration, drawn.scenario.heal);
}

fn json(campaign: &Campaign, tally: &Tally, seconds: f64) -> anyhow::Result<String> {
    let per = |figure: u64| (figure as f64 / seconds.max(f64::EPSILON)).round();
    let first = tally.fallen.values().next().map(|fallen| {
        serde_json::json!({
            "seed": fallen.seed,
            "oracle": fallen.broken.oracle.name(),
            "at_ms": fallen.at_ms,
            "what": fallen.broken.what,
        })
    });
    let object = serde_json::json!({
        "seeds": tally.seeds,
        "failures": tally.fallen.len(),
        "inputs": tally.inputs,
        "seeds_per_s": per(tally.seeds),
        "inputs_per_s": per(tally.inputs),
        "median_inputs": tally.lengths.median(),
        "median_orders": tally.orders.median(),
        "median_faults": tally.faults.median(),
        "marks": tally.marks.by_name(&campaign.profile.families),
        "first_failure": first,
    });
    serde_json::to_string(&object).context("a tally that is no JSON")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::oracle::Broken;
    use crate::swarm::{Family, Mark};
    use order_manager_core::refusal::Code;
    use order_manager_core::unit::Timestamp;

    fn campaign(seeds: u64) -> Campaign {
        let (profile, oracles) = (Profile::hold(), Set::all());
        Campaign { seeds: 0..seeds, profile, jobs: 1, time: None, oracles, until_failure: false }
    }

    /// A campaign that judged all of its seeds and came through everything.
    fn whole(seeds: u64) -> Tally {
        let mut tally = Tally { seeds, ..Tally::default() };
        Mark::ALL.iter().for_each(|mark| tally.marks.hit(*mark));
        Family::ALL.iter().for_each(|family| tally.marks.acted(*family));
        Code::ALL.iter().for_each(|code| tally.marks.refused(*code));
        tally
    }

    fn ends(seeds: u64, tally: &Tally) -> (u8, Vec<String>) {
        let unreached = unreached(&campaign(seeds), tally);
        (ending(tally, &unreached) as u8, unreached)
    }

    #[test]
    fn a_campaign_that_came_through_everything_ends_well() {
        assert_eq!(ends(MARKS_FROM, &whole(MARKS_FROM)), (0, vec![]));
    }

    #[test]
    fn a_single_mark_that_was_never_reached_ends_with_6() {
        let mut tally = Tally { seeds: MARKS_FROM, ..Tally::default() };
        let but_one = Mark::ALL.iter().filter(|mark| **mark != Mark::FillAfterCancelAck);
        but_one.for_each(|mark| tally.marks.hit(*mark));
        Family::ALL.iter().for_each(|family| tally.marks.acted(*family));
        Code::ALL.iter().for_each(|code| tally.marks.refused(*code));
        assert_eq!(ends(MARKS_FROM, &tally), (6, vec![Mark::FillAfterCancelAck.name().to_string()]));
    }

    /// A few seeds need not come through everything. Of many that were asked for those do not count that were judged.
    #[test]
    fn a_small_campaign_need_not_reach_every_mark_and_one_that_is_cut_short_must() {
        let tally = |seeds| Tally { seeds, ..Tally::default() };
        assert_eq!(ends(MARKS_FROM - 1, &tally(MARKS_FROM - 1)), (0, vec![]));
        let (ending, unreached) = ends(MARKS_FROM, &tally(1));
        assert!(ending == 6 && unreached.len() > Mark::ALL.len(), "{unreached:?}");
    }

    #[test]
    fn what_broke_comes_before_what_was_never_reached() {
        let mut tally = Tally { seeds: MARKS_FROM, ..Tally::default() };
        let broken = Broken { oracle: Oracle::NoDefect, at: Timestamp::default(), what: "a test".into() };
        tally.fallen.insert(7, Fallen { seed: 7, at_ms: 0, broken, families: vec![] });
        assert_eq!(ends(MARKS_FROM, &tally).0, 3);
    }
}
