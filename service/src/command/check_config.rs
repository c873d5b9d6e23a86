//! `order-manager check-config`.

use super::{USAGE, settings};
use crate::config::Need;
use std::process::ExitCode;

pub(super) fn run(paper: bool) -> anyhow::Result<ExitCode> {
    let settings = match settings(if paper { Need::Paper } else { Need::Account }) {
        Ok(settings) => settings,
        Err(code) => return Ok(code),
    };
    println!("{}", settings.shown());
    settings.notes.iter().for_each(|note| eprintln!("note: {note}"));
    // What is only a warning when serving is an error here (spec A2).
    settings.warnings.iter().for_each(|warning| eprintln!("error: {warning}"));
    Ok(if settings.warnings.is_empty() { ExitCode::SUCCESS } else { ExitCode::from(USAGE) })
}
