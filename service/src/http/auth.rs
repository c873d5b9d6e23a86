//! Who may come in (spec A1, wire-contracts.md 2.1). Everything under `/api` needs a key, known routes or not.

use super::ApiState;
use super::error::ApiError;
use super::keys::{Caller, Role};
use super::query::Params;
use axum::Json;
use axum::extract::{Request, State};
use axum::http::header::{HOST, ORIGIN};
use axum::http::{HeaderMap, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use std::net::IpAddr;

/// Lets a call with a valid key pass, and tells the routes its role.
pub(super) async fn admit(State(api): State<ApiState>, mut request: Request, next: Next) -> Response {
    if !request.uri().path().starts_with("/api") {
        return next.run(request).await;
    }
    let caller = match caller(&api, &request) {
        Ok(caller) => caller,
        Err(refused) => return *refused,
    };
    request.extensions_mut().insert(caller.clone());
    let mut response = next.run(request).await;
    response.extensions_mut().insert(caller);
    response
}

/// Lets a call pass whose key has this role.
pub(super) async fn require(State(needed): State<Role>, request: Request, next: Next) -> Response {
    let held = request.extensions().get::<Caller>().map(|caller| caller.role);
    if held.is_some_and(|held| held >= needed) {
        return next.run(request).await;
    }
    let [needed, held] = [Some(needed), held].map(|role| role.map_or("no", Role::as_str));
    let message = format!("this needs a key with the role {needed}; the key has the role {held}");
    ApiError::new(StatusCode::FORBIDDEN, "role_too_low", message, "use a key with that role").into_response()
}

fn caller(api: &ApiState, request: &Request) -> Result<Caller, Box<Response>> {
    if api.keys.is_empty() {
        return match is_local(request.headers()) {
            true => Ok(Caller { name: "none".into(), role: Role::Operate }),
            false => Err(Box::new(not_local().into_response())),
        };
    }
    let header = request.headers().get("x-api-key").map(|value| value.as_bytes().to_vec());
    let query = || Params::of(request.uri()).get("api_key").map(|key| key.as_bytes().to_vec());
    let Some(key) = header.filter(|key| !key.is_empty()).or_else(query) else {
        return Err(Box::new(unauthorized("Missing API key", "missing_api_key")));
    };
    api.keys.find(&key).ok_or_else(|| Box::new(unauthorized("Invalid API key", "invalid_api_key")))
}

/// The predecessor's body, byte for byte but for white space.
fn unauthorized(error: &str, reason: &str) -> Response {
    #[derive(serde::Serialize)]
    struct Details<'a> {
        reason: &'a str,
    }
    #[derive(serde::Serialize)]
    struct Body<'a> {
        error: &'a str,
        code: &'a str,
        details: Details<'a>,
    }
    let body = Body { error, code: "AUTHENTICATION_FAILED", details: Details { reason } };
    (StatusCode::UNAUTHORIZED, Json(body)).into_response()
}

/// Without keys only this machine reaches us; but any page in a browser on it does too, and could send signals.
/// Such a call names the page's origin, or a host that is not this machine.
fn is_local(headers: &HeaderMap) -> bool {
    let host = headers.get_all(HOST).iter().all(|host| host.to_str().is_ok_and(is_loopback));
    let origin = headers.get_all(ORIGIN).iter().all(|origin| {
        origin.to_str().ok().and_then(|origin| origin.split_once("://")).is_some_and(|(_, host)| is_loopback(host))
    });
    host && origin
}

/// `host` or `host:port`.
fn is_loopback(authority: &str) -> bool {
    let host = match authority.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((host, _)) => host,
        None => authority.split_once(':').map_or(authority, |(host, _)| host),
    };
    host.eq_ignore_ascii_case("localhost") || host.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

fn not_local() -> ApiError {
    let message = "without an API key only programs of this machine are served, and no web pages".to_owned();
    let remedy = "call http://127.0.0.1, or set ORDERMANAGER_API_KEY and send it as X-API-Key";
    ApiError::new(StatusCode::FORBIDDEN, "not_local", message, remedy)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn loopback_by_any_name() {
        for host in ["localhost", "LocalHost:4600", "127.0.0.1:4600", "127.1.2.3", "[::1]:4600", "[::1]"] {
            assert!(is_loopback(host), "{host}");
        }
        for host in ["", "evil.example", "localhost.evil.example:4600", "10.0.0.1:4600", "[::2]:4600", "127.0.0.1.x"] {
            assert!(!is_loopback(host), "{host}");
        }
    }
}
