//! The desk: where the rest of the program hands signals to the driver and asks how things stand.

use order_manager_core::command::Receipt;
use order_manager_core::unit::TraceId;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use tokio::sync::{mpsc, oneshot, watch};

/// Signals that may wait for the driver; more and intake says "later".
const WAITING_MAX: usize = 256;

/// Why a signal was not taken. Nothing is lost: whoever brought it still has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DeskError {
    /// The store cannot be written.
    #[error("the store is not available; the signal was not taken, send it again")]
    StoreDown,
    /// No room in its lane, or at the desk.
    #[error("too many signals wait ({max} at this place); the signal was not taken, send it again")]
    Full {
        /// The bound.
        max: usize,
    },
    /// The process is on its way out.
    #[error("the service is shutting down; the signal was not taken, send it again")]
    ShuttingDown,
}

/// Signals that must be taken in the order in which they are brought, or not at all: those of one channel to the
/// broker. Once one of them was turned away, all behind it are, until they come again on another line (spec S5).
#[derive(Clone, Debug, Default)]
pub(crate) struct Line(Arc<AtomicBool>);

impl Line {
    pub(crate) fn is_broken(&self) -> bool {
        self.0.load(Ordering::Acquire)
    }

    fn break_off(&self) {
        self.0.store(true, Ordering::Release);
    }
}

/// Who waits for the receipt of a signal.
#[derive(Debug)]
pub(crate) struct Caller {
    respond: oneshot::Sender<Result<Receipt, DeskError>>,
    line: Option<Line>,
}

impl Caller {
    /// Answers. An error turns away what stands behind this signal in its line.
    pub(crate) fn answer(self, answer: Result<Receipt, DeskError>) {
        if answer.is_err() {
            self.turn_away_the_line();
        }
        // A caller that left has its answer in the store.
        let _ = self.respond.send(answer);
    }

    pub(crate) fn turn_away_the_line(&self) {
        if let Some(line) = &self.line {
            line.break_off();
        }
    }

    /// Does it stand behind one that was turned away?
    pub(crate) fn is_barred(&self) -> bool {
        self.line.as_ref().is_some_and(Line::is_broken)
    }
}

/// A signal on its way to the driver.
#[derive(Debug)]
pub(crate) struct Brought {
    pub(crate) trace: Option<TraceId>,
    pub(crate) body: Vec<u8>,
    pub(crate) caller: Caller,
}

/// How things stand.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Health {
    /// The last write worked.
    pub store: bool,
    /// The exchange answered the last request.
    pub exchange: bool,
    /// The private stream is up.
    pub stream: bool,
    /// Orders, fills and positions are reconciled: signals are worked on (spec T1).
    pub ready: bool,
    /// Signals are taken.
    pub accepting: bool,
    /// The broker is connected, for signals and for events; none: it is not configured.
    pub broker: Option<bool>,
    /// The ws-gateway brings our order events; none: it is not asked to.
    pub gateway: Option<bool>,
}

/// Flags that the driver sets and everybody reads.
#[derive(Debug, Default)]
pub(crate) struct Flags {
    pub(crate) store: AtomicBool,
    pub(crate) exchange: AtomicBool,
    pub(crate) stream: AtomicBool,
    pub(crate) ready: AtomicBool,
    pub(crate) accepting: watch::Sender<bool>,
}

impl Flags {
    pub(crate) fn set(flag: &AtomicBool, value: bool) {
        flag.store(value, Ordering::Relaxed);
    }
}

/// The handle. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Desk {
    signals: mpsc::Sender<Brought>,
    flags: Arc<Flags>,
    committed: watch::Receiver<i64>,
    broker: Vec<watch::Receiver<bool>>,
    gateway: Option<watch::Receiver<bool>>,
}

/// The driver's side of the desk.
#[derive(Debug)]
pub(crate) struct Back {
    pub(crate) signals: mpsc::Receiver<Brought>,
    pub(crate) flags: Arc<Flags>,
    pub(crate) committed: watch::Sender<i64>,
}

impl Desk {
    /// Both sides; `last_event_id` is the store's.
    pub(crate) fn pair(last_event_id: i64) -> (Self, Back) {
        let (sender, signals) = mpsc::channel(WAITING_MAX);
        let (committed, watching) = watch::channel(last_event_id);
        let flags = Arc::new(Flags::default());
        let desk =
            Self { signals: sender, flags: flags.clone(), committed: watching, broker: Vec::new(), gateway: None };
        (desk, Back { signals, flags, committed })
    }

    /// Hands a signal's message in. Resolves when its intake is durable, and not before (spec S1).
    ///
    /// # Errors
    /// Where it was not taken; it may be sent again.
    pub async fn bring(&self, trace: Option<TraceId>, body: Vec<u8>) -> Result<Receipt, DeskError> {
        self.is_open()?;
        let (respond, response) = oneshot::channel();
        let brought = Brought { trace, body, caller: Caller { respond, line: None } };
        self.signals.try_send(brought).map_err(|refused| match refused {
            mpsc::error::TrySendError::Full(_) => DeskError::Full { max: WAITING_MAX },
            mpsc::error::TrySendError::Closed(_) => DeskError::ShuttingDown,
        })?;
        // A driver that dies drops the sender: nothing was promised.
        response.await.unwrap_or(Err(DeskError::StoreDown))
    }

    /// Hands a signal's message in behind the others of its line, waiting for room. What comes back resolves when its
    /// intake is durable, and not before.
    ///
    /// # Errors
    /// Where it was not taken; the line ends with it.
    pub(crate) async fn bring_in_line(
        &self,
        line: &Line,
        trace: Option<TraceId>,
        body: Vec<u8>,
    ) -> Result<oneshot::Receiver<Result<Receipt, DeskError>>, DeskError> {
        let (respond, response) = oneshot::channel();
        let brought = Brought { trace, body, caller: Caller { respond, line: Some(line.clone()) } };
        let sent = async {
            self.is_open()?;
            self.signals.send(brought).await.map_err(|_| DeskError::ShuttingDown)
        };
        sent.await.inspect_err(|_| line.break_off())?;
        Ok(response)
    }

    fn is_open(&self) -> Result<(), DeskError> {
        match (*self.flags.accepting.borrow(), self.flags.store.load(Ordering::Relaxed)) {
            (true, _) => Ok(()),
            (false, true) => Err(DeskError::ShuttingDown),
            (false, false) => Err(DeskError::StoreDown),
        }
    }

    /// The same desk, whose health tells of these connections to the broker as well.
    #[must_use]
    pub(crate) fn with_broker(self, broker: Vec<watch::Receiver<bool>>) -> Self {
        Self { broker, ..self }
    }

    /// The same desk, whose health tells of the ws-gateway as well.
    #[must_use]
    pub(crate) fn with_gateway(self, gateway: Option<watch::Receiver<bool>>) -> Self {
        Self { gateway, ..self }
    }

    /// Are signals taken? Changes are told.
    #[must_use]
    pub(crate) fn accepting(&self) -> watch::Receiver<bool> {
        self.flags.accepting.subscribe()
    }

    /// How things stand.
    #[must_use]
    pub fn health(&self) -> Health {
        let read = |flag: &AtomicBool| flag.load(Ordering::Relaxed);
        let Flags { store, exchange, stream, ready, accepting } = &*self.flags;
        Health {
            store: read(store),
            exchange: read(exchange),
            stream: read(stream),
            ready: read(ready),
            accepting: *accepting.borrow(),
            gateway: self.gateway.as_ref().map(|available| *available.borrow()),
            broker: (!self.broker.is_empty()).then(|| self.broker.iter().all(|up| *up.borrow())),
        }
    }

    /// The id of the last published event; it changes when another is durable.
    #[must_use]
    pub fn committed(&self) -> watch::Receiver<i64> {
        self.committed.clone()
    }
}
