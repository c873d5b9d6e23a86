//! When the process dies, and what its store keeps.

use super::Action;
use super::fault::{OPERATIONS, Requests, requests_word};
use super::raw::RawCrash;
use super::read::Reader;
use super::word::{self, word_of};
use order_manager_core::unit::Span;

/// The process dies in a step of the manager and starts again later.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Crash {
    /// Where in the step (design: step, persist, act, sleep).
    pub moment: CrashMoment,
    /// Which step: the next that fits.
    pub on: CrashOn,
    /// How long it stays down. Default 1 s.
    pub restart: Span,
    /// What the store has afterwards. Default: all that was written.
    pub loss: Loss,
}

/// Where a step is cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CrashMoment {
    /// Decided, nothing stored.
    BeforePersist,
    /// Stored, nothing sent or acknowledged.
    AfterPersist,
    /// Stored and sent, no reply seen.
    AfterRequest,
}

/// Which steps a crash waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CrashOn {
    /// Any.
    Any,
    /// A signal came in.
    Signal,
    /// A reply came in.
    Reply,
    /// A push came in.
    Push,
    /// It sends one of these requests.
    Sending(Requests),
}

/// What the store has after a crash. What it confirmed it has in every case: only what was under way, and what can be
/// made again, is lost.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Loss {
    /// All that was written stays.
    #[default]
    Kill,
    /// The batch under way had reached the disk, but for its end. It is gone whole.
    Unsynced,
    /// The batch under way ends in half a record. It is gone whole.
    Torn,
    /// The last record stands there twice.
    Twice,
    /// The last checkpoint is gone; the one before it is not.
    OldCheckpoint,
    /// Every checkpoint is gone.
    NoCheckpoint,
    /// All stays; but the next process dies too, before its first step is stored.
    InRecovery,
}

/// Moments of a crash.
pub(super) const MOMENTS: &[(&str, CrashMoment)] = &[
    ("before-persist", CrashMoment::BeforePersist),
    ("after-persist", CrashMoment::AfterPersist),
    ("after-request", CrashMoment::AfterRequest),
];

/// Losses of a crash.
pub(super) const LOSSES: &[(&str, Loss)] = &[
    ("kill", Loss::Kill),
    ("unsynced", Loss::Unsynced),
    ("torn", Loss::Torn),
    ("twice", Loss::Twice),
    ("old-checkpoint", Loss::OldCheckpoint),
    ("no-checkpoint", Loss::NoCheckpoint),
    ("in-recovery", Loss::InRecovery),
];

impl Loss {
    /// Every loss, for judges that try each.
    pub const ALL: [Self; 7] = [
        Self::Kill,
        Self::Unsynced,
        Self::Torn,
        Self::Twice,
        Self::OldCheckpoint,
        Self::NoCheckpoint,
        Self::InRecovery,
    ];

    /// The word as a scenario spells it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        word_of(LOSSES, &self)
    }
}

/// How a scenario spells these steps.
pub(super) fn on_word(on: CrashOn) -> &'static str {
    match on {
        CrashOn::Any => "any",
        CrashOn::Signal => "signal",
        CrashOn::Reply => "reply",
        CrashOn::Push => "push",
        CrashOn::Sending(Requests::All) => "request",
        CrashOn::Sending(of) => requests_word(of),
    }
}

/// Reads `crash = { .. }`.
pub(super) fn read(r: &mut Reader<'_>, raw: &RawCrash) -> Option<Action> {
    let moment = r.take(word::choose(&raw.at, "moment of a crash", MOMENTS));
    let restart = r.or(raw.restart.as_ref(), Span::secs(1), word::length);
    let loss = r.or(raw.loss.as_ref(), Loss::Kill, |word| word::choose(word, "loss", LOSSES));
    let on = r.or(raw.on.as_ref(), CrashOn::Any, |word| {
        let inputs = [
            ("signal", CrashOn::Signal),
            ("reply", CrashOn::Reply),
            ("push", CrashOn::Push),
            ("request", CrashOn::Sending(Requests::All)),
        ];
        let sending = OPERATIONS.iter().map(|(word, of)| match of {
            Requests::All => (*word, CrashOn::Any),
            of => (*word, CrashOn::Sending(*of)),
        });
        word::choose(word, "step to crash on", &inputs.into_iter().chain(sending).collect::<Vec<_>>())
    });
    Some(Action::Crash(Crash { moment: moment?, on: on?, restart: restart?, loss: loss? }))
}
