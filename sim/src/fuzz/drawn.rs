//! Bytes as whole worlds, and bytes as scenario files.

use crate::choice::Choices;
use crate::oracle::Broken;
use crate::scenario;
use crate::swarm::{draw, oracles, run};

/// Draws a world from a tape, as a seed would, and acts it out with every oracle that holds watching.
///
/// # Errors
/// The first oracle that does not hold.
pub fn worlds(tape: &[u8]) -> Result<u64, Broken> {
    let (_, outcome) = run(&draw(&mut Choices::from_tape(tape)), oracles(), false);
    outcome.broken.map_or(Ok(outcome.inputs), Err)
}

/// Bytes as the text of a scenario: nothing panics, problems point into the text, and what can be read is written and
/// read back as the same steps.
///
/// # Panics
/// Where that does not hold.
pub fn scenarios(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    match scenario::parse("fuzz.toml", "fuzz", text) {
        Err(error) => {
            let inside = error.problems.iter().all(|problem| problem.span.end <= text.len());
            assert!(inside, "a problem outside the text: {:?}", error.problems);
            assert!(!error.to_string().is_empty(), "an error without a word");
        }
        Ok(read) => {
            let written = scenario::write(&read);
            let again = match scenario::parse("fuzz.toml", "fuzz", &written) {
                Ok(again) => again,
                Err(error) => panic!("what was written cannot be read:\n{error}\n{written}"),
            };
            let steps = |scenario: &scenario::Scenario| -> Vec<_> {
                scenario.steps.iter().map(|step| (step.at, step.action.clone())).collect()
            };
            assert_eq!(steps(&read), steps(&again), "other steps after writing and reading\n{written}");
            assert_eq!(written, scenario::write(&again), "written twice, another text");
        }
    }
}
