use super::super::{
    CommitTrouble, CrashMoment, CrashOn, EventWord, Link, OrderWord, Pushes, Requests, SignalWord, Topic, load_dir,
    parse, quirk, read,
};
use super::*;
use crate::choice::Choices;
use order_manager_core::bybit::Operation;
use order_manager_core::unit::{Decimal, Quantity, Side};
use proptest::prelude::*;
use std::collections::BTreeSet;

/// A scenario as it reads back.
fn again(scenario: &Scenario) -> (String, Scenario) {
    let text = write(scenario);
    let read = parse(&format!("{}.toml", scenario.name), &scenario.name, &text);
    let read = read.unwrap_or_else(|problems| panic!("{text}\n{problems}"));
    (text, read)
}

/// Everything that a scenario says, but for the lines.
fn said(scenario: &Scenario) -> impl PartialEq + std::fmt::Debug {
    let Scenario { name, about, seed, sockets, link, duration, heal, config, exchange, prices, .. } = scenario.clone();
    let steps: Vec<(Span, Action)> = scenario.steps.iter().map(|step| (step.at, step.action.clone())).collect();
    ((name, about, seed, sockets, link), (duration, heal, config, exchange, prices), steps)
}

#[test]
fn every_scenario_of_the_project_reads_back() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../scenarios");
    let all = load_dir(&folder).unwrap();
    assert!(all.len() >= 40, "only {}", all.len());
    for scenario in all {
        let scenario = scenario.unwrap_or_else(|problems| panic!("{problems}"));
        let (text, read) = again(&scenario);
        assert_eq!(said(&read), said(&scenario), "{text}");
        assert_eq!(write(&read), text, "written twice, it is the same text");
    }
}

#[test]
fn what_is_written_is_what_a_person_would_write() {
    let mut scenario = Scenario::made("lost-reply");
    scenario.about = "A reply is lost.\n\nNothing is placed twice.".into();
    scenario.config.insert("allow_short".into(), true.into());
    let delays = toml::Table::from_iter([("engine_ms".to_string(), toml::Value::from(30))]);
    scenario.exchange.insert("delays".into(), delays.into());
    scenario.heal = Some(Span::secs(1_000));
    let signal = || SignalStep::plain("s-1", Prices::default().symbol, Side::Buy, Decimal::from(500));
    let of = Requests::One(Operation::Create);
    let fault = |effect, count| Fault { kind: FaultKind::Carry { path: Path::Reply(of), effect }, count };
    let raw = RawStep { body: b"{\"a\":\"\\\\\"}".to_vec(), deliveries: 2 };
    let other = SignalStep { alias: "s 2".into(), amount: Decimal::from(600), ..signal() };
    let expect = Expect {
        orders: Some(1),
        signal: [("s 2".to_string(), SignalWord::Accepted)].into(),
        position: [(Prices::default().symbol, Quantity(Decimal::new(-16, 3)))].into(),
        ..Expect::default()
    };
    let actions = [
        (0, Action::Fault(fault(Effect::Drop, 1))),
        (0, Action::Signal(signal())),
        (250, Action::Fault(fault(Effect::Delay(Span::millis(5_100)), 3))),
        (90_000, Action::Signal(other)),
        (90_000, Action::Raw(raw)),
        (120_000, Action::Expect(expect)),
        (120_000, Action::Expect(Expect::default())),
    ];
    scenario.steps = actions.into_iter().map(|(at, action)| Step { at: Span::millis(at), line: 0, action }).collect();
    scenario.duration = Scenario::usual_duration(&scenario.steps);
    insta::assert_snapshot!(write(&scenario), @r##"
    # A reply is lost.
    #
    # Nothing is placed twice.

    name = "lost-reply"
    heal = "1000s"

    [config]
    allow_short = true

    [exchange.delays]
    engine_ms = 30

    [[steps]]
    at = "0ms"
    fault = { drop = "reply", of = "create" }

    [[steps]]
    at = "0ms"
    signal = { id = "s-1", side = "buy", amount = "500" }

    [[steps]]
    at = "250ms"
    fault = { delay = "reply", by = "5100ms", of = "create", count = 3 }

    [[steps]]
    at = "90s"
    signal = { id = "s 2", same_id_as = "s-1", side = "buy", amount = "600" }

    [[steps]]
    at = "90s"
    signal = { raw = '{"a":"\\"}', deliveries = 2 }

    [[steps]]
    at = "2m"
    expect = { orders = 1, signal = { "s 2" = "accepted" }, position = { BTCUSDT = "-0.016" } }

    [[steps]]
    at = "2m"
    expect = {}
    "##);
    assert_eq!(said(&again(&scenario).1), said(&scenario));
}

#[test]
fn a_configuration_made_in_code_is_read_from_its_table() {
    #[derive(Debug, Default, serde::Deserialize)]
    #[serde(default, deny_unknown_fields)]
    struct Some {
        limit: u32,
    }
    let mut scenario = Scenario::made("made");
    assert_eq!(scenario.config_as::<Some>().unwrap().limit, 0);
    scenario.config.insert("limit".into(), 7.into());
    assert_eq!(scenario.config_as::<Some>().unwrap().limit, 7);
    scenario.config.insert("limt".into(), 7.into());
    insta::assert_snapshot!(scenario.config_as::<Some>().unwrap_err(), @r#"
    error: unknown field `limt`
     --> made.toml:5:1
      |
    5 | limt = 7
      | ^^^^ did you mean `limit`?
      |
      = help: the words here are `limit`
    "#);
}

proptest! {
    #[test]
    fn a_scenario_reads_back(seed: u64) {
        let scenario = drawn(&mut Choices::seeded(seed));
        let (text, read) = again(&scenario);
        prop_assert_eq!(said(&read), said(&scenario), "{}", text);
    }
}

#[test]
fn the_drawn_scenarios_have_every_word() {
    let mut seen = BTreeSet::new();
    for seed in 0..200 {
        let scenario = drawn(&mut Choices::seeded(seed));
        seen.extend(scenario.steps.iter().map(|step| of_action(&step.action, scenario.prices.symbol, &mut vec![]).0));
    }
    let all: BTreeSet<&str> = read::ACTIONS.iter().copied().collect();
    assert_eq!(seen, all);
}

const SYMBOLS: [&str; 3] = ["BTCUSDT", "ETHUSDT", "1000PEPEUSDT"];
const TEXTS: [&str; 6] = ["", "plain", "two\nlines ", "quo\"ted", "it's \"both\" \\", "\u{7f}\u{1}é\t"];

/// A sound scenario in which anything may stand.
fn drawn(c: &mut Choices) -> Scenario {
    let mut scenario = Scenario::made(["a-b", "x1", "it's"][c.below("name", 3) as usize]);
    scenario.about = text_of(c);
    scenario.seed = c.below("seed", 3);
    scenario.sockets = c.chance("sockets", 300);
    scenario.link = *c.pick("link", &[None, Some(Link::Typed), Some(Link::Bytes)]);
    scenario.heal = c.chance("heal", 500).then(|| span(c));
    if c.chance("config", 500) {
        let list = toml::Value::Array(vec![toml::Table::from_iter([("k".to_string(), text_of(c).into())]).into()]);
        scenario.config = toml::Table::from_iter([("b".to_string(), list), ("a".to_string(), 1.5.into())]);
        scenario.exchange.insert("wallet".into(), text_of(c).into());
    }
    scenario.prices = Prices { symbol: symbol(c), start: price(c) };
    let mut at = Span::ZERO;
    let mut aliases: Vec<String> = Vec::new();
    for _ in 0..c.below("steps", 12) {
        at = Span(at.0 + span(c).0);
        let action = action(c, &mut aliases);
        scenario.steps.push(Step { at, line: 0, action });
    }
    scenario.duration = Span(at.0 + span(c).0);
    scenario
}

fn text_of(c: &mut Choices) -> String {
    (*c.pick("text", &TEXTS)).to_string()
}

fn symbol(c: &mut Choices) -> Symbol {
    let name: &&str = c.pick("symbol", &SYMBOLS);
    Symbol::clipped(name)
}

fn decimal(c: &mut Choices) -> Decimal {
    let scale = c.below("scale", 9) as u32;
    Decimal::new(c.between("digits", 1, 1_000_000_000) as i64, scale)
}

fn price(c: &mut Choices) -> Price {
    Price(decimal(c))
}

fn side(c: &mut Choices) -> Side {
    *c.pick("side", &[Side::Buy, Side::Sell])
}

fn count(c: &mut Choices) -> u32 {
    c.between("count", 1, 4) as u32
}

fn span(c: &mut Choices) -> Span {
    Span(c.below("span", 5) * *c.pick("unit", &[1, 1_000, 1_000_000, 60_000_000, 3_600_000_000]))
}

fn requests(c: &mut Choices) -> Requests {
    *c.pick("requests", &[Requests::All, Requests::Queries, Requests::One(Operation::Create)])
}

fn pushes(c: &mut Choices) -> Pushes {
    let topics = [Topic::Order, Topic::Execution, Topic::Position, Topic::Wallet].map(Pushes::One);
    *c.pick("pushes", &[&topics[..], &[Pushes::All]].concat())
}

fn around(c: &mut Choices, word: &str) -> Action {
    let (count, by) = (count(c), span(c));
    let messages = Messages { count, by };
    match word {
        "silence" => Action::Silence(Silence { of: pushes(c), length: by }),
        "ban" => Action::Ban(by),
        "reconnect" => Action::Reconnect(Reconnect { fails: count - 1, every: by }),
        "broker" => {
            let next = [Broker::Duplicate(messages), Broker::LoseAck(messages), Broker::Reorder(messages)];
            Action::Broker(*c.pick("broker", &[&next[..], &[Broker::Redeliver]].concat()))
        }
        "commit" => {
            let trouble = *c.pick("commit", &[CommitTrouble::Fail, CommitTrouble::Slow(by)]);
            Action::Commit(Commit { trouble, count })
        }
        "checkpoint" => Action::Checkpoint,
        "checkpoint_every" => Action::CheckpointEvery(count),
        "clock" => {
            let us = by.0 as i64;
            Action::Clock(*c.pick("clock", &[Clock::Step(us), Clock::Step(-us), Clock::Drift(-200), Clock::Drift(9)]))
        }
        "pause" => Action::Pause(by),
        other => panic!("`{other}` is not drawn: draw it here"),
    }
}

fn action(c: &mut Choices, aliases: &mut Vec<String>) -> Action {
    let word = *c.pick("word", read::ACTIONS);
    match word {
        "signal" if c.chance("raw", 300) => {
            let body = if c.chance("utf8", 500) { text_of(c).into_bytes() } else { vec![0xff, 0, b'{'] };
            Action::Raw(RawStep { body, deliveries: count(c) })
        }
        "again" if !aliases.is_empty() => Action::Again(c.pick("alias", aliases).clone()),
        "signal" | "again" => Action::Signal(signal(c, aliases)),
        "price" if c.chance("touch", 300) => Action::Touch(symbol(c)),
        "price" => Action::Price((0..c.below("prices", 3)).map(|_| (symbol(c), price(c))).collect()),
        "fault" => Action::Fault(fault(c)),
        "stream" => c.pick("updown", &[Action::StreamDown, Action::StreamUp]).clone(),
        "exchange" => c.pick("updown", &[Action::ExchangeDown, Action::ExchangeUp]).clone(),
        "store" => c.pick("updown", &[Action::StoreDown, Action::StoreUp]).clone(),
        "crash" => Action::Crash(crash(c)),
        "manual" => Action::Manual(Manual { side: side(c), symbol: symbol(c), quantity: Quantity(decimal(c)) }),
        "liquidity" => Action::Liquidity(Liquidity { symbol: symbol(c), at_best: Quantity(decimal(c)) }),
        "reject_next" => Action::RejectNext,
        "quirk" => Action::Quirk(*c.pick("quirk", &quirk::tests::all())),
        "expect" => Action::Expect(expect(c, aliases)),
        other => around(c, other),
    }
}

fn signal(c: &mut Choices, aliases: &mut Vec<String>) -> SignalStep {
    let alias = format!("{}{}", c.pick("called", &["s-", "an id ", "\"é"]), aliases.len());
    let of = if aliases.is_empty() || c.chance("own", 700) { &alias } else { c.pick("same", aliases) };
    let exit = c.chance("exit", 300);
    let signal = SignalStep {
        id: signal_id(of),
        symbol: symbol(c),
        side: side(c),
        amount: decimal(c),
        confidence: if c.chance("usual", 500) { confidence(exit) } else { decimal(c) },
        price: c.chance("priced", 500).then(|| price(c)),
        spread: if c.chance("usual", 500) { SPREAD } else { -decimal(c) },
        age: span(c),
        ahead: span(c),
        urgency: c.chance("urgency", 300),
        exit,
        warmup: c.chance("warmup", 300),
        strategy: if c.chance("usual", 500) { MOMENTUM.into() } else { text_of(c) },
        trace: c.chance("traced", 300).then(|| text_of(c)),
        deliveries: count(c),
        alias: alias.clone(),
    };
    aliases.push(alias);
    signal
}

fn fault(c: &mut Choices) -> Fault {
    let of = requests(c);
    let pushes = pushes(c);
    let kind = match c.below("fault", 3) {
        0 => {
            let by = span(c);
            let path = *c.pick("path", &[Path::Request(of), Path::Reply(of), Path::Push(pushes)]);
            let mut effects = vec![Effect::Drop, Effect::Duplicate, Effect::Delay(by), Effect::Reorder(by)];
            match path {
                Path::Request(_) => effects.extend([Effect::Reset(None), Effect::Reset(Some(by)), Effect::Refuse]),
                Path::Reply(_) => effects.push(Effect::Reset(None)),
                Path::Push(_) => {}
            }
            let effect = *c.pick("effect", &effects);
            FaultKind::Carry { path, effect }
        }
        1 => {
            let answer = *c.pick("answer", &[Answer::Code(10_006), Answer::Code(-1), Answer::Status(503)]);
            FaultKind::Answer { of, answer, executed: c.chance("executed", 500) }
        }
        _ => FaultKind::PushFirst { of },
    };
    Fault { kind, count: count(c) }
}

fn crash(c: &mut Choices) -> Crash {
    let of = requests(c);
    let moments = [CrashMoment::BeforePersist, CrashMoment::AfterPersist, CrashMoment::AfterRequest];
    let ons = [CrashOn::Any, CrashOn::Signal, CrashOn::Reply, CrashOn::Push, CrashOn::Sending(of)];
    Crash {
        moment: *c.pick("moment", &moments),
        on: *c.pick("on", &ons),
        restart: span(c),
        loss: *c.pick("loss", &Loss::ALL),
    }
}

fn expect(c: &mut Choices, aliases: &[String]) -> Expect {
    let maybe = |c: &mut Choices| c.chance("said", 400).then(|| count(c));
    let aliases = || aliases.iter().cloned();
    Expect {
        orders: maybe(c),
        open: maybe(c),
        status: *c.pick("status", &[None, Some(OrderWord::Filled), Some(OrderWord::DryRun)]),
        signal: aliases().map(|alias| (alias, SignalWord::Working)).collect(),
        code: aliases().map(|alias| (alias, "nothing_to_sell".to_string())).collect(),
        position: [(symbol(c), Quantity(-decimal(c)))].into(),
        fills: maybe(c),
        rejected: maybe(c),
        cancelled: maybe(c),
        unknown: maybe(c),
        dead_letters: maybe(c),
        duplicates: maybe(c),
        conflicts: maybe(c),
        events: c.chance("events", 500).then(|| vec![EventWord::Created, EventWord::PositionLossWarning]),
        settled: *c.pick("settled", &[None, Some(true), Some(false)]),
        consistent: *c.pick("consistent", &[None, Some(true), Some(false)]),
    }
}
