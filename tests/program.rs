//! The program `order-manager` as a user meets it.

use std::process::{Command, Output};

fn run(args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_order-manager")).args(args).output().unwrap()
}

#[test]
fn it_tells_its_version_and_its_help() {
    let version = run(&["--version"]);
    assert_eq!(version.status.code(), Some(0));
    assert_eq!(String::from_utf8_lossy(&version.stdout), concat!("order-manager ", env!("CARGO_PKG_VERSION"), "\n"));

    let help = run(&["--help"]);
    assert_eq!(help.status.code(), Some(0));
    assert!(String::from_utf8_lossy(&help.stdout).contains("Usage: order-manager"));
}

#[test]
fn what_it_does_not_know_is_a_usage_error() {
    let output = run(&["--no-such-option"]);
    assert_eq!((output.status.code(), &output.stdout[..]), (Some(2), &b""[..]));
    assert!(String::from_utf8_lossy(&output.stderr).contains("--no-such-option"));
}
