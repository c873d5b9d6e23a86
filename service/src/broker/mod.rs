//! RabbitMQ: one connection for each role, held for ever.
//!
//! A connection of its own for the publisher, because a broker that is short of disk or memory blocks the
//! connections that publish, acknowledgements included: intake goes on meanwhile (wire-contracts.md 1).
//!
//! The library's own recovery is not used. It would revive consumers and publishers under our feet, while their
//! deliveries and confirms belong to the connection that died; here a connection that dies ends the session upon it,
//! and the next session begins from what is durable. There is one way to fail, and tests can cut it anywhere.

mod consumer;
mod keep;
mod link;
mod queue;

pub(crate) use consumer::{Consumer, ConsumerCounts, Hand, Message, Taken};
pub(crate) use keep::{End, Failed, Running, Session, start, told};
pub(crate) use link::Link;
pub use queue::Queue;

use secrecy::SecretString;
use std::fmt;

/// Where the broker is and how to enter it. Its `Debug` shows no secret.
#[derive(Clone)]
pub struct Broker {
    /// Host name or address.
    pub host: String,
    /// Port.
    pub port: u16,
    /// User.
    pub user: String,
    /// Password.
    pub password: SecretString,
    /// Virtual host.
    pub vhost: String,
    /// The connection's name, as the broker's own pages show it.
    pub name: String,
}

impl fmt::Debug for Broker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { host, port, user, vhost, name, password: _ } = self;
        let mut shown = f.debug_struct("Broker");
        shown.field("host", host).field("port", port).field("user", user).field("vhost", vhost).field("name", name);
        shown.finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
