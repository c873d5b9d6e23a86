//! What is written, and what happens when the writing is cut short.

use super::home::{Home, on_both};
use super::{filled, rows, steps, world};
use order_manager_core::Manager;
use order_manager_core::event::{Event, Seq};
use order_manager_core::journal;
use order_manager_core::unit::Text;
use order_manager_service::store::{Reader, Store, StoreError, StoredStep};
use proptest::test_runner::{Config as Runs, TestRunner};
use std::collections::BTreeSet;

on_both!(
    what_is_committed_comes_back,
    e3_whatever_the_batches_the_tables_end_the_same,
    a5_a_thousand_random_batches_with_crashes_and_checkpoints,
    s4_a_refused_row_names_its_step_and_leaves_the_rest,
    s4_refused_rows_of_what_nobody_brought_are_set_aside,
    a_gap_and_a_repeat_are_refused,
    a_changed_record_is_found,
);

async fn what_is_committed_comes_back(home: Home) {
    let steps = steps();
    let mut store = filled(&home, steps).await;
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
}

async fn e3_whatever_the_batches_the_tables_end_the_same(home: Home) {
    let steps = &steps()[..2_400];
    let whole = home.another().await;
    drop(filled(&whole, steps).await);
    let expected = whole.dump().await;
    assert!(expected.len() > 20, "{}", expected.len());
    let mut store = home.open().await;
    for step in steps {
        store.commit(std::slice::from_ref(step)).await.expect("a commit");
    }
    drop(store);
    assert_eq!(home.dump().await, expected);
}

/// A crash is a store that is dropped, or a commit that is dropped in the middle, and then opened again.
async fn a5_a_thousand_random_batches_with_crashes_and_checkpoints(home: Home) {
    let steps = steps();
    let mut runner = TestRunner::new_with_rng(
        Runs::default(),
        proptest::test_runner::TestRng::deterministic_rng(proptest::test_runner::RngAlgorithm::ChaCha),
    );
    let mut draw = |below: usize| rand_below(runner.rng(), below);
    let mut store = home.open().await;
    let (mut at, mut batches, mut crashes, mut saved) = (0, 0, 0, Seq(0));
    let mut cut = [0; 3]; // nothing was written, all but nobody was told, all
    while at < steps.len() {
        let left = steps.len() - at;
        let size = if batches < 1_000 { 1 + draw(2 * (left / (1_001 - batches)).max(1)) } else { left };
        let batch = &steps[at..at + size.min(left)];
        match draw(20) {
            0 => {
                drop(store);
                store = home.open().await;
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
                store = home.open().await;
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
                let manager = restore(&mut store).await;
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
    assert_eq!(restore(&mut store).await.digest(), steps[steps.len() - 1].digest);
    let verified = store.reader().verify().await.expect("verified");
    assert_eq!((verified.records, verified.broken_at), (steps.len() as u64, None));
    drop(store);
    let whole = home.another().await;
    drop(filled(&whole, steps).await);
    assert!(home.dump().await == whole.dump().await, "rows after crashes are the rows without them");
}

async fn restore(store: &mut Store) -> Manager {
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

/// S4: a row that the database refuses costs that step, and only it.
async fn s4_a_refused_row_names_its_step_and_leaves_the_rest(home: Home) {
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
    // The file has such a CHECK itself.
    let check = "ALTER TABLE orders ADD CONSTRAINT chk_of_this_test CHECK (asset <> '')";
    home.execute("", check).await;
    let mut store = home.open().await;
    store.commit(&doctored[..100]).await.expect("a commit");
    let before = home.dump().await;
    match store.commit(&doctored[100..]).await.expect_err("a row without a symbol") {
        StoreError::Data { seq, what } => {
            assert_eq!(seq, steps[bad].seq);
            assert!(what.to_lowercase().contains("check"), "{what}");
        }
        StoreError::Unavailable(words) => panic!("{words}"),
    }
    assert!(home.dump().await == before, "nothing of the batch was written");
    assert_eq!(store.restore().await.expect("restored").steps.len(), 100);
    // The same store goes on with what is good.
    store.commit(&steps[100..]).await.expect("the rest");
    drop(store);
    let whole = home.another().await;
    drop(filled(&whole, steps).await);
    assert!(home.dump().await == whole.dump().await);
}

/// S4: what the exchange said is kept whatever a row of the shared tables can say; only that row is set aside.
async fn s4_refused_rows_of_what_nobody_brought_are_set_aside(home: Home) {
    let steps = steps();
    let intends = |step: &StoredStep| step.events.iter().any(|event| matches!(event, Event::OrderIntended { .. }));
    let bad = steps[..2_400].iter().rposition(intends).expect("an order");
    let mut doctored = steps[..2_400].to_vec();
    for event in &mut doctored[bad].events {
        if let Event::OrderIntended { spec } = event {
            spec.symbol = Text::clipped("ZZZUSDT");
        }
    }
    let mut store = home.open().await;
    let trigger = "CREATE TRIGGER of_this_test BEFORE INSERT ON orders WHEN NEW.asset = 'ZZZUSDT' \
                   BEGIN SELECT RAISE(ABORT, 'not here'); END";
    let check = "ALTER TABLE orders ADD CONSTRAINT chk_of_this_test CHECK (asset <> 'ZZZUSDT')";
    home.execute(trigger, check).await;
    let brought = BTreeSet::from([doctored[bad].seq]);
    let refused = store.commit_or_set_aside(&doctored, &brought).await;
    assert!(matches!(refused, Err(StoreError::Data { seq, .. }) if seq == doctored[bad].seq), "{refused:?}");
    store.commit_or_set_aside(&doctored, &BTreeSet::new()).await.expect("a commit");
    assert_eq!(store.restore().await.expect("restored").steps.len(), 2_400, "every record is kept");
    let letters = store.reader().dead_letters(1, 100).await.expect("dead letters").items;
    let named = format!("rows of record {} are refused by the database", doctored[bad].seq.0);
    assert!(letters.iter().any(|letter| letter.reason.starts_with(&named)), "{letters:?}");
}

async fn a_gap_and_a_repeat_are_refused(home: Home) {
    let mut store = filled(&home, &steps()[..10]).await;
    for wrong in [&steps()[11..13], &steps()[9..12]] {
        let error = store.commit(wrong).await.expect_err("not the next records");
        assert!(error.to_string().contains("is due"), "{error}");
    }
    store.commit(&steps()[10..12]).await.expect("the next records");
    assert!(store.save_checkpoint(Seq(99), b"x").await.is_err(), "a checkpoint ahead of the journal");
}

async fn a_changed_record_is_found(home: Home) {
    drop(filled(&home, &steps()[..1_000]).await);
    home.execute(
        "UPDATE order_manager_journal SET record = CAST(record || x'00' AS BLOB) WHERE seq = 700",
        r"UPDATE order_manager.journal SET record = record || '\x00' WHERE seq = 700",
    )
    .await;
    let verified = Reader::open(home.place()).await.expect("a reader").verify().await.expect("verified");
    assert_eq!((verified.batches, verified.broken_at), (1, Some(Seq(501))), "the batch that it is in");
}
