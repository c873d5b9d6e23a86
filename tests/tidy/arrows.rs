//! Imports inside the core run one way.

use super::lex;
use super::sources::{self, Source};
use std::collections::{BTreeMap, BTreeSet};

/// What each room of the core may import; nothing below itself. Tests may import what they like.
const ARROWS: &[(&str, &[&str])] = &[
    // what things are counted in and named with
    ("unit", &[]),
    ("refusal", &["unit"]),
    ("outcome", &["refusal"]),
    ("config", &["unit"]),
    ("bybit", &["unit"]),
    ("order", &["bybit", "unit"]),
    // what comes in; the fast link hands over what intake reads
    ("intake", &["config", "refusal", "unit"]),
    ("input", &["bybit", "config", "intake", "order", "outcome", "unit"]),
    ("neighbours", &["bybit", "input", "unit"]),
    // the corridor of a signal
    ("market", &["bybit", "refusal", "unit"]),
    ("account", &["unit"]),
    ("plan", &["bybit", "config", "intake", "market", "refusal", "unit"]),
    ("risk", &["account", "config", "market", "plan", "refusal", "unit"]),
    ("position", &["bybit", "order", "unit"]),
    // asking, pacing, waiting
    ("reconcile", &["bybit", "unit"]),
    ("retry", &["unit"]),
    ("timer", &["input", "unit"]),
    ("pace", &["bybit", "input", "unit"]),
    // what goes out and what is true
    ("command", &["bybit", "input", "intake", "outcome", "unit"]),
    ("event", &["bybit", "input", "intake", "market", "order", "outcome", "plan", "position", "risk", "unit"]),
    ("journal", &["bybit", "command", "event", "input", "unit"]),
    ("report", &["bybit", "event", "intake", "order", "outcome", "refusal", "unit"]),
    ("rows", &["bybit", "event", "intake", "market", "order", "outcome", "position", "refusal", "report", "unit"]),
    // wires the rooms, and is seen by none of them
    (
        "manager",
        &[
            "account",
            "bybit",
            "command",
            "config",
            "event",
            "input",
            "intake",
            "journal",
            "market",
            "neighbours",
            "order",
            "outcome",
            "pace",
            "plan",
            "position",
            "reconcile",
            "refusal",
            "retry",
            "risk",
            "timer",
            "unit",
        ],
    ),
];

/// An import: from one room, of another, and where it stands.
#[derive(Debug, PartialEq)]
struct Import {
    from: String,
    of: String,
    place: String,
}

#[test]
fn imports_run_one_way() {
    let sources = sources::core_without_tests(&sources::read_all());
    let imports: Vec<Import> = sources.iter().flat_map(imports).collect();
    assert!(imports.len() > 50, "the imports were found");
    super::none(complaints(ARROWS, &imports));
}

/// Rows name only rows above themselves: so there is no circle.
#[test]
fn the_arrows_form_no_circle() {
    let mut above = BTreeSet::new();
    for (room, allowed) in ARROWS {
        assert!(allowed.iter().all(|other| above.contains(other)), "{room} imports what stands below it");
        above.insert(room);
    }
}

fn complaints(arrows: &[(&str, &[&str])], imports: &[Import]) -> Vec<String> {
    let mut unused: BTreeMap<&str, BTreeSet<&str>> =
        arrows.iter().map(|(room, allowed)| (*room, allowed.iter().copied().collect())).collect();
    let mut complaints = Vec::new();
    for Import { from, of, place } in imports.iter().filter(|import| import.from != import.of) {
        let allowed = arrows.iter().find(|(room, _)| room == from).map(|(_, allowed)| *allowed);
        match allowed {
            None => complaints.push(format!("{place}: the room {from} is not in the table of tests/tidy/arrows.rs")),
            Some(allowed) if !allowed.contains(&of.as_str()) => {
                complaints.push(format!("{place}: {from} must not import {of}"));
            }
            Some(_) => _ = unused.get_mut(from.as_str()).map(|unused| unused.remove(of.as_str())),
        }
    }
    let unused = unused.iter().flat_map(|(from, unused)| unused.iter().map(move |of| (from, of)));
    complaints.extend(unused.map(|(from, of)| format!("{from} imports no {of} any more: take it out of the table")));
    complaints
}

/// Every path of a core file that begins at the crate's root, and the room that it names.
fn imports(source: &Source) -> Vec<Import> {
    let module = module_path(&source.path);
    let Some(room) = module.first() else { return Vec::new() }; // lib.rs names them all
    let tokens = lex::tokens(&source.text);
    let word = |at: usize| tokens.get(at).map_or("", |(_, word)| *word);
    let mut imports = Vec::new();
    for (at, (line, first)) in tokens.iter().enumerate() {
        let (mut next, mut depth) = (at, module.len());
        if *first == "crate" && word(at + 1) == "::" {
            (next, depth) = (at + 2, 0);
        } else if at == 0 || word(at - 1) != "::" {
            while word(next) == "super" && word(next + 1) == "::" {
                (next, depth) = (next + 2, depth.saturating_sub(1));
            }
        }
        if depth == 0 {
            let place = format!("{}:{line}", source.path);
            let named = named_at(&tokens[next..]);
            imports.extend(named.into_iter().map(|of| Import { from: room.clone(), of, place: place.clone() }));
        }
    }
    imports
}

/// The first names of a path's rest: one, or one for each branch of a `{..}`.
fn named_at(rest: &[(usize, &str)]) -> Vec<String> {
    let Some((_, "{")) = rest.first() else {
        return rest.first().map(|(_, word)| (*word).to_owned()).into_iter().collect();
    };
    let (mut depth, mut begins, mut names) = (0_u32, false, Vec::new());
    for (_, word) in rest {
        match *word {
            "{" => depth += 1,
            "}" => depth -= 1,
            "," => {}
            name if begins => names.push(name.to_owned()),
            _ => {}
        }
        begins = depth == 1 && matches!(*word, "{" | ",");
        if depth == 0 {
            break;
        }
    }
    names
}

/// `core/src/plan/price.rs` is `plan::price`, `core/src/plan/mod.rs` is `plan`.
fn module_path(path: &str) -> Vec<String> {
    let inner = path.strip_prefix("core/src/").and_then(|path| path.strip_suffix(".rs")).unwrap_or_default();
    inner.split('/').filter(|part| !matches!(*part, "mod" | "lib" | "")).map(str::to_owned).collect()
}

#[test]
fn a_planted_bad_import_is_found() {
    let text = "use crate::unit::Price;\nuse crate::{\n    market::{Quote, self},\n    manager,\n};\nfn f() { super::super::risk::x() }";
    let source = Source { path: "core/src/plan/price.rs".to_owned(), text: text.to_owned() };
    let found: Vec<_> = imports(&source).into_iter().map(|import| (import.of, import.place)).collect();
    let at = |line: u32| format!("core/src/plan/price.rs:{line}");
    let expected = [("unit", 1), ("market", 2), ("manager", 2), ("risk", 6)];
    assert_eq!(found, expected.map(|(of, line)| (of.to_owned(), at(line))));

    let arrows: &[(&str, &[&str])] = &[("plan", &["unit", "market", "config"])];
    assert_eq!(
        complaints(arrows, &imports(&source)),
        [
            "core/src/plan/price.rs:2: plan must not import manager",
            "core/src/plan/price.rs:6: plan must not import risk",
            "plan imports no config any more: take it out of the table",
        ]
    );
}

#[test]
fn what_begins_inside_the_room_is_no_import() {
    let text = "use super::Scene;\npub(crate) fn f() { self::g() }\nuse core::fmt;";
    let source = Source { path: "core/src/plan/price.rs".to_owned(), text: text.to_owned() };
    assert_eq!(imports(&source), []);
}
