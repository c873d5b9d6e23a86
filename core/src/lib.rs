#![no_std]
extern crate alloc;
#[cfg(test)]
extern crate std;
pub mod account;
pub mod bybit;
pub mod command;
pub mod config;
pub mod event;
#[cfg(test)]
mod fixture;
pub mod input;
pub mod intake;
pub mod journal;
pub mod manager;
pub mod market;
pub mod order;
pub mod outcome;
pub mod pace;
pub mod plan;
pub mod position;
pub mod reconcile;
pub mod refusal;
pub mod report;
pub mod retry;
pub mod risk;
pub mod timer;
pub mod unit;

pub use manager::{Manager, Step};
