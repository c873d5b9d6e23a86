//! A world for the order manager to decide in: a fake Bybit, virtual time, faults, scenarios, judges.

pub mod choice;
pub mod exchange;
pub mod generate;
pub mod prices;
pub mod scenario;
pub mod signal_json;
