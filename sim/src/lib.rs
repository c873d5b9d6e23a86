//! A world for the order manager to decide in.

pub mod choice;
pub mod generate;
pub mod prices;
pub mod scenario;
pub mod signal_json;
