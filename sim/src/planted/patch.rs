//! One planted bug as its file tells it.

use crate::oracle::Oracle;
use anyhow::{Context, Result, bail, ensure};
use std::collections::BTreeMap;

/// The last number of failures.md.
const FAILURES: u32 = 74;

/// A planted bug.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bug {
    /// The file's name without its ending.
    pub name: String,
    /// What it does, on one line.
    pub what: String,
    /// How it would come about and what it would cost.
    pub story: String,
    /// `F01` to `F74` (failures.md), `predecessor: words`, or `own`.
    pub reference: String,
    /// Name of what must catch it with every other oracle off.
    pub oracle: String,
    /// What changes, in this order.
    pub edits: Vec<Edit>,
}

/// A change of one place.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Edit {
    /// The file, from the root.
    pub file: String,
    /// What stands there, exactly once.
    pub old: String,
    /// What stands there with the bug.
    pub new: String,
}

impl Bug {
    /// Reads a patch.
    ///
    /// # Errors
    /// A line or a field that is not what [`crate::planted`] says, in words.
    pub fn read(name: &str, text: &str) -> Result<Self> {
        let mut lines = text.lines().peekable();
        let fields = head(&mut lines)?;
        let edits = edits(&mut lines)?;
        let field = |key: &str| fields.get(key).cloned().with_context(|| format!("`{key}:` is missing"));
        let reference = field("reference")?;
        ensure!(is_reference(&reference), "`reference: {reference}` is none of F01 to F{FAILURES}, predecessor, own");
        ensure!(!edits.is_empty(), "it changes nothing");
        for edit in &edits {
            let in_core = edit.file.starts_with("core/src/");
            ensure!(in_core || fields.contains_key("outside core"), "{} is not in the core: say why", edit.file);
        }
        for key in fields.keys() {
            ensure!(KEYS.contains(&key.as_str()), "`{key}:` is none of {KEYS:?}");
        }
        Ok(Self {
            name: name.to_string(),
            what: field("bug")?,
            story: field("story")?,
            reference,
            oracle: field("oracle")?,
            edits,
        })
    }

    /// What must catch it.
    ///
    /// # Errors
    /// There is no such oracle.
    pub fn judge(&self) -> Result<Oracle> {
        Oracle::named(&self.oracle).with_context(|| format!("there is no oracle `{}`", self.oracle))
    }

    /// The files that it changes, as they are with the bug in them.
    ///
    /// # Errors
    /// A file that `read` cannot read, or in which a place is not found exactly once.
    pub fn applied(&self, read: impl Fn(&str) -> Result<String>) -> Result<BTreeMap<String, String>> {
        let mut files: BTreeMap<String, String> = BTreeMap::new();
        for edit in &self.edits {
            let text = match files.get(&edit.file) {
                Some(text) => text.clone(),
                None => read(&edit.file)?,
            };
            let found = text.matches(&edit.old).count();
            ensure!(found == 1, "stands {found} times in {}, not once:\n{}", edit.file, edit.old);
            files.insert(edit.file.clone(), text.replacen(&edit.old, &edit.new, 1));
        }
        Ok(files)
    }
}

const KEYS: &[&str] = &["bug", "story", "reference", "oracle", "outside core"];

type Lines<'a> = std::iter::Peekable<std::str::Lines<'a>>;

fn head(lines: &mut Lines<'_>) -> Result<BTreeMap<String, String>> {
    let mut fields: BTreeMap<String, String> = BTreeMap::new();
    let mut last: Option<String> = None;
    while let Some(line) = lines.next_if(|line| !line.starts_with("@@ ")) {
        if line.is_empty() {
            continue;
        }
        if line.starts_with(' ') {
            let field =
                last.as_ref().and_then(|key| fields.get_mut(key)).context("an indent before the first field")?;
            field.push(' ');
            field.push_str(line.trim());
            continue;
        }
        let (key, value) = line.split_once(':').with_context(|| format!("`{line}` is no field"))?;
        ensure!(!fields.contains_key(key), "`{key}:` stands twice");
        fields.insert(key.to_string(), value.trim().to_string());
        last = Some(key.to_string());
    }
    Ok(fields)
}

fn edits(lines: &mut Lines<'_>) -> Result<Vec<Edit>> {
    let mut edits: Vec<Edit> = Vec::new();
    for line in lines {
        if let Some(file) = line.strip_prefix("@@ ") {
            edits.push(Edit { file: file.trim().to_string(), ..Edit::default() });
            continue;
        }
        let edit = edits.last_mut().context("a change without a file")?;
        let to = |text: &mut String, line: &str| {
            text.push_str(line);
            text.push('\n');
        };
        match line.split_at_checked(1) {
            None => {} // between two places
            Some((" ", rest)) => {
                to(&mut edit.old, rest);
                to(&mut edit.new, rest);
            }
            Some(("-", rest)) => to(&mut edit.old, rest),
            Some(("+", rest)) => to(&mut edit.new, rest),
            Some(_) => bail!("`{line}` begins with none of space, - and +"),
        }
    }
    for edit in &edits {
        ensure!(!edit.old.is_empty(), "a change of {} that is nowhere", edit.file);
        ensure!(edit.old != edit.new, "a change of {} that changes nothing", edit.file);
    }
    Ok(edits)
}

fn is_reference(text: &str) -> bool {
    let number = |text: &str| {
        let digits = text.strip_prefix('F').filter(|digits| digits.len() == 2);
        digits.and_then(|digits| digits.parse::<u32>().ok()).is_some_and(|number| (1..=FAILURES).contains(&number))
    };
    let words = text.strip_prefix("predecessor:").is_some_and(|words| !words.trim().is_empty());
    text == "own" || words || text.split(", ").all(number)
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = "bug: It adds\nstory: Once\n  upon a time\nreference: F01, F10\noracle: no-defect\n\n\
        @@ core/src/a.rs\n fn a() {\n-    1\n+    2\n }\n";

    fn applied(text: &str) -> Result<BTreeMap<String, String>> {
        Bug::read("a", GOOD)?.applied(|_| Ok(text.to_string()))
    }

    #[test]
    fn a_patch_is_read_and_applied() {
        let bug = Bug::read("a", GOOD).unwrap();
        assert_eq!((bug.what.as_str(), bug.story.as_str()), ("It adds", "Once upon a time"));
        assert_eq!(bug.judge().unwrap(), Oracle::NoDefect);
        let files = applied("// a\nfn a() {\n    1\n}\n").unwrap();
        assert_eq!(files["core/src/a.rs"], "// a\nfn a() {\n    2\n}\n");
    }

    #[test]
    fn a_place_that_is_missing_or_stands_twice_is_refused() {
        let place = "fn a() {\n    1\n}\n";
        assert!(applied("fn a() {\n    3\n}\n").is_err());
        assert!(applied(&format!("{place}{place}")).is_err());
        assert!(applied(place).is_ok());
    }

    #[test]
    fn a_patch_that_says_nonsense_is_refused() {
        for (good, bad) in [
            ("bug: It adds\n", ""),
            ("F01, F10", "F00"),
            ("F01, F10", "F1"),
            ("F01, F10", "predecessor:"),
            ("core/src/a.rs", "sim/src/a.rs"),
            ("story:", "storey:"),
            ("+    2", "+    1"),
            ("-    1", "*    1"),
        ] {
            assert!(GOOD.contains(good));
            assert!(Bug::read("a", &GOOD.replace(good, bad)).is_err(), "{bad}");
        }
        let outside = GOOD.replace("core/src/a.rs", "sim/src/a.rs").replace("\n\n@@", "\noutside core: the disk\n\n@@");
        assert!(Bug::read("a", &outside).is_ok());
    }
}
