//! One neighbour's HTTP API: a key, a time limit, a bounded answer, and one try.

use super::Neighbour;
use crate::exchange::words;
use order_manager_core::unit::Text;
use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue, RETRY_AFTER};
use reqwest::{Method, Url};
use secrecy::ExposeSecret;
use std::time::Duration;

/// Connecting takes no longer.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);
/// A larger answer is none of a neighbour's.
const BODY_MAX: usize = 256 << 10;
/// What of an error's words is kept.
const SAID_MAX: usize = 200;

const KEY: HeaderName = HeaderName::from_static("x-api-key");
const TRACE: HeaderName = HeaderName::from_static("x-trace-id");

/// Why there is no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Failure {
    /// Not a byte of the request left.
    #[error("cannot be reached: {0}")]
    NotSent(Text<96>),
    /// It left, and no whole answer came.
    #[error("did not answer: {0}")]
    Lost(Text<96>),
}

/// An answer.
#[derive(Debug)]
pub(super) struct Reply {
    pub(super) status: u16,
    pub(super) retry_after: Option<Duration>,
    pub(super) body: Vec<u8>,
}

/// A client of one neighbour. Connections are kept and used again.
#[derive(Clone, Debug)]
pub(super) struct Client {
    http: reqwest::Client,
    base: String,
    neighbour: Neighbour,
}

impl Client {
    /// Prepares it; connects to nothing yet.
    pub(super) fn new(neighbour: Neighbour, timeout: Duration) -> reqwest::Result<Self> {
        let mut headers = HeaderMap::new();
        // The configuration lets no key in that a header cannot carry.
        if let Ok(mut key) = HeaderValue::from_str(neighbour.key.expose_secret()) {
            key.set_sensitive(true);
            headers.insert(KEY, key);
        }
        let http = reqwest::Client::builder()
            .default_headers(headers)
            .connect_timeout(CONNECT_TIMEOUT)
            .timeout(timeout)
            .retry(reqwest::retry::never())
            .redirect(reqwest::redirect::Policy::none())
            .http1_only()
            // A proxy that happens to stand in the environment has no business with our key.
            .no_proxy()
            .build()?;
        Ok(Self { http, base: neighbour.base.clone(), neighbour })
    }

    /// The address of a route: its segments, which may hold anything, and its parameters.
    pub(super) fn url(&self, segments: &[&str], parameters: &[(&str, &str)]) -> Result<Url, Failure> {
        let bad = |why: &str| Failure::NotSent(Text::clipped(why));
        let mut url = Url::parse(&self.base).map_err(|error| bad(&error.to_string()))?;
        url.path_segments_mut().map_err(|()| bad("its address is no base of others"))?.pop_if_empty().extend(segments);
        if !parameters.is_empty() {
            url.query_pairs_mut().extend_pairs(parameters);
        }
        Ok(url)
    }

    /// Sends a request and reads its answer, whatever it says.
    pub(super) async fn send(
        &self,
        method: Method,
        url: Url,
        json: Option<String>,
        trace: Option<&str>,
    ) -> Result<Reply, Failure> {
        let mut request = self.http.request(method, url);
        if let Some(trace) = trace {
            request = request.header(TRACE, trace);
        }
        if let Some(json) = json {
            request = request.header(CONTENT_TYPE, "application/json").body(json);
        }
        let mut response = request.send().await.map_err(|error| {
            let why = words(&error);
            // Refused before a connection stood: not a byte of the request left.
            if error.is_connect() || error.is_builder() { Failure::NotSent(why) } else { Failure::Lost(why) }
        })?;
        let retry_after = response.headers().get(RETRY_AFTER);
        let retry_after = retry_after.and_then(|value| value.to_str().ok()?.parse().ok()).map(Duration::from_secs);
        let mut reply = Reply { status: response.status().as_u16(), retry_after, body: Vec::new() };
        loop {
            match response.chunk().await {
                Ok(Some(chunk)) if reply.body.len() + chunk.len() <= BODY_MAX => reply.body.extend_from_slice(&chunk),
                Ok(Some(_)) => return Err(Failure::Lost(Text::clipped("the answer is larger than 256 KiB"))),
                Ok(None) => return Ok(reply),
                Err(error) => return Err(Failure::Lost(words(&error))),
            }
        }
    }

    /// What a refusal says of itself, in one short line and without our key, should it quote that. Both neighbours
    /// have several envelopes: `{"detail": "..."}`, `{"detail": {"error", "code"}}`, `{"detail": [{"loc", "msg"}]}`,
    /// `{"error", "code"}`, `{"error_code", "message"}`.
    pub(super) fn said(&self, body: &[u8]) -> String {
        let json: serde_json::Value = serde_json::from_slice(body).unwrap_or_default();
        let inner = json.get("detail").unwrap_or(&json);
        let part = |name: &str| inner.get(name).and_then(serde_json::Value::as_str);
        let text = match (inner.as_str(), part("error").or(part("message")), part("code").or(part("error_code"))) {
            (Some(text), _, _) => text.to_owned(),
            (None, Some(text), Some(code)) => format!("{text} ({code})"),
            (None, Some(text), None) => text.to_owned(),
            (None, None, _) => String::from_utf8_lossy(body).into_owned(),
        };
        let text = text.replace(self.neighbour.key.expose_secret(), "(our key)");
        text.chars().map(|char| if char.is_control() { ' ' } else { char }).take(SAID_MAX).collect()
    }
}
