use super::*;

pub(super) fn message(id: i64, asset: &str, event_type: &str) -> OutboxMessage {
    OutboxMessage {
        id,
        event_id: format!("event-{id}"),
        asset: asset.into(),
        event_type: event_type.into(),
        trace_id: format!("trace-{id}"),
        body: format!(r#"{{"event_id":"event-{id}"}}"#),
    }
}
