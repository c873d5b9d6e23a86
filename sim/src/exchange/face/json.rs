//! A writer of JSON objects, key after key, in the order in which Bybit writes them.

use crate::exchange::{Exchange, Spell, Timestamp};
use order_manager_core::unit::{Decimal, decimal};
use std::fmt::Display;
use std::io::Write;

/// How Bybit happens to spell things just now (bybit-v5.md 8.2): what reads it must not care.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Style {
    /// What stands for a number that is zero or absent, where it is not as usual (Q20).
    nothing: Option<&'static str>,
    /// Numbers have no quotes (Q20).
    bare_numbers: bool,
    /// Every object has a field that nobody has heard of (Q32).
    new_fields: bool,
    /// Only what an envelope must have (Q30).
    pub(super) bare_envelope: bool,
}

impl Style {
    /// The exchange's at this moment.
    pub(super) fn of(exchange: &Exchange, now: Timestamp) -> Self {
        let is = |spell| exchange.is_under(spell, now);
        let null = is(Spell::NullNumbers).then_some("null");
        Self {
            nothing: is(Spell::EmptyNumbers).then_some("\"\"").or(null),
            bare_numbers: is(Spell::BareNumbers),
            new_fields: is(Spell::NewFields),
            bare_envelope: is(Spell::BareEnvelope),
        }
    }
}

/// One JSON text under construction.
pub(super) struct Json {
    out: Vec<u8>,
    /// Does a comma belong before the next value?
    comma: bool,
    style: Style,
}

impl Json {
    /// A whole object.
    pub(super) fn object(fill: impl FnOnce(&mut Self)) -> Vec<u8> {
        Self::styled(Style::default(), fill)
    }

    /// The same, spelled so.
    pub(super) fn styled(style: Style, fill: impl FnOnce(&mut Self)) -> Vec<u8> {
        let mut json = Self { out: Vec::with_capacity(1_024), comma: false, style };
        json.braces(fill);
        json.out
    }

    pub(super) fn text(&mut self, key: &str, value: &str) {
        self.key(key);
        self.quoted(value);
    }
    /// Texts that are the same in every row.
    pub(super) fn texts(&mut self, pairs: &[(&str, &str)]) {
        for (key, value) in pairs {
            self.text(key, value);
        }
    }
    /// A number as Bybit writes it: in quotes, with at least so many places.
    pub(super) fn decimal(&mut self, key: &str, value: Decimal, places: u32) {
        if value.is_zero() && self.style.nothing.is_some() {
            return self.absent(key, "");
        }
        self.present(key, value, places);
    }
    /// The same, of a number that is written out even where it is zero.
    pub(super) fn present(&mut self, key: &str, value: Decimal, places: u32) {
        self.key(key);
        let mut value = decimal::normal(value);
        if value.scale() < places {
            value.rescale(places);
        }
        self.number(decimal::Shown(value));
    }
    /// A number that is not there, as `usual` or as the style has it.
    pub(super) fn absent(&mut self, key: &str, usual: &str) {
        match self.style.nothing {
            Some(word) => {
                self.key(key);
                self.put(format_args!("{word}"));
            }
            None => self.text(key, usual),
        }
    }
    /// A time or another whole number in quotes.
    pub(super) fn stamp(&mut self, key: &str, value: u64) {
        self.key(key);
        self.number(value);
    }
    /// A bare whole number.
    pub(super) fn whole(&mut self, key: &str, value: impl Into<i128>) {
        self.key(key);
        let value: i128 = value.into();
        self.put(format_args!("{value}"));
    }
    pub(super) fn flag(&mut self, key: &str, value: bool) {
        self.key(key);
        self.put(format_args!("{value}"));
    }
    pub(super) fn null(&mut self, key: &str) {
        self.key(key);
        self.put(format_args!("null"));
    }
    pub(super) fn child(&mut self, key: &str, fill: impl FnOnce(&mut Self)) {
        self.key(key);
        self.braces(fill);
        self.comma = true;
    }
    /// A list of objects.
    pub(super) fn list<T>(&mut self, key: &str, rows: &[T], mut fill: impl FnMut(&mut Self, &T)) {
        self.key(key);
        self.out.push(b'[');
        for (i, row) in rows.iter().enumerate() {
            if i > 0 {
                self.out.push(b',');
            }
            self.braces(|json| fill(json, row));
        }
        self.out.push(b']');
        self.comma = true;
    }

    /// A list of pairs of numbers.
    pub(super) fn pairs(&mut self, key: &str, pairs: impl Iterator<Item = (Decimal, Decimal)>) {
        self.key(key);
        self.out.push(b'[');
        for (i, (first, second)) in pairs.enumerate() {
            let comma = if i > 0 { "," } else { "" };
            self.put(format_args!("{comma}[\"{}\",\"{}\"]", first.normalize(), second.normalize()));
        }
        self.out.push(b']');
    }

    fn braces(&mut self, fill: impl FnOnce(&mut Self)) {
        self.out.push(b'{');
        self.comma = false;
        fill(self);
        if self.style.new_fields {
            self.key("nobodyKnows");
            self.put(format_args!("{{\"deep\":[1,\"two\",null]}}"));
        }
        self.out.push(b'}');
    }
    fn key(&mut self, key: &str) {
        if self.comma {
            self.out.push(b',');
        }
        self.out.push(b'"');
        self.out.extend_from_slice(key.as_bytes()); // no key of Bybit's has anything to escape
        self.out.extend_from_slice(b"\":");
        self.comma = true;
    }
    fn quoted(&mut self, value: &str) {
        self.out.push(b'"');
        if value.bytes().any(|byte| matches!(byte, b'"' | b'\\' | 0..=0x1f)) {
            self.escaped(value);
        } else {
            self.out.extend_from_slice(value.as_bytes());
        }
        self.out.push(b'"');
    }
    fn escaped(&mut self, value: &str) {
        for byte in value.bytes() {
            match byte {
                b'"' | b'\\' => self.out.extend([b'\\', byte]),
                0..=0x1f => self.put(format_args!("\\u{byte:04x}")),
                _ => self.out.push(byte),
            }
        }
    }
    fn number(&mut self, value: impl Display) {
        let quote: &[u8] = if self.style.bare_numbers { b"" } else { b"\"" };
        self.out.extend_from_slice(quote);
        self.put(format_args!("{value}"));
        self.out.extend_from_slice(quote);
    }
    fn put(&mut self, text: std::fmt::Arguments<'_>) {
        let _infallible = self.out.write_fmt(text);
    }
}
