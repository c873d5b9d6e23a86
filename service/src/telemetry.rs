//! Logs: one JSON line per state change, with its cause and its ids. Nothing secret is ever an event.

use order_manager_core::event::Event;
use tracing_subscriber::EnvFilter;

/// Sends logs to standard error as JSON lines, at `level` and above.
///
/// # Errors
/// A level that is none.
pub(crate) fn start(level: &str) -> anyhow::Result<()> {
    // The broker's library says what we say in our own words, and at its finest level what is secret.
    let filter = EnvFilter::try_new(format!("{level},lapin=off"))?;
    let logs = tracing_subscriber::fmt().json().flatten_event(true).with_writer(std::io::stderr);
    // Tests start it more than once in one process; the first one stays.
    let _ = logs.with_env_filter(filter).try_init();
    Ok(())
}

/// One line for one event.
pub(crate) fn event(event: &Event) {
    let words = || serde_json::to_string(event).unwrap_or_default();
    match event {
        Event::SignalAccepted { signal, .. } => {
            tracing::info!(signal_id = %signal.id, trace_id = %signal.trace, asset = %signal.symbol, "signal accepted");
        }
        Event::SignalSettled { signal, outcome, text, .. } => {
            tracing::info!(signal_id = %signal, outcome = ?outcome, text = %text, "signal settled");
        }
        Event::OrderIntended { spec } => {
            tracing::info!(order = %spec.link, signal_id = %spec.intent.signal, side = %spec.side, quantity = %spec.quantity, "order intended");
        }
        Event::OrderAnswered { link, answer, .. } => tracing::info!(order = %link, answer = ?answer, "create answered"),
        Event::OrderTold(told) => {
            tracing::info!(order = %told.link, change = ?told.change, filled = %told.totals.quantity, reason = %told.reason, "order told");
        }
        Event::OrderAbsent { link, .. } => tracing::warn!(order = %link, "order proven absent"),
        Event::OrderInherited { link, order } => {
            tracing::warn!(order = %link, signal_id = %order.signal, trace_id = %order.trace, asset = %order.symbol, filled = %order.filled, "order taken over");
        }
        Event::ForeignExecuted { row, .. } => {
            tracing::warn!(order = %row.order_id, asset = %row.symbol, side = %row.side, quantity = %row.quantity, price = %row.price, "fill that is not of our orders");
        }
        Event::PositionAdopted { symbol, was, size, .. } => {
            tracing::warn!(asset = %symbol, ours = %was, exchange = %size, "position that executions do not explain: taken from the exchange");
        }
        Event::PositionDoubted { symbol } => {
            tracing::warn!(asset = %symbol, "a fill event may have gone out twice: Position Manager is to validate");
        }
        Event::PositionValidated { symbol } => tracing::info!(asset = %symbol, "Position Manager has validated"),
        Event::PositionDiffers { symbol, ours, theirs, since } => {
            tracing::error!(asset = %symbol, %ours, position_manager = %theirs, %since, "Position Manager's position differs from ours, and stays so");
        }
        Event::OpeningHalted { symbol, why } => tracing::error!(asset = %symbol, why = %why, "opening halted"),
        Event::Defect { what, .. } => tracing::error!(what = %what, "defect"),
        Event::DeadLettered { .. } | Event::Quarantined { .. } | Event::IntakePaused { .. } => {
            tracing::warn!(event = words(), "set aside");
        }
        Event::Started { life } => tracing::info!(life, "started"),
        _ => tracing::debug!(event = words(), "event"),
    }
}

#[cfg(test)]
mod tests {
    use super::event;
    use order_manager_core::event::{Event, Seq};
    use order_manager_core::position::Mark;
    use order_manager_core::unit::{Decimal, ExchangeTime, Quantity, Symbol, Timestamp};
    use std::io::Write;
    use std::sync::{Arc, Mutex};

    #[derive(Clone, Default)]
    struct Page(Arc<Mutex<Vec<u8>>>);

    impl Write for Page {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    /// What is logged of an event at the level that is set unless somebody asks for another.
    fn logged(told: &Event) -> String {
        let page = Page::default();
        let writer = page.clone();
        let logs = tracing_subscriber::fmt().json().with_max_level(tracing::Level::INFO);
        tracing::subscriber::with_default(logs.with_writer(move || writer.clone()).finish(), || event(told));
        String::from_utf8(page.0.lock().unwrap().clone()).unwrap()
    }

    #[test]
    fn t4_k1_what_people_must_know_of_positions_is_logged_with_its_figures() {
        let (symbol, at) = (Symbol::clipped("BTCUSDT"), Timestamp(0));
        let (was, size) = (Quantity(Decimal::new(3, 1)), Quantity(Decimal::new(7, 1)));
        let adopted = Event::PositionAdopted {
            symbol,
            was,
            size,
            entry: None,
            as_of: ExchangeTime(0),
            mark: Mark::default(),
            evidence: Seq(1),
            at,
        };
        let differs = Event::PositionDiffers { symbol, ours: was, theirs: size, since: at };
        for (told, level) in [(adopted, "WARN"), (differs, "ERROR"), (Event::PositionDoubted { symbol }, "WARN")] {
            let line = logged(&told);
            assert!(line.contains(level) && line.contains("BTCUSDT"), "{line}");
            assert!(level != "ERROR" || (line.contains("0.3") && line.contains("0.7")), "{line}");
        }
    }
}
