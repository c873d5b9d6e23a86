//! Who reads our rows: Position Manager's validator (wire-contracts.md 1.5.2), the model service (5.1) and Grafana's
//! panels (9), as the SQL that they run.

use anyhow::Context;
use order_manager_core::unit::{Decimal, decimal};
use sqlx::{PgConnection, Row};

/// The model service's own table (5.9), which the panels begin with.
pub(crate) const TRADING_SIGNALS: &str = "CREATE TABLE trading_signals (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(), signal_id uuid NOT NULL UNIQUE, strategy_id varchar(100) NOT NULL,
    asset varchar(50) NOT NULL, side varchar(10) NOT NULL CHECK (side IN ('buy', 'sell')),
    price numeric(20,8) NOT NULL CHECK (price > 0), confidence numeric(5,4), timestamp timestamp NOT NULL,
    model_version varchar(50), is_warmup boolean NOT NULL DEFAULT false, market_data_snapshot jsonb, metadata jsonb,
    trace_id varchar(100))";

/// The model service writes its row after it has published, from the very message.
pub(crate) const SIGNAL_ROW: &str = "INSERT INTO trading_signals
    (signal_id, strategy_id, asset, side, price, confidence, timestamp, model_version, is_warmup, market_data_snapshot,
     metadata, trace_id)
    SELECT (b->>'signal_id')::uuid, b->>'strategy_id', b->>'asset', b->>'signal_type',
           (b->'market_data_snapshot'->>'price')::numeric, (b->>'confidence')::numeric,
           (b->>'timestamp')::timestamp, b->>'model_version', (b->>'is_warmup')::boolean,
           b->'market_data_snapshot', b->'metadata', b->>'trace_id' FROM (SELECT $1::jsonb AS b) message";

/// What Position Manager believes that the position is.
const VALIDATOR: &str =
    "SELECT COALESCE(SUM(CASE WHEN side = 'Buy' THEN filled_quantity ELSE -filled_quantity END), 0)::text
    FROM orders WHERE asset = $1 AND status IN ('filled', 'partially_filled')";

/// Orders that make the model service silent about an asset.
const MUTES: &str = "SELECT count(*) FROM orders WHERE status IN ('pending', 'partially_filled')";

/// Panel "Signal -> Order -> Position": a signal without a relationship shows "No order created".
const TRADING_FLOW: &str = "SELECT
        right(ts.signal_id::text, 2) AS signal,
        trim_scale(COALESCE(sor.allocation_amount, 0))::text AS allocated,
        COALESCE(LEFT(o.order_id, 8), 'No order created') AS order_short,
        COALESCE(o.order_type, '') AS order_type, COALESCE(o.side, '') AS side, COALESCE(o.status, '') AS status,
        COALESCE(o.rejection_reason, '') AS reason, trim_scale(COALESCE(o.filled_quantity, 0))::text AS filled,
        trim_scale(COALESCE(o.quantity, 0))::text AS quantity,
        COALESCE(trim_scale(o.average_price)::text, '') AS average,
        COALESCE(trim_scale(p.size)::text, '') AS position
    FROM trading_signals ts
    LEFT JOIN signal_order_relationships sor ON ts.signal_id = sor.signal_id
    LEFT JOIN orders o ON sor.order_id = o.id
    LEFT JOIN positions p ON p.asset = o.asset AND p.mode = 'one-way'
        AND ((o.side = 'Buy' AND p.size > 0) OR (o.side = 'SELL' AND p.size < 0))
    ORDER BY ts.timestamp, o.created_at";

/// Panel "Event History": what an order's row is shown as.
const EVENT_HISTORY: &str = "SELECT CASE WHEN status = 'filled' THEN 'order_executed'
        WHEN status IN ('cancelled', 'rejected') THEN 'order_closed' ELSE 'order_created' END
        || ' ' || (COALESCE(executed_at, created_at) IS NOT NULL)
    FROM orders ORDER BY COALESCE(executed_at, created_at), id";

/// One line of the panel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Flow {
    pub(crate) signal: String,
    pub(crate) allocated: String,
    pub(crate) order: String,
    pub(crate) order_type: String,
    pub(crate) side: String,
    pub(crate) status: String,
    pub(crate) reason: String,
    pub(crate) filled: String,
    pub(crate) quantity: String,
    pub(crate) average: String,
    pub(crate) position: String,
}

pub(crate) async fn validator(database: &mut PgConnection, asset: &str) -> anyhow::Result<Decimal> {
    let text: String = sqlx::query_scalar(VALIDATOR).bind(asset).fetch_one(database).await?;
    decimal::parse(&text).ok().with_context(|| format!("{text} is no number"))
}

pub(crate) async fn muted(database: &mut PgConnection) -> anyhow::Result<i64> {
    Ok(sqlx::query_scalar(MUTES).fetch_one(database).await?)
}

pub(crate) async fn trading_flow(database: &mut PgConnection) -> anyhow::Result<Vec<Flow>> {
    let rows = sqlx::query(TRADING_FLOW).fetch_all(database).await?;
    let flow = |row: sqlx::postgres::PgRow| {
        Ok(Flow {
            signal: row.try_get("signal")?,
            allocated: row.try_get("allocated")?,
            order: row.try_get("order_short")?,
            order_type: row.try_get("order_type")?,
            side: row.try_get("side")?,
            status: row.try_get("status")?,
            reason: row.try_get("reason")?,
            filled: row.try_get("filled")?,
            quantity: row.try_get("quantity")?,
            average: row.try_get("average")?,
            position: row.try_get("position")?,
        })
    };
    rows.into_iter().map(flow).collect()
}

pub(crate) async fn event_history(database: &mut PgConnection) -> anyhow::Result<Vec<String>> {
    Ok(sqlx::query_scalar(EVENT_HISTORY).fetch_all(database).await?)
}
