//! A desk and books in memory.

use crate::desk::{DeskError, Health};
use crate::http::ports::{Books, BooksError, Desk, Later};
use crate::http::views::{DeadLetterView, OrderFilter, OrderView, Page, PositionView, SignalView, SortOrder};
use order_manager_core::command::Receipt;
use order_manager_core::intake;
use order_manager_core::unit::{SignalId, TraceId, calendar};
use serde_json::value::RawValue;
use std::collections::{BTreeMap, VecDeque};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use tokio::sync::watch;

/// Answers what it is told to, else what the core's own decoder says of the body.
pub(super) struct FakeDesk {
    pub(super) answers: Mutex<VecDeque<Result<Receipt, DeskError>>>,
    pub(super) brought: Mutex<Vec<(Option<TraceId>, Vec<u8>)>>,
    pub(super) health: Mutex<Health>,
    pub(super) committed: Mutex<Option<watch::Sender<i64>>>,
    pub(super) stalls: AtomicBool,
    pub(super) panics: AtomicBool,
}

impl Default for FakeDesk {
    fn default() -> Self {
        Self {
            answers: Mutex::default(),
            brought: Mutex::default(),
            health: Mutex::new(Health {
                store: true,
                exchange: true,
                stream: true,
                ready: true,
                accepting: true,
                broker: None,
                gateway: None,
            }),
            committed: Mutex::new(Some(watch::Sender::new(0))),
            stalls: AtomicBool::new(false),
            panics: AtomicBool::new(false),
        }
    }
}

impl FakeDesk {
    pub(super) fn answer(&self, answer: Result<Receipt, DeskError>) {
        self.answers.lock().unwrap().push_back(answer);
    }
    pub(super) fn commit(&self, id: i64) {
        self.committed.lock().unwrap().as_ref().unwrap().send_replace(id);
    }
    /// The driver is gone.
    pub(super) fn end(&self) {
        self.committed.lock().unwrap().take();
    }
    fn judge(&self, trace: Option<TraceId>, body: &[u8]) -> Result<Receipt, DeskError> {
        if let Some(answer) = self.answers.lock().unwrap().pop_front() {
            return answer;
        }
        Ok(match intake::decode(body, trace.as_ref().map(TraceId::as_str)) {
            Ok(signal) => Receipt::Accepted(signal.id),
            Err(bad) => match bad.known {
                Some(known) => Receipt::Rejected(known.id, bad.faults),
                None => Receipt::DeadLettered(bad.faults),
            },
        })
    }
}

impl Desk for FakeDesk {
    fn bring(&self, trace: Option<TraceId>, body: Vec<u8>) -> Later<'_, Result<Receipt, DeskError>> {
        Box::pin(async move {
            if self.stalls.load(Ordering::Relaxed) {
                std::future::pending::<()>().await;
            }
            let judged = self.judge(trace, &body);
            self.brought.lock().unwrap().push((trace, body));
            judged
        })
    }
    fn health(&self) -> Health {
        assert!(!self.panics.load(Ordering::Relaxed), "as the test wants it");
        *self.health.lock().unwrap()
    }
    fn committed(&self) -> watch::Receiver<i64> {
        match &*self.committed.lock().unwrap() {
            Some(sender) => sender.subscribe(),
            None => watch::channel(0).1,
        }
    }
}

#[derive(Default)]
pub(super) struct FakeBooks {
    pub(super) orders: Mutex<Vec<OrderView>>,
    pub(super) signals: Mutex<BTreeMap<SignalId, SignalView>>,
    pub(super) events: Mutex<Vec<(i64, String)>>,
    pub(super) letters: Mutex<Vec<DeadLetterView>>,
    pub(super) positions: Mutex<Vec<PositionView>>,
    pub(super) asked: Mutex<Vec<OrderFilter>>,
    pub(super) down: AtomicBool,
    pub(super) stalls: AtomicBool,
}

impl FakeBooks {
    fn later<'a, T: Send + 'a>(&'a self, read: impl FnOnce() -> T + Send + 'a) -> Later<'a, Result<T, BooksError>> {
        Box::pin(async move {
            if self.stalls.load(Ordering::Relaxed) {
                std::future::pending::<()>().await;
            }
            match self.down.load(Ordering::Relaxed) {
                true => Err(BooksError("disk I/O error at /var/lib/secret.db".to_owned())),
                false => Ok(read()),
            }
        })
    }
}

impl Books for FakeBooks {
    fn orders(&self, filter: OrderFilter) -> Later<'_, Result<Page<OrderView>, BooksError>> {
        self.later(move || {
            self.asked.lock().unwrap().push(filter.clone());
            let mut found: Vec<_> = self.orders.lock().unwrap().iter().filter(|o| fits(&filter, o)).cloned().collect();
            found.sort_by(|a, b| a.created_at.cmp(&b.created_at));
            if filter.sort_order == SortOrder::Descending {
                found.reverse();
            }
            page(found, filter.page, filter.page_size)
        })
    }
    fn order(&self, id: String) -> Later<'_, Result<Option<OrderView>, BooksError>> {
        self.later(move || {
            let orders = self.orders.lock().unwrap();
            orders.iter().find(|o| o.order_id == id || o.order_link_id.as_ref() == Some(&id)).cloned()
        })
    }
    fn signal(&self, id: SignalId) -> Later<'_, Result<Option<SignalView>, BooksError>> {
        self.later(move || self.signals.lock().unwrap().get(&id).cloned())
    }
    fn events_after(&self, id: i64, limit: u32) -> Later<'_, Result<Vec<(i64, String)>, BooksError>> {
        self.later(move || {
            let events = self.events.lock().unwrap();
            events.iter().filter(|(at, _)| *at > id).take(limit as usize).cloned().collect()
        })
    }
    fn positions(&self, asset: Option<String>) -> Later<'_, Result<Vec<PositionView>, BooksError>> {
        self.later(move || {
            let positions = self.positions.lock().unwrap();
            positions.iter().filter(|p| asset.as_ref().is_none_or(|asset| p.asset == *asset)).cloned().collect()
        })
    }
    fn dead_letters(&self, number: u32, size: u32) -> Later<'_, Result<Page<DeadLetterView>, BooksError>> {
        self.later(move || page(self.letters.lock().unwrap().clone(), number, size))
    }
}

fn fits(filter: &OrderFilter, order: &OrderView) -> bool {
    let at = calendar::parse(&order.created_at).unwrap();
    filter.asset.as_ref().is_none_or(|asset| *asset == order.asset)
        && filter.status.as_ref().is_none_or(|status| *status == order.status)
        && filter.signal_id.is_none_or(|id| id.to_string() == order.signal_id)
        && filter.order_id.as_ref().is_none_or(|id| *id == order.order_id)
        && filter.side.as_ref().is_none_or(|side| side.eq_ignore_ascii_case(&order.side))
        && filter.date_from.is_none_or(|from| at >= from)
        && filter.date_to.is_none_or(|to| at <= to)
}

fn page<T>(all: Vec<T>, page: u32, page_size: u32) -> Page<T> {
    let total_items = all.len() as u64;
    let skip = (page as usize - 1).saturating_mul(page_size as usize);
    let items = all.into_iter().skip(skip).take(page_size as usize).collect();
    Page { items, page, page_size, total_items, total_pages: total_items.div_ceil(u64::from(page_size)) }
}

pub(super) fn order(order_id: &str, side: &str, created_at: &str) -> OrderView {
    let some = |text: &str| Some(text.to_owned());
    OrderView {
        id: "6b1f0c5e-0000-8000-8000-000000000001".to_owned(),
        order_id: order_id.to_owned(),
        signal_id: SIGNAL.to_owned(),
        asset: "BTCUSDT".to_owned(),
        side: side.to_owned(),
        order_type: "Limit".to_owned(),
        quantity: "0.01000000".to_owned(),
        price: some("50000.00000000"),
        status: "pending".to_owned(),
        filled_quantity: "0.00000000".to_owned(),
        average_price: None,
        fees: None,
        created_at: created_at.to_owned(),
        updated_at: created_at.to_owned(),
        executed_at: None,
        trace_id: some("t"),
        is_dry_run: false,
        rejection_reason: None,
        order_link_id: Some(format!("om-{order_id}")),
        requested_quantity: some("0.01000000"),
        leg: Some(0),
        attempt: Some(0),
        state: some("open"),
        certainty: some("certain"),
        since: some(created_at),
        evidence: Some(7),
        remainder: None,
    }
}

pub(super) const SIGNAL: &str = "11111111-2222-4333-8444-555555555555";

/// A signal as the books have it; settled if there is an outcome.
pub(super) fn signal(outcome: Option<&str>, code: Option<&str>) -> (SignalId, SignalView) {
    let raw = || RawValue::from_string("[]".to_owned()).unwrap();
    let some = |text: &str| Some(text.to_owned());
    let view = SignalView {
        signal_id: SIGNAL.to_owned(),
        state: if outcome.is_some() { "settled" } else { "active" }.to_owned(),
        outcome: outcome.map(str::to_owned),
        code: code.map(str::to_owned),
        text: None,
        tries: 1,
        asset: "BTCUSDT".to_owned(),
        signal_type: "buy".to_owned(),
        amount: some("1000"),
        confidence: some("0.95"),
        strategy_id: some("s"),
        model_version: None,
        is_warmup: Some(false),
        price: some("50000"),
        timestamp: some("2026-01-31T12:00:00Z"),
        trace_id: "t".to_owned(),
        received_at: "2026-01-31T12:00:01Z".to_owned(),
        settled_at: None,
        verdicts: raw(),
        notes: raw(),
        cancelled: raw(),
        orders: Vec::new(),
    };
    (SignalId::parse(SIGNAL).unwrap(), view)
}
