//! `order-manager explain`: the story of one signal, made by replaying the journal: what came in, each rule's
//! verdict with its figures, requests, evidence, and what was told.

use super::journal::PAGE;
use super::{FAILED, runtime, store_path};
use crate::store::Reader;
use order_manager_core::event::{Event, Seq};
use order_manager_core::journal::read_record;
use order_manager_core::unit::{LinkPrefix, OrderLinkId, SignalId, Timestamp};
use order_manager_core::{Manager, Step};
use order_manager_sim::world::Trace;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::ExitCode;

pub(super) fn run(what: &str, store: Option<PathBuf>) -> anyhow::Result<ExitCode> {
    let store = match store_path(store) {
        Ok(store) => store,
        Err(code) => return Ok(code),
    };
    runtime()?.block_on(async {
        let reader = Reader::open(&store).await?;
        let Some(signal) = signal_of(&reader, what).await? else {
            eprintln!("error: {what}: no signal or order of this id in {}", store.display());
            return Ok(ExitCode::from(FAILED));
        };
        println!("{}", story(&reader, signal).await?);
        Ok(ExitCode::SUCCESS)
    })
}

/// The signal that an id is about: its own, an order's of ours, or an order's of Bybit's.
async fn signal_of(reader: &Reader, what: &str) -> anyhow::Result<Option<SignalId>> {
    if let Ok(id) = SignalId::parse(what)
        && reader.signal(id).await?.is_some()
    {
        return Ok(Some(id));
    }
    Ok(reader.order(what).await?.and_then(|order| SignalId::parse(&order.signal_id).ok()))
}

async fn story(reader: &Reader, signal: SignalId) -> anyhow::Result<String> {
    let mut manager = Manager::new();
    let mut step = Step::default();
    let mut teller: Option<Teller> = None;
    let mut next = Seq(1);
    loop {
        let page = reader.journal(next, PAGE).await?;
        let Some(last) = page.last() else { break };
        next = Seq(last.seq.0 + 1);
        for stored in &page {
            let record = read_record(&stored.record)?;
            manager.step(record.at, &record.input, &mut step)?;
            let teller = teller.get_or_insert_with(|| Teller::new(signal, manager.config().link_id_prefix));
            teller.step(record.at, &record.input, &step, &manager);
        }
    }
    Ok(teller.map(|teller| teller.lines.join("\n")).unwrap_or_default())
}

/// Keeps the lines of a replay that are about one signal.
struct Teller {
    signal: SignalId,
    prefix: LinkPrefix,
    began: Option<Timestamp>,
    lines: Vec<String>,
}

impl Teller {
    fn new(signal: SignalId, prefix: LinkPrefix) -> Self {
        Self { signal, prefix, began: None, lines: Vec::new() }
    }

    fn step(&mut self, at: Timestamp, input: &order_manager_core::input::Input, step: &Step, manager: &Manager) {
        let first = step
            .events
            .iter()
            .any(|event| matches!(event, Event::SignalAccepted { signal, .. } if signal.id == self.signal));
        if first && self.began.is_none() {
            self.began = Some(at);
            self.lines.push(format!("signal {} came at {at}; times are ms since then", self.signal));
        }
        let Some(began) = self.began else { return };
        let name = self.signal.to_string();
        let mut trace = Trace::new(began, self.prefix, BTreeMap::from([(self.signal, name.clone())]));
        trace.step(at, input, step, manager);
        let lines = trace.text().lines().skip(1).filter(|line| line.contains(&name));
        self.lines.extend(lines.map(|line| line.replace(&format!("{name}-"), "order ").replace(&name, "signal")));
        for event in &step.events {
            self.verdicts(event);
        }
    }

    /// Each limit that the plan stood, with its figures.
    fn verdicts(&mut self, event: &Event) {
        match event {
            Event::Planned { signal, plan } if *signal == self.signal => {
                for verdict in &plan.verdicts {
                    let (rule, figure, limit) = (verdict.rule, verdict.figure.normalize(), verdict.limit.normalize());
                    self.lines.push(format!("{:>20}  {rule:<20} {figure} of {limit}", ""));
                }
            }
            Event::OrderIntended { spec } if spec.intent.signal == self.signal => {
                let link: OrderLinkId = spec.link;
                self.lines.push(format!("{:>20}  order {} is {link} at the exchange", "", spec.intent.leg));
            }
            _ => {}
        }
    }
}
