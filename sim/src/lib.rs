//! A world for the order manager to decide in: a fake Bybit, virtual time, faults, scenarios, judges.

mod agenda;
pub mod check;
pub mod choice;
pub mod cli;
pub mod crash;
pub mod exchange;
pub mod faults;
pub mod fuzz;
pub mod generate;
pub mod judge;
pub mod ledger;
pub mod link;
pub mod model;
pub mod month;
pub mod neighbours;
pub mod oracle;
pub mod planted;
pub mod prices;
pub mod replay;
pub mod scenario;
#[cfg(feature = "serve")]
pub mod serve;
mod shelf;
pub mod shrink;
pub mod signal_json;
pub mod store;
pub mod summary;
pub mod swarm;
pub mod world;
