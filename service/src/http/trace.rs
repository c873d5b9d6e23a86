//! The outermost layer: a trace id for every call, its reply and its log line; the envelope of errors; a reply
//! even where a handler panics (spec S9, A3).

use super::error::{self, ApiError};
use super::keys::Caller;
use crate::trace_id;
use axum::extract::Request;
use axum::http::{HeaderMap, HeaderName, HeaderValue};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use futures_util::FutureExt;
use order_manager_core::unit::{SignalId, TraceId};
use std::panic::AssertUnwindSafe;
use std::time::Instant;

/// Carries the trace id both ways.
const TRACE: HeaderName = HeaderName::from_static("x-trace-id");

/// The caller's own trace id, if it gave one that can be kept.
#[derive(Clone, Copy, Debug)]
pub(super) struct Adopted(pub(super) Option<TraceId>);

/// What a reply is about: handlers put it among the response's extensions.
#[derive(Clone, Copy, Debug)]
pub(super) struct Subject {
    /// Instead of the call's own trace id.
    pub(super) trace: Option<TraceId>,
    /// For the log.
    pub(super) signal: Option<SignalId>,
}

/// Runs a call and logs one line of it. Never logs the query, which may hold a key.
pub(super) async fn follow(mut request: Request, next: Next) -> Response {
    let started = Instant::now();
    let adopted = adopted(request.headers());
    request.extensions_mut().insert(Adopted(adopted));
    let (method, path) = (request.method().clone(), clipped(request.uri().path()));
    let answered = AssertUnwindSafe(next.run(request)).catch_unwind().await;
    let panicked = answered.is_err();
    let response = answered.unwrap_or_else(|_| ApiError::internal().into_response());

    let subject = response.extensions().get::<Subject>().copied();
    let trace = subject.and_then(|subject| subject.trace).or(adopted).unwrap_or_else(trace_id::fresh);
    let mut response = error::render(response, trace.as_str());
    if let Ok(value) = HeaderValue::from_str(trace.as_str()) {
        response.headers_mut().insert(TRACE, value);
    }
    let status = response.status().as_u16();
    let latency_ms = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
    let signal_id = subject.and_then(|subject| subject.signal).map(|id| id.to_string());
    let signal_id = signal_id.as_deref();
    let caller = response.extensions().get::<Caller>().cloned();
    let (key, trace_id) = (caller.as_ref().map(|caller| &*caller.name), trace.as_str());
    match status {
        _ if panicked => tracing::error!(%method, path, status, latency_ms, trace_id, key, "a handler panicked"),
        500.. => tracing::warn!(%method, path, status, latency_ms, trace_id, key, signal_id, "request"),
        _ => tracing::info!(%method, path, status, latency_ms, trace_id, key, signal_id, "request"),
    }
    response
}

/// One that is empty, over 100 bytes or not visible ASCII is passed over: a header must not cost a signal.
fn adopted(headers: &HeaderMap) -> Option<TraceId> {
    let text = headers.get(TRACE)?.to_str().ok()?.trim();
    TraceId::new(text).ok().filter(|trace| !trace.is_empty())
}

/// A path for the log; callers decide how long it is.
fn clipped(path: &str) -> String {
    path.chars().take(200).collect()
}
