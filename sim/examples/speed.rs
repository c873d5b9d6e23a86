//! The worlds of the benchmark once through, in seconds:
//! `cargo run --profile deep -p order-manager-sim --example speed [typed|bytes|both] [SEEDS]`.
//! Time on the processor counts, not on the wall, and the best of several rounds: others may work here too. The worlds
//! run one after the other, so the most memory that the process ever held is more than the largest of them needs.

#[path = "../benches/workload.rs"]
mod workload;

use order_manager_sim::oracle::Set;
use order_manager_sim::scenario::Link;
use std::sync::LazyLock;
use std::time::{Duration, Instant};

const ROUNDS: u32 = 3;

fn main() {
    let mut arguments = std::env::args().skip(1);
    let only = arguments.next().filter(|only| only != "both");
    let seeds = arguments.next().map_or(100, |seeds| seeds.parse().expect("a number of seeds"));
    for (judges, oracles) in [("step oracles", workload::step_oracles()), ("every oracle", Set::all())] {
        let links = workload::LINKS.iter().filter(|(name, _)| only.as_ref().is_none_or(|only| only == name));
        let a_world: Vec<f64> = links.map(|(name, link)| measured(name, *link, judges, oracles, seeds)).collect();
        if let [typed, bytes] = a_world[..] {
            println!("seven of eight typed, {judges}: {:.0} worlds/s", 8.0 / (7.0 * typed + bytes));
        }
    }
    if let Some(most) = most_memory() {
        println!("memory: {most} at most");
    }
}

/// Seconds that a world takes.
fn measured(name: &str, link: Link, judges: &str, oracles: Set, seeds: u64) -> f64 {
    let (mut best, mut inputs) = (Duration::MAX, 0);
    for _ in 0..ROUNDS {
        let before = spent();
        inputs = workload::run(link, oracles, 0..seeds);
        best = best.min(spent() - before);
    }
    let (a_second, each) = (inputs as f64 / best.as_secs_f64(), inputs / seeds);
    let a_world = best.as_secs_f64() / seeds as f64;
    println!("{name}, {judges}: {a_second:>9.0} inputs/s, {each} inputs a world, {:.0} worlds/s", 1.0 / a_world);
    a_world
}

/// The most memory that this process ever held, where the system tells it.
fn most_memory() -> Option<String> {
    let told = std::fs::read_to_string("/proc/self/status").ok()?;
    told.lines().find_map(|line| line.strip_prefix("VmHWM:")).map(|most| most.trim().to_string())
}

/// Time on the processor so far, where the system tells it; else on the wall.
fn spent() -> Duration {
    static START: LazyLock<Instant> = LazyLock::new(Instant::now);
    let told = std::fs::read_to_string("/proc/self/schedstat").ok();
    let nanos = told.as_ref().and_then(|told| told.split(' ').next()?.parse().ok());
    nanos.map_or_else(|| START.elapsed(), Duration::from_nanos)
}
