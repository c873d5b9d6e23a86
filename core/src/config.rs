//! What the operator may choose of the deciding rules (spec A2). Defaults: wire-contracts 7, column C, else the spec.

use crate::unit::{Decimal, LinkPrefix, Money, Quantity, Ratio, Span};
use alloc::{format, string::String, string::ToString, vec::Vec};
use core::fmt;
use serde::{Deserialize, Serialize};

/// What happens to the symbol's existing orders when a signal comes (spec D2).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ExistingOrderPolicy {
    /// They are cancelled.
    #[default]
    Replace,
}

/// What a signal's `spread` is measured in (spec D4).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SpreadUnit {
    /// A difference of prices.
    #[default]
    Absolute,
    /// Percent of the price.
    Percent,
}

/// What a sell signal's `amount` is measured in (spec D7).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SellAmountUnit {
    /// Quote currency, as buys are.
    #[default]
    Quote,
    /// Base units: what the live model service sends (wire-contracts 1.2.1).
    Base,
}

/// Who owns and serves positions (spec T4).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PositionSource {
    /// We: own tables, own snapshots.
    #[default]
    Bybit,
    /// Position Manager: its tables, its API.
    PositionManager,
}

/// The configuration of the core. A field's name is the environment name without `ORDERMANAGER_`, in lower case.
///
#[doc = include_str!("../doc/config.md")]
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Marks our orders among all orders of the account (spec O1).
    pub link_id_prefix: LinkPrefix,
    /// Oldest opening signal that is still carried out (spec S6).
    pub signal_max_age_seconds: u64,
    /// Oldest reducing signal that is still carried out (spec S6).
    pub exit_signal_max_age_seconds: u64,
    /// A timestamp further in the future is warned about (spec S6).
    pub signal_future_warn_seconds: u64,
    /// A timestamp further in the future is rejected (spec S6).
    pub signal_future_reject_seconds: u64,
    /// Opening signals with less confidence are rejected; 0 is off (spec S8).
    pub min_confidence: Ratio,
    /// What happens to existing orders (spec D2).
    pub existing_order_policy: ExistingOrderPolicy,
    /// With `replace`: leave the orders of the signal's own side (spec D2).
    pub cancel_opposite_orders_only: bool,
    /// Off: remainders of partly filled orders of the signal's own side stay, unless it is an exit (spec D2).
    pub cancel_partially_filled: bool,
    /// Market if the confidence is above it (spec D4).
    pub market_order_confidence_threshold: Ratio,
    /// Market if the spread is below this many percent of the price (spec D4).
    pub market_order_spread_threshold: Ratio,
    /// What a signal's `spread` is measured in (spec D4).
    pub spread_unit: SpreadUnit,
    /// How far from the signal's price a limit stands, as a share of the spread (spec D5).
    pub limit_order_price_offset_ratio: Ratio,
    /// Opening limits are PostOnly (spec D5).
    pub limit_post_only: bool,
    /// How far from the best price a market order may fill, percent (spec D5).
    pub market_slippage_pct: Ratio,
    /// Opening is rejected over this drift of the price (spec D6).
    pub max_price_drift_ratio: Ratio,
    /// A drift over it is warned about (spec D6).
    pub price_drift_warn_ratio: Ratio,
    /// What a sell's `amount` is measured in (spec D7).
    pub sell_amount_unit: SellAmountUnit,
    /// May a sell open a short position (spec D9)?
    pub allow_short: bool,
    /// Check margin and fees of opening orders against the wallet (spec K2).
    pub enable_balance_check: bool,
    /// Shrink what is over a size limit, instead of rejecting it (spec K3).
    pub enable_order_size_reduction: bool,
    /// Largest worst-case notional of all symbols together, quote units (spec K2).
    pub max_exposure: Money,
    /// One opening order may have this share of `max_exposure` (spec K2).
    pub max_order_size_ratio: Ratio,
    /// Largest position of a symbol, base units (spec K2).
    pub max_position_size: Quantity,
    /// Largest position of a symbol, quote units (spec K2).
    pub max_position_notional: Option<Money>,
    /// Opening is refused on a symbol set to a higher leverage (spec K2).
    pub max_leverage: Ratio,
    /// Fee that the balance check reckons with, each way (spec K2).
    pub taker_fee_rate: Ratio,
    /// Older wallet figures are asked for again (spec K2).
    pub balance_max_age_seconds: u64,
    /// Older position figures are asked for again (spec K2).
    pub position_max_age_seconds: u64,
    /// Older prices are asked for again (spec K2).
    pub price_max_age_seconds: u64,
    /// Older instrument rules are asked for again (spec K2).
    pub instrument_max_age_seconds: u64,
    /// An older clock offset is measured again (spec K2).
    pub clock_max_age_seconds: u64,
    /// Opening is refused while the exchange's clock is further from ours (spec K2).
    pub clock_offset_max_ms: u64,
    /// Signals that may wait in one symbol's lane (spec S5).
    pub lane_max: u32,
    /// Signals that may wait in all lanes together (spec S5).
    pub waiting_max: u32,
    /// How long after its timestamp the exchange may still take a request (bybit-v5.md 1.2).
    pub recv_window_ms: u64,
    /// Between account-wide reconciles (spec T3).
    pub reconcile_interval_seconds: u64,
    /// Who owns and serves positions (spec T4). The service's default is `position-manager` where its key is set.
    pub position_source: PositionSource,
    /// Ask Position Manager for its positions and exposure, too; the stricter figure decides (spec K1). The service
    /// sets it where Position Manager's key is set.
    pub consult_position_manager: bool,
    /// Reject what opens while Position Manager cannot be asked (spec K1).
    pub position_manager_required: bool,
    /// Between snapshots of the held positions, with `position_source` bybit (spec T4).
    pub position_snapshot_interval: u64,
    /// Positions are compared with the exchange's at least this often (spec T4): each reconcile does it.
    pub position_validation_interval: u64,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            link_id_prefix: LinkPrefix::DEFAULT,
            signal_max_age_seconds: 120,
            exit_signal_max_age_seconds: 900,
            signal_future_warn_seconds: 5,
            signal_future_reject_seconds: 30,
            min_confidence: Ratio::ZERO,
            existing_order_policy: ExistingOrderPolicy::Replace,
            cancel_opposite_orders_only: false,
            cancel_partially_filled: true,
            market_order_confidence_threshold: Ratio(decimal(9, 1)),
            market_order_spread_threshold: Ratio(decimal(1, 1)),
            spread_unit: SpreadUnit::Absolute,
            limit_order_price_offset_ratio: Ratio(decimal(5, 1)),
            limit_post_only: true,
            market_slippage_pct: Ratio(decimal(5, 1)),
            max_price_drift_ratio: Ratio(decimal(5, 2)),
            price_drift_warn_ratio: Ratio(decimal(1, 2)),
            sell_amount_unit: SellAmountUnit::Quote,
            allow_short: false,
            enable_balance_check: true,
            enable_order_size_reduction: true,
            max_exposure: Money(decimal(10_000, 0)),
            max_order_size_ratio: Ratio(decimal(1, 1)),
            max_position_size: Quantity(decimal(2, 0)),
            max_position_notional: None,
            max_leverage: Ratio(decimal(5, 0)),
            taker_fee_rate: Ratio(decimal(55, 5)),
            balance_max_age_seconds: 30,
            position_max_age_seconds: 10,
            price_max_age_seconds: 5,
            instrument_max_age_seconds: 86_400,
            clock_max_age_seconds: 60,
            clock_offset_max_ms: 500,
            lane_max: 1_000,
            waiting_max: 10_000,
            recv_window_ms: 5_000,
            reconcile_interval_seconds: 60,
            position_source: PositionSource::Bybit,
            consult_position_manager: false,
            position_manager_required: true,
            position_snapshot_interval: 300,
            position_validation_interval: 3_600,
        }
    }
}

const fn decimal(digits: u32, scale: u32) -> Decimal {
    Decimal::from_parts(digits, 0, 0, false, scale)
}

macro_rules! spans {
    ($($(#[$doc:meta])+ $name:ident = $unit:ident($field:ident);)+) => {
        impl Config {
            $($(#[$doc])+ #[must_use] pub const fn $name(&self) -> Span { Span::$unit(self.$field) })+
        }
    };
}

spans!(
    /// Oldest opening signal.
    signal_max_age = secs(signal_max_age_seconds);
    /// Oldest reducing signal.
    exit_signal_max_age = secs(exit_signal_max_age_seconds);
    /// From here on a future timestamp is warned about.
    signal_future_warn = secs(signal_future_warn_seconds);
    /// From here on a future timestamp is rejected.
    signal_future_reject = secs(signal_future_reject_seconds);
    /// Oldest wallet figures.
    balance_max_age = secs(balance_max_age_seconds);
    /// Oldest position figures.
    position_max_age = secs(position_max_age_seconds);
    /// Oldest price.
    price_max_age = secs(price_max_age_seconds);
    /// Oldest instrument rules.
    instrument_max_age = secs(instrument_max_age_seconds);
    /// Oldest clock offset.
    clock_max_age = secs(clock_max_age_seconds);
    /// Largest clock offset.
    clock_offset_max = millis(clock_offset_max_ms);
    /// How long a request stays valid.
    recv_window = millis(recv_window_ms);
    /// Between snapshots of held positions.
    position_snapshot_every = secs(position_snapshot_interval);
);

impl Config {
    /// Between account-wide reconciles. Each compares the positions, so none comes later than these are due.
    #[must_use]
    pub fn reconcile_interval(&self) -> Span {
        Span::secs(self.reconcile_interval_seconds.min(self.position_validation_interval))
    }
    /// Largest opening order, quote units; nothing where the figures are too large to multiply.
    #[must_use]
    pub fn max_order_notional(&self) -> Option<Money> {
        self.max_exposure.scaled(self.max_order_size_ratio)
    }
    /// `market_slippage_pct` as a ratio (0.005 is 0.5 %).
    #[must_use]
    pub fn market_slippage(&self) -> Ratio {
        Ratio(self.market_slippage_pct.0.checked_div(Decimal::ONE_HUNDRED).unwrap_or_default())
    }

    /// Checks every value; all violations at once (spec A2).
    pub fn validate(&self) -> Result<(), Vec<ConfigFault>> {
        let mut faults = Vec::new();
        self.check_numbers(&mut faults);
        self.check_times(&mut faults);
        if faults.is_empty() { Ok(()) } else { Err(faults) }
    }

    fn check_numbers(&self, faults: &mut Vec<ConfigFault>) {
        let (zero, one) = (Decimal::ZERO, Decimal::ONE);
        let huge = decimal(1_000_000_000, 0);
        let mut check = |name, value: Decimal, low: Bound, high: Decimal, remedy| {
            let above = match low {
                Bound::From(low) => value >= low,
                Bound::Over(low) => value > low,
            };
            if !above || value > high {
                let range = format!("{low} to {}", high.normalize());
                faults.push(ConfigFault { name, value: value.normalize().to_string(), range, remedy });
            }
        };
        let share = "give a share: 0.5 is one half";
        check("min_confidence", self.min_confidence.0, Bound::From(zero), one, share);
        check(
            "market_order_confidence_threshold",
            self.market_order_confidence_threshold.0,
            Bound::From(zero),
            one,
            share,
        );
        check("limit_order_price_offset_ratio", self.limit_order_price_offset_ratio.0, Bound::From(zero), one, share);
        check("max_price_drift_ratio", self.max_price_drift_ratio.0, Bound::Over(zero), one, share);
        check(
            "price_drift_warn_ratio",
            self.price_drift_warn_ratio.0,
            Bound::From(zero),
            self.max_price_drift_ratio.0,
            "set it no higher than max_price_drift_ratio, or nothing would ever be warned",
        );
        check("max_order_size_ratio", self.max_order_size_ratio.0, Bound::Over(zero), one, share);
        let percent = "give percent: 0.5 is half a percent";
        let hundred = Decimal::ONE_HUNDRED;
        check(
            "market_order_spread_threshold",
            self.market_order_spread_threshold.0,
            Bound::From(zero),
            hundred,
            percent,
        );
        // slippageTolerance of the exchange: 0.01 to 10 percent (bybit-v5.md 2.1)
        check("market_slippage_pct", self.market_slippage_pct.0, Bound::From(decimal(1, 2)), Decimal::TEN, percent);
        check(
            "taker_fee_rate",
            self.taker_fee_rate.0,
            Bound::From(zero),
            decimal(1, 1),
            "give a share: 0.00055 is 0.055 %",
        );
        let limit = "give a limit above zero; to stop opening, set the trading state to REDUCING";
        check("max_exposure", self.max_exposure.0, Bound::Over(zero), huge, limit);
        check("max_position_size", self.max_position_size.0, Bound::Over(zero), huge, limit);
        if let Some(notional) = self.max_position_notional {
            check(
                "max_position_notional",
                notional.0,
                Bound::Over(zero),
                huge,
                "give a limit above zero, or leave it out",
            );
        }
        check(
            "max_leverage",
            self.max_leverage.0,
            Bound::From(one),
            Decimal::ONE_HUNDRED,
            "give a factor: 5 is fivefold",
        );
    }

    fn check_times(&self, faults: &mut Vec<ConfigFault>) {
        let mut check = |name, value: u64, low: u64, high: u64, remedy| {
            if value < low || value > high {
                faults.push(ConfigFault { name, value: value.to_string(), range: format!("{low} to {high}"), remedy });
            }
        };
        let seconds = "give whole seconds";
        // Ten years: signals of the past can be carried out against a fake exchange, byte for byte as they were sent.
        check("signal_max_age_seconds", self.signal_max_age_seconds, 1, 315_360_000, seconds);
        check(
            "exit_signal_max_age_seconds",
            self.exit_signal_max_age_seconds,
            self.signal_max_age_seconds,
            315_360_000,
            "exits must live at least as long as opening signals (signal_max_age_seconds)",
        );
        check("signal_future_reject_seconds", self.signal_future_reject_seconds, 1, 3_600, seconds);
        let order = "set it no higher than signal_future_reject_seconds";
        check(
            "signal_future_warn_seconds",
            self.signal_future_warn_seconds,
            0,
            self.signal_future_reject_seconds,
            order,
        );
        check("balance_max_age_seconds", self.balance_max_age_seconds, 1, 3_600, seconds);
        check("position_max_age_seconds", self.position_max_age_seconds, 1, 3_600, seconds);
        check("price_max_age_seconds", self.price_max_age_seconds, 1, 300, seconds);
        check("instrument_max_age_seconds", self.instrument_max_age_seconds, 60, 604_800, seconds);
        check("clock_max_age_seconds", self.clock_max_age_seconds, 1, 3_600, seconds);
        let millis = "give whole milliseconds";
        check("clock_offset_max_ms", self.clock_offset_max_ms, 1, 5_000, millis);
        check("recv_window_ms", self.recv_window_ms, 500, 60_000, millis);
        check("reconcile_interval_seconds", self.reconcile_interval_seconds, 5, 86_400, seconds);
        check("position_snapshot_interval", self.position_snapshot_interval, 1, 86_400, seconds);
        check("position_validation_interval", self.position_validation_interval, 5, 86_400, seconds);
        check("lane_max", u64::from(self.lane_max), 1, 10_000, "give a number of signals");
        let all = "set it no lower than lane_max";
        check("waiting_max", u64::from(self.waiting_max), u64::from(self.lane_max), 100_000, all);
    }
}

/// The low end of a range: still good, or just not good any more.
enum Bound {
    From(Decimal),
    Over(Decimal),
}

impl fmt::Display for Bound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::From(low) => write!(f, "{}", low.normalize()),
            Self::Over(low) => write!(f, "above {}", low.normalize()),
        }
    }
}

/// One value that may not stand, and what to do about it (spec A2).
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{name} = {value}: must be {range}; {remedy}")]
pub struct ConfigFault {
    /// The field of [`Config`].
    pub name: &'static str,
    /// What it was set to.
    pub value: String,
    /// What it may be.
    pub range: String,
    /// What to do.
    pub remedy: &'static str,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a2_the_defaults_are_valid() {
        assert_eq!(Config::default().validate(), Ok(()));
        assert_eq!(Config::default().link_id_prefix.as_str(), "om");
    }

    #[test]
    fn a2_all_violations_come_at_once() {
        let config = Config {
            max_leverage: Ratio::ZERO,
            market_slippage_pct: Ratio(decimal(11, 0)),
            signal_max_age_seconds: 0,
            max_exposure: Money::ZERO,
            price_drift_warn_ratio: Ratio(decimal(6, 2)),
            ..Config::default()
        };
        let faults = config.validate().unwrap_err();
        let names: Vec<_> = faults.iter().map(|f| f.name).collect();
        assert_eq!(
            names,
            ["price_drift_warn_ratio", "market_slippage_pct", "max_exposure", "max_leverage", "signal_max_age_seconds"]
        );
        assert_eq!(
            faults[1].to_string(),
            "market_slippage_pct = 11: must be 0.01 to 10; give percent: 0.5 is half a percent"
        );
    }

    #[test]
    fn a2_unknown_names_are_refused_and_known_ones_default() {
        let config: Config = serde_json::from_str(r#"{"allow_short":true,"max_exposure":"500"}"#).unwrap();
        assert_eq!(config, Config { allow_short: true, max_exposure: Money(decimal(500, 0)), ..Config::default() });
        assert!(serde_json::from_str::<Config>(r#"{"max_exposur":"500"}"#).is_err());
    }
}
