//! Refusals and their words (bybit-v5.md 2.13, 7). Clients must branch on the code; the words are Bybit's.

use order_manager_core::bybit::ApiError;
use order_manager_core::unit::Text;

pub(super) const NOT_SUPPORTED: (i64, &str) = (10001, "Not supported symbols");
pub(super) const QUANTITY: (i64, &str) = (10001, "Qty invalid");
pub(super) const QUANTITY_BELOW: (i64, &str) = (10001, "The number of contracts exceeds minimum limit allowed");
pub(super) const QUANTITY_ABOVE: (i64, &str) = (10001, "The number of contracts exceeds maximum limit allowed");
pub(super) const PRICE: (i64, &str) = (10001, "params error: price invalid");
pub(super) const LINK: (i64, &str) = (10001, "params error: OrderLinkId invalid");
pub(super) const LINK_LENGTH: (i64, &str) = (10001, "order link id is longer than 45");
pub(super) const POSITION_IDX: (i64, &str) = (10001, "position idx not match position mode");
pub(super) const UNCHANGED: (i64, &str) =
    (10001, "The order remains unchanged as the parameters entered match the existing ones.");
pub(super) const CURSOR: (i64, &str) = (10001, "params error: cursor invalid");
pub(super) const LIMIT: (i64, &str) = (10001, "params error: limit invalid");
pub(super) const SCOPE: (i64, &str) =
    (10001, "params error: symbol, baseCoin and settleCoin cannot be empty at the same time");
pub(super) const RATE: (i64, &str) = (10006, "Too many visits. Exceeded the API Rate Limit.");
pub(super) const TOO_LATE_TO_CANCEL: (i64, &str) = (110001, "order not exists or too late to cancel");
pub(super) const TOO_LATE_TO_REPLACE: (i64, &str) = (110001, "order not exists or too late to replace");
pub(super) const PRICE_RANGE: (i64, &str) = (110003, "Order price is out of permissible range");
pub(super) const BALANCE: (i64, &str) = (110007, "ab not enough for new order");
pub(super) const NO_POSITION: (i64, &str) = (110017, "current position is zero, cannot fix reduce-only order qty");
pub(super) const TOO_MANY_OPEN: (i64, &str) = (110020, "Not allowed to have more than 500 active orders");
pub(super) const BELOW_FILLED: (i64, &str) =
    (110064, "The modified order quantity must be equal to or greater than the filled quantity.");
pub(super) const DUPLICATE_LINK: (i64, &str) = (110072, "OrderLinkedID is duplicate");
pub(super) const NOT_LIVE: (i64, &str) = (110074, "This contract is not live");
pub(super) const SLIPPAGE: (i64, &str) = (110109, "slippageTolerance is out of range");
pub(super) const SPOT_SYMBOL: (i64, &str) = (170121, "Invalid symbol.");
pub(super) const WINDOW: (i64, &str) = (181010, "The difference between endTime and startTime is larger than 7 days");
pub(super) const NOT_FINAL: (i64, &str) = (181017, "OrderStatus must be final status");

/// Words that are in none of Bybit's lists (Q31).
pub(super) const OTHER_WORDS: &str = "Sorry, that did not work.";

/// A refusal with these words.
pub(super) fn say((code, words): (i64, &str)) -> ApiError {
    ApiError::Code { code, message: Text::clipped(words) }
}

/// A refusal with a code that a scenario asked for.
pub(super) fn of(code: i64) -> ApiError {
    let words = match code {
        429 => "The trading service is experiencing a high server load. Please retry if you encounter this issue.",
        10000 => "Server Timeout",
        10002 => "invalid request, please check your server timestamp or recv_window param.",
        10003 => "API key is invalid.",
        10004 => "error sign!",
        10005 => "Permission denied, please check your API key permissions.",
        10006 => RATE.1,
        10016 => "Server error.",
        110001 => TOO_LATE_TO_CANCEL.1,
        110007 => BALANCE.1,
        110017 => NO_POSITION.1,
        110072 => DUPLICATE_LINK.1,
        110079 => "The order is processing and can not be operated, please try again later",
        _ => "error",
    };
    say((code, words))
}
