//! Waiting for what happens elsewhere.

use crate::process::{LOOK, PATIENCE};
use anyhow::ensure;
use tokio::time::{Instant, interval};

/// Looks until it is so.
pub(crate) async fn until(what: &str, mut is: impl AsyncFnMut() -> anyhow::Result<bool>) -> anyhow::Result<()> {
    let (begun, mut looks) = (Instant::now(), interval(4 * LOOK));
    while !is().await? {
        ensure!(begun.elapsed() < PATIENCE, "not in time: {what}");
        looks.tick().await;
    }
    Ok(())
}
