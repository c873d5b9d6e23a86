use super::*;
use order_manager_core::unit::SignalId;

pub(crate) fn message(id: i64, asset: &str, event_type: &str) -> OutboxMessage {
    OutboxMessage {
        id,
        event_id: SignalId(u128::from(id.unsigned_abs())),
        asset: asset.into(),
        event_type: event_type.into(),
        trace_id: format!("trace-{id}"),
        body: format!("{id}"),
    }
}
