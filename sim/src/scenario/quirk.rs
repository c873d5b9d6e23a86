//! Oddities of the exchange in a scenario: `quirk = { name = "adl", symbol = "BTCUSDT", quantity = "0.01" }`, read and
//! written. What each name does stands at [`Quirk`] and its words.

use super::problem::Problem;
use super::raw::{RawQuirk, Word};
use super::read::Reader;
use super::word;
use crate::exchange::{Act, Fate, Lag, PriceBand, Quirk, Spell, link_id};
use order_manager_core::unit::{Decimal, Price, Quantity, Ratio, Span};
use toml::Spanned;

/// What a name means before its other fields are read.
#[derive(Clone, Copy)]
enum Kind {
    Lag(Lag),
    Spell(Spell),
    Next(Fate),
    Act(Act),
    Amnesia,
    IdleCut,
    Dcp,
    Adl,
    UnknownExecution,
    Funding,
    ForeignOrder,
    Leverage,
    Rules,
    LargestOrder,
    PriceGap,
    PriceBand,
}

const OTHERS: &[(&str, Kind)] = &[
    ("amnesia", Kind::Amnesia),
    ("idle-cut", Kind::IdleCut),
    ("dcp", Kind::Dcp),
    ("adl", Kind::Adl),
    ("unknown-execution", Kind::UnknownExecution),
    ("funding", Kind::Funding),
    ("foreign-order", Kind::ForeignOrder),
    ("leverage", Kind::Leverage),
    ("rules", Kind::Rules),
    ("largest-order", Kind::LargestOrder),
    ("price-gap", Kind::PriceGap),
    ("price-band", Kind::PriceBand),
];

const WAYS: &[(&str, PriceBand)] = &[("adjust", PriceBand::Adjust), ("reject", PriceBand::Reject)];

impl Kind {
    /// Every name.
    fn table() -> Vec<(&'static str, Self)> {
        let lags = Lag::ALL.iter().map(|what| (what.as_str(), Self::Lag(*what)));
        let spells = Spell::ALL.iter().map(|what| (what.as_str(), Self::Spell(*what)));
        let fates = Fate::ALL.iter().map(|what| (what.as_str(), Self::Next(*what)));
        let acts = Act::ALL.iter().map(|what| (what.as_str(), Self::Act(*what)));
        lags.chain(spells).chain(fates).chain(acts).chain(OTHERS.iter().copied()).collect()
    }

    /// The fields that it takes: those that it needs, and those that it can do without.
    const fn fields(self) -> (&'static [&'static str], &'static [&'static str]) {
        match self {
            Self::Lag(_) => (&["lag"], &[]),
            Self::Spell(_) => (&[], &["length"]),
            Self::Next(_) => (&[], &["count"]),
            Self::Act(_) => (&[], &["symbol"]),
            Self::Amnesia | Self::IdleCut | Self::Dcp => (&[], &[]),
            Self::Adl => (&[], &["symbol", "quantity"]),
            Self::UnknownExecution => (&["side", "quantity"], &["symbol"]),
            Self::Funding => (&["rate"], &["symbol"]),
            Self::ForeignOrder => (&["side", "quantity"], &["symbol", "away", "link", "reduce_only"]),
            Self::Leverage => (&["leverage"], &["symbol"]),
            Self::Rules => (&[], &["symbol", "tick", "step"]),
            Self::LargestOrder => (&["quantity"], &["symbol"]),
            Self::PriceGap => (&["by"], &["symbol"]),
            Self::PriceBand => (&["ratio"], &["way"]),
        }
    }
}

/// Reads `quirk = { .. }`.
pub(super) fn read(r: &mut Reader<'_>, raw: &Spanned<RawQuirk>) -> Option<Quirk> {
    let fields = raw.get_ref();
    let kind = r.take(word::choose(&fields.name, "quirk", &Kind::table()))?;
    fits(r, raw, kind)?;
    let symbol = r.symbol(fields.symbol.as_ref());
    let quantity = r.or(fields.quantity.as_ref(), None, |w| word::quantity(w).map(Some));
    let side = r.or(fields.side.as_ref(), None, |w| word::side(w).map(Some));
    let share =
        |r: &mut Reader<'_>, field: Option<&Word>, name, usual| r.or(field, Ratio(usual), |w| word::share(w, name));
    Some(match kind {
        Kind::Lag(what) => Quirk::Lag { what, lag: r.or(fields.lag.as_ref(), Span::ZERO, word::length)? },
        Kind::Spell(what) => Quirk::Spell { what, length: r.or(fields.length.as_ref(), what.usual(), word::length)? },
        Kind::Next(what) => Quirk::Next { what, count: r.count(fields.count.as_ref())? },
        Kind::Act(what) => Quirk::Act { what, symbol: symbol? },
        Kind::Amnesia => Quirk::Amnesia,
        Kind::IdleCut => Quirk::IdleCut,
        Kind::Dcp => Quirk::Dcp,
        Kind::Adl => Quirk::Adl { symbol: symbol?, quantity: quantity? },
        Kind::UnknownExecution => Quirk::UnknownExecution { symbol: symbol?, side: side??, quantity: quantity?? },
        Kind::Funding => {
            Quirk::Funding { symbol: symbol?, rate: share(r, fields.rate.as_ref(), "rate", Decimal::ZERO)? }
        }
        Kind::ForeignOrder => {
            let away = share(r, fields.away.as_ref(), "share", Decimal::new(1, 3));
            let link = r.or(fields.link.as_ref(), None, |w| link(w).map(Some));
            let reduce_only = fields.reduce_only.as_ref().is_some_and(|word| *word.get_ref());
            let (symbol, side, quantity) = (symbol?, side??, quantity??);
            Quirk::ForeignOrder { symbol, side, quantity, away: away?, link: link?, reduce_only }
        }
        Kind::Leverage => {
            let leverage = r.or(fields.leverage.as_ref(), Quantity(Decimal::ONE), word::quantity)?;
            Quirk::Leverage { symbol: symbol?, leverage: Ratio(leverage.0) }
        }
        Kind::Rules => {
            let tick = r.or(fields.tick.as_ref(), None, |w| word::price(w).map(Some));
            let step = r.or(fields.step.as_ref(), None, |w| word::quantity(w).map(Some));
            Quirk::Rules { symbol: symbol?, tick: tick?, step: step? }
        }
        Kind::LargestOrder => Quirk::LargestOrder { symbol: symbol?, quantity: quantity?? },
        Kind::PriceGap => {
            Quirk::PriceGap { symbol: symbol?, by: share(r, fields.by.as_ref(), "share", Decimal::ZERO)? }
        }
        Kind::PriceBand => {
            let ratio = share(r, fields.ratio.as_ref(), "share", Decimal::ZERO);
            let way = r.or(fields.way.as_ref(), PriceBand::Adjust, |w| word::choose(w, "way", WAYS));
            Quirk::PriceBand { ratio: ratio?, way: way? }
        }
    })
}

/// Has it the fields that it needs, and none that it does not know?
fn fits(r: &mut Reader<'_>, raw: &Spanned<RawQuirk>, kind: Kind) -> Option<()> {
    let fields = raw.get_ref();
    let (needed, others) = kind.fields();
    let name = fields.name.get_ref();
    let mut sound = true;
    for (field, span) in fields.present() {
        if !needed.contains(&field) && !others.contains(&field) {
            let known: Vec<&str> = needed.iter().chain(others).copied().collect();
            let message = format!("`{field}` says nothing of the quirk `{name}`");
            let help = match known.as_slice() {
                [] => format!("write `{{ name = \"{name}\" }}`"),
                known => format!("it takes `{}`", known.join("`, `")),
            };
            r.problem(Problem { span, message, label: "not of this quirk".into(), help });
            sound = false;
        }
    }
    for field in needed {
        if !fields.present().iter().any(|(name, _)| name == field) {
            let message = format!("missing field `{field}` of the quirk `{name}`");
            r.problem(Problem::at(raw, message, "here", format!("add `{field}`")));
            sound = false;
        }
    }
    sound.then_some(())
}

impl RawQuirk {
    /// The fields that are there, and where.
    fn present(&self) -> Vec<(&'static str, std::ops::Range<usize>)> {
        let words = [
            ("lag", &self.lag),
            ("length", &self.length),
            ("symbol", &self.symbol),
            ("side", &self.side),
            ("quantity", &self.quantity),
            ("rate", &self.rate),
            ("away", &self.away),
            ("link", &self.link),
            ("leverage", &self.leverage),
            ("tick", &self.tick),
            ("step", &self.step),
            ("by", &self.by),
            ("ratio", &self.ratio),
            ("way", &self.way),
        ];
        let words = words.into_iter().filter_map(|(name, word)| Some((name, word.as_ref()?.span())));
        let count = self.count.as_ref().map(|count| ("count", count.span()));
        words.chain(count).chain(self.reduce_only.as_ref().map(|flag| ("reduce_only", flag.span()))).collect()
    }
}

fn link(word: &Word) -> Result<order_manager_core::unit::OrderLinkId, Problem> {
    let text = word.get_ref();
    link_id(text).filter(|_| !text.is_empty()).ok_or_else(|| {
        let help = "write 1 to 36 letters and digits, or take it out: then it is an order from the app";
        Problem::at(word, format!("`{text}` is not a link id"), "not a link id", help)
    })
}

/// The inline table that reads as this quirk.
#[must_use]
pub fn write(quirk: &Quirk) -> String {
    let mut fields = vec![("name", quoted(quirk.name()))];
    let mut say = |name, value: Option<String>| fields.extend(value.map(|value| (name, value)));
    match *quirk {
        Quirk::Lag { lag, .. } => say("lag", Some(length(lag))),
        Quirk::Spell { length: span, .. } => say("length", Some(length(span))),
        Quirk::Next { count, .. } => say("count", Some(count.to_string())),
        Quirk::Act { symbol, .. } => say("symbol", Some(quoted(symbol))),
        Quirk::Amnesia | Quirk::IdleCut | Quirk::Dcp => {}
        Quirk::Adl { symbol, quantity } => {
            say("symbol", Some(quoted(symbol)));
            say("quantity", quantity.map(quoted));
        }
        Quirk::UnknownExecution { symbol, side, quantity } => {
            say("symbol", Some(quoted(symbol)));
            say("side", Some(quoted(side.as_str().to_lowercase())));
            say("quantity", Some(quoted(quantity)));
        }
        Quirk::Funding { symbol, rate } => {
            say("symbol", Some(quoted(symbol)));
            say("rate", Some(quoted(rate.0)));
        }
        Quirk::ForeignOrder { symbol, side, quantity, away, link, reduce_only } => {
            say("symbol", Some(quoted(symbol)));
            say("side", Some(quoted(side.as_str().to_lowercase())));
            say("quantity", Some(quoted(quantity)));
            say("away", Some(quoted(away.0)));
            say("link", link.map(quoted));
            say("reduce_only", reduce_only.then(|| "true".into()));
        }
        Quirk::Leverage { symbol, leverage } => {
            say("symbol", Some(quoted(symbol)));
            say("leverage", Some(quoted(leverage.0)));
        }
        Quirk::Rules { symbol, tick, step } => {
            say("symbol", Some(quoted(symbol)));
            say("tick", tick.map(|Price(tick)| quoted(tick)));
            say("step", step.map(quoted));
        }
        Quirk::LargestOrder { symbol, quantity } => {
            say("symbol", Some(quoted(symbol)));
            say("quantity", Some(quoted(quantity)));
        }
        Quirk::PriceGap { symbol, by } => {
            say("symbol", Some(quoted(symbol)));
            say("by", Some(quoted(by.0)));
        }
        Quirk::PriceBand { ratio, way } => {
            say("ratio", Some(quoted(ratio.0)));
            let way = WAYS.iter().find(|(_, known)| *known == way).map(|(word, _)| *word);
            say("way", way.map(quoted));
        }
    }
    let fields: Vec<String> = fields.iter().map(|(name, value)| format!("{name} = {value}")).collect();
    format!("{{ {} }}", fields.join(", "))
}

/// Names and numbers have nothing to escape.
fn quoted(value: impl std::fmt::Display) -> String {
    format!("\"{value}\"")
}

/// Lengths in scenarios are whole milliseconds.
fn length(span: Span) -> String {
    match span.as_millis() {
        ms if ms % 60_000 == 0 && ms > 0 => format!("\"{}m\"", ms / 60_000),
        ms if ms % 1_000 == 0 => format!("\"{}s\"", ms / 1_000),
        ms => format!("\"{ms}ms\""),
    }
}

#[cfg(test)]
pub(super) mod tests;
