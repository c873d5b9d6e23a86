#![no_std]
extern crate alloc;
pub mod account;
pub mod bybit;
pub mod config;
pub mod intake;
pub mod market;
pub mod plan;
pub mod refusal;
pub mod risk;
pub mod unit;
