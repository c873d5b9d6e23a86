use super::fakes::gateway::{Gateway, KEY, SYNC};
use super::fakes::server::Planned;
use super::reach;
use crate::neighbours::WsGateway;
use crate::neighbours::balance::BalanceSync;
use order_manager_core::event::Event;
use order_manager_core::outcome::Outcome;
use order_manager_core::refusal::Code;
use order_manager_core::unit::{SignalId, Text, Timestamp};
use std::time::Duration;
use tokio::time::Instant;

fn settled(outcome: Outcome) -> Event {
    let (signal, at, text) = (SignalId(1), Timestamp(1), Text::clipped("poor"));
    Event::SignalSettled { signal, outcome, at, text, cancelled: Vec::new() }
}

fn start(fake: &Gateway, min_interval: Duration) -> BalanceSync {
    let client = WsGateway::new(reach(&fake.server, KEY), "order-manager".to_owned()).unwrap();
    BalanceSync::start(client, min_interval).0
}

#[tokio::test]
async fn a_rejection_for_the_balance_and_no_other_makes_the_gateway_sync() {
    let fake = Gateway::start().await;
    let sync = start(&fake, Duration::ZERO);
    for other in [Outcome::Placed, Outcome::Rejected(Code::Validation)] {
        sync.committed(&settled(other));
        tokio::task::yield_now().await;
    }
    sync.committed(&settled(Outcome::Rejected(Code::InsufficientBalance)));
    fake.server.until(SYNC, 1).await;
    sync.committed(&settled(Outcome::Rejected(Code::InsufficientBalance)));
    fake.server.until(SYNC, 2).await;
    assert_eq!(fake.server.asked().len(), 2);
    assert_eq!((fake.server.asked()[0].body.as_str(), fake.server.asked()[0].key.as_deref()), ("", Some(KEY)));
}

#[tokio::test]
async fn calls_that_worked_keep_their_distance_and_one_that_failed_does_not_count() {
    let fake = Gateway::start().await;
    let distance = Duration::from_millis(300);
    let sync = start(&fake, distance);
    let poor = settled(Outcome::Rejected(Code::InsufficientBalance));
    let failed = r#"{"detail":{"error":"Failed to sync balances from Bybit REST API","code":"BALANCE_SYNC_FAILED"}}"#;
    fake.server.plan(SYNC, Planned::Answer(502, failed.to_owned()));
    sync.committed(&poor);
    fake.server.until(SYNC, 1).await;
    let began = Instant::now();
    sync.committed(&poor);
    fake.server.until(SYNC, 2).await;
    sync.committed(&poor);
    sync.committed(&poor);
    fake.server.until(SYNC, 3).await;
    assert!(began.elapsed() >= distance, "{:?}", began.elapsed());
}
