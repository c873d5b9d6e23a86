//! The private stream's pushes (bybit-v5.md 4): typed rows of four topics.

use super::reply::{BadRow, ExecutionRow, OrderRow, PositionRow, WalletRow};
use crate::unit::{ExchangeTime, Text};
use alloc::vec::Vec;
use serde::{Deserialize, Serialize};

/// The rows of one message, each read for itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum PushRows {
    /// Topic `order`.
    Orders(Vec<OrderRow>),
    /// Topic `execution`.
    Executions(Vec<ExecutionRow>),
    /// Topic `position`.
    Positions(Vec<PositionRow>),
    /// Topic `wallet`.
    Wallets(Vec<WalletRow>),
    /// A topic or an operation reply that carries no fact of ours (pong, subscribed, ...).
    Nothing {
        /// What it was.
        what: Text<48>,
    },
}

/// One message.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Push {
    /// When the exchange made it.
    pub time: Option<ExchangeTime>,
    /// What it carries.
    pub rows: PushRows,
    /// Rows that could not be read.
    pub bad: Vec<BadRow>,
}
