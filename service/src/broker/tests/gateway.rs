use super::bench::{Bench, PATIENCE};
use crate::broker::{Queue, Running};
use crate::desk::{Back, Desk};
use crate::exchange::Heard;
use crate::intake;
use lapin::options::QueueDeclareOptions;
use lapin::types::{AMQPValue, FieldTable};
use order_manager_core::unit::Bytes;
use tokio::sync::{mpsc, watch};
use tokio::time::timeout;

struct Gateway {
    bench: Bench,
    back: Back,
    heard: mpsc::Receiver<Heard>,
    consuming: watch::Receiver<bool>,
    stop: watch::Sender<bool>,
    running: Running,
}

impl Gateway {
    async fn start() -> Self {
        let bench = Bench::with(Queue::of_gateway).await;
        let (desk, back) = Desk::pair(0);
        back.flags.accepting.send_replace(true);
        let ((stop, stopped), (ear, heard)) = (watch::channel(false), mpsc::channel(1_000));
        let (sender, mut consuming) = watch::channel(false);
        let queue = bench.queue.clone();
        let running = intake::gateway_orders(&bench.broker, queue, (&desk, ear), sender, stopped);
        consuming.wait_for(|flows| *flows).await.expect("it consumes");
        Self { bench, back, heard, consuming, stop, running }
    }

    async fn next(&mut self) -> (Bytes, crate::exchange::Kept) {
        match timeout(PATIENCE, self.heard.recv()).await.expect("in time") {
            Some(Heard::Gateway { body, kept }) => (body, kept),
            other => panic!("{other:?}"),
        }
    }

    async fn left(self) -> u32 {
        self.stop.send_replace(true);
        drop((self.heard, self.back));
        timeout(PATIENCE, self.running.task).await.expect("it stops in time").expect("no panic");
        assert!(!*self.consuming.borrow());
        let left = self.bench.left().await;
        self.bench.delete().await;
        left
    }
}

#[tokio::test]
async fn t2_the_gateways_queue_is_declared_with_exactly_its_three_arguments() {
    let gateway = Gateway::start().await;
    let mut table = FieldTable::default();
    table.insert("x-message-ttl".into(), AMQPValue::LongInt(86_400_000));
    table.insert("x-max-length".into(), AMQPValue::LongInt(100_000));
    table.insert("x-overflow".into(), AMQPValue::LongString("drop-head".into()));
    let name = gateway.bench.queue.name.as_str();
    let same = gateway.bench.channel.queue_declare(name.into(), QueueDeclareOptions::durable(), table).await;
    same.expect("the same arguments");
    assert_eq!(gateway.left().await, 0);
}

#[tokio::test]
async fn t2_the_gateways_messages_are_acknowledged_when_they_are_durable_and_come_again_when_a_life_dies() {
    let mut gateway = Gateway::start().await;
    gateway.bench.put(["a", "b", "c"].map(str::to_owned)).await;
    let (a, kept) = gateway.next().await;
    assert_eq!(a.0, b"a");
    kept.fire();
    let (_, b) = gateway.next().await;
    let (_, c) = gateway.next().await;
    drop((b, c)); // the life that had them died
    for expected in ["b", "c"] {
        let (body, kept) = gateway.next().await;
        assert_eq!(body.0, expected.as_bytes());
        kept.fire();
    }
    assert_eq!(gateway.left().await, 0);
}
