//! The order manager as a program. Adapters translate and carry; a decision found here belongs in the core.
//!
//! Read `driver.rs` first: the loop of the one rule. `store` keeps, `exchange` carries, `intake` brings,
//! `publish` tells, `http` answers.

mod app;
pub mod broker;
pub mod clock;
mod command;
pub mod config;
pub mod desk;
mod driver;
pub mod exchange;
pub mod http;
mod intake;
mod publish;
pub mod store;
mod telemetry;

use std::ffi::OsString;
use std::process::ExitCode;

/// Runs the program with `args`, of which the first is its name, and returns its exit code: 0 ok, 1 failed or
/// inconsistent, 2 usage or configuration.
pub fn run(args: impl IntoIterator<Item = impl Into<OsString> + Clone>) -> ExitCode {
    command::run(args)
}
