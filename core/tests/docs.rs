//! The tables of the documentation are printed from the code. `UPDATE_DOCS=1 cargo test` writes them anew.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails loudly; these laws are for the core itself")]

use order_manager_core::config::Config;
use order_manager_core::order::{State, Stimulus, Verdict};
use order_manager_core::refusal::Code;
use serde_json::Value;
use std::fmt::Write as _;
use std::path::Path;

const NOTE: &str = "<!-- Printed by core/tests/docs.rs; write anew with `UPDATE_DOCS=1 cargo test`. -->\n\n";

/// Compares `doc/<name>` with what the code says, or writes it where that was asked for.
fn compare(name: &str, table: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("doc").join(name);
    let fresh = format!("{NOTE}{table}");
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(&path, &fresh).unwrap();
    }
    let stored = std::fs::read_to_string(&path).unwrap();
    assert!(stored == fresh, "core/doc/{name} is not what the code says: UPDATE_DOCS=1 cargo test\n\n{fresh}");
}

fn word(verdict: Verdict) -> String {
    match verdict {
        Verdict::To(state) => format!("**{state:?}**"),
        Verdict::Known => "known".to_owned(),
        Verdict::Contradicts(state) => format!("{state:?}, alarm"),
        Verdict::Defect => "defect".to_owned(),
    }
}

#[test]
fn the_transition_table_is_the_code() {
    let mut table = String::from("| state |");
    Stimulus::ALL.iter().for_each(|stimulus| write!(table, " {stimulus:?} |").unwrap());
    table.push_str("\n|---|");
    Stimulus::ALL.iter().for_each(|_| table.push_str("---|"));
    for state in State::ALL {
        write!(table, "\n| **{state:?}** |").unwrap();
        Stimulus::ALL.iter().for_each(|stimulus| write!(table, " {} |", word(state.on(*stimulus))).unwrap());
    }
    table.push_str(
        "\n\nA bold word: the state becomes this one. \"known\": known already, or weaker than what is known; nothing \
         changes.\n\"alarm\": evidence against what we had concluded; the state becomes this one, and opening halts for \
         the symbol.\n\"defect\": cannot happen in a sound program; nothing changes, and people are called.\n",
    );
    compare("transitions.md", &table);
}

#[test]
fn the_table_of_refusals_is_the_code() {
    let mut table = String::from("| code | meaning | fresh copy is a new try |\n|---|---|---|\n");
    for code in Code::ALL {
        let again = if code.is_transient() { "yes" } else { "" };
        writeln!(table, "| `{code}` | {} | {again} |", code.meaning()).unwrap();
    }
    compare("refusals.md", &table);
}

#[test]
fn a2_the_table_of_the_configuration_is_the_code() {
    let source = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("src/config.rs")).unwrap();
    let defaults = serde_json::to_value(Config::default()).unwrap();
    let fields = documented_fields(&source);
    assert_eq!(fields.len(), defaults.as_object().unwrap().len(), "each field of Config has its line");
    let mut table = String::from("| key | default | may be | meaning |\n|---|---|---|---|\n");
    for (name, meaning) in fields {
        let default = &defaults[&name];
        let shown = match default {
            Value::Null => "none".to_owned(),
            Value::String(text) => text.clone(),
            other => other.to_string(),
        };
        writeln!(table, "| `{name}` | {shown} | {} | {meaning} |", may_be(&name, default)).unwrap();
    }
    table.push_str("\nA range that hangs on another key is given for that key's default.\n");
    compare("config.md", &table);
}

/// Name and doc comment of each field of `Config`, in the order of the source.
fn documented_fields(source: &str) -> Vec<(String, String)> {
    let body = source.split_once("pub struct Config {\n").unwrap().1.split_once("\n}").unwrap().0;
    let (mut fields, mut doc) = (Vec::new(), String::new());
    for line in body.lines().map(str::trim) {
        if let Some(text) = line.strip_prefix("/// ") {
            doc = if doc.is_empty() { text.to_owned() } else { format!("{doc} {text}") };
        } else if let Some((name, _)) = line.strip_prefix("pub ").and_then(|field| field.split_once(':')) {
            assert!(!doc.is_empty(), "{name} has no doc comment");
            fields.push((name.to_owned(), std::mem::take(&mut doc)));
        }
    }
    fields
}

/// What a key takes, found by giving it what it cannot take and reading the complaint.
fn may_be(name: &str, default: &Value) -> String {
    let wrong = match default {
        Value::Bool(_) => return "true, false".to_owned(),
        Value::Number(_) => Value::from(u32::MAX),
        Value::String(text) if text.parse::<u128>().is_err() && !text.contains('.') => Value::from("?"),
        _ => Value::from("-1000000"),
    };
    let config = serde_json::json!({ name: wrong });
    match serde_json::from_value::<Config>(config) {
        Err(complaint) => {
            let complaint = complaint.to_string();
            let words = ["expected ", "must be "].iter().find_map(|before| complaint.split_once(before));
            words.expect("a complaint that says what is taken").1.to_owned()
        }
        Ok(config) => {
            let faults = config.validate().unwrap_err();
            let fault = faults.iter().find(|fault| fault.name == name).expect("a range for every figure");
            fault.range.clone()
        }
    }
}
