//! The program `order-manager` as a user meets it: what it says, what it exits with, and how a day of its life
//! can be looked into.

mod support;

use order_manager_core::unit::Timestamp;
use order_manager_sim::replay::{Verdict, replay};
use serde_json::{Value, json};
use std::fs;
use std::net::TcpListener;
use std::path::Path;
use std::process::Output;
use std::time::SystemTime;
use support::{API_KEY, Service, call, run, wait_for};

/// Exit code, standard output, standard error.
fn ended(output: &Output) -> (Option<i32>, String, String) {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (output.status.code(), text(&output.stdout), text(&output.stderr))
}

/// It exits with this code and says all of these on standard error.
fn assert_fails(args: &[&str], environment: &[(&str, &str)], exit: i32, words: &[&str]) {
    let (code, _, errors) = ended(&run(args, environment));
    assert_eq!(code, Some(exit), "{args:?} {environment:?}: {errors}");
    words.iter().for_each(|word| assert!(errors.contains(word), "{args:?} {environment:?} without {word:?}: {errors}"));
}

#[test]
fn it_tells_its_version_and_its_help() {
    let version = run(&["--version"], &[]);
    assert_eq!(version.status.code(), Some(0));
    assert_eq!(String::from_utf8_lossy(&version.stdout), concat!("order-manager ", env!("CARGO_PKG_VERSION"), "\n"));

    let help = run(&["--help"], &[]);
    assert_eq!(help.status.code(), Some(0));
    assert!(String::from_utf8_lossy(&help.stdout).contains("Usage: order-manager"));
}

#[test]
fn what_it_does_not_know_is_a_usage_error() {
    let (code, out, errors) = ended(&run(&["--no-such-option"], &[]));
    assert_eq!((code, out.as_str()), (Some(2), ""));
    assert!(errors.contains("--no-such-option"));
}

#[test]
fn a2_a_store_that_cannot_be_read_as_one_is_not_quoted() {
    for command in [&["migrate"][..], &["explain", "x"]] {
        let args = [command, &["--store", "postgres://om:the-secret@host:port/x"]].concat();
        let (code, out, errors) = ended(&run(&args, &[]));
        assert_eq!((code, out.as_str()), (Some(2), ""));
        assert!(errors.contains("--store") && !errors.contains("the-secret"), "{errors}");
    }
}

#[test]
fn a2_every_wrong_value_is_told_at_once_by_check_config_and_by_serve() {
    let wrong = [("ORDERMANAGER_MAX_LEVERAGE", "0"), ("ORDERMANAGER_PORT", "abc")];
    let words = ["ORDERMANAGER_MAX_LEVERAGE = 0: must be", "ORDERMANAGER_PORT = abc: must be a port from 0 to 65535"];
    for command in ["check-config", "serve"] {
        assert_fails(&[command, "--paper"], &wrong, 2, &words);
        assert_fails(&[command, "--paper"], &wrong[1..], 2, &words[1..]);
    }
}

#[test]
fn a2_an_unknown_name_comes_with_its_nearest() {
    let words = ["ORDERMANAGER_MAX_LEVERAG is not known", "did you mean ORDERMANAGER_MAX_LEVERAGE?"];
    assert_fails(&["check-config", "--paper"], &[("ORDERMANAGER_MAX_LEVERAG", "3")], 2, &words);

    let (code, shown, errors) = ended(&run(&["check-config", "--paper"], &[("ORDERMANAGER_MAX_LEVERAGE", "3")]));
    assert_eq!((code, errors.as_str()), (Some(0), ""));
    assert!(shown.contains("max_leverage = \"3\""), "{shown}");

    let folder = tempfile::tempdir().unwrap();
    let service = Service::start(&["serve", "--paper"], folder.path(), &[("ORDERMANAGER_MAX_LEVERAG", "3")]);
    assert!(service.errors().contains(words[1]), "serve warns: {}", service.errors());
}

#[test]
fn a2_an_account_is_needed_but_on_paper() {
    let words = ["BYBIT_API_KEY is missing", "BYBIT_API_SECRET is missing", "BYBIT_API_KEY_FILE", "--paper"];
    assert_fails(&["serve"], &[], 2, &words);
    assert_fails(&["check-config"], &[], 2, &words);
    assert_fails(&["serve"], &[("BYBIT_API_KEY", "k")], 2, &words[1..2]);
}

#[test]
fn a1_without_a_key_it_listens_on_loopback_only() {
    let beyond = ("ORDERMANAGER_HOST", "0.0.0.0");
    let words = ["ORDERMANAGER_HOST = 0.0.0.0", "loopback only", "set ORDERMANAGER_API_KEY"];
    assert_fails(&["serve", "--paper"], &[beyond], 2, &words);
    assert_fails(&["check-config", "--paper"], &[beyond], 2, &words);
    assert_eq!(run(&["check-config", "--paper"], &[beyond, ("ORDERMANAGER_API_KEY", "k")]).status.code(), Some(0));
}

#[test]
fn a5_a_store_that_cannot_be_opened_says_why_and_what_to_do() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).display().to_string();
    let serve = |store: &str, words: &[&str]| {
        assert_fails(&["serve", "--paper"], &[("ORDERMANAGER_STORE", store), ("ORDERMANAGER_PORT", "0")], 1, words);
    };
    serve(&path("missing/orders.db"), &["there is no folder", &path("missing"), "ORDERMANAGER_STORE"]);
    serve(&folder.path().display().to_string(), &["it is a folder", "ORDERMANAGER_STORE"]);
    fs::write(path("notes.txt"), "no database at all, only words, and enough of them to fill a page").unwrap();
    serve(&path("notes.txt"), &["cannot open", &path("notes.txt"), "ORDERMANAGER_STORE"]);
    assert!(fs::read_to_string(path("notes.txt")).unwrap().starts_with("no database"), "it was written over");
    let (none, out) = (path("none.db"), path("out"));
    for args in [["explain", "x"].as_slice(), &["journal", "export", &out]] {
        let args = [args, &["--store", &none]].concat();
        assert_fails(&args, &[], 1, &["cannot open", "there is no such file", "--store"]);
    }
    assert!(!Path::new(&none).exists() && !Path::new(&out).exists(), "reading made a file");
}

#[test]
fn a5_a_store_from_a_newer_version_is_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    assert_eq!(Service::start(&["serve", "--paper"], folder.path(), &[]).terminate().0.code(), Some(0));
    let mut bytes = fs::read(folder.path().join("orders.db")).unwrap();
    let store = folder.path().join("newer.db"); // without the write-ahead log, whose first page would win
    bytes[60..64].copy_from_slice(&99_u32.to_be_bytes()); // user_version (the SQLite file format, 1.3)
    fs::write(&store, bytes).unwrap();
    let environment = [("ORDERMANAGER_STORE", store.to_str().unwrap()), ("ORDERMANAGER_PORT", "0")];
    let words = ["was written by a newer order-manager", "its schema is 99", "run that version"];
    assert_fails(&["serve", "--paper"], &environment, 1, &words);
}

#[test]
fn a5_a_second_process_gets_neither_the_store_nor_the_port() {
    let folder = tempfile::tempdir().unwrap();
    let service = Service::start(&["serve", "--paper"], folder.path(), &[]);
    let store = folder.path().join("orders.db").display().to_string();
    let other = folder.path().join("other.db").display().to_string();
    let port = service.address().rsplit(':').next().unwrap();
    let words = ["is in use by another order-manager", "process ", "stop it first"];
    let environment = [("ORDERMANAGER_STORE", store.as_str()), ("ORDERMANAGER_PORT", "0")];
    assert_fails(&["serve", "--paper"], &environment, 1, &words);
    let words = ["cannot listen on", port, "ORDERMANAGER_PORT chooses the port"];
    let environment = [("ORDERMANAGER_STORE", other.as_str()), ("ORDERMANAGER_PORT", port)];
    assert_fails(&["serve", "--paper"], &environment, 1, &words);
    service.wait_ready(); // the first one is none the worse for it

    let held = TcpListener::bind("127.0.0.1:0").unwrap(); // by a program of another kind
    let port = held.local_addr().unwrap().port().to_string();
    let environment = [("ORDERMANAGER_STORE", other.as_str()), ("ORDERMANAGER_PORT", port.as_str())];
    assert_fails(&["serve", "--paper"], &environment, 1, &["cannot listen on", &port]);
}

#[test]
fn a1_a_wrong_key_is_answered_with_401_and_a_reason() {
    let folder = tempfile::tempdir().unwrap();
    let service = Service::start(&["serve", "--paper"], folder.path(), &[]);
    for (key, reason) in [(Some("wrong"), "invalid_api_key"), (None, "missing_api_key")] {
        for path in ["/api/v1/orders", "/api/v1/no-such-route"] {
            let answer = call(service.address(), "GET", path, key, "").unwrap();
            assert_eq!(answer.status, 401, "{path}: {}", answer.body);
            assert_eq!(answer.json()["code"], "AUTHENTICATION_FAILED");
            assert_eq!(answer.json()["details"]["reason"], reason);
        }
    }
    assert_eq!(call(service.address(), "GET", "/api/v1/orders", Some(API_KEY), "").unwrap().status, 200);
}

#[test]
fn a5_paper_trading_starts_answers_and_ends_at_sigterm() {
    let folder = tempfile::tempdir().unwrap();
    let service = Service::start(&["serve", "--paper"], folder.path(), &[]);
    service.wait_ready();
    let health = call(service.address(), "GET", "/health", None, "").unwrap();
    assert_eq!((health.status, &health.json()["status"]), (200, &Value::from("healthy")));
    let (status, errors) = service.terminate();
    assert_eq!(status.code(), Some(0), "{errors}");
    assert_eq!(errors.lines().last(), Some("stopped; orders that rest at the exchange stay there"));
}

const PLACED: &str = "00000000-0000-4000-8000-000000000001";
const REJECTED: &str = "00000000-0000-4000-8000-000000000002";
const INVALID: &str = "00000000-0000-4000-8000-000000000003";
const UNKNOWN: &str = "00000000-0000-4000-8000-000000000004";

fn signal(id: &str, amount: i32) -> String {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap();
    let now = Timestamp(now.as_micros().try_into().unwrap()).to_string();
    json!({
        "signal_id": id, "signal_type": "buy", "asset": "BTCUSDT", "amount": amount, "confidence": "0.95",
        "timestamp": now, "strategy_id": "momentum_v1", "model_version": null, "is_warmup": false,
        "market_data_snapshot": { "price": "60000", "spread": "1" }, "metadata": null, "trace_id": null,
    })
    .to_string()
}

/// A service on which one signal was filled, one refused by the risk limits, and one could not be taken.
fn a_small_day(folder: &Path) -> Service {
    let service = Service::start(&["serve", "--paper"], folder, &[]);
    service.wait_ready();
    for (id, amount, status) in [(PLACED, 500, 202), (REJECTED, 900_000, 202), (INVALID, -5, 422)] {
        let answer = service.call("POST", "/api/v1/signals", &signal(id, amount)).unwrap();
        assert_eq!(answer.status, status, "{}", answer.body);
    }
    wait_for("two settled signals", || {
        let settled = |id| service.get(&format!("/api/v1/signals/{id}"))["state"] == "settled";
        (settled(PLACED) && settled(REJECTED)).then_some(())
    });
    service
}

#[test]
fn a5_paper_trading_goes_on_upon_the_store_of_yesterday() {
    let folder = tempfile::tempdir().unwrap();
    assert_eq!(a_small_day(folder.path()).terminate().0.code(), Some(0));
    let service = Service::start(&["serve", "--paper"], folder.path(), &[]);
    service.wait_ready();
    assert_eq!(service.call("POST", "/api/v1/signals", &signal(UNKNOWN, 500)).unwrap().status, 202);
    wait_for("an order of today", || {
        let signal = service.get(&format!("/api/v1/signals/{UNKNOWN}"));
        (signal["state"] == "settled").then(|| assert_eq!(signal["outcome"], "placed", "{signal}"))
    });
    let (status, errors) = service.terminate();
    assert_eq!(status.code(), Some(0), "{errors}");
}

#[test]
fn the_journal_of_a_running_store_can_be_exported_and_replays() {
    let folder = tempfile::tempdir().unwrap();
    let service = a_small_day(folder.path());
    let path = |name: &str| folder.path().join(name).display().to_string();
    let (code, out, errors) =
        ended(&run(&["journal", "export", &path("j")], &[("ORDERMANAGER_STORE", &path("orders.db"))]));
    assert_eq!(code, Some(0), "{errors}");
    let Verdict::Same { steps, .. } = replay(&fs::read(path("j")).unwrap()).unwrap() else { panic!("it differs") };
    assert!(steps > 5 && out.starts_with(&format!("{steps} records to")) && out.contains("order-sim replay"), "{out}");
    assert_fails(
        &["journal", "export", &path("no/j")],
        &[("ORDERMANAGER_STORE", &path("orders.db"))],
        1,
        &["cannot write", "No such file or directory"],
    );
    drop(service);
}

/// Each of the words, one after the other.
fn assert_tells(story: &str, words: &[&str]) {
    let mut rest = story;
    for word in words {
        let Some((_, after)) = rest.split_once(word) else { panic!("no {word:?} where it should be in:\n{story}") };
        rest = after;
    }
}

#[test]
fn explain_tells_the_story_of_a_signal() {
    let folder = tempfile::tempdir().unwrap();
    let service = a_small_day(folder.path());
    let store = folder.path().join("orders.db").display().to_string();
    let explain = |what: &str| ended(&run(&["explain", what, "--store", &store], &[]));

    let (code, story, _) = explain(PLACED);
    assert_eq!(code, Some(0));
    let order = &service.get(&format!("/api/v1/orders?signal_id={PLACED}"))["orders"][0];
    let link = order["order_link_id"].as_str().unwrap();
    assert_tells(
        &story,
        &[
            &format!("signal {PLACED}"),
            "buy 500 of BTCUSDT",
            "confidence 0.95, price 60000, spread 1, strategy momentum_v1",
            "plan 0.00",
            "leverage ",
            " of 5\n",
            "order_size ",
            " of 1000\n",
            "exposure ",
            " of 10000\n",
            "intend S-0 buy 0.00",
            "> create S-0",
            link,
            "< create S-0 taken",
            "publish S-0 created",
            "< fill S-0 0.00",
            "publish S-0 filled",
            "settled S placed: order S-0 filled",
        ],
    );
    assert_eq!(explain(link), (code, story.clone(), String::new()), "by order link id");
    assert_eq!(explain(order["order_id"].as_str().unwrap()), (code, story, String::new()), "by Bybit's order id");

    let (code, story, _) = explain(REJECTED);
    assert_eq!(code, Some(0));
    assert_tells(&story, &["buy 900000 of BTCUSDT", "settled S rejected implausible_size", "= 1000"]);
    assert!(!story.contains("> create"), "{story}");

    let (code, story, _) = explain(INVALID);
    assert_eq!(code, Some(0));
    assert_tells(&story, &[INVALID, "could not be taken", "amount = -5: must be above 0", "nothing was sent"]);

    for unknown in [UNKNOWN, "no-such-order"] {
        let (code, story, errors) = explain(unknown);
        assert_eq!((code, story.as_str()), (Some(1), ""));
        assert!(errors.contains(unknown) && errors.contains("no signal or order of this id"), "{errors}");
    }
}

#[test]
fn the_demo_ends_with_its_result_as_one_object() {
    let (code, out, errors) =
        ended(&run(&["demo", "--json"], &[("TMPDIR", &std::env::temp_dir().display().to_string())]));
    assert_eq!(code, Some(0), "{out}\n{errors}");
    let last: Value = serde_json::from_str(out.lines().last().unwrap()).unwrap();
    let keys = ["signals", "orders", "filled", "cancelled", "rejected", "events", "restarts", "consistent"];
    assert_eq!(last.as_object().unwrap().len(), keys.len(), "{last}");
    keys.iter().for_each(|key| assert!(last.get(key).is_some(), "{key} is missing in {last}"));
    assert_eq!((&last["restarts"], &last["consistent"]), (&json!(1), &json!(true)));
    assert!(last["signals"].as_u64() >= Some(5) && last["filled"].as_u64() >= Some(1), "{last}");
    assert!(last["cancelled"].as_u64() >= Some(1) && last["rejected"].as_u64() >= Some(1), "{last}");
}
