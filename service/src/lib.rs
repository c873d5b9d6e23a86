//! The order manager as a program. Adapters translate and carry; a decision found here belongs in the core.
//!
//! This part of the project has no adapters yet: the program knows its version and says where the manager runs.

pub mod desk;
pub mod http;

use clap::Parser;
use std::ffi::OsString;
use std::process::ExitCode;

/// Usage or configuration: nothing was started.
const USAGE: u8 = 2;

/// An order manager for Bybit: trading signals in, orders whose state is always true out.
///
/// Exit codes: 0 ok, 1 failed or inconsistent, 2 usage or configuration.
#[derive(Debug, Parser)]
#[command(name = "order-manager", version)]
struct Args {}

/// Runs the program with `args`, of which the first is its name, and returns its exit code: 0 for `--version` and
/// `--help`, 2 for all else, since nothing can be served yet.
pub fn run(args: impl IntoIterator<Item = impl Into<OsString> + Clone>) -> ExitCode {
    let said = match Args::try_parse_from(args) {
        Err(asked) if !asked.use_stderr() => {
            return if asked.print().is_ok() { ExitCode::SUCCESS } else { ExitCode::FAILURE };
        }
        Err(usage) => usage.to_string(),
        Ok(Args {}) => String::new(),
    };
    eprintln!("{said}order-manager: serving comes with the next part; order-sim runs the manager today");
    ExitCode::from(USAGE)
}
