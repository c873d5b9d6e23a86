//! Signals in over HTTP, by the same path as from a broker (spec S1), and what became of them.

use super::ApiState;
use super::error::{ApiError, Detail};
use super::letters::unreadable;
use super::query::{Faults, Params};
use super::trace::{Adopted, Subject};
use super::views::SignalView;
use crate::desk::DeskError;
use axum::body::Body;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::http::header::{CONTENT_LENGTH, LOCATION};
use axum::http::{HeaderMap, HeaderValue, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use order_manager_core::command::Receipt;
use order_manager_core::intake::{self, BODY_MAX, Fault};
use order_manager_core::outcome::Outcome;
use order_manager_core::unit::{SignalId, TraceId};
use serde::Serialize;
use std::time::Duration;
use tokio::time::{Instant, timeout, timeout_at};

/// Takes a signal: 202 when its intake is durable; 200 where its outcome is known, because it was waited for or
/// because this is a duplicate; else an error that says whether it was taken.
pub(super) async fn bring(
    State(api): State<ApiState>,
    Extension(Adopted(adopted)): Extension<Adopted>,
    headers: HeaderMap,
    uri: Uri,
    body: Body,
) -> Response {
    let mut subject = Subject { trace: adopted, signal: None };
    let answer = take(&api, &headers, &uri, body, &mut subject).await;
    let mut response = answer.unwrap_or_else(IntoResponse::into_response);
    response.extensions_mut().insert(subject);
    response
}

/// One signal with its state, verdicts and orders.
pub(super) async fn one(
    State(api): State<ApiState>,
    id: Result<Path<String>, PathRejection>,
) -> Result<Json<SignalView>, ApiError> {
    let id = id.map(|Path(id)| id).unwrap_or_default();
    let mut faults = Faults::default();
    let parsed = SignalId::parse(&id).map_err(|not| faults.unprocessable("signal_id", &id, &not.to_string()));
    faults.none()?;
    let found = match parsed {
        Ok(id) => api.books.signal(id).await.map_err(unreadable)?,
        Err(()) => None,
    };
    found.map(Json).ok_or_else(|| {
        let remedy = "send it to POST /api/v1/signals; if it was sent, GET /api/v1/dead-letters may have it";
        ApiError::new(StatusCode::NOT_FOUND, "signal_not_found", format!("Signal not found: {id}"), remedy)
            .field("signal_id")
    })
}

async fn take(
    api: &ApiState,
    headers: &HeaderMap,
    uri: &Uri,
    body: Body,
    subject: &mut Subject,
) -> Result<Response, ApiError> {
    let wait = wait(api, uri)?;
    let body = read(api, headers, body).await?;
    let adopted = subject.trace;
    // The reply names the trace id that the core will use: the header's, else the body's, else the signal's own.
    (subject.trace, subject.signal) = match intake::decode(&body, adopted.as_ref().map(|trace| trace.as_str())) {
        Ok(signal) => (Some(signal.trace), Some(signal.id)),
        Err(bad) => (bad.known.map(|known| known.trace).or(adopted), bad.known.map(|known| known.id)),
    };
    let limit = api.limits.answer;
    let unsure = "it may have been taken: send it again, its signal_id keeps it from being carried out twice";
    let receipt = timeout(limit, api.desk.bring(adopted, body)).await.map_err(|_| ApiError::timeout(limit, unsure))?;
    let (signal, is_duplicate, outcome) = match receipt.map_err(|error| refused(&error))? {
        Receipt::Accepted(id) => (id, false, None),
        Receipt::Duplicate(id, outcome) => (id, true, outcome),
        Receipt::Conflict(id) => return Err(conflict(id)),
        Receipt::Rejected(_, faults) => return Err(invalid(&faults, "it is kept as a rejected order")),
        Receipt::DeadLettered(faults) => return Err(invalid(&faults, "it is kept among the dead letters")),
        Receipt::Paused => return Err(paused()),
    };
    let wait = if outcome.is_some() { Duration::ZERO } else { wait };
    let view = if wait.is_zero() && !is_duplicate { None } else { settled(api, signal, wait).await };
    Ok(taken(signal, is_duplicate, outcome, view, subject.trace))
}

/// `?wait=ms`, bounded.
fn wait(api: &ApiState, uri: &Uri) -> Result<Duration, ApiError> {
    let max = u64::try_from(api.limits.wait_max.as_millis()).unwrap_or(u64::MAX);
    let mut faults = Faults::default();
    let millis = faults.number(&Params::of(uri), "wait", 0..=max).unwrap_or(0);
    faults.none().map(|()| Duration::from_millis(millis))
}

/// The body, bounded in size before it is read and in time while it is.
async fn read(api: &ApiState, headers: &HeaderMap, body: Body) -> Result<Vec<u8>, ApiError> {
    let too_large = || {
        let message = format!("the body is over {BODY_MAX} bytes; it was not taken");
        ApiError::new(StatusCode::PAYLOAD_TOO_LARGE, "body_too_large", message, "send one signal without extras")
            .field("body")
    };
    let announced = headers.get(CONTENT_LENGTH).and_then(|len| len.to_str().ok()?.parse::<u64>().ok());
    if announced.is_some_and(|len| usize::try_from(len).map_or(true, |len| len > BODY_MAX)) {
        return Err(too_large());
    }
    let limit = api.limits.answer;
    let late = |_| ApiError::timeout(limit, "send the whole body at once; it was not taken");
    match timeout(limit, axum::body::to_bytes(body, BODY_MAX)).await.map_err(late)? {
        Ok(bytes) => Ok(bytes.to_vec()),
        Err(error) if is_too_large(&error) => Err(too_large()),
        Err(error) => {
            let message = format!("the body broke off ({error}); it was not taken");
            Err(ApiError::new(StatusCode::BAD_REQUEST, "body_broke_off", message, "send it again").field("body"))
        }
    }
}

fn is_too_large(error: &axum::Error) -> bool {
    let mut source = std::error::Error::source(error);
    while let Some(error) = source {
        if error.is::<http_body_util::LengthLimitError>() {
            return true;
        }
        source = error.source();
    }
    false
}

/// How often a waiting call looks even if nothing says that something was committed.
const LOOK_AGAIN: Duration = Duration::from_millis(250);

/// The signal once it is settled, or as it is when the time is over. None where the store does not tell: the
/// signal is taken all the same.
async fn settled(api: &ApiState, id: SignalId, wait: Duration) -> Option<SignalView> {
    let permit = api.waits.try_acquire();
    let until = Instant::now() + if permit.is_ok() { wait } else { Duration::ZERO };
    let mut news = api.desk.committed();
    loop {
        news.borrow_and_update();
        let view = match timeout(api.limits.answer, api.books.signal(id)).await {
            Ok(Ok(view)) => view,
            Ok(Err(error)) => {
                tracing::warn!(%error, signal_id = %id, "a taken signal cannot be shown");
                return None;
            }
            Err(_) => return None,
        };
        let is_settled = view.as_ref().is_some_and(|view| view.state == "settled");
        let now = Instant::now();
        if is_settled || now >= until {
            return view;
        }
        if let Ok(Err(_ended)) = timeout_at(until.min(now + LOOK_AGAIN), news.changed()).await {
            return view;
        }
    }
}

#[derive(Serialize)]
struct Taken {
    signal_id: SignalId,
    status: &'static str,
    outcome: Option<String>,
    code: Option<String>,
    trace_id: Option<TraceId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    signal: Option<SignalView>,
}

/// The receipt's word on the outcome counts; the store's view may be younger and fills in what it left open.
fn taken(
    id: SignalId,
    is_duplicate: bool,
    outcome: Option<Outcome>,
    signal: Option<SignalView>,
    trace: Option<TraceId>,
) -> Response {
    let (outcome, code) = match outcome {
        Some(Outcome::Placed) => (Some("placed".to_owned()), None),
        Some(Outcome::Rejected(code)) => (Some("rejected".to_owned()), Some(code.to_string())),
        None => signal.as_ref().map_or((None, None), |view| (view.outcome.clone(), view.code.clone())),
    };
    let status = if is_duplicate || outcome.is_some() { StatusCode::OK } else { StatusCode::ACCEPTED };
    let word = if is_duplicate { "duplicate" } else { "accepted" };
    let body = Taken { signal_id: id, status: word, outcome, code, trace_id: trace, signal };
    let mut response = (status, Json(body)).into_response();
    if let Ok(place) = HeaderValue::from_str(&format!("/api/v1/signals/{id}")) {
        response.headers_mut().insert(LOCATION, place);
    }
    response
}

fn conflict(id: SignalId) -> ApiError {
    let message = format!("signal {id} is known with another content; this one was not taken");
    let remedy = "give a new signal its own signal_id; GET /api/v1/signals/{signal_id} shows the first";
    ApiError::new(StatusCode::CONFLICT, "conflict", message, remedy).field("signal_id")
}

fn invalid(faults: &[Fault], kept: &str) -> ApiError {
    let all: Vec<String> = faults.iter().map(ToString::to_string).collect();
    let message = format!("not a signal, {kept}: {}", all.join("; "));
    let remedy = "correct every field named in details and send it under a new signal_id";
    ApiError::new(StatusCode::UNPROCESSABLE_ENTITY, "validation", message, remedy)
        .details(faults.iter().map(Detail::from).collect())
}

fn paused() -> ApiError {
    let message = "intake is paused: as many signals wait as may; this one was not taken".to_owned();
    let remedy = "wait for Retry-After and send it again; GET /api/v1/orders?status=pending shows what is open";
    ApiError::new(StatusCode::SERVICE_UNAVAILABLE, "intake_paused", message, remedy).retry_after(RETRY)
}

const RETRY: Duration = Duration::from_secs(5);

fn refused(error: &DeskError) -> ApiError {
    let code = match error {
        DeskError::StoreDown => return ApiError::store_down(),
        DeskError::Full { .. } => "intake_full",
        DeskError::ShuttingDown => "shutting_down",
    };
    let remedy = "wait for Retry-After and send it again; it is not carried out twice";
    ApiError::new(StatusCode::SERVICE_UNAVAILABLE, code, error.to_string(), remedy).retry_after(RETRY)
}
