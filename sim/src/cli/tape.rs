//! `order-sim tape FILE`.

use super::Ending;
use crate::fuzz::show_life;
use anyhow::Context;
use std::path::Path;

pub(super) fn run(path: &Path) -> anyhow::Result<Ending> {
    let tape = std::fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
    let (life, result) = show_life(&tape);
    print!("{life}");
    match result {
        Ok(report) => {
            println!("ok     {report:?}");
            Ok(Ending::Ok)
        }
        Err(broken) => {
            println!("FAILED {broken}   reproduce: order-sim tape {}", path.display());
            Ok(Ending::Oracle)
        }
    }
}
