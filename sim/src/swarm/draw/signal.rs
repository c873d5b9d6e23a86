//! Signals of a drawn world, the odd ones included.

use super::{Drawing, symbol};
use crate::choice::Choices;
use crate::scenario::{Action, RawStep, SignalStep, signal_id};
use crate::swarm::profile::Profile;
use order_manager_core::config::{Config, SellAmountUnit};
use order_manager_core::unit::{Decimal, Price, Side, SignalId, Span};

/// Bodies that are no signals, or bad ones.
const BODIES: [&str; 5] = [
    "not a signal",
    "{}",
    "",
    "{\"signal_id\": \"8d6e2f0e-3b7c-4a3e-9d53-1c2b3a4d5e6f\", \"side\": \"hold\"}",
    "[1, 2",
];

/// What the signals of a seed are like.
pub(super) struct Habits {
    /// How often, of a thousand that are no exits, one sells.
    sells: u32,
    /// How often, of a thousand, one comes from the exit rules.
    exits: u32,
    /// How often, of a thousand, one is odd.
    odd: u32,
    /// How often, of a thousand, one asks for a market order.
    market: u32,
    /// Is the amount of a sell in base units?
    in_base: bool,
}

impl Habits {
    pub(super) fn of(c: &mut Choices, profile: &Profile, config: &Config) -> Self {
        Self {
            sells: *c.pick("sells", profile.sells),
            exits: *c.pick("exits", &[120, 50, 300]),
            odd: *c.pick("odd", &[60, 0, 250]),
            market: *c.pick("markets", &[500, 150, 850]),
            in_base: config.sell_amount_unit == SellAmountUnit::Base,
        }
    }
}

impl Drawing<'_> {
    pub(super) fn signal(&mut self) {
        let mut signal = self.plain();
        if self.c.chance("is-odd", self.habits.odd) && !self.bend(&mut signal) {
            return;
        }
        self.sent.push((signal.alias.clone(), signal.id));
        self.push(Action::Signal(signal));
    }

    fn plain(&mut self) -> SignalStep {
        let c = &mut *self.c;
        let (symbol, base) = symbol(c);
        let market = c.chance("market", self.habits.market);
        let exit = c.chance("exit", self.habits.exits);
        let sells = exit || c.chance("sell", self.habits.sells);
        let is_snapshot = c.chance("snapshot", 300);
        let off = Decimal::new(c.between("off", 0, 40) as i64 - 20, 4);
        let amount = Decimal::from(c.between("amount", 20, 1_400));
        let alias = format!("s{}", self.sent.len());
        SignalStep {
            id: signal_id(&alias),
            alias,
            symbol,
            side: if sells { Side::Sell } else { Side::Buy },
            amount: if sells && self.habits.in_base { (amount / base).round_dp(4) } else { amount },
            confidence: Decimal::new(if market { 95 } else { 70 }, 2),
            price: is_snapshot.then(|| Price((base * (Decimal::ONE + off)).round_dp(1))),
            spread: Decimal::new(c.between("spread", 10, 1_500) as i64, 1),
            age: Span::secs(*c.pick("age", &[0, 0, 0, 1, 60, 110, 119])),
            ahead: Span::ZERO,
            urgency: false,
            exit,
            warmup: false,
            strategy: "swarm".into(),
            trace: None,
            deliveries: 1,
        }
    }

    /// Makes a signal an odd one. False where something else was sent in its place.
    fn bend(&mut self, signal: &mut SignalStep) -> bool {
        let c = &mut *self.c;
        match c.below("oddity", 14) {
            0 => signal.deliveries = 2 + c.below("copies", 3) as u32,
            1 => signal.warmup = true,
            2 => signal.urgency = true,
            3 => signal.age = Span::secs(*c.pick("old", &[121, 3_600, 901])),
            4 => signal.amount = Decimal::from(*c.pick("small", &[1, 4, 6])),
            5 => signal.amount = Decimal::from(*c.pick("large", &[20_000, 4_000, 3_000_000])),
            6 => signal.confidence = Decimal::new(c.between("confidence", 0, 100) as i64, 2),
            7 => signal.spread = Decimal::new(c.between("narrow", 0, 40) as i64, 1),
            8 => signal.price = signal.price.map(|price| Price((price.0 * Decimal::new(112, 2)).round_dp(1))),
            9 => {
                if let Some(id) = self.earlier() {
                    signal.id = id; // the same id with another content
                }
            }
            10 => signal.symbol = order_manager_core::unit::Symbol::clipped("XRPUSDT"),
            11 => {
                signal.side = Side::Sell;
                signal.exit = true;
                signal.amount = Decimal::from(*c.pick("exit-all", &[5_000, 50]));
            }
            12 => signal.ahead = Span::secs(*c.pick("ahead", &[60, 31, 29, 4])),
            _ => {
                let body = c.pick("body", &BODIES).as_bytes().to_vec();
                self.push(Action::Raw(RawStep { body, deliveries: 1 }));
                return false;
            }
        }
        true
    }

    fn earlier(&mut self) -> Option<SignalId> {
        let place = self.c.below("conflict", self.sent.len().min(8) as u64) as usize;
        self.sent.iter().rev().nth(place).map(|(_, id)| *id)
    }
}
