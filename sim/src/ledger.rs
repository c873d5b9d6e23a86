//! What the committed journal adds up to, for people and judges: signals with their orders or reasons, counts,
//! and the published events.

use order_manager_core::event::{Change, Event, Seq};
use order_manager_core::manager::Durable;
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
}

impl Account {
    /// Has it ended with an order, or with the reason why there is none?
    #[must_use]
    pub fn is_whole(&self) -> bool {
        match self.outcome {
            Some(Outcome::Placed) => !self.orders.is_empty(),
            Some(Outcome::Rejected(_)) => !self.text.is_empty(),
            None => false,
        }
    }
}

/// Everything told so far.
#[derive(Clone, Debug, Default)]
pub struct Ledger {
    reporter: Reporter,
    /// A second fold of what the committed events say of orders, fills and positions, one that never forgets: the books
    /// of the whole run.
    pub books: Durable,
    /// Every signal that was taken or invalid.
    pub signals: BTreeMap<SignalId, Account>,
    /// Types of the published events, in order.
    pub published: Vec<Change>,
    /// The published events, where they are kept.
    pub messages: Option<Vec<OrderEvent>>,
    /// Published rejections by code.
    pub rejects: BTreeMap<Code, u64>,
    /// Messages that no signal could be made of.
    pub dead_letters: u32,
    /// Copies of known signals.
    pub duplicates: u32,
    /// Known ids with another content.
    pub conflicts: u32,
}

impl Ledger {
    /// Takes one committed step, and shows each of its events with the message that it publishes.
    pub fn follow(&mut self, seq: Seq, events: &[Event], mut show: impl FnMut(&Event, Option<&OrderEvent>)) {
        for (index, event) in events.iter().enumerate() {
            self.count(event);
            if is_booked(event) {
                self.books.apply(event);
            }
            let index = u32::try_from(index).unwrap_or(u32::MAX);
            let message = self.reporter.follow(seq, index, event);
            show(event, message.as_ref());
            self.published.extend(message.as_ref().map(|message| message.event_type));
            if let Some(kept) = &mut self.messages {
                kept.extend(message);
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
                    *self.rejects.entry(Code::Validation).or_default() += 1;
                }
            }
            Event::SignalSettled { signal, outcome, text, .. } => {
                let account = self.signals.entry(*signal).or_default();
                account.outcome = Some(*outcome);
                account.text = text.as_str().to_owned();
                if let Outcome::Rejected(code) = outcome {
                    *self.rejects.entry(*code).or_default() += 1;
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
            }
            _ => {}
        }
    }

    /// Was anything of this signal filled?
    #[must_use]
    pub fn is_filled(&self, account: &Account) -> bool {
        let mut orders = account.orders.iter().filter_map(|link| self.books.book.get(*link));
        orders.any(|order| order.told.totals.quantity.is_positive())
    }
}

/// Does it say what became of an order or a position? What the manager need not remember any more still does.
const fn is_booked(event: &Event) -> bool {
    matches!(
        event,
        Event::OrderIntended { .. }
            | Event::OrderInherited { .. }
            | Event::OrderSent { .. }
            | Event::OrderAnswered { .. }
            | Event::OrderSeen { .. }
            | Event::OrderNoticed { .. }
            | Event::OrderMissed { .. }
            | Event::OrderExecuted { .. }
            | Event::OrderAbsent { .. }
            | Event::OrderExpired { .. }
            | Event::CancelWanted { .. }
            | Event::OrderTold(_)
            | Event::ForeignExecuted { .. }
            | Event::PositionAdopted { .. }
    )
}
