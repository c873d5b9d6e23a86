//! A small client: signs, sends, listens.

use futures_util::{SinkExt, StreamExt};
use http_body_util::{BodyExt, Full};
use hyper::body::Bytes;
use hyper::{HeaderMap, Request};
use hyper_util::rt::TokioIo;
use order_manager_core::bybit::sign;
use order_manager_core::unit::ExchangeTime;
use order_manager_sim::serve::{Prices, ServeConfig, Served, spawn};
use serde_json::{Value, json};
use std::net::SocketAddr;
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::{WebSocketStream, client_async};

pub(crate) const KEY: &str = "sim-key";
pub(crate) const SECRET: &str = "sim-secret";
/// Nothing here takes that long, unless it is broken.
pub(crate) const PATIENCE: Duration = Duration::from_secs(10);

/// An exchange whose prices stand still, after `change`.
pub(crate) async fn serve(change: impl FnOnce(&mut ServeConfig)) -> Served {
    let mut config = ServeConfig { prices: Prices::Still, ..ServeConfig::default() };
    change(&mut config);
    spawn(config).await.expect("a free port")
}

pub(crate) fn now_ms() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970").as_millis() as u64
}

/// A reply of HTTP.
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Reply {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).expect("JSON")
    }

    pub(crate) fn code(&self) -> i64 {
        self.json()["retCode"].as_i64().expect("retCode")
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }
}

/// One request as it goes over the wire, on a connection of its own. An error is a connection that ended
/// without a reply.
pub(crate) async fn send(
    to: SocketAddr,
    method: &str,
    target: &str,
    headers: &[(&str, String)],
    body: &str,
) -> Result<Reply, hyper::Error> {
    let socket = TcpStream::connect(to).await.expect("a connection");
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(socket)).await?;
    tokio::spawn(connection);
    let mut request = Request::builder().method(method).uri(target).header("host", to.to_string());
    for (name, value) in headers {
        request = request.header(*name, value);
    }
    let request = request.body(Full::new(Bytes::copy_from_slice(body.as_bytes()))).expect("a request");
    let reply = sender.send_request(request).await?;
    let (parts, body) = reply.into_parts();
    let body = body.collect().await?.to_bytes();
    Ok(Reply { status: parts.status.as_u16(), headers: parts.headers, body })
}

/// The four headers of 1.2.
pub(crate) fn signed(key: &str, secret: &str, stamp_ms: u64, payload: &str) -> Vec<(&'static str, String)> {
    let sign = sign::request(secret.as_bytes(), ExchangeTime(stamp_ms), key, 5_000, payload);
    vec![
        ("X-BAPI-API-KEY", key.to_owned()),
        ("X-BAPI-TIMESTAMP", stamp_ms.to_string()),
        ("X-BAPI-RECV-WINDOW", "5000".to_owned()),
        ("X-BAPI-SIGN", sign.as_str().to_owned()),
    ]
}

pub(crate) async fn post(to: SocketAddr, path: &str, body: &str) -> Result<Reply, hyper::Error> {
    send(to, "POST", path, &signed(KEY, SECRET, now_ms(), body), body).await
}

pub(crate) async fn get(to: SocketAddr, path: &str, query: &str) -> Reply {
    let target = if query.is_empty() { path.to_owned() } else { format!("{path}?{query}") };
    send(to, "GET", &target, &signed(KEY, SECRET, now_ms(), query), "").await.expect("a reply")
}

/// A request to the control plane that must succeed.
pub(crate) async fn control(to: SocketAddr, path: &str, body: &str) {
    let reply = send(to, "POST", path, &[], body).await.expect("a reply");
    assert_eq!(reply.status, 200, "{path} {body}: {}", reply.json());
}

pub(crate) async fn truth(to: SocketAddr) -> Value {
    send(to, "GET", "/sim/truth", &[], "").await.expect("a reply").json()
}

/// A limit buy that rests far below the market.
pub(crate) fn resting(link: &str) -> String {
    json!({"category": "linear", "symbol": "BTCUSDT", "side": "Buy", "orderType": "Limit", "qty": "0.001",
           "price": "50000", "timeInForce": "GTC", "orderLinkId": link})
    .to_string()
}

/// A market buy that fills at once.
pub(crate) fn market(link: &str) -> String {
    json!({"category": "linear", "symbol": "BTCUSDT", "side": "Buy", "orderType": "Market", "qty": "0.01",
           "orderLinkId": link})
    .to_string()
}

pub(crate) async fn create(to: SocketAddr, body: &str) -> Result<Reply, hyper::Error> {
    post(to, "/v5/order/create", body).await
}

/// A stream.
pub(crate) struct Stream(WebSocketStream<TcpStream>);

impl Stream {
    /// None where the exchange lets no stream in.
    pub(crate) async fn open(to: SocketAddr, path: &str) -> Option<Self> {
        let socket = TcpStream::connect(to).await.expect("a connection");
        client_async(format!("ws://{to}{path}"), socket).await.ok().map(|(stream, _)| Self(stream))
    }

    /// A private stream with these topics.
    pub(crate) async fn private(to: SocketAddr, topics: &[&str]) -> Self {
        let mut stream = Self::open(to, "/v5/private").await.expect("a stream");
        assert_eq!(stream.ask(auth(KEY, SECRET, now_ms() + 10_000)).await["success"], true);
        let ack = stream.ask(json!({"req_id": "s1", "op": "subscribe", "args": topics})).await;
        assert_eq!((&ack["success"], &ack["req_id"]), (&json!(true), &json!("s1")), "{ack}");
        stream
    }

    pub(crate) async fn say(&mut self, text: String) {
        self.0.send(Message::text(text)).await.expect("sent");
    }

    /// What comes next; none where the stream ended.
    pub(crate) async fn hear(&mut self) -> Option<Value> {
        match timeout(PATIENCE, self.0.next()).await.expect("something within the patience") {
            Some(Ok(Message::Text(text))) => Some(serde_json::from_str(&text).expect("JSON")),
            _ => None,
        }
    }

    pub(crate) async fn ask(&mut self, question: Value) -> Value {
        self.say(question.to_string()).await;
        self.hear().await.expect("an answer")
    }

    /// The pushes up to and with the first of this topic.
    pub(crate) async fn until(&mut self, topic: &str) -> Vec<Value> {
        let mut all = Vec::new();
        while all.last().is_none_or(|push: &Value| push["topic"] != topic) {
            all.push(self.hear().await.expect("a push"));
        }
        all
    }

    /// Waits for an order push of this link id.
    pub(crate) async fn until_order(&mut self, link: &str) {
        while self.until("order").await.last().is_none_or(|push| push["data"][0]["orderLinkId"] != link) {}
    }
}

/// The first message of a private stream (4.1).
pub(crate) fn auth(key: &str, secret: &str, expires_ms: u64) -> Value {
    let sign = sign::stream(secret.as_bytes(), ExchangeTime(expires_ms));
    json!({"req_id": "a1", "op": "auth", "args": [key, expires_ms, sign.as_str()]})
}
