//! The worlds of the benchmark once through, in seconds:
//! `cargo run --profile deep -p order-manager-sim --example speed [typed|bytes] [SEEDS]`.
//! Time on the processor counts, not on the wall, and the best of several rounds: others may work here too. The worlds
//! run one after the other, so the most memory that the process ever held is more than the largest of them needs.

#[path = "../benches/workload.rs"]
mod workload;

use std::sync::LazyLock;
use std::time::{Duration, Instant};

const ROUNDS: u32 = 3;

fn main() {
    let mut arguments = std::env::args().skip(1);
    let only = arguments.next();
    let seeds = arguments.next().map_or(100, |seeds| seeds.parse().expect("a number of seeds"));
    for (name, link) in workload::LINKS {
        if only.as_ref().is_some_and(|only| only != name) {
            continue;
        }
        let mut best = Duration::MAX;
        let mut inputs = 0;
        for _ in 0..ROUNDS {
            let before = spent();
            inputs = workload::run(link, 0..seeds);
            best = best.min(spent() - before);
        }
        let a_second = |count: u64| count as f64 / best.as_secs_f64();
        let (each, inputs) = (inputs / seeds, a_second(inputs));
        println!("{name}: {inputs:>9.0} inputs/s, {each} inputs a world, {:.0} worlds/s", a_second(seeds));
    }
    if let Some(most) = most_memory() {
        println!("memory: {most} at most");
    }
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
