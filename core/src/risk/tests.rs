use super::*;
use crate::account::{Held, Resting, worst_case, worst_notional};
use crate::bybit::{OrderKind, TimeInForce};
use crate::fixture::{any_instrument, any_side, instrument, money, price, quantity, ratio, thousandths};
use crate::unit::{Money, Price, Side, Symbol};
use alloc::string::{String, ToString};
use proptest::prelude::*;

/// A scene that owns what it shows.
#[derive(Clone, Debug)]
struct Set {
    account: Account,
    instrument: Instrument,
    trading: Trading,
    symbol_halted: bool,
    config: Config,
    plan: Plan,
}

impl Set {
    /// Limits of 1000 an order, 2 units and 10000 in all; a limit order at 100.
    fn new(side: Side, size: &str) -> Self {
        let kind = OrderKind::Limit { price: price("100"), time_in_force: TimeInForce::PostOnly };
        Self {
            account: Account { available: money("5000"), leverage: ratio("5"), ..Account::default() },
            instrument: instrument(),
            trading: Trading::Active,
            symbol_halted: false,
            config: Config { max_position_size: quantity("50"), ..Config::default() },
            plan: Plan {
                symbol: Symbol::new("BTCUSDT").unwrap(),
                side,
                kind,
                quantity: quantity(size),
                reduce_only: false,
                price: price("100"),
                cancels: Vec::new(),
                drift: None,
                notes: Vec::new(),
            },
        }
    }
    fn with(mut self, change: impl FnOnce(&mut Self)) -> Self {
        change(&mut self);
        self
    }
    fn approve(&self) -> Result<Approved<Plan>, Refusal> {
        let Self { account, instrument, trading, symbol_halted, config, plan } = self;
        let scene = RiskScene { account, instrument, trading: *trading, symbol_halted: *symbol_halted, config };
        approve(plan.clone(), &scene)
    }
    fn quantity(&self) -> Quantity {
        self.approve().unwrap().get().quantity
    }
    fn code(&self) -> Code {
        self.approve().unwrap_err().code
    }
    fn says(&self) -> String {
        self.approve().unwrap_err().to_string()
    }
    fn whole_only(self) -> Self {
        self.with(|s| s.config.enable_order_size_reduction = false)
    }
}

fn resting(side: Side, remaining: &str, reduce_only: bool) -> Resting {
    let symbol = Symbol::new("BTCUSDT").unwrap();
    Resting { symbol, side, remaining: quantity(remaining), price: price("100"), reduce_only }
}

#[test]
fn k2_an_approved_plan_carries_the_figures() {
    let set = Set::new(Side::Buy, "9").with(|s| s.account.position = quantity("1"));
    let approved = set.approve().unwrap();
    let told = approved.verdicts().to_vec();
    let (plan, verdicts) = approved.into_parts();
    assert_eq!(told, verdicts);
    assert_eq!(plan, set.plan);
    let shown: Vec<_> = verdicts.iter().map(|v| alloc::format!("{} {} {}", v.rule, v.figure, v.limit)).collect();
    assert_eq!(
        shown,
        [
            "leverage 5 5",
            "insufficient_balance 180.99 5000", // 900 / 5 and twice 0.055 % of 900
            "order_size 900 1000",
            "position_size 10 50",
            "exposure 1000 10000",
        ]
    );
}

#[test]
fn k4_the_trading_state_lets_reducing_orders_through() {
    for (trading, symbol_halted, code) in [
        (Trading::Halted, false, Code::TradingHalted),
        (Trading::Reducing, false, Code::ReducingOnly),
        (Trading::Active, true, Code::TradingHalted),
    ] {
        let set = Set::new(Side::Sell, "1").with(|s| {
            s.trading = trading;
            s.symbol_halted = symbol_halted;
        });
        assert_eq!(set.code(), code);
        let reducing = set.with(|s| {
            s.plan.reduce_only = true;
            s.account.position = quantity("1");
        });
        assert!(reducing.approve().is_ok());
    }
}

#[test]
fn k4_a_reduce_only_order_must_really_reduce() {
    for side in [Side::Sell, Side::Buy] {
        let against = |held| {
            Set::new(side, "1").with(|s| {
                s.plan.reduce_only = true;
                s.trading = Trading::Halted;
                s.account.position = side.opposite().signed(quantity(held));
            })
        };
        for held in ["0", "-5", "0.999"] {
            assert_eq!(against(held).code(), Code::NothingToSell, "{side} against {held}");
        }
        assert!(against("1").approve().is_ok(), "{side}");
    }
}

#[test]
fn k2_a_symbol_that_is_not_trading_takes_nothing() {
    let set = Set::new(Side::Sell, "1").with(|s| s.instrument.trading = false);
    assert_eq!(set.code(), Code::SymbolNotTrading);
    let reducing = set.with(|s| {
        s.plan.reduce_only = true;
        s.account.position = quantity("1");
    });
    assert_eq!(reducing.code(), Code::SymbolNotTrading);
    let other = Set::new(Side::Buy, "1").with(|s| s.plan.symbol = Symbol::new("ETHUSDT").unwrap());
    assert_eq!(other.code(), Code::UnknownSymbol);
}

#[test]
fn k2_leverage_and_balance_refuse_and_do_not_shrink() {
    let set = Set::new(Side::Buy, "10");
    assert_eq!(
        set.clone().with(|s| s.account.leverage = ratio("5.01")).says(),
        "leverage: 5.01 is over MAX_LEVERAGE = 5"
    );
    assert_eq!(set.clone().with(|s| s.account.leverage = ratio("0")).code(), Code::Leverage);
    let poor = set.with(|s| s.account.available = money("201"));
    assert_eq!(poor.says(), "insufficient_balance: 201.1 is over the free balance = 201");
    assert!(poor.clone().with(|s| s.account.available = money("201.1")).approve().is_ok());
    assert!(poor.with(|s| s.config.enable_balance_check = false).approve().is_ok());
}

#[test]
fn k3_each_size_limit_shrinks_to_what_fits_or_rejects() {
    let order = Set::new(Side::Buy, "12");
    let position = Set::new(Side::Buy, "9").with(|s| {
        s.config.max_position_size = quantity("10");
        s.account.position = quantity("2");
        s.account.resting = alloc::vec![resting(Side::Buy, "3", false)];
    });
    let notional = Set::new(Side::Buy, "9").with(|s| {
        s.config.max_position_notional = Some(money("950"));
        s.account.position = quantity("2");
    });
    let exposure = Set::new(Side::Buy, "9").with(|s| s.account.other_exposure = money("9300.05"));
    for (set, fits, code, figures) in [
        (order, "10", Code::OrderSize, "1200 is over MAX_EXPOSURE * MAX_ORDER_SIZE_RATIO = 1000"),
        (position, "5", Code::PositionSize, "14 is over MAX_POSITION_SIZE = 10"),
        (notional, "7.5", Code::PositionNotional, "1100 is over MAX_POSITION_NOTIONAL = 950"),
        (exposure, "6.999", Code::Exposure, "10200.05 is over MAX_EXPOSURE = 10000"),
    ] {
        let approved = set.approve().unwrap();
        assert_eq!(approved.get().quantity, quantity(fits));
        assert_eq!(approved.get().notes, [Note::Shrunk { from: set.plan.quantity, by: code }]);
        let said = set.whole_only().says();
        assert_eq!(said, alloc::format!("{code}: {figures} (ENABLE_ORDER_SIZE_REDUCTION is false)"));
    }
}

#[test]
fn k3_what_fits_but_is_below_the_minimum_is_rejected_with_the_limits_code() {
    let set = Set::new(Side::Buy, "9").with(|s| s.account.other_exposure = money("9996"));
    assert_eq!(
        set.says(),
        "exposure: 10896 is over MAX_EXPOSURE = 10000, and what would fit is below the exchange's minimum"
    );
    assert_eq!(set.with(|s| s.account.other_exposure = money("20000")).code(), Code::Exposure);
}

#[test]
fn k3_shrinking_goes_by_steps_down_to_the_minimum_itself() {
    let left = |exposure| {
        Set::new(Side::Buy, "9").with(|s| {
            s.instrument.quantity_step = quantity("0.1");
            s.instrument.min_quantity = quantity("0.5");
            s.account.other_exposure = money("10000").minus(money(exposure)).unwrap();
        })
    };
    for (exposure, fits) in [("75", "0.7"), ("50", "0.5")] {
        assert_eq!(left(exposure).quantity(), quantity(fits));
    }
    assert_eq!(left("49").code(), Code::Exposure);
    let worth = left("75").with(|s| s.instrument.min_notional = money("70"));
    assert_eq!(worth.quantity(), quantity("0.7"));
    assert_eq!(worth.with(|s| s.instrument.min_notional = money("70.01")).code(), Code::Exposure);
}

#[test]
fn k3_two_limits_shrink_one_after_the_other() {
    let set = Set::new(Side::Buy, "12").with(|s| s.config.max_position_size = quantity("4"));
    assert_eq!(set.quantity(), quantity("4"));
    assert_eq!(set.approve().unwrap().get().notes.len(), 2);
}

/// By the exchange what only reduces takes no room; by our own executions it may have filled, and this order's side with it.
#[test]
fn k1_what_may_have_reduced_unheard_takes_room_on_its_own_side() {
    let exits = |side| alloc::vec![resting(side, "7", true)];
    for (side, own, fits) in
        [(Side::Buy, "-7", "9"), (Side::Buy, "-4", "7"), (Side::Buy, "0", "3"), (Side::Sell, "0", "9")]
    {
        let set = Set::new(Side::Buy, "9").with(|s| {
            s.config.max_position_size = quantity("10");
            s.account.own = quantity(own);
            s.account.resting = exits(side);
        });
        assert_eq!(set.quantity(), quantity(fits), "{side} {own}");
    }
}

#[test]
fn k1_a_worst_case_of_the_other_side_that_is_over_closes_opening() {
    let set = Set::new(Side::Buy, "1").with(|s| s.account.resting = alloc::vec![resting(Side::Sell, "60", false)]);
    assert_eq!(set.code(), Code::PositionSize);
}

/// What may fill the other way does not take room from this way, up to the limit; beyond it nothing opens.
#[test]
fn k1_each_way_has_the_whole_limit_and_neither_may_be_over_it() {
    let position = Set::new(Side::Buy, "7").with(|s| s.config.max_position_size = quantity("5"));
    let notional = Set::new(Side::Buy, "7").with(|s| s.config.max_position_notional = Some(money("500")));
    let exposure = Set::new(Side::Buy, "7").with(|s| s.account.other_exposure = money("9500"));
    for (set, says) in [
        (position, "position_size: 7 is over MAX_POSITION_SIZE = 5"),
        (notional, "position_notional: 700 is over MAX_POSITION_NOTIONAL = 500"),
        (exposure, "exposure: 10200 is over MAX_EXPOSURE = 10000"),
    ] {
        let against = |other| set.clone().with(|s| s.account.resting = alloc::vec![resting(Side::Sell, other, false)]);
        assert_eq!(against("5").quantity(), quantity("5"), "{says}");
        let why = ", and what would fit is below the exchange's minimum";
        assert_eq!(against("5.001").says(), alloc::format!("{says}{why}"));
    }
}

/// The fee of getting out of a short is of a price above the one that it was sold at (bybit-v5.md 9.4).
#[test]
fn k2_a_short_needs_the_fee_of_its_bankruptcy_price() {
    let short = Set::new(Side::Sell, "10").with(|s| s.account.available = money("201.2"));
    assert_eq!(short.says(), "insufficient_balance: 201.21 is over the free balance = 201.2");
    assert!(short.with(|s| s.account.available = money("201.21")).approve().is_ok());
}

#[test]
fn k3_reducing_orders_pass_size_position_exposure_leverage_and_balance() {
    let set = Set::new(Side::Sell, "80").with(|s| {
        s.plan.reduce_only = true;
        s.account = Account {
            position: quantity("100"),
            leverage: ratio("50"),
            other_exposure: money("90000"),
            ..Account::default()
        };
        s.config.max_position_notional = Some(money("100"));
    });
    assert_eq!(set.quantity(), quantity("80"));
}

fn any_set() -> impl Strategy<Value = Set> {
    let orders = proptest::collection::vec((any_side(), thousandths(1..9_000), any::<bool>()), 0..4);
    let figures =
        (thousandths(1..40_000), thousandths(1_000..200_000), thousandths(-9_000..9_000), thousandths(-9_000..9_000));
    let limits = (thousandths(1_000..60_000), proptest::option::of(thousandths(100_000..5_000_000)), any::<bool>());
    let elsewhere = thousandths(0..12_000_000);
    (any_instrument(), any_side(), figures, limits, orders, elsewhere).prop_map(
        |(instrument, side, (size, at, position, own), (max_size, max_notional, shrinks), orders, elsewhere)| {
            Set::new(side, "1").with(|s| {
                s.instrument = instrument;
                (s.plan.price, s.plan.quantity) =
                    (Price(at), Quantity(size).floor_to(instrument.quantity_step).unwrap());
                (s.account.position, s.account.own) = (Quantity(position), Quantity(own));
                s.account.other_exposure = Money(elsewhere);
                s.account.resting = orders
                    .into_iter()
                    .map(|(side, remaining, reduce_only)| Resting {
                        remaining: Quantity(remaining),
                        ..resting(side, "0", reduce_only)
                    })
                    .collect();
                s.config.max_position_size = Quantity(max_size);
                s.config.max_position_notional = max_notional.map(Money);
                s.config.enable_order_size_reduction = shrinks;
            })
        },
    )
}

proptest! {
    #[test]
    fn k3_approve_never_grows_and_leaves_the_worst_case_within_every_limit(set in any_set()) {
        let Ok(approved) = set.approve() else { return Ok(()) };
        let (plan, config, account) = (approved.get(), &set.config, &set.account);
        prop_assert!(plan.quantity <= set.plan.quantity);
        prop_assert!(plan.quantity == set.plan.quantity || config.enable_order_size_reduction);
        prop_assert_eq!(plan.quantity.floor_to(set.instrument.quantity_step), Some(plan.quantity));
        let unshrunk = Plan { quantity: set.plan.quantity, notes: Vec::new(), ..plan.clone() };
        prop_assert_eq!(&unshrunk, &set.plan, "nothing but the quantity changes");

        let order = Resting { remaining: plan.quantity, price: plan.price, ..resting(plan.side, "0", false) };
        let orders = || account.resting.iter().copied().chain([order]);
        let told = Held::Told(account.position);
        let heard = Held::Heard(account.own);
        let worst = [worst_case(told, orders()).unwrap().largest(), worst_case(heard, orders()).unwrap().on(plan.side)];
        prop_assert!(worst.iter().all(|worst| *worst <= config.max_position_size));
        let (told, heard) = [told, heard].map(|held| worst_notional(held, orders(), plan.price).unwrap()).into();
        for notional in [told.largest(), heard.on(plan.side)] {
            prop_assert!(config.max_position_notional.is_none_or(|limit| notional <= limit));
            prop_assert!(notional.plus(account.other_exposure).unwrap() <= config.max_exposure);
        }
        prop_assert!(plan.price.times(plan.quantity).unwrap() <= config.max_order_notional().unwrap());
        prop_assert!(approved.verdicts().iter().all(|v| v.figure <= v.limit));
    }

    /// Shrinking is not timid: one step more than what was approved would be over a limit. Planning opens
    /// nothing against a position, so the position lies on the order's side.
    #[test]
    fn k3_shrinking_leaves_nothing_that_would_have_fitted(mut set in any_set()) {
        set.account.position = set.plan.side.signed(set.account.position.abs());
        set.account.own = set.account.position;
        let Ok(approved) = set.approve() else { return Ok(()) };
        let more = approved.get().quantity.plus(set.instrument.quantity_step).unwrap();
        if more <= set.plan.quantity {
            let again = set.clone().with(|s| s.plan.quantity = more).whole_only();
            prop_assert!(again.approve().is_err());
        }
    }
}
