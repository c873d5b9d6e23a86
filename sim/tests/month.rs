//! A month of signals in virtual time: generated everywhere, the real one where it is there.

use order_manager_core::config::Config;
use order_manager_core::manager::Durable;
use order_manager_core::order::Totals;
use order_manager_core::unit::{Decimal, Money, OrderLinkId, Quantity, Ratio, Symbol};
use order_manager_sim::exchange::ExchangeConfig;
use order_manager_sim::month::{Month, read_signals};
use order_manager_sim::replay::{Verdict, replay};
use order_manager_sim::scenario::Link;
use order_manager_sim::summary::Summary;
use order_manager_sim::world::World;
use order_manager_sim::{generate, judge, prices};
use std::path::{Path, PathBuf};

fn month(bars: &Path, signals: &Path, config: Config, link: Link) -> World {
    let text = std::fs::read_to_string(signals).expect("signals");
    let bars = prices::read_bars(bars).expect("bars");
    let (symbol, signals, exchange) = (Symbol::clipped("BTCUSDT"), read_signals(&text), ExchangeConfig::default());
    Month { symbol, bars, signals, config, exchange, seed: 1, link, keep_messages: true }.run()
}

fn generated(name: &str, days: u32) -> (PathBuf, PathBuf) {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    let made = generate::generate(7, days, &folder).expect("a generated market");
    (made.prices, made.signals)
}

/// The real month, which is no part of the repository.
fn real() -> Option<(PathBuf, PathBuf)> {
    let shared = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared");
    let files = (shared.join("market/btc-perp-1m-2022-01.csv"), shared.join("fixtures/signals-btc-2022-01.jsonl"));
    let there = files.0.exists() && files.1.exists();
    if !there {
        _ = std::io::Write::write_fmt(
            &mut std::io::stderr(),
            format_args!("skipped: ../shared with a real month of prices and signals is not there\n"),
        );
    }
    there.then_some(files)
}

fn wide() -> Config {
    let (max_exposure, max_position_size) = (Money(Decimal::from(100_000)), Quantity(Decimal::from(20)));
    Config { max_exposure, max_position_size, ..Config::default() }
}

fn mostly_limits() -> Config {
    Config { market_order_spread_threshold: Ratio(Decimal::ZERO), ..Config::default() }
}

/// What every month must show.
fn assert_sound(world: &World, signals: usize) -> Summary {
    let summary = Summary::of(world);
    assert!(summary.consistent, "{:#?}", summary.differences);
    assert_eq!(summary.signals, signals);
    assert_eq!(summary.accounted, signals, "a signal without orders or reason");
    let rejected = usize::try_from(summary.rejected).expect("a small number");
    assert!(summary.signals_filled * 10 >= (signals - rejected) * 6, "{summary:#?}");
    summary
}

fn assert_replays(world: &World) {
    let journal = world.life.store.journal().expect("a journal");
    match replay(&journal).expect("a readable journal") {
        Verdict::Same { steps, .. } => assert_eq!(steps as usize, world.life.store.len()),
        verdict => panic!("{verdict}"),
    }
}

/// N1, N2: the published increments of an order sum to what it filled; N4: none of them is empty.
fn assert_published_increments_sum_up(world: &World) {
    let messages = world.ledger.messages.as_ref().expect("messages were kept");
    for order in world.ledger.books.book.iter() {
        let id = order_manager_core::report::row_id(order.spec.link);
        let fills: Vec<_> = messages.iter().filter(|m| m.order.id == id).filter_map(|m| m.fill.as_ref()).collect();
        let quantity: Decimal = fills.iter().map(|fill| fill.quantity.0).sum();
        let fee: Decimal = fills.iter().map(|fill| fill.fee.0).sum();
        let Totals { quantity: q, fee: f, .. } = order.facts.totals();
        assert_eq!((quantity, fee), (q.0, f.0), "{}", order.spec.link);
        assert!(fills.iter().all(|fill| !fill.quantity.is_zero()));
        let named: usize = fills.iter().map(|fill| fill.exec_ids.len()).sum();
        assert_eq!(named, order.facts.fills.len(), "{}: every execution is named once", order.spec.link);
    }
}

fn check(bars: &Path, signals: &Path, count: usize) {
    for config in [Config::default(), wide(), mostly_limits()] {
        let typed = month(bars, signals, config.clone(), Link::Typed);
        let summary = assert_sound(&typed, count);
        assert_replays(&typed);
        assert_published_increments_sum_up(&typed);
        let again = assert_sound(&month(bars, signals, config.clone(), Link::Typed), count);
        assert_eq!(summary, again, "the same world twice");
        let bytes = month(bars, signals, config, Link::Bytes);
        assert_replays(&bytes);
        assert_eq!(assert_sound(&bytes, count).digest, summary.digest, "the links differ");
    }
}

#[test]
fn a_generated_week_is_consistent_under_every_limit_and_on_both_links() {
    let (bars, signals) = generated("week", 7);
    let count = std::fs::read_to_string(&signals).expect("signals").lines().count();
    check(&bars, &signals, count);
}

#[test]
fn the_real_month_is_consistent_under_every_limit_and_on_both_links() {
    let Some((bars, signals)) = real() else { return };
    check(&bars, &signals, 703);
}

#[test]
fn a_fill_that_is_missing_from_our_books_is_seen() {
    let (bars, signals) = generated("judged", 2);
    let mut world = month(&bars, &signals, Config::default(), Link::Typed);
    assert!(judge::differences(&world.ledger.books, &world.exchange).is_empty());
    let filled = world.ledger.books.book.iter().find(|order| !order.facts.fills.is_empty()).expect("a fill");
    let (link, exec) = (filled.spec.link, *filled.facts.fills.keys().next().expect("a fill"));
    world.ledger.books.book.change(link, |order| order.facts.fills.remove(&exec));
    let summary = Summary::of(&world);
    assert!(!summary.consistent);
    for words in [exec.as_str(), "reckoned as"] {
        assert!(summary.differences.iter().any(|told| told.contains(words)), "{words}: {:?}", summary.differences);
    }
}

type Doctor = fn(&mut Durable, OrderLinkId, Symbol);

#[test]
fn every_kind_of_difference_is_seen() {
    let (bars, signals) = generated("doctored", 2);
    let world = month(&bars, &signals, Config::default(), Link::Typed);
    let link = world.ledger.books.book.iter().find(|o| !o.facts.fills.is_empty()).expect("a fill").spec.link;
    let symbol = Symbol::clipped("BTCUSDT");
    let doctored: [(&str, Doctor); 5] = [
        ("not in our book", |books, link, _| books.book.remove(link)),
        ("filled, fee", |books, link, _| _ = books.book.change(link, |o| o.told.totals.fee.0 += Decimal::ONE)),
        ("Cancelled with us", |books, link, _| _ = books.book.change(link, |o| o.facts = Default::default())),
        ("position BTCUSDT", |books, _, symbol| {
            _ = books.positions.get_mut(&symbol).map(|p| p.size.0 += Decimal::ONE);
        }),
        ("wallet:", |books, _, symbol| _ = books.positions.get_mut(&symbol).map(|p| p.realised.0 += Decimal::ONE)),
    ];
    for (words, doctor) in doctored {
        let mut books = world.ledger.books.clone();
        doctor(&mut books, link, symbol);
        let found = judge::differences(&books, &world.exchange);
        assert!(found.iter().any(|difference| difference.contains(words)), "{words}: {found:?}");
    }
}
