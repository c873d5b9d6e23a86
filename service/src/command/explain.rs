//! `order-manager explain`: the story of one signal, made by replaying the journal: what came in, each rule's
//! verdict with its figures, requests, evidence, and what was told.

use super::journal::PAGE;
use super::{FAILED, runtime, store_place};
use crate::store::Reader;
use order_manager_core::event::{Event, Seq};
use order_manager_core::input::Input;
use order_manager_core::intake::Signal;
use order_manager_core::journal::read_record;
use order_manager_core::plan::Note;
use order_manager_core::risk::Verdict;
use order_manager_core::unit::{LinkPrefix, Price, SignalId, Timestamp};
use order_manager_core::{Manager, Step};
use order_manager_sim::world::Trace;
use std::collections::BTreeMap;
use std::process::ExitCode;

pub(super) fn run(what: &str, store: Option<String>) -> anyhow::Result<ExitCode> {
    let store = match store_place(store) {
        Ok(store) => store,
        Err(code) => return Ok(code),
    };
    runtime()?.block_on(async {
        let reader = Reader::open(&store).await?;
        let Some(signal) = signal_of(&reader, what).await? else {
            eprintln!("error: {what}: no signal or order of this id in {store}; GET /api/v1/orders lists all ids");
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

/// How the story calls the signal: its orders are then S-0, S-1 and so on.
const ALIAS: &str = "S";
/// The width of a line's words, as in traces.
const WORDS: usize = 76;
/// Where the words of a trace's line begin, after time and lane.
const WORDS_AT: usize = 19;

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

    fn step(&mut self, at: Timestamp, input: &Input, step: &Step, manager: &Manager) {
        if self.began.is_none() {
            self.began = step.events.iter().any(|event| self.is_arrival(event)).then_some(at);
        }
        let Some(began) = self.began else { return };
        step.events.iter().for_each(|event| self.arrival(at, event));
        let name = self.signal.to_string();
        let mut trace = Trace::new(began, self.prefix, BTreeMap::from([(self.signal, name.clone())]));
        trace.step(at, input, step, manager);
        for line in trace.text().lines().skip(1).filter(|line| line.contains(&name)) {
            let Some((head, rest)) = line.split_at_checked(WORDS_AT) else { continue };
            let rest = rest.replace(&name, ALIAS);
            let (words, state) = rest.trim_start().split_once("  ").unwrap_or((rest.trim_start(), ""));
            self.lines.push(format!("{head}{words:<WORDS$} {}", state.trim_start()).trim_end().to_string());
            if words.starts_with("plan ") {
                step.events.iter().for_each(|event| self.verdicts(event));
            }
        }
        step.events.iter().for_each(|event| self.names(event));
    }

    fn is_arrival(&self, event: &Event) -> bool {
        match event {
            Event::SignalAccepted { signal, .. } => signal.id == self.signal,
            Event::SignalInvalid { bad, .. } => bad.known.as_ref().is_some_and(|known| known.id == self.signal),
            _ => false,
        }
    }

    /// What came in.
    fn arrival(&mut self, at: Timestamp, event: &Event) {
        if !self.is_arrival(event) {
            return;
        }
        let id = self.signal;
        match event {
            Event::SignalAccepted { signal, .. } => {
                let Signal { side, symbol, amount, confidence, snapshot, strategy_id, timestamp, .. } = &**signal;
                let or_none = |figure: Option<Price>| figure.map_or_else(|| "none".into(), |price| price.to_string());
                let (price, spread) = (or_none(snapshot.price), or_none(snapshot.spread));
                let kind = match (signal.is_exit, signal.urgent) {
                    (true, _) => ", an exit",
                    (false, true) => ", urgent",
                    (false, false) => "",
                };
                let amount = amount.normalize();
                self.lines.push(format!("signal {id}, below {ALIAS}: {side} {amount} of {symbol}{kind}"));
                self.lines.push(format!(
                    "  confidence {confidence}, price {price}, spread {spread}, strategy {strategy_id}, trace {}",
                    signal.trace
                ));
                let age = at.since(*timestamp).0 / 1_000;
                self.lines.push(format!("  came {at}, {age} ms after it was made"));
                self.lines.push(format!("  {LEGEND}"));
            }
            Event::SignalInvalid { bad, .. } => {
                self.lines.push(format!("signal {id} came {at} and could not be taken:"));
                self.lines.extend(bad.faults.iter().map(|fault| format!("  {fault}")));
                self.lines.push("  It is kept as a rejected order; nothing was sent to the exchange.".into());
            }
            _ => {}
        }
    }

    /// Each limit that the plan stood, with its figures, and what was worth a warning.
    fn verdicts(&mut self, event: &Event) {
        let Event::Planned { signal, plan } = event else { return };
        if *signal != self.signal {
            return;
        }
        let indent = WORDS_AT + 2;
        for Verdict { rule, figure, limit } in &plan.verdicts {
            let (rule, figure, limit) = (rule.to_string(), figure.normalize(), limit.normalize());
            self.lines.push(format!("{:indent$}{rule:<20} {figure} of {limit}", ""));
        }
        if let Some(drift) = plan.drift {
            self.lines.push(format!("{:indent$}{:<20} {drift} from the signal's price", "", "price_drift"));
        }
        self.lines.extend(plan.notes.iter().map(|note| format!("{:indent$}note: {}", "", words_of(note))));
    }

    /// What an order is called at the exchange.
    fn names(&mut self, event: &Event) {
        if let Event::OrderIntended { spec } = event
            && spec.intent.signal == self.signal
        {
            let attempt = if spec.intent.attempt == 0 { String::new() } else { format!("/{}", spec.intent.attempt) };
            let indent = WORDS_AT + 2;
            let name = format!("{ALIAS}-{}{attempt}", spec.intent.leg);
            self.lines.push(format!("{:indent$}{name} has the order link id {}", "", spec.link));
        }
    }
}

/// How to read what follows.
const LEGEND: &str =
    "ms since it came | lane | `>` a request, `<` evidence from the exchange, `publish` an event | order's state";

fn words_of(note: &Note) -> String {
    match note {
        Note::NoSnapshotPrice => "the signal has no price: the market's was used".into(),
        Note::Drifted => "the price has drifted further than is warned about".into(),
        Note::MovedIntoBand => "the limit was moved into the exchange's price band".into(),
        Note::CappedAtPosition(rest) => format!("more than the position holds: {rest} stays undone"),
        Note::ClosesOnly(rest) => format!("closes the position and does not turn it around: {rest} stays undone"),
        Note::Shrunk { from, by } => format!("shrunk from {from}: {by}"),
    }
}
