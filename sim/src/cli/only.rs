//! `--only ORACLE`.

use crate::oracle::Oracle;
use crate::scenario::nearest;

/// The oracle of this name, or what there is instead.
pub(super) fn oracle(name: &str) -> Result<Oracle, String> {
    Oracle::named(name).ok_or_else(|| {
        let names: Vec<&str> = Oracle::ALL.iter().map(|oracle| oracle.name()).collect();
        match nearest(name, &names) {
            Some(near) => format!("no such oracle; did you mean `{near}`?"),
            None => format!("no such oracle; there are {}", names.join(", ")),
        }
    })
}

/// The same again, for a command that repeats a failure.
pub(super) fn again(only: Option<Oracle>) -> String {
    only.map(|only| format!(" --only {only}")).unwrap_or_default()
}
