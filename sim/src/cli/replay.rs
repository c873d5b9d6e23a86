//! `order-sim replay JOURNAL`.

use super::Ending;
use crate::replay::{Verdict, replay};
use anyhow::Context;
use std::path::Path;

pub(super) fn run(path: &Path) -> anyhow::Result<Ending> {
    let file = std::fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
    match replay(&file)? {
        Verdict::Same { steps, digest } => {
            println!("ok     {steps} steps, every digest the same, the last is {digest}");
            Ok(Ending::Ok)
        }
        Verdict::Differs(difference) => {
            println!("FAILED {difference}");
            Ok(Ending::Digests)
        }
    }
}
