//! What both fakes are made of: a socket that can be taken away and comes back, a key, and a log of what was asked.

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::http::header::{CONNECTION, CONTENT_TYPE};
use axum::http::{HeaderValue, StatusCode};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// Nothing that a test waits for takes longer on a busy machine.
const PATIENCE: Duration = Duration::from_secs(30);

/// One request, as it came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Asked {
    /// `GET /api/v1/positions/BTCUSDT`
    pub(crate) route: String,
    /// What stands behind the question mark.
    pub(crate) query: String,
    /// `X-Trace-Id`
    pub(crate) trace: Option<String>,
    /// `X-API-Key`
    pub(crate) key: Option<String>,
    /// Its body.
    pub(crate) body: String,
}

/// An answer that is given once, instead of the usual one.
#[derive(Clone, Debug)]
pub(crate) enum Planned {
    /// This one.
    Answer(u16, String),
    /// This one with a header.
    With(u16, &'static str, &'static str),
    /// None, ever.
    Silence,
}

/// What both fakes share.
#[derive(Debug)]
struct Shared {
    key: &'static str,
    /// The body of a 401.
    unauthorized: &'static str,
    asked: watch::Sender<Vec<Asked>>,
    planned: Mutex<VecDeque<(String, Planned)>>,
}

/// A server on a port of its own. Connections are closed after each answer: so taking it away takes all of it.
#[derive(Debug)]
pub(crate) struct Server {
    address: SocketAddr,
    router: Router,
    shared: Arc<Shared>,
    task: Option<JoinHandle<()>>,
}

impl Server {
    /// Starts; every route but `/health` wants the key.
    pub(crate) async fn start(router: Router, key: &'static str, unauthorized: &'static str) -> Self {
        let shared = Shared { key, unauthorized, asked: watch::Sender::default(), planned: Mutex::default() };
        let shared = Arc::new(shared);
        let router = router.layer(from_fn_with_state(Arc::clone(&shared), admit));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let task = Some(tokio::spawn(serve(listener, router.clone())));
        Self { address, router, shared, task }
    }

    /// `http://127.0.0.1:port`
    pub(crate) fn base(&self) -> String {
        format!("http://{}", self.address)
    }

    /// `127.0.0.1` and the port, as two settings.
    pub(crate) fn host_and_port(&self) -> (String, String) {
        (self.address.ip().to_string(), self.address.port().to_string())
    }

    /// The next request of this route, such as `GET /health`, is answered so.
    pub(crate) fn plan(&self, route: &str, planned: Planned) {
        self.shared.planned.lock().unwrap().push_back((route.to_owned(), planned));
    }

    /// Everything asked so far.
    pub(crate) fn asked(&self) -> Vec<Asked> {
        self.shared.asked.borrow().clone()
    }

    /// How often a route was asked.
    pub(crate) fn count(&self, route: &str) -> usize {
        self.shared.asked.borrow().iter().filter(|asked| asked.route == route).count()
    }

    /// Waits until a route was asked this often.
    pub(crate) async fn until(&self, route: &str, count: usize) {
        let mut asked = self.shared.asked.subscribe();
        let there = asked.wait_for(|asked| asked.iter().filter(|asked| asked.route == route).count() >= count);
        let waited = tokio::time::timeout(PATIENCE, there).await;
        assert!(waited.is_ok(), "{route} was not asked {count} times, but: {:?}", self.asked());
    }

    /// Takes the server away: connections are refused from now on.
    pub(crate) async fn stop(&mut self) {
        if let Some(task) = self.task.take() {
            task.abort();
            let _aborted = task.await;
        }
    }

    /// Brings it back on the same port, with what it knew.
    pub(crate) async fn start_again(&mut self) {
        let listener = TcpListener::bind(self.address).await.unwrap();
        self.task = Some(tokio::spawn(serve(listener, self.router.clone())));
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Some(task) = &self.task {
            task.abort();
        }
    }
}

async fn serve(listener: TcpListener, router: Router) {
    axum::serve(listener, router).await.unwrap();
}

async fn admit(State(shared): State<Arc<Shared>>, request: Request, next: Next) -> Response {
    let (parts, body) = request.into_parts();
    let body = to_bytes(body, 1 << 20).await.unwrap_or_default();
    let header = |name: &str| parts.headers.get(name).and_then(|value| value.to_str().ok()).map(str::to_owned);
    let route = format!("{} {}", parts.method, parts.uri.path());
    let (query, trace, key) =
        (parts.uri.query().unwrap_or_default().to_owned(), header("x-trace-id"), header("x-api-key"));
    let text = String::from_utf8_lossy(&body).into_owned();
    let is_known = key.as_deref() == Some(shared.key) || parts.uri.path() == "/health";
    shared.asked.send_modify(|asked| asked.push(Asked { route: route.clone(), query, trace, key, body: text }));
    let planned = {
        let mut planned = shared.planned.lock().unwrap();
        let at = planned.iter().position(|(of, _)| *of == route);
        at.and_then(|at| planned.remove(at))
    };
    let mut response = match planned {
        Some((_, Planned::Answer(status, body))) => json(status, body),
        Some((_, Planned::With(status, name, value))) => {
            let mut response = json(status, "{}".to_owned());
            response.headers_mut().insert(name, HeaderValue::from_static(value));
            response
        }
        Some((_, Planned::Silence)) => std::future::pending().await,
        None if !is_known => json(401, shared.unauthorized.to_owned()),
        None => next.run(Request::from_parts(parts, Body::from(body))).await,
    };
    response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
    response
}

/// An answer with a JSON body.
pub(crate) fn json(status: u16, body: String) -> Response {
    let status = StatusCode::from_u16(status).unwrap();
    (status, [(CONTENT_TYPE, "application/json")], body).into_response()
}
