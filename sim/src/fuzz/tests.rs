use super::*;
use crate::neighbours::order_complaints;
use order_manager_core::rows::{Figure, Projector, Rows};
use std::path::Path;

mod planted;

/// Lives through seeds; panics with the first law that breaks and the tape that breaks it.
fn seeds(range: std::ops::Range<u64>, steps: u32) -> Report {
    let mut all = Report::default();
    for seed in range {
        match order_life_seeded(seed, steps) {
            Ok((report, _)) => {
                all.steps += report.steps;
                for (mark, count) in report.marks {
                    *all.marks.entry(mark).or_insert(0) += count;
                }
            }
            Err((broken, tape)) => panic!("seed {seed}: {broken}\ntape: {tape:02x?}"),
        }
    }
    all
}

#[test]
fn an_empty_tape_is_a_life() {
    assert_eq!(order_life(&[]).unwrap().steps, 1);
}

#[test]
fn a_tame_tape_is_a_whole_trade() {
    let report = order_life(&[0; 40]).unwrap();
    assert!(report.marks.contains_key("placed"), "{report:?}");
}

/// Four tests, so that they run side by side.
#[test]
fn t1_laws_hold_in_seeds_0_to_250() {
    laws_hold(0..250);
}
#[test]
fn t1_laws_hold_in_seeds_250_to_500() {
    laws_hold(250..500);
}
#[test]
fn t1_laws_hold_in_seeds_500_to_750() {
    laws_hold(500..750);
}
#[test]
fn t1_laws_hold_in_seeds_750_to_1000() {
    laws_hold(750..1_000);
}

/// A law that never had anything to judge says nothing, so what it judges must have happened.
fn laws_hold(range: std::ops::Range<u64>) {
    let all = seeds(range, 60);
    for mark in [
        "absent",
        "acked",
        "cancel wanted",
        "conflict",
        "data_stale",
        "dead letter",
        "executed",
        "foreign execution",
        "halted",
        "not sent",
        "order forgotten",
        "placed",
        "planned with cancels",
        "quarantined",
        "reconciled",
        "refused",
        "repeated",
        "signal forgotten",
        "started",
        "told cancelled",
        "told filled",
        "told partly filled",
        "tried again",
        "unknown",
    ] {
        assert!(all.marks.get(mark).is_some_and(|count| *count > 0), "never: {mark}\n{all:?}");
    }
}

#[test]
fn laws_hold_beside_neighbours() {
    let mut marks = std::collections::BTreeMap::<&str, u32>::new();
    for seed in 0..300 {
        let mut life = life::Life::new(Choices::seeded(seed)).with_neighbours();
        let report = life.run(Some(60)).unwrap_or_else(|broken| panic!("seed {seed}: {broken}"));
        rows_fit(seed, &life);
        report.marks.into_iter().for_each(|(mark, count)| *marks.entry(mark).or_insert(0) += count);
    }
    for mark in [
        "inherited",
        "aged out",
        "position adopted",
        "position doubted",
        "position validated",
        "positions noted",
        "placed",
        "data_stale",
        "dead letter",
        "told filled",
        "told partly filled",
        "quarantined",
        "repeated",
    ] {
        assert!(marks.get(mark).is_some_and(|count| *count > 0), "never: {mark}\n{marks:?}");
    }
}

#[test]
fn the_tape_of_a_seed_lives_it_again() {
    for seed in 0..20 {
        let (report, tape) = order_life_seeded(seed, 40).unwrap();
        assert_eq!(order_life(&tape), Ok(report));
    }
}

/// Every kept tape and body of `fuzz/corpus`, on the stable compiler.
#[test]
fn what_the_fuzzer_kept_still_holds() {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz/corpus");
    let mut count = 0;
    let targets = [
        ("order_life", kept_life as fn(&[u8])),
        ("wire", wire),
        ("signals", signals),
        ("documents", kept_document),
        ("worlds", kept_world),
        ("scenarios", scenarios),
    ];
    for (target, run) in targets {
        let mut files: Vec<_> = std::fs::read_dir(corpus.join(target)).unwrap().map(|f| f.unwrap().path()).collect();
        files.sort();
        for file in &files {
            println!("{}", file.display()); // names the file that fails
            run(&std::fs::read(file).unwrap());
        }
        assert!(files.len() >= 5, "{target} has {} files", files.len());
        count += files.len();
    }
    assert!(count >= 30, "{count} files");
}

fn kept_document(edits: &[u8]) {
    assert!(documents(edits), "no document is edited");
}

fn kept_life(tape: &[u8]) {
    if let Err(broken) = order_life(tape) {
        panic!("{broken}");
    }
}

fn kept_world(tape: &[u8]) {
    match worlds(tape) {
        Ok(inputs) => assert!(inputs > 20, "{inputs} inputs: nothing happened"),
        Err(broken) => panic!("{broken}"),
    }
}

/// What the shared tables hold of such a life passes their checks, and the positions in our own are the manager's.
fn rows_fit(seed: u64, life: &life::Life) {
    let (mut projector, mut rows) = (Projector::default(), Rows::default());
    for (seq, kept) in (1..).zip(life.kept()) {
        let mut new = Rows::default();
        projector.follow_record(Seq(seq), kept.at, &kept.events, &mut new);
        for row in new.orders.values() {
            let complaints = order_complaints(row);
            assert!(complaints.is_empty(), "seed {seed}, record {seq}: {complaints:#?}");
        }
        rows.absorb(new);
    }
    for (symbol, position) in &life.end().manager.durable().positions {
        let row = rows.positions.get(symbol);
        let expected = Some(Figure::of(position.size.0));
        assert_eq!(row.map(|row| row.size), expected, "seed {seed}: {symbol}");
        assert_eq!(row.map(|row| row.realized_pnl), Some(Figure::of(position.realised.0)), "seed {seed}: {symbol}");
    }
}
