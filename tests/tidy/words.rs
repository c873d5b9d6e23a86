//! Words that must not stand where they would break a law.

use super::lex;
use super::sources::{self, Source};

/// Nothing in the core rounds in binary, has an order of its own, knows the time, or panics.
const NOT_IN_CORE: &[&str] = &[
    "f32",
    "f64",
    "HashMap",
    "HashSet",
    "Instant::now",
    "SystemTime",
    ".unwrap()",
    ".expect(",
    "panic!(",
    "todo!(",
    "unimplemented!(",
    "unreachable!(",
    "Decimal::from_str(",
    "parse::<Decimal>",
];
/// But serde's trait names them, so that the journal's writer can refuse them.
const REFUSED: [&str; 2] = ["fn serialize_f32(self, _: f32)", "fn serialize_f64(self, _: f64)"];
/// Nothing is left open, and no test is switched off.
const NOWHERE: &[&str] = &["todo!(", "unimplemented!(", "#[ignore"];
/// A test that waits is slow where it passes and wrong where it fails.
const NOT_IN_TESTS: &[&str] = &["sleep("];
/// But where a test drives a real process in real time: there, and only there, is the one function that waits.
const WAITS: &str = "tests/support/mod.rs";

#[test]
fn the_core_is_pure() {
    let core = sources::core_without_tests(&sources::read_all());
    assert!(core.iter().any(|source| source.path == "core/src/lib.rs" && source.text.contains("#![no_std]")));
    let without_refused = |source: &Source| Source {
        path: source.path.clone(),
        text: REFUSED.iter().fold(source.text.clone(), |text, refused| text.replace(refused, "")),
    };
    super::none(core.iter().map(without_refused).flat_map(|source| found(NOT_IN_CORE, &source)).collect());
}

#[test]
fn nothing_is_left_open() {
    super::none(sources::read_all().iter().filter(|source| source.path.ends_with(".rs")).flat_map(open_ends).collect());
}

fn open_ends(source: &Source) -> Vec<String> {
    let lexed = lex::lex(&source.text);
    let is_test = source.path.contains("tests/") || source.path.ends_with("tests.rs");
    let tests = if is_test { lexed.code.clone() } else { lex::part(&lexed.code).tests };
    let with = |text: String| Source { path: source.path.clone(), text };
    let notes = [concat!("FIX", "ME"), concat!("TO", "DO"), concat!("XX", "X")];
    let mut complaints = found(NOWHERE, &with(lexed.code));
    if source.path != WAITS {
        complaints.extend(found(NOT_IN_TESTS, &with(tests)));
    }
    complaints.extend(found(&notes, &with(lexed.comments)));
    complaints
}

/// Where any of the words stands by itself, not as a part of a longer one.
fn found(words: &[&str], source: &Source) -> Vec<String> {
    let is_word = |char: Option<char>| char.is_some_and(|char| char.is_alphanumeric() || char == '_');
    let stands_in = |line: &str, word: &str| {
        line.match_indices(word).any(|(at, _)| {
            let (before, after) = (line[..at].chars().next_back(), line[at + word.len()..].chars().next());
            let begins = !is_word(before) || !is_word(word.chars().next());
            begins && (!is_word(after) || !is_word(word.chars().next_back()))
        })
    };
    let mut complaints = Vec::new();
    for (number, line) in (1..).zip(source.text.lines()) {
        for word in words.iter().filter(|word| stands_in(line, word)) {
            complaints.push(format!("{}:{number}: {word} must not stand here", source.path));
        }
    }
    complaints
}

#[test]
fn planted_words_are_found() {
    let source = |path: &str, text: &str| Source { path: path.to_owned(), text: text.to_owned() };
    let planted = "use x::HashMap;\n// f64 in a note\nlet a = \"panic!(\";\nb.unwrap();\n#[cfg(test)]\nmod tests { fn c() { d.unwrap() } }";
    let core = sources::core_without_tests(&[source("core/src/a.rs", planted)]);
    let complaints: Vec<String> = core.iter().flat_map(|source| found(NOT_IN_CORE, source)).collect();
    let expected = ["core/src/a.rs:1: HashMap must not stand here", "core/src/a.rs:4: .unwrap() must not stand here"];
    assert_eq!(complaints, expected);

    let fixture = [source("core/src/lib.rs", "#[cfg(test)]\nmod a;"), source("core/src/a.rs", planted)];
    assert_eq!(sources::core_without_tests(&fixture).len(), 1, "a file of tests is exempt");

    let open =
        concat!("fn a() { sleep(1) }\n#[cfg(test)]\nmod tests {\n  #[ignore]\n  fn b() { sleep(1) } // FIX", "ME\n}");
    let complaints = open_ends(&source("sim/src/a.rs", open));
    let lines: Vec<&str> = complaints.iter().filter_map(|complaint| complaint.split(':').nth(1)).collect();
    assert_eq!(lines, ["4", "5", "5"], "{complaints:?}");
}
