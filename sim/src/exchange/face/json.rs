//! A writer of JSON objects, key after key, in the order in which Bybit writes them.

use order_manager_core::unit::Decimal;
use std::io::Write;

/// One JSON text under construction.
pub(super) struct Json {
    out: Vec<u8>,
    /// Does a comma belong before the next value?
    comma: bool,
}

impl Json {
    /// A whole object.
    pub(super) fn object(fill: impl FnOnce(&mut Self)) -> Vec<u8> {
        let mut json = Self { out: Vec::with_capacity(1_024), comma: false };
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
        self.key(key);
        let mut value = value.normalize();
        if value.scale() < places {
            value.rescale(places);
        }
        self.put(format_args!("\"{value}\""));
    }
    /// A time or another whole number in quotes.
    pub(super) fn stamp(&mut self, key: &str, value: u64) {
        self.key(key);
        self.put(format_args!("\"{value}\""));
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
        self.out.push(b'}');
    }
    fn key(&mut self, key: &str) {
        if self.comma {
            self.out.push(b',');
        }
        self.quoted(key);
        self.out.push(b':');
        self.comma = true;
    }
    fn quoted(&mut self, value: &str) {
        self.out.push(b'"');
        for byte in value.bytes() {
            match byte {
                b'"' | b'\\' => self.out.extend([b'\\', byte]),
                0..=0x1f => self.put(format_args!("\\u{byte:04x}")),
                _ => self.out.push(byte),
            }
        }
        self.out.push(b'"');
    }
    fn put(&mut self, text: std::fmt::Arguments<'_>) {
        let _infallible = self.out.write_fmt(text);
    }
}
