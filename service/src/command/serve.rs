//! `order-manager serve`.

use super::{FAILED, runtime, settings};
use crate::app;
use crate::config::Need;
use crate::telemetry;
use order_manager_sim::serve;
use std::process::ExitCode;
use std::time::{SystemTime, UNIX_EPOCH};

pub(super) fn run(paper: bool) -> anyhow::Result<ExitCode> {
    let mut settings = match settings(if paper { Need::Paper } else { Need::Account }) {
        Ok(settings) => settings,
        Err(code) => return Ok(code),
    };
    telemetry::start(&settings.log_level)?;
    settings.notes.iter().for_each(|note| tracing::info!("{note}"));
    settings.warnings.iter().for_each(|warning| tracing::warn!("{warning}"));
    runtime()?.block_on(async {
        // The fake exchange lives as long as this binding.
        let _exchange = if paper {
            let mut config = serve::ServeConfig::default();
            // The store may know orders of the fake exchange before this one: Bybit never gives an id twice.
            config.exchange.era = SystemTime::now().duration_since(UNIX_EPOCH)?.as_micros().try_into()?;
            let credentials = config.credentials.clone();
            let exchange = serve::spawn(config).await?;
            settings.account = Some(app::account_of(&exchange, &credentials));
            Some(exchange)
        } else {
            None
        };
        match app::serve(settings, app::stop_signal()?).await {
            Ok(()) => {
                eprintln!("stopped; orders that rest at the exchange stay there");
                Ok(ExitCode::SUCCESS)
            }
            Err(error) => {
                eprintln!("error: {error:#}");
                Ok(ExitCode::from(FAILED))
            }
        }
    })
}
