//! The signals of a generated market: how often, how large and how sure the model service speaks.

use crate::choice::Choices;
use crate::prices::{BAR, Bar};
use crate::signal_json::{Origin, SignalJson};
use order_manager_core::unit::{Decimal, Money, Price, Quantity, Side, SignalId, Span, Symbol, Timestamp};

/// Smallest amount of a signal in quote currency.
const AMOUNT_MIN: Decimal = Decimal::from_parts(5, 0, 0, false, 0);

/// The bodies in order of time: the first after three hours of bars, then one every 45 minutes or more,
/// about 23 a day. A signal speaks of the bar that ended last: its price is that bar's close.
pub(super) fn on(bars: &[Bar], choices: &mut Choices) -> Vec<String> {
    let mut held = Quantity::ZERO;
    let mut bodies = Vec::new();
    let mut index = 179;
    while let Some(bar) = bars.get(index) {
        bodies.push(body(bar, &mut held, choices));
        let pause = if choices.chance("late", 240) { choices.between("pause", 1, 145) } else { 0 };
        index += 45 + pause as usize;
    }
    bodies
}

fn body(bar: &Bar, held: &mut Quantity, choices: &mut Choices) -> String {
    let confidence = Decimal::new(choices.between("confidence", 5_600, 10_300).min(9_900) as i64, 4);
    let (side, amount) = amount(bar.close, confidence, held, choices);
    let spread = Decimal::new(*choices.pick("spread", &[10, 5, 50, 200, 600, 1]), 1);
    let depth = choices.chance("depth", 800).then(|| (depth(choices), depth(choices)));
    let origin = if choices.chance("warm-up", 36) { Origin::WarmUp } else { Origin::Model };
    SignalJson {
        id: uuid(choices),
        side,
        asset: Symbol::clipped("BTCUSDT"),
        amount,
        confidence,
        timestamp: bar.end.after(delay(choices)),
        strategy: "momentum_v1",
        origin,
        urgency: false,
        price: bar.close,
        spread,
        volume: bar.volume.0,
        volatility: volatility(choices),
        depth,
        inferred: Timestamp(bar.end.0 - bar.end.0 % BAR.0),
        trace: None,
    }
    .to_text()
}

/// Two of three signals buy for some hundred USDT, more where the model is surer. The others sell three
/// tenths, half or all of what the signals so far would hold, spelled in quote currency like the buys.
fn amount(price: Price, confidence: Decimal, held: &mut Quantity, choices: &mut Choices) -> (Side, Decimal) {
    let worth = price.times(*held).unwrap_or_default().0;
    let share = Decimal::new(*choices.pick("share", &[5, 3, 10]), 1);
    let wish = (worth * share).trunc_with_scale(2);
    let (side, amount) = if choices.chance("sell", 345) && wish >= AMOUNT_MIN {
        (Side::Sell, wish)
    } else {
        let base = Decimal::from(choices.between("amount", 120, 1_000));
        let sure = (Decimal::ONE + confidence) / Decimal::TWO;
        let cents = Decimal::new(choices.below("cents", 100) as i64, 2);
        (Side::Buy, (base * sure).trunc_with_scale(0) + cents)
    };
    let quantity = Money(amount).buys_at(price).unwrap_or_default();
    *held = held.plus(side.signed(quantity)).unwrap_or_default();
    (side, amount)
}

/// The model takes its time: up to 50 seconds after the bar.
fn delay(choices: &mut Choices) -> Span {
    Span(choices.between("delay", 60_000, 49_900_000))
}

fn depth(choices: &mut Choices) -> Decimal {
    Decimal::new(choices.between("depth-size", 500, 35_000) as i64, 3)
}

/// Mostly 0.002 to 0.015, on rough days to 0.058, in the many digits of a standard deviation.
fn volatility(choices: &mut Choices) -> Decimal {
    let top = if choices.chance("rough", 50) { 58_000_000_000_000_000 } else { 15_000_000_000_000_000 };
    Decimal::new(choices.between("volatility", 2_300_000_000_000_000, top) as i64, 18)
}

/// A UUID of version 4: 122 drawn bits.
fn uuid(choices: &mut Choices) -> SignalId {
    let high = u128::from(choices.below("uuid", u64::MAX));
    let low = u128::from(choices.below("uuid", u64::MAX));
    let bits = (high << 64) | low;
    SignalId(bits & !(0xf << 76) & !(0b11 << 62) | (4 << 76) | (0b10 << 62))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::prices::walk;
    use order_manager_core::unit::{calendar, decimal};

    fn market(seed: u64) -> (Vec<Bar>, Vec<serde_json::Value>) {
        let tick = Price(Decimal::new(1, 1));
        let bars = walk(seed, super::super::START, 10 * 1_440, Price(Decimal::from(42_000)), tick);
        let bodies = on(&bars, &mut Choices::seeded(seed));
        let read = bodies.iter().map(|b| serde_json::from_str(b).unwrap()).collect();
        (bars, read)
    }

    fn exact(value: &serde_json::Value) -> Decimal {
        decimal::parse(&value.to_string()).unwrap()
    }

    #[test]
    fn a_signal_comes_within_a_minute_of_a_bar_and_has_its_close() {
        for seed in 1..5 {
            let (bars, signals) = market(seed);
            let mut last = Timestamp(0);
            for signal in signals {
                let at = calendar::parse(signal["timestamp"].as_str().unwrap()).unwrap();
                assert!(at > last, "out of order");
                last = at;
                let end = Timestamp(at.0 - at.0 % BAR.0);
                let bar = bars.iter().find(|b| b.end == end).unwrap();
                assert_eq!(exact(&signal["market_data_snapshot"]["price"]), bar.close.0);
                let uuid = signal["signal_id"].as_str().unwrap();
                assert_eq!(&uuid[14..15], "4", "{uuid}");
                assert!("89ab".contains(&uuid[19..20]), "{uuid}");
            }
        }
    }

    #[test]
    fn sells_never_ask_for_more_than_the_buys_bought() {
        for seed in 1..20 {
            let mut held = Decimal::ZERO;
            for signal in market(seed).1 {
                let quantity = exact(&signal["amount"]) / exact(&signal["market_data_snapshot"]["price"]);
                held += if signal["signal_type"] == "buy" { quantity } else { -quantity };
                assert!(held >= Decimal::ZERO, "seed {seed}: {signal}");
            }
        }
    }
}
