//! What all connections share: the exchange under one lock, the faults to come, and the ways out.
//!
//! The lock is held for one request or one poll at a time and never while anything is awaited. Time is read under
//! it, so that the engine sees it in order.

use super::clock::Clock;
use super::{Limits, ServeConfig};
use crate::exchange::face::{self, Credentials};
use crate::exchange::{Exchange, Outbound};
use crate::faults::Faults;
use crate::scenario::Effect;
use order_manager_core::bybit::Push;
use order_manager_core::unit::{Price, Span, Symbol, Timestamp};
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::{Notify, Semaphore, broadcast, watch};
use tokio_tungstenite::tungstenite::Utf8Bytes;

/// Messages that a stream may be behind before it is cut.
const BACKLOG: usize = 4_096;

/// A message to streams, once for each name under which it can be subscribed to.
#[derive(Debug)]
pub(super) struct Message(pub(super) Vec<(String, Utf8Bytes)>);

#[derive(Debug)]
pub(super) struct Hub {
    state: Mutex<State>,
    pub(super) clock: Clock,
    pub(super) credentials: Credentials,
    pub(super) limits: Limits,
    /// There may be something to do earlier than was thought.
    wake: Notify,
    pub(super) private: broadcast::Sender<Arc<Message>>,
    pub(super) public: broadcast::Sender<Arc<Message>>,
    /// A new value cuts every stream.
    pub(super) cuts: watch::Sender<u64>,
    pub(super) streams: Arc<Semaphore>,
    pub(super) requests: Arc<Semaphore>,
    names: AtomicU64,
}

/// What changes.
#[derive(Debug)]
pub(super) struct State {
    pub(super) exchange: Exchange,
    pub(super) faults: Faults,
    /// No stream is let in before.
    pub(super) streams_down_until: Timestamp,
    /// Nothing is answered or pushed before.
    pub(super) halted_until: Timestamp,
    /// Pushes that a fault holds back.
    late: BTreeMap<(Timestamp, u64), Arc<Message>>,
    held: u64,
    /// The prices that the public knows.
    known: BTreeMap<Symbol, Price>,
}

impl Hub {
    pub(super) fn new(config: &ServeConfig) -> Self {
        let exchange = Exchange::new(config.exchange.clone());
        let known = prices(&exchange).collect();
        Self {
            state: Mutex::new(State {
                exchange,
                faults: Faults::default(),
                streams_down_until: Timestamp(0),
                halted_until: Timestamp(0),
                late: BTreeMap::new(),
                held: 0,
                known,
            }),
            clock: Clock::start(),
            credentials: config.credentials.clone(),
            limits: config.limits,
            wake: Notify::new(),
            private: broadcast::channel(BACKLOG).0,
            public: broadcast::channel(BACKLOG).0,
            cuts: watch::Sender::new(0),
            streams: Arc::new(Semaphore::new(config.limits.streams)),
            requests: Arc::new(Semaphore::new(config.limits.requests)),
            names: AtomicU64::new(1),
        }
    }

    /// Does something with the exchange as it stands now. What that causes is told.
    pub(super) fn with<R>(&self, act: impl FnOnce(&mut State, Timestamp) -> R) -> R {
        let mut state = self.lock();
        let now = self.clock.now();
        self.tell_due(&mut state, now);
        let result = act(&mut state, now);
        self.tell_prices(&mut state, now);
        drop(state);
        self.wake.notify_one();
        result
    }

    /// Cuts every stream.
    pub(super) fn cut_streams(&self) {
        self.cuts.send_modify(|cuts| *cuts += 1);
    }

    /// Returns at once, or when the halt is over.
    pub(super) async fn awake(&self) {
        loop {
            let until = self.lock().halted_until;
            let wait = self.clock.until(until);
            if wait.is_zero() {
                return;
            }
            tokio::time::sleep(wait).await;
        }
    }

    /// A number that nothing else here has.
    pub(super) fn name(&self) -> u64 {
        self.names.fetch_add(1, Ordering::Relaxed)
    }

    /// Tells what is due, and says how long nothing more will be.
    fn tell_and_wait(&self) -> Option<Duration> {
        let mut state = self.lock();
        let now = self.clock.now();
        self.tell_due(&mut state, now);
        let late = state.late.first_key_value().map(|((at, _), _)| *at);
        let next = late.into_iter().chain(state.exchange.next_due()).min();
        next.map(|at| self.clock.until(at))
    }

    fn tell_due(&self, state: &mut State, now: Timestamp) {
        let mut pushes = Vec::new();
        state.exchange.poll(now, &mut pushes);
        for Outbound { push, .. } in pushes {
            let message = Arc::new(private_message(&state.exchange, &push));
            let copies = match state.faults.push(now, &push).map(|(_, effect)| effect) {
                Some(Effect::Drop | Effect::Reset(_) | Effect::Refuse) => 0,
                Some(Effect::Delay(by) | Effect::Reorder(by)) => {
                    state.hold(now.after(by), message);
                    continue;
                }
                Some(Effect::Duplicate) => 2,
                None => 1,
            };
            (0..copies).for_each(|_| send(&self.private, &message));
        }
        while let Some(entry) = state.late.first_entry().filter(|entry| entry.key().0 <= now) {
            send(&self.private, &entry.remove());
        }
    }

    fn tell_prices(&self, state: &mut State, now: Timestamp) {
        let changed: Vec<(Symbol, Price)> =
            prices(&state.exchange).filter(|(symbol, price)| state.known.get(symbol) != Some(price)).collect();
        for (symbol, price) in changed {
            state.known.insert(symbol, price);
            if let Some(text) = face::ticker_text(&state.exchange, now, symbol, false) {
                send(&self.public, &Arc::new(Message(vec![(format!("tickers.{symbol}"), utf8(text))])));
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // A panic under the lock is a defect of one request; the others are still served.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn hold(&mut self, until: Timestamp, message: Arc<Message>) {
        self.held += 1;
        self.late.insert((until, self.held), message);
    }

    /// Lets no stream in until then.
    pub(super) fn keep_streams_down(&mut self, now: Timestamp, span: Span) {
        self.streams_down_until = now.after(span);
    }
}

/// Moves the engine on when its time has come, for ever.
pub(super) async fn drive(hub: Arc<Hub>) {
    loop {
        match hub.tell_and_wait() {
            // The timer may end late but not early; the notification means that an earlier moment may exist now.
            Some(wait) => drop(tokio::time::timeout(wait, hub.wake.notified()).await),
            None => hub.wake.notified().await,
        }
    }
}

pub(super) fn utf8(text: Vec<u8>) -> Utf8Bytes {
    String::from_utf8_lossy(&text).into_owned().into()
}

fn private_message(exchange: &Exchange, push: &Push) -> Message {
    let topic = face::topic(push);
    let mut names = vec![(topic.to_owned(), utf8(face::push_text_of(exchange, push)))];
    // The wallet has no categorised form (4.2).
    if topic != "wallet" {
        let name = format!("{topic}.linear");
        let text = utf8(face::push_text_as(exchange, push, &name));
        names.push((name, text));
    }
    Message(names)
}

fn send(to: &broadcast::Sender<Arc<Message>>, message: &Arc<Message>) {
    // An error says that nobody listens; nothing is kept for those who come later (4.2).
    let _nobody_listens = to.send(Arc::clone(message));
}

fn prices(exchange: &Exchange) -> impl Iterator<Item = (Symbol, Price)> + '_ {
    exchange.positions().filter_map(|(symbol, _)| Some((symbol, exchange.last_price(symbol)?)))
}
