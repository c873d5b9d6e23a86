//! Which oddities took effect, each once for each time that it is named. What lasts does with the first message that
//! it is about, what is in store for orders with each order that it meets, and what happens at once does where
//! anything came of it.

use super::quirk::{Act, Fate, Lag, Quirk, Spell};
use crate::scenario::Topic;
use crate::swarm::{Family, Marks};
use order_manager_core::bybit::Operation;
use order_manager_core::unit::Timestamp;

#[derive(Clone, Debug, Default)]
pub(super) struct Effects {
    /// What lasts and has met no message yet; until when.
    begun: Vec<(Quirk, Timestamp)>,
    acted: Marks,
}

impl Effects {
    pub(super) const fn acted(&self) -> &Marks {
        &self.acted
    }

    /// Something that lasts begins.
    pub(super) fn begin(&mut self, quirk: Quirk, until: Timestamp) {
        self.begun.push((quirk, until));
    }

    /// Everything heals.
    pub(super) fn heal(&mut self) {
        self.begun.clear();
    }

    /// Something happened at once.
    pub(super) fn did(&mut self, quirk: &Quirk) {
        self.acted.acted(Family::of_quirk(quirk));
    }

    /// An order met what was in store for it.
    pub(super) fn met(&mut self, what: Fate) {
        self.acted.acted(Family::of_quirk(&Quirk::Next { what, count: 1 }));
    }

    /// A request was refused by a budget that is lower than Bybit's default.
    pub(super) const fn refused_by_tight_budget(&mut self) {
        self.acted.acted(Family::TightBudgets);
    }

    /// A request is answered.
    pub(super) fn request(&mut self, now: Timestamp, operation: Operation) {
        if !self.begun.is_empty() {
            self.take(now, |quirk| is_about_request(quirk, operation));
        }
    }

    /// A push leaves.
    pub(super) fn push(&mut self, now: Timestamp, topic: Topic) {
        if !self.begun.is_empty() {
            self.take(now, |quirk| is_about_push(quirk, topic));
        }
    }

    /// A spell changed something.
    pub(super) fn spell(&mut self, now: Timestamp, spell: Spell) {
        if !self.begun.is_empty() {
            self.take(now, |quirk| matches!(quirk, Quirk::Spell { what, .. } if *what == spell));
        }
    }

    fn take(&mut self, now: Timestamp, acts: impl Fn(&Quirk) -> bool) {
        let acted = &mut self.acted;
        self.begun.retain(|(quirk, until)| {
            let is_on = now < *until;
            if is_on && acts(quirk) {
                acted.acted(Family::of_quirk(quirk));
                return false;
            }
            is_on
        });
    }
}

const fn is_about_request(quirk: &Quirk, operation: Operation) -> bool {
    use Operation::{
        Amend, Cancel, Create, Executions, Instruments, OpenOrders, OrderHistory, Positions, Tickers, Wallet,
    };
    match quirk {
        Quirk::PriceBand { .. } => matches!(operation, Create),
        Quirk::Lag { what, .. } => match what {
            Lag::Realtime => matches!(operation, OpenOrders),
            Lag::History => matches!(operation, OrderHistory),
            Lag::ClosedGap => matches!(operation, OpenOrders | OrderHistory),
            Lag::Executions => matches!(operation, Executions),
            Lag::Positions => matches!(operation, Positions),
            Lag::Wallet => matches!(operation, Wallet),
            Lag::Tickers => matches!(operation, Tickers),
            Lag::Instruments => matches!(operation, Instruments),
            Lag::Engine => matches!(operation, Create | Cancel | Amend),
            Lag::Untouchable => matches!(operation, Cancel | Amend),
            Lag::OrderPush | Lag::ExecutionPush | Lag::PositionPush | Lag::WalletPush => false,
        },
        Quirk::Spell { what, .. } => match what {
            Spell::RealtimeBlank => matches!(operation, OpenOrders),
            Spell::UnsortedExecutions => matches!(operation, Executions),
            Spell::DuplicateRows | Spell::CursorLoop | Spell::CursorEnd => {
                matches!(operation, OpenOrders | OrderHistory | Executions)
            }
            Spell::EmptyNumbers
            | Spell::NullNumbers
            | Spell::BareNumbers
            | Spell::BareEnvelope
            | Spell::OtherTexts
            | Spell::NewFields => true,
            _ => false, // these say themselves when they change something
        },
        _ => false,
    }
}

const fn is_about_push(quirk: &Quirk, topic: Topic) -> bool {
    let Quirk::Lag { what, .. } = quirk else { return false };
    match what {
        Lag::OrderPush => matches!(topic, Topic::Order),
        Lag::ExecutionPush => matches!(topic, Topic::Execution),
        Lag::PositionPush => matches!(topic, Topic::Position),
        Lag::WalletPush => matches!(topic, Topic::Wallet),
        _ => false,
    }
}

impl Quirk {
    /// Does it change something wherever it is said of an instrument that is listed? Of the others it shows in orders
    /// and pushes whether anything came of them.
    pub(super) const fn always_acts(&self) -> bool {
        match self {
            Self::Amnesia | Self::IdleCut | Self::Leverage { .. } | Self::Rules { .. } | Self::PriceGap { .. } => true,
            Self::Act { what, .. } => matches!(what, Act::Delist),
            _ => false,
        }
    }
}
