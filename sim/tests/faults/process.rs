//! The process: its store, its clock, and standing still.

use super::{BUY, FILLED, story};
use order_manager_sim::scenario::Loss;

#[test]
fn a_slow_commit_makes_one_batch_of_what_waits() {
    let told = story(&[("0ms", "commit = { do = \"slow\", by = \"2s\" }"), ("0ms", BUY), ("20s", FILLED)]);
    assert!((2_000..2_100).contains(&told.at("> create")), "{}", told.told);
}

#[test]
fn a_commit_that_fails_is_as_if_it_had_never_been_tried() {
    let told = story(&[("0ms", "commit = { do = \"fail\", count = 2 }"), ("0ms", BUY), ("20s", FILLED)]);
    assert_eq!(told.count("x crash of a store that cannot be written"), 2, "{}", told.told);
}

#[test]
fn a_process_that_stood_still_finds_everything_at_once() {
    let limit = "signal = { id = \"s-1\", side = \"buy\", amount = \"500\", confidence = \"0.7\", spread = \"100\" }";
    let told = story(&[
        ("0ms", limit),
        ("5s", "pause = \"40s\""),
        ("10s", "price = { BTCUSDT = \"49000\" }"),
        ("30s", "expect = { fills = 1, status = \"pending\" }"),
        ("60s", FILLED),
    ]);
    assert_eq!(told.at("filled +"), 45_000, "{}", told.told);
}

#[test]
fn a_reply_that_came_while_it_stood_still_is_no_timeout() {
    let told = story(&[("0ms", BUY), ("18ms", "pause = \"40s\""), ("60s", FILLED)]);
    assert_eq!(told.count("no answer within 5 s"), 0, "{}", told.told);
}

const EXIT: &str = "signal = { id = \"s-2\", side = \"sell\", amount = \"450\", exit = true }";
const STALE: &str = "expect = { signal = { s-2 = \"accepted\", s-3 = \"rejected\" }, code = { s-3 = \"data_stale\" } }";
const LATER: &str = "signal = { id = \"s-3\", side = \"buy\", amount = \"500\" }";

#[test]
fn k2_a_wall_clock_that_is_set_shows_after_a_restart_only() {
    story(&[("0ms", "clock = { step = \"-60s\" }"), ("1s", BUY), ("20s", FILLED)]);
    // Where the clock is far off nothing is opened. What closes goes out: the exchange's own time is asked for. A clock
    // that was set back starts from the journal's last moment: it is behind by what the process was down.
    for (step, restart, off) in [("60s", "100ms", "-59999 ms"), ("-60s", "2s", "2001 ms")] {
        let step = format!("clock = {{ step = \"{step}\" }}");
        let crash = format!("crash = {{ at = \"after-persist\", on = \"signal\", restart = \"{restart}\" }}");
        let steps = [("0ms", BUY), ("9s", &*step), ("10s", &*crash), ("10s", EXIT), ("30s", LATER), ("60s", STALE)];
        let told = story(&steps).told;
        assert!(told.contains(&format!("the clock is {off}")), "{told}");
    }
}

#[test]
fn k2_a_drift_is_seen_when_it_adds_up() {
    let drift = |ppm: i32| format!("clock = {{ drift = {ppm} }}");
    for (ppm, expect) in [(100, FILLED), (-100, FILLED)] {
        story(&[("0ms", &drift(ppm)), ("10m", BUY), ("11m", expect)]);
    }
    for ppm in [5_000, -5_000] {
        let steps = [("0ms", BUY), ("1s", &*drift(ppm)), ("10m", EXIT), ("11m", LATER), ("12m", STALE)];
        story(&steps);
    }
}

/// Every loss at every moment: nothing that was confirmed is lost, nothing is placed twice, and it ends as it would have
/// ended had all been kept.
#[test]
fn whatever_a_crash_leaves_the_story_ends_the_same() {
    for (at, on) in ["before-persist", "after-persist", "after-request"]
        .into_iter()
        .flat_map(|at| ["signal", "create", "reply", "push"].map(|on| (at, on)))
    {
        let end = |loss: Loss| {
            let crash = format!("crash = {{ at = \"{at}\", on = \"{on}\", loss = \"{}\" }}", loss.as_str());
            let told = story(&[
                ("0ms", "checkpoint = true"),
                ("100ms", "checkpoint_every = 2"),
                ("200ms", "checkpoint = true"),
                ("1s", &crash),
                ("1s", BUY),
                ("60s", "expect = { settled = true, consistent = true }"),
            ]);
            let crashes = if loss == Loss::InRecovery { 2 } else { 1 };
            assert_eq!(told.count("x crash "), crashes, "{loss:?} {at} {on}:\n{}", told.told);
            let book = &told.world.life.manager().unwrap().durable().book;
            (told.world.exchange.truth().orders.len(), book.iter().map(|order| order.status()).collect::<Vec<_>>())
        };
        let kept = end(Loss::Kill);
        for loss in Loss::ALL {
            assert_eq!(end(loss), kept, "{loss:?} {at} {on}");
        }
    }
}

#[test]
fn a_crash_may_come_in_the_first_step_of_a_recovery() {
    let told = story(&[
        ("0ms", "crash = { at = \"after-persist\", on = \"signal\" }"),
        ("0ms", BUY),
        ("500ms", "crash = { at = \"before-persist\", on = \"any\", loss = \"in-recovery\" }"),
        ("30s", FILLED),
    ]);
    assert_eq!((told.count("x crash "), told.count("start, life")), (3, 4), "{}", told.told);
}

#[test]
fn a_checkpoint_is_kept_and_restored_from() {
    let crash = "crash = { at = \"after-request\", on = \"create\" }";
    let told = story(&[
        ("0ms", BUY),
        ("5s", "checkpoint = true"),
        ("6s", crash),
        ("6s", EXIT),
        ("20s", "expect = { orders = 2 }"),
    ]);
    let (_, since) = told.world.life.store.checkpoint().unwrap();
    assert!(since.count() < told.world.life.store.len());
}
