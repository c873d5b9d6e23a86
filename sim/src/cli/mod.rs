//! The command line. Exit codes: 0 ok, 1 an expectation failed, 2 usage, 3 an oracle failed, 4 no convergence,
//! 5 digests differ, 6 a mark never reached.

mod generate;
mod market;
mod replay;
mod scenarios;
mod tape;

use clap::{Parser, Subcommand, ValueEnum};
use std::path::PathBuf;
use std::process::ExitCode;

/// How a command ended; of several, the largest counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Ending {
    /// All is well.
    Ok = 0,
    /// An expectation did not hold.
    Expectation = 1,
    /// The command, or a file it was given, cannot be used.
    Usage = 2,
    /// Our books differ from the exchange's.
    Oracle = 3,
    /// Digests differ.
    Digests = 5,
}

#[derive(Debug, Parser)]
#[command(name = "order-sim", version, about = "Runs the order manager against a fake Bybit in virtual time")]
struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run scenarios, or a market's prices with a file of signals.
    Run(Run),
    /// Feed a journal's inputs to this build and compare events, commands and digests.
    Replay {
        /// A journal written by `run --journal`.
        journal: PathBuf,
    },
    /// Show the life behind a fuzzer's tape, step by step.
    Tape {
        /// A file of fuzz/corpus/order_life or of fuzz/artifacts.
        tape: PathBuf,
    },
    /// Write made-up prices and signals of the shapes that `run --market --signals` reads.
    Generate {
        /// Another seed, another market.
        #[arg(long, default_value_t = 1)]
        seed: u64,
        /// Days from 2024-01-01 on.
        #[arg(long, default_value_t = 2)]
        days: u32,
        /// A folder; it is made where it is missing.
        #[arg(long)]
        out: PathBuf,
    },
}

#[derive(Debug, clap::Args)]
struct Run {
    /// A scenario file, or a folder of them.
    #[arg(required_unless_present = "market", conflicts_with_all = ["market", "signals"])]
    path: Option<PathBuf>,
    /// Minute bars: timestamp,open,high,low,close,volume.
    #[arg(long, requires = "signals")]
    market: Option<PathBuf>,
    /// Signals, one JSON object a line.
    #[arg(long, requires = "market")]
    signals: Option<PathBuf>,
    /// TOML with [config] and [exchange] sections.
    #[arg(long, requires = "market")]
    config: Option<PathBuf>,
    /// Chooses what is left open: how long each message travels (0: always the same), and the way of the price
    /// inside a bar. A scenario has its own.
    #[arg(long)]
    seed: Option<u64>,
    /// How the manager and the exchange talk.
    #[arg(long, value_enum)]
    link: Option<LinkName>,
    /// Print the story line by line.
    #[arg(long)]
    trace: bool,
    /// Print one JSON object as the last line.
    #[arg(long)]
    json: bool,
    /// Print a line per signal: its orders or its reason.
    #[arg(long, requires = "market")]
    accounts: bool,
    /// Write the journal here.
    #[arg(long)]
    journal: Option<PathBuf>,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum LinkName {
    Typed,
    Bytes,
}

impl From<LinkName> for crate::scenario::Link {
    fn from(name: LinkName) -> Self {
        match name {
            LinkName::Typed => Self::Typed,
            LinkName::Bytes => Self::Bytes,
        }
    }
}

/// Reads the command line, runs, says how it ended.
#[must_use]
pub fn main() -> ExitCode {
    let result = match Args::parse().command {
        Command::Run(run) if run.market.is_some() => market::run(&run),
        Command::Run(run) => scenarios::run(&run),
        Command::Replay { journal } => replay::run(&journal),
        Command::Tape { tape } => tape::run(&tape),
        Command::Generate { seed, days, out } => generate::run(seed, days, &out),
    };
    match result {
        Ok(ending) => ExitCode::from(ending as u8),
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::from(Ending::Usage as u8)
        }
    }
}
