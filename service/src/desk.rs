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

/// A signal on its way to the driver.
#[derive(Debug)]
pub(crate) struct Brought {
    pub(crate) trace: Option<TraceId>,
    pub(crate) body: Vec<u8>,
    pub(crate) respond: oneshot::Sender<Result<Receipt, DeskError>>,
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
}

/// Flags that the driver sets and everybody reads.
#[derive(Debug, Default)]
pub(crate) struct Flags {
    pub(crate) store: AtomicBool,
    pub(crate) exchange: AtomicBool,
    pub(crate) stream: AtomicBool,
    pub(crate) ready: AtomicBool,
    pub(crate) accepting: AtomicBool,
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
        let desk = Self { signals: sender, flags: flags.clone(), committed: watching };
        (desk, Back { signals, flags, committed })
    }

    /// Hands a signal's message in. Resolves when its intake is durable, and not before (spec S1).
    ///
    /// # Errors
    /// Where it was not taken; it may be sent again.
    pub async fn bring(&self, trace: Option<TraceId>, body: Vec<u8>) -> Result<Receipt, DeskError> {
        if !self.flags.accepting.load(Ordering::Relaxed) {
            return Err(if self.flags.store.load(Ordering::Relaxed) {
                DeskError::ShuttingDown
            } else {
                DeskError::StoreDown
            });
        }
        let (respond, response) = oneshot::channel();
        let brought = Brought { trace, body, respond };
        self.signals.try_send(brought).map_err(|refused| match refused {
            mpsc::error::TrySendError::Full(_) => DeskError::Full { max: WAITING_MAX },
            mpsc::error::TrySendError::Closed(_) => DeskError::ShuttingDown,
        })?;
        // A driver that dies drops the sender: nothing was promised.
        response.await.unwrap_or(Err(DeskError::StoreDown))
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
            accepting: read(accepting),
        }
    }

    /// The id of the last published event; it changes when another is durable.
    #[must_use]
    pub fn committed(&self) -> watch::Receiver<i64> {
        self.committed.clone()
    }
}
