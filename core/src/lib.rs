#![no_std]
extern crate alloc;
pub mod bybit;
pub mod unit;
