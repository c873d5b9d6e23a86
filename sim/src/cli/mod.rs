//! The command line. Exit codes: 0 ok, 1 an expectation failed, 2 usage, 3 an oracle failed, 4 no convergence,
//! 5 digests differ, 6 a mark never reached.

mod check;
mod crash;
mod generate;
mod list;
mod market;
mod only;
mod planted;
mod replay;
mod scenarios;
mod seeds;
#[cfg(feature = "serve")]
mod serve;
mod shrink;
mod swarm;
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
    /// It did not come right again.
    Convergence = 4,
    /// Digests differ.
    Digests = 5,
    /// A mark was never reached.
    Mark = 6,
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
    /// Is a seed one world? Runs each twice here, on both links, and again in fresh processes.
    Check(check::Args),
    /// Kill the process at every effect boundary of scenarios, with every loss: does all come right again?
    Crash(crash::Args),
    /// Make a failing world small: a seed of the swarm, or a scenario file.
    Shrink(shrink::Args),
    /// Show the life behind a fuzzer's tape, step by step.
    Tape {
        /// A file of fuzz/corpus/order_life or of fuzz/artifacts.
        tape: PathBuf,
    },
    /// Print the oracles, the families of faults and the marks.
    List,
    /// Judge drawn worlds, a world a seed.
    Swarm(swarm::Args),
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
    /// Plant each known bug in a copy, and let the swarm find it: what the judge is worth.
    Planted(planted::Args),
    /// Be a Bybit over HTTP and WebSocket on this machine, in real time, until interrupted.
    #[cfg(feature = "serve")]
    ServeExchange(serve::Args),
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
    /// Judge by this oracle alone.
    #[arg(long, value_name = "ORACLE", value_parser = only::oracle, conflicts_with = "market")]
    only: Option<crate::oracle::Oracle>,
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
        Command::Check(args) => check::run(&args),
        Command::Crash(args) => crash::run(&args),
        Command::Shrink(args) => shrink::run(&args),
        Command::List => Ok(list::run()),
        Command::Tape { tape } => tape::run(&tape),
        Command::Swarm(args) => swarm::run_campaign(&args),
        Command::Generate { seed, days, out } => generate::run(seed, days, &out),
        Command::Planted(args) => planted::run(&args),
        #[cfg(feature = "serve")]
        Command::ServeExchange(args) => serve::run(&args),
    };
    match result {
        Ok(ending) => ExitCode::from(ending as u8),
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::from(Ending::Usage as u8)
        }
    }
}
