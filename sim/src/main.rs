//! `order-sim`: runs worlds from the command line.

use std::process::ExitCode;

fn main() -> ExitCode {
    order_manager_sim::cli::main()
}
