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
        Event::OpeningHalted { symbol, why } => tracing::error!(asset = %symbol, why = %why, "opening halted"),
        Event::Defect { what, .. } => tracing::error!(what = %what, "defect"),
        Event::DeadLettered { .. } | Event::Quarantined { .. } | Event::IntakePaused { .. } => {
            tracing::warn!(event = words(), "set aside");
        }
        Event::Started { life } => tracing::info!(life, "started"),
        _ => tracing::debug!(event = words(), "event"),
    }
}
