#![no_std]
extern crate alloc;
#[cfg(test)]
extern crate std;
pub mod account;
pub mod bybit;
pub mod config;
#[cfg(test)]
mod fixture;
pub mod intake;
pub mod market;
pub mod plan;
pub mod refusal;
pub mod risk;
pub mod unit;
