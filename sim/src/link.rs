//! The way between the manager and the exchange, both ends of it: encodes and signs (or not), loses, delays
//! and doubles. Sans-IO: it says what arrives when.

use crate::choice::Choices;
use crate::exchange::face::{self, Credentials, WireHeaders, WireRequest};
use crate::exchange::{Exchange, Signed};
use crate::faults::Faults;
use crate::scenario::{self, Effect, Fault, Link, Message, Path, Silence};
use crate::swarm::Marks;
use order_manager_core::bybit::{ApiError, ApiReply, LimitHeaders, Operation, Push, rest, sign};
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
pub const OVERTAKEN: Span = Span::millis(100);

/// What a gateway answers to an address that it bans (bybit-v5.md 7).
pub const BANNED: u16 = 403;

/// What becomes of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Passage {
    /// When each copy of it arrives; none where it is lost.
    pub arrivals: [Option<Timestamp>; 2],
    /// What else happens to it.
    pub fate: Fate,
}

/// What happens to a message beside arriving or not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// Nothing.
    Plain,
    /// The connection is reset: the sender of the request learns at this moment that nobody knows.
    Reset(Timestamp),
    /// The connection is refused: the sender knows that no byte left.
    Refused,
    /// It waits for the next message of this path; what stands as its arrival is the latest moment.
    Waits(Path),
}

impl Passage {
    /// When something of it arrives.
    pub fn arrivals(&self) -> impl Iterator<Item = Timestamp> + use<> {
        self.arrivals.into_iter().flatten()
    }

    /// What each arrival brings.
    pub fn copies<T: Clone>(&self, message: T) -> impl Iterator<Item = T> + use<T> {
        std::iter::repeat_n(message, self.arrivals().count())
    }

    /// Does nothing of it arrive?
    #[must_use]
    pub fn is_lost(&self) -> bool {
        self.arrivals == [None; 2]
    }
}

/// A link with the faults that are still to come.
#[derive(Clone, Debug)]
pub struct Wire {
    kind: Link,
    credentials: Credentials,
    faults: Faults,
    choices: Option<Choices>,
}

impl Wire {
    /// A faultless link.
    #[must_use]
    pub fn new(kind: Link, seed: u64) -> Self {
        let credentials = Credentials { key: "sim-key".into(), secret: "sim-secret".into() };
        let choices = (seed != 0).then(|| Choices::seeded(seed));
        Self { kind, credentials, faults: Faults::default(), choices }
    }

    /// Which of the two it is.
    #[must_use]
    pub const fn kind(&self) -> Link {
        self.kind
    }

    /// From now on this goes wrong, as often as it says.
    pub fn add_fault(&mut self, fault: Fault) {
        self.faults.add(fault);
    }

    /// From now on these pushes vanish, as long as it says.
    pub fn silence(&mut self, now: Timestamp, silence: Silence) {
        self.faults.silence(now, silence);
    }

    /// From now on everything is answered 403 and nothing carried out, for so long.
    pub fn ban(&mut self, now: Timestamp, length: Span) {
        self.faults.ban(now, length);
    }

    /// How often each family of faults acted so far.
    #[must_use]
    pub const fn acted(&self) -> &Marks {
        self.faults.acted()
    }

    /// Nothing goes wrong any more.
    pub fn clear_faults(&mut self) {
        self.faults.clear();
    }

    /// When a request that leaves now reaches the exchange.
    pub fn request(&mut self, now: Timestamp, operation: Operation) -> Passage {
        let effect = self.faults.carry(Message::Request(operation));
        self.carry(now, effect)
    }

    /// When a reply that leaves now reaches the manager.
    pub fn reply(&mut self, now: Timestamp, operation: Operation) -> Passage {
        let late = if self.faults.push_first(operation) { OVERTAKEN } else { Span::ZERO };
        let effect = self.faults.carry(Message::Reply(operation));
        self.carry(now.after(late), effect)
    }

    /// When a push that leaves now reaches the manager.
    pub fn push(&mut self, now: Timestamp, push: &Push) -> Passage {
        let effect = self.faults.push(now, push);
        self.carry(now, effect)
    }

    fn carry(&mut self, now: Timestamp, fault: Option<(Path, Effect)>) -> Passage {
        let latency = match &mut self.choices {
            Some(choices) => Span(choices.between("latency", *LATENCIES.start(), *LATENCIES.end())),
            None => LATENCY,
        };
        let arrives = now.after(latency);
        let once = |at| [Some(at), None];
        let (arrivals, fate) = match fault {
            None => (once(arrives), Fate::Plain),
            Some((_, Effect::Drop)) => ([None; 2], Fate::Plain),
            Some((_, Effect::Delay(by))) => (once(arrives.after(by)), Fate::Plain),
            Some((_, Effect::Duplicate)) => ([Some(arrives), Some(arrives.after(Span::millis(1)))], Fate::Plain),
            Some((_, Effect::Reset(by))) => ([by.map(|by| arrives.after(by)), None], Fate::Reset(arrives)),
            Some((_, Effect::Refuse)) => ([None; 2], Fate::Refused),
            Some((path, Effect::Reorder(by))) => (once(arrives.after(by)), Fate::Waits(path)),
        };
        Passage { arrivals, fate }
    }

    /// The exchange answers a request that arrives now.
    pub fn serve(&mut self, exchange: &mut Exchange, now: Timestamp, outgoing: &Outgoing) -> Answer {
        if self.faults.is_banned(now) {
            return self.status(BANNED);
        }
        let operation = outgoing.request.operation();
        let Some((answer, executed)) = self.faults.answer(operation) else {
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

    /// What the adapter reports of a request whose connection broke under it.
    #[must_use]
    pub fn reset() -> Answer {
        Answer::Lost { why: Text::clipped("connection reset") }
    }
}
