//! What goes to the exchange and comes from there, and what happens to it on its way.

use super::waiting::Limit;
use super::{Happening, World, scene};
use crate::exchange::Outbound;
use crate::faults;
use crate::link::{Fate, Passage, TIMEOUT, Wire};
use crate::scenario::{Message, Path};
use order_manager_core::command::{Command, Outgoing, Receipt};
use order_manager_core::input::{Answer, Question, Tag};
use order_manager_core::unit::{Span, Text, Timestamp};

impl World {
    /// Carries out one command of a durable step.
    pub(super) fn act(&mut self, command: &Command) {
        match command {
            Command::Send(outgoing) => self.send(outgoing),
            Command::Consult(question) => self.consult(*question),
            Command::Settle { delivery, receipt: Receipt::Paused } => {
                self.judge.settles(self.now, *delivery, &Receipt::Paused);
                self.deliver_when_there_is_room(*delivery);
            }
            Command::Settle { delivery, receipt } => {
                self.judge.settles(self.now, *delivery, receipt);
                self.acknowledge(*delivery);
            }
        }
    }

    fn send(&mut self, outgoing: &Outgoing) {
        let life = self.life.number;
        self.judge.sends(scene(self.now, &self.exchange), outgoing);
        if self.unreachable {
            return self.refuse_connection(outgoing.tag);
        }
        let operation = outgoing.request.operation();
        let passage = self.wire.request(self.now, operation);
        self.note_fault(&passage, || format!("request {operation:?}"));
        if passage.fate == Fate::Refused {
            return self.refuse_connection(outgoing.tag);
        }
        let sent = self.awaited(outgoing.tag);
        if let Fate::Reset(at) = passage.fate {
            self.answer_at(at, outgoing.tag, sent, Wire::reset());
        }
        for (copy, arrival) in passage.arrivals().enumerate() {
            // A connection brings back the answer to one request; a broken one is not waited for any more.
            let sent = (copy == 0).then_some(sent);
            let outgoing = Box::new(outgoing.clone());
            self.pass(&passage, Message::Request(operation), arrival, Happening::Arrives { life, outgoing, sent });
        }
        self.happenings += 1;
        let turn = (self.now.after(TIMEOUT), self.happenings);
        self.waiting.limit(Limit { turn, tag: outgoing.tag, sent });
    }

    /// Remembers that the adapter waits for the answer to a request that leaves now; the number tells it from later
    /// requests under the same tag.
    fn awaited(&mut self, tag: Tag) -> u64 {
        self.happenings += 1;
        self.waiting.begin(tag, self.happenings);
        self.happenings
    }

    /// Does the adapter still wait for this answer? It does so once. A copy of an answer is not waited for.
    pub(super) fn awaits(&mut self, sent: Option<u64>) -> bool {
        sent.is_none_or(|sent| self.waiting.end(sent))
    }

    fn answer_at(&mut self, at: Timestamp, tag: Tag, sent: u64, answer: Answer) {
        let life = self.life.number;
        self.at(at, Happening::Answered { life, tag, sent: Some(sent), answer: Box::new(answer) });
    }

    /// A request reaches the exchange.
    pub(super) fn arrives(&mut self, life: u32, outgoing: &Outgoing, sent: Option<u64>) {
        self.judge.arrives(scene(self.now, &self.exchange), outgoing);
        let answer = Box::new(self.wire.serve(&mut self.exchange, self.now, outgoing));
        self.judge.exchange(scene(self.now, &self.exchange));
        let Some(sent) = sent else { return };
        let (tag, operation) = (outgoing.tag, outgoing.request.operation());
        let passage = self.wire.reply(self.now, operation);
        self.note_fault(&passage, || format!("reply to {operation:?}"));
        if let Fate::Reset(at) = passage.fate {
            let answer = Box::new(Wire::reset());
            self.at(at, Happening::Answered { life, tag, sent: Some(sent), answer });
        }
        for ((copy, arrival), answer) in passage.arrivals().enumerate().zip(passage.copies(answer)) {
            let sent = (copy == 0).then_some(sent);
            let happening = Happening::Answered { life, tag, sent, answer };
            self.pass(&passage, Message::Reply(operation), arrival, happening);
        }
    }

    /// Whatever the exchange has to tell by now goes on its way.
    pub(super) fn poll_exchange(&mut self) {
        if self.exchange.next_due().is_none_or(|due| due > self.now) {
            return;
        }
        let mut outbox = std::mem::take(&mut self.outbox);
        self.exchange.poll(self.now, &mut outbox);
        self.judge.exchange(scene(self.now, &self.exchange));
        for Outbound { push, .. } in outbox.drain(..) {
            if !self.connected {
                continue; // nobody listens, and nothing is replayed (bybit-v5.md 4.2)
            }
            let passage = self.wire.push(self.now, &push);
            self.note_fault(&passage, || "push".to_string());
            let connection = self.connection;
            let message = Message::Push(faults::topic(&push));
            for (arrival, push) in passage.arrivals().zip(passage.copies(push)) {
                let stream = Box::new(self.wire.stream(&self.exchange, push));
                self.pass(&passage, message, arrival, Happening::Pushed { connection, stream });
            }
        }
        self.outbox = outbox;
    }

    /// A message is on its way and arrives then. Those that wait to be overtaken by it come right after it.
    fn pass(&mut self, passage: &Passage, message: Message, arrival: Timestamp, happening: Happening) {
        if let Fate::Waits(path) = passage.fate {
            return self.hold(Some(path), arrival, happening);
        }
        self.at(arrival, happening);
        if !self.held.is_empty() {
            self.release(arrival.after(Span(1)), |path| path.is_some_and(|path| path.covers(message)));
        }
    }

    /// Holds a message of this path back, a signal's where there is none, until then at the latest.
    pub(super) fn hold(&mut self, path: Option<Path>, latest: Timestamp, happening: Happening) {
        self.happenings += 1;
        let held = self.happenings;
        self.held.insert(held, (path, happening));
        self.at(latest, Happening::Released { held });
    }

    /// Those that are held back and fit come at that moment.
    pub(super) fn release(&mut self, at: Timestamp, fits: impl Fn(Option<Path>) -> bool) {
        let (go, stay): (Vec<_>, Vec<_>) =
            std::mem::take(&mut self.held).into_iter().partition(|(_, (path, _))| fits(*path));
        self.held.extend(stay);
        go.into_iter().for_each(|(_, (_, happening))| self.at(at, happening));
    }

    fn note_fault(&mut self, passage: &Passage, what: impl Fn() -> String) {
        let Some(trace) = &mut self.trace else { return };
        let fate = match passage.fate {
            Fate::Reset(_) => "reset",
            Fate::Refused => "refused",
            Fate::Waits(_) => "held back",
            Fate::Plain if passage.is_lost() => "lost",
            Fate::Plain => return,
        };
        trace.note(self.now, &format!("x {} {fate}", what()));
    }

    /// No Position Manager runs in this world: nobody answers at its address.
    fn consult(&mut self, question: Question) {
        self.refuse_connection(Tag::Consult(question));
    }

    fn refuse_connection(&mut self, tag: Tag) {
        if let Tag::Create(link) = tag {
            self.judge.unsent(link);
        }
        let sent = self.awaited(tag);
        let answer = Answer::NotSent { why: Text::clipped("connection refused") };
        self.answer_at(self.now.after(Span::millis(1)), tag, sent, answer);
    }
}
