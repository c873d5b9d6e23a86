//! What the committed journal adds up to, for people and judges: signals with their orders or reasons, counts,
//! and the published events.

use order_manager_core::event::{Change, Event, Seq};
use order_manager_core::manager::Durable;
use order_manager_core::order::Totals;
use order_manager_core::outcome::Outcome;
use order_manager_core::refusal::Code;
use order_manager_core::report::{OrderEvent, Reporter};
use order_manager_core::unit::{OrderLinkId, SignalId};
use std::collections::BTreeMap;

/// One signal's story in short.
#[derive(Clone, Debug, Default)]
pub struct Account {
    /// Its orders.
    pub orders: Vec<OrderLinkId>,
    /// How it ended; none while it has not.
    pub outcome: Option<Outcome>,
    /// Why, with figures.
    pub text: String,
    /// Was anything of it filled?
    pub filled: bool,
}

/// Everything told so far.
#[derive(Clone, Debug, Default)]
pub struct Ledger {
    reporter: Reporter,
    /// A second fold of the committed events, one that never forgets: the books of the whole run.
    pub books: Durable,
    /// Every signal that was taken or invalid.
    pub signals: BTreeMap<SignalId, Account>,
    owners: BTreeMap<OrderLinkId, SignalId>,
    /// What each order was told to have filled.
    pub told: BTreeMap<OrderLinkId, Totals>,
    /// Types of the published events, in order.
    pub published: Vec<Change>,
    /// The published events, where they are kept.
    pub messages: Option<Vec<OrderEvent>>,
    /// Published rejections by code.
    pub rejects: BTreeMap<String, u64>,
    /// Messages that no signal could be made of.
    pub dead_letters: u32,
    /// Copies of known signals.
    pub duplicates: u32,
    /// Known ids with another content.
    pub conflicts: u32,
}

impl Ledger {
    /// Takes one committed step, and shows each of its events with what it publishes: its type, and the message itself
    /// where one is made.
    pub fn follow(
        &mut self,
        seq: Seq,
        events: &[Event],
        mut show: impl FnMut(&Event, Option<Change>, Option<&OrderEvent>),
    ) {
        for (index, event) in events.iter().enumerate() {
            self.count(event);
            if !forgets(event) {
                self.books.apply(event);
            }
            let index = u32::try_from(index).unwrap_or(u32::MAX);
            let message = self.reporter.follow(seq, index, event);
            show(event, message.as_ref().map(|message| message.event_type), message.as_ref());
            if let Some(message) = message {
                self.published.push(message.event_type);
                self.messages.iter_mut().for_each(|kept| kept.push(message.clone()));
            }
        }
    }

    fn count(&mut self, event: &Event) {
        match event {
            Event::SignalAccepted { signal, .. } => _ = self.signals.entry(signal.id).or_default(),
            Event::SignalInvalid { bad, .. } => {
                if let Some(known) = &bad.known {
                    let account = self.signals.entry(known.id).or_default();
                    account.outcome = Some(Outcome::Rejected(Code::Validation));
                    account.text = bad.faults.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ");
                    *self.rejects.entry(Code::Validation.to_string()).or_default() += 1;
                }
            }
            Event::SignalSettled { signal, outcome, text, .. } => {
                let account = self.signals.entry(*signal).or_default();
                account.outcome = Some(*outcome);
                account.text = text.to_string();
                if let Outcome::Rejected(code) = outcome {
                    *self.rejects.entry(code.to_string()).or_default() += 1;
                }
            }
            Event::SignalRepeated { conflict: true, .. } => self.conflicts += 1,
            Event::SignalRepeated { conflict: false, .. } => self.duplicates += 1,
            Event::DeadLettered { .. } => self.dead_letters += 1,
            Event::OrderIntended { spec } => {
                let orders = &mut self.signals.entry(spec.intent.signal).or_default().orders;
                if !orders.contains(&spec.link) {
                    orders.push(spec.link);
                }
                self.owners.insert(spec.link, spec.intent.signal);
                self.told.insert(spec.link, Totals::default());
            }
            Event::OrderTold(told) => {
                self.told.insert(told.link, told.totals);
                if let Some(signal) = self.owners.get(&told.link)
                    && let Some(account) = self.signals.get_mut(signal)
                {
                    account.filled |= told.totals.quantity.is_positive();
                }
            }
            _ => {}
        }
    }

    /// The orders of a signal that ended, with their public words: `Placed` or the refusal's code.
    #[must_use]
    pub fn is_accounted_for(&self, signal: SignalId) -> bool {
        self.signals.get(&signal).is_some_and(|account| match account.outcome {
            Some(Outcome::Placed) => !account.orders.is_empty(),
            Some(Outcome::Rejected(_)) => !account.text.is_empty(),
            None => false,
        })
    }
}

/// Is it about what the manager need not remember, rather than about what is true?
const fn forgets(event: &Event) -> bool {
    matches!(event, Event::SignalForgotten { .. } | Event::OrderForgotten { .. } | Event::Reconciled { .. })
}
