//! Requests over HTTP. One try each: only the core sends anything again.

use super::{Account, Ear, Heard};
use order_manager_core::bybit::{LimitHeaders, Request, rest, sign};
use order_manager_core::command::Outgoing;
use order_manager_core::input::Answer;
use order_manager_core::unit::{Bytes, ExchangeTime, Text};
use reqwest::header::HeaderMap;
use secrecy::ExposeSecret;
use std::time::Duration;

/// Connecting takes no longer.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);
/// A whole request takes no longer; then nobody knows what became of it.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(5);
/// A larger answer is no answer of Bybit's.
const BODY_MAX: usize = 4 << 20;

/// The HTTP side of an account. Connections are kept and used again.
#[derive(Clone, Debug)]
pub struct Rest {
    account: Account,
    http: reqwest::Client,
    only_asks: bool,
}

impl Rest {
    /// Prepares a client; connects to nothing yet.
    ///
    /// # Errors
    /// A TLS set-up that cannot be used.
    pub fn new(account: Account) -> reqwest::Result<Self> {
        let http = reqwest::Client::builder()
            .connect_timeout(CONNECT_TIMEOUT)
            .timeout(REQUEST_TIMEOUT)
            .retry(reqwest::retry::never())
            .redirect(reqwest::redirect::Policy::none())
            .tcp_nodelay(true)
            .pool_idle_timeout(Duration::from_secs(30))
            .http1_only()
            // A proxy that happens to stand in the environment would carry signed orders, and answer for Bybit.
            .no_proxy()
            .build()?;
        Ok(Self { account, http, only_asks: false })
    }

    /// The same for somebody who changes nothing: whatever would is not sent.
    #[must_use]
    pub fn only_asking(self) -> Self {
        Self { only_asks: true, ..self }
    }

    /// Sends a request of this `life` in the background; its answer, whatever it is, goes to `ear`.
    pub fn start(&self, outgoing: Outgoing, life: u32, ear: Ear) {
        let this = self.clone();
        tokio::spawn(async move {
            let tag = outgoing.tag;
            let answer = Box::new(this.send(&outgoing).await);
            // A closed ear is a driver that is gone; the next one asks.
            let _ = ear.send(Heard::Answered { life, tag, answer }).await;
        });
    }

    async fn send(&self, outgoing: &Outgoing) -> Answer {
        if self.only_asks && matches!(outgoing.request, Request::Create(_) | Request::Cancel(_) | Request::Amend(_)) {
            return Answer::NotSent { why: Text::clipped("this process only asks") };
        }
        match self.request(outgoing).send().await {
            Ok(response) => read(response).await,
            // Refused before a connection stood: not a byte of the request left.
            Err(error) if error.is_connect() || error.is_builder() => Answer::NotSent { why: words(&error) },
            Err(error) => Answer::Lost { why: words(&error) },
        }
    }

    /// The bytes that are signed are the bytes that are sent.
    fn request(&self, outgoing: &Outgoing) -> reqwest::RequestBuilder {
        let http = rest::encode(&outgoing.request);
        let url = format!("{}{}", self.account.rest, http.target());
        let method = http.method.as_str().parse().unwrap_or(reqwest::Method::GET);
        let mut request = self.http.request(method, url);
        if http.is_private() {
            let secret = self.account.secret.expose_secret().as_bytes();
            let (at, window) = (outgoing.signed_at, outgoing.recv_window_ms);
            let signature = sign::request(secret, at, &self.account.key, window, http.payload());
            request = request
                .header("X-BAPI-API-KEY", &self.account.key)
                .header("X-BAPI-TIMESTAMP", at.0.to_string())
                .header("X-BAPI-RECV-WINDOW", window.to_string())
                .header("X-BAPI-SIGN", signature.as_str());
        }
        if http.body.is_empty() { request } else { request.header("Content-Type", "application/json").body(http.body) }
    }
}

async fn read(mut response: reqwest::Response) -> Answer {
    let status = response.status().as_u16();
    let limits = limits(response.headers());
    let mut body = Vec::new();
    loop {
        match response.chunk().await {
            Ok(Some(chunk)) if body.len() + chunk.len() <= BODY_MAX => body.extend_from_slice(&chunk),
            Ok(Some(_)) => return Answer::Lost { why: Text::clipped("the answer is larger than 4 MiB") },
            Ok(None) => return Answer::Http { status, limits, body: Bytes(body) },
            Err(error) => return Answer::Lost { why: words(&error) },
        }
    }
}

fn limits(headers: &HeaderMap) -> LimitHeaders {
    let number = |name: &str| headers.get(name)?.to_str().ok()?.parse::<u64>().ok();
    let small = |name: &str| number(name).and_then(|n| u32::try_from(n).ok());
    LimitHeaders {
        limit: small("x-bapi-limit"),
        remaining: small("x-bapi-limit-status"),
        reset: number("x-bapi-limit-reset-timestamp").map(ExchangeTime),
    }
}

/// An error in words, without the address: that may carry what nobody should read.
pub(crate) fn words(error: &reqwest::Error) -> Text<96> {
    let mut text = String::new();
    let mut cause: Option<&dyn std::error::Error> = Some(error);
    while let Some(error) = cause {
        let word = error.to_string();
        if !text.is_empty() {
            text.push_str(": ");
        }
        text.push_str(word.split(" for url ").next().unwrap_or_default());
        cause = error.source();
    }
    Text::clipped(&text)
}
