//! The model service's handwriting: a trading signal as that service writes it (wire-contracts 1.2), so
//! that what the simulator sends is what production sends, spelling of numbers included. Or what a reader would
//! make of it, for the link that knows no spelling.

use order_manager_core::intake::{Signal, Snapshot, new_trace};
use order_manager_core::unit::{
    Decimal, Price, Quantity, Ratio, Side, SignalId, Symbol, Text, Timestamp, TraceId, decimal,
};
use std::fmt::{self, Write as _};

/// Which of the service's generators wrote the signal; each fills `metadata` its own way (1.2.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// The trained model.
    Model,
    /// The warm-up generator, before a model is trained.
    WarmUp,
    /// The exit rules: close what is held.
    Exit,
}

/// What one signal says.
#[derive(Clone, Debug)]
pub struct SignalJson<'a> {
    /// The key of the signal.
    pub id: SignalId,
    /// Buy or sell.
    pub side: Side,
    /// Instrument.
    pub asset: Symbol,
    /// Quote currency for buys; for sells base or quote, as the reader is configured (1.2.1).
    pub amount: Decimal,
    /// 0 to 1.
    pub confidence: Decimal,
    /// When the service made it.
    pub timestamp: Timestamp,
    /// Name of the strategy.
    pub strategy: &'a str,
    /// Which generator wrote it.
    pub origin: Origin,
    /// `metadata.urgency`: ask for a market order.
    pub urgency: bool,
    /// Snapshot price.
    pub price: Price,
    /// Absolute price difference between best ask and best bid.
    pub spread: Decimal,
    /// Volume of the last minute, in spite of its name on the wire.
    pub volume: Decimal,
    /// Volatility of the last minute.
    pub volatility: Decimal,
    /// Depth of bids and asks, where the service knew it.
    pub depth: Option<(Decimal, Decimal)>,
    /// The moment the features are of; the model alone tells it.
    pub inferred: Timestamp,
    /// One id through all logs; the service mostly sends none.
    pub trace: Option<&'a str>,
}

const MODEL_VERSION: &str = "v1.2";

/// Bytes that a signal seldom has more of.
const ROOM: usize = 1_024;

impl SignalJson<'_> {
    /// The body, one line without its end.
    #[must_use]
    pub fn to_text(&self) -> String {
        let mut out = String::with_capacity(ROOM);
        let _infallible = self.write(&mut out);
        out
    }

    fn write(&self, out: &mut String) -> fmt::Result {
        let Self { side, .. } = self;
        let warmup = self.origin == Origin::WarmUp;
        let version = (self.origin == Origin::Model).then_some(Quoted(MODEL_VERSION));
        write!(out, "{{\"signal_id\": \"{}\", \"signal_type\": \"{side}\"", self.id)?;
        write!(out, ", \"asset\": {}, \"amount\": {}", Quoted(self.asset.as_str()), Float(self.amount))?;
        write!(out, ", \"confidence\": {}, \"timestamp\": \"{}\"", Float(self.confidence), Iso(self.timestamp))?;
        write!(out, ", \"strategy_id\": {}, \"model_version\": {}", Quoted(self.strategy), OrNull(version))?;
        write!(out, ", \"is_warmup\": {warmup}, \"market_data_snapshot\": {{\"price\": {}", Float(self.price.0))?;
        write!(out, ", \"spread\": {}, \"volume_24h\": {}", Float(self.spread), Float(self.volume))?;
        write!(out, ", \"volatility\": {}, \"orderbook_depth\": ", Float(self.volatility))?;
        match self.depth {
            Some((bids, asks)) => write!(out, "{{\"bid_depth\": {}, \"ask_depth\": {}}}", Float(bids), Float(asks))?,
            None => out.push_str("null"),
        }
        out.push_str(", \"technical_indicators\": null}, \"metadata\": {");
        self.metadata(out)?;
        write!(out, "}}, \"trace_id\": {}}}", OrNull(self.trace.map(Quoted)))
    }

    fn metadata(&self, out: &mut String) -> fmt::Result {
        match self.origin {
            Origin::Model => self.model_metadata(out)?,
            Origin::WarmUp => {
                out.push_str("\"reasoning\": \"warm-up\", \"risk_score\": 0.3, \"randomness_level\": 0.5");
            }
            Origin::Exit => out.push_str(
                "\"reasoning\": \"exit rule\", \"rule_triggered\": \"take_profit\", \
                 \"exit_strategy\": true, \"exit_decision_metadata\": {}",
            ),
        }
        if self.urgency {
            out.push_str(", \"urgency\": true");
        }
        Ok(())
    }

    fn model_metadata(&self, out: &mut String) -> fmt::Result {
        let (sure, rest) = (Float(self.confidence), complement(self.confidence));
        write!(out, "\"reasoning\": \"Model prediction: {}\", \"prediction_result\": ", self.side)?;
        match self.side {
            Side::Buy => {
                write!(out, "{{\"prediction\": 1, \"buy_probability\": {sure}, \"sell_probability\": {rest:?}}}")
            }
            Side::Sell => {
                write!(out, "{{\"prediction\": 0, \"buy_probability\": {rest:?}, \"sell_probability\": {sure}}}")
            }
        }?;
        let inferred = Iso(self.inferred);
        write!(out, ", \"model_version\": {}, \"inference_timestamp\": \"{inferred}\"", Quoted(MODEL_VERSION))
    }
}

impl SignalJson<'_> {
    /// What a reader makes of the body; none where that is no good signal.
    #[must_use]
    pub fn to_signal(&self) -> Option<Signal> {
        let figures = [self.amount, self.confidence, self.price.0, self.spread, self.volume, self.volatility];
        let figures = figures.map(decimal::normal);
        // A whole number is written with a zero behind the point, and some have no room for another digit.
        let can_be_read = |figure: &Decimal| {
            figure.scale() > 0 || Decimal::try_from_i128_with_scale(figure.mantissa() * 10, 1).is_ok()
        };
        if !figures.iter().all(can_be_read) {
            return None;
        }
        let [amount, confidence, price, spread, volume, volatility] = figures;
        let trace = match self.trace {
            Some(trace) if !trace.is_empty() => TraceId::new(trace).ok()?,
            _ => new_trace(self.id),
        };
        let signal = Signal {
            id: self.id,
            side: self.side,
            symbol: self.asset,
            amount,
            in_base: false,
            confidence: Ratio(confidence),
            timestamp: self.timestamp,
            strategy_id: Text::new(self.strategy).ok()?,
            model_version: (self.origin == Origin::Model).then(|| Text::clipped(MODEL_VERSION)),
            is_warmup: self.origin == Origin::WarmUp,
            snapshot: Snapshot {
                price: Some(Price(price)),
                spread: Some(Price(spread)),
                volume_24h: Some(Quantity(volume)),
                volatility: Some(Ratio(volatility)),
            },
            urgent: self.urgency,
            is_exit: self.origin == Origin::Exit,
            trace,
            fingerprint: 0,
        };
        signal.checked()
    }
}

/// ISO 8601 as Python writes it: six digits of a second, or none where it is whole.
#[must_use]
pub fn iso(moment: Timestamp) -> String {
    Iso(moment).to_string()
}

struct Iso(Timestamp);
impl fmt::Display for Iso {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let micros = self.0.0 % 1_000_000;
        let whole = Timestamp(self.0.0 - micros);
        match micros {
            0 => write!(f, "{whole}"),
            _ => write!(f, "{}.{micros:06}Z", whole.to_string().trim_end_matches('Z')),
        }
    }
}

/// A decimal in the spelling of Python's floats: `1000.0`, `0.5`, `1e-05`. The digits are the decimal's own.
#[must_use]
pub fn float(value: Decimal) -> String {
    Float(value).to_string()
}

struct Float(Decimal);
impl fmt::Display for Float {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let value = decimal::normal(self.0);
        // Python turns to an exponent below 1e-4.
        if value.scale() > LEAST_PLAIN.scale() && value.abs() < LEAST_PLAIN {
            let digits = value.mantissa().unsigned_abs().to_string();
            let exponent = i64::from(value.scale()) + 1 - digits.len() as i64;
            let (head, tail) = digits.split_at(1);
            let point = if tail.is_empty() { "" } else { "." };
            let sign = if value.is_sign_negative() { "-" } else { "" };
            return write!(f, "{sign}{head}{point}{tail}e-{exponent:02}");
        }
        decimal::Shown(value).fmt(f)?;
        f.write_str(if value.scale() == 0 { ".0" } else { "" })
    }
}
/// 0.0001
const LEAST_PLAIN: Decimal = Decimal::from_parts(1, 0, 0, false, 4);

/// `1 - confidence` as the service's binary arithmetic spells it (1 - 0.7 = 0.30000000000000004): readers meet such
/// digits in production. Spelling only; no decision reads it.
fn complement(confidence: Decimal) -> f64 {
    let confidence: f64 = confidence.to_string().parse().unwrap_or(1.0);
    1.0 - confidence
}

struct Quoted<'a>(&'a str);
impl fmt::Display for Quoted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_') {
            return write!(f, "\"{}\"", self.0);
        }
        write!(f, "{}", serde_json::Value::from(self.0))
    }
}

struct OrNull<T>(Option<T>);
impl<T: fmt::Display> fmt::Display for OrNull<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Some(value) => value.fmt(f),
            None => f.write_str("null"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use order_manager_core::intake;
    use order_manager_core::unit::calendar;
    use proptest::prelude::*;

    fn d(text: &str) -> Decimal {
        decimal::parse(text).unwrap()
    }

    #[test]
    fn numbers_are_spelled_as_python_spells_them() {
        for (value, spelled) in [
            ("1000", "1000.0"),
            ("250.190", "250.19"),
            ("0", "0.0"),
            ("0.0001", "0.0001"),
            ("0.00001", "1e-05"),
            ("-0.0000125", "-1.25e-05"),
            ("0.000123", "0.000123"),
            ("12345678.9012", "12345678.9012"),
        ] {
            assert_eq!(float(d(value)), spelled);
        }
        assert_eq!(format!("{:?}", complement(d("0.7"))), "0.30000000000000004");
    }

    #[test]
    fn moments_are_spelled_as_python_spells_them() {
        let at = |text| iso(calendar::parse(text).unwrap());
        assert_eq!(at("2024-01-01T03:00:04.7065Z"), "2024-01-01T03:00:04.706500Z");
        assert_eq!(at("2024-01-01T03:00:00Z"), "2024-01-01T03:00:00Z");
    }

    /// Written out by hand after wire-contracts 1.2: field order, nulls and spacing included.
    #[test]
    fn a_signal_is_written_as_the_model_service_writes_it() {
        let signal = SignalJson {
            id: SignalId::parse("0b1e7c52-3c1d-4f5e-9a41-5d6f7a8b9c0d").unwrap(),
            side: Side::Buy,
            asset: Symbol::new("BTCUSDT").unwrap(),
            amount: d("250.5"),
            confidence: d("0.7"),
            timestamp: calendar::parse("2024-01-01T03:00:04.000050Z").unwrap(),
            strategy: "momentum_v1",
            origin: Origin::Model,
            urgency: false,
            price: Price(d("42000")),
            spread: d("0.5"),
            volume: d("1234.5678"),
            volatility: d("0.004"),
            depth: None,
            inferred: calendar::parse("2024-01-01T03:00:00Z").unwrap(),
            trace: None,
        };
        let snapshot = r#""market_data_snapshot": {"price": 42000.0, "spread": 0.5, "volume_24h": 1234.5678, "volatility": 0.004, "orderbook_depth": "#;
        let model = format!(
            "{}{snapshot}{}{}",
            r#"{"signal_id": "0b1e7c52-3c1d-4f5e-9a41-5d6f7a8b9c0d", "signal_type": "buy", "asset": "BTCUSDT", "amount": 250.5, "confidence": 0.7, "timestamp": "2024-01-01T03:00:04.000050Z", "strategy_id": "momentum_v1", "model_version": "v1.2", "is_warmup": false, "#,
            r#"null, "technical_indicators": null}, "metadata": {"reasoning": "Model prediction: buy", "prediction_result": {"prediction": 1, "buy_probability": 0.7, "sell_probability": 0.30000000000000004}, "#,
            r#""model_version": "v1.2", "inference_timestamp": "2024-01-01T03:00:00Z"}, "trace_id": null}"#,
        );
        assert_eq!(signal.to_text(), model);
        let warm = SignalJson {
            origin: Origin::WarmUp,
            trace: Some("a \"b\""),
            depth: Some((d("3.5"), d("1"))),
            ..signal.clone()
        };
        let warm = warm.to_text();
        assert!(warm.contains(r#""model_version": null, "is_warmup": true"#), "{warm}");
        assert!(warm.contains(r#""orderbook_depth": {"bid_depth": 3.5, "ask_depth": 1.0}"#), "{warm}");
        assert!(
            warm.ends_with(
                r#""metadata": {"reasoning": "warm-up", "risk_score": 0.3, "randomness_level": 0.5}, "trace_id": "a \"b\""}"#
            ),
            "{warm}"
        );
        let exit = SignalJson { origin: Origin::Exit, side: Side::Sell, urgency: true, ..signal }.to_text();
        assert!(exit.contains(r#""signal_type": "sell""#) && exit.contains(r#""exit_strategy": true"#), "{exit}");
        assert!(exit.contains(r#""exit_decision_metadata": {}, "urgency": true}, "trace_id": null}"#), "{exit}");
        for text in [model, warm, exit] {
            let read: serde_json::Value = serde_json::from_str(&text).unwrap();
            assert_eq!(read["amount"], 250.5, "{text}");
        }
    }

    fn figure() -> impl Strategy<Value = Decimal> {
        let few = (0_i128..100_000_000, 0_u32..9);
        let any = (-(1_i128 << 95)..1 << 95, 0_u32..=28);
        prop_oneof![4 => few, 1 => any].prop_map(|(digits, scale)| Decimal::from_i128_with_scale(digits, scale))
    }

    proptest! {
        /// No way in has figures of its own: what goes typed is what is read of the body, field by field.
        #[test]
        fn a_typed_signal_is_what_its_body_says(
            id in any::<u128>(),
            sells in any::<bool>(),
            asset in prop_oneof![9 => Just("BTCUSDT"), 1 => Just("BTC"), 1 => Just("")],
            amount in figure(),
            confidence in prop_oneof![4 => (0_i64..=100).prop_map(|it| Decimal::new(it, 2)), 1 => figure()],
            timestamp in prop_oneof![946_000_000_000_000_u64..4_103_000_000_000_000, any::<u64>()],
            strategy in prop_oneof![4 => Just("momentum_v1".to_string()), 1 => "\\PC{0,110}", 1 => "[a\\x00\"\\\\]{0,3}"],
            origin in prop_oneof![Just(Origin::Model), Just(Origin::WarmUp), Just(Origin::Exit)],
            urgency in any::<bool>(),
            snapshot in (figure(), figure(), figure(), figure()),
            depth in proptest::option::of((figure(), figure())),
            trace in proptest::option::of(prop_oneof!["[a\\x00\"]{0,3}", "\\PC{0,110}"]),
        ) {
            let (price, spread, volume, volatility) = snapshot;
            let signal = SignalJson {
                id: SignalId(id), side: if sells { Side::Sell } else { Side::Buy }, asset: Symbol::new(asset).unwrap(), amount,
                confidence, timestamp: Timestamp(timestamp), strategy: &strategy, origin, urgency, price: Price(price), spread,
                volume, volatility, depth, inferred: Timestamp(timestamp), trace: trace.as_deref(),
            };
            let text = signal.to_text();
            let read = intake::decode(text.as_bytes(), None);
            let (typed, read) = (format!("{:?}", signal.to_signal()), format!("{:?}", read.as_ref().ok()));
            prop_assert_eq!(typed, read, "{}", text);
        }
    }

    /// The text of a field, exactly as written; fields are looked for from the front.
    fn field<'a>(line: &'a str, name: &str) -> &'a str {
        let start = line.find(&format!("\"{name}\": ")).unwrap() + name.len() + 4;
        let rest = &line[start..];
        rest[..rest.find([',', '}']).unwrap()].trim_matches('"')
    }

    /// A month of signals of the real service, which lies beside the repository on some machines: each is
    /// taken apart and written again, and must come out the same to the byte.
    #[test]
    fn real_signals_are_written_back_the_same() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared/fixtures/signals-btc-2022-01.jsonl");
        let Ok(text) = std::fs::read_to_string(path) else {
            _ = std::io::Write::write_fmt(&mut std::io::stderr(), format_args!("skipped: {path} is not here\n"));
            return;
        };
        for line in text.lines() {
            let number = |name| d(field(line, name));
            let timestamp = calendar::parse(field(line, "timestamp")).unwrap();
            let again = SignalJson {
                id: SignalId::parse(field(line, "signal_id")).unwrap(),
                side: if field(line, "signal_type") == "buy" { Side::Buy } else { Side::Sell },
                asset: Symbol::new(field(line, "asset")).unwrap(),
                amount: number("amount"),
                confidence: number("confidence"),
                timestamp,
                strategy: field(line, "strategy_id"),
                origin: if field(line, "is_warmup") == "true" { Origin::WarmUp } else { Origin::Model },
                urgency: false,
                price: Price(number("price")),
                spread: number("spread"),
                volume: number("volume_24h"),
                volatility: number("volatility"),
                depth: line.contains("bid_depth").then(|| (number("bid_depth"), number("ask_depth"))),
                inferred: Timestamp(timestamp.0 - timestamp.0 % 60_000_000),
                trace: None,
            };
            assert_eq!(again.to_text(), line);
        }
        assert!(text.lines().count() > 100, "too few signals to mean anything");
    }
}
