//! The wallet of the account in cross margin (bybit-v5.md 6.3, 9.4), USDT only.

use super::Exchange;
use order_manager_core::bybit::{CoinBalance, WalletRow};
use order_manager_core::unit::{Decimal, Money, Text};

/// Sums over all symbols.
struct Sums {
    unrealised: Decimal,
    orders: Decimal,
    positions: Decimal,
}

impl Exchange {
    pub(super) fn available_balance(&self) -> Money {
        let sums = self.sums();
        Money(self.truth.wallet.0 + sums.unrealised - sums.orders - sums.positions)
    }

    pub(super) fn wallet_row(&self) -> WalletRow {
        let sums = self.sums();
        let equity = Money(self.truth.wallet.0 + sums.unrealised);
        WalletRow {
            total_equity: Some(equity),
            total_available: Some(Money(equity.0 - sums.orders - sums.positions)),
            bad: Vec::new(),
            coins: vec![CoinBalance {
                coin: Text::clipped("USDT"),
                wallet_balance: self.truth.wallet,
                equity,
                order_margin: Some(Money(sums.orders)),
                position_margin: Some(Money(sums.positions)),
            }],
        }
    }

    fn sums(&self) -> Sums {
        let mut sums = Sums { unrealised: Decimal::ZERO, orders: Decimal::ZERO, positions: Decimal::ZERO };
        for market in &self.markets {
            let stake = market.stake();
            sums.unrealised += stake.unrealised.0;
            sums.orders += stake.orders.0;
            sums.positions += stake.position.0;
        }
        sums
    }
}
