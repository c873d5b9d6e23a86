//! REST: the face answers; the faults come between it and the client.

use super::hub::Hub;
use crate::exchange::face::{self, WireReply, WireRequest};
use crate::faults::Faults;
use crate::link::{BANNED, OVERTAKEN};
use crate::scenario::{Answer, Effect, Message};
use order_manager_core::bybit::{LimitHeaders, Operation};
use order_manager_core::unit::Span;
use std::sync::Arc;
use std::time::Duration;

/// Answers one request; none where the reply, or the request itself, is lost.
pub(super) async fn answer(hub: Arc<Hub>, wire: WireRequest) -> Option<WireReply> {
    let Ok(permit) = Arc::clone(&hub.requests).try_acquire_owned() else { return Some(status(503)) };
    // In a task of its own: a client that leaves does not take back what it has sent.
    let work = tokio::spawn(async move {
        let _permit = permit;
        carry(&hub, &wire).await
    });
    work.await.unwrap_or_else(|_panicked| Some(status(500)))
}

async fn carry(hub: &Hub, wire: &WireRequest) -> Option<WireReply> {
    hub.awake().await;
    let Some(operation) = face::operation(wire) else {
        return Some(hub.with(|state, now| face::serve(&mut state.exchange, now, wire, &hub.credentials)));
    };
    let copies = match hub.with(|state, _| effect_on(&mut state.faults, Message::Request(operation))) {
        Some(Effect::Drop | Effect::Refuse | Effect::Reset(_)) => return None,
        Some(Effect::Delay(by) | Effect::Reorder(by)) => {
            wait(by).await;
            1
        }
        Some(Effect::Duplicate) => 2,
        None => 1,
    };
    let reply = serve(hub, operation, wire);
    if copies > 1 {
        // The client sees one reply; what the second copy did stands in the truth.
        serve(hub, operation, wire);
    }
    let (overtaken, effect) = hub
        .with(|state, _| (state.faults.push_first(operation), effect_on(&mut state.faults, Message::Reply(operation))));
    if overtaken {
        wait(OVERTAKEN).await;
    }
    match effect {
        Some(Effect::Drop | Effect::Refuse | Effect::Reset(_)) => return None,
        Some(Effect::Delay(by) | Effect::Reorder(by)) => wait(by).await,
        Some(Effect::Duplicate) | None => {}
    }
    hub.awake().await;
    Some(reply)
}

fn effect_on(faults: &mut Faults, message: Message) -> Option<Effect> {
    faults.carry(message).map(|(_, effect)| effect)
}

/// The exchange answers, or says what a fault wants it to say.
fn serve(hub: &Hub, operation: Operation, wire: &WireRequest) -> WireReply {
    hub.with(|state, now| {
        if state.faults.is_banned(now) {
            return status(BANNED);
        }
        let forced = state.faults.answer(operation);
        let exchange = &mut state.exchange;
        match forced {
            Some((Answer::Status(code), executed)) => {
                if executed {
                    face::serve(exchange, now, wire, &hub.credentials);
                }
                status(code)
            }
            Some((Answer::Code(code), executed)) => {
                exchange.knobs_mut().retcode_next(operation, code, executed);
                face::serve(exchange, now, wire, &hub.credentials)
            }
            None => face::serve(exchange, now, wire, &hub.credentials),
        }
    })
}

/// What a gateway in front of the exchange says (1.4): no JSON.
pub(super) fn status(status: u16) -> WireReply {
    let body = format!("<html><body>{status}</body></html>").into_bytes();
    WireReply { status, limits: LimitHeaders::default(), body }
}

async fn wait(span: Span) {
    tokio::time::sleep(Duration::from_micros(span.0)).await;
}
