//! The served exchange as a client over sockets meets it. The client here is written by hand from bybit-v5.md.

mod around;
mod cli;
mod client;
mod control;
mod rest;
mod streams;
