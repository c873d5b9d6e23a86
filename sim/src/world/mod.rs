//! The world: virtual time, the exchange, the link, the store, and one manager that lives, dies and lives again.
//!
//! Everything happens at a moment of true time. Between two moments nothing changes; so a month takes seconds,
//! and the same seed gives the same world.

mod carry;
mod clock;
mod cut;
mod life;
mod script;
mod signals;
mod storing;
mod stream;
mod trace;
mod waiting;

pub use cut::Cut;
pub use life::Life;
pub use script::{Failure, START, Staging, act_out, act_out_with, run_script, run_script_under};
pub use signals::Message;
pub use trace::Trace;

use clock::{HostClock, Pause};
use waiting::{Limit, Waiting};

use crate::agenda::{Agenda, earlier};
use crate::exchange::{Exchange, ExchangeConfig, Outbound, Quirk};
use crate::ledger::Ledger;
use crate::link::Wire;
use crate::oracle::{Broken, Judge, Scene, Set};
use crate::scenario::{Broker, Commit, Link, Path, Reconnect};
use crate::swarm::Watch;
use order_manager_core::command::Outgoing;
use order_manager_core::config::Config;
use order_manager_core::input::{Answer, DeliveryId, Input, Stream, Tag};
use order_manager_core::unit::{Price, Span, Symbol, Timestamp};
use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// A stream that broke is back after this long, where nobody keeps it down.
const RECONNECT: Span = Span::millis(50);
/// A delivery that was refused for want of room comes again after this long, and twice as long after each time more.
const REDELIVERY: Span = Span::secs(1);
const REDELIVERY_MAX: Span = Span::secs(32);

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
    /// Which oracles watch.
    pub oracles: Set,
}

/// Something that will happen.
#[derive(Clone, Debug)]
enum Happening {
    /// A request reaches the exchange. Nobody waits for the answer to a copy of it.
    Arrives { life: u32, outgoing: Box<Outgoing>, sent: Option<u64> },
    /// An answer reaches the manager of that life, if it still waits for it; a copy of one comes all the same.
    Answered { life: u32, tag: Tag, sent: Option<u64>, answer: Box<Answer> },
    /// The adapter gives up waiting, unless the answer came.
    TimesOut { life: u32, tag: Tag, sent: u64 },
    /// A message has waited long enough for one to overtake it.
    Released { held: u64 },
    /// A push reaches the manager of that connection.
    Pushed { connection: u32, stream: Box<Stream> },
    /// The private stream is up.
    Connected { connection: u32 },
    /// The batch that is being written is on the disk, or will never be.
    Committed { life: u32, fails: bool },
    /// The process starts again.
    Restarts,
    /// A delivery comes (again).
    Delivered { id: DeliveryId },
    /// The process runs again after it stood still.
    Resumes,
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
    /// What it came through.
    pub watch: Watch,
    pub(crate) judge: Judge,
    config: Config,
    agenda: Agenda<Happening>,
    happenings: u64,
    /// Requests that the adapter waits for.
    waiting: Waiting,
    /// Deliveries that nobody acknowledged yet.
    unacknowledged: BTreeMap<DeliveryId, Message>,
    /// Deliveries that the broker puts off.
    later: BTreeSet<DeliveryId>,
    /// How long those wait the next time that were refused for want of room.
    refused: BTreeMap<DeliveryId, Span>,
    deliveries: u64,
    /// What the broker is still to do.
    broker: Vec<Broker>,
    host: HostClock,
    pause: Pause,
    /// Messages that wait for the next one of their path, or for the next signal.
    held: BTreeMap<u64, (Option<Path>, Happening)>,
    connection: u32,
    connected: bool,
    kept_down: bool,
    /// Attempts to connect that are still to fail, and the time from one to the next.
    reconnect: Reconnect,
    /// Can anything go to the exchange and come from there?
    unreachable: bool,
    /// Can anything be written and read?
    store_is_down: bool,
    /// What goes wrong with the next commits.
    commits: VecDeque<Commit>,
    checkpoint_wanted: bool,
    /// A process that starts and has so many records to read takes a checkpoint.
    checkpoint_each: Option<u32>,
    outbox: Vec<Outbound>,
    boundaries: cut::Boundaries,
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
            watch: Watch::default(),
            judge: Judge::new(setup.oracles),
            config: setup.config,
            agenda: Agenda::default(),
            happenings: 0,
            waiting: Waiting::default(),
            unacknowledged: BTreeMap::new(),
            later: BTreeSet::new(),
            refused: BTreeMap::new(),
            deliveries: 0,
            broker: Vec::new(),
            host: HostClock::default(),
            pause: Pause::default(),
            held: BTreeMap::new(),
            connection: 0,
            connected: false,
            kept_down: false,
            reconnect: Reconnect { fails: 0, every: RECONNECT },
            unreachable: false,
            store_is_down: false,
            commits: VecDeque::new(),
            checkpoint_wanted: false,
            checkpoint_each: None,
            outbox: Vec::new(),
            boundaries: cut::Boundaries::default(),
            inputs: 0,
        };
        world.at(world.now, Happening::Restarts);
        world
    }

    fn at(&mut self, when: Timestamp, what: Happening) {
        self.happenings += 1;
        self.agenda.put(when.max(self.now), self.happenings, what);
    }

    /// When something happens next by itself.
    #[must_use]
    pub fn next_at(&self) -> Option<Timestamp> {
        let happens = earlier(self.agenda.next(), self.waiting.next()).map(|(at, _)| at);
        earlier(earlier(happens, self.exchange.next_due()), self.wakes_at()).map(|at| at.max(self.now))
    }

    /// Lets everything happen up to `until`, and time stand there; or up to the first oracle that does not hold.
    pub fn run_to(&mut self, until: Timestamp) {
        while let Some(at) = self.next_at().filter(|at| *at <= until) {
            self.now = at;
            self.moment();
            if self.broken().is_some() {
                return; // what follows proves nothing more
            }
        }
        self.now = self.now.max(until);
    }

    /// Everything that is due now: the exchange first, then what arrives, then the manager's own timer.
    fn moment(&mut self) {
        self.poll_exchange();
        if let Some(happening) = self.take_due() {
            self.happen(happening);
        } else if self.wakes_at().is_some_and(|at| at <= self.now) {
            self.give(Input::Woke);
        }
    }

    /// What happens now.
    fn take_due(&mut self) -> Option<Happening> {
        let limit = self.waiting.next().filter(|limit| self.agenda.next().is_none_or(|next| *limit < next));
        if limit.is_some() {
            let Limit { tag, sent, .. } = self.waiting.take_due(self.now)?;
            return Some(Happening::TimesOut { life: self.life.number, tag, sent });
        }
        self.agenda.take_due(self.now).map(|(_, happening)| happening)
    }

    fn happen(&mut self, happening: Happening) {
        if self.is_missed(&happening) {
            return self.pause.missed.push(happening);
        }
        match happening {
            Happening::Arrives { .. } if self.unreachable => {} // on the way when the line broke
            Happening::Arrives { life, outgoing, sent } => self.arrives(life, &outgoing, sent),
            Happening::Answered { life, tag, sent, answer } => {
                let lost = self.unreachable && !matches!(*answer, Answer::NotSent { .. });
                if life == self.life.number && !lost && self.awaits(sent) {
                    self.give(Input::Reply { tag, answer });
                }
            }
            Happening::TimesOut { life, tag, sent } => {
                if life == self.life.number && self.awaits(Some(sent)) {
                    self.give(Input::Reply { tag, answer: Box::new(Wire::lost()) });
                }
            }
            Happening::Released { held } => {
                if let Some((_, happening)) = self.held.remove(&held) {
                    self.happen(happening);
                }
            }
            Happening::Pushed { connection, stream } => {
                if connection == self.connection && self.connected {
                    self.give(Input::Stream(stream));
                }
            }
            Happening::Connected { connection } => {
                let may = !self.kept_down && !self.unreachable;
                if connection == self.connection && self.life.is_up() && may {
                    self.connected();
                }
            }
            Happening::Committed { life, fails } => {
                if life == self.life.number {
                    self.committed(fails);
                    self.take_checkpoint();
                }
            }
            Happening::Restarts => self.restart(),
            Happening::Delivered { id } => self.delivered(id),
            Happening::Resumes => self.resumes(),
        }
    }

    /// The market moves.
    pub fn set_price(&mut self, symbol: Symbol, price: Price) -> bool {
        let listed = self.exchange.set_price(self.now, symbol, price);
        if listed {
            self.judge.price_moved(self.now, symbol, price);
            self.judge.exchange(scene(self.now, &self.exchange));
        }
        listed
    }

    /// The exchange does something odd by itself. False where it does not list the symbol.
    pub fn quirk(&mut self, quirk: &Quirk) -> bool {
        let listed = self.exchange.quirk(self.now, quirk);
        self.judge.meddled(scene(self.now, &self.exchange));
        if self.exchange.take_cut() && !self.kept_down {
            self.break_stream();
            self.connect();
        }
        listed
    }

    /// The price comes just as far as an order of ours that rests, the oldest one. False where there is none.
    pub fn touch(&mut self, symbol: Symbol) -> bool {
        let price = self.exchange.resting_price(symbol);
        price.is_some_and(|price| self.set_price(symbol, price))
    }

    /// Nothing reaches the exchange any more, and nothing comes from there.
    pub fn exchange_down(&mut self) {
        self.unreachable = true;
        self.judge.reachable(self.now, false);
        self.stream_down();
    }

    /// It can be reached again.
    pub fn exchange_up(&mut self) {
        self.unreachable = false;
        self.judge.reachable(self.now, true);
        self.stream_up();
    }

    /// Nothing goes wrong from now on: no fault and no crash is left, the stream may connect, the process runs, its
    /// clock does not drift. How far its clock is off by then it stays; the exchange's time is asked for to know that.
    pub fn heal(&mut self) {
        self.judge.heals(self.now);
        self.reconnect.fails = 0;
        self.broker.clear();
        self.commits.clear();
        self.release(self.now, |_| true);
        self.heal_clock();
        self.wire.clear_faults();
        self.exchange.heal(self.now);
        self.life.forget_crash();
        self.store_up();
        if self.kept_down || self.unreachable {
            self.exchange_up();
        }
    }

    /// Everything has healed and had its time: the oracles that wait for this judge.
    pub fn judge_healed(&mut self) {
        let mut judge = std::mem::take(&mut self.judge);
        judge.healed(self);
        self.judge = judge;
    }

    /// The first oracle that did not hold.
    #[must_use]
    pub fn broken(&self) -> Option<&Broken> {
        self.judge.broken()
    }

    /// Deliveries that nobody acknowledged yet.
    #[must_use]
    pub fn unacknowledged(&self) -> usize {
        self.unacknowledged.len()
    }

    /// True time since the world began.
    #[must_use]
    pub fn elapsed(&self) -> Span {
        self.now.since(self.start)
    }
}

/// The true state of things, as the judge looks at it.
const fn scene(now: Timestamp, exchange: &Exchange) -> Scene<'_> {
    Scene { now, exchange }
}
