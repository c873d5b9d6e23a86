//! One life of a manager, and who waits for what it makes durable.

use crate::clock::Clock;
use crate::desk::{Caller, DeskError};
use crate::exchange::Kept;
use crate::store::StoreError;
use order_manager_core::command::{Command, Receipt};
use order_manager_core::event::Seq;
use order_manager_core::input::{Delivery, DeliveryId, Input, RefusedDelivery};
use order_manager_core::unit::{Bytes, Text};
use order_manager_core::{Manager, Step};
use std::collections::BTreeMap;

/// One life of a manager.
pub(super) struct Life {
    pub(super) manager: Manager,
    pub(super) clock: Clock,
    pub(super) step: Step,
    pub(super) out: usize,
    callers: BTreeMap<DeliveryId, Caller>,
    deliveries: u64,
    /// Fired after the next commit.
    kept: Vec<Kept>,
    blamed: Option<Blamed>,
}

/// Whose data the store refused, so that nothing of its batch was written.
pub(super) enum Blamed {
    /// A signal's: the next life sets it aside, and its caller still waits (spec S4).
    Signal(Box<Refused>),
    /// That of a signal that was set aside already: not even the dead letters take it.
    Letter,
    /// Anything else's.
    Other,
}

/// A signal's message that the store refused.
pub(super) struct Refused {
    caller: Caller,
    body: Bytes,
    why: Text<200>,
}

impl Life {
    pub(super) fn new(manager: Manager) -> Self {
        let clock = Clock::start(manager.now());
        let (callers, kept) = (BTreeMap::new(), Vec::new());
        Self { manager, clock, step: Step::default(), out: 0, callers, deliveries: 0, kept, blamed: None }
    }

    /// A new delivery, whose caller waits for its receipt.
    pub(super) fn admit(&mut self, caller: Caller) -> DeliveryId {
        self.deliveries += 1;
        let id = DeliveryId(self.deliveries);
        self.callers.insert(id, caller);
        id
    }

    /// What the last life left to be set aside.
    pub(super) fn inherit(&mut self, Refused { caller, body, why }: Refused) -> Input {
        let id = self.admit(caller);
        Input::Refused(Box::new(RefusedDelivery { id, body, why }))
    }

    pub(super) fn fire_after_commit(&mut self, kept: Kept) {
        self.kept.push(kept);
    }

    /// Is this a signal behind one that was turned away? Then it is turned away too.
    pub(super) fn turns_away(&mut self, input: &Input) -> bool {
        let Input::Signal(delivery) = input else { return false };
        let Delivery { id, .. } = **delivery;
        if !self.callers.get(&id).is_some_and(Caller::is_barred) {
            return false;
        }
        self.answer(id, Err(DeskError::StoreDown));
        true
    }

    /// What stands behind a signal that found no room must not overtake it, not even in the same batch.
    pub(super) fn hold_lines(&self, commands: &[Command]) {
        for command in commands {
            if let Command::Settle { delivery, receipt: Receipt::Paused } = command
                && let Some(caller) = self.callers.get(delivery)
            {
                caller.turn_away_the_line();
            }
        }
    }

    pub(super) fn answer(&mut self, delivery: DeliveryId, answer: Result<Receipt, DeskError>) {
        if let Some(caller) = self.callers.remove(&delivery) {
            caller.answer(answer);
        }
    }

    /// All inputs so far are durable.
    pub(super) fn committed(&mut self) {
        self.kept.drain(..).for_each(Kept::fire);
    }

    /// Nothing of the batch was written. `origins` are the inputs of its records.
    pub(super) fn blame(&mut self, error: &StoreError, origins: &[(Seq, &Input)]) {
        let StoreError::Data { seq, what } = error else { return };
        let input = origins.iter().find(|(number, _)| number == seq).map(|(_, input)| *input);
        self.blamed = Some(match input {
            Some(Input::Signal(delivery)) => match self.callers.remove(&delivery.id) {
                Some(caller) => {
                    Blamed::Signal(Box::new(Refused { caller, body: delivery.body.clone(), why: Text::clipped(what) }))
                }
                None => Blamed::Other,
            },
            Some(Input::Refused(_)) => Blamed::Letter,
            _ => Blamed::Other,
        });
    }

    pub(super) fn blamed(&self) -> Option<&Blamed> {
        self.blamed.as_ref()
    }

    /// The end of a life that could not write: everybody but the one to be set aside must come again.
    pub(super) fn end(&mut self) -> Option<Refused> {
        self.kept.clear();
        for (_, caller) in std::mem::take(&mut self.callers) {
            caller.answer(Err(DeskError::StoreDown));
        }
        match self.blamed.take() {
            Some(Blamed::Signal(refused)) => Some(*refused),
            Some(Blamed::Letter | Blamed::Other) | None => None,
        }
    }
}
