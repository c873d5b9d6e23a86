//! A journal's inputs through this build: would it have decided the same?

use anyhow::{Context, ensure};
use order_manager_core::command::Command;
use order_manager_core::event::Event;
use order_manager_core::journal::{self, Digest, Record, named};
use order_manager_core::{Manager, Step};
use std::fmt;

/// What a replay found.
#[derive(Clone, Debug)]
pub enum Verdict {
    /// Every step gave the recorded events and digest.
    Same {
        /// Steps replayed.
        steps: u64,
        /// The last digest.
        digest: Digest,
    },
    /// Every step gave the recorded events. This build writes some records in another shape than the build that stored
    /// them, and digests are of bytes: for these they cannot be compared, and so commands neither.
    SameEvents {
        /// Steps replayed.
        steps: u64,
        /// Records of another shape.
        reshaped: u64,
    },
    /// The first step that did not.
    Differs(Box<Difference>),
}

/// The first difference.
#[derive(Clone, Debug)]
pub struct Difference {
    /// The recorded step.
    pub record: Record,
    /// Its recorded digest.
    pub recorded: Digest,
    /// The digest now.
    pub replayed: Digest,
    /// The events now.
    pub events: Vec<Event>,
}

/// Replays a journal file from its first record on.
///
/// # Errors
/// A file that is no journal, is cut short, or does not begin with record 1.
pub fn replay(file: &[u8]) -> anyhow::Result<Verdict> {
    let mut rest =
        file.strip_prefix(journal::MAGIC).context("this is no journal: write one with run --journal FILE")?;
    let mut manager = Manager::new();
    let (mut step, mut before) = (Step::default(), Digest::default());
    let (mut again, mut scratch) = (Vec::new(), Vec::new());
    let (mut steps, mut reshaped) = (0, 0);
    while let Some(frame) = journal::read_frame(rest)? {
        rest = frame.rest;
        let given = journal::read_given(frame.record)?;
        steps += 1;
        ensure!(given.seq.0 == steps, "record {} stands where {steps} should", given.seq.0);
        manager.step(given.at, &given.input, &mut step)?;
        // Both from the digest before it as it was stored: a record of another shape leaves those after it comparable.
        let earlier = std::mem::replace(&mut before, frame.digest);
        let digest = if named::is_named(frame.record) {
            // As its version wrote it: in version 2 without what left.
            let record = journal::read_record(frame.record)?;
            let sent = record.sent.map(|_| step.commands.iter().filter_map(Command::spends).collect::<Vec<_>>());
            again.clear();
            named::write_record(given.seq, given.at, &given.input, &step.events, sent.as_deref(), &mut again)?;
            named::chain(earlier, &again, &step.commands, &mut scratch)?
        } else {
            journal::chain(earlier, &step.record, &step.commands, &mut scratch)?
        };
        if digest != frame.digest {
            let record = journal::read_record(frame.record)?;
            let Record { seq, at, ref input, ref sent, .. } = record;
            let write = if named::is_named(frame.record) { named::write_record } else { journal::write_record };
            again.clear();
            write(seq, at, input, &record.events, sent.as_deref(), &mut again)?;
            if again != frame.record && record.events == step.events {
                reshaped += 1;
                continue;
            }
            let (recorded, replayed, events) = (frame.digest, digest, step.events.clone());
            return Ok(Verdict::Differs(Box::new(Difference { record, recorded, replayed, events })));
        }
    }
    Ok(if reshaped > 0 { Verdict::SameEvents { steps, reshaped } } else { Verdict::Same { steps, digest: before } })
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Same { steps, digest } => write!(f, "{steps} steps, every digest the same, the last is {digest}"),
            Self::SameEvents { steps, reshaped } => write!(
                f,
                "{steps} steps, every event the same; {reshaped} records are in the shape of another build, whose digests \
                 cannot be compared"
            ),
            Self::Differs(difference) => write!(f, "{difference}"),
        }
    }
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Record { seq, at, input, events, .. } = &self.record;
        writeln!(f, "step {} at {at}: recorded digest {}, replayed {}", seq.0, self.recorded, self.replayed)?;
        writeln!(f, "  input    {}", json(input))?;
        let longest = events.len().max(self.events.len());
        for place in 0..longest {
            let (old, new) = (events.get(place), self.events.get(place));
            if old == new {
                continue;
            }
            writeln!(f, "  recorded {}", old.map_or_else(|| "-".into(), json))?;
            writeln!(f, "  replayed {}", new.map_or_else(|| "-".into(), json))?;
        }
        if *events == self.events {
            writeln!(f, "  the events are the same: the commands, or an earlier digest, differ")?;
        }
        Ok(())
    }
}

fn json<T: serde::Serialize>(value: T) -> String {
    serde_json::to_string(&value).unwrap_or_else(|error| error.to_string())
}
