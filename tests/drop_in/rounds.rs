//! Rounds of faults under load: the service is killed, its broker and its database are cut off, held and restarted. No
//! order is sent twice, no signal and no event is lost, the order of each symbol is kept, and what is repeated is
//! counted.

mod check;
mod events;
mod fault;
mod load;
mod tally;

use crate::queues::{Events, Signals};
use crate::stage::Stage;
use crate::{bank, process};
use anyhow::{Context, ensure};
use fault::Fault;
use load::Outlet;
use order_manager_sim::choice::Choices;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use tally::Tally;
use tokio::process::Child;
use tokio::sync::{Mutex, watch};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until};

/// So many as a part of all tests; `tests/rounds` asks for more.
const ROUNDS: usize = 50;

/// The service's process.
pub(crate) struct Service {
    child: Child,
    url: String,
}

impl Service {
    async fn start(stage: &Stage) -> anyhow::Result<Self> {
        let mut child = stage.launch().start()?;
        let url = process::address(&mut child).await?;
        Ok(Self { child, url })
    }

    /// SIGKILL.
    async fn kill(&mut self) -> anyhow::Result<()> {
        let ended = self.child.try_wait()?;
        ensure!(ended.is_none(), "the service ended by itself: {ended:?}");
        Ok(self.child.kill().await?)
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn t1_e3_rounds_of_faults_lose_nothing_and_double_nothing() -> anyhow::Result<()> {
    let (seed, rounds) = (number("ROUNDS_SEED")?.unwrap_or(bank::now().0), number("ROUNDS")?);
    let rounds = rounds.map_or(ROUNDS, |rounds| usize::try_from(rounds).unwrap_or(usize::MAX));
    let again = format!("ROUNDS_SEED={seed} tests/rounds {rounds}");
    println!("seed {seed}: repeat its choices with {again}");
    let mut stage = Stage::open(seed).await?;
    let mut tally = Tally::new(seed, rounds);
    let result = play(&mut stage, rounds, &mut tally).await;
    println!("{tally}");
    if let Err(error) = result {
        let log = stage.log();
        let tail = log.len() - log.len().min(20_000);
        let tail = (tail..log.len()).find(|at| log.is_char_boundary(*at)).unwrap_or(log.len());
        println!("the end of the service's log:\n{}\nverdict: FAILED; again: {again}", &log[tail..]);
        return Err(error);
    }
    println!("verdict: nothing lost, nothing doubled, all in order; again: {again}");
    stage.close().await
}

fn number(variable: &'static str) -> anyhow::Result<Option<u64>> {
    std::env::var(variable).ok().map(|text| text.parse().context(variable)).transpose()
}

async fn play(stage: &mut Stage, rounds: usize, tally: &mut Tally) -> anyhow::Result<()> {
    let mut choices = Choices::seeded(tally.seed);
    let mut service = Service::start(stage).await?;
    service.ready(stage).await?;
    let events = Events::start(stage.amqp_url());
    let signals = Arc::new(Mutex::new(Signals::new(stage.amqp_url_through()?)));
    let (over, is_over) = watch::channel(false);
    let outlet = Outlet { signals: signals.clone(), exchange: stage.exchange.handle().clone(), over: is_over };
    let mut lanes = JoinSet::new();
    for (lane, symbol) in (1..).zip(bank::exchange().instruments) {
        lanes.spawn(load::lane(lane, tally.seed, symbol, outlet.clone()));
    }
    for round in 0..rounds {
        sleep_until(Instant::now() + Duration::from_micros(choices.between("work-us", 5_000, 800_000))).await;
        let fault = Fault::choose(&mut choices);
        let struck = fault.strike(stage, &mut service, &mut choices).await;
        tally.add(fault, struck.with_context(|| format!("round {round}: {fault:?}"))?);
        if let Some(ended) = lanes.try_join_next() {
            ended??;
            anyhow::bail!("a lane of signals ended in round {round}");
        }
    }
    over.send_replace(true);
    let mut brought = BTreeMap::new();
    while let Some(lane) = lanes.join_next().await {
        let (asset, lane) = lane??;
        brought.insert(asset, lane);
    }
    tally.resent = signals.lock().await.again;
    check::settled(stage, &service, &events, &brought, tally).await?;
    process::leave(&mut service.child).await?;
    tally.steps = stage.replay_journal().await.context("the journal, replayed")?;
    tally.is_enough()
}
