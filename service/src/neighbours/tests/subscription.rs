use super::fakes::gateway::{Gateway, HEALTH, KEY, LIST, SUBSCRIBE};
use super::fakes::server::Planned;
use super::reach;
use crate::exchange::Heard;
use crate::neighbours::subscription::Pace;
use crate::neighbours::{Subscription, WsGateway};
use order_manager_core::input::Stream;
use std::time::Duration;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;
use tokio::time::timeout;

const PATIENCE: Duration = Duration::from_secs(30);

/// A subscription at work, in a hurry.
struct Bench {
    fake: Gateway,
    consuming: watch::Sender<bool>,
    heard: mpsc::Receiver<Heard>,
    available: watch::Receiver<bool>,
    task: JoinHandle<()>,
}

impl Bench {
    async fn start(fake: Gateway, consuming: bool) -> Self {
        let client = WsGateway::new(reach(&fake.server, KEY), "order-manager".to_owned()).unwrap();
        let millis = Duration::from_millis;
        let pace = Pace { look: millis(10), waits: [millis(1), millis(2), millis(5), millis(10)], log: PATIENCE };
        let (consuming, watching) = watch::channel(consuming);
        let (ear, heard) = mpsc::channel(64);
        let (task, available) = Subscription::start(client, pace, watching, ear);
        Self { fake, consuming, heard, available, task }
    }

    async fn well() -> Self {
        let mut this = Self::start(Gateway::start().await, true).await;
        this.hears(Stream::Up).await;
        this
    }

    async fn hears(&mut self, expected: Stream) {
        let heard = timeout(PATIENCE, self.heard.recv()).await;
        match heard {
            Ok(Some(Heard::Stream(stream))) => assert_eq!(stream, expected),
            other => panic!("{other:?} instead of {expected:?}"),
        }
    }

    /// It looks twice more, so whatever was to be said is said.
    async fn hears_nothing(&mut self, route: &str) {
        self.fake.server.until(route, self.fake.server.count(route) + 2).await;
        assert!(self.heard.is_empty(), "{:?}", self.heard.try_recv());
    }
}

#[tokio::test]
async fn t1_it_subscribes_until_it_works() {
    let fake = Gateway::start().await;
    for answer in [(500, "{}"), (401, "{}"), (422, "{}"), (409, "{}"), (503, "x")] {
        fake.server.plan(SUBSCRIBE, Planned::Answer(answer.0, answer.1.to_owned()));
    }
    let mut bench = Bench::start(fake, true).await;
    bench.hears(Stream::Up).await;
    assert!(bench.fake.forwards() && *bench.available.borrow());
    assert_eq!(bench.fake.server.count(SUBSCRIBE), 6);
    bench.hears_nothing(HEALTH).await;
    assert_eq!(bench.fake.server.count(SUBSCRIBE), 6, "once it works it is looked at only");
}

#[tokio::test]
async fn t1_a_gateway_that_starts_later_is_found() {
    let mut fake = Gateway::start().await;
    fake.server.stop().await;
    let mut bench = Bench::start(fake, true).await;
    bench.fake.server.start_again().await;
    bench.hears(Stream::Up).await;
}

#[tokio::test]
async fn t3_a_subscription_that_is_gone_is_a_gap() {
    let mut bench = Bench::well().await;
    bench.fake.cancel_all();
    bench.hears(Stream::Down).await;
    bench.hears(Stream::Up).await;
    assert!(bench.fake.forwards());
    assert_eq!(bench.fake.known().rows.len(), 2, "the cancelled one and a new one");
}

#[tokio::test]
async fn t3_a_gateway_without_its_socket_is_down_until_it_has_one() {
    let mut bench = Bench::well().await;
    bench.fake.known().websocket = false;
    bench.hears(Stream::Down).await;
    bench.available.wait_for(|available| !available).await.unwrap();
    bench.hears_nothing(HEALTH).await;
    bench.fake.known().websocket = true;
    bench.hears(Stream::Up).await;
    bench.available.wait_for(|available| *available).await.unwrap();
}

#[tokio::test]
async fn t3_a_gateway_that_went_away_is_down_until_it_is_back() {
    let mut bench = Bench::well().await;
    bench.fake.server.stop().await;
    bench.hears(Stream::Down).await;
    bench.fake.server.start_again().await;
    bench.hears(Stream::Up).await;
}

#[tokio::test]
async fn t3_a_list_that_fails_is_a_gap_because_its_database_may_be_away() {
    let mut bench = Bench::well().await;
    bench.fake.server.plan(LIST, Planned::Answer(500, r#"{"detail":"Internal Server Error"}"#.to_owned()));
    bench.hears(Stream::Down).await;
    bench.hears(Stream::Up).await;
}

#[tokio::test]
async fn t2_up_takes_a_consumer_of_the_queue_as_well() {
    let mut bench = Bench::start(Gateway::start().await, false).await;
    bench.available.wait_for(|available| *available).await.unwrap();
    bench.hears_nothing(HEALTH).await;
    bench.consuming.send_replace(true);
    bench.hears(Stream::Up).await;
    bench.consuming.send_replace(false);
    bench.hears(Stream::Down).await;
    bench.hears_nothing(HEALTH).await;
    bench.consuming.send_replace(true);
    bench.hears(Stream::Up).await;
    let (gone, _) = watch::channel(true);
    drop(std::mem::replace(&mut bench.consuming, gone));
    bench.hears(Stream::Down).await; // a consumer that is gone consumes nothing
}

#[tokio::test]
async fn t2_a_consumer_that_fails_is_told_though_the_gateway_does_not_answer() {
    let mut bench = Bench::well().await;
    bench.fake.server.plan(LIST, Planned::Silence);
    let looks = bench.fake.server.count(LIST);
    bench.fake.server.until(LIST, looks + 1).await;
    bench.consuming.send_replace(false);
    bench.hears(Stream::Down).await;
}

#[tokio::test]
async fn it_ends_when_nobody_listens() {
    let bench = Bench::well().await;
    drop(bench.heard);
    timeout(PATIENCE, bench.task).await.expect("in time").expect("no panic");
}

#[test]
fn p6_the_longest_wait_leaves_time_to_subscribe_within_five_seconds() {
    let pace = Pace::default();
    assert!(pace.waits.is_sorted() && pace.waits[3] <= Duration::from_secs(4) && pace.look < Duration::from_secs(2));
}
