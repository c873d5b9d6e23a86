//! Bybit over real sockets: requests out, answers and pushes in. Carries and translates, decides nothing.

mod rest;
mod stream;

pub use rest::Rest;
pub use stream::PrivateStream;

use order_manager_core::input::{Answer, Stream, Tag};
use order_manager_core::unit::{Bytes, Symbol};
use secrecy::SecretString;
use std::fmt;
use tokio::sync::{mpsc, oneshot};

/// Where an account lives and how to enter it. Its `Debug` shows no secret.
#[derive(Clone)]
pub struct Account {
    /// `https://api.bybit.com`, without a slash at the end.
    pub rest: String,
    /// `wss://stream.bybit.com/v5/private`.
    pub stream: String,
    /// API key.
    pub key: String,
    /// API secret.
    pub secret: SecretString,
}

impl fmt::Debug for Account {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Account").field("rest", &self.rest).field("stream", &self.stream).finish_non_exhaustive()
    }
}

/// What the exchange and our neighbours say, on its way to the driver.
#[derive(Debug)]
pub enum Heard {
    /// What became of a request.
    Answered {
        /// Which life of the manager sent it.
        life: u32,
        /// The request.
        tag: Tag,
        /// Its answer.
        answer: Box<Answer>,
    },
    /// The private stream.
    Stream(Stream),
    /// A message of the queue `ws-gateway.order`, as it came.
    Gateway {
        /// Its body.
        body: Bytes,
        /// Fired once it is durable: it may be acknowledged.
        kept: Kept,
    },
    /// A fill event of this symbol may have been published twice (spec E3).
    Doubted {
        /// The symbol.
        symbol: Symbol,
        /// Fired once that is durable.
        kept: Kept,
    },
}

/// Told to whoever waits until an input is durable. Where it is dropped instead, the life that had it died.
#[derive(Debug)]
pub struct Kept(oneshot::Sender<()>);

impl Kept {
    /// The handle, and what resolves when it is fired.
    #[must_use]
    pub fn pair() -> (Self, oneshot::Receiver<()>) {
        let (sender, receiver) = oneshot::channel();
        (Self(sender), receiver)
    }

    /// The input is durable.
    pub(crate) fn fire(self) {
        // Who left needs no word.
        let _ = self.0.send(());
    }
}

/// Where adapters put what they hear. Bounded: a full one makes the socket wait, and TCP the exchange.
pub type Ear = mpsc::Sender<Heard>;
