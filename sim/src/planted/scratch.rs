//! A copy of core and sim in which bugs are planted and built, one after the other in one target folder.

use crate::choice::{fnv1a, mix};
use anyhow::{Context, Result, bail, ensure};
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use toml::{Table, Value};

/// Fast enough to run ten thousand seeds, and built in seconds.
const PROFILE: &str = "planted";
/// The repository's lock file as it is, beside the one that cargo makes of it.
const LOCK: &str = "Cargo.lock.whole";
/// What of the workspace the copy has.
const MEMBERS: [&str; 2] = ["core", "sim"];

/// The copy.
#[derive(Clone, Debug)]
pub struct Scratch {
    folder: PathBuf,
    /// What the repository held when it was read, by path from the root: a pass lasts long, and all of it is to be of
    /// one build though somebody goes on working there.
    files: BTreeMap<String, Vec<u8>>,
    build_id: u64,
}

impl Scratch {
    /// A copy of the repository at `root` in `folder`, as it stands now. What is there already and the same is left
    /// alone, so that only what changed is built again.
    ///
    /// # Errors
    /// A file that cannot be read or written.
    pub fn new(root: &Path, folder: &Path) -> Result<Self> {
        let mut files = BTreeMap::new();
        for member in MEMBERS {
            collect(root, &root.join(member), &mut files)?;
        }
        files.insert("Cargo.toml".into(), workspace(root)?.into_bytes());
        files.insert(LOCK.into(), read(&root.join("Cargo.lock"))?);
        let scratch = Self { folder: folder.to_path_buf(), build_id: build_id(&files), files };
        scratch.lock()?;
        scratch.plant(&BTreeMap::new())?;
        Ok(scratch)
    }

    /// The copy with these files, by their path from the root, instead of the repository's.
    ///
    /// # Errors
    /// A file that cannot be read or written.
    pub fn plant(&self, instead: &BTreeMap<String, String>) -> Result<()> {
        for (path, bytes) in &self.files {
            write(&self.folder.join(path), instead.get(path).map_or(bytes, |text| text.as_bytes()))?;
        }
        for member in MEMBERS {
            self.remove_others(Path::new(member))?;
        }
        Ok(())
    }

    /// What a file held when the repository was read.
    ///
    /// # Errors
    /// There was none, or it is no text.
    pub fn text(&self, path: &str) -> Result<String> {
        let bytes = self.files.get(path).with_context(|| format!("there is no {path}"))?;
        String::from_utf8(bytes.clone()).with_context(|| format!("{path} is no text"))
    }

    /// Tells this build from others: what stands in the sources, in the manifests and in the lock file.
    #[must_use]
    pub const fn build_id(&self) -> u64 {
        self.build_id
    }

    /// Cargo takes out of the lock file what the copy does not need: it is put there again only where the repository's
    /// is another one.
    fn lock(&self) -> Result<()> {
        let (own, whole) = (self.folder.join("Cargo.lock"), &self.files[LOCK]);
        if own.exists() && fs::read(self.folder.join(LOCK)).is_ok_and(|last| last == *whole) {
            return Ok(());
        }
        write(&own, whole)
    }

    /// Removes from a folder of the copy what the repository does not have.
    fn remove_others(&self, inside: &Path) -> Result<()> {
        let folder = self.folder.join(inside);
        for entry in fs::read_dir(&folder).with_context(|| format!("cannot read {}", folder.display()))? {
            let entry = entry?;
            let path = inside.join(entry.file_name());
            if entry.file_type()?.is_dir() {
                self.remove_others(&path)?;
            } else if !self.files.contains_key(&name(&path)) {
                fs::remove_file(entry.path())?;
            }
        }
        Ok(())
    }

    /// Where it is.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Builds `order-sim` as the copy stands.
    ///
    /// # Errors
    /// It does not build; the compiler's words.
    pub fn build(&self, jobs: usize) -> Result<PathBuf> {
        let target = self.folder.join("target");
        let cargo = std::env::var("CARGO").unwrap_or_else(|_| "cargo".into());
        let built = Command::new(cargo)
            .args(["build", "--offline", "--quiet", "--package", "order-manager-sim", "--no-default-features"])
            .args(["--bin", "order-sim", "--profile", PROFILE, "--jobs", &jobs.to_string()])
            .arg("--target-dir")
            .arg(&target)
            .current_dir(&self.folder)
            .output()
            .context("cannot start cargo")?;
        ensure!(built.status.success(), "{}", String::from_utf8_lossy(&built.stderr));
        let program = target.join(PROFILE).join(format!("order-sim{}", std::env::consts::EXE_SUFFIX));
        if !program.exists() {
            bail!("{} was not built", program.display());
        }
        Ok(program)
    }
}

fn build_id(files: &BTreeMap<String, Vec<u8>>) -> u64 {
    let is_source = |path: &str| path.contains("/src/") || path.ends_with(".toml") || path == LOCK;
    let sources = files.iter().filter(|(path, _)| is_source(path));
    sources.fold(0, |id, (path, bytes)| mix(mix(id ^ fnv1a(path.as_bytes())) ^ fnv1a(bytes)))
}

/// Reads everything in a folder, but for the planted bugs and what cargo makes.
fn collect(root: &Path, from: &Path, files: &mut BTreeMap<String, Vec<u8>>) -> Result<()> {
    for entry in fs::read_dir(from).with_context(|| format!("cannot read {}", from.display()))? {
        let entry = entry?;
        let path = entry.path();
        let inside = name(path.strip_prefix(root).context("outside of the root")?);
        if inside == super::FOLDER || entry.file_name() == "target" {
            continue;
        }
        if entry.file_type()?.is_dir() {
            collect(root, &path, files)?;
        } else {
            files.insert(inside, read(&path)?);
        }
    }
    Ok(())
}

fn name(path: &Path) -> String {
    path.to_string_lossy().replace('\\', "/")
}

/// The workspace with these members alone.
fn workspace(root: &Path) -> Result<String> {
    let text = String::from_utf8(read(&root.join("Cargo.toml"))?)?;
    let whole: Table = text.parse()?;
    let mut workspace = whole.get("workspace").and_then(Value::as_table).cloned().context("no workspace")?;
    workspace.insert("members".into(), Value::Array(MEMBERS.map(Value::from).into()));
    workspace.remove("default-members");
    let profile = Table::from_iter([
        ("inherits".to_string(), Value::from("release")),
        ("opt-level".to_string(), Value::from(1)),
        ("codegen-units".to_string(), Value::from(16)),
        ("incremental".to_string(), Value::from(true)),
        ("package".to_string(), Value::Table(Table::from_iter([("*".to_string(), optimised())]))),
    ]);
    let profiles = Table::from_iter([(PROFILE.to_string(), Value::Table(profile))]);
    let reduced = Table::from_iter([
        ("workspace".to_string(), Value::Table(workspace)),
        ("profile".to_string(), Value::Table(profiles)),
    ]);
    Ok(reduced.to_string())
}

fn optimised() -> Value {
    Value::Table(Table::from_iter([("opt-level".to_string(), Value::from(3))]))
}

fn read(path: &Path) -> Result<Vec<u8>> {
    fs::read(path).with_context(|| format!("cannot read {}", path.display()))
}

/// Writes a file, unless it says that already: cargo goes by the time of the last change.
fn write(path: &Path, bytes: &[u8]) -> Result<()> {
    if fs::read(path).is_ok_and(|there| there == bytes) {
        return Ok(());
    }
    let folder = path.parent().context("no folder")?;
    fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
    fs::write(path, bytes).with_context(|| format!("cannot write {}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    const MANIFEST: &str = "[workspace]\nmembers = [\"core\", \"sim\", \"service\"]\n";

    #[test]
    fn a_copy_is_of_what_was_read_whatever_becomes_of_it() {
        let base = std::env::temp_dir().join(format!("scratch-{}", std::process::id()));
        let (root, folder) = (base.join("root"), base.join("copy"));
        let files = [
            ("Cargo.toml", MANIFEST),
            ("Cargo.lock", "one"),
            ("core/src/a.rs", "a"),
            ("sim/src/b.rs", "b"),
            ("sim/planted/c.patch", "c"),
        ];
        files.iter().for_each(|(path, text)| write(&root.join(path), text.as_bytes()).unwrap());
        let first = Scratch::new(&root, &folder).unwrap();
        write(&root.join("core/src/a.rs"), b"another").unwrap();
        write(&folder.join("sim/src/left-behind.rs"), b"of a build before").unwrap();
        first.plant(&BTreeMap::from([("sim/src/b.rs".into(), "bug".into())])).unwrap();
        let held = |path: &str| fs::read_to_string(folder.join(path)).ok();
        let copy = ["core/src/a.rs", "sim/src/b.rs", "sim/src/left-behind.rs", "sim/planted/c.patch"].map(held);
        let members = held("Cargo.toml").unwrap();
        let second = Scratch::new(&root, &folder).unwrap();
        let again = Scratch::new(&root, &folder).unwrap();
        write(&root.join("Cargo.lock"), b"two").unwrap();
        let locked = Scratch::new(&root, &folder).unwrap();
        let lock = held("Cargo.lock");
        fs::remove_dir_all(&base).unwrap();

        assert_eq!(copy, [Some("a".into()), Some("bug".into()), None, None]);
        assert!(members.contains("members = [\"core\", \"sim\"]"), "{members}");
        assert_eq!((first.text("core/src/a.rs").unwrap().as_str(), second.build_id()), ("a", again.build_id()));
        assert!(first.build_id() != second.build_id() && second.build_id() != locked.build_id());
        assert_eq!(lock, Some("two".into()));
    }
}
