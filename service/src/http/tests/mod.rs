//! Every route and every status, against a desk and books that are held in memory.

mod auth;
mod errors;
mod events;
mod fakes;
mod health;
mod listen;
mod logs;
mod orders;
mod positions;
mod signals;

use super::*;
use axum::body::Body;
use axum::http::{HeaderMap, Request};
use fakes::{FakeBooks, FakeDesk};
use serde_json::Value;
use tower::ServiceExt;

/// The API with its fakes and three keys: `r-key`, `s-key`, `o-key`.
struct Api {
    router: Router,
    desk: Arc<FakeDesk>,
    books: Arc<FakeBooks>,
    keys: Keys,
}

struct Reply {
    status: u16,
    headers: HeaderMap,
    text: String,
    json: Value,
}

impl Reply {
    fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }
    /// The envelope's `error`, after a look at the parts that every one has.
    fn error(&self) -> &Value {
        let error = &self.json["error"];
        for key in ["type", "code", "message", "remedy"] {
            assert!(error[key].as_str().is_some_and(|text| !text.is_empty()), "{key} of {}", self.text);
        }
        assert_eq!(error["trace_id"], self.header("x-trace-id"), "{}", self.text);
        assert!(self.json["timestamp"].as_str().unwrap().ends_with('Z'), "{}", self.text);
        assert!(self.header("content-type").starts_with("application/json"));
        error
    }
    fn code(&self) -> &str {
        self.error()["code"].as_str().unwrap()
    }
}

fn three_keys() -> Keys {
    logs::collect();
    let key = |name, role, secret| Key::new(name, role, secret).unwrap();
    let (read, signal) = (key("grafana", Role::Read, "r-key"), key("model", Role::Signal, "s-key"));
    Keys::new(vec![read, signal, key("desk", Role::Operate, "o-key")])
}

fn api() -> Api {
    api_with(three_keys(), Limits::default())
}

fn api_with(keys: Keys, limits: Limits) -> Api {
    logs::collect();
    let (desk, books) = (Arc::new(FakeDesk::default()), Arc::new(FakeBooks::default()));
    let state = ApiState::with_limits(desk.clone(), books.clone(), keys.clone(), limits);
    Api { router: router(state), desk, books, keys }
}

impl Api {
    async fn send(&self, request: Request<Body>) -> Reply {
        let response = self.router.clone().oneshot(request).await.unwrap();
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let bytes = axum::body::to_bytes(response.into_body(), usize::MAX).await.unwrap();
        let text = String::from_utf8(bytes.to_vec()).unwrap();
        Reply { status, headers, json: serde_json::from_str(&text).unwrap_or_default(), text }
    }
    async fn get(&self, path: &str) -> Reply {
        self.send(request("GET", path, &[("x-api-key", "r-key")], "")).await
    }
    async fn post(&self, path: &str, body: &str) -> Reply {
        self.send(request("POST", path, &[("x-api-key", "s-key")], body)).await
    }
}

fn request(method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> Request<Body> {
    let request = Request::builder().method(method).uri(path);
    let request = headers.iter().fold(request, |request, (name, value)| request.header(*name, *value));
    request.body(Body::from(body.to_owned())).unwrap()
}
