//! Is a seed one world? The same digests on every run, in every process, from every build; and on both links the
//! same events, commands and durable state.

use crate::choice::Choices;
use crate::oracle::{Broken, Oracle, Set, caught};
use crate::scenario::Link;
use crate::swarm::{Outcome, draw, oracles, run};
use crate::world::World;
use order_manager_core::journal::{self, CodecError, Record};
use std::fmt;
use std::str::FromStr;

/// What a run of a seed came to. Its text form is one line: processes compare it as text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Print {
    /// The seed.
    pub seed: u64,
    /// Chain of the step digests on the typed link: over inputs, events and commands.
    pub typed: String,
    /// The same on the bytes link, whose inputs are other bytes.
    pub bytes: String,
    /// Digest of all events, of what left, and of the durable state at the end; one where both links agree.
    pub durable: String,
}

/// Why a seed has no print.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// An oracle did not hold, on this link.
    Broken(Link, Broken),
    /// Two runs of this link in one process differ.
    Differs(Link),
    /// Both links make other events, send something else, or end in other states. The text tells where first.
    Links(String),
    /// The process was down at the end, or its state cannot be written down.
    NoState(String),
}

/// Runs a seed twice on each link, with every oracle that holds and the reference book-keeper watching.
///
/// # Errors
/// What differs, or what did not hold.
pub fn print(seed: u64) -> Result<Print, Fault> {
    let (typed, of_typed) = twice(seed, Link::Typed)?;
    let (bytes, of_bytes) = twice(seed, Link::Bytes)?;
    if of_typed != of_bytes {
        let on = |link| run_on(seed, link, Set::NONE).and_then(|(world, _)| records(&world));
        return Err(Fault::Links(first_difference(&on(Link::Typed)?, &on(Link::Bytes)?)));
    }
    Ok(Print { seed, typed, bytes, durable: of_typed })
}

fn twice(seed: u64, link: Link) -> Result<(String, String), Fault> {
    let first = once(seed, link, oracles().with(Oracle::ReferenceBooks))?;
    let second = once(seed, link, oracles())?;
    if first == second { Ok(first) } else { Err(Fault::Differs(link)) }
}

/// The chain, and the digest of what both links have in common.
fn once(seed: u64, link: Link, oracles: Set) -> Result<(String, String), Fault> {
    let (world, outcome) = run_on(seed, link, oracles)?;
    let manager = world.life.manager().ok_or_else(|| Fault::NoState("the process is down".into()))?;
    let mut digest = journal::digest_of(manager.durable()).map_err(no_state)?;
    for record in records(&world)? {
        digest = journal::digest_of(&(digest.to_string(), record.seq, record.events, record.sent)).map_err(no_state)?;
    }
    Ok((outcome.chain.to_string(), digest.to_string()))
}

fn run_on(seed: u64, link: Link, oracles: Set) -> Result<(World, Outcome), Fault> {
    let mut drawn = draw(&mut Choices::seeded(seed));
    drawn.link = link;
    let (world, outcome) = caught(|| run(&drawn, oracles, false)).map_err(|broken| Fault::Broken(link, broken))?;
    match outcome.broken {
        Some(broken) => Err(Fault::Broken(link, broken)),
        None => Ok((world, outcome)),
    }
}

/// The first step whose events or requests the links do not share.
fn first_difference(typed: &[Record], bytes: &[Record]) -> String {
    let length = typed.len().max(bytes.len());
    let same = |it: &usize| match (typed.get(*it), bytes.get(*it)) {
        (Some(typed), Some(bytes)) => (&typed.events, &typed.sent) == (&bytes.events, &bytes.sent),
        (typed, bytes) => typed.is_none() && bytes.is_none(),
    };
    match (0..length).find(|it| !same(it)) {
        Some(at) => format!("record {} is {:?} on typed, {:?} on bytes", at + 1, typed.get(at), bytes.get(at)),
        None => "in the durable state alone, not in any record".to_string(),
    }
}

fn records(world: &World) -> Result<Vec<Record>, Fault> {
    world.life.store.records().map(|(record, _)| journal::read_record(record).map_err(no_state)).collect()
}

fn no_state(CodecError(why): CodecError) -> Fault {
    Fault::NoState(why)
}

impl fmt::Display for Print {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} {} {}", self.seed, self.typed, self.bytes, self.durable)
    }
}

impl FromStr for Print {
    type Err = String;

    fn from_str(line: &str) -> Result<Self, String> {
        let words: Vec<&str> = line.split_whitespace().collect();
        let [seed, typed, bytes, durable] = words[..] else { return Err(format!("`{line}` is no print of a seed")) };
        let seed = seed.parse().map_err(|_| format!("`{seed}` is no seed"))?;
        Ok(Self { seed, typed: typed.into(), bytes: bytes.into(), durable: durable.into() })
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Broken(link, broken) => write!(f, "on the {link:?} link {broken}"),
            Self::Differs(link) => write!(f, "two runs on the {link:?} link in one process differ"),
            Self::Links(first) => write!(f, "the links differ: {first}"),
            Self::NoState(why) => write!(f, "no state at the end: {why}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What links may not share are events and requests; their inputs are other bytes anyway.
    #[test]
    fn the_first_record_that_differs_is_named() {
        let (world, _) = run_on(0, Link::Typed, Set::NONE).unwrap();
        let typed = records(&world).unwrap();
        let place = typed.iter().position(|record| !record.events.is_empty()).unwrap();
        let mut bytes = typed.clone();
        bytes[0].input = order_manager_core::input::Input::Woke;
        assert!(first_difference(&typed, &bytes).contains("not in any record"));
        bytes[place].events.clear();
        assert!(first_difference(&typed, &bytes).starts_with(&format!("record {} is", place + 1)));
        let shorter = &typed[..place];
        assert!(first_difference(&typed, shorter).ends_with("None on bytes"));
    }
}
