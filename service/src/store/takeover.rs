//! What a predecessor left in the shared tables (spec T1).

use super::reader::Reader;
use super::value::{Kind, Row};
use super::{Place, StoreError};
use order_manager_core::input::InheritedOrder;
use order_manager_core::unit::{Decimal, Money, Price, Quantity, Side, SignalId, Text, Timestamp, TraceId, decimal};

/// What [`Reader::inherited`] says, for a place that we may never have been at; nothing is made there.
///
/// # Errors
/// The place cannot be read, or has no such tables.
pub async fn left_open(place: &Place) -> Result<Vec<InheritedOrder>, StoreError> {
    let (pool, beside_ours) = place.open_before_us().await?;
    Reader { pool }.open_rows(beside_ours).await
}

impl Reader {
    /// Orders of `orders` that may still live at the exchange and of which our own tables know nothing, the earliest
    /// first. Those that were never at the exchange are left out.
    pub async fn inherited(&self) -> Result<Vec<InheritedOrder>, StoreError> {
        self.open_rows(true).await
    }

    /// `beside_ours`: our own tables are there, and what they know is left out.
    async fn open_rows(&self, beside_ours: bool) -> Result<Vec<InheritedOrder>, StoreError> {
        let dialect = self.pool.dialect();
        let shown = |column: &str, kind| dialect.shown(&format!("o.{column}"), kind);
        let columns = [
            shown("id", Kind::Uuid),
            shown("order_id", Kind::Text),
            shown("signal_id", Kind::Uuid),
            shown("asset", Kind::Text),
            shown("side", Kind::Text),
            shown("order_type", Kind::Text),
            shown("price", Kind::Decimal),
            shown("quantity", Kind::Decimal),
            shown("filled_quantity", Kind::Decimal),
            shown("average_price", Kind::Decimal),
            shown("fees", Kind::Decimal),
            dialect.micros("o.created_at"),
            shown("trace_id", Kind::Text),
        ];
        let query = self
            .query("SELECT ")
            .push(&columns.join(", "))
            .push(" FROM orders o WHERE o.status IN ('pending', 'partially_filled') AND o.is_dry_run = ");
        let query = query
            .bind(Kind::Flag, super::value::Value::Number(0))
            .push(" AND o.order_id NOT LIKE 'REJECTED-%' AND o.order_id NOT LIKE 'DRY-RUN-%'");
        let query = match beside_ours {
            true => query.push(" AND NOT EXISTS (SELECT 1 FROM order_manager.orders_own w WHERE w.id = o.id)"),
            false => query,
        };
        self.views(query.push(" ORDER BY o.created_at, o.id"), inherited).await
    }
}

fn inherited(row: &mut Row) -> Result<InheritedOrder, StoreError> {
    let id = row.text()?;
    let cannot = |what: &str| {
        let what = format!("the order {id} in the table orders cannot be taken over: {what}");
        StoreError::unavailable(what, "correct or close that row, then start again")
    };
    let figure = |name: &str, text: Option<String>| -> Result<Option<Decimal>, StoreError> {
        text.map(|text| decimal::parse(&text).map_err(|_| cannot(&format!("its {name} is {text}")))).transpose()
    };
    let order_id = row.text()?;
    let order_id = Text::new(&order_id).map_err(|error| cannot(&format!("its order_id {error}")))?;
    let signal = SignalId::parse(&row.text()?).map_err(|_| cannot("its signal_id is no UUID"))?;
    let symbol = Text::new(&row.text()?).map_err(|error| cannot(&format!("its asset {error}")))?;
    let side = match row.text()?.as_str() {
        "Buy" => Side::Buy,
        "SELL" => Side::Sell,
        other => return Err(cannot(&format!("its side is {other}"))),
    };
    let is_limit = row.text()? == "Limit";
    let price = figure("price", row.maybe_text()?)?;
    let quantity = figure("quantity", row.maybe_text()?)?.unwrap_or_default();
    let filled = figure("filled_quantity", row.maybe_text()?)?.unwrap_or_default();
    let average_price = figure("average_price", row.maybe_text()?)?;
    let fees = figure("fees", row.maybe_text()?)?.unwrap_or_default();
    let created_at = Timestamp(row.count()?);
    let trace = TraceId::clipped(&row.maybe_text()?.unwrap_or_default());
    Ok(InheritedOrder {
        id: SignalId::parse(&id).map_err(|_| cannot("its id is no UUID"))?,
        order_id,
        signal,
        symbol,
        side,
        limit: price.filter(|_| is_limit).map(Price),
        quantity: Quantity(quantity),
        filled: Quantity(filled),
        average_price: average_price.map(Price),
        fees: Money(fees),
        created_at,
        trace,
    })
}
