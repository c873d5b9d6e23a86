//! One planted bug on trial: its oracle alone, then all of them, then its smallest story.

use super::kept::{self, Kept};
use super::{Bug, Killed, Row, Scratch};
use crate::oracle::Oracle;
use anyhow::{Context, Result, ensure};
use serde::Deserialize;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// What the last line of `order-sim swarm --json` says that counts here.
#[derive(Debug, Deserialize)]
struct Campaign {
    first_failure: Option<Failure>,
}

/// A seed that fell.
#[derive(Debug, Deserialize)]
struct Failure {
    seed: u64,
    oracle: String,
}

/// Seeds of one bug that are shrunk at most.
const SHRUNK_MAX: usize = 5;

/// Where bugs are tried.
#[derive(Clone, Debug)]
pub struct Court {
    scratch: Scratch,
    kept: Kept,
    /// `order-sim` without a bug: a seed that it fails too convicts nobody.
    sound: PathBuf,
    jobs: usize,
}

impl Court {
    /// Copies the repository at `root` into `folder` and builds it as it is, unless that was done before.
    ///
    /// # Errors
    /// A file that cannot be read or written, or a build that fails.
    pub fn open(root: &Path, folder: &Path, jobs: usize) -> Result<Self> {
        let scratch = Scratch::new(root, folder)?;
        let sound = folder.join(format!("order-sim-sound{}", std::env::consts::EXE_SUFFIX));
        let (mark, build) = (folder.join("order-sim-sound.build"), format!("{:016x}", scratch.build_id()));
        if !std::fs::read_to_string(&mark).is_ok_and(|of| of == build) {
            let built = scratch.build(jobs)?;
            std::fs::write(&mark, "").with_context(|| format!("cannot write {}", mark.display()))?;
            std::fs::copy(&built, &sound).with_context(|| format!("cannot write {}", sound.display()))?;
            std::fs::write(&mark, build).with_context(|| format!("cannot write {}", mark.display()))?;
        }
        Ok(Self { scratch, kept: Kept::in_folder(folder), sound, jobs })
    }

    /// Plants the bug and builds `order-sim` with it.
    ///
    /// # Errors
    /// It does not apply or build.
    pub fn build(&self, bug: &Bug) -> Result<PathBuf> {
        self.scratch.plant(&bug.applied(|path| self.scratch.text(path))?)?;
        self.scratch.build(self.jobs)
    }

    /// Tells the build that everything is tried on from others.
    #[must_use]
    pub const fn build_id(&self) -> u64 {
        self.scratch.build_id()
    }

    /// What came of it where the same bug was tried so on the same build before: it would be the same again.
    #[must_use]
    pub fn verdict(&self, bug: &Bug, seeds: u64, shrinks: bool) -> Option<Row> {
        self.kept.get(bug, kept::about(self.build_id(), bug, seeds, shrinks))
    }

    /// Plants the bug, builds, and lets the swarm judge it over seeds 0 to `seeds`; shrinks what falls where that is
    /// wanted. The verdict is kept.
    ///
    /// # Errors
    /// It does not apply or build, or the swarm says nothing that can be read, or the verdict cannot be written.
    pub fn try_out(&self, bug: &Bug, seeds: u64, shrinks: bool) -> Result<Row> {
        let row = self.tried(bug, seeds, shrinks)?;
        self.kept.put(&row, kept::about(self.build_id(), bug, seeds, shrinks))?;
        Ok(row)
    }

    fn tried(&self, bug: &Bug, seeds: u64, shrinks: bool) -> Result<Row> {
        let judge = bug.judge()?;
        let program = self.build(bug)?;
        let Some(failure) = self.hunt(&program, Some(judge), 0, seeds)? else {
            let first = self.hunt(&program, None, 0, seeds)?.map(|failure| failure.oracle);
            return Ok(Row { bug: bug.clone(), tried: seeds, killed: None, first });
        };
        let tried = failure.seed.saturating_add(1);
        let first = self.hunt(&program, None, 0, tried)?.map(|failure| failure.oracle);
        let steps = if shrinks { self.minimised(&program, bug, judge, failure.seed, seeds)? } else { None };
        Ok(Row { bug: bug.clone(), tried, killed: Some(Killed { seeds: tried, steps }), first })
    }

    /// The first seed from `from` on that falls with the bug and not without it.
    fn hunt(&self, program: &Path, only: Option<Oracle>, mut from: u64, seeds: u64) -> Result<Option<Failure>> {
        while from < seeds {
            let Some(failure) = self.swarm(program, only, from, seeds)?.first_failure else { return Ok(None) };
            let next = failure.seed.saturating_add(1);
            if let Some(only) = only {
                ensure!(failure.oracle == only.name(), "only {only} was to judge, and {} did", failure.oracle);
            }
            let without = self.swarm(&self.sound, only, failure.seed, next)?.first_failure;
            if without.is_none_or(|without| without.oracle != failure.oracle) {
                return Ok(Some(failure));
            }
            from = next;
        }
        Ok(None)
    }

    fn swarm(&self, program: &Path, only: Option<Oracle>, from: u64, to: u64) -> Result<Campaign> {
        let seeds = format!("{from}..{to}");
        let jobs = self.jobs.to_string();
        let mut arguments =
            vec!["swarm", "--json", "--until-failure", "--no-shrink", "--seeds", &seeds, "--jobs", &jobs];
        if let Some(oracle) = only {
            arguments.extend(["--only", oracle.name()]);
        }
        let output = start(program, &arguments)?;
        let text = String::from_utf8_lossy(&output.stdout);
        let last = text.lines().last().unwrap_or_default();
        serde_json::from_str(last).with_context(|| said(&arguments, &output))
    }

    /// Steps of a small scenario that this oracle alone fails, and that the build without the bug passes. On its way to
    /// the smallest a scenario may come to fail for another reason, which that build has too; then the next seed that
    /// falls is shrunk.
    fn minimised(&self, program: &Path, bug: &Bug, judge: Oracle, mut seed: u64, seeds: u64) -> Result<Option<usize>> {
        for _ in 0..SHRUNK_MAX {
            let steps = self.shrink(program, bug, judge, seed)?;
            if steps.is_some() {
                return Ok(steps);
            }
            let next = self.hunt(program, Some(judge), seed.saturating_add(1), seeds)?;
            let Some(next) = next else { break };
            seed = next.seed;
        }
        Ok(None)
    }

    /// Steps of what this seed's scenario was shrunk to, which says so when it is run as a file; none where it fails
    /// without the bug too. It stays in `minimised/NAME`.
    fn shrink(&self, program: &Path, bug: &Bug, judge: Oracle, seed: u64) -> Result<Option<usize>> {
        let (seed, folder) = (seed.to_string(), self.scratch.folder().join("minimised").join(&bug.name));
        if folder.exists() {
            std::fs::remove_dir_all(&folder)?;
        }
        let out = folder.to_string_lossy();
        let arguments = ["shrink", "--seed", &seed, "--only", judge.name(), "--out", &out];
        let output = start(program, &arguments)?;
        let Some(file) = std::fs::read_dir(&folder).ok().and_then(|mut files| files.next()) else {
            return Err(anyhow::anyhow!(said(&arguments, &output)));
        };
        let path = file?.path();
        let arguments = ["run", &path.to_string_lossy(), "--only", judge.name()];
        let fails = |output: &Output| {
            output.status.code() == Some(3) && String::from_utf8_lossy(&output.stdout).contains(judge.name())
        };
        let output = start(program, &arguments)?;
        ensure!(fails(&output), "the minimised scenario does not fail {judge}: {}", said(&arguments, &output));
        if fails(&start(&self.sound, &arguments)?) {
            return Ok(None);
        }
        let scenario: toml::Table = std::fs::read_to_string(&path)?.parse()?;
        // A file without steps is a world in which nothing happens, and that breaks all the same.
        Ok(Some(scenario.get("steps").and_then(toml::Value::as_array).map_or(0, Vec::len)))
    }
}

fn start(program: &Path, arguments: &[&str]) -> Result<Output> {
    Command::new(program).args(arguments).output().with_context(|| format!("cannot start {}", program.display()))
}

fn said(arguments: &[&str], output: &Output) -> String {
    let words = |bytes: &[u8]| String::from_utf8_lossy(bytes).lines().rev().take(5).collect::<Vec<_>>().join("\n");
    format!("{arguments:?} ended {} with {} {}", output.status, words(&output.stdout), words(&output.stderr))
}
