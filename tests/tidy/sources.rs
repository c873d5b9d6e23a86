//! The files of the repository.

use super::lex::{self, Parted};
use std::fs;
use std::path::{Path, PathBuf};

/// A file, by its path from the root with `/` between the parts.
pub(crate) struct Source {
    pub(crate) path: String,
    pub(crate) text: String,
}

pub(crate) fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// Every file that is written by people, in the order of the paths. Bytes that are no text are replaced.
pub(crate) fn read_all() -> Vec<Source> {
    let mut files = Vec::new();
    walk(&root(), &mut files);
    files.sort();
    let path = |file: &Path| file.strip_prefix(root()).unwrap().to_str().unwrap().replace('\\', "/");
    files
        .iter()
        .map(|file| Source { path: path(file), text: String::from_utf8_lossy(&fs::read(file).unwrap()).into_owned() })
        .collect()
}

fn walk(folder: &Path, files: &mut Vec<PathBuf>) {
    let made = ["target", ".git", "generated", "artifacts"]; // built or run, not written: see .gitignore
    for entry in fs::read_dir(folder).unwrap() {
        let (path, kind) = entry.map(|entry| (entry.path(), entry.file_type().unwrap())).unwrap();
        if made.iter().any(|name| path.ends_with(name)) {
            continue;
        }
        match kind.is_dir() {
            true => walk(&path, files),
            false if kind.is_file() => files.push(path),
            false => {}
        }
    }
}

/// How many lines a file may have; none: as many as it likes.
pub(crate) fn lines_max(path: &str) -> Option<usize> {
    (path.ends_with(".rs") || path.ends_with(".md")).then_some(500)
}

/// The core's sources with only the code that runs in production, blank where something else stood.
pub(crate) fn core_without_tests(all: &[Source]) -> Vec<Source> {
    let core: Vec<(&Source, Parted)> = all
        .iter()
        .filter(|source| source.path.starts_with("core/src/") && source.path.ends_with(".rs"))
        .map(|source| (source, lex::part(&lex::lex(&source.text).code)))
        .collect();
    let of_tests: Vec<String> = core
        .iter()
        .flat_map(|(source, parted)| parted.test_modules.iter().map(|name| folder_of(&source.path) + name))
        .collect();
    let is_test = |path: &str| {
        of_tests
            .iter()
            .any(|module| path.strip_prefix(module.as_str()).is_some_and(|rest| rest.starts_with(['.', '/'])))
    };
    core.into_iter()
        .filter(|(source, _)| !is_test(&source.path))
        .map(|(source, parted)| Source { path: source.path.clone(), text: parted.code })
        .collect()
}

/// Where the files of a file's modules lie.
fn folder_of(path: &str) -> String {
    let stem = path.trim_end_matches(".rs");
    let folder = stem.strip_suffix("/mod").or_else(|| stem.strip_suffix("/lib")).unwrap_or(stem);
    format!("{folder}/")
}
