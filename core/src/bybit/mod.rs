//! Bybit v5 as pure functions: our types to bytes and back, the signature, the error table.
//!
//! Nothing here decides; the secret never enters but as an argument of [`sign`].

pub mod code;
pub(crate) mod json;
pub mod push;
pub mod reply;
pub mod request;
pub mod rest;
mod rows;
pub mod sign;

pub use code::{Class, Operation};
pub use json::Unreadable;
pub use push::{OpReply, Push, PushRows};
pub use reply::{
    ApiError, ApiReply, BadRow, CoinBalance, ExecType, ExecutionRow, InstrumentRow, LimitHeaders, OrderRow,
    OrderStatus, Page, PositionRow, Reply, TickerRow, WalletRow,
};
pub use request::{Amend, Cancel, Create, Cursor, ExecutionQuery, OrderKind, OrderQuery, Request, TimeInForce};
