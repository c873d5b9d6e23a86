#![no_std]
extern crate alloc;
pub mod bybit;
pub mod order;
pub mod position;
pub mod unit;
