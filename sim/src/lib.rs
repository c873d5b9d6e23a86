//! A world for the order manager to decide in: a fake Bybit, virtual time, faults, scenarios, judges.

pub mod choice;
pub mod cli;
pub mod exchange;
pub mod faults;
pub mod fuzz;
pub mod generate;
pub mod judge;
pub mod ledger;
pub mod link;
pub mod month;
pub mod neighbours;
pub mod prices;
pub mod replay;
pub mod scenario;
#[cfg(feature = "serve")]
pub mod serve;
pub mod signal_json;
pub mod store;
pub mod storm;
pub mod summary;
pub mod world;
