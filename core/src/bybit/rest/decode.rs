//! Bybit's answers as our types (bybit-v5.md 1.3), lenient in what may be left out and strict in what an
//! answer proves: an acknowledgement needs its id, an empty page needs its list.

use crate::bybit::code::Operation;
use crate::bybit::json::{self, Fields, Unreadable, missing, required, why};
use crate::bybit::reply::{ApiError, ApiReply, LimitHeaders, Page, Reply, WalletRow};
use crate::bybit::rows;
use crate::unit::{ExchangeTime, Text};
use alloc::boxed::Box;

/// Decodes one answer to a request of `operation`. Rows that cannot be read are set aside one by one; a
/// body that is not what the endpoint answers is `Unreadable` and proves nothing about the request.
#[must_use]
pub fn decode(operation: Operation, status: u16, limits: LimitHeaders, body: &[u8]) -> ApiReply {
    if status != 200 {
        return ApiReply { result: Err(ApiError::Status(status)), time: None, limits };
    }
    let envelope = match json::text(body).and_then(Envelope::read) {
        Ok(envelope) => envelope,
        Err(why) => return ApiReply { result: Err(ApiError::Unreadable(why.text())), time: None, limits },
    };
    let result = match envelope.code {
        0 => envelope.reply(operation).map_err(|why| ApiError::Unreadable(why.text())),
        code => Err(ApiError::Code { code, message: envelope.message() }),
    };
    ApiReply { result, time: envelope.time(), limits }
}

/// What every answer of HTTP 200 has around it; all but `retCode` may be missing.
struct Envelope<'a> {
    code: i64,
    fields: Fields<'a>,
}

impl<'a> Envelope<'a> {
    fn read(text: &'a str) -> Result<Self, Unreadable> {
        let fields = Fields::body(text)?;
        Ok(Self { code: required("retCode", fields.integer("retCode")?)?, fields })
    }

    /// The code decides; a text that cannot be read must not hide it.
    fn message(&self) -> Text<160> {
        self.fields.words("retMsg").unwrap_or(Text::EMPTY)
    }

    /// Only a hint (1.3), so one that cannot be read is none.
    fn time(&self) -> Option<ExchangeTime> {
        self.fields.time("time").ok().flatten()
    }

    fn reply(&self, operation: Operation) -> Result<Reply, Unreadable> {
        reply(operation, required("result", self.fields.object("result")?)?.as_ref())
    }
}

fn reply(operation: Operation, result: &Fields<'_>) -> Result<Reply, Unreadable> {
    Ok(match operation {
        // Without the id nobody knows what was taken (failures F14).
        Operation::Create | Operation::Cancel | Operation::Amend => {
            Reply::Ack { order_id: result.name("orderId")?, link: rows::link(result)? }
        }
        Operation::OpenOrders | Operation::OrderHistory => Reply::Orders(page(result, rows::order)?),
        Operation::Executions => Reply::Executions(page(result, rows::execution)?),
        Operation::Instruments => Reply::Instruments(page(result, rows::instrument)?),
        Operation::Positions => Reply::Positions(page(result, rows::position)?),
        Operation::Tickers => Reply::Tickers(page(result, rows::ticker)?),
        Operation::Wallet => Reply::Wallet(wallet(result)?),
        Operation::ServerTime => Reply::ServerTime(server_time(result)?),
    })
}

fn page<T>(result: &Fields<'_>, one: fn(&Fields<'_>) -> Result<T, Unreadable>) -> Result<Page<T>, Unreadable> {
    let (rows, bad) = rows::read(&result.list("list")?, one);
    let cursor = result.scalar("nextPageCursor")?;
    // A cut cursor would ask for another page than the next: one that does not fit is an error.
    let cursor = cursor.map(|c| Text::new(&c).map(Box::new)).transpose().map_err(|e| why("nextPageCursor", e))?;
    Ok(Page { rows, bad, cursor })
}

/// The one account of the one account type that is asked for.
fn wallet(result: &Fields<'_>) -> Result<WalletRow, Unreadable> {
    let list = result.list("list")?;
    let account = list.first().ok_or_else(|| why("list", "is empty"))?;
    rows::wallet(account.object("list[0]")?.as_ref())
}

/// Microseconds since 1970, from nanoseconds, or where those are missing from seconds (1.6).
fn server_time(result: &Fields<'_>) -> Result<u64, Unreadable> {
    if let Some(nanos) = result.integer::<u64>("timeNano")? {
        return Ok(nanos / 1_000);
    }
    let seconds = result.integer::<u64>("timeSecond")?.ok_or_else(|| missing("timeNano"))?;
    seconds.checked_mul(1_000_000).ok_or_else(|| why("timeSecond", format_args!("is too large: {seconds}")))
}
