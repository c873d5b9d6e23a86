//! The clients against fakes with real sockets.

#[path = "../../../../tests/neighbours/mod.rs"]
pub(crate) mod fakes;

mod balance;
mod consult;
mod gateway;
mod subscription;

use super::Neighbour;
use fakes::server::Server;
use secrecy::SecretString;

/// How to reach a fake with a key.
pub(crate) fn reach(server: &Server, key: &str) -> Neighbour {
    let _ = rustls::crypto::ring::default_provider().install_default();
    Neighbour { base: server.base(), key: SecretString::from(key.to_owned()) }
}
