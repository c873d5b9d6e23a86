//! `--seeds A..B`.

use std::ops::Range;
use std::str::FromStr;

/// Seeds from A on, B not among them.
#[derive(Clone, Debug)]
pub(super) struct Seeds(pub(super) Range<u64>);

impl FromStr for Seeds {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let range = text.split_once("..").and_then(|(from, to)| Some(from.parse().ok()?..to.parse().ok()?));
        match range {
            Some(range) if !range.is_empty() => Ok(Self(range)),
            Some(_) => Err(format!("{text} holds no seed: the second number must be larger than the first")),
            None => Err(format!("{text} is not A..B, like 0..1000")),
        }
    }
}
