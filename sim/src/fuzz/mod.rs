//! Lives of the manager out of bytes. A tape of bytes decides what happens to one manager: signals, answers,
//! pushes, crashes, the passing of time. After every step a list of laws is checked.
//!
//! The exchange here is not a consistent one: it says what the tape says, in any order, about any order that
//! was ever sent. So what holds here holds by the manager's own doing. Zero bytes are the tamest choices, a
//! cooperative exchange; so a short tape is already a whole trade, and a fuzzer bends it from there.
//!
//! The same harness serves seeds in `cargo test`, the kept tapes of `fuzz/corpus`, and `cargo fuzz`.

mod answer;
mod beside;
mod bytes;
mod documents;
mod drawn;
mod fact;
mod laws;
mod life;
mod past;
mod signal;
#[cfg(test)]
mod tests;
mod venue;

pub use bytes::{signals, wire};
pub use documents::documents;
pub use drawn::{scenarios, worlds};

use crate::choice::Choices;
use order_manager_core::event::Seq;
use std::collections::BTreeMap;
use std::fmt;
use std::fmt::Write as _;

/// What a life came to, where no law was broken.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// Steps that were kept.
    pub steps: usize,
    /// How often each kind of thing happened: shows that the laws had something to judge.
    pub marks: BTreeMap<&'static str, u32>,
}

/// A law that did not hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Broken {
    /// Its name in the list of laws.
    pub law: &'static str,
    /// The record after which it did not hold.
    pub seq: Seq,
    /// What was found.
    pub what: String,
}

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "FAILED {} at record {}: {}", self.law, self.seq.0, self.what)
    }
}

impl std::error::Error for Broken {}

/// The life behind a tape, line by line: inputs, events, commands; and how it ends.
pub fn show_life(tape: &[u8]) -> (String, Result<Report, Broken>) {
    let mut life = life::Life::new(Choices::from_tape(tape));
    let result = life.run(None);
    let mut text = String::new();
    for (index, kept) in life.kept().iter().enumerate() {
        let _ = writeln!(text, "{} {} {:?}", index + 1, kept.at, kept.input);
        kept.events.iter().for_each(|event| _ = writeln!(text, "      {event:?}"));
        kept.commands.iter().for_each(|command| _ = writeln!(text, "    > {command:?}"));
    }
    (text, result)
}

/// Lives through `tape` and checks every law after every step.
///
/// # Errors
/// The first law that does not hold.
pub fn order_life(tape: &[u8]) -> Result<Report, Broken> {
    life::Life::new(Choices::from_tape(tape)).run(None)
}

/// A life of a seed with neighbours in it: what it draws for them is on no tape of the others.
///
/// # Errors
/// The first law that does not hold.
pub fn neighbours_life_seeded(seed: u64, steps: u32) -> Result<Report, Broken> {
    life::Life::new(Choices::seeded(seed)).with_neighbours().run(Some(steps))
}

/// The same from a seed, for `steps` steps; with the tape that lives it again through [`order_life`].
///
/// # Errors
/// The first law that does not hold, with the tape.
pub fn order_life_seeded(seed: u64, steps: u32) -> Result<(Report, Vec<u8>), (Broken, Vec<u8>)> {
    let mut life = life::Life::new(Choices::seeded(seed).recording());
    let result = life.run(Some(steps));
    let tape = life.tape();
    match result {
        Ok(report) => Ok((report, tape)),
        Err(broken) => Err((broken, tape)),
    }
}
