//! The world: virtual time, the exchange, the link, the store, and one manager that lives, dies and lives again.
//!
//! Everything happens at a moment of true time. Between two moments nothing changes; so a month takes seconds,
//! and the same seed gives the same world.

mod life;
mod script;
mod trace;

pub use life::Life;
pub use script::{Failure, run_script};
pub use trace::Trace;

use crate::exchange::{Exchange, ExchangeConfig, Outbound};
use crate::ledger::Ledger;
use crate::link::{TIMEOUT, Wire};
use crate::scenario::Link;
use order_manager_core::command::{Command, Outgoing, Receipt};
use order_manager_core::config::Config;
use order_manager_core::input::{Answer, Delivery, DeliveryId, Input, Question, Stream, Tag};
use order_manager_core::intake;
use order_manager_core::unit::{Bytes, Price, Span, Symbol, Text, Timestamp};
use std::collections::BTreeMap;

/// A stream that broke is back after this long, where nobody keeps it down.
const RECONNECT: Span = Span::millis(50);
/// A delivery that was refused for want of room comes again after this long.
const REDELIVERY: Span = Span::secs(1);

/// What a world is made from.
#[derive(Clone, Debug)]
pub struct Setup {
    /// The manager's rules.
    pub config: Config,
    /// The exchange.
    pub exchange: ExchangeConfig,
    /// How both talk.
    pub link: Link,
    /// When it begins.
    pub start: Timestamp,
    /// Chooses how long each message is on its way; 0 is always the same.
    pub seed: u64,
    /// Keep the published events themselves, not only their types?
    pub keep_messages: bool,
}

/// Something that will happen.
#[derive(Clone, Debug)]
enum Happening {
    /// A request reaches the exchange; `first` is not a copy of it.
    Arrives { life: u32, outgoing: Box<Outgoing>, first: bool },
    /// An answer reaches the manager of that life.
    Answered { life: u32, tag: Tag, answer: Box<Answer> },
    /// The adapter gives up waiting, unless the answer came.
    TimesOut { life: u32, tag: Tag, sent: u64 },
    /// A push reaches the manager of that connection.
    Pushed { connection: u32, stream: Box<Stream> },
    /// The private stream is up.
    Connected { connection: u32 },
    /// The batch that is being written is on the disk.
    Committed { life: u32 },
    /// The process starts again.
    Restarts,
    /// A delivery comes (again).
    Delivered { id: DeliveryId },
}

/// The world.
#[derive(Debug)]
pub struct World {
    /// True time.
    pub now: Timestamp,
    /// When it began.
    pub start: Timestamp,
    /// The exchange.
    pub exchange: Exchange,
    /// The way there and back.
    pub wire: Wire,
    /// The manager's process.
    pub life: Life,
    /// What was told.
    pub ledger: Ledger,
    /// The story, line by line, where it is wanted.
    pub trace: Option<Trace>,
    config: Config,
    agenda: BTreeMap<(Timestamp, u64), Happening>,
    happenings: u64,
    /// Requests that the adapter waits for.
    waiting: BTreeMap<Tag, u64>,
    /// Deliveries that nobody acknowledged yet.
    unacknowledged: BTreeMap<DeliveryId, Bytes>,
    deliveries: u64,
    connection: u32,
    connected: bool,
    kept_down: bool,
    /// Can anything go to the exchange and come from there?
    unreachable: bool,
    /// Can anything be written and read?
    store_is_down: bool,
    outbox: Vec<Outbound>,
    /// Inputs that were given to the manager.
    pub inputs: u64,
}

impl World {
    /// A world in which the manager's process starts now.
    #[must_use]
    pub fn new(setup: Setup) -> Self {
        let mut ledger = Ledger::default();
        ledger.messages = setup.keep_messages.then(Vec::new);
        let mut world = Self {
            now: setup.start,
            start: setup.start,
            exchange: Exchange::new(setup.exchange),
            wire: Wire::new(setup.link, setup.seed),
            life: Life::new(),
            ledger,
            trace: None,
            config: setup.config,
            agenda: BTreeMap::new(),
            happenings: 0,
            waiting: BTreeMap::new(),
            unacknowledged: BTreeMap::new(),
            deliveries: 0,
            connection: 0,
            connected: false,
            kept_down: false,
            unreachable: false,
            store_is_down: false,
            outbox: Vec::new(),
            inputs: 0,
        };
        world.at(world.now, Happening::Restarts);
        world
    }

    fn at(&mut self, when: Timestamp, what: Happening) {
        self.happenings += 1;
        self.agenda.insert((when.max(self.now), self.happenings), what);
    }

    /// When something happens next by itself.
    #[must_use]
    pub fn next_at(&self) -> Option<Timestamp> {
        let agenda = self.agenda.first_key_value().map(|((at, _), _)| *at);
        let exchange = self.exchange.next_due();
        let wake = self.life.wakes_at();
        [agenda, exchange, wake].into_iter().flatten().min().map(|at| at.max(self.now))
    }

    /// Lets everything happen up to `until`, and time stand there.
    pub fn run_to(&mut self, until: Timestamp) {
        while let Some(at) = self.next_at().filter(|at| *at <= until) {
            self.now = at;
            self.moment();
        }
        self.now = self.now.max(until);
    }

    /// Everything that is due now: the exchange first, then what arrives, then the manager's own timer.
    fn moment(&mut self) {
        self.poll_exchange();
        let due = self.agenda.first_key_value().filter(|((at, _), _)| *at <= self.now).map(|(key, _)| *key);
        if let Some(happening) = due.and_then(|key| self.agenda.remove(&key)) {
            self.happen(happening);
        } else if self.life.wakes_at().is_some_and(|at| at <= self.now) {
            self.give(Input::Woke);
        }
    }

    fn poll_exchange(&mut self) {
        if self.exchange.next_due().is_none_or(|due| due > self.now) {
            return;
        }
        let mut outbox = std::mem::take(&mut self.outbox);
        self.exchange.poll(self.now, &mut outbox);
        for Outbound { push, .. } in outbox.drain(..) {
            if !self.connected {
                continue; // nobody listens, and nothing is replayed (bybit-v5.md 4.2)
            }
            let arrivals = self.wire.push(self.now, &push);
            self.note_fault(&arrivals, || "push".to_string());
            let connection = self.connection;
            for arrival in arrivals {
                let stream = Box::new(self.wire.stream(&self.exchange, push.clone()));
                self.at(arrival, Happening::Pushed { connection, stream });
            }
        }
        self.outbox = outbox;
    }

    fn happen(&mut self, happening: Happening) {
        match happening {
            Happening::Arrives { .. } if self.unreachable => {} // on the way when the line broke
            Happening::Arrives { life, outgoing, first } => self.arrives(life, &outgoing, first),
            Happening::Answered { life, tag, answer } => {
                let lost = self.unreachable && !matches!(*answer, Answer::NotSent { .. });
                if life == self.life.number && !lost && self.waiting.remove(&tag).is_some() {
                    self.give(Input::Reply { tag, answer });
                }
            }
            Happening::TimesOut { life, tag, sent } => {
                if life == self.life.number && self.waiting.get(&tag) == Some(&sent) {
                    self.waiting.remove(&tag);
                    self.give(Input::Reply { tag, answer: Box::new(Wire::lost()) });
                }
            }
            Happening::Pushed { connection, stream } => {
                if connection == self.connection && self.connected {
                    self.give(Input::Stream(stream));
                }
            }
            Happening::Connected { connection } => {
                if connection == self.connection && self.life.is_up() && !self.kept_down {
                    self.connected = true;
                    self.give(Input::Stream(Box::new(Stream::Up)));
                }
            }
            Happening::Committed { life } => {
                if life == self.life.number {
                    self.committed();
                }
            }
            Happening::Restarts => self.restart(),
            Happening::Delivered { id } => self.deliver(id),
        }
    }

    fn arrives(&mut self, life: u32, outgoing: &Outgoing, first: bool) {
        let answer = Box::new(self.wire.serve(&mut self.exchange, self.now, outgoing));
        if !first {
            return; // the copy's answer has no connection to come back on
        }
        let operation = outgoing.request.operation();
        let arrivals = self.wire.reply(self.now, operation);
        self.note_fault(&arrivals, || format!("reply to {operation:?}"));
        for arrival in arrivals {
            self.at(arrival, Happening::Answered { life, tag: outgoing.tag, answer: answer.clone() });
        }
    }

    fn note_fault(&mut self, arrivals: &[Timestamp], what: impl Fn() -> String) {
        if let (Some(trace), true) = (&mut self.trace, arrivals.is_empty()) {
            trace.note(self.now, &format!("x {} lost", what()));
        }
    }

    /// Carries out one command of a durable step.
    fn act(&mut self, command: &Command) {
        match command {
            Command::Send(outgoing) => self.send(outgoing),
            Command::Consult(question) => self.consult(*question),
            Command::Settle { delivery, receipt: Receipt::Paused } => {
                let at = self.now.after(REDELIVERY);
                self.at(at, Happening::Delivered { id: *delivery });
            }
            Command::Settle { delivery, .. } => _ = self.unacknowledged.remove(delivery),
        }
    }

    fn send(&mut self, outgoing: &Outgoing) {
        let life = self.life.number;
        if self.unreachable {
            return self.refuse_connection(outgoing.tag);
        }
        let operation = outgoing.request.operation();
        let arrivals = self.wire.request(self.now, operation);
        self.note_fault(&arrivals, || format!("request {operation:?}"));
        for (copy, arrival) in arrivals.into_iter().enumerate() {
            let outgoing = Box::new(outgoing.clone());
            self.at(arrival, Happening::Arrives { life, outgoing, first: copy == 0 });
        }
        let sent = self.happenings;
        self.waiting.insert(outgoing.tag, sent);
        self.at(self.now.after(TIMEOUT), Happening::TimesOut { life, tag: outgoing.tag, sent });
    }

    /// No Position Manager runs in this world: nobody answers at its address.
    fn consult(&mut self, question: Question) {
        self.refuse_connection(Tag::Consult(question));
    }

    fn refuse_connection(&mut self, tag: Tag) {
        let life = self.life.number;
        self.happenings += 1;
        self.waiting.insert(tag, self.happenings);
        let answer = Box::new(Answer::NotSent { why: Text::clipped("connection refused") });
        self.at(self.now.after(Span::millis(1)), Happening::Answered { life, tag, answer });
    }

    /// A signal's message comes in now.
    pub fn bring(&mut self, body: Vec<u8>) {
        self.deliveries += 1;
        let id = DeliveryId(self.deliveries);
        self.unacknowledged.insert(id, Bytes(body));
        self.deliver(id);
    }

    fn deliver(&mut self, id: DeliveryId) {
        let Some(body) = self.unacknowledged.get(&id).cloned() else { return };
        if !self.life.is_up() {
            return; // the broker brings it when somebody consumes again
        }
        let known = intake::decode(&body.0, None).ok().and_then(|signal| self.life.store.prior(signal.id));
        let prior = known.filter(|_| !self.life.remembers(&body.0));
        self.give(Input::Signal(Box::new(Delivery { id, trace: None, prior, body })));
    }

    /// The market moves.
    pub fn set_price(&mut self, symbol: Symbol, price: Price) -> bool {
        self.exchange.set_price(self.now, symbol, price)
    }

    /// The private stream breaks and stays down.
    pub fn stream_down(&mut self) {
        self.kept_down = true;
        if std::mem::take(&mut self.connected) && self.life.is_up() {
            self.give(Input::Stream(Box::new(Stream::Down)));
        }
    }

    /// The private stream may connect again.
    pub fn stream_up(&mut self) {
        self.kept_down = false;
        self.connect();
    }

    /// Nothing reaches the exchange any more, and nothing comes from there.
    pub fn exchange_down(&mut self) {
        self.unreachable = true;
        self.stream_down();
    }

    /// It can be reached again.
    pub fn exchange_up(&mut self) {
        self.unreachable = false;
        self.stream_up();
    }

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
        let resumed = self.life.manager()?.resumed();
        self.give(Input::Checkpointed(Box::new(resumed)));
        Some(bytes)
    }

    /// Nothing goes wrong from now on: no fault and no crash is left, the stream may connect.
    pub fn heal(&mut self) {
        self.wire.clear_faults();
        self.life.forget_crash();
        self.store_up();
        if self.kept_down {
            self.exchange_up();
        }
    }

    /// Deliveries that nobody acknowledged yet.
    #[must_use]
    pub fn unacknowledged(&self) -> usize {
        self.unacknowledged.len()
    }

    fn connect(&mut self) {
        self.connection += 1;
        let connection = self.connection;
        self.at(self.now.after(RECONNECT), Happening::Connected { connection });
    }

    /// True time since the world began.
    #[must_use]
    pub fn elapsed(&self) -> Span {
        self.now.since(self.start)
    }
}
