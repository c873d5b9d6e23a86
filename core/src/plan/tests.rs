use super::*;
use crate::config::{SellAmountUnit, SpreadUnit};
use crate::fixture::{
    any_instrument, any_side, d, instrument, link, money, price, quantity, quote, quote_at, ratio, signal, thousandths,
};
use crate::unit::Money;
use alloc::string::ToString;
use proptest::prelude::*;

/// A scene that owns what it shows, so that a test changes one thing and plans.
#[derive(Clone, Debug)]
struct Set {
    signal: Signal,
    instrument: Instrument,
    quote: Quote,
    position: Quantity,
    existing: Vec<Existing>,
    config: Config,
    reprice: u8,
}

impl Set {
    fn new(side: Side, amount: &str) -> Self {
        Self {
            signal: signal(side, amount),
            instrument: instrument(),
            quote: quote(),
            position: Quantity::ZERO,
            existing: Vec::new(),
            config: Config::default(),
            reprice: 0,
        }
    }
    fn with(mut self, change: impl FnOnce(&mut Self)) -> Self {
        change(&mut self);
        self
    }
    fn plan(&self) -> Result<Plan, Refusal> {
        let Self { signal, instrument, quote, position, existing, config, reprice } = self;
        plan(&Scene { signal, instrument, quote, position: *position, existing, config, reprice: *reprice })
    }
    fn is_market(&self) -> bool {
        matches!(self.plan().unwrap().kind, OrderKind::Market { .. })
    }
    fn price(&self) -> Price {
        self.plan().unwrap().price
    }
    fn code(&self) -> Code {
        self.plan().unwrap_err().code
    }
}

fn existing(attempt: u8, side: Side) -> Existing {
    let remaining = quantity("0.4");
    Existing { link: link(attempt), side, remaining, is_limit: true, filled: false, reduce_only: false }
}

#[test]
fn d5_an_opening_signal_becomes_a_post_only_limit() {
    let plan = Set::new(Side::Buy, "1000").plan().unwrap();
    // 50000 - 100 * 0.5 = 49950; 1000 / 49950 = 0.02002
    assert_eq!(plan.kind, OrderKind::Limit { price: price("49950"), time_in_force: TimeInForce::PostOnly });
    assert_eq!((plan.quantity, plan.reduce_only, plan.price), (quantity("0.02"), false, price("49950")));
    assert_eq!((plan.drift, plan.notes.as_slice()), (Some(Ratio::ZERO), [].as_slice()));
    let gtc = Set::new(Side::Buy, "1000").with(|s| s.config.limit_post_only = false).plan().unwrap();
    assert_eq!(gtc.kind, OrderKind::Limit { price: price("49950"), time_in_force: TimeInForce::Gtc });
}

#[test]
fn d4_market_is_strictly_above_the_confidence_threshold() {
    let with = |confidence| Set::new(Side::Buy, "1000").with(|s| s.signal.confidence = ratio(confidence)).is_market();
    assert!(!with("0.9"));
    assert!(with("0.90001"));
    assert!(Set::new(Side::Buy, "1000").with(|s| s.signal.urgent = true).is_market());
}

#[test]
fn d4_market_is_strictly_below_the_spread_threshold() {
    let with = |spread, unit| {
        let set = Set::new(Side::Buy, "1000").with(|s| s.signal.snapshot.spread = Some(price(spread)));
        set.with(|s| s.config.spread_unit = unit).is_market()
    };
    assert!(!with("50", SpreadUnit::Absolute)); // 50 of 50000 is 0.1 %
    assert!(with("49.9", SpreadUnit::Absolute));
    assert!(!with("0.1", SpreadUnit::Percent));
    assert!(with("0.09", SpreadUnit::Percent));
    assert!(!Set::new(Side::Buy, "1000").with(|s| s.signal.snapshot.spread = None).is_market());
}

#[test]
fn d5_a_market_order_is_reckoned_at_its_dearest() {
    let buy = Set::new(Side::Buy, "1000").with(|s| s.signal.urgent = true).plan().unwrap();
    assert_eq!(buy.kind, OrderKind::Market { slippage: Some(ratio("0.005")) });
    assert_eq!(buy.price, price("50250.2")); // 50000.1 * 1.005 = 50250.1005, up to the tick
    assert_eq!(buy.quantity, quantity("0.019"));
}

#[test]
fn d5_prices_come_from_signal_and_spread() {
    let sell = Set::new(Side::Sell, "1000").with(|s| s.position = quantity("1"));
    assert_eq!(sell.price(), price("50050"));
    let percent = Set::new(Side::Buy, "1000").with(|s| {
        s.signal.snapshot.spread = Some(price("1"));
        s.config.spread_unit = SpreadUnit::Percent;
    });
    assert_eq!(percent.price(), price("49750")); // half of 1 % of 50000 below
    let bare = Set::new(Side::Buy, "1000").with(|s| s.signal.snapshot.spread = None);
    assert_eq!(bare.price(), price("50000"));
    let absurd = Set::new(Side::Buy, "1000").with(|s| s.signal.snapshot.spread = Some(price("100000")));
    assert_eq!(absurd.code(), Code::NoPrice);
}

#[test]
fn d5_a_limit_outside_the_band_is_moved_and_said() {
    let set = Set::new(Side::Buy, "1000").with(|s| {
        s.quote = quote_at("48000", "47999", "48001");
        s.signal.snapshot.spread = None;
    });
    let plan = set.plan().unwrap();
    assert_eq!(plan.price, price("48480")); // mark and one percent
    assert_eq!(plan.notes, [Note::Drifted, Note::MovedIntoBand]);
}

#[test]
fn d5_a_crossing_order_is_re_priced_to_rest_and_only_twice() {
    let set = Set::new(Side::Buy, "1000").with(|s| {
        s.quote = quote_at("49500", "49490", "49500");
        s.reprice = 1;
    });
    assert_eq!(set.price(), price("49490"));
    assert!(!set.clone().with(|s| s.signal.urgent = true).is_market(), "a limit stays a limit");
    let away = set.clone().with(|s| s.quote = quote());
    assert_eq!(away.price(), price("49950"), "no dearer than the signal asked");
    assert_eq!(set.clone().with(|s| s.reprice = 3).code(), Code::NotExecuted);
    let far = set.with(|s| s.quote = quote_at("47600", "47400", "47600"));
    assert_eq!(far.code(), Code::NotExecuted, "5.2 % below the signal's price");
    let sell = Set::new(Side::Sell, "1000").with(|s| {
        s.position = quantity("1");
        s.quote = quote_at("50200", "50190", "50210");
        s.reprice = 2;
    });
    assert_eq!(sell.price(), price("50210"));
}

#[test]
fn d6_drift_rejects_opening_and_warns_reducing() {
    let at = |last, side, position| {
        Set::new(side, "1000").with(|s| {
            s.quote = quote_at(last, last, last);
            s.position = quantity(position);
        })
    };
    assert_eq!(at("50500", Side::Buy, "0").plan().unwrap().notes, []);
    assert_eq!(at("50501", Side::Buy, "0").plan().unwrap().notes, [Note::Drifted]);
    assert!(at("52500", Side::Buy, "0").plan().is_ok());
    assert_eq!(at("52501", Side::Buy, "0").code(), Code::PriceDrift);
    let reducing = at("60000", Side::Sell, "1").plan().unwrap();
    assert_eq!(reducing.drift, Some(ratio("0.2")));
    assert!(reducing.notes.contains(&Note::Drifted));
    let no_price = at("60000", Side::Buy, "0").with(|s| s.signal.snapshot.price = None).plan().unwrap();
    assert_eq!((no_price.price, no_price.drift), (price("59950"), None));
    assert_eq!(no_price.notes, [Note::NoSnapshotPrice]);
    assert_eq!(at("0", Side::Buy, "0").code(), Code::NoPrice);
}

#[test]
fn d7_below_a_minimum_is_rejected_never_rounded_up() {
    assert_eq!(Set::new(Side::Buy, "40").code(), Code::BelowMinimum);
    let notional = Set::new(Side::Buy, "60").with(|s| s.instrument.min_notional = money("60")).plan().unwrap_err();
    assert_eq!(notional.code, Code::BelowMinimum);
    assert_eq!(notional.text.as_str(), "0.001 BTCUSDT is worth 49.95, below minNotionalValue 60");
}

#[test]
fn d7_a_sell_in_the_wrong_unit_says_so() {
    let sell = |amount, unit| {
        let set = Set::new(Side::Sell, amount).with(|s| s.position = quantity("900"));
        set.with(|s| s.config.sell_amount_unit = unit).plan()
    };
    let refused = sell("0.5", SellAmountUnit::Quote).unwrap_err();
    assert_eq!(refused.code, Code::BelowMinimum);
    assert!(refused.text.as_str().ends_with("with SELL_AMOUNT_UNIT=base it would be 0.5, which fits"), "{refused}");
    assert_eq!(sell("0.5", SellAmountUnit::Base).unwrap().quantity, quantity("0.5"));
    let buy = Set::new(Side::Buy, "0.5").plan().unwrap_err();
    assert!(!buy.text.as_str().contains("SELL_AMOUNT_UNIT"), "{buy}");
    let dust = sell("0.0001", SellAmountUnit::Quote).unwrap_err();
    assert!(!dust.text.as_str().contains("SELL_AMOUNT_UNIT"), "{dust}");
}

#[test]
fn d7_three_times_a_limit_is_implausible_not_shrunk() {
    let set = |amount| Set::new(Side::Buy, amount).with(|s| s.signal.snapshot.spread = None);
    assert!(set("3000").plan().is_ok(), "three times 1000 is not over it");
    let refused = set("3050").plan().unwrap_err();
    assert_eq!(refused.code, Code::ImplausibleSize);
    assert!(refused.text.as_str().starts_with("3050 is over three times MAX_EXPOSURE * MAX_ORDER_SIZE_RATIO = 1000"));
    let notional = set("2000").with(|s| s.config.max_position_notional = Some(money("600")));
    assert_eq!(notional.code(), Code::ImplausibleSize);
    let base = set("3000").with(|s| s.config.max_position_size = quantity("0.01"));
    assert_eq!(base.code(), Code::ImplausibleSize);
    let exit = set("1000000").with(|s| {
        s.signal.side = Side::Sell;
        s.position = quantity("1.5");
    });
    assert_eq!(exit.plan().unwrap().quantity, quantity("1.5"), "reducing orders are capped, not implausible");
}

#[test]
fn d7_over_the_exchanges_maximum_names_it() {
    let set = Set::new(Side::Buy, "1000").with(|s| s.instrument.max_limit_quantity = quantity("0.01"));
    assert_eq!(set.plan().unwrap_err().to_string(), "above_maximum: 0.02 BTCUSDT is above maxOrderQty 0.01");
    let set = Set::new(Side::Buy, "1000").with(|s| {
        s.instrument.max_market_quantity = quantity("0.01");
        s.signal.urgent = true;
    });
    assert_eq!(set.plan().unwrap_err().to_string(), "above_maximum: 0.019 BTCUSDT is above maxMktOrderQty 0.01");
}

#[test]
fn d9_a_sell_reduces_a_long_and_never_more_than_it() {
    let plan = Set::new(Side::Sell, "5000").with(|s| s.position = quantity("0.06")).plan().unwrap();
    assert_eq!((plan.quantity, plan.reduce_only), (quantity("0.06"), true));
    assert_eq!(plan.kind, OrderKind::Limit { price: price("50050"), time_in_force: TimeInForce::Gtc });
    assert_eq!(plan.notes, [Note::CappedAtPosition(quantity("0.039"))]);
    let buy = Set::new(Side::Buy, "1000").with(|s| s.position = quantity("-0.01")).plan().unwrap();
    assert_eq!((buy.quantity, buy.reduce_only), (quantity("0.01"), true));
}

#[test]
fn d9_flat_or_short_there_is_nothing_to_sell() {
    for position in ["0", "-1"] {
        assert_eq!(Set::new(Side::Sell, "1000").with(|s| s.position = quantity(position)).code(), Code::NothingToSell);
    }
    let short = Set::new(Side::Sell, "1000").with(|s| s.config.allow_short = true);
    assert!(!short.plan().unwrap().reduce_only);
    assert_eq!(short.clone().with(|s| s.signal.is_exit = true).code(), Code::NothingToSell);
    assert_eq!(Set::new(Side::Buy, "1000").with(|s| s.signal.is_exit = true).code(), Code::NothingToSell);
    let flip = short.with(|s| s.position = quantity("0.012")).plan().unwrap();
    assert_eq!((flip.quantity, flip.reduce_only), (quantity("0.012"), true));
    assert_eq!(flip.notes, [Note::ClosesOnly(quantity("0.007"))]);
}

#[test]
fn d9_a_position_below_the_minimum_is_refused_and_min_notional_does_not_bind() {
    let set = Set::new(Side::Sell, "1000").with(|s| s.instrument.min_quantity = quantity("0.01"));
    let dust = set.clone().with(|s| s.position = quantity("0.009")).plan().unwrap_err();
    assert_eq!(dust.code, Code::BelowMinimum);
    assert_eq!(
        dust.text.as_str(),
        "0.009 BTCUSDT, all that there is to reduce, is below minOrderQty 0.01 (step 0.001)"
    );
    let poor = set.with(|s| {
        s.position = quantity("0.01");
        s.instrument.min_notional = money("100000");
    });
    assert_eq!(poor.plan().unwrap().quantity, quantity("0.01"));
}

#[test]
fn d2_replace_cancels_what_the_switches_say() {
    let part = Existing { filled: true, ..existing(2, Side::Buy) };
    let on_its_way = Existing { is_limit: false, ..existing(3, Side::Buy) };
    let base = Set::new(Side::Buy, "1000").with(|s| {
        s.existing = alloc::vec![existing(0, Side::Buy), existing(1, Side::Sell), part, on_its_way];
    });
    let cancels = |set: &Set| -> Vec<u8> {
        let plan = set.plan().unwrap();
        (0..4).filter(|n| plan.cancels.contains(&link(*n))).collect()
    };
    assert_eq!(cancels(&base), [0, 1, 2, 3]);
    let opposite = base.clone().with(|s| s.config.cancel_opposite_orders_only = true);
    assert_eq!(cancels(&opposite), [1]);
    assert_eq!(cancels(&opposite.with(|s| s.signal.urgent = true)), [0, 1, 2], "a market signal overtakes all limits");
    let protect = base.with(|s| s.config.cancel_partially_filled = false);
    assert_eq!(cancels(&protect), [0, 1, 3]);
    let exit = protect.with(|s| {
        s.signal.is_exit = true;
        s.position = quantity("-1");
    });
    assert_eq!(cancels(&exit), [0, 1, 2, 3], "an exit cancels remainders too");
}

#[test]
fn d9_orders_that_stay_are_taken_off_the_position() {
    let set = Set::new(Side::Sell, "100000").with(|s| {
        s.position = quantity("1");
        s.config.cancel_opposite_orders_only = true;
        s.existing = alloc::vec![existing(0, Side::Sell)];
    });
    assert_eq!(set.plan().unwrap().quantity, quantity("0.6"));
    assert_eq!(set.with(|s| s.position = quantity("0.4")).code(), Code::NothingToSell);
}

fn any_set() -> impl Strategy<Value = Set> {
    let orders = proptest::collection::vec((any_side(), any::<bool>(), any::<bool>(), thousandths(1..3_000)), 0..4);
    let figures = (thousandths(1..4_000_000), thousandths(45_000_000..55_000_000), thousandths(-3_000..3_000));
    let spread = proptest::option::of(thousandths(0..300_000));
    let switches = (any::<bool>(), any::<bool>(), any::<bool>(), any::<bool>(), any::<bool>(), any::<bool>());
    (any_instrument(), any_side(), figures, spread, orders, switches, 0_u8..3).prop_map(
        |(instrument, side, (amount, last, position), spread, orders, switches, reprice)| {
            let (urgent, is_exit, allow_short, base, opposite_only, keep_filled) = switches;
            let mut set = Set::new(side, "1");
            set.instrument =
                Instrument { quantity_step: quantity("0.003"), min_quantity: quantity("0.003"), ..instrument };
            set.signal.amount = if base { amount.checked_div(d("50000")).unwrap() } else { amount };
            set.signal.snapshot.spread = spread.map(Price);
            (set.signal.urgent, set.signal.is_exit) = (urgent, is_exit);
            set.quote =
                Quote { last: Price(last), mark: Some(Price(last)), index: None, bid: None, ask: None, ..quote() };
            set.position = Quantity(position);
            set.reprice = reprice;
            set.config.allow_short = allow_short;
            set.config.cancel_opposite_orders_only = opposite_only;
            set.config.cancel_partially_filled = !keep_filled;
            set.config.sell_amount_unit = if base { SellAmountUnit::Base } else { SellAmountUnit::Quote };
            set.config.max_position_size = quantity("1000");
            set.existing = (0_u8..)
                .zip(orders)
                .map(|(n, (side, is_limit, filled, remaining))| Existing {
                    is_limit,
                    filled,
                    remaining: Quantity(remaining),
                    ..existing(n, side)
                })
                .collect();
            set
        },
    )
}

proptest! {
    #[test]
    fn d5_d7_prices_and_quantities_lie_on_tick_and_step_and_cost_no_more_than_the_amount(set in any_set()) {
        let Ok(plan) = set.plan() else { return Ok(()) };
        let rules = &set.instrument;
        prop_assert_eq!(plan.quantity.floor_to(rules.quantity_step), Some(plan.quantity));
        prop_assert_eq!(plan.price.floor_to(rules.tick_size), Some(plan.price));
        prop_assert!(plan.quantity >= rules.min_quantity);
        if let OrderKind::Limit { price, .. } = plan.kind {
            prop_assert_eq!(price, plan.price);
        }
        if set.signal.side == Side::Buy || set.config.sell_amount_unit == SellAmountUnit::Quote {
            prop_assert!(plan.price.times(plan.quantity).unwrap() <= Money(set.signal.amount));
        } else {
            prop_assert!(plan.quantity.0 <= set.signal.amount);
        }
    }

    /// Everything of the sell side that stays fills, and the order too: still no short.
    #[test]
    fn d9_without_allow_short_no_sell_ends_short(mut set in any_set()) {
        set.config.allow_short = false;
        set.signal.side = Side::Sell;
        let Ok(plan) = set.plan() else { return Ok(()) };
        prop_assert!(plan.reduce_only);
        let stays = set.existing.iter().filter(|o| o.side == Side::Sell && !plan.cancels.contains(&o.link));
        let sold = stays.fold(plan.quantity, |sum, order| sum.plus(order.remaining).unwrap());
        prop_assert!(set.position >= sold);
    }

    #[test]
    fn d9_exits_only_reduce_in_every_mode(mut set in any_set()) {
        set.signal.is_exit = true;
        if let Ok(plan) = set.plan() {
            prop_assert!(plan.reduce_only);
            prop_assert!(plan.quantity <= set.position.abs());
        }
    }

    #[test]
    fn d2_orders_of_the_other_side_never_stay(set in any_set()) {
        if let Ok(plan) = set.plan() {
            let mut other = set.existing.iter().filter(|o| o.side != set.signal.side);
            prop_assert!(other.all(|o| plan.cancels.contains(&o.link)));
        }
    }
}
