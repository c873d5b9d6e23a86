//! What the exchange does oddly, and what others do to the account.

use super::symbol_under;
use crate::choice::Choices;
use crate::exchange::{Act, Fate, Lag, PriceBand, Quirk, Spell, link_id};
use crate::scenario::{Action, Liquidity, Manual};
use crate::swarm::family::Family;
use order_manager_core::unit::{
    Decimal, Intent, LinkPrefix, OrderLinkId, Price, Quantity, Ratio, Side, SignalId, Span, Symbol,
};

/// What a family of the exchange or of the account does next; none of another family.
pub(super) fn of(c: &mut Choices, family: Family) -> Option<Action> {
    let l = family.name();
    let quirk = match family {
        Family::Ban => Quirk::Spell { what: Spell::Ban, length: Span::secs(*c.pick(l, &[600, 60, 5])) },
        Family::RateLimit => spell(c, l, &[Spell::RateLimit, Spell::RateLimitBare]),
        Family::Maintenance => spell(c, l, &[Spell::Maintenance]),
        Family::QueryLag => {
            let what = *c.pick(l, &QUERIES);
            let orders = matches!(what, Lag::Realtime | Lag::History);
            lag(c, l, &[what], if orders { &ORDER_LAGS } else { &LAGS })
        }
        Family::PushLag => lag(c, l, &[Lag::OrderPush, Lag::ExecutionPush, Lag::PositionPush, Lag::WalletPush], &LAGS),
        Family::EngineLag => lag(c, l, &[Lag::Engine], &[0, 50, 300, 1_000, 4_000]),
        Family::Amnesia => match c.below(l, 3) {
            0 => Quirk::Amnesia,
            1 => blank(c, l, &ORDER_LAGS),
            _ => lag(c, l, &[Lag::ClosedGap], &ORDER_LAGS),
        },
        Family::LongLag => match c.below(l, 4) {
            3 => blank(c, l, &LONG_LAGS),
            what => lag(c, l, &[[Lag::Realtime, Lag::History, Lag::ClosedGap][what as usize]], &LONG_LAGS),
        },
        Family::Paging => {
            spell(c, l, &[Spell::DuplicateRows, Spell::UnsortedExecutions, Spell::CursorLoop, Spell::CursorEnd])
        }
        Family::PushShape => spell(c, l, &[Spell::SkipNew, Spell::MergedPushes]),
        Family::NewWords => spell(c, l, &[Spell::UnknownStatus, Spell::UnknownCancelType]),
        Family::Spelling => spell(c, l, &SPELLINGS),
        Family::FeeInMnt => spell(c, l, &[Spell::FeeInMnt]),
        Family::CancelRace if c.below(l, 3) == 2 => lag(c, l, &[Lag::Untouchable], &[0, 200, 2_000]),
        Family::CancelRace => next(c, l, &[Fate::CancelLoses, Fate::CancelPartial]),
        Family::MarketOdd => next(c, l, &[Fate::MarketRefused, Fate::MarketCancelled, Fate::MarketPartial]),
        Family::RejectedLater => next(c, l, &[Fate::Rejected, Fate::RejectedWithFill]),
        _ => return account(c, family),
    };
    Some(Action::Quirk(quirk))
}

const QUERIES: [Lag; 7] =
    [Lag::Realtime, Lag::History, Lag::Executions, Lag::Positions, Lag::Wallet, Lag::Tickers, Lag::Instruments];
const LAGS: [u64; 6] = [0, 300, 1_000, 3_000, 10_000, 40_000];
/// How far what is shown of orders is behind: with the 4 s that the engine may take, within what is documented
/// ([`crate::exchange::VISIBLE_WITHIN`]).
const ORDER_LAGS: [u64; 6] = [0, 300, 1_000, 3_000, 8_000, 11_000];
/// Further behind than that.
const LONG_LAGS: [u64; 3] = [20_000, 40_000, 90_000];
const SPELLINGS: [Spell; 6] = [
    Spell::EmptyNumbers,
    Spell::NullNumbers,
    Spell::BareNumbers,
    Spell::BareEnvelope,
    Spell::OtherTexts,
    Spell::NewFields,
];

fn spell(c: &mut Choices, l: &'static str, spells: &[Spell]) -> Quirk {
    let what = *c.pick(l, spells);
    Quirk::Spell { what, length: Span::secs(*c.pick(l, &[1, 5, 20, 90])) }
}

/// Realtime shows nothing for so long.
fn blank(c: &mut Choices, l: &'static str, lengths: &[u64]) -> Quirk {
    Quirk::Spell { what: Spell::RealtimeBlank, length: Span::millis(*c.pick(l, lengths)) }
}

fn lag(c: &mut Choices, l: &'static str, lags: &[Lag], lengths: &[u64]) -> Quirk {
    let what = *c.pick(l, lags);
    Quirk::Lag { what, lag: Span::millis(*c.pick(l, lengths)) }
}

fn next(c: &mut Choices, l: &'static str, fates: &[Fate]) -> Quirk {
    let what = *c.pick(l, fates);
    Quirk::Next { what, count: *c.pick(l, &[1, 1, 2, 5]) }
}

/// What moves prices, positions and orders of the account from outside.
fn account(c: &mut Choices, family: Family) -> Option<Action> {
    let l = family.name();
    let (symbol, _) = symbol_under(c, l);
    let hundredths = |c: &mut Choices, most| Quantity(Decimal::new(c.between(l, 1, most) as i64, 2));
    let share = |n, scale| Ratio(Decimal::new(n, scale));
    let act = |what| Quirk::Act { what, symbol };
    let side = |c: &mut Choices| *c.pick(l, &[Side::Buy, Side::Sell]);
    let quirk = match family {
        Family::ThinBook => return Some(thin(c, l, symbol)),
        Family::Manual => {
            let (side, quantity) = (side(c), hundredths(c, 9));
            return Some(Action::Manual(Manual { side, symbol, quantity }));
        }
        Family::ManualClose => act(Act::ManualClose),
        Family::ManualCancel => act(Act::ManualCancel),
        Family::AdminCancel => match c.below(l, 3) {
            0 => act(Act::AdminCancelOne),
            1 => act(Act::AdminCancel),
            _ => Quirk::Dcp,
        },
        Family::Adl => {
            let quantity = (c.below(l, 2) == 1).then(|| hundredths(c, 3));
            Quirk::Adl { symbol, quantity }
        }
        Family::Liquidation => act(*c.pick(l, &[Act::LiquidationCancel, Act::Liquidation])),
        Family::UnknownExecution => {
            let (side, quantity) = (side(c), hundredths(c, 5));
            Quirk::UnknownExecution { symbol, side, quantity }
        }
        Family::Funding => Quirk::Funding { symbol, rate: *c.pick(l, &[share(1, 4), share(-1, 4), share(75, 4)]) },
        Family::Foreign if c.below(l, 3) == 2 => act(Act::ForeignCancel),
        Family::Foreign => {
            let (side, quantity) = (side(c), hundredths(c, 5));
            let away = *c.pick(l, &[share(1, 3), share(5, 2), share(-1, 3)]);
            let reduce_only = c.below("foreign-reduces", 3) == 2;
            let link = link_id("ui-42").filter(|_| c.below("foreign-link", 4) == 3);
            Quirk::ForeignOrder { symbol, side, quantity, away, link, reduce_only }
        }
        Family::OwnUnknown => {
            let (side, quantity) = (side(c), hundredths(c, 5));
            let away = *c.pick(l, &[share(5, 2), share(1, 3), share(-1, 3)]);
            let intent = Intent { signal: SignalId(u128::from(c.below(l, 1 << 32))), leg: 0, attempt: 0 };
            let link = Some(OrderLinkId::of(LinkPrefix::DEFAULT, intent));
            Quirk::ForeignOrder { symbol, side, quantity, away, link, reduce_only: false }
        }
        Family::Leverage => Quirk::Leverage { symbol, leverage: share(*c.pick(l, &[5, 1, 3, 20]), 0) },
        Family::Hedge => act(*c.pick(l, &[Act::HedgeMode, Act::OneWayMode])),
        Family::Rules => {
            let ticks = [None, Some(Price(Decimal::new(5, 1))), Some(Price(Decimal::new(2, 1)))];
            let steps = [None, Some(Quantity(Decimal::new(5, 3))), Some(Quantity(Decimal::new(2, 2)))];
            let tick = *c.pick(l, &ticks);
            let steps = if tick.is_none() { &steps[1..] } else { &steps };
            Quirk::Rules { symbol, tick, step: *c.pick(l, steps) }
        }
        Family::SplitOrders => {
            Quirk::LargestOrder { symbol, quantity: Quantity(Decimal::new(*c.pick(l, &[50, 20, 10, 5]), 3)) }
        }
        Family::Delisting => act(Act::Delist),
        Family::PriceGap => {
            let by = Decimal::new(c.between(l, 0, 160) as i64 - 80, 3);
            Quirk::PriceGap { symbol, by: Ratio(by) }
        }
        Family::PriceBand => {
            let ratio = *c.pick(l, &[share(5, 2), share(1, 3), share(1, 4)]);
            Quirk::PriceBand { ratio, way: *c.pick(l, &[PriceBand::Adjust, PriceBand::Reject]) }
        }
        _ => return None,
    };
    Some(Action::Quirk(quirk))
}

fn thin(c: &mut Choices, l: &'static str, symbol: Symbol) -> Action {
    let at_best = Quantity(Decimal::new(*c.pick(l, &[9, 4, 2, 0, 1_000_000_000]), 3));
    Action::Liquidity(Liquidity { symbol, at_best })
}
