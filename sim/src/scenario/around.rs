//! What goes wrong around the exchange: silence and bans, the stream, the broker, the store, the clock.

use super::Action;
use super::fault::{Pushes, TOPICS};
use super::problem::Problem;
use super::raw::{RawBroker, RawClock, RawCommit, RawReconnect, RawSilence, Word};
use super::read::Reader;
use super::word;
use order_manager_core::unit::Span;
use toml::Spanned;

/// Pushes vanish for a while although the stream stays up and its heartbeats come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Silence {
    /// Which pushes. Default all.
    pub of: Pushes,
    /// How long.
    pub length: Span,
}

/// The private stream breaks now, and comes back only after attempts that fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reconnect {
    /// How many attempts fail before one succeeds. Default 0.
    pub fails: u32,
    /// From one attempt to the next. Default 1 s.
    pub every: Span,
}

/// What the broker of the signals does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Broker {
    /// Its channel closes: everything that nobody acknowledged comes again, and acknowledgements on their way count
    /// for nothing.
    Redeliver,
    /// The next messages come twice, the second time so much later.
    Duplicate(Messages),
    /// The next acknowledgements are lost: their messages come again, so much later.
    LoseAck(Messages),
    /// The next messages each come after the one that follows them, so much later at the latest.
    Reorder(Messages),
}

/// Which messages of the broker, and when.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Messages {
    /// How many, from 1. Default 1.
    pub count: u32,
    /// How much later. Default 1 s.
    pub by: Span,
}

/// The next commits of the store go wrong. A commit writes all the steps that wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Commit {
    /// What goes wrong.
    pub trouble: CommitTrouble,
    /// How many commits, from 1. Default 1.
    pub count: u32,
}

/// What goes wrong with a commit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CommitTrouble {
    /// Nothing is written, and the manager is dropped and restored.
    Fail,
    /// It takes so much longer; inputs pile up meanwhile and become one batch.
    Slow(Span),
}

/// What happens to the clock of the manager's host. The exchange's clock is always right.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Clock {
    /// Its wall clock is set this many microseconds forward, or back. The process that runs goes on by its monotonic
    /// clock; the next one starts from the wall clock (and never before the journal's last moment).
    Step(i64),
    /// Its clocks run too fast by so many millionths, or too slow, until the next drift is said.
    Drift(i32),
}

const SECOND: Span = Span::secs(1);
/// A clock gains or loses at most a tenth; real ones a thousandth of that.
const MAX_DRIFT: i32 = 100_000;

/// Reads `silence = { .. }`.
pub(super) fn read_silence(r: &mut Reader<'_>, raw: &RawSilence) -> Option<Action> {
    let of = r.or(raw.of.as_ref(), Pushes::All, |w| word::choose(w, "topic", TOPICS));
    let length = r.take(word::length(&raw.length));
    Some(Action::Silence(Silence { of: of?, length: length? }))
}

/// Reads `reconnect = { .. }`.
pub(super) fn read_reconnect(r: &mut Reader<'_>, raw: &RawReconnect) -> Option<Action> {
    let every = r.or(raw.every.as_ref(), SECOND, word::length)?;
    let fails = match raw.fails.as_ref().filter(|fails| *fails.get_ref() > 0) {
        Some(fails) => r.count(Some(fails))?,
        None => 0,
    };
    Some(Action::Reconnect(Reconnect { fails, every }))
}

/// Reads `broker = { .. }`.
pub(super) fn read_broker(r: &mut Reader<'_>, raw: &RawBroker) -> Option<Action> {
    let messages = Messages { count: r.count(raw.count.as_ref())?, by: r.or(raw.by.as_ref(), SECOND, word::length)? };
    let words = [
        ("redeliver", Broker::Redeliver),
        ("duplicate", Broker::Duplicate(messages)),
        ("lose-ack", Broker::LoseAck(messages)),
        ("reorder", Broker::Reorder(messages)),
    ];
    let broker = r.take(word::choose(&raw.what, "deed of the broker", &words))?;
    if broker == Broker::Redeliver {
        at_once(r, raw.count.as_ref(), "count")?;
        at_once(r, raw.by.as_ref(), "by")?;
    }
    Some(Action::Broker(broker))
}

/// A redelivery is of everything, now.
fn at_once<T>(r: &mut Reader<'_>, field: Option<&Spanned<T>>, name: &str) -> Option<()> {
    let Some(field) = field else { return Some(()) };
    let message = format!("a redelivery has no `{name}`");
    r.problem(Problem::at(field, message, "it is of everything, now", format!("take `{name}` out")));
    None
}

/// Reads `commit = { .. }`.
pub(super) fn read_commit(r: &mut Reader<'_>, raw: &RawCommit) -> Option<Action> {
    let by = r.or(raw.by.as_ref(), SECOND, word::length)?;
    let words = [("fail", CommitTrouble::Fail), ("slow", CommitTrouble::Slow(by))];
    let trouble = r.take(word::choose(&raw.what, "trouble of a commit", &words))?;
    if let (CommitTrouble::Fail, Some(by)) = (trouble, &raw.by) {
        let message = "a commit that fails has no `by`".to_owned();
        r.problem(Problem::at(by, message, "it fails at once", "take `by` out, or write do = \"slow\""));
        return None;
    }
    Some(Action::Commit(Commit { trouble, count: r.count(raw.count.as_ref())? }))
}

/// Reads `clock = { .. }`.
pub(super) fn read_clock(r: &mut Reader<'_>, raw: &Spanned<RawClock>) -> Option<Action> {
    let RawClock { step, drift } = raw.get_ref();
    r.exactly_one(raw, "clock", &[("step", step.is_some()), ("drift", drift.is_some())])?;
    if let Some(step) = step {
        return r.take(signed(step)).map(|us| Action::Clock(Clock::Step(us)));
    }
    let drift = drift.as_ref()?;
    let ppm = *drift.get_ref();
    if !(-MAX_DRIFT..=MAX_DRIFT).contains(&ppm) {
        let message = format!("a drift of `{ppm}` millionths is no clock's");
        let help = format!("write at most {MAX_DRIFT} millionths, fast or slow (negative)");
        r.problem(Problem::at(drift, message, "too much", help));
        return None;
    }
    Some(Action::Clock(Clock::Drift(ppm)))
}

/// A length of time forward, or back: `3s`, `-250ms`.
fn signed(word: &Word) -> Result<i64, Problem> {
    let (sign, length) = match word.get_ref().strip_prefix('-') {
        Some(back) => (-1, Spanned::new(word.span(), back.to_owned())),
        None => (1, word.clone()),
    };
    // A year of microseconds is far below the type's end.
    word::length(&length).map(|span| sign * i64::try_from(span.0).unwrap_or(i64::MAX))
}
