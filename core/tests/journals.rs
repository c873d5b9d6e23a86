//! Journals as each version of their shape wrote them, read for ever (design: versioned shapes). A new shape gets samples
//! of its own, once: `order-sim run scenarios/NAME.toml --journal core/tests/journals/VERSION-NAME.journal`, and what
//! [`Manager::checkpoint`] gives at its end.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test")]

use order_manager_core::Manager;
use order_manager_core::journal::{self, Digest, Record, named};
use order_manager_core::manager::Durable;
use order_manager_core::position::{Mark, Trail};

/// The versions of which there are samples; a new one must get its own.
const VERSIONS: usize = journal::VERSION as usize;

/// A journal, and the checkpoint at its end.
type Sample = (&'static [u8], &'static [u8]);

macro_rules! sample {
    ($version:literal, $name:literal) => {
        (
            include_bytes!(concat!("journals/", $version, "-", $name, ".journal")).as_slice(),
            include_bytes!(concat!("journals/", $version, "-", $name, ".checkpoint")).as_slice(),
        )
    };
}
macro_rules! samples {
    ($($name:literal: $end:literal,)*) => {
        [$(($name, [sample!("1", $name), sample!("2", $name), sample!("3", $name), sample!("4", $name)], $end)),*]
    };
}

/// Each with the orders and positions that it ends with.
const SAMPLES: [(&str, [Sample; VERSIONS], &str); 4] = samples! {
    "bad-json": "buy 0.01 of 0.01 BTCUSDT; holds 0.01 for 500.001",
    "crash-while-cancelling": "buy 0 of 0.01 BTCUSDT; buy 0 of 0.01 BTCUSDT",
    "manual-trade": "buy 0.01 of 0.01 BTCUSDT; sell 0.006 of 0.006 BTCUSDT; holds 0 for 0",
    "partial-then-cancel": "buy 0.004 of 0.01 BTCUSDT; buy 0 of 0.01 BTCUSDT; holds 0.004 for 199.8",
};

fn frames(mut rest: &[u8]) -> Vec<(&[u8], Digest)> {
    let mut frames = Vec::new();
    while let Some(frame) = journal::read_frame(rest).unwrap() {
        frames.push((frame.record, frame.digest));
        rest = frame.rest;
    }
    frames
}

fn told(manager: &Manager) -> String {
    let orders = manager.durable().book.iter().map(|order| {
        let (spec, filled) = (&order.spec, order.told.totals.quantity);
        format!("{} {filled} of {} {}", spec.side, spec.quantity, spec.symbol)
    });
    let positions = manager.durable().positions.values();
    let positions = positions.map(|position| format!("holds {} for {}", position.size, position.entry_value));
    orders.chain(positions).collect::<Vec<_>>().join("; ")
}

/// The durable state without what the fills cost, and where each symbol's last fill was.
fn bare(manager: &Manager) -> (Durable, Vec<Mark>) {
    let mut durable = manager.durable().clone();
    let last = core::mem::take(&mut durable.trails).values().map(Trail::last).collect();
    (durable, last)
}

#[test]
fn e3_journals_of_every_version_are_read_and_end_as_they_did() {
    for (name, versions, end) in SAMPLES {
        for (version, (file, checkpoint)) in (1..).zip(versions) {
            let frames = frames(file.strip_prefix(journal::MAGIC).unwrap());
            let manager = Manager::restore(None, frames.iter().copied()).unwrap();
            assert_eq!(told(&manager), end, "{version}-{name}");
            let kept = Manager::restore(Some(checkpoint), []).unwrap();
            assert_eq!((bare(&kept), kept.digest()), (bare(&manager), manager.digest()), "{version}-{name}");
            let keeps_prices = kept.durable().trails == manager.durable().trails;
            assert!(version < 3 || keeps_prices, "{version}-{name}: what fills cost is kept since version 3");
            assert_eq!(kept.spent() == manager.spent(), version > 2, "{version}-{name}");
            let (mut again, mut same) = (Vec::new(), true);
            for (bytes, _) in frames {
                let record = journal::read_record(bytes).unwrap();
                let Record { seq, at, ref input, ref events, .. } = record;
                let sent = record.sent.as_deref();
                for write in [named::write_record, journal::write_record] {
                    again.clear();
                    write(seq, at, input, events, sent, &mut again).unwrap();
                    assert_eq!(journal::read_record(&again).as_ref(), Ok(&record), "{version}-{name}: all is written");
                    let is_its_own = named::is_named(&again) == (version < 4);
                    same &= !is_its_own || again == bytes;
                }
                let (folded, given) = (journal::read_folded(bytes).unwrap(), journal::read_given(bytes).unwrap());
                assert_eq!((folded.seq, folded.at, &folded.events, &folded.sent), (seq, at, events, &record.sent));
                assert_eq!((given.seq, given.at, &given.input), (seq, at, input), "{version}-{name}");
                let cut = |end: &usize| journal::read_folded(&bytes[..*end]).is_ok();
                assert_eq!((0..bytes.len()).find(cut), None, "{version}-{name}: a record that is cut off is none");
            }
            assert_eq!(same, version > 1, "{version}-{name}: what version 3 adds to the shape may be missing");
        }
    }
}
