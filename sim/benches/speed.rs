//! Inputs a second through whole worlds: exchange, link, core, record, digest, journal and step oracles, on one core. Asserts
//! nothing: `cargo bench -p order-manager-sim --bench speed` compares with its own last run.

mod workload;

use criterion::{Criterion, Throughput};

/// Few enough for a sample of a tenth of a second.
const SEEDS: std::ops::Range<u64> = 0..50;

fn main() {
    let mut criterion = Criterion::default().configure_from_args().sample_size(20);
    let mut group = criterion.benchmark_group("worlds");
    for (name, link) in workload::LINKS {
        let worlds = || workload::run(link, workload::step_oracles(), SEEDS);
        group.throughput(Throughput::Elements(worlds()));
        group.bench_function(name, |bencher| bencher.iter(worlds));
    }
    group.finish();
    criterion.final_summary();
}
