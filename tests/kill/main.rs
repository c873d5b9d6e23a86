//! The service's process, killed with SIGKILL at random moments under load, a hundred times, and started again on
//! the same store each time: nothing is lost, nothing is done twice, and the books are the exchange's.

#[path = "../support/bank.rs"]
mod bank;
#[path = "../support/books.rs"]
mod books;
mod load;
#[path = "../support/process.rs"]
mod process;

use anyhow::{Context, bail, ensure};
use load::{Brought, Call};
use order_manager_sim::choice::Choices;
use order_manager_sim::replay::{Verdict, replay};
use order_manager_sim::serve::Served;
use process::{Launch, PROGRAM, get};
use std::path::Path;
use std::time::Duration;
use tokio::process::Command;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{Instant, interval, sleep_until};

const KILLS: usize = 100;
/// To prove that a create never arrived takes 46 s, and 15 s more where a question about it fails. A lane may make two proofs
/// in a row: the active signal's, and that of an exit that passed it.
const SETTLE_MAX: Duration = Duration::from_secs(150);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn t1_a_hundred_kills_lose_nothing_and_double_nothing() -> anyhow::Result<()> {
    let seed = match std::env::var("KILL_SEED") {
        Ok(seed) => seed.parse().context("KILL_SEED")?,
        Err(_) => bank::now().0,
    };
    println!("seed {seed}: repeat its choices with KILL_SEED={seed}");
    let begun = Instant::now();
    let folder = tempfile::tempdir()?;
    let store = folder.path().join("kill.db");
    let exchange = bank::open(seed).await?;
    let http = process::client()?;
    let (address, addresses) = watch::channel(String::from("http://127.0.0.1:1"));
    let (over, is_over) = watch::channel(false);
    let call = Call { http: http.clone(), address: addresses, over: is_over };
    let mut callers = JoinSet::new();
    for (lane, symbol) in (1..).zip(bank::exchange().instruments) {
        callers.spawn(load::caller(lane, seed, symbol, call.clone()));
    }
    let launch = Launch::new(&exchange, &store);
    let early = kill(&launch, &http, &address, &mut Choices::seeded(seed)).await?;
    println!("{:?}: {KILLS} kills, {early} before ready", begun.elapsed());

    over.send_replace(true);
    let mut child = launch.start()?;
    let url = process::address(&mut child).await?;
    address.send_replace(url.clone());
    let mut all = Brought::default();
    while let Some(brought) = callers.join_next().await {
        let Brought { acknowledged, duplicates, unanswered } = brought??;
        all.acknowledged.extend(acknowledged);
        all.duplicates += duplicates;
        all.unanswered += unanswered;
    }
    let end = async {
        settle(&http, &url, &exchange, &all, begun).await?;
        println!("{:?}: settled and equal", begun.elapsed());
        process::leave(&mut child).await?;
        check_journal(folder.path(), &store).await
    };
    if let Err(error) = end.await {
        let health = get(&http, &url, "/health").await;
        let kept = folder.keep();
        return Err(error.context(format!("the store is kept in {}; its health: {health:?}", kept.display())));
    }
    println!("{:?}: replayed", begun.elapsed());
    Ok(())
}

/// Starts and kills the process; the number of kills that came before it was ready.
async fn kill(
    launch: &Launch,
    http: &reqwest::Client,
    address: &watch::Sender<String>,
    choices: &mut Choices,
) -> anyhow::Result<usize> {
    let mut early = 0;
    for round in 0..KILLS {
        let mut child = launch.start()?;
        let is_early = choices.chance("while-starting", 300);
        if is_early {
            early += 1;
            // Still starting, or serving and not yet ready: its callers are let in as soon as it says where it is.
            let moment = Instant::now() + Duration::from_millis(choices.between("start-ms", 0, 120));
            if let Ok(url) = tokio::time::timeout_at(moment, process::address(&mut child)).await {
                address.send_replace(url?);
            }
            sleep_until(moment).await;
        } else {
            let url = process::address(&mut child).await.with_context(|| format!("start {round}"))?;
            address.send_replace(url.clone());
            process::ready(http, &url).await.with_context(|| format!("start {round}"))?;
            sleep_until(Instant::now() + Duration::from_micros(choices.between("ready-us", 2_000, 150_000))).await;
        }
        ensure!(child.try_wait()?.is_none(), "the service ended by itself in round {round}");
        child.kill().await?;
    }
    Ok(early)
}

/// Until every acknowledged signal is settled and the books are the exchange's.
async fn settle(
    http: &reqwest::Client,
    url: &str,
    exchange: &Served,
    all: &Brought,
    begun: Instant,
) -> anyhow::Result<()> {
    let until = Instant::now() + SETTLE_MAX;
    let mut looks = interval(Duration::from_millis(50));
    let mut open = all.acknowledged.clone();
    let (mut placed, mut rejected) = (0, 0);
    while !open.is_empty() {
        let mut still = Vec::new();
        for id in open {
            let signal = get(http, url, &format!("/api/v1/signals/{id}")).await?;
            match (signal["state"].as_str(), signal["outcome"].as_str()) {
                (Some("settled"), Some("placed")) => {
                    ensure!(signal["orders"][0]["order_link_id"].is_string(), "placed without an order: {signal}");
                    placed += 1;
                }
                (Some("settled"), Some("rejected")) => {
                    ensure!(signal["code"].is_string() && signal["text"].is_string(), "without a reason: {signal}");
                    rejected += 1;
                }
                (Some("waiting" | "active"), _) => still.push(id),
                _ => bail!("neither open nor settled: {signal}"),
            }
        }
        open = still;
        if let (Some(first), true) = (open.first(), Instant::now() > until) {
            let first = get(http, url, &format!("/api/v1/signals/{first}")).await;
            bail!("{} signals are not settled: {open:?}, the first of them is {first:?}", open.len());
        }
        looks.tick().await;
    }
    println!("{:?}: {} signals, {placed} placed, {rejected} rejected", begun.elapsed(), all.acknowledged.len());
    let rows = loop {
        let rows = books::orders(http, url).await?;
        let differences = books::differences(&rows, &exchange.handle().truth());
        if differences.is_empty() {
            break rows;
        }
        ensure!(Instant::now() < until, "the books differ:\n{}", differences.join("\n"));
        looks.tick().await;
    };
    let with = |status: &str| rows.iter().filter(|row| row["status"] == status).count();
    let words = ["filled", "cancelled", "rejected", "pending"].map(|word| format!("{} {word}", with(word)));
    println!("{} orders: {}", rows.len(), words.join(", "));
    println!("{} duplicates, {} calls without an answer", all.duplicates, all.unanswered);
    // What the load must have been for the rest to mean anything.
    ensure!(placed >= 50 && with("filled") >= 20 && all.duplicates > 0 && all.unanswered >= 20, "too little load");
    Ok(())
}

/// The journal of all lives, through this build: the same decisions.
async fn check_journal(folder: &Path, store: &Path) -> anyhow::Result<()> {
    let file = folder.join("journal");
    let export = Command::new(PROGRAM).args(["journal", "export"]).arg(&file).arg("--store").arg(store).status();
    ensure!(export.await?.success(), "the journal was not exported");
    match replay(&std::fs::read(&file)?)? {
        same @ Verdict::Same { .. } => println!("{same}"),
        verdict => bail!("{verdict}"),
    }
    Ok(())
}
