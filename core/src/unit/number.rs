//! Price, quantity and money: decimals that cannot be mistaken for each other.

use super::decimal;
use core::cmp::Ordering;
use core::fmt;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

macro_rules! number {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Default, Eq, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(#[serde(with = "decimal")] pub Decimal);

        impl $name {
            /// Nothing.
            pub const ZERO: Self = Self(Decimal::ZERO);
            /// Sum; nothing where it leaves what a decimal holds.
            #[must_use]
            pub fn plus(self, other: Self) -> Option<Self> {
                self.0.checked_add(other.0).map(Self)
            }
            /// Difference; nothing where it leaves what a decimal holds.
            #[must_use]
            pub fn minus(self, other: Self) -> Option<Self> {
                self.0.checked_sub(other.0).map(Self)
            }
            /// Is it zero?
            #[must_use]
            pub fn is_zero(self) -> bool {
                self.0.is_zero()
            }
            /// Is it above zero?
            #[must_use]
            pub fn is_positive(self) -> bool {
                self.0.is_sign_positive() && !self.0.is_zero()
            }
            /// Is it below zero?
            #[must_use]
            pub fn is_negative(self) -> bool {
                self.0.is_sign_negative() && !self.0.is_zero()
            }
            /// Without its sign.
            #[must_use]
            pub fn abs(self) -> Self {
                Self(self.0.abs())
            }
        }
        impl Ord for $name {
            fn cmp(&self, other: &Self) -> Ordering {
                decimal::compare(self.0, other.0)
            }
        }
        impl PartialOrd for $name {
            fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
                Some(self.cmp(other))
            }
        }
        impl PartialEq for $name {
            fn eq(&self, other: &Self) -> bool {
                self.cmp(other).is_eq()
            }
        }
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(&decimal::Shown(decimal::normal(self.0)), f)
            }
        }
        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(self, f)
            }
        }
    };
}

number!(
    /// Quote currency per unit of base currency.
    Price
);
number!(
    /// An amount of base currency; signed only where a position or a change of one is meant.
    Quantity
);
number!(
    /// An amount of quote (settle) currency; signed.
    Money
);
number!(
    /// A plain ratio: 0.01 is one percent.
    Ratio
);

impl Price {
    /// What `quantity` costs at this price.
    #[must_use]
    pub fn times(self, quantity: Quantity) -> Option<Money> {
        self.0.checked_mul(quantity.0).map(Money)
    }
    /// Down to a multiple of `tick`.
    #[must_use]
    pub fn floor_to(self, tick: Self) -> Option<Self> {
        decimal::floor_to(self.0, tick.0).map(Self)
    }
    /// Up to a multiple of `tick`.
    #[must_use]
    pub fn ceil_to(self, tick: Self) -> Option<Self> {
        decimal::ceil_to(self.0, tick.0).map(Self)
    }
    /// This price, `ratio` of it higher (lower where the ratio is negative).
    #[must_use]
    pub fn moved_by(self, ratio: Ratio) -> Option<Self> {
        self.0.checked_mul(Decimal::ONE.checked_add(ratio.0)?).map(Self)
    }
    /// How far `other` lies from this price, as a share of this price; never negative.
    #[must_use]
    pub fn drift_to(self, other: Self) -> Option<Ratio> {
        other.0.checked_sub(self.0)?.abs().checked_div(self.0).map(Ratio)
    }
}

impl Quantity {
    /// Down to a multiple of `step`.
    #[must_use]
    pub fn floor_to(self, step: Self) -> Option<Self> {
        decimal::floor_to(self.0, step.0).map(Self)
    }
    /// With the other sign.
    #[must_use]
    pub fn negated(self) -> Self {
        Self(Decimal::ZERO.checked_sub(self.0).unwrap_or_default())
    }
}

impl Money {
    /// How much this buys at `price`, to 28 digits; nothing at a price of zero.
    #[must_use]
    pub fn buys_at(self, price: Price) -> Option<Quantity> {
        self.0.checked_div(price.0).map(Quantity)
    }
    /// The price at which `quantity` costs this much.
    #[must_use]
    pub fn per(self, quantity: Quantity) -> Option<Price> {
        self.0.checked_div(quantity.0).map(Price)
    }
    /// This much, `ratio` times.
    #[must_use]
    pub fn scaled(self, ratio: Ratio) -> Option<Self> {
        self.0.checked_mul(ratio.0).map(Self)
    }
    /// This much divided by `ratio` (leverage).
    #[must_use]
    pub fn divided(self, ratio: Ratio) -> Option<Self> {
        self.0.checked_div(ratio.0).map(Self)
    }
}
