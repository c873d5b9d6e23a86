//! The error table (bybit-v5.md 7): what a refusal means for the request that met it.

use serde::{Deserialize, Serialize};

/// An endpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Operation {
    /// `POST /v5/order/create`
    Create,
    /// `POST /v5/order/cancel`
    Cancel,
    /// `POST /v5/order/amend`
    Amend,
    /// `GET /v5/order/realtime`
    OpenOrders,
    /// `GET /v5/order/history`
    OrderHistory,
    /// `GET /v5/execution/list`
    Executions,
    /// `GET /v5/market/instruments-info`
    Instruments,
    /// `GET /v5/account/wallet-balance`
    Wallet,
    /// `GET /v5/position/list`
    Positions,
    /// `GET /v5/market/tickers`
    Tickers,
    /// `GET /v5/market/time`
    ServerTime,
}

/// What a refusal proves (bybit-v5.md 0).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Class {
    /// Refused before matching: not executed. Mend the cause, then the same order link id may go again.
    Safe,
    /// A terminal refusal of this request.
    Refused,
    /// Nobody knows: ask by order link id.
    Ambiguous,
    /// The wanted state is there already, or the target is gone: ask which.
    Done,
    /// Credentials, permission, region, account mode: not executed; people are needed.
    Config,
}
