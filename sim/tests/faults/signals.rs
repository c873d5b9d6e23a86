//! The broker of the signals.

use super::{BUY, FILLED, story};

#[test]
fn a_channel_that_closes_brings_everything_again() {
    // A commit takes long: the message is not acknowledged when the channel closes.
    let told = story(&[
        ("0ms", "commit = { do = \"slow\", by = \"3s\" }"),
        ("0ms", BUY),
        ("1s", "broker = { do = \"redeliver\" }"),
        ("20s", FILLED),
        ("20s", "expect = { duplicates = 1 }"),
    ]);
    assert_eq!(told.world.unacknowledged(), 0, "{}", told.told);
    let quiet = story(&[("0ms", BUY), ("10s", "broker = { do = \"redeliver\" }"), ("20s", FILLED)]);
    assert_eq!(quiet.world.ledger.duplicates, 0, "all was acknowledged:\n{}", quiet.told);
}

#[test]
fn a_lost_acknowledgement_brings_the_message_again() {
    let told = story(&[("0ms", "broker = { do = \"lose-ack\", count = 2 }"), ("0ms", BUY), ("20s", FILLED)]);
    assert_eq!((told.world.ledger.duplicates, told.world.unacknowledged()), (2, 0), "{}", told.told);
}

#[test]
fn the_next_message_comes_twice() {
    let told = story(&[("0ms", "broker = { do = \"duplicate\", by = \"2s\" }"), ("0ms", BUY), ("20s", FILLED)]);
    assert_eq!((told.world.ledger.duplicates, told.world.unacknowledged()), (1, 0), "{}", told.told);
}

#[test]
fn a_message_comes_behind_the_next() {
    let reorder = ("0ms", "broker = { do = \"reorder\", by = \"5s\" }");
    let next = "signal = { id = \"s-2\", symbol = \"ETHUSDT\", side = \"buy\", amount = \"500\" }";
    let both = "expect = { signal = { s-1 = \"accepted\", s-2 = \"accepted\" }, settled = true }";
    let told = story(&[reorder, ("0ms", BUY), ("1s", next), ("20s", both)]);
    assert!(told.at("signal s-2") < told.at("signal s-1") && told.at("signal s-1") < 1_100, "{}", told.told);
    let alone = story(&[reorder, ("0ms", BUY), ("20s", FILLED)]);
    assert_eq!(alone.at("signal s-1"), 5_000, "{}", alone.told);
}

#[test]
fn a_process_that_starts_does_not_get_what_the_broker_puts_off() {
    let crash = ("0ms", "crash = { at = \"after-persist\", on = \"signal\", restart = \"1s\" }");
    let told = story(&[crash, ("0ms", "broker = { do = \"duplicate\", by = \"9s\" }"), ("0ms", BUY), ("30s", FILLED)]);
    assert_eq!((told.world.ledger.duplicates, told.world.unacknowledged()), (2, 0), "{}", told.told);
}
