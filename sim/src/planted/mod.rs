//! Planted bugs: what the judge is worth. Each is a small change to the core with a story of how it would come
//! about, and names the oracle that must catch it with every other oracle off.
//!
//! A bug is a file `sim/planted/NAME.patch`:
//!
//! ```text
//! bug: What it does, on one line.
//! story: How it would come about, and what it would cost. May go on
//!   on lines that are indented.
//! reference: F01                (failures.md), `predecessor: words` or `own`
//! oracle: one-order-an-intent
//! outside core: why             (only where it is not in the core but in the driver or the store)
//!
//! @@ core/src/manager/replies.rs
//!  a line that stays
//! -a line that goes
//! +a line that comes
//! ```
//!
//! What stays and goes must stand exactly once in the file, indents included; line numbers play no part.

mod board;
mod kept;
mod patch;
mod scratch;
mod trial;

pub(crate) use board::update;
pub use board::{Killed, Row};
pub use patch::{Bug, Edit};
pub use scratch::Scratch;
pub use trial::Court;

use crate::oracle::Oracle;
use anyhow::{Context, Result, bail};
use std::path::{Path, PathBuf};

/// The folder of the patches, from the repository's root.
pub const FOLDER: &str = "sim/planted";

/// The root of the repository in which `from` lies.
///
/// # Errors
/// It lies in none that has planted bugs.
pub fn root(from: &Path) -> Result<PathBuf> {
    let found = from.ancestors().find(|folder| folder.join(FOLDER).is_dir());
    found.map(Path::to_path_buf).with_context(|| format!("no {FOLDER} in {} or above it", from.display()))
}

/// Every planted bug, by name.
///
/// # Errors
/// A file that cannot be read, or that is no patch.
pub fn read_all(root: &Path) -> Result<Vec<Bug>> {
    let folder = root.join(FOLDER);
    let entries = std::fs::read_dir(&folder).with_context(|| format!("cannot read {}", folder.display()))?;
    let mut bugs = Vec::new();
    for entry in entries {
        let path = entry?.path();
        if path.extension().is_none_or(|extension| extension != "patch") {
            bail!("{} is no .patch", path.display());
        }
        let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        let text = std::fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
        bugs.push(Bug::read(&name, &text).with_context(|| path.display().to_string())?);
    }
    bugs.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(bugs)
}

/// What is wrong with the planted bugs as they stand: a patch that no longer applies, an oracle without a bug.
///
/// # Errors
/// As [`read_all`].
pub fn complaints(root: &Path) -> Result<Vec<String>> {
    let bugs = read_all(root)?;
    let mut found = Vec::new();
    for bug in &bugs {
        for error in [bug.applied(|path| read(root, path)).err(), bug.judge().err()].into_iter().flatten() {
            found.push(format!("{}: {error:#}", bug.name));
        }
    }
    for oracle in Oracle::ALL {
        if !bugs.iter().any(|bug| bug.oracle == oracle.name()) {
            found.push(format!("no planted bug for the oracle {oracle}"));
        }
    }
    Ok(found)
}

fn read(root: &Path, path: &str) -> Result<String> {
    std::fs::read_to_string(root.join(path)).with_context(|| format!("cannot read {path}"))
}
