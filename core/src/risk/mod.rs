//! `Plan -> Approved<Plan> | Refusal`: one table of limits, in the order of spec K2.

mod limits;

pub use crate::account::{Account, Trading, TradingState};
use crate::config::Config;
use crate::market::Instrument;
use crate::plan::{Note, Plan};
use crate::refusal::{Code, Refusal};
use crate::unit::{Decimal, Quantity, decimal};
use alloc::vec::Vec;
use limits::{Figures, LIMITS, Limit, Outcome};
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
/// Checks a plan against every limit, in the order of spec K2. An order over a size limit is shrunk to what
/// fits, and then checked against all of them again; nothing ever grows (spec K3).
///
/// Freshness is the caller's: what stands in the scene is taken as true.
pub fn approve(mut plan: Plan, scene: &RiskScene<'_>) -> Result<Approved<Plan>, Refusal> {
    // Each size limit can shrink the order once: the limits are on one scene, so what fits stays fitting.
    for _ in 0..=LIMITS.len() {
        match check(&plan, scene)? {
            Checked::Good(verdicts) => return Ok(Approved { inner: plan, verdicts }),
            Checked::Shrink { to, by } => {
                plan.notes.push(Note::Shrunk { from: plan.quantity, by });
                plan.quantity = to;
            }
        }
    }
    let text = format_args!("{} is shrunk again and again", plan.symbol);
    Err(Refusal::new(Code::Defect, text))
}

enum Checked {
    Good(Vec<Verdict>),
    Shrink { to: Quantity, by: Code },
}

/// One walk down the table, to its end or to the first limit that the plan is over.
fn check(plan: &Plan, scene: &RiskScene<'_>) -> Result<Checked, Refusal> {
    let mut verdicts = Vec::with_capacity(LIMITS.len());
    for limit in &LIMITS {
        if plan.reduce_only && limit.spares_reducing {
            continue;
        }
        let Some(outcome) = (limit.judge)(plan, scene) else {
            return Err(Refusal::overflow(limit.code, limit.name));
        };
        match outcome {
            Outcome::Pass => {}
            Outcome::Within(Figures { figure, limit: max }) => {
                let (figure, max) = (decimal::normal(figure), decimal::normal(max));
                verdicts.push(Verdict { rule: limit.code, figure, limit: max });
            }
            Outcome::Closed(refusal) => return Err(*refusal),
            Outcome::Over(figures) => return Err(over(limit, figures, "")),
            Outcome::Oversize(figures, room) => {
                return shrink(plan, scene, room)
                    .map(|to| Checked::Shrink { to, by: limit.code })
                    .map_err(|why| over(limit, figures, why));
            }
        }
    }
    Ok(Checked::Good(verdicts))
}

/// The largest order within `room` that the exchange takes, or why there is none.
fn shrink(plan: &Plan, scene: &RiskScene<'_>, room: Quantity) -> Result<Quantity, &'static str> {
    if !scene.config.enable_order_size_reduction {
        return Err(" (ENABLE_ORDER_SIZE_REDUCTION is false)");
    }
    let rules = scene.instrument;
    let to = room.floor_to(rules.quantity_step).unwrap_or_default();
    let notional = plan.price.times(to).unwrap_or_default();
    let takes = to.is_positive() && to >= rules.min_quantity && notional >= rules.min_notional;
    if takes && to < plan.quantity { Ok(to) } else { Err(", and what would fit is below the exchange's minimum") }
}

fn over(limit: &Limit, Figures { figure, limit: max }: Figures, why: &str) -> Refusal {
    let (figure, max) = (figure.round_dp(8).normalize(), max.round_dp(8).normalize());
    Refusal::new(limit.code, format_args!("{figure} is over {} = {max}{why}", limit.name))
}

#[cfg(test)]
mod tests;
