//! The statement that writes a batch: one for all its tables, whose columns are bound as arrays. So a batch costs one
//! round trip, however many rows it has.

use crate::store::table::Table;
use crate::store::value::{Kind, Value, Values};
use sqlx::Postgres;
use sqlx::postgres::PgArguments;
use sqlx::query::Query;

/// `INSERT` of any number of rows into each of some tables, of which none comes twice. What refers to another's new
/// row is checked at the end of the statement.
pub(super) fn upserts<'a>(tables: impl IntoIterator<Item = &'a Table>) -> String {
    let mut bound = 0;
    let mut parts: Vec<String> = Vec::new();
    for table in tables {
        parts.push(upsert(table, bound));
        bound += table.columns.len();
    }
    let main = parts.pop().unwrap_or_default();
    let before: Vec<String> = parts.iter().enumerate().map(|(at, part)| format!("w{at} AS ({part})")).collect();
    if before.is_empty() { main } else { format!("WITH {} {main}", before.join(", ")) }
}

/// A known row takes the new state. The first array's number is the one after `bound`.
fn upsert(table: &Table, bound: usize) -> String {
    let name = table.name;
    let columns: Vec<String> = table.columns.iter().map(|(column, _)| format!("\"{column}\"")).collect();
    let columns = columns.join(", ");
    let array = |(at, (_, kind)): (usize, &(&str, Kind))| format!("${}::{}[]", bound + at + 1, carrier(*kind));
    let arrays: Vec<String> = table.columns.iter().enumerate().map(array).collect();
    let values: Vec<String> = table.columns.iter().map(|(column, kind)| cast(column, *kind)).collect();
    let (values, arrays) = (values.join(", "), arrays.join(", "));
    let mut text = format!("INSERT INTO {name} ({columns}) SELECT {values} FROM unnest({arrays}) AS n({columns})");
    if let Some(column) = table.yields {
        let key = table.key;
        text += &format!(
            " WHERE NOT EXISTS (SELECT 1 FROM {name} k WHERE k.\"{column}\" = n.\"{column}\" \
             AND k.\"{key}\"::text <> n.\"{key}\")"
        );
    }
    if !table.key.is_empty() {
        let set: Vec<String> = table.changed().map(|column| format!("\"{column}\" = excluded.\"{column}\"")).collect();
        text += &format!(" ON CONFLICT ({}) DO UPDATE SET {}", table.key, set.join(", "));
    }
    text
}

/// What an element of the array is.
fn carrier(kind: Kind) -> &'static str {
    match kind {
        Kind::Text | Kind::Uuid | Kind::Decimal | Kind::Moment | Kind::Json => "text",
        Kind::Flag | Kind::Number => "bigint",
        Kind::Bytes => "bytea",
    }
}

/// What the column takes of it.
fn cast(column: &str, kind: Kind) -> String {
    match kind {
        Kind::Text | Kind::Number | Kind::Bytes => format!("n.\"{column}\""),
        Kind::Uuid => format!("n.\"{column}\"::uuid"),
        Kind::Decimal => format!("n.\"{column}\"::numeric"),
        Kind::Moment => format!("n.\"{column}\"::timestamp"),
        Kind::Json => format!("n.\"{column}\"::json"),
        Kind::Flag => format!("n.\"{column}\" <> 0"),
    }
}

/// Binds the rows, column by column.
pub(super) fn bind<'q>(
    mut query: Query<'q, Postgres, PgArguments>,
    table: &Table,
    rows: Vec<Values>,
) -> Query<'q, Postgres, PgArguments> {
    let mut rows: Vec<_> = rows.into_iter().map(Values::into_iter).collect();
    for (_, kind) in table.columns {
        let column = rows.iter_mut().map(|row| row.next().unwrap_or(Value::Null));
        query = match carrier(*kind) {
            "bytea" => query.bind(column.map(Value::bytes).collect::<Vec<_>>()),
            "bigint" => query.bind(column.map(Value::number).collect::<Vec<_>>()),
            _ => query.bind(column.map(Value::text).collect::<Vec<_>>()),
        };
    }
    query
}
