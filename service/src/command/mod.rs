//! The program's commands. Exit codes: 0 ok, 1 failed or inconsistent, 2 usage or configuration.

mod check_config;
mod demo;
mod explain;
mod journal;
mod migrate;
mod serve;
mod takeover;

use crate::config::{self, Need, Settings};
use crate::store::Place;
use clap::{Parser, Subcommand};
use std::ffi::OsString;
use std::path::PathBuf;
use std::process::ExitCode;

const FAILED: u8 = 1;
const USAGE: u8 = 2;

/// An order manager for Bybit: trading signals in, orders whose state is always true out.
///
/// Exit codes: 0 ok, 1 failed or inconsistent, 2 usage or configuration.
#[derive(Debug, Parser)]
#[command(name = "order-manager", version)]
struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// A small day of trading against a fake Bybit, with a crash in the middle: no key, no server, under a minute.
    Demo {
        /// End with one JSON object.
        #[arg(long)]
        json: bool,
        /// Stay up afterwards and print the addresses to try.
        #[arg(long)]
        keep: bool,
    },
    /// Serve: take signals, place orders, tell what happened.
    Serve {
        /// Against a fake Bybit in this process.
        #[arg(long)]
        paper: bool,
    },
    /// Take over the orders that the service before us left open in the table `orders`, and say what became of them.
    /// `serve` does the same at its start.
    Takeover {
        /// Ask the exchange and say what would be done; write nothing.
        #[arg(long)]
        dry_run: bool,
    },
    /// Say what the configuration is, or everything that is wrong with it.
    CheckConfig {
        /// As for `serve --paper`: no account is needed.
        #[arg(long)]
        paper: bool,
    },
    /// Bring a PostgreSQL database's schema order_manager up to date, as `serve` does at its start.
    Migrate {
        /// Make the shared tables that are not there, too: for a database without ws-gateway's migrations. Tables
        /// that are there stay as they are.
        #[arg(long)]
        bootstrap_shared: bool,
        /// postgres://user@host/database; else the store of the configuration.
        #[arg(long)]
        store: Option<String>,
    },
    /// Work with the journal.
    Journal {
        #[command(subcommand)]
        command: JournalCommand,
    },
    /// The story of one signal or order, from the journal.
    Explain {
        /// A signal's UUID, an order link id, or Bybit's order id.
        what: String,
        /// The store's file, or postgres://user@host/database; else that of the configuration.
        #[arg(long)]
        store: Option<String>,
    },
}

#[derive(Debug, Subcommand)]
enum JournalCommand {
    /// Write the journal to a file that `order-sim replay` reads. The service may be running.
    Export {
        /// The file to write.
        file: PathBuf,
        /// The store's file, or postgres://user@host/database; else that of the configuration.
        #[arg(long)]
        store: Option<String>,
    },
}

/// Runs the program with `args`, of which the first is its name, and returns its exit code.
pub(crate) fn run(args: impl IntoIterator<Item = impl Into<OsString> + Clone>) -> ExitCode {
    let args = match Args::try_parse_from(args) {
        Ok(args) => args,
        Err(asked) if !asked.use_stderr() => {
            return if asked.print().is_ok() { ExitCode::SUCCESS } else { ExitCode::FAILURE };
        }
        Err(usage) => {
            eprint!("{usage}");
            return ExitCode::from(USAGE);
        }
    };
    let result = match args.command {
        Command::Demo { json, keep } => demo::run(json, keep),
        Command::Serve { paper } => serve::run(paper),
        Command::Takeover { dry_run } => takeover::run(dry_run),
        Command::CheckConfig { paper } => check_config::run(paper),
        Command::Migrate { bootstrap_shared, store } => migrate::run(bootstrap_shared, store),
        Command::Journal { command: JournalCommand::Export { file, store } } => journal::export(&file, store),
        Command::Explain { what, store } => explain::run(&what, store),
    };
    match result {
        Ok(code) => code,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::from(FAILED)
        }
    }
}

/// The settings of this process, or every violation on standard error.
fn settings(need: Need) -> Result<Settings, ExitCode> {
    let environment =
        std::env::vars_os().filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)));
    config::read(environment, need).map_err(|violations| {
        eprintln!("error: the configuration cannot be used:");
        violations.iter().for_each(|violation| eprintln!("  {violation}"));
        ExitCode::from(USAGE)
    })
}

/// The store that a reading command looks into.
fn store_place(given: Option<String>) -> Result<Place, ExitCode> {
    match given {
        // Not by the parser of the arguments: its words quote what was given, and with it a password.
        Some(text) => text.parse().map_err(|error| {
            eprintln!("error: --store: {error}");
            ExitCode::from(USAGE)
        }),
        None => settings(Need::Store).map(|settings| settings.store),
    }
}

/// A runtime for commands that talk to sockets and disks.
fn runtime() -> std::io::Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_multi_thread().enable_all().build()
}
