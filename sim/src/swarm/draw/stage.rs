//! The manager's rules and the exchange of a drawn world.

use crate::choice::Choices;
use crate::exchange::{Budgets, Delays, ExchangeConfig, LinkReuse, Liquidity, NoLiquidity, PriceBand};
use crate::swarm::family::Family;
use crate::swarm::profile::Profile;
use order_manager_core::config::{Config, SellAmountUnit, SpreadUnit};
use order_manager_core::unit::{Decimal, Money, Quantity, Ratio};

pub(super) fn config(c: &mut Choices, profile: &Profile) -> Config {
    let config = Config {
        allow_short: c.chance("short", 400) && profile.shorts,
        limit_post_only: !c.chance("no-post-only", 300),
        cancel_opposite_orders_only: c.chance("opposite", 300),
        cancel_partially_filled: !c.chance("keep-partial", 300),
        max_position_size: Quantity(Decimal::new(*c.pick("position", profile.positions), 3)),
        max_exposure: Money(Decimal::from(*c.pick("exposure", profile.exposures))),
        ..Config::default()
    };
    if profile.varied { varied(c, config) } else { config }
}

/// Everything else that an operator may turn and that changes what is decided.
fn varied(c: &mut Choices, config: Config) -> Config {
    let ratio = |n, scale| Ratio(Decimal::new(n, scale));
    let notionals = [None, None, Some(Money(Decimal::from(1_200)))];
    // A narrow lane brings each message again every second: seldom, or a campaign does little else.
    let lane_max = if c.below("lane", 32) == 31 { 3 } else { 1_000 };
    let is_seldom = |c: &mut Choices, label| c.below(label, 8) == 7;
    Config {
        max_position_notional: *c.pick("notional", &notionals),
        max_order_size_ratio: *c.pick("order-size", &[ratio(1, 1), ratio(5, 1), ratio(1, 0)]),
        enable_balance_check: !is_seldom(c, "no-balance-check"),
        enable_order_size_reduction: !is_seldom(c, "no-reduction"),
        min_confidence: *c.pick("min-confidence", &[ratio(0, 0), ratio(0, 0), ratio(0, 0), ratio(6, 1)]),
        max_price_drift_ratio: *c.pick("drift-max", &[ratio(5, 2), ratio(5, 2), ratio(1, 2)]),
        market_slippage_pct: *c.pick("slippage", &[ratio(5, 1), ratio(5, 1), ratio(2, 2), ratio(5, 0)]),
        limit_order_price_offset_ratio: *c.pick("offset", &[ratio(5, 1), ratio(0, 0), ratio(1, 0)]),
        spread_unit: if is_seldom(c, "spread-unit") { SpreadUnit::Percent } else { SpreadUnit::Absolute },
        sell_amount_unit: if is_seldom(c, "sell-unit") { SellAmountUnit::Base } else { SellAmountUnit::Quote },
        exit_signal_max_age_seconds: *c.pick("exit-age", &[900, 900, 300, 130]),
        lane_max,
        waiting_max: *c.pick("waiting", &[10_000, 10_000, lane_max + 1]),
        recv_window_ms: *c.pick("recv-window", &[5_000, 5_000, 1_000]),
        reconcile_interval_seconds: *c.pick("reconcile", &[60, 60, 30, 300]),
        ..config
    }
}

pub(super) fn exchange(c: &mut Choices, profile: &Profile) -> ExchangeConfig {
    let exchange = ExchangeConfig {
        delays: delays(c),
        link_reuse: *c.pick("reuse", &[LinkReuse::Never, LinkReuse::AfterEnd]),
        no_liquidity: *c.pick("no-liquidity", &[NoLiquidity::Cancel, NoLiquidity::Refuse]),
        closed_cache: *c.pick("closed-cache", &[500, 1, 0]),
        liquidity: profile.liquidity.unwrap_or_else(|| liquidity(c)),
        ..ExchangeConfig::default()
    };
    if !profile.varied {
        return exchange;
    }
    ExchangeConfig {
        price_band: *c.pick("band", &[PriceBand::Adjust, PriceBand::Reject]),
        half_spread_ticks: *c.pick("half-spread", &[1, 1, 5, 40]),
        wallet: Money(Decimal::from(*c.pick("wallet", &[100_000, 100_000, 100_000, 800]))),
        leverage: Ratio(Decimal::from(*c.pick("exchange-leverage", &[5, 5, 1, 2]))),
        reduce_only_below_minimum: !c.chance("reduce-minimum", 300),
        max_open_orders: *c.pick("max-open", &[500, 500, 500, 3]),
        cursor_on_last_page: !c.chance("no-last-cursor", 300),
        ..exchange
    }
}

/// What an account may that is allowed less than others.
pub(super) fn tight(c: &mut Choices) -> Budgets {
    let create = *c.pick(Family::TightBudgets.name(), &[3, 5, 1]);
    Budgets { create, cancel: create, ..Budgets::default() }
}

fn delays(c: &mut Choices) -> Delays {
    if !c.chance("slow", 400) {
        return Delays::default();
    }
    let ms = |c: &mut Choices, label, most| c.between(label, 0, most);
    Delays {
        engine_ms: ms(c, "engine", 300),
        order_push_ms: ms(c, "order-push", 400),
        execution_push_ms: ms(c, "execution-push", 800),
        position_push_ms: ms(c, "position-push", 400),
        wallet_push_ms: 3,
        realtime_ms: ms(c, "realtime", 3_000),
        history_ms: ms(c, "history", 10_000),
        executions_ms: ms(c, "executions", 5_000),
    }
}

fn liquidity(c: &mut Choices) -> Liquidity {
    let thousandths = |n| Quantity(Decimal::new(n, 3));
    let ample = ExchangeConfig::default().liquidity;
    let thin = Liquidity { best: thousandths(3), level: thousandths(4), level_ticks: 7, touch: thousandths(2) };
    let touches = Liquidity { touch: thousandths(3), ..ample };
    *c.pick("liquidity", &[ample, ample, thin, touches])
}
