use super::bench::{Bench, PATIENCE, until};
use crate::broker::Running;
use crate::desk::{Back, Brought, Desk, DeskError};
use crate::intake;
use lapin::types::{AMQPValue, FieldTable};
use order_manager_core::command::Receipt;
use order_manager_core::unit::SignalId;
use tokio::sync::watch;
use tokio::time::timeout;

/// A desk whose driver is the test.
struct Signals {
    bench: Bench,
    back: Back,
    stop: watch::Sender<bool>,
    running: Running,
}

impl Signals {
    async fn start() -> Self {
        Self::on(Bench::new().await).await
    }

    async fn on(bench: Bench) -> Self {
        let (desk, back) = Desk::pair(0);
        let (stop, stopped) = watch::channel(false);
        back.flags.accepting.send_replace(true);
        let running = intake::signals(&bench.broker, bench.queue.clone(), 64, desk, stopped);
        let mut this = Self { bench, back, stop, running };
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
        let left = self.bench.waiting().await;
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
