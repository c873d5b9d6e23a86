//! The scoreboard: a table in the sim's README.

use super::Bug;
use crate::oracle::Oracle;
use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::{Read, Seek, Write};
use std::path::Path;

/// How a bug was caught.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Killed {
    /// Seeds that it took, by its oracle alone.
    pub seeds: u64,
    /// Steps of the smallest scenario that its oracle alone still fails.
    pub steps: Option<usize>,
}

/// One bug's trial.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// The bug.
    pub bug: Bug,
    /// Seeds that were run.
    pub tried: u64,
    /// How its oracle caught it, alone; none where it survived.
    pub killed: Option<Killed>,
    /// The oracle that fires first where all of them watch.
    pub first: Option<String>,
}

const BEGIN: &str = "<!-- planted bugs: written by `order-sim planted` -->";
const END: &str = "<!-- end of planted bugs -->";
const HEAD: &str = "| bug | what it does | oracle | seeds to kill | minimised steps | first of all | reference |\n\
    |---|---|---|--:|--:|---|---|\n";
/// What a table is put under where the README has none.
const INTRO: &str = "\n## Planted bugs\n\n";

impl Row {
    /// Its line of the table.
    #[must_use]
    pub fn line(&self) -> String {
        let Self { bug, tried, killed, first } = self;
        let seeds = killed.map_or_else(|| format!("**survives {tried}**"), |killed| killed.seeds.to_string());
        let steps = killed.and_then(|killed| killed.steps).map_or_else(|| "-".into(), |steps| steps.to_string());
        let first = match first {
            Some(first) if *first == bug.oracle => "the same",
            Some(first) => first,
            None => "-",
        };
        let (name, what, oracle, reference) = (&bug.name, &bug.what, &bug.oracle, &bug.reference);
        format!("| {name} | {what} | {oracle} | {seeds} | {steps} | {first} | {reference} |\n")
    }
}

/// Puts these rows into the README's table, in the place of the same bugs' old ones; rows of bugs that are no longer
/// among `names` go. `build` stands under it. Another process that does the same waits.
///
/// # Errors
/// The file cannot be read or written.
pub(crate) fn update(readme: &Path, rows: &[Row], names: &[String], build: &str) -> Result<()> {
    put(readme, rows, names, build).with_context(|| format!("cannot update {}", readme.display()))
}

fn put(readme: &Path, rows: &[Row], names: &[String], build: &str) -> Result<()> {
    let mut file = File::options().read(true).write(true).create(true).truncate(false).open(readme)?;
    file.lock()?;
    let mut text = String::new();
    file.read_to_string(&mut text)?;
    let text = if text.is_empty() { "# The simulator\n" } else { &text };
    let text = updated(text, rows, names, build);
    file.set_len(0)?;
    file.rewind()?;
    Ok(file.write_all(text.as_bytes())?)
}

fn updated(text: &str, rows: &[Row], names: &[String], build: &str) -> String {
    let (before, old, after) = match text.split_once(BEGIN).and_then(|(before, rest)| {
        let (old, after) = rest.split_once(END)?;
        Some((before.to_string(), old, after))
    }) {
        Some(parts) => parts,
        None => (format!("{}\n{INTRO}", text.trim_end()), "", "\n"),
    };
    let name = |line: &str| line.strip_prefix("| ")?.split_once(" |").map(|(name, _)| name.to_string());
    let old = old.lines().filter_map(|line| Some((name(line)?, format!("{line}\n"))));
    let mut lines: BTreeMap<String, String> = old.filter(|(name, _)| names.contains(name)).collect();
    lines.extend(rows.iter().map(|row| (row.bug.name.clone(), row.line())));
    let lines: String = lines.into_values().collect();
    let figures = figures(&lines, names.len());
    format!("{before}{BEGIN}\n{HEAD}{lines}\n{figures}{build}\n{END}{after}")
}

/// What stands under the table, of all that it says.
fn figures(lines: &str, bugs: usize) -> String {
    let (mut tried, mut seeds, mut steps, mut proven) = (0_usize, Vec::new(), Vec::new(), BTreeSet::new());
    for line in lines.lines() {
        let cells: Vec<&str> = line.trim_matches('|').split(" | ").map(str::trim).collect();
        let [_, _, oracle, taken, left, ..] = cells[..] else { continue };
        tried += 1;
        if let Ok(taken) = taken.parse::<u64>() {
            seeds.push(taken);
            proven.insert(oracle);
        }
        steps.extend(left.parse::<u64>());
    }
    let open: Vec<&str> =
        Oracle::ALL.iter().map(|oracle| oracle.name()).filter(|name| !proven.contains(name)).collect();
    let open = if open.is_empty() { String::new() } else { format!("; not yet: {}", open.join(", ")) };
    format!(
        "{bugs} bugs, {tried} tried, {} killed by their own oracle alone. Seeds to kill: median {}. Steps of the {} that \
         are minimised: median {}, most {}.\nOracles that killed a bug of their own: {} of {}{open}.\n",
        seeds.len(),
        told(median(&mut seeds)),
        steps.len(),
        told(median(&mut steps)),
        told(steps.last().copied()),
        proven.len(),
        Oracle::ALL.len()
    )
}

/// The upper one of two in the middle; leaves them sorted.
fn median(figures: &mut [u64]) -> Option<u64> {
    figures.sort_unstable();
    figures.get(figures.len() / 2).copied()
}

fn told(figure: Option<u64>) -> String {
    figure.map_or_else(|| "-".into(), |figure| figure.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    const BUILD: &str = "Rows of one build, 0: 1 of 3.";

    fn row(name: &str, seeds: Option<u64>) -> Row {
        let text = "bug: it\nstory: s\nreference: own\noracle: no-defect\n@@ core/src/a.rs\n-a\n+b\n";
        let bug = Bug::read(name, text).unwrap();
        let killed = seeds.map(|seeds| Killed { seeds, steps: Some(3) });
        Row { bug, tried: 100, killed, first: Some("ready".into()) }
    }

    #[test]
    fn rows_take_the_place_of_old_ones_and_the_rest_stays() {
        let names: Vec<String> = ["a", "b", "c"].map(String::from).into();
        let first =
            updated("# Sim\n\nwords\n", &[row("c", Some(7)), row("a", None), row("gone", Some(1))], &names, BUILD);
        assert!(first.starts_with("# Sim\n\nwords\n") && first.ends_with(&format!("{END}\n")));
        let text = first.replace(END, &format!("{END}\nmore"));
        let second = updated(&text, &[row("a", Some(2))], &names, BUILD);
        let lines: Vec<&str> =
            second.lines().filter(|line| line.starts_with("| ") && !line.contains("bug |")).collect();
        assert_eq!(lines.len(), 2, "{second}");
        assert_eq!(lines[0], "| a | it | no-defect | 2 | 3 | ready | own |");
        assert_eq!(lines[1], "| c | it | no-defect | 7 | 3 | ready | own |");
        assert_eq!(second.matches(BUILD).count(), 1, "{second}");
        assert!(second.contains("words") && second.contains("more"));
        assert!(first.contains("**survives 100**"));
    }
    #[test]
    fn figures_stand_under_the_table_and_are_reckoned_anew() {
        let names: Vec<String> = ["a", "b", "c", "d"].map(String::from).into();
        let first = updated("# Sim\n", &[row("a", Some(7)), row("b", Some(2)), row("c", None)], &names, BUILD);
        let words = |seeds| format!("4 bugs, 3 tried, {seeds} killed by their own oracle alone.");
        assert!(first.contains(&words(2)) && first.contains("Seeds to kill: median 7."), "{first}");
        assert!(first.contains("Steps of the 2 that are minimised: median 3, most 3."), "{first}");
        let of = Oracle::ALL.len();
        assert!(first.contains(&format!("of their own: 1 of {of}; not yet: one-order-an-intent, ")), "{first}");
        let second = updated(&first, &[row("c", Some(1))], &names, BUILD);
        assert!(second.contains(&words(3)) && !second.contains(&words(2)) && second.contains("median 2."), "{second}");
    }

    #[test]
    fn a_file_is_written_whole_and_a_shorter_one_leaves_nothing_behind() {
        let path = std::env::temp_dir().join(format!("board-{}.md", std::process::id()));
        let names: Vec<String> = ["a", "b"].map(String::from).into();
        update(&path, &[row("a", Some(7)), row("b", Some(2))], &names, BUILD).unwrap();
        update(&path, &[], &names[..1], BUILD).unwrap();
        let text = std::fs::read_to_string(&path).unwrap();
        std::fs::remove_file(&path).unwrap();
        assert_eq!(text, updated("# The simulator\n", &[row("a", Some(7))], &names[..1], BUILD));
    }
}
