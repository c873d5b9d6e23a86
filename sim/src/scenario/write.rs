//! A scenario written as the file that a person would write: only what differs from what is usual.
//!
//! The law: a sound scenario reads back as it was, but for the lines of its steps. Sound is one that a file can say:
//! its steps stand in the order of their moments; an alias is given once, before it is used; the id of a signal is
//! that of its alias, or of an earlier signal's; prices, quantities and counts are above zero; times are at most a
//! year.

use super::around::{Broker, Clock, Commit, CommitTrouble, Messages, Reconnect, Silence};
use super::crash::{self, Crash, Loss, MOMENTS};
use super::fault::{self, Answer, Effect, Fault, FaultKind, Path, Pushes};
use super::signal::{MOMENTUM, SPREAD, confidence};
use super::word::word_of;
use super::{Action, Expect, Liquidity, Manual, Prices, RawStep, Scenario, SignalStep, Step, signal_id};
use order_manager_core::unit::{Price, Span, Symbol};
use std::collections::BTreeMap;
use std::fmt::Display;

/// The file's text.
#[must_use]
pub fn write(scenario: &Scenario) -> String {
    let mut head = about(&scenario.about);
    let mut line = |key: &str, value: String| head.push_str(&format!("{key} = {value}\n"));
    line("name", text(&scenario.name));
    if !is_comment(&scenario.about) {
        line("about", text(&scenario.about));
    }
    if scenario.seed != 1 {
        line("seed", scenario.seed.to_string());
    }
    if scenario.sockets {
        line("sockets", true.to_string());
    }
    if let Some(link) = scenario.link {
        line("link", text(link.as_str()));
    }
    if scenario.duration != Scenario::usual_duration(&scenario.steps) {
        line("duration", length(scenario.duration));
    }
    if let Some(heal) = scenario.heal {
        line("heal", length(heal));
    }
    prices(&mut head, scenario.prices);
    section(&mut head, "config", &scenario.config);
    section(&mut head, "exchange", &scenario.exchange);
    let mut earlier = Vec::new();
    for step in &scenario.steps {
        head.push_str(&of_step(step, scenario.prices.symbol, &mut earlier));
    }
    head
}

/// The comment that tells the story, and an empty line.
fn about(about: &str) -> String {
    if about.is_empty() || !is_comment(about) {
        return String::new();
    }
    let lines = about.split('\n').map(|line| if line.is_empty() { "#\n".into() } else { format!("# {line}\n") });
    lines.chain(["\n".into()]).collect()
}

/// Would a comment read back as this text?
fn is_comment(about: &str) -> bool {
    about.split('\n').all(|line| line.trim_end() == line && !line.contains(|c: char| c.is_control() && c != '\t'))
}

fn prices(out: &mut String, prices: Prices) {
    let usual = Prices::default();
    let mut fields = Vec::new();
    if prices.symbol != usual.symbol {
        fields.push(format!("symbol = {}\n", text(prices.symbol.as_str())));
    }
    if prices.start != usual.start {
        fields.push(format!("start = {}\n", quoted(prices.start)));
    }
    if !fields.is_empty() {
        out.push_str(&format!("\n[prices]\n{}", fields.concat()));
    }
}

/// A table of somebody else's words, as TOML writes it.
fn section(out: &mut String, name: &str, table: &toml::Table) {
    if table.is_empty() {
        return;
    }
    let whole = toml::Table::from_iter([(name.to_string(), toml::Value::Table(table.clone()))]);
    out.push_str(&format!("\n{whole}"));
}

fn of_step(step: &Step, usual: Symbol, earlier: &mut Vec<String>) -> String {
    let (word, value) = of_action(&step.action, usual, earlier);
    format!("\n[[steps]]\nat = {}\n{word} = {value}\n", length(step.at))
}

/// An action's word, and what stands behind it.
fn of_action(action: &Action, usual: Symbol, earlier: &mut Vec<String>) -> (&'static str, String) {
    match action {
        Action::Signal(signal) => ("signal", of_signal(signal, usual, earlier)),
        Action::Raw(raw) => ("signal", of_raw(raw)),
        Action::Again(alias) => ("again", text(alias)),
        Action::Price(prices) => ("price", of_prices(prices)),
        Action::Fault(fault) => ("fault", of_fault(fault)),
        Action::StreamDown => ("stream", text("down")),
        Action::StreamUp => ("stream", text("up")),
        Action::ExchangeDown => ("exchange", text("down")),
        Action::ExchangeUp => ("exchange", text("up")),
        Action::StoreDown => ("store", text("down")),
        Action::StoreUp => ("store", text("up")),
        Action::Crash(crash) => ("crash", of_crash(crash)),
        Action::Silence(silence) => ("silence", of_silence(silence)),
        Action::Ban(length_of) => ("ban", length(*length_of)),
        Action::Reconnect(reconnect) => ("reconnect", of_reconnect(reconnect)),
        Action::Broker(broker) => ("broker", of_broker(broker)),
        Action::Commit(commit) => ("commit", of_commit(commit)),
        Action::Checkpoint => ("checkpoint", true.to_string()),
        Action::CheckpointEvery(records) => ("checkpoint_every", records.to_string()),
        Action::Clock(clock) => ("clock", of_clock(*clock)),
        Action::Pause(length_of) => ("pause", length(*length_of)),
        Action::Manual(Manual { side, symbol, quantity }) => {
            let mut fields = Fields::default();
            fields.word("side", &side.to_string());
            fields.symbol(*symbol, usual);
            fields.number("quantity", quantity);
            ("manual", fields.table())
        }
        Action::Liquidity(Liquidity { symbol, at_best }) => {
            let mut fields = Fields::default();
            fields.symbol(*symbol, usual);
            fields.number("at_best", at_best);
            ("liquidity", fields.table())
        }
        Action::RejectNext => ("reject_next", true.to_string()),
        Action::Touch(symbol) => ("price", format!("{{ touch = {} }}", text(symbol.as_str()))),
        Action::Quirk(quirk) => ("quirk", super::write_quirk(quirk)),
        Action::Expect(expect) => ("expect", of_expect(expect)),
    }
}

fn of_signal(signal: &SignalStep, usual: Symbol, earlier: &mut Vec<String>) -> String {
    let mut fields = Fields::default();
    fields.word("id", &signal.alias);
    let same = earlier.iter().find(|alias| signal_id(alias) == signal.id);
    if let Some(same) = same.filter(|_| signal.id != signal_id(&signal.alias)) {
        fields.word("same_id_as", same);
    }
    fields.symbol(signal.symbol, usual);
    fields.word("side", &signal.side.to_string());
    fields.number("amount", signal.amount);
    if signal.confidence != confidence(signal.exit) {
        fields.number("confidence", signal.confidence);
    }
    if let Some(price) = signal.price {
        fields.number("price", price);
    }
    if signal.spread != SPREAD {
        fields.number("spread", signal.spread);
    }
    fields.length("age", signal.age, Span::ZERO);
    fields.length("ahead", signal.ahead, Span::ZERO);
    fields.switch("urgency", signal.urgency);
    fields.switch("exit", signal.exit);
    fields.switch("warmup", signal.warmup);
    if signal.strategy != MOMENTUM {
        fields.word("strategy", &signal.strategy);
    }
    if let Some(trace) = &signal.trace {
        fields.word("trace", trace);
    }
    fields.more_than_one("deliveries", signal.deliveries);
    earlier.push(signal.alias.clone());
    fields.table()
}

fn of_raw(raw: &RawStep) -> String {
    let mut fields = Fields::default();
    match std::str::from_utf8(&raw.body) {
        Ok(body) => fields.word("raw", body),
        Err(_) => fields.word("raw_hex", &hex::encode(&raw.body)),
    }
    fields.more_than_one("deliveries", raw.deliveries);
    fields.table()
}

fn of_prices(prices: &BTreeMap<Symbol, Price>) -> String {
    let mut fields = Fields::default();
    prices.iter().for_each(|(symbol, price)| fields.number(symbol.as_str(), price));
    fields.table()
}

fn of_fault(fault: &Fault) -> String {
    let mut fields = Fields::default();
    let of = match fault.kind {
        FaultKind::Carry { path, effect } => {
            let way = match path {
                Path::Request(_) => "request",
                Path::Reply(_) => "reply",
                Path::Push(_) => "push",
            };
            match effect {
                Effect::Drop => fields.word("drop", way),
                Effect::Duplicate => fields.word("duplicate", way),
                Effect::Delay(by) => {
                    fields.word("delay", way);
                    fields.put("by", length(by));
                }
                Effect::Reset(by) => {
                    fields.word("reset", way);
                    fields.some("by", by.map(length));
                }
                Effect::Refuse => fields.word("refuse", way),
                Effect::Reorder(by) => {
                    fields.word("reorder", way);
                    fields.length("by", by, fault::OVERTAKEN_BY);
                }
            }
            match path {
                Path::Request(of) | Path::Reply(of) => fault::requests_word(of),
                Path::Push(of) => fault::pushes_word(of),
            }
        }
        FaultKind::Answer { of, answer, executed } => {
            let code = match answer {
                Answer::Code(code) => code,
                Answer::Status(status) => status.into(),
            };
            fields.put("answer", code.to_string());
            fields.switch("executed", executed);
            fault::requests_word(of)
        }
        FaultKind::PushFirst { of } => {
            fields.switch("push_first", true);
            fault::requests_word(of)
        }
    };
    fields.unless("of", of, "any");
    fields.more_than_one("count", fault.count);
    fields.table()
}

fn of_crash(crash: &Crash) -> String {
    let mut fields = Fields::default();
    fields.word("at", word_of(MOMENTS, &crash.moment));
    fields.unless("on", crash::on_word(crash.on), "any");
    fields.length("restart", crash.restart, Span::secs(1));
    fields.unless("loss", crash.loss.as_str(), Loss::Kill.as_str());
    fields.table()
}

fn of_silence(silence: &Silence) -> String {
    let mut fields = Fields::default();
    fields.unless("of", fault::pushes_word(silence.of), fault::pushes_word(Pushes::All));
    fields.put("length", length(silence.length));
    fields.table()
}

fn of_reconnect(reconnect: &Reconnect) -> String {
    let mut fields = Fields::default();
    fields.count("fails", Some(reconnect.fails).filter(|fails| *fails > 0));
    fields.length("every", reconnect.every, Span::secs(1));
    fields.table()
}

fn of_broker(broker: &Broker) -> String {
    let mut fields = Fields::default();
    let (word, messages) = match broker {
        Broker::Redeliver => ("redeliver", None),
        Broker::Duplicate(messages) => ("duplicate", Some(messages)),
        Broker::LoseAck(messages) => ("lose-ack", Some(messages)),
        Broker::Reorder(messages) => ("reorder", Some(messages)),
    };
    fields.word("do", word);
    if let Some(Messages { count, by }) = messages {
        fields.more_than_one("count", *count);
        fields.length("by", *by, Span::secs(1));
    }
    fields.table()
}

fn of_commit(commit: &Commit) -> String {
    let mut fields = Fields::default();
    match commit.trouble {
        CommitTrouble::Fail => fields.word("do", "fail"),
        CommitTrouble::Slow(by) => {
            fields.word("do", "slow");
            fields.length("by", by, Span::secs(1));
        }
    }
    fields.more_than_one("count", commit.count);
    fields.table()
}

fn of_clock(clock: Clock) -> String {
    let mut fields = Fields::default();
    match clock {
        Clock::Step(us) => {
            let sign = if us < 0 { "\"-" } else { "\"" };
            fields.put("step", length(Span(us.unsigned_abs())).replacen('"', sign, 1));
        }
        Clock::Drift(ppm) => fields.put("drift", ppm.to_string()),
    }
    fields.table()
}

fn of_expect(expect: &Expect) -> String {
    let mut fields = Fields::default();
    fields.count("orders", expect.orders);
    fields.count("open", expect.open);
    if let Some(status) = expect.status {
        fields.word("status", status.as_str());
    }
    let nested = |map: &mut dyn Iterator<Item = (String, String)>| {
        let mut fields = Fields::default();
        map.for_each(|(key, value)| fields.put(&key, value));
        fields.table_unless_empty()
    };
    fields.some("signal", nested(&mut expect.signal.iter().map(|(alias, word)| (alias.clone(), text(word.as_str())))));
    fields.some("code", nested(&mut expect.code.iter().map(|(alias, code)| (alias.clone(), text(code)))));
    fields
        .some("position", nested(&mut expect.position.iter().map(|(symbol, size)| (symbol.to_string(), quoted(size)))));
    fields.count("fills", expect.fills);
    fields.count("rejected", expect.rejected);
    fields.count("cancelled", expect.cancelled);
    fields.count("unknown", expect.unknown);
    fields.count("dead_letters", expect.dead_letters);
    fields.count("duplicates", expect.duplicates);
    fields.count("conflicts", expect.conflicts);
    if let Some(events) = &expect.events {
        let words: Vec<String> = events.iter().map(|event| text(event.as_str())).collect();
        fields.put("events", format!("[{}]", words.join(", ")));
    }
    fields.some("settled", expect.settled.map(|yes| yes.to_string()));
    fields.some("consistent", expect.consistent.map(|yes| yes.to_string()));
    fields.table()
}

/// An inline table in the making.
#[derive(Default)]
struct Fields(Vec<String>);

impl Fields {
    /// A field whose value is TOML already.
    fn put(&mut self, key: &str, value: String) {
        let bare = !key.is_empty() && key.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_');
        let key = if bare { key.to_string() } else { text(key) };
        self.0.push(format!("{key} = {value}"));
    }

    fn some(&mut self, key: &str, value: Option<String>) {
        if let Some(value) = value {
            self.put(key, value);
        }
    }

    fn word(&mut self, key: &str, word: &str) {
        self.put(key, text(word));
    }

    fn unless(&mut self, key: &str, word: &str, usual: &str) {
        if word != usual {
            self.word(key, word);
        }
    }

    fn number(&mut self, key: &str, number: impl Display) {
        self.put(key, quoted(number));
    }

    fn length(&mut self, key: &str, span: Span, usual: Span) {
        if span != usual {
            self.put(key, length(span));
        }
    }

    fn count(&mut self, key: &str, count: Option<u32>) {
        self.some(key, count.map(|count| count.to_string()));
    }

    fn more_than_one(&mut self, key: &str, count: u32) {
        self.some(key, (count != 1).then(|| count.to_string()));
    }

    fn switch(&mut self, key: &str, is_on: bool) {
        if is_on {
            self.put(key, true.to_string());
        }
    }

    fn symbol(&mut self, symbol: Symbol, usual: Symbol) {
        if symbol != usual {
            self.word("symbol", symbol.as_str());
        }
    }

    fn table(&self) -> String {
        if self.0.is_empty() { "{}".into() } else { format!("{{ {} }}", self.0.join(", ")) }
    }

    fn table_unless_empty(&self) -> Option<String> {
        (!self.0.is_empty()).then(|| self.table())
    }
}

/// A length of time in the largest unit that says it in a whole number.
pub(super) fn length(span: Span) -> String {
    let (second, minute, hour) = (1_000_000, 60_000_000, 3_600_000_000);
    let (unit, name) = match span.0 {
        0 => (1_000, "ms"),
        n if n % hour == 0 => (hour, "h"),
        n if n % minute == 0 => (minute, "m"),
        n if n % second == 0 => (second, "s"),
        n if n % 1_000 == 0 => (1_000, "ms"),
        _ => (1, "us"),
    };
    format!("\"{}{name}\"", span.0 / unit)
}

fn quoted(number: impl Display) -> String {
    format!("\"{number}\"")
}

/// A TOML text: as it stands where it has quotes of its own (JSON reads better so), else with escapes.
fn text(text: &str) -> String {
    let plain = !text.contains(|c: char| c.is_control() || c == '\'');
    if plain && text.contains(['"', '\\']) {
        return format!("'{text}'");
    }
    let mut out = String::from('"');
    for c in text.chars() {
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            '\n' => out.push_str("\\n"),
            '\t' => out.push_str("\\t"),
            c if c.is_control() => out.push_str(&format!("\\u{:04X}", u32::from(c))),
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

#[cfg(test)]
mod tests;
