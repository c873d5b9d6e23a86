//! What kind of worlds are drawn.

use super::family::{self, Family};
use super::gaps;
use crate::exchange::Liquidity;
use order_manager_core::unit::{Decimal, Quantity};

/// How much happens in a world, and what may.
#[derive(Clone, Debug)]
pub struct Profile {
    /// Which families a seed may have.
    pub families: Vec<Family>,
    /// Families that every seed has.
    pub always: Vec<Family>,
    /// May those meet that a named gap keeps apart?
    pub together: bool,
    /// Least and most things that happen before everything heals.
    pub acts: (u64, u64),
    /// May a configuration allow short positions?
    pub shorts: bool,
    /// Do configurations and exchanges differ beyond what the other fields say?
    pub varied: bool,
    /// Limits of a position, thousandths of a base unit.
    pub positions: &'static [i64],
    /// Limits of the exposure, quote units.
    pub exposures: &'static [i64],
    /// The books at the start; none draws them.
    pub liquidity: Option<Liquidity>,
    /// How often, of a thousand moves of the price, it only just reaches an order of ours.
    pub touches: u32,
    /// How often, of a thousand signals that are no exits, one sells; each seed takes one.
    pub sells: &'static [u32],
}

impl Profile {
    /// What every campaign draws: the families that hold.
    #[must_use]
    pub fn hold() -> Self {
        Self {
            families: gaps::families(),
            always: Vec::new(),
            together: false,
            acts: (110, 340),
            shorts: true,
            varied: true,
            positions: &[2_000, 30, 300, 10],
            exposures: &[10_000, 1_500, 100_000],
            liquidity: None,
            touches: 250,
            sells: &[350, 200, 500],
        }
    }

    /// The named gaps too.
    #[must_use]
    pub fn all() -> Self {
        Self { families: Family::ALL.to_vec(), together: true, ..Self::hold() }
    }

    /// Long worlds over thin books, in which most orders fill in parts. Nobody sells short: Position Manager cannot
    /// hold a short position of two fills (wire-contracts.md 1.5.1, N7); nobody else moves the position. The host's clock
    /// is right: the model service, which runs beside us, judges our moments and its own by that one clock (1.5.3).
    #[must_use]
    pub fn thin() -> Self {
        let thousandths = |n| Quantity(Decimal::new(n, 3));
        let moves = [
            Family::Manual,
            Family::ManualClose,
            Family::Foreign,
            Family::Adl,
            Family::Liquidation,
            Family::UnknownExecution,
            Family::Delisting,
            Family::Hedge,
            Family::FeeInMnt,
        ];
        let clocks = [Family::ClockStep, Family::ClockDrift];
        let calm = |family: &Family| !moves.contains(family) && !clocks.contains(family);
        Self {
            families: gaps::families().into_iter().filter(calm).collect(),
            always: vec![Family::ThinBook, Family::Crash, Family::Redelivery],
            together: false,
            acts: (60, 160),
            shorts: false,
            varied: false,
            positions: &[10_000],
            exposures: &[100_000],
            liquidity: Some(Liquidity {
                best: thousandths(3),
                level: thousandths(4),
                level_ticks: 7,
                touch: thousandths(2),
            }),
            touches: 600,
            sells: &[300],
        }
    }

    /// The same, and every seed has this family too.
    #[must_use]
    pub fn with(mut self, family: Family) -> Self {
        self.families.push(family);
        self.always.push(family);
        self
    }

    /// Whether this family may come up, by its number.
    pub(super) fn table(&self) -> [bool; family::COUNT] {
        let mut table = [false; family::COUNT];
        self.families.iter().for_each(|family| table[*family as usize] = true);
        table
    }
}
