//! Each table's columns. A name with `order_manager.` is our own; the others are the shared ones (wire-contracts.md
//! 5), of which we write only our part.

use super::query::Dialect;
use super::value::Kind;

/// A table that rows are written to.
#[derive(Debug)]
pub(super) struct Table {
    pub(super) name: &'static str,
    pub(super) columns: &'static [(&'static str, Kind)],
    /// The columns that say which row it is: a known row takes the new state. None: every row is new.
    pub(super) key: &'static str,
    /// A column whose value may be another row's: then that row stays, and the new one is left out.
    pub(super) yields: Option<&'static str>,
}

impl Table {
    /// Columns of this table under an alias, as a `SELECT` lists them.
    pub(super) fn shown(&self, dialect: Dialect, alias: &str, columns: &[&str]) -> String {
        let kind =
            |name: &str| self.columns.iter().find(|(column, _)| *column == name).map_or(Kind::Text, |(_, kind)| *kind);
        let shown: Vec<String> =
            columns.iter().map(|name| dialect.shown(&format!("{alias}.{name}"), kind(name))).collect();
        shown.join(", ")
    }

    /// What a known row takes: every column that is not of its key.
    pub(super) fn changed(&self) -> impl Iterator<Item = &'static str> {
        let names = self.columns.iter().map(|(name, _)| *name);
        names.filter(|name| !self.key.split(", ").any(|key| key == *name))
    }
}

pub(super) const ORDERS: Table = Table {
    name: "orders",
    columns: &[
        ("id", Kind::Uuid),
        ("order_id", Kind::Text),
        ("signal_id", Kind::Uuid),
        ("asset", Kind::Text),
        ("side", Kind::Text),
        ("order_type", Kind::Text),
        ("quantity", Kind::Decimal),
        ("price", Kind::Decimal),
        ("status", Kind::Text),
        ("filled_quantity", Kind::Decimal),
        ("average_price", Kind::Decimal),
        ("fees", Kind::Decimal),
        ("created_at", Kind::Moment),
        ("updated_at", Kind::Moment),
        ("executed_at", Kind::Moment),
        ("trace_id", Kind::Text),
        ("is_dry_run", Kind::Flag),
        ("rejection_reason", Kind::Text),
    ],
    key: "id",
    yields: None,
};

/// Orders of others. Should one turn out to be known under its exchange id, then what we know of it stays, and its
/// fill is told by `order_manager_executions` alone.
pub(super) const FOREIGN_ORDERS: Table = Table { yields: Some("order_id"), ..ORDERS };

pub(super) const RELATIONSHIPS: Table = Table {
    name: "signal_order_relationships",
    columns: &[
        ("id", Kind::Uuid),
        ("signal_id", Kind::Uuid),
        ("order_id", Kind::Uuid),
        ("relationship_type", Kind::Text),
        ("allocation_amount", Kind::Decimal),
        ("allocation_quantity", Kind::Decimal),
        ("created_at", Kind::Moment),
    ],
    key: "id",
    yields: None,
};

/// Known by its symbol, not by our id: whoever was here before us may have written that symbol under another one.
pub(super) const INSTRUMENTS: Table = Table {
    name: "instrument_info",
    columns: &[
        ("id", Kind::Uuid),
        ("symbol", Kind::Text),
        ("base_coin", Kind::Text),
        ("quote_coin", Kind::Text),
        ("status", Kind::Text),
        ("lot_size", Kind::Decimal),
        ("min_order_qty", Kind::Decimal),
        ("max_order_qty", Kind::Decimal),
        ("min_order_value", Kind::Decimal),
        ("price_tick_size", Kind::Decimal),
        ("price_limit_ratio_x", Kind::Decimal),
        ("price_limit_ratio_y", Kind::Decimal),
        ("raw_response", Kind::Json),
        ("created_at", Kind::Moment),
        ("updated_at", Kind::Moment),
    ],
    key: "symbol",
    yields: None,
};

pub(super) const OWN: Table = Table {
    name: "order_manager.orders_own",
    columns: &[
        ("order_link_id", Kind::Text),
        ("id", Kind::Uuid),
        ("signal_id", Kind::Uuid),
        ("leg", Kind::Number),
        ("attempt", Kind::Number),
        ("order_id", Kind::Text),
        ("requested_quantity", Kind::Decimal),
        ("price", Kind::Decimal),
        ("time_in_force", Kind::Text),
        ("reduce_only", Kind::Flag),
        ("state", Kind::Text),
        ("certainty", Kind::Text),
        ("since", Kind::Moment),
        ("evidence", Kind::Number),
        ("signed_at", Kind::Number),
        ("cancel_reason", Kind::Text),
        ("reason", Kind::Text),
        ("remainder", Kind::Text),
    ],
    key: "order_link_id",
    yields: None,
};

pub(super) const SIGNALS: Table = Table {
    name: "order_manager.signals",
    columns: &[
        ("signal_id", Kind::Uuid),
        ("asset", Kind::Text),
        ("side", Kind::Text),
        ("trace_id", Kind::Text),
        ("state", Kind::Text),
        ("outcome", Kind::Text),
        ("code", Kind::Text),
        ("text", Kind::Text),
        ("tries", Kind::Number),
        ("received_at", Kind::Moment),
        ("updated_at", Kind::Moment),
        ("settled_at", Kind::Moment),
        ("verdicts", Kind::Json),
        ("notes", Kind::Json),
        ("cancelled", Kind::Json),
        ("planned_quantity", Kind::Decimal),
        ("planned_price", Kind::Decimal),
        ("drift", Kind::Decimal),
        ("fingerprint", Kind::Bytes),
        ("amount", Kind::Decimal),
        ("confidence", Kind::Decimal),
        ("timestamp", Kind::Moment),
        ("strategy_id", Kind::Text),
        ("model_version", Kind::Text),
        ("is_warmup", Kind::Flag),
        ("price", Kind::Decimal),
        ("spread", Kind::Decimal),
        ("volume_24h", Kind::Decimal),
        ("volatility", Kind::Decimal),
        ("is_urgent", Kind::Flag),
        ("is_exit", Kind::Flag),
    ],
    key: "signal_id",
    yields: None,
};

pub(super) const EXECUTIONS: Table = Table {
    name: "order_manager.executions",
    columns: &[
        ("exec_id", Kind::Text),
        ("order_id", Kind::Text),
        ("order_link_id", Kind::Text),
        ("asset", Kind::Text),
        ("side", Kind::Text),
        ("exec_type", Kind::Text),
        ("quantity", Kind::Decimal),
        ("price", Kind::Decimal),
        ("value", Kind::Decimal),
        ("fee", Kind::Decimal),
        ("fee_coin", Kind::Text),
        ("is_maker", Kind::Flag),
        ("executed_at", Kind::Moment),
        ("evidence", Kind::Number),
    ],
    key: "exec_id",
    yields: None,
};

pub(super) const DEAD_LETTERS: Table = Table {
    name: "order_manager.dead_letters",
    columns: &[
        ("seq", Kind::Number),
        ("idx", Kind::Number),
        ("received_at", Kind::Moment),
        ("reason", Kind::Text),
        ("body", Kind::Bytes),
    ],
    key: "seq, idx",
    yields: None,
};

pub(super) const MESSAGES: Table = Table {
    name: "order_manager.messages",
    columns: &[
        ("id", Kind::Number),
        ("event_id", Kind::Uuid),
        ("seq", Kind::Number),
        ("idx", Kind::Number),
        ("asset", Kind::Text),
        ("event_type", Kind::Text),
        ("trace_id", Kind::Text),
        ("body", Kind::Json),
    ],
    key: "id",
    yields: None,
};

pub(super) const JOURNAL: Table = Table {
    name: "order_manager.journal",
    columns: &[
        ("seq", Kind::Number),
        ("at", Kind::Number),
        ("record", Kind::Bytes),
        ("digest", Kind::Bytes),
        ("sha256", Kind::Bytes),
    ],
    key: "",
    yields: None,
};

/// Where a restore begins.
pub(super) const CHECKPOINT: Table = Table {
    name: "order_manager.checkpoint",
    columns: &[
        ("id", Kind::Number),
        ("seq", Kind::Number),
        ("state", Kind::Bytes),
        ("rows_version", Kind::Number),
        ("rows_seq", Kind::Number),
        ("rows_state", Kind::Bytes),
    ],
    key: "id",
    yields: None,
};

pub(super) const POSITIONS: Table = Table {
    name: "order_manager.positions",
    columns: &[
        ("asset", Kind::Text),
        ("size", Kind::Decimal),
        ("average_entry_price", Kind::Decimal),
        ("realized_pnl", Kind::Decimal),
        ("fees", Kind::Decimal),
        ("unexplained", Kind::Text),
        ("created_at", Kind::Moment),
        ("updated_at", Kind::Moment),
        ("closed_at", Kind::Moment),
    ],
    key: "asset",
    yields: None,
};

pub(super) const SNAPSHOTS: Table = Table {
    name: "order_manager.position_snapshots",
    columns: &[
        ("id", Kind::Uuid),
        ("asset", Kind::Text),
        ("size", Kind::Decimal),
        ("average_entry_price", Kind::Decimal),
        ("realized_pnl", Kind::Decimal),
        ("fees", Kind::Decimal),
        ("unexplained", Kind::Text),
        ("snapshot_timestamp", Kind::Moment),
    ],
    key: "id",
    yields: None,
};
