//! What the API reads.

use super::home::{Home, on_both};
use super::{filled, rows, steps, world};
use order_manager_core::event::{Event, Seq};
use order_manager_core::input::Prior;
use order_manager_core::order::State;
use order_manager_core::outcome::Outcome;
use order_manager_core::unit::{Fingerprint, SignalId};
use order_manager_service::store::{OrderFilter, SortBy, SortOrder};
use std::collections::BTreeSet;

on_both!(
    s7_the_store_answers_for_signals_that_the_core_forgot,
    a1_orders_by_filter_and_page,
    a1_an_order_shows_the_seventeen_keys_in_their_order_and_a_signal_its_story,
    o2_what_is_not_certain_is_listed_until_it_is,
);

async fn s7_the_store_answers_for_signals_that_the_core_forgot(home: Home) {
    let store = filled(&home, steps()).await;
    let rows = rows(steps());
    assert_eq!(store.prior(SignalId(1)).await, Ok(None));
    for row in rows.signals.values() {
        let good = row.signal.map(|signal| Prior {
            fingerprint: Fingerprint(signal.fingerprint),
            outcome: row.outcome.unwrap_or(Outcome::Placed),
            tries: row.tries,
        });
        let expected = Some(good.unwrap_or(Prior::INVALID));
        assert_eq!(store.prior(row.id).await, Ok(expected), "{}", row.id);
        assert_eq!(world().life.store.prior(row.id), expected, "as the simulator's store answers");
    }
}

async fn a1_orders_by_filter_and_page(home: Home) {
    let store = filled(&home, steps()).await;
    let (reader, rows) = (store.reader(), rows(steps()));
    let all: Vec<_> = rows.orders.values().collect();
    let find = async |filter: OrderFilter| reader.orders(&filter).await.expect("a page");
    let any = OrderFilter { page_size: 100, ..OrderFilter::default() };

    let mut walked = Vec::new();
    for page in 1.. {
        let found = find(OrderFilter { page, page_size: 7, ..any.clone() }).await;
        assert_eq!((found.page, found.page_size, found.total_items), (page, 7, all.len() as u64));
        assert_eq!(found.total_pages, all.len().div_ceil(7) as u64);
        if found.items.is_empty() {
            break;
        }
        walked.extend(found.items);
    }
    assert_eq!(walked.len(), all.len(), "every order stands on one page");
    assert!(walked.is_sorted_by(|a, b| a.created_at >= b.created_at), "the latest first");
    let ids: BTreeSet<_> = walked.iter().map(|order| &order.id).collect();
    assert_eq!(ids.len(), all.len(), "and on one only");

    let (from, to) = (all[0].created_at.min(all[1].created_at), all[0].created_at.max(all[1].created_at));
    let of = |name: &str| Some(name.to_owned());
    let counted = |fits: &dyn Fn(&order_manager_core::rows::OrderRow) -> bool| all.iter().filter(|r| fits(r)).count();
    let cases = [
        (OrderFilter { asset: of("btcusdt"), ..any.clone() }, counted(&|_| true)),
        (OrderFilter { asset: of("ETHUSDT"), ..any.clone() }, 0),
        (OrderFilter { status: of("Filled"), ..any.clone() }, counted(&|row| row.status_word() == "filled")),
        (OrderFilter { status: of("rejected"), ..any.clone() }, counted(&|row| row.status_word() == "rejected")),
        (OrderFilter { side: of("buy"), ..any.clone() }, counted(&|row| row.side_word() == "Buy")),
        (OrderFilter { side: of("Sell"), ..any.clone() }, counted(&|row| row.side_word() == "SELL")),
        (
            OrderFilter { signal_id: Some(all[3].signal_id), ..any.clone() },
            counted(&|r| r.signal_id == all[3].signal_id),
        ),
        (OrderFilter { order_id: Some(all[3].order_id.clone()), ..any.clone() }, 1),
        (OrderFilter { date_from: Some(from), ..any.clone() }, counted(&|row| row.created_at >= from)),
        (OrderFilter { date_to: Some(to), ..any.clone() }, counted(&|row| row.created_at <= to)),
        (
            OrderFilter { date_from: Some(from), date_to: Some(to), side: of("BUY"), ..any.clone() },
            counted(&|row| row.created_at >= from && row.created_at <= to && row.side_word() == "Buy"),
        ),
    ];
    for (filter, count) in cases {
        assert_eq!(find(filter.clone()).await.total_items, count as u64, "{filter:?}");
    }
    let nothing = find(OrderFilter { asset: of("ETHUSDT"), ..any.clone() }).await;
    assert_eq!((nothing.items.len(), nothing.total_pages), (0, 0));
    let by = OrderFilter { sort_by: SortBy::UpdatedAt, sort_order: SortOrder::Ascending, ..any.clone() };
    assert!(find(by).await.items.is_sorted_by(|a, b| a.updated_at <= b.updated_at));
    let by = OrderFilter { sort_by: SortBy::ExecutedAt, ..any.clone() };
    assert!(find(by).await.items.is_sorted_by(|a, b| a.executed_at >= b.executed_at), "those without a fill come last");
}

async fn a1_an_order_shows_the_seventeen_keys_in_their_order_and_a_signal_its_story(home: Home) {
    let store = filled(&home, steps()).await;
    let (reader, rows) = (store.reader(), rows(steps()));
    let filled = rows.orders.values().find(|row| row.status_word() == "filled").expect("a filled order");
    let view = reader.order(&filled.order_id).await.expect("a read").expect("an order");
    let json = serde_json::to_string(&view).expect("json");
    let keys = "id order_id signal_id asset side order_type quantity price status filled_quantity average_price fees \
                created_at updated_at executed_at trace_id is_dry_run";
    let mut after = 0;
    for key in keys.split_whitespace() {
        let at = json.find(&format!("\"{key}\":")).unwrap_or_else(|| panic!("{key} in {json}"));
        assert!(at >= after, "{key} out of order in {json}");
        after = at;
    }
    assert_eq!(view.created_at, format!("{}Z", order_manager_core::rows::moment(filled.created_at).replace(' ', "T")));
    assert_eq!((view.certainty.as_deref(), view.is_dry_run), (Some("certain"), false));

    let signal = reader.signal(filled.signal_id).await.expect("a read").expect("its signal");
    assert_eq!((signal.state.as_str(), signal.outcome.as_deref(), signal.tries), ("settled", Some("placed"), 1));
    assert!(signal.orders.contains(&view));
    assert!(signal.verdicts.get().contains("\"rule\"") && signal.amount.is_some());
    let refused = rows.signals.values().find(|row| row.code().is_some()).expect("a rejected signal");
    let refused_view = reader.signal(refused.id).await.expect("a read").expect("it");
    assert_eq!(refused_view.code, refused.code().map(|code| code.to_string()));
    assert_eq!(refused_view.orders.len(), 1, "a row says why there is no order");
    assert!(reader.signal(SignalId(7)).await.expect("a read").is_none());

    let letters = reader.dead_letters(1, 10).await.expect("a page");
    assert_eq!((letters.total_items, letters.items.len()), (1, 1));
    assert!(letters.items[0].body.ends_with("no signal") && letters.items[0].body_hex.is_some(), "{letters:?}");
    assert!(!letters.items[0].reason.is_empty());
    let page = reader.journal(Seq(5), 3).await.expect("records");
    assert!(
        page.iter().map(|stored| (stored.seq, &stored.record)).eq(steps()[4..7].iter().map(|s| (s.seq, &s.record)))
    );
}

async fn o2_what_is_not_certain_is_listed_until_it_is(home: Home) {
    let sent = |event: &Event| if let Event::OrderSent { link, .. } = event { Some(*link) } else { None };
    let at = steps().iter().position(|step| step.events.iter().any(|event| sent(event).is_some())).expect("an order");
    let link = steps()[at].events.iter().find_map(sent).expect("it");
    let mut store = filled(&home, &steps()[..=at]).await;
    let listed = store.reader().uncertain().await.expect("a read");
    let shown: Vec<_> = listed.iter().map(|order| order.order_link_id.as_deref()).collect();
    assert_eq!(shown, [Some(link.as_str())]);
    assert_eq!((listed[0].certainty.as_deref(), listed[0].state.as_deref()), (Some("in_flight"), Some("sending")));
    assert_eq!(
        (listed[0].order_id.as_str(), listed[0].status.as_str()),
        (link.as_str(), "pending"),
        "O4: our id for now"
    );
    let known = |n: usize| rows(&steps()[..n]).own[&link].state != State::Sending;
    let then = (at + 1..=steps().len()).find(|n| known(*n)).expect("an answer");
    store.commit(&steps()[at + 1..then]).await.expect("a commit");
    assert!(store.reader().uncertain().await.expect("a read").is_empty());
}
