//! A simulated store: what was committed survives a crash, what was not is gone.

use order_manager_core::event::{Event, Seq};
use order_manager_core::input::Prior;
use order_manager_core::journal::{self, CodecError, Digest};
use order_manager_core::outcome::Outcome;
use order_manager_core::unit::{Fingerprint, SignalId};
use std::collections::BTreeMap;

/// One step on its way to the disk.
#[derive(Clone, Debug)]
pub struct Stored {
    /// Its number.
    pub seq: Seq,
    /// The record's bytes.
    pub record: Vec<u8>,
    /// The digest after it.
    pub digest: Digest,
}

/// The journal and the signal rows.
#[derive(Clone, Debug, Default)]
pub struct Store {
    steps: Vec<Stored>,
    signals: BTreeMap<SignalId, Prior>,
}

impl Store {
    /// Commits one step with the rows of its events.
    pub fn commit(&mut self, step: Stored, events: &[Event]) {
        events.iter().for_each(|event| self.keep_rows(event));
        self.steps.push(step);
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
            _ => {}
        }
    }

    /// What intake finds of a signal id.
    #[must_use]
    pub fn prior(&self, signal: SignalId) -> Option<Prior> {
        self.signals.get(&signal).copied()
    }

    /// All that is needed to restore.
    pub fn records(&self) -> impl Iterator<Item = (&[u8], Digest)> {
        self.steps.iter().map(|step| (step.record.as_slice(), step.digest))
    }

    /// The journal as a file's bytes.
    ///
    /// # Errors
    /// A record above 4 GiB.
    pub fn journal(&self) -> Result<Vec<u8>, CodecError> {
        let mut file = journal::MAGIC.to_vec();
        self.steps.iter().try_for_each(|step| journal::write_frame(&mut file, &step.record, step.digest))?;
        Ok(file)
    }

    /// Steps committed.
    #[must_use]
    pub fn len(&self) -> usize {
        self.steps.len()
    }

    /// Was nothing committed yet?
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.steps.is_empty()
    }
}
