//! The error table (bybit-v5.md 7): what a refusal means for the request that met it.

mod table;
#[cfg(test)]
mod tests;

pub use table::{On, Row, TABLE};

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

impl Operation {
    /// Does it change orders? Only then can its outcome be unknown: a query is simply asked again.
    #[must_use]
    pub const fn mutates(self) -> bool {
        matches!(self, Self::Create | Self::Cancel | Self::Amend)
    }
}

/// What `retCode` `code` proves about a request of `operation`. `message` decides only where one code has
/// two meanings: an amend that changes nothing (7.5).
///
/// A code that the table does not know is never guessed: `Ambiguous` on what changes orders. On a query
/// it is `Refused`: no answer, and no reason to believe that the next try fares better. Nothing about a
/// query is ambiguous, so what would be `Ambiguous` or `Done` is `Safe` there: ask again, later.
#[must_use]
pub fn classify(operation: Operation, code: i64, message: &str) -> Class {
    if operation == Operation::Amend && code == 10001 && message.contains("remains unchanged") {
        return Class::Done;
    }
    let found = TABLE.iter().find(|row| row.first <= code && code <= row.last && row.on.covers(operation));
    let unknown = if operation.mutates() { Class::Ambiguous } else { Class::Refused };
    for_operation(operation, found.map_or(unknown, |row| row.class))
}

/// What an HTTP `status` proves about a request of `operation` (1.4). 200 stands for a body that could
/// not be read. 403 is `Safe` because nothing was executed, but it may be a ban of the address: whoever
/// sends has to stop all traffic for its time (spec O5).
#[must_use]
pub fn classify_status(operation: Operation, status: u16) -> Class {
    let class = match status {
        403 => Class::Safe,
        400 | 401 | 404 => Class::Config,
        _ => Class::Ambiguous,
    };
    for_operation(operation, class)
}

const fn for_operation(operation: Operation, class: Class) -> Class {
    match class {
        Class::Ambiguous | Class::Done if !operation.mutates() => Class::Safe,
        class => class,
    }
}
