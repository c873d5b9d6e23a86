//! Newtypes: what the rest of the core counts, measures and names things with.

mod bytes;
pub mod calendar;
pub mod decimal;
mod fingerprint;
mod ids;
mod number;
mod side;
pub(crate) mod text;
mod time;

pub use bytes::Bytes;
pub use fingerprint::Fingerprint;
pub use ids::{
    BadPrefix, Coin, ExchangeOrderId, ExecId, Intent, LinkPrefix, NotUuid, OrderLinkId, SignalId, Symbol, TraceId,
};
pub use number::{Money, Price, Quantity, Ratio};
pub use rust_decimal::Decimal;
pub use side::{Category, Side};
pub use text::{Text, TooLong};
pub use time::{ClockOffset, ExchangeTime, Span, Timestamp};
