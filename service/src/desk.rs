//! The desk: where whoever brings a signal or asks after the service's health meets the driver.
//!
//! A delivery is answered only when its intake is durable (spec S1), so a receipt can be trusted after a crash.

/// What the service can do right now. Everything is false until it was seen to work.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Health {
    /// The store took its last write.
    pub store: bool,
    /// The exchange answered its last request.
    pub exchange: bool,
    /// The private stream is up.
    pub stream: bool,
    /// Restored, reconciled, subscribed (spec T1).
    pub ready: bool,
    /// Signals are taken; false while intake is paused or stopped (spec S5, T6, A5).
    pub accepting: bool,
}

/// Why a delivery was not taken. Nothing of it is known to be durable: it may be brought again, and its signal id
/// keeps it from being carried out twice (spec S7).
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DeskError {
    /// The store cannot be written.
    #[error("the store cannot be written")]
    StoreDown,
    /// As many deliveries wait for the disk as may.
    #[error("{max} deliveries wait for the store already")]
    Full {
        /// The bound.
        max: usize,
    },
    /// The process ends.
    #[error("the service is shutting down")]
    ShuttingDown,
}
