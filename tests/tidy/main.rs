//! The house in order: imports run one way, the core stays pure, files stay small, packages depend one way.
//! Each check is a function from sources to complaints, and each has a test that shows it can complain.

mod arrows;
mod lex;
mod packages;
mod sources;
mod words;

use sources::Source;

/// Fails with all complaints at once, one a line.
#[track_caller]
fn none(complaints: Vec<String>) {
    assert!(complaints.is_empty(), "\n{}\n", complaints.join("\n"));
}

#[test]
fn files_are_small() {
    let long = |source: &Source| {
        let (lines, max) = (source.text.lines().count(), sources::lines_max(&source.path)?);
        (lines > max).then(|| format!("{}: {lines} lines, at most {max}: split it", source.path))
    };
    let all = sources::read_all();
    assert!(all.iter().filter(|source| source.path.ends_with(".rs")).count() > 50, "the sources were found");
    none(all.iter().filter_map(long).collect());
}

#[test]
fn no_file_speaks_of_the_place_where_it_was_written() {
    // In two pieces each, or this file would complain of itself.
    let places = [concat!("/wo", "rk/"), concat!(".libr", "ary")];
    let names = |source: &Source| {
        let place = places.iter().find(|place| source.text.contains(**place))?;
        let line = source.text.lines().position(|line| line.contains(place)).unwrap_or_default() + 1;
        Some(format!("{}:{line}: names {place}", source.path))
    };
    none(sources::read_all().iter().filter_map(names).collect());
}
