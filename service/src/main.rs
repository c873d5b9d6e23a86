//! `order-manager`: the program. All of it is in the library, where tests reach it.

use std::process::ExitCode;

fn main() -> ExitCode {
    order_manager_service::run(std::env::args_os())
}
