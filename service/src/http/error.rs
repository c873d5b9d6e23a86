//! The one envelope of all errors but 401 (wire-contracts.md 2.1, spec A1).

use axum::Json;
use axum::http::header::RETRY_AFTER;
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use order_manager_core::intake::Fault;
use serde::Serialize;
use std::time::Duration;

/// What is wrong with one field.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(super) struct Detail {
    pub(super) field: String,
    pub(super) value: String,
    pub(super) reason: String,
}

impl From<&Fault> for Detail {
    fn from(fault: &Fault) -> Self {
        let [field, value, reason] = [fault.field.as_str(), fault.value.as_str(), fault.reason.as_str()];
        Self { field: field.to_owned(), value: value.to_owned(), reason: reason.to_owned() }
    }
}

#[derive(Clone, Debug, Serialize)]
struct Body {
    r#type: &'static str,
    code: &'static str,
    message: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    field: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    details: Vec<Detail>,
    remedy: String,
}

/// An error on its way to the caller. Rendered at the outermost layer, where the trace id is known.
#[derive(Clone, Debug)]
pub(super) struct ApiError(Box<Inner>);

#[derive(Clone, Debug)]
struct Inner {
    status: StatusCode,
    retry_after: Option<Duration>,
    body: Body,
}

impl ApiError {
    /// `code` is for machines and never renamed; `message` says what and which value; `remedy` what to do.
    pub(super) fn new(status: StatusCode, code: &'static str, message: String, remedy: &str) -> Self {
        let kind = match (status, code) {
            (StatusCode::UNPROCESSABLE_ENTITY, _) => "ValidationError",
            (StatusCode::INTERNAL_SERVER_ERROR, _) => "InternalServerError",
            (_, STORE_DOWN) => "DatabaseError",
            _ => "HTTPException",
        };
        let body = Body { r#type: kind, code, message, field: None, details: Vec::new(), remedy: remedy.to_owned() };
        Self(Box::new(Inner { status, retry_after: None, body }))
    }

    /// The field that it is about.
    pub(super) fn field(mut self, field: &str) -> Self {
        self.0.body.field = Some(field.to_owned());
        self
    }

    /// All that is wrong; the first names the field.
    pub(super) fn details(mut self, details: Vec<Detail>) -> Self {
        self.0.body.field = details.first().map(|first| first.field.clone());
        self.0.body.details = details;
        self
    }

    /// When to try again.
    pub(super) fn retry_after(mut self, after: Duration) -> Self {
        self.0.retry_after = Some(after);
        self
    }

    /// The store cannot be read or written (spec T6).
    pub(super) fn store_down() -> Self {
        let remedy = "wait for Retry-After and try again; a signal sent again is not carried out twice";
        let message = "the store is not available".to_owned();
        Self::new(StatusCode::SERVICE_UNAVAILABLE, STORE_DOWN, message, remedy).retry_after(Duration::from_secs(5))
    }

    /// A defect of ours.
    pub(super) fn internal() -> Self {
        let message = "An unexpected error occurred".to_owned();
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "internal_error", message, "report it with the trace id")
    }

    /// No answer in time.
    pub(super) fn timeout(limit: Duration, remedy: &str) -> Self {
        let message = format!("no answer within {} ms", limit.as_millis());
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "timeout", message, remedy).retry_after(Duration::from_secs(1))
    }
}

const STORE_DOWN: &str = "store_down";

impl IntoResponse for ApiError {
    /// Without the body; [`render`] adds it.
    fn into_response(self) -> Response {
        let mut response = self.0.status.into_response();
        response.extensions_mut().insert(self);
        response
    }
}

/// Gives an error its envelope; anything else passes as it is.
pub(super) fn render(mut response: Response, trace: &str) -> Response {
    #[derive(Serialize)]
    struct Traced<'a> {
        #[serde(flatten)]
        body: &'a Body,
        trace_id: &'a str,
    }
    #[derive(Serialize)]
    struct Envelope<'a> {
        error: Traced<'a>,
        timestamp: String,
    }
    let Some(ApiError(inner)) = response.extensions_mut().remove::<ApiError>() else { return response };
    let extensions = std::mem::take(response.extensions_mut()); // who called, for the log
    let error = Traced { body: &inner.body, trace_id: trace };
    let envelope = Json(Envelope { error, timestamp: super::now().to_string() });
    let mut response = (inner.status, envelope).into_response();
    response.extensions_mut().extend(extensions);
    if let Some(after) = inner.retry_after {
        response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(after.as_secs()));
    }
    response
}
