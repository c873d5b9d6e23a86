//! A file and a database that took the same steps hold the same rows and give the same answers.

use super::home::{Home, raw};
use super::{filled, rows, steps};
use order_manager_core::order::Status;
use order_manager_core::rows::Figure;
use order_manager_core::unit::{Symbol, decimal};
use order_manager_service::store::{OrderFilter, Reader, SortBy, SortOrder};

#[tokio::test]
async fn a4_rows_and_answers_are_the_same() {
    let (file, database) = (Home::file("alike"), Home::database().await);
    let (one, other) = (filled(&file, steps()).await, filled(&database, steps()).await);
    let (rows_of_one, rows_of_other) = (file.dump().await, database.dump().await);
    assert_eq!(rows_of_one.len(), rows_of_other.len());
    for pair in rows_of_one.iter().zip(&rows_of_other) {
        assert_eq!(pair.0, pair.1);
    }
    assert_eq!(rules(&file).await, rules(&database).await);
    let (said, said_too) = (answers(&one.reader()).await, answers(&other.reader()).await);
    assert!(said.len() > 100, "{} answers", said.len());
    for pair in said.iter().zip(&said_too) {
        assert_eq!(pair.0, pair.1);
    }
}

/// The exact rules of instruments, which PostgreSQL writes in its own order.
async fn rules(home: &Home) -> serde_json::Value {
    let text = "SELECT CAST(raw_response AS TEXT) FROM instrument_info ORDER BY symbol";
    let read: Vec<String> = match home {
        Home::File(path) => sqlx::query_scalar(text).fetch_all(&mut raw(path).await).await.expect("rules"),
        Home::Database(database) => {
            sqlx::query_scalar(text).fetch_all(&mut database.connect().await).await.expect("rules")
        }
    };
    assert!(!read.is_empty());
    read.iter().map(|text| serde_json::from_str::<serde_json::Value>(text).expect("JSON")).collect()
}

async fn answers(reader: &Reader) -> Vec<String> {
    let rows = rows(steps());
    let mut said = Vec::new();
    let of = |text: &str| Some(text.to_owned());
    let order = rows.orders.values().nth(3).expect("an order");
    let moments = [None, Some(order.created_at)];
    for (asset, status) in [(None, None), (of("btcusdt"), None), (None, of("filled")), (of("x"), of("rejected"))] {
        for (from, to) in [(0, 0), (1, 0), (0, 1), (1, 1)] {
            for sort_by in [SortBy::CreatedAt, SortBy::UpdatedAt, SortBy::ExecutedAt] {
                for sort_order in [SortOrder::Ascending, SortOrder::Descending] {
                    let (asset, status) = (asset.clone(), status.clone());
                    let (date_from, date_to) = (moments[from], moments[to]);
                    let page = OrderFilter { asset, status, date_from, date_to, sort_by, sort_order, ..small(2) };
                    said.push(format!("{:?}", reader.orders(&page).await));
                }
            }
        }
    }
    for filter in [
        OrderFilter { signal_id: Some(order.signal_id), ..small(1) },
        OrderFilter { order_id: Some(order.order_id.clone()), ..small(1) },
        OrderFilter { side: of("sell"), ..small(3) },
    ] {
        said.push(format!("{:?}", reader.orders(&filter).await));
    }
    for own in rows.own.values() {
        said.push(format!("{:?}", reader.order(own.spec.link.as_str()).await));
        said.push(format!("{:?}", reader.executions(own.spec.link).await));
    }
    for signal in rows.signals.keys() {
        said.push(format!("{:?}", reader.signal(*signal).await));
    }
    said.push(format!("{:?}", reader.uncertain().await));
    said.push(format!("{:?}", reader.dead_letters(1, 10).await));
    said.push(format!("{:?}", reader.instruments().await));
    said.push(format!("{:?}", reader.positions().await));
    said.push(format!("{:?}", reader.position(Symbol::clipped("BTCUSDT")).await));
    said.push(format!("{:?}", reader.inherited().await));
    said.push(format!("{:?}", reader.outbox(0, u32::MAX).await));
    said.push(format!("{:?}", reader.last_event_id().await));
    assert!(said.iter().all(|answer| !answer.starts_with("Err")), "{:?}", said.iter().find(|a| a.starts_with("Err")));
    assert!(rows.orders.values().any(|row| row.status == Status::Filled));
    said
}

fn small(page: u32) -> OrderFilter {
    OrderFilter { page, page_size: 7, ..OrderFilter::default() }
}

/// PostgreSQL has no zero below zero.
#[test]
fn a_figure_of_nothing_has_no_sign() {
    let nothing = decimal::parse("-0.000000001").expect("a decimal");
    assert_eq!(Figure::of(nothing).to_string(), "0.00000000");
    assert_eq!(Figure::of(decimal::parse("-0").expect("a decimal")).to_string(), "0.00000000");
}
