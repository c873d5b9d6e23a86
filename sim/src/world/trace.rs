//! The story as lines in fixed columns: time in ms, lane, what, and the order's state after it.

use order_manager_core::bybit::{OrderKind, Request};
use order_manager_core::command::{Command, Receipt};
use order_manager_core::event::{Change, CreateAnswer, Event, Told};
use order_manager_core::input::{Input, Source, Stream, Tag};
use order_manager_core::outcome::Outcome;
use order_manager_core::unit::{LinkPrefix, OrderLinkId, SignalId, Symbol, Timestamp};
use order_manager_core::{Manager, Step};
use std::collections::BTreeMap;
use std::fmt::Write as _;

/// Lines of a run.
#[derive(Clone, Debug, Default)]
pub struct Trace {
    start: Timestamp,
    prefix: Option<LinkPrefix>,
    aliases: BTreeMap<SignalId, String>,
    text: String,
    /// A reconcile that closes a gap is under way; those of every minute are not worth a line.
    catching_up: bool,
}

impl Trace {
    /// An empty trace of a world that begins at `start`; signals go by their aliases.
    #[must_use]
    pub fn new(start: Timestamp, prefix: LinkPrefix, aliases: BTreeMap<SignalId, String>) -> Self {
        let text = format!("{:>8}  {:<8} {:<76} state\n", "t", "lane", "what");
        Self { start, prefix: Some(prefix), aliases, text, catching_up: false }
    }

    /// The lines.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Something outside the manager.
    pub fn note(&mut self, now: Timestamp, what: &str) {
        self.line(now, "", what, "");
    }

    fn line(&mut self, now: Timestamp, lane: &str, what: &str, state: &str) {
        // The manager starts a little before the first step of a scenario.
        let ms = (i128::from(now.0) - i128::from(self.start.0)) / 1_000;
        let line = format!("{ms:>8}  {lane:<8} {what:<76} {state}");
        let _ = writeln!(self.text, "{}", line.trim_end());
    }

    /// One step of the manager.
    pub fn step(&mut self, now: Timestamp, input: &Input, step: &Step, manager: &Manager) {
        match input {
            Input::Stream(stream) if matches!(**stream, Stream::Up) => self.note(now, "< stream up"),
            Input::Stream(stream) if matches!(**stream, Stream::Down) => self.note(now, "< stream down"),
            _ => {}
        }
        let reconciled = |event: &Event| matches!(event, Event::Reconciled { .. });
        let catching_up = self.catching_up;
        for event in step.events.iter().filter(|event| catching_up || !reconciled(event)) {
            let (lane, what, link) = self.event(event, manager);
            let state = link.and_then(|link| manager.durable().book.get(link)).map(|order| order.state);
            let state = state.map(|state| format!("{state:?}").to_lowercase()).unwrap_or_default();
            if !what.is_empty() {
                self.line(now, &lane, &what, &state);
            }
        }
        if step.events.iter().any(reconciled) {
            self.catching_up = false;
        }
        for command in &step.commands {
            let sweeps =
                matches!(command, Command::Send(outgoing) if matches!(outgoing.tag, Tag::Sweep { page: 0, .. }));
            if sweeps && manager.is_ready() {
                continue;
            }
            self.catching_up |= sweeps;
            let what = self.command(command);
            if !what.is_empty() {
                self.line(now, "", &what, "");
            }
        }
    }

    fn command(&self, command: &Command) -> String {
        match command {
            Command::Send(outgoing) => match (&outgoing.request, outgoing.tag) {
                (Request::Create(create), _) => format!("> create {}", self.name(create.link)),
                (Request::Cancel(cancel), _) => format!("> cancel {}", self.name(cancel.link)),
                (_, Tag::Inquiry { link, source, round, .. }) => {
                    let place = match source {
                        Source::Realtime => "open orders",
                        Source::History => "order history",
                        Source::Executions => "executions",
                    };
                    format!("> ask {place} for {}, round {round}", self.name(link))
                }
                (_, Tag::Sweep { page: 0, .. }) => "> ask for everything that is open or filled".into(),
                _ => String::new(),
            },
            Command::Consult(question) => format!("> ask Position Manager: {question:?}"),
            Command::Settle { receipt, .. } => match receipt {
                Receipt::Accepted(_) => String::new(),
                Receipt::Duplicate(id, outcome) => match outcome {
                    Some(outcome) => format!("ack copy of {}: {}", self.signal(*id), word(*outcome)),
                    None => format!("ack copy of {}: not settled yet", self.signal(*id)),
                },
                Receipt::Conflict(id) => format!("ack {}: conflict, known with another content", self.signal(*id)),
                Receipt::Rejected(id, _) => format!("ack {}: rejected", self.signal(*id)),
                Receipt::DeadLettered(_) => "ack dead letter".into(),
                Receipt::Paused => String::new(),
            },
        }
    }

    /// Lane, words and order of an event; no words where it is not worth a line.
    fn event(&self, event: &Event, manager: &Manager) -> (String, String, Option<OrderLinkId>) {
        if let Some((link, words)) = self.order_words(event) {
            let symbol = manager.durable().book.get(link).map_or(Symbol::EMPTY, |order| order.spec.symbol);
            return (symbol.to_string(), words, Some(link));
        }
        let lane_of =
            |id: SignalId| manager.durable().signals.get(&id).map(|state| state.signal.symbol).unwrap_or(Symbol::EMPTY);
        let lane = match event {
            Event::SignalAccepted { signal, .. } => signal.symbol,
            Event::Planned { signal, .. } | Event::SignalSettled { signal, .. } => lane_of(*signal),
            Event::ForeignExecuted { row, .. } => row.symbol,
            Event::IntakePaused { symbol } | Event::OpeningHalted { symbol, .. } => *symbol,
            _ => Symbol::EMPTY,
        };
        (lane.to_string(), self.other_words(event), None)
    }

    fn order_words(&self, event: &Event) -> Option<(OrderLinkId, String)> {
        let name = |link: &OrderLinkId| self.name(*link);
        Some(match event {
            Event::OrderIntended { spec } => {
                let kind = match spec.kind {
                    OrderKind::Market { .. } => "market".to_string(),
                    OrderKind::Limit { price, time_in_force } => format!("limit {price} {time_in_force:?}"),
                };
                let reduce = if spec.reduce_only { " reduce-only" } else { "" };
                (spec.link, format!("intend {} {} {} {kind}{reduce}", name(&spec.link), spec.side, spec.quantity))
            }
            Event::OrderAnswered { link, answer, .. } => {
                let what = match answer {
                    CreateAnswer::Accepted { .. } => "taken".to_string(),
                    CreateAnswer::Refused { text, .. } => format!("refused {text}"),
                    CreateAnswer::NotSent { why } => format!("not executed: {why}"),
                    CreateAnswer::Unknown { why } => format!("outcome unknown: {why}"),
                };
                (*link, format!("< create {} {what}", name(link)))
            }
            Event::OrderSeen { link, row, .. } => {
                let why = row.reject_reason.as_str();
                let why = if matches!(why, "" | "EC_NoError") { String::new() } else { format!(" {why}") };
                (*link, format!("< order {} {:?} filled {}{why}", name(link), row.status, row.cum_quantity))
            }
            Event::OrderMissed { link, .. } => (*link, format!("? order {} is not shown any more", name(link))),
            Event::OrderNoticed { link, .. } => {
                (*link, format!("< order {} exists, more is not understood", name(link)))
            }
            Event::OrderExecuted { link, row, .. } => {
                (*link, format!("< fill {} {} at {}", name(link), row.quantity, row.price))
            }
            Event::OrderAbsent { link, proof, .. } => {
                let word = if proof.aged_out { "aged out" } else { "proven absent" };
                (*link, format!("{word} {}: {} empty answers", name(link), proof.answers.len()))
            }
            Event::OrderExpired { link, .. } => (*link, format!("expired unsent {}", name(link))),
            Event::CancelWanted { link, reason } => {
                (*link, format!("want cancel of {}: {}", name(link), reason.as_str()))
            }
            Event::OrderTold(told) => (told.link, self.told(told)),
            _ => return None,
        })
    }

    fn other_words(&self, event: &Event) -> String {
        match event {
            Event::SignalAccepted { signal, tries, .. } => {
                let again = if *tries > 1 { format!(", try {tries}") } else { String::new() };
                format!("signal {} {} {}{again}", self.signal(signal.id), signal.side, signal.amount.normalize())
            }
            Event::SignalInvalid { bad, .. } => format!("signal invalid: {}", faults(&bad.faults)),
            Event::DeadLettered { bad, .. } => format!("dead letter: {}", faults(&bad.faults)),
            Event::Planned { signal, plan } => {
                let cancels: Vec<_> = plan.cancels.iter().map(|link| self.name(*link)).collect();
                let first =
                    if cancels.is_empty() { String::new() } else { format!(", first cancel {}", cancels.join(" ")) };
                format!("plan {} at {} for {}{first}", plan.quantity, plan.price, self.signal(*signal))
            }
            Event::SignalSettled { signal, outcome, text, .. } => {
                format!("settled {} {}: {}", self.signal(*signal), word(*outcome), self.named(text.as_str()))
            }
            Event::ForeignExecuted { row, .. } => {
                format!("< foreign fill {} {} at {}", row.side, row.quantity, row.price)
            }
            Event::Started { life } => format!("start, life {life}"),
            Event::Reconciled { .. } => "reconciled".into(),
            Event::OpeningHalted { why, .. } => format!("! opening halted: {}", self.named(why.as_str())),
            Event::Quarantined { why, .. } => format!("! quarantined: {}", self.named(why.as_str())),
            Event::IntakePaused { .. } => "! no room: not taken, it comes again".into(),
            Event::Defect { what, .. } => format!("! defect: {what}"),
            _ => String::new(),
        }
    }

    fn told(&self, told: &Told) -> String {
        let change = match told.change {
            Change::Created => "created".to_string(),
            Change::Modified => "modified".to_string(),
            Change::PartiallyFilled => format!("partially_filled +{}", told.increment.quantity),
            Change::Filled => format!("filled +{}", told.increment.quantity),
            Change::Cancelled => format!("cancelled ({})", told.reason),
            Change::Rejected => format!("rejected ({})", told.reason),
        };
        format!("publish {} {change}", self.name(told.link))
    }

    fn signal(&self, id: SignalId) -> String {
        self.aliases.get(&id).cloned().unwrap_or_else(|| id.to_string())
    }

    /// Order link ids print as signal-leg, and /attempt after the first.
    fn name(&self, link: OrderLinkId) -> String {
        match self.prefix.and_then(|prefix| OrderLinkId::parse(prefix, link.as_str())) {
            Some((_, intent)) if intent.attempt == 0 => format!("{}-{}", self.signal(intent.signal), intent.leg),
            Some((_, intent)) => format!("{}-{}/{}", self.signal(intent.signal), intent.leg, intent.attempt),
            None => link.to_string(),
        }
    }

    /// A text with the order link ids in it named.
    fn named(&self, text: &str) -> String {
        let word = |word: &str| {
            let bare = word.trim_end_matches([':', ',', '.']);
            let link = self.prefix.and_then(|prefix| OrderLinkId::parse(prefix, bare));
            link.map_or_else(|| word.to_string(), |(link, _)| word.replace(bare, &self.name(link)))
        };
        text.split(' ').map(word).collect::<Vec<_>>().join(" ")
    }
}

fn word(outcome: Outcome) -> String {
    match outcome {
        Outcome::Placed => "placed".into(),
        Outcome::Rejected(code) => format!("rejected {code}"),
    }
}

fn faults(faults: &[order_manager_core::intake::Fault]) -> String {
    faults.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
}
