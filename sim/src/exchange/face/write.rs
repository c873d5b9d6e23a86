//! The envelope and what stands in it (bybit-v5.md 1.3).

use super::json::{Json, Style};
use super::rows::{Scribe, Voice};
use super::{Exchange, Timestamp, WireReply};
use order_manager_core::bybit::{ApiError, ApiReply, Operation, Page, Reply};

/// A reply of the API, as bytes.
pub(super) fn envelope(exchange: &Exchange, operation: Operation, reply: &ApiReply) -> WireReply {
    let scribe = Scribe { exchange: Some(exchange), voice: Voice::Rest };
    let style = reply.time.map_or(Style::default(), |time| Style::of(exchange, Timestamp(time.0 * 1_000)));
    let body = Json::styled(style, |json| {
        match &reply.result {
            Ok(result) => {
                json.whole("retCode", 0);
                let is_mute = style.bare_envelope || operation == Operation::Tickers;
                json.text("retMsg", if is_mute { "" } else { "OK" });
                json.child("result", |json| write_result(json, &scribe, result));
            }
            Err(error) => refusal(json, error, style.bare_envelope),
        }
        if style.bare_envelope {
            return;
        }
        json.child("retExtInfo", |_| {});
        if let Some(time) = reply.time {
            json.whole("time", time.0);
        }
    });
    WireReply { status: 200, limits: reply.limits, body }
}

pub(super) fn refusal(json: &mut Json, error: &ApiError, is_bare: bool) {
    let (code, message) = match error {
        ApiError::Code { code, message } => (*code, message.as_str()),
        ApiError::Status(_) | ApiError::Unreadable(_) => (10016, "Server error."),
    };
    json.whole("retCode", code);
    json.text("retMsg", message);
    if is_bare {
        json.null("result");
    } else {
        json.child("result", |_| {});
    }
}

fn write_result(json: &mut Json, scribe: &Scribe<'_>, result: &Reply) {
    match result {
        Reply::Ack { order_id, link } => {
            json.text("orderId", order_id.as_str());
            json.text("orderLinkId", link.as_ref().map_or("", |link| link.as_str()));
        }
        Reply::Orders(page) => list(json, page, |json, row| scribe.order(json, row)),
        Reply::Executions(page) => list(json, page, |json, row| scribe.execution(json, row)),
        Reply::Instruments(page) => list(json, page, |json, row| scribe.instrument(json, row)),
        Reply::Positions(page) => list(json, page, |json, row| scribe.position(json, row)),
        Reply::Tickers(page) => list(json, page, |json, row| scribe.ticker(json, row)),
        Reply::Wallet(wallet) => json.list("list", &[wallet], |json, wallet| scribe.wallet(json, wallet)),
        Reply::ServerTime(micros) => {
            json.stamp("timeSecond", micros / 1_000_000);
            json.stamp("timeNano", micros.saturating_mul(1_000));
        }
    }
}

fn list<T>(json: &mut Json, page: &Page<T>, row: impl FnMut(&mut Json, &T)) {
    json.list("list", &page.rows, row);
    json.text("nextPageCursor", page.cursor.as_ref().map_or("", |cursor| cursor.as_str()));
    json.text("category", "linear");
}
