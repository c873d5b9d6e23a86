//! What is written, and what happens when the writing is cut short.

use super::{dump, execute, filled, folder, rows, steps, world};
use order_manager_core::Manager;
use order_manager_core::event::{Event, Seq};
use order_manager_core::journal;
use order_manager_core::unit::Text;
use order_manager_service::store::{Reader, Store, StoreError, StoredStep};
use proptest::test_runner::{Config as Runs, TestRunner};
use std::path::Path;

#[tokio::test]
async fn what_is_committed_comes_back() {
    let steps = steps();
    let (path, store) = filled("round-trip", steps).await;
    let restored = store.restore().await.expect("restored");
    assert_eq!(restored.checkpoint, None);
    assert!(restored.steps.iter().map(|(r, d)| (r.as_slice(), *d)).eq(world().life.store.records()));
    let records = restored.steps.iter().map(|(record, digest)| (record.as_slice(), *digest));
    let manager = Manager::restore(None, records).expect("a manager");
    assert_eq!(manager.digest(), steps.last().expect("steps").digest);

    let expected = rows(steps);
    let reader = store.reader();
    let messages = reader.events_after(0, u32::MAX).await.expect("messages");
    let json = |event| serde_json::to_string(event).expect("json");
    assert!(messages.iter().map(|(_, body)| body.clone()).eq(expected.messages.values().map(json)));
    assert!(messages.iter().map(|(id, _)| *id).eq(1..=expected.messages.len() as i64), "ids without gaps");
    assert_eq!(reader.last_event_id().await, Ok(messages.len() as i64));
    for own in expected.own.values() {
        let view = reader.order(own.spec.link.as_str()).await.expect("a read").expect("an order by our id");
        assert_eq!(view.state.as_deref(), Some(own.state_word()));
        let row = &expected.orders[&order_manager_core::report::row_id(own.spec.link)];
        let by_id = reader.order(&row.order_id).await.expect("a read");
        assert_eq!(by_id.as_ref(), Some(&view), "O4: both ids find it");
        assert_eq!((view.quantity, view.filled_quantity), (row.quantity.to_string(), row.filled_quantity.to_string()));
        let fills = reader.executions(own.spec.link).await.expect("fills");
        let known = expected.executions.values().filter(|row| row.link == Some(own.spec.link)).count();
        assert_eq!(fills.len(), known);
    }
    assert_eq!(reader.instruments().await.expect("a read").len(), 1);
    let verified = reader.verify().await.expect("verified");
    assert_eq!((verified.records, verified.broken_at), (steps.len() as u64, None));
    assert_eq!(verified.batches, steps.len().div_ceil(500) as u64);
    drop(store);
    drop(path);
}

#[tokio::test]
async fn e3_whatever_the_batches_the_tables_end_the_same() {
    let steps = &steps()[..2_400];
    let (whole, store) = filled("whole", steps).await;
    drop(store);
    let expected = dump(&whole).await;
    assert!(expected.len() > 20, "{}", expected.len());
    let path = folder("single").join("om.sqlite");
    let mut store = Store::open(&path).await.expect("a store");
    for step in steps {
        store.commit(std::slice::from_ref(step)).await.expect("a commit");
    }
    drop(store);
    assert_eq!(dump(&path).await, expected);
}

/// A crash is a store that is dropped, or a commit that is dropped in the middle, and then opened again.
#[tokio::test]
async fn a5_a_thousand_random_batches_with_crashes_and_checkpoints() {
    let steps = steps();
    let path = folder("random").join("om.sqlite");
    let mut runner = TestRunner::new_with_rng(
        Runs::default(),
        proptest::test_runner::TestRng::deterministic_rng(proptest::test_runner::RngAlgorithm::ChaCha),
    );
    let mut draw = |below: usize| rand_below(runner.rng(), below);
    let mut store = Store::open(&path).await.expect("a store");
    let (mut at, mut batches, mut crashes, mut saved) = (0, 0, 0, Seq(0));
    let mut cut = [0; 3]; // nothing was written, all but nobody was told, all
    while at < steps.len() {
        let left = steps.len() - at;
        let size = if batches < 1_000 { 1 + draw(2 * (left / (1_001 - batches)).max(1)) } else { left };
        let batch = &steps[at..at + size.min(left)];
        match draw(20) {
            0 => {
                drop(store);
                store = Store::open(&path).await.expect("opened again");
                crashes += 1;
            }
            1 => {
                // The commit begins and is dropped after a few turns of the executor.
                let turns = 1 << draw(18);
                let done = tokio::select! {
                    biased;
                    done = store.commit(batch) => Some(done.expect("a commit")),
                    () = yields(turns) => None,
                };
                crashes += 1;
                drop(store);
                store = Store::open(&path).await.expect("opened again");
                let end = store.restore().await.expect("restored");
                let durable =
                    end.steps.last().map_or(saved, |(bytes, _)| journal::read_record(bytes).expect("one").seq);
                let (before, after) = (batch[0].seq.0 - 1, batch[batch.len() - 1].seq.0);
                assert!(durable.0 == before || durable.0 == after, "whole or not at all: {durable:?}");
                assert!(done.is_none() || durable.0 == after, "what was reported is durable");
                cut[usize::from(done.is_some()) + usize::from(durable.0 == after)] += 1;
                at = durable.0 as usize;
                batches += 1;
                continue;
            }
            2 if at > 0 => {
                saved = steps[at - 1].seq;
                let manager = restore(&store).await;
                assert_eq!(manager.digest(), steps[at - 1].digest);
                store.save_checkpoint(saved, &manager.checkpoint().expect("bytes")).await.expect("saved");
            }
            _ => {}
        }
        let committed = store.commit(batch).await.expect("a commit");
        at += batch.len();
        batches += 1;
        assert_eq!(Ok(committed.last_event_id), store.reader().last_event_id().await);
    }
    assert!(batches >= 900 && crashes > 20 && saved > Seq(0), "{batches} batches, {crashes} crashes");
    assert!(cut[0] > 0 && cut[2] > 0, "commits that were cut short: {cut:?}");
    assert_eq!(restore(&store).await.digest(), steps[steps.len() - 1].digest);
    let verified = store.reader().verify().await.expect("verified");
    assert_eq!((verified.records, verified.broken_at), (steps.len() as u64, None));
    drop(store);
    let (whole, store) = filled("random-whole", steps).await;
    drop(store);
    assert!(dump(&path).await == dump(&whole).await, "rows after crashes are the rows without them");
}

async fn restore(store: &Store) -> Manager {
    let restored = store.restore().await.expect("restored");
    let records = restored.steps.iter().map(|(record, digest)| (record.as_slice(), *digest));
    Manager::restore(restored.checkpoint.as_deref(), records).expect("a manager")
}

async fn yields(turns: usize) {
    for _ in 0..turns {
        tokio::task::yield_now().await;
    }
}

fn rand_below(rng: &mut proptest::test_runner::TestRng, below: usize) -> usize {
    use proptest::prelude::Rng as _;
    usize::try_from(rng.next_u64() % below as u64).expect("below")
}

/// A loss of power leaves the file and its log, and nothing that was closed in order.
#[tokio::test]
async fn a_file_that_was_never_closed_is_recovered() {
    let steps = &steps()[..300];
    let (path, store) = filled("torn", steps).await;
    let copy = folder("torn-copy").join("om.sqlite");
    std::fs::copy(&path, &copy).expect("the file");
    std::fs::copy(path.with_extension("sqlite-wal"), copy.with_extension("sqlite-wal")).expect("its log");
    let again = Store::open(&copy).await.expect("opened");
    assert_eq!(again.restore().await.expect("restored").steps.len(), 300);
    assert!(dump(&copy).await == dump(&path).await);
    drop(store);
}

#[tokio::test]
async fn a4_a_settled_store_is_whole_in_its_one_file() {
    let (path, mut store) = filled("settled", steps()).await;
    store.settle().await.unwrap();
    let copy = path.with_file_name("copy.db");
    std::fs::copy(&path, &copy).unwrap();
    assert_eq!(dump(&copy).await, dump(&path).await);
}

#[tokio::test]
async fn a5_one_leader_and_words_for_the_second() {
    let (path, store) = filled("leader", &steps()[..10]).await;
    let second = Store::open(&path).await.expect_err("a second writer");
    let text = second.to_string();
    assert!(text.contains("in use by another order-manager"), "{text}");
    assert!(text.contains(&format!("process {}", std::process::id())) && text.contains("ORDERMANAGER_STORE"), "{text}");
    assert!(Reader::open(&path).await.expect("a reader beside it").order("none").await.expect("a read").is_none());
    drop(store);
    Store::open(&path).await.expect("the lock went with its holder");
}

/// The first process starts a second one of itself, which finds the variable set and is refused.
#[tokio::test]
async fn a5_one_leader_among_processes() {
    const STORE_OF_THE_FIRST: &str = "ORDER_MANAGER_TEST_STORE";
    if let Ok(path) = std::env::var(STORE_OF_THE_FIRST) {
        return println!("second: {}", Store::open(Path::new(&path)).await.expect_err("the first one holds it"));
    }
    let (path, store) = filled("processes", &steps()[..10]).await;
    let mut second = std::process::Command::new(std::env::current_exe().expect("this test"));
    second.args(["--exact", "writes::a5_one_leader_among_processes", "--nocapture"]).env(STORE_OF_THE_FIRST, &path);
    let said = second.output().expect("a second process");
    let text = String::from_utf8_lossy(&said.stdout).into_owned();
    assert!(said.status.success(), "{text}");
    assert!(text.contains(&format!("second: {} is in use", path.display())), "{text}");
    assert!(text.contains(&format!("(process {})", std::process::id())), "{text}");
    drop(store);
}

#[tokio::test]
async fn what_cannot_be_opened_is_said_with_a_remedy() {
    let folder = folder("bad");
    let said = |error: StoreError| {
        let text = error.to_string();
        assert!(matches!(error, StoreError::Unavailable(_)) && text.contains("ORDERMANAGER_STORE"), "{text}");
        text
    };
    let nowhere = said(Store::open(&folder.join("no/om.sqlite")).await.expect_err("no folder"));
    assert!(nowhere.contains("cannot open") && nowhere.contains("writable folder"), "{nowhere}");
    said(Reader::open(&folder.join("none.sqlite")).await.expect_err("no file"));
    assert!(!folder.join("none.sqlite").exists(), "a reader makes no file");

    let text = folder.join("text.sqlite");
    std::fs::write(&text, "this is no database, and longer than the header of one".repeat(4)).expect("written");
    said(Store::open(&text).await.expect_err("no database"));

    let other = folder.join("other.sqlite");
    execute(&other, "CREATE TABLE recipes (name TEXT)").await;
    let before = std::fs::read(&other).expect("bytes");
    let words = said(Store::open(&other).await.expect_err("of another program"));
    assert!(words.contains("another program"), "{words}");
    assert!(std::fs::read(&other).expect("bytes") == before, "it stays as it was");

    let (path, store) = filled("newer", &steps()[..10]).await;
    drop(store);
    execute(&path, "PRAGMA user_version = 7").await;
    for words in
        [said(Store::open(&path).await.expect_err("newer")), said(Reader::open(&path).await.expect_err("newer"))]
    {
        assert!(words.contains("newer order-manager") && words.contains("schema is 7"), "{words}");
    }
}

/// S4: a row that the database refuses costs that step, and only it.
#[tokio::test]
async fn s4_a_refused_row_names_its_step_and_leaves_the_rest() {
    let steps = &steps()[..2_400];
    let intends = |step: &StoredStep| step.events.iter().any(|event| matches!(event, Event::OrderIntended { .. }));
    let bad = steps.iter().rposition(intends).expect("an order");
    let spec = |event: &Event| if let Event::OrderIntended { spec } = event { Some(spec.symbol) } else { None };
    let symbol = steps[bad].events.iter().find_map(spec).expect("its symbol");
    let mut doctored = steps.to_vec();
    for event in &mut doctored[bad].events {
        if let Event::OrderIntended { spec } = event {
            spec.symbol = Text::EMPTY;
        }
    }
    assert!(!symbol.is_empty());
    let path = folder("refused").join("om.sqlite");
    let mut store = Store::open(&path).await.expect("a store");
    store.commit(&doctored[..100]).await.expect("a commit");
    let before = dump(&path).await;
    match store.commit(&doctored[100..]).await.expect_err("a row without a symbol") {
        StoreError::Data { seq, what } => {
            assert_eq!(seq, steps[bad].seq);
            assert!(what.contains("CHECK"), "{what}");
        }
        StoreError::Unavailable(words) => panic!("{words}"),
    }
    assert!(dump(&path).await == before, "nothing of the batch was written");
    assert_eq!(store.restore().await.expect("restored").steps.len(), 100);
    // The same store goes on with what is good.
    store.commit(&steps[100..]).await.expect("the rest");
    drop(store);
    let (whole, store) = filled("refused-whole", steps).await;
    drop(store);
    assert!(dump(&path).await == dump(&whole).await);
}

#[tokio::test]
async fn a_gap_and_a_repeat_are_refused() {
    let (_, mut store) = filled("gap", &steps()[..10]).await;
    for wrong in [&steps()[11..13], &steps()[9..12]] {
        let error = store.commit(wrong).await.expect_err("not the next records");
        assert!(error.to_string().contains("is due"), "{error}");
    }
    store.commit(&steps()[10..12]).await.expect("the next records");
    assert!(store.save_checkpoint(Seq(99), b"x").await.is_err(), "a checkpoint ahead of the journal");
}

#[tokio::test]
async fn a_changed_record_is_found() {
    let (path, store) = filled("changed", &steps()[..1_000]).await;
    drop(store);
    execute(&path, "UPDATE order_manager_journal SET record = CAST(record || x'00' AS BLOB) WHERE seq = 700").await;
    let verified = Reader::open(&path).await.expect("a reader").verify().await.expect("verified");
    assert_eq!((verified.batches, verified.broken_at), (1, Some(Seq(501))), "the batch that it is in");
}
