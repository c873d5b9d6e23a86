//! A simulated store: a log of framed records. A batch counts once its end is written, and then for ever; what follows
//! the last end is what a crash may leave behind, whole or in pieces, and recovery cuts it off.

use crate::scenario::Loss;
use order_manager_core::event::{Event, Seq};
use order_manager_core::input::Prior;
use order_manager_core::journal::{self, CodecError, Digest};
use order_manager_core::outcome::Outcome;
use order_manager_core::unit::{Fingerprint, SignalId};
use std::collections::BTreeMap;
use std::ops::Range;

/// How many checkpoints are kept: the last one, and the one before it in case that is lost.
const CHECKPOINTS: usize = 2;

/// Room for the log of a usual world, bytes. It grows by a sixteenth: doubled, one of 20,000 inputs would hold more than
/// the rest of its world.
const LOG: usize = 1 << 19;

/// What a frame adds to its record, and the end of its batch, bytes.
const FRAME: usize = 64;

/// A record's bytes and the digest after it.
pub type Stored<'a> = (&'a [u8], Digest);

/// The journal, its checkpoints and the signal rows.
#[derive(Clone, Debug, Default)]
pub struct Store {
    /// Frames of records; a frame without a record ends a batch.
    log: Vec<u8>,
    /// Records of batches that are whole.
    steps: usize,
    /// What was written since the last batch ended.
    under_way: usize,
    /// Where the last record's frame begins, and the digest after it.
    last: (usize, Digest),
    checkpoints: Vec<Checkpoint>,
    signals: BTreeMap<SignalId, Prior>,
}

/// A checkpoint, and what follows it.
#[derive(Clone, Debug)]
struct Checkpoint {
    bytes: Vec<u8>,
    /// Where the records go on.
    at: usize,
}

impl Store {
    /// Writes one step, with the rows of its events. It counts when its batch ends.
    ///
    /// # Errors
    /// A record above 4 GiB.
    pub fn write(&mut self, record: &[u8], digest: Digest, events: &[Event]) -> Result<(), CodecError> {
        self.last = (self.log.len(), digest);
        if self.log.capacity() - self.log.len() <= record.len() + FRAME {
            self.log.reserve_exact(record.len() + LOG.max(self.log.len() / 16));
        }
        journal::write_frame(&mut self.log, record, digest)?;
        self.under_way += 1;
        events.iter().for_each(|event| self.keep_rows(event));
        Ok(())
    }

    /// The batch ends: from now on nothing of it can be lost.
    ///
    /// # Errors
    /// None that is known.
    pub fn confirm(&mut self) -> Result<(), CodecError> {
        journal::write_frame(&mut self.log, &[], self.last.1)?;
        self.steps += std::mem::take(&mut self.under_way);
        Ok(())
    }

    fn keep_rows(&mut self, event: &Event) {
        match event {
            Event::SignalAccepted { signal, tries, .. } => {
                let fingerprint = Fingerprint(signal.fingerprint);
                let outcome = Outcome::Placed; // replaced when it settles; the core remembers it until then
                self.signals.insert(signal.id, Prior { fingerprint, outcome, tries: *tries });
            }
            Event::SignalSettled { signal, outcome, .. } => {
                if let Some(prior) = self.signals.get_mut(signal) {
                    prior.outcome = *outcome;
                }
            }
            Event::SignalInvalid { bad, .. } => {
                self.signals.extend(bad.known.map(|known| (known.id, Prior::INVALID)));
            }
            _ => {}
        }
    }

    /// What intake finds of a signal id.
    #[must_use]
    pub fn prior(&self, signal: SignalId) -> Option<Prior> {
        self.signals.get(&signal).copied()
    }

    /// All records, to restore from.
    pub fn records(&self) -> impl Iterator<Item = Stored<'_>> {
        records(&self.log)
    }

    /// Keeps a checkpoint of what is stored now.
    pub fn keep_checkpoint(&mut self, bytes: Vec<u8>) {
        if self.checkpoints.len() == CHECKPOINTS {
            self.checkpoints.remove(0);
        }
        self.checkpoints.push(Checkpoint { bytes, at: self.log.len() });
    }

    /// The last checkpoint, and the records since.
    #[must_use]
    pub fn checkpoint(&self) -> Option<(&[u8], impl Iterator<Item = Stored<'_>>)> {
        let last = self.checkpoints.last()?;
        Some((last.bytes.as_slice(), records(self.log.get(last.at..).unwrap_or_default())))
    }

    /// A crash: on the disk is what this loss leaves of the batch that was under way. Is it another than before?
    ///
    /// # Errors
    /// A record above 4 GiB.
    pub fn crash<'a>(&mut self, loss: Loss, under_way: impl Iterator<Item = Stored<'a>>) -> Result<bool, CodecError> {
        let before = (self.log.len(), self.checkpoints.len());
        match loss {
            Loss::Kill | Loss::InRecovery => {}
            Loss::Unsynced => {
                for (record, digest) in under_way {
                    journal::write_frame(&mut self.log, record, digest)?;
                }
            }
            Loss::Torn => {
                let mut begun = self.log.len();
                for (record, digest) in under_way {
                    begun = self.log.len();
                    journal::write_frame(&mut self.log, record, digest)?;
                }
                if begun == self.log.len() {
                    // Nothing was under way: the next batch had just begun. What stands in it does not matter.
                    self.write_last_again()?;
                }
                self.log.truncate(begun.midpoint(self.log.len()));
            }
            Loss::Twice if self.steps > 0 => {
                // A batch that was written again, for its end had not been heard of.
                self.write_last_again()?;
                journal::write_frame(&mut self.log, &[], self.last.1)?;
            }
            Loss::Twice => {}
            Loss::OldCheckpoint => _ = self.checkpoints.pop(),
            Loss::NoCheckpoint => self.checkpoints.clear(),
        }
        Ok((self.log.len(), self.checkpoints.len()) != before)
    }

    fn write_last_again(&mut self) -> Result<(), CodecError> {
        let last = journal::read_frame(self.log.get(self.last.0..).unwrap_or_default())?;
        let record = last.map(|frame| frame.record.to_vec()).unwrap_or_default();
        journal::write_frame(&mut self.log, &record, self.last.1)
    }

    /// Reads the log as a process that starts does: whole batches count, each record once by its number; the rest is
    /// cut off.
    ///
    /// # Errors
    /// Records that were confirmed and are not there, or cannot be read: the simulator's own defect.
    pub fn recover(&mut self) -> Result<(), CodecError> {
        let (mut whole, mut steps, mut begun) = (0, 0, 0);
        let (mut last, mut copies): (Option<Stored<'_>>, Vec<Range<usize>>) = (None, Vec::new());
        let mut rest = self.log.as_slice();
        // A frame that is cut short ends the log: its batch has no end.
        while let Ok(Some(frame)) = journal::read_frame(rest) {
            let at = self.log.len() - rest.len();
            rest = frame.rest;
            if frame.record.is_empty() {
                (whole, steps) = (self.log.len() - rest.len(), steps + std::mem::take(&mut begun));
                continue;
            }
            let is_copy = match last {
                // The digest is chained: only the same step has the same one. Its number says so too.
                Some((record, digest)) if digest == frame.digest => number(record)? == number(frame.record)?,
                _ => false,
            };
            if is_copy {
                copies.push(at..self.log.len() - rest.len());
            } else {
                begun += 1;
                last = Some((frame.record, frame.digest));
            }
        }
        if steps != self.steps {
            return Err(CodecError(format!("{} records were confirmed, {steps} are there", self.steps)));
        }
        self.log.truncate(whole);
        copies.into_iter().rev().filter(|copy| copy.end <= whole).for_each(|copy| drop(self.log.drain(copy)));
        Ok(())
    }

    /// The journal as a file's bytes.
    ///
    /// # Errors
    /// A record above 4 GiB.
    pub fn journal(&self) -> Result<Vec<u8>, CodecError> {
        let mut file = journal::MAGIC.to_vec();
        self.records().try_for_each(|(record, digest)| journal::write_frame(&mut file, record, digest))?;
        Ok(file)
    }

    /// Steps that are stored.
    #[must_use]
    pub fn len(&self) -> usize {
        self.steps
    }

    /// Was nothing stored yet?
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.steps == 0
    }
}

/// Records of a log; the ends of batches are none.
fn records(log: &[u8]) -> impl Iterator<Item = Stored<'_>> {
    let mut rest = log;
    std::iter::from_fn(move || {
        loop {
            let frame = journal::read_frame(rest).ok().flatten()?;
            rest = frame.rest;
            if !frame.record.is_empty() {
                return Some((frame.record, frame.digest));
            }
        }
    })
}

fn number(record: &[u8]) -> Result<Seq, CodecError> {
    journal::read_folded(record).map(|record| record.seq)
}

#[cfg(test)]
mod tests {
    use super::*;
    use order_manager_core::input::Input;
    use order_manager_core::unit::Timestamp;

    fn record(number: u64) -> (Vec<u8>, Digest) {
        let mut bytes = Vec::new();
        journal::write_record(Seq(number), Timestamp(number), &Input::Woke, &[], Some(&[]), &mut bytes).unwrap();
        (bytes, Digest(u128::from(number) << 100))
    }

    /// A store of so many whole batches of these lengths.
    fn stored(batches: &[u64]) -> Store {
        let (mut store, mut next) = (Store::default(), 1);
        for batch in batches {
            for number in next..next + batch {
                let (bytes, digest) = record(number);
                store.write(&bytes, digest, &[]).unwrap();
            }
            next += batch;
            store.confirm().unwrap();
        }
        store
    }

    fn numbers(store: &Store) -> Vec<u64> {
        store.records().map(|(record, _)| number(record).unwrap().0).collect()
    }

    #[test]
    fn whatever_is_lost_what_was_confirmed_is_there_once() {
        for loss in Loss::ALL {
            for (batches, under_way) in [(&[][..], 2), (&[3, 1], 0), (&[3, 1], 1), (&[1, 4], 3)] {
                let mut store = stored(batches);
                let confirmed: Vec<u64> = (1..=batches.iter().sum()).collect();
                let next: Vec<_> = (0..under_way).map(|n| record(confirmed.len() as u64 + 1 + n)).collect();
                store.crash(loss, next.iter().map(|(bytes, digest)| (bytes.as_slice(), *digest))).unwrap();
                if matches!(loss, Loss::Torn | Loss::Unsynced | Loss::Twice) && under_way > 0 && !confirmed.is_empty() {
                    assert!(store.log.len() > stored(batches).log.len(), "{loss:?} leaves nothing behind");
                }
                store.recover().unwrap();
                assert_eq!(numbers(&store), confirmed, "{loss:?}");
                // It goes on from there, and starts again.
                let (bytes, digest) = record(confirmed.len() as u64 + 1);
                store.write(&bytes, digest, &[]).unwrap();
                store.confirm().unwrap();
                store.recover().unwrap();
                assert_eq!(numbers(&store).len(), confirmed.len() + 1, "{loss:?}");
                let mut last: &[u8] = &store.journal().unwrap()[journal::MAGIC.len()..];
                while let Some(frame) = journal::read_frame(last).unwrap() {
                    assert!(!frame.record.is_empty(), "an end of a batch is no record");
                    last = frame.rest;
                }
            }
        }
    }

    #[test]
    fn a_lost_record_is_seen() {
        let mut store = stored(&[2, 2]);
        store.log.truncate(store.log.len() - 30);
        assert!(store.recover().unwrap_err().to_string().contains("4 records were confirmed, 2 are there"));
    }

    #[test]
    fn of_the_checkpoints_the_last_two_are_kept() {
        let mut store = stored(&[1]);
        for checkpoint in 1..=3_u8 {
            store.keep_checkpoint(vec![checkpoint]);
            let (bytes, digest) = record(1 + u64::from(checkpoint));
            store.write(&bytes, digest, &[]).unwrap();
            store.confirm().unwrap();
        }
        let last = |store: &Store| store.checkpoint().map(|(bytes, since)| (bytes[0], since.count()));
        assert_eq!(last(&store), Some((3, 1)));
        store.crash(Loss::OldCheckpoint, std::iter::empty()).unwrap();
        assert_eq!(last(&store), Some((2, 2)));
        store.crash(Loss::NoCheckpoint, std::iter::empty()).unwrap();
        assert_eq!(last(&store), None);
    }
}
