//! Verdicts that a pass leaves behind, so that one that was cut short goes on where it stood.

use super::{Bug, Killed, Row};
use crate::choice::fnv1a;
use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};
use std::{fs, io};

/// A folder of verdicts, one file a bug.
#[derive(Clone, Debug)]
pub(super) struct Kept(PathBuf);

/// One verdict, and what it is about.
#[derive(Debug, Serialize, Deserialize)]
struct Verdict {
    about: u64,
    tried: u64,
    killed: Option<Killed>,
    first: Option<String>,
}

impl Kept {
    pub(super) fn in_folder(folder: &Path) -> Self {
        Self(folder.join("verdicts"))
    }

    /// The verdict of the bug, where it was about exactly this.
    pub(super) fn get(&self, bug: &Bug, about: u64) -> Option<Row> {
        let bytes = fs::read(self.path(bug)).ok()?;
        let Verdict { about: of, tried, killed, first } = serde_json::from_slice(&bytes).ok()?;
        (of == about).then(|| Row { bug: bug.clone(), tried, killed, first })
    }

    /// Keeps a verdict, in the place of the last one.
    pub(super) fn put(&self, row: &Row, about: u64) -> Result<()> {
        let Row { bug, tried, killed, first } = row;
        let verdict = Verdict { about, tried: *tried, killed: *killed, first: first.clone() };
        let path = self.path(bug);
        let write = || -> io::Result<()> {
            fs::create_dir_all(&self.0)?;
            fs::write(&path, serde_json::to_vec(&verdict)?)
        };
        write().with_context(|| format!("cannot write {}", path.display()))
    }

    fn path(&self, bug: &Bug) -> PathBuf {
        self.0.join(format!("{}.json", bug.name))
    }
}

/// What a verdict is about: the build, the bug in it, and how it was tried.
pub(super) fn about(build: u64, bug: &Bug, seeds: u64, shrinks: bool) -> u64 {
    let Bug { oracle, edits, .. } = bug;
    fnv1a(format!("{build:x} {seeds} {shrinks} {oracle} {edits:?}").as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bug(new: &str) -> Bug {
        let text = format!("bug: it\nstory: s\nreference: own\noracle: no-defect\n@@ core/src/a.rs\n-a\n+{new}\n");
        Bug::read("a", &text).unwrap()
    }

    #[test]
    fn a_verdict_is_found_again_and_holds_only_for_what_it_was_about() {
        let folder = std::env::temp_dir().join(format!("verdicts-{}", std::process::id()));
        let (kept, bug) = (Kept::in_folder(&folder), bug("b"));
        let killed = Some(Killed { seeds: 7, steps: Some(2) });
        let row = Row { bug: bug.clone(), tried: 7, killed, first: Some("ready".into()) };
        assert_eq!(kept.get(&bug, 1), None);
        kept.put(&row, 1).unwrap();
        let (same, other) = (kept.get(&bug, 1), kept.get(&bug, 2));
        fs::remove_dir_all(&folder).unwrap();
        assert_eq!((same, other), (Some(row), None));
    }

    #[test]
    fn another_build_bug_or_trial_is_another_matter() {
        let all = [
            about(1, &bug("b"), 10, true),
            about(2, &bug("b"), 10, true),
            about(1, &bug("c"), 10, true),
            about(1, &bug("b"), 11, true),
            about(1, &bug("b"), 10, false),
        ];
        assert!(all.iter().enumerate().all(|(place, one)| !all[..place].contains(one)), "{all:?}");
        assert_eq!(all[0], about(1, &bug("b"), 10, true));
    }
}
