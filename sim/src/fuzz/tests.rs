use super::*;

#[test]
fn an_empty_tape_is_a_life() {
    let report = order_life(&[]).unwrap();
    assert_eq!(report.steps, 1);
}

#[test]
fn a_tame_tape_is_a_whole_trade() {
    let report = order_life(&[0; 40]).unwrap();
    assert!(report.marks.contains_key("placed"), "{report:?}");
}

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
            Err((broken, tape)) => panic!("seed {seed}: {broken}\ntape of {} bytes", tape.len()),
        }
    }
    all
}

#[test]
fn t1_laws_hold_over_a_thousand_seeds() {
    let t = std::time::Instant::now();
    let n = std::env::var("SEEDS").map_or(1_000, |n| n.parse().unwrap());
    let all = seeds(0..n, 60);
    println!("{:?} {all:#?}", t.elapsed());
}

#[test]
fn show() {
    let Ok(seed) = std::env::var("SEED") else { return };
    let mut life = life::Life::new(Choices::seeded(seed.parse().unwrap()).recording());
    let steps = std::env::var("STEPS").map_or(60, |n| n.parse().unwrap());
    let result = life.run(Some(steps));
    for (i, kept) in life.kept().iter().enumerate() {
        println!("{} {:?} {:?}", i + 1, kept.at.0 - 1_700_000_000_000_000, kept.input);
        kept.events.iter().for_each(|e| println!("      {e:?}"));
        kept.commands.iter().for_each(|c| println!("    > {c:?}"));
    }
    println!("{:?}", result.map_err(|e| e.to_string()));
}
