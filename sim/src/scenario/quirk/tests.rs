//! Every quirk is read as it was written, and what is wrong with one is said.

use super::*;
use crate::scenario::{Action, action_of, read};
use order_manager_core::unit::{Side, Symbol};

fn d(text: &str) -> Decimal {
    text.parse().unwrap()
}

/// One of each, with and without what it can do without.
pub(in crate::scenario) fn all() -> Vec<Quirk> {
    let symbol = Symbol::clipped("ETHUSDT");
    let (side, quantity) = (Side::Sell, Quantity(d("0.02")));
    let mut all: Vec<Quirk> = Vec::new();
    all.extend(Lag::ALL.iter().map(|what| Quirk::Lag { what: *what, lag: Span::millis(1_500) }));
    all.extend(Spell::ALL.iter().map(|what| Quirk::Spell { what: *what, length: Span::secs(90) }));
    all.extend(Fate::ALL.iter().map(|what| Quirk::Next { what: *what, count: 3 }));
    all.extend(Act::ALL.iter().map(|what| Quirk::Act { what: *what, symbol }));
    all.extend([
        Quirk::Amnesia,
        Quirk::IdleCut,
        Quirk::Dcp,
        Quirk::Adl { symbol, quantity: None },
        Quirk::Adl { symbol, quantity: Some(quantity) },
        Quirk::UnknownExecution { symbol, side, quantity },
        Quirk::Funding { symbol, rate: Ratio(d("-0.0003")) },
        Quirk::ForeignOrder { symbol, side, quantity, away: Ratio(d("0.002")), link: None, reduce_only: true },
        Quirk::ForeignOrder {
            symbol,
            side,
            quantity,
            away: Ratio(d("-0.002")),
            link: link_id("theirs-1"),
            reduce_only: false,
        },
        Quirk::Leverage { symbol, leverage: Ratio(d("3")) },
        Quirk::Rules { symbol, tick: Some(Price(d("0.5"))), step: None },
        Quirk::Rules { symbol, tick: None, step: Some(quantity) },
        Quirk::LargestOrder { symbol, quantity },
        Quirk::PriceGap { symbol, by: Ratio(d("-0.05")) },
        Quirk::PriceBand { ratio: Ratio(d("0.001")), way: PriceBand::Adjust },
        Quirk::PriceBand { ratio: Ratio(d("0.001")), way: PriceBand::Reject },
    ]);
    all
}

fn read_step(step: &str) -> Result<Action, String> {
    let text = format!("name = \"a\"\n\n[[steps]]\nat = \"0ms\"\n{step}\n");
    let scenario = read::read("a.toml", "a", &text).map_err(|error| error.to_string())?;
    Ok(scenario.steps[0].action.clone())
}

#[test]
fn every_quirk_is_read_as_it_was_written() {
    let mut names: Vec<&str> = Vec::new();
    for quirk in all() {
        let text = write(&quirk);
        assert_eq!(read_step(&format!("quirk = {text}")).unwrap(), Action::Quirk(quirk), "{text}");
        names.push(quirk.name());
    }
    for (name, _) in Kind::table() {
        assert!(names.contains(&name), "{name} is not among those that are tried");
    }
}

#[test]
fn names_differ() {
    let mut names: Vec<&str> = Kind::table().into_iter().map(|(name, _)| name).collect();
    names.sort_unstable();
    let count = names.len();
    names.dedup();
    assert_eq!(names.len(), count);
}

#[test]
fn what_is_left_out_has_its_usual_value() {
    let ban = read_step("quirk = { name = \"ban\" }").unwrap();
    assert_eq!(ban, Action::Quirk(Quirk::Spell { what: Spell::Ban, length: Span::secs(600) }));
    let adl = read_step("quirk = { name = \"adl\" }").unwrap();
    assert_eq!(adl, Action::Quirk(Quirk::Adl { symbol: Symbol::clipped("BTCUSDT"), quantity: None }));
}

#[test]
fn what_is_wrong_is_said_with_the_nearest_word() {
    for (step, words) in [
        ("quirk = { name = \"realtime-leg\", lag = \"3s\" }", "did you mean `realtime-lag`?"),
        ("quirk = { name = \"realtime-lag\" }", "missing field `lag` of the quirk `realtime-lag`"),
        ("quirk = { name = \"dcp\", lag = \"3s\" }", "`lag` says nothing of the quirk `dcp`"),
        ("quirk = { name = \"ban\", lenght = \"3s\" }", "did you mean `length`?"),
        ("quirk = { name = \"price-band\", ratio = \"0.1\", way = \"adjusted\" }", "did you mean `adjust`?"),
        ("quirk = { name = \"foreign-order\", side = \"buy\", quantity = \"1\", link = \"\" }", "is not a link id"),
        ("price = { touched = \"BTCUSDT\" }", "is not a symbol"),
    ] {
        let error = read_step(step).unwrap_err();
        assert!(error.contains(words), "{step}: {error}");
    }
}

#[test]
fn a_price_can_touch() {
    let touch = read_step("price = { touch = \"ETHUSDT\" }").unwrap();
    assert_eq!(touch, Action::Touch(Symbol::clipped("ETHUSDT")));
    let value = serde_json::json!({ "name": "idle-cut" });
    assert_eq!(action_of("quirk", &value).unwrap(), Action::Quirk(Quirk::IdleCut));
}
