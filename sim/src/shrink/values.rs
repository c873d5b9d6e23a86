//! Tamer values: both configurations, the link, and everything that a step says.

use super::file;
use super::hunt::Hunt;
use super::steps::without;
use super::tamer::tamer;
use crate::scenario::{Action, signal_id};
use crate::swarm::Drawn;
use order_manager_core::unit::Symbol;
use std::collections::{BTreeMap, BTreeSet};
use toml::{Table, Value};

/// Words that stay as they are: names, moments (they have passes of their own), and what would only become wider or
/// another thing.
const KEPT: &[&str] = &["name", "about", "seed", "heal", "duration", "at", "id", "same_id_as", "of", "on", "answer"];

/// A place in the file: the words and numbers on the way to it.
type Path = Vec<Place>;

#[derive(Clone, Debug)]
enum Place {
    Key(String),
    Index(usize),
}

/// Everything that need not be said is left out, the largest part first; what remains becomes tamer.
pub(super) fn tame(hunt: &mut Hunt) {
    for seed in [0, 1, 2, 3] {
        let mut candidate = hunt.best().clone();
        if candidate.scenario.seed <= seed {
            break;
        }
        candidate.scenario.seed = seed;
        if hunt.offer(candidate) {
            break;
        }
    }
    let mut table = file::table_of(hunt.best());
    let keys: Vec<String> = table.keys().filter(|key| !KEPT.contains(&key.as_str())).cloned().collect();
    for key in keys {
        visit(hunt, &mut table, &vec![Place::Key(key)]);
    }
}

fn visit(hunt: &mut Hunt, table: &mut Table, path: &Path) {
    let in_steps = matches!(path.as_slice(), [Place::Key(key), ..] if key == "steps");
    if !(in_steps && path.len() <= 3) && try_change(hunt, table, path, None) {
        return;
    }
    let children: Vec<Place> = match at(table, path) {
        Some(Value::Table(inner)) => {
            inner.keys().filter(|key| !KEPT.contains(&key.as_str())).cloned().map(Place::Key).collect()
        }
        Some(Value::Array(inner)) => (0..inner.len()).rev().map(Place::Index).collect(),
        Some(value) => {
            let _ = tamer(value).into_iter().any(|value| try_change(hunt, table, path, Some(value)));
            return;
        }
        None => return,
    };
    for child in children {
        visit(hunt, table, &path.iter().cloned().chain([child]).collect());
    }
}

/// Puts a value there, or takes away what is there, if the same oracle breaks.
fn try_change(hunt: &mut Hunt, table: &mut Table, path: &Path, value: Option<Value>) -> bool {
    let mut changed = table.clone();
    change(&mut changed, path, value);
    let taken = file::of_table(&changed, &hunt.best().scenario.about).is_some_and(|drawn| hunt.offer(drawn));
    if taken {
        *table = changed;
    }
    taken
}

fn at<'t>(table: &'t Table, path: &Path) -> Option<&'t Value> {
    let (Place::Key(first), rest) = path.split_first()? else { return None };
    rest.iter().try_fold(table.get(first)?, |value, place| match place {
        Place::Key(key) => value.get(key),
        Place::Index(index) => value.get(index),
    })
}

fn change(table: &mut Table, path: &Path, value: Option<Value>) {
    let Some((last, way)) = path.split_last() else { return };
    let mut owner = Value::Table(std::mem::take(table));
    let inner = way.iter().try_fold(&mut owner, |inner, place| match place {
        Place::Key(key) => inner.get_mut(key),
        Place::Index(index) => inner.get_mut(*index),
    });
    match (inner, last, value) {
        (Some(Value::Table(inner)), Place::Key(key), Some(value)) => {
            inner.insert(key.clone(), value);
        }
        (Some(Value::Table(inner)), Place::Key(key), None) => {
            inner.remove(key);
        }
        (Some(Value::Array(inner)), Place::Index(index), value) if *index < inner.len() => match value {
            Some(value) => inner[*index] = value,
            None => {
                inner.remove(*index);
            }
        },
        _ => {}
    }
    if let Value::Table(whole) = owner {
        *table = whole;
    }
}

/// All signals on one symbol, and the prices of no other.
pub(super) fn one_symbol(hunt: &mut Hunt) {
    let usual = hunt.best().scenario.prices.symbol;
    let symbols: BTreeSet<Symbol> = hunt.best().scenario.steps.iter().filter_map(symbol_of).collect();
    for symbol in symbols.into_iter().filter(|symbol| *symbol != usual) {
        let moved = moved(hunt.best(), symbol, usual);
        hunt.offer(moved);
    }
}

/// What happens to `from` happens to `to`.
fn moved(drawn: &Drawn, from: Symbol, to: Symbol) -> Drawn {
    let mut moved = drawn.clone();
    let mut gone = BTreeSet::new();
    for (index, step) in moved.scenario.steps.iter_mut().enumerate() {
        match &mut step.action {
            Action::Signal(signal) if signal.symbol == from => signal.symbol = to,
            Action::Touch(symbol) if *symbol == from => *symbol = to,
            Action::Price(prices) => {
                prices.remove(&from);
                if prices.is_empty() {
                    gone.insert(index);
                }
            }
            _ => {}
        }
    }
    without(&moved, &gone)
}

fn symbol_of(step: &crate::scenario::Step) -> Option<Symbol> {
    match &step.action {
        Action::Signal(signal) => Some(signal.symbol),
        _ => None,
    }
}

/// Signals are called s-1, s-2, .. in the order of the file, if it still breaks under these names: ids derive from
/// them.
pub(super) fn rename(hunt: &mut Hunt) {
    let mut renamed = hunt.best().clone();
    let mut names: BTreeMap<String, String> = BTreeMap::new();
    let mut ids = BTreeMap::new();
    for step in &mut renamed.scenario.steps {
        match &mut step.action {
            Action::Signal(signal) => {
                let alias = format!("s-{}", names.len() + 1);
                ids.entry(signal_id(&signal.alias)).or_insert(signal_id(&alias));
                signal.id = ids.get(&signal.id).copied().unwrap_or(signal.id);
                names.insert(std::mem::replace(&mut signal.alias, alias.clone()), alias);
            }
            Action::Again(alias) => {
                if let Some(name) = names.get(alias) {
                    alias.clone_from(name);
                }
            }
            _ => {}
        }
    }
    hunt.offer(renamed);
}
