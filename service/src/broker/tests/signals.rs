use super::bench::{Bench, PATIENCE, until};
use super::proxy::Weather;
use crate::broker::{ConsumerCounts, Running};
use crate::desk::{Back, Brought, Desk, DeskError};
use crate::intake;
use lapin::types::{AMQPValue, FieldTable};
use order_manager_core::command::Receipt;
use order_manager_core::intake::BODY_MAX;
use order_manager_core::unit::SignalId;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use tokio::sync::watch;
use tokio::time::timeout;

/// A desk whose driver is the test.
struct Signals {
    bench: Bench,
    back: Back,
    stop: watch::Sender<bool>,
    running: Running,
    counts: Arc<ConsumerCounts>,
}

impl Signals {
    async fn start() -> Self {
        Self::on(Bench::new().await).await
    }

    async fn on(bench: Bench) -> Self {
        let (desk, back) = Desk::pair(0);
        let (stop, stopped) = watch::channel(false);
        back.flags.accepting.send_replace(true);
        let counts = Arc::new(ConsumerCounts::default());
        let to = (desk, counts.clone());
        let running = intake::signals(&bench.broker, bench.queue.clone(), 64, to, stopped);
        let mut this = Self { bench, back, stop, running, counts };
        this.running.up.wait_for(|up| *up).await.expect("connected");
        until("the queue is there", async || this.bench.has_queue().await).await;
        this
    }

    async fn next(&mut self) -> (Brought, String) {
        let brought = timeout(PATIENCE, self.back.signals.recv()).await.expect("in time").expect("a signal");
        let body = String::from_utf8(brought.body.clone()).expect("text");
        (brought, body)
    }

    /// Stops, and returns what the queue still holds.
    async fn left(self) -> u32 {
        self.stop.send_replace(true);
        self.back.flags.accepting.send_replace(false);
        drop(self.back);
        timeout(PATIENCE, self.running.task).await.expect("it stops in time").expect("no panic");
        let left = self.bench.left().await;
        self.bench.delete().await;
        left
    }
}

fn taken() -> Result<Receipt, DeskError> {
    Ok(Receipt::Accepted(SignalId(7)))
}

fn bodies(numbers: impl IntoIterator<Item = u32>) -> Vec<String> {
    numbers.into_iter().map(|number| format!("body {number}")).collect()
}

#[tokio::test]
async fn s1_a_signal_is_acknowledged_when_its_intake_is_durable_and_not_before() {
    let mut signals = Signals::start().await;
    let mut headers = FieldTable::default();
    headers.insert("trace_id".into(), AMQPValue::LongString("of the header".into()));
    signals.bench.put_with(bodies(0..2), headers).await;
    let (first, body) = signals.next().await;
    assert_eq!((body.as_str(), first.trace.map(|trace| trace.to_string())), ("body 0", Some("of the header".into())));
    first.caller.answer(taken());
    let (second, _) = signals.next().await;
    assert_eq!(second.body, b"body 1");
    drop(second); // the driver dies: nothing was promised
    assert_eq!(signals.left().await, 1, "the one that was not answered");
}

#[tokio::test]
async fn s1_what_was_not_acknowledged_comes_again_in_order_and_a_late_acknowledgement_is_no_error() {
    let mut signals = Signals::start().await;
    signals.bench.put(bodies(0..10)).await;
    let mut old = Vec::new();
    for number in 0..10 {
        let (brought, body) = signals.next().await;
        assert_eq!(body, format!("body {number}"));
        old.push(brought);
    }
    signals.bench.proxy.cut();
    // The channel notices while its acknowledgements are still due.
    for brought in old {
        brought.caller.answer(taken());
    }
    for number in 0..10 {
        let (brought, body) = signals.next().await;
        assert_eq!(body, format!("body {number}"), "in the order of the queue");
        brought.caller.answer(taken());
    }
    let counts = signals.counts.clone();
    // Those that were on their way to a broker that is gone count as well: nobody can tell them apart.
    until("all are acknowledged", async || counts.acked.load(Ordering::Relaxed) >= 10).await;
    assert_eq!(counts.redelivered.load(Ordering::Relaxed), 10);
    assert_eq!(signals.left().await, 0);
}

#[tokio::test]
async fn s5_behind_a_signal_that_was_turned_away_none_is_taken_before_it_comes_again() {
    let mut signals = Signals::start().await;
    signals.bench.put(bodies(0..4)).await;
    let mut brought = Vec::new();
    for _ in 0..4 {
        brought.push(signals.next().await.0);
    }
    let mut brought = brought.into_iter();
    let mut next = || brought.next().expect("a signal").caller;
    next().answer(taken());
    next().answer(Err(DeskError::StoreDown));
    let third = next();
    assert!(third.is_barred(), "the driver must not step it");
    third.answer(Err(DeskError::StoreDown));
    next().answer(Err(DeskError::StoreDown));
    for number in 1..4 {
        let (again, body) = signals.next().await;
        assert_eq!(body, format!("body {number}"));
        assert!(!again.caller.is_barred(), "another channel, another line");
        again.caller.answer(taken());
    }
    let counts = signals.counts.clone();
    until("all are acknowledged", async || counts.acked.load(Ordering::Relaxed) == 4).await;
    assert_eq!(signals.left().await, 0);
}

/// As after a refused row: an older signal of the batch must come again, a younger one is set aside for good.
#[tokio::test]
async fn s4_one_that_is_set_aside_behind_one_that_comes_again_does_not_come_again() {
    let mut signals = Signals::start().await;
    signals.bench.put(bodies(0..2)).await;
    let (first, second) = (signals.next().await.0, signals.next().await.0);
    first.caller.answer(Err(DeskError::StoreDown));
    second.caller.answer(Ok(Receipt::DeadLettered(Vec::new())));
    let (again, body) = signals.next().await;
    assert_eq!(body, "body 0");
    again.caller.answer(taken());
    let counts = signals.counts.clone();
    until("both are acknowledged", async || counts.acked.load(Ordering::Relaxed) == 2).await;
    assert_eq!(signals.left().await, 0);
}

#[tokio::test]
async fn t6_while_signals_are_not_taken_none_is_fetched() {
    let mut signals = Signals::start().await;
    signals.back.flags.accepting.send_replace(false);
    signals.bench.put(bodies(0..3)).await;
    // The first one finds the desk closed; the others are not even asked for.
    let counts = signals.counts.clone();
    until("all lie in the queue", async || signals.bench.waiting().await == 3).await;
    let fetched = counts.redelivered.load(Ordering::Relaxed);
    signals.back.flags.accepting.send_replace(true);
    for number in 0..3 {
        let (brought, body) = signals.next().await;
        assert_eq!(body, format!("body {number}"));
        brought.caller.answer(taken());
    }
    until("all are acknowledged", async || counts.acked.load(Ordering::Relaxed) == 3).await;
    let again = counts.redelivered.load(Ordering::Relaxed) - fetched;
    assert!(again <= 3, "each came again once: {again}");
    assert_eq!(signals.left().await, 0);
}

#[tokio::test]
async fn s2_a_message_that_is_too_large_is_brought_clipped_so_that_it_is_set_aside() {
    let mut signals = Signals::start().await;
    signals.bench.put([String::from_utf8(vec![b'x'; 300_000]).expect("text")]).await;
    let (brought, body) = signals.next().await;
    assert_eq!(body.len(), BODY_MAX + 1);
    let bad = order_manager_core::intake::decode(body.as_bytes(), None).expect_err("too large");
    assert!(bad.to_string().contains("is over"), "{bad}");
    brought.caller.answer(Ok(Receipt::DeadLettered(bad.faults)));
    assert_eq!(signals.left().await, 0);
}

#[tokio::test]
async fn a_queue_that_exists_with_other_arguments_is_used_as_it_is() {
    let bench = Bench::with(crate::broker::Queue::of_gateway).await;
    bench.declare(FieldTable::default()).await; // without the arguments that we would give it
    let mut signals = Signals::on(bench).await;
    signals.bench.put(bodies(0..1)).await;
    let (brought, _) = signals.next().await;
    brought.caller.answer(taken());
    assert_eq!(signals.left().await, 0);
}

#[tokio::test]
async fn s1_a_broker_that_is_away_is_tried_for_ever_and_not_stormed() {
    let mut signals = Signals::start().await;
    signals.bench.proxy.set(Weather::Refusing);
    signals.bench.proxy.cut();
    signals.running.up.wait_for(|up| !up).await.expect("noticed");
    let proxy = &signals.bench.proxy;
    until("it tries", async || proxy.accepted() >= 4).await;
    proxy.set(Weather::Fair);
    signals.running.up.wait_for(|up| *up).await.expect("connected again");
    assert!(signals.bench.proxy.accepted() <= 8, "{} connections", signals.bench.proxy.accepted());
    signals.bench.put(bodies(0..1)).await;
    let (brought, _) = signals.next().await;
    brought.caller.answer(taken());
    assert_eq!(signals.left().await, 0);
}

/// A network that takes everything and carries nothing: a connection that stood is given up by its heartbeats, one
/// that does not come up by its time, and each ends its socket.
#[tokio::test]
async fn s1_a_silent_broker_is_given_up_and_left_behind() {
    let mut signals = Signals::start().await;
    signals.bench.proxy.set(Weather::Still);
    timeout(PATIENCE, signals.running.up.wait_for(|up| !up)).await.expect("heartbeats are missed").expect("it lives");
    let proxy = &signals.bench.proxy;
    until("the old connection and a new one are given up", async || proxy.given_up() >= 2).await;
    proxy.set(Weather::Fair);
    timeout(PATIENCE, signals.running.up.wait_for(|up| *up)).await.expect("connected in time").expect("it lives");
    assert_eq!(signals.left().await, 0);
}
