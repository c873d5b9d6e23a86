//! `order-sim serve-exchange --port P`.

use super::{Ending, market};
use crate::exchange::face::Credentials;
use crate::prices::read_bars;
use crate::serve::{Prices, ServeConfig, Served, spawn};
use anyhow::Context;
use order_manager_core::unit::Symbol;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::num::NonZeroU32;
use std::path::PathBuf;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Port; 0 lets the system choose one.
    #[arg(long)]
    port: u16,
    /// Address to listen on. The control plane answers loopback only, whatever stands here.
    #[arg(long, default_value_t = IpAddr::V4(Ipv4Addr::LOCALHOST))]
    host: IpAddr,
    /// Minute bars to play: timestamp,open,high,low,close,volume. Without it every price walks at random.
    #[arg(long)]
    market: Option<PathBuf>,
    /// How many times faster than they were the bars are played.
    #[arg(long, requires = "market", default_value_t = NonZeroU32::MIN)]
    speed: NonZeroU32,
    /// Instrument of the bars, instead of the one that --config names (BTCUSDT).
    #[arg(long, requires = "market")]
    symbol: Option<String>,
    /// Prices move by the control plane only.
    #[arg(long, conflicts_with = "market")]
    still: bool,
    /// Another seed, another walk.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// TOML with an [exchange] section.
    #[arg(long)]
    config: Option<PathBuf>,
    /// API key of the account.
    #[arg(long, default_value = "sim-key")]
    key: String,
    /// Its secret; it is printed, as it guards nothing.
    #[arg(long, default_value = "sim-secret")]
    secret: String,
}

pub(super) fn run(args: &Args) -> anyhow::Result<Ending> {
    let config = config(args)?;
    let listen = config.listen;
    let runtime = tokio::runtime::Runtime::new().context("cannot start the runtime")?;
    runtime.block_on(async {
        let served = spawn(config)
            .await
            .with_context(|| format!("cannot listen on {listen}; choose another --port, or 0 for any free one"))?;
        print(args, &served);
        tokio::signal::ctrl_c().await.context("cannot wait for an interrupt")?;
        served.shutdown().await;
        Ok(Ending::Ok)
    })
}

fn config(args: &Args) -> anyhow::Result<ServeConfig> {
    let rules = market::rules(args.config.as_deref())?;
    let symbol = match &args.symbol {
        Some(symbol) => Symbol::new(symbol).map_err(|error| anyhow::anyhow!("--symbol {symbol} {error}"))?,
        None => rules.symbol,
    };
    let prices = match &args.market {
        Some(file) => {
            let listed = rules.exchange.instruments.iter().any(|instrument| instrument.symbol == symbol);
            anyhow::ensure!(listed, "the exchange does not list {symbol}; name a --symbol that it lists");
            Prices::Bars { symbol, bars: read_bars(file)?, speed: args.speed }
        }
        None if args.still => Prices::Still,
        None => Prices::default(),
    };
    Ok(ServeConfig {
        listen: SocketAddr::new(args.host, args.port),
        exchange: rules.exchange,
        credentials: Credentials { key: args.key.clone(), secret: args.secret.clone() },
        prices,
        seed: args.seed,
        ..ServeConfig::default()
    })
}

fn print(args: &Args, served: &Served) {
    println!("REST            {}/v5/...", served.base_url());
    println!("private stream  {}", served.private_stream_url());
    println!("public stream   {}", served.public_stream_url());
    println!("control         {}/sim/truth", served.base_url());
    println!("key             {}", args.key);
    println!("secret          {}", args.secret);
    println!("Interrupt (Ctrl-C) ends it; nothing is kept.");
}
