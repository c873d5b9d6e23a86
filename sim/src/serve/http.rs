//! The port: connections, requests, upgrades.

use super::control;
use super::handle::Handle;
use super::hub::Hub;
use super::rest;
use super::session::Kind;
use super::stream::{self, Opening};
use crate::choice::mix;
use crate::exchange::face::{WireHeaders, WireReply, WireRequest};
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::{Bytes, Incoming};
use hyper::header::{self, HeaderMap};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;

/// A connection that asks nothing for so long is closed.
const QUIET: Duration = Duration::from_secs(600);
/// Pause after the system refuses to accept, for want of file descriptors for instance.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

type Reply = Response<Full<Bytes>>;

/// The reply is lost: the connection ends without a byte.
#[derive(Debug)]
struct Lost;

impl std::fmt::Display for Lost {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("the reply is lost, as a fault wants it")
    }
}

impl std::error::Error for Lost {}

/// What a connection knows.
#[derive(Clone)]
struct Context {
    hub: Arc<Hub>,
    peer: SocketAddr,
    stopped: watch::Receiver<bool>,
}

/// Accepts connections until the server stops.
pub(super) async fn accept(hub: Arc<Hub>, listener: TcpListener, stopped: watch::Receiver<bool>) {
    let room = Arc::new(Semaphore::new(hub.limits.connections));
    loop {
        let Ok(permit) = Arc::clone(&room).acquire_owned().await else { return };
        match listener.accept().await {
            Ok((socket, peer)) => {
                let context = Context { hub: Arc::clone(&hub), peer, stopped: stopped.clone() };
                tokio::spawn(async move {
                    let _permit = permit;
                    connection(socket, context).await;
                });
            }
            Err(_) => tokio::time::sleep(ACCEPT_PAUSE).await,
        }
    }
}

async fn connection(socket: TcpStream, context: Context) {
    // Without it small messages wait for the peer's acknowledgements; where it fails they only are slower.
    let _slower = socket.set_nodelay(true);
    let mut stopped = context.stopped.clone();
    let service = service_fn(move |request| serve(context.clone(), request));
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new()).header_read_timeout(QUIET).title_case_headers(true);
    tokio::select! {
        // An error is the client's: it broke off, or wrote no HTTP. Or it is a fault that was asked for.
        _ = http.serve_connection(TokioIo::new(socket), service).with_upgrades() => {}
        _ = stopped.wait_for(|stopped| *stopped) => {}
    }
}

async fn serve(context: Context, request: Request<Incoming>) -> Result<Reply, Lost> {
    let path = request.uri().path().to_owned();
    match path.as_str() {
        "/v5/private" => return Ok(upgrade(&context, request, Kind::Private)),
        "/v5/public/linear" => return Ok(upgrade(&context, request, Kind::Public)),
        _ => {}
    }
    let (parts, body) = request.into_parts();
    let Ok(body) = Limited::new(body, context.hub.limits.body_bytes).collect().await else {
        return Ok(plain(StatusCode::PAYLOAD_TOO_LARGE));
    };
    let body = body.to_bytes().to_vec();
    if path.starts_with("/sim/") {
        if !context.peer.ip().to_canonical().is_loopback() {
            return Ok(plain(StatusCode::NOT_FOUND));
        }
        let (status, json) = control::answer(&Handle::new(context.hub), parts.method.as_str(), &path, &body);
        return Ok(reply(status, "application/json", json.to_string().into_bytes()));
    }
    let wire = WireRequest {
        method: parts.method.as_str().to_owned(),
        path,
        query: parts.uri.query().unwrap_or_default().to_owned(),
        body,
        headers: signed_headers(&parts.headers),
    };
    let answer = rest::answer(Arc::clone(&context.hub), wire).await.ok_or(Lost)?;
    Ok(bybit(&context.hub, answer))
}

fn signed_headers(headers: &HeaderMap) -> WireHeaders {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).map(str::to_owned);
    WireHeaders {
        api_key: text("x-bapi-api-key"),
        timestamp: text("x-bapi-timestamp"),
        recv_window: text("x-bapi-recv-window"),
        sign: text("x-bapi-sign"),
    }
}

/// A reply with the headers of 1.5.
fn bybit(hub: &Hub, answer: WireReply) -> Reply {
    let WireReply { status, limits, body } = answer;
    let mime = if status == 200 { "application/json; charset=utf-8" } else { "text/html" };
    let mut reply = reply(status, mime, body);
    let number = hub.name();
    let trace = format!("{:016x}{:016x}", mix(number), mix(!number));
    let fields = [
        ("x-bapi-limit", limits.limit.map(|limit| limit.to_string())),
        ("x-bapi-limit-status", limits.remaining.map(|left| left.to_string())),
        ("x-bapi-limit-reset-timestamp", limits.reset.map(|reset| reset.0.to_string())),
        ("traceid", Some(trace)),
        ("timenow", Some((hub.clock.now().0 / 1_000).to_string())),
    ];
    for (name, value) in fields {
        if let Some(value) = value.and_then(|value| value.parse().ok()) {
            reply.headers_mut().insert(name, value);
        }
    }
    reply
}

/// Begins a stream, or says why not.
fn upgrade(context: &Context, mut request: Request<Incoming>, kind: Kind) -> Reply {
    let hub = &context.hub;
    let is = |name: header::HeaderName, wanted: &str| {
        let value = request.headers().get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
        value.split(',').any(|word| word.trim().eq_ignore_ascii_case(wanted))
    };
    let is_websocket = is(header::UPGRADE, "websocket") && is(header::SEC_WEBSOCKET_VERSION, "13");
    let key = request.headers().get(header::SEC_WEBSOCKET_KEY).filter(|_| is_websocket);
    let Some(accept) = key.map(|key| derive_accept_key(key.as_bytes())) else {
        return plain(StatusCode::BAD_REQUEST);
    };
    let cuts = hub.cuts.subscribe();
    if hub.with(|state, now| state.streams_down_until > now) {
        return plain(StatusCode::SERVICE_UNAVAILABLE);
    }
    let Ok(permit) = Arc::clone(&hub.streams).try_acquire_owned() else {
        return plain(StatusCode::SERVICE_UNAVAILABLE);
    };
    let idle = idle_of(request.uri().query().unwrap_or_default()).unwrap_or(hub.limits.idle);
    let upgraded = hyper::upgrade::on(&mut request);
    let opening = Opening { kind, idle, cuts, permit };
    tokio::spawn(stream::run(Arc::clone(hub), opening, upgraded, context.stopped.clone()));
    let mut reply = plain(StatusCode::SWITCHING_PROTOCOLS);
    let fields = [
        (header::UPGRADE, "websocket"),
        (header::CONNECTION, "Upgrade"),
        (header::SEC_WEBSOCKET_ACCEPT, accept.as_str()),
    ];
    for (name, value) in fields {
        if let Ok(value) = value.parse() {
            reply.headers_mut().insert(name, value);
        }
    }
    reply
}

/// `max_active_time=30s..600s` or `1m..10m` (4.1).
fn idle_of(query: &str) -> Option<Duration> {
    let value = query.split('&').find_map(|pair| pair.strip_prefix("max_active_time="))?;
    let (digits, unit_s) = value.strip_suffix('s').map(|d| (d, 1)).or(value.strip_suffix('m').map(|d| (d, 60)))?;
    let seconds = digits.parse::<u64>().ok()?.checked_mul(unit_s)?;
    (30..=600).contains(&seconds).then(|| Duration::from_secs(seconds))
}

fn reply(status: u16, mime: &'static str, body: Vec<u8>) -> Reply {
    let mut reply = Response::new(Full::new(body.into()));
    *reply.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    reply.headers_mut().insert(header::CONTENT_TYPE, header::HeaderValue::from_static(mime));
    reply
}

fn plain(status: StatusCode) -> Reply {
    let mut reply = Response::new(Full::default());
    *reply.status_mut() = status;
    reply
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_idle_time_of_4_1_is_30_s_to_10_m() {
        let seconds = |query| idle_of(query).map(|idle| idle.as_secs());
        assert_eq!(seconds("max_active_time=30s"), Some(30));
        assert_eq!(seconds("a=b&max_active_time=10m"), Some(600));
        for bad in ["", "max_active_time=29s", "max_active_time=11m", "max_active_time=1h", "max_active_time=s"] {
            assert_eq!(seconds(bad), None, "{bad}");
        }
    }
}
