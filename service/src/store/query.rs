//! One text of a question for every database, with its bound values.

use super::table::Table;
use super::value::{Kind, Value, Values};

/// Which words a database has for the same thing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Dialect {
    Sqlite,
    Postgres,
}

/// The schema of our own tables; SQLite has none, there it is a prefix.
const OWN: &str = "order_manager.";
const OWN_PREFIX: &str = "order_manager_";

impl Dialect {
    /// A text that names our own tables `order_manager.name`, in this database's words.
    pub(super) fn words(self, text: &str) -> String {
        match self {
            Self::Sqlite => text.replace(OWN, OWN_PREFIX),
            Self::Postgres => text.to_owned(),
        }
    }

    /// A column as the four forms of [`Value`].
    pub(super) fn shown(self, column: &str, kind: Kind) -> String {
        match (self, kind) {
            (Self::Sqlite, _) | (Self::Postgres, Kind::Text | Kind::Bytes) => column.to_owned(),
            (Self::Postgres, Kind::Uuid | Kind::Decimal | Kind::Json) => format!("{column}::text"),
            (Self::Postgres, Kind::Moment) => format!("to_char({column}, 'YYYY-MM-DD HH24:MI:SS.US')"),
            (Self::Postgres, Kind::Flag) => format!("{column}::int::bigint"),
            (Self::Postgres, Kind::Number) => format!("{column}::bigint"),
        }
    }

    /// A moment's microseconds since 1970.
    pub(super) fn micros(self, column: &str) -> String {
        match self {
            Self::Sqlite => {
                format!("unixepoch(substr({column}, 1, 19)) * 1000000 + CAST(substr({column}, 21, 6) AS INTEGER)")
            }
            Self::Postgres => format!("(extract(epoch FROM {column}) * 1000000)::bigint"),
        }
    }

    /// What a bound text becomes to be compared with a column.
    fn cast(self, kind: Kind) -> &'static str {
        match (self, kind) {
            (Self::Postgres, Kind::Uuid) => "::uuid",
            (Self::Postgres, Kind::Moment) => "::timestamp",
            (Self::Postgres, Kind::Decimal) => "::numeric",
            (Self::Postgres, Kind::Flag) => "::int::boolean",
            _ => "",
        }
    }
}

/// A question on its way to a database.
#[derive(Clone, Debug)]
pub(super) struct Query {
    dialect: Dialect,
    pub(super) text: String,
    pub(super) values: Values,
}

impl Query {
    pub(super) fn new(dialect: Dialect, text: &str) -> Self {
        Self { dialect, text: dialect.words(text), values: Vec::new() }
    }

    /// `SELECT` of some columns of a table, which is called `alias`.
    pub(super) fn select(dialect: Dialect, table: &Table, alias: &str, columns: &[&str]) -> Self {
        Self::new(dialect, "SELECT ")
            .push(&table.shown(dialect, alias, columns))
            .push(" FROM ")
            .push(table.name)
            .push(" ")
            .push(alias)
    }

    pub(super) fn push(mut self, text: &str) -> Self {
        self.text += &self.dialect.words(text);
        self
    }

    /// A bound value, to be compared with a column of this kind.
    pub(super) fn bind(mut self, kind: Kind, value: Value) -> Self {
        self.values.push(value);
        self.text += &format!("${}{}", self.values.len(), self.dialect.cast(kind));
        self
    }
    pub(super) fn text(self, kind: Kind, value: impl Into<String>) -> Self {
        self.bind(kind, Value::Text(value.into()))
    }
    pub(super) fn number(self, value: i64) -> Self {
        self.bind(Kind::Number, Value::Number(value))
    }
}
