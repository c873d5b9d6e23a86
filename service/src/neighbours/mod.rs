//! The services beside us, over HTTP: ws-gateway and Position Manager (wire-contracts.md 3). Carries and translates,
//! decides nothing.

pub mod balance;
mod client;
pub mod position_manager;
pub mod positions;
pub mod subscription;
pub mod ws_gateway;

pub use client::Failure;
pub use position_manager::PositionManager;
pub use subscription::Subscription;
pub use ws_gateway::WsGateway;

use secrecy::SecretString;

/// Where a neighbour lives and how to enter it. Its `Debug` shows no secret.
#[derive(Clone, Debug)]
pub struct Neighbour {
    /// `http://ws-gateway:4400`, without a slash at the end.
    pub base: String,
    /// The key that it knows.
    pub key: SecretString,
}

#[cfg(test)]
pub(crate) mod tests;
