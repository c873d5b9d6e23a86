//! The services beside us as fakes with real sockets: ws-gateway and Position Manager (wire-contracts.md 1.3, 3).
//! Included by path where a test needs them.
#![allow(dead_code, unreachable_pub, reason = "each test crate uses its part")]

pub(crate) mod envelope;
pub(crate) mod gateway;
pub(crate) mod position_manager;
pub(crate) mod server;
