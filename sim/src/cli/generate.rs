//! `order-sim generate`.

use super::Ending;
use std::path::Path;

pub(super) fn run(seed: u64, days: u32, out: &Path) -> anyhow::Result<Ending> {
    let made = crate::generate::generate(seed, days, out)?;
    println!("{} ({} bars)", made.prices.display(), made.bar_count);
    println!("{} ({} signals)", made.signals.display(), made.signal_count);
    Ok(Ending::Ok)
}
