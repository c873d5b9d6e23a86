//! Messages between the manager and the exchange.

use super::{BUY, FILLED, story};

#[test]
fn a_reset_reply_is_unknown_at_once() {
    let told = story(&[("0ms", "fault = { reset = \"reply\", of = \"create\" }"), ("0ms", BUY), ("10s", FILLED)]);
    assert!(told.at("connection reset") < 100, "{}", told.told);
    assert_eq!(told.world.exchange.truth().orders.len(), 1);
}

#[test]
fn a_reset_request_never_was() {
    let expect = "expect = { orders = 0, signal = { s-1 = \"rejected\" }, settled = true }";
    let told = story(&[("0ms", "fault = { reset = \"request\", of = \"create\" }"), ("0ms", BUY), ("200s", expect)]);
    assert!(told.at("connection reset") < 100, "{}", told.told);
}

#[test]
fn a_reset_request_may_arrive_all_the_same() {
    let fault = "fault = { reset = \"request\", of = \"create\", by = \"3s\" }";
    let told = story(&[("0ms", fault), ("0ms", BUY), ("20s", FILLED)]);
    assert!(told.at("connection reset") < 100 && told.at("Filled") > 3_000, "{}", told.told);
}

#[test]
fn a_refused_request_is_sent_again() {
    let fault = "fault = { refuse = \"request\", of = \"create\", count = 2 }";
    let told = story(&[("0ms", fault), ("0ms", BUY), ("20s", FILLED)]);
    assert_eq!(told.count("> create"), 3, "{}", told.told);
    assert_eq!(told.count("x request Create refused"), 2, "{}", told.told);
}

#[test]
fn a_reply_after_the_timeout_changes_nothing() {
    let fault = "fault = { delay = \"reply\", of = \"create\", by = \"6s\" }";
    let told = story(&[("0ms", fault), ("0ms", BUY), ("20s", FILLED)]);
    assert_eq!(told.count("no answer within 5 s"), 1, "{}", told.told);
    assert_eq!(told.count("< create"), 1, "{}", told.told);
}

#[test]
fn a_push_may_come_behind_the_next_of_its_topic() {
    let limit = "signal = { id = \"s-1\", side = \"buy\", amount = \"500\", confidence = \"0.7\", spread = \"100\" }";
    let steps = [("0ms", "fault = { reorder = \"push\", of = \"order\" }"), ("0ms", limit)];
    let held = story(&[&steps[..], &[("3s", "price = { BTCUSDT = \"49000\" }"), ("10s", FILLED)]].concat());
    assert_eq!(held.count("x push held back"), 1, "{}", held.told);
    // Nothing comes after it: it comes by itself.
    let alone = story(&[&steps[..], &[("10s", "expect = { open = 1, status = \"pending\" }")]].concat());
    assert_eq!(alone.count("x push held back"), 1, "{}", alone.told);
}

#[test]
fn requests_and_replies_may_overtake_each_other() {
    let other = "signal = { id = \"s-2\", symbol = \"ETHUSDT\", side = \"buy\", amount = \"500\" }";
    for way in ["request", "reply"] {
        let fault = format!("fault = {{ reorder = \"{way}\", of = \"create\", by = \"3s\" }}");
        let two = "expect = { orders = 2, signal = { s-1 = \"accepted\", s-2 = \"accepted\" }, consistent = true }";
        let told = story(&[("0ms", &fault), ("0ms", BUY), ("200ms", other), ("20s", two)]);
        assert_eq!(told.count("held back"), 1, "{}", told.told);
        if way == "request" {
            assert!(told.at("< create s-2-0") < told.at("< create s-1-0"), "{}", told.told);
            assert!(told.at("< fill s-1-0") < 1_000, "behind the next one, not 3 s later:\n{}", told.told);
        }
    }
}

#[test]
fn everything_may_come_twice() {
    for way in ["reply", "push", "request"] {
        // Where an id may be used again a copy of a request is another order: here it may not.
        let fault = format!("fault = {{ duplicate = \"{way}\", count = 20 }}");
        story(&[("0ms", &fault), ("0ms", BUY), ("10s", FILLED)]);
    }
}

#[test]
fn silence_is_of_some_pushes_and_for_some_time() {
    let told = story(&[("0ms", "silence = { length = \"20s\" }"), ("0ms", BUY), ("90s", FILLED)]);
    assert!(told.count("x push lost") >= 3, "{}", told.told);
    assert_eq!(told.count("stream down"), 0, "{}", told.told);
    let some = story(&[("0ms", "silence = { of = \"wallet\", length = \"20s\" }"), ("0ms", BUY), ("90s", FILLED)]);
    assert_eq!(some.count("x push lost"), 1, "{}", some.told);
    let over = story(&[("0ms", "silence = { length = \"1s\" }"), ("2s", BUY), ("90s", FILLED)]);
    assert_eq!(over.count("x push lost"), 0, "{}", over.told);
}

#[test]
fn o5_a_ban_answers_everything() {
    let expect = "expect = { orders = 0 }";
    let signal = "signal = { id = \"s-2\", side = \"buy\", amount = \"500\" }";
    let two = "expect = { orders = 1, signal = { s-2 = \"accepted\" }, settled = true }";
    story(&[("0ms", "ban = \"11m\""), ("1s", BUY), ("60s", expect), ("25m", signal), ("26m", two)]);
}

#[test]
fn p6_a_stream_comes_back_after_attempts_that_fail() {
    let told = story(&[("0ms", "reconnect = { fails = 3, every = \"2s\" }"), ("1s", BUY), ("90s", FILLED)]);
    assert_eq!(told.count("< stream down"), 1, "{}", told.told);
    let ups: Vec<&str> = told.told.lines().filter(|line| line.contains("< stream up")).collect();
    assert_eq!(ups.len(), 2, "{ups:?}");
    assert!(ups[1].trim_start().starts_with("6050 "), "{ups:?}");
}
