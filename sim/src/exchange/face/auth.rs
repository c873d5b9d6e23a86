//! Who signed, and what exactly (bybit-v5.md 1.2): HMAC-SHA256 over the bytes as sent.

use super::WireRequest;
use crate::exchange::refusal::{of, say};
use crate::exchange::{Signed, clock};
use hmac::{Hmac, KeyInit, Mac};
use order_manager_core::bybit::{ApiError, Operation};
use order_manager_core::unit::{ExchangeTime, Text, Timestamp};
use sha2::Sha256;

/// The one key of the account.
#[derive(Clone, PartialEq, Eq)]
pub struct Credentials {
    /// Key.
    pub key: String,
    /// Secret; never printed.
    pub secret: String,
}

impl std::fmt::Debug for Credentials {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Credentials").field("key", &self.key).finish_non_exhaustive()
    }
}

/// What the request says of its own time, if the account's key signed it. Public endpoints need no headers.
pub(super) fn check(
    wire: &WireRequest,
    operation: Operation,
    credentials: &Credentials,
    now: Timestamp,
) -> Result<Signed, ApiError> {
    if matches!(operation, Operation::Instruments | Operation::Tickers | Operation::ServerTime) {
        return Ok(Signed { timestamp: clock(now), recv_window_ms: 5_000 });
    }
    let headers = &wire.headers;
    let missing = ApiError::Status(401);
    let (Some(key), Some(stamp), Some(sign)) = (&headers.api_key, &headers.timestamp, &headers.sign) else {
        return Err(missing);
    };
    let timestamp = stamp.parse().map(ExchangeTime).map_err(|_| missing)?;
    let window = headers.recv_window.as_deref().unwrap_or_default();
    let recv_window_ms = if window.is_empty() { 5_000 } else { window.parse().map_err(|_| missing)? };
    if *key != credentials.key {
        return Err(of(10003));
    }
    let payload = if wire.method == "GET" { wire.query.as_bytes() } else { &wire.body };
    let origin = [stamp.as_bytes(), key.as_bytes(), window.as_bytes(), payload].concat();
    if signature(&credentials.secret, &origin) != *sign {
        let words = format!("error sign! origin_string[{}]", String::from_utf8_lossy(&origin));
        return Err(say((10004, Text::<160>::clipped(&words).as_str())));
    }
    Ok(Signed { timestamp, recv_window_ms })
}

/// Lower-case hex of the HMAC.
pub(super) fn signature(secret: &str, origin: &[u8]) -> String {
    // A key of any length is taken: HMAC hashes long ones and pads short ones.
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(secret.as_bytes()) else { return String::new() };
    mac.update(origin);
    hex::encode(mac.finalize().into_bytes())
}
