//! `order-sim run --market CSV --signals JSONL`.

use super::{Ending, Run};
use crate::exchange::ExchangeConfig;
use crate::month::{Month, read_signals};
use crate::prices::read_bars;
use crate::scenario::Link;
use crate::summary::Summary;
use crate::world::World;
use anyhow::Context;
use order_manager_core::config::Config;
use order_manager_core::outcome::Outcome;
use order_manager_core::unit::Symbol;
use serde::Deserialize;
use std::path::Path;

/// The file of `--config`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Rules {
    config: Config,
    pub(super) exchange: ExchangeConfig,
    /// Instrument of the prices.
    pub(super) symbol: Symbol,
}

impl Default for Rules {
    fn default() -> Self {
        Self { config: Config::default(), exchange: ExchangeConfig::default(), symbol: Symbol::clipped("BTCUSDT") }
    }
}

pub(super) fn run(args: &Run) -> anyhow::Result<Ending> {
    let (Some(market), Some(signals)) = (&args.market, &args.signals) else {
        anyhow::bail!("--market and --signals go together");
    };
    let rules = rules(args.config.as_deref())?;
    if let Err(faults) = rules.config.validate() {
        let lines: Vec<String> = faults.iter().map(ToString::to_string).collect();
        anyhow::bail!("the configuration cannot be used:\n  {}", lines.join("\n  "));
    }
    let text = std::fs::read_to_string(signals).with_context(|| format!("cannot read {}", signals.display()))?;
    let month = Month {
        symbol: rules.symbol,
        bars: read_bars(market)?,
        signals: read_signals(&text),
        config: rules.config,
        exchange: rules.exchange,
        seed: args.seed.unwrap_or(1),
        link: args.link.map_or(Link::Typed, Into::into),
        keep_messages: false,
    };
    let world = month.run();
    if let Some(file) = &args.journal {
        std::fs::write(file, world.life.store.journal()?)
            .with_context(|| format!("cannot write {}", file.display()))?;
    }
    if args.accounts {
        print_accounts(&world);
    }
    let summary = Summary::of(&world);
    print(&summary, args.json)?;
    Ok(if summary.consistent { Ending::Ok } else { Ending::Oracle })
}

pub(super) fn rules(path: Option<&Path>) -> anyhow::Result<Rules> {
    let Some(path) = path else { return Ok(Rules::default()) };
    let text = std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
    toml::from_str(&text).with_context(|| format!("{}", path.display()))
}

fn print_accounts(world: &World) {
    for (id, account) in &world.ledger.signals {
        let orders: Vec<String> = account.orders.iter().map(ToString::to_string).collect();
        let outcome = match account.outcome {
            Some(Outcome::Placed) => "placed".to_string(),
            Some(Outcome::Rejected(code)) => code.to_string(),
            None => "open".to_string(),
        };
        println!("{id}  {outcome:<20}  {:<32}  {}", orders.join(","), account.text);
    }
}

fn print(summary: &Summary, json: bool) -> anyhow::Result<()> {
    if json {
        println!("{}", serde_json::to_string(summary)?);
        return Ok(());
    }
    println!(
        "signals    {} ({} accounted for, {} reached a fill)",
        summary.signals, summary.accounted, summary.signals_filled
    );
    println!(
        "orders     {} ({} filled, {} cancelled), {} fills",
        summary.orders, summary.filled, summary.cancelled, summary.fills
    );
    println!("rejected   {} {:?}", summary.rejected, summary.rejects);
    println!("position   {:?}", summary.position);
    println!("profit     {} before fees of {}", summary.pnl.normalize(), summary.fees.normalize());
    println!("consistent {}", summary.consistent);
    summary.differences.iter().for_each(|difference| println!("  {difference}"));
    println!("digest     {}  chain {}  steps {}", summary.digest, summary.chain, summary.steps);
    Ok(())
}
