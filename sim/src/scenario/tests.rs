use super::*;
use order_manager_core::bybit::Operation;
use order_manager_core::intake;
use order_manager_core::unit::{Timestamp, calendar, decimal};
use std::path::Path as FilePath;

const GOOD: &str = r#"# A story
# in two lines.

name = "good"
seed = 7
link = "bytes"

[config]
market_slippage_pct = "0.5"

[exchange]
latency_ms = 30

[[steps]]
at = "10s"
expect = { orders = 1, status = "filled", position = { BTCUSDT = "-0.016" }, signal = { s-1 = "accepted" }, events = ["created", "filled"], settled = true }

[[steps]]
at = "0ms"
signal = { id = "s-1", side = "buy", amount = "1000" }

[[steps]]
at = "0ms"
fault = { delay = "reply", of = "create", by = "3s", count = 2 }

[[steps]]
at = "2m"
crash = { at = "after-request", on = "create" }
"#;

fn good() -> Scenario {
    read::read("scenarios/good.toml", "good", GOOD).unwrap()
}

#[test]
fn a_good_file_is_read_whole() {
    let scenario = good();
    assert_eq!((scenario.name.as_str(), scenario.seed, scenario.link), ("good", 7, Some(Link::Bytes)));
    assert_eq!(scenario.about, "A story\nin two lines.");
    assert_eq!(scenario.duration, Span::secs(150), "30 s after the last step");
    assert_eq!((scenario.prices.symbol.as_str(), scenario.prices.start.to_string().as_str()), ("BTCUSDT", "50000"));
    let order: Vec<(u64, usize)> = scenario.steps.iter().map(|s| (s.at.as_millis(), s.line)).collect();
    assert_eq!(order, [(0, 18), (0, 22), (10_000, 14), (120_000, 26)], "sorted by moment, stably");
    let Action::Fault(fault) = &scenario.steps[1].action else { panic!("{:?}", scenario.steps[1]) };
    let path = Path::Reply(Requests::One(Operation::Create));
    assert_eq!(fault.kind, FaultKind::Carry { path, effect: Effect::Delay(Span::secs(3)) });
    assert_eq!(fault.count, 2);
    let Action::Crash(crash) = &scenario.steps[3].action else { panic!("{:?}", scenario.steps[3]) };
    assert_eq!(crash.on, CrashOn::Sending(Requests::One(Operation::Create)));
    assert_eq!((crash.moment, crash.restart), (CrashMoment::AfterRequest, Span::secs(1)));
    let Action::Expect(expect) = &scenario.steps[2].action else { panic!("{:?}", scenario.steps[2]) };
    assert_eq!(expect.position[&Symbol::new("BTCUSDT").unwrap()].to_string(), "-0.016");
    assert_eq!(expect.events.as_deref(), Some([EventWord::Created, EventWord::Filled].as_slice()));
    assert_eq!((expect.signal["s-1"], expect.fills), (SignalWord::Accepted, None));
}

#[test]
fn s2_a_body_is_what_the_model_service_sends() {
    let scenario = good();
    let Action::Signal(signal) = &scenario.steps[0].action else { panic!("{:?}", scenario.steps[0]) };
    let now = calendar::parse("2024-01-01T00:00:30.5Z").unwrap();
    let body = signal_body(signal, now, Price(decimal::parse("50000.5").unwrap()));
    let read: serde_json::Value = serde_json::from_slice(&body).unwrap();
    assert_eq!(read["signal_id"], signal_id("s-1").to_string());
    assert!(read["amount"].is_f64() && read["amount"] == 1000.0, "numbers are JSON numbers");
    assert_eq!(read["confidence"], 0.95);
    assert_eq!(read["timestamp"], "2024-01-01T00:00:30.500000Z");
    assert_eq!(read["market_data_snapshot"]["price"], 50_000.5);
    assert_eq!(read["metadata"]["inference_timestamp"], "2024-01-01T00:00:00Z");
    let old = SignalStep { age: Span::secs(31), exit: true, ..signal.clone() };
    let read: serde_json::Value = serde_json::from_slice(&signal_body(&old, now, Price::ZERO)).unwrap();
    assert_eq!(read["timestamp"], "2023-12-31T23:59:59.500000Z");
    assert_eq!(read["metadata"]["exit_strategy"], true);
}

#[test]
fn an_alias_is_an_id_for_ever() {
    assert_eq!(signal_id("s-1").to_string(), "131dcdae-7ad9-4f31-bac0-76c6c053a260");
    assert_ne!(signal_id("s-1"), signal_id("s-2"));
    assert_eq!(good().alias_of(signal_id("s-1")), Some("s-1"));
    assert_eq!(good().alias_of(signal_id("s-9")), None);
}

#[test]
fn other_content_may_go_under_an_id() {
    let text = "name = \"t\"\n[[steps]]\nat = \"0s\"\nsignal = { id = \"s-1\", side = \"buy\", amount = \"500\" }\n\
        [[steps]]\nat = \"1s\"\nsignal = { id = \"s-1b\", same_id_as = \"s-1\", side = \"sell\", amount = \"500\" }\n";
    let scenario = read::read("t.toml", "t", text).unwrap();
    let ids: Vec<SignalId> = scenario
        .steps
        .iter()
        .map(|step| match &step.action {
            Action::Signal(signal) => signal.id,
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(ids, [signal_id("s-1"), signal_id("s-1")]);
}

#[derive(Debug, Default, serde::Deserialize)]
#[serde(default, deny_unknown_fields)]
struct SomeConfig {
    market_slippage_pct: String,
}

#[test]
fn a_configuration_problem_points_into_the_file() {
    assert_eq!(good().config_as::<SomeConfig>().unwrap().market_slippage_pct, "0.5");
    let text = GOOD.replace("market_slippage_pct", "market_slipage_pct");
    let e = read::read("scenarios/good.toml", "good", &text).unwrap().config_as::<SomeConfig>().unwrap_err();
    insta::assert_snapshot!(e, @r#"
    error: unknown field `market_slipage_pct`
     --> scenarios/good.toml:9:1
      |
    9 | market_slipage_pct = "0.5"
      | ^^^^^^^^^^^^^^^^^^ did you mean `market_slippage_pct`?
      |
      = help: the words here are `market_slippage_pct`
    "#);
}

/// What is said of a file whose steps are `steps`.
fn complaint(steps: &str) -> String {
    let text = format!("name = \"t\"\n\n[[steps]]\nat = \"0ms\"\n{steps}\n");
    read::read("scenarios/t.toml", "t", &text).unwrap_err().to_string()
}

#[test]
fn an_unknown_field_names_the_nearest() {
    insta::assert_snapshot!(complaint("fault = { drop_replay = \"reply\" }"), @r#"
    error: unknown field `drop_replay`
     --> scenarios/t.toml:5:11
      |
    5 | fault = { drop_replay = "reply" }
      |           ^^^^^^^^^^^ did you mean `drop`?
      |
      = help: the words here are `drop`, `delay`, `duplicate`, `answer`, `push_first`, `reset`, `refuse`, `reorder`, `of`, `by`, `count`, `executed`
    "#);
}

#[test]
fn an_unknown_action_names_the_nearest() {
    insta::assert_snapshot!(complaint("exepct = { orders = 1 }"), @r#"
    error: unknown field `exepct`
     --> scenarios/t.toml:5:1
      |
    5 | exepct = { orders = 1 }
      | ^^^^^^ did you mean `expect`?
      |
      = help: the words here are `at`, `signal`, `again`, `price`, `fault`, `stream`, `exchange`, `store`, `crash`, `silence`, `ban`, `reconnect`, `broker`, `commit`, `checkpoint`, `checkpoint_every`, `clock`, `pause`, `manual`, `liquidity`, `reject_next`, `quirk`, `expect`
    "#);
}

#[test]
fn an_unknown_status_names_the_nearest() {
    insta::assert_snapshot!(complaint("expect = { status = \"fillled\" }"), @r#"
    error: unknown status `fillled`
     --> scenarios/t.toml:5:21
      |
    5 | expect = { status = "fillled" }
      |                     ^^^^^^^^^ did you mean `filled`?
      |
      = help: the words here are `pending`, `partially_filled`, `filled`, `cancelled`, `rejected`, `dry_run`
    "#);
}

#[test]
fn a_bad_length_of_time_says_how_to_write_one() {
    insta::assert_snapshot!(complaint("fault = { delay = \"reply\", by = \"3 seconds\" }"), @r#"
    error: `3 seconds` is not a length of time
     --> scenarios/t.toml:5:33
      |
    5 | fault = { delay = "reply", by = "3 seconds" }
      |                                 ^^^^^^^^^^^ not a length of time
      |
      = help: write a whole number and a unit: "250ms", "10s", "2m", "1h"; at most a year
    "#);
}

#[test]
fn a_bad_decimal_says_how_to_write_one() {
    insta::assert_snapshot!(complaint("signal = { id = \"s-1\", side = \"buy\", amount = \"1,000\" }"), @r#"
    error: amount `1,000` is not a decimal number
     --> scenarios/t.toml:5:47
      |
    5 | signal = { id = "s-1", side = "buy", amount = "1,000" }
      |                                               ^^^^^^^ is not a decimal number
      |
      = help: write plain digits with a point in quotes: "0.016"
    "#);
}

#[test]
fn a_bare_number_wants_quotes() {
    insta::assert_snapshot!(complaint("signal = { id = \"s-1\", side = \"buy\", amount = 1000 }"), @r#"
    error: invalid type: integer `1000`, expected a string
     --> scenarios/t.toml:5:47
      |
    5 | signal = { id = "s-1", side = "buy", amount = 1000 }
      |                                               ^^^^ here
      |
      = help: put the value in quotes
    "#);
}

#[test]
fn two_actions_in_a_step_are_one_too_many() {
    insta::assert_snapshot!(complaint("stream = \"down\"\nreject_next = true"), @r#"
    error: a step with `stream` and `reject_next`
     --> scenarios/t.toml:3:1
      |
    3 | [[steps]]
      | ^^^^^^^^^ this step
      |
      = help: a step does exactly one thing: write a step for each
    "#);
}

#[test]
fn a_step_without_an_action_is_one_too_few() {
    insta::assert_snapshot!(complaint(""), @r#"
    error: a step that does nothing
     --> scenarios/t.toml:3:1
      |
    3 | [[steps]]
      | ^^^^^^^^^ this step
      |
      = help: add one of `signal`, `again`, `price`, `fault`, `stream`, `exchange`, `store`, `crash`, `silence`, `ban`, `reconnect`, `broker`, `commit`, `checkpoint`, `checkpoint_every`, `clock`, `pause`, `manual`, `liquidity`, `reject_next`, `quirk`, `expect`
    "#);
}

#[test]
fn an_alias_is_given_once() {
    let signal = "signal = { id = \"s-1\", side = \"buy\", amount = \"500\" }";
    insta::assert_snapshot!(complaint(&format!("{signal}\n[[steps]]\nat = \"1s\"\n{signal}")), @r#"
    error: a second signal is called `s-1`
     --> scenarios/t.toml:8:17
      |
    8 | signal = { id = "s-1", side = "buy", amount = "500" }
      |                 ^^^^^ given already
      |
      = help: write `again = "s-1"` to deliver it again, or give this one a name of its own with `same_id_as = "s-1"` to send other content under its id
    "#);
}

#[test]
fn an_unknown_alias_names_the_nearest() {
    let steps = "signal = { id = \"s-1\", side = \"buy\", amount = \"500\" }\n[[steps]]\nat = \"1s\"\nagain = \"s-2\"";
    insta::assert_snapshot!(complaint(steps), @r#"
    error: unknown signal `s-2`
     --> scenarios/t.toml:8:9
      |
    8 | again = "s-2"
      |         ^^^^^ did you mean `s-1`?
      |
      = help: the words here are `s-1`
    "#);
}

#[test]
fn an_alias_must_come_first() {
    insta::assert_snapshot!(complaint("again = \"s-1\""), @r#"
    error: unknown signal `s-1`
     --> scenarios/t.toml:5:9
      |
    5 | again = "s-1"
      |         ^^^^^ no signal came before
      |
      = help: send a signal with this `id` first
    "#);
}

#[test]
fn a_field_out_of_place_is_said() {
    insta::assert_snapshot!(complaint("fault = { drop = \"reply\", by = \"3s\" }"), @r#"
    error: `by` belongs to `delay`
     --> scenarios/t.toml:5:32
      |
    5 | fault = { drop = "reply", by = "3s" }
      |                                ^^^^ without `delay`
      |
      = help: take `by` out, or use `delay`
    "#);
}

#[test]
fn a_success_is_no_fault() {
    insta::assert_snapshot!(complaint("fault = { answer = 0, of = \"create\" }"), @r#"
    error: answer `0` is a success
     --> scenarios/t.toml:5:20
      |
    5 | fault = { answer = 0, of = "create" }
      |                    ^ not a failure
      |
      = help: write a retCode such as 110007 or an HTTP status such as 503
    "#);
}

#[test]
fn a_raw_body_stands_alone() {
    insta::assert_snapshot!(complaint("signal = { raw = \"{\", side = \"buy\" }"), @r#"
    error: a raw signal has other fields too
     --> scenarios/t.toml:5:18
      |
    5 | signal = { raw = "{", side = "buy" }
      |                  ^^^ the whole body
      |
      = help: `raw` is the whole body: keep `raw` and `deliveries`, or drop `raw`
    "#);
}

#[test]
fn everything_wrong_is_said_at_once() {
    let steps = "signal = { id = \"s-1\", side = \"by\", amount = \"x\", symbol = \"btc\" }\n\
        [[steps]]\nat = \"soon\"\nstream = \"sideways\"";
    insta::assert_snapshot!(complaint(steps), @r#"
    error: unknown side `by`
     --> scenarios/t.toml:5:31
      |
    5 | signal = { id = "s-1", side = "by", amount = "x", symbol = "btc" }
      |                               ^^^^ did you mean `buy`?
      |
      = help: the words here are `buy`, `sell`

    error: amount `x` is not a decimal number
     --> scenarios/t.toml:5:46
      |
    5 | signal = { id = "s-1", side = "by", amount = "x", symbol = "btc" }
      |                                              ^^^ is not a decimal number
      |
      = help: write plain digits with a point in quotes: "0.016"

    error: `btc` is not a symbol
     --> scenarios/t.toml:5:60
      |
    5 | signal = { id = "s-1", side = "by", amount = "x", symbol = "btc" }
      |                                                            ^^^^^ not a symbol
      |
      = help: write 4 to 20 upper-case letters and digits: "BTCUSDT"

    error: `soon` is not a length of time
     --> scenarios/t.toml:7:6
      |
    7 | at = "soon"
      |      ^^^^^^ not a length of time
      |
      = help: write a whole number and a unit: "250ms", "10s", "2m", "1h"; at most a year

    error: unknown state of the stream `sideways`
     --> scenarios/t.toml:8:10
      |
    8 | stream = "sideways"
      |          ^^^^^^^^^^ not a known word
      |
      = help: the words here are `down`, `up`
    "#);
}

#[test]
fn a_name_that_is_not_the_files_is_said() {
    let e = read::read("scenarios/a.toml", "a", "name = \"b\"\n").unwrap_err();
    insta::assert_snapshot!(e, @r#"
    error: the scenario is called `b`, its file `a`
     --> scenarios/a.toml:1:8
      |
    1 | name = "b"
      |        ^^^ not the name of the file
      |
      = help: write `name = "a"`, or rename the file
    "#);
}

#[test]
fn broken_toml_is_shown_where_it_breaks() {
    insta::assert_snapshot!(complaint("signal = { id = \"s-1\","), @r#"
    error: unclosed inline table, expected `}`
     --> scenarios/t.toml:5:23
      |
    5 | signal = { id = "s-1",
      |                       ^ here
      |
      = help: write it as the other scenarios do
    "#);
}

#[test]
fn a_missing_file_is_named() {
    let e = load(FilePath::new("no/such/story.toml")).unwrap_err();
    insta::assert_snapshot!(e, @r#"
    error: `no/such/story.toml` cannot be read: No such file or directory (os error 2)
     |
     = help: name a scenario file or a folder of them
    "#);
}

#[test]
fn a_run_does_not_end_before_its_last_step() {
    let text = "name = \"t\"\nduration = \"5s\"\n[[steps]]\nat = \"10s\"\nstream = \"up\"\n";
    insta::assert_snapshot!(read::read("t.toml", "t", text).unwrap_err(), @r#"
    error: the run ends after 5000 ms, before its last step at 10000 ms
     --> t.toml:2:12
      |
    2 | duration = "5s"
      |            ^^^^ ends too early
      |
      = help: make the run longer, or leave `duration` out: it is then 30 s more than the last step
    "#);
}

/// Every scenario that ships with the project.
#[test]
fn the_scenarios_of_the_project_are_read() {
    let folder = FilePath::new(env!("CARGO_MANIFEST_DIR")).join("../scenarios");
    let all = load_dir(&folder).unwrap();
    assert!(all.len() >= 16, "only {} scenarios in {}", all.len(), folder.display());
    for scenario in all {
        let scenario = scenario.unwrap_or_else(|e| panic!("{e}"));
        assert!(scenario.about.len() > 40, "{} tells no story", scenario.name);
        let expects = scenario.steps.iter().filter(|step| matches!(step.action, Action::Expect(_))).count();
        assert!(expects > 0, "{} expects nothing", scenario.name);
        let now = Timestamp(1_704_067_200_000_000);
        for step in &scenario.steps {
            if let Action::Signal(signal) = &step.action {
                let body = signal_body(signal, now, scenario.prices.start);
                serde_json::from_slice::<serde_json::Value>(&body).unwrap();
                assert_eq!(intake::id_of(&body), Some(signal.id), "{}", scenario.name);
            }
        }
    }
}

/// The broker goes by the id that is known, without reading the message; the fast link goes without one.
#[test]
fn a_drawn_signal_is_read_as_it_goes_typed() {
    for seed in 0..30 {
        for step in crate::swarm::draw(&mut crate::choice::Choices::seeded(seed)).scenario.steps {
            if let Action::Signal(signal) = &step.action {
                let (now, price) = (Timestamp(1_704_067_200_000_000), Price(Decimal::from(50_000)));
                let body = signal_body(signal, now, price);
                assert_eq!(intake::id_of(&body), Some(signal.id), "seed {seed}");
                let (typed, read) = (signal_json(signal, now, price).to_signal(), intake::decode(&body, None).ok());
                assert_eq!(format!("{typed:?}"), format!("{read:?}"), "seed {seed}");
            }
        }
    }
}
