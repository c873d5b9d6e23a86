//! The way between the manager and the exchange, both ends of it: encodes and signs (or not), loses, delays
//! and doubles. Sans-IO: it says what arrives when.

use crate::choice::Choices;
use crate::exchange::face::{self, Credentials, WireHeaders, WireRequest};
use crate::exchange::{Exchange, Signed};
use crate::scenario::{self, Effect, Fault, FaultKind, Link, Path, Pushes, Topic};
use order_manager_core::bybit::{ApiError, ApiReply, LimitHeaders, Operation, Push, PushRows, rest, sign};
use order_manager_core::command::Outgoing;
use order_manager_core::input::{Answer, Stream};
use order_manager_core::unit::{Bytes, Span, Text, Timestamp};

/// One way, without faults, where the seed is 0.
pub const LATENCY: Span = Span::millis(5);
/// The same under any other seed: each message takes its own time, so that they overtake each other.
const LATENCIES: std::ops::RangeInclusive<u64> = 1_000..=12_000;
/// How long the adapter waits for an answer before it gives up.
pub const TIMEOUT: Span = Span::secs(5);
/// How far a reply falls behind the pushes that it should have come before.
const OVERTAKEN: Span = Span::millis(100);

/// What becomes of a message: when each copy of it arrives; none where it is lost.
pub type Arrivals = Vec<Timestamp>;

/// A link with the faults that are still to come.
#[derive(Clone, Debug)]
pub struct Wire {
    kind: Link,
    credentials: Credentials,
    faults: Vec<Fault>,
    choices: Option<Choices>,
}

impl Wire {
    /// A faultless link.
    #[must_use]
    pub fn new(kind: Link, seed: u64) -> Self {
        let credentials = Credentials { key: "sim-key".into(), secret: "sim-secret".into() };
        let choices = (seed != 0).then(|| Choices::seeded(seed));
        Self { kind, credentials, faults: Vec::new(), choices }
    }

    /// From now on this goes wrong, as often as it says.
    pub fn add_fault(&mut self, fault: Fault) {
        self.faults.push(fault);
    }

    /// Nothing goes wrong any more.
    pub fn clear_faults(&mut self) {
        self.faults.clear();
    }

    /// When a request that leaves now reaches the exchange.
    pub fn request(&mut self, now: Timestamp, operation: Operation) -> Arrivals {
        let fits = |path: &Path| matches!(path, Path::Request(of) if of.covers(operation));
        self.carry(now, fits)
    }

    /// When a reply that leaves now reaches the manager.
    pub fn reply(&mut self, now: Timestamp, operation: Operation) -> Arrivals {
        let fits = |path: &Path| matches!(path, Path::Reply(of) if of.covers(operation));
        let overtaken = self.take(|kind| matches!(kind, FaultKind::PushFirst { of } if of.covers(operation)));
        let late = if overtaken.is_some() { OVERTAKEN } else { Span::ZERO };
        self.carry(now.after(late), fits)
    }

    /// When a push that leaves now reaches the manager.
    pub fn push(&mut self, now: Timestamp, push: &Push) -> Arrivals {
        let topic = topic(push);
        self.carry(now, |path| match path {
            Path::Push(Pushes::All) => true,
            Path::Push(Pushes::One(one)) => Some(*one) == topic,
            _ => false,
        })
    }

    fn carry(&mut self, now: Timestamp, fits: impl Fn(&Path) -> bool) -> Arrivals {
        let latency = match &mut self.choices {
            Some(choices) => Span(choices.between("latency", *LATENCIES.start(), *LATENCIES.end())),
            None => LATENCY,
        };
        let arrives = now.after(latency);
        let fault = self.take(|kind| matches!(kind, FaultKind::Carry { path, .. } if fits(path)));
        match fault {
            Some(FaultKind::Carry { effect: Effect::Drop, .. }) => vec![],
            Some(FaultKind::Carry { effect: Effect::Delay(by), .. }) => vec![arrives.after(by)],
            Some(FaultKind::Carry { effect: Effect::Duplicate, .. }) => vec![arrives, arrives.after(Span::millis(1))],
            _ => vec![arrives],
        }
    }

    /// The next fault that fits, used up once.
    fn take(&mut self, fits: impl Fn(&FaultKind) -> bool) -> Option<FaultKind> {
        let place = self.faults.iter().position(|fault| fits(&fault.kind))?;
        let fault = &mut self.faults[place];
        let kind = fault.kind;
        fault.count = fault.count.saturating_sub(1);
        if fault.count == 0 {
            self.faults.remove(place);
        }
        Some(kind)
    }

    /// The exchange answers a request that arrives now.
    pub fn serve(&mut self, exchange: &mut Exchange, now: Timestamp, outgoing: &Outgoing) -> Answer {
        let operation = outgoing.request.operation();
        let forced = self.take(|kind| matches!(kind, FaultKind::Answer { of, .. } if of.covers(operation)));
        let Some(FaultKind::Answer { answer, executed, .. }) = forced else {
            return self.answer(exchange, now, outgoing);
        };
        match answer {
            scenario::Answer::Code(code) => {
                exchange.knobs_mut().retcode_next(operation, code, executed);
                self.answer(exchange, now, outgoing)
            }
            scenario::Answer::Status(status) => {
                if executed {
                    self.answer(exchange, now, outgoing);
                }
                self.status(status)
            }
        }
    }

    fn status(&self, status: u16) -> Answer {
        let limits = LimitHeaders::default();
        match self.kind {
            Link::Typed => Answer::Typed(ApiReply { result: Err(ApiError::Status(status)), time: None, limits }),
            Link::Bytes => {
                let body = Bytes(format!("<html><body>{status}</body></html>").into_bytes());
                Answer::Http { status, limits, body }
            }
        }
    }

    fn answer(&self, exchange: &mut Exchange, now: Timestamp, outgoing: &Outgoing) -> Answer {
        let Outgoing { signed_at, recv_window_ms, request, .. } = outgoing;
        match self.kind {
            Link::Typed => {
                let signed = Signed { timestamp: *signed_at, recv_window_ms: *recv_window_ms };
                Answer::Typed(exchange.handle(now, signed, request))
            }
            Link::Bytes => {
                let reply = face::serve(exchange, now, &self.encode(outgoing), &self.credentials);
                Answer::Http { status: reply.status, limits: reply.limits, body: Bytes(reply.body) }
            }
        }
    }

    /// A request as the adapter would send it.
    fn encode(&self, outgoing: &Outgoing) -> WireRequest {
        let http = rest::encode(&outgoing.request);
        let mut headers = WireHeaders::default();
        if http.is_private() {
            let Credentials { key, secret } = &self.credentials;
            let signature =
                sign::request(secret.as_bytes(), outgoing.signed_at, key, outgoing.recv_window_ms, http.payload());
            headers = WireHeaders {
                api_key: Some(key.clone()),
                timestamp: Some(outgoing.signed_at.0.to_string()),
                recv_window: Some(outgoing.recv_window_ms.to_string()),
                sign: Some(signature.as_str().to_string()),
            };
        }
        WireRequest {
            method: http.method.as_str().to_string(),
            path: http.path.to_string(),
            query: http.query,
            body: http.body.into_bytes(),
            headers,
        }
    }

    /// A push as the manager's adapter hands it over.
    #[must_use]
    pub fn stream(&self, exchange: &Exchange, push: Push) -> Stream {
        match self.kind {
            Link::Typed => Stream::Typed(push),
            Link::Bytes => Stream::Frame(Bytes(face::push_text_of(exchange, &push))),
        }
    }

    /// What the adapter reports of a request that nobody answered.
    #[must_use]
    pub fn lost() -> Answer {
        Answer::Lost { why: Text::clipped("no answer within 5 s") }
    }
}

const fn topic(push: &Push) -> Option<Topic> {
    match push.rows {
        PushRows::Orders(_) => Some(Topic::Order),
        PushRows::Executions(_) => Some(Topic::Execution),
        PushRows::Positions(_) => Some(Topic::Position),
        PushRows::Wallets(_) => Some(Topic::Wallet),
        PushRows::Nothing { .. } => None,
    }
}
