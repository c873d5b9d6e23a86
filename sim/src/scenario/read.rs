//! From the shape of a file to a scenario: words become values, and everything wrong is found at once.

use super::problem::{Problem, ScenarioError};
use super::raw::{RawLiquidity, RawManual, RawScenario, RawStep, Word, Words};
use super::{
    Action, Link, Liquidity, Manual, Prices, Scenario, Step, around, crash, expect, fault, quirk, signal, word,
};
use order_manager_core::unit::{Price, Quantity, Span, Symbol};
use std::collections::BTreeMap;
use toml::Spanned;

/// Of faults, deliveries and the like.
const COUNT_MAX: u32 = 10_000;

/// The words of a step.
#[cfg(test)]
pub(super) const ACTIONS: &[&str] = &[
    "signal",
    "again",
    "price",
    "fault",
    "stream",
    "exchange",
    "store",
    "crash",
    "silence",
    "ban",
    "reconnect",
    "broker",
    "commit",
    "checkpoint",
    "checkpoint_every",
    "clock",
    "pause",
    "manual",
    "liquidity",
    "reject_next",
    "quirk",
    "expect",
];

/// What reading a file needs to remember.
pub(super) struct Reader<'a> {
    text: &'a str,
    symbol: Symbol,
    aliases: Vec<String>,
    problems: Vec<Problem>,
}

/// Reads the text of a scenario; `path` is its name in problems, `stem` what its `name` must be.
pub(super) fn read(path: &str, stem: &str, text: &str) -> Result<Scenario, ScenarioError> {
    let fail = |problems| ScenarioError { path: path.to_owned(), text: text.to_owned(), problems };
    let raw: RawScenario = toml::from_str(text).map_err(|e| fail(vec![Problem::of_toml(&e)]))?;
    let mut r = Reader { text, symbol: Prices::default().symbol, aliases: Vec::new(), problems: Vec::new() };
    let scenario = r.scenario(path, stem, raw);
    match scenario {
        Some(scenario) if r.problems.is_empty() => Ok(scenario),
        _ => {
            r.problems.sort_by_key(|problem| problem.span.start);
            Err(fail(r.problems))
        }
    }
}

impl Reader<'_> {
    fn scenario(&mut self, path: &str, stem: &str, raw: RawScenario) -> Option<Scenario> {
        if raw.name.get_ref() != stem {
            let message = format!("the scenario is called `{}`, its file `{stem}`", raw.name.get_ref());
            let help = format!("write `name = \"{stem}\"`, or rename the file");
            self.problem(Problem::at(&raw.name, message, "not the name of the file", help));
        }
        self.symbol = self.symbol(raw.prices.symbol.as_ref())?;
        let start = self.or(raw.prices.start.as_ref(), Prices::default().start, word::price);
        let link = self.or(raw.link.as_ref(), None, |w| {
            word::choose(w, "link", &[Link::Typed, Link::Bytes].map(|link| (link.as_str(), link))).map(Some)
        });
        let mut steps = self.steps(&raw.steps);
        steps.sort_by_key(|step| step.at); // stable: steps of one moment keep the order of the file
        let last = steps.last().map_or(Span::ZERO, |step| step.at);
        let duration = self.or(raw.duration.as_ref(), Scenario::usual_duration(&steps), word::length)?;
        if let Some(given) = raw.duration.as_ref().filter(|_| duration < last) {
            let message = format!("the run ends after {duration}, before its last step at {last}");
            let help = "make the run longer, or leave `duration` out: it is then 30 s more than the last step";
            self.problem(Problem::at(given, message, "ends too early", help));
        }
        let heal = self.or(raw.heal.as_ref(), None, |length| word::length(length).map(Some))?;
        Some(Scenario {
            name: raw.name.into_inner(),
            about: raw.about.unwrap_or_else(|| leading_comment(self.text)),
            seed: raw.seed.unwrap_or(1),
            sockets: raw.sockets,
            link: link?,
            duration,
            heal,
            config: raw.config,
            exchange: raw.exchange,
            prices: Prices { symbol: self.symbol, start: start? },
            steps,
            path: path.to_owned(),
            text: self.text.to_owned(),
        })
    }

    /// Steps in the order of their moments, so that a signal may be named after it, wherever it is written.
    fn steps(&mut self, raw: &[Spanned<RawStep>]) -> Vec<Step> {
        let mut order: Vec<(Option<Span>, &Spanned<RawStep>)> =
            raw.iter().map(|step| (self.take(word::length(&step.get_ref().at)), step)).collect();
        // A step whose moment is unreadable is read all the same, for what else is wrong with it.
        order.sort_by_key(|(at, _)| at.unwrap_or(Span(u64::MAX)));
        order
            .into_iter()
            .filter_map(|(at, step)| {
                let line = self.text[..step.span().start].matches('\n').count() + 1;
                self.action(step).zip(at).map(|(action, at)| Step { at, line, action })
            })
            .collect()
    }

    fn action(&mut self, step: &Spanned<RawStep>) -> Option<Action> {
        let raw = step.get_ref();
        let actions = [
            ("signal", raw.signal.is_some()),
            ("again", raw.again.is_some()),
            ("price", raw.price.is_some()),
            ("fault", raw.fault.is_some()),
            ("stream", raw.stream.is_some()),
            ("exchange", raw.exchange.is_some()),
            ("store", raw.store.is_some()),
            ("crash", raw.crash.is_some()),
            ("silence", raw.silence.is_some()),
            ("ban", raw.ban.is_some()),
            ("reconnect", raw.reconnect.is_some()),
            ("broker", raw.broker.is_some()),
            ("commit", raw.commit.is_some()),
            ("checkpoint", raw.checkpoint.is_some()),
            ("checkpoint_every", raw.checkpoint_every.is_some()),
            ("clock", raw.clock.is_some()),
            ("pause", raw.pause.is_some()),
            ("manual", raw.manual.is_some()),
            ("liquidity", raw.liquidity.is_some()),
            ("reject_next", raw.reject_next.is_some()),
            ("quirk", raw.quirk.is_some()),
            ("expect", raw.expect.is_some()),
        ];
        self.exactly_one(step, "step", &actions)?;
        if let Some(raw) = &raw.signal {
            signal::read(self, raw)
        } else if let Some(word) = &raw.again {
            self.known_alias(word).map(Action::Again)
        } else if let Some(raw) = &raw.price {
            self.price(raw.get_ref())
        } else if let Some(raw) = &raw.fault {
            fault::read(self, raw)
        } else if let Some(word) = &raw.stream {
            self.down_or_up(word, "state of the stream", Action::StreamDown, Action::StreamUp)
        } else if let Some(word) = &raw.exchange {
            self.down_or_up(word, "state of the exchange", Action::ExchangeDown, Action::ExchangeUp)
        } else if let Some(word) = &raw.store {
            self.down_or_up(word, "state of the store", Action::StoreDown, Action::StoreUp)
        } else if let Some(raw) = &raw.crash {
            crash::read(self, raw.get_ref())
        } else if let Some(action) = self.around(raw) {
            action
        } else if let Some(raw) = &raw.manual {
            self.manual(raw.get_ref())
        } else if let Some(raw) = &raw.liquidity {
            self.liquidity(raw.get_ref())
        } else if let Some(raw) = &raw.quirk {
            quirk::read(self, raw).map(Action::Quirk)
        } else if let Some(yes) = &raw.reject_next {
            self.take(must_be_true(yes, "reject_next")).map(|()| Action::RejectNext)
        } else {
            raw.expect.as_ref().and_then(|raw| expect::read(self, raw.get_ref()))
        }
    }

    /// What goes wrong around the exchange: none where the step is something else, some none where it cannot be read.
    fn around(&mut self, raw: &RawStep) -> Option<Option<Action>> {
        Some(if let Some(raw) = &raw.silence {
            around::read_silence(self, raw.get_ref())
        } else if let Some(length) = &raw.ban {
            self.take(word::length(length)).map(Action::Ban)
        } else if let Some(raw) = &raw.reconnect {
            around::read_reconnect(self, raw.get_ref())
        } else if let Some(raw) = &raw.broker {
            around::read_broker(self, raw.get_ref())
        } else if let Some(raw) = &raw.commit {
            around::read_commit(self, raw.get_ref())
        } else if let Some(yes) = &raw.checkpoint {
            self.take(must_be_true(yes, "checkpoint")).map(|()| Action::Checkpoint)
        } else if let Some(records) = &raw.checkpoint_every {
            self.count(Some(records)).map(Action::CheckpointEvery)
        } else if let Some(raw) = &raw.clock {
            around::read_clock(self, raw)
        } else if let Some(length) = &raw.pause {
            self.take(word::length(length)).map(Action::Pause)
        } else {
            return None;
        })
    }

    fn down_or_up(&mut self, word: &Word, what: &str, down: Action, up: Action) -> Option<Action> {
        self.take(word::choose(word, what, &[("down", &down), ("up", &up)])).cloned()
    }

    /// `{ BTCUSDT = "50100" }`, or `{ touch = "BTCUSDT" }`.
    fn price(&mut self, words: &Words) -> Option<Action> {
        let touched = words.iter().find(|(key, _)| key.get_ref() == "touch").map(|(_, symbol)| symbol);
        match touched.filter(|_| words.len() == 1) {
            Some(symbol) => self.take(word::symbol(symbol)).map(Action::Touch),
            None => self.prices(words).map(Action::Price),
        }
    }

    fn prices(&mut self, words: &Words) -> Option<BTreeMap<Symbol, Price>> {
        let read: Vec<_> = words
            .iter()
            .map(|(symbol, price)| self.take(word::symbol(symbol)).zip(self.take(word::price(price))))
            .collect();
        read.into_iter().collect()
    }

    fn manual(&mut self, raw: &RawManual) -> Option<Action> {
        let side = self.take(word::side(&raw.side));
        let quantity = self.take(word::quantity(&raw.quantity));
        let symbol = self.symbol(raw.symbol.as_ref());
        Some(Action::Manual(Manual { side: side?, symbol: symbol?, quantity: quantity? }))
    }

    fn liquidity(&mut self, raw: &RawLiquidity) -> Option<Action> {
        let at_best = self.take(word::quantity(&raw.at_best));
        let symbol = self.symbol(raw.symbol.as_ref());
        Some(Action::Liquidity(Liquidity { symbol: symbol?, at_best: at_best.map(Quantity::abs)? }))
    }

    /// Keeps a problem.
    pub(super) fn problem(&mut self, problem: Problem) {
        self.problems.push(problem);
    }

    /// The value, or nothing and the problem is kept.
    pub(super) fn take<T>(&mut self, result: Result<T, Problem>) -> Option<T> {
        result.map_err(|problem| self.problem(problem)).ok()
    }

    /// What the word says, or `usual` where there is none.
    pub(super) fn or<T>(
        &mut self,
        word: Option<&Word>,
        usual: T,
        read: impl Fn(&Word) -> Result<T, Problem>,
    ) -> Option<T> {
        match word {
            Some(word) => self.take(read(word)),
            None => Some(usual),
        }
    }

    /// The symbol, or the scenario's own where none is named.
    pub(super) fn symbol(&mut self, word: Option<&Word>) -> Option<Symbol> {
        self.or(word, self.symbol, word::symbol)
    }

    /// A count from 1; 1 where none is given.
    pub(super) fn count(&mut self, count: Option<&Spanned<u32>>) -> Option<u32> {
        let Some(count) = count else { return Some(1) };
        let range = match *count.get_ref() {
            0 => "a count of `0` does nothing",
            more if more > COUNT_MAX => "more than any story needs",
            fits => return Some(fits),
        };
        let help = format!("write 1 to {COUNT_MAX}, or take the step out");
        self.problem(Problem::at(count, range.to_owned(), "out of range", help));
        None
    }

    /// The field, or a problem with what should have it.
    pub(super) fn required<'w, T, U>(
        &mut self,
        owner: &Spanned<T>,
        field: Option<&'w Spanned<U>>,
        name: &str,
    ) -> Option<&'w Spanned<U>> {
        if field.is_none() {
            self.problem(Problem::at(owner, format!("missing field `{name}`"), "here", format!("add `{name}`")));
        }
        field
    }

    /// Exactly one of `names` must be present.
    pub(super) fn exactly_one<T>(&mut self, owner: &Spanned<T>, what: &str, names: &[(&str, bool)]) -> Option<()> {
        let present: Vec<&str> = names.iter().filter(|(_, is)| *is).map(|(name, _)| *name).collect();
        if present.len() == 1 {
            return Some(());
        }
        let all: Vec<String> = names.iter().map(|(name, _)| format!("`{name}`")).collect();
        let list = format!("one of {}", all.join(", "));
        let (message, help) = if present.is_empty() {
            (format!("a {what} that does nothing"), format!("add {list}"))
        } else {
            let both: Vec<String> = present.iter().map(|name| format!("`{name}`")).collect();
            let one_each = format!("a {what} does exactly one thing: write a {what} for each");
            (format!("a {what} with {}", both.join(" and ")), one_each)
        };
        self.problem(Problem::at(owner, message, format!("this {what}"), help));
        None
    }

    /// Remembers the alias of a signal; false where it is given already.
    pub(super) fn add_alias(&mut self, alias: &str) -> bool {
        let new = !self.aliases.iter().any(|known| known == alias);
        if new {
            self.aliases.push(alias.to_owned());
        }
        new
    }

    /// An alias that an earlier step gave.
    pub(super) fn known_alias(&mut self, word: &Word) -> Option<String> {
        if self.aliases.contains(word.get_ref()) {
            return Some(word.get_ref().clone());
        }
        let problem = if self.aliases.is_empty() {
            let message = format!("unknown signal `{}`", word.get_ref());
            Problem::at(word, message, "no signal came before", "send a signal with this `id` first")
        } else {
            let known: Vec<&str> = self.aliases.iter().map(String::as_str).collect();
            Problem::unknown(word.span(), "signal", word.get_ref(), &known)
        };
        self.problem(problem);
        None
    }
}

/// A switch that is only ever written to turn something on.
pub(super) fn must_be_true(value: &Spanned<bool>, name: &str) -> Result<(), Problem> {
    if *value.get_ref() {
        return Ok(());
    }
    let help = format!("write `{name} = true`, or take it out");
    Err(Problem::at(value, format!("`{name} = false` does nothing"), "does nothing", help))
}

/// The comment that a file begins with, as plain lines.
fn leading_comment(text: &str) -> String {
    let lines = text.lines().map_while(|line| line.strip_prefix('#'));
    lines.map(|line| line.strip_prefix(' ').unwrap_or(line).trim_end()).collect::<Vec<_>>().join("\n")
}
