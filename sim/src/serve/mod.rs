//! The fake Bybit over real HTTP and WebSocket, in real time (feature `serve`): for end-to-end tests, paper
//! trading, the demo, and other people's clients. Nothing outlives the process.
//!
//! One port serves three things:
//!
//! - REST under `/v5/...` (bybit-v5.md 1, 2, 5, 6): the bytes as they came go to [`crate::exchange::face::serve`].
//! - The streams `/v5/private` (4) and `/v5/public/linear` (topic `tickers.SYMBOL`).
//! - A control plane under `/sim/...`, which is not Bybit's. Only peers on loopback see it, unsigned. Bodies are
//!   JSON, in the words of a scenario's steps.
//!
//! | control | body | does |
//! |---|---|---|
//! | `GET /sim/truth` | | everything that is true: see below |
//! | `POST /sim/price` | `{"BTCUSDT": "50100"}` or `{"touch": "BTCUSDT"}` | moves the market |
//! | `POST /sim/quirk` | `{"name": "adl", "symbol": "BTCUSDT"}` | the exchange does something odd |
//! | `POST /sim/fault` | `{"drop": "reply", "of": "create", "count": 2}` | what goes wrong from now on: see below |
//! | `POST /sim/stream` | `"down"` or `"up"` | cuts every stream and lets none in until it is `up` again |
//! | `POST /sim/silence` | `{"of": "order", "length": "20s"}` | pushes vanish on streams that stay up |
//! | `POST /sim/ban` | `"10m"` | answers 403 to everything for that long |
//! | `POST /sim/reconnect` | `{"fails": 3, "every": "1s"}` | cuts every stream, and lets none in for three seconds |
//! | `POST /sim/disconnect` | nothing, or `{"for_ms": 500}` | cuts every stream, and lets none in for that long |
//! | `POST /sim/halt` | `{"ms": 3000}` | answers nothing and pushes nothing for that long; then all of it |
//! | `POST /sim/manual` | `{"side": "buy", "quantity": "0.1"}` | another hand on the account sends a market order |
//! | `POST /sim/liquidity` | `{"at_best": "0.5"}` | the book gets this deep |
//! | `POST /sim/reject-next` | | the next order is acknowledged, then rejected by the engine |
//!
//! **Faults** are `drop`, `delay` (with `by`) or `duplicate` of a `request`, `reply` or `push`; `answer` with a
//! retCode such as 10016 or an HTTP status such as 503 (with `executed`: carried out all the same); `push_first`;
//! `reset` of a `request` or `reply`. What a server cannot do (`refuse`, `reorder`, a reset request that still arrives) and
//! what does not concern the exchange is refused by name.
//! `of` says which requests or which topic, `count` how often (1). A dropped request or reply ends its connection
//! without a byte, so that the client need not wait for its timeout; `halt` is the silence that lasts. A late
//! request arrives even if its client has left. A doubled reply is one reply: HTTP cannot carry two.
//!
//! **Truth** has `orders` by link id (`creates_received`, `creates_accepted`, then the last order: `order_id`,
//! `created_us`, `symbol`, `side`, `status`, `qty`, `cum_qty`, `cum_value`, `cum_fee`, `executions`), `foreign_orders`,
//! `executions`, `positions` and `prices` by symbol, `wallet` (`start`, `balance`, `realised`, `fees`,
//! `available`), `streams` (open connections), `time_ms`. Quantities, prices and money are texts.
//!
//! Bounds: connections, streams, requests at work, bytes of a body, bytes of a frame ([`Limits`]). A stream whose
//! client does not read is cut.

mod clock;
mod control;
mod handle;
mod http;
mod hub;
mod prices;
mod rest;
mod session;
mod stream;
mod truth;

pub use handle::Handle;
pub use prices::Prices;

use crate::exchange::ExchangeConfig;
use crate::exchange::face::Credentials;
use hub::Hub;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinSet;

/// What a served exchange is made from.
#[derive(Clone, Debug)]
pub struct ServeConfig {
    /// Where to listen. Default 127.0.0.1 on a port that the system chooses.
    pub listen: SocketAddr,
    /// The exchange.
    pub exchange: ExchangeConfig,
    /// The account's key and secret. Default `sim-key` and `sim-secret`.
    pub credentials: Credentials,
    /// Where prices come from. Default: a walk.
    pub prices: Prices,
    /// Chooses what the prices leave open.
    pub seed: u64,
    /// Bounds.
    pub limits: Limits,
}

/// Bounds of the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// TCP connections; further ones wait in the system's queue.
    pub connections: usize,
    /// Streams; further ones get 503.
    pub streams: usize,
    /// Requests at work, halted and delayed ones included; further ones get 503.
    pub requests: usize,
    /// Bytes of a request's body; larger ones get 413.
    pub body_bytes: usize,
    /// Bytes of a message to a stream; a larger one ends it.
    pub message_bytes: usize,
    /// A stream on which nothing was said for so long is cut (bybit-v5.md 4.1: 10 minutes), unless it asked for
    /// less by `max_active_time`.
    pub idle: Duration,
}

impl Default for ServeConfig {
    fn default() -> Self {
        Self {
            listen: (Ipv4Addr::LOCALHOST, 0).into(),
            exchange: ExchangeConfig::default(),
            credentials: Credentials { key: "sim-key".into(), secret: "sim-secret".into() },
            prices: Prices::default(),
            seed: 1,
            limits: Limits::default(),
        }
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: 512,
            streams: 128,
            requests: 1_024,
            body_bytes: 1 << 20,
            message_bytes: 64 << 10,
            idle: Duration::from_secs(600),
        }
    }
}

/// A served exchange. Dropping it ends it: every connection is cut.
#[derive(Debug)]
pub struct Served {
    /// Where it listens: REST, streams and control.
    pub http: SocketAddr,
    handle: Handle,
    stop: watch::Sender<bool>,
    tasks: JoinSet<()>,
}

/// Starts the exchange on the runtime that calls this. It answers from the moment that this returns.
///
/// # Errors
/// The address cannot be listened on.
pub async fn spawn(config: ServeConfig) -> io::Result<Served> {
    let listener = TcpListener::bind(config.listen).await?;
    let http = listener.local_addr()?;
    let (stop, stopped) = watch::channel(false);
    let hub = Arc::new(Hub::new(&config));
    config.prices.set_first(&hub);
    let mut tasks = JoinSet::new();
    tasks.spawn(hub::drive(Arc::clone(&hub)));
    tasks.spawn(prices::feed(Arc::clone(&hub), config.prices, config.seed));
    tasks.spawn(http::accept(Arc::clone(&hub), listener, stopped));
    Ok(Served { http, handle: Handle::new(hub), stop, tasks })
}

impl Served {
    /// `http://ADDRESS`, which clients take as Bybit's base URL.
    #[must_use]
    pub fn base_url(&self) -> String {
        format!("http://{}", self.http)
    }

    /// `ws://ADDRESS/v5/private`
    #[must_use]
    pub fn private_stream_url(&self) -> String {
        format!("ws://{}/v5/private", self.http)
    }

    /// `ws://ADDRESS/v5/public/linear`
    #[must_use]
    pub fn public_stream_url(&self) -> String {
        format!("ws://{}/v5/public/linear", self.http)
    }

    /// The exchange itself, for whoever runs in the same process.
    #[must_use]
    pub fn handle(&self) -> &Handle {
        &self.handle
    }

    /// Cuts every connection and closes the port.
    pub async fn shutdown(mut self) {
        self.stop.send_replace(true);
        self.tasks.shutdown().await;
    }
}
