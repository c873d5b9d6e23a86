mod laws;

use super::*;
use crate::config::{SellAmountUnit, SpreadUnit};
use crate::fixture::{d, instrument, link, money, price, quantity, quote, quote_at, ratio, signal};
use crate::intake::Snapshot;
use crate::unit::{Decimal, Money};
use alloc::string::ToString;

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

#[test]
fn d7_what_is_exactly_at_a_limit_of_the_exchange_fits() {
    let bare = |amount| Set::new(Side::Buy, amount).with(|s| s.signal.snapshot.spread = None); // at 50000
    let quantity_of = |set: Set| set.plan().unwrap().quantity;
    let minimum = bare("500").with(|s| s.instrument.min_quantity = quantity("0.01"));
    assert_eq!(quantity_of(minimum.clone()), quantity("0.01"));
    assert_eq!(minimum.with(|s| s.signal.amount = d("499.99")).code(), Code::BelowMinimum);
    let worth = bare("500").with(|s| s.instrument.min_notional = money("500"));
    assert_eq!(quantity_of(worth.clone()), quantity("0.01"));
    assert_eq!(worth.with(|s| s.instrument.min_notional = money("500.01")).code(), Code::BelowMinimum);
    let maximum = bare("500").with(|s| s.instrument.max_limit_quantity = quantity("0.01"));
    assert_eq!(quantity_of(maximum.clone()), quantity("0.01"));
    assert_eq!(maximum.with(|s| s.signal.amount = d("550")).code(), Code::AboveMaximum);
}

/// No quantity is an order, even on a symbol without a minimum.
#[test]
fn d7_nothing_is_not_an_order() {
    let dust = Set::new(Side::Buy, "1").with(|s| {
        s.instrument.min_quantity = Quantity::ZERO;
        s.instrument.min_notional = Money::ZERO;
    });
    assert_eq!(dust.code(), Code::BelowMinimum);
}

#[test]
fn d5_the_drift_bound_holds_what_is_priced_anew_and_only_that() {
    let first = Set::new(Side::Buy, "1000").with(|s| s.signal.snapshot.spread = Some(price("6000")));
    assert_eq!(first.price(), price("47000"), "6 % below: so the signal's spread wants it");
    let anew = |best| {
        Set::new(Side::Buy, "1000").with(|s| {
            s.quote = quote_at("47600", best, "47600");
            s.reprice = 1;
        })
    };
    assert_eq!(anew("47500").price(), price("47500"), "5 % is not over it");
    assert_eq!(anew("47499.9").code(), Code::NotExecuted);
}

/// A spread that cannot be reckoned with is not a missing one.
#[test]
fn d5_a_spread_beyond_all_figures_makes_no_price() {
    let beyond = Set::new(Side::Buy, "1000").with(|s| {
        s.signal.snapshot.spread = Some(Price(Decimal::MAX));
        s.config.spread_unit = SpreadUnit::Percent;
    });
    assert_eq!(beyond.code(), Code::NoPrice);
}

/// A short is worth the most where it is sold the dearest, and a bid above the last price buys it there.
#[test]
fn d5_a_market_sell_is_reckoned_at_its_dearest_too() {
    let sell = |last, bid, ask| {
        let set = Set::new(Side::Sell, "1000").with(|s| {
            s.config.allow_short = true;
            s.signal.urgent = true;
            s.quote = quote_at(last, bid, ask);
        });
        set.price()
    };
    assert_eq!(sell("50000", "50010", "50020"), price("50010"));
    assert_eq!(sell("50000", "49990", "50020"), price("50000"));
}

#[test]
fn d5_without_a_book_the_last_price_stands_for_it() {
    let bare = |side| {
        Set::new(side, "1000").with(|s| {
            s.quote = Quote { bid: None, ask: None, ..quote_at("49900", "1", "1") };
            s.position = if side == Side::Buy { Quantity::ZERO } else { quantity("1") };
        })
    };
    let priced_anew = |side, price_of_signal| {
        bare(side).with(|s| {
            s.signal.snapshot.price = Some(price(price_of_signal));
            s.reprice = 1;
        })
    };
    assert_eq!(priced_anew(Side::Buy, "50100").price(), price("49900"));
    assert_eq!(priced_anew(Side::Sell, "49700").price(), price("49900"));
    assert_eq!(bare(Side::Sell).with(|s| s.signal.urgent = true).price(), price("49900"));
    assert_eq!(bare(Side::Buy).with(|s| s.signal.urgent = true).price(), price("50149.5")); // half a percent above
}

/// Only the band is news; the tick is not.
#[test]
fn d5_a_price_between_two_ticks_goes_to_our_side_of_it_without_a_word() {
    for (side, at) in [(Side::Buy, "50000"), (Side::Sell, "50000.1")] {
        let set = Set::new(side, "1000").with(|s| {
            s.signal.snapshot = Snapshot { price: Some(price("50000.05")), spread: None, ..s.signal.snapshot };
            s.config.allow_short = true;
        });
        let plan = set.plan().unwrap();
        assert_eq!((plan.price, plan.notes), (price(at), Vec::new()), "{side}");
    }
}

#[test]
fn d5_a_price_that_no_tick_meets_is_refused_with_the_range() {
    let cheap = Set::new(Side::Buy, "1000").with(|s| {
        s.instrument.min_price = price("60000");
        s.instrument.max_price = price("70000");
    });
    assert_eq!(cheap.plan().unwrap_err().text.as_str(), "BTCUSDT: buy at 49950 has no tick between 60000 and 70000");
}

#[test]
fn d7_a_market_order_must_be_worth_enough_at_the_latest_price() {
    let set = Set::new(Side::Buy, "60").with(|s| s.signal.urgent = true);
    let worth = |least| set.clone().with(|s| s.instrument.min_notional = money(least));
    assert!(worth("50").plan().is_ok());
    assert_eq!(worth("50.1").code(), Code::BelowMinimum, "0.001 is worth 50.25 at its dearest, and 50 now");
}

#[test]
fn d7_a_quantity_is_whole_steps_however_large_the_minimum() {
    let set = Set::new(Side::Sell, "0.0149").with(|s| {
        s.position = quantity("1");
        s.config.sell_amount_unit = SellAmountUnit::Base;
        s.instrument.min_quantity = quantity("0.005");
    });
    assert_eq!(set.plan().unwrap().quantity, quantity("0.014"));
    let held = set.with(|s| s.position = quantity("0.0128"));
    assert_eq!(held.plan().unwrap().quantity, quantity("0.012"), "nor more than is held");
}

#[test]
fn d6_a_refusal_for_drift_says_how_far() {
    let far = Set::new(Side::Buy, "1000").with(|s| s.quote = quote_at("60001.7", "60000", "60002"));
    assert_eq!(
        far.plan().unwrap_err().text.as_str(),
        "price 60001.7 is 0.2 away from the signal's 50000, the limit is 0.05"
    );
}
