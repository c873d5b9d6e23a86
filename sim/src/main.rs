//! `order-sim`: runs worlds from the command line.
fn main() {}
