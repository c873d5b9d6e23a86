//! Position Manager: its word on positions and exposure, and its own repair (spec K1, E3; wire-contracts.md 3.2).

use super::Neighbour;
use super::client::{Client, Failure, Reply};
use crate::exchange::{Ear, Heard};
use crate::trace_id;
use order_manager_core::bybit::LimitHeaders;
use order_manager_core::input::{Answer, Question, Tag};
use order_manager_core::unit::Bytes;
use reqwest::Method;
use std::time::Duration;

/// What opens waits for its word, and its lane with it: shorter than the predecessor's ten seconds. The core gives up
/// later than this, so that every question has one answer.
const TIMEOUT: Duration = Duration::from_secs(4);

/// A client of Position Manager.
#[derive(Clone, Debug)]
pub struct PositionManager {
    pub(super) client: Client,
}

impl PositionManager {
    /// Prepares a client; connects to nothing yet.
    ///
    /// # Errors
    /// A TLS set-up that cannot be used.
    pub fn new(neighbour: Neighbour) -> reqwest::Result<Self> {
        Self::with_timeout(neighbour, TIMEOUT)
    }

    /// With another time limit.
    ///
    /// # Errors
    /// A TLS set-up that cannot be used.
    pub fn with_timeout(neighbour: Neighbour, timeout: Duration) -> reqwest::Result<Self> {
        Ok(Self { client: Client::new(neighbour, timeout)? })
    }

    /// Asks a question of this `life` in the background; its answer, whatever it is, goes to `ear`.
    pub fn start(&self, question: Question, life: u32, ear: Ear) {
        let this = self.clone();
        tokio::spawn(async move {
            let answer = match this.consult(question).await {
                Ok(Reply { status, body, .. }) => {
                    Answer::Http { status, limits: LimitHeaders::default(), body: Bytes(body) }
                }
                Err(Failure::NotSent(why)) => Answer::NotSent { why },
                Err(Failure::Lost(why)) => Answer::Lost { why },
            };
            // A closed ear is a driver that is gone; the next one asks.
            let _ = ear.send(Heard::Answered { life, tag: Tag::Consult(question), answer: Box::new(answer) }).await;
        });
    }

    async fn consult(&self, question: Question) -> Result<Reply, Failure> {
        let one_way = ("mode", "one-way");
        let (method, url) = match question {
            Question::Position(symbol) => {
                (Method::GET, self.client.url(&["api", "v1", "positions", symbol.as_str()], &[one_way])?)
            }
            Question::Exposure => (Method::GET, self.client.url(&["api", "v1", "portfolio", "exposure"], &[])?),
            // It mends what it finds: it reckons the position anew from the rows of `orders`.
            Question::Validate(symbol) => {
                let path = ["api", "v1", "positions", symbol.as_str(), "validate"];
                (Method::POST, self.client.url(&path, &[one_way, ("fix_discrepancies", "true")])?)
            }
        };
        let trace = trace_id::fresh();
        tracing::debug!(?question, trace_id = trace.as_str(), "Position Manager is asked");
        self.client.send(method, url, None, Some(trace.as_str())).await
    }
}
