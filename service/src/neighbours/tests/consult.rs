use super::fakes::position_manager::{EXPOSURE, Fixed, KEY, PositionManager as Fake, position};
use super::fakes::server::Planned;
use super::reach;
use crate::exchange::Heard;
use crate::neighbours::PositionManager;
use order_manager_core::input::{Answer, Question, Tag};
use order_manager_core::unit::{Symbol, Text};
use std::time::Duration;
use tokio::sync::mpsc;

const ONE: &str = "GET /api/v1/positions/BTCUSDT";
const VALIDATE: &str = "POST /api/v1/positions/BTCUSDT/validate";

fn btc() -> Symbol {
    Text::clipped("BTCUSDT")
}

async fn fake() -> Fake<Fixed> {
    let fake = Fake::start(Fixed::default()).await;
    fake.figures.lock().unwrap().positions = vec![position("BTCUSDT", "one-way", "-0.5", Some("50000"))];
    fake
}

/// Asks and waits for the one answer.
async fn ask(manager: &PositionManager, question: Question) -> Answer {
    let (ear, mut heard) = mpsc::channel(1);
    manager.start(question, 7, ear);
    match heard.recv().await {
        Some(Heard::Answered { life: 7, tag, answer }) if tag == Tag::Consult(question) => *answer,
        other => panic!("{other:?}"),
    }
}

fn body(answer: Answer) -> (u16, serde_json::Value) {
    let Answer::Http { status, body, .. } = answer else { panic!("{answer:?}") };
    (status, serde_json::from_slice(&body.0).unwrap_or_default())
}

#[tokio::test]
async fn k1_a_question_goes_out_with_key_mode_and_trace_and_its_answer_comes_back_as_it_is() {
    let fake = fake().await;
    let manager = PositionManager::new(reach(&fake.server, KEY)).unwrap();
    let (status, json) = body(ask(&manager, Question::Position(btc())).await);
    assert_eq!((status, &json["size"]), (200, &"-0.5".into()));
    let (status, json) = body(ask(&manager, Question::Exposure).await);
    assert_eq!((status, &json["total_exposure_usdt"]), (200, &0.into()));
    let (status, json) = body(ask(&manager, Question::Validate(btc())).await);
    assert_eq!((status, &json["is_valid"]), (200, &true.into()));
    let asked = fake.server.asked();
    let routes: Vec<_> = asked.iter().map(|asked| (asked.route.as_str(), asked.query.as_str())).collect();
    let expected = [(ONE, "mode=one-way"), (EXPOSURE, ""), (VALIDATE, "mode=one-way&fix_discrepancies=true")];
    assert_eq!(routes, expected);
    for asked in asked {
        assert_eq!(asked.key.as_deref(), Some(KEY));
        assert_eq!(asked.trace.map(|trace| trace.len()), Some(36));
    }
}

#[tokio::test]
async fn k1_every_status_is_the_cores_to_judge() {
    let fake = fake().await;
    let manager = PositionManager::new(reach(&fake.server, KEY)).unwrap();
    let (status, json) = body(ask(&manager, Question::Position(Text::clipped("XRPUSDT"))).await);
    assert_eq!(status, 404);
    assert_eq!(json["detail"], "Position not found for asset: XRPUSDT, mode: one-way");
    for status in [429, 500, 503] {
        let detail = r#"{"detail":"Portfolio exposure is temporarily unavailable"}"#;
        fake.server.plan(EXPOSURE, Planned::Answer(status, detail.to_owned()));
        assert_eq!(body(ask(&manager, Question::Exposure).await).0, status);
    }
    let stranger = PositionManager::new(reach(&fake.server, "another")).unwrap();
    assert_eq!(body(ask(&stranger, Question::Exposure).await).0, 401);
}

#[tokio::test]
async fn k1_no_connection_is_not_sent_and_no_whole_answer_is_lost() {
    let mut fake = fake().await;
    let manager = PositionManager::with_timeout(reach(&fake.server, KEY), Duration::from_millis(200)).unwrap();
    fake.server.plan(ONE, Planned::Silence);
    assert!(matches!(ask(&manager, Question::Position(btc())).await, Answer::Lost { .. }));
    fake.server.plan(ONE, Planned::Answer(200, "x".repeat(257 << 10)));
    let Answer::Lost { why } = ask(&manager, Question::Position(btc())).await else { panic!("kept") };
    assert!(why.as_str().contains("256 KiB"), "{why}");
    fake.server.stop().await;
    assert!(matches!(ask(&manager, Question::Position(btc())).await, Answer::NotSent { .. }));
    fake.server.start_again().await;
    assert_eq!(body(ask(&manager, Question::Position(btc())).await).0, 200);
}

#[tokio::test]
async fn a_symbol_cannot_lead_to_another_route() {
    let fake = fake().await;
    let manager = PositionManager::new(reach(&fake.server, KEY)).unwrap();
    body(ask(&manager, Question::Position(Text::clipped("../x?a=b#c"))).await);
    assert_eq!(fake.server.asked()[0].route, "GET /api/v1/positions/..%2Fx%3Fa=b%23c");
}
