use super::*;
use crate::exchange::Quirk;
use order_manager_core::bybit::{ApiReply, LimitHeaders, Reply};
use order_manager_core::input::Answer;
use order_manager_core::unit::{Money, Price, Ratio, Side, Symbol, Text};

#[test]
fn an_opening_decided_by_a_price_of_ten_minutes_ago() {
    let mut world = watched(Oracle::StaleDataNeverOpens);
    world.run_to(world.now.after(Span::secs(600)));
    let spec = Box::new(specs(&world).0);
    made(&mut world, vec![Event::OrderIntended { spec }]);
    found(&world, Oracle::StaleDataNeverOpens);
}

#[test]
fn an_opening_decided_by_a_clock_that_is_far_off() {
    let mut world = watched(Oracle::StaleDataNeverOpens);
    let spec = Box::new(specs(&world).0);
    let signed_at = Scene { now: world.now, exchange: &world.exchange }.clock();
    let asks = Outgoing { tag: Tag::Clock, signed_at, recv_window_ms: 5_000, request: Request::ServerTime };
    let answer = ApiReply { result: Ok(Reply::ServerTime(0)), time: None, limits: LimitHeaders::default() };
    let answers = Input::Reply { tag: Tag::Clock, answer: Box::new(Answer::Typed(answer)) };
    let mut manager = world.life.manager().unwrap().clone();
    let mut step = Step::default();
    manager.step(world.now.after(Span::secs(2)), &Input::Woke, &mut step).unwrap();
    for (input, events, commands) in [
        (Input::Woke, vec![], vec![Command::Send(asks)]),
        (answers, vec![], vec![]),
        (Input::Woke, vec![Event::OrderIntended { spec }], vec![]),
    ] {
        (step.events, step.commands) = (events, commands);
        let World { judge, exchange, now, .. } = &mut world;
        judge.stepped(Scene { now: *now, exchange }, &input, &step, &manager);
    }
    let what = &world.broken().unwrap().what;
    assert!(what.contains("a clock 2000 ms off the exchange's"), "{what}");
}

#[test]
fn an_opening_at_a_price_far_from_the_signals() {
    let mut world = watched(Oracle::DriftLimit);
    world.set_price(Symbol::clipped("BTCUSDT"), Price(Decimal::from(80_000)));
    world.run_to(world.now.after(Span::secs(20)));
    let spec = Box::new(specs(&world).0);
    made(&mut world, vec![Event::OrderIntended { spec }]);
    found(&world, Oracle::DriftLimit);
}

#[test]
fn an_opening_on_a_halted_symbol() {
    let mut world = watched(Oracle::HaltedOpensNothing);
    let spec = Box::new(specs(&world).0);
    tell(&mut world, &Event::OpeningHalted { symbol: spec.symbol, why: Text::clipped("a test") });
    tell(&mut world, &Event::OrderIntended { spec });
    found(&world, Oracle::HaltedOpensNothing);
}

/// Another order of the filled one's kind arrives, under rules that the judge alone knows.
fn one_more(oracle: Oracle, rules: impl Fn(&mut Config)) -> World {
    let mut world = watched(oracle);
    rules(&mut world.judge.config);
    let spec = specs(&world).0;
    let link = unused();
    tell(&mut world, &Event::OrderIntended { spec: Box::new(Spec { link, ..spec }) });
    arrive(&mut world, Create { link, ..spec.create() });
    world
}

#[test]
fn a_position_over_its_limit_in_the_worst_case() {
    // 0.01 is held, 0.01 rests, 0.01 comes
    let world = one_more(Oracle::PositionLimit, |config| config.max_position_size = quantity("0.03"));
    assert_eq!(world.broken(), None);
    let world = one_more(Oracle::PositionLimit, |config| config.max_position_size = quantity("0.029"));
    found(&world, Oracle::PositionLimit);
}

#[test]
fn trades_of_others_excuse_what_they_add_and_no_more() {
    for (limit, is_over) in [("0.03", false), ("0.029", true)] {
        let mut world = watched(Oracle::PositionLimit);
        world.judge.config.max_position_size = quantity(limit);
        let spec = specs(&world).0;
        let link = unused();
        made(&mut world, vec![Event::OrderIntended { spec: Box::new(Spec { link, ..spec }) }]);
        tell(&mut world, &Event::OrderIntended { spec: Box::new(Spec { link, ..spec }) });
        world.exchange.manual_order(world.now, spec.symbol, Side::Buy, quantity("0.05"));
        arrive(&mut world, Create { link, ..spec.create() });
        assert_eq!(world.broken().is_some(), is_over);
    }
}

/// 0.01 is held, 0.01 rests, 0.01 comes, and a stranger's 0.01 rests: it counts from when it was shown.
#[test]
fn open_orders_of_others_count_once_they_were_shown() {
    let strangers = r#"
[[steps]]
at = "30s"
quirk = { name = "foreign-order", side = "buy", quantity = "0.01", away = "0.02" }
"#;
    for (decided, limit, is_over) in [(0, "0.03", false), (1, "0.03", true), (1, "0.04", false)] {
        let world = one_more_beside(strangers, decided, limit);
        assert_eq!(world.broken().is_some(), is_over, "decided after {decided} s, the limit is {limit}");
    }
}

/// Another order of the filled one's kind, decided so many seconds after the stranger's was placed.
fn one_more_beside(steps: &str, decided: u64, limit: &str) -> World {
    let mut world = acted(&format!("{TWO_ORDERS}{steps}"), Set::only(Oracle::PositionLimit));
    let placed = world.exchange.truth().orders.iter().find(|order| !order.is_ours()).unwrap().created;
    let (link, decided) = (unused(), placed.after(Span::secs(decided)));
    world.judge.config.max_position_size = quantity(limit);
    let spec = specs(&world).0;
    tell(&mut world, &Event::OrderIntended { spec: Box::new(Spec { link, ..spec }) });
    world.judge.memory.track(link).decided.at = decided;
    arrive(&mut world, Create { link, ..spec.create() });
    world
}

/// What a stranger's order is told to have filled by its row alone excuses nothing.
#[test]
fn a_trade_of_others_that_its_row_told_is_no_excuse() {
    let strangers = r#"
[[steps]]
at = "30s"
fault = { drop = "push", of = "execution", count = 1 }
[[steps]]
at = "30s"
fault = { drop = "push", of = "position", count = 1 }
[[steps]]
at = "30s"
quirk = { name = "foreign-order", side = "buy", quantity = "0.01", away = "-0.02" }
"#;
    for (decided, is_over) in [(0, false), (1, true)] {
        assert_eq!(
            one_more_beside(strangers, decided, "0.03").broken().is_some(),
            is_over,
            "decided after {decided} s"
        );
    }
}

#[test]
fn an_exposure_over_its_limit_in_the_worst_case() {
    let world = one_more(Oracle::ExposureLimit, |config| config.max_exposure.0 = Decimal::from(1_550));
    assert_eq!(world.broken(), None);
    let world = one_more(Oracle::ExposureLimit, |config| config.max_exposure.0 = Decimal::from(1_450));
    found(&world, Oracle::ExposureLimit);
}

#[test]
fn a_position_that_may_be_worth_more_than_its_limit() {
    for (limit, is_over) in [(1_550, false), (1_450, true)] {
        let limit = Some(Money(Decimal::from(limit)));
        let world = one_more(Oracle::PositionNotionalLimit, |config| config.max_position_notional = limit);
        assert_eq!(world.broken().is_some(), is_over);
    }
}

/// Somebody sets a leverage of six. What was decided by what was asked for before is not to blame.
#[test]
fn an_opening_with_a_leverage_over_its_limit() {
    for (asked_later, is_known) in [(0, false), (2, true)] {
        let mut world = watched(Oracle::LeverageLimit);
        let (link, spec, set_at) = (unused(), specs(&world).0, world.now.after(Span::secs(1)));
        world.run_to(set_at);
        assert!(world.quirk(&Quirk::Leverage { symbol: spec.symbol, leverage: Ratio(Decimal::from(6)) }));
        world.judge.memory.track(link).decided.leverage_asked = Some(set_at.after(Span::secs(asked_later)));
        let outgoing = create(&world, Create { link, ..spec.create() });
        let World { judge, exchange, now, .. } = &mut world;
        judge.arrives(Scene { now: *now, exchange }, &outgoing);
        assert_eq!(world.broken().is_some(), is_known);
    }
}

#[test]
fn an_order_over_its_limit() {
    let world = one_more(Oracle::OrderSizeLimit, |config| config.max_exposure.0 = Decimal::from(4_000));
    found(&world, Oracle::OrderSizeLimit);
}

#[test]
fn an_order_that_is_larger_than_its_signal() {
    let mut world = watched(Oracle::NeverMoreThanAsked);
    let spec = specs(&world).0;
    tell(&mut world, &Event::OrderIntended { spec: Box::new(Spec { quantity: quantity("0.011"), ..spec }) });
    found(&world, Oracle::NeverMoreThanAsked);
}

#[test]
fn an_order_beyond_the_balance() {
    let mut world = watched(Oracle::Balance);
    let link = unused();
    world.run_to(world.now.after(Span::secs(1)));
    let decided = &mut world.judge.memory.track(link).decided;
    (decided.funds_asked, decided.wallet_asked) = (Some(world.now), Some(world.now));
    let outgoing = create(&world, Create { link, quantity: quantity("20"), ..specs(&world).0.create() });
    let World { judge, exchange, now, .. } = &mut world;
    judge.arrives(Scene { now: *now, exchange }, &outgoing);
    found(&world, Oracle::Balance);
}

/// A wallet that is behind may lack what was taken just before it was asked for, however long ago the price was.
#[test]
fn an_order_beyond_what_a_wallet_behind_showed() {
    let behind = r#"
[[steps]]
at = "20s"
quirk = { name = "wallet-lag", lag = "5s" }
"#;
    for (asked_later, is_known) in [(1, false), (10, true)] {
        let mut world = acted(&format!("{TWO_ORDERS}{behind}"), Set::only(Oracle::Balance));
        world.run_to(world.now.after(Span::secs(60)));
        let (link, resting) = (unused(), specs(&world).1.create());
        let priced_at = world.now;
        let before = Intent { signal: SignalId(8), leg: 0, attempt: 0 };
        arrive(&mut world, Create { link: OrderLinkId::of(Config::default().link_id_prefix, before), ..resting });
        world.run_to(priced_at.after(Span::secs(asked_later)));
        let decided = &mut world.judge.memory.track(link).decided;
        (decided.funds_asked, decided.wallet_asked) = (Some(priced_at), Some(world.now));
        let outgoing = create(&world, Create { link, quantity: quantity("20"), ..resting });
        let World { judge, exchange, now, .. } = &mut world;
        judge.arrives(Scene { now: *now, exchange }, &outgoing);
        assert_eq!(world.broken().is_some(), is_known);
    }
}

#[test]
fn a_sell_that_opens_where_no_short_is_allowed() {
    let mut world = watched(Oracle::NoShortUnlessAllowed);
    let more = Create { link: unused(), side: Side::Sell, quantity: quantity("0.05"), ..specs(&world).0.create() };
    arrive(&mut world, more);
    found(&world, Oracle::NoShortUnlessAllowed);
}

#[test]
fn a_reducing_order_that_opens() {
    let mut world = watched(Oracle::ReduceOnlyNeverGrows);
    let (spec, link) = (specs(&world).0, unused());
    tell(&mut world, &Event::OrderIntended { spec: Box::new(Spec { link, reduce_only: true, ..spec }) });
    arrive(&mut world, Create { link, ..spec.create() });
    found(&world, Oracle::ReduceOnlyNeverGrows);
}

#[test]
fn two_orders_under_one_intent() {
    let mut world = watched(Oracle::OneOrderAnIntent);
    let again = specs(&world).0.create();
    arrive(&mut world, again);
    found(&world, Oracle::OneOrderAnIntent);
}
