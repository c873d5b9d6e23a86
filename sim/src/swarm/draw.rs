//! A world out of choices. 0 is the tamest choice everywhere.
//!
//! Each family draws under its own name: whether a seed has it, and all that it does there. So a family that gets
//! another way to go wrong changes no seed that is without it.

mod fault;
mod quirk;
mod signal;
mod stage;

use super::family::Family;
use super::gaps;
use super::profile::Profile;
use crate::choice::Choices;
use crate::exchange::{ExchangeConfig, LinkReuse};
use crate::scenario::{Action, Link, Scenario, Step};
use order_manager_core::config::Config;
use order_manager_core::unit::{Decimal, Price, SignalId, Span, Symbol};
use std::collections::BTreeMap;

/// What is still to fill, settle and be told is given this long: an exit that was never sent is given up after 900 s.
const HEALING: Span = Span::secs(1_000);
/// What lasts longer than the chaos does is healed at its end; the last fault has this long to act.
const AFTERMATH: Span = Span::secs(2);
/// Symbols, each with ten times the price that its own prices keep near.
const SYMBOLS: [(&str, i64); 2] = [("BTCUSDT", 500_000), ("ETHUSDT", 30_000)];
/// How fast things follow each other, milliseconds: a seed has one of these.
const PACES: [&[u64]; 4] = [
    &[0, 1, 7, 40, 200, 900, 3_000, 12_000],
    &[0, 1, 7, 40, 200, 900],
    &[40, 900, 3_000, 12_000, 45_000],
    &[0, 200, 3_000],
];

/// A world as it was drawn.
#[derive(Clone, Debug)]
pub struct Drawn {
    /// What happens.
    pub scenario: Scenario,
    /// The manager's rules.
    pub config: Config,
    /// The exchange.
    pub exchange: ExchangeConfig,
    /// How both talk.
    pub link: Link,
    /// The families that it has.
    pub families: Vec<Family>,
}

/// Draws one of the families that hold.
#[must_use]
pub fn draw(c: &mut Choices) -> Drawn {
    draw_of(c, &Profile::hold())
}

/// Draws one of this kind.
#[must_use]
pub fn draw_of(c: &mut Choices, profile: &Profile) -> Drawn {
    let mut families = families(c, profile);
    let link = if c.below("link", 8) == 7 { Link::Bytes } else { Link::Typed };
    // Where no JSON is written none is spelt in another way.
    families.retain(|family| link == Link::Bytes || *family != Family::Spelling);
    let has = |family| families.contains(&family);
    let config = stage::config(c, profile);
    let mut exchange = stage::exchange(c, profile);
    if has(Family::RequestTwice) {
        // Where an id may be used again once its order has ended, a late copy of a request is another order, and no
        // client can keep it from being one: TCP brings a request once.
        exchange.link_reuse = LinkReuse::Never;
    }
    if has(Family::TightBudgets) {
        exchange.budgets = stage::tight(c);
    }
    if has(Family::RequestTwice) && !has(Family::TightBudgets) {
        // Copies that spend the budget have one copy of a create refused and the other one taken: a named gap.
        exchange.budgets.create *= 2;
    }
    let mut scenario = Scenario::made("drawn");
    scenario.seed = c.below("latencies", 1 << 32);
    scenario.heal = Some(HEALING);
    let calm = *c.pick("calm", &[650, 800, 950, 500]);
    let pace = *c.pick("pace", &PACES);
    let habits = signal::Habits::of(c, profile, &config);
    let acts = c.between("acts", profile.acts.0, profile.acts.1);
    let mut drawing = Drawing { c, profile, families: &families, habits, at: Span::ZERO, steps: vec![], sent: vec![] };
    for _ in 0..acts {
        drawing.at.0 += Span::millis(*drawing.c.pick("pause", pace)).0;
        drawing.act(calm);
    }
    scenario.duration = Span(drawing.at.0 + AFTERMATH.0);
    scenario.steps = drawing.steps;
    Drawn { scenario, config, exchange, link, families }
}

/// Which families this one has.
fn families(c: &mut Choices, profile: &Profile) -> Vec<Family> {
    let allowed = profile.table();
    let mut on: Vec<Family> = Vec::new();
    for family in Family::ALL.iter().copied().filter(|family| allowed[*family as usize]) {
        let drawn = c.below(family.name(), family.odds()) == family.odds() - 1;
        if drawn || profile.always.contains(&family) {
            on.push(family);
        }
    }
    if !profile.together {
        gaps::part(&mut on);
    }
    on
}

/// A world that is being drawn.
struct Drawing<'a> {
    c: &'a mut Choices,
    profile: &'a Profile,
    families: &'a [Family],
    habits: signal::Habits,
    at: Span,
    steps: Vec<Step>,
    /// Aliases and ids of the signals so far.
    sent: Vec<(String, SignalId)>,
}

impl Drawing<'_> {
    fn push(&mut self, action: Action) {
        self.steps.push(Step { at: self.at, line: 0, action });
    }

    fn act(&mut self, calm: u64) {
        let at = self.c.below("act", 1_000);
        if at >= calm && !self.families.is_empty() {
            let family = *self.c.pick("family", self.families);
            return self.fault(family);
        }
        match at % 20 {
            0..12 => self.signal(),
            _ => self.price(),
        }
    }

    fn price(&mut self) {
        let (symbol, base) = symbol(self.c);
        if self.c.chance("touch", self.profile.touches) {
            return self.push(Action::Touch(symbol));
        }
        let move_by = Decimal::new(self.c.between("move", 0, 60) as i64 - 30, 4);
        let price = Price((base * (Decimal::ONE + move_by)).round_dp(1));
        self.push(Action::Price(BTreeMap::from([(symbol, price)])));
    }

    /// Something goes wrong, in the way of this family.
    fn fault(&mut self, family: Family) {
        match family {
            Family::Redelivery => self.again(),
            Family::Crash | Family::CrashLoss => self.crash(family),
            _ => {
                let action = fault::of(self.c, family).or_else(|| quirk::of(self.c, family));
                if let Some(action) = action {
                    self.push(action);
                }
            }
        }
    }
}

/// The symbol of the next thing that happens, and the price that it keeps near.
fn symbol(c: &mut Choices) -> (Symbol, Decimal) {
    symbol_under(c, "symbol")
}

fn symbol_under(c: &mut Choices, label: &'static str) -> (Symbol, Decimal) {
    let (name, price) = SYMBOLS[usize::from(c.below(label, 4) == 3)];
    (Symbol::clipped(name), Decimal::new(price, 1))
}
