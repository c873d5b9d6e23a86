//! What the publisher and the takeover need.

use super::home::{Home, on_both};
use super::{filled, rows, steps};
use order_manager_core::event::{Event, Seq};
use order_manager_core::input::InheritedOrder;
use order_manager_core::unit::{
    Money, Price, Quantity, Side, SignalId, Span, Symbol, Text, Timestamp, TraceId, decimal,
};
use order_manager_service::store::{Cursor, StoredStep};

on_both!(
    e3_the_outbox_is_every_message_with_its_envelope,
    e3_a_cursor_is_kept_and_never_goes_back,
    e3_the_first_follower_begins_where_it_is_told_and_only_once,
    t1_open_orders_of_the_predecessor_are_found,
    t4_positions_are_read_and_old_snapshots_are_forgotten,
);

async fn e3_the_outbox_is_every_message_with_its_envelope(home: Home) {
    let store = filled(&home, steps()).await;
    let (reader, rows) = (store.reader(), rows(steps()));
    let mut all = Vec::new();
    while let Some(after) = Some(all.len() as i64) {
        let page = reader.outbox(after, 7).await.expect("a page");
        if page.is_empty() {
            break;
        }
        assert!(page.len() <= 7);
        all.extend(page);
    }
    assert!(all.iter().map(|message| message.id).eq(1..=rows.messages.len() as i64), "ids without gaps");
    for (message, event) in all.iter().zip(rows.messages.values()) {
        assert_eq!((message.event_id, message.asset.as_str()), (event.event_id, event.order.asset.as_str()));
        assert_eq!(message.trace_id, event.trace_id.as_str());
        assert_eq!(message.body, serde_json::to_string(event).expect("json"), "byte by byte");
        let word = format!("\"event_type\":\"{}\"", message.event_type);
        assert!(message.body.contains(&word), "{word} in {}", message.body);
    }
}

async fn e3_a_cursor_is_kept_and_never_goes_back(home: Home) {
    let name = "order-manager.order_events";
    let mut store = home.open().await;
    let (reader, keeper) = (store.reader(), store.cursor_keeper());
    assert_eq!(reader.cursor(name).await, Ok(Cursor::default()));
    // Beside a writer that commits: neither waits for the other for long, none fails.
    let commits = async {
        for step in &steps()[..200] {
            store.commit(std::slice::from_ref(step)).await.expect("a commit");
        }
    };
    let saves = async {
        for position in 1..=100 {
            keeper.save(name, position, 0).await.expect("saved");
        }
    };
    tokio::join!(commits, saves);
    keeper.clone().save(name, 100, 3).await.expect("the same position again");
    let error = keeper.save(name, 99, 3).await.expect_err("a step back");
    assert!(error.to_string().contains("further on than 99"), "{error}");
    keeper.save("another", 5, 0).await.expect("saved");
    drop((store, keeper));
    let reader = home.open().await.reader();
    assert_eq!(reader.cursor(name).await, Ok(Cursor { position: 100, repeated: 3 }));
    assert_eq!(reader.cursor("another").await, Ok(Cursor { position: 5, repeated: 0 }));
}

async fn t1_open_orders_of_the_predecessor_are_found(home: Home) {
    let store = filled(&home, steps()).await;
    assert_eq!(store.reader().inherited().await, Ok(Vec::new()), "all are ours");
    let row = |number: u32, order: &str, kind: &str, status: &str, dry: bool, created: &str| {
        let (price, dry) = (if kind == "Limit" { "16000.5" } else { "NULL" }, ["0", "1"][usize::from(dry)]);
        let (bool, text) = (format!("{dry}::boolean"), format!("'{created}'"));
        let values = |dry: &str| {
            format!(
                "INSERT INTO orders (id, order_id, signal_id, asset, side, order_type, quantity, price, status, \
                 filled_quantity, average_price, fees, created_at, updated_at, trace_id, is_dry_run) VALUES \
                 ('00000000-0000-4000-8000-00000000000{number}', '{order}', '00000000-0000-4000-9000-00000000000{number}', \
                 'ETHUSDT', 'SELL', '{kind}', '2.00000000', {price}, '{status}', '0.50000000', '1600.25000000', \
                 '-0.01000000', {text}, {text}, {}, {dry});",
                if number == 1 { "'a-trace'" } else { "NULL" }
            )
        };
        (values(dry), values(&bool))
    };
    let made = [
        row(1, "open-limit", "Limit", "partially_filled", false, "2022-01-01 03:00:05.000007"),
        row(2, "open-market", "Market", "pending", false, "2021-12-31 23:59:59.000000"),
        row(3, "done", "Market", "filled", false, "2022-01-01 00:00:00.000000"),
        row(4, "REJECTED-4", "Market", "pending", false, "2022-01-01 00:00:00.000000"),
        row(5, "DRY-RUN-5", "Market", "pending", false, "2022-01-01 00:00:00.000000"),
        row(6, "dry", "Market", "pending", true, "2022-01-01 00:00:00.000000"),
    ];
    for (sqlite, postgres) in &made {
        home.execute(sqlite, postgres).await;
    }
    let number = |text: &str| decimal::parse(text).expect("a decimal");
    let of = |number_: u128, order: &str, limit: Option<&str>, at: u64, trace: &str| InheritedOrder {
        id: SignalId(0x4000_8000_0000_0000_0000 + number_),
        order_id: Text::clipped(order),
        signal: SignalId(0x4000_9000_0000_0000_0000 + number_),
        symbol: Symbol::clipped("ETHUSDT"),
        side: Side::Sell,
        limit: limit.map(|text| Price(number(text))),
        quantity: Quantity(number("2")),
        filled: Quantity(number("0.5")),
        average_price: Some(Price(number("1600.25"))),
        fees: Money(number("-0.01")),
        created_at: Timestamp(at),
        trace: TraceId::clipped(trace),
    };
    let expected = vec![
        of(2, "open-market", None, 1_640_995_199_000_000, ""),
        of(1, "open-limit", Some("16000.5"), 1_641_006_005_000_007, "a-trace"),
    ];
    assert_eq!(store.reader().inherited().await, Ok(expected), "the earliest first");
    // One that cannot be taken over is named.
    let (sqlite, postgres) = row(7, &"x".repeat(65), "Market", "pending", false, "2022-01-01 00:00:00.000000");
    home.execute(&sqlite, &postgres).await;
    let error = store.reader().inherited().await.expect_err("an order id that is none");
    assert!(error.to_string().contains("00000000-0000-4000-8000-000000000007"), "{error}");
}

async fn t4_positions_are_read_and_old_snapshots_are_forgotten(home: Home) {
    let noted = |step: &StoredStep| !rows(std::slice::from_ref(step)).snapshots.is_empty();
    assert!(!noted(&steps()[0]), "a snapshot is of what came before");
    let at = |n: usize| rows(&steps()[..n]).snapshots.len();
    let whole = at(steps().len());
    assert!(whole > 1, "{whole} snapshots in these steps");
    // Up to the last snapshot, so that something is held.
    let is_note = |step: &StoredStep| step.events.iter().any(|event| matches!(event, Event::PositionsNoted { .. }));
    let notes: Vec<usize> = steps().iter().enumerate().filter(|(_, step)| is_note(step)).map(|(n, _)| n + 1).collect();
    let end = *notes.iter().find(|n| at(**n) > 1).expect("a second snapshot");
    let (steps, expected) = (&steps()[..end], rows(&steps()[..end]));
    let mut store = filled(&home, steps).await;
    let reader = store.reader();
    let shown = reader.positions().await.expect("positions");
    assert_eq!(shown.len(), expected.positions.len());
    let (row, view) = (expected.positions.values().next().expect("a position"), &shown[0]);
    assert_eq!(reader.position(row.asset).await, Ok(Some(view.clone())));
    assert_eq!(reader.position(Symbol::clipped("NEVERHELD")).await, Ok(None));
    assert_eq!((view.size.clone(), view.fees.clone()), (row.size.to_string(), row.fees.to_string()));
    assert_eq!(view.average_entry_price, row.average_entry_price.map(|price| price.to_string()));
    assert_eq!(
        (view.closed_at.is_none(), view.unexplained.clone()),
        (row.closed_at.is_none(), row.unexplained.clone())
    );
    let snapshots = async || home.dump().await.iter().filter(|line| line.contains("position_snapshots")).count();
    assert_eq!(snapshots().await, expected.snapshots.len());

    // The next one comes when all but the last of these are older than a year.
    let last = expected.snapshots.values().map(|row| row.at).max().expect("a snapshot");
    let (seq, at) = (Seq(steps.len() as u64 + 1), last.after(Span::secs(365 * 86_400)));
    let end = steps.last().expect("a step").clone();
    let next = StoredStep { seq, at, events: vec![Event::PositionsNoted { at }], ..end };
    store.commit(&[next]).await.expect("a commit");
    assert_eq!(snapshots().await, 2, "one that is a year old to the moment, and the new one");
}

/// A broker that is turned on over an old store gets what comes from then on, and a cursor that is kept stays.
async fn e3_the_first_follower_begins_where_it_is_told_and_only_once(home: Home) {
    let store = home.open().await;
    let keeper = store.cursor_keeper();
    keeper.begin("somebody", 7).await.expect("begun");
    keeper.save("somebody", 9, 1).await.expect("saved");
    keeper.begin("somebody", 20).await.expect("begun");
    let cursor = store.reader().cursor("somebody").await.expect("a cursor");
    assert_eq!((cursor.position, cursor.repeated), (9, 1));
}
