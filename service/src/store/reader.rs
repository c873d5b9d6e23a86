//! Reads for the API, the event stream, `explain` and `export`. Never waits for the writer.

use super::database::Pool;
use super::place::Place;
use super::query::Query;
use super::value::{Kind, Row};
use super::view::{
    DeadLetterView, ExecutionView, InstrumentView, OrderFilter, OrderView, Page, PositionView, SignalView, SortBy,
    SortOrder,
};
use super::{StoreError, shown, table};
use order_manager_core::rows::moment;
use order_manager_core::unit::{OrderLinkId, SignalId, Symbol};
use std::sync::Arc;

/// Reads what is committed. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Reader {
    pub(super) pool: Arc<dyn Pool>,
}

type Result<T> = std::result::Result<T, StoreError>;

impl Reader {
    /// A reader beside whatever process writes the store; takes no lock.
    ///
    /// # Errors
    /// There is no store, or one that this program cannot read.
    pub async fn open(place: impl Into<Place>) -> Result<Self> {
        Ok(Self { pool: place.into().open_readers().await? })
    }

    /// Orders by filter, with the count of all that fit it.
    pub async fn orders(&self, filter: &OrderFilter) -> Result<Page<OrderView>> {
        let count = self.query("SELECT count(*)").push(shown::FROM_ORDERS);
        let total = self.count(narrow(count, filter)).await?;
        let query = narrow(self.orders_query(), filter);
        let way = match filter.sort_order {
            SortOrder::Descending => "DESC",
            SortOrder::Ascending => "ASC",
        };
        let query = query.push(match (filter.sort_by, filter.sort_order) {
            (SortBy::CreatedAt, _) => " ORDER BY o.created_at ",
            (SortBy::UpdatedAt, _) => " ORDER BY o.updated_at ",
            // Databases differ in where nothing stands.
            (SortBy::ExecutedAt, SortOrder::Descending) => " ORDER BY (o.executed_at IS NULL), o.executed_at ",
            (SortBy::ExecutedAt, SortOrder::Ascending) => " ORDER BY (o.executed_at IS NOT NULL), o.executed_at ",
        });
        let page = Paging::of(filter.page, filter.page_size);
        let query = query.push(way).push(", o.id ").push(way);
        page.of_items(self.order_views(page.cut(query)).await?, total)
    }

    /// One order, by Bybit's id, our order link id, or `REJECTED-<signal_id>`.
    pub async fn order(&self, id: &str) -> Result<Option<OrderView>> {
        for column in [" WHERE o.order_id = ", " WHERE w.order_link_id = "] {
            let query = self.orders_query().push(column).text(Kind::Text, id).push(" LIMIT 1");
            if let Some(order) = self.order_views(query).await?.pop() {
                return Ok(Some(order));
            }
        }
        Ok(None)
    }

    /// Orders whose fate is unknown, or that are on their way (spec O2), the earliest first.
    pub async fn uncertain(&self) -> Result<Vec<OrderView>> {
        let query = self.orders_query().push(" WHERE w.certainty <> 'certain' ORDER BY w.since, o.id");
        self.order_views(query).await
    }

    /// One signal with its orders.
    pub async fn signal(&self, id: SignalId) -> Result<Option<SignalView>> {
        let query = Query::select(self.pool.dialect(), &table::SIGNALS, "s", shown::SIGNAL);
        let query = query.push(" WHERE s.signal_id = ").text(Kind::Uuid, id.to_string());
        let Some(mut row) = self.rows(query).await?.pop() else { return Ok(None) };
        let query = self.orders_query().push(" WHERE o.signal_id = ").text(Kind::Uuid, id.to_string());
        let orders = self.order_views(query.push(" ORDER BY o.created_at, o.id")).await?;
        shown::signal(&mut row, orders).map(Some)
    }

    /// Published events after `id`, in order, at most `limit`: their ids and their JSON.
    pub async fn events_after(&self, id: i64, limit: u32) -> Result<Vec<(i64, String)>> {
        let query = Query::select(self.pool.dialect(), &table::MESSAGES, "m", &["id", "body"]).push(" WHERE m.id > ");
        let query = query.number(id).push(" ORDER BY m.id LIMIT ").number(i64::from(limit));
        self.rows(query).await?.into_iter().map(|mut row| Ok((row.number()?, row.text()?))).collect()
    }

    /// The id of the last published event; 0 where there is none.
    pub async fn last_event_id(&self) -> Result<i64> {
        let query = self.query("SELECT coalesce(max(id), 0) FROM order_manager.messages");
        Ok(self.rows(query).await?.pop().map(|mut row| row.number()).transpose()?.unwrap_or_default())
    }

    /// Dead letters, the latest first.
    pub async fn dead_letters(&self, page: u32, page_size: u32) -> Result<Page<DeadLetterView>> {
        let total = self.count(self.query("SELECT count(*) FROM order_manager.dead_letters")).await?;
        let page = Paging::of(page, page_size);
        let columns = &["id", "received_at", "reason", "body"];
        let query = Query::select(self.pool.dialect(), &table::DEAD_LETTERS, "d", columns).push(" ORDER BY d.id DESC");
        page.of_items(self.views(page.cut(query), shown::dead_letter).await?, total)
    }

    /// An order's fills, in the order of their times.
    pub async fn executions(&self, link: OrderLinkId) -> Result<Vec<ExecutionView>> {
        let query = Query::select(self.pool.dialect(), &table::EXECUTIONS, "e", shown::EXECUTION);
        let query = query.push(" WHERE e.order_link_id = ").text(Kind::Text, link.to_string());
        self.views(query.push(" ORDER BY e.executed_at, e.exec_id"), shown::execution).await
    }

    /// The rules of every symbol in use, by symbol.
    pub async fn instruments(&self) -> Result<Vec<InstrumentView>> {
        let query = Query::select(self.pool.dialect(), &table::INSTRUMENTS, "i", shown::INSTRUMENT);
        let mut views = self.views(query, shown::instrument).await?;
        // Not by the database: how it sorts texts is its administrator's choice.
        views.sort_by(|a, b| a.symbol.cmp(&b.symbol));
        Ok(views)
    }

    /// Our own positions (spec T4), by symbol.
    pub async fn positions(&self) -> Result<Vec<PositionView>> {
        let query = Query::select(self.pool.dialect(), &table::POSITIONS, "p", shown::POSITION);
        self.views(query.push(" ORDER BY p.asset"), shown::position).await
    }

    /// Our own position of a symbol, which is flat or not; none where it was never held.
    pub async fn position(&self, asset: Symbol) -> Result<Option<PositionView>> {
        let query = Query::select(self.pool.dialect(), &table::POSITIONS, "p", shown::POSITION);
        let query = query.push(" WHERE p.asset = ").text(Kind::Text, asset.to_string());
        Ok(self.views(query, shown::position).await?.pop())
    }

    pub(super) fn query(&self, text: &str) -> Query {
        Query::new(self.pool.dialect(), text)
    }

    fn orders_query(&self) -> Query {
        self.query(&shown::orders(self.pool.dialect()))
    }

    pub(super) async fn rows(&self, query: Query) -> Result<Vec<Row>> {
        Ok(self.pool.fetch(query).await?.into_iter().map(Row::from).collect())
    }

    async fn count(&self, query: Query) -> Result<u64> {
        self.rows(query).await?.pop().map_or(Ok(0), |mut row| row.count())
    }

    pub(super) async fn views<T>(&self, query: Query, view: impl Fn(&mut Row) -> Result<T>) -> Result<Vec<T>> {
        self.rows(query).await?.iter_mut().map(view).collect()
    }

    async fn order_views(&self, query: Query) -> Result<Vec<OrderView>> {
        self.views(query, shown::order).await
    }
}

/// Adds the filter's conditions.
fn narrow(query: Query, filter: &OrderFilter) -> Query {
    let mut query = query.push(" WHERE 1 = 1");
    if let Some(asset) = &filter.asset {
        query = query.push(" AND o.asset = ").text(Kind::Text, asset.to_ascii_uppercase());
    }
    if let Some(status) = &filter.status {
        query = query.push(" AND o.status = ").text(Kind::Text, status.to_ascii_lowercase());
    }
    if let Some(signal) = filter.signal_id {
        query = query.push(" AND o.signal_id = ").text(Kind::Uuid, signal.to_string());
    }
    if let Some(id) = &filter.order_id {
        query = query.push(" AND (o.order_id = ").text(Kind::Text, id);
        query = query.push(" OR w.order_link_id = ").text(Kind::Text, id).push(")");
    }
    if let Some(side) = &filter.side {
        query = query.push(" AND upper(o.side) = ").text(Kind::Text, side.to_ascii_uppercase());
    }
    if let Some(from) = filter.date_from {
        query = query.push(" AND o.created_at >= ").text(Kind::Moment, moment(from));
    }
    if let Some(to) = filter.date_to {
        query = query.push(" AND o.created_at <= ").text(Kind::Moment, moment(to));
    }
    query
}

/// A page's bounds: both at least 1.
#[derive(Clone, Copy)]
struct Paging {
    page: u32,
    size: u32,
}

impl Paging {
    fn of(page: u32, size: u32) -> Self {
        Self { page: page.max(1), size: size.max(1) }
    }
    fn cut(self, query: Query) -> Query {
        let offset = i64::from(self.page - 1) * i64::from(self.size);
        query.push(" LIMIT ").number(i64::from(self.size)).push(" OFFSET ").number(offset)
    }
    fn of_items<T>(self, items: Vec<T>, total_items: u64) -> Result<Page<T>> {
        let total_pages = total_items.div_ceil(u64::from(self.size));
        Ok(Page { items, page: self.page, page_size: self.size, total_items, total_pages })
    }
}
