//! The store: it may be down, its commits may fail or take long; and its checkpoints.

use super::World;
use crate::scenario::{Commit, CommitTrouble};
use order_manager_core::input::Input;

impl World {
    /// Every commit fails from now on, and nothing can be restored.
    pub const fn store_down(&mut self) {
        self.store_is_down = true;
    }

    /// The store works again.
    pub const fn store_up(&mut self) {
        self.store_is_down = false;
    }

    /// A checkpoint is taken here, and the manager is told: its bytes, to restore or to replay from. None while
    /// the process is down or writes.
    pub fn checkpoint(&mut self) -> Option<Vec<u8>> {
        let bytes = self.life.checkpoint()?;
        self.judge.checkpointed(self.life.store.len(), &bytes);
        let resumed = self.life.manager()?.resumed();
        self.life.store.keep_checkpoint(bytes.clone());
        self.give(Input::Checkpointed(Box::new(resumed)));
        Some(bytes)
    }

    /// The next commits go wrong.
    pub fn plan_commits(&mut self, commit: Commit) {
        self.commits.push_back(commit);
    }

    /// What goes wrong with the commit that begins now; used up once.
    pub(super) fn commit_trouble(&mut self) -> Option<CommitTrouble> {
        let next = self.commits.front_mut()?;
        let trouble = next.trouble;
        self.watch.commit_went_wrong(trouble);
        next.count = next.count.saturating_sub(1);
        if next.count == 0 {
            self.commits.pop_front();
        }
        Some(trouble)
    }

    /// A checkpoint is taken as soon as the process is up and writes nothing.
    pub fn plan_checkpoint(&mut self) {
        self.checkpoint_wanted = true;
        self.take_checkpoint();
    }

    /// From now on a process that starts and has so many records to read takes one.
    pub fn checkpoint_every(&mut self, records: u32) {
        self.checkpoint_each = Some(records);
    }

    /// Takes the checkpoint that is wanted, where one can be taken now.
    pub(super) fn take_checkpoint(&mut self) {
        if self.checkpoint_wanted && !self.is_paused() && self.checkpoint().is_some() {
            self.checkpoint_wanted = false;
        }
    }
}
