//! The broker of the signals: it brings a message until somebody acknowledges it. It may lose an acknowledgement, bring
//! a message twice, or bring it behind the next one.

use super::{Happening, REDELIVERY, REDELIVERY_MAX, World};
use crate::scenario::{Broker, Link, Messages};
use crate::signal_json::SignalJson;
use crate::swarm::Family;
use order_manager_core::input::{Delivery, DeliveryId, Input, TypedDelivery};
use order_manager_core::intake::{self, Signal};
use order_manager_core::unit::{Bytes, SignalId, Span};

/// A channel that closed is open again after this long.
const REOPENED: Span = Span::millis(50);

/// What the broker brings.
#[derive(Clone, Debug)]
pub enum Message {
    /// Bytes, and the id of the signal that they hold, if they hold one.
    Bytes(Bytes, Option<SignalId>),
    /// The signal without the encoding: the fast link.
    Typed(Box<Signal>),
}

impl Message {
    /// What the model service sends, as this link carries it. What is no good signal goes as bytes on both.
    #[must_use]
    pub fn of(signal: &SignalJson<'_>, link: Link) -> Self {
        let typed = if link == Link::Typed { signal.to_signal() } else { None };
        match typed {
            Some(typed) => Self::Typed(Box::new(typed)),
            // Who wrote it knows which signal it is, and it need not be read for that.
            None => Self::Bytes(Bytes(signal.to_text().into_bytes()), Some(signal.id)),
        }
    }

    fn signal(&self) -> Option<SignalId> {
        match self {
            Self::Bytes(_, signal) => *signal,
            Self::Typed(signal) => Some(signal.id),
        }
    }
}

impl World {
    /// A message comes in now, as bytes on either link.
    pub fn bring(&mut self, body: Vec<u8>) {
        let signal = intake::id_of(&body);
        self.bring_message(Message::Bytes(Bytes(body), signal));
    }

    /// A message comes in now.
    pub fn bring_message(&mut self, message: Message) {
        if let Some(by) = self.next_message(|broker| matches!(broker, Broker::Reorder(_))) {
            let id = self.tag(message);
            return self.hold_signal(id, by);
        }
        let twice = self.next_message(|broker| matches!(broker, Broker::Duplicate(_)));
        let twice = twice.map(|by| (by, message.clone()));
        let id = self.tag(message);
        self.deliver(id);
        self.release_signals();
        if let Some((by, message)) = twice {
            let copy = self.tag(message);
            self.deliver_later(copy, by);
        }
    }

    /// From now on the broker does this; or it does it now.
    pub fn broker(&mut self, broker: Broker) {
        if broker != Broker::Redeliver {
            return self.broker.push(broker);
        }
        if let Some(trace) = &mut self.trace {
            trace.note(self.now, "x the broker's channel closes");
        }
        self.watch.marks.acted(Family::Broker);
        // What is under way, and its acknowledgement, belongs to the channel that is gone.
        self.refused.clear();
        for (old, message) in std::mem::take(&mut self.unacknowledged) {
            if self.later.contains(&old) {
                self.unacknowledged.insert(old, message);
            } else {
                let id = self.tag(message);
                self.deliver_later(id, REOPENED);
            }
        }
    }

    /// A delivery is acknowledged, unless that is lost.
    pub(super) fn acknowledge(&mut self, delivery: DeliveryId) {
        self.refused.remove(&delivery);
        let Some(message) = self.unacknowledged.remove(&delivery) else { return };
        if let Some(by) = self.next_message(|broker| matches!(broker, Broker::LoseAck(_))) {
            let id = self.tag(message);
            self.deliver_later(id, by);
        }
    }

    /// Everything that nobody acknowledged comes to a process that starts.
    pub(super) fn deliver_all(&mut self) {
        let now: Vec<_> = self.unacknowledged.keys().filter(|id| !self.later.contains(id)).copied().collect();
        now.into_iter().for_each(|id| self.deliver(id));
    }

    /// A delivery comes that was put off.
    pub(super) fn delivered(&mut self, id: DeliveryId) {
        self.later.remove(&id);
        self.deliver(id);
    }

    /// A message gets the number of its delivery.
    fn tag(&mut self, message: Message) -> DeliveryId {
        self.deliveries += 1;
        let id = DeliveryId(self.deliveries);
        self.judge.brought(id, message.signal());
        self.unacknowledged.insert(id, message);
        id
    }

    /// It was refused for want of room.
    pub(super) fn deliver_when_there_is_room(&mut self, id: DeliveryId) {
        let wait = self.refused.get(&id).copied().unwrap_or(REDELIVERY);
        self.refused.insert(id, Span(wait.0 * 2).min(REDELIVERY_MAX));
        self.deliver_later(id, wait);
    }

    fn deliver_later(&mut self, id: DeliveryId, by: Span) {
        self.later.insert(id);
        self.at(self.now.after(by), Happening::Delivered { id });
    }

    fn hold_signal(&mut self, id: DeliveryId, by: Span) {
        self.later.insert(id);
        self.hold(None, self.now.after(by), Happening::Delivered { id });
    }

    /// The next message came: those that waited for it follow.
    fn release_signals(&mut self) {
        if !self.held.is_empty() {
            self.release(self.now.after(Span(1)), |path| path.is_none());
        }
    }

    /// How much later, where the broker does something of this kind with the next message; used up once.
    fn next_message(&mut self, kind: impl Fn(&Broker) -> bool) -> Option<Span> {
        let place = self.broker.iter().position(kind)?;
        self.watch.marks.acted(Family::Broker);
        let (Broker::Duplicate(messages) | Broker::LoseAck(messages) | Broker::Reorder(messages)) =
            &mut self.broker[place]
        else {
            return None;
        };
        let Messages { count, by } = messages;
        let by = *by;
        *count = count.saturating_sub(1);
        if *count == 0 {
            self.broker.remove(place);
        }
        Some(by)
    }

    fn deliver(&mut self, id: DeliveryId) {
        if !self.life.is_up() {
            return; // the broker brings it when somebody consumes again
        }
        let Some(message) = self.unacknowledged.get(&id) else { return };
        // Whatever the core remembers now, it may have forgotten when this message's turn comes.
        let prior = message.signal().and_then(|signal| self.life.store.prior(signal));
        let input = match message {
            Message::Bytes(body, _) => Input::Signal(Box::new(Delivery { id, trace: None, prior, body: body.clone() })),
            Message::Typed(signal) => Input::TypedSignal(Box::new(TypedDelivery { id, prior, signal: **signal })),
        };
        self.give(input);
    }
}
