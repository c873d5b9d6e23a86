//! Each quirk in a small day: orders rest, fill, are replaced and closed around it. When everything has healed the
//! books equal the exchange's, and both links have come to the same state.

use order_manager_core::unit::{Decimal, Price, Quantity, Ratio, Side, Span, Symbol};
use order_manager_sim::exchange::{Act, Fate, Lag, PriceBand, Quirk, Spell, link_id};
use order_manager_sim::judge;
use order_manager_sim::scenario::{Link, load, write_quirk};
use order_manager_sim::world::{World, run_script};

/// The longest that a core may take to give something up: an exit that was never sent.
const HEALING: Span = Span::secs(1_000);

fn d(text: &str) -> Decimal {
    text.parse().expect("a decimal")
}

/// Every quirk, with figures that a client has to live with.
fn quirks() -> Vec<Quirk> {
    let symbol = Symbol::clipped("BTCUSDT");
    let (side, quantity) = (Side::Sell, Quantity(d("0.002")));
    let lag = |what: &Lag| match what {
        Lag::Realtime | Lag::History | Lag::Executions | Lag::ClosedGap => Span::secs(8),
        _ => Span::millis(2_500),
    };
    let mut all: Vec<Quirk> = Vec::new();
    all.extend(Lag::ALL.iter().map(|what| Quirk::Lag { what: *what, lag: lag(what) }));
    all.extend(Spell::ALL.iter().map(|what| Quirk::Spell { what: *what, length: Span::secs(10) }));
    all.extend(Fate::ALL.iter().map(|what| Quirk::Next { what: *what, count: 1 }));
    all.extend(Act::ALL.iter().map(|what| Quirk::Act { what: *what, symbol }));
    all.extend([
        Quirk::Amnesia,
        Quirk::IdleCut,
        Quirk::Dcp,
        Quirk::Adl { symbol, quantity: Some(quantity) },
        Quirk::UnknownExecution { symbol, side, quantity },
        Quirk::Funding { symbol, rate: Ratio(d("0.0003")) },
        Quirk::ForeignOrder { symbol, side, quantity, away: Ratio(d("0.0005")), link: None, reduce_only: true },
        Quirk::ForeignOrder {
            symbol,
            side,
            quantity,
            away: Ratio(d("-0.0005")),
            link: link_id("theirs-1"),
            reduce_only: false,
        },
        Quirk::Leverage { symbol, leverage: Ratio(d("3")) },
        Quirk::Rules { symbol, tick: Some(Price(d("0.5"))), step: Some(quantity) },
        Quirk::LargestOrder { symbol, quantity },
        Quirk::PriceGap { symbol, by: Ratio(d("-0.05")) },
        Quirk::PriceBand { ratio: Ratio(d("0.0005")), way: PriceBand::Adjust },
        Quirk::PriceBand { ratio: Ratio(d("0.0005")), way: PriceBand::Reject },
    ]);
    all
}

/// The quirk comes at one of several moments of the same day.
const MOMENTS: [&str; 5] = ["500ms", "10010ms", "20005ms", "30007ms", "40003ms"];

fn day(quirk: &Quirk, moment: &str) -> String {
    let quirk = write_quirk(quirk);
    format!(
        r#"
name = "day"
[[steps]]
at = "1s"
signal = {{ id = "s-1", side = "buy", amount = "520" }}
[[steps]]
at = "10s"
signal = {{ id = "s-2", side = "buy", amount = "520", confidence = "0.7", spread = "100" }}
[[steps]]
at = "15s"
liquidity = {{ at_best = "0.004" }}
[[steps]]
at = "16s"
price = {{ touch = "BTCUSDT" }}
[[steps]]
at = "20s"
signal = {{ id = "s-3", side = "buy", amount = "520", confidence = "0.7", spread = "100" }}
[[steps]]
at = "25s"
price = {{ touch = "BTCUSDT" }}
[[steps]]
at = "30s"
signal = {{ id = "s-4", side = "sell", amount = "900", exit = true }}
[[steps]]
at = "32s"
liquidity = {{ at_best = "1000" }}
[[steps]]
at = "40s"
signal = {{ id = "s-5", symbol = "ETHUSDT", side = "buy", amount = "300", price = "3000" }}
[[steps]]
at = "40s"
signal = {{ id = "s-6", side = "buy", amount = "300" }}
[[steps]]
at = "{moment}"
quirk = {quirk}
"#
    )
}

fn live(text: &str, link: Link) -> World {
    let folder = std::env::temp_dir().join(format!("quirks-{}-{:?}", std::process::id(), std::thread::current().id()));
    std::fs::create_dir_all(&folder).expect("a folder");
    let file = folder.join("day.toml");
    std::fs::write(&file, text).expect("a file");
    let scenario = load(&file).unwrap_or_else(|error| panic!("{error}"));
    let (mut world, failures) = run_script(&scenario, Some(link), Some(7)).expect("a configuration");
    std::fs::remove_dir_all(&folder).expect("a folder to remove");
    assert_eq!(failures, []);
    world.heal();
    world.run_to(world.now.after(HEALING));
    world
}

fn faults(world: &World) -> Vec<String> {
    let mut found = judge::differences(&world.ledger.books, &world.exchange);
    if let Some(broken) = world.broken() {
        return vec![broken.to_string()]; // the world stands still since then
    }
    let Some(manager) = world.life.manager() else { return vec!["the process is down".into()] };
    let durable = manager.durable();
    found.extend((!manager.is_ready()).then(|| "not ready".into()));
    found.extend(durable.lanes.iter().map(|(symbol, lane)| format!("lane {symbol} is stuck: {lane:?}")));
    found.extend(durable.halted.iter().map(|(symbol, why)| format!("{symbol} is halted: {why}")));
    found.extend((durable.counts.defects > 0).then(|| format!("{} defects", durable.counts.defects)));
    found.extend((world.inputs > 3_000).then(|| format!("{} inputs: a busy loop", world.inputs)));
    found
}

#[test]
fn after_every_quirk_the_books_agree_on_both_links() {
    let mut wrong = Vec::new();
    for quirk in quirks() {
        for moment in MOMENTS {
            let text = day(&quirk, moment);
            let [typed, bytes] = [Link::Typed, Link::Bytes].map(|link| live(&text, link));
            for (world, link) in [(&typed, "typed"), (&bytes, "bytes")] {
                let found = faults(world);
                if !found.is_empty() {
                    wrong.push(format!("{} at {moment}, {link}:\n  {}", write_quirk(&quirk), found.join("\n  ")));
                }
            }
            let [typed, bytes] =
                [&typed, &bytes].map(|world| world.life.manager().map(|manager| format!("{:?}", manager.durable())));
            if typed != bytes {
                wrong.push(format!("{} at {moment}: the links differ", write_quirk(&quirk)));
            }
        }
    }
    assert!(wrong.is_empty(), "{}\n{} wrong", wrong.join("\n"), wrong.len());
}
