//! A world for the order manager to decide in.

pub mod exchange;
