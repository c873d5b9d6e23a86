//! What dies comes back: the store is the state.

use super::bench::{Bench, Verdict};
use super::list::Oracle;
use super::rows;
use crate::world::World;
use order_manager_core::event::Seq;
use order_manager_core::input::Spent;
use order_manager_core::journal::{self, Digest};
use order_manager_core::manager::Durable;
use order_manager_core::{Manager, Step};
use std::collections::VecDeque;

#[derive(Clone, Debug, Default)]
pub(super) struct Restarts {
    /// Steps that are not durable yet.
    waiting: VecDeque<(Seq, Digest)>,
    durable: (Seq, Digest),
    /// The state at death, where nothing of it was unwritten.
    died_as: Option<Box<(Durable, Spent)>>,
    /// The last checkpoint, and how many records it stands for.
    checkpoint: Option<(usize, Vec<u8>)>,
}

impl Restarts {
    pub(super) fn stepped(&mut self, seq: Seq, digest: Digest) {
        self.waiting.push_back((seq, digest));
    }

    pub(super) fn committed(&mut self, seq: Seq) {
        while let Some(step) = self.waiting.pop_front_if(|(of, _)| *of <= seq) {
            self.durable = step;
        }
    }

    pub(super) fn died(&mut self, manager: Option<&Manager>) {
        let whole = manager.filter(|_| self.waiting.is_empty());
        self.died_as = whole.map(|manager| Box::new((manager.durable().clone(), manager.spent().clone())));
        self.waiting.clear();
    }

    pub(super) fn restored(&mut self, bench: &mut Bench, manager: &Manager) {
        let place = (manager.seq(), manager.digest());
        bench.must(Oracle::RestoredIsDurable, place == self.durable, || {
            format!("restored at {place:?}, durable is {:?}", self.durable)
        });
        if let Some(died_as) = self.died_as.take() {
            let (durable, spent) = &*died_as;
            bench.must(Oracle::RestoredIsDurable, (durable, spent) == lasting(manager), || {
                format!("died as {died_as:?}\n  restored as {:?}", lasting(manager))
            });
        }
    }

    pub(super) fn checkpointed(&mut self, records: usize, bytes: &[u8]) {
        self.checkpoint = Some((records, bytes.to_vec()));
    }

    /// The whole journal, read again: folded it is the state, replayed it makes the same steps, from the last
    /// checkpoint too.
    pub(super) fn healed(&self, bench: &mut Bench, world: &World) {
        let Some(live) = world.life.manager() else { return };
        if !bench.on().spares_nothing() && live.digest().0 % u128::from(Oracle::ReplayIsSame.one_of()) != 0 {
            return;
        }
        let records: Vec<(&[u8], Digest)> = world.life.store.records().collect();
        if bench.asks(Oracle::FoldIsState) {
            bench.rule(Oracle::FoldIsState, self.same_fold(&records, live));
        }
        if bench.asks(Oracle::RowsAsBooked) {
            bench.rule(Oracle::RowsAsBooked, rows::as_booked(world).map(|_| ()));
        }
        if bench.asks(Oracle::ReplayIsSame) {
            bench.rule(Oracle::ReplayIsSame, replay(Manager::new(), &records));
        }
        if let Some((place, bytes)) = &self.checkpoint
            && bench.asks(Oracle::CheckpointIsSame)
        {
            bench.rule(Oracle::CheckpointIsSame, same_checkpoint(*place, bytes, &records));
        }
    }

    /// Where steps wait to be written, memory is ahead, and there is nothing to compare.
    fn same_fold(&self, records: &[(&[u8], Digest)], live: &Manager) -> Verdict {
        let folded = Manager::restore(None, records.iter().copied()).map_err(|error| error.to_string())?;
        let differs = folded.seq() != live.seq() || lasting(&folded) != lasting(live);
        if self.waiting.is_empty() && differs {
            return Err(format!("folded {:?}\n  live {:?}", lasting(&folded), lasting(live)));
        }
        Ok(())
    }
}

/// What outlives the process.
fn lasting(manager: &Manager) -> (&Durable, &Spent) {
    (manager.durable(), manager.spent())
}

/// It holds what the records before it fold to, and those after it replay from it.
fn same_checkpoint(place: usize, bytes: &[u8], records: &[(&[u8], Digest)]) -> Verdict {
    let (before, after) = records.split_at_checked(place).unwrap_or((records, &[]));
    let restored = Manager::restore(Some(bytes), []).map_err(|error| error.to_string())?;
    let folded = Manager::restore(None, before.iter().copied()).map_err(|error| error.to_string())?;
    if lasting(&folded) != lasting(&restored) {
        return Err(format!("holds {:?}\n  folded {:?}", lasting(&restored), lasting(&folded)));
    }
    replay(restored, after)
}

fn replay(mut manager: Manager, records: &[(&[u8], Digest)]) -> Verdict {
    let mut step = Step::default();
    for (bytes, digest) in records {
        let given = journal::read_given(bytes).map_err(|error| error.to_string())?;
        manager.step(given.at, &given.input, &mut step).map_err(|error| error.to_string())?;
        if step.digest != *digest {
            let record = journal::read_record(bytes).map_err(|error| error.to_string())?;
            return Err(format!(
                "record {}, {:?}: made {:?}, now {:?}",
                record.seq.0, record.input, record.events, step.events
            ));
        }
    }
    Ok(())
}
