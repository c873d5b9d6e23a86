//! `order-sim replay JOURNAL`.

use super::Ending;
use crate::replay::{Verdict, replay};
use anyhow::Context;
use std::path::Path;

pub(super) fn run(path: &Path) -> anyhow::Result<Ending> {
    let file = std::fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
    let verdict = replay(&file)?;
    Ok(if matches!(verdict, Verdict::Differs(_)) {
        println!("FAILED {verdict}");
        Ending::Digests
    } else {
        println!("ok     {verdict}");
        Ending::Ok
    })
}
