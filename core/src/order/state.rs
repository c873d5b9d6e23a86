//! An order's states and THE transition table. Every (state, stimulus) pair has a verdict.

use serde::{Deserialize, Serialize};

/// What we know of an order's life at the exchange.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum State {
    /// Durable, not a byte of it sent.
    Intended,
    /// Handed to the adapter; its reply is awaited.
    Sending,
    /// It may or may not exist: asked about until evidence or proven absence (spec O2).
    Unknown,
    /// Bybit took the request; no row that could be understood and no fill seen yet.
    Acked,
    /// Seen alive.
    Open,
    /// Seen ended: filled, cancelled or rejected by the matching engine. Late fills still book.
    Closed,
    /// Refused by the API: it never existed.
    Refused,
    /// Proven absent: it never existed.
    Absent,
    /// Known once, now outside every window of the exchange: closed without a fill.
    AgedOut,
    /// Never sent before its signal expired.
    Expired,
}

/// What can happen to an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Stimulus {
    /// The create left for the adapter.
    Sent,
    /// Reply: taken. Or a record of it that cannot be understood: it exists.
    Acked,
    /// Reply: refused for good.
    Refused,
    /// Reply: no byte left, or refused before matching; the same id may go again.
    NotSent,
    /// No usable reply.
    Lost,
    /// A row that shows it alive.
    SeenOpen,
    /// A row that shows it ended.
    SeenClosed,
    /// An execution.
    Filled,
    /// Every source said "not here" after the last moment at which it could still arrive.
    ProvenAbsent,
    /// Every source said "not here" outside the history window.
    AgedOut,
    /// Its signal's time is over.
    Expired,
}

/// What a stimulus does to a state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The state becomes this one.
    To(State),
    /// Known already, or weaker than what is known: nothing changes.
    Known,
    /// Evidence against what we had concluded: booked, alarmed, and opening halts for the symbol (spec O2).
    Contradicts(State),
    /// Cannot happen in a sound program: a `Defect`, nothing changes.
    Defect,
}

use State as S;
use Stimulus as I;
use Verdict::{Contradicts, Defect, Known, To};

impl State {
    /// Every state, in the order of the table's rows.
    pub const ALL: [Self; 10] = [
        S::Intended,
        S::Sending,
        S::Unknown,
        S::Acked,
        S::Open,
        S::Closed,
        S::Refused,
        S::Absent,
        S::AgedOut,
        S::Expired,
    ];

    /// May the order still fill, as far as we know? Then it counts as filled in the worst case (spec K1).
    #[must_use]
    pub const fn may_fill(self) -> bool {
        matches!(self, S::Intended | S::Sending | S::Unknown | S::Acked | S::Open)
    }

    /// The verdict of the table.
    ///
    #[doc = include_str!("../../doc/transitions.md")]
    #[must_use]
    pub const fn on(self, stimulus: Stimulus) -> Verdict {
        match (self, stimulus) {
            // Sent: from Intended only; the guard against sending twice.
            (S::Intended, I::Sent) => To(S::Sending),
            (_, I::Sent) => Defect,

            // Replies. Evidence may overtake them (bybit-v5.md Q2), and may have come before a restart.
            (S::Sending | S::Unknown, I::Acked) => To(S::Acked),
            (S::Acked | S::Open | S::Closed, I::Acked) => Known,
            (S::Intended | S::Refused | S::Absent | S::AgedOut | S::Expired, I::Acked) => Contradicts(S::Acked),
            (S::Sending | S::Unknown, I::Refused) => To(S::Refused),
            (_, I::Refused) => Known,
            (S::Sending, I::NotSent) => To(S::Intended),
            (_, I::NotSent) => Known,
            (S::Sending, I::Lost) => To(S::Unknown),
            (_, I::Lost) => Known,

            // Evidence from the exchange outranks everything that we concluded ourselves.
            (S::Sending | S::Unknown | S::Acked, I::SeenOpen | I::Filled) => To(S::Open),
            (S::Open | S::Closed, I::SeenOpen | I::Filled) => Known,
            (S::Intended | S::Refused | S::Absent | S::AgedOut | S::Expired, I::SeenOpen | I::Filled) => {
                Contradicts(S::Open)
            }
            (S::Sending | S::Unknown | S::Acked | S::Open, I::SeenClosed) => To(S::Closed),
            (S::Closed, I::SeenClosed) => Known,
            (S::Intended | S::Refused | S::Absent | S::AgedOut | S::Expired, I::SeenClosed) => Contradicts(S::Closed),

            // Our conclusions. Absence can be proven only of what was never seen.
            (S::Unknown, I::ProvenAbsent) => To(S::Absent),
            (_, I::ProvenAbsent) => Defect,
            (S::Acked | S::Open, I::AgedOut) => To(S::AgedOut),
            (_, I::AgedOut) => Defect,
            (S::Intended, I::Expired) => To(S::Expired),
            (_, I::Expired) => Defect,
        }
    }
}

impl Stimulus {
    /// Every stimulus, in the order of the table's columns.
    pub const ALL: [Self; 11] = [
        I::Sent,
        I::Acked,
        I::Refused,
        I::NotSent,
        I::Lost,
        I::SeenOpen,
        I::SeenClosed,
        I::Filled,
        I::ProvenAbsent,
        I::AgedOut,
        I::Expired,
    ];
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn o2_no_conclusion_of_ours_ends_an_order_that_was_seen() {
        for stimulus in [I::Refused, I::NotSent, I::Lost, I::ProvenAbsent, I::Expired] {
            for state in [S::Acked, S::Open, S::Closed] {
                assert!(matches!(state.on(stimulus), Known | Defect), "{state:?} {stimulus:?}");
            }
        }
    }

    #[test]
    fn o2_evidence_is_never_refused() {
        for state in State::ALL {
            for stimulus in [I::SeenOpen, I::SeenClosed, I::Filled] {
                assert_ne!(state.on(stimulus), Defect, "{state:?} {stimulus:?}");
            }
        }
    }

    #[test]
    fn o3_evidence_gives_the_same_state_in_any_order() {
        let evidence = [I::SeenOpen, I::SeenClosed, I::Filled, I::Acked];
        let run = |start: State, order: &[Stimulus]| {
            order.iter().fold(start, |state, stimulus| match state.on(*stimulus) {
                To(next) | Contradicts(next) => next,
                Known | Defect => state,
            })
        };
        for start in [S::Sending, S::Unknown, S::Acked, S::Open, S::Closed, S::Absent, S::Refused] {
            for a in evidence {
                for b in evidence {
                    assert_eq!(run(start, &[a, b, a]), run(start, &[b, a, b]), "{start:?} {a:?} {b:?}");
                }
            }
        }
    }
}
