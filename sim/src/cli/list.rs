//! `order-sim list`: what judges, what goes wrong, what must have happened. The names are those of `--only`, of
//! failures and of the marks' counts.

use super::Ending;
use crate::oracle::{Oracle, When};
use crate::swarm::{Mark, NAMED_GAPS, families};

pub(super) fn run() -> Ending {
    println!("oracles ({}): what must hold, and why", Oracle::ALL.len());
    for oracle in Oracle::ALL {
        let when = match oracle.when() {
            When::Step => "at every step",
            When::Healed => "once healed",
            When::Thorough => "in `check`",
        };
        let rate = match oracle.one_of() {
            1 => String::new(),
            many => format!(", 1 of {many}"),
        };
        println!("  {:<32} {:<22} {}", oracle.name(), format!("{when}{rate}"), oracle.why());
    }
    println!("families of faults that hold now ({}): one of so many seeds has it", families().len());
    for family in families() {
        println!("  {:<20} 1 of {:<3} {}", family.name(), family.odds(), family.what());
    }
    println!("named gaps ({})", NAMED_GAPS.len());
    NAMED_GAPS.iter().for_each(|gap| println!("  {gap}"));
    println!("marks ({}): what a campaign comes through sometimes, besides each family and refusal", Mark::ALL.len());
    for mark in Mark::ALL {
        println!("  {}", mark.name());
    }
    Ending::Ok
}
