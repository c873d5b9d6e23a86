//! A drawn world as a scenario file, and back.

use super::Minimised;
use crate::exchange::ExchangeConfig;
use crate::oracle::{Broken, Oracle, Set};
use crate::scenario::{self, Link, Scenario, ScenarioError};
use crate::swarm::{Drawn, run};
use crate::world::run_script_under;
use serde::Serialize;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use toml::{Table, Value};

/// The scenario that a file would hold: of both configurations only what differs from what is usual.
#[must_use]
pub fn scenario_of(drawn: &Drawn) -> Scenario {
    let mut scenario = drawn.scenario.clone();
    scenario.config = differing(&drawn.config);
    scenario.exchange = differing(&drawn.exchange);
    scenario.link = (drawn.link != Link::Typed).then_some(drawn.link);
    scenario
}

/// The world of a scenario.
///
/// # Errors
/// A `[config]` or `[exchange]` that cannot be read.
pub fn drawn_of(scenario: &Scenario) -> Result<Drawn, ScenarioError> {
    let config = scenario.rules()?;
    let exchange: ExchangeConfig = scenario.exchange_as()?;
    let link = scenario.link.unwrap_or(Link::Typed);
    Ok(Drawn { scenario: scenario.clone(), config, exchange, link, families: Vec::new() })
}

/// Writes the file into a folder, which is made where it is missing.
///
/// # Errors
/// The folder or the file cannot be written.
pub fn write_to(folder: &Path, minimised: &Minimised) -> io::Result<PathBuf> {
    fs::create_dir_all(folder)?;
    let path = folder.join(format!("{}.toml", minimised.drawn.scenario.name));
    fs::write(&path, &minimised.text)?;
    Ok(path)
}

/// The file without its comment.
pub(super) fn plain_text(drawn: &Drawn) -> String {
    let mut scenario = scenario_of(drawn);
    scenario.about.clear();
    scenario::write(&scenario)
}

/// The file as a table.
pub(super) fn table_of(drawn: &Drawn) -> Table {
    plain_text(drawn).parse().unwrap_or_default()
}

/// The world that such a table says, where it says one. The comment is kept.
pub(super) fn of_table(table: &Table, about: &str) -> Option<Drawn> {
    let name = table.get("name")?.as_str()?;
    let mut scenario = scenario::parse(name, name, &toml::to_string(table).ok()?).ok()?;
    about.clone_into(&mut scenario.about);
    drawn_of(&scenario).ok() // rules that the manager would not start with show nothing
}

/// The file with a comment that says what it shows.
pub(super) fn text_of(drawn: &Drawn, broken: &Broken) -> String {
    let mut scenario = scenario_of(drawn);
    let Broken { oracle, what, .. } = broken;
    let others = run(drawn, Set::all(), false).1.broken;
    let alone = if others.is_some_and(|other| other.oracle == *oracle) { "" } else { " --only " };
    let only = if alone.is_empty() { "" } else { oracle.name() };
    let file = &scenario.name;
    let mut about = format!("{oracle} does not hold: {}.\nFound: {what}\n", oracle.why());
    if !scenario.about.is_empty() {
        about.push_str(&format!("From {}, shrunk.\n", scenario.about));
    }
    about.push_str(&format!("order-sim run {file}.toml{alone}{only}"));
    scenario.about = about.lines().map(plain).collect::<Vec<_>>().join("\n");
    scenario::write(&scenario)
}

/// A line that a comment can hold as it is.
fn plain(line: &str) -> String {
    let shown: String = line.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    shown.trim_end().to_string()
}

/// Is the file, read back and run, the same failure? What is wrong where it is not.
pub(super) fn doubt(name: &str, text: &str, oracle: Oracle) -> Option<String> {
    let path = format!("{name}.toml");
    let read = scenario::parse(&path, name, text);
    let acted = read.and_then(|scenario| run_script_under(&scenario, None, None, Set::only(oracle)));
    match acted {
        Err(error) => Some(format!("the file that was written cannot be read: {error}")),
        Ok((world, _)) if world.broken().is_none() => Some(format!("{path}, as written, does not break {oracle}")),
        Ok(_) => None,
    }
}

/// The fields of a configuration that differ from its default.
fn differing<T: Serialize + Default>(value: &T) -> Table {
    let table = |value: &T| Table::try_from(value).unwrap_or_default();
    let mut own = table(value);
    subtract(&mut own, &table(&T::default()));
    own
}

fn subtract(own: &mut Table, usual: &Table) {
    own.retain(|key, value| match (value, usual.get(key)) {
        (Value::Table(own), Some(Value::Table(usual))) => {
            subtract(own, usual);
            !own.is_empty()
        }
        (value, Some(usual)) => value != usual,
        (_, None) => true,
    });
}
