//! The swarm: each seed is a world of its own, drawn whole before it runs. What is drawn is a [`Scenario`]: plain
//! data, so that a seed, a fuzzer's bytes, a minimised failure and a file written by a person run through one harness.
//!
//! Reading order: family (what can go wrong), gaps (the two lists), profile (what kind of worlds), draw (choices become a
//! world), run (one world), marks and watch (what it came through), campaign (many).

mod campaign;
mod draw;
mod family;
mod gaps;
mod marks;
mod profile;
mod run;
mod watch;

pub use campaign::{Campaign, Fallen, Progress, Spread, Tally};
pub use draw::{Drawn, draw, draw_of};
pub use family::Family;
pub use gaps::{Gap, NAMED_GAPS, families, oracles};
pub use marks::{Mark, Marks};
pub use profile::Profile;
pub use run::{Outcome, judged, run};
pub use watch::Watch;

#[cfg(doc)]
use crate::scenario::Scenario;
