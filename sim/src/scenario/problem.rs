//! What is wrong with a scenario file, shown where it is wrong.

use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet};
use std::fmt;
use std::ops::Range;
use toml::Spanned;

/// One thing wrong, at one place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// Bytes of the text that it is about.
    pub span: Range<usize>,
    /// What is wrong, with the value.
    pub message: String,
    /// Written under the place.
    pub label: String,
    /// What to do.
    pub help: String,
}

impl Problem {
    /// A problem with `word`.
    pub(super) fn at<T>(word: &Spanned<T>, message: String, label: impl Into<String>, help: impl Into<String>) -> Self {
        Self { span: word.span(), message, label: label.into(), help: help.into() }
    }

    /// A word that is not one of `known`: names the nearest, and all of them.
    pub(super) fn unknown(span: Range<usize>, what: &str, word: &str, known: &[&str]) -> Self {
        let label = nearest(word, known).map_or("not a known word".into(), |near| format!("did you mean `{near}`?"));
        let all: Vec<String> = known.iter().map(|w| format!("`{w}`")).collect();
        let help = format!("the words here are {}", all.join(", "));
        Self { span, message: format!("unknown {what} `{word}`"), label, help }
    }

    /// What the TOML reader says, with the nearest word where it names the words that it knows.
    pub(super) fn of_toml(error: &toml::de::Error) -> Self {
        let message = error.message();
        let span = error.span().unwrap_or(0..0);
        let ticked: Vec<&str> = message.split('`').skip(1).step_by(2).collect();
        if let (Some(what), [word, known @ ..]) = (unknown_what(message), ticked.as_slice())
            && !known.is_empty()
        {
            return Self::unknown(span, what, word, known);
        }
        let help = if let Some(field) = message.strip_prefix("missing field ") {
            format!("add {field}")
        } else if message.ends_with("expected a string") {
            "put the value in quotes".into()
        } else {
            "write it as the other scenarios do".into()
        };
        Self { span, message: message.to_owned(), label: "here".into(), help }
    }
}

fn unknown_what(message: &str) -> Option<&'static str> {
    ["field", "variant"].into_iter().find(|what| message.starts_with(&format!("unknown {what} ")))
}

/// The word of `known` that `word` was most likely meant to be, if one is near enough. A word that begins
/// another counts as near: `drop_reply` for `drop`.
pub fn nearest<'a>(word: &str, known: &[&'a str]) -> Option<&'a str> {
    let distance = |candidate: &str| {
        let begins =
            candidate.len() >= 3 && word.len() >= 3 && (word.starts_with(candidate) || candidate.starts_with(word));
        if begins { 1 } else { edits(word, candidate) }
    };
    let (steps, near) = known.iter().map(|candidate| (distance(candidate), *candidate)).min_by_key(|(d, _)| *d)?;
    (steps <= 1 + word.len().max(near.len()) / 4).then_some(near)
}

/// Letters to insert, delete, replace or swap with their neighbour to get from `a` to `b`.
fn edits(a: &str, b: &str) -> usize {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    let mut rows = vec![vec![0; b.len() + 1]; a.len() + 1];
    for i in 0..=a.len() {
        for j in 0..=b.len() {
            rows[i][j] = if i == 0 || j == 0 {
                i + j
            } else {
                let replaced = rows[i - 1][j - 1] + usize::from(a[i - 1] != b[j - 1]);
                let swapped = i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1];
                let best = replaced.min(rows[i - 1][j] + 1).min(rows[i][j - 1] + 1);
                if swapped { best.min(rows[i - 2][j - 2] + 1) } else { best }
            };
        }
    }
    rows[a.len()][b.len()]
}

/// Everything wrong with one file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScenarioError {
    /// The file as it was named.
    pub path: String,
    /// Its text; empty where it could not be read.
    pub text: String,
    /// At least one, in the order of the file.
    pub problems: Vec<Problem>,
}

impl ScenarioError {
    /// A file that could not be read at all.
    pub(super) fn unreadable(path: String, why: &std::io::Error) -> Self {
        let message = format!("`{path}` cannot be read: {why}");
        let help = "name a scenario file or a folder of them".into();
        Self { path, text: String::new(), problems: vec![Problem { span: 0..0, message, label: String::new(), help }] }
    }
}

/// Without colours; one block a problem, as compilers show them.
impl fmt::Display for ScenarioError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, problem) in self.problems.iter().enumerate() {
            if index > 0 {
                f.write_str("\n\n")?;
            }
            let mut group = Group::with_title(Level::ERROR.primary_title(problem.message.as_str()));
            if !self.text.is_empty() {
                let place = AnnotationKind::Primary.span(problem.span.clone()).label(problem.label.as_str());
                group = group.element(Snippet::source(self.text.as_str()).path(self.path.as_str()).annotation(place));
            }
            group = group.element(Level::HELP.message(problem.help.as_str()));
            f.write_str(&Renderer::plain().render(&[group]))?;
        }
        Ok(())
    }
}

impl std::error::Error for ScenarioError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_word_is_near() {
        for (word, near) in [
            ("drop_replay", Some("drop")),
            ("exepct", Some("expect")),
            ("sginal", Some("signal")),
            ("xyz", None),
            ("", None),
            ("crashes", Some("crash")),
        ] {
            assert_eq!(nearest(word, &["drop", "expect", "signal", "crash"]), near, "{word}");
        }
    }

    #[test]
    fn a_swap_is_one_edit() {
        assert_eq!(edits("filled", "filedl"), 2);
        assert_eq!(edits("buy", "byu"), 1);
        assert_eq!(edits("", "abc"), 3);
    }
}
