//! Reads for the API, the event stream, `explain` and `export`. Never waits for the writer (WAL).

use super::view::{
    DeadLetterView, ExecutionView, InstrumentView, OrderFilter, OrderView, Page, SignalView, SortBy, SortOrder,
};
use super::{StoreError, schema, unavailable};
use order_manager_core::rows::moment;
use order_manager_core::unit::{OrderLinkId, SignalId};
use serde_json::value::RawValue;
use sqlx::sqlite::{SqlitePoolOptions, SqliteRow};
use sqlx::{QueryBuilder, Row as _, Sqlite, SqlitePool};
use std::path::Path;
use std::time::Duration;

/// Connections for reading.
const READERS: u32 = 4;
/// How long a read waits for one of them.
const WAIT: Duration = Duration::from_secs(5);

/// Reads what is committed. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Reader {
    pub(super) pool: SqlitePool,
}

type Result<T> = std::result::Result<T, StoreError>;

/// Every column of an order's two rows, in the order in which [`order_view`] takes them.
const ORDER: &str = "SELECT o.id, o.order_id, o.signal_id, o.asset, o.side, o.order_type, o.quantity, o.price, o.status, \
    o.filled_quantity, o.average_price, o.fees, o.created_at, o.updated_at, o.executed_at, o.trace_id, o.is_dry_run, \
    o.rejection_reason, w.order_link_id, w.requested_quantity, w.leg, w.attempt, w.state, w.certainty, w.since, \
    w.evidence, w.remainder FROM orders o LEFT JOIN order_manager_orders_own w ON w.id = o.id";

impl Reader {
    /// A reader beside whatever process writes the store; takes no lock.
    ///
    /// # Errors
    /// There is no store, or one that this program cannot read.
    pub async fn open(path: &Path) -> Result<Self> {
        const REMEDY: &str = "name the store's file with ORDERMANAGER_STORE or --store";
        if !path.is_file() {
            return Err(StoreError::unavailable(super::lock::cannot_open(path, &"there is no such file"), REMEDY));
        }
        let reader = Self::on(path);
        let failed = |error: sqlx::Error| StoreError::unavailable(super::lock::cannot_open(path, &error), REMEDY);
        let mut connection = reader.pool.acquire().await.map_err(failed)?;
        schema::version(&mut connection, path).await?;
        drop(connection);
        Ok(reader)
    }

    pub(super) fn on(path: &Path) -> Self {
        let options = SqlitePoolOptions::new().max_connections(READERS).acquire_timeout(WAIT);
        Self { pool: options.connect_lazy_with(schema::read_only(path)) }
    }

    /// Orders by filter, with the count of all that fit it.
    pub async fn orders(&self, filter: &OrderFilter) -> Result<Page<OrderView>> {
        let mut count =
            QueryBuilder::new("SELECT count(*) FROM orders o LEFT JOIN order_manager_orders_own w ON w.id = o.id");
        narrow(&mut count, filter);
        let total: i64 = count.build_query_scalar().fetch_one(&self.pool).await.map_err(|e| unavailable(&e))?;
        let mut query = QueryBuilder::new(ORDER);
        narrow(&mut query, filter);
        let column = match filter.sort_by {
            SortBy::CreatedAt => "o.created_at",
            SortBy::UpdatedAt => "o.updated_at",
            SortBy::ExecutedAt => "o.executed_at",
        };
        let way = match filter.sort_order {
            SortOrder::Descending => "DESC",
            SortOrder::Ascending => "ASC",
        };
        query.push(format_args!(" ORDER BY {column} {way}, o.id {way}"));
        let page = Paging::of(filter.page, filter.page_size);
        query.push(" LIMIT ").push_bind(page.limit()).push(" OFFSET ").push_bind(page.offset());
        page.of_items(self.order_views(query).await?, total)
    }

    /// One order, by Bybit's id, our order link id, or `REJECTED-<signal_id>`.
    pub async fn order(&self, id: &str) -> Result<Option<OrderView>> {
        let mut query = QueryBuilder::new(ORDER);
        query.push(" WHERE o.order_id = ").push_bind(id.to_owned());
        query.push(" UNION ALL ").push(ORDER);
        query.push(" WHERE w.order_link_id = ").push_bind(id.to_owned()).push(" LIMIT 1");
        Ok(self.order_views(query).await?.pop())
    }

    /// Orders whose fate is unknown, or that are on their way (spec O2), the earliest first.
    pub async fn uncertain(&self) -> Result<Vec<OrderView>> {
        let mut query = QueryBuilder::new(ORDER);
        query.push(" WHERE w.certainty <> 'certain' ORDER BY w.since, o.id");
        self.order_views(query).await
    }

    /// One signal with its orders.
    pub async fn signal(&self, id: SignalId) -> Result<Option<SignalView>> {
        let text = "SELECT signal_id, state, outcome, code, text, tries, asset, side, amount, confidence, strategy_id, \
                    model_version, is_warmup, price, timestamp, trace_id, received_at, settled_at, verdicts, notes, \
                    cancelled FROM order_manager_signals WHERE signal_id = $1";
        let row =
            sqlx::query(text).bind(id.to_string()).fetch_optional(&self.pool).await.map_err(|e| unavailable(&e))?;
        let Some(row) = row else { return Ok(None) };
        let mut query = QueryBuilder::new(ORDER);
        query.push(" WHERE o.signal_id = ").push_bind(id.to_string()).push(" ORDER BY o.created_at, o.id");
        let orders = self.order_views(query).await?;
        signal_view(&row, orders).map(Some)
    }

    /// Published events after `id`, in order, at most `limit`: their ids and their JSON.
    pub async fn events_after(&self, id: i64, limit: u32) -> Result<Vec<(i64, String)>> {
        let text = "SELECT id, body FROM order_manager_messages WHERE id > $1 ORDER BY id LIMIT $2";
        let query = sqlx::query_as(text).bind(id).bind(i64::from(limit));
        query.fetch_all(&self.pool).await.map_err(|e| unavailable(&e))
    }

    /// The id of the last published event; 0 where there is none.
    pub async fn last_event_id(&self) -> Result<i64> {
        let query = sqlx::query_scalar("SELECT coalesce(max(id), 0) FROM order_manager_messages");
        query.fetch_one(&self.pool).await.map_err(|e| unavailable(&e))
    }

    /// Dead letters, the latest first.
    pub async fn dead_letters(&self, page: u32, page_size: u32) -> Result<Page<DeadLetterView>> {
        let count = sqlx::query_scalar("SELECT count(*) FROM order_manager_dead_letters");
        let total: i64 = count.fetch_one(&self.pool).await.map_err(|e| unavailable(&e))?;
        let page = Paging::of(page, page_size);
        let text = "SELECT rowid, received_at, reason, body FROM order_manager_dead_letters \
                    ORDER BY rowid DESC LIMIT $1 OFFSET $2";
        let query = sqlx::query_as::<_, (i64, String, String, Vec<u8>)>(text).bind(page.limit()).bind(page.offset());
        let rows = query.fetch_all(&self.pool).await.map_err(|e| unavailable(&e))?;
        let view = |(id, received_at, reason, body): (i64, String, String, Vec<u8>)| {
            let hex = || body.iter().map(|byte| format!("{byte:02x}")).collect();
            let body_hex = std::str::from_utf8(&body).is_err().then(hex);
            let body = String::from_utf8_lossy(&body).into_owned();
            DeadLetterView { id, received_at: zulu(received_at), reason, body, body_hex }
        };
        page.of_items(rows.into_iter().map(view).collect(), total)
    }

    /// An order's fills, in the order of their times.
    pub async fn executions(&self, link: OrderLinkId) -> Result<Vec<ExecutionView>> {
        let text = "SELECT exec_id, order_id, order_link_id, asset, side, quantity, price, value, fee, fee_coin, is_maker, \
                    executed_at, evidence FROM order_manager_executions WHERE order_link_id = $1 \
                    ORDER BY executed_at, exec_id";
        let query = sqlx::query(text).bind(link.to_string());
        let rows = query.fetch_all(&self.pool).await.map_err(|e| unavailable(&e))?;
        rows.iter().map(execution_view).collect::<sqlx::Result<_>>().map_err(|e| unavailable(&e))
    }

    /// The rules of every symbol in use, by symbol.
    pub async fn instruments(&self) -> Result<Vec<InstrumentView>> {
        let text = "SELECT symbol, base_coin, quote_coin, status, lot_size, min_order_qty, max_order_qty, min_order_value, \
                    price_tick_size, updated_at FROM instrument_info ORDER BY symbol";
        let rows = sqlx::query(text).fetch_all(&self.pool).await.map_err(|e| unavailable(&e))?;
        rows.iter().map(instrument_view).collect::<sqlx::Result<_>>().map_err(|e| unavailable(&e))
    }

    async fn order_views(&self, mut query: QueryBuilder<Sqlite>) -> Result<Vec<OrderView>> {
        let rows = query.build().fetch_all(&self.pool).await.map_err(|e| unavailable(&e))?;
        rows.iter().map(order_view).collect::<sqlx::Result<_>>().map_err(|e| unavailable(&e))
    }
}

/// Adds the filter's conditions.
fn narrow(query: &mut QueryBuilder<Sqlite>, filter: &OrderFilter) {
    query.push(" WHERE 1");
    if let Some(asset) = &filter.asset {
        query.push(" AND o.asset = ").push_bind(asset.to_ascii_uppercase());
    }
    if let Some(status) = &filter.status {
        query.push(" AND o.status = ").push_bind(status.to_ascii_lowercase());
    }
    if let Some(signal) = filter.signal_id {
        query.push(" AND o.signal_id = ").push_bind(signal.to_string());
    }
    if let Some(id) = &filter.order_id {
        query.push(" AND (o.order_id = ").push_bind(id.clone());
        query.push(" OR w.order_link_id = ").push_bind(id.clone()).push(")");
    }
    if let Some(side) = &filter.side {
        query.push(" AND upper(o.side) = ").push_bind(side.to_ascii_uppercase());
    }
    if let Some(from) = filter.date_from {
        query.push(" AND o.created_at >= ").push_bind(moment(from));
    }
    if let Some(to) = filter.date_to {
        query.push(" AND o.created_at <= ").push_bind(moment(to));
    }
}

/// A page's bounds: both at least 1.
struct Paging {
    page: u32,
    size: u32,
}

impl Paging {
    fn of(page: u32, size: u32) -> Self {
        Self { page: page.max(1), size: size.max(1) }
    }
    fn limit(&self) -> i64 {
        i64::from(self.size)
    }
    fn offset(&self) -> i64 {
        i64::from(self.page - 1) * i64::from(self.size)
    }
    fn of_items<T>(&self, items: Vec<T>, total: i64) -> Result<Page<T>> {
        let total_items = total.unsigned_abs();
        let total_pages = total_items.div_ceil(u64::from(self.size));
        Ok(Page { items, page: self.page, page_size: self.size, total_items, total_pages })
    }
}

/// A moment as the API shows it: `2022-01-01T03:00:05.000000Z`.
fn zulu(stored: String) -> String {
    let mut text = stored.replacen(' ', "T", 1);
    text.push('Z');
    text
}

fn order_view(row: &SqliteRow) -> sqlx::Result<OrderView> {
    Ok(OrderView {
        id: row.try_get(0)?,
        order_id: row.try_get(1)?,
        signal_id: row.try_get(2)?,
        asset: row.try_get(3)?,
        side: row.try_get(4)?,
        order_type: row.try_get(5)?,
        quantity: row.try_get(6)?,
        price: row.try_get(7)?,
        status: row.try_get(8)?,
        filled_quantity: row.try_get(9)?,
        average_price: row.try_get(10)?,
        fees: row.try_get(11)?,
        created_at: zulu(row.try_get(12)?),
        updated_at: zulu(row.try_get(13)?),
        executed_at: row.try_get::<Option<String>, _>(14)?.map(zulu),
        trace_id: row.try_get(15)?,
        is_dry_run: row.try_get(16)?,
        rejection_reason: row.try_get(17)?,
        order_link_id: row.try_get(18)?,
        requested_quantity: row.try_get(19)?,
        leg: row.try_get(20)?,
        attempt: row.try_get(21)?,
        state: row.try_get(22)?,
        certainty: row.try_get(23)?,
        since: row.try_get::<Option<String>, _>(24)?.map(zulu),
        evidence: row.try_get::<Option<i64>, _>(25)?.map(i64::unsigned_abs),
        remainder: row.try_get(26)?,
    })
}

fn signal_view(row: &SqliteRow, orders: Vec<OrderView>) -> Result<SignalView> {
    let json = |index: usize| -> Result<Box<RawValue>> {
        Ok(RawValue::from_string(row.try_get(index).map_err(|e| unavailable(&e))?)?)
    };
    let (verdicts, notes, cancelled) = (json(18)?, json(19)?, json(20)?);
    let view = || -> sqlx::Result<SignalView> {
        Ok(SignalView {
            signal_id: row.try_get(0)?,
            state: row.try_get(1)?,
            outcome: row.try_get(2)?,
            code: row.try_get(3)?,
            text: Some(row.try_get::<String, _>(4)?).filter(|text| !text.is_empty()),
            tries: row.try_get(5)?,
            asset: row.try_get(6)?,
            signal_type: row.try_get(7)?,
            amount: row.try_get(8)?,
            confidence: row.try_get(9)?,
            strategy_id: row.try_get(10)?,
            model_version: row.try_get(11)?,
            is_warmup: row.try_get(12)?,
            price: row.try_get(13)?,
            timestamp: row.try_get::<Option<String>, _>(14)?.map(zulu),
            trace_id: row.try_get(15)?,
            received_at: zulu(row.try_get(16)?),
            settled_at: row.try_get::<Option<String>, _>(17)?.map(zulu),
            verdicts,
            notes,
            cancelled,
            orders,
        })
    };
    view().map_err(|e| unavailable(&e))
}

fn execution_view(row: &SqliteRow) -> sqlx::Result<ExecutionView> {
    Ok(ExecutionView {
        exec_id: row.try_get(0)?,
        order_id: row.try_get(1)?,
        order_link_id: row.try_get(2)?,
        asset: row.try_get(3)?,
        side: row.try_get(4)?,
        quantity: row.try_get(5)?,
        price: row.try_get(6)?,
        value: row.try_get(7)?,
        fee: row.try_get(8)?,
        fee_coin: row.try_get(9)?,
        is_maker: row.try_get(10)?,
        executed_at: zulu(row.try_get(11)?),
        evidence: row.try_get::<i64, _>(12)?.unsigned_abs(),
    })
}

fn instrument_view(row: &SqliteRow) -> sqlx::Result<InstrumentView> {
    Ok(InstrumentView {
        symbol: row.try_get(0)?,
        base_coin: row.try_get(1)?,
        quote_coin: row.try_get(2)?,
        status: row.try_get(3)?,
        lot_size: row.try_get(4)?,
        min_order_qty: row.try_get(5)?,
        max_order_qty: row.try_get(6)?,
        min_order_value: row.try_get(7)?,
        price_tick_size: row.try_get(8)?,
        updated_at: zulu(row.try_get(9)?),
    })
}
